package dockerfile

import (
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
)

// importedArgs lists the names that an ARG of a stage takes over from the
// global ARGs: those without a default of their own.
func importedArgs(ins *Instruction) []string {
	cmd, ok := ins.Command.(*instructions.ArgCommand)
	if !ok {
		return nil
	}
	var names []string
	for _, pair := range cmd.Args {
		if pair.Value == nil {
			names = append(names, pair.Key)
		}
	}
	return names
}

// mentioned finds an instruction below ins, in its stage or in one that is
// based on it, whose text or here-documents hold the name as a whole word. A
// program may read an ARG from its environment without a trace here; a name
// that nothing mentions is taken for unused.
func mentioned(s *Stage, ins *Instruction, name string) *Instruction {
	for _, other := range s.Instructions {
		if other.Span.Start > ins.Span.Start && other.mentions(name) {
			return other
		}
	}
	for _, child := range s.Children() {
		if at := mentioned(child, child.From, name); at != nil {
			return at
		}
	}
	return nil
}

func (i *Instruction) mentions(name string) bool {
	if imported := importedArgs(i); len(imported) == len(i.Words) && len(imported) > 0 {
		return false
	}
	if hasWord(i.logical, name) {
		return true
	}
	for _, h := range i.Heredocs {
		if hasWord(h.Content, name) {
			return true
		}
	}
	return false
}

// hasWord tells whether text holds the name with no letter, digit or underscore
// on either side.
func hasWord(text, name string) bool {
	for at := 0; ; {
		i := strings.Index(text[at:], name)
		if i < 0 || name == "" {
			return false
		}
		at += i
		end := at + len(name)
		if (at == 0 || !nameByte(text[at-1])) && (end == len(text) || !nameByte(text[end])) {
			return true
		}
		at = end
	}
}

func nameByte(c byte) bool {
	return c == '_' || isDigit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
