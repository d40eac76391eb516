package dockerfile

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/moby/buildkit/frontend/dockerfile/command"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// Parse reads a Dockerfile. It accepts exactly what BuildKit's parser and
// instructions packages accept, minus what the codes of *Error name; every
// error is an *Error. A plain file is split into instructions without BuildKit's
// parser (see reader); the instructions are BuildKit's. The content is kept, not copied, and must not be changed
// afterwards.
//
// A default of a global ARG that cannot be expanded is an error as well, as it
// is for BuildKit a little later. What else BuildKit refuses later (an invalid
// image name, a COPY --from of a later stage) is the Err of that Reference.
func Parse(content []byte) (f *File, err error) {
	defer func() {
		if p := recover(); p != nil {
			f, err = nil, &Error{Code: CodeSyntax, Msg: fmt.Sprintf("BuildKit's parser gave up: %v", p)}
		}
	}()
	if err := checkText(content); err != nil {
		return nil, err
	}
	f = &File{Content: content, source: string(content), BOM: bytes.HasPrefix(content, bom), NL: "\n"}
	f.lines = lineStarts(content)
	if crlf := bytes.Count(content, []byte("\r\n")); 2*crlf > bytes.Count(content, []byte{'\n'}) {
		f.NL = "\r\n"
	}
	b := builder{File: f}
	plain := reader{File: f}
	root := plain.read()
	if root != nil {
		b.segs, b.ends = plain.segs, plain.ends
	} else if root, err = f.parse(); err != nil {
		return nil, err
	}
	if n := len(root.Children); n > MaxInstructions {
		return nil, &Error{0, CodeTooLarge, fmt.Sprintf("%d instructions; a Dockerfile of more than %d is not read", n, MaxInstructions)}
	}
	if err := b.build(root); err != nil {
		return nil, err
	}
	if n := len(f.Stages); n > MaxStages {
		return nil, &Error{0, CodeTooLarge, fmt.Sprintf("%d stages; a Dockerfile of more than %d is not read", n, MaxStages)}
	}
	if line := f.templateLine(); line > 0 {
		return nil, &Error{line, CodeTemplate, "it is a template; a Dockerfile is made from it first"}
	}
	if err := f.resolveArgs(); err != nil {
		return nil, err
	}
	f.resolveReferences()
	return f, nil
}

// parse has BuildKit's parser read the file.
func (f *File) parse() (*parser.Node, error) {
	ast, err := parser.Parse(bytes.NewReader(f.Content))
	if err != nil && f.blank() {
		return nil, f.missingFrom(0, "no instructions")
	}
	if err != nil {
		return nil, f.refusal(err, 0)
	}
	f.Escape = ast.EscapeToken
	f.Directives, _ = f.directives() // BuildKit found no error in them
	return ast.AST, nil
}

// checkText refuses what cannot be a Dockerfile before BuildKit sees it.
func checkText(content []byte) error {
	if len(content) > MaxSize {
		return &Error{0, CodeTooLarge, fmt.Sprintf("%d bytes; a Dockerfile of more than %d bytes is not read", len(content), MaxSize)}
	}
	if i := bytes.IndexByte(content, 0); i >= 0 {
		return &Error{1 + bytes.Count(content[:i], []byte{'\n'}), CodeBinary, "holds a NUL byte: not a text file, or not UTF-8"}
	}
	if len(content) <= MaxLine {
		return nil
	}
	for line, at := 1, 0; at < len(content); line++ {
		n := bytes.IndexByte(content[at:], '\n')
		if n < 0 {
			n = len(content) - at
		}
		if n > MaxLine {
			return &Error{line, CodeLineTooLong, fmt.Sprintf("dockerfile line greater than max allowed size of %d", MaxLine)}
		}
		at += n + 1
	}
	return nil
}

// refusal turns an error of BuildKit into ours. line is the instruction's, 0
// when only BuildKit knows it.
func (f *File) refusal(err error, line int) *Error {
	var located *parser.LocationError
	if line == 0 && errors.As(err, &located) {
		for _, ranges := range located.Locations {
			if len(ranges) > 0 {
				line = ranges[0].Start.Line
			}
		}
	}
	if looksTemplated(f.Content) {
		return &Error{line, CodeTemplate, "it is a template; a Dockerfile is made from it first: " + err.Error()}
	}
	return &Error{line, CodeSyntax, err.Error()}
}

