package standin

import (
	"html/template"
	"sort"
	"strings"
	"unicode/utf8"

	"dhibot/bot/standin/internal/gitdb"
)

// splitRef cuts "dhi/migrate/src/a.go" after the longest name of a branch.
func (r *Repository) splitRef(parts []string) (ref, path string) {
	for n := len(parts); n > 0; n-- {
		name := strings.Join(parts[:n], "/")
		if _, err := r.commitish(name); err == nil {
			return name, strings.Join(parts[n:], "/")
		}
	}
	return strings.Join(parts, "/"), ""
}

type crumb struct{ Name, Path string }

func crumbs(path string) []crumb {
	var out []crumb
	parts := strings.Split(path, "/")
	for n, name := range parts {
		if name != "" {
			out = append(out, crumb{name, strings.Join(parts[:n+1], "/")})
		}
	}
	return out
}

type treeRowView struct {
	Name, Path, Mode string
	Dir              bool
}

type treeView struct {
	Ref, Path string
	Crumbs    []crumb
	Rows      []treeRowView
	Commit    *commitView
	Readme    template.HTML
	Empty     bool
}

func (p *pageRequest) tree(r *Repository, ref, path string) (string, error) {
	v := treeView{Ref: ref, Path: path, Crumbs: crumbs(path)}
	p.data.Title, p.data.Tab = r.full(), "code"
	id, err := r.commitish(ref)
	if err != nil {
		if r.empty() && path == "" {
			v.Empty = true
			p.data.View = v
			return "repository", nil
		}
		return "", pageMissing("There is no such branch, tag or commit.")
	}
	commit, err := r.git.Commit(id)
	if err != nil {
		return "", err
	}
	e, err := r.git.Lookup(commit.Tree, strings.Trim(path, "/"))
	if err != nil {
		return "", pageMissing("There is no such directory.")
	}
	if e.Mode != gitdb.ModeTree {
		return p.file(r, ref, path, false)
	}
	list, err := r.git.Tree(e.ID)
	if err != nil {
		return "", err
	}
	for _, child := range list {
		full := strings.Trim(path+"/"+child.Path, "/")
		v.Rows = append(v.Rows, treeRowView{Name: child.Path, Path: full, Mode: modeName(child.Mode), Dir: child.Mode == gitdb.ModeTree})
		if strings.EqualFold(child.Path, "README.md") {
			if text, err := r.git.Blob(child.ID); err == nil && len(text) < 1<<20 {
				v.Readme = template.HTML(r.s.pages().markdown.File(string(text), r.links())) //nolint:gosec // sanitised
			}
		}
	}
	sort.SliceStable(v.Rows, func(i, j int) bool { return v.Rows[i].Dir && !v.Rows[j].Dir })
	v.Commit = r.commitView(id)
	p.data.View = v
	return "repository", nil
}

func modeName(mode string) string {
	switch mode {
	case gitdb.ModeExecutable:
		return "executable"
	case gitdb.ModeSymlink:
		return "symbolic link"
	case gitdb.ModeSubmodule:
		return "submodule"
	}
	return ""
}

type fileView struct {
	Ref, Path string
	Crumbs    []crumb
	Mode      string
	Lines     []string
	Size      int
	Binary    bool
	Rendered  template.HTML
}

// maxFileShown is the largest file a page shows.
const maxFileShown = 1 << 20

func (p *pageRequest) file(r *Repository, ref, path string, raw bool) (string, error) {
	id, err := r.commitish(ref)
	if err != nil {
		return "", pageMissing("There is no such branch, tag or commit.")
	}
	commit, err := r.git.Commit(id)
	if err != nil {
		return "", err
	}
	e, err := r.git.Lookup(commit.Tree, strings.Trim(path, "/"))
	if err != nil || e.Type() != "blob" {
		return "", pageMissing("There is no such file.")
	}
	data, err := r.git.Blob(e.ID)
	if err != nil {
		return "", err
	}
	if raw {
		p.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = p.w.Write(data)
		return "", nil
	}
	v := fileView{Ref: ref, Path: path, Crumbs: crumbs(path), Mode: modeName(e.Mode), Size: len(data)}
	v.Binary = !utf8.Valid(data) || strings.ContainsRune(string(data), 0) || len(data) > maxFileShown
	if !v.Binary {
		v.Lines = strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
		if strings.HasSuffix(strings.ToLower(path), ".md") {
			v.Rendered = template.HTML(r.s.pages().markdown.File(string(data), r.links())) //nolint:gosec // sanitised
		}
	}
	p.data.Title, p.data.Tab, p.data.View = path+" · "+r.full(), "code", v
	return "file", nil
}
