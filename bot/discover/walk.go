package discover

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// maxWalked bounds the paths that one Walk lists: a home directory given by
// mistake ends with an error and not with all memory taken.
const maxWalked = 5_000_000

// Walk lists the directory root of fsys ("." for all of it) and looks through
// the listing. Paths in the result are from the root of fsys, not of the walk.
// It does not enter .git and node_modules, so Dockerfiles there are not in the
// result, and neither does it enter other repositories (a directory with a .git
// of its own), which it reports as submodules. A directory that cannot be read
// is a Problem, except root itself.
//
// Only files whose names matter are kept and asked for their size: of the rest
// of a large tree nothing is remembered.
func Walk(ctx context.Context, fsys fs.FS, root string, o Options) (*Result, error) {
	w := &walker{ctx: ctx, fsys: fsys}
	if err := w.dir(root, true); err != nil {
		return nil, fmt.Errorf("listing %s: %w", root, err)
	}
	r := find(w.entries, fsys, o, true)
	r.Problems = append(w.problems, r.Problems...)
	return r, nil
}

type walker struct {
	ctx      context.Context //nolint:containedctx // lives as long as one Walk
	fsys     fs.FS
	entries  []Entry
	problems []Problem
	seen     int
}

func (w *walker) dir(name string, root bool) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	children, err := fs.ReadDir(w.fsys, name)
	if err != nil {
		if root {
			return err
		}
		w.problems = append(w.problems, Problem{name, err})
		return nil
	}
	if w.seen += len(children); w.seen > maxWalked {
		return fmt.Errorf("more than %d paths", maxWalked)
	}
	if !root {
		for _, d := range children {
			if d.Name() == ".git" {
				w.entries = append(w.entries, Entry{Path: name, Kind: KindSubmodule})
				return nil
			}
		}
	}
	for _, d := range children {
		p := path.Join(name, d.Name())
		switch {
		case d.IsDir():
			if d.Name() == ".git" || d.Name() == "node_modules" {
				continue
			}
			if err := w.dir(p, false); err != nil {
				return err
			}
		default:
			w.file(p, d)
		}
	}
	return nil
}

// file keeps a path when its name can matter: as a candidate, as a build file,
// or as a link that others lead through.
func (w *walker) file(p string, d fs.DirEntry) {
	e := Entry{Path: p, Size: -1, Kind: KindOther}
	switch {
	case d.Type()&fs.ModeSymlink != 0:
		e.Kind = KindLink
	case d.Type().IsRegular():
		e.Kind = KindFile
	}
	candidate, _, _ := Classify(d.Name())
	if e.Kind != KindLink && !candidate && !isBuildFile(strings.ToLower(d.Name())) {
		return
	}
	if info, err := d.Info(); err == nil && e.Kind == KindFile {
		e.Size, e.Executable = info.Size(), info.Mode()&0o111 != 0
	}
	w.entries = append(w.entries, e)
}
