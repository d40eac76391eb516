//go:build build

package buildtest

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// rootfs is the root directory of an image while it is filled. Its methods
// keep the first error, so that filling reads as a list.
type rootfs struct {
	dir string
	err error
}

func (r *rootfs) do(err error) {
	if r.err == nil && err != nil {
		r.err = err
	}
}

func (r *rootfs) path(name string) string { return filepath.Join(r.dir, filepath.FromSlash(name)) }

// folder makes a directory with its parents; the owner is that of the last one.
func (r *rootfs) folder(name string, mode fs.FileMode, uid, gid int) {
	r.do(os.MkdirAll(r.path(name), 0o755))
	r.do(os.Chmod(r.path(name), mode))
	r.do(os.Chown(r.path(name), uid, gid))
}

func (r *rootfs) file(name, text string, mode fs.FileMode) {
	r.do(os.MkdirAll(filepath.Dir(r.path(name)), 0o755))
	r.do(os.WriteFile(r.path(name), []byte(text), mode))
	r.do(os.Chmod(r.path(name), mode))
}

func (r *rootfs) link(name, target string) {
	r.do(os.MkdirAll(filepath.Dir(r.path(name)), 0o755))
	if err := os.Symlink(target, r.path(name)); !errors.Is(err, fs.ErrExist) {
		r.do(err)
	}
}

// has tells whether the image has something of that name.
func (r *rootfs) has(name string) bool {
	_, err := os.Lstat(r.path(name))
	return err == nil
}

// copy copies a file of the machine with its mode; symbolic links are followed.
func (r *rootfs) copy(from, name string) {
	r.do(copyFile(from, r.path(name)))
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, info.Mode().Perm())
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}

// program copies a program of the machine and the libraries that it is linked
// with.
func (r *rootfs) program(from, name string) {
	r.copy(from, name)
	r.libraries(from)
}

// libraries copies what ldd lists for programs or libraries: to where it is on
// the machine when the loader looks there by itself, to /lib otherwise.
func (r *rootfs) libraries(files ...string) {
	if len(files) == 0 {
		return
	}
	// ldd fails for a static program, which needs nothing.
	out, _ := exec.Command("ldd", files...).Output()
	for line := range strings.Lines(string(out)) {
		for _, word := range strings.Fields(line) {
			if !strings.HasPrefix(word, "/") || strings.HasSuffix(word, ":") {
				continue
			}
			to := word
			if !strings.HasPrefix(word, "/lib") && !strings.HasPrefix(word, "/usr/lib") {
				to = "/lib/" + filepath.Base(word)
			}
			if !r.has(to) {
				r.copy(word, to)
			}
		}
	}
}

// tree copies a directory of the machine without what skip names; it is asked
// with slash-separated paths below from. Links that point into the tree stay links.
func (r *rootfs) tree(from, name string, skip func(path string, d fs.DirEntry) bool) {
	r.do(filepath.WalkDir(from, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, p)
		if err != nil {
			return err
		}
		if rel != "." && skip != nil && skip(filepath.ToSlash(rel), d) {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		to := filepath.Join(r.path(name), rel)
		switch {
		case d.IsDir():
			return os.MkdirAll(to, 0o755)
		case d.Type()&fs.ModeSymlink != 0:
			target, err := os.Readlink(p)
			if err != nil {
				return err
			}
			if filepath.IsAbs(target) {
				return copyFile(p, to)
			}
			return os.Symlink(target, to)
		case d.Type().IsRegular():
			return copyFile(p, to)
		}
		return nil
	}))
}

// unzip unpacks a wheel, which is all that installing a pure one takes.
func (r *rootfs) unzip(archive, name string) {
	z, err := zip.OpenReader(archive)
	if err != nil {
		r.do(fmt.Errorf("opening %s: %w", archive, err))
		return
	}
	defer z.Close()
	for _, f := range z.File {
		if f.FileInfo().IsDir() {
			continue
		}
		in, err := f.Open()
		if err != nil {
			r.do(err)
			return
		}
		data, err := io.ReadAll(in)
		in.Close()
		r.do(err)
		r.file(name+"/"+f.Name, string(data), 0o644)
	}
}
