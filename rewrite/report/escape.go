package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Escape makes text from a repository safe to show on a terminal: control
// characters, invalid UTF-8 and invisible format characters (bidi overrides,
// zero-width characters) become visible escapes such as \x1b and \u202e. Tabs
// stay. What it returns is one line when s is one line.
func Escape(s string) string {
	clean := true
	for _, r := range s {
		if hidden(r) {
			clean = false
			break
		}
	}
	if clean && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"):
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case !hidden(r):
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	return b.String()
}

// hidden tells whether a rune steers a terminal or cannot be seen. Cf holds the
// bidi controls that make text read differently from what it is
// (CVE-2021-42574), zero-width characters and tags.
func hidden(r rune) bool {
	if r == '\t' {
		return false
	}
	return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)
}

// width is the number of columns that a terminal uses for s, which has been
// through Escape and has no tabs.
func width(s string) int {
	n := 0
	for _, r := range s {
		n += runeWidth(r)
	}
	return n
}

// runeWidth covers the blocks that Unicode's EastAsianWidth.txt lists as wide,
// coarsely; being wrong costs a ragged column, nothing else.
func runeWidth(r rune) int {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me):
		return 0
	case r < 0x1100:
		return 1
	case r <= 0x115f, r >= 0x2e80 && r <= 0xa4cf, r >= 0xac00 && r <= 0xd7a3,
		r >= 0xf900 && r <= 0xfaff, r >= 0xfe30 && r <= 0xfe6f,
		r >= 0xff00 && r <= 0xff60, r >= 0xffe0 && r <= 0xffe6,
		r >= 0x1f300 && r <= 0x1faff, r >= 0x20000 && r <= 0x3fffd:
		return 2
	}
	return 1
}

// wrap breaks s at spaces into lines of at most columns; a longer word is cut.
func wrap(s string, columns int) []string {
	if columns < 8 {
		columns = 8
	}
	var lines []string
	line, used := "", 0
	for _, word := range strings.Fields(s) {
		w := width(word)
		if used > 0 && used+1+w > columns {
			lines = append(lines, line)
			line, used = "", 0
		}
		if used > 0 {
			line += " "
			used++
		}
		for w > columns {
			head, tail := cut(word, columns-used)
			lines = append(lines, line+head)
			line, used, word = "", 0, tail
			w = width(word)
		}
		line += word
		used += w
	}
	return append(lines, line)
}

// cut splits s so that the head has at most columns columns and at least one rune.
func cut(s string, columns int) (head, tail string) {
	n := 0
	for i, r := range s {
		n += runeWidth(r)
		if n > columns && i > 0 {
			return s[:i], s[i:]
		}
	}
	return s, ""
}

// flat puts text on one line: a reason or a reference that spans lines would
// break tables and could pretend to be another line of the report.
func flat(s string) string {
	return strings.Join(strings.Fields(s), " ")
}
