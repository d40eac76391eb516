package verify

import (
	"strings"

	"dhibot/rewrite/dockerfile"
)

// changed is the result as far as the converter has to read it: without
// comments, blank lines, instructions that it never refuses, and those whose
// verdict is that on the original. Such an instruction stands there word for word,
// and the converter refuses it by its own words alone or not at all: FuzzChanged
// compares with all of the result.
func (c *check) changed() []byte {
	f := c.after.file
	for _, s := range f.Stages {
		// Paths of other systems are read in another way.
		if s.Base.Platform != "" && !c.starts(s.From) {
			return f.Content
		}
	}
	known := c.known()
	// What a known ENV, ARG or WORKDIR settles is only seen by variables and by
	// the targets of mounts.
	seen := false
	each(f, func(ins *dockerfile.Instruction) {
		if c.certain(ins) || alone(ins) && known[f.Text(ins.Span)] {
			return
		}
		variables := strings.Contains(f.Text(ins.Span), "$")
		mounts := ins.Keyword == "RUN" && len(ins.Flags) > 0 || ins.OnBuild != nil && len(ins.OnBuild.Flags) > 0
		seen = seen || variables || mounts
	})
	out := make([]byte, 0, len(f.Content))
	for _, d := range f.Directives {
		span := f.LineSpan(d.Line)
		out = append(out, f.Content[span.Start:span.End]...)
	}
	each(f, func(ins *dockerfile.Instruction) {
		if c.certain(ins) || known[f.Text(ins.Span)] && (alone(ins) || !seen && settles(ins)) {
			return
		}
		out = append(out, f.Content[ins.FullLines.Start:ins.FullLines.End]...)
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
// its words and changes nothing for others.
func alone(ins *dockerfile.Instruction) bool {
	if len(ins.Heredocs) > 0 {
		return false
	}
	switch ins.Keyword {
	case "RUN", "CMD", "ENTRYPOINT", "SHELL": // their words go to a shell as they are
		return len(ins.Flags) == 0
	case "HEALTHCHECK": // so do these; its flags are durations
		return true
	case "COPY":
		for _, flag := range ins.Flags {
			if flag.Name != "chown" && flag.Name != "chmod" || strings.Contains(flag.Value, "$") {
				return false
			}
		}
		return !strings.Contains(ins.Text, "$")
	case "ADD", "EXPOSE", "LABEL", "STOPSIGNAL", "USER", "VOLUME":
		return len(ins.Flags) == 0 && !strings.Contains(ins.Text, "$")
	}
	return false
}

// settles tells whether an instruction is refused by its own words alone, too, but
// changes how others are read: those with variables, and mounts, whose targets
// are relative to the working directory.
func settles(ins *dockerfile.Instruction) bool {
	if len(ins.Flags) > 0 || strings.Contains(ins.Text, "$") {
		return false
	}
	switch ins.Keyword {
	case "ENV", "WORKDIR":
		return true
	case "ARG":
		return ins.Stage != nil
	}
	return false
}
