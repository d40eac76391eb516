package report

import (
	"fmt"
	"strings"

	udiff "github.com/aymanbagabas/go-udiff"

	"dhibot/rewrite"
)

// contextLines is what git and diff -u show around a change.
const contextLines = 3

// Unified is the change of all files of a result as one unified diff that
// patch -p1 and git apply accept, "" when nothing changes. The bytes of the
// files are in it as they are.
func Unified(r *rewrite.Result) string {
	var b strings.Builder
	for _, f := range files(r) {
		b.WriteString(f.header())
		for _, h := range f.hunks {
			b.WriteString(h.header())
			for _, l := range h.lines {
				b.WriteString(l.raw())
			}
		}
	}
	return b.String()
}

type diffFormat struct{}

func (diffFormat) result(w *Writer, r *rewrite.Result) {
	if !w.opts.Terminal {
		w.out.WriteString(Unified(r))
		return
	}
	p := palette{w.opts.Color}
	for _, f := range files(r) {
		for _, line := range strings.SplitAfter(strings.TrimSuffix(f.header(), "\n"), "\n") {
			w.out.printf("%s\n", p.bold(Escape(strings.TrimSuffix(line, "\n"))))
		}
		for _, h := range f.hunks {
			w.out.WriteString(p.cyan(strings.TrimSuffix(h.header(), "\n")) + "\n")
			for _, l := range h.lines {
				w.out.WriteString(l.shown(p) + "\n")
			}
		}
	}
}

func (diffFormat) close(*Writer) {}

// fileDiff is the change of one file.
type fileDiff struct {
	path    string
	hunks   []hunk
	changes []rewrite.Change
}

// hunk is a piece of a diff; its numbers are 1-based lines.
type hunk struct {
	from, fromCount int
	to, toCount     int
	lines           []diffLine
}

// diffLine is one line of a hunk.
type diffLine struct {
	kind     byte   // ' ', '-' or '+'
	text     string // with its line ending, if it has one
	old, new int    // its number before and after, 0 where it does not exist
}

// files are the changed files of a result, the Dockerfile first.
func files(r *rewrite.Result) []fileDiff {
	var out []fileDiff
	add := func(path string, before, after []byte, changes []rewrite.Change) {
		if string(before) == string(after) {
			return
		}
		out = append(out, fileDiff{path, hunks(string(before), string(after)), changes})
	}
	add(r.Path, r.Before, r.After, r.Changes)
	for _, f := range r.Files {
		add(f.Path, f.Before, f.After, f.Changes)
	}
	return out
}

func hunks(before, after string) []hunk {
	u, err := udiff.ToUnifiedDiff("", "", before, udiff.Lines(before, after), contextLines)
	if err != nil {
		// The edits come from Lines on the same text; see udiff.Unified, which
		// ends the program here.
		panic(fmt.Sprintf("diff of consistent edits: %v", err))
	}
	var out []hunk
	for _, h := range u.Hunks {
		n := hunk{from: h.FromLine, to: h.ToLine}
		old, new := h.FromLine, h.ToLine
		for _, l := range h.Lines {
			d := diffLine{kind: ' ', text: l.Content}
			if l.Kind == udiff.Delete {
				d.kind = '-'
			}
			if l.Kind == udiff.Insert {
				d.kind = '+'
			}
			if d.kind != '+' {
				d.old = old
				old++
			}
			if d.kind != '-' {
				d.new = new
				new++
			}
			n.lines = append(n.lines, d)
		}
		n.fromCount, n.toCount = old-h.FromLine, new-h.ToLine
		out = append(out, n)
	}
	return out
}

// header are the lines git writes above a changed file. With them git apply
// takes several files in one stream, text in between included.
func (f fileDiff) header() string {
	a, b := "a/"+f.path, "b/"+f.path
	qa, qb := quotePath(a), quotePath(b)
	tab := ""
	if qa == a && strings.ContainsRune(a, ' ') {
		// Without it patch takes what follows the space for a date.
		tab = "\t"
	}
	return fmt.Sprintf("diff --git %s %s\n--- %s%s\n+++ %s%s\n", qa, qb, qa, tab, qb, tab)
}

// quotePath writes a path as git does: in C quotes when it holds a quote, a
// backslash or a byte outside printable ASCII.
func quotePath(p string) string {
	plain := true
	for i := 0; i < len(p); i++ {
		if c := p[i]; c < 0x20 || c >= 0x7f || c == '"' || c == '\\' {
			plain = false
		}
	}
	if plain {
		return p
	}
	var b strings.Builder
	b.WriteByte('"')
	for i := 0; i < len(p); i++ {
		switch c := p[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\t':
			b.WriteString(`\t`)
		case c < 0x20 || c >= 0x7f:
			fmt.Fprintf(&b, `\%03o`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func (h hunk) header() string {
	side := func(start, count int) string {
		switch {
		case count == 1:
			return fmt.Sprint(start)
		case count == 0:
			// The line before, as GNU diff has it; 0 for an empty file.
			return fmt.Sprintf("%d,0", start-1)
		}
		return fmt.Sprintf("%d,%d", start, count)
	}
	return fmt.Sprintf("@@ -%s +%s @@\n", side(h.from, h.fromCount), side(h.to, h.toCount))
}

// raw is the line as a patch needs it.
func (l diffLine) raw() string {
	if strings.HasSuffix(l.text, "\n") {
		return string(l.kind) + l.text
	}
	return string(l.kind) + l.text + "\n\\ No newline at end of file\n"
}

// shown is the line as a person sees it, without a line ending. The CR of a
// CRLF line is left out: the terminal would jump, and no edit changes endings.
func (l diffLine) shown(p palette) string {
	text := strings.TrimSuffix(strings.TrimSuffix(l.text, "\n"), "\r")
	return p.line(l.kind, string(l.kind)+Escape(text))
}

// touches tells whether a change belongs to the hunk.
func (h hunk) touches(c rewrite.Change) bool {
	in := func(lines [2]int, start, count int) bool {
		return lines[0] > 0 && lines[0] < start+count && lines[1] >= start
	}
	if c.NewLines[0] > 0 {
		return in(c.NewLines, h.to, h.toCount)
	}
	return in(c.Lines, h.from, h.fromCount)
}

// anchor is the index of the line of the hunk beside which the reason for a
// change stands: the first line that the change wrote or removed.
func (h hunk) anchor(c rewrite.Change) int {
	for i, l := range h.lines {
		switch {
		case l.kind == '+' && c.NewLines[0] > 0 && l.new >= c.NewLines[0]:
			return i
		case l.kind == '-' && c.NewLines[0] == 0 && l.old >= c.Lines[0]:
			return i
		}
	}
	return len(h.lines) - 1
}
