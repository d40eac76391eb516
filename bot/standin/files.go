package standin

import (
	"fmt"
	"io/fs"
	"path"
	"sort"
	"strings"

	"dhibot/bot/standin/internal/gitdb"
)

// File is a file to seed or to push. Mode is git's: "100644" (the default),
// "100755", "120000" for a symbolic link whose target is Content, or "160000"
// for a submodule whose commit is Content.
type File struct {
	Content string
	Mode    string
}

// Files are files by slash-separated path.
type Files map[string]File

// Text makes Files of plain texts.
func Text(texts map[string]string) Files {
	f := Files{}
	for p, t := range texts {
		f[p] = File{Content: t}
	}
	return f
}

// Txtar reads the txtar format: lines "-- path --" start files, what comes
// before the first is a comment. A path ending in " (executable)" or
// " (symlink)" sets the mode. A text without files gives none, not nil.
func Txtar(text string) Files {
	f := Files{}
	var name string
	var b strings.Builder
	flush := func() {
		if name == "" {
			return
		}
		file := File{Content: b.String()}
		if p, ok := strings.CutSuffix(name, " (executable)"); ok {
			name, file.Mode = p, gitdb.ModeExecutable
		}
		if p, ok := strings.CutSuffix(name, " (symlink)"); ok {
			name, file.Mode, file.Content = p, gitdb.ModeSymlink, strings.TrimSuffix(file.Content, "\n")
		}
		f[name] = file
	}
	for line := range strings.Lines(text) {
		t := strings.TrimRight(line, "\r\n")
		if strings.HasPrefix(t, "-- ") && strings.HasSuffix(t, " --") && len(t) > 6 {
			flush()
			name = strings.TrimSpace(t[3 : len(t)-3])
			b.Reset()
			continue
		}
		b.WriteString(line)
	}
	flush()
	return f
}

// FromFS reads every regular file of a file system; the executable bit is
// kept, a directory named ".git" is left out. Symbolic links are kept when the
// file system can read them.
func FromFS(fsys fs.FS) (Files, error) {
	f := Files{}
	err := fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == ".git":
			return fs.SkipDir
		case d.IsDir():
			return nil
		case d.Type()&fs.ModeSymlink != 0:
			target, err := fs.ReadLink(fsys, p)
			if err != nil {
				return err
			}
			f[p] = File{Content: target, Mode: gitdb.ModeSymlink}
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		b, err := fs.ReadFile(fsys, p)
		if err != nil {
			return err
		}
		file := File{Content: string(b)}
		if info.Mode()&0o111 != 0 {
			file.Mode = gitdb.ModeExecutable
		}
		f[p] = file
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read files to seed: %w", err)
	}
	return f, nil
}

// changes stores the contents and returns the tree edits, in order of path.
func (f Files) changes(put func(kind string, data []byte) (gitdb.OID, error)) ([]gitdb.Change, error) {
	paths := make([]string, 0, len(f))
	for p := range f {
		paths = append(paths, p)
	}
	sort.Strings(paths)
	out := make([]gitdb.Change, 0, len(f))
	for _, p := range paths {
		if err := checkPath(p); err != nil {
			return nil, err
		}
		file := f[p]
		c := gitdb.Change{Path: p, Mode: file.Mode}
		if c.Mode == "" {
			c.Mode = gitdb.ModeFile
		}
		if c.Mode == gitdb.ModeSubmodule {
			c.ID = gitdb.OID(strings.TrimSpace(file.Content))
		} else {
			id, err := put("blob", []byte(file.Content))
			if err != nil {
				return nil, err
			}
			c.ID = id
		}
		out = append(out, c)
	}
	return out, nil
}

// checkPath refuses what git would not check out.
func checkPath(p string) error {
	if p == "" || path.Clean(p) != p || strings.HasPrefix(p, "/") || p == "." || strings.HasPrefix(p, "../") || p == ".." {
		return fmt.Errorf("path %q is not a clean relative path", p)
	}
	for part := range strings.SplitSeq(p, "/") {
		if strings.EqualFold(part, ".git") {
			return fmt.Errorf("path %q has a component that git refuses", p)
		}
	}
	return nil
}

// SeedFS seeds repositories from a tree of files "owner/repository/…": owners
// become organisations, files beside the directories are left out.
func (s *Server) SeedFS(fsys fs.FS, opts ...RepositoryOption) ([]*Repository, error) {
	owners, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, fmt.Errorf("seed: %w", err)
	}
	var out []*Repository
	for _, o := range owners {
		if !o.IsDir() || reserved(strings.ToLower(o.Name())) || strings.HasPrefix(o.Name(), ".") {
			continue
		}
		names, err := fs.ReadDir(fsys, o.Name())
		if err != nil {
			return nil, fmt.Errorf("seed: %w", err)
		}
		s.AddOrganization(o.Name())
		for _, n := range names {
			if !n.IsDir() {
				continue
			}
			sub, err := fs.Sub(fsys, o.Name()+"/"+n.Name())
			if err != nil {
				return nil, fmt.Errorf("seed: %w", err)
			}
			files, err := FromFS(sub)
			if err != nil {
				return nil, fmt.Errorf("seed %s/%s: %w", o.Name(), n.Name(), err)
			}
			if len(files) == 0 {
				files = nil // an empty directory is an empty repository
			}
			r, err := s.AddRepository(o.Name(), n.Name(), files, opts...)
			if err != nil {
				return nil, fmt.Errorf("seed: %w", err)
			}
			out = append(out, r)
		}
	}
	return out, nil
}
