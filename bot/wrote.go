package bot

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"dhibot/bot/githubapi"
	"dhibot/bot/plan"
)

// written is what a commit proves of itself.
type written struct {
	ours           bool
	base, proposal string
	updated        bool // somebody has brought it up to date with the default branch
	// before is the tree of base, and files are the object ids of what differs
	// from it.
	before *githubapi.Tree
	files  map[string]string
}

// maxMerges bounds how many merges on top of each other are followed.
const maxMerges = 10

// wrote tells whether a commit that no pull request names is ours. That is what
// is left when the process died before the pull request was opened, all there is
// when a new base changed nothing that the pull request says, and what GitHub's
// button "Update branch" leaves: merges on top of a commit of ours, or a copy of
// it on a newer base. known is the commit that the pull request names, "" when it
// names none.
func (j *job) wrote(ctx context.Context, v *view, commit, known string) (written, error) {
	var merges []githubapi.CommitInfo
	for {
		info, err := j.client.GetCommit(ctx, j.repo, commit)
		if err != nil {
			return written{}, fmt.Errorf("reading the head of our branch: %w", err)
		}
		switch {
		case len(info.Parents) == 1:
			w, err := j.signed(ctx, v, info)
			if err == nil && !w.ours {
				w, err = j.rebased(ctx, v, info, known)
			}
			for len(merges) > 0 && err == nil && w.ours {
				m := merges[len(merges)-1]
				w, err = j.carried(ctx, v, w, m.Parents[1], m.SHA)
				merges = merges[:len(merges)-1]
			}
			return w, err
		case len(info.Parents) == 2 && len(merges) < maxMerges:
			merges = append(merges, info)
			commit = info.Parents[0]
		default:
			return written{}, nil
		}
	}
}

// signed tells whether a commit is one that the App made: its message is signed
// for its parent, and it changes exactly what the message says.
func (j *job) signed(ctx context.Context, v *view, info githubapi.CommitInfo) (written, error) {
	base := info.Parents[0]
	digest, ok := j.deps.Keys.ReadTrailer(info.Message, j.repo.ID, base)
	if !ok {
		return written{}, nil
	}
	before, after, err := j.trees(ctx, v, base, info.SHA)
	if err != nil {
		return written{}, err
	}
	ids, ok := changed(before, after)
	if !ok || plan.DigestOf(ids) != digest {
		return written{}, nil
	}
	return written{ours: true, base: base, proposal: digest, before: before, files: ids}, nil
}

// rebased tells whether a commit is a copy of the one that the pull request
// names, on a newer commit of the default branch. Its message is signed for the
// base of the other.
func (j *job) rebased(ctx context.Context, v *view, info githubapi.CommitInfo, known string) (written, error) {
	onto := info.Parents[0]
	if known == "" || known == info.SHA || known == onto {
		return written{}, nil
	}
	if ok, err := j.follows(ctx, onto, v.base); err != nil || !ok {
		return written{}, err
	}
	old, err := j.client.GetCommit(ctx, j.repo, known)
	if errors.Is(err, githubapi.ErrNotFound) {
		return written{}, nil // GitHub has cleared it away
	}
	if err != nil {
		return written{}, fmt.Errorf("reading the commit that we wrote: %w", err)
	}
	if len(old.Parents) != 1 {
		return written{}, nil
	}
	w, err := j.signed(ctx, v, old)
	if err != nil || !w.ours {
		return written{}, err
	}
	return j.carried(ctx, v, w, onto, info.SHA)
}

// follows tells whether a commit is the other one, or comes after it.
func (j *job) follows(ctx context.Context, commit, later string) (bool, error) {
	if commit == later {
		return true, nil
	}
	older, err := j.client.Ancestor(ctx, j.repo, commit, later)
	if errors.Is(err, githubapi.ErrNotFound) {
		return false, nil // they have nothing in common, or one is gone
	}
	if err != nil {
		return false, fmt.Errorf("comparing with the default branch: %w", err)
	}
	return older, nil
}

// carried tells whether a commit is what a commit of ours comes to on a newer
// base, and nothing else. Neither who made it nor what it says counts, only what
// is in it: the new base is a commit of the default branch, newer than the base of
// ours; what ours changes is the same in both; and the commit differs from its
// base in exactly what ours changes. Then everything in it is on the default
// branch or written by us. A file that both have changed is merged by somebody's
// choice, or by an algorithm that we would have to repeat, so it proves nothing.
func (j *job) carried(ctx context.Context, v *view, w written, onto, commit string) (written, error) {
	for _, p := range [][2]string{{w.base, onto}, {onto, v.base}} {
		if ok, err := j.follows(ctx, p[0], p[1]); err != nil || !ok {
			return written{}, err
		}
	}
	before, after, err := j.trees(ctx, v, onto, commit)
	if err != nil {
		return written{}, err
	}
	for path := range w.files {
		was, _ := w.before.Find(path)
		if is, ok := before.Find(path); !ok || is.SHA != was.SHA || is.Mode != was.Mode || is.Type != was.Type {
			return written{}, nil
		}
	}
	if ids, ok := changed(before, after); !ok || !maps.Equal(ids, w.files) {
		return written{}, nil
	}
	return written{ours: true, base: onto, proposal: w.proposal, updated: true, before: before, files: w.files}, nil
}

// trees reads the trees of two commits, the first of which is often the head of
// the default branch.
func (j *job) trees(ctx context.Context, v *view, base, commit string) (before, after *githubapi.Tree, err error) {
	before = v.tree
	if base != v.base {
		if before, err = j.client.Tree(ctx, j.repo, base); err != nil {
			return nil, nil, fmt.Errorf("reading the commit below our branch: %w", err)
		}
	}
	if after, err = j.client.Tree(ctx, j.repo, commit); err != nil {
		return nil, nil, fmt.Errorf("reading our branch: %w", err)
	}
	return before, after, nil
}

// changed lists the files whose content differs. It is not ok when anything
// else differs, such as a file that is gone, or when a tree is not complete.
func changed(before, after *githubapi.Tree) (ids map[string]string, ok bool) {
	if before.Incomplete() || after.Incomplete() {
		return nil, false
	}
	old := map[string]githubapi.Entry{}
	for _, e := range before.Entries {
		if e.Type != "tree" {
			old[e.Path] = e
		}
	}
	ids = map[string]string{}
	for _, e := range after.Entries {
		if e.Type == "tree" {
			continue
		}
		o, known := old[e.Path]
		if !known || o.Mode != e.Mode || o.Type != e.Type {
			return nil, false
		}
		if o.SHA != e.SHA {
			ids[e.Path] = e.SHA
		}
		delete(old, e.Path)
	}
	return ids, len(old) == 0
}
