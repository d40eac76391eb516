package body

import (
	"fmt"
	"html"
	"strings"
	"unicode"
	"unicode/utf8"
)

// guard is a zero-width space. GitHub looks for mentions and references in the
// rendered text, where escapes and entities are gone already; only a character
// between the sign and the name stops it.
const guard = "\u200b"

// Code renders a foreign string as a code span of at most limit characters of
// content. Line breaks, control and bidirectional characters are shown as
// escapes. Inside a table the result must pass through Cell.
func Code(s string, limit int) string {
	return span(guardCode(visible(s, limit)))
}

// Command renders a line that people copy: a code span without the invisible
// guards, which a shell would take for part of a word.
func Command(s string) string {
	return span(visible(s, 1000))
}

func span(s string) string {
	if s == "" {
		return "(empty)"
	}
	fence := strings.Repeat("`", longestRun(s, '`')+1)
	// CommonMark strips one space from both ends; without it a backtick at an
	// end would join the fence.
	if s[0] == '`' || s[len(s)-1] == '`' || s[0] == ' ' || s[len(s)-1] == ' ' {
		s = " " + s + " "
	}
	return fence + s + fence
}

// HTMLCode is Code for places where Markdown is not read: inside the summary
// element, which is raw HTML.
func HTMLCode(s string, limit int) string {
	return "<code>" + html.EscapeString(guardCode(visible(s, limit))) + "</code>"
}

// Prose renders a sentence that may quote foreign text in backticks: the quoted
// parts become code spans, everything else becomes text in which no mention,
// reference, link, emphasis or HTML can come up. So a quotation that contains
// backticks and falls apart is ugly at worst.
func Prose(s string, limit int) string {
	// Bound the work first; what is cut here is far beyond the limit.
	if bound := (limit + 1) * 16; len(s) > bound {
		s = s[:bound]
	}
	s = cut(strings.Join(strings.Fields(strings.ToValidUTF8(s, "\uFFFD")), " "), limit)
	var b strings.Builder
	for s != "" {
		open := strings.IndexByte(s, '`')
		if open < 0 {
			b.WriteString(plain(s, b.Len() == 0))
			break
		}
		run := open
		for run < len(s) && s[run] == '`' {
			run++
		}
		inner, rest, ok := closeSpan(s[run:], run-open)
		if !ok || strings.TrimSpace(inner) == "" {
			b.WriteString(plain(s[:run], b.Len() == 0))
			s = s[run:]
			continue
		}
		b.WriteString(plain(s[:open], b.Len() == 0))
		b.WriteString(Code(strings.TrimSpace(inner), limit))
		s = rest
	}
	return b.String()
}

// Plain is for places that show text as it is, such as annotations: on one line,
// with escapes for what cannot be seen, and with mentions kept apart.
func Plain(s string, limit int) string {
	return guardCode(visible(strings.Join(strings.Fields(strings.ToValidUTF8(cut(s, limit), "\uFFFD")), " "), limit))
}

// closeSpan finds the backtick run of exactly n that ends a quotation.
func closeSpan(s string, n int) (inner, rest string, ok bool) {
	for i := 0; i < len(s); {
		if s[i] != '`' {
			i++
			continue
		}
		end := i
		for end < len(s) && s[end] == '`' {
			end++
		}
		if end-i == n {
			return s[:i], s[end:], true
		}
		i = end
	}
	return "", "", false
}

// Cell makes rendered Markdown fit for a table cell. A pipe ends a cell even
// inside a code span; a backslash in front of it would be read differently by
// different parsers, so the two are kept apart.
func Cell(markdown string) string {
	if !strings.Contains(markdown, "|") {
		return markdown
	}
	var b strings.Builder
	for i := 0; i < len(markdown); i++ {
		if markdown[i] != '|' {
			b.WriteByte(markdown[i])
			continue
		}
		if i > 0 && markdown[i-1] == '\\' {
			b.WriteString(guard)
		}
		b.WriteString(`\|`)
	}
	return b.String()
}

// visible shows what cannot be seen as escapes, and caps the length.
func visible(s string, limit int) string {
	// Bound the work before looking at single characters: one rune takes at
	// most utf8.UTFMax bytes.
	long := false
	if bound := limit * utf8.UTFMax; len(s) > bound {
		s, long = s[:bound], true
	}
	var b strings.Builder
	n := 0
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if n == limit {
			long = true
			break
		}
		n++
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteByte(' ')
		case hidden(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
		i += size
	}
	if long {
		b.WriteString("…")
	}
	return b.String()
}

