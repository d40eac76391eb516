package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// program starts the real program: this test binary under the name dhibot.
func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath("dhibot") // testscript.Main put it there
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "DHIBOT_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	return cmd
}

// TestInterruptedMigration: Ctrl-C in the middle of a long run. What was
// reported is complete, no file is half written, no temporary file is left.
func TestInterruptedMigration(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("sends SIGINT, which Windows does not have")
	}
	const before = "FROM python:3.14\nWORKDIR /app\nCOPY tool.py .\nCMD [\"python\", \"tool.py\"]\n"
	dir := t.TempDir()
	// More output than fits into a pipe, so that the program is surely still
	// working when it is interrupted after the first line.
	const files = 400
	for i := range files {
		sub := filepath.Join(dir, fmt.Sprintf("d%04d", i))
		if err := os.Mkdir(sub, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(sub, "Dockerfile"), []byte(before), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := program(t, "migrate", "-w", "--format", "json", dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	first, err := lines.ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(lines)
	if err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != exitInterrupted {
		t.Errorf("ended with %v, stderr %s", err, &stderr)
	}
	if !strings.Contains(stderr.String(), fmt.Sprintf("of %d Dockerfiles", files)) {
		t.Errorf("stderr does not say how far it came: %q", &stderr)
	}
	reported := 0
	for line := range strings.Lines(string(first) + string(rest)) {
		if !json.Valid([]byte(line)) {
			t.Errorf("half a line: %.80q", line)
		}
		reported++
	}
	if reported == 0 || reported >= files {
		t.Errorf("%d of %d files were reported", reported, files)
	}
	written := 0
	err = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if d.Name() != "Dockerfile" {
			t.Errorf("left behind: %s", path)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if string(content) == before {
			return nil
		}
		written++
		if !strings.HasSuffix(string(content), "CMD [\"python\", \"tool.py\"]\n") {
			t.Errorf("%s is half written: %q", path, content)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// A file is written just before it is reported.
	if written < reported || written > reported+1 {
		t.Errorf("%d files were written, %d reported", written, reported)
	}
}

// TestInterruptedStdin: waiting for standard input ends with the first Ctrl-C.
func TestInterruptedStdin(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("sends SIGINT, which Windows does not have")
	}
	cmd := program(t, "migrate", "-")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// A pipe holds 64 KiB; when more was taken, the program is reading and its
	// signal handler, set up before that, is in place.
	if _, err := in.Write(make([]byte, 128<<10)); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != exitInterrupted {
		t.Errorf("ended with %v", err)
	}
}
