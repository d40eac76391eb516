//go:build build

// Package buildtest builds Dockerfiles before and after their migration, starts
// both images as their users and compares what they answer. The base images
// are stand-ins shaped by the catalog's facts; see standins.
//
//	go test -tags=build ./rewrite/...
package buildtest

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/tools/txtar"

	"dhibot/rewrite"
	"dhibot/rewrite/catalog"
)

// story is an example: a Dockerfile with its context, and what its image
// answers. The comment of its archive holds, a line each,
//
//	port: 3000          where it serves; `port: 80 8080` when the port moves
//	get: /path answer   what it answers there, before and after; fcgi:/script
//	                    has php-fpm run a script
//	prints: words       instead of both: what it prints before it ends
//	user: 10001         whom it runs as after, when that is not the image's own user
//	breaks: /path words what it answers there after, when the migration cannot
//	                    keep it working; then the checklist
//	says: words         has these words
//
// A server's health check has to succeed, before and after.
type story struct {
	repo          fstest.MapFS
	path          string // of the Dockerfile
	before, after int    // ports, 0 when it ends by itself
	paths, bodies []string
	prints        string
	user          int // 0 for the image's own
	breaks        map[string]string
	says          string
}

func TestBuiltAndRun(t *testing.T) {
	b := newBuildah(t)
	facts, err := catalog.Default()
	if err != nil {
		t.Fatal(err)
	}
	need(t, "busybox")
	out, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatalf("go env: %v", err)
	}
	s := &suite{b: b, images: &standins{b: b, catalog: facts, made: map[string]bool{}}, goCache: strings.TrimSpace(string(out))}
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories in testdata: %v", err)
	}
	for _, file := range files {
		// One after the other: every build and program is a process of its own.
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) { s.run(t, read(t, file)) })
	}
	t.Run("strict", s.strict)
}

// suite is what the stories share.
type suite struct {
	b       *buildah
	images  *standins
	goCache string
}

func (s *suite) run(t *testing.T, st *story) {
	result, err := rewrite.Migrate(context.Background(), rewrite.Input{
		Path: st.path, Content: st.repo[st.path].Data, FS: st.repo,
		Options: rewrite.Options{Catalog: s.images.catalog, MissingVersion: catalog.NearestVersion},
	})
	if err != nil {
		t.Fatal(err)
	}
	if result.Outcome != rewrite.Hardened {
		t.Fatalf("outcome %s: %s", result.Outcome, result.Reason)
	}
	defer func() {
		if t.Failed() {
			t.Logf("the migrated file:\n%s", result.After)
			for _, f := range result.Files {
				t.Logf("%s with it:\n%s", f.Path, f.After)
			}
		}
	}()
	aliases := []string{"", "scratch"}
	var final string
	for _, stage := range result.Stages {
		for _, ref := range []string{stage.From, stage.To} {
			if !slices.Contains(aliases, ref) {
				s.images.ensure(t, ref)
			}
		}
		aliases = append(aliases, stage.Name)
		if stage.Final {
			final = stage.To
		}
	}
	repo := st.repo
	was := s.answers(t, "before", repo, st.path, st.before, st.paths)
	repo = fstest.MapFS{}
	for name, f := range st.repo {
		repo[name] = f
	}
	repo[st.path] = &fstest.MapFile{Data: result.After}
	for _, f := range result.Files {
		repo[f.Path] = &fstest.MapFile{Data: f.After}
	}
	is := s.answers(t, "after", repo, st.path, st.after, st.paths)
	t.Logf("before: users %v, %q%s; after: users %v, %q%s", was.uids, was.bodies, was.output, is.uids, is.bodies, is.output)
	want := slices.Clone(st.bodies)
	check(t, "before", was, want, st.prints)
	for i, p := range st.paths {
		if broken, ok := st.breaks[p]; ok {
			want[i] = broken
		}
	}
	check(t, "after", is, want, st.prints)
	if !slices.ContainsFunc(result.Checklist, func(i rewrite.Item) bool { return strings.Contains(i.Text, st.says) }) {
		t.Errorf("the checklist does not say %q: %+v", st.says, result.Checklist)
	}
	s.users(t, final, st.user, is)
}

func check(t *testing.T, form string, got answers, bodies []string, prints string) {
	t.Helper()
	if !slices.Equal(got.bodies, bodies) || got.output != prints {
		t.Errorf("%s: it answered %q and printed %q; want %q and %q", form, got.bodies, got.output, bodies, prints)
	}
}

