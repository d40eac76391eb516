package dockerfile

import (
	"fmt"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// builder makes instructions and stages; it takes them and their words from
// larger pieces to keep allocations few.
type builder struct {
	*File
	plain   bool // the nodes are the reader's
	slab    []Instruction
	words   []Word
	extents []extent
}

// upper counts the lines that begin with an upper-case letter: about as many as
// there are instructions.
func (f *File) upper() int {
	n := 1
	for _, start := range f.lines {
		if c := f.Content[start]; c >= 'A' && c <= 'Z' {
			n++
		}
	}
	return n
}

// add makes an instruction of a node, whose own lines end at last, and gives it
// to its stage.
func (b *builder) add(node *parser.Node, segs []segment, last int) error {
	f := b.File
	// Comments are for BuildKit's linter and its outline, which are not asked.
	node.PrevComment = nil
	typed, err := b.typed(node)
	if err != nil {
		refused := f.refusal(err, node.StartLine)
		if name, bad := badStageName(node); bad && refused.Code == CodeSyntax {
			refused = &Error{node.StartLine, CodeStageName, fmt.Sprintf("invalid name for build stage: %q", name)}
		}
		return refused
	}
	if len(b.slab) == cap(b.slab) {
		n := 8
		if b.slab == nil {
			n = f.upper()
		}
		b.slab, b.words = make([]Instruction, 0, n), make([]Word, 0, 2*n)
	}
	b.slab = b.slab[:len(b.slab)+1]
	ins := &b.slab[len(b.slab)-1]
	ins.segs = segs
	if err := b.instruction(ins, node, last); err != nil {
		return err
	}
	switch c := typed.(type) {
	case stageName:
		stage := &Stage{Index: len(f.Stages), Name: string(c), From: ins, file: f, Instructions: make([]*Instruction, 0, 8)}
		if len(ins.Words) == 3 {
			stage.Alias = &ins.Words[2]
		}
		ins.Stage = stage
		f.Stages = append(f.Stages, stage)
		return nil
	case instructions.Command:
		ins.Command = c
	default:
		return &Error{node.StartLine, CodeInternal, fmt.Sprintf("%T is not a command", typed)}
	}
	if len(f.Stages) > 0 {
		stage := f.Stages[len(f.Stages)-1]
		ins.Stage = stage
		stage.Instructions = append(stage.Instructions, ins)
		if ins.OnBuild != nil {
			ins.OnBuild.Stage = stage
		}
		return nil
	}
	if _, ok := ins.Command.(*instructions.ArgCommand); !ok {
		return f.missingFrom(node.StartLine, "no build stage in current context: "+ins.Keyword+" before the first FROM")
	}
	f.GlobalArgs = append(f.GlobalArgs, ins)
	return nil
}

// typed makes the instruction of a node: a stageName or an instructions.Command.
func (b *builder) typed(node *parser.Node) (any, error) {
	if b.plain {
		if typed := typedPlain(node); typed != nil {
			return typed, nil
		}
	}
	typed, err := instructions.ParseInstruction(node)
	if stage, ok := typed.(*instructions.Stage); ok && err == nil {
		return stageName(stage.Name), nil
	}
	return typed, err
}

// instruction fills ins from a node of BuildKit's tree.
func (b *builder) instruction(ins *Instruction, node *parser.Node, last int) error {
	ins.Lines = [2]int{node.StartLine, node.EndLine}
	ins.FullLines = Span{b.LineSpan(node.StartLine).Start, b.LineSpan(node.EndLine).End}
	if node.StartLine == 1 && b.BOM {
		ins.FullLines.Start = len(bom)
	}
	ins.Comments = b.commentsAbove(node.StartLine, ins.FullLines.Start)
	ins.Heredocs = b.heredocs(node.Heredocs, last+1)
	end := ins.FullLines.End
	for end > ins.FullLines.Start && (b.Content[end-1] == '\n' || b.Content[end-1] == '\r') {
		end--
	}
	ins.Span.End = end
	return b.parts(ins, node)
}

// parts finds keyword, flags and words of an instruction whose lines are known.
func (b *builder) parts(ins *Instruction, node *parser.Node) error {
	line, escape := node.Original, byte(b.Escape)
	ins.logical = line
	keyword, rest := scanKeyword(line)
	ins.Keyword = strings.ToUpper(line[keyword.from:keyword.to])
	ins.Span.Start = ins.source(keyword.from)
	ins.JSON = node.Attributes["json"]

	flags, args := scanFlags(line, rest, escape)
	if len(flags) != len(node.Flags) {
		return &Error{ins.Lines[0], CodeInternal, "the flags were not found in their line"}
	}
	if len(flags) > 0 {
		ins.Flags = make([]Flag, len(flags))
	}
	for i, e := range flags {
		name, _, _ := strings.Cut(strings.TrimPrefix(node.Flags[i], "--"), "=")
		value := extent{e.to, e.to}
		if eq := strings.IndexByte(line[e.from:e.to], '='); eq >= 0 {
			value.from = e.from + eq + 1
		}
		flag := Flag{Name: name, Span: ins.span(e.from, e.to), ValueSpan: ins.span(value.from, value.to)}
		if value.from == value.to {
			flag.ValueSpan = Span{flag.Span.End, flag.Span.End}
		}
		flag.Value = b.Text(flag.ValueSpan)
		ins.Flags[i] = flag
	}
	ins.Text = line[args.from:args.to]
	if err := b.arguments(ins, node, line, args); err != nil {
		return err
	}
	if node.Next != nil && len(node.Next.Children) == 1 {
		child := node.Next.Children[0]
		child.StartLine, child.EndLine, child.Heredocs = node.StartLine, node.EndLine, node.Heredocs
		ins.OnBuild = &Instruction{
			Lines: ins.Lines, Span: ins.Span, FullLines: ins.FullLines, Comments: ins.Comments,
			Heredocs: ins.Heredocs, segs: ins.segs, base: ins.base + args.from,
		}
		// BuildKit looks into a trigger only when a child is built, so an
		// invalid one is no error here: it has no Command then.
		if c, err := instructions.ParseCommand(child); err == nil {
			ins.OnBuild.Command = c
		}
		return b.parts(ins.OnBuild, child)
	}
	return nil
}

// arguments finds the words after the flags.
func (b *builder) arguments(ins *Instruction, node *parser.Node, line string, args extent) error {
	if args.from == args.to {
		return nil
	}
	found := b.extents[:0]
	switch ins.Keyword {
	case "FROM", "EXPOSE":
		found = scanBlankSeparated(found, line, args)
	case "COPY", "ADD", "VOLUME":
		if ins.JSON {
			found = scanJSON(found, line, args)
		} else {
			found = scanBlankSeparated(found, line, args)
		}
	case "ARG":
		found = scanQuoted(found, line, args, byte(b.Escape))
	case "ENV", "LABEL":
		found = scanQuoted(found, line, args, byte(b.Escape))
		if len(found) > 0 && !strings.Contains(line[found[0].from:found[0].to], "=") {
			// The old form, NAME value: everything after the name is its value.
			name := scanBlankSeparated(nil, line, args)[0]
			found = append(found[:0], name, trim(line, extent{name.to, args.to}))
		}
	default:
		found = append(found, args)
	}
	b.extents = found
	if want, known := wordCount(ins, node); known && want != len(found) {
		return &Error{ins.Lines[0], CodeInternal, fmt.Sprintf("%d of %d words were found in their line", len(found), want)}
	}
	if cap(b.words)-len(b.words) < len(found) {
		b.words = make([]Word, 0, max(8, len(found)))
	}
	first := len(b.words)
	for _, e := range found {
		span := ins.span(e.from, e.to)
		text := line[e.from:e.to]
		if span.End-span.Start != len(text) { // over several lines
			text = b.Text(span)
		}
		b.words = append(b.words, Word{Text: text, Span: span})
	}
	ins.Words = b.words[first:len(b.words):len(b.words)]
	return nil
}

// wordCount is the number of words that BuildKit found.
func wordCount(ins *Instruction, node *parser.Node) (n int, known bool) {
	for next := node.Next; next != nil; next = next.Next {
		n++
	}
	switch ins.Keyword {
	case "FROM", "EXPOSE", "COPY", "ADD", "VOLUME", "ARG":
		return n, true
	case "ENV", "LABEL":
		if node.Next != nil && node.Next.Next != nil && node.Next.Next.Next != nil && node.Next.Next.Next.Value == "" {
			return 2, true
		}
		return n / 3, true
	}
	return 0, false
}

// heredocs ties BuildKit's here-documents to the lines they stand in.
func (b *builder) heredocs(docs []parser.Heredoc, line int) []Heredoc {
	if len(docs) == 0 {
		return nil
	}
	found := make([]Heredoc, len(docs))
	for i, d := range docs {
		start := b.LineSpan(line).Start
		body := Span{start, start + len(d.Content)}
		found[i] = Heredoc{Name: d.Name, Content: d.Content, Expand: d.Expand, Body: body, Line: line}
		line = b.Line(body.End) + 1 // past the terminator
	}
	return found
}

// commentsAbove finds the comment lines right above a line.
func (b *builder) commentsAbove(line, start int) Span {
	first := line
	for first > 1+len(b.Directives) {
		if text, _ := b.body(first - 1); !isComment(text) {
			break
		}
		first--
	}
	if first == line {
		return Span{start, start}
	}
	span := Span{b.LineSpan(first).Start, start}
	if first == 1 && b.BOM {
		span.Start = len(bom)
	}
	return span
}
