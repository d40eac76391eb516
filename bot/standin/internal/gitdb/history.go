package gitdb

import (
	"container/heap"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// IsAncestor reports whether a is b or reachable from b.
func (r *Repo) IsAncestor(a, b OID) (bool, error) {
	if a == b {
		return true, nil
	}
	target, err := r.Commit(a)
	if err != nil {
		return false, err
	}
	seen := map[OID]bool{b: true}
	todo := []OID{b}
	for len(todo) > 0 {
		id := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		c, err := r.Commit(id)
		if err != nil {
			return false, err
		}
		// A day of slack for clocks that were wrong: nothing much older than a
		// can have it as an ancestor.
		if c.Committer.When.Before(target.Committer.When.AddDate(0, 0, -1)) {
			continue
		}
		for _, p := range c.Parents {
			if p == a {
				return true, nil
			}
			if !seen[p] {
				seen[p] = true
				todo = append(todo, p)
			}
		}
	}
	return false, nil
}

// MergeBase returns the best common ancestor of two commits; ok is false when
// their histories have nothing in common.
func (r *Repo) MergeBase(ctx context.Context, a, b OID) (base OID, ok bool, err error) {
	if yes, err := r.IsAncestor(a, b); err != nil {
		return "", false, err
	} else if yes {
		return a, true, nil
	}
	if yes, err := r.IsAncestor(b, a); err != nil {
		return "", false, err
	} else if yes {
		return b, true, nil
	}
	dir, err := r.Dir()
	if err != nil {
		return "", false, err
	}
	out, code, err := r.git.Run(ctx, dir, nil, "merge-base", string(a), string(b))
	if err != nil {
		return "", false, err
	}
	if code == 1 {
		return "", false, nil
	}
	if code != 0 {
		return "", false, fmt.Errorf("git merge-base: exit %d", code)
	}
	id := strings.TrimSpace(string(out))
	return OID(id), Valid(id), nil
}

// Log returns the commits reachable from head but not from any of exclude,
// newest first, at most limit (0 means all).
func (r *Repo) Log(head OID, exclude []OID, limit int) ([]OID, error) {
	hidden := map[OID]bool{}
	todo := append([]OID(nil), exclude...)
	for len(todo) > 0 {
		id := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if id == "" || hidden[id] {
			continue
		}
		hidden[id] = true
		c, err := r.Commit(id)
		if err != nil {
			return nil, err
		}
		todo = append(todo, c.Parents...)
	}
	var q byDate
	seen := map[OID]bool{}
	push := func(id OID) error {
		if hidden[id] || seen[id] {
			return nil
		}
		seen[id] = true
		c, err := r.Commit(id)
		if err != nil {
			return err
		}
		heap.Push(&q, dated{id: id, commit: c, order: len(seen)})
		return nil
	}
	if err := push(head); err != nil {
		return nil, err
	}
	var out []OID
	for q.Len() > 0 && (limit == 0 || len(out) < limit) {
		d, ok := heap.Pop(&q).(dated)
		if !ok {
			break
		}
		out = append(out, d.id)
		for _, p := range d.commit.Parents {
			if err := push(p); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

type dated struct {
	id     OID
	commit Commit
	order  int
}

// byDate is a heap, newest committer date first, discovery order second.
type byDate []dated

func (q byDate) Len() int { return len(q) }
func (q byDate) Less(i, j int) bool {
	a, b := q[i].commit.Committer.When, q[j].commit.Committer.When
	if a.Equal(b) {
		return q[i].order < q[j].order
	}
	return a.After(b)
}
func (q byDate) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *byDate) Push(x any) {
	if d, ok := x.(dated); ok {
		*q = append(*q, d)
	}
}
func (q *byDate) Pop() any {
	old := *q
	last := old[len(old)-1]
	*q = old[:len(old)-1]
	return last
}

// TreeChanges calls visit for every file that differs between two trees, in
// order of path. It looks only into directories that differ.
func (r *Repo) TreeChanges(from, to OID, visit func(path string, before, after bool)) error {
	return r.treeChanges("", from, to, visit)
}

func (r *Repo) treeChanges(prefix string, from, to OID, visit func(string, bool, bool)) error {
	if from == to {
		return nil
	}
	side := func(id OID) (map[string]Entry, error) {
		m := map[string]Entry{}
		if id == "" || id == EmptyTree {
			return m, nil
		}
		list, err := r.Tree(id)
		for _, e := range list {
			m[e.Path] = e
		}
		return m, err
	}
	a, err := side(from)
	if err != nil {
		return err
	}
	b, err := side(to)
	if err != nil {
		return err
	}
	names := map[string]bool{}
	for n := range a {
		names[n] = true
	}
	for n := range b {
		names[n] = true
	}
	for _, n := range slices.Sorted(maps.Keys(names)) {
		x, inA := a[n]
		y, inB := b[n]
		if x == y {
			continue
		}
		var dirA, dirB OID
		if inA && x.Mode == ModeTree {
			dirA, inA = x.ID, false
		}
		if inB && y.Mode == ModeTree {
			dirB, inB = y.ID, false
		}
		if dirA != "" || dirB != "" {
			if err := r.treeChanges(prefix+n+"/", dirA, dirB, visit); err != nil {
				return err
			}
		}
		if inA || inB {
			visit(prefix+n, inA, inB)
		}
	}
	return nil
}

// Borrow copies a commit and everything it reaches from another repository,
// stopping at commits that are here already.
func (r *Repo) Borrow(from *Repo, id OID) error {
	todo := []OID{id}
	for len(todo) > 0 {
		id := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if r.Has(id) {
			continue
		}
		c, err := from.Commit(id)
		if err != nil {
			return err
		}
		if err := r.borrowTree(from, c.Tree); err != nil {
			return err
		}
		if err := r.borrowObject(from, id); err != nil {
			return err
		}
		todo = append(todo, c.Parents...)
	}
	return nil
}

func (r *Repo) borrowTree(from *Repo, tree OID) error {
	if r.Has(tree) {
		return nil
	}
	entries, err := from.Tree(tree)
	if err != nil {
		return err
	}
	for _, e := range entries {
		switch e.Mode {
		case ModeTree:
			err = r.borrowTree(from, e.ID)
		case ModeSubmodule:
		default:
			err = r.borrowObject(from, e.ID)
		}
		if err != nil {
			return err
		}
	}
	return r.borrowObject(from, tree)
}

// borrowObject makes a shared object visible, or copies one.
func (r *Repo) borrowObject(from *Repo, id OID) error {
	if from.isVisible(id) {
		r.mu.Lock()
		r.visible[id] = struct{}{}
		r.mu.Unlock()
		return nil
	}
	kind, data, err := from.Get(id)
	if err != nil {
		return err
	}
	_, err = r.Put(kind, data)
	return err
}
