package githubapi

import (
	"bytes"
	"io"
	"io/fs"
	"path"
	"time"
)

// Open implements fs.FS.
func (f *TreeFS) Open(name string) (fs.File, error) {
	e, err := f.resolve(name)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	info := treeInfo{path.Base(name), e}
	if e.Type == "tree" {
		children, err := f.ReadDir(name)
		if err != nil {
			return nil, err
		}
		return &treeDir{info: info, name: name, left: children}, nil
	}
	content, err := f.content(e)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return &treeFile{info: info, Reader: bytes.NewReader(content)}, nil
}

// ReadLink implements fs.ReadLinkFS. It does not follow links on the way.
func (f *TreeFS) ReadLink(name string) (string, error) {
	e, err := f.lstat(name)
	if err == nil && e.Mode != ModeLink {
		err = fs.ErrInvalid
	}
	var content []byte
	if err == nil {
		content, err = f.blob(e.SHA)
	}
	if err != nil {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: err}
	}
	return string(content), nil
}

// Lstat implements fs.ReadLinkFS: Stat without following a link at the end.
func (f *TreeFS) Lstat(name string) (fs.FileInfo, error) {
	e, err := f.lstat(name)
	if err != nil {
		return nil, &fs.PathError{Op: "lstat", Path: name, Err: err}
	}
	return treeInfo{path.Base(name), e}, nil
}

// lstat finds an entry below the real directory of name.
func (f *TreeFS) lstat(name string) (Entry, error) {
	if !fs.ValidPath(name) {
		return Entry{}, fs.ErrInvalid
	}
	if e, ok := f.exact(name); ok {
		return e, nil
	}
	dir, base := path.Split(name)
	if dir == "" {
		return Entry{}, f.missing(name)
	}
	parent, err := f.resolve(path.Clean(dir))
	if err != nil {
		return Entry{}, err
	}
	if e, ok := f.exact(join(parent.Path, base)); ok {
		return e, nil
	}
	return Entry{}, f.missing(name)
}

// treeInfo describes an entry. A tree knows no times.
type treeInfo struct {
	name  string
	entry Entry
}

func (i treeInfo) Name() string       { return i.name }
func (i treeInfo) Size() int64        { return i.entry.Size }
func (i treeInfo) ModTime() time.Time { return time.Time{} }
func (i treeInfo) IsDir() bool        { return i.entry.Type == "tree" }
func (i treeInfo) Sys() any           { return i.entry }

// Mode implements fs.FileInfo.
func (i treeInfo) Mode() fs.FileMode {
	switch {
	case i.entry.Type == "tree":
		return fs.ModeDir | 0o755
	case i.entry.Type == "commit" || i.entry.Mode == ModeSubmodule:
		return fs.ModeIrregular
	case i.entry.Mode == ModeLink:
		return fs.ModeSymlink | 0o777
	case i.entry.Mode == ModeExec:
		return 0o755
	default:
		return 0o644
	}
}

// treeFile is an open file; Seek and ReadAt come with bytes.Reader.
type treeFile struct {
	*bytes.Reader
	info treeInfo
}

func (f *treeFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *treeFile) Close() error               { return nil }

// treeDir is an open directory.
type treeDir struct {
	info treeInfo
	name string
	left []fs.DirEntry
}

func (d *treeDir) Stat() (fs.FileInfo, error) { return d.info, nil }
func (d *treeDir) Close() error               { return nil }

// Read implements fs.File: a directory has no bytes.
func (d *treeDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.name, Err: errIsDir}
}

// ReadDir implements fs.ReadDirFile.
func (d *treeDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 {
		all := d.left
		d.left = nil
		return all, nil
	}
	if len(d.left) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(d.left))
	some := d.left[:n:n]
	d.left = d.left[n:]
	return some, nil
}
