package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"go.uber.org/goleak"

	"dhibot/rewrite"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// replace is an engine that writes FROM new where there was FROM old.
func replace(_ context.Context, in rewrite.Input) (*rewrite.Result, error) {
	after := strings.ReplaceAll(string(in.Content), "FROM old", "FROM new")
	return &rewrite.Result{Path: in.Path, Outcome: rewrite.Hardened, Before: in.Content, After: []byte(after)}, nil
}

// tree writes files below a new directory; a name that ends with a slash is a directory.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "/") {
			if err := os.MkdirAll(file, 0o755); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func find(t *testing.T, cwd string, args ...string) *Jobs {
	t.Helper()
	jobs, err := Find(t.Context(), cwd, args)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { jobs.Close() })
	return jobs
}

func TestPathsAndRepositories(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{
		"git/.git/":            "",
		"git/a/Dockerfile":     "FROM old",
		"git/b/Dockerfile":     "FROM old",
		"plain/x/Dockerfile":   "FROM old",
		"plain/Dockerfile":     "FROM old",
		"worktree/.git":        "gitdir: elsewhere",
		"worktree/s/odd-named": "FROM old",
	})
	for _, c := range []struct {
		name, cwd string
		args      []string
		want      string // repository:path=shown, repository relative to dir
	}{
		{"directory of a repository", ".", []string{"git/a"}, "git:a/Dockerfile=a/Dockerfile"},
		{"from inside of it", "git/a", []string{"."}, "git:a/Dockerfile=a/Dockerfile"},
		{"a file by name", "git", []string{"a/Dockerfile", "./a/Dockerfile"}, "git:a/Dockerfile=a/Dockerfile"},
		{"a file and its directory", "git", []string{"b/Dockerfile", "."}, "git:b/Dockerfile=b/Dockerfile git:a/Dockerfile=a/Dockerfile"},
		{"a directory without git", ".", []string{"plain"}, "plain:Dockerfile=Dockerfile plain:x/Dockerfile=x/Dockerfile"},
		{"a file without git belongs to the current directory", "plain", []string{"x/Dockerfile"}, "plain:x/Dockerfile=x/Dockerfile"},
		{"any name will do", ".", []string{"worktree/s/odd-named"}, "worktree:s/odd-named=s/odd-named"},
		{"two repositories keep the paths as given", ".", []string{"git/a", "plain/x/Dockerfile"},
			"git:a/Dockerfile=git/a/Dockerfile .:plain/x/Dockerfile=plain/x/Dockerfile"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, j := range find(t, filepath.Join(dir, c.cwd), c.args...).List {
				repo, err := filepath.Rel(dir, j.Repo.Dir)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, fmt.Sprintf("%s:%s=%s", repo, j.Path, j.Shown))
			}
			if g := strings.Join(got, " "); g != c.want {
				t.Errorf("got  %s\nwant %s", g, c.want)
			}
		})
	}
}

func TestArgumentsAreAllNamed(t *testing.T) {
	t.Parallel()
	_, err := Find(t.Context(), t.TempDir(), []string{"one", "two"})
	if !errors.Is(err, ErrArgument) || !strings.Contains(err.Error(), "one: ") || !strings.Contains(err.Error(), "two: ") {
		t.Errorf("error %v does not name both", err)
	}
}

func TestRunKeepsOrderAndBounds(t *testing.T) {
	t.Parallel()
	files := map[string]string{}
	for i := range 200 {
		files[fmt.Sprintf("d%03d/Dockerfile", i)] = "FROM old\n"
	}
	dir := tree(t, files)
	jobs := find(t, dir, ".")
	var started, emitted, ahead atomic.Int64
	engine := func(ctx context.Context, in rewrite.Input) (*rewrite.Result, error) {
		n := started.Add(1) - emitted.Load()
		for old := ahead.Load(); n > old && !ahead.CompareAndSwap(old, n); old = ahead.Load() {
		}
		return replace(ctx, in)
	}
	i := 0
	err := Run(t.Context(), jobs.List, 3, engine, func(j Job, r *rewrite.Result) error {
		emitted.Add(1)
		if want := fmt.Sprintf("d%03d/Dockerfile", i); r.Path != want || j.Path != want {
			t.Errorf("result %d is %s", i, r.Path)
		}
		i++
		return nil
	})
	if err != nil || i != 200 {
		t.Errorf("%d results, error %v", i, err)
	}
	// 12 in the queue, 3 being worked on, 1 in each hand of producer and consumer.
	if n := ahead.Load(); n > 20 {
		t.Errorf("%d results were held at once", n)
	}
}

