package standin

import (
	"fmt"

	"dhibot/bot/standin/internal/gitdb"
)

// treeish resolves what GET git/trees takes: a tree, a commit, a branch or a
// tag name, or HEAD.
func (r *Repository) treeish(name string) (gitdb.OID, error) {
	if id, err := r.commitish(name); err == nil {
		c, err := r.git.Commit(id)
		return c.Tree, err
	}
	if gitdb.Valid(name) {
		if kind, err := r.git.Kind(gitdb.OID(name)); err == nil && kind == "tree" {
			return gitdb.OID(name), nil
		}
	}
	return "", notFound()
}

// commitish resolves a sha, a branch, a tag, a full reference name or HEAD to
// a commit.
func (r *Repository) commitish(name string) (gitdb.OID, error) {
	candidates := []string{"refs/heads/" + name, "refs/tags/" + name, "refs/" + name, name}
	if name == "" || name == "HEAD" {
		candidates = []string{"refs/heads/" + r.defaultBranch}
	}
	for _, ref := range candidates {
		if id, ok := r.git.Ref(ref); ok {
			return r.peel(id)
		}
	}
	if gitdb.Valid(name) {
		return r.peel(gitdb.OID(name))
	}
	return "", fmt.Errorf("%.100q: %w", name, gitdb.ErrNotFound)
}

// peel follows annotated tags to their commit.
func (r *Repository) peel(id gitdb.OID) (gitdb.OID, error) {
	for range 10 {
		kind, data, err := r.git.Get(id)
		if err != nil {
			return "", err
		}
		switch kind {
		case "commit":
			return id, nil
		case "tag":
			t, err := gitdb.ParseTag(data)
			if err != nil {
				return "", err
			}
			id = t.Object
		default:
			return "", fmt.Errorf("%s is a %s: %w", id, kind, gitdb.ErrNotFound)
		}
	}
	return "", fmt.Errorf("%s: tags nested too deep: %w", id, gitdb.ErrNotFound)
}
