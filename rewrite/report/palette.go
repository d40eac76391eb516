package report

import "dhibot/rewrite"

// palette colours text, or not.
type palette struct{ on bool }

func (p palette) wrap(code, s string) string {
	if !p.on || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (p palette) bold(s string) string { return p.wrap("1", s) }
func (p palette) dim(s string) string  { return p.wrap("2", s) }
func (p palette) cyan(s string) string { return p.wrap("36", s) }

// line colours a line of a diff by its kind.
func (p palette) line(kind byte, s string) string {
	switch kind {
	case '-':
		return p.wrap("31", s)
	case '+':
		return p.wrap("32", s)
	}
	return s
}

// outcome colours the word of an outcome: green is done, yellow needs a
// person, red is an error.
func (p palette) outcome(o rewrite.Outcome, s string) string {
	switch o {
	case rewrite.Hardened:
		return p.wrap("1;32", s)
	case rewrite.Dev, rewrite.Partial:
		return p.wrap("1;33", s)
	case rewrite.Failed:
		return p.wrap("1;31", s)
	}
	return p.dim(s)
}
