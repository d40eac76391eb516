package dockerfile

import (
	"bytes"
	"sort"
	"strings"
	"unicode"
)

// segment ties a run of the joined line to the bytes it came from. Between two
// segments lie continuation marks, line endings, comments and blank lines.
type segment struct{ at, src, n int }

var bom = []byte{0xEF, 0xBB, 0xBF}

// lineStarts returns the offset of the start of every physical line. A line
// ends with its line feed; there is no empty line after the last line feed.
func lineStarts(content []byte) []int {
	starts := make([]int, 0, bytes.Count(content, []byte{'\n'})+1)
	for at := 0; at < len(content); {
		starts = append(starts, at)
		i := bytes.IndexByte(content[at:], '\n')
		if i < 0 {
			break
		}
		at += i + 1
	}
	return starts
}

// Line returns the 1-based line that holds the byte at offset. The end of the
// file belongs to the last line.
func (f *File) Line(offset int) int {
	return max(1, sort.SearchInts(f.lines, offset+1))
}

// LineSpan returns the bytes of a 1-based line with its line ending; an empty
// span at the nearest end of the file when there is no such line.
func (f *File) LineSpan(line int) Span {
	switch {
	case line < 1:
		return Span{}
	case line > len(f.lines):
		return Span{len(f.Content), len(f.Content)}
	case line == len(f.lines):
		return Span{f.lines[line-1], len(f.Content)}
	}
	return Span{f.lines[line-1], f.lines[line]}
}

// Lines returns the number of physical lines.
func (f *File) Lines() int { return len(f.lines) }

// Text returns the source of a span, "" when the span does not lie in the file.
func (f *File) Text(s Span) string {
	if s.Start < 0 || s.End < s.Start || s.End > len(f.Content) {
		return ""
	}
	return f.source[s.Start:s.End]
}

// body returns a line without its line ending and, on the first line, without
// the byte order mark. BuildKit trims every CR and LF at the end.
func (f *File) body(line int) (text []byte, start int) {
	s := f.LineSpan(line)
	text = bytes.TrimRight(f.Content[s.Start:s.End], "\r\n")
	if line == 1 && f.BOM {
		return text[len(bom):], s.Start + len(bom)
	}
	return text, s.Start
}

// isComment tells whether a physical line is a comment to BuildKit.
func isComment(line []byte) bool {
	line = bytes.TrimLeftFunc(line, unicode.IsSpace)
	return len(line) > 0 && line[0] == '#'
}

// continues tells whether a line ends in a continuation mark and returns it
// without the mark: the escape character, not preceded by another one, with
// nothing but blanks and tabs after it.
func continues(line []byte, escape byte) ([]byte, bool) {
	end := len(line)
	for end > 0 && (line[end-1] == ' ' || line[end-1] == '\t') {
		end--
	}
	if end == 0 || line[end-1] != escape || end > 1 && line[end-2] == escape {
		return line, false
	}
	return line[:end-1], true
}

// join follows an instruction that starts at a line over its continuation
// lines, the way BuildKit's parser does, and appends a segment for every piece
// of its joined line. It returns the last physical line, heredocs not included.
func (f *File) join(segs []segment, first int) ([]segment, int) {
	at := 0
	for line := first; line <= len(f.lines); line++ {
		text, start := f.body(line)
		if line == first {
			left := bytes.TrimLeftFunc(text, unicode.IsSpace)
			text, start = left, start+len(text)-len(left)
		} else if isComment(text) || len(bytes.TrimLeftFunc(text, unicode.IsSpace)) == 0 {
			continue
		}
		text, more := continues(text, byte(f.Escape))
		if len(text) > 0 {
			segs = append(segs, segment{at, start, len(text)})
			at += len(text)
		}
		if !more {
			return segs, line
		}
	}
	return segs, len(f.lines)
}

// joined tells whether the segments are exactly the text.
func (f *File) joined(segs []segment, text string) bool {
	at := 0
	for _, s := range segs {
		if s.at != at || at+s.n > len(text) || string(f.Content[s.src:s.src+s.n]) != text[at:at+s.n] {
			return false
		}
		at += s.n
	}
	return at == len(text)
}

// source maps the byte at an offset of the instruction's joined line to its
// offset in the file.
func (i *Instruction) source(at int) int {
	at += i.base
	for k := len(i.segs) - 1; k >= 0; k-- {
		if s := i.segs[k]; at >= s.at {
			return s.src + at - s.at
		}
	}
	return 0
}

// span maps a range of the joined line. It ends right after its last byte, so
// it never takes in the continuation mark behind it.
func (i *Instruction) span(from, to int) Span {
	start := i.source(from)
	if to <= from {
		return Span{start, start}
	}
	return Span{start, i.source(to-1) + 1}
}

// Logical returns what BuildKit reads in a span of the instruction:
// continuation marks, line endings, comments and blank lines left out.
func (i *Instruction) Logical(s Span) string {
	var b strings.Builder
	whole := i.base + len(i.logical)
	for _, g := range i.segs {
		if at := g.at - g.src; s.Start >= g.src && s.End <= g.src+g.n && s.Start <= s.End && s.Start+at >= i.base && s.End+at <= whole {
			return i.logical[s.Start+at-i.base : s.End+at-i.base] // nothing is left out
		}
	}
	for _, g := range i.segs {
		from, to := max(s.Start, g.src), min(s.End, g.src+g.n)
		lo, hi := g.at+from-g.src, g.at+to-g.src
		lo, hi = max(lo, i.base), min(hi, whole)
		if lo < hi {
			b.WriteString(i.logical[lo-i.base : hi-i.base])
		}
	}
	return b.String()
}
