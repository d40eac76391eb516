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
	merged         bool // the default branch was merged into it
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
// button "Update branch" leaves: merges on top of a commit of ours.
func (j *job) wrote(ctx context.Context, v *view, commit string) (written, error) {
	var merges []githubapi.CommitInfo
	for {
		info, err := j.client.GetCommit(ctx, j.repo, commit)
		if err != nil {
			return written{}, fmt.Errorf("reading the head of our branch: %w", err)
		}
		switch {
		case len(info.Parents) == 1:
			w, err := j.signed(ctx, v, info)
			for len(merges) > 0 && err == nil && w.ours {
				w, err = j.merged(ctx, v, w, merges[len(merges)-1])
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

// merged tells whether a merge on top of a commit that is ours holds nothing of
// its own. Neither who made it nor what it says counts, only what is in it: its
// second parent is a commit of the default branch, newer than the base of ours;
// what ours changes is the same there as in that base; and the merge differs from
// it in exactly what ours changes. Then everything in it is on the default branch
// or written by us. A file that both have changed is merged by somebody's choice,
// or by an algorithm that we would have to repeat, so it proves nothing.
func (j *job) merged(ctx context.Context, v *view, w written, merge githubapi.CommitInfo) (written, error) {
	onto := merge.Parents[1]
	for _, p := range [][2]string{{w.base, onto}, {onto, v.base}} {
		if p[0] == p[1] {
			continue
		}
		switch older, err := j.client.Ancestor(ctx, j.repo, p[0], p[1]); {
		case errors.Is(err, githubapi.ErrNotFound):
			return written{}, nil // they have nothing in common, or one is gone
		case err != nil:
			return written{}, fmt.Errorf("comparing what was merged: %w", err)
		case !older:
			return written{}, nil
		}
	}
	before, after, err := j.trees(ctx, v, onto, merge.SHA)
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
	return written{ours: true, base: onto, proposal: w.proposal, merged: true, before: before, files: w.files}, nil
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
