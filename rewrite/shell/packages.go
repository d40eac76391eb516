package shell

import (
	"slices"
	"strings"
)

// Verb is what a package manager is asked to do.
type Verb string

// The verbs.
const (
	Install Verb = "install"
	Remove  Verb = "remove"
	Update  Verb = "update"  // refresh the lists
	Upgrade Verb = "upgrade" // bring what is installed up to date
	Clean   Verb = "clean"
	Sync    Verb = "sync" // install what a file of the project lists
	Build   Verb = "build"
	Run     Verb = "run"
	Other   Verb = "other"
)

// PackageCall is one call of a package manager.
type PackageCall struct {
	// Manager is apt, apk, dnf, yum, microdnf, zypper, pacman, dpkg, rpm, or a
	// language's: pip, npm, yarn, pnpm, gem, bundle, cargo, go, composer,
	// poetry, uv, pipenv, conda.
	Manager string
	System  bool // a manager of the operating system
	Verb    Verb
	// Packages are the literal names without versions, architectures, target
	// releases or removal marks.
	Packages []string
	// Removed are packages of an install that are marked for removal (vim-).
	Removed []string
	// Virtual is the name of `apk add --virtual NAME`.
	Virtual string
	// Files are packages that are files or URLs (./local.deb), or files that
	// list packages (-r requirements.txt).
	Files []string
	// Unknown says that some packages come from variables, files or
	// substitutions that cannot be read here.
	Unknown bool
	// Global says that a language manager installs outside of the project.
	Global bool
	Cmd    *Command
}

// manager describes how a package manager is called.
type manager struct {
	name   string
	system bool
	// values are the options that take the next word.
	values string
	verbs  map[string]Verb
	// defaultVerb is the verb of a call without one.
	defaultVerb Verb
}

var aptVerbs = map[string]Verb{
	"install": Install, "reinstall": Install, "build-dep": Install, "satisfy": Install,
	"remove": Remove, "purge": Remove, "autoremove": Remove, "autopurge": Remove,
	"update": Update, "upgrade": Upgrade, "dist-upgrade": Upgrade, "full-upgrade": Upgrade,
	"clean": Clean, "autoclean": Clean, "distclean": Clean,
}

var dnfVerbs = map[string]Verb{
	"install": Install, "reinstall": Install, "groupinstall": Install, "localinstall": Install,
	"remove": Remove, "erase": Remove, "autoremove": Remove,
	"makecache": Update, "check-update": Update, "update": Upgrade, "upgrade": Upgrade, "clean": Clean,
}

var npmVerbs = map[string]Verb{
	"install": Install, "i": Install, "add": Install, "ci": Sync, "clean-install": Sync,
	"uninstall": Remove, "remove": Remove, "rm": Remove, "prune": Clean, "cache": Clean, "dedupe": Clean,
	"run": Run, "run-script": Run, "start": Run, "test": Run, "exec": Run, "rebuild": Build, "update": Upgrade,
	"up": Upgrade, "upgrade": Upgrade, "fetch": Sync, "deploy": Build, "dlx": Run, "workspaces": Run, "workspace": Run,
}

