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
	add := func(path string, before, after []byte, regions []rewrite.Region, changes []rewrite.Change) {
		if string(before) == string(after) {
			return
		}
		out = append(out, fileDiff{path, hunks(string(before), string(after), regions), changes})
	}
	add(r.Path, r.Before, r.After, r.Regions, r.Changes)
	for _, f := range r.Files {
		add(f.Path, f.Before, f.After, nil, f.Changes)
	}
	return out
}

func hunks(before, after string, regions []rewrite.Region) []hunk {
	edits, ok := within(before, after, regions)
	if !ok {
		edits = udiff.Lines(before, after)
	}
	u, err := udiff.ToUnifiedDiff("", "", before, edits, contextLines)
	if err != nil {
		// The edits come from Lines on the same text; see udiff.Unified, which
		// ends the program here.
		panic(fmt.Sprintf("diff of consistent edits: %v", err))
	}
	var out []hunk
	more := 0 // lines that the hunks before have added
	for _, h := range u.Hunks {
		// The library's own ToLine leaves out the equal lines between two
		// changes of one hunk.
		n := hunk{from: h.FromLine, to: h.FromLine + more}
		old, new := n.from, n.to
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
		n.fromCount, n.toCount = old-n.from, new-n.to
		more += n.toCount - n.fromCount
		out = append(out, n)
	}
	return out
}

// within compares region by region, so that the diff shows as changed what was
// changed: over the whole file, an instruction that moved past others can come
// out as the others having moved. False when the regions do not tell the whole
// difference.
func within(before, after string, regions []rewrite.Region) ([]udiff.Edit, bool) {
	if len(regions) == 0 {
		return nil, false
	}
	old, new := lineStarts(before), lineStarts(after)
	var edits []udiff.Edit
	at, to := 0, 0
	for _, r := range regions {
		a, b, c, d := old.at(r.Old), old.at(r.OldEnd), new.at(r.New), new.at(r.NewEnd)
		if a < at || b < a || c < to || d < c || before[at:a] != after[to:c] {
			return nil, false
		}
		for _, e := range udiff.Lines(before[a:b], after[c:d]) {
			e.Start, e.End = e.Start+a, e.End+a
			edits = append(edits, e)
		}
		at, to = b, d
	}
	return edits, before[at:] == after[to:]
}

// starts are the offsets of the lines of a text, and its end.
type starts []int

func lineStarts(text string) starts {
	s := starts{0}
	for i := range len(text) {
		if text[i] == '\n' && i+1 < len(text) {
			s = append(s, i+1)
		}
	}
	return append(s, len(text))
}

// at is the offset of a 1-based line, the end of the text for one behind it.
func (s starts) at(line int) int { return s[min(max(line, 1), len(s))-1] }

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
