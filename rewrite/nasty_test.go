package rewrite_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dhibot/rewrite"
	"dhibot/rewrite/goldentest"
)

// TestHardInputs migrates the forty hard Dockerfiles of testdata/nasty. Each has
// a note (.md) that says what a right migration does; what ours does stands in
// the .want file beside it and was read against the note.
func TestHardInputs(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../testdata/nasty/*.Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 40 {
		t.Fatalf("found %d inputs, want 40", len(files))
	}
	// BuildKit refuses these; they must be reported and untouched.
	refused := map[string]bool{"25-concatenated": true, "26-dup-stage-case": true, "32-very-long-line": true, "37-invalid-add-from": true, "38-invalid-stage-name": true}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".Dockerfile")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			in := rewrite.Input{Path: "Dockerfile", Content: content}
			r, err := rewrite.Migrate(context.Background(), in)
			if err != nil {
				t.Fatal(err)
			}
			if refused[name] != (r.Outcome == rewrite.Failed) {
				t.Errorf("outcome %s (%s)", r.Outcome, r.Reason)
			}
			if refused[name] && !bytes.Equal(r.After, content) {
				t.Error("a file that BuildKit refuses was changed")
			}
			if !r.Changed() && r.Reason == "" {
				t.Error("left alone without a reason")
			}
			idempotent(t, in, r)
			want := describe(r)
			if r.Changed() {
				want += "\n" + string(r.After)
			}
			goldentest.Check(t, strings.TrimSuffix(file, ".Dockerfile")+".want", want)
		})
	}
}
