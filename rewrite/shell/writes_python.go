package shell

import (
	"path"
	"slices"
	"strings"
)

// PoetryVenv is the reason of Effects.Unknown when Poetry makes a virtual
// environment of its own, in its cache: it takes the one of VIRTUAL_ENV when
// there is one.
const PoetryVenv = "where poetry makes the virtual environment is not known"

// site is where pip of the active interpreter installs.
func (e *effects) site(c *Command) {
	if dir := path.Dir(c.Path); path.Base(dir) == "bin" && path.IsAbs(dir) && !systemBin[dir] {
		e.abs(c, path.Dir(dir)) // /opt/venv/bin/pip
		return
	}
	if dir := path.Dir(c.Path); path.Base(dir) == "bin" && !path.IsAbs(dir) && strings.Contains(c.Path, "/") {
		e.abs(c, path.Dir(dir)) // .venv/bin/pip
		return
	}
	if e.venv != "" {
		e.abs(c, e.venv)
		return
	}
	if v, ok := e.lookup(c, "VIRTUAL_ENV"); ok && v != "" {
		e.abs(c, v)
		return
	}
	if p, ok := e.lookup(c, "PATH"); ok {
		for dir := range strings.SplitSeq(p, ":") {
			if systemBin[dir] {
				break
			}
			if path.Base(dir) != "bin" || !path.IsAbs(dir) || strings.HasSuffix(dir, "/.local/bin") {
				continue
			}
			env := path.Dir(dir)
			e.abs(c, env)
			if strings.Contains(path.Base(env), "env") {
				return // a virtual environment by its name: /opt/venv, /app/.venv, /env
			}
		}
	}
	e.abs(c, "/usr/local")
}

var systemBin = set("/usr/local/bin /usr/bin /bin /usr/local/sbin /usr/sbin /sbin")

func writesPip(e *effects, c *Command) {
	verb := verbOf(c)
	if verb == "config" || verb == "cache" || verb == "freeze" || verb == "list" || verb == "check" || verb == "show" || verb == "hash" || verb == "debug" {
		return
	}
	if verb == "wheel" || verb == "download" {
		e.hereOr(c, "-w", "--wheel-dir", "-d", "--dest")
		return
	}
	if a, ok := valueOf(c, "-t", "--target", "--prefix", "--root"); ok {
		e.write(c, a)
		return
	}
	for _, a := range c.Args {
		if a.Text == "--user" {
			e.underHome(c, "PYTHONUSERBASE", ".local")
			return
		}
	}
	if v, ok := e.lookup(c, "PIP_TARGET"); ok {
		e.abs(c, v)
		return
	}
	if v, ok := e.lookup(c, "PIP_PREFIX"); ok {
		e.abs(c, v)
		return
	}
	e.site(c)
}

func writesUV(e *effects, c *Command) {
	env := e.or(c, "UV_PROJECT_ENVIRONMENT", ".venv")
	switch verb := verbOf(c); verb {
	case "sync", "add", "remove", "lock", "export", "run", "build", "init":
		e.abs(c, env)
		e.here(c)
		if verb == "run" {
			e.assume(c)
		}
	case "venv":
		ops := operandsOf(c, "p")
		if len(ops) > 1 {
			e.write(c, ops[len(ops)-1])
		} else {
			e.abs(c, ".venv")
		}
	case "pip":
		if a, ok := valueOf(c, "-t", "--target", "--prefix"); ok {
			e.write(c, a)
			return
		}
		system := e.or(c, "UV_SYSTEM_PYTHON", "") != ""
		for _, a := range c.Args {
			system = system || a.Text == "--system" || a.Text == "--break-system-packages"
		}
		switch a, ok := valueOf(c, "-p", "--python"); {
		case ok:
			if path.Base(path.Dir(a.Text)) != "bin" {
				e.unknown("which environment uv --python %s means is not known", short(a.Text))
				return
			}
			a.Text = path.Dir(path.Dir(a.Text))
			e.write(c, a)
		case system:
			e.abs(c, "/usr/local")
		case e.venv != "":
			e.abs(c, e.venv)
		default:
			e.abs(c, e.or(c, "VIRTUAL_ENV", ".venv"))
		}
	case "cache", "version", "tree", "self":
	case "tool":
		e.underHome(c, "UV_TOOL_DIR", ".local")
	case "python":
		e.underHome(c, "UV_PYTHON_INSTALL_DIR", ".local/share/uv")
	default:
		e.unknown("what uv %s writes is not known", short(verb))
	}
}

