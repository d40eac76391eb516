package goldentest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Hard returns the hard inputs of testdata/nasty by name; root is the
// repository's, as seen from the test.
func Hard(t testing.TB, root string) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(root, "testdata/nasty/*.Dockerfile"))
	if err != nil || len(paths) != 40 {
		t.Fatalf("%d hard inputs, want 40 (%v)", len(paths), err)
	}
	inputs := map[string][]byte{}
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		inputs[strings.TrimSuffix(filepath.Base(p), ".Dockerfile")] = b
	}
	return inputs
}