// managers by the name of the program. Options with values: apt-get(8),
// apk(8), dnf(8), pip install --help, npm help.
var managers = map[string]manager{
	"apt-get": {name: "apt", system: true, values: "-o -t -c -a -S --snapshot --option --target-release --default-release --config-file --host-architecture", verbs: aptVerbs},
	"apt":     {name: "apt", system: true, values: "-o -t -c -a -S --snapshot --option --target-release --default-release --config-file --host-architecture", verbs: aptVerbs},
	// Wrappers around apt-get install of Kubernetes' and Bitnami's images.
	"clean-install":    {name: "apt", system: true, verbs: map[string]Verb{}, defaultVerb: Install},
	"install_packages": {name: "apt", system: true, verbs: map[string]Verb{}, defaultVerb: Install},
	"aptitude":         {name: "apt", system: true, values: "-o -t -q", verbs: aptVerbs},
	"apk": {name: "apk", system: true, values: "-t --virtual -X --repository -p --root --arch --cache-dir --keys-dir --repositories-file --wait",
		verbs: map[string]Verb{"add": Install, "del": Remove, "update": Update, "upgrade": Upgrade, "cache": Clean, "fix": Install}},
	"dnf":      {name: "dnf", system: true, values: "-c --config --releasever --installroot --enablerepo --disablerepo --setopt -x --exclude", verbs: dnfVerbs},
	"yum":      {name: "yum", system: true, values: "-c --config --releasever --installroot --enablerepo --disablerepo --setopt -x --exclude", verbs: dnfVerbs},
	"microdnf": {name: "microdnf", system: true, values: "-c --config --releasever --installroot --enablerepo --disablerepo --setopt -x --exclude", verbs: dnfVerbs},
	"tdnf":     {name: "dnf", system: true, values: "--enablerepo --disablerepo --releasever", verbs: dnfVerbs},
	"zypper": {name: "zypper", system: true, values: "-p --from -t --type",
		verbs: map[string]Verb{"install": Install, "in": Install, "remove": Remove, "rm": Remove, "refresh": Update, "ref": Update, "update": Upgrade, "up": Upgrade, "clean": Clean, "cc": Clean}},
	"dpkg":  {name: "dpkg", system: true},
	"rpm":   {name: "rpm", system: true},
	"pip":   {name: "pip", values: pipValues, verbs: pipVerbs},
	"pip3":  {name: "pip", values: pipValues, verbs: pipVerbs},
	"pipx":  {name: "pipx", verbs: map[string]Verb{"install": Install}},
	"npm":   {name: "npm", values: "--prefix -C --registry --workspace -w --cache --loglevel --omit --only --include", verbs: npmVerbs},
	"yarn":  {name: "yarn", values: "--cwd --registry --network-timeout --cache-folder --modules-folder", verbs: npmVerbs, defaultVerb: Sync},
	"pnpm":  {name: "pnpm", values: "-C --dir --filter -F --store-dir --registry", verbs: npmVerbs},
	"bun":   {name: "bun", values: "--cwd", verbs: npmVerbs},
	"gem":   {name: "gem", values: "-v --version -i --install-dir -n --bindir -s --source", verbs: map[string]Verb{"install": Install, "uninstall": Remove, "update": Upgrade}},
	"cargo": {name: "cargo", values: "--version --path --root --git --branch --tag --rev --features --target -p --package --bin --profile -j --manifest-path --target-dir", verbs: map[string]Verb{"install": Install, "add": Install, "build": Build, "run": Run, "test": Run, "fetch": Sync, "chef": Build, "uninstall": Remove}},
	"go":    {name: "go", values: "-o -ldflags -tags -mod -C -p -gcflags -asmflags -buildmode -modfile -overlay -pkgdir -toolexec", verbs: map[string]Verb{"install": Install, "get": Install, "mod": Sync, "build": Build, "run": Run, "test": Run, "generate": Build, "clean": Clean}},
	"composer": {name: "composer", values: "-d --working-dir", verbs: map[string]Verb{"install": Sync, "i": Sync, "update": Sync, "require": Install, "remove": Remove,
		"dump-autoload": Build, "dumpautoload": Build, "run-script": Run, "clear-cache": Clean}},
	"bundle": {name: "bundle", values: "--jobs -j --path --without --with --retry", verbs: map[string]Verb{"install": Sync, "exec": Run, "update": Upgrade, "clean": Clean, "config": Other}, defaultVerb: Sync},
	"poetry": {name: "poetry", values: "--only --with --without -E --extras -C --directory", verbs: map[string]Verb{"install": Sync, "add": Install, "remove": Remove, "run": Run, "build": Build, "export": Other, "config": Other, "cache": Clean}},
	"pipenv": {name: "pipenv", verbs: map[string]Verb{"install": Sync, "sync": Sync, "run": Run}},
	"pdm":    {name: "pdm", values: "-G --group", verbs: map[string]Verb{"install": Sync, "sync": Sync, "add": Install, "run": Run, "build": Build}},
	"conda":  {name: "conda", values: "-n --name -c --channel -f --file -p --prefix", verbs: map[string]Verb{"install": Install, "create": Install, "clean": Clean, "update": Upgrade, "remove": Remove, "run": Run, "env": Sync}},
	"mamba":  {name: "conda", values: "-n --name -c --channel -f --file -p --prefix", verbs: map[string]Verb{"install": Install, "create": Install, "clean": Clean, "update": Upgrade, "remove": Remove, "env": Sync}},
}

const pipValues = "-r --requirement -c --constraint -i --index-url --extra-index-url -f --find-links -t --target --prefix --root --cache-dir --trusted-host --python --platform --python-version --implementation --abi --timeout --retries --progress-bar -e --editable --only-binary --no-binary --src --proxy --cert --log"

var pipVerbs = map[string]Verb{"install": Install, "uninstall": Remove, "cache": Clean, "download": Other, "wheel": Build, "config": Other}

// Packages are the calls of package managers, in source order.
//
// The answer is worked out once; callers must not change it.
func (s *Script) Packages() []PackageCall {
	s.packagesOnce.Do(func() {
		for _, c := range s.Commands {
			if p, ok := packageCall(c); ok {
				s.packages = append(s.packages, p)
			}
		}
	})
	return s.packages
}

