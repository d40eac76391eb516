package shell

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// Effects are the files that a text may change.
type Effects struct {
	// Paths are absolute paths outside of the working directory that the text
	// may create or change, sorted. A directory stands for all below it.
	Paths []string
	// Maybe are those of Paths that need not exist afterwards: only commands
	// that may not run (Command.Conditional) make them.
	Maybe []string
	// Inside are the paths at or below the working directory that the text may
	// create or change, sorted.
	Inside []string
	// Removed are absolute paths outside of the working directory that the
	// text removes and did not make itself.
	Removed []string
	// Unknown are the reasons why more may be written; empty when Paths is
	// complete.
	Unknown []string
	// Assumed are commands that run what the project defines (npm run build,
	// gradle build) and by convention write below the working directory.
	Assumed []string
}

// Effects tells which files the text may change when it starts in cwd.
//
// Not part of the answer, because they do not matter to a program that runs
// later, or because another question answers them: temporary directories and
// caches, the state of build tools in the home directory, what a system
// package manager installs (Packages) and the account database (Accounts).
// With cwd "" or "/" nothing counts as inside. The home directory is HOME of
// WithEnv, /root without one, and unknown when HOME is empty. The lists must not
// be changed.
func (s *Script) Effects(cwd string) Effects {
	s.effectsMu.Lock()
	defer s.effectsMu.Unlock()
	if !s.effectsRead || s.effectsCwd != cwd {
		s.effects, s.effectsCwd, s.effectsRead = s.readEffects(cwd), cwd, true
	}
	return s.effects
}

func (s *Script) readEffects(cwd string) Effects {
	e := &effects{cwd: path.Clean("/" + cwd), env: maps.Clone(s.env), packages: s.Packages()}
	if s.Truncated {
		e.unknown("the text is too long to follow")
	}
	for _, c := range s.Commands {
		e.command(c)
	}
	e.out.Paths, e.out.Inside, e.out.Removed = sorted(e.paths), sorted(e.within), sorted(e.removed)
	for _, p := range e.out.Paths {
		if !e.sure[p] {
			e.out.Maybe = append(e.out.Maybe, p)
		}
	}
	return e.out
}

// sorted lists a set; most are empty.
func sorted(set map[string]bool) []string {
	if len(set) == 0 {
		return nil
	}
	list := make([]string, 0, len(set))
	for s := range set {
		list = append(list, s)
	}
	slices.Sort(list)
	return list
}

// Writes is Effects in short: the paths outside of cwd that the text may
// write, and whether and why there may be more.
func (s *Script) Writes(cwd string) (paths []string, unknown bool, why string) {
	e := s.Effects(cwd)
	return e.Paths, len(e.Unknown) > 0, strings.Join(e.Unknown, "; ")
}

type effects struct {
	cwd            string
	packages       []PackageCall
	env            map[string]string
	venv           string // the virtual environment that was activated
	out            Effects
	paths, removed map[string]bool
	within         map[string]bool
	sure           map[string]bool // of paths: made by a command that runs, or there before
}

// handler says what a program writes.
type handler func(e *effects, c *Command)

func (e *effects) unknown(format string, args ...any) {
	why := fmt.Sprintf(format, args...)
	if len(why) > 200 {
		why = strings.ToValidUTF8(why[:200], "") + "…"
	}
	if !slices.Contains(e.out.Unknown, why) && len(e.out.Unknown) < 20 {
		e.out.Unknown = append(e.out.Unknown, why)
	}
}

// assume notes a command of the project that writes below its directory.
func (e *effects) assume(c *Command) {
	what := c.Name
	for _, a := range c.Args {
		if len(what) > 60 {
			break
		}
		what += " " + a.Text
	}
	if len(what) > 80 {
		what = strings.ToValidUTF8(what[:80], "") + "…"
	}
	e.here(c)
	if !slices.Contains(e.out.Assumed, what) && len(e.out.Assumed) < 20 {
		e.out.Assumed = append(e.out.Assumed, what)
	}
}

func (e *effects) command(c *Command) {
	for _, r := range c.Redirects {
		if r.Writes() {
			e.write(c, Arg{Text: r.Path, Raw: r.Path, Literal: r.Literal})
		}
	}
	if c.Function {
		return
	}
	if c.Name == "" {
		if c.Path != "" || c.OpenArgs || len(c.Args) > 0 {
			e.unknown("a program whose name is not literal is run")
		} else {
			for n, a := range c.Env {
				e.set(n, a, c.Conditional)
			}
		}
		return
	}
	if slices.ContainsFunc(e.packages, func(p PackageCall) bool { return p.Cmd == c && p.System }) {
		return
	}
	if asksOnly(c) || quiet[c.Name] {
		return
	}
	switch c.Name {
	case "useradd", "usermod", "userdel", "groupadd", "groupmod", "groupdel", "adduser", "addgroup", "deluser", "delgroup", "gpasswd", "chsh", "passwd", "chpasswd":
		return
	case "export", "declare", "typeset", "local", "readonly":
		for _, a := range c.Args {
			if n, v, ok := strings.Cut(a.Text, "="); ok {
				a.Text = v
				e.set(n, a, c.Conditional)
			}
		}
		return
	}
	h, ok := fileTools[c.Name]
	if !ok {
		h, ok = buildTools[toolName(c)]
	}
	if !ok {
		e.unknown("what %s writes is not known", c.Path)
		return
	}
	h(e, c)
}

