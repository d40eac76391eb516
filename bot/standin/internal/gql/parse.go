// Package gql reads and executes the part of GraphQL that clients use for
// batched reads: queries with variables, aliases, arguments, fragments and the
// include and skip directives. Types and resolvers are the caller's.
package gql

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Position is a place in the query, from 1.
type Position struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

// Document is a parsed query.
type Document struct {
	Operations []*Operation
	Fragments  map[string]*Fragment
}

// Operation is a query or a mutation.
type Operation struct {
	Kind      string // query, mutation or subscription
	Name      string
	Variables []Variable
	Select    []Selection
	At        Position
}

// Variable is a declared variable.
type Variable struct {
	Name     string
	Type     string // as written: "[ID!]!"
	Default  Value
	HasValue bool
}

// Fragment is a named fragment.
type Fragment struct {
	Name, On string
	Select   []Selection
}

// Selection is a field, an inline fragment (Field empty, Spread empty) or a
// spread of a named fragment.
type Selection struct {
	Alias, Field string
	Args         map[string]Value
	Select       []Selection
	Spread       string
	On           string // type condition of an inline fragment, "" for none
	Directives   map[string]map[string]Value
	At           Position
}

// Key is the name of the field in the answer.
func (s Selection) Key() string {
	if s.Alias != "" {
		return s.Alias
	}
	return s.Field
}

// Value is a literal: string, int64, float64, bool, nil, Enum, Var, []Value or
// map[string]Value.
type Value any

// Enum is a bare word.
type Enum string

// Var is a reference to a variable.
type Var string

// SyntaxError says where the query is no GraphQL.
type SyntaxError struct {
	Message string
	At      Position
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("Parse error on %s at [%d, %d]", e.Message, e.At.Line, e.At.Column)
}

// maxDepth bounds nesting of selections and values.
const maxDepth = 60

type token struct {
	kind byte // 'n' name, 'i' int, 'f' float, 's' string, or the punctuation; 0 at the end
	text string
	at   Position
}

type parser struct {
	src   string
	pos   int
	line  int
	start int // of the line
	tok   token
	depth int
}

// Parse reads a query document.
func Parse(src string) (doc *Document, err error) {
	p := &parser{src: src, line: 1}
	defer func() {
		switch e := recover().(type) {
		case nil:
		case *SyntaxError:
			doc, err = nil, e
		default:
			panic(e)
		}
	}()
	p.next()
	doc = &Document{Fragments: map[string]*Fragment{}}
	for p.tok.kind != 0 {
		switch {
		case p.tok.kind == '{':
			at := p.tok.at
			doc.Operations = append(doc.Operations, &Operation{Kind: "query", Select: p.selections(), At: at})
		case p.word("fragment"):
			p.next()
			f := &Fragment{Name: p.name()}
			p.keyword("on")
			f.On = p.name()
			p.directives()
			f.Select = p.selections()
			doc.Fragments[f.Name] = f
		case p.word("query"), p.word("mutation"), p.word("subscription"):
			doc.Operations = append(doc.Operations, p.operation())
		default:
			p.fail()
		}
	}
	if len(doc.Operations) == 0 {
		p.fail()
	}
	return doc, nil
}

func (p *parser) fail() {
	what := strconv.Quote(p.tok.text)
	if p.tok.kind == 0 {
		what = "end of file"
	}
	panic(&SyntaxError{Message: what, At: p.tok.at})
}

func (p *parser) word(w string) bool { return p.tok.kind == 'n' && p.tok.text == w }

func (p *parser) keyword(w string) {
	if !p.word(w) {
		p.fail()
	}
	p.next()
}

func (p *parser) name() string {
	if p.tok.kind != 'n' {
		p.fail()
	}
	s := p.tok.text
	p.next()
	return s
}

func (p *parser) expect(kind byte) {
	if p.tok.kind != kind {
		p.fail()
	}
	p.next()
}

func (p *parser) take(kind byte) bool {
	if p.tok.kind != kind {
		return false
	}
	p.next()
	return true
}

func (p *parser) deeper() func() {
	if p.depth++; p.depth > maxDepth {
		p.fail()
	}
	return func() { p.depth-- }
}

func (p *parser) operation() *Operation {
	op := &Operation{Kind: p.tok.text, At: p.tok.at}
	p.next()
	if p.tok.kind == 'n' {
		op.Name = p.name()
	}
	if p.take('(') {
		for !p.take(')') {
			p.expect('$')
			v := Variable{Name: p.name()}
			p.expect(':')
			v.Type = p.typeName()
			if p.take('=') {
				v.Default, v.HasValue = p.value(), true
			}
			p.directives()
			op.Variables = append(op.Variables, v)
		}
	}
	p.directives()
	op.Select = p.selections()
	return op
}

func (p *parser) typeName() string {
	defer p.deeper()()
	var s string
	if p.take('[') {
		s = "[" + p.typeName() + "]"
		p.expect(']')
	} else {
		s = p.name()
	}
	if p.take('!') {
		s += "!"
	}
	return s
}

func (p *parser) directives() map[string]map[string]Value {
	var out map[string]map[string]Value
	for p.take('@') {
		if out == nil {
			out = map[string]map[string]Value{}
		}
		name := p.name()
		out[name] = p.arguments()
	}
	return out
}

func (p *parser) arguments() map[string]Value {
	args := map[string]Value{}
	if p.take('(') {
		for !p.take(')') {
			name := p.name()
			p.expect(':')
			args[name] = p.value()
		}
	}
	return args
}