func packageCall(c *Command) (PackageCall, bool) {
	name, args := c.Name, c.Args
	// tonistiigi/xx: xx-apt-get and xx-apk install for the target platform.
	if n, ok := strings.CutPrefix(name, "xx-"); ok && n != "info" {
		name = n
	}
	switch {
	case isPython(name) && len(args) > 1 && args[0].Text == "-m":
		// python -m pip, -m poetry ...; -m venv is no package manager.
		name, args = args[1].Text, args[2:]
	case name == "uv":
		return uvCall(c), true
	case name == "apt-mark", name == "add-apt-repository", name == "apt-key", name == "apt-add-repository":
		return PackageCall{Manager: "apt", System: true, Verb: Other, Cmd: c}, true
	case name == "pacman":
		return pacmanCall(c), true
	case name == "dpkg" || name == "rpm":
		return fileCall(c), true
	case pipName(name):
		name = "pip"
	}
	m, ok := managers[name]
	if !ok {
		return PackageCall{}, false
	}
	p := PackageCall{Manager: m.name, System: m.system, Verb: Other, Cmd: c, Unknown: c.OpenArgs}
	p.read(m, args)
	return p, true
}

// pipName tells whether the program is pip3.12 or the like.
func pipName(name string) bool {
	return strings.HasPrefix(name, "pip3") && strings.Trim(name[4:], "0123456789.") == ""
}

func isPython(name string) bool {
	return strings.HasPrefix(name, "python") && strings.Trim(name[6:], "0123456789.") == "" || name == "pypy3" || name == "pypy"
}

func (p *PackageCall) read(m manager, args []Arg) {
	verb := ""
	if m.defaultVerb == Install {
		verb, p.Verb = "install", Install
	}
	for i := 0; i < len(args); i++ {
		a := args[i]
		t := a.Text
		if strings.HasPrefix(t, "-") && t != "-" {
			v := ""
			hasValue := false
			if opt, rest, is := strings.Cut(t, "="); is && strings.HasPrefix(t, "--") {
				t, v, hasValue = opt, rest, true
			} else if takesValue(m, t) && i+1 < len(args) {
				i++
				v, hasValue = args[i].Text, true
				if !args[i].Literal {
					v = ""
				}
			}
			p.option(m, t, v, hasValue)
			continue
		}
		if m.name == "yarn" && verb == "" && t == "global" {
			p.Global = true
			continue
		}
		if verb == "" && a.Literal {
			if v, ok := m.verbs[t]; ok {
				verb, p.Verb = t, v
				continue
			}
			// An unknown first word is a script of the project (yarn build).
			verb = t
			if m.defaultVerb != "" || m.name == "npm" || m.name == "pnpm" {
				p.Verb = Run
			}
			continue
		}
		p.operand(m, a)
	}
	if verb == "" && m.defaultVerb != "" && p.Verb == Other {
		p.Verb = m.defaultVerb
	}
	if p.Verb == Install && len(p.Packages) == 0 && !p.Unknown && !p.System {
		switch m.name {
		case "npm", "yarn", "pnpm", "bun":
			p.Verb = Sync
		}
	}
}

// takesValue tells whether an option of a package manager has a value behind it.
func takesValue(m manager, option string) bool {
	for v := range strings.SplitSeq(m.values, " ") {
		if v == option {
			return true
		}
	}
	return false
}

func (p *PackageCall) option(m manager, opt, value string, hasValue bool) {
	switch m.name {
	case "apk":
		if opt == "-t" || opt == "--virtual" {
			p.Virtual = value
		}
	case "pip":
		switch opt {
		case "-r", "--requirement", "-e", "--editable":
			if value == "" {
				p.Unknown = true
			} else {
				p.Files = append(p.Files, value)
			}
		}
	case "npm", "pnpm":
		if opt == "-g" || opt == "--global" || opt == "--location" && value == "global" {
			p.Global = true
		}
	}
	if m.name == "apt" && hasValue && opt == "-t" && value == "" {
		p.Unknown = true
	}
}

func (p *PackageCall) operand(m manager, a Arg) {
	if p.Verb != Install && p.Verb != Remove && p.Verb != Sync {
		return
	}
	t := a.Text
	switch {
	case !a.Literal && !a.Glob:
		// A literal name with a variable version is still a name.
		if n, rest, ok := cutVersion(m, t); ok && a.VarsOnly && !strings.Contains(n, "$") && strings.Contains(rest, "$") && p.Verb != Sync {
			p.add(m, n)
			return
		}
		p.Unknown = true
	case strings.HasPrefix(t, "./") || strings.HasPrefix(t, "/") || t == "." || strings.HasPrefix(t, "../") || strings.Contains(t, "://") ||
		strings.HasPrefix(t, ".["):
		p.Files = append(p.Files, t)
	case p.Verb == Sync && (m.name == "go" || m.name == "composer" || m.name == "conda"):
		// go mod download, composer update: the words are sub-commands
	default:
		n, _, _ := cutVersion(m, t)
		p.add(m, n)
	}
}

