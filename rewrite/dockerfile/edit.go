package dockerfile

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// ConflictError tells that two edits want the same bytes.
type ConflictError struct{ A, B Edit }

func (e *ConflictError) Error() string {
	return fmt.Sprintf("edits overlap: [%d,%d) and [%d,%d)", e.A.Span.Start, e.A.Span.End, e.B.Span.Start, e.B.Span.End)
}

// RangeError tells that an edit does not lie in the file.
type RangeError struct {
	Edit Edit
	Size int
}

func (e *RangeError) Error() string {
	return fmt.Sprintf("edit [%d,%d) is outside of %d bytes", e.Edit.Span.Start, e.Edit.Span.End, e.Size)
}

// order sorts edits by place, insertions before a replacement at the same
// place and otherwise in the order given, merges identical replacements and
// refuses overlaps. An insertion inside a replaced range is an overlap; at its
// edges it is not.
func order(size int, edits []Edit) ([]Edit, error) {
	sorted := InOrder(edits)
	kept, merged := sorted[:0], false
	for i, e := range sorted {
		if e.Span.Start < 0 || e.Span.End < e.Span.Start || e.Span.End > size {
			return nil, &RangeError{e, size}
		}
		if len(kept) > 0 {
			last := kept[len(kept)-1]
			if last.Span == e.Span && last.New == e.New && e.Span.Start < e.Span.End {
				if !merged {
					kept, merged = slices.Clip(kept), true // what follows goes to a copy
				}
				continue
			}
			if e.Span.Start < last.Span.End {
				return nil, &ConflictError{last, e}
			}
		}
		if merged {
			kept = append(kept, e)
		} else {
			kept = sorted[:i+1]
		}
	}
	return kept, nil
}

// InOrder gives edits in the order in which they are applied: by place, an
// insertion before a replacement at the same place, and otherwise as they come.
// The list itself is returned when it is in order, a copy when not.
func InOrder(edits []Edit) []Edit {
	compare := func(a, b Edit) int {
		if a.Span.Start != b.Span.Start {
			return a.Span.Start - b.Span.Start
		}
		empty := func(e Edit) int {
			if e.Span.Start == e.Span.End {
				return 0
			}
			return 1
		}
		return empty(a) - empty(b)
	}
	if slices.IsSortedFunc(edits, compare) {
		return edits
	}
	sorted := slices.Clone(edits)
	slices.SortStableFunc(sorted, compare)
	return sorted
}

// Apply replaces every edit's span by its text and returns new bytes; content
// is not changed. Insertions at one offset keep their order, identical
// replacements count once. Errors are *ConflictError and *RangeError.
func Apply(content []byte, edits []Edit) ([]byte, error) {
	sorted, err := order(len(content), edits)
	if err != nil {
		return nil, err
	}
	size := len(content)
	for _, e := range sorted {
		size += len(e.New) - (e.Span.End - e.Span.Start)
	}
	out := make([]byte, 0, size)
	at := 0
	for _, e := range sorted {
		out = append(out, content[at:e.Span.Start]...)
		out = append(out, e.New...)
		at = e.Span.End
	}
	return append(out, content[at:]...), nil
}

// Apply is the function Apply on the file's content, with the line endings of
// the new texts turned into the file's own.
func (f *File) Apply(edits []Edit) ([]byte, error) {
	return Apply(f.Content, f.native(edits))
}

// native gives the new texts the line ending of the file.
func (f *File) native(edits []Edit) []Edit {
	if f.NL == "\n" {
		return edits
	}
	out := slices.Clone(edits)
	for i, e := range out {
		out[i].New = strings.ReplaceAll(strings.ReplaceAll(e.New, "\r\n", "\n"), "\n", f.NL)
	}
	return out
}

