package project

import (
	"path"
	"strings"

	"dhibot/rewrite/shell"
)

// Script is a text file that can be started.
type Script struct {
	// Path is where it stands in the repository.
	Path string
	// Interpreter is the program of the #! line, for example /bin/sh; with
	// /usr/bin/env it is the name that env looks up, for example bash. "" when
	// there is no #! line.
	Interpreter string
	// Env says that the #! line goes through /usr/bin/env.
	Env bool
	// Args are the further words of the #! line.
	Args []string
	// Guess is the interpreter that the name or the content suggests when
	// there is no #! line: sh, python, node, php, ruby, perl; "" otherwise.
	Guess string
	// Binary says that the file is an ELF or other binary file.
	Binary bool
	// CRLF says that the #! line ends in CR LF, which no kernel accepts.
	CRLF bool
	// Shell is the text, when a shell runs it and it could be read.
	Shell *shell.Script
	// Passes says that it ends in exec "$@": what comes before is preparation,
	// then the arguments are started.
	Passes bool
	// Exec is the program that the script becomes when it does nothing else
	// (`exec prog args`, perhaps after set -e); nil otherwise. Rest says that
	// "$@" follows the words.
	Exec []string
	Rest bool
	// ExecLine is the 1-based line of that exec.
	ExecLine int
	// Programs are the programs that it runs.
	Programs []string
}

// Script looks at a file of the repository, path from the root; nil when it
// cannot be read.
func (p *Project) Script(name string) *Script {
	b, ok := p.repo.read(name)
	if !ok {
		return nil
	}
	return ReadScript(name, string(b))
}

// ReadScript looks at the content of a file.
func ReadScript(name, content string) *Script {
	s := &Script{Path: name}
	if strings.ContainsRune(content, 0) {
		s.Binary = true
		return s
	}
	first, _, _ := strings.Cut(content, "\n")
	if rest, ok := strings.CutPrefix(first, "#!"); ok {
		s.CRLF = strings.HasSuffix(rest, "\r")
		s.shebang(strings.Fields(rest))
	} else {
		s.Guess = guessInterpreter(name)
	}
	lang, isShell := s.lang()
	if !isShell {
		return s
	}
	sh, err := shell.Parse(content, lang, shell.Plain())
	if err != nil {
		return s
	}
	s.Shell, s.Programs = sh, sh.Programs()
	s.ends(sh)
	return s
}

func (s *Script) shebang(words []string) {
	if len(words) == 0 {
		return
	}
	s.Interpreter, words = words[0], words[1:]
	if path.Base(s.Interpreter) != "env" {
		s.Args = words
		return
	}
	s.Env = true
	s.Interpreter = ""
	for len(words) > 0 && (strings.HasPrefix(words[0], "-") || strings.Contains(words[0], "=")) {
		words = words[1:]
	}
	if len(words) > 0 {
		s.Interpreter, s.Args = words[0], words[1:]
	}
}

func guessInterpreter(name string) string {
	switch path.Ext(name) {
	case ".sh", ".bash":
		return "sh"
	case ".py":
		return "python"
	case ".js", ".mjs", ".cjs":
		return "node"
	case ".php":
		return "php"
	case ".rb":
		return "ruby"
	case ".pl":
		return "perl"
	}
	return ""
}

// lang is the shell that runs the script.
func (s *Script) lang() (shell.Lang, bool) {
	name := path.Base(s.Interpreter)
	if s.Interpreter == "" {
		name = s.Guess
	}
	switch name {
	case "bash":
		return shell.Bash, true
	case "sh", "dash", "ash", "ksh", "busybox", "with-contenv":
		return shell.Sh, true
	}
	return shell.Sh, false
}

// ends finds out how the script ends.
func (s *Script) ends(sh *shell.Script) {
	if sh.Truncated || len(sh.Commands) == 0 {
		return
	}
	last := sh.Commands[len(sh.Commands)-1]
	if len(last.Wrapped) == 0 || last.Wrapped[0] != "exec" || last.Conditional || last.Pipe || last.Background {
		return
	}
	s.ExecLine = last.Line + 1
	// exec "$@", also behind gosu, su-exec, tini and the like.
	if last.Word.Raw == `"$@"` && len(last.Args) == 0 {
		s.Passes = true
		return
	}
	argv := last.Args
	rest := len(argv) > 0 && argv[len(argv)-1].Raw == `"$@"`
	for _, c := range sh.Commands[:len(sh.Commands)-1] {
		if c.Name != "set" && c.Name != ":" {
			return
		}
	}
	if last.Name == "" || len(last.Redirects) > 0 || len(last.Env) > 0 || last.OpenArgs || len(last.Wrapped) != 1 {
		return
	}
	words := []string{last.Path}
	for i, a := range argv {
		if rest && i == len(argv)-1 {
			break
		}
		if !a.Literal {
			return
		}
		words = append(words, a.Text)
	}
	s.Exec, s.Rest = words, rest
}
