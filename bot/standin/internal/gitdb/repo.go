package gitdb

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"
	"sync"
)

// Repo is a bare repository. Its directory is made on the first write or when
// git itself must look at it; until then ten thousand seeded repositories are
// a map of references each and objects in the shared directory.
//
// A Repo is safe for concurrent reads; writers of references must be
// serialised by the caller, which also owns the order of events they cause.
type Repo struct {
	dir    string
	own    *Objects
	shared *Objects
	git    *Git

	mu      sync.Mutex
	made    bool
	packs   bool
	head    string
	refs    map[string]OID
	visible map[OID]struct{} // shared objects that belong to this repository
	commits map[OID]Commit   // parsed commits, a cache
}

// NewRepo describes a repository at dir that may borrow objects from shared.
// head is the branch HEAD points at, for example "main".
func NewRepo(git *Git, dir string, shared *Objects, head string) *Repo {
	return &Repo{
		dir: dir, own: NewObjects(filepath.Join(dir, "objects")), shared: shared, git: git,
		head: head, refs: map[string]OID{}, visible: map[OID]struct{}{}, commits: map[OID]Commit{},
	}
}

// repoConfig keeps pushed objects loose, hides the pull-request references from
// pushes as GitHub does, and never lets git start background work.
const repoConfig = `[core]
	repositoryformatversion = 0
	filemode = true
	bare = true
	logallrefupdates = false
[gc]
	auto = 0
[maintenance]
	auto = false
[receive]
	unpackLimit = 1000000
	hideRefs = refs/pull
	autogc = false
	fsckObjects = true
	denyDeleteCurrent = ignore
	advertisePushOptions = false
[transfer]
	unpackLimit = 1000000
[uploadpack]
	allowFilter = true
	allowTipSHA1InWant = true
	allowReachableSHA1InWant = true
[http]
	receivepack = true
	uploadpack = true
`

// Dir makes the repository's directory complete on disk, for git to look at,
// and returns it.
func (r *Repo) Dir() (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.dir, errors.Join(r.flush(), r.materialise())
}

// flush writes objects to disk; it comes before every reference to them.
func (r *Repo) flush() error { return errors.Join(r.shared.Flush(), r.own.Flush()) }

func (r *Repo) materialise() error {
	if r.made {
		return nil
	}
	dirs := []string{r.shared.Dir()} // git complains about an alternate that is not there
	for _, d := range []string{"objects/info", "objects/pack", "refs/heads", "refs/tags"} {
		dirs = append(dirs, filepath.Join(r.dir, d))
	}
	for _, d := range dirs {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return fmt.Errorf("make repository: %w", err)
		}
	}
	files := map[string]string{
		"HEAD":                    "ref: refs/heads/" + r.head + "\n",
		"config":                  repoConfig,
		"objects/info/alternates": r.shared.Dir() + "\n",
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o644); err != nil {
			return fmt.Errorf("make repository: %w", err)
		}
	}
	if len(r.refs) > 0 {
		if err := writePackedRefs(r.dir, r.refs); err != nil {
			return err
		}
	}
	r.made = true
	return nil
}

// Head is the short name of the branch HEAD points at.
func (r *Repo) Head() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.head
}

// SetHead points HEAD at a branch.
func (r *Repo) SetHead(branch string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.head = branch
	if !r.made {
		return nil
	}
	return os.WriteFile(filepath.Join(r.dir, "HEAD"), []byte("ref: refs/heads/"+branch+"\n"), 0o644)
}

// Seed stores an object in the shared directory and makes it visible here.
func (r *Repo) Seed(kind string, data []byte) (OID, error) {
	id, err := r.shared.Put(kind, data)
	if err != nil {
		return "", err
	}
	r.mu.Lock()
	r.visible[id] = struct{}{}
	r.mu.Unlock()
	return id, nil
}

// Seeder returns a view of the repository whose Put is Seed.
func (r *Repo) Seeder() interface {
	Put(kind string, data []byte) (OID, error)
	Get(id OID) (string, []byte, error)
} {
	return seeder{r}
}

