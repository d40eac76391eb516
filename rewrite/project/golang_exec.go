package project

import (
	"go/token"
	"strconv"
)

// execScanner finds exec.Command(name and exec.CommandContext(ctx, name in a
// stream of tokens.
type execScanner struct {
	state int // how many tokens of the call were seen
	skip  bool
}

// token takes the next token; ok tells that a call ended with it, name is the
// program or "".
func (e *execScanner) token(tok token.Token, lit string) (name string, ok bool) {
	switch {
	case e.state == 0 && tok == token.IDENT && lit == "exec":
		e.state = 1
		return "", false
	case e.state == 1 && tok == token.PERIOD:
		e.state = 2
		return "", false
	case e.state == 2 && tok == token.IDENT && (lit == "Command" || lit == "CommandContext"):
		e.state, e.skip = 3, lit == "CommandContext"
		return "", false
	case e.state == 3 && tok == token.LPAREN:
		e.state = 4
		return "", false
	case e.state == 4 && e.skip:
		// The context: up to the comma. A call in it ends the search.
		switch tok {
		case token.COMMA:
			e.skip = false
		case token.IDENT, token.PERIOD:
		default:
			e.state = 0
			return "", true
		}
		return "", false
	case e.state == 4:
		e.state = 0
		if tok == token.STRING {
			if text, err := strconv.Unquote(lit); err == nil {
				return text, true
			}
		}
		return "", true
	}
	e.state = 0
	return "", false
}
