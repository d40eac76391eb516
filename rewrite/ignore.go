package rewrite

import (
	"bytes"
	"strings"

	"dhibot/rewrite/dockerfile"
)

// ignored finds a comment line `# dhi: ignore [reason]` in front of the first
// FROM or anywhere outside of instructions: people keep a file out with it.
func ignored(f *dockerfile.File) (reason string, line int, ok bool) {
	if !bytes.Contains(f.Content, []byte("dhi:")) {
		return "", 0, false
	}
	inside := map[int]bool{}
	mark := func(in *dockerfile.Instruction) {
		for l := in.Lines[0]; l <= in.Lines[1]; l++ {
			inside[l] = true
		}
	}
	for _, a := range f.GlobalArgs {
		mark(a)
	}
	for _, s := range f.Stages {
		mark(s.From)
		for _, in := range s.Instructions {
			mark(in)
		}
	}
	for l := 1; l <= f.Lines(); l++ {
		if inside[l] {
			continue
		}
		text := strings.TrimSpace(f.Text(f.LineSpan(l)))
		rest, found := strings.CutPrefix(text, "#")
		if !found {
			continue
		}
		rest, found = strings.CutPrefix(strings.TrimSpace(rest), "dhi:")
		if !found {
			continue
		}
		rest, found = strings.CutPrefix(strings.TrimSpace(rest), "ignore")
		if !found || rest != "" && rest[0] != ' ' && rest[0] != '\t' {
			continue
		}
		why := strings.TrimSpace(rest)
		if why == "" {
			return "a comment in the file asks to leave it alone", l, true
		}
		return "a comment in the file asks to leave it alone: " + why, l, true
	}
	return "", 0, false
}
