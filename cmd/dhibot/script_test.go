package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes this test binary the program when it is called dhibot, so
// that the stories start the real thing.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"dhibot": main})
}

// TestScript plays the stories of testdata/script.
func TestScript(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			// Settings of whoever runs the tests must not reach the program.
			for _, v := range os.Environ() {
				if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "DHIBOT_") {
					env.Setenv(name, "")
				}
			}
			env.Setenv("GIT_CONFIG_NOSYSTEM", "1")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "many": many,
		},
	})
}

// exits runs a program and holds its exit code: exits 2 dhibot migrate. Its
// output goes where exec would put it.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM [ARGUMENT...]")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if want := args[0]; strconv.Itoa(code) != want {
		ts.Fatalf("exit code %d, want %s", code, want)
	}
}

// many makes N directories with a Dockerfile each: many DIR N FILE.
func many(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: many DIR N FILE")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	content := []byte(ts.ReadFile(args[2]))
	for i := range n {
		dir := ts.MkAbs(filepath.Join(args[0], fmt.Sprintf("d%05d", i)))
		ts.Check(os.MkdirAll(dir, 0o755))
		ts.Check(os.WriteFile(filepath.Join(dir, "Dockerfile"), content, 0o644))
	}
}

// TestOwnDockerfile: our own image is what we tell others to build.
func TestOwnDockerfile(t *testing.T) {
	t.Parallel()
	out, err := program(t, "migrate", "--check", "--format", "json", "../../Dockerfile").CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), `{"path":"Dockerfile","outcome":"already",`) {
		t.Errorf("%v\n%s", err, out)
	}
}
