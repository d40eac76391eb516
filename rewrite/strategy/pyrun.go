package strategy

import (
	"fmt"
	"path"
	"strings"

	"dhibot/rewrite/assess"
)

// managerRun starts what `poetry run` and its like would start, out of the
// virtual environment: they look for an environment of the project, and make an
// empty one when the packages are elsewhere.
func (t *starter) managerRun(c assess.Command, argv []string) ([]string, string, *Block) {
	rest := argv[2:]
	if shellName(path.Base(rest[0])) {
		return t.shellStart(c, rest)
	}
	if t.plainScript(rest[0]) {
		rest = append([]string{"python"}, rest...)
	}
	if t.venv == "" || strings.ContainsAny(rest[0], "/$") || strings.HasPrefix(rest[0], "-") || !strings.HasPrefix(rest[0], "python") && !t.in.consoleScript(t.final, rest[0]) {
		bl := t.block(c, "start-unknown", fmt.Sprintf("it starts through %s, and which program that is cannot be told", strings.Join(argv, " ")))
		return nil, "", &bl
	}
	out := append([]string{path.Join(t.venv, rest[0])}, rest[1:]...)
	return out, fmt.Sprintf("%s run would look for an environment of the project and make one; the packages are in the virtual environment, and starting %s there needs no %s", argv[0], rest[0], argv[0]), nil
}

// plainScript tells whether a word names a Python file that brings no list of
// packages of its own (PEP 723).
func (t *starter) plainScript(word string) bool {
	if !strings.HasSuffix(word, ".py") || strings.Contains(word, "$") || strings.Contains(word, "://") {
		return false
	}
	abs := word
	if !path.IsAbs(abs) {
		abs = path.Join(t.final.End.WorkDir, abs)
	}
	_, content, ok := t.in.ContextFile(t.final, abs)
	return ok && !strings.Contains(string(content), "# /// script")
}
