package verify

import (
	"path"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"dhibot/rewrite/dockerfile"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
)

// maxText bounds the shell text that is parsed.
const maxText = 64 << 10

// runText is the text of an instruction and its here-documents.
func runText(ins *dockerfile.Instruction) string {
	if len(ins.Heredocs) == 0 {
		return ins.Text
	}
	var b strings.Builder
	b.WriteString(ins.Text)
	for _, h := range ins.Heredocs {
		b.WriteString("\n")
		b.WriteString(h.Content)
	}
	return b.String()
}

// script is the shell script that a RUN hands to its shell: the text, or the
// body of the single here-document that is all of it.
func script(ins *dockerfile.Instruction) string {
	if len(ins.Heredocs) > 0 && strings.HasPrefix(ins.Text, "<<") {
		return strings.ReplaceAll(ins.Heredocs[0].Content, "\r\n", "\n")
	}
	return ins.Text
}

// parses tells whether a text is valid for bash or a POSIX shell, as far as a
// parser can tell. A text that is too large counts as valid.
func parses(text string) bool {
	if len(text) > maxText {
		return true
	}
	for _, lang := range []syntax.LangVariant{syntax.LangBash, syntax.LangPOSIX} {
		if _, err := syntax.NewParser(syntax.Variant(lang)).Parse(strings.NewReader(text), ""); err == nil {
			return true
		}
	}
	return false
}

// called lists the base names of the programs that a text calls by a literal
// word, and the words of a call that begins with a wrapper such as sudo or
// xargs. A text that cannot be parsed gives its words.
func called(text string) map[string]bool {
	names := map[string]bool{}
	if len(text) > maxText {
		return names
	}
	file, err := syntax.NewParser().Parse(strings.NewReader(text), "")
	if err != nil {
		for _, w := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \t\n;&|()", r) }) {
			names[path.Base(w)] = true
		}
		return names
	}
	syntax.Walk(file, func(n syntax.Node) bool {
		call, ok := n.(*syntax.CallExpr)
		if !ok {
			return true
		}
		for _, w := range call.Args {
			name := path.Base(w.Lit())
			names[name] = true
			if !wrapper(name) && !strings.HasPrefix(name, "-") && !strings.Contains(name, "=") {
				break
			}
		}
		return true
	})
	return names
}

// wrapper tells whether a program runs the one that its arguments name.
func wrapper(name string) bool {
	switch name {
	case "sudo", "env", "exec", "command", "xargs", "time", "nice", "nohup", "eatmydata", "timeout", "chroot", "fakeroot", "ionice", "setarch":
		return true
	}
	return false
}

// managerOf tells which family has a package manager.
func managerOf(program string) (family string, ok bool) {
	switch program {
	case "apt", "apt-get", "aptitude", "apt-cache", "apt-mark":
		return "apt", true
	case "apk":
		return "apk", true
	case "yum", "dnf", "microdnf", "tdnf", "zypper", "pacman":
		return program, true
	}
	return "", false
}

// namesManager tells whether a text holds the name of a package manager of
// another family. Most hold none, and need not be parsed then.
func namesManager(text, family string) bool {
	for _, name := range []string{"apt", "apk", "yum", "dnf", "zypper", "pacman"} {
		if name != family && strings.Contains(text, name) {
			return true
		}
	}
	return false
}

// installs tells whether a text calls a package manager, or fetches or copies
// files: whether it may bring programs.
func installs(text string) bool {
	for name := range called(text) {
		if _, ok := managerOf(name); ok {
			return true
		}
		switch name {
		case "pip", "pip3", "npm", "curl", "wget", "cp", "mv", "ln", "install", "tar", "unzip", "dpkg", "go", "cargo", "make", "gem", "uv":
			return true
		}
	}
	return false
}

// mentions tells whether the text of an instruction holds a name as a word.
func mentions(ins *dockerfile.Instruction, name string) bool {
	return hasWord(runText(ins), name)
}

func hasWord(text, name string) bool {
	part := func(c byte) bool {
		return c == '_' || c == '-' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
	}
	for at := 0; name != ""; {
		i := strings.Index(text[at:], name)
		if i < 0 {
			return false
		}
		at += i
		end := at + len(name)
		if (at == 0 || !part(text[at-1])) && (end == len(text) || !part(text[end])) {
			return true
		}
		at = end
	}
	return false
}

// shellText holds that text which a shell reads is still valid: a text that the
// original does not have word for word must parse, unless the original has as
// many that do not.
func (c *check) shellText() []Violation {
	known := map[string]bool{}
	for _, t := range c.before.shellTexts() {
		known[t.text] = true
	}
	var bad []Violation
	for _, t := range c.after.shellTexts() {
		if !known[t.text] && !parses(t.text) {
			bad = append(bad, internal(t.line, "the text of %s is no valid shell any more", t.keyword))
		}
	}
	if len(bad) == 0 {
		return nil
	}
	for _, t := range c.before.shellTexts() {
		if len(bad) > 0 && !parses(t.text) {
			bad = bad[1:]
		}
	}
	return bad
}

type shellText struct {
	text, keyword string
	line          int
}

// shellTexts lists what sh or bash reads: RUN, CMD and ENTRYPOINT in shell form.
func (m *model) shellTexts() []shellText {
	var texts []shellText
	for _, s := range m.stages {
		shell := s.shellAt(s.From)
		for _, ins := range s.Instructions {
			var line *instructions.ShellDependantCmdLine
			switch cmd := ins.Command.(type) {
			case *instructions.ShellCommand:
				shell = cmd.Shell
			case *instructions.RunCommand:
				line = &cmd.ShellDependantCmdLine
			case *instructions.CmdCommand:
				line = &cmd.ShellDependantCmdLine
			case *instructions.EntrypointCommand:
				line = &cmd.ShellDependantCmdLine
			}
			if line == nil || !line.PrependShell || len(shell) == 0 {
				continue
			}
			if name := path.Base(shell[0]); name == "sh" || name == "bash" || name == "ash" || name == "dash" {
				texts = append(texts, shellText{script(ins), ins.Keyword, ins.Lines[0]})
			}
		}
	}
	return texts
}