func TestOneBadFileDoesNotStopTheRest(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{"a/Dockerfile": "panic", "b/Dockerfile": "error", "c/Dockerfile": "FROM old", "d/Dockerfile": ""})
	if err := os.Remove(filepath.Join(dir, "d/Dockerfile")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../../outside", filepath.Join(dir, "d/Dockerfile")); err != nil {
		t.Fatal(err)
	}
	engine := func(ctx context.Context, in rewrite.Input) (*rewrite.Result, error) {
		switch string(in.Content) {
		case "panic":
			panic("boom")
		case "error":
			return nil, errors.New("no catalog")
		}
		return replace(ctx, in)
	}
	repo, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer repo.Close()
	var list []Job
	for _, p := range []string{"a", "b", "c", "d"} {
		list = append(list, Job{Repo: repo, Path: p + "/Dockerfile", Shown: p})
	}
	list = append(list, Job{Repo: repo, Path: "e/Dockerfile", Shown: "e", Skip: "vendored code", Code: "vendored"})
	var got []string
	err = Run(t.Context(), list, 2, engine, func(_ Job, r *rewrite.Result) error {
		got = append(got, fmt.Sprintf("%s %s %s", r.Path, r.Outcome, r.Code))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := "a failed internal, b failed internal, c hardened , d failed unreadable, e skipped vendored"
	if g := strings.Join(got, ", "); g != want {
		t.Errorf("got  %s\nwant %s", g, want)
	}
}

func TestRunStops(t *testing.T) {
	t.Parallel()
	files := map[string]string{}
	for i := range 50 {
		files[fmt.Sprintf("d%02d/Dockerfile", i)] = "FROM old\n"
	}
	jobs := find(t, tree(t, files), ".")
	t.Run("when it is cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		n := 0
		err := Run(ctx, jobs.List, 2, replace, func(Job, *rewrite.Result) error {
			if n++; n == 3 {
				cancel()
			}
			return nil
		})
		if !errors.Is(err, context.Canceled) || n >= 50 {
			t.Errorf("%v after %d results", err, n)
		}
	})
	t.Run("when the report cannot be written", func(t *testing.T) {
		full := errors.New("disk full")
		err := Run(t.Context(), jobs.List, 2, replace, func(Job, *rewrite.Result) error { return full })
		if !errors.Is(err, full) {
			t.Errorf("error %v", err)
		}
	})
}

func TestWriteKeepsModeAndLinks(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{"real/Dockerfile": "FROM old\n", "nginx.conf": "listen 80;\n"})
	if err := os.Chmod(filepath.Join(dir, "real/Dockerfile"), 0o751); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("real/Dockerfile", filepath.Join(dir, "Dockerfile")); err != nil {
		t.Fatal(err)
	}
	repo, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer repo.Close()
	job := Job{Repo: repo, Path: "Dockerfile", Shown: "Dockerfile"}
	r := &rewrite.Result{Before: []byte("FROM old\n"), After: []byte("FROM new\n"),
		Files: []rewrite.FileChange{{Path: "nginx.conf", Before: []byte("listen 80;\n"), After: []byte("listen 8080;\n")}}}
	if err := Write(job, r); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"real/Dockerfile": "FROM new\n", "nginx.conf": "listen 8080;\n"} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != want {
			t.Errorf("%s is %q (%v)", name, got, err)
		}
	}
	if info, err := os.Lstat(filepath.Join(dir, "Dockerfile")); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link is %v (%v)", info, err)
	}
	if info, err := os.Stat(filepath.Join(dir, "real/Dockerfile")); err != nil || info.Mode().Perm() != 0o751 {
		t.Errorf("the mode is %v (%v)", info, err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*", temporaryPrefix+"*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}

	// The engine still sees what was there before, through any of the ways to read.
	fsys := repo.FS()
	if got, err := fs.ReadFile(fsys, "nginx.conf"); err != nil || string(got) != "listen 80;\n" {
		t.Errorf("the view has %q (%v)", got, err)
	}
	if info, err := fs.Stat(fsys, "nginx.conf"); err != nil || info.Size() != int64(len("listen 80;\n")) {
		t.Errorf("the view has %v (%v)", info, err)
	}

	// The same change asked for by another Dockerfile is no conflict.
	other := &rewrite.Result{Before: r.After, After: r.After, Files: r.Files}
	if err := Write(job, other); err != nil {
		t.Errorf("the same change again: %v", err)
	}
}

func TestWriteRefusesAChangedFile(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{"Dockerfile": "FROM edited\n", "nginx.conf": "listen 80;\n"})
	repo, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer repo.Close()
	r := &rewrite.Result{Before: []byte("FROM old\n"), After: []byte("FROM new\n")}
	if err := Write(Job{Repo: repo, Path: "Dockerfile"}, r); !errors.Is(err, ErrChanged) {
		t.Errorf("error %v", err)
	}
	// All or nothing: the first file would be fine, the second is not.
	r = &rewrite.Result{Before: []byte("FROM edited\n"), After: []byte("FROM new\n"),
		Files: []rewrite.FileChange{{Path: "nginx.conf", Before: []byte("listen 81;\n"), After: []byte("listen 8081;\n")}}}
	if err := Write(Job{Repo: repo, Path: "Dockerfile"}, r); !errors.Is(err, ErrChanged) {
		t.Errorf("error %v", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("left behind: %v (%v)", entries, err)
	}
	if got, _ := os.ReadFile(filepath.Join(dir, "Dockerfile")); string(got) != "FROM edited\n" {
		t.Errorf("the file is %q", got)
	}
}

// TestViewIsAFileSystem runs the standard library's own checks.
func TestViewIsAFileSystem(t *testing.T) {
	t.Parallel()
	repo, err := Open(tree(t, map[string]string{"a/b": "1", "c": "22"}))
	if err != nil {
		t.Fatal(err)
	}
	defer repo.Close()
	repo.view.keep("c", []byte("22"))
	if err := fstest.TestFS(repo.view, "a/b", "c"); err != nil {
		t.Error(err)
	}
}

func TestNothingOutsideIsReachable(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{"in/Dockerfile": "FROM old", "secret": "s"})
	if err := os.Symlink("../secret", filepath.Join(dir, "in/link")); err != nil {
		t.Fatal(err)
	}
	repo, err := Open(filepath.Join(dir, "in"))
	if err != nil {
		t.Fatal(err)
	}
	defer repo.Close()
	if got, err := fs.ReadFile(repo.FS(), "link"); err == nil {
		t.Errorf("read %q through a link out of the repository", got)
	}
	if _, err := repo.ReadFile("link", MaxFile); err == nil {
		t.Error("ReadFile followed a link out of the repository")
	}
}
