package verify

import (
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"dhibot/rewrite/dockerfile"
)

// knownUsers: every name in USER and --chown is an account of the stage's image
// or was made in the stage; a number always is.
func knownUsers(m *model) []Violation {
	var found []Violation
	for _, s := range m.stages {
		for _, ins := range s.Instructions {
			var word string
			switch cmd := ins.Command.(type) {
			case *instructions.UserCommand:
				word = cmd.User
			case *instructions.CopyCommand:
				word = cmd.Chown
			case *instructions.AddCommand:
				word = cmd.Chown
			}
			if word == "" {
				continue
			}
			if name := s.unknownAccount(ins, word); name != "" {
				found = append(found, fault("nonroot-user", ins.Lines[0], "account", name,
					"%s has no account %s, and the stage makes none", s.base.name(), name))
			}
		}
	}
	return found
}

// unknownAccount returns the part of user[:group] that is known not to exist.
func (s *stage) unknownAccount(at *dockerfile.Instruction, word string) string {
	text, ok := s.expand(at, word)
	if !ok {
		return ""
	}
	user, group, _ := strings.Cut(text, ":")
	for i, name := range []string{user, group} {
		if _, err := strconv.Atoi(name); err == nil || name == "" {
			continue
		}
		there, sure := s.base.user(name)
		if i == 1 {
			there, sure = s.base.group(name)
		}
		if sure && !there && !s.makesAccount(at, name) {
			return name
		}
	}
	return ""
}

// makesAccount tells whether something above an instruction may have made an
// account: a RUN that names it and calls a program that makes accounts, or
// anything that writes /etc/passwd or the whole of /etc.
func (s *stage) makesAccount(at *dockerfile.Instruction, name string) bool {
	found := false
	s.earlier(at, func(ins *dockerfile.Instruction) bool {
		switch cmd := ins.Command.(type) {
		case *instructions.RunCommand:
			text := runText(ins)
			found = strings.Contains(text, "/etc/passwd") || strings.Contains(text, "/etc/group") ||
				makesAccounts(text) && (hasWord(text, name) || s.namesThroughVariable(ins, text, name))
		case *instructions.CopyCommand:
			found = overwritesAccounts(cmd.DestPath)
		case *instructions.AddCommand:
			found = overwritesAccounts(cmd.DestPath)
		}
		return !found
	})
	return found
}

func overwritesAccounts(dest string) bool {
	switch strings.TrimSuffix(dest, "/") {
	case "", "/etc", "/etc/passwd", "/etc/group":
		return true
	}
	return false
}

func makesAccounts(text string) bool {
	for name := range called(text) {
		switch name {
		case "useradd", "adduser", "groupadd", "addgroup", "usermod", "groupmod", "busybox":
			return true
		}
	}
	return false
}

// namesThroughVariable tells whether a variable in the text has the name as its
// value: RUN useradd $USERNAME.
func (s *stage) namesThroughVariable(at *dockerfile.Instruction, text, name string) bool {
	for k, v := range s.m.file.Env(at, s.base.config.Env) {
		if v == name && hasWord(text, k) {
			return true
		}
	}
	return false
}

// privilegedPorts: what is shipped and does not run as root declares no port
// below 1024.
func privilegedPorts(m *model) []Violation {
	var found []Violation
	s := m.stages[len(m.stages)-1]
	if s.base.def != nil && s.base.def.Build() {
		return nil
	}
	if root, sure := s.root(s.effective().user); root || !sure {
		return nil
	}
	s.earlier(nil, func(ins *dockerfile.Instruction) bool {
		cmd, ok := ins.Command.(*instructions.ExposeCommand)
		if !ok {
			return true
		}
		for _, word := range cmd.Ports {
			text, ok := s.expand(ins, word)
			if !ok {
				continue
			}
			for _, port := range strings.Fields(text) {
				if n := firstPort(port); n > 0 && n < 1024 {
					found = append(found, fault("ports", ins.Lines[0], "port", strconv.Itoa(n),
						"port %d is below 1024 and the stage does not run as root", n))
				}
			}
		}
		return true
	})
	return found
}

// rootAgain: a final image that did not run as root does not run as root now.
// The images to build in do, and most others do not.
func rootAgain(c *check) []Violation {
	before, after := c.before.stages[len(c.before.stages)-1], c.after.stages[len(c.after.stages)-1]
	was := before.effective()
	if !before.base.known && was.userAt == nil {
		return nil
	}
	if root, sure := before.root(was.user); root || !sure {
		return nil
	}
	is := after.effective()
	if root, sure := after.root(is.user); !root || !sure || !after.base.known {
		return nil
	}
	return []Violation{fault("nonroot-user", after.lineOf(is.userAt), "root", "", "the final image ran as %s and runs as root now", was.user)}
}

// rootWork: a RUN that ran as root still does. It may make directories or give
// files away, which the user of a runtime image must not.
func rootWork(c *check) []Violation {
	asRoot := map[string]bool{}
	for _, s := range c.before.stages {
		for _, ins := range s.Instructions {
			if ins.Keyword == "RUN" {
				root, _ := s.root(s.userAt(ins))
				before, seen := asRoot[ins.Text]
				asRoot[ins.Text] = root && s.base.known && (before || !seen)
			}
		}
	}
	var found []Violation
	for _, s := range c.after.stages {
		if s.base.def == nil {
			continue
		}
		for _, ins := range s.Instructions {
			cmd, ok := ins.Command.(*instructions.RunCommand)
			if !ok || !asRoot[ins.Text] || s.needsShell(ins, cmd.ShellDependantCmdLine) != "" {
				continue
			}
			user := s.userAt(ins)
			if root, sure := s.root(user); !root && sure {
				found = append(found, fault("nonroot-user", ins.Lines[0], "work", ins.Text, "RUN ran as root and runs as %s now", user))
			}
		}
	}
	return found
}

// firstPort reads 80, 80/tcp and 80-90/tcp; 0 when it is no number.
func firstPort(word string) int {
	word, _, _ = strings.Cut(word, "/")
	word, _, _ = strings.Cut(word, "-")
	n, err := strconv.Atoi(word)
	if err != nil {
		return 0
	}
	return n
}
