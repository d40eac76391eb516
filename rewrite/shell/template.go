package shell

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// TemplateWord is a word of a command whose value hangs on variables.
type TemplateWord struct {
	// Raw is the word as written.
	Raw string
	// Pieces are joined in order.
	Pieces []Piece
	// Splits says that the shell parts the word at blanks, and drops it when it
	// is empty: a variable in it stands outside of quotes.
	Splits bool
}

// Literal tells whether the word is a plain text.
func (w TemplateWord) Literal() (string, bool) {
	text := ""
	for _, p := range w.Pieces {
		if p.Var != "" {
			return "", false
		}
		text += p.Text
	}
	return text, true
}

// Piece is a text, or the value of a variable.
type Piece struct {
	Text string
	// Var is the name of a variable, "" for a text. Default takes its place
	// when it is unset, and with EmptyToo when it is empty as well; an unset
	// variable without a default is empty.
	Var, Default string
	HasDefault   bool
	EmptyToo     bool
}

// Template reads a text that is one simple command whose words need nothing of
// a shell but plain variables. A leading exec is dropped; assignments before
// the command must be literal and come back as env.
func (s *Script) Template() (words []TemplateWord, env map[string]string, ok bool) {
	if s.file == nil || s.Truncated || len(s.file.Stmts) != 1 {
		return nil, nil, false
	}
	args, assigns, ok := s.statement(s.file.Stmts[0])
	if !ok {
		return nil, nil, false
	}
	env = map[string]string{}
	for n, a := range assigns {
		if !a.Literal {
			return nil, nil, false
		}
		env[n] = a.Text
	}
	call := s.file.Stmts[0].Cmd.(*syntax.CallExpr) // statement accepts nothing else
	list := call.Args
	if len(list) > len(args) {
		list = list[len(list)-len(args):] // exec
	}
	for i, x := range list {
		w, ok := template(x)
		if !ok {
			return nil, nil, false
		}
		w.Raw = args[i].Raw
		words = append(words, w)
	}
	return words, env, len(words) == len(args)
}

func template(x *syntax.Word) (TemplateWord, bool) {
	w := TemplateWord{}
	blank := false // a quoted text that splitting would part
	for _, part := range x.Parts {
		switch p := part.(type) {
		case *syntax.Lit:
			if strings.ContainsAny(p.Value, "\\*?[{~") {
				return w, false
			}
			w.Pieces = append(w.Pieces, Piece{Text: p.Value})
		case *syntax.SglQuoted:
			if p.Dollar {
				return w, false
			}
			blank = blank || strings.ContainsAny(p.Value, " \t\n") || p.Value == ""
			w.Pieces = append(w.Pieces, Piece{Text: p.Value})
		case *syntax.DblQuoted:
			if p.Dollar || len(p.Parts) == 0 {
				return w, false
			}
			for _, q := range p.Parts {
				switch q := q.(type) {
				case *syntax.Lit:
					if strings.Contains(q.Value, "\\") {
						return w, false
					}
					blank = blank || strings.ContainsAny(q.Value, " \t\n")
					w.Pieces = append(w.Pieces, Piece{Text: q.Value})
				case *syntax.ParamExp:
					v, ok := variable(q)
					if !ok {
						return w, false
					}
					blank = true // its value must stay whole
					w.Pieces = append(w.Pieces, v)
				default:
					return w, false
				}
			}
		case *syntax.ParamExp:
			v, ok := variable(p)
			if !ok {
				return w, false
			}
			w.Splits = true
			w.Pieces = append(w.Pieces, v)
		default:
			return w, false
		}
	}
	return w, !w.Splits || !blank
}

// variable is an expansion of a named variable, perhaps with a literal default.
func variable(p *syntax.ParamExp) (Piece, bool) {
	if p.Param == nil || p.Excl || p.Length || p.Width || p.Index != nil || p.Slice != nil || p.Repl != nil || p.Names != 0 {
		return Piece{}, false
	}
	name := p.Param.Value
	if name == "" || !(name[0] == '_' || 'A' <= name[0] && name[0] <= 'Z' || 'a' <= name[0] && name[0] <= 'z') {
		return Piece{}, false // $1, $@, $?
	}
	v := Piece{Var: name}
	if p.Exp == nil {
		return v, true
	}
	switch p.Exp.Op {
	case syntax.DefaultUnset:
	case syntax.DefaultUnsetOrNull:
		v.EmptyToo = true
	default:
		return Piece{}, false
	}
	v.HasDefault = true
	if p.Exp.Word != nil {
		w, ok := template(p.Exp.Word)
		if !ok {
			return Piece{}, false
		}
		text, ok := w.Literal()
		if !ok {
			return Piece{}, false
		}
		v.Default = text
	}
	return v, true
}
