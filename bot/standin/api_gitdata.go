package standin

import (
	"errors"
	"fmt"
	"path"
	"strings"
	"time"
	"unicode/utf8"

	"dhibot/bot/standin/internal/gitdb"
)

func (s *Server) gitDataRoutes() []route {
	return []route{
		{method: "GET", pattern: "/repos/{owner}/{repo}/git/blobs/{sha}", needs: "contents:read", git: true, doc: "git/blobs#get-a-blob", do: getBlob},
		{method: "POST", pattern: "/repos/{owner}/{repo}/git/blobs", needs: "contents:write", level: "write", git: true, write: true, doc: "git/blobs#create-a-blob", do: createBlob},
		{method: "GET", pattern: "/repos/{owner}/{repo}/git/trees/{sha*}", needs: "contents:read", git: true, doc: "git/trees#get-a-tree", do: getTree},
		{method: "POST", pattern: "/repos/{owner}/{repo}/git/trees", needs: "contents:write", level: "write", git: true, write: true, doc: "git/trees#create-a-tree", do: createTree},
		{method: "GET", pattern: "/repos/{owner}/{repo}/git/commits/{sha}", needs: "contents:read", git: true, doc: "git/commits#get-a-commit-object", do: getGitCommit},
		{method: "POST", pattern: "/repos/{owner}/{repo}/git/commits", needs: "contents:write", level: "write", git: true, write: true, doc: "git/commits#create-a-commit", do: createCommit},
		{method: "GET", pattern: "/repos/{owner}/{repo}/git/tags/{sha}", needs: "contents:read", git: true, doc: "git/tags#get-a-tag", do: getTag},
		{method: "POST", pattern: "/repos/{owner}/{repo}/git/tags", needs: "contents:write", level: "write", git: true, write: true, doc: "git/tags#create-a-tag-object", do: createTag},
	}
}

// entrySize is about what one entry takes in the JSON answer.
const entrySize = 180

func getTree(c *call) error {
	r := c.repo
	id, err := r.treeish(c.params["sha"])
	if err != nil {
		return notFound()
	}
	_, recursive := c.r.URL.Query()["recursive"]
	entries := []object{}
	truncated, size := false, 0
	limit := c.treeLimit(recursive)
	add := func(e gitdb.Entry) bool {
		size += entrySize + len(e.Path) + len(r.url())
		if len(entries) >= limit.entries || size > limit.bytes {
			truncated = true
			return false
		}
		entries = append(entries, r.treeEntry(e))
		return true
	}
	if recursive {
		err = r.git.Walk(id, add)
	} else {
		var list []gitdb.Entry
		list, err = r.git.Tree(id)
		for _, e := range list {
			if !add(e) {
				break
			}
		}
	}
	if err != nil {
		return err
	}
	return c.ok(object{"sha": id, "url": r.url() + "/git/trees/" + string(id), "tree": entries, "truncated": truncated})
}

func (r *Repository) treeEntry(e gitdb.Entry) object {
	o := object{"path": e.Path, "mode": e.Mode, "type": e.Type(), "sha": e.ID}
	switch e.Type() {
	case "tree":
		o["url"] = r.url() + "/git/trees/" + string(e.ID)
	case "blob":
		o["url"] = r.url() + "/git/blobs/" + string(e.ID)
		if _, size, err := r.git.Size(e.ID); err == nil {
			o["size"] = size
		}
	}
	return o
}

// treeRow is one entry of POST git/trees. SHA needs telling null from absent.
type treeRow struct {
	Path    *string       `json:"path"`
	Mode    string        `json:"mode"`
	Type    string        `json:"type"`
	SHA     optionalValue `json:"sha"`
	Content *string       `json:"content"`
}

// optionalValue is a JSON string that may be absent, null or there.
type optionalValue struct {
	set   bool
	value *string
}

func (o *optionalValue) UnmarshalJSON(b []byte) error {
	o.set = true
	return unmarshalString(b, &o.value)
}

func createTree(c *call) error {
	var req struct {
		BaseTree *string   `json:"base_tree"`
		Tree     []treeRow `json:"tree"`
	}
	if err := c.decode(&req); err != nil {
		return err
	}
	if req.Tree == nil {
		return missing("tree")
	}
	if len(req.Tree) == 0 {
		return unprocessable("Invalid tree info")
	}
	r := c.repo
	base := gitdb.OID("")
	if req.BaseTree != nil && *req.BaseTree != "" {
		id, err := r.treeish(*req.BaseTree)
		if err != nil || !gitdb.Valid(*req.BaseTree) {
			return unprocessable("base_tree is not a valid tree oid")
		}
		base = id
	}
	changes := make([]gitdb.Change, 0, len(req.Tree))
	for _, row := range req.Tree {
		ch, err := c.treeChange(row)
		if err != nil {
			return err
		}
		changes = append(changes, ch)
	}
	id, err := gitdb.EditTree(r.git, base, changes)
	if errors.Is(err, gitdb.ErrNotFound) {
		return unprocessable("GitRPC::BadObjectState")
	}
	if err != nil {
		return err
	}
	list, err := r.git.Tree(id)
	if err != nil {
		return err
	}
	return c.created(object{
		"sha": id, "url": r.url() + "/git/trees/" + string(id), "truncated": false,
		"tree": mapped(list, r.treeEntry),
	})
}

