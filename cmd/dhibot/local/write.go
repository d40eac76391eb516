package local

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"dhibot/rewrite"
)

// maxNeighbour bounds a file that changes together with a Dockerfile.
const maxNeighbour = 16 << 20

// Write stores a result: the Dockerfile and the files that change with it. Each
// file is replaced in one step by a rename, with its mode kept, so that nobody
// ever sees half of it. All new contents are on the disk before the first
// rename. ErrChanged tells that a file is not what was read any more; then
// nothing is written.
func Write(job Job, r *rewrite.Result) (err error) {
	type change struct {
		name          string
		before, after []byte
	}
	changes := []change{{job.Path, r.Before, r.After}}
	for _, f := range r.Files {
		changes = append(changes, change{f.Path, f.Before, f.After})
	}
	type move struct{ from, to string }
	var moves []move
	defer func() {
		if err != nil {
			for _, m := range moves {
				err = errors.Join(err, ignoreMissing(job.Repo.root.Remove(m.from)))
			}
		}
	}()
	for _, c := range changes {
		if bytes.Equal(c.before, c.after) {
			continue
		}
		name, mode, err := job.Repo.target(c.name)
		if err != nil {
			return fmt.Errorf("writing %s: %w", c.name, err)
		}
		now, err := job.Repo.ReadFile(name, maxNeighbour)
		if err != nil {
			return err
		}
		if bytes.Equal(now, c.after) {
			continue // another Dockerfile asked for the same change
		}
		if !bytes.Equal(now, c.before) {
			return fmt.Errorf("writing %s: %w", c.name, ErrChanged)
		}
		job.Repo.view.keep(path.Clean(c.name), now)
		temporary := filepath.Join(filepath.Dir(name), temporaryPrefix+rand.Text())
		moves = append(moves, move{temporary, name})
		if err := job.Repo.create(temporary, mode, c.after); err != nil {
			return fmt.Errorf("writing %s: %w", c.name, err)
		}
	}
	for _, m := range moves {
		if err := job.Repo.root.Rename(m.from, m.to); err != nil {
			return fmt.Errorf("replacing %s: %w", filepath.ToSlash(m.to), err)
		}
	}
	return nil
}

// target follows symbolic links inside the repository, so that a link stays a
// link and the file it means is replaced.
func (r *Repository) target(name string) (string, fs.FileMode, error) {
	name = filepath.FromSlash(name)
	for range 40 { // as many as Linux follows
		info, err := r.root.Lstat(name)
		if err != nil {
			return "", 0, cause(err)
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			if !info.Mode().IsRegular() {
				return "", 0, errNotRegular
			}
			return name, info.Mode().Perm(), nil
		}
		to, err := r.root.Readlink(name)
		if err != nil {
			return "", 0, cause(err)
		}
		if filepath.IsAbs(to) {
			return "", 0, errors.New("a symbolic link to an absolute path")
		}
		name = filepath.FromSlash(path.Join(filepath.ToSlash(filepath.Dir(name)), filepath.ToSlash(to)))
	}
	return "", 0, errors.New("too many symbolic links")
}

// create writes a new file and its mode, and makes sure that it is stored.
func (r *Repository) create(name string, mode fs.FileMode, content []byte) (err error) {
	f, err := r.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return cause(err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Write(content); err != nil {
		return cause(err)
	}
	// Chmod, not the mode of OpenFile: that one goes through the umask.
	if err := f.Chmod(mode); err != nil {
		return cause(err)
	}
	return cause(f.Sync())
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