// users checks that every process of the migrated image ran as one user: want,
// or when that is 0 the one that the catalog says the image has.
func (s *suite) users(t *testing.T, final string, want int, is answers) {
	t.Helper()
	o := s.images.catalog.Origin(final, nil)
	def, ok := s.images.catalog.Lookup(o.Image, o.Tag)
	if !ok {
		t.Fatalf("the final stage is on %q, which the catalog does not list", final)
	}
	if is.output == "" && len(is.uids) == 0 {
		t.Error("no process was seen in the container")
	}
	if want == 0 {
		want = def.RunUser().UID
	}
	for _, uid := range is.uids {
		if uid != want {
			t.Errorf("a process of the container ran as %d; it should be %d", uid, want)
		}
	}
}

// answers builds one form of the example and starts it.
func (s *suite) answers(t *testing.T, form string, repo fstest.MapFS, dockerfile string, port int, paths []string) answers {
	t.Helper()
	a, err := s.try(t, form, repo, dockerfile, port, paths)
	if err != nil {
		t.Fatalf("%s: %v", form, err)
	}
	return a
}

// try is answers where failing is an answer too.
func (s *suite) try(t *testing.T, form string, repo fstest.MapFS, dockerfile string, port int, paths []string) (a answers, err error) {
	t.Helper()
	dir := t.TempDir()
	for name, f := range repo {
		put(t, filepath.Join(dir, filepath.FromSlash(name)), string(f.Data))
	}
	tag := "localhost/" + strings.ToLower(strings.ReplaceAll(t.Name(), "/", "-")) + ":" + form
	cache := ""
	if _, ok := repo["go.mod"]; ok {
		cache = s.goCache
	}
	err = inOwnNetwork(func() (err error) {
		if err := s.b.build(dir, dockerfile, tag, cache); err != nil {
			return fmt.Errorf("building: %w", err)
		}
		a, err = s.b.start(tag, port, paths)
		return err
	})
	return a, err
}

// read reads a story. @PYTHON@ and @PHP@ in it are the versions of the machine's:
// another version's directories would not be found. What is below a name that ends in .whl becomes
// a wheel.
func read(t *testing.T, file string) *story {
	t.Helper()
	ar, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	st := &story{repo: fstest.MapFS{}, breaks: map[string]string{}}
	wheels := map[string][]txtar.File{}
	for _, f := range ar.Files {
		if st.path == "" {
			st.path = f.Name
		}
		if bytes.Contains(f.Data, []byte("@PHP@")) {
			f.Data = bytes.ReplaceAll(f.Data, []byte("@PHP@"), []byte(machinePHP(t)))
		}
		if bytes.Contains(f.Data, []byte("@PYTHON@")) {
			_, version := python(t)
			f.Data = bytes.ReplaceAll(f.Data, []byte("@PYTHON@"), []byte(version))
		}
		if wheel, member, ok := strings.Cut(f.Name, ".whl/"); ok {
			wheels[wheel+".whl"] = append(wheels[wheel+".whl"], txtar.File{Name: member, Data: f.Data})
			continue
		}
		st.repo[f.Name] = &fstest.MapFile{Data: f.Data, Mode: 0o644}
	}
	for name, members := range wheels {
		st.repo[name] = &fstest.MapFile{Data: archive(t, members), Mode: 0o644}
	}
	for line := range strings.Lines(string(ar.Comment)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch key {
		case "port":
			ports := strings.Fields(value)
			st.before, st.after = number(t, ports[0]), number(t, ports[len(ports)-1])
		case "get":
			p, body, _ := strings.Cut(value, " ")
			st.paths, st.bodies = append(st.paths, p), append(st.bodies, body)
		case "prints":
			st.prints = value
		case "user":
			st.user = number(t, value)
		case "breaks":
			p, body, _ := strings.Cut(value, " ")
			st.breaks[p] = body
		case "says":
			st.says = value
		}
	}
	if st.before == 0 && st.prints == "" {
		t.Fatalf("%s says neither where it serves nor what it prints", file)
	}
	return st
}

func number(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// archive makes a wheel of its members.
func archive(t *testing.T, members []txtar.File) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for _, m := range members {
		w, err := z.Create(m.Name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(m.Data); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}
