package project

import (
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
)

// A Repo that many Dockerfiles share gives each of them the same answers,
// whatever was read before and by whom.
func TestSharedRepo(t *testing.T) {
	t.Parallel()
	fsys := fstest.MapFS{}
	var compose strings.Builder
	compose.WriteString("services:\n")
	const n = 180
	for i := range n {
		dir := fmt.Sprintf("s%03d", i)
		fsys[dir+"/Dockerfile"] = &fstest.MapFile{}
		fsys[dir+"/package.json"] = &fstest.MapFile{Data: []byte(`{"scripts":{"start":"node ` + dir + `.js"}}`)}
		fsys[dir+"/data"] = &fstest.MapFile{Data: make([]byte, 100_000)}
		fmt.Fprintf(&compose, "  %s: {build: %s}\n", dir, dir)
	}
	fsys["compose.yaml"] = &fstest.MapFile{Data: []byte(compose.String())}
	repo := NewRepo(fsys)
	if NewRepo(repo) != repo {
		t.Error("a Repo is wrapped again")
	}
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := w; i < n; i += 2 {
				dir := fmt.Sprintf("s%03d", i)
				p := Open(repo, dir+"/Dockerfile", []string{"package.json"})
				if b, ok := p.Read("data"); !ok || len(b) != 100_000 {
					t.Errorf("%s: data not read", dir)
				}
				node := p.Node(".")
				if node == nil {
					t.Errorf("%s: no package.json", dir)
					return
				}
				if r, reason := node.Start("start"); reason != "" || r.Argv[1] != dir+".js" {
					t.Errorf("%s: %v %s", dir, r.Argv, reason)
				}
				if b := p.Builds(); len(b) != 1 || b[0].Name != dir {
					t.Errorf("%s: builds %v", dir, b)
				}
			}
		})
	}
	wg.Wait()
	if repo.bytes > maxKept+MaxFile {
		t.Errorf("remembers %d bytes", repo.bytes)
	}
}

// One Dockerfile cannot make the whole repository be read.
func TestReadLimit(t *testing.T) {
	t.Parallel()
	fsys := fstest.MapFS{"Dockerfile": {}, "requirements.txt": {Data: []byte("-r r0.txt\n")}}
	for i := range 2 * maxReads {
		fsys[fmt.Sprintf("f%d", i)] = &fstest.MapFile{Data: []byte("x")}
	}
	p := Open(fsys, "Dockerfile", nil)
	read := 0
	for i := range 2 * maxReads {
		if _, ok := p.Read(fmt.Sprintf("f%d", i)); ok {
			read++
		}
	}
	if read != maxReads {
		t.Errorf("read %d files, want %d", read, maxReads)
	}
	if _, ok := p.Read("f0"); !ok {
		t.Error("a file that was read before is refused")
	}
}

// What stands outside of the tree, or is no regular file, is not read.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	fsys := fstest.MapFS{
		"Dockerfile":   {},
		"package.json": {Mode: fs.ModeSymlink, Data: []byte("../../etc/passwd")},
		"go.mod":       {Mode: fs.ModeDir},
		"pom.xml":      {Data: []byte("<project>\x00")},
		"Gemfile":      {Data: []byte("gem \"\xff\xfe\"")},
	}
	p := Open(panicFS{fsys}, "Dockerfile", nil)
	if p.Node(".") != nil || p.Go(".") != nil || p.Java(".") != nil || p.Ruby(".") != nil {
		t.Error("something was read")
	}
	if _, ok := p.Read("boom"); ok {
		t.Error("a file system that panics was read")
	}
	for _, name := range []string{"../x", "/etc/passwd", "", "a/../../x"} {
		if b, ok := p.Read(name); ok {
			t.Errorf("Read(%q) = %q", name, b)
		}
	}
}

// panicFS is a file system of somebody else that fails in the worst way.
type panicFS struct{ fs.FS }

func (p panicFS) Open(name string) (fs.File, error) {
	if name == "boom" {
		panic("boom")
	}
	return p.FS.Open(name)
}
