package standin

import (
	"net/http"
	"net/url"
	"strings"

	"dhibot/bot/standin/internal/gitdb"
)

func (s *Server) contentRoutes() []route {
	const docs = "repos/contents#"
	return []route{
		{method: "GET", pattern: "/repos/{owner}/{repo}/contents", needs: "contents:read", doc: docs + "get-repository-content", do: getContents},
		{method: "GET", pattern: "/repos/{owner}/{repo}/contents/{path*}", needs: "contents:read", doc: docs + "get-repository-content", do: getContents},
		{method: "PUT", pattern: "/repos/{owner}/{repo}/contents/{path*}", needs: "contents:write", level: "write", write: true, doc: docs + "create-or-update-file-contents", do: putContents},
		{method: "DELETE", pattern: "/repos/{owner}/{repo}/contents/{path*}", needs: "contents:write", level: "write", write: true, git: true, doc: docs + "delete-a-file", do: deleteContents},
		{method: "GET", pattern: "/repos/{owner}/{repo}/readme", needs: "contents:read", doc: docs + "get-a-repository-readme", do: getReadme},
	}
}

// escapePath escapes each component of a path for a URL.
func escapePath(p string) string {
	parts := strings.Split(p, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return strings.Join(parts, "/")
}

func getContents(c *call) error {
	r, path := c.repo, strings.Trim(c.params["path"], "/")
	if r.empty() {
		return fail(http.StatusNotFound, "This repository is empty.")
	}
	ref := c.query("ref")
	commit, err := r.commitish(ref)
	if err != nil {
		return fail(http.StatusNotFound, "No commit found for the ref "+ref)
	}
	ref = orDefault(ref, r.defaultBranch)
	root, err := r.git.Commit(commit)
	if err != nil {
		return err
	}
	e, err := r.git.Lookup(root.Tree, path)
	if err != nil {
		return notFound()
	}
	if e.Mode == gitdb.ModeTree {
		list, err := r.git.Tree(e.ID)
		if err != nil {
			return err
		}
		out := []object{}
		for _, child := range list {
			if path != "" {
				child.Path = path + "/" + child.Path
			}
			out = append(out, r.contentObject(child, ref))
		}
		return c.ok(out)
	}
	if e.Mode == gitdb.ModeSubmodule {
		o := r.contentObject(e, ref)
		o["type"], o["submodule_git_url"] = "submodule", ""
		return c.ok(o)
	}
	data, err := r.git.Blob(e.ID)
	if err != nil {
		return err
	}
	if accepts(c.r, "raw") {
		return c.raw("application/vnd.github.raw; charset=utf-8", data)
	}
	o := r.contentObject(e, ref)
	o["encoding"], o["content"] = "base64", base64Lines(data)
	if e.Mode == gitdb.ModeSymlink {
		o["type"], o["target"] = "symlink", string(data)
		delete(o, "encoding")
		delete(o, "content")
	}
	// https://docs.github.com/rest/repos/contents#size-limits
	if len(data) > 1<<20 {
		o["encoding"], o["content"] = "none", ""
	}
	return c.ok(o)
}

func (r *Repository) contentObject(e gitdb.Entry, ref string) object {
	p := escapePath(e.Path)
	name := e.Path[strings.LastIndex(e.Path, "/")+1:]
	self := r.url() + "/contents/" + p + "?ref=" + url.QueryEscape(ref)
	o := object{"name": name, "path": e.Path, "sha": e.ID, "size": 0, "url": self}
	kind, gitKind := "file", "blobs"
	html := r.html() + "/blob/" + ref + "/" + p
	switch e.Type() {
	case "tree":
		kind, gitKind, html = "dir", "trees", r.html()+"/tree/"+ref+"/"+p
		o["download_url"] = nil
	case "commit":
		kind = "file" // lists show submodules as files
		o["download_url"] = nil
	default:
		o["download_url"] = r.html() + "/raw/" + ref + "/" + p
		if _, size, err := r.git.Size(e.ID); err == nil {
			o["size"] = size
		}
		if e.Mode == gitdb.ModeSymlink {
			kind = "symlink"
		}
	}
	git := r.url() + "/git/" + gitKind + "/" + string(e.ID)
	o["type"], o["git_url"], o["html_url"] = kind, git, html
	o["_links"] = object{"self": self, "git": git, "html": html}
	return o
}

func getReadme(c *call) error {
	for _, name := range []string{"README.md", "readme.md", "README", "README.txt"} {
		c.params["path"] = name
		if err := getContents(c); err == nil {
			return nil
		}
	}
	return notFound()
}

type contentRequest struct {
	Message   *string   `json:"message"`
	Content   *string   `json:"content"`
	SHA       string    `json:"sha"`
	Branch    string    `json:"branch"`
	Author    *identity `json:"author"`
	Committer *identity `json:"committer"`
}

// prepare finds the file the request is about and the branch to write to.
func (c *call) prepare(req contentRequest) (branch string, at gitdb.Entry, exists bool, err error) {
	r := c.repo
	branch = orDefault(req.Branch, r.defaultBranch)
	tip := r.tip(branch)
	if tip == "" {
		if r.empty() {
			return branch, at, false, nil
		}
		return "", at, false, fail(http.StatusNotFound, "Branch "+branch+" not found")
	}
	commit, err := r.git.Commit(tip)
	if err != nil {
		return "", at, false, err
	}
	at, lerr := r.git.Lookup(commit.Tree, c.params["path"])
	exists = lerr == nil
	if exists && req.SHA != "" && gitdb.OID(req.SHA) != at.ID {
		return "", at, false, fail(http.StatusConflict, c.params["path"]+" does not match "+req.SHA)
	}
	return branch, at, exists, nil
}

// contentCommit writes a commit with the one change and answers.
func (c *call) contentCommit(status int, branch string, ch gitdb.Change, req contentRequest) error {
	r := c.repo
	commit := gitdb.Commit{Message: *req.Message, Author: c.s.ident(c.who.account()), Committer: c.s.ident(c.who.account())}
	var base gitdb.OID
	if tip := r.tip(branch); tip != "" {
		parent, err := r.git.Commit(tip)
		if err != nil {
			return err
		}
		base, commit.Parents = parent.Tree, []gitdb.OID{tip}
	}
	tree, err := gitdb.EditTree(r.git, base, []gitdb.Change{ch})
	if err != nil {
		return err
	}
	commit.Tree = tree
	if req.Author != nil {
		commit.Author = req.Author.over(commit.Author)
	}
	if req.Committer != nil {
		commit.Committer = req.Committer.over(commit.Committer)
	} else {
		commit = c.s.sign(commit)
	}
	id, err := r.git.Put("commit", commit.Encode())
	if err != nil {
		return err
	}
	if err := r.updateRef(c.who, "refs/heads/"+branch, id, false); err != nil {
		return err
	}
	info, err := r.gitCommitObject(id)
	if err != nil {
		return err
	}
	var content any
	if !ch.Delete {
		content = r.contentObject(gitdb.Entry{Path: ch.Path, Mode: ch.Mode, ID: ch.ID}, branch)
	}
	return c.json(status, object{"content": content, "commit": info})
}

func putContents(c *call) error {
	var req contentRequest
	if err := c.decode(&req); err != nil {
		return err
	}
	switch {
	case req.Message == nil && req.Content == nil:
		return missing("message", "content")
	case req.Message == nil:
		return missing("message")
	case req.Content == nil:
		return missing("content")
	case checkPath(c.params["path"]) != nil:
		return unprocessable("path contains a malformed path component")
	}
	data, err := decodeContent(*req.Content, "base64")
	if err != nil {
		return err
	}
	branch, at, exists, err := c.prepare(req)
	if err != nil {
		return err
	}
	if exists && req.SHA == "" {
		return unprocessable("Invalid request.\n\n\"sha\" wasn't supplied.")
	}
	mode, status := gitdb.ModeFile, http.StatusCreated
	if exists {
		mode, status = at.Mode, http.StatusOK
	}
	id, err := c.repo.git.Put("blob", data)
	if err != nil {
		return err
	}
	return c.contentCommit(status, branch, gitdb.Change{Path: c.params["path"], Mode: mode, ID: id}, req)
}

func deleteContents(c *call) error {
	var req contentRequest
	if err := c.decode(&req); err != nil {
		return err
	}
	if req.Message == nil || req.SHA == "" {
		return missing("message", "sha")
	}
	branch, _, exists, err := c.prepare(req)
	if err != nil {
		return err
	}
	if !exists {
		return notFound()
	}
	return c.contentCommit(http.StatusOK, branch, gitdb.Change{Path: c.params["path"], Delete: true}, req)
}
