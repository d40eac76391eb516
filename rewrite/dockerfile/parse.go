package dockerfile

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/moby/buildkit/frontend/dockerfile/command"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// Parse reads a Dockerfile. It accepts exactly what BuildKit's parser and
// instructions packages accept, minus what the codes of *Error name; every
// error is an *Error. A plain file is split into instructions without BuildKit's
// parser (see reader), and plain instructions of it are given the types of
// BuildKit without its reader of them (see typedPlain). The content is kept, not
// copied, and must not be changed afterwards.
//
// A default of a global ARG that cannot be expanded is an error as well, as it
// is for BuildKit a little later. What else BuildKit refuses later (an invalid
// image name, a COPY --from of a later stage) is the Err of that Reference.
func Parse(content []byte) (*File, error) { return parse(content, (*File).buildPlain) }

// ParseWithBuildKit is Parse with BuildKit's parser and its typed instructions for
// plain files as well: the same by another way, for a proof.
func ParseWithBuildKit(content []byte) (*File, error) {
	return parse(content, func(*File) bool { return false })
}

// parse reads a file; plain reads it when it is a plain one.
func parse(content []byte, plain func(*File) bool) (f *File, err error) {
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
	if !plain(f) {
		ast, err := f.tree()
		if err != nil {
			return nil, err
		}
		if n := len(ast.Children); n > MaxInstructions {
			return nil, &Error{0, CodeTooLarge, fmt.Sprintf("%d instructions; a Dockerfile of more than %d is not read", n, MaxInstructions)}
		}
		if err := f.build(ast); err != nil {
			return nil, err
		}
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

// tree has BuildKit's parser read the file.
func (f *File) tree() (*parser.Node, error) {
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

// buildPlain does it for a plain file; it changes nothing when it returns false.
func (f *File) buildPlain() bool {
	b := builder{File: f, plain: true}
	r := reader{File: f}
	n := 0
	plain := r.read(func(i found) bool {
		n++
		return n <= MaxInstructions && b.add(i.node, i.segs, i.last) == nil
	})
	if !plain || len(f.Stages) == 0 {
		f.Stages, f.GlobalArgs, f.Directives = nil, nil, nil
		return false
	}
	return true
}

// build makes instructions and stages of BuildKit's syntax tree.
func (f *File) build(root *parser.Node) error {
	b := builder{File: f}
	segs := make([]segment, 0, len(f.lines))
	for _, node := range root.Children {
		first, last := len(segs), 0
		segs, last = f.join(segs, node.StartLine)
		own := segs[first:len(segs):len(segs)]
		if !f.joined(own, node.Original) {
			return &Error{node.StartLine, CodeInternal, "the instruction was not found in its lines"}
		}
		if err := b.add(node, own, last); err != nil {
			return err
		}
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
