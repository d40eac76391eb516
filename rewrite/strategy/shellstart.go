package strategy

import (
	"fmt"
	"path"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/shell"
)

// shellStart checks a start command that begins with a shell: the image must
// have that shell, and what the shell is told to run.
func (t *starter) shellStart(c assess.Command, argv []string) ([]string, string, *Block) {
	name := path.Base(argv[0])
	if !t.hasShell(argv[0]) {
		bl := t.block(c, "shell-start", fmt.Sprintf("the start command runs %s, which the runtime image does not have", name))
		return nil, "", &bl
	}
	if shellDashC(argv) {
		if run := (assess.Command{Set: true, Argv: argv}).Script(); run != nil {
			if why := t.shellNeeds(run.Script); why != "" {
				bl := t.block(c, "shell-start", fmt.Sprintf("the start command %q %s", shorten(shellWords(argv)), why))
				return nil, "", &bl
			}
		}
		return argv, "", nil
	}
	for _, a := range argv[1:] {
		if strings.HasPrefix(a, "-") {
			continue
		}
		file := a
		if !path.IsAbs(file) {
			file = path.Join(t.final.End.WorkDir, file)
		}
		info := t.in.scriptOf(t.final, file)
		if why := t.shellNeeds(info.shell); why != "" {
			bl := t.block(c, "script-start", fmt.Sprintf("it starts %s, a script that %s", a, why))
			bl.Path, bl.Line = info.path, 1
			return nil, "", &bl
		}
		break
	}
	return argv, "", nil
}

// hasShell tells whether the image surely has a shell of that name or path.
func (t *starter) hasShell(prog string) bool {
	sh := t.def.Shell()
	switch {
	case sh == "":
		return false
	case path.Base(prog) == path.Base(sh):
		return true
	case path.Base(prog) == "sh":
		return t.def.HasProgram("sh")
	}
	return t.def.HasProgram(path.Base(prog))
}

// shellNeeds tells why a text cannot do its work in the new image although a
// shell is there: a program that is not surely there, or one that only root can
// use. "" when nothing is known to be missing, or the text is not at hand.
func (t *starter) shellNeeds(sc *shell.Script) string {
	if sc == nil {
		return ""
	}
	for _, p := range sc.Programs() {
		switch {
		case strings.Contains(p, "$"):
			continue
		case strings.Contains(p, "/"):
			if !path.IsAbs(p) || t.copied(p) || t.made[p] || t.def.HasProgram(path.Base(p)) {
				continue
			}
		case rootProgram(p) && t.unprivileged:
			return fmt.Sprintf("runs %s, which only root may", p)
		case t.def.HasProgram(p) || t.provides(p) || t.carriedName(p) || shellName(p) && t.hasShell(p):
			continue
		default:
			if _, ok := t.onPath(p); ok || t.builds {
				continue
			}
		}
		return fmt.Sprintf("runs %s, which dhi %s does not surely have", p, t.def.Image)
	}
	return ""
}

// rootProgram tells whether a program does nothing useful for another user
// than root: accounts, owners, packages.
func rootProgram(name string) bool {
	switch name {
	case "chown", "adduser", "addgroup", "useradd", "usermod", "groupadd", "groupmod", "deluser", "su", "su-exec", "gosu", "setpriv", "runuser",
		"apk", "apt", "apt-get", "dpkg", "update-ca-certificates", "mount", "sysctl", "iptables", "crond", "cron":
		return true
	}
	return false
}

// artisan tells why a command of Laravel needs a shell: it starts PHP again
// through Symfony's Process, which hands a command line to /bin/sh.
func artisan(image string, argv []string) string {
	if image != "php" {
		return ""
	}
	for i, w := range argv {
		if path.Base(w) != "artisan" || i+1 >= len(argv) {
			continue
		}
		switch argv[i+1] {
		case "serve", "horizon", "queue:listen", "schedule:work", "octane:start", "octane:frankenphp", "octane:swoole", "octane:roadrunner":
			return fmt.Sprintf("artisan %s starts PHP again through a shell, which the runtime image does not have", argv[i+1])
		}
	}
	return ""
}
