package bot

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// apply puts hunks into a text, which is what hunks are for.
func apply(before string, list []hunk) string {
	lines := strings.SplitAfter(before, "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	var out strings.Builder
	next := 0
	for _, h := range list {
		start := h.oldStart - 1
		if h.oldCount == 0 {
			start = h.oldStart
		}
		out.WriteString(strings.Join(lines[next:start], ""))
		for _, l := range h.new {
			out.WriteString(l + "\n")
		}
		next = start + h.oldCount
	}
	out.WriteString(strings.Join(lines[next:], ""))
	return out.String()
}

func TestHunks(t *testing.T) {
	t.Parallel()
	const old = "a\nb\nc\nd\n"
	for after, want := range map[string][]hunk{
		old:                    nil,
		"a\nB\nc\nd\n":         {{oldStart: 2, oldCount: 1, newStart: 2, newCount: 1, new: []string{"B"}}},
		"a\nc\nd\n":            {{oldStart: 2, oldCount: 1, newStart: 2}},
		"a\nb\nx\ny\nc\nd\n":   {{oldStart: 2, newStart: 3, newCount: 2, new: []string{"x", "y"}}},
		"x\na\nb\nc\nd\n":      {{oldStart: 0, newStart: 1, newCount: 1, new: []string{"x"}}},
		"a\nb\nc\nd\nx\n":      {{oldStart: 4, newStart: 5, newCount: 1, new: []string{"x"}}},
		"A\nb\nx\nc\nD1\nD2\n": {{oldStart: 1, oldCount: 1, newStart: 1, newCount: 1, new: []string{"A"}}, {oldStart: 2, newStart: 3, newCount: 1, new: []string{"x"}}, {oldStart: 4, oldCount: 1, newStart: 5, newCount: 2, new: []string{"D1", "D2"}}},
	} {
		got, err := hunks(old, after)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(hunk{})); diff != "" {
			t.Errorf("%q (-want +got):\n%s", after, diff)
		}
		if back := apply(old, got); back != after {
			t.Errorf("applied to %q: %q, want %q", old, back, after)
		}
	}
}

func TestShown(t *testing.T) {
	t.Parallel()
	for patch, want := range map[string]map[int]bool{
		"":                                {},
		"@@ -1,2 +1,3 @@\n a\n-b\n+B\n+C": {1: true, 2: true, 3: true},
		"@@ -1 +1 @@\n-a\n+A\n\\ No newline at end of file":        {1: true},
		"@@ -0,0 +1,2 @@\n+a\n+b\n@@ -9,2 +12,1 @@ FROM x\n c\n-d": {1: true, 2: true, 12: true},
		"@@ nonsense": {},
		"+a\n b":      {},
	} {
		if diff := cmp.Diff(want, shown(patch)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", patch, diff)
		}
	}
}
