package shell

import (
	"path"
	"slices"
	"strings"
)

// buildTools are package managers of languages and build tools. Where they
// write is from their documentation; caches are left out (see Effects).
var buildTools = map[string]handler{
	"npm": writesNode, "yarn": writesNode, "pnpm": writesNode, "bun": writesNode,
	"npx": assumes, "bunx": assumes, "pnpx": assumes, "tsc": assumes, "vite": assumes, "webpack": assumes, "next": assumes, "nuxt": assumes,
	"ng": assumes, "nest": assumes, "turbo": assumes, "nx": assumes, "lerna": assumes, "gulp": assumes, "grunt": assumes, "rollup": assumes,
	"esbuild": assumes, "prisma": assumes, "react-scripts": assumes, "vue-cli-service": assumes, "astro": assumes, "gatsby": assumes, "remix": assumes,
	"node-gyp": assumes, "node-prune": assumes, "tailwindcss": assumes, "hugo": assumes, "jekyll": assumes, "mkdocs": assumes, "sphinx-build": assumes,
	"mvn": writesMaven, "mvnw": writesMaven, "gradle": assumesDir("-p --project-dir"), "gradlew": assumesDir("-p --project-dir"),
	"sbt": assumes, "lein": assumes, "ant": assumes, "bazel": assumes, "mix": assumes, "rebar3": assumes, "swift": assumes, "stack": assumes,
	"rake": assumes, "rails": assumes, "bootsnap": assumes, "artisan": assumes, "buf": assumes, "templ": assumes, "sqlc": assumes, "wire": assumes, "swag": assumes,
	"meson": assumes, "ninja": assumes, "configure": writesHere, "Configure": writesHere, "autoconf": writesHere, "autoreconf": writesHere, "automake": writesHere, "aclocal": writesHere, "libtoolize": writesHere,
	"cpanm": writes("/usr/local"), "php": writesPHPProgram, "phpize": writesHere,
	"cmake": writesCMake, "make": writesMake, "gmake": writesMake,
	"go": writesGo, "xcaddy": writesOption("--output"),
	"cargo": writesCargo, "rustup": writes("/usr/local/rustup"), "trunk": assumes, "wasm-pack": assumes,
	"dotnet": writesDotnet,
	"pip":    writesPip, "uv": writesUV, "poetry": writesPoetry, "pipenv": writesPipenv, "pdm": writesHere,
	"python": writesPython, "virtualenv": writesVenv, "django-admin": assumes, "manage.py": assumes, "pybabel": assumes, "cython": assumes,
	"conda": writes("/opt/conda"), "mamba": writes("/opt/conda"),
	"source": writesSource, ".": writesSource,
	"gem": writesGem, "bundle": writesBundle, "bundler": writesBundle,
	"composer":               writesComposer,
	"docker-php-ext-install": writesPHP, "docker-php-ext-enable": writesPHP, "docker-php-ext-configure": nothing, "docker-php-source": nothing,
	"install-php-extensions": writesPHP, "pecl": writesPHP, "phpenmod": writesPHP,
	"a2enmod": writes("/etc/apache2"), "a2dismod": writes("/etc/apache2"), "a2ensite": writes("/etc/apache2"), "a2dissite": writes("/etc/apache2"), "a2enconf": writes("/etc/apache2"),
	"corepack": func(e *effects, c *Command) { e.abs(c, "/usr/local/bin"); e.abs(c, "/usr/local/lib/node_modules") },
	"gcc":      writesCompiler, "g++": writesCompiler, "cc": writesCompiler, "c++": writesCompiler, "clang": writesCompiler, "clang++": writesCompiler, "ld": writesCompiler, "rustc": writesCompiler,
	"javac": writesOutput("-d"), "protoc": writesHere, "jlink": writesOutput("--output"), "jdeps": nothing,
	"jar": writesHere, "java": writesJava,
	"node": writesNodeProgram, "deno": writesDeno, "jest": nothing, "vitest": nothing, "nginx": nothing, "apachectl": nothing,
}

func writesHere(e *effects, c *Command) { e.here(c) }

// assumes: the project says what is done, by convention below the directory.
func assumes(e *effects, c *Command) { e.assume(c) }

func assumesDir(names string) handler {
	return func(e *effects, c *Command) {
		if a, ok := valueOf(c, strings.Fields(names)...); ok {
			e.write(c, a)
		}
		e.assume(c)
	}
}

// writesOutput: the named option says where, otherwise the current directory.
func writesOutput(names string) handler {
	return func(e *effects, c *Command) { e.hereOr(c, strings.Fields(names)...) }
}

func writesCompiler(e *effects, c *Command) { e.hereOr(c, "-o") }

// verbOf is the first operand.
func verbOf(c *Command) string {
	for _, a := range c.Args {
		if !strings.HasPrefix(a.Text, "-") {
			return a.Text
		}
	}
	return ""
}

