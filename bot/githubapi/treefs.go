package githubapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Errors of a TreeFS beside fs.ErrNotExist. None of them is a fs.ErrNotExist:
// not knowing is not the same as knowing that there is nothing.
var (
	// ErrSubmodule is a path in a submodule: another repository.
	ErrSubmodule = errors.New("inside a submodule")
	// ErrOutside is a symbolic link that leaves the repository.
	ErrOutside = errors.New("the symbolic link leads out of the repository")
	// ErrLinkLoop is a chain of symbolic links beyond maxLinks.
	ErrLinkLoop = errors.New("too many symbolic links")
	// ErrUnread is a path below a directory that was not read; see Tree.Unread.
	ErrUnread = errors.New("the tree is incomplete here")
	// ErrBudget means that more files were asked for than FSLimits allow.
	ErrBudget = errors.New("too many files were read")
)

// FSLimits bound a TreeFS. Zero fields take the defaults.
type FSLimits struct {
	// Fetches is the number of files fetched; default 2,000.
	Fetches int
	// FileBytes is the largest file; default 1 MiB.
	FileBytes int64
	// CacheBytes is what is kept in memory; default 16 MiB. What fell out is
	// fetched again and counts again.
	CacheBytes int64
}

const (
	maxLinks      = 16
	maxLinkTarget = 4096 // bytes, PATH_MAX of Linux
)

// Fetch reads the content of a blob.
type Fetch func(ctx context.Context, sha string) ([]byte, error)

// TreeFS is a read-only view of a git tree whose files are fetched when they
// are read. It follows symbolic links inside the tree and refuses submodules.
// It implements fs.FS, fs.ReadFileFS, fs.StatFS, fs.ReadDirFS and fs.ReadLinkFS, and is for one
// goroutine.
type TreeFS struct {
	ctx     context.Context //nolint:containedctx // fs.FS has no place for one
	tree    *Tree
	fetch   Fetch
	limits  FSLimits
	err     error
	fetched int
	cache   map[string][]byte
	order   []string // ids in cache, least recently used first
	held    int64
}

// FS views a tree of the repository. ctx bounds all later reads.
func (c *Client) FS(ctx context.Context, r Repo, t *Tree) *TreeFS {
	return NewTreeFS(ctx, t, func(ctx context.Context, sha string) ([]byte, error) { return c.Blob(ctx, r, sha) }, FSLimits{})
}

// NewTreeFS is FS over any source of blobs.
func NewTreeFS(ctx context.Context, t *Tree, fetch Fetch, limits FSLimits) *TreeFS {
	set(&limits.Fetches, 2000)
	set(&limits.FileBytes, 1<<20)
	set(&limits.CacheBytes, 16<<20)
	byPath := func(a, b Entry) int { return cmp.Compare(a.Path, b.Path) }
	if !slices.IsSortedFunc(t.Entries, byPath) {
		t = &Tree{SHA: t.SHA, Entries: slices.SortedFunc(slices.Values(t.Entries), byPath), Unread: t.Unread}
	}
	return &TreeFS{ctx: ctx, tree: t, fetch: fetch, limits: limits, cache: map[string][]byte{}}
}

// Err is the first failure to learn something: of a fetch, of the budget, or of
// an incomplete tree. A result that was made although Err is not nil rests on
// half knowledge and must not be acted on.
func (f *TreeFS) Err() error { return f.err }

// fail keeps the first failure.
func (f *TreeFS) fail(err error) error {
	if f.err == nil {
		f.err = err
	}
	return err
}

// Put gives the view a blob that was fetched elsewhere, as Blobs does for many.
func (f *TreeFS) Put(sha string, content []byte) {
	if _, ok := f.cache[sha]; ok || int64(len(content)) > f.limits.CacheBytes {
		return
	}
	f.cache[sha] = content
	f.order = append(f.order, sha)
	f.held += int64(len(content))
	for f.held > f.limits.CacheBytes {
		oldest := f.order[0]
		f.order = f.order[1:]
		f.held -= int64(len(f.cache[oldest]))
		delete(f.cache, oldest)
	}
}