// toolName folds python3.12, pip3.12, gcc-12, ./gradlew and the like.
func toolName(c *Command) string {
	switch n := c.Name; {
	case isPython(n):
		return "python"
	case n == "pip3" || n == "pip2" || pipName(n):
		return "pip"
	case strings.HasPrefix(n, "gcc-") || strings.HasPrefix(n, "g++-") || strings.HasPrefix(n, "clang-") || strings.HasSuffix(n, "-gcc") || strings.HasSuffix(n, "-g++"):
		return "gcc"
	case n == "xx-go" || n == "xx-cargo":
		return n[3:]
	case n == "xx-clang" || n == "xx-clang++":
		return "gcc"
	default:
		return n
	}
}

func (e *effects) set(name string, a Arg, conditional bool) {
	if a.Literal && !conditional {
		if e.env == nil {
			e.env = map[string]string{}
		}
		e.env[name] = a.Text
		return
	}
	delete(e.env, name)
}

// lookup is the value of a variable for one command.
func (e *effects) lookup(c *Command, name string) (string, bool) {
	if a, ok := c.Env[name]; ok {
		return a.Text, a.Literal
	}
	v, ok := e.env[name]
	return v, ok
}

func (e *effects) or(c *Command, name, fallback string) string {
	if v, ok := e.lookup(c, name); ok && v != "" {
		return v
	}
	return fallback
}

// home is the home directory of whoever runs a command: HOME, or root's when
// nothing is said. An empty HOME stands for a user whose home is not known.
func (e *effects) home(c *Command) (string, bool) {
	for _, w := range c.Wrapped {
		switch w {
		case "su", "runuser", "gosu", "su-exec", "s6-setuidgid", "doas":
			return "", false
		}
	}
	home, ok := e.lookup(c, "HOME")
	if _, said := c.Env["HOME"]; said && !ok {
		return "", false
	}
	if !ok {
		return "/root", true
	}
	return home, home != ""
}

// underHome notes a path below the home directory.
func (e *effects) underHome(c *Command, variable, rest string) {
	if dir, ok := e.lookup(c, variable); variable != "" && ok && dir != "" {
		e.abs(c, dir)
		return
	}
	e.write(c, Arg{Text: "~/" + rest, Raw: "~/" + rest, Literal: true})
}

