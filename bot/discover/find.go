package discover

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Kind is what an Entry is.
type Kind uint8

// The kinds.
const (
	KindFile Kind = iota
	KindDir
	KindLink      // symbolic link
	KindSubmodule // another repository
	KindOther     // device, socket...
)

// Entry is one path of a repository. Directories may be left out.
type Entry struct {
	Path string // slash-separated, from the root
	Kind Kind
	// Executable is the mode bit, to be kept when the file is written.
	Executable bool
	// Size is in bytes, -1 when it is not known.
	Size int64
}

// Options bound and steer the search. The zero value is the default.
type Options struct {
	// Wants is asked about every file that would be taken; when it says no, why
	// goes into Skip. Nil takes all. config.Config.Wants fits.
	Wants func(path string) (ok bool, why string)
	// Most is the number of Dockerfiles taken; default 500, negative no bound.
	Most int
	// MostDepth is the number of folders above a file; default 40.
	MostDepth int
	// NoBuildFiles leaves compose and bake files unread, so that only names decide.
	NoBuildFiles bool
}

// Found is a Dockerfile, or a file that looks like one.
type Found struct {
	Entry
	// Code and Skip say why the file is passed over; both "" when it is taken.
	Code Code
	Skip string
	// NamedBy are the compose and bake files that build it, when its name alone
	// would not have told.
	NamedBy []string
	// Links are the symbolic links that lead to it: it is edited once.
	Links []string
}

// Result is what was found.
type Result struct {
	// Files are sorted by path, taken and passed over together.
	Files []Found
	// Submodules are the paths of other repositories, which are not looked into.
	Submodules []string
	// Problems are files that could have named more and could not be used.
	Problems []Problem
}

// Problem is a file that could not be used.
type Problem struct {
	Path string
	Err  error
}

const (
	defaultMost  = 500
	defaultDepth = 40
	// maxPath is Linux's PATH_MAX; a longer path could not be checked out.
	maxPath = 4096
	// maxPointer is the bound of a Git LFS pointer by its specification.
	maxPointer = 1024
)

// Find looks through a listing of the whole repository. fsys reads compose and
// bake files, symbolic links (fs.ReadLinkFS) and files small enough to be a Git
// LFS pointer; nil reads nothing. Find itself does not fail: what could not be
// read is in the result.
func Find(entries []Entry, fsys fs.FS, o Options) *Result {
	return find(entries, fsys, o, false)
}

// find is Find; with partial the listing lacks paths that exist.
func find(entries []Entry, fsys fs.FS, o Options, partial bool) *Result {
	if o.Most == 0 {
		o.Most = defaultMost
	}
	if o.MostDepth == 0 {
		o.MostDepth = defaultDepth
	}
	s := &search{fsys: fsys, options: o, partial: partial, kinds: map[string]int{}, found: map[string]*Found{}}
	s.entries = slices.SortedFunc(slices.Values(entries), func(a, b Entry) int { return cmp.Compare(a.Path, b.Path) })
	for i, e := range s.entries {
		s.kinds[e.Path] = i
	}
	s.byName()
	if fsys != nil && !o.NoBuildFiles {
		s.byBuildFiles()
	}
	s.links()
	return s.result()
}

type search struct {
	fsys     fs.FS
	options  Options
	partial  bool
	entries  []Entry
	kinds    map[string]int // index into entries
	found    map[string]*Found
	pending  []Found // symbolic links with a candidate's name
	problems []Problem
	modules  []string
}

func (s *search) byName() {
	for _, e := range s.entries {
		if e.Kind == KindSubmodule {
			s.modules = append(s.modules, e.Path)
			continue
		}
		if e.Kind == KindDir {
			continue
		}
		ok, code, why := Classify(path.Base(e.Path))
		if !ok {
			continue
		}
		f := Found{Entry: e, Code: code, Skip: why}
		if folder, why := Folder(e.Path); folder != Taken {
			f.Code, f.Skip = folder, why
		}
		switch {
		case e.Kind == KindLink && f.Code == Taken:
			s.pending = append(s.pending, f)
			continue
		case e.Kind == KindOther:
			f.Code, f.Skip = NotFile, "not a file"
		}
		s.found[e.Path] = &f
	}
}

// take is the found file of a path that was reached by another way than its
// name, which therefore does not count against it; its folder does.
func (s *search) take(p string) *Found {
	f := s.found[p]
	if f == nil {
		f = &Found{Entry: Entry{Path: p, Size: -1}}
		if e, ok := s.lookup(p); ok {
			f.Entry = e
		}
		s.found[p] = f
	}
	f.Code, f.Skip = Folder(p)
	return f
}

const maxHops = 16

// result asks the last questions of each file, in order, and counts.
func (s *search) result() *Result {
	r := &Result{Submodules: s.modules, Files: make([]Found, 0, len(s.found))}
	for _, f := range s.found {
		r.Files = append(r.Files, *f)
	}
	slices.SortFunc(r.Files, func(a, b Found) int { return cmp.Compare(a.Path, b.Path) })
	taken := 0
	for i := range r.Files {
		f := &r.Files[i]
		if f.Code != Taken {
			continue
		}
		s.last(f)
		if f.Code != Taken {
			continue
		}
		if taken++; s.options.Most > 0 && taken > s.options.Most {
			f.Code, f.Skip = TooMany, fmt.Sprintf("more than %d Dockerfiles in the repository", s.options.Most)
		}
	}
	r.Problems = s.problems
	return r
}

func (s *search) last(f *Found) {
	if len(f.Path) > maxPath || strings.Count(f.Path, "/") > s.options.MostDepth {
		f.Code, f.Skip = TooDeep, "its path is too deep"
		return
	}
	if s.options.Wants != nil {
		if ok, why := s.options.Wants(f.Path); !ok {
			f.Code, f.Skip = Settings, why
			return
		}
	}
	if s.fsys == nil || f.Size == 0 || f.Size > maxPointer {
		return
	}
	start, err := readStart(s.fsys, f.Path)
	switch {
	case err != nil:
		f.Code, f.Skip = Unread, "it cannot be read"
		s.problems = append(s.problems, Problem{f.Path, err})
	case IsPointer(start):
		f.Code, f.Skip = LFS, "a Git LFS pointer; the file itself is kept elsewhere"
	}
}

// IsPointer tells whether content is a Git LFS pointer instead of a file
// (github.com/git-lfs/git-lfs, docs/spec.md: the version line comes first).
func IsPointer(content []byte) bool {
	return len(content) <= maxPointer && bytes.HasPrefix(content, []byte("version https://git-lfs.github.com/spec/")) ||
		len(content) <= maxPointer && bytes.HasPrefix(content, []byte("version https://hawser.github.com/spec/"))
}

// readStart reads a file that is expected to be small.
func readStart(fsys fs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	start, err := io.ReadAll(io.LimitReader(f, maxPointer+1))
	return start, errors.Join(err, f.Close())
}
