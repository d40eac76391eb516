package dockerfile

import (
	"bytes"
	"cmp"
	"fmt"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

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
