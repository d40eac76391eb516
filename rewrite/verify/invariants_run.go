package verify

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"dhibot/rewrite/dockerfile"
)

// fault makes a violation. subject is what the fault is about, in words that
// are the same before and after the migration.
func fault(rule string, line int, check, subject, format string, args ...any) Violation {
	return Violation{Rule: rule, Line: line, Msg: fmt.Sprintf(format, args...), key: rule + "\x00" + check + "\x00" + subject}
}

// runsWithoutShell: no RUN in a stage whose image is known to have no shell for
// it, and to which none was copied.
func runsWithoutShell(m *model) []Violation {
	var found []Violation
	for _, s := range m.stages {
		for _, ins := range s.Instructions {
			cmd, ok := ins.Command.(*instructions.RunCommand)
			if !ok {
				continue
			}
			if shell := s.needsShell(ins, cmd.ShellDependantCmdLine); shell != "" {
				found = append(found, fault("no-shell", ins.Lines[0], "run", ins.Text,
					"RUN needs %s, which %s does not have", shell, s.base.name()))
			}
		}
	}
	return found
}

// needsShell names the shell that a command line needs and that is missing.
func (s *stage) needsShell(at *dockerfile.Instruction, line instructions.ShellDependantCmdLine) string {
	argv := line.CmdLine
	if line.PrependShell {
		argv = s.shellAt(at)
	}
	if len(argv) == 0 || !isShell(argv[0]) || !s.base.lacksShell(argv[0]) || s.provided(at, path.Base(argv[0])) {
		return ""
	}
	return argv[0]
}

func isShell(program string) bool {
	switch path.Base(program) {
	case "sh", "bash", "ash", "dash", "zsh", "ksh":
		return true
	}
	return false
}

// triggersWithoutShell: an ONBUILD RUN runs in a child of the image, which has
// no shell when the image has none.
func triggersWithoutShell(m *model) []Violation {
	var found []Violation
	for _, s := range m.stages {
		for _, ins := range s.Instructions {
			if ins.OnBuild == nil {
				continue
			}
			cmd, ok := ins.OnBuild.Command.(*instructions.RunCommand)
			if !ok {
				continue
			}
			if shell := s.needsShell(ins, cmd.ShellDependantCmdLine); shell != "" {
				found = append(found, fault("no-shell", ins.Lines[0], "onbuild", ins.Text,
					"ONBUILD RUN needs %s, which %s does not have", shell, s.base.name()))
			}
		}
	}
	return found
}

// packageManagers: every package manager that a RUN calls is the one of the
// stage's image, and RUN runs as root then.
func packageManagers(m *model) []Violation {
	var found []Violation
	for _, s := range m.stages {
		if !s.base.known {
			continue
		}
		for _, ins := range s.Instructions {
			text, ok := runnable(ins)
			if !ok {
				continue
			}
			own := s.base.config.PackageManager
			user := s.userAt(ins)
			root, sure := s.root(user)
			if !namesManager(text, own) && (root || !sure || !strings.Contains(text, own)) {
				continue
			}
			programs := called(text)
			for _, program := range sorted(programs) {
				family, ok := managerOf(program)
				if !ok || s.provided(ins, program) {
					continue
				}
				if family != own {
					found = append(found, fault("package-management", ins.Lines[0], program, ins.Text,
						"RUN calls %s, which %s does not have", program, s.base.name()))
					break
				}
				if !root && sure && !programs["sudo"] {
					found = append(found, fault("package-management", ins.Lines[0], "root", ins.Text,
						"RUN calls %s as %s, which is not root", program, user))
					break
				}
			}
		}
	}
	return found
}

// runnable is the text of a RUN or of an ONBUILD RUN, in either form.
func runnable(ins *dockerfile.Instruction) (string, bool) {
	if ins.OnBuild != nil {
		ins = ins.OnBuild
	}
	cmd, ok := ins.Command.(*instructions.RunCommand)
	if !ok {
		return "", false
	}
	if cmd.PrependShell {
		return script(ins), true
	}
	argv := cmd.CmdLine
	if len(argv) >= 3 && isShell(argv[0]) && strings.HasPrefix(argv[1], "-") && strings.HasSuffix(argv[1], "c") {
		return argv[2], true
	}
	return strings.Join(argv, " "), true
}

func sorted(set map[string]bool) []string {
	list := make([]string, 0, len(set))
	for s := range set {
		list = append(list, s)
	}
	slices.Sort(list)
	return list
}
