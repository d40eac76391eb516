package shell

import "strings"

// OnlyPackages tells whether the text does nothing but work of the operating
// system's package manager and the cleaning after it: such a RUN leaves
// nothing behind but the packages.
func (s *Script) OnlyPackages() bool {
	if s.Truncated || len(s.Commands) == 0 {
		return false
	}
	some := false
	for _, c := range s.Commands {
		if !quietRedirects(c) {
			return false
		}
		if p, ok := packageCall(c); ok {
			if !p.System || p.Verb == Other && c.Name != "apt-mark" {
				return false
			}
			some = true
			continue
		}
		if !onlyCleans(c) {
			return false
		}
	}
	return some
}

// quietRedirects tells whether the redirections of a command leave no file
// that matters.
func quietRedirects(c *Command) bool {
	for _, r := range c.Redirects {
		if r.Writes() && (!r.Literal || !strings.HasPrefix(r.Path, "/dev/") && !strings.HasPrefix(r.Path, "/var/log/") && !strings.HasPrefix(r.Path, "/tmp/")) {
			return false
		}
	}
	return true
}

// onlyCleans tells whether a command is part of the usual cleaning, or has no
// effect that outlives the RUN.
func onlyCleans(c *Command) bool {
	switch c.Name {
	case "set", "true", ":", "echo", "printf", "export", "sleep", "wait", "exit", "false", "test", "[", "[[", "cd", "sync", "unset":
		return true
	case "":
		return c.Path == "" && !c.OpenArgs // assignments
	case "rm":
		for _, a := range c.Args {
			if strings.HasPrefix(a.Text, "-") {
				continue
			}
			if !a.Literal && !a.Glob || !packageCache(a.Text) {
				return false
			}
		}
		return true
	case "find":
		return len(c.Args) > 0 && c.Args[0].Literal && packageCache(c.Args[0].Text)
	case "update-ca-certificates", "ldconfig", "fc-cache":
		return true
	}
	return false
}

// caches are the directories that package managers fill and images empty.
var caches = []string{
	"/var/lib/apt/lists", "/var/cache", "/var/log", "/tmp", "/var/tmp", "/root/.cache", "/usr/share/doc", "/usr/share/man",
	"/usr/share/locale", "/usr/share/info", "/etc/apt/apt.conf.d/docker-clean", "/var/lib/dpkg/info", "/var/lib/cache", "/root/.npm",
	"/var/lib/log", "/usr/share/lintian",
}

func packageCache(p string) bool {
	for _, c := range caches {
		if p == c || strings.HasPrefix(p, c+"/") || p == c+"*" {
			return true
		}
	}
	return false
}
