package dockerfile

import (
	"bytes"
	"strings"
)

var templateMarks = [][]byte{[]byte("{{"), []byte("{%"), []byte("<%"), []byte("\ndnl"), []byte("define(`"), []byte("include(`")}

// templateOption is what the tool of development containers fills in
// (https://containers.dev/implementors/templates/); BuildKit refuses to expand
// it.
const templateOption = "${templateOption:"

// looksTemplated tells whether a text that BuildKit refused has the marks of a
// template language: Jinja, Go templates, ERB, m4.
func looksTemplated(content []byte) bool {
	for _, mark := range templateMarks {
		if bytes.Contains(content, mark) {
			return true
		}
	}
	return propertyInFrom(content)
}

// propertyInFrom tells whether a FROM names its image by a property of a build
// tool, which fills it in: ${docker.base.image}. A dot is in no variable's name.
func propertyInFrom(content []byte) bool {
	for line := range bytes.Lines(content) {
		rest, ok := bytes.CutPrefix(bytes.ToUpper(bytes.TrimSpace(line)), []byte("FROM "))
		_, name, braces := bytes.Cut(rest, []byte("${"))
		name, _, closed := bytes.Cut(name, []byte("}"))
		if ok && braces && closed && bytes.ContainsRune(name, '.') && len(bytes.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")) == 0 {
			return true
		}
	}
	return false
}

// templateLine finds the line that shows that a file which BuildKit can read is
// a template all the same: a line that begins with a mark, or a mark in an
// instruction that has no use for braces. In RUN, CMD and LABEL "{{" is common
// (docker inspect --format) and means nothing. 0 when there is none.
func (f *File) templateLine() int {
	if !bytes.Contains(f.Content, []byte("{{")) && !bytes.Contains(f.Content, []byte("{%")) && !bytes.Contains(f.Content, []byte("%%")) && !bytes.Contains(f.Content, []byte(templateOption)) {
		return 0
	}
	line := 0
	f.each(func(ins *Instruction) {
		if line == 0 && ins.templated() {
			line = ins.Lines[0]
		}
	})
	return line
}

func (i *Instruction) templated() bool {
	for _, s := range i.segs {
		if at := s.at - i.base; at >= 0 && at+s.n <= len(i.logical) {
			text := strings.TrimSpace(i.logical[at : at+s.n])
			if strings.HasPrefix(text, "{{") || strings.HasPrefix(text, "{%") {
				return true
			}
		}
	}
	switch i.Keyword {
	case "FROM": // %%TAG%% is what the generators of official images put there
		if strings.Contains(i.logical, "%%") && !strings.Contains(i.logical, "${") {
			return true
		}
	case "RUN", "CMD", "ENTRYPOINT", "HEALTHCHECK", "LABEL", "ONBUILD":
		return false
	}
	return strings.Contains(i.logical, templateOption) || strings.Contains(i.logical, "{{") && strings.Contains(i.logical, "}}") || strings.Contains(i.logical, "{%")
}

// each calls fn for every instruction in file order, FROM included.
func (f *File) each(fn func(*Instruction)) {
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
