// Package goldentest compares what a test made with a file that holds what is
// expected. `go test ./PACKAGE -update` rewrites the files; read the difference
// before you commit it.
package goldentest

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the files that hold what is expected")

// Update tells that files of expectations are to be rewritten, for tests that
// keep them in a form of their own.
func Update() bool { return *update }

// Check compares got with the content of a file, line by line; with -update the
// file is written first.
func Check(t testing.TB, file, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil { // #nosec G301 -- part of the sources
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil { // #nosec G306 -- as above
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) == got {
		return
	}
	t.Errorf("%s (-want +got); -update rewrites it:\n%s", file, cmp.Diff(strings.SplitAfter(string(want), "\n"), strings.SplitAfter(got, "\n")))
}
