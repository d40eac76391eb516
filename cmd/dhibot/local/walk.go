package local

import (
	"context"
	"fmt"
	"io/fs"
	"path"

	"dhibot/bot/discover"
)

// found is a file that looks like a Dockerfile, or is passed over for a reason.
type found struct {
	path string // below the repository
	code string // why it is passed over, for programs
	skip string // the same as a sentence
}

// walk finds the Dockerfiles below a directory of the repository. Only what is
// below the directory decides: somebody who names a folder of test data wants
// the files in it. notes are what else there is to know.
func walk(ctx context.Context, repo *Repository, dir string) (files []found, notes []string, err error) {
	fsys, err := fs.Sub(repo.view, dir)
	if err != nil {
		return nil, nil, err
	}
	r, err := discover.Walk(ctx, fsys, ".", discover.Options{Most: -1})
	if err != nil {
		return nil, nil, err
	}
	for _, f := range r.Files {
		switch f.Code {
		case discover.Document, discover.Ignore, discover.Source, discover.Backup:
			continue // nobody expects these to be migrated
		}
		files = append(files, found{path.Join(dir, f.Path), string(f.Code), f.Skip})
	}
	for _, s := range r.Submodules {
		notes = append(notes, fmt.Sprintf("%s: another repository, not looked into", path.Join(dir, s)))
	}
	for _, p := range r.Problems {
		notes = append(notes, fmt.Sprintf("%s: %v", path.Join(dir, p.Path), p.Err))
	}
	return files, notes, nil
}
