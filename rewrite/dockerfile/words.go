package dockerfile

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// The scanners of this file find where BuildKit's words stand in the joined
// line of an instruction. They follow parser/split_command.go and
// parser/line_parsers.go of BuildKit v0.34.2 in what they take for a separator;
// Parse compares their count with what BuildKit found.

// extent is a half-open range of a joined line.
type extent struct{ from, to int }

// isBlank is BuildKit's reWhitespace: the separator of words and of the keyword.
func isBlank(c byte) bool {
	return c == ' ' || c == '\t' || c == '\v' || c == '\f' || c == '\r'
}

// isSpaceByte is unicode.IsSpace of a single byte, as BuildKit's flag scanner
// asks it: two bytes of the Latin-1 range count as white space there.
func isSpaceByte(c byte) bool {
	return isBlank(c) || c == '\n' || c == 0x85 || c == 0xA0
}

// trim narrows a range by the white space around it.
func trim(s string, e extent) extent {
	left := strings.TrimLeftFunc(s[e.from:e.to], unicode.IsSpace)
	from := e.to - len(left)
	return extent{from, from + len(strings.TrimRightFunc(left, unicode.IsSpace))}
}

// scanKeyword splits a joined line into keyword and the rest.
func scanKeyword(s string) (keyword, rest extent) {
	all := trim(s, extent{0, len(s)})
	end := all.from
	for end < all.to && !isBlank(s[end]) {
		end++
	}
	next := end
	for next < all.to && isBlank(s[next]) {
		next++
	}
	return extent{all.from, end}, extent{next, all.to}
}

// scanFlags finds the --flags at the start of a range and returns what follows.
func scanFlags(s string, e extent, escape byte) (flags []extent, rest extent) {
	pos := e.from
	for {
		for pos < e.to && isSpaceByte(s[pos]) {
			pos++
		}
		if pos+1 >= e.to || s[pos] != '-' || s[pos+1] != '-' {
			return flags, trim(s, extent{pos, e.to})
		}
		from, chars := pos, 0
		for quote := byte(0); pos < e.to; pos++ {
			c := s[pos]
			if quote == 0 && isSpaceByte(c) {
				break
			}
			switch {
			case c == quote:
				quote = 0
				continue
			case quote == 0 && (c == '\'' || c == '"'):
				quote = c
				continue
			case c == escape && pos+1 == e.to:
				continue
			case c == escape:
				pos++
			}
			chars++
		}
		if chars == 2 { // nothing but the two dashes: the end of the flags
			return flags, trim(s, extent{pos, e.to})
		}
		flags = append(flags, extent{from, pos})
	}
}

// scanBlankSeparated finds words between white space: FROM, EXPOSE, COPY ...
func scanBlankSeparated(words []extent, s string, e extent) []extent {
	pos := e.from
	for pos < e.to {
		for pos < e.to && isBlank(s[pos]) {
			pos++
		}
		from := pos
		for pos < e.to && !isBlank(s[pos]) {
			pos++
		}
		if pos > from {
			words = append(words, extent{from, pos})
		}
	}
	return words
}

// scanQuoted finds words whose white space may be quoted or escaped: ENV,
// LABEL, ARG.
func scanQuoted(words []extent, s string, e extent, escape byte) []extent {
	pos := e.from
	for pos < e.to {
		r, n := utf8.DecodeRuneInString(s[pos:e.to])
		if unicode.IsSpace(r) {
			pos += n
			continue
		}
		from, quote := pos, rune(0)
		for pos < e.to {
			r, n = utf8.DecodeRuneInString(s[pos:e.to])
			if quote == 0 && unicode.IsSpace(r) {
				break
			}
			switch {
			case r == quote:
				quote = 0
			case quote == 0 && (r == '\'' || r == '"'):
				quote = r
			case r == rune(escape) && quote != '\'' && pos+n < e.to:
				pos += n
				_, n = utf8.DecodeRuneInString(s[pos:e.to])
			}
			pos += n
		}
		if s[from:pos] != string(escape) { // an escape at the very end is dropped
			words = append(words, extent{from, pos})
		}
	}
	return words
}

// scanJSON finds the strings of a JSON array, quotes included.
func scanJSON(words []extent, s string, e extent) []extent {
	for pos := e.from; pos < e.to; pos++ {
		if s[pos] != '"' {
			continue
		}
		from := pos
		for pos++; pos < e.to && s[pos] != '"'; pos++ {
			if s[pos] == '\\' {
				pos++
			}
		}
		words = append(words, extent{from, min(pos+1, e.to)})
	}
	return words
}
