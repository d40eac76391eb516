package gitdb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Git runs the git program in a clean environment: no user or system
// configuration, no prompts, no locale, so that a run is the same everywhere.
type Git struct {
	program string
	home    string
	exec    string
}

// FindGit looks for git on PATH; home is an empty directory it may use as HOME.
// The error says what is missing in words a user can act on.
func FindGit(home string) (*Git, error) {
	p, err := exec.LookPath("git")
	if err != nil {
		return nil, fmt.Errorf("the GitHub stand-in needs the git program on PATH (2.38 or newer): %w", err)
	}
	g := &Git{program: p, home: home}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	out, _, err := g.Run(ctx, home, nil, "version")
	if err != nil {
		return nil, fmt.Errorf("git version: %w", err)
	}
	if !newEnough(string(out)) {
		return nil, fmt.Errorf("the GitHub stand-in needs git 2.38 or newer (git merge-tree --write-tree), found %q", strings.TrimSpace(string(out)))
	}
	out, _, err = g.Run(ctx, home, nil, "--exec-path")
	if err != nil {
		return nil, fmt.Errorf("git --exec-path: %w", err)
	}
	g.exec = strings.TrimSpace(string(out))
	return g, nil
}

func newEnough(version string) bool {
	f := strings.Fields(version)
	if len(f) < 3 {
		return false
	}
	parts := strings.SplitN(f[2], ".", 3)
	if len(parts) < 2 {
		return false
	}
	major, err1 := strconv.Atoi(parts[0])
	minor, err2 := strconv.Atoi(parts[1])
	return err1 == nil && err2 == nil && (major > 2 || major == 2 && minor >= 38)
}

// Program is the path of the git program.
func (g *Git) Program() string { return g.program }

// HTTPBackend is the path of git-http-backend, "" when git lacks it.
func (g *Git) HTTPBackend() string {
	p := filepath.Join(g.exec, "git-http-backend")
	if _, err := os.Stat(p); err != nil {
		return ""
	}
	return p
}

// Env is the environment of every git process.
func (g *Git) Env() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + g.home, "LC_ALL=C", "TZ=UTC",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_TERMINAL_PROMPT=0",
		// The repositories are ours even when another user runs the process.
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*",
	}
}

// Run runs git in dir and returns its output and exit code. err is set when
// git could not run or was cancelled, not for a non-zero exit.
func (g *Git) Run(ctx context.Context, dir string, stdin io.Reader, args ...string) (out []byte, code int, err error) {
	return g.RunEnv(ctx, dir, nil, stdin, args...)
}

// RunEnv is Run with additional environment variables.
func (g *Git) RunEnv(ctx context.Context, dir string, env []string, stdin io.Reader, args ...string) (out []byte, code int, err error) {
	cmd := exec.CommandContext(ctx, g.program, args...)
	cmd.Dir, cmd.Env, cmd.Stdin = dir, append(g.Env(), env...), stdin
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() >= 0 && ctx.Err() == nil {
		if exit.ExitCode() >= 128 {
			return stdout.Bytes(), exit.ExitCode(), fmt.Errorf("git %s: %s", args[0], firstLine(stderr.String()))
		}
		return stdout.Bytes(), exit.ExitCode(), nil
	}
	if err != nil {
		return nil, -1, fmt.Errorf("git %s: %w", args[0], err)
	}
	return stdout.Bytes(), 0, nil
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	return s
}

// catFile reads one object that is in a pack, where only git can read it.
func (g *Git) catFile(dir string, id OID) (string, []byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	out, code, err := g.Run(ctx, dir, strings.NewReader(string(id)+"\n"), "cat-file", "--batch")
	if err != nil {
		return "", nil, err
	}
	head, rest, _ := bytes.Cut(out, []byte("\n"))
	f := strings.Fields(string(head))
	if code != 0 || len(f) != 3 {
		return "", nil, fmt.Errorf("object %s: %w", id, ErrNotFound)
	}
	size, err := strconv.Atoi(f[2])
	if err != nil || size > len(rest) {
		return "", nil, fmt.Errorf("object %s: cut short", id)
	}
	return f[1], rest[:size], nil
}

// Fsck returns what git fsck complains about, "" for a sound repository.
func (r *Repo) Fsck(ctx context.Context) (string, error) {
	dir, err := r.Dir()
	if err != nil {
		return "", err
	}
	out, code, err := r.git.Run(ctx, dir, nil, "fsck", "--full", "--strict", "--no-dangling", "--no-progress")
	if err != nil {
		return "", err
	}
	if code != 0 && len(out) == 0 {
		return fmt.Sprintf("git fsck: exit %d", code), nil
	}
	return strings.TrimSpace(string(out)), nil
}
