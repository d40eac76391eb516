package standin

import (
	"fmt"
	"strings"
)

// diffLine is one line of a patch with its numbers on both sides (0: not
// there).
type diffLine struct {
	kind     byte // '@', ' ', '+', '-' or '\\'
	text     string
	old, new int
}

type patchLines []diffLine

// parseHunks numbers the lines of a patch as the REST API gives it.
func parseHunks(patch string) patchLines {
	var out patchLines
	oldNo, newNo := 0, 0
	if patch == "" {
		return nil
	}
	for line := range strings.SplitSeq(patch, "\n") {
		l := diffLine{kind: ' ', text: line}
		if line != "" {
			l.kind = line[0]
		}
		switch l.kind {
		case '@':
			if _, err := fmt.Sscanf(line, "@@ -%d", &oldNo); err != nil {
				oldNo = 1
			}
			if _, after, ok := strings.Cut(line, " +"); ok {
				if _, err := fmt.Sscanf(after, "%d", &newNo); err != nil {
					newNo = 1
				}
			}
		case '+':
			l.new = newNo
			newNo++
		case '-':
			l.old = oldNo
			oldNo++
		case ' ':
			l.old, l.new = oldNo, newNo
			oldNo, newNo = oldNo+1, newNo+1
		}
		out = append(out, l)
	}
	return out
}

// at resolves the old "position": lines below the first hunk header.
func (p patchLines) at(position int) (line int, side string, ok bool) {
	if position < 1 || position >= len(p) {
		return 0, "", false
	}
	switch l := p[position]; l.kind {
	case '+', ' ':
		return l.new, "RIGHT", true
	case '-':
		return l.old, "LEFT", true
	}
	return 0, "", false
}

// around returns the hunk down to a line, "" when the line is not in the diff.
func (p patchLines) around(line int, side string) string {
	start := 0
	for i, l := range p {
		if l.kind == '@' {
			start = i
		}
		if side == "LEFT" && l.old == line && line > 0 || side != "LEFT" && l.new == line && line > 0 {
			var b []string
			for _, x := range p[start : i+1] {
				b = append(b, x.text)
			}
			return strings.Join(b, "\n")
		}
	}
	return ""
}

// position is the inverse of at: how many lines below the first hunk header.
func (p patchLines) position(line int, side string) int {
	for i, l := range p {
		if side == "LEFT" && l.old == line && l.kind != '@' || side != "LEFT" && l.new == line && l.kind != '@' {
			return i
		}
	}
	return 0
}
