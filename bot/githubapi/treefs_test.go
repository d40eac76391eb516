package githubapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

// blobs is a source of contents by made-up ids, which counts.
type blobs struct {
	content map[string]string
	fetched []string
	err     error
}

func (b *blobs) fetch(_ context.Context, sha string) ([]byte, error) {
	b.fetched = append(b.fetched, sha)
	if b.err != nil {
		return nil, b.err
	}
	content, ok := b.content[sha]
	if !ok {
		return nil, fmt.Errorf("no blob %s", sha)
	}
	return []byte(content), nil
}

// treeOf makes a tree of `path` or `path -> target` or `path/ submodule`.
func treeOf(files ...string) (*Tree, *blobs) {
	b := &blobs{content: map[string]string{}}
	t := &Tree{}
	dirs := map[string]bool{}
	for i, f := range files {
		sha := fmt.Sprintf("%040x", i+1)
		e := Entry{Path: f, Mode: ModeFile, Type: "blob", SHA: sha}
		content := "content of " + f + "\n"
		if p, target, ok := strings.Cut(f, " -> "); ok {
			e.Path, e.Mode, content = p, ModeLink, target
		} else if p, ok := strings.CutSuffix(f, "/ submodule"); ok {
			e.Path, e.Mode, e.Type = p, ModeSubmodule, "commit"
		} else if p, ok := strings.CutSuffix(f, "*"); ok {
			e.Path, e.Mode = p, ModeExec
		}
		if e.Type == "blob" {
			b.content[sha], e.Size = content, int64(len(content))
		}
		t.Entries = append(t.Entries, e)
		for i := range e.Path {
			if dir := e.Path[:i]; e.Path[i] == '/' && !dirs[dir] {
				dirs[dir] = true
				t.Entries = append(t.Entries, Entry{Path: dir, Mode: ModeDir, Type: "tree", SHA: shaD})
			}
		}
	}
	return t, b
}

// TestTreeFSBehaves runs the standard library's own checks.
func TestTreeFSBehaves(t *testing.T) {
	t.Parallel()
	tree, b := treeOf("Dockerfile", "a/Dockerfile", "a/b/c/deep", "a-b", "a/b-c", "a/b.d/x", "run.sh*", "z/last")
	f := NewTreeFS(t.Context(), tree, b.fetch, FSLimits{})
	if err := fstest.TestFS(f, "Dockerfile", "a/Dockerfile", "a/b/c/deep", "a-b", "a/b-c", "a/b.d/x", "run.sh", "z/last"); err != nil {
		t.Error(err)
	}
	// Without entries for directories, and unsorted, it is the same tree.
	bare := &Tree{}
	for _, e := range tree.Entries {
		if e.Type != "tree" {
			bare.Entries = append([]Entry{e}, bare.Entries...)
		}
	}
	if err := fstest.TestFS(NewTreeFS(t.Context(), bare, b.fetch, FSLimits{}), "a/b/c/deep", "a-b", "a/b.d/x"); err != nil {
		t.Error(err)
	}
	if err := f.Err(); err != nil {
		t.Error(err)
	}
}

func TestTreeFSIsLazy(t *testing.T) {
	t.Parallel()
	tree, b := treeOf("Dockerfile", "x/y", "run.sh*")
	f := NewTreeFS(t.Context(), tree, b.fetch, FSLimits{})
	if _, err := fs.Glob(f, "*/*"); err != nil {
		t.Fatal(err)
	}
	info, err := f.Stat("run.sh")
	if err != nil || info.Mode() != 0o755 || info.Size() != b.size("run.sh*") || !info.ModTime().IsZero() {
		t.Errorf("%+v, %v", info, err)
	}
	if len(b.fetched) != 0 {
		t.Fatalf("fetched %v before anything was read", b.fetched)
	}
	for range 3 {
		got, err := f.ReadFile("x/y")
		if err != nil || string(got) != "content of x/y\n" {
			t.Fatalf("%q, %v", got, err)
		}
		got[0] = 'X' // the caller's own
	}
	if len(b.fetched) != 1 {
		t.Errorf("fetched %v", b.fetched)
	}
}

func (b *blobs) size(name string) int64 { return int64(len("content of " + name + "\n")) }

