package standin_test

import (
	"errors"
	"io/fs"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"dhibot/bot/standin"
	"dhibot/bot/standin/standintest"
)

func TestSeedFS(t *testing.T) {
	t.Parallel()
	s, err := standin.New()
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	repos, err := s.SeedFS(fstest.MapFS{
		"acme/shop/Dockerfile": {Data: []byte("FROM a\n")}, "acme/shop/run.sh": {Data: []byte("#!/bin/sh\n"), Mode: 0o755}, "acme/shop/.git/config": {Data: []byte("x")},
		"acme/empty": {Mode: fs.ModeDir | 0o755}, "README.md": {Data: []byte("beside")}, "acme/note.txt": {Data: []byte("beside")}, "bob/tool/src/a/b.go": {Data: []byte("package a\n")},
	})
	must(t, err)
	var names []string
	for _, r := range repos {
		names = append(names, r.FullName())
	}
	if got := strings.Join(names, " "); got != "acme/empty acme/shop bob/tool" {
		t.Fatalf("seeded %s", got)
	}
	files, err := s.Repository("acme/shop").ReadFiles("main")
	must(t, err)
	if len(files) != 2 || files["run.sh"].Mode != "100755" || files["Dockerfile"].Mode != "100644" {
		t.Errorf("%v", files)
	}
	if len(s.Repository("acme/empty").Branches()) != 0 {
		t.Error("an empty directory has a branch")
	}
}

func TestTxtar(t *testing.T) {
	t.Parallel()
	f := standin.Txtar("comment\n-- a --\none\n-- b/c (executable) --\ntwo\n-- l (symlink) --\na\n-- empty --\n")
	if len(f) != 4 || f["a"].Content != "one\n" || f["b/c"].Mode != "100755" || f["l"].Mode != "120000" || f["l"].Content != "a" || f["empty"].Content != "" {
		t.Errorf("%v", f)
	}
}

func TestSeedRefuses(t *testing.T) {
	t.Parallel()
	w := newUnwatched(t)
	for name, try := range map[string]func() error{
		"an unknown owner": func() error { _, err := w.AddRepository("none", "a", nil); return err },
		"a taken name":     func() error { _, err := w.AddRepository("acme", "SHOP", nil); return err },
		"a slash":          func() error { _, err := w.AddRepository("acme", "a/b", nil); return err },
		"a path outside": func() error {
			_, err := w.AddRepository("acme", "b", standin.Text(map[string]string{"../a": "x"}))
			return err
		},
		"a path into .git": func() error {
			_, err := w.AddRepository("acme", "c", standin.Text(map[string]string{".git/config": "x"}))
			return err
		},
		"a permission": func() error {
			_, err := w.AddRepository("acme", "d", nil, standin.Collaborator("al", "all"))
			return err
		},
		"an App without a slug": func() error { _, err := w.AddApp(standin.AppConfig{}); return err },
		"an App id that is used": func() error {
			_, err := w.AddApp(standin.AppConfig{Slug: "x", ID: w.app.ID(), Key: standintest.Key(t)})
			return err
		},
		"an account unknown":   func() error { _, err := w.app.Install("none"); return err },
		"installed twice":      func() error { _, err := w.app.Install("acme"); return err },
		"a repository unknown": func() error { w.AddOrganization("new"); _, err := w.app.Install("new", "none"); return err },
		"an unknown fault":     func() error { return w.AddFault(standin.Fault{Kind: "x"}) },
		"a comment on nothing": func() error { _, err := w.repo.Comment("alice", 99, "x"); return err },
	} {
		if try() == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

// TestWithoutGit says what is missing.
func TestWithoutGit(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := standin.New()
	if err == nil || !errors.Is(err, exec.ErrNotFound) || !strings.Contains(err.Error(), "needs the git program") {
		t.Errorf("%v", err)
	}
}

// TestKeptDirectory: what WithDir names stays, complete for git.
func TestKeptDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := standin.New(standin.WithDir(dir))
	must(t, err)
	s.AddOrganization("acme")
	_, err = s.AddRepository("acme", "shop", standin.Txtar(sample))
	must(t, err)
	must(t, s.Close())
	found, err := filepath.Glob(filepath.Join(dir, "repos", "*", "*.git"))
	must(t, err)
	if len(found) != 1 {
		t.Fatalf("%v", found)
	}
	if out := git(t, found[0], "show", "main:Dockerfile"); !strings.HasPrefix(out, "FROM node:23") {
		t.Errorf("%q", out)
	}
}

// TestClosure keeps what is for tests only out of programs that link the
// stand-in, and our other packages out of it.
func TestClosure(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	must(t, err)
	for line := range strings.Lines(string(out)) {
		p := strings.TrimSpace(line)
		if strings.Contains(p, "kin-openapi") || strings.HasPrefix(p, "testing") || strings.HasPrefix(p, "dhibot/") && !strings.HasPrefix(p, "dhibot/bot/standin") {
			t.Errorf("the stand-in imports %s", p)
		}
	}
}