// blob returns a content out of the cache or fetches it.
func (f *TreeFS) blob(sha string) ([]byte, error) {
	if content, ok := f.cache[sha]; ok {
		if i := slices.Index(f.order, sha); i >= 0 {
			f.order = append(slices.Delete(f.order, i, i+1), sha)
		}
		return content, nil
	}
	if f.fetched >= f.limits.Fetches {
		return nil, f.fail(fmt.Errorf("%w: %d", ErrBudget, f.fetched))
	}
	f.fetched++
	content, err := f.fetch(f.ctx, sha)
	if errors.Is(err, ErrTooLarge) {
		return nil, err // a fact about the file, not a failure to learn it
	}
	if err != nil {
		return nil, f.fail(err)
	}
	f.Put(sha, content)
	return content, nil
}

// dirEntry is the entry of the root and of directories that have none of their own.
func dirEntry(name string) Entry { return Entry{Path: name, Mode: ModeDir, Type: "tree"} }

// exact finds the entry of a path without following anything.
func (f *TreeFS) exact(name string) (Entry, bool) {
	if name == "." {
		return dirEntry(name), true
	}
	if e, ok := f.tree.Find(name); ok {
		return e, true
	}
	below := name + "/"
	if i := f.search(below); i < len(f.tree.Entries) && strings.HasPrefix(f.tree.Entries[i].Path, below) {
		return dirEntry(name), true
	}
	return Entry{}, false
}

// search is the index of the first entry at or after a path.
func (f *TreeFS) search(p string) int {
	i, _ := slices.BinarySearchFunc(f.tree.Entries, p, func(e Entry, p string) int { return cmp.Compare(e.Path, p) })
	return i
}

// resolve follows symbolic links, in the middle of a path and at its end, and
// returns the entry it ends at.
func (f *TreeFS) resolve(name string) (Entry, error) {
	if !fs.ValidPath(name) {
		return Entry{}, fs.ErrInvalid
	}
	for hops := 0; ; hops++ {
		if hops > maxLinks {
			return Entry{}, ErrLinkLoop
		}
		e, rest, err := f.deepest(name)
		if err != nil {
			return Entry{}, err
		}
		switch {
		case e.Mode == ModeLink:
			if name, err = f.follow(e, rest); err != nil {
				return Entry{}, err
			}
		case e.Type == "commit" || e.Mode == ModeSubmodule:
			return Entry{}, ErrSubmodule
		case rest != "":
			return Entry{}, fs.ErrNotExist // a file where a directory should be
		default:
			return e, nil
		}
	}
}

// deepest finds the entry of name, or of the first parent that is not a
// directory, and what of name remains after it.
func (f *TreeFS) deepest(name string) (e Entry, rest string, err error) {
	if e, ok := f.exact(name); ok {
		return e, "", nil // git has no entries below a link, so no parent is one
	}
	for i := 0; i < len(name); i++ {
		if name[i] != '/' {
			continue
		}
		parent, ok := f.exact(name[:i])
		if !ok {
			break
		}
		if parent.Type != "tree" {
			return parent, name[i+1:], nil
		}
	}
	return Entry{}, "", f.missing(name)
}

// missing is why there is no entry: there is nothing, or nothing is known.
func (f *TreeFS) missing(name string) error {
	if f.unread(name) {
		return f.fail(fmt.Errorf("%w: %s", ErrUnread, name))
	}
	return fs.ErrNotExist
}

// unread tells whether nothing is known of a path.
func (f *TreeFS) unread(name string) bool {
	for _, dir := range f.tree.Unread {
		if dir == "" || name == dir || strings.HasPrefix(name, dir+"/") {
			return true
		}
	}
	return false
}

