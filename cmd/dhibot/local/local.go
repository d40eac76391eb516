// Package local migrates the Dockerfiles of a checkout on this machine: it
// finds them, runs the engine over them and writes the results back.
package local

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"dhibot/rewrite/project"
)

// MaxFile is how much of a Dockerfile is read. The engine refuses files over
// 1 MiB; one byte more is enough for it to see that.
const MaxFile = 1<<20 + 1

// Repository is a directory tree in which the engine may look at neighbours of
// a Dockerfile. Nothing outside of it can be reached, symbolic links included.
type Repository struct {
	Dir  string // absolute
	root *os.Root
	view *view
	// shared is the view with a memory: what surrounds one Dockerfile mostly
	// surrounds the others too.
	shared *project.Repo
}

// Open opens a directory as a repository.
func Open(dir string) (*Repository, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the repository: %w", err)
	}
	v := newView(root.FS())
	return &Repository{Dir: dir, root: root, view: v, shared: project.NewRepo(v)}, nil
}

// Close releases the directory.
func (r *Repository) Close() error { return r.root.Close() }

// FS is the read-only view for the engine: the tree as it was before Write
// replaced anything in it. What surrounds one Dockerfile mostly surrounds the
// others too, so it remembers what was read, within bounds.
func (r *Repository) FS() fs.FS { return r.shared }

// ReadFile reads a whole regular file of at most limit bytes; more is cut off.
// A device or a pipe is refused, for reading it might never end.
func (r *Repository) ReadFile(name string, limit int64) ([]byte, error) {
	info, err := r.root.Stat(filepath.FromSlash(name))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, cause(err))
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("reading %s: %w", name, errNotRegular)
	}
	f, err := r.root.Open(filepath.FromSlash(name))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, cause(err))
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, limit))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	return content, nil
}

// Has tells whether there is a file of that name, of whatever kind but a
// directory.
func (r *Repository) Has(name string) (bool, error) {
	info, err := r.root.Lstat(filepath.FromSlash(name))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("looking for %s: %w", name, cause(err))
	}
	return !info.IsDir(), nil
}

var errNotRegular = errors.New("not a regular file")

// RepositoryOf finds the directory of the repository that a directory belongs
// to: the nearest parent that holds a .git (a directory, or a file in a
// worktree or a submodule), or otherwise fallback.
func RepositoryOf(dir, fallback string) string {
	for d := dir; ; d = filepath.Dir(d) {
		if _, err := os.Lstat(filepath.Join(d, ".git")); err == nil {
			return d
		}
		if filepath.Dir(d) == d {
			return fallback
		}
	}
}

// RepositoryOfFile is RepositoryOf for a file in dir that was named arg. Outside
// of git, a file below the current directory is seen as part of that: builds
// are started there.
func RepositoryOfFile(dir, cwd, arg string) string {
	if home, err := filepath.EvalSymlinks(cwd); err == nil && inside(home, dir) && !filepath.IsAbs(arg) {
		return RepositoryOf(dir, home)
	}
	return RepositoryOf(dir, dir)
}

// target is an argument of the command line, resolved.
type target struct {
	given string // as the user wrote it
	repo  string // directory of its repository
	path  string // below the repository, slashes; "." for all of it
	dir   bool
}

// resolve finds an argument on the disk. Symbolic links in it are followed, so
// that the repository is the one that holds the file itself.
func resolve(arg, cwd string) (target, error) {
	abs := arg
	if !filepath.IsAbs(abs) {
		abs = filepath.Join(cwd, arg)
	}
	real, err := filepath.EvalSymlinks(abs)
	if err != nil {
		return target{}, fmt.Errorf("%s: %w", arg, cause(err))
	}
	info, err := os.Stat(real)
	if err != nil {
		return target{}, fmt.Errorf("%s: %w", arg, cause(err))
	}
	t := target{given: arg, dir: info.IsDir()}
	switch {
	case t.dir:
		t.repo = RepositoryOf(real, real)
	case info.Mode().IsRegular():
		t.repo = RepositoryOfFile(filepath.Dir(real), cwd, arg)
	default:
		return target{}, fmt.Errorf("%s: %w (- reads standard input)", arg, errNotRegular)
	}
	rel, err := filepath.Rel(t.repo, real)
	if err != nil {
		return target{}, fmt.Errorf("%s: %w", arg, err)
	}
	t.path = filepath.ToSlash(rel)
	return t, nil
}

func inside(dir, name string) bool {
	return name == dir || strings.HasPrefix(name, strings.TrimSuffix(dir, string(filepath.Separator))+string(filepath.Separator))
}

// cause drops the path of a *PathError: the message names the argument, and
// the path would be there twice.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// shown is the path under which a result is reported: below its repository, or
// as the user gave it when the arguments lie in several repositories.
func (t target) shown(file string, several bool) string {
	if !several {
		return file
	}
	if !t.dir {
		return path.Clean(filepath.ToSlash(t.given))
	}
	rel := strings.TrimPrefix(strings.TrimPrefix(file, t.path), "/")
	if t.path == "." {
		rel = file
	}
	return path.Join(filepath.ToSlash(t.given), rel)
}
