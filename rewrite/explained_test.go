package rewrite_test

import (
	"bytes"
	"strconv"
	"strings"
	"testing"

	"dhibot/rewrite"
	"dhibot/rewrite/report"
)

// explained checks that every line which the diff shows as removed or added
// belongs to a change, and that what a change says it wrote stands where it
// says so.
func explained(t *testing.T, r *rewrite.Result) {
	t.Helper()
	after := strings.Split(strings.ReplaceAll(string(r.After), "\r\n", "\n"), "\n")
	in := func(line int, pick func(rewrite.Change) [2]int) bool {
		for _, c := range r.Changes {
			if l := pick(c); l[0] <= line && line <= l[1] {
				return true
			}
		}
		return false
	}
	diff, _, _ := strings.Cut(report.Unified(r), "\ndiff --git ") // the Dockerfile comes first
	if bytes.Equal(r.Before, r.After) {
		diff = ""
	}
	old, now := 0, 0
	for _, l := range strings.Split(diff, "\n") {
		switch {
		case strings.HasPrefix(l, "@@"):
			old, now = number(t, l, "-"), number(t, l, "+")
		case old == 0 || strings.HasPrefix(l, "\\"):
		case strings.HasPrefix(l, "-"):
			if !in(old, func(c rewrite.Change) [2]int { return c.Lines }) {
				t.Errorf("no change speaks of line %d, which goes: %q", old, l)
			}
			old++
		case strings.HasPrefix(l, "+"):
			if strings.TrimSpace(l[1:]) != "" && !in(now, func(c rewrite.Change) [2]int { return c.NewLines }) {
				t.Errorf("no change speaks of line %d of the result: %q", now, l)
			}
			now++
		default:
			old++
			now++
		}
	}
	for _, c := range r.Changes {
		if c.NewLines[0] == 0 || c.After == "" || len(after) < c.NewLines[1] {
			continue
		}
		first, _, _ := strings.Cut(c.After, "\n")
		if written := strings.Join(after[c.NewLines[0]-1:c.NewLines[1]], "\n"); !strings.Contains(written, first) && !strings.Contains(written, "$") {
			t.Errorf("%s says that lines %d-%d carry %q; they are %q", c.Rule, c.NewLines[0], c.NewLines[1], first, written)
		}
	}
}

// keepsComments checks that no comment line is lost; those within an
// instruction that goes are part of it.
func keepsComments(t *testing.T, r *rewrite.Result) {
	t.Helper()
	have := map[string]bool{}
	for l := range strings.Lines(string(r.After)) {
		have[strings.TrimSpace(l)] = true
	}
	for i, l := range strings.Split(string(r.Before), "\n") {
		l = strings.TrimSpace(l)
		if !strings.HasPrefix(l, "#") || have[l] || strings.Contains(l, "hadolint") {
			continue
		}
		inside := false
		for _, c := range r.Changes {
			inside = inside || c.Lines[0] <= i && i+2 <= c.Lines[1] && strings.Contains(c.Before, l)
		}
		if !inside {
			t.Errorf("line %d, a comment, is lost: %s", i+1, l)
		}
	}
}

func number(t *testing.T, header, side string) int {
	t.Helper()
	_, rest, _ := strings.Cut(header, side)
	n, err := strconv.Atoi(rest[:strings.IndexAny(rest, ", ")])
	if err != nil {
		t.Fatal(err)
	}
	return n
}