func (p *PackageCall) add(m manager, name string) {
	if m.name == "apt" {
		name, _, _ = strings.Cut(name, ":") // architecture
		if r, ok := strings.CutSuffix(name, "-"); ok && p.Verb == Install {
			p.Removed = append(p.Removed, r)
			return
		}
		// g++ and libstdc++ end in plus signs that are part of the name.
		if r, ok := strings.CutSuffix(name, "+"); ok && !strings.HasSuffix(name, "++") {
			name = r
		}
	}
	if name != "" && !slices.Contains(p.Packages, name) {
		p.Packages = append(p.Packages, name)
	}
}

// cutVersion splits name and version as the manager writes them.
func cutVersion(m manager, t string) (name, version string, ok bool) {
	cut := func(seps string) (string, string, bool) {
		if i := strings.IndexAny(t, seps); i > 0 {
			return t[:i], t[i:], true
		}
		return t, "", false
	}
	switch m.name {
	case "apt":
		return cut("=/")
	case "apk":
		if strings.HasPrefix(t, "!") {
			return "", "", false
		}
		return cut("=<>~@")
	case "pip", "pipx", "poetry", "pipenv", "pdm", "uv":
		return cut("=<>!~[;@ ")
	case "npm", "yarn", "pnpm", "bun", "go", "cargo":
		if i := strings.LastIndexByte(t, '@'); i > 0 {
			return t[:i], t[i:], true
		}
		return t, "", false
	case "composer", "gem":
		return cut(":")
	case "conda", "zypper":
		return cut("=<>")
	}
	return t, "", false
}

func uvCall(c *Command) PackageCall {
	p := PackageCall{Manager: "uv", Verb: Other, Cmd: c}
	args := c.Args
	for len(args) > 0 && strings.HasPrefix(args[0].Text, "-") {
		args = args[1:]
	}
	if len(args) == 0 {
		return p
	}
	switch args[0].Text {
	case "pip":
		p.read(manager{name: "pip", values: pipValues, verbs: map[string]Verb{"install": Install, "sync": Install, "uninstall": Remove, "compile": Other}}, args[1:])
		if len(args) > 1 && args[1].Text == "sync" {
			p.Verb, p.Files, p.Packages = Sync, append(p.Files, p.Packages...), nil
		}
	case "sync":
		p.Verb = Sync
	case "add":
		p.read(manager{name: "uv", values: "-r --requirements", verbs: map[string]Verb{"add": Install}}, args)
	case "tool":
		p.read(manager{name: "uv", values: "--with --from -p --python", verbs: map[string]Verb{"install": Install, "run": Run}}, args[1:])
		p.Global = true
	case "run", "build":
		p.Verb = Verb(args[0].Text)
	}
	return p
}

func pacmanCall(c *Command) PackageCall {
	p := PackageCall{Manager: "pacman", System: true, Verb: Other, Cmd: c}
	for _, a := range c.Args {
		switch t := a.Text; {
		case strings.HasPrefix(t, "-S") && strings.Contains(t, "c"):
			p.Verb = Clean
		case strings.HasPrefix(t, "-S"), strings.HasPrefix(t, "-U"):
			p.Verb = Install
		case strings.HasPrefix(t, "-R"):
			p.Verb = Remove
		case strings.HasPrefix(t, "-"):
		case !a.Literal:
			p.Unknown = true
		default:
			p.Packages = append(p.Packages, t)
		}
	}
	if p.Verb == Install && len(p.Packages) == 0 && !p.Unknown {
		p.Verb = Upgrade // -Syu
	}
	return p
}

// fileCall reads dpkg -i and rpm -i.
func fileCall(c *Command) PackageCall {
	p := PackageCall{Manager: c.Name, System: true, Verb: Other, Cmd: c}
	for i, a := range c.Args {
		t := a.Text
		switch {
		case i == 0 && (t == "-i" || t == "--install" || t == "--unpack"),
			c.Name == "rpm" && strings.HasPrefix(t, "-") && !strings.HasPrefix(t, "--") && strings.ContainsAny(t, "iU"):
			p.Verb = Install
		case i == 0 && (t == "-r" || t == "-P" || t == "--purge" || t == "--remove" || t == "-e"):
			p.Verb = Remove
		case strings.HasPrefix(t, "-"):
		case p.Verb == Install:
			p.Files = append(p.Files, t)
			p.Unknown = p.Unknown || !a.Literal
		case p.Verb == Remove && a.Literal:
			p.Packages = append(p.Packages, t)
		}
	}
	p.Unknown = p.Unknown || c.OpenArgs
	return p
}
