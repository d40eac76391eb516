package discover

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"dhibot/rewrite/goldentest"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// story is a repository in a txtar file: `path -> target` is a symbolic link,
// `path/ submodule` another repository, `want` the expected result.
func story(t *testing.T, file string) (*txtar.Archive, []Entry, fstest.MapFS, string) {
	t.Helper()
	a, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	fsys, want := fstest.MapFS{}, ""
	var entries []Entry
	for _, f := range a.Files {
		link, target, isLink := strings.Cut(f.Name, " -> ")
		module, isModule := strings.CutSuffix(f.Name, "/ submodule")
		switch {
		case f.Name == "want":
			want = string(f.Data)
		case isLink:
			fsys[link] = &fstest.MapFile{Data: []byte(target), Mode: fs.ModeSymlink | 0o777}
			entries = append(entries, Entry{Path: link, Kind: KindLink, Size: int64(len(target))})
		case isModule:
			fsys[module+"/.git"] = &fstest.MapFile{Data: []byte("gitdir: elsewhere\n"), Mode: 0o644}
			fsys[module+"/Dockerfile"] = &fstest.MapFile{Data: []byte("FROM a\n"), Mode: 0o644}
			entries = append(entries, Entry{Path: module, Kind: KindSubmodule})
		default:
			fsys[f.Name] = &fstest.MapFile{Data: f.Data, Mode: 0o644}
			entries = append(entries, Entry{Path: f.Name, Size: int64(len(f.Data))})
		}
	}
	return a, entries, fsys, want
}

func tell(r *Result) string {
	var b strings.Builder
	for _, f := range r.Files {
		b.WriteString(f.Path)
		if f.Code != Taken {
			fmt.Fprintf(&b, ": %s: %s", f.Code, f.Skip)
		}
		if len(f.Links) > 0 {
			fmt.Fprintf(&b, " <- %s", strings.Join(f.Links, " "))
		}
		if len(f.NamedBy) > 0 {
			fmt.Fprintf(&b, " <= %s", strings.Join(f.NamedBy, " "))
		}
		b.WriteByte('\n')
	}
	for _, m := range r.Submodules {
		fmt.Fprintf(&b, "submodule %s\n", m)
	}
	for _, p := range r.Problems {
		fmt.Fprintf(&b, "problem %s\n", p.Path)
	}
	return b.String()
}

// TestStories runs every story over the listing of a tree and over a walk; both
// must tell the same.
func TestStories(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no stories", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			a, entries, fsys, want := story(t, file)
			got := tell(Find(entries, fsys, Options{}))
			if goldentest.Update() {
				a.Files[len(a.Files)-1].Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
				want = got
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("tree (-want +got):\n%s", diff)
			}
			r, err := Walk(context.Background(), fsys, ".", Options{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, tell(r)); diff != "" {
				t.Errorf("walk (-want +got):\n%s", diff)
			}
			// The order of the listing does not matter.
			slices.Reverse(entries)
			if diff := cmp.Diff(want, tell(Find(entries, fsys, Options{}))); diff != "" {
				t.Errorf("reversed (-want +got):\n%s", diff)
			}
		})
	}
}

func TestClassify(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Dockerfile": "yes", "dockerfile": "yes", "DOCKERFILE": "yes", "Containerfile": "yes", "Dockerfile.x86_64": "yes",
		"Dockerfile.1.25": "yes", "Dockerfile.3.11-slim": "yes", "app.Dockerfile": "yes", "app.py.dockerfile": "yes", ".Dockerfile": "yes",
		"Dockerfile.py": "yes", "Dockerfile.js": "yes", "dockerfile.py": "source", "Dockerfile-lint.js": "source", "Dockerfile.parser.go": "source", "Containerfile.go": "yes", "Dockerfile.tar.gz": "document",
		"Dockerfile.md": "document", "Dockerfile.json": "document", "Dockerfile.tmpl": "template", "Dockerfile.erb": "template", "Dockerfile.m4": "template",
		"Dockerfile.prod.j2": "template", "x.tpl.Dockerfile": "template", "Dockerfile.template": "template", "Dockerfile.orig": "backup",
		"Dockerfile.rej": "backup", "#Dockerfile#": "backup", ".#Dockerfile": "backup", "Dockerfile.prod~": "backup", "Dockerfile.dockerignore": "dockerignore",
		"api.Dockerfile.dockerignore": "no", "Containerfile.containerignore": "dockerignore", "Dockerfiles": "no", "MyDockerfile": "no",
		"Dockerfile2": "no", "dockerfile.": "no", "Dockerfile-": "no", "": "no", ".": "no", ".dockerignore": "no", ".dockerfilelintrc": "no",
		"Dockerfile ": "no", "docker-compose.yml": "no", "~": "no", "#": "no",
	} {
		ok, code, why := Classify(name)
		got := "no"
		switch {
		case ok && code == Taken:
			got = "yes"
		case ok:
			got = string(code)
		}
		if got != want {
			t.Errorf("Classify(%q) is %s (%s), want %s", name, got, why, want)
		}
	}
}

