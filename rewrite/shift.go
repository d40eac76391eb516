package rewrite

import (
	"strings"

	"dhibot/rewrite/dockerfile"
)

// shift tells where edits stand in the result.
type shift struct {
	file    *dockerfile.File
	placed  []placedEdit
	regions []Region
}

// placedEdit is an edit with the lines of the result that carry its text; both
// 0 when it only removes something.
type placedEdit struct {
	dockerfile.Edit
	lines [2]int
}

// newShift walks through the edits in the order in which they are applied and
// counts lines.
func newShift(f *dockerfile.File, edits []dockerfile.Edit) *shift {
	order := dockerfile.InOrder(edits)
	s := &shift{file: f, placed: make([]placedEdit, 0, len(order)), regions: make([]Region, 0, len(order))}
	delta := 0
	for i, e := range order {
		if i > 0 && insertion(e) == 0 && e.Span == order[i-1].Span && e.New == order[i-1].New {
			// Identical replacements are applied once.
			s.placed = append(s.placed, placedEdit{e, s.placed[i-1].lines})
			continue
		}
		added := strings.Count(e.New, "\n")
		p := placedEdit{Edit: e}
		if e.New != "" {
			first := f.Line(e.Span.Start) + delta
			if e.Span.Start > 0 && e.Span.Start == len(f.Content) && f.Content[e.Span.Start-1] == '\n' {
				first++ // behind the last line
			}
			lead := len(e.New) - len(strings.TrimLeft(e.New, "\n"))
			tail := len(e.New) - len(strings.TrimRight(e.New, "\n"))
			p.lines = [2]int{first + lead, first + max(lead, added-tail)}
		}
		s.placed = append(s.placed, p)
		s.region(e, delta)
		delta += added - strings.Count(f.Text(e.Span), "\n")
	}
	return s
}

func insertion(e dockerfile.Edit) int {
	if e.Span.Start == e.Span.End {
		return 1
	}
	return 0
}

// region adds the whole lines that an edit touches.
func (s *shift) region(e dockerfile.Edit, delta int) {
	r := s.touched(e)
	was := r.OldEnd - r.Old
	r.New = r.Old + delta
	r.NewEnd = r.New + was + strings.Count(e.New, "\n") - strings.Count(s.file.Text(e.Span), "\n")
	if n := len(s.regions); n > 0 && s.regions[n-1].OldEnd > r.Old {
		// On a line that an earlier edit touches already.
		last := &s.regions[n-1]
		last.NewEnd += r.NewEnd - r.New - (min(last.OldEnd, r.OldEnd) - r.Old)
		last.OldEnd = max(last.OldEnd, r.OldEnd)
		return
	}
	s.regions = append(s.regions, r)
}

// touched are the old lines of an edit, half open: none for whole lines that
// are put between two lines.
func (s *shift) touched(e dockerfile.Edit) Region {
	content := s.file.Content
	bol := func(at int) bool { return at == 0 || content[at-1] == '\n' }
	r := Region{Old: s.file.Line(e.Span.Start), OldEnd: s.file.Line(e.Span.End)}
	if bol(e.Span.Start) && e.Span.Start == len(content) && e.Span.Start > 0 {
		r.Old++
	}
	if bol(e.Span.End) && e.Span.End == len(content) && e.Span.End > 0 {
		r.OldEnd++
	}
	whole := e.New == "" || strings.HasSuffix(e.New, "\n")
	if !bol(e.Span.End) || !whole || e.New == "" && !bol(e.Span.Start) {
		r.OldEnd++
	}
	return r
}

// lines are the lines of the result that carry the edits a function picks,
// zeros when they only removed something.
func (s *shift) lines(pick func(*dockerfile.Edit) bool) [2]int {
	var got [2]int
	for i := range s.placed {
		p := &s.placed[i]
		if p.lines[0] == 0 || !pick(&p.Edit) {
			continue
		}
		if got[0] == 0 || p.lines[0] < got[0] {
			got[0] = p.lines[0]
		}
		got[1] = max(got[1], p.lines[1])
	}
	return got
}

// removed are the lines of the file that an edit takes something away from,
// zeros for an insertion.
func (s *shift) removed(e dockerfile.Edit) [2]int {
	if insertion(e) == 1 {
		return [2]int{}
	}
	return [2]int{s.file.Line(e.Span.Start), s.file.Line(e.Span.End - 1)}
}