func (e *effects) below(c *Command, names ...string) {
	if a, ok := valueOf(c, names...); ok {
		e.write(c, a)
		return
	}
	e.here(c)
}

// writesNode: in the directory, or with -g below the prefix of npm, which is
// /usr/local in the official images.
func writesNode(e *effects, c *Command) {
	p, _ := packageCall(c)
	verb := verbOf(c)
	switch {
	case p.Global:
		prefix := e.or(c, "NPM_CONFIG_PREFIX", e.or(c, "npm_config_prefix", "/usr/local"))
		if c.Name == "yarn" {
			prefix = "/usr/local"
			e.abs(c, "/usr/local/share/.config/yarn")
		}
		if c.Name == "pnpm" {
			home, ok := e.lookup(c, "PNPM_HOME")
			if !ok {
				e.unknown("where pnpm installs globally is not known without PNPM_HOME")
				return
			}
			e.abs(c, home)
			return
		}
		e.abs(c, path.Join(prefix, "lib/node_modules"))
		e.abs(c, path.Join(prefix, "bin"))
	case verb == "config" || verb == "cache" || verb == "store" || verb == "set" || verb == "audit" || verb == "version" || verb == "-v" || verb == "view" || verb == "test":
	case verb == "link":
		e.unknown("what %s link writes is not known", c.Name)
	case verb == "deploy" && c.Name == "pnpm":
		ops := operandsOf(c, "FC")
		if len(ops) > 1 {
			e.write(c, ops[len(ops)-1])
		}
		e.here(c)
	case p.Verb == Run:
		e.below(c, "--prefix", "-C", "--cwd", "--dir")
		e.assume(c)
	default:
		e.below(c, "--prefix", "-C", "--cwd", "--dir")
	}
}

func writesMaven(e *effects, c *Command) {
	if a, ok := valueOf(c, "-f", "--file"); ok && strings.HasSuffix(a.Text, ".xml") {
		a.Text = path.Dir(a.Text)
		e.write(c, a)
	} else if ok {
		e.write(c, a)
	}
	e.assume(c)
}

func writesCMake(e *effects, c *Command) {
	for _, a := range c.Args {
		if a.Text == "--install" || a.Text == "install" || a.Text == "-P" {
			if p, ok := valueOf(c, "--prefix"); ok {
				e.write(c, p)
				return
			}
			e.unknown("what cmake installs is not known")
			return
		}
	}
	if a, ok := valueOf(c, "-B", "--build"); ok {
		e.write(c, a)
		return
	}
	e.here(c)
}

// writesMake: a Makefile can do anything; only DESTDIR bounds it.
func writesMake(e *effects, c *Command) {
	for _, a := range c.Args {
		if d, ok := strings.CutPrefix(a.Text, "DESTDIR="); ok && d != "" {
			a.Text = d
			e.write(c, a)
			e.here(c)
			return
		}
	}
	what := "make"
	for _, a := range c.Args {
		if a.Literal && !strings.HasPrefix(a.Text, "-") && !strings.Contains(a.Text, "=") && !path.IsAbs(a.Text) {
			what += " " + short(a.Text)
			break
		}
	}
	e.unknown("what %s writes is not known", what)
}

func writesGo(e *effects, c *Command) {
	switch verbOf(c) {
	case "build", "test":
		if a, ok := valueOf(c, "-o", "--o"); ok {
			e.write(c, a)
			return
		}
		e.here(c)
	case "install":
		gopath := e.or(c, "GOPATH", "/go")
		e.abs(c, e.or(c, "GOBIN", path.Join(gopath, "bin")))
	case "get", "generate", "tool":
		e.here(c)
	case "run":
		e.unknown("what the program of go run writes is not known")
	}
	// mod, clean, env, vet, fmt, list, version: caches or the directory itself.
}

func writesCargo(e *effects, c *Command) {
	switch verbOf(c) {
	case "install", "binstall":
		if a, ok := valueOf(c, "--root"); ok {
			a.Text = path.Join(a.Text, "bin")
			e.write(c, a)
			return
		}
		e.abs(c, path.Join(e.or(c, "CARGO_INSTALL_ROOT", e.or(c, "CARGO_HOME", "/usr/local/cargo")), "bin"))
	case "run":
		e.unknown("what the program of cargo run writes is not known")
	default:
		if a, ok := valueOf(c, "--target-dir", "--out-dir", "--artifact-dir"); ok {
			e.write(c, a)
		}
		if dir, ok := e.lookup(c, "CARGO_TARGET_DIR"); ok {
			e.abs(c, dir)
		}
		if a, ok := valueOf(c, "--manifest-path"); ok {
			a.Text = path.Dir(a.Text)
			e.write(c, a)
		}
		e.here(c)
	}
}