// TestBounds shows the order of the reasons and the bounds.
func TestBounds(t *testing.T) {
	t.Parallel()
	var entries []Entry
	for i := range 6 {
		entries = append(entries, Entry{Path: fmt.Sprintf("svc%d/Dockerfile", i), Size: 10})
	}
	entries = append(entries, Entry{Path: strings.Repeat("d/", 41) + "Dockerfile", Size: 10}, Entry{Path: strings.Repeat("x", maxPath) + "/Dockerfile"})
	r := Find(entries, nil, Options{Most: 3, Wants: func(p string) (bool, string) { return !strings.HasPrefix(p, "svc1/"), "unwanted" }})
	var got []string
	for _, f := range r.Files {
		got = append(got, path.Dir(f.Path[:min(12, len(f.Path))])+" "+string(f.Code))
	}
	want := []string{
		"d/d/d/d/d/d too-deep", "svc0 ", "svc1 settings", "svc2 ", "svc3 ", "svc4 too-many", "svc5 too-many", ". too-deep",
	}
	want[0] = got[0][:strings.IndexByte(got[0], ' ')] + " too-deep"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if n := taken(r); n != 3 {
		t.Errorf("%d taken", n)
	}
	if n := taken(Find(entries, nil, Options{Most: -1})); n != 6 {
		t.Errorf("%d taken without a bound", n)
	}
}

func TestDefaultMost(t *testing.T) {
	t.Parallel()
	var entries []Entry
	for i := range 600 {
		entries = append(entries, Entry{Path: fmt.Sprintf("%03d/Dockerfile", i), Size: 5000})
	}
	r := Find(entries, nil, Options{})
	if n := taken(r); n != 500 {
		t.Errorf("%d taken", n)
	}
	if len(r.Files) != 600 || r.Files[500].Code != TooMany || !strings.Contains(r.Files[500].Skip, "500") {
		t.Errorf("the 501st is %+v", r.Files[500])
	}
}

// failing answers every read with an error.
type failing struct{ fstest.MapFS }

var errBroken = errors.New("broken")

func (failing) Open(string) (fs.File, error) { return nil, errBroken }

// TestUnreadable: a read that fails is reported and never taken for "nothing there".
func TestUnreadable(t *testing.T) {
	t.Parallel()
	entries := []Entry{{Path: "Dockerfile", Size: 100}, {Path: "big/Dockerfile", Size: 4000}, {Path: "compose.yaml", Size: 10}}
	r := Find(entries, failing{}, Options{})
	if got, want := tell(r), "Dockerfile: unreadable: it cannot be read\nbig/Dockerfile\nproblem compose.yaml\nproblem Dockerfile\n"; got != want {
		t.Errorf("got\n%s", got)
	}
	for _, p := range r.Problems {
		if !errors.Is(p.Err, errBroken) {
			t.Errorf("%s: %v", p.Path, p.Err)
		}
	}
}

