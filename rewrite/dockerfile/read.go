package dockerfile

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/moby/buildkit/frontend/dockerfile/command"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// reader makes the syntax tree that BuildKit's parser makes, for plain files
// only: it gives up at everything that is rare, odd or an error, and BuildKit
// reads the file then. What it does not give up at it reads like
// parser.Parse of BuildKit v0.34.2, node by node; FuzzRead holds it to that.
//
// BuildKit's parser compiles a regular expression per file and runs it over
// every line, which takes most of its time; a migration reads a file and its
// result several times.
type reader struct {
	*File
	segs  []segment
	nodes []parser.Node
	exec  map[string]bool // the attributes of an exec form
	// ends holds for every instruction where its segments end in segs.
	ends []int
}

// plainLine is the longest line that the reader takes on; BuildKit's scanner
// refuses lines that do not fit its buffer.
const plainLine = 32 << 10

// read returns the tree, nil when the file is not plain.
func (r *reader) read() *parser.Node {
	if !utf8.Valid(r.Content) || bytes.Contains(r.Content, []byte("<<")) {
		return nil
	}
	if !r.leading() {
		return nil
	}
	root := &parser.Node{StartLine: -1, Children: make([]*parser.Node, 0, len(r.lines))}
	r.segs = make([]segment, 0, len(r.lines))
	source := r.source
	for line := 1; line <= len(r.lines); line++ {
		span := r.LineSpan(line)
		if span.End-span.Start > plainLine {
			return nil
		}
		text, _ := r.body(line)
		if isComment(text) || len(bytes.TrimLeftFunc(text, unicode.IsSpace)) == 0 {
			continue
		}
		first := len(r.segs)
		segs, last := r.join(r.segs, line)
		r.segs = segs
		for l := line + 1; l <= last; l++ {
			if s := r.LineSpan(l); s.End-s.Start > plainLine {
				return nil
			}
		}
		node := r.node(original(source, segs[first:]))
		if node == nil {
			return nil
		}
		root.AddChild(node, line, last)
		r.ends = append(r.ends, len(segs))
		line = last
	}
	if root.StartLine < 0 {
		return nil
	}
	return root
}

