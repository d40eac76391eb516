package dockerfile

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/moby/buildkit/frontend/dockerfile/command"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
)

// reader makes the syntax tree that BuildKit's parser makes, for plain files
// only: it gives up at everything that is rare, odd or an error, and BuildKit
// reads the file then. What it does not give up at it reads like
// parser.Parse of BuildKit v0.34.2, node by node, but for the comments above an
// instruction; FuzzRead holds it to that.
//
// BuildKit's parser compiles a regular expression per file and runs it over
// every line, which takes most of its time; a migration reads a file and its
// result several times.
type reader struct {
	*File
	segs  []segment
	nodes []parser.Node   // of one instruction, used again for the next one
	exec  map[string]bool // the attributes of an exec form
}

// found is an instruction as the reader found it. Its node is good until the next
// one is read.
type found struct {
	node *parser.Node
	segs []segment
	last int // the last physical line, here-documents left out
}

// plainLine is the longest line that the reader takes on; BuildKit's scanner
// refuses lines that do not fit its buffer.
const plainLine = 32 << 10

// read gives the instructions one by one. It returns false when the file is not
// plain, or when each does.
func (r *reader) read(each func(found) bool) bool {
	if !r.plain() || !r.leading() {
		return false
	}
	r.segs = make([]segment, 0, len(r.lines))
	some := false
	for at := 1; at <= len(r.lines); at++ {
		text, _ := r.body(at)
		if isComment(text) || len(bytes.TrimLeftFunc(text, unicode.IsSpace)) == 0 {
			continue
		}
		some = true
		l := found{}
		first := len(r.segs)
		r.segs, l.last = r.join(r.segs, at)
		l.segs = r.segs[first:len(r.segs):len(r.segs)]
		clear(r.nodes)
		r.nodes = r.nodes[:0]
		if l.node = r.node(original(r.source, l.segs)); l.node == nil {
			return false
		}
		l.node.StartLine, l.node.EndLine = at, l.last
		if strings.Contains(l.node.Original, "<<") && !r.heredocs(l.node, l.last) {
			return false
		}
		at = l.node.EndLine
		if !each(l) {
			return false
		}
	}
	return some
}

// plain tells whether the text holds nothing that puts the reader off.
func (r *reader) plain() bool {
	if !utf8.Valid(r.Content) {
		return false
	}
	for i, start := range r.lines {
		end := len(r.Content)
		if i+1 < len(r.lines) {
			end = r.lines[i+1]
		}
		if end-start > plainLine {
			return false
		}
	}
	return true
}

// leading reads the directives and the escape character they set.
func (r *reader) leading() bool {
	found, err := r.directives()
	if err != nil {
		return false
	}
	r.Directives, r.Escape = found, parser.DefaultEscapeToken
	for _, d := range found {
		if d.Name != "escape" {
			continue
		}
		if d.Value != "`" && d.Value != `\` {
			return false
		}
		r.Escape = rune(d.Value[0])
	}
	return true
}

// original is the joined line of segments.
func original(source string, segs []segment) string {
	if len(segs) == 1 {
		return source[segs[0].src : segs[0].src+segs[0].n]
	}
	var b strings.Builder
	if n := len(segs); n > 0 {
		b.Grow(segs[n-1].at + segs[n-1].n)
	}
	for _, s := range segs {
		b.WriteString(source[s.src : s.src+s.n])
	}
	return b.String()
}

// heredocs reads the here-documents of an instruction whose own lines end at
// last (the end of BuildKit's Parse, and its heredocsFromLine).
func (r *reader) heredocs(node *parser.Node, last int) bool {
	owner := node
	if strings.EqualFold(node.Value, command.Onbuild) && node.Next != nil {
		owner = node.Next.Children[0]
	}
	switch strings.ToLower(owner.Value) {
	case command.Add, command.Copy, command.Run:
	default:
		return true
	}
	if owner.Attributes["json"] {
		return true
	}
	lex := shell.NewLex('\\')
	lex.RawQuotes, lex.RawEscapes, lex.SkipUnsetEnv = true, true, true
	words, _ := lex.ProcessWords(node.Original, environment(nil))
	for _, w := range words {
		doc, err := parser.ParseHeredoc(w)
		if err != nil {
			return false
		}
		if doc == nil {
			continue
		}
		if last = r.heredoc(doc, last); last == 0 {
			return false
		}
		node.Heredocs = append(node.Heredocs, *doc)
	}
	node.EndLine = last
	return true
}

// heredoc fills a here-document that begins below a line, and returns the line
// that ends it, 0 when none does.
func (r *reader) heredoc(doc *parser.Heredoc, line int) int {
	start := r.LineSpan(line + 1).Start
	for line++; line <= len(r.lines); line++ {
		span := r.LineSpan(line)
		text := strings.TrimRight(r.source[span.Start:span.End], "\r\n")
		if doc.Chomp {
			text = strings.TrimLeft(text, "\t")
		}
		if text == doc.Name {
			doc.Content = r.source[start:span.Start]
			return line
		}
	}
	return 0
}