// TestTreeFSLinks: followed inside the tree, at the end and in the middle, and
// never out of it.
func TestTreeFSLinks(t *testing.T) {
	t.Parallel()
	tree, b := treeOf(
		"real/dir/file", "Dockerfile -> real/dir/file", "real/up -> ../Dockerfile", "folder -> real/dir", "chain -> folder/file",
		"dot -> ./real/../real/dir/file", "out -> ../secret", "deep/out -> ../../secret", "abs -> /etc/passwd", "loop -> loop2", "loop2 -> loop",
		"self -> self", "broken -> nowhere", "tobroken -> folder/none", "file -> real/dir/file/x", "root -> .", "mod/ submodule", "inmod -> mod/x", "nul -> a\x00b", "empty -> ",
	)
	f := NewTreeFS(t.Context(), tree, b.fetch, FSLimits{})
	want := "content of real/dir/file\n"
	for _, name := range []string{"Dockerfile", "real/up", "folder/file", "chain", "dot", "root/Dockerfile", "root/root/folder/file"} {
		if got, err := f.ReadFile(name); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		if e, err := f.Lookup(name); err != nil || e.Path != "real/dir/file" {
			t.Errorf("%s leads to %q, %v", name, e.Path, err)
		}
	}
	for name, want := range map[string]error{
		"out": ErrOutside, "deep/out": ErrOutside, "abs": ErrOutside, "loop": ErrLinkLoop, "self": ErrLinkLoop, "self/x": ErrLinkLoop,
		"broken": fs.ErrNotExist, "tobroken": fs.ErrNotExist, "file": fs.ErrNotExist, "real/dir/file/x": fs.ErrNotExist, "none": fs.ErrNotExist,
		"mod": ErrSubmodule, "mod/x": ErrSubmodule, "inmod": ErrSubmodule, "nul": fs.ErrNotExist, "empty": fs.ErrNotExist,
		"../x": fs.ErrInvalid, "/x": fs.ErrInvalid, "a//b": fs.ErrInvalid, "": fs.ErrInvalid,
	} {
		for what, read := range map[string]func() error{
			"ReadFile": func() error { _, err := f.ReadFile(name); return err },
			"Open":     func() error { _, err := f.Open(name); return err },
			"Stat":     func() error { _, err := f.Stat(name); return err },
			"ReadDir":  func() error { _, err := f.ReadDir(name); return err },
		} {
			err := read()
			var path *fs.PathError
			if !errors.Is(err, want) || !errors.As(err, &path) || path.Path != name {
				t.Errorf("%s(%q): %v, want %v", what, name, err, want)
			}
			if want != fs.ErrNotExist && errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s(%q) says that there is nothing", what, name)
			}
		}
	}
	if err := f.Err(); err != nil {
		t.Errorf("facts about the repository are no failures: %v", err)
	}
	names := func(list []fs.DirEntry) (out []string) {
		for _, d := range list {
			out = append(out, d.Name()+" "+d.Type().String())
		}
		return out
	}
	list, err := f.ReadDir("root/real")
	if got := fmt.Sprint(names(list)); err != nil || got != "[dir d--------- up L---------]" {
		t.Errorf("%s, %v", got, err)
	}
	if target, err := f.ReadLink("real/up"); err != nil || target != "../Dockerfile" {
		t.Errorf("%q, %v", target, err)
	}
	if target, err := f.ReadLink("root/real/up"); err != nil || target != "../Dockerfile" {
		t.Errorf("through a folder: %q, %v", target, err)
	}
	if _, err := f.ReadLink("real/dir/file"); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("a file as a link: %v", err)
	}
	if info, err := f.Lstat("out"); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("%v, %v", info, err)
	}
}

// TestTreeFSFailures: not knowing is not the same as nothing there, and the
// first time is remembered.
func TestTreeFSFailures(t *testing.T) {
	t.Parallel()
	down := errors.New("connection reset")
	t.Run("fetch", func(t *testing.T) {
		t.Parallel()
		tree, b := treeOf("package.json", "link -> package.json")
		f := NewTreeFS(t.Context(), tree, b.fetch, FSLimits{})
		if _, err := f.ReadFile("go.mod"); !errors.Is(err, fs.ErrNotExist) || f.Err() != nil {
			t.Fatalf("%v, %v", err, f.Err())
		}
		b.err = fmt.Errorf("get blob: %w", down)
		for _, name := range []string{"package.json", "link"} {
			if _, err := f.ReadFile(name); !errors.Is(err, down) || errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: %v", name, err)
			}
		}
		b.err = nil
		if _, err := f.ReadFile("package.json"); err != nil {
			t.Errorf("a failure was kept as content: %v", err)
		}
		if !errors.Is(f.Err(), down) {
			t.Errorf("forgotten: %v", f.Err())
		}
	})
	t.Run("budget", func(t *testing.T) {
		t.Parallel()
		tree, b := treeOf("a", "b", "c")
		f := NewTreeFS(t.Context(), tree, b.fetch, FSLimits{Fetches: 2})
		for _, name := range []string{"a", "b", "a"} {
			if _, err := f.ReadFile(name); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := f.ReadFile("c"); !errors.Is(err, ErrBudget) || !errors.Is(f.Err(), ErrBudget) {
			t.Errorf("%v, %v", err, f.Err())
		}
	})
	t.Run("size", func(t *testing.T) {
		t.Parallel()
		tree, b := treeOf("a", "later")
		f := NewTreeFS(t.Context(), tree, b.fetch, FSLimits{FileBytes: 5})
		if _, err := f.ReadFile("a"); !errors.Is(err, ErrTooLarge) || len(b.fetched) != 0 || f.Err() != nil {
			t.Errorf("%v, fetched %v, %v", err, b.fetched, f.Err())
		}
		b.err = fmt.Errorf("answer: %w", ErrTooLarge)
		g := NewTreeFS(t.Context(), tree, b.fetch, FSLimits{})
		if _, err := g.ReadFile("a"); !errors.Is(err, ErrTooLarge) || g.Err() != nil {
			t.Errorf("%v, %v", err, g.Err())
		}
	})
	t.Run("incomplete", func(t *testing.T) {
		t.Parallel()
		tree, b := treeOf("a", "big/known")
		tree.Unread = []string{"big"}
		f := NewTreeFS(t.Context(), tree, b.fetch, FSLimits{})
		if _, err := f.ReadFile("big/known"); err != nil {
			t.Error(err)
		}
		if _, err := f.Stat("bigger"); !errors.Is(err, fs.ErrNotExist) || f.Err() != nil {
			t.Errorf("%v, %v", err, f.Err())
		}
		if _, err := f.Stat("big/other"); !errors.Is(err, ErrUnread) || errors.Is(err, fs.ErrNotExist) || !errors.Is(f.Err(), ErrUnread) {
			t.Errorf("%v, %v", err, f.Err())
		}
		if _, err := f.ReadDir("big"); !errors.Is(err, ErrUnread) {
			t.Error(err)
		}
	})
}