// treeChange checks one row and stores its inline content.
func (c *call) treeChange(row treeRow) (gitdb.Change, error) {
	var ch gitdb.Change
	if row.Path == nil {
		return ch, unprocessable("tree.path is missing")
	}
	p := *row.Path
	switch {
	case strings.HasPrefix(p, "/"):
		return ch, unprocessable("tree.path cannot start with a slash")
	case checkPath(p) != nil || path.Clean(p) != p:
		return ch, unprocessable("tree.path contains a malformed path component")
	}
	want := map[string]string{
		gitdb.ModeFile: "blob", gitdb.ModeExecutable: "blob", gitdb.ModeSymlink: "blob",
		gitdb.ModeTree: "tree", gitdb.ModeSubmodule: "commit",
	}[row.Mode]
	ch = gitdb.Change{Path: p, Mode: row.Mode}
	if row.SHA.set && row.SHA.value == nil && row.Content == nil {
		ch.Delete = true
		return ch, nil
	}
	if want == "" {
		return ch, unprocessable("Must supply a valid tree.mode")
	}
	if row.Type != "" && row.Type != want {
		return ch, unprocessable("tree.mode and tree.type do not match")
	}
	switch {
	case row.SHA.value != nil && row.Content != nil:
		return ch, unprocessable("Must supply either tree.sha or tree.content, not both.")
	case row.Content != nil:
		if want != "blob" {
			return ch, unprocessable("tree.content is only for blobs")
		}
		if !utf8.ValidString(*row.Content) {
			return ch, unprocessable("tree.content is not valid UTF-8")
		}
		id, err := c.repo.git.Put("blob", []byte(*row.Content))
		if err != nil {
			return ch, err
		}
		ch.ID = id
	case row.SHA.value != nil:
		ch.ID = gitdb.OID(*row.SHA.value)
		if !gitdb.Valid(*row.SHA.value) {
			return ch, unprocessable("The sha parameter must be exactly 40 characters and contain only [0-9a-f].")
		}
		if want == "commit" {
			break // a submodule's commit lives elsewhere
		}
		if kind, err := c.repo.git.Kind(ch.ID); err != nil || kind != want {
			return ch, unprocessable(fmt.Sprintf("tree.sha %s is not a valid %s", ch.ID, want))
		}
	default:
		return ch, unprocessable("Must supply either tree.sha or tree.content.")
	}
	return ch, nil
}

func getGitCommit(c *call) error {
	if !gitdb.Valid(c.params["sha"]) {
		return unprocessable("The sha parameter must be exactly 40 characters and contain only [0-9a-f].")
	}
	o, err := c.repo.gitCommitObject(gitdb.OID(c.params["sha"]))
	if err != nil {
		return notFound()
	}
	return c.ok(o)
}

type identity struct {
	Name  string     `json:"name"`
	Email string     `json:"email"`
	Date  *time.Time `json:"date"`
}

func createCommit(c *call) error {
	var req struct {
		Message   *string   `json:"message"`
		Tree      string    `json:"tree"`
		Parents   []string  `json:"parents"`
		Author    *identity `json:"author"`
		Committer *identity `json:"committer"`
		Signature string    `json:"signature"`
	}
	if err := c.decode(&req); err != nil {
		return err
	}
	switch {
	case req.Message == nil && req.Tree == "":
		return missing("message", "tree")
	case req.Message == nil:
		return missing("message")
	case req.Tree == "":
		return missing("tree")
	}
	r := c.repo
	if !gitdb.Valid(req.Tree) {
		return unprocessable("The tree parameter must be exactly 40 characters and contain only [0-9a-f].")
	}
	if kind, err := r.git.Kind(gitdb.OID(req.Tree)); (err != nil || kind != "tree") && gitdb.OID(req.Tree) != gitdb.EmptyTree {
		return unprocessable("Tree SHA does not exist")
	}
	commit := gitdb.Commit{Tree: gitdb.OID(req.Tree), Message: *req.Message, Signature: req.Signature}
	for _, p := range req.Parents {
		if !gitdb.Valid(p) {
			return unprocessable("The parents parameter must be exactly 40 characters and contain only [0-9a-f].")
		}
		if kind, err := r.git.Kind(gitdb.OID(p)); err != nil || kind != "commit" {
			return unprocessable("Parent SHA does not exist or is not a commit object")
		}
		commit.Parents = append(commit.Parents, gitdb.OID(p))
	}
	self := c.s.ident(c.who.account())
	commit.Author, commit.Committer = self, self
	if req.Author != nil {
		commit.Author = req.Author.over(self)
		commit.Committer = commit.Author
	}
	if req.Committer != nil {
		commit.Committer = req.Committer.over(self)
	}
	// GitHub signs what an App commits when nobody else is named.
	// https://docs.github.com/authentication/managing-commit-signature-verification/about-commit-signature-verification#signature-verification-for-bots
	if c.who.inst != nil && req.Author == nil && req.Committer == nil && req.Signature == "" {
		commit = c.s.sign(commit)
	}
	id, err := r.git.Put("commit", commit.Encode())
	if err != nil {
		return err
	}
	o, err := r.gitCommitObject(id)
	if err != nil {
		return err
	}
	return c.created(o)
}

func (i *identity) over(d gitdb.Ident) gitdb.Ident {
	out := gitdb.Ident{Name: i.Name, Email: i.Email, When: d.When}
	if i.Date != nil {
		out.When = *i.Date
	}
	if out.Name == "" {
		out.Name = d.Name
	}
	if out.Email == "" {
		out.Email = d.Email
	}
	return out
}

// ident is the git identity of an account now.
func (s *Server) ident(a *Account) gitdb.Ident {
	return gitdb.Ident{Name: a.Login(), Email: a.email(), When: s.now()}
}
