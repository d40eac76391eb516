package local

import (
	"bytes"
	"io/fs"
	"slices"
	"strings"
	"sync"
)

// view is what the engine sees of a repository: the tree as it was when the run
// began. Files that this run has replaced are shown with their old content, or
// the result for one Dockerfile would depend on whether another one, worked on
// at the same time, was written before or after it. Safe for concurrent use.
type view struct {
	disk fs.FS
	mu   sync.RWMutex
	old  map[string][]byte
}

// temporaryPrefix marks files that exist for a moment while a file is replaced.
const temporaryPrefix = ".dhibot-"

func newView(disk fs.FS) *view { return &view{disk: disk, old: map[string][]byte{}} }

// keep remembers the content of a file that is about to be replaced.
func (v *view) keep(name string, content []byte) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if _, known := v.old[name]; !known {
		v.old[name] = content
	}
}

func (v *view) kept(name string) ([]byte, bool) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	content, ok := v.old[name]
	return content, ok
}

// Open implements fs.FS.
func (v *view) Open(name string) (fs.File, error) {
	content, ok := v.kept(name)
	if !ok {
		return v.disk.Open(name)
	}
	info, err := v.Stat(name)
	if err != nil {
		return nil, err
	}
	return &keptFile{info: info, Reader: bytes.NewReader(content)}, nil
}

// Stat implements fs.StatFS.
func (v *view) Stat(name string) (fs.FileInfo, error) {
	info, err := fs.Stat(v.disk, name)
	if content, ok := v.kept(name); ok && err == nil {
		return keptInfo{info, int64(len(content))}, nil
	}
	return info, err
}

// ReadDir implements fs.ReadDirFS.
func (v *view) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(v.disk, name)
	return slices.DeleteFunc(entries, func(e fs.DirEntry) bool {
		return strings.HasPrefix(e.Name(), temporaryPrefix)
	}), err
}

// ReadLink and Lstat implement fs.ReadLinkFS.
func (v *view) ReadLink(name string) (string, error)   { return fs.ReadLink(v.disk, name) }
func (v *view) Lstat(name string) (fs.FileInfo, error) { return fs.Lstat(v.disk, name) }

// keptFile is a file from memory.
type keptFile struct {
	info fs.FileInfo
	*bytes.Reader
}

func (f *keptFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *keptFile) Close() error               { return nil }

type keptInfo struct {
	fs.FileInfo
	size int64
}

func (i keptInfo) Size() int64 { return i.size }