// TestTreeFSMemory: what is kept stays under its bound, the most recently used first.
func TestTreeFSMemory(t *testing.T) {
	t.Parallel()
	tree, b := treeOf("a", "b", "c")
	for sha := range b.content {
		b.content[sha] = strings.Repeat("x", 100)
	}
	f := NewTreeFS(t.Context(), tree, b.fetch, FSLimits{CacheBytes: 250})
	read := func(names ...string) {
		for _, n := range names {
			if got, err := f.ReadFile(n); err != nil || len(got) != 100 {
				t.Fatal(n, err)
			}
			if f.held > 250 || f.held != int64(100*len(f.cache)) || len(f.order) != len(f.cache) {
				t.Fatalf("%d bytes held in %d entries, %d in order", f.held, len(f.cache), len(f.order))
			}
		}
	}
	read("a", "b", "a", "c", "a") // c pushes out b, not a
	if len(b.fetched) != 3 {
		t.Errorf("fetched %v", b.fetched)
	}
	read("b")
	if len(b.fetched) != 4 {
		t.Errorf("fetched %v", b.fetched)
	}
	f.Put(shaA, bytes.Repeat([]byte("y"), 300))
	if _, ok := f.cache[shaA]; ok {
		t.Error("kept what is larger than everything")
	}
}

func TestTreeFSOpen(t *testing.T) {
	t.Parallel()
	tree, b := treeOf("dir/a", "dir/b", "dir/c")
	f := NewTreeFS(t.Context(), tree, b.fetch, FSLimits{})
	d, err := f.Open("dir")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Read(make([]byte, 1)); err == nil {
		t.Error("read bytes of a directory")
	}
	list := d.(fs.ReadDirFile)
	first, err := list.ReadDir(2)
	rest, err2 := list.ReadDir(2)
	_, err3 := list.ReadDir(2)
	if len(first) != 2 || len(rest) != 1 || err != nil || err2 != nil || !errors.Is(err3, io.EOF) {
		t.Error(first, rest, err, err2, err3)
	}
	if _, err := f.ReadFile("dir"); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("read a directory: %v", err)
	}
	if _, err := f.ReadDir("dir/a"); err == nil {
		t.Error("listed a file")
	}
}

// FuzzTreeFSLinks: links of any text neither panic nor lead out nor run forever.
func FuzzTreeFSLinks(f *testing.F) {
	f.Add("../../x", "a/b", "l/l")
	f.Add("/etc", "", ".")
	f.Add("l2", "l1/..", "d/l1/x")
	f.Fuzz(func(t *testing.T, one, two, name string) {
		tree, b := treeOf("d/file", "d/l1 -> "+one, "l2 -> "+two)
		b.content[fmt.Sprintf("%040x", 2)], b.content[fmt.Sprintf("%040x", 3)] = one, two
		v := NewTreeFS(context.Background(), tree, b.fetch, FSLimits{})
		for _, n := range []string{name, "d/l1", "l2", "d/l1/" + name} {
			if e, err := v.Lookup(n); err == nil {
				if _, ok := v.exact(e.Path); !ok || e.Mode == ModeLink {
					t.Errorf("%q leads to %+v", n, e)
				}
			}
		}
		if v.Err() != nil {
			t.Error(v.Err())
		}
	})
}
