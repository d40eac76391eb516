package rewrite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"dhibot/rewrite/dockerfile"
)

// settled proves that a second migration changes nothing: otherwise the next
// push would bring another pull request, and the one after that another. The
// second one sees the repository with the files that the first one changed.
// after is the result, read.
func (m *migration) settled(ctx context.Context, after *dockerfile.File) error {
	in := m.in
	in.Content, in.Options.SkipVerify = m.result.After, true
	if len(m.result.Files) > 0 && in.FS != nil {
		o := overlay{FS: in.FS, changed: map[string][]byte{}}
		for _, f := range m.result.Files {
			o.changed[f.Path] = f.After
		}
		in.FS = o
	}
	again, err := migrate(ctx, in, m.catalog, after, m.stages, &Result{Path: in.Path, Before: in.Content, After: in.Content, Catalog: m.result.Catalog})
	switch {
	case err != nil:
		return err
	case again.Outcome == Failed:
		return fmt.Errorf("the result cannot be migrated once more: %s", again.Reason)
	case len(again.Changes) > 0:
		c := again.Changes[0]
		return fmt.Errorf("migrating the result once more changes line %d again (%s)", c.Lines[0], c.Rule)
	case again.Changed():
		return errors.New("migrating the result once more changes it again")
	}
	return nil
}

// overlay is a repository in which some files have another content.
type overlay struct {
	fs.FS
	changed map[string][]byte
}

// Open implements fs.FS.
func (o overlay) Open(name string) (fs.File, error) {
	f, err := o.FS.Open(name)
	content, ok := o.changed[name]
	if !ok || err != nil {
		return f, err
	}
	return overlaid{File: f, Reader: bytes.NewReader(content)}, nil
}

// ReadFile implements fs.ReadFileFS.
func (o overlay) ReadFile(name string) ([]byte, error) {
	if content, ok := o.changed[name]; ok {
		return bytes.Clone(content), nil
	}
	return fs.ReadFile(o.FS, name)
}

// Stat implements fs.StatFS; the size of a changed file is that of the old one.
func (o overlay) Stat(name string) (fs.FileInfo, error) { return fs.Stat(o.FS, name) }

// ReadDir implements fs.ReadDirFS.
func (o overlay) ReadDir(name string) ([]fs.DirEntry, error) { return fs.ReadDir(o.FS, name) }

// overlaid is a file with another content.
type overlaid struct {
	fs.File
	io.Reader
}

// Read implements fs.File.
func (f overlaid) Read(p []byte) (int, error) { return f.Reader.Read(p) }
