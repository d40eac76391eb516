package local

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"dhibot/rewrite"
)

// Job is one Dockerfile to migrate.
type Job struct {
	Repo  *Repository
	Path  string // below the repository, slashes
	Shown string // the path for the reader
	// Named tells that the user named the file itself.
	Named bool
	// Skip is why the file is not looked at, "" when it is; Code is the same
	// for programs.
	Skip string
	Code rewrite.ReasonCode
	// Options steer its migration.
	Options rewrite.Options
	// Wants is asked about the image of each stage, without tag and digest; when
	// it says no, the file is left alone for the reason it gives. Nil wants all.
	Wants func(image string) (ok bool, why string)
}

// Jobs are the Dockerfiles that the arguments name.
type Jobs struct {
	List []Job
	// Notes are what a user should know of the search: submodules that were not
	// entered, files that could not be read. Paths are below the repository.
	Notes []string
	repos map[string]*Repository
}

// Find resolves arguments and walks those that are directories, in the order
// in which they were given; a file that is named twice is worked on once. One
// error names every argument that cannot be used; it wraps ErrArgument.
func Find(ctx context.Context, cwd string, args []string) (*Jobs, error) {
	var targets []target
	var wrong []error
	several := false
	for _, arg := range args {
		t, err := resolve(arg, cwd)
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		several = several || len(targets) > 0 && targets[0].repo != t.repo
		targets = append(targets, t)
	}
	if len(wrong) > 0 {
		return nil, fmt.Errorf("%w:\n%w", ErrArgument, errors.Join(wrong...))
	}
	jobs := &Jobs{repos: map[string]*Repository{}}
	type key struct {
		repo *Repository
		path string
	}
	seen := map[key]bool{}
	for _, t := range targets {
		repo, err := jobs.open(t.repo)
		if err != nil {
			return nil, errors.Join(err, jobs.Close())
		}
		found := []found{{path: t.path}}
		if t.dir {
			var notes []string
			if found, notes, err = walk(ctx, repo, t.path); err != nil {
				return nil, errors.Join(fmt.Errorf("looking for Dockerfiles in %s: %w", t.given, err), jobs.Close())
			}
			jobs.Notes = append(jobs.Notes, notes...)
		}
		for _, f := range found {
			if seen[key{repo, f.path}] {
				continue
			}
			seen[key{repo, f.path}] = true
			jobs.List = append(jobs.List, Job{Repo: repo, Path: f.path, Shown: t.shown(f.path, several), Skip: f.skip, Code: rewrite.ReasonCode(f.code), Named: !t.dir})
		}
	}
	return jobs, nil
}

// ErrArgument tells that an argument names nothing that can be migrated.
var ErrArgument = errors.New("cannot use these paths")

func (j *Jobs) open(dir string) (*Repository, error) {
	if r := j.repos[dir]; r != nil {
		return r, nil
	}
	r, err := Open(dir)
	if err != nil {
		return nil, err
	}
	j.repos[dir] = r
	return r, nil
}

// Repositories are the directories of the repositories, sorted.
func (j *Jobs) Repositories() []*Repository {
	var out []*Repository
	for _, r := range j.repos {
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b *Repository) int {
		if a.Dir < b.Dir {
			return -1
		}
		return 1
	})
	return out
}

// Close releases the repositories.
func (j *Jobs) Close() error {
	var all []error
	for _, r := range j.repos {
		all = append(all, r.Close())
	}
	return errors.Join(all...)
}
