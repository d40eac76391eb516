package demo

import (
	"bufio"
	"context"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// git runs git without anybody's configuration.
func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// TestDemo plays the whole demo and clones what it made: on the branch the
// Dockerfile is migrated, and nothing else in the tree is different.
func TestDemo(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	r, w := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := Run(ctx, Options{Listen: "127.0.0.1:0", Timeout: time.Minute, Out: w, Log: zerolog.New(zerolog.NewTestWriter(t)).Level(zerolog.WarnLevel)})
		w.CloseWithError(err)
		ended <- err
	}()
	var clone string
	var pulls []string
	lines := bufio.NewScanner(r)
	for clone == "" && lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if strings.HasPrefix(line, "http://") {
			pulls = append(pulls, line)
		}
		if _, command, ok := strings.Cut(line, "clone   "); ok {
			clone = strings.Fields(command)[4]
		}
	}
	if err := lines.Err(); err != nil || clone == "" {
		t.Fatalf("the demo ended early: %v", err)
	}
	if len(pulls) != 3 {
		t.Errorf("pull requests: %v", pulls)
	}
	go io.Copy(io.Discard, r) // ends when Run closes its side
	for _, name := range []string{"greeter", "gallery", "painter"} {
		dir := t.TempDir()
		git(t, dir, "clone", "-q", strings.Replace(clone, "greeter", name, 1), "c")
		dir = filepath.Join(dir, "c")
		// Raw lines: :mode mode sha sha status TAB path.
		diff := strings.Fields(git(t, dir, "diff", "--raw", "origin/main", "origin/dhi/migrate"))
		if len(diff) != 6 || diff[0] != ":100644" || diff[1] != "100644" || diff[4] != "M" || diff[5] != "Dockerfile" {
			t.Errorf("%s: the branch changes %q", name, diff)
		}
		if text := git(t, dir, "show", "origin/dhi/migrate:Dockerfile"); !strings.Contains(text, "FROM dhi.io/") {
			t.Errorf("%s: not migrated:\n%s", name, text)
		}
	}
	interrupt()
	if err := <-ended; err != nil {
		t.Errorf("ended with %v", err)
	}
}

// TestDemoOnce: the demo ends by itself, and says what is missing when time is
// too short for anything to be done.
func TestDemoOnce(t *testing.T) {
	t.Parallel()
	o := Options{Listen: "127.0.0.1:0", Once: true, Timeout: time.Minute, Out: io.Discard, Log: zerolog.Nop()}
	if err := Run(t.Context(), o); err != nil {
		t.Error(err)
	}
	o.Timeout = time.Nanosecond
	err := Run(t.Context(), o)
	if err == nil || !strings.Contains(err.Error(), "acme/greeter: no pull request and no answer") {
		t.Errorf("error %v", err)
	}
}

// TestSamplesAreReal builds and tests the Go sample and looks at the pictures.
// The others need packages from a registry; what they ask for is in their lock
// and requirements files.
func TestSamplesAreReal(t *testing.T) {
	t.Parallel()
	list, err := samples()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for path, f := range list[0].files {
		file := filepath.Join(dir, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(f.Content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "go", "test", "./...")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "GOPROXY=off", "GOTOOLCHAIN=local")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("go test: %v\n%s", err, out)
	}
	if mode := list[0].files["scripts/smoke.sh"].Mode; mode != "100755" {
		t.Errorf("scripts/smoke.sh has the mode %q", mode)
	}
	if _, err := jpeg.Decode(strings.NewReader(list[1].files["image.jpg"].Content)); err != nil {
		t.Error(err)
	}
	m, err := png.Decode(strings.NewReader(list[2].files["image.png"].Content))
	if err != nil {
		t.Fatal(err)
	}
	if b := m.Bounds(); b.Dx() != 64 || b.Dy() != 48 {
		t.Errorf("image.png is %v; its test expects 64 x 48", b)
	}
}