type seeder struct{ *Repo }

func (s seeder) Put(kind string, data []byte) (OID, error) { return s.Seed(kind, data) }

// Put stores an object in the repository itself; it keeps data.
func (r *Repo) Put(kind string, data []byte) (OID, error) {
	if id := Hash(kind, data); r.isVisible(id) {
		return id, nil
	}
	return r.own.Put(kind, data)
}

func (r *Repo) isVisible(id OID) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ok := r.visible[id]
	return ok
}

// Get returns kind and content of an object of this repository.
func (r *Repo) Get(id OID) (string, []byte, error) {
	if r.isVisible(id) {
		return r.shared.Get(id)
	}
	if id == EmptyTree {
		return "tree", nil, nil
	}
	kind, data, err := r.own.Get(id)
	if errors.Is(err, ErrNotFound) && r.hasPacks() && Valid(string(id)) {
		return r.git.catFile(r.dir, id)
	}
	return kind, data, err
}

// Has reports whether the object belongs to this repository.
func (r *Repo) Has(id OID) bool {
	if r.isVisible(id) || r.own.Has(id) {
		return true
	}
	if r.hasPacks() && Valid(string(id)) {
		_, _, err := r.git.catFile(r.dir, id)
		return err == nil
	}
	return false
}

// Size returns kind and length of an object.
func (r *Repo) Size(id OID) (string, int, error) {
	if r.isVisible(id) {
		return r.shared.Size(id)
	}
	if r.own.Has(id) {
		return r.own.Size(id)
	}
	kind, data, err := r.Get(id)
	return kind, len(data), err
}

// hasPacks is false for everything the stand-in wrote itself.
func (r *Repo) hasPacks() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.packs
}

// Kind returns the type of an object, or an error that wraps ErrNotFound.
func (r *Repo) Kind(id OID) (string, error) {
	kind, _, err := r.Size(id)
	return kind, err
}

// Blob returns the content of a blob.
func (r *Repo) Blob(id OID) ([]byte, error) {
	kind, data, err := r.Get(id)
	if err == nil && kind != "blob" {
		return nil, fmt.Errorf("%s is a %s: %w", id, kind, ErrNotFound)
	}
	return data, err
}

// Tree returns the entries of a tree.
func (r *Repo) Tree(id OID) ([]Entry, error) {
	kind, data, err := r.Get(id)
	if err != nil {
		return nil, err
	}
	if kind != "tree" {
		return nil, fmt.Errorf("%s is a %s: %w", id, kind, ErrNotFound)
	}
	return ParseTree(data)
}

// Walk visits a tree and the trees below it in git's order, a directory before
// its content, until visit returns false.
func (r *Repo) Walk(id OID, visit func(Entry) bool) error {
	_, err := r.walk(id, "", visit)
	return err
}

func (r *Repo) walk(id OID, prefix string, visit func(Entry) bool) (bool, error) {
	entries, err := r.Tree(id)
	if err != nil {
		return false, err
	}
	for _, e := range entries {
		e.Path = prefix + e.Path
		if !visit(e) {
			return false, nil
		}
		if e.Mode == ModeTree {
			if more, err := r.walk(e.ID, e.Path+"/", visit); err != nil || !more {
				return false, err
			}
		}
	}
	return true, nil
}

// Lookup finds the entry at a path below a tree. The root is path "".
func (r *Repo) Lookup(tree OID, path string) (Entry, error) {
	e := Entry{Mode: ModeTree, ID: tree}
	if path == "" {
		return e, nil
	}
	for part := range strings.SplitSeq(path, "/") {
		if e.Mode != ModeTree {
			return Entry{}, fmt.Errorf("path %q: %w", path, ErrNotFound)
		}
		entries, err := r.Tree(e.ID)
		if err != nil {
			return Entry{}, err
		}
		found := false
		for _, c := range entries {
			if c.Path == part {
				e, found = c, true
				break
			}
		}
		if !found {
			return Entry{}, fmt.Errorf("path %q: %w", path, ErrNotFound)
		}
	}
	e.Path = path
	return e, nil
}

