package project

import (
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// Python is a Python project of the build context.
type Python struct {
	p   *Project
	dir string
	// Tool is how dependencies are managed: pip, poetry, uv, pdm, hatch,
	// pipenv, setuptools; "" when it cannot be told.
	Tool string
	// Files are the files that name dependencies, from the root.
	Files []string
	// Requires is requires-python as written.
	Requires   string
	requiresAt Evidence
	// Deps maps normalised names (PEP 503) to where they are required.
	Deps map[string]Evidence
	// Extras are the extras that are asked for, by package.
	Extras map[string][]string
	// Scripts are console scripts that the project itself defines.
	Scripts map[string]Evidence
	// Incomplete says that a file was not readable, so Deps may lack some.
	Incomplete bool
}

var notName = regexp.MustCompile(`[-_.]+`)

// PackageName is the normal form of a Python package name (PEP 503).
func PackageName(n string) string { return strings.ToLower(notName.ReplaceAllString(n, "-")) }

// Python reads the Python project of a directory below the context; nil when
// there is none. files are requirement files that the Dockerfile names,
// relative to dir; they are read besides the usual ones.
func (p *Project) Python(dir string, files ...string) *Python {
	dir = path.Clean("/" + dir)[1:]
	y := &Python{p: p, dir: dir, Deps: map[string]Evidence{}, Extras: map[string][]string{}, Scripts: map[string]Evidence{}}
	named := map[string]bool{}
	for _, f := range files {
		if f = path.Clean("/" + f)[1:]; f != "" {
			named[f] = true
			y.requirements(f, 0)
		}
	}
	for _, f := range p.repo.names(p.at(dir), func(n string) bool {
		// Files that are named are those that are installed, and no other.
		return len(named) == 0 && strings.HasPrefix(n, "requirements") && (strings.HasSuffix(n, ".txt") || strings.HasSuffix(n, ".in"))
	}) {
		if !named[f] && !developmentFile(f) {
			y.requirements(f, 0)
		}
	}
	if len(y.Files) > 0 {
		y.Tool = "pip"
	}
	y.pyproject()
	y.pipfile()
	y.setup()
	if len(y.Files) == 0 {
		return nil
	}
	return y
}

func developmentFile(name string) bool {
	for _, w := range []string{"dev", "test", "doc", "lint", "ci"} {
		if strings.Contains(name, w) {
			return true
		}
	}
	return false
}

func (y *Python) open(name string) (content, file string, ok bool) {
	file = path.Join(y.p.at(y.dir), name)
	if !y.p.repo.exists(file) {
		return "", file, false
	}
	content, ok = y.p.repo.text(file)
	if !ok {
		y.Incomplete = true
	}
	return content, file, ok
}

// toml reads a TOML file and counts it among the files; doc is nil when there is
// none that can be read.
func (y *Python) toml(name string) (doc map[string]any, content, file string) {
	content, file, ok := y.open(name)
	if !ok {
		return nil, "", file
	}
	doc = map[string]any{}
	if _, err := toml.Decode(content, &doc); err != nil {
		y.Incomplete = true
		return nil, "", file
	}
	y.Files = append(y.Files, file)
	return doc, content, file
}

func (y *Python) add(spec string, at Evidence) {
	if name := requirementName(spec); name != "" {
		if _, ok := y.Deps[name]; !ok && len(y.Deps) < 5000 {
			y.Deps[name] = at
		}
		if _, rest, ok := strings.Cut(spec, "["); ok {
			list, _, _ := strings.Cut(rest, "]")
			y.addExtras(name, strings.Split(list, ","))
		}
	}
}

func (y *Python) addExtras(name string, extras []string) {
	for _, e := range extras {
		if e = strings.ToLower(strings.TrimSpace(e)); e != "" && len(y.Extras[name]) < 50 {
			y.Extras[name] = append(y.Extras[name], e)
		}
	}
}

// requirementName is the package of a PEP 508 requirement, "" for anything
// else.
func requirementName(spec string) string {
	spec = strings.TrimSpace(spec)
	if i := strings.IndexAny(spec, " \t<>=!~;[@("); i >= 0 {
		spec = spec[:i]
	}
	if spec == "" || strings.ContainsAny(spec, "/:$\\{}") || strings.HasPrefix(spec, "-") || strings.HasPrefix(spec, ".") {
		return ""
	}
	return PackageName(spec)
}

// requirements reads a requirements file and those it includes.
func (y *Python) requirements(name string, depth int) {
	c, file, ok := y.open(name)
	if !ok || depth > 5 || slices.Contains(y.Files, file) {
		return
	}
	y.Files = append(y.Files, file)
	for i, l := range strings.Split(c, "\n") {
		l = strings.TrimSpace(l)
		if j := strings.Index(l, " #"); j >= 0 {
			l = l[:j]
		}
		switch {
		case l == "" || l[0] == '#':
		case strings.HasPrefix(l, "-r") || strings.HasPrefix(l, "--requirement"):
			f := strings.TrimLeft(strings.TrimPrefix(strings.TrimPrefix(l, "--requirement"), "-r"), " =\t")
			y.requirements(path.Join(path.Dir(name), f), depth+1)
		case strings.HasPrefix(l, "-e") || strings.HasPrefix(l, "--editable") || strings.HasPrefix(l, "git+") || strings.Contains(l, "#egg="):
			if _, egg, ok := strings.Cut(l, "#egg="); ok {
				y.add(strings.SplitN(egg, "&", 2)[0], Evidence{file, i + 1})
			}
		case l[0] == '-':
		default:
			y.add(l, Evidence{file, i + 1})
		}
	}
}

func (y *Python) pyproject() {
	doc, c, file := y.toml("pyproject.toml")
	if doc == nil {
		return
	}
	at := func(text string) Evidence { return Evidence{file, lineOf(c, text)} }
	project := table(doc, "project")
	for _, d := range stringList(project["dependencies"]) {
		y.add(d, at(d))
	}
	for name := range table(project, "scripts") {
		y.Scripts[name] = at(name)
	}
	if v, ok := project["requires-python"].(string); ok {
		y.Requires, y.requiresAt = v, at("requires-python")
	}
	poetry := table(doc, "tool", "poetry")
	for name, v := range table(poetry, "dependencies") {
		if name == "python" {
			if s, ok := v.(string); ok && y.Requires == "" {
				y.Requires, y.requiresAt = s, at("\npython")
				y.requiresAt.Line++
			}
			continue
		}
		if m, ok := v.(map[string]any); ok {
			if m["optional"] == true {
				continue
			}
			y.addExtras(PackageName(name), stringList(m["extras"]))
		}
		y.add(name, at("\n"+name))
		if e, ok := y.Deps[PackageName(name)]; ok && e.Path == file && e.Line > 0 {
			e.Line++
			y.Deps[PackageName(name)] = e
		}
	}
	for name := range table(poetry, "scripts") {
		y.Scripts[name] = at(name)
	}
	tool := table(doc, "tool")
	system := table(doc, "build-system")
	backend, _ := system["build-backend"].(string)
	switch {
	case y.p.repo.exists(path.Join(y.p.at(y.dir), "uv.lock")) || tool["uv"] != nil:
		y.Tool = "uv"
	case len(poetry) > 0 || y.p.repo.exists(path.Join(y.p.at(y.dir), "poetry.lock")):
		y.Tool = "poetry"
	case tool["pdm"] != nil || strings.HasPrefix(backend, "pdm"):
		y.Tool = "pdm"
	case tool["hatch"] != nil || strings.HasPrefix(backend, "hatchling"):
		y.Tool = "hatch"
	case y.Tool == "":
		y.Tool = "setuptools"
	}
}

func (y *Python) pipfile() {
	doc, c, file := y.toml("Pipfile")
	if doc == nil {
		return
	}
	y.Tool = "pipenv"
	for name, v := range table(doc, "packages") {
		if m, ok := v.(map[string]any); ok {
			y.addExtras(PackageName(name), stringList(m["extras"]))
		}
		e := Evidence{file, lineOf(c, "\n"+name)}
		if e.Line > 0 {
			e.Line++
		}
		y.add(name, e)
	}
	if v, ok := table(doc, "requires")["python_version"].(string); ok && y.Requires == "" {
		y.Requires, y.requiresAt = v, Evidence{file, lineOf(c, "python_version")}
	}
}

var (
	setupCfgRequires = regexp.MustCompile(`(?m)^install_requires\s*=\s*((?:\n[ \t]+.*|.*)*)`)
	quoted           = regexp.MustCompile(`["']([A-Za-z0-9][^"'\n]*)["']`)
)

// setup reads setup.cfg and the literal install_requires of setup.py.
func (y *Python) setup() {
	if c, file, ok := y.open("setup.cfg"); ok {
		if m := setupCfgRequires.FindStringSubmatchIndex(c); m != nil {
			y.Files = append(y.Files, file)
			line := lineAt(c, m[2])
			for i, l := range strings.Split(c[m[2]:m[3]], "\n") {
				if t := strings.TrimSpace(l); t != "" && !strings.HasPrefix(t, "#") && (i == 0 || l != strings.TrimLeft(l, " \t")) {
					y.add(t, Evidence{file, line + i})
				}
			}
		}
	}
	if c, file, ok := y.open("setup.py"); ok {
		i := strings.Index(c, "install_requires")
		if i < 0 {
			return
		}
		open := strings.IndexByte(c[i:], '[')
		if open < 0 || open > 40 {
			y.Incomplete = true // computed
			y.Files = append(y.Files, file)
			return
		}
		end := strings.IndexByte(c[i+open:], ']')
		if end < 0 {
			return
		}
		y.Files = append(y.Files, file)
		body := c[i+open : i+open+end]
		for _, m := range quoted.FindAllStringSubmatchIndex(body, 500) {
			y.add(body[m[2]:m[3]], Evidence{file, lineAt(c, i+open+m[0])})
		}
	}
}

// table walks down tables of a TOML document; missing ones are empty.
func table(doc map[string]any, names ...string) map[string]any {
	for _, n := range names {
		doc, _ = doc[n].(map[string]any)
	}
	return doc
}

func stringList(v any) []string {
	l, _ := v.([]any)
	var out []string
	for _, x := range l {
		if s, ok := x.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// Version is the Python version that the project asks for: .python-version,
// runtime.txt, .tool-versions, then requires-python, as written.
func (y *Python) Version() (version string, at Evidence, ok bool) {
	return y.p.pythonVersion(y.dir, y)
}

// PythonVersion is Python.Version for a directory that names no dependencies.
func (p *Project) PythonVersion(dir string) (version string, at Evidence, ok bool) {
	dir = path.Clean("/" + dir)[1:]
	return p.pythonVersion(dir, p.Python(dir))
}

func (p *Project) pythonVersion(dir string, y *Python) (string, Evidence, bool) {
	for _, name := range []string{".python-version", "runtime.txt"} {
		f := path.Join(p.at(dir), name)
		if !p.repo.exists(f) {
			continue
		}
		if c, ok := p.repo.text(f); ok {
			if v := strings.TrimPrefix(firstLine(c), "python-"); v != "" && v[0] >= '0' && v[0] <= '9' && len(v) < 20 {
				return v, Evidence{f, lineOf(c, v)}, true
			}
		}
	}
	if v, at, ok := p.toolVersion(dir, "python"); ok {
		return v, at, ok
	}
	if y != nil && y.Requires != "" {
		return y.Requires, y.requiresAt, true
	}
	return "", Evidence{}, false
}

// RequiresAt is where Requires stands.
func (y *Python) RequiresAt() Evidence { return y.requiresAt }

// Need is a dependency that needs something of the operating system.
type Need struct {
	Package string
	At      Evidence
	// Build are Debian packages for compiling it, beyond build-essential.
	Build []string
	// Libraries are Debian packages that it loads when it runs.
	Libraries []string
	// Compiles says that no wheel exists for glibc on common platforms, so it
	// is always compiled.
	Compiles bool
}

// Needs are the dependencies with needs, sorted by name.
func (y *Python) Needs() []Need {
	var out []Need
	for _, name := range slices.Sorted(maps.Keys(y.Deps)) {
		if _, binary := y.Deps["psycopg-binary"]; name == "psycopg" && (binary || slices.Contains(y.Extras[name], "binary")) {
			continue // its wheel carries libpq
		}
		if n, ok := pythonNeeds[name]; ok {
			n.Package, n.At = name, y.Deps[name]
			out = append(out, n)
		}
	}
	return out
}

// Console tells where a console script comes from: at is where the package
// that has it is required, or where the project defines it. ok is false when
// no required package is known to have it; it may still come from one that is
// required indirectly.
func (y *Python) Console(name string) (pkg string, at Evidence, ok bool) {
	if at, ok := y.Scripts[name]; ok {
		return "", at, true
	}
	for _, pkg := range consoleScripts[name] {
		if at, ok := y.Deps[pkg]; ok {
			return pkg, at, true
		}
	}
	if at, ok := y.Deps[PackageName(name)]; ok && consoleScripts[name] == nil {
		// Many packages have a script of their own name, but not all: this is
		// no proof.
		return PackageName(name), at, false
	}
	return "", Evidence{}, false
}

// IsConsoleScript tells whether a program is known to be a console script of a
// Python package.
func IsConsoleScript(name string) bool { return consoleScripts[name] != nil }