// Verify proves that after is the file with the edits applied: every byte
// outside of them is the same and every edit's text stands in its place. The
// error names the first line of after that differs.
func (f *File) Verify(after []byte, edits []Edit) error {
	sorted, err := order(len(f.Content), f.native(edits))
	if err != nil {
		return err
	}
	from, at := 0, 0 // in the file, in after
	match := func(want []byte, what string) error {
		got := after[at:min(len(after), at+len(want))]
		if bytes.Equal(got, want) {
			at += len(want)
			return nil
		}
		i := 0
		for i < len(got) && got[i] == want[i] {
			i++
		}
		line := 1 + bytes.Count(after[:at+i], []byte{'\n'})
		return fmt.Errorf("line %d of the result differs %s", line, what)
	}
	for _, e := range sorted {
		if err := match(f.Content[from:e.Span.Start], "where no edit is planned"); err != nil {
			return err
		}
		if err := match([]byte(e.New), "from the edit that is planned there"); err != nil {
			return err
		}
		from = e.Span.End
	}
	if err := match(f.Content[from:], "where no edit is planned"); err != nil {
		return err
	}
	if at != len(after) {
		return fmt.Errorf("line %d of the result: %d bytes too many", 1+bytes.Count(after[:at], []byte{'\n'}), len(after)-at)
	}
	return nil
}

// Block is the instruction's whole lines together with the comments right
// above it: what to remove or to move when the instruction goes.
func (i *Instruction) Block() Span {
	return Span{min(i.Comments.Start, i.FullLines.Start), i.FullLines.End}
}

// Remove deletes the instruction. The comments above it stay: they are the
// author's, and may speak of what follows too. Only those that give orders to a
// tool (hadolint ignore=...) go with it, because they would fall to the next
// instruction. A blank line on both sides becomes one.
func (f *File) Remove(i *Instruction) Edit {
	own := i.FullLines
	for own.Start > i.Block().Start {
		line := f.LineSpan(f.Line(own.Start - 1))
		if text, _ := f.body(f.Line(line.Start)); !isPragma(text) {
			break
		}
		own.Start = max(line.Start, i.Block().Start)
	}
	return f.cut(own)
}

// RemoveBlock deletes the instruction with the comments above it, for one that
// is written somewhere else together with them.
func (f *File) RemoveBlock(i *Instruction) Edit { return f.cut(i.Block()) }

func (f *File) cut(s Span) Edit {
	before, after := f.blankBefore(s.Start), f.blankAfter(s.End)
	if before && after > s.End {
		s.End = after
	}
	return Edit{Span: s}
}

// pragmas begin the comments by which tools are told to look away.
var pragmas = []string{"hadolint ", "trivy:ignore", "checkov:skip", "nosemgrep", "kics-scan ", "semgrep", "dockerfile_lint", "dockerfilelint", "check=skip", "snyk:"}

func isPragma(line []byte) bool {
	text := strings.ToLower(strings.TrimSpace(strings.TrimLeft(strings.TrimSpace(string(line)), "#")))
	return slices.ContainsFunc(pragmas, func(p string) bool { return strings.HasPrefix(text, p) })
}

// InsertBefore puts whole lines above the instruction and its comments. text is
// given with "\n" line endings; a final one is added when it is missing.
func (f *File) InsertBefore(i *Instruction, text string) Edit {
	return Edit{Span: Span{i.Block().Start, i.Block().Start}, New: endLine(text)}
}

// InsertAfter puts whole lines below the instruction. When the instruction ends
// the file without a line ending, one is put in front and none behind, so that
// the file still ends without one.
func (f *File) InsertAfter(i *Instruction, text string) Edit {
	end := i.FullLines.End
	text = endLine(text)
	if end > 0 && f.Content[end-1] != '\n' {
		text = "\n" + text[:len(text)-1]
	}
	return Edit{Span: Span{end, end}, New: text}
}

// Indent is the white space before the keyword.
func (f *File) Indent(i *Instruction) string {
	_, start := f.body(f.Line(i.Span.Start))
	return f.Text(Span{start, i.Span.Start})
}

func endLine(text string) string {
	if strings.HasSuffix(text, "\n") {
		return text
	}
	return text + "\n"
}

// blankBefore tells whether the line above an offset is blank, or the file
// starts there.
func (f *File) blankBefore(at int) bool {
	line := f.Line(at)
	if line <= 1 {
		return true
	}
	text, _ := f.body(line - 1)
	return len(bytes.TrimSpace(text)) == 0
}

// blankAfter returns the end of a blank line that starts at an offset, or the
// offset.
func (f *File) blankAfter(at int) int {
	if at >= len(f.Content) {
		return at
	}
	line := f.Line(at)
	if text, _ := f.body(line); len(bytes.TrimSpace(text)) > 0 {
		return at
	}
	return f.LineSpan(line).End
}