// asksOnly tells whether a program is only asked for its version or help.
func asksOnly(c *Command) bool {
	if len(c.Args) == 0 || c.OpenArgs {
		return false
	}
	for _, a := range c.Args {
		switch a.Text {
		case "--version", "-version", "--help":
		case "-v", "-V", "version":
			if len(c.Args) > 1 {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// here notes that the command writes below the directory it runs in.
func (e *effects) here(c *Command) { e.write(c, Arg{Text: ".", Literal: true}) }

func (e *effects) abs(c *Command, p string) { e.write(c, Arg{Text: p, Literal: true}) }

// write notes that a word names a file or directory that is written.
func (e *effects) write(c *Command, a Arg) {
	p, ok := e.resolve(c, a)
	switch {
	case !ok || passing(p):
	case e.inside(p):
		mark(&e.within, p)
	default:
		mark(&e.paths, p)
		if !c.Conditional || changesOnly(c) {
			mark(&e.sure, p)
		}
		delete(e.removed, p)
	}
}

// mark adds to a set. Most sets stay empty, and are not made.
func mark(set *map[string]bool, s string) {
	if *set == nil {
		*set = map[string]bool{}
	}
	(*set)[s] = true
}

// changesOnly tells whether a command changes what is there and makes nothing.
func changesOnly(c *Command) bool {
	switch c.Name {
	case "chmod", "chown", "chgrp", "sed", "setcap", "strip", "upx":
		return true
	}
	return false
}

func (e *effects) remove(c *Command, a Arg) {
	p, ok := e.resolve(c, a)
	if !ok {
		return
	}
	made := false
	for have := range e.paths {
		if !a.Glob && (have == p || strings.HasPrefix(have, p+"/")) {
			delete(e.paths, have)
			made = true
		}
	}
	if !made && !e.inside(p) && !passing(p) {
		mark(&e.removed, p)
	}
}

// resolve makes a word an absolute path, or the directory that the path is
// certainly below. It notes when it cannot.
func (e *effects) resolve(c *Command, a Arg) (string, bool) {
	t := a.Text
	if strings.HasPrefix(t, "~/") && strings.HasPrefix(a.Raw, "~") || t == "~" {
		a.Literal = a.Literal || len(a.Vars) == 0 && !a.Glob && !strings.ContainsAny(t, "$`")
		home, ok := e.home(c)
		if !ok {
			e.unknown("%s writes below a home directory that is not known", commandName(c))
			return "", false
		}
		t = path.Join(home, t[1:])
	}
	if !a.Literal {
		i := strings.IndexAny(t, "*?[{$`")
		if i < 0 {
			i = 0
		}
		dir, _, ok := cutLast(t[:i])
		if !a.Glob && (!ok || dir == "" && i > 0) {
			e.unknown("%s writes to %s, which is not literal", commandName(c), short(t))
			return "", false
		}
		t = dir
		if dir == "" && ok {
			t = "/"
		}
		if strings.Contains(t, "..") {
			e.unknown("%s writes to %s, which is not literal", commandName(c), short(a.Text))
			return "", false
		}
	}
	if !path.IsAbs(t) {
		if c.DirUnknown {
			e.unknown("%s writes below a directory that is not literal", commandName(c))
			return "", false
		}
		dir := c.Dir
		if !path.IsAbs(dir) {
			dir = path.Join(e.cwd, dir)
		}
		t = path.Join(dir, t)
	}
	p := path.Clean(t)
	if p == "/" {
		e.unknown("%s writes anywhere below /", commandName(c))
		return "", false
	}
	return p, true
}

func commandName(c *Command) string {
	if c.Name == "" {
		return "a redirection"
	}
	return c.Name
}

func short(s string) string {
	if len(s) > 60 {
		return strings.ToValidUTF8(s[:60], "") + "…"
	}
	return s
}

func cutLast(s string) (before, after string, ok bool) {
	i := strings.LastIndexByte(s, '/')
	if i < 0 {
		return "", s, false
	}
	return s[:i], s[i+1:], true
}

func (e *effects) inside(p string) bool {
	return e.cwd != "/" && (p == e.cwd || strings.HasPrefix(p, e.cwd+"/"))
}

// passing tells whether nothing that runs later needs the path: devices,
// temporary files, caches, and the state of build tools in a home directory.
func passing(p string) bool {
	for _, d := range []string{"/tmp", "/var/tmp", "/dev", "/proc", "/sys", "/run/secrets", "/var/cache", "/var/log/apt", "/var/lib/apt"} {
		if p == d || strings.HasPrefix(p, d+"/") {
			return true
		}
	}
	rest, ok := strings.CutPrefix(p, "/root/")
	if !ok {
		if parts := strings.SplitN(p, "/", 4); len(parts) == 4 && parts[1] == "home" {
			rest, ok = parts[3], true
		}
	}
	if !ok {
		return false
	}
	first, _, _ := strings.Cut(rest, "/")
	switch first {
	case ".cache", ".npm", ".npmrc", ".yarnrc", ".yarnrc.yml", ".yarn", ".m2", ".gradle", ".nuget", ".gitconfig", ".ssh", ".netrc",
		".gnupg", ".wget-hsts", ".composer", ".bash_history", ".git-credentials", ".pnpm-store", ".node-gyp", ".hex", ".mix", ".sbt", ".ivy2":
		return true
	}
	return false
}

// quiet are programs that write nothing but their output, or whose effect does
// not outlive the RUN.
var quiet = set(`: true false echo printf test [ [[ (( let cd pushd popd dirs pwd set unset shift exit return break continue read wait sleep
	ls cat head tail tac nl wc uniq cut tr grep egrep fgrep rg diff cmp comm paste fold column rev seq expr bc env printenv uname arch hostname id whoami groups
	which type hash command whereis date basename dirname readlink realpath stat file du df free ps pgrep md5sum sha1sum sha256sum sha384sum sha512sum b2sum
	cksum nproc getconf getent locale ldd nm readelf ulimit umask trap alias unalias shopt jobs kill killall pkill times tty stty clear yes
	dpkg-query dpkg-architecture apt-cache lsb_release jq xxd od hexdump strings lscpu lsblk mount umount sync ping nslookup dig host
	ssh-keyscan ssh-agent ssh-add nc ncat netstat ss ip ifconfig shellcheck hadolint gofmt golangci-lint staticcheck govulncheck
	eslint flake8 mypy pylint pyflakes ruff black isort pytest tox nox rspec phpunit phpstan rubocop wait-for-it getopts xmllint tput scanelf dpkg-buildflags debconf-set-selections chronic pkg-config pkgconf gpgconf sysctl xx-info xx-verify nvidia-smi`)

func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}