// blank tells whether there is nothing but blank lines and comments.
func (f *File) blank() bool {
	for line := 1; line <= len(f.lines); line++ {
		if text, _ := f.body(line); !isComment(text) && len(bytes.TrimSpace(text)) > 0 {
			return false
		}
	}
	return true
}

// directives reads the parser directives with BuildKit's own reader.
func (f *File) directives() ([]Directive, error) {
	var found []Directive
	var p parser.DirectiveParser
	for line := 1; line <= len(f.lines); line++ {
		text, _ := f.body(line)
		text = bytes.TrimLeftFunc(text, unicode.IsSpace)
		if !bytes.HasPrefix(text, []byte{'#'}) {
			break
		}
		d, err := p.ParseLine(text)
		if err != nil {
			return found, err
		}
		if d == nil {
			break
		}
		found = append(found, Directive{d.Name, d.Value, line})
	}
	return found, nil
}

// build makes instructions and stages of BuildKit's syntax tree.
func (b *builder) build(root *parser.Node) error {
	f := b.File
	slab := make([]Instruction, len(root.Children))
	b.words = make([]Word, 0, 4*len(root.Children))
	if b.ends == nil {
		b.segs = make([]segment, 0, len(f.lines))
	}
	for n, node := range root.Children {
		// Comments are for BuildKit's linter and its outline, which are not asked.
		node.PrevComment = nil
		typed, err := instructions.ParseInstruction(node)
		if err != nil {
			refused := f.refusal(err, node.StartLine)
			if name, bad := badStageName(node); bad && refused.Code == CodeSyntax {
				refused = &Error{node.StartLine, CodeStageName, fmt.Sprintf("invalid name for build stage: %q", name)}
			}
			return refused
		}
		ins := &slab[n]
		if err := b.instruction(ins, n, node); err != nil {
			return err
		}
		switch c := typed.(type) {
		case *instructions.Stage:
			stage := &Stage{Index: len(f.Stages), Name: c.Name, From: ins, file: f}
			if len(ins.Words) == 3 {
				stage.Alias = &ins.Words[2]
			}
			ins.Stage = stage
			f.Stages = append(f.Stages, stage)
			continue
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
			continue
		}
		if _, ok := ins.Command.(*instructions.ArgCommand); !ok {
			return f.missingFrom(node.StartLine, "no build stage in current context: "+ins.Keyword+" before the first FROM")
		}
		f.GlobalArgs = append(f.GlobalArgs, ins)
	}
	if len(f.Stages) == 0 {
		return f.missingFrom(0, "dockerfile contains no stages to build")
	}
	return nil
}

func (f *File) missingFrom(line int, msg string) *Error {
	if looksTemplated(f.Content) {
		return &Error{line, CodeTemplate, "it is a template; a Dockerfile is made from it first: " + msg}
	}
	return &Error{line, CodeNoFrom, msg}
}

// badStageName tells whether a FROM has an alias that BuildKit refuses.
func badStageName(node *parser.Node) (string, bool) {
	if !strings.EqualFold(node.Value, command.From) {
		return "", false
	}
	var args []string
	for n := node.Next; n != nil; n = n.Next {
		args = append(args, n.Value)
	}
	if len(args) != 3 || !strings.EqualFold(args[1], "as") {
		return "", false
	}
	for i, r := range strings.ToLower(args[2]) {
		letter := r >= 'a' && r <= 'z'
		if !letter && (i == 0 || !strings.ContainsRune("0123456789-_.", r)) {
			return args[2], true
		}
	}
	return "", false
}

// builder fills instructions; its slices are shared to keep allocations few.
type builder struct {
	*File
	segs    []segment
	ends    []int // where each instruction's segments end, when they are known
	words   []Word
	extents []extent
}

// instruction fills ins from the n-th node of BuildKit's tree.
func (b *builder) instruction(ins *Instruction, n int, node *parser.Node) error {
	last := node.EndLine // a plain file has no here-documents
	if b.ends != nil {
		first := 0
		if n > 0 {
			first = b.ends[n-1]
		}
		ins.segs = b.segs[first:b.ends[n]:b.ends[n]]
	} else {
		first := len(b.segs)
		b.segs, last = b.join(b.segs, node.StartLine)
		ins.segs = b.segs[first:len(b.segs):len(b.segs)]
		if !b.joined(ins.segs, node.Original) {
			return &Error{node.StartLine, CodeInternal, "the instruction was not found in its lines"}
		}
	}
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
