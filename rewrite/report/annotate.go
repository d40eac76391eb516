package report

import (
	"fmt"
	"strings"

	"dhibot/rewrite"
)

// besideFrom is the width from which reasons stand beside the diff; below it
// both columns would be too narrow to read.
const besideFrom = 110

// note is a reason at a line of a hunk.
type note struct {
	at    int // index into the lines of the hunk
	lines []string
}

// writeAnnotated writes a diff for a terminal with the reasons beside its
// hunks, or below them when it is narrow.
func writeAnnotated(w *Writer, p palette, f fileDiff, shown links) {
	w.out.printf("%s\n%s\n", p.bold(Escape("--- a/"+f.path)), p.bold(Escape("+++ b/"+f.path)))
	told := make([]bool, len(f.changes))
	for _, h := range f.hunks {
		w.out.printf("%s\n", p.cyan(strings.TrimSuffix(h.header(), "\n")))
		var mine []rewrite.Change
		for i, c := range f.changes {
			// A change over two hunks is explained at the first of them.
			if !told[i] && h.touches(c) {
				told[i] = true
				mine = append(mine, c)
			}
		}
		if w.opts.Width >= besideFrom {
			writeBeside(w, p, h, mine, shown)
		} else {
			writeBelow(w, p, h, mine, shown)
		}
	}
	for i, c := range f.changes {
		if !told[i] {
			writeNote(w, p, c, shown)
		}
	}
}

func writeBelow(w *Writer, p palette, h hunk, changes []rewrite.Change, shown links) {
	for _, l := range h.lines {
		w.out.WriteString(l.shown(p) + "\n")
		if !strings.HasSuffix(l.text, "\n") {
			w.out.WriteString(p.dim(`\ No newline at end of file`) + "\n")
		}
	}
	for _, c := range changes {
		writeNote(w, p, c, shown)
	}
}

func writeNote(w *Writer, p palette, c rewrite.Change, shown links) {
	for i, line := range noteLines(c, w.opts.Width-6, shown) {
		mark := "  "
		if i == 0 {
			mark = "▸ "
		}
		w.out.printf("  %s%s\n", p.cyan(mark), p.dim(line))
	}
}

func noteLines(c rewrite.Change, columns int, shown links) []string {
	it := changeItem(c)
	lines := wrap(Escape(flat(it.label()+": "+it.text)), columns)
	if link := shown.first(it.link); link != "" {
		// Not wrapped: a cut address cannot be followed.
		lines = append(lines, Escape(flat(link)))
	}
	return lines
}

// writeBeside writes the hunk in a left column and its notes in a right one.
// Each note starts at the line it explains, or below the note before it.
func writeBeside(w *Writer, p palette, h hunk, changes []rewrite.Change, shown links) {
	left := w.opts.Width * 11 / 20
	right := w.opts.Width - left - 5
	var notes []note
	for _, c := range changes {
		notes = append(notes, note{h.anchor(c), noteLines(c, right, shown)})
	}
	var pending []string // lines of the right column still to be written
	emit := func(kind byte, cell string) {
		side := ""
		if len(pending) > 0 {
			side, pending = pending[0], pending[1:]
		}
		if side == "" {
			w.out.printf("%s\n", p.line(kind, cell))
			return
		}
		pad := strings.Repeat(" ", max(0, left-width(cell)))
		w.out.printf("%s%s %s %s\n", p.line(kind, cell), pad, p.cyan("│"), p.dim(side))
	}
	for i, l := range h.lines {
		for _, n := range notes {
			if n.at == i {
				pending = append(pending, n.lines...)
			}
		}
		text := strings.TrimSuffix(strings.TrimSuffix(l.text, "\n"), "\r")
		rest := fmt.Sprintf("%c%s", l.kind, strings.ReplaceAll(Escape(text), "\t", "    "))
		for {
			var cell string
			cell, rest = cut(rest, left)
			emit(l.kind, cell)
			if rest == "" {
				break
			}
			rest = "  " + rest
		}
		if !strings.HasSuffix(l.text, "\n") {
			emit(' ', `\ No newline at end of file`)
		}
	}
	for len(pending) > 0 {
		emit(' ', "")
	}
}
