package dockerfile

import (
	"errors"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// part is a piece of a word: literal text, or a variable.
type part struct {
	extent        // in the word
	text   string // of a literal, quotes and escapes resolved
	name   string // of a variable
	op     string // "", ":-", "-", ":+", "+", ":?", "?", "#", "%" or "/"
	arg    extent // what follows the operator
}

var errTooOdd = errors.New("its quoting is not followed here")

// splitWord cuts a word into parts. It follows the reading of BuildKit's
// shell.Lex; who uses it checks the outcome with that.
func splitWord(s string, escape byte) ([]part, error) {
	var parts []part
	var run strings.Builder
	from := -1
	literal := func(i int, text string) {
		if from < 0 {
			from = i
		}
		run.WriteString(text)
	}
	flush := func(to int) {
		if from >= 0 {
			parts = append(parts, part{extent: extent{from, to}, text: run.String()})
			run.Reset()
			from = -1
		}
	}
	quote := byte(0)
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '<' && quote == 0:
			return nil, errTooOdd
		case quote == '\'' && c != '\'':
			literal(i, s[i:i+1])
			i++
		case c == quote:
			flush(i)
			quote = 0
			i++
		case quote == 0 && (c == '\'' || c == '"'):
			flush(i)
			quote = c
			i++
		case c == escape && i+1 < len(s):
			_, n := utf8.DecodeRuneInString(s[i+1:])
			text := s[i+1 : i+1+n]
			if quote == '"' && text != `"` && text != "$" && text != string(rune(escape)) {
				text = s[i : i+1+n]
			}
			literal(i, text)
			i += 1 + n
		case c == '$':
			v, ok := variable(s, i, escape)
			if !ok {
				return nil, errTooOdd
			}
			flush(i)
			parts = append(parts, v)
			i = v.to
		default:
			literal(i, s[i:i+1])
			i++
		}
	}
	if quote != 0 {
		return nil, errTooOdd
	}
	flush(len(s))
	return parts, nil
}

// variable reads $name or ${name...} at i.
func variable(s string, i int, escape byte) (part, bool) {
	v := part{extent: extent{i, i + 1}}
	j := i + 1
	braced := j < len(s) && s[j] == '{'
	if braced {
		j++
	}
	start := j
	for j < len(s) {
		r, n := utf8.DecodeRuneInString(s[j:])
		if r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			break
		}
		j += n
	}
	v.name = s[start:j]
	v.to = j
	if v.name == "" || v.name[0] >= '0' && v.name[0] <= '9' {
		return v, false
	}
	if !braced {
		return v, true
	}
	op := j
	if j < len(s) && s[j] == ':' {
		j++
	}
	if j < len(s) && strings.IndexByte("-+?#%/", s[j]) >= 0 {
		j++
	}
	v.op, v.arg.from = s[op:j], j
	for depth := 0; j < len(s); j++ {
		switch {
		case s[j] == escape:
			j++
		case s[j] == '\'' || s[j] == '"':
			return v, false
		case s[j] == '$' && j+1 < len(s) && s[j+1] == '{':
			depth++
		case s[j] == '}' && depth > 0:
			depth--
		case s[j] == '}':
			v.arg.to, v.to = j, j+1
			return v, v.op != "" || v.arg.from == v.arg.to
		}
	}
	return v, false
}

// kind is how an atom may change.
type kind int

const (
	gap   kind = iota // text around variables: takes whatever is left
	slot              // the value of a variable
	fixed             // the outcome of ${name%pattern} and the like: stays
)

// atom is a piece of a reference's value and the place where its text stands.
type atom struct {
	kind kind
	text string
	loc  Span       // in the source
	arg  *globalArg // whose default it stands in; nil for the reference itself
}

// flattener takes a reference apart until every piece stands somewhere.
type flattener struct {
	f     *File
	atoms []atom
	depth int
	// ahead is a variable without a value that stands in front of everything: a
	// build that sets it puts a registry or an architecture there.
	ahead string
}

// word adds the atoms of a word whose first byte is at offset at of the
// instruction's joined line. Where two variables meet, and behind a last one, an
// empty gap lets text come in; a word that is one variable has none, because
// whoever overrides it gives the whole reference.
func (w *flattener) word(ins *Instruction, at int, s string, owner *globalArg, lookup func(string) *globalArg) error {
	if w.depth++; w.depth > 20 {
		return errTooOdd
	}
	defer func() { w.depth-- }()
	parts, err := splitWord(s, byte(w.f.Escape))
	if err != nil {
		return err
	}
	add := func(k kind, from, to int, text string) {
		w.atoms = append(w.atoms, atom{k, text, ins.span(at+from, at+to), owner})
	}
	value := owner != nil || w.depth > 1 // a default, of an ARG or within ${x:-}
	for n, p := range parts {
		if p.name == "" {
			k := gap
			if value && len(parts) == 1 {
				k = slot
			}
			add(k, p.from, p.to, p.text)
			continue
		}
		if err := w.variable(ins, at, s, p, owner, lookup); err != nil {
			return err
		}
		if n == 0 && len(parts) > 1 && !slices.ContainsFunc(w.atoms, func(a atom) bool { return a.text != "" }) {
			w.ahead = p.name
		}
		last := n == len(parts)-1
		if len(parts) > 1 && (last || parts[n+1].name != "") {
			end := ins.span(at+p.from, at+p.to).End
			w.atoms = append(w.atoms, atom{gap, "", Span{end, end}, owner})
		}
	}
	return nil
}

func (w *flattener) variable(ins *Instruction, at int, s string, p part, owner *globalArg, lookup func(string) *globalArg) error {
	a := lookup(p.name)
	set := a != nil && a.has
	switch p.op {
	case "", "?", ":?":
		if !set {
			return nil
		}
	case "-", ":-":
		if !set || p.op == ":-" && a.text == "" {
			return w.word(ins, at+p.arg.from, s[p.arg.from:p.arg.to], owner, lookup)
		}
	default:
		text, _, err := w.f.expand(s[p.from:p.to], bindings{lookup})
		if err != nil {
			return err
		}
		if text != "" {
			w.atoms = append(w.atoms, atom{fixed, text, ins.span(at+p.from, at+p.to), owner})
		}
		return nil
	}
	if a.text == "" {
		return nil
	}
	return w.word(a.ins, a.ins.locate(a.value.Span.Start), a.ins.Logical(a.value.Span), a, a.lookup)
}

// lookup finds the ARG that a name in the default of a meant at its place.
func (a *globalArg) lookup(name string) *globalArg {
	for _, u := range a.uses {
		if u.name == name {
			return u
		}
	}
	return nil
}

// bindings makes a lookup an environment.
type bindings struct{ lookup func(string) *globalArg }

// Get implements shell.EnvGetter.
func (b bindings) Get(name string) (string, bool) {
	if a := b.lookup(name); a != nil && a.has {
		return a.text, true
	}
	return "", false
}

// Keys implements shell.EnvGetter.
func (b bindings) Keys() []string { return nil }

// locate is the inverse of source: the offset in the joined line of a byte.
func (i *Instruction) locate(src int) int {
	for _, s := range i.segs {
		if src >= s.src && src <= s.src+s.n {
			return s.at + src - s.src - i.base
		}
	}
	return 0
}
