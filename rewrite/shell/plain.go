package shell

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// parsePlain reads a text of one line that is nothing but commands joined by &&,
// of bare words and words in single quotes, into the tree that the parser makes;
// nil for any other text. Most texts are of this kind, and the parser sets up
// more than it takes to read them. FuzzPlain compares the trees.
func parsePlain(text string) *syntax.File {
	words, calls := 0, 1
	quoted := false
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case quoted && c != '\'':
			if c < ' ' || c > '~' {
				return nil
			}
		case c == '\'': // at the start of a word and at its end
			if !quoted && i > 0 && text[i-1] != ' ' || quoted && i+1 < len(text) && text[i+1] != ' ' {
				return nil
			}
			quoted = !quoted
			if quoted {
				words++
			}
		case c == '&':
			if i == 0 || text[i-1] != ' ' || i+2 >= len(text) || text[i+1] != '&' || text[i+2] != ' ' {
				return nil
			}
			calls++
			i++
		case c == ' ':
		case !bare(c):
			return nil
		case i == 0 || text[i-1] == ' ':
			words++
		}
	}
	if quoted || len(text) > 8<<10 { // columns have 14 bits in the parser
		return nil
	}
	p := plainParser{
		text: text, words: make([]plainWord, 0, words), args: make([]*syntax.Word, 0, words), calls: make([]plainCall, 0, calls),
	}
	return p.file()
}

// bare tells whether a byte stands for itself wherever it stands in a word.
func bare(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-_./:@%+,=*?~", c) >= 0
}

// plainParser takes the nodes of one tree from a few pieces.
type plainParser struct {
	text  string
	words []plainWord
	args  []*syntax.Word
	calls []plainCall
}

type plainWord struct {
	word  syntax.Word
	parts [1]syntax.WordPart
	lit   syntax.Lit
}

type plainCall struct {
	call syntax.CallExpr
	stmt syntax.Stmt
}

func position(offset int) syntax.Pos { return syntax.NewPos(uint(offset), 1, uint(offset)+1) }

// file reads the commands; nil when one is empty, or is no command but a word of
// the shell's own or an assignment.
func (p *plainParser) file() *syntax.File {
	var top *syntax.Stmt
	op := 0 // where the && in front of the next command stands
	for at := 0; ; {
		stmt, end := p.command(at)
		if stmt == nil {
			return nil
		}
		if top == nil {
			top = stmt
		} else {
			top = &syntax.Stmt{Position: top.Position, Cmd: &syntax.BinaryCmd{OpPos: position(op), Op: syntax.AndStmt, X: top, Y: stmt}}
		}
		if end == len(p.text) {
			return &syntax.File{Stmts: []*syntax.Stmt{top}}
		}
		op, at = end, end+2
	}
}

// command reads the words from an offset on, up to && or the end.
func (p *plainParser) command(at int) (*syntax.Stmt, int) {
	first := len(p.args)
	for at < len(p.text) && p.text[at] != '&' {
		if p.text[at] == ' ' {
			at++
			continue
		}
		end := at + 1
		p.words = p.words[:len(p.words)+1]
		w := &p.words[len(p.words)-1]
		if p.text[at] == '\'' {
			end += strings.IndexByte(p.text[end:], '\'') + 1
			w.parts[0] = &syntax.SglQuoted{Left: position(at), Right: position(end - 1), Value: p.text[at+1 : end-1]}
		} else {
			for end < len(p.text) && p.text[end] != ' ' {
				end++
			}
			w.lit = syntax.Lit{ValuePos: position(at), ValueEnd: position(end), Value: p.text[at:end]}
			w.parts[0] = &w.lit
			if len(p.args) == first && special(w.lit.Value) {
				return nil, 0
			}
		}
		w.word.Parts = w.parts[:]
		p.args = append(p.args, &w.word)
		at = end
	}
	if len(p.args) == first {
		return nil, 0
	}
	p.calls = p.calls[:len(p.calls)+1]
	c := &p.calls[len(p.calls)-1]
	c.call.Args = p.args[first:len(p.args):len(p.args)]
	c.stmt = syntax.Stmt{Position: c.call.Args[0].Pos(), Cmd: &c.call}
	return &c.stmt, at
}

// special tells whether a bare first word may be more than the name of a
// command: an assignment, or a word of the shell's grammar.
func special(word string) bool {
	switch word {
	case "if", "then", "elif", "else", "fi", "while", "until", "for", "do", "done", "case", "esac", "in", "let", "function",
		"declare", "local", "export", "readonly", "typeset", "nameref", "time", "coproc", "select":
		return true
	}
	return strings.Contains(word, "=") || word[0] == '@'
}
