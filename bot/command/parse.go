package command

import (
	"strings"
	"unicode/utf8"
)

// Bounds on what is read from one comment. GitHub's own limit for a comment is
// 65,536 characters; nobody writes more than a few commands by hand.
const (
	maxComment = 1 << 18 // bytes
	Max        = 10      // commands in one comment
	maxArgs    = 200
	maxArg     = 1000 // bytes
)

// Prefix starts a command, at the beginning of a line.
const Prefix = "/dhi"

// Invocation is one command as written.
type Invocation struct {
	Verb string // in lower case; "" for a bare /dhi
	Args []string
	Line int // line of the comment, 1-based
}

// Parse finds the commands of a comment, in order, at most Max of them. A
// command stands at the beginning of a line; in fenced or indented code, in
// quotes and in HTML comments it is text.
func Parse(comment string) []Invocation {
	if len(comment) > maxComment {
		comment = comment[:maxComment]
	}
	var found []Invocation
	var skip blocks
	number := 0
	for rest := comment; rest != "" && len(found) < Max; {
		var line string
		line, rest = nextLine(rest)
		number++
		if skip.text(line) {
			continue
		}
		if words, ok := strings.CutPrefix(line, Prefix); ok {
			if words != "" && words[0] != ' ' && words[0] != '\t' {
				continue // /dhibot, /dhi-something
			}
			inv := Invocation{Line: number}
			if fields := split(words); len(fields) > 0 {
				inv.Verb, inv.Args = strings.ToLower(fields[0]), fields[1:]
			}
			found = append(found, inv)
		}
	}
	return found
}

// nextLine cuts the first line off; \n, \r\n and \r end one.
func nextLine(s string) (line, rest string) {
	i := strings.IndexAny(s, "\r\n")
	if i < 0 {
		return s, ""
	}
	line, rest = s[:i], s[i+1:]
	if s[i] == '\r' {
		rest = strings.TrimPrefix(rest, "\n")
	}
	return line, rest
}

// blocks knows whether the next line is inside something that is not prose.
type blocks struct {
	fence  byte // '`' or '~' while in fenced code
	length int  // of the opening fence
	end    string
}

// text tells that the line, or what it stands in, is text rather than a place
// for commands.
func (b *blocks) text(line string) bool {
	if b.end != "" {
		if strings.Contains(strings.ToLower(line), b.end) {
			b.end = ""
		}
		return true
	}
	trimmed := strings.TrimLeft(line, " ")
	indent := len(line) - len(trimmed)
	if b.fence != 0 {
		if n := run(trimmed, b.fence); indent < 4 && n >= b.length && strings.TrimSpace(trimmed[n:]) == "" {
			b.fence = 0
		}
		return true
	}
	if indent > 3 {
		return true
	}
	for _, c := range []byte("`~") {
		// A backtick fence has no backtick after it on its line, or it would
		// be an inline code span.
		if n := run(trimmed, c); n >= 3 && (c == '~' || !strings.Contains(trimmed[n:], "`")) {
			b.fence, b.length = c, n
			return true
		}
	}
	lower := strings.ToLower(trimmed)
	for open, end := range map[string]string{"<!--": "-->", "<pre": "</pre>"} {
		if after, ok := strings.CutPrefix(lower, open); ok {
			if !strings.Contains(after, end) {
				b.end = end
			}
			return true
		}
	}
	return !strings.HasPrefix(line, Prefix)
}

func run(s string, c byte) int {
	n := 0
	for n < len(s) && s[n] == c {
		n++
	}
	return n
}

// split cuts a line into words. Single and double quotes and backticks hold a
// word with blanks together; an open one reaches to the end of the line.
func split(line string) []string {
	var words []string
	var word strings.Builder
	quote, open := byte(0), false
	flush := func() {
		if open && len(words) < maxArgs {
			w := word.String()
			if len(w) > maxArg {
				w = strings.ToValidUTF8(w[:maxArg], "")
			}
			words = append(words, w)
		}
		word.Reset()
		open = false
	}
	for i := 0; i < len(line); {
		r, size := utf8.DecodeRuneInString(line[i:])
		c := line[i]
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word.WriteString(line[i : i+size])
		case c == '\'' || c == '"' || c == '`':
			quote, open = c, true
		case r == ' ' || r == '\t' || r == '\u00a0':
			flush()
		default:
			open = true
			word.WriteString(line[i : i+size])
		}
		i += size
	}
	flush()
	return words
}
