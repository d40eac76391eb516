package assess

import (
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"dhibot/rewrite/dockerfile"
	"dhibot/rewrite/shell"
)

// readRun reads what a RUN executes, under the SHELL that is in force.
//
// env are the variables that the file itself sets; those of the base image
// change with it.
func readRun(in *dockerfile.Instruction, c *instructions.RunCommand, sh []string, env map[string]string) *Run {
	known := shell.WithEnv(env)
	if in.JSON {
		return readExec(c.CmdLine, known)
	}
	lang, ok := shellLang(sh)
	if !ok {
		return &Run{Opaque: "SHELL is " + strings.Join(sh, " ") + ", not a shell"}
	}
	text := in.Text
	if len(in.Heredocs) > 0 {
		return readHeredocRun(in, lang, known, shell.Plain())
	}
	r := readScript(text, lang, known)
	r.shell, r.env = sh, env
	return r
}

// run is how a RUN was read whose text is the same, under the same SHELL and with
// the same variables; nil for none.
func (a *Stages) run(in *dockerfile.Instruction, sh []string, env map[string]string) *Run {
	if a == nil || in.JSON || len(in.Heredocs) > 0 {
		return nil
	}
	for _, s := range a.All {
		for _, st := range s.Steps {
			r := st.Run
			if r != nil && r.Script != nil && st.Text == in.Text && !st.JSON && len(st.Heredocs) == 0 && slices.Equal(r.shell, sh) && maps.Equal(r.env, env) {
				return r
			}
		}
	}
	return nil
}

// readExec reads an exec form: a program, or a shell with -c.
func readExec(argv []string, opts ...shell.Option) *Run {
	r := &Run{Argv: argv}
	if len(argv) >= 3 && strings.HasPrefix(argv[1], "-") && strings.HasSuffix(argv[1], "c") {
		if lang, ok := shellLang(argv[:1]); ok {
			s := readScript(argv[2], lang, opts...)
			r.Script, r.Opaque = s.Script, s.Opaque
			return r
		}
	}
	if len(argv) > 0 {
		quoted := make([]string, len(argv))
		for i, a := range argv {
			quoted[i] = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
		s := readScript(strings.Join(quoted, " "), shell.Sh, opts...)
		r.Script, r.Opaque = s.Script, s.Opaque
	}
	return r
}

// readHeredocRun reads `RUN <<EOF` (the body is the script) and
// `RUN prog <<EOF` (the body is input: only the first line is a script).
func readHeredocRun(in *dockerfile.Instruction, lang shell.Lang, opts ...shell.Option) *Run {
	first := strings.TrimSpace(in.Text)
	h := in.Heredocs[0]
	if strings.HasPrefix(first, "<<") && len(strings.Fields(first)) == 1 && len(in.Heredocs) == 1 {
		body := h.Content
		if strings.HasPrefix(body, "#!") {
			line, _, _ := strings.Cut(body, "\n")
			if l, ok := shellLang(strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "#!"))); ok {
				return readScript(body, l, opts...)
			}
			return &Run{Opaque: "the here-document is run by " + strings.TrimSpace(strings.TrimPrefix(line, "#!"))}
		}
		return readScript(body, lang, opts...)
	}
	for _, w := range strings.Fields(first) {
		if w == "bash" || w == "sh" || w == "/bin/sh" || w == "/bin/bash" {
			l, _ := shellLang([]string{w})
			return readScript(h.Content, l, opts...)
		}
	}
	return &Run{Opaque: "it feeds here-documents to other programs"}
}

func readScript(text string, lang shell.Lang, opts ...shell.Option) *Run {
	s, err := shell.Parse(text, lang, opts...)
	if err != nil {
		return &Run{Opaque: "its shell text could not be read: " + err.Error()}
	}
	return &Run{Script: s}
}

// shellLang tells which shell language the SHELL words speak.
func shellLang(sh []string) (shell.Lang, bool) {
	if len(sh) == 0 {
		return shell.Sh, true
	}
	prog := sh[0]
	if path.Base(prog) == "env" && len(sh) > 1 {
		prog = sh[1]
	}
	switch path.Base(prog) {
	case "sh", "ash", "dash":
		return shell.Sh, true
	case "bash":
		return shell.Bash, true
	}
	return 0, false
}

// reading is a command, read once.
type reading struct {
	once sync.Once
	run  *Run
}

// Script reads a command (CMD, ENTRYPOINT, HEALTHCHECK). What it gives must not
// be changed.
func (c Command) Script() *Run {
	if !c.Set || len(c.Argv) == 0 {
		return &Run{}
	}
	if c.read == nil {
		return c.script()
	}
	c.read.once.Do(func() { c.read.run = c.script() })
	return c.read.run
}

func (c Command) script() *Run {
	if c.Shell {
		return readScript(c.Argv[0], shell.Bash)
	}
	return readExec(c.Argv)
}