// follow is the path that a link leads to, with rest behind it.
func (f *TreeFS) follow(link Entry, rest string) (string, error) {
	if link.Size > maxLinkTarget {
		return "", fmt.Errorf("symbolic link: %w", ErrTooLarge)
	}
	content, err := f.blob(link.SHA)
	if err != nil {
		return "", err
	}
	target := string(content)
	if target == "" || len(target) > maxLinkTarget || strings.ContainsRune(target, 0) {
		return "", fs.ErrNotExist
	}
	if strings.HasPrefix(target, "/") {
		return "", ErrOutside
	}
	name := path.Join(path.Dir(link.Path), target, rest)
	if name == ".." || strings.HasPrefix(name, "../") {
		return "", ErrOutside
	}
	return name, nil
}

// Lookup follows symbolic links and returns the entry that a path ends at, so
// that a file with several names is edited once.
func (f *TreeFS) Lookup(name string) (Entry, error) {
	e, err := f.resolve(name)
	if err != nil {
		return Entry{}, &fs.PathError{Op: "lookup", Path: name, Err: err}
	}
	return e, nil
}

// ReadFile implements fs.ReadFileFS. The caller may change the bytes.
func (f *TreeFS) ReadFile(name string) ([]byte, error) {
	content, err := f.readFile(name)
	if err != nil {
		return nil, &fs.PathError{Op: "read", Path: name, Err: err}
	}
	return slices.Clone(content), nil
}

func (f *TreeFS) readFile(name string) ([]byte, error) {
	e, err := f.resolve(name)
	if err != nil {
		return nil, err
	}
	return f.content(e)
}

func (f *TreeFS) content(e Entry) ([]byte, error) {
	if e.Type == "tree" {
		return nil, errIsDir
	}
	if e.Size > f.limits.FileBytes {
		return nil, fmt.Errorf("%d bytes: %w", e.Size, ErrTooLarge)
	}
	return f.blob(e.SHA)
}

var errIsDir = errors.New("is a directory")

// Stat implements fs.StatFS; it fetches nothing but the links on the way.
func (f *TreeFS) Stat(name string) (fs.FileInfo, error) {
	e, err := f.resolve(name)
	if err != nil {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: err}
	}
	return treeInfo{path.Base(name), e}, nil
}

// ReadDir implements fs.ReadDirFS. Links are listed as links, submodules as
// irregular files.
func (f *TreeFS) ReadDir(name string) ([]fs.DirEntry, error) {
	e, err := f.resolve(name)
	if err == nil && e.Type != "tree" {
		err = errors.New("not a directory")
	}
	if err == nil && f.unread(e.Path) {
		err = f.fail(fmt.Errorf("%w: %s", ErrUnread, name))
	}
	if err != nil {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: err}
	}
	return f.children(e.Path), nil
}

// children lists what is directly below a directory, sorted by name, jumping
// over everything deeper.
func (f *TreeFS) children(dir string) []fs.DirEntry {
	prefix := dir + "/"
	if dir == "." {
		prefix = ""
	}
	var out []fs.DirEntry
	for i := f.search(prefix); i < len(f.tree.Entries); {
		e := f.tree.Entries[i]
		name, ok := strings.CutPrefix(e.Path, prefix)
		if !ok {
			break
		}
		if top, _, deeper := strings.Cut(name, "/"); deeper {
			if _, listed := f.tree.Find(prefix + top); !listed {
				out = append(out, fs.FileInfoToDirEntry(treeInfo{top, dirEntry(prefix + top)}))
			}
			i = f.search(prefix + top + "0") // '0' follows '/'
			continue
		}
		if fs.ValidPath(name) && name != "." {
			out = append(out, fs.FileInfoToDirEntry(treeInfo{name, e}))
		}
		i++
	}
	slices.SortFunc(out, func(a, b fs.DirEntry) int { return cmp.Compare(a.Name(), b.Name()) })
	return out
}
