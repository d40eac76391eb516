package discover

import "strings"

// parseBakeHCL reads context and dockerfile of the targets of a bake file. It
// knows as much of HCL as it needs: blocks, comments, quoted strings and
// here-documents; a value that is not a plain string names nothing. A file that
// is not HCL yields what looks like it.
func parseBakeHCL(text string) []build {
	var out []build
	s := hcl{text: text}
	for {
		word := s.next()
		switch {
		case word == "":
			return out
		case word == "target" && s.depth == 0:
			if b, ok := s.target(); ok {
				out = append(out, b)
			}
		}
	}
}

// hcl is a scanner over HCL text.
type hcl struct {
	text  string
	at    int
	depth int // of braces, brackets and parentheses
}

// target reads the rest of a target block: its label, then its attributes.
func (s *hcl) target() (b build, ok bool) {
	for word := s.next(); word != "{"; word = s.next() {
		if word == "" || word == "}" {
			return b, false
		}
	}
	inside, computed := s.depth, false
	for {
		word := s.next()
		if word == "" || s.depth < inside {
			return b, !computed
		}
		if s.depth != inside || word != "context" && word != "dockerfile" || s.next() != "=" {
			continue
		}
		value, plain := s.value()
		switch {
		case !plain:
			computed = true // it could be anything
		case word == "context":
			b.context = value
		default:
			b.dockerfile = value
		}
	}
}

// value reads the value of an attribute; plain tells that it is one quoted
// string and nothing after it on its line.
func (s *hcl) value() (text string, plain bool) {
	word := s.next()
	if !strings.HasPrefix(word, `"`) {
		return "", false
	}
	rest := s.text[s.at:]
	if end := strings.IndexByte(rest, '\n'); end >= 0 {
		rest = rest[:end]
	}
	rest = strings.TrimSpace(rest)
	plain = rest == "" || rest[0] == '#' || rest[0] == '}' || strings.HasPrefix(rest, "//") || strings.HasPrefix(rest, "/*")
	return strings.Trim(word, `"`), plain
}

// next returns the next word: an identifier, a quoted string with its quotes, or
// a single character; "" at the end.
func (s *hcl) next() string {
	s.skip()
	if s.at >= len(s.text) {
		return ""
	}
	start := s.at
	c := s.text[s.at]
	switch {
	case c == '"':
		s.quoted()
	case isWord(c):
		for s.at < len(s.text) && isWord(s.text[s.at]) {
			s.at++
		}
	default:
		s.at++
		switch c {
		case '{', '[', '(':
			s.depth++
		case '}', ']', ')':
			s.depth = max(s.depth-1, 0)
		case '<':
			s.heredoc()
		}
	}
	return s.text[start:s.at]
}

func isWord(c byte) bool {
	return c == '_' || c == '-' || c == '.' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// skip passes white space and comments.
func (s *hcl) skip() {
	for s.at < len(s.text) {
		rest := s.text[s.at:]
		switch {
		case strings.IndexByte(" \t\r\n", rest[0]) >= 0:
			s.at++
		case rest[0] == '#' || strings.HasPrefix(rest, "//"):
			s.to("\n", 0)
		case strings.HasPrefix(rest, "/*"):
			s.to("*/", 2)
		default:
			return
		}
	}
}

// to moves behind the next occurrence of mark, looked for after a number of
// bytes, or to the end.
func (s *hcl) to(mark string, after int) {
	i := strings.Index(s.text[s.at+after:], mark)
	if i < 0 {
		s.at = len(s.text)
		return
	}
	s.at += after + i + len(mark)
}

// quoted passes a quoted string, which may contain ${ } with strings in it.
func (s *hcl) quoted() {
	braces := 0
	for s.at++; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; {
		case c == '\\':
			s.at++
		case (c == '$' || c == '%') && strings.HasPrefix(s.text[s.at+1:], "{"):
			braces++
			s.at++
		case c == '}' && braces > 0:
			braces--
		case c == '"' && braces == 0, c == '\n':
			s.at++
			return
		}
	}
	s.at = min(s.at, len(s.text))
}

// heredoc passes <<WORD ... WORD, of which the first < is read.
func (s *hcl) heredoc() {
	rest, ok := strings.CutPrefix(s.text[s.at:], "<")
	if !ok {
		return
	}
	line, _, _ := strings.Cut(rest, "\n")
	word := strings.Trim(line, "- \t\r")
	if word == "" || strings.ContainsAny(word, " \t") {
		return
	}
	for s.at < len(s.text) {
		s.to("\n", 0)
		line, _, _ := strings.Cut(s.text[s.at:], "\n")
		if strings.TrimSpace(line) == word {
			s.at += len(line)
			return
		}
	}
}
