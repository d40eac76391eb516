package report

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"dhibot/rewrite"
)

// TestDiffApplies feeds our output to git apply and to patch. The text format
// is tried as well: on a pipe it is a patch with explanations between.
func TestDiffApplies(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("LABEL a=b\n", 30)
	for _, c := range []struct{ name, path, before, after string }{
		{"plain", "Dockerfile", "FROM a\nRUN b\n", "FROM c\nRUN b\n"},
		{"no final newline, changed last line", "Dockerfile", "FROM a", "FROM b"},
		{"no final newline, unchanged last line", "Dockerfile", "FROM a\nCMD x", "FROM b\nCMD x"},
		{"no final newline, line appended", "Dockerfile", "FROM a", "FROM a\nUSER 1"},
		{"newline added", "Dockerfile", "FROM a", "FROM a\n"},
		{"newline removed", "Dockerfile", "FROM a\n", "FROM a"},
		{"CRLF", "Dockerfile", "FROM a\r\nRUN b\r\n", "FROM c\r\nRUN b\r\n"},
		{"BOM", "Dockerfile", "\ufeffFROM a\n", "\ufeffFROM b\n"},
		{"bytes that are not UTF-8", "Dockerfile", "FROM a\n# \xe9\n", "FROM b\n# \xe9\n"},
		{"two hunks", "Dockerfile", "FROM a\n" + long + "CMD a\n", "FROM b\n" + long + "CMD b\n"},
		{"insertion at the top", "Dockerfile", long, "FROM a\n" + long},
		{"removal to nothing but one line", "Dockerfile", "FROM a\nRUN b\n", "FROM a\n"},
		{"lines like headers", "Dockerfile", "-- a/x\nFROM a\n", "++ b/x\nFROM a\n"},
		{"space in the name", "my app/Docker file", "FROM a\n", "FROM b\n"},
		{"name beyond ASCII", "höhe/Dockerfile", "FROM a\n", "FROM b\n"},
		{"quotes in the name", `a"b\c/Dockerfile`, "FROM a\n", "FROM b\n"},
		{"tab in the name", "a\tb/Dockerfile", "FROM a\n", "FROM b\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := &rewrite.Result{Path: c.path, Outcome: rewrite.Hardened, Reason: "--- a/x",
				Before: []byte(c.before), After: []byte(c.after),
				Changes: []rewrite.Change{{Rule: "base-image", Lines: [2]int{1, 1}, Why: "diff --git a/x b/x\n@@ -1 +1 @@"}}}
			for name, output := range map[string]string{
				"diff": render(t, Diff, Options{}, r),
				"text": render(t, Text, Options{}, r),
			} {
				apply(t, name+" with git apply", c.path, c.before, c.after, output, "git", "apply", "-")
				apply(t, name+" with patch", c.path, c.before, c.after, output, "patch", "-p1", "--binary", "--quiet")
			}
		})
	}
}

func apply(t *testing.T, what, path, before, after, diff string, command ...string) {
	t.Helper()
	if _, err := exec.LookPath(command[0]); err != nil {
		t.Logf("%s: not installed", command[0])
		return
	}
	dir := t.TempDir()
	file := filepath.Join(dir, filepath.FromSlash(path))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(before), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir = dir
	cmd.Stdin = strings.NewReader(diff)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s\n%s", what, err, out, diff)
		return
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != after {
		t.Errorf("%s: file is %q, want %q", what, got, after)
	}
}

// TestSeveralFiles: the other files of a result are in the same diff.
func TestSeveralFiles(t *testing.T) {
	t.Parallel()
	got := Unified(hardened())
	for _, want := range []string{"+++ b/services/api/Dockerfile\n", "+++ b/services/api/app conf.env\t\n", "+PORT=8080\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
	if got := Unified(skipped()); got != "" {
		t.Errorf("a result without changes has the diff %q", got)
	}
}

// FuzzUnified applies the hunks with a small patch program of its own.
func FuzzUnified(f *testing.F) {
	f.Add("FROM a\n", "FROM b\n")
	f.Add("", "a")
	f.Add("a", "")
	f.Add("a\nb\nc\nd\ne\nf\ng\nh\ni\nj", "a\nb2\nc\nd\ne\nf\ng\nh\ni\nj\n")
	// Two changes that share a hunk, and one that does not.
	f.Add("a\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl\nm\n", "1\nb\nc\n2\ne\nf\ng\nh\ni\nj\nk\nl\n3\n")
	f.Fuzz(func(t *testing.T, before, after string) {
		var out strings.Builder
		rest := strings.SplitAfter(before, "\n")
		line := 1
		for _, h := range hunks(before, after, nil) {
			for ; line < h.from && len(rest) > 0; line++ {
				out.WriteString(rest[0])
				rest = rest[1:]
			}
			if at := strings.Count(out.String(), "\n") + 1; h.toCount > 0 && h.to != at {
				t.Fatalf("a hunk says that it writes from line %d on, and it is line %d", h.to, at)
			}
			for _, l := range h.lines {
				if l.kind != '+' {
					if len(rest) == 0 || rest[0] != l.text {
						t.Fatalf("hunk has %q where the file has %q", l.text, rest)
					}
					rest = rest[1:]
					line++
				}
				if l.kind != '-' {
					out.WriteString(l.text)
				}
			}
		}
		out.WriteString(strings.Join(rest, ""))
		if out.String() != after {
			t.Fatalf("%q to %q came out as %q", before, after, out.String())
		}
	})
}
