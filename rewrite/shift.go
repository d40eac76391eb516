package rewrite

import (
	"cmp"
	"slices"
	"strings"

	"dhibot/rewrite/dockerfile"
)

// shift tells on which lines of the result an edit's text stands.
type shift struct {
	byTag map[int][2]int
}

// newShift walks through the edits in order of their place and counts lines.
func newShift(f *dockerfile.File, edits []dockerfile.Edit) *shift {
	order := slices.Clone(edits)
	slices.SortStableFunc(order, func(a, b dockerfile.Edit) int { return cmp.Compare(a.Span.Start, b.Span.Start) })
	s := &shift{byTag: map[int][2]int{}}
	delta := 0
	for _, e := range order {
		old := f.Text(e.Span)
		line := f.Line(e.Span.Start) + delta
		if e.New != "" {
			text := e.New
			first := line + (len(text) - len(strings.TrimLeft(text, "\n")))
			last := line + strings.Count(strings.TrimRight(text, "\n"), "\n")
			got, ok := s.byTag[e.Tag]
			if !ok || first < got[0] {
				got[0] = first
			}
			if last > got[1] {
				got[1] = last
			}
			s.byTag[e.Tag] = got
		}
		delta += strings.Count(e.New, "\n") - strings.Count(old, "\n")
	}
	return s
}

// lines are the lines of the result for a tag, zeros when it only removed.
func (s *shift) lines(tag int) [2]int { return s.byTag[tag] }
