package rules

import (
	"bytes"
	"fmt"
	"path"
	"regexp"
	"strings"
)

// listening finds the number of a port in the source of a program that an
// interpreter starts, by the language's way to open a server: port=80 in a call
// of Python, listen(80) of Node and Deno, the default beside PORT of both.
var listening = map[string]*regexp.Regexp{
	".py": regexp.MustCompile(`(?:(?:\.run|\bserve)\([^#\n]*\bport\s*=\s*|(?:environ\.get|getenv)\(\s*["']PORT["']\s*,\s*["']?)([0-9]+)\b`),
	".js": regexp.MustCompile(`(?:\.listen\(\s*|\b(?:listen|serve)\(\s*\{[^}\n]*\bport\s*:\s*|\bPORT\s*(?:\|\||\?\?)\s*["']?)([0-9]+)\b`),
}

// comment tells whether the line around a place of a program is a comment.
func comment(content []byte, at int) bool {
	line := bytes.TrimSpace(content[1+bytes.LastIndexByte(content[:at], '\n') : at])
	return bytes.HasPrefix(line, []byte("#")) || bytes.HasPrefix(line, []byte("//")) || bytes.HasPrefix(line, []byte("*"))
}

// portOfProgram reports a privileged port that stands in the program itself,
// where nothing but its author can change it.
func (m *portMover) portOfProgram(told map[int]bool) {
	for _, w := range m.Start.Argv {
		ext := path.Ext(w)
		switch ext {
		case ".mjs", ".cjs", ".ts":
			ext = ".js"
		}
		pattern := listening[ext]
		if pattern == nil || strings.HasPrefix(w, "-") {
			continue
		}
		if !path.IsAbs(w) {
			w = path.Join(m.Final.End.WorkDir, w)
		}
		name, content, ok := m.ContextFile(m.Final.Stage, w)
		if !ok {
			return
		}
		for _, at := range pattern.FindAllSubmatchIndex(content, -1) {
			p := privileged(string(content[at[2]:at[3]]))
			if p == 0 || m.to[p] != 0 || told[p] || comment(content, at[2]) {
				continue
			}
			told[p] = true
			m.Checks = append(m.Checks, Check{Rule: "ports", Where: append([]Where{{Path: name, Line: 1 + bytes.Count(content[:at[2]], []byte("\n"))}}, m.portUses(p)...),
				Text: fmt.Sprintf("The program seems to listen on port %d. That needs root in Kubernetes and in Docker Engine before 20.10: let it listen on 1025 or higher and change port mappings and probes with it.", p)})
		}
		return
	}
}