// TestWalkDirectory walks a real directory through os.Root, as the command line does.
func TestWalkDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{
		"Dockerfile": 0o755, "sub/web.dockerfile": 0o644, "node_modules/x/Dockerfile": 0o644, ".git/Dockerfile": 0o644,
		"nested/.git/HEAD": 0o644, "nested/Dockerfile": 0o644, "sub/main.go": 0o644,
	} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte("FROM a\n"), mode)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("../Dockerfile", filepath.Join(dir, "sub", "Dockerfile")); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	r, err := Walk(context.Background(), root.FS(), ".", Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := "Dockerfile <- sub/Dockerfile\nsub/Dockerfile: link: a symbolic link to Dockerfile\nsub/web.dockerfile\nsubmodule nested\n"
	if diff := cmp.Diff(want, tell(r)); diff != "" {
		t.Error(diff)
	}
	if !r.Files[0].Executable || r.Files[0].Size != 7 || r.Files[2].Executable {
		t.Errorf("mode and size: %+v", r.Files)
	}
	sub, err := Walk(context.Background(), root.FS(), "sub", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := tell(sub); got != "Dockerfile <- sub/Dockerfile\nsub/Dockerfile: link: a symbolic link to Dockerfile\nsub/web.dockerfile\n" {
		t.Errorf("below a folder:\n%s", got)
	}
	if _, err := Walk(context.Background(), root.FS(), "nowhere", Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing folder: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Walk(ctx, root.FS(), ".", Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestBuildFiles(t *testing.T) {
	t.Parallel()
	var got []string
	for _, e := range BuildFiles([]Entry{
		{Path: "z/docker-compose.yml"}, {Path: "compose.override.yaml"}, {Path: "docker-bake.hcl"}, {Path: "ci.bake.hcl"},
		{Path: "composer.yaml"}, {Path: "vendor/compose.yaml"}, {Path: "big/compose.yaml", Size: maxBuildFileSize + 1},
		{Path: "link/compose.yaml", Kind: KindLink}, {Path: "docker-compose-dev.yml"}, {Path: "decompose.yml"},
	}) {
		got = append(got, e.Path)
	}
	if diff := cmp.Diff([]string{"ci.bake.hcl", "compose.override.yaml", "docker-bake.hcl", "docker-compose-dev.yml", "z/docker-compose.yml"}, got); diff != "" {
		t.Error(diff)
	}
}

// FuzzClassify: a name never makes it panic, a file passed over has a reason,
// and letters' case decides nothing but source code.
func FuzzClassify(f *testing.F) {
	for _, s := range []string{"Dockerfile", "dockerfile.go", ".#Dockerfile", "x.tmpl.dockerfile", "Dockerfile~", "Dockerfile.\xff", "#", "."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		ok, code, why := Classify(name)
		if (code == Taken) != (why == "") || !ok && code != Taken {
			t.Errorf("%q: %v %q %q", name, ok, code, why)
		}
		if again, _, _ := Classify(strings.ToLower(name)); again != ok {
			t.Errorf("%q: %v, in lower case %v", name, ok, again)
		}
		if c, why := Folder(name); (c == Taken) != (why == "") {
			t.Errorf("Folder(%q): %q %q", name, c, why)
		}
	})
}

// FuzzBuildFiles: hostile build files neither panic nor lead out of the repository.
func FuzzBuildFiles(f *testing.F) {
	for _, s := range []string{
		"services: {a: {build: ../../x}}", "target \"a\" {\n dockerfile = \"x\"\n}", "target \"a\" { context = <<E\n", `{"target":{"a":{"context":"../..","dockerfile":"etc/passwd"}}}`,
		"target {{{", "a: &a [*a]", "target \"${\" {", "/*", "target \"x\" { dockerfile = \"\\", "<<", "<<X",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		if len(content) > 1<<16 {
			return
		}
		for _, name := range []string{"compose.yaml", "docker-bake.hcl", "docker-bake.json"} {
			fsys := fstest.MapFS{"a/" + name: {Data: content}, "a/image": {Data: []byte("FROM x\n")}}
			r := Find([]Entry{{Path: "a/" + name, Size: int64(len(content))}, {Path: "a/image", Size: 7}}, fsys, Options{})
			for _, f := range r.Files {
				if f.Path != "a/image" && f.Path != "a/"+name {
					t.Errorf("%s led to %q", name, f.Path)
				}
			}
		}
	})
}

func BenchmarkWalk4000(b *testing.B) {
	fsys := fstest.MapFS{}
	for i := range 4000 {
		dir := fmt.Sprintf("team%02d/service%03d", i/100, i)
		fsys[dir+"/Dockerfile"] = &fstest.MapFile{Data: []byte(strings.Repeat("RUN x\n", 300))}
		for j := range 20 {
			fsys[fmt.Sprintf("%s/src/file%d.go", dir, j)] = &fstest.MapFile{}
		}
	}
	dir := b.TempDir()
	if err := os.CopyFS(dir, fsys); err != nil {
		b.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		b.Fatal(err)
	}
	defer root.Close()
	for b.Loop() {
		r, err := Walk(context.Background(), root.FS(), ".", Options{Most: -1})
		if err != nil || taken(r) != 4000 {
			b.Fatal(len(r.Files), err)
		}
	}
}

// taken counts the files that are Dockerfiles.
func taken(r *Result) int {
	n := 0
	for _, f := range r.Files {
		if f.Code == Taken {
			n++
		}
	}
	return n
}
