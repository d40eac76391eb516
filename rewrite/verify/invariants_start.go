package verify

import (
	"path"
	"strings"

	"dhibot/rewrite/dockerfile"
)

// startable: what starts a shipped stage is not known to be missing.
func startable(m *model) []Violation {
	var found []Violation
	for _, s := range m.stages {
		if !s.shipped() {
			continue
		}
		e := s.effective()
		if program, rule := s.missing(e.argv()); program != "" {
			found = append(found, fault(rule, s.lineOf(e.commandAt()), "start", program,
				"the stage starts %s, which %s does not have", program, s.base.name()))
		}
		if s.base.known && len(e.argv()) == 0 {
			found = append(found, fault("entry-point", s.From.Lines[0], "start", "", "nothing starts: there is no ENTRYPOINT and no CMD"))
		}
	}
	return found
}

// missing names the first program of a command that is known to be missing,
// looking through what only starts another one.
func (s *stage) missing(argv []string) (program, rule string) {
	for i, word := range argv {
		name := path.Base(word)
		switch {
		case isShell(word):
			if s.base.lacksShell(word) && !s.provided(nil, name) {
				return word, "no-shell"
			}
			return "", ""
		case starter(name):
			if s.base.lacks(name) && !s.mayCome(name) {
				return word, "entry-point"
			}
			continue
		case managedProgram(name):
			if s.base.lacks(name) && !s.mayCome(name) {
				return word, "entry-point"
			}
			return "", ""
		case i > 0 && (strings.HasPrefix(word, "-") || strings.Contains(word, "=")):
			continue // options and assignments of the starter
		case !strings.Contains(word, "/") && strings.HasSuffix(name, ".sh"):
			if s.base.lacks(name) && !s.mayCome(name) {
				return word, "entry-point"
			}
			return "", ""
		default:
			return "", ""
		}
	}
	return "", ""
}

// mayCome tells whether a program may have been put into the stage, or stands
// in a directory that was copied from another stage.
func (s *stage) mayCome(name string) bool { return s.provided(nil, name) || s.addsToPath() }

// addsToPath tells whether the stage extends PATH: then a program may be in any
// directory that is copied, such as a virtual environment.
func (s *stage) addsToPath() bool {
	found := false
	s.earlier(nil, func(ins *dockerfile.Instruction) bool {
		if ins.Keyword == "ENV" {
			for _, w := range ins.Words {
				found = found || strings.HasPrefix(w.Text, "PATH")
			}
		}
		return !found
	})
	return found
}

// starter tells whether a program only starts another one.
func starter(name string) bool {
	switch name {
	case "tini", "dumb-init", "gosu", "su-exec", "catatonit", "env", "exec", "nice", "stdbuf":
		return name != "exec"
	}
	return false
}

// managedProgram tells whether a program is one that runtime images leave out
// on purpose.
func managedProgram(name string) bool {
	switch name {
	case "npm", "npx", "yarn", "yarnpkg", "pnpm", "pnpx", "corepack", "pip", "pip3", "pipenv", "poetry", "uv",
		"apt", "apt-get", "apk", "yum", "dnf", "microdnf", "curl", "wget", "make", "git", "mvn", "gradle", "bundle", "composer":
		return true
	}
	return false
}

// doubledCommand: the image's ENTRYPOINT and the file's CMD together do not name
// the program twice, and do not give a program to a program as its argument.
func doubledCommand(m *model) []Violation {
	var found []Violation
	for _, s := range m.stages {
		e := s.effective()
		if !s.shipped() || e.ownEntrypoint || e.cmdAt == nil || len(e.entrypoint) == 0 || len(e.cmd) == 0 {
			continue
		}
		last, first := e.entrypoint[len(e.entrypoint)-1], e.cmd[0]
		program := path.Base(last)
		if program == "--" || strings.HasSuffix(program, ".sh") || strings.HasSuffix(program, "entrypoint") {
			continue
		}
		if program == path.Base(first) {
			found = append(found, fault("entry-point", e.cmdAt.Lines[0], "doubled", program,
				"the image's ENTRYPOINT is %s already, so that CMD starts %s %s", last, last, first))
			continue
		}
		if s.base.def != nil && !strings.HasPrefix(first, "-") && (isShell(first) || s.base.def.HasProgram(first)) {
			found = append(found, fault("entry-point", e.cmdAt.Lines[0], "argument", first,
				"the image's ENTRYPOINT is %s, so that %s of CMD is only its argument", last, first))
		}
	}
	return found
}

// healthChecks: what a HEALTHCHECK of a shipped stage runs is not known to be
// missing.
func healthChecks(m *model) []Violation {
	var found []Violation
	for _, s := range m.stages {
		e := s.effective()
		if !s.shipped() || e.healthAt == nil {
			continue
		}
		if program, _ := s.missing(e.health); program != "" {
			found = append(found, fault("no-shell", e.healthAt.Lines[0], "health", program,
				"HEALTHCHECK runs %s, which %s does not have", program, s.base.name()))
		}
	}
	return found
}