// hidden tells whether a character does something rather than show something:
// controls, bidirectional and other format characters, line and paragraph
// separators, private use, and blanks that are not the plain space.
func hidden(r rune) bool {
	if r == ' ' {
		return false
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Cs, unicode.Co, unicode.Zl, unicode.Zp, unicode.Zs) ||
		unicode.Is(unicode.Variation_Selector, r) || r == '\u115f' || r == '\u1160' || r == '\u3164' || r == '\uffa0'
}

// cut shortens s to limit characters.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	n := 0
	for i := range s {
		if n == limit {
			return s[:i] + "…"
		}
		n++
	}
	return s
}

// guardCode keeps mentions apart for readers that know no code spans, such as
// mail programs, and breaks the ends of HTML comments, so that no tool that
// scans the raw text for a marker can be fed one.
func guardCode(s string) string {
	if !strings.ContainsAny(s, "@<>") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '>' && (strings.HasSuffix(s[:i], "--") || strings.HasSuffix(s[:i], "--!")) {
			b.WriteString(guard)
		}
		b.WriteByte(c)
		switch {
		case c == '@' && (i == 0 || !word(s[i-1])) && i+1 < len(s) && word(s[i+1]):
			b.WriteString(guard)
		case c == '!' && i > 0 && s[i-1] == '<':
			b.WriteString(guard)
		}
	}
	return b.String()
}

// plain escapes text outside of code spans. start tells that it stands where a
// block could begin.
func plain(s string, start bool) string {
	var b strings.Builder
	rs := []rune(s)
	at := func(i int) rune {
		if i < 0 || i >= len(rs) {
			return 0
		}
		return rs[i]
	}
	hex := 0 // length of the run of hexadecimal digits that ends here
	for i, r := range rs {
		if isHex(r) {
			if hex == 6 {
				// Seven make a commit reference.
				b.WriteString(guard)
				hex = 0
			}
			hex++
		} else {
			hex = 0
		}
		next := at(i + 1)
		switch {
		case hidden(r):
			fmt.Fprintf(&b, `\\u%04x`+guard, r)
		case r == '<':
			b.WriteString("&lt;")
		case r == '>':
			b.WriteString("&gt;")
		case r == '&':
			b.WriteString("&amp;")
		case r == '$':
			b.WriteString(`\$` + guard) // GitHub reads $...$ as mathematics
		case strings.ContainsRune("\\`*_[]~^", r):
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '@' && next != 0 && next != ' ':
			b.WriteString("@" + guard)
		case r == '#':
			if start && i == 0 {
				b.WriteByte('\\')
			}
			b.WriteByte('#')
			if next != ' ' {
				b.WriteString(guard)
			}
		case r == ':' && next != 0 && next != ' ' && !(digit(at(i-1)) && numberEnds(rs[i+1:])):
			b.WriteString(":" + guard) // URLs, emoji
		case r == '.' && i >= 3 && strings.EqualFold(string(rs[i-3:i]), "www"):
			b.WriteString(guard + ".")
		case r == '-' && unicode.IsLetter(at(i-1)) && unicode.IsDigit(next):
			b.WriteString("-" + guard) // GH-1 and the prefixes a repository may configure
		case start && i == 0 && strings.ContainsRune("-+=|", r), start && (r == '.' || r == ')') && allDigits(rs[:i]):
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func digit(r rune) bool { return r >= '0' && r <= '9' }

// numberEnds tells whether a number stands here that no colon follows, as in
// 1000:1000; :1000: would be an emoji.
func numberEnds(rs []rune) bool {
	n := 0
	for n < len(rs) && digit(rs[n]) {
		n++
	}
	return n > 0 && (n == len(rs) || rs[n] == ' ' || rs[n] == '.' || rs[n] == ',')
}

func word(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func isHex(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'a' && r <= 'f' || r >= 'A' && r <= 'F'
}

func allDigits(rs []rune) bool {
	for _, r := range rs {
		if r < '0' || r > '9' {
			return false
		}
	}
	return len(rs) > 0
}

func longestRun(s string, c byte) int {
	longest, n := 0, 0
	for i := 0; i < len(s); i++ {
		if s[i] == c {
			n++
			longest = max(longest, n)
		} else {
			n = 0
		}
	}
	return longest
}