func writesDotnet(e *effects, c *Command) {
	ops := operandsOf(c, "ocrfvpa")
	verb := verbOf(c)
	switch verb {
	case "restore", "build", "publish", "pack", "test", "clean", "msbuild":
		if a, ok := valueOf(c, "-o", "--output"); ok {
			e.write(c, a)
		}
		if len(ops) > 1 && strings.Contains(ops[1].Text, "/") {
			a := ops[1]
			a.Text = path.Dir(a.Text)
			e.write(c, a)
		}
		e.here(c)
	case "tool":
		if a, ok := valueOf(c, "--tool-path"); ok {
			e.write(c, a)
		} else {
			e.underHome(c, "", ".dotnet/tools")
		}
	case "new", "add", "sln", "ef":
		e.here(c)
	case "nuget", "dev-certs", "workload":
		e.unknown("what dotnet %s writes is not known", verb)
	default:
		e.unknown("what the program of dotnet writes is not known")
	}
}

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
	e.unknown("where poetry makes the virtual environment is not known")
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

func writesGem(e *effects, c *Command) {
	switch verbOf(c) {
	case "install", "update", "uninstall":
	default:
		return
	}
	if a, ok := valueOf(c, "-i", "--install-dir"); ok {
		e.write(c, a)
		return
	}
	// The official images set GEM_HOME to /usr/local/bundle.
	e.abs(c, e.or(c, "GEM_HOME", "/usr/local/bundle"))
	if verbOf(c) == "update" {
		e.abs(c, "/usr/local/lib/ruby")
	}
}

func writesBundle(e *effects, c *Command) {
	verb := verbOf(c)
	switch verb {
	case "config":
		for i, a := range c.Args {
			if a.Text == "path" && i+1 < len(c.Args) {
				e.set("BUNDLE_PATH", c.Args[i+1], c.Conditional)
			}
			if a.Text == "deployment" && i+1 < len(c.Args) && c.Args[i+1].Text != "false" {
				e.set("BUNDLE_DEPLOYMENT", Arg{Text: "1", Literal: true}, c.Conditional)
			}
		}
		return
	case "exec":
		e.assume(c)
		return
	case "binstubs", "package", "cache", "lock", "clean":
		e.here(c)
	}
	if a, ok := valueOf(c, "--path"); ok {
		e.write(c, a)
		return
	}
	if v, ok := e.lookup(c, "BUNDLE_PATH"); ok && v != "" {
		e.abs(c, v)
		return
	}
	if _, ok := e.lookup(c, "BUNDLE_DEPLOYMENT"); ok {
		e.here(c) // vendor/bundle
	}
	for _, a := range c.Args {
		if a.Text == "--deployment" {
			e.here(c)
			return
		}
	}
	e.abs(c, e.or(c, "GEM_HOME", "/usr/local/bundle"))
}

func writesComposer(e *effects, c *Command) {
	if verbOf(c) == "global" {
		e.underHome(c, "COMPOSER_HOME", ".composer")
		return
	}
	e.below(c, "-d", "--working-dir")
}

// writesPHP: the extension directory and configuration of the official images.
func writesPHP(e *effects, c *Command) {
	e.abs(c, "/usr/local/lib/php")
	e.abs(c, e.or(c, "PHP_INI_DIR", "/usr/local/etc/php"))
}

// writesPHPProgram: composer and the console of a framework are known.
func writesPHPProgram(e *effects, c *Command) {
	for i, a := range c.Args {
		if strings.HasPrefix(a.Text, "-d") {
			continue
		}
		switch base(a.Text) {
		case "composer", "composer.phar":
			sub := *c
			sub.Args = c.Args[i+1:]
			writesComposer(e, &sub)
			return
		case "artisan", "console":
			e.assume(c)
			return
		case "-m", "-i", "-l", "-v":
			return
		}
		break
	}
	e.unknown("what the program of php writes is not known")
}

func writesJava(e *effects, c *Command) {
	for _, a := range c.Args {
		if strings.HasPrefix(a.Text, "-Djarmode=") {
			e.hereOr(c, "--destination")
			return
		}
	}
	e.unknown("what the program of java writes is not known")
}

// writesNodeProgram: a tool of node_modules, or a script of package.json.
func writesNodeProgram(e *effects, c *Command) {
	for _, a := range c.Args {
		if a.Text == "--run" || strings.HasPrefix(a.Text, "node_modules/") || strings.HasPrefix(a.Text, "./node_modules/") {
			e.assume(c)
			return
		}
		if !strings.HasPrefix(a.Text, "-") {
			break
		}
	}
	e.unknown("what the program of node writes is not known")
}

func writesDeno(e *effects, c *Command) {
	switch verb := verbOf(c); verb {
	case "cache", "install":
		e.abs(c, e.or(c, "DENO_DIR", "/deno-dir"))
		e.here(c)
	case "compile", "bundle":
		e.hereOr(c, "-o", "--output")
	case "task":
		e.assume(c)
	case "check", "lint", "fmt", "test":
	default:
		e.unknown("what deno %s writes is not known", short(verb))
	}
}