// maxCachedCommits bounds the cache of parsed commits per repository.
const maxCachedCommits = 10_000

// Commit returns a parsed commit.
func (r *Repo) Commit(id OID) (Commit, error) {
	r.mu.Lock()
	c, ok := r.commits[id]
	r.mu.Unlock()
	if ok {
		return c, nil
	}
	kind, data, err := r.Get(id)
	if err != nil {
		return Commit{}, err
	}
	if kind != "commit" {
		return Commit{}, fmt.Errorf("%s is a %s: %w", id, kind, ErrNotFound)
	}
	if c, err = ParseCommit(data); err != nil {
		return Commit{}, fmt.Errorf("commit %s: %w", id, err)
	}
	r.mu.Lock()
	if len(r.commits) >= maxCachedCommits {
		clear(r.commits)
	}
	r.commits[id] = c
	r.mu.Unlock()
	return c, nil
}

// Ref returns the object a full reference name points at.
func (r *Repo) Ref(name string) (OID, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	id, ok := r.refs[name]
	return id, ok
}

// Refs returns a copy of all references.
func (r *Repo) Refs() map[string]OID {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.refs)
}

// RefNames lists the references below a prefix, sorted.
func (r *Repo) RefNames(prefix string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []string
	for n := range r.refs {
		if strings.HasPrefix(n, prefix) {
			out = append(out, n)
		}
	}
	sort.Strings(out)
	return out
}

// ErrRefConflict says that a name is a directory of another reference, or the
// other way round ("a" and "a/b").
var ErrRefConflict = errors.New("reference is in the way")

// SetRef creates or moves a reference. The object is not checked.
func (r *Repo) SetRef(name string, id OID) error {
	if err := CheckRefName(name); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, exists := r.refs[name]; !exists {
		for other := range r.refs {
			if strings.HasPrefix(other, name+"/") || strings.HasPrefix(name, other+"/") {
				return fmt.Errorf("%s and %s: %w", name, other, ErrRefConflict)
			}
		}
	}
	if r.made {
		if err := errors.Join(r.flush(), writeRef(r.dir, name, id)); err != nil {
			return err
		}
	}
	r.refs[name] = id
	return nil
}

// DeleteRef removes a reference, loose and packed.
func (r *Repo) DeleteRef(name string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.refs[name]; !ok {
		return fmt.Errorf("reference %s: %w", name, ErrNotFound)
	}
	delete(r.refs, name)
	if !r.made {
		return nil
	}
	packed := map[string]OID{}
	file := filepath.Join(r.dir, "packed-refs")
	if err := readPackedRefs(file, packed); err != nil {
		return err
	}
	if _, ok := packed[name]; ok {
		delete(packed, name)
		if err := writePackedRefs(r.dir, packed); err != nil {
			return err
		}
	}
	err := os.Remove(filepath.Join(r.dir, filepath.FromSlash(name)))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("delete reference %s: %w", name, err)
	}
	// An empty directory would be in the way of a reference with its name.
	for p := path.Dir(name); strings.Count(p, "/") > 1; p = path.Dir(p) {
		if os.Remove(filepath.Join(r.dir, filepath.FromSlash(p))) != nil {
			break
		}
	}
	return nil
}

// Reload reads references again after a git process changed them.
func (r *Repo) Reload() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	refs, err := readRefs(r.dir)
	if err != nil {
		return err
	}
	r.refs = refs
	packs, err := filepath.Glob(filepath.Join(r.dir, "objects", "pack", "*.pack"))
	if err != nil {
		return err
	}
	r.packs = len(packs) > r.own.packCount()
	return nil
}

// Adopt takes over a bare repository that git made at the repository's
// directory (a copy of an existing one).
func (r *Repo) Adopt() error {
	r.mu.Lock()
	r.made = true
	r.mu.Unlock()
	return r.Reload()
}
