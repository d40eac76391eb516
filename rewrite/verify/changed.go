package verify

import (
	"strings"

	"dhibot/rewrite/dockerfile"
)

// changed is the result as far as the converter has to read it: without
// comments, and without instructions whose verdict is that on the original. Such
// an instruction stands there word for word, names no stage and no variable that
// is expanded, and the converter refuses it by its own words alone or not at all:
// FuzzChanged compares with all of the result. Lines keep their numbers.
func (c *check) changed() []byte {
	f, old := c.after.file, c.in.File
	for _, s := range f.Stages {
		// Paths of another platform are read in another way.
		if s.Base.Platform != "" {
			return f.Content
		}
	}
	known := map[string]bool{}
	if f.Escape == old.Escape {
		each(old, func(ins *dockerfile.Instruction) {
			if alone(ins) {
				known[old.Text(ins.Span)] = true
			}
		})
	}
	out := make([]byte, 0, len(f.Content))
	line := 1
	keep := func(span dockerfile.Span, first, last int) {
		for ; line < first; line++ {
			out = append(out, '\n')
		}
		out = append(out, f.Content[span.Start:span.End]...)
		line = last + 1
	}
	for _, d := range f.Directives {
		keep(f.LineSpan(d.Line), d.Line, d.Line)
	}
	each(f, func(ins *dockerfile.Instruction) {
		if !alone(ins) || !known[f.Text(ins.Span)] {
			keep(ins.FullLines, ins.Lines[0], ins.Lines[1])
		}
	})
	return out
}

// each calls fn for every instruction in the order of the file.
func each(f *dockerfile.File, fn func(*dockerfile.Instruction)) {
	for _, ins := range f.GlobalArgs {
		fn(ins)
	}
	for _, s := range f.Stages {
		fn(s.From)
		for _, ins := range s.Instructions {
			fn(ins)
		}
	}
}

// alone tells whether the converter's verdict on an instruction follows from
// its words and changes nothing for others. A WORKDIR does: the targets of mounts
// are relative to it.
func alone(ins *dockerfile.Instruction) bool {
	if len(ins.Flags) > 0 || len(ins.Heredocs) > 0 {
		return false
	}
	switch ins.Keyword {
	case "RUN", "CMD", "ENTRYPOINT", "SHELL": // their words go to a shell as they are
		return true
	case "COPY", "ADD", "EXPOSE", "LABEL", "STOPSIGNAL", "USER", "VOLUME":
		return !strings.Contains(ins.Text, "$")
	}
	return false
}