// Reread has BuildKit's own parser read the content and tells whether it sees
// the same instructions on the same lines. The error is BuildKit's, or names the
// first instruction that differs.
func (f *File) Reread() error {
	ast, err := parser.Parse(bytes.NewReader(f.Content))
	if err != nil {
		return fmt.Errorf("reading with BuildKit's parser: %w", err)
	}
	if ast.EscapeToken != f.Escape {
		return fmt.Errorf("BuildKit's parser takes %q for the escape character", ast.EscapeToken)
	}
	nodes := ast.AST.Children
	f.each(func(ins *Instruction) {
		if err != nil || len(nodes) == 0 {
			err = cmp.Or(err, fmt.Errorf("line %d: BuildKit's parser sees no %s", ins.Lines[0], ins.Keyword))
			return
		}
		n := nodes[0]
		nodes = nodes[1:]
		count, known := wordCount(ins, n)
		if n.StartLine != ins.Lines[0] || n.EndLine != ins.Lines[1] || n.Original != ins.logical ||
			n.Attributes["json"] != ins.JSON || len(n.Flags) != len(ins.Flags) || known && count != len(ins.Words) {
			err = fmt.Errorf("line %d: BuildKit's parser reads %q", ins.Lines[0], n.Original)
		}
	})
	if err == nil && len(nodes) > 0 {
		err = fmt.Errorf("line %d: BuildKit's parser sees one more instruction", nodes[0].StartLine)
	}
	return err
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

// next gives an empty node.
func (r *reader) next() *parser.Node {
	if len(r.nodes) == cap(r.nodes) {
		r.nodes = make([]parser.Node, 0, 24)
	}
	r.nodes = r.nodes[:len(r.nodes)+1]
	return &r.nodes[len(r.nodes)-1]
}

func (r *reader) value(text string) *parser.Node {
	n := r.next()
	n.Value = text
	return n
}

// node reads a joined line (BuildKit's newNodeFromLine); nil gives up.
func (r *reader) node(line string) *parser.Node {
	keyword, rest := scanKeyword(line)
	node := r.value(line[keyword.from:keyword.to])
	node.Original = line
	if rest.from < rest.to {
		ok := false
		if node.Flags, rest, ok = r.flags(line, rest); !ok {
			return nil
		}
	}
	args := line[rest.from:rest.to]
	ok := true
	switch strings.ToLower(node.Value) {
	case command.From, command.Expose:
		node.Next = r.list(args)
	case command.Arg:
		node.Next, ok = r.names(args)
	case command.Env, command.Label:
		node.Next, ok = r.pairs(args)
	case command.StopSignal, command.User, command.Workdir, command.Maintainer:
		node.Next = r.text(args)
	case command.Run, command.Cmd, command.Entrypoint, command.Shell:
		node.Next, node.Attributes, ok = r.execOrText(args)
	case command.Healthcheck:
		node.Next, node.Attributes, ok = r.health(args)
	case command.Copy, command.Add, command.Volume:
		var exec bool
		if node.Next, exec, ok = r.array(args); exec {
			node.Attributes = r.exec
		} else {
			node.Next = r.list(args)
		}
	default:
		ok = false
	}
	if !ok {
		return nil
	}
	return node
}

// flags reads the plain --flags at the start of the arguments.
func (r *reader) flags(line string, e extent) (flags []string, rest extent, ok bool) {
	flags = []string{}
	for pos := e.from; ; {
		for pos < e.to && isSpaceByte(line[pos]) {
			pos++
		}
		if pos+1 >= e.to || line[pos] != '-' || line[pos+1] != '-' {
			return flags, trim(line, extent{pos, e.to}), true
		}
		from := pos
		for pos < e.to && !isSpaceByte(line[pos]) {
			if c := line[pos]; c >= utf8.RuneSelf || c == '\'' || c == '"' || c == byte(r.Escape) {
				return nil, e, false
			}
			pos++
		}
		if pos-from == 2 {
			return nil, e, false
		}
		flags = append(flags, line[from:pos])
	}
}

// list reads words between blanks.
func (r *reader) list(args string) *parser.Node {
	var top *parser.Node
	last := &top
	for pos := 0; pos < len(args); {
		from := pos
		for pos < len(args) && !isBlank(args[pos]) {
			pos++
		}
		n := r.value(args[from:pos])
		*last, last = n, &n.Next
		for pos < len(args) && isBlank(args[pos]) {
			pos++
		}
	}
	return top
}

func (r *reader) text(args string) *parser.Node {
	if args == "" {
		return nil
	}
	return r.value(args)
}

// words finds words that may be quoted.
func (r *reader) words(args string) (found []extent, ok bool) {
	if strings.HasSuffix(args, string(r.Escape)) { // dropped, or not
		return nil, false
	}
	var room [16]extent
	return scanQuoted(room[:0], args, extent{0, len(args)}, byte(r.Escape)), true
}

// names reads the words of ARG.
func (r *reader) names(args string) (*parser.Node, bool) {
	words, ok := r.words(args)
	var top *parser.Node
	last := &top
	for _, w := range words {
		n := r.value(args[w.from:w.to])
		*last, last = n, &n.Next
	}
	return top, ok
}

// pairs reads the words of ENV and LABEL: name, value and separator each.
func (r *reader) pairs(args string) (*parser.Node, bool) {
	words, ok := r.words(args)
	if !ok || len(words) == 0 {
		return nil, ok
	}
	var top *parser.Node
	last := &top
	pair := func(name, value, separator string) {
		n, v, s := r.value(name), r.value(value), r.value(separator)
		n.Next, v.Next = v, s
		*last, last = n, &s.Next
	}
	if !strings.Contains(args[words[0].from:words[0].to], "=") {
		name := 0
		for name < len(args) && !isBlank(args[name]) {
			name++
		}
		value := name
		for value < len(args) && isBlank(args[value]) {
			value++
		}
		if value == name {
			return nil, false
		}
		pair(args[:name], args[value:], "")
		return top, true
	}
	for _, w := range words {
		name, value, ok := strings.Cut(args[w.from:w.to], "=")
		if !ok {
			return nil, false
		}
		pair(name, value, "=")
	}
	return top, true
}

// execOrText reads an exec form, or takes all as one text.
func (r *reader) execOrText(args string) (*parser.Node, map[string]bool, bool) {
	top, exec, ok := r.array(args)
	if exec {
		return top, r.exec, ok
	}
	return r.text(args), nil, ok
}

// array reads a JSON array of strings. A text that is no array may be taken as
// it is; ok is false when it is an array of other things.
func (r *reader) array(args string) (top *parser.Node, exec, ok bool) {
	args = strings.TrimLeftFunc(args, unicode.IsSpace)
	if !strings.HasPrefix(args, "[") {
		return nil, false, true
	}
	if r.exec == nil {
		r.exec = map[string]bool{"json": true}
	}
	last := &top
	if list, plain := plainArray(args); plain {
		for _, e := range list {
			n := r.value(args[e.from:e.to])
			*last, last = n, &n.Next
		}
		return top, true, true
	}
	var list []any
	if err := json.Unmarshal([]byte(args), &list); err != nil {
		return nil, false, true
	}
	for _, v := range list {
		s, ok := v.(string)
		if !ok {
			return nil, false, false
		}
		n := r.value(s)
		*last, last = n, &n.Next
	}
	return top, true, true
}

// plainArray finds the strings of a JSON array without escapes, quotes left out.
func plainArray(s string) (list []extent, ok bool) {
	pos := 1 // behind the bracket
	blanks := func() {
		for pos < len(s) && (s[pos] == ' ' || s[pos] == '\t' || s[pos] == '\r') {
			pos++
		}
	}
	for {
		blanks()
		if pos == len(s) || s[pos] != '"' {
			return nil, false
		}
		from := pos + 1
		for pos++; pos < len(s) && s[pos] != '"'; pos++ {
			if s[pos] < ' ' || s[pos] == '\\' {
				return nil, false
			}
		}
		if pos == len(s) {
			return nil, false
		}
		list = append(list, extent{from, pos})
		pos++
		blanks()
		if pos == len(s) || s[pos] != ',' {
			break
		}
		pos++
	}
	if pos == len(s) || s[pos] != ']' {
		return nil, false
	}
	pos++
	blanks()
	return list, pos == len(s)
}

// health reads a type and what follows it.
func (r *reader) health(args string) (*parser.Node, map[string]bool, bool) {
	sep := 0
	for sep < len(args) && !isSpaceByte(args[sep]) {
		sep++
	}
	next := sep
	for next < len(args) && isSpaceByte(args[next]) {
		next++
	}
	if sep == 0 {
		return nil, nil, args == ""
	}
	top := r.value(args[:sep])
	rest, attributes, ok := r.execOrText(args[next:])
	top.Next = rest
	return top, attributes, ok
}