func writesPoetry(e *effects, c *Command) {
	verb := verbOf(c)
	switch verb {
	case "config":
		for i, a := range c.Args {
			if i+1 < len(c.Args) && (a.Text == "virtualenvs.create" || a.Text == "virtualenvs.in-project") {
				name := "POETRY_VIRTUALENVS_" + strings.ToUpper(strings.ReplaceAll(strings.TrimPrefix(a.Text, "virtualenvs."), "-", "_"))
				e.set(name, c.Args[i+1], c.Conditional)
			}
		}
		return
	case "export", "build", "lock", "check", "version", "cache", "self", "run":
		e.here(c)
		if verb == "run" {
			e.assume(c)
		}
		return
	}
	yes := func(name string) (bool, bool) {
		v, ok := e.lookup(c, name)
		v = strings.ToLower(v)
		return v == "1" || v == "true" || v == "yes", ok
	}
	create, said := yes("POETRY_VIRTUALENVS_CREATE")
	if in, _ := yes("POETRY_VIRTUALENVS_IN_PROJECT"); in {
		e.here(c)
		return
	}
	if said && !create || e.venv != "" || e.or(c, "VIRTUAL_ENV", "") != "" {
		e.site(c)
		e.here(c)
		return
	}
	e.unknown(PoetryVenv)
}

func writesPipenv(e *effects, c *Command) {
	for _, a := range c.Args {
		if a.Text == "--system" {
			e.site(c)
			return
		}
	}
	if e.or(c, "PIPENV_VENV_IN_PROJECT", "") != "" {
		e.here(c)
		return
	}
	e.unknown("where pipenv makes the virtual environment is not known")
}

// writesPython: modules that are known; any other program can do anything.
func writesPython(e *effects, c *Command) {
	args := c.Args
options:
	for len(args) > 0 {
		switch args[0].Text {
		case "-W", "-X":
			args = args[min(2, len(args)):]
		case "-u", "-B", "-O", "-I", "-E", "-s":
			args = args[1:]
		default:
			break options
		}
	}
	if len(args) == 0 {
		e.unknown("what the python program writes is not known")
		return
	}
	sub := *c
	if args[0].Text == "-m" && len(args) > 1 {
		sub.Args = args[2:]
		switch module := args[1].Text; module {
		case "venv", "virtualenv":
			writesVenv(e, &sub)
		case "pip", "ensurepip":
			if module == "ensurepip" {
				sub.Args = []Arg{{Text: "install", Literal: true}}
			}
			writesPip(e, &sub)
		case "uv":
			writesUV(e, &sub)
		case "poetry":
			writesPoetry(e, &sub)
		case "pipenv":
			writesPipenv(e, &sub)
		case "pdm":
			e.here(c)
		case "compileall", "build", "mypy", "pytest", "unittest", "babel", "pybabel":
			e.here(c)
		case "spacy":
			e.site(c)
		case "nltk.downloader":
			if a, ok := valueOf(c, "-d"); ok {
				e.write(c, a)
			} else {
				e.underHome(c, "", "nltk_data")
			}
		default:
			e.unknown("what python -m %s writes is not known", short(module))
		}
		return
	}
	if path.Base(args[0].Text) == "manage.py" && args[0].Literal {
		e.assume(c)
		return
	}
	if path.Base(args[0].Text) == "setup.py" && len(args) > 1 {
		switch args[1].Text {
		case "build", "build_ext", "sdist", "bdist_wheel":
			e.here(c)
		default:
			e.site(&Command{Path: c.Path, Env: c.Env})
			e.here(c)
		}
		return
	}
	e.unknown("what python %s writes is not known", short(args[0].Text))
}

func writesVenv(e *effects, c *Command) {
	for _, a := range operandsOf(c, "p") {
		e.write(c, a)
	}
}

// writesSource: only the activation of a virtual environment is known.
func writesSource(e *effects, c *Command) {
	if len(c.Args) == 1 && strings.HasSuffix(c.Args[0].Text, "/bin/activate") {
		if p, ok := e.resolve(c, c.Args[0]); ok {
			e.venv = path.Dir(path.Dir(p))
			return
		}
		return
	}
	if len(c.Args) > 0 && slices.Contains([]string{"/etc/os-release", "/usr/lib/os-release", "/etc/lsb-release", "/etc/profile", "/etc/environment"}, c.Args[0].Text) {
		return
	}
	e.unknown("what the sourced file writes is not known")
}
