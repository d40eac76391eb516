package project

import (
	"bytes"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// Limits of reading.
const (
	// MaxFile is the largest file that is read, in bytes; a larger one is
	// treated as unreadable.
	MaxFile = 1 << 20
	// maxReads and maxBytes bound what is read for one Dockerfile.
	maxReads = 400
	maxBytes = 16 << 20
	// maxKept and maxKeptDirs bound what a Repo remembers: bytes of files, and
	// directory entries.
	maxKept     = 16 << 20
	maxKeptDirs = 100_000
	// maxScanReads, maxScanBytes and maxListed bound the search for what
	// builds and deploys images.
	maxScanReads = 200
	maxScanBytes = 8 << 20
	maxListed    = 2000
)

// Repo is a read-only view of a repository with a bounded memory of what was
// read. It is itself a file system, so it can be handed to several migrations
// of the same repository, also at once: files are then read, and the
// deployment files understood, only once.
type Repo struct {
	fsys fs.FS

	mu    sync.Mutex
	files map[string][]byte // nil when unreadable
	dirs  map[string][]fs.DirEntry
	bytes int // of files
	known int // entries of dirs

	scan        sync.Once
	builds      []Build
	uses        []use
	kube        []KubeUse
	dockerfiles []string
}

// NewRepo wraps a file system; nil gives an empty repository, a *Repo itself.
func NewRepo(fsys fs.FS) *Repo {
	if r, ok := fsys.(*Repo); ok && r != nil {
		return r
	}
	if isNil(fsys) {
		fsys = nil
	}
	return &Repo{fsys: fsys, files: map[string][]byte{}, dirs: map[string][]fs.DirEntry{}}
}

func isNil(fsys fs.FS) bool {
	r, ok := fsys.(*Repo)
	return fsys == nil || ok && r == nil
}

// Open opens a file of the underlying file system, without bounds.
func (r *Repo) Open(name string) (fs.File, error) {
	if r == nil || r.fsys == nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return r.fsys.Open(name)
}

// ReadDir lists a directory of the underlying file system, sorted by name.
func (r *Repo) ReadDir(name string) ([]fs.DirEntry, error) {
	if r == nil || r.fsys == nil {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrNotExist}
	}
	r.mu.Lock()
	entries, ok := r.dirs[name]
	r.mu.Unlock()
	if ok {
		return entries, nil
	}
	entries, err := fs.ReadDir(r.fsys, name)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	if r.known += len(entries) + 1; r.known > maxKeptDirs {
		clear(r.dirs)
		r.known = len(entries) + 1
	}
	r.dirs[name] = entries
	r.mu.Unlock()
	return entries, nil
}

// read is the raw content of a regular file; ok is false when it is missing,
// too large, no file, or outside of the tree. What it remembers changes how
// often a file is read, never the answer.
func (r *Repo) read(name string) ([]byte, bool) {
	if r == nil || r.fsys == nil || !fs.ValidPath(name) {
		return nil, false
	}
	r.mu.Lock()
	b, seen := r.files[name]
	r.mu.Unlock()
	if seen {
		return b, b != nil
	}
	b = readBounded(r.fsys, name)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.bytes += len(b) + len(name) + 64; r.bytes > maxKept {
		clear(r.files)
		r.bytes = len(b)
	}
	r.files[name] = b
	return b, b != nil
}

// text is read for a text file: CRLF and a byte order mark are taken off, so
// that line numbers stay right.
func (r *Repo) text(name string) (string, bool) {
	b, ok := r.read(name)
	if !ok || bytes.IndexByte(b, 0) >= 0 || !utf8.Valid(b) {
		return "", false
	}
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	return strings.ReplaceAll(string(b), "\r\n", "\n"), true
}

// reader is a Repo as one Dockerfile sees it: with limits of its own, so that
// the answers do not depend on what others have read.
type reader struct {
	*Repo
	seen  map[string]bool
	bytes int
}

func (r *reader) read(name string) ([]byte, bool) {
	if !r.seen[name] && (len(r.seen) >= maxReads || r.bytes >= maxBytes) {
		return nil, false
	}
	b, ok := r.Repo.read(name)
	if !r.seen[name] {
		r.seen[name] = true
		r.bytes += len(b)
	}
	return b, ok
}

func (r *reader) text(name string) (string, bool) {
	if _, ok := r.read(name); !ok {
		return "", false
	}
	return r.Repo.text(name)
}

func readBounded(fsys fs.FS, name string) (out []byte) {
	defer func() {
		if recover() != nil { // a file system of others
			out = nil
		}
	}()
	f, err := fsys.Open(name)
	if err != nil {
		return nil
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() > MaxFile {
		return nil
	}
	b, err := io.ReadAll(io.LimitReader(f, MaxFile+1))
	if err != nil || len(b) > MaxFile {
		return nil
	}
	if b == nil {
		b = []byte{}
	}
	return b
}

// exists tells whether a file or directory is there.
func (r *Repo) exists(name string) bool {
	_, ok := r.kind(name)
	return ok
}

// kind looks a path up in the listing of its directory, which costs no request
// where the file system is remote. dir tells a directory from a file.
func (r *Repo) kind(name string) (dir, ok bool) {
	if name == "." {
		return true, r != nil && r.fsys != nil
	}
	if r == nil || r.fsys == nil || !fs.ValidPath(name) {
		return false, false
	}
	entries, err := r.ReadDir(path.Dir(name))
	if err != nil {
		return false, false
	}
	i, ok := slices.BinarySearchFunc(entries, path.Base(name), func(e fs.DirEntry, n string) int { return strings.Compare(e.Name(), n) })
	if !ok {
		return false, false
	}
	return entries[i].IsDir(), true
}

// names are the sorted names of a directory that keep accepts; directories end
// in a slash.
func (r *Repo) names(dir string, keep func(name string) bool) []string {
	entries, err := r.ReadDir(dir)
	if err != nil {
		return nil
	}
	var out []string
	for _, e := range entries {
		n := e.Name()
		if e.IsDir() {
			n += "/"
		}
		if keep(n) {
			out = append(out, n)
		}
	}
	return out
}

// walk visits files below dir, breadth first and by name, without following
// links or entering directories named in skip, until visit returns false or limit entries were seen.
func (r *Repo) walk(dir string, limit, depth int, skip map[string]bool, visit func(name string) bool) {
	if r == nil || r.fsys == nil {
		return
	}
	type at struct {
		dir   string
		depth int
	}
	queue := []at{{dir, 0}}
	for len(queue) > 0 && limit > 0 {
		d := queue[0]
		queue = queue[1:]
		entries, err := r.ReadDir(d.dir)
		if err != nil {
			continue
		}
		for _, e := range entries {
			if limit--; limit < 0 {
				return
			}
			name := path.Join(d.dir, e.Name())
			switch {
			case e.IsDir():
				if d.depth < depth && !skip[e.Name()] {
					queue = append(queue, at{name, d.depth + 1})
				}
			case e.Type().IsRegular():
				if !visit(name) {
					return
				}
			}
		}
	}
}