func (p *parser) selections() []Selection {
	defer p.deeper()()
	p.expect('{')
	var out []Selection
	for !p.take('}') {
		s := Selection{At: p.tok.at}
		if p.take('.') {
			if p.word("on") {
				p.next()
				s.On = p.name()
				s.Directives = p.directives()
				s.Select = p.selections()
			} else if p.tok.kind == 'n' {
				s.Spread = p.name()
				s.Directives = p.directives()
			} else {
				s.Directives = p.directives()
				s.Select = p.selections()
			}
			out = append(out, s)
			continue
		}
		s.Field = p.name()
		if p.take(':') {
			s.Alias, s.Field = s.Field, p.name()
		}
		s.Args = p.arguments()
		s.Directives = p.directives()
		if p.tok.kind == '{' {
			s.Select = p.selections()
		}
		out = append(out, s)
	}
	if len(out) == 0 {
		p.fail()
	}
	return out
}

func (p *parser) value() Value {
	defer p.deeper()()
	t := p.tok
	switch t.kind {
	case '$':
		p.next()
		return Var(p.name())
	case 's':
		p.next()
		return t.text
	case 'i':
		p.next()
		n, err := strconv.ParseInt(t.text, 10, 64)
		if err != nil {
			panic(&SyntaxError{Message: strconv.Quote(t.text), At: t.at})
		}
		return n
	case 'f':
		p.next()
		n, err := strconv.ParseFloat(t.text, 64)
		if err != nil {
			panic(&SyntaxError{Message: strconv.Quote(t.text), At: t.at})
		}
		return n
	case 'n':
		p.next()
		switch t.text {
		case "true":
			return true
		case "false":
			return false
		case "null":
			return nil
		}
		return Enum(t.text)
	case '[':
		p.next()
		list := []Value{}
		for !p.take(']') {
			list = append(list, p.value())
		}
		return list
	case '{':
		p.next()
		o := map[string]Value{}
		for !p.take('}') {
			name := p.name()
			p.expect(':')
			o[name] = p.value()
		}
		return o
	}
	p.fail()
	return nil
}

// next reads a token; commas are blanks and "#" starts a comment.
func (p *parser) next() {
	for p.pos < len(p.src) {
		switch c := p.src[p.pos]; {
		case c == '\n':
			p.pos++
			p.line++
			p.start = p.pos
			continue
		case c == ' ' || c == '\t' || c == '\r' || c == ',':
			p.pos++
			continue
		case strings.HasPrefix(p.src[p.pos:], "\ufeff"):
			p.pos += len("\ufeff")
			continue
		case c == '#':
			for p.pos < len(p.src) && p.src[p.pos] != '\n' {
				p.pos++
			}
			continue
		}
		break
	}
	at := Position{Line: p.line, Column: p.pos - p.start + 1}
	if p.pos >= len(p.src) {
		p.tok = token{at: at}
		return
	}
	rest := p.src[p.pos:]
	c := rest[0]
	switch {
	case strings.HasPrefix(rest, "..."):
		p.tok = token{'.', "...", at}
		p.pos += 3
	case c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
		n := 1
		for n < len(rest) && (rest[n] == '_' || rest[n] >= '0' && rest[n] <= '9' || rest[n] >= 'a' && rest[n] <= 'z' || rest[n] >= 'A' && rest[n] <= 'Z') {
			n++
		}
		p.tok = token{'n', rest[:n], at}
		p.pos += n
	case c == '-' || c >= '0' && c <= '9':
		n := 1
		for n < len(rest) && strings.IndexByte("0123456789.eE+-", rest[n]) >= 0 {
			n++
		}
		kind := byte('i')
		if strings.ContainsAny(rest[:n], ".eE") {
			kind = 'f'
		}
		p.tok = token{kind, rest[:n], at}
		p.pos += n
	case c == '"':
		text, n := p.str(rest, at)
		p.tok = token{'s', text, at}
		p.pos += n
	case strings.IndexByte("{}()[]:=!$@|&", c) >= 0:
		p.tok = token{c, rest[:1], at}
		p.pos++
	default:
		_, n := utf8.DecodeRuneInString(rest)
		panic(&SyntaxError{Message: strconv.Quote(rest[:n]), At: at})
	}
}

// str reads a quoted string or a block string and returns its length.
func (p *parser) str(rest string, at Position) (string, int) {
	bad := func() { panic(&SyntaxError{Message: "an unterminated string", At: at}) }
	if strings.HasPrefix(rest, `"""`) {
		end := strings.Index(rest[3:], `"""`)
		if end < 0 {
			bad()
		}
		body := rest[3 : 3+end]
		p.line += strings.Count(body, "\n")
		return strings.TrimSpace(body), end + 6
	}
	var b strings.Builder
	for i := 1; i < len(rest); i++ {
		switch c := rest[i]; c {
		case '"':
			return b.String(), i + 1
		case '\n':
			bad()
		case '\\':
			i++
			if i >= len(rest) {
				bad()
			}
			switch e := rest[i]; e {
			case 'n', 't', 'r', 'b', 'f':
				b.WriteByte(map[byte]byte{'n': '\n', 't': '\t', 'r': '\r', 'b': '\b', 'f': '\f'}[e])
			case '"', '\\', '/':
				b.WriteByte(e)
			case 'u':
				if i+4 >= len(rest) {
					bad()
				}
				n, err := strconv.ParseUint(rest[i+1:i+5], 16, 32)
				if err != nil {
					bad()
				}
				b.WriteRune(rune(n))
				i += 4
			default:
				bad()
			}
		default:
			b.WriteByte(c)
		}
	}
	bad()
	return "", 0
}
