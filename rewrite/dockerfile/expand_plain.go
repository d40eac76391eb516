package dockerfile

import (
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/shell"
)

// plainVariables tells whether a word is printable ASCII whose only special
// parts are $NAME and ${NAME}. BuildKit's lexer goes through a word rune by rune
// with a scanner and a map of functions; nearly every word with a variable is of
// this kind.
func plainVariables(word string, escape byte) bool {
	for i := 0; i < len(word); i++ {
		switch c := word[i]; {
		case c < ' ' || c > '~' || c == '\'' || c == '"' || c == '<' || c == escape:
			return false
		case c == '$':
			_, next := plainVariable(word, i)
			if next == 0 {
				return false
			}
			i = next - 1
		}
	}
	return true
}

// plainText gives the text of a word that plainVariables accepts, or that is one
// in double quotes; false for any other.
func plainText(word string, escape byte) (string, bool) {
	if n := len(word); n > 1 && word[0] == '"' && word[n-1] == '"' {
		word = word[1 : n-1]
	}
	return word, plainVariables(word, escape)
}

// plainVariable reads $NAME or ${NAME} at i and returns where it ends, 0 when it
// is anything else.
func plainVariable(word string, i int) (name string, next int) {
	from := i + 1
	braced := from < len(word) && word[from] == '{'
	if braced {
		from++
	}
	to := from
	for to < len(word) && nameByte(word[to]) {
		to++
	}
	if to == from || isDigit(word[from]) {
		return "", 0
	}
	if !braced {
		return word[from:to], to
	}
	if to == len(word) || word[to] != '}' {
		return "", 0
	}
	return word[from:to], to + 1
}

// expandPlain replaces the variables of a word that plainVariables accepts.
func expandPlain(word string, env shell.EnvGetter) (string, map[string]struct{}) {
	var out strings.Builder
	var missing map[string]struct{}
	rest := 0
	for {
		i := strings.IndexByte(word[rest:], '$')
		if i < 0 {
			out.WriteString(word[rest:])
			return out.String(), missing
		}
		out.WriteString(word[rest : rest+i])
		name, next := plainVariable(word, rest+i)
		value, ok := env.Get(name)
		if !ok {
			if missing == nil {
				missing = map[string]struct{}{}
			}
			missing[name] = struct{}{}
		}
		out.WriteString(value)
		rest = next
	}
}

// AlwaysExpands tells whether BuildKit can expand a word whatever the variables
// are, and changes nothing in it but the variables and one pair of double quotes
// around all of it: it is printable ASCII whose only special parts are $NAME and
// ${NAME}. Of other words nothing is said.
func (f *File) AlwaysExpands(word string) bool {
	_, ok := plainText(word, byte(f.Escape))
	return ok
}
