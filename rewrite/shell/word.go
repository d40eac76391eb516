package shell

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// word collects one word of a command.
type word struct {
	b        strings.Builder
	glob     bool
	split    bool // a known value that the shell splits or globs
	opaque   bool // anything that is not a plain variable
	vars     []Var
	hasTilde bool
}

func (w *word) arg(raw string) Arg {
	a := Arg{Text: w.b.String(), Raw: raw, Vars: w.vars}
	open := len(w.vars) > 0 || w.opaque || w.split || w.hasTilde
	a.Literal = !open && !w.glob
	a.Glob = w.glob && !open
	a.VarsOnly = len(w.vars) > 0 && !w.opaque && !w.split && !w.glob && !w.hasTilde
	return a
}

// appendArgs evaluates a word to what the program gets: one argument, or
// several when the word is a variable with a known value that the shell splits.
func (f *frame) appendArgs(out []Arg, x *syntax.Word, sc *scope) []Arg {
	raw := f.raw(x)
	if len(x.Parts) == 1 {
		switch p := x.Parts[0].(type) {
		case *syntax.Lit:
			if !strings.ContainsAny(p.Value, "\\*?[{}~") {
				return append(out, Arg{Text: p.Value, Literal: true, Raw: raw})
			}
		case *syntax.ParamExp:
			if v, ok := sc.plain(p); ok && !strings.ContainsAny(v, "*?[\\") {
				for w := range strings.FieldsSeq(v) {
					out = append(out, Arg{Text: w, Literal: true, Raw: raw})
				}
				return out
			}
		}
	}
	var w word
	for i, part := range x.Parts {
		f.part(&w, part, sc, i == 0)
	}
	a := w.arg(raw)
	if a.Glob && f.lang == Bash {
		if texts, ok := braces(a.Text); ok {
			for _, t := range texts {
				literal := !strings.ContainsAny(t, "*?[")
				out = append(out, Arg{Text: t, Literal: literal, Glob: !literal, Raw: raw})
			}
			return out
		}
	}
	return append(out, a)
}

// value evaluates a word that is not split: an assignment, a redirection.
func (f *frame) value(x *syntax.Word, sc *scope) Arg {
	if x == nil {
		return Arg{Literal: true}
	}
	var w word
	for i, part := range x.Parts {
		f.part(&w, part, sc, i == 0)
	}
	w.split = false
	return w.arg(f.raw(x))
}

func (f *frame) raw(n syntax.Node) string {
	a, b := int(n.Pos().Offset()), int(n.End().Offset())
	if a > b || b > len(f.text) {
		return ""
	}
	return f.text[a:b]
}

func (f *frame) part(w *word, part syntax.WordPart, sc *scope, first bool) {
	switch p := part.(type) {
	case *syntax.Lit:
		f.unquoted(w, p.Value, first)
	case *syntax.SglQuoted:
		w.b.WriteString(p.Value)
		if p.Dollar && strings.Contains(p.Value, `\`) {
			w.opaque = true
		}
	case *syntax.DblQuoted:
		for _, q := range p.Parts {
			switch q := q.(type) {
			case *syntax.Lit:
				w.b.WriteString(unescapeDouble(q.Value))
			case *syntax.ParamExp:
				f.param(w, q, sc, true)
			default:
				w.opaque = true
				w.b.WriteString(f.raw(q))
			}
		}
	case *syntax.ParamExp:
		f.param(w, p, sc, false)
	default:
		w.opaque = true
		w.b.WriteString(f.raw(part))
	}
}

func (f *frame) unquoted(w *word, v string, first bool) {
	open := -1
	for i := 0; i < len(v); i++ {
		c := v[i]
		switch c {
		case '\\':
			if i+1 < len(v) {
				i++
				if v[i] == '\n' {
					continue
				}
				c = v[i]
			}
		case '*', '?':
			w.glob = true
		case '[':
			// The command [ is not a pattern.
			w.glob = w.glob || strings.Contains(v[i:], "]")
		case '{':
			open = i
		case '}':
			if f.lang == Bash && open >= 0 && (strings.Contains(v[open:i], ",") || strings.Contains(v[open:i], "..")) {
				w.glob = true
			}
		case '~':
			if i == 0 && first {
				w.hasTilde = true
			}
		}
		w.b.WriteByte(c)
	}
}

func unescapeDouble(v string) string {
	if !strings.Contains(v, `\`) {
		return v
	}
	var b strings.Builder
	for i := 0; i < len(v); i++ {
		if v[i] == '\\' && i+1 < len(v) {
			switch v[i+1] {
			case '$', '`', '"', '\\':
				i++
			case '\n':
				i++
				continue
			}
		}
		b.WriteByte(v[i])
	}
	return b.String()
}

func (f *frame) param(w *word, p *syntax.ParamExp, sc *scope, quoted bool) {
	if v, ok := sc.plain(p); ok {
		w.b.WriteString(v)
		if !quoted && (strings.ContainsAny(v, " \t\n*?[\\") || v == "") {
			w.split = true
		}
		return
	}
	w.b.WriteString(f.raw(p))
	v, ok := plainVar(p)
	if !ok {
		w.opaque = true
		return
	}
	v.Quoted = quoted
	w.vars = append(w.vars, v)
}

// plainVar reads $A, ${A}, ${A-lit} and ${A:-lit}.
func plainVar(p *syntax.ParamExp) (Var, bool) {
	if p.Param == nil || p.NestedParam != nil || p.Flags != nil || p.Excl || p.Length || p.Width || p.IsSet ||
		p.Index != nil || p.Slice != nil || p.Repl != nil || p.Names != 0 || len(p.Modifiers) > 0 ||
		!syntax.ValidName(p.Param.Value) {
		return Var{}, false
	}
	v := Var{Name: p.Param.Value}
	if p.Exp == nil {
		return v, true
	}
	if p.Exp.Op != syntax.DefaultUnset && p.Exp.Op != syntax.DefaultUnsetOrNull {
		return Var{}, false
	}
	v.HasDefault = true
	if p.Exp.Word == nil {
		return v, true
	}
	for _, part := range p.Exp.Word.Parts {
		switch q := part.(type) {
		case *syntax.Lit:
			v.Default += q.Value
		case *syntax.SglQuoted:
			v.Default += q.Value
		case *syntax.DblQuoted:
			for _, in := range q.Parts {
				l, ok := in.(*syntax.Lit)
				if !ok {
					return Var{}, false
				}
				v.Default += unescapeDouble(l.Value)
			}
		default:
			return Var{}, false
		}
	}
	return v, true
}

// braces expands one or more {a,b} groups without nesting; ok is false for
// anything else, such as {1..3}.
func braces(text string) (out []string, ok bool) {
	out = []string{""}
	for text != "" {
		i := strings.IndexByte(text, '{')
		if i < 0 {
			i = len(text)
		}
		for k := range out {
			out[k] += text[:i]
		}
		text = text[i:]
		if text == "" {
			break
		}
		j := strings.IndexByte(text, '}')
		if j < 0 || strings.Contains(text[1:j], "{") || !strings.Contains(text[:j], ",") {
			return nil, false
		}
		var next []string
		for _, o := range out {
			for _, alt := range strings.Split(text[1:j], ",") {
				next = append(next, o+alt)
			}
		}
		if len(next) > 64 {
			return nil, false
		}
		out, text = next, text[j+1:]
	}
	return out, len(out) > 1
}
