package report

import (
	"fmt"
	"slices"
	"strings"

	"dhibot/rewrite"
)

// summaryRows is how many files the table at the end names. Beyond it the
// files that did not change are counted by their reason instead.
const summaryRows = 60

// summary counts results. It keeps a row for the first files and counts for
// the rest, so that thousands of files cost no memory.
type summary struct {
	total    int
	outcomes map[rewrite.Outcome]int
	reasons  map[reasonKey]int
	rows     []row
}

type reasonKey struct {
	outcome rewrite.Outcome
	code    rewrite.ReasonCode
}

// row is one line of the table.
type row struct {
	outcome      rewrite.Outcome
	path         string
	before       string
	after        string
	changes, due int
	code         rewrite.ReasonCode
}

func (s *summary) add(r *rewrite.Result) {
	if s.outcomes == nil {
		s.outcomes = map[rewrite.Outcome]int{}
		s.reasons = map[reasonKey]int{}
	}
	s.total++
	s.outcomes[r.Outcome]++
	s.reasons[reasonKey{r.Outcome, r.Code}]++
	if len(s.rows) >= summaryRows {
		return
	}
	n := row{outcome: r.Outcome, path: r.Path, changes: len(r.Changes), due: len(r.Checklist), code: r.Code}
	for _, f := range r.Files {
		n.changes += len(f.Changes)
	}
	before, after := finalImages(r)
	n.before, n.after = flat(before), flat(after)
	s.rows = append(s.rows, n)
}

// outcomes in the order in which they are counted.
func outcomes() []rewrite.Outcome {
	return []rewrite.Outcome{rewrite.Hardened, rewrite.Dev, rewrite.Partial,
		rewrite.Already, rewrite.Skipped, rewrite.Failed}
}

// line is the whole summary in a sentence.
func (s *summary) line() string {
	var parts []string
	for _, o := range outcomes() {
		if n := s.outcomes[o]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, o))
		}
	}
	text := count(s.total, "Dockerfile", "Dockerfiles")
	if len(parts) > 0 {
		text += ": " + strings.Join(parts, ", ")
	}
	return text
}

// text is what the table says of the final stage.
func (r row) image(arrow string) string {
	switch {
	case r.before == "" && r.after == "":
		return string(r.code)
	case r.before == r.after || r.after == "":
		if r.code != "" {
			return r.before + " (" + string(r.code) + ")"
		}
		return r.before
	case r.before == "":
		return r.after
	}
	return r.before + " " + arrow + " " + r.after
}

func (s *summary) writeText(w *Writer) {
	p := palette{w.opts.Color && w.opts.Terminal}
	if s.total > 1 && s.total <= summaryRows {
		s.writeTable(w, p)
	}
	if s.total > summaryRows {
		s.writeCounts(w, p)
	}
	w.out.printf("%s\n", p.bold(s.line()))
}

func (s *summary) writeTable(w *Writer, p palette) {
	heads := []string{"outcome", "Dockerfile", "final image", "changes", "to do"}
	table := [][]string{heads}
	for _, r := range s.rows {
		table = append(table, []string{string(r.outcome), Escape(r.path), w.safe(r.image(w.arrow())),
			fmt.Sprint(r.changes), fmt.Sprint(r.due)})
	}
	widths := make([]int, len(heads))
	for _, cells := range table {
		for i, c := range cells {
			widths[i] = max(widths[i], width(c))
		}
	}
	if w.opts.Terminal {
		// Paths and images give way on a narrow terminal; the rest is short.
		room := w.opts.Width - widths[0] - widths[3] - widths[4] - 2*(len(heads)-1)
		widths[1] = min(widths[1], max(room*2/5, 12))
		widths[2] = min(widths[2], max(room-widths[1], 12))
	}
	for n, cells := range table {
		var line strings.Builder
		for i, c := range cells {
			c = shorten(c, widths[i])
			pad := strings.Repeat(" ", widths[i]-width(c))
			switch {
			case n == 0:
				c = p.bold(c)
			case i == 0:
				c = p.outcome(rewrite.Outcome(cells[0]), c)
			}
			if i > 0 {
				line.WriteString("  ")
			}
			if i >= 3 {
				line.WriteString(pad + c)
			} else {
				line.WriteString(c + pad)
			}
		}
		w.out.printf("%s\n", strings.TrimRight(line.String(), " "))
	}
	w.out.WriteString("\n")
}

// writeCounts is the table for many files: how often each outcome and reason.
func (s *summary) writeCounts(w *Writer, p palette) {
	keys := make([]reasonKey, 0, len(s.reasons))
	for k := range s.reasons {
		keys = append(keys, k)
	}
	order := outcomes()
	slices.SortFunc(keys, func(a, b reasonKey) int {
		if a.outcome != b.outcome {
			return slices.Index(order, a.outcome) - slices.Index(order, b.outcome)
		}
		if d := s.reasons[b] - s.reasons[a]; d != 0 {
			return d
		}
		return strings.Compare(string(a.code), string(b.code))
	})
	for _, k := range keys {
		line := fmt.Sprintf("%6d  %s  %s", s.reasons[k],
			p.outcome(k.outcome, fmt.Sprintf("%-8s", k.outcome)), w.safe(string(k.code)))
		w.out.printf("%s\n", strings.TrimRight(line, " "))
	}
	w.out.WriteString("\n")
}

// shorten cuts text in the middle, where paths and references say least.
func shorten(s string, columns int) string {
	if width(s) <= columns {
		return s
	}
	half := (columns - 1) / 2
	head, _ := cut(s, half)
	tail := []rune(s)
	for len(tail) > 0 && width(string(tail)) > columns-1-width(head) {
		tail = tail[1:]
	}
	return head + "…" + string(tail)
}
