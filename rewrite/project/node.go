package project

import (
	"encoding/json"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Node is a Node.js package of the build context.
type Node struct {
	p   *Project
	dir string // below the context
	// File is the path of package.json from the root of the repository.
	File string
	Name string
	Main string
	// Module says that .js files are ES modules ("type": "module").
	Module bool
	// Engines is engines.node, PackageManager the field of that name.
	Engines, PackageManager string
	Scripts                 map[string]string
	Dependencies            map[string]string // for production
	DevDependencies         map[string]string
	lines                   map[string]int
}

// Node reads the package.json of a directory below the context; nil when there
// is none that can be read.
func (p *Project) Node(dir string) *Node {
	dir = path.Clean("/" + dir)[1:]
	file := path.Join(p.at(dir), "package.json")
	content, ok := p.repo.text(file)
	if !ok {
		return nil
	}
	var raw struct {
		Name                 any
		Main                 any
		Type                 any
		PackageManager       any
		Engines              any
		Scripts              map[string]any
		Dependencies         map[string]any
		DevDependencies      map[string]any
		OptionalDependencies map[string]any
	}
	if json.Unmarshal([]byte(content), &raw) != nil {
		return nil
	}
	n := &Node{p: p, dir: dir, File: file, lines: jsonLines(content)}
	n.Name, _ = raw.Name.(string)
	n.Main, _ = raw.Main.(string)
	n.PackageManager, _ = raw.PackageManager.(string)
	t, _ := raw.Type.(string)
	n.Module = t == "module"
	if e, ok := raw.Engines.(map[string]any); ok {
		n.Engines, _ = e["node"].(string)
	}
	n.Scripts = stringsOf(raw.Scripts)
	n.Dependencies = stringsOf(raw.Dependencies)
	for k, v := range stringsOf(raw.OptionalDependencies) {
		n.Dependencies[k] = v
	}
	n.DevDependencies = stringsOf(raw.DevDependencies)
	return n
}

func stringsOf(m map[string]any) map[string]string {
	out := map[string]string{}
	for k, v := range m {
		if s, ok := v.(string); ok {
			out[k] = s
		}
	}
	return out
}

// Line is where a key of package.json stands, for example Line("scripts",
// "start").
func (n *Node) Line(keys ...string) Evidence {
	return Evidence{n.File, n.lines[jsonKey(keys...)]}
}

// Lock is the lock file of the package or of a directory above it within the
// context: its kind (npm, yarn, pnpm, bun, "" for none) and path from the
// root.
func (n *Node) Lock() (kind, file string) {
	kinds := []struct{ name, kind string }{
		{"package-lock.json", "npm"}, {"npm-shrinkwrap.json", "npm"}, {"yarn.lock", "yarn"},
		{"pnpm-lock.yaml", "pnpm"}, {"bun.lock", "bun"}, {"bun.lockb", "bun"},
	}
	for dir := n.dir; ; dir = path.Dir(dir) {
		for _, k := range kinds {
			f := path.Join(n.p.at(dir), k.name)
			if n.p.repo.exists(f) {
				return k.kind, f
			}
		}
		if dir == "" || dir == "." {
			return "", ""
		}
	}
}

// Version is the Node.js version that the project asks for, with where it says
// so: .nvmrc, .node-version, .tool-versions, engines.node. The text is as
// written, for example "22", "v20.11.1", ">=18" or "lts/*".
func (n *Node) Version() (version string, at Evidence, ok bool) {
	for dir := n.dir; ; dir = path.Dir(dir) {
		for _, name := range []string{".nvmrc", ".node-version"} {
			f := path.Join(n.p.at(dir), name)
			if !n.p.repo.exists(f) {
				continue
			}
			if c, ok := n.p.repo.text(f); ok {
				if v := firstLine(c); v != "" && len(v) < 40 {
					return v, Evidence{f, lineOf(c, v)}, true
				}
			}
		}
		if v, at, ok := n.p.toolVersion(dir, "nodejs", "node"); ok {
			return v, at, ok
		}
		if dir == "" || dir == "." {
			break
		}
	}
	if n.Engines != "" && len(n.Engines) < 60 {
		return n.Engines, n.Line("engines", "node"), true
	}
	return "", Evidence{}, false
}

// toolVersion reads .tool-versions of asdf and mise.
func (p *Project) toolVersion(dir string, names ...string) (string, Evidence, bool) {
	f := path.Join(p.at(dir), ".tool-versions")
	if !p.repo.exists(f) {
		return "", Evidence{}, false
	}
	c, ok := p.repo.text(f)
	if !ok {
		return "", Evidence{}, false
	}
	for i, l := range strings.Split(c, "\n") {
		if w := strings.Fields(l); len(w) > 1 && slices.Contains(names, w[0]) {
			return w[1], Evidence{f, i + 1}, true
		}
	}
	return "", Evidence{}, false
}

func firstLine(c string) string {
	for l := range strings.SplitSeq(c, "\n") {
		l = strings.TrimSpace(l)
		if l != "" && !strings.HasPrefix(l, "#") {
			return l
		}
	}
	return ""
}

// NativeModule is a package that compiles code when it is installed, or loads
// a shared library of the system when it runs.
type NativeModule struct {
	Name string
	At   Evidence
	// Compiles says that it is built with node-gyp on every installation;
	// otherwise prebuilt binaries exist for glibc and musl and a compiler is
	// only the fallback.
	Compiles bool
	// Libraries are Debian packages that it needs to run.
	Libraries []string
}

// Native finds native modules among the dependencies, the indirect ones of the
// lock file included, sorted by name.
func (n *Node) Native() []NativeModule {
	found := map[string]NativeModule{}
	for name := range n.Dependencies {
		if m, ok := nativeModules[name]; ok && !n.scripts(name) {
			m.Name, m.At = name, n.Line("dependencies", name)
			found[name] = m
		}
	}
	if _, lock := n.Lock(); lock != "" && !strings.HasSuffix(lock, ".lockb") {
		if c, ok := n.p.repo.text(lock); ok {
			n.nativeOfLock(c, lock, found)
		}
	}
	var out []NativeModule
	for _, m := range found {
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b NativeModule) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// scripts tells whether every version of a dependency that package.json allows
// has no native code any more.
func (n *Node) scripts(name string) bool {
	since, ok := scriptsSince[name]
	if !ok {
		return false
	}
	for alt := range strings.SplitSeq(n.Dependencies[name], "||") {
		m := plainRange.FindStringSubmatch(strings.TrimSpace(alt))
		if m == nil {
			return false
		}
		if major, err := strconv.Atoi(m[1]); err != nil || major < since {
			return false
		}
	}
	return true
}

// plainRange is a range of versions that begins with the version it names.
var plainRange = regexp.MustCompile(`^(?:[\^~=v]|>=)?\s*(\d{1,6})(?:\.(?:\d{1,9}|[xX*])){0,2}$`)

// nativeOfLock adds what a lock file installs. Packages that are only known by
// their use of node-gyp or nan come in when nothing else was found.
func (n *Node) nativeOfLock(content, file string, found map[string]NativeModule) {
	gyp := NativeModule{}
	for name, e := range lockPackages(content) {
		if _, dev := n.DevDependencies[name]; dev || e.dev || n.scripts(name) {
			continue
		}
		m, ok := nativeModules[name]
		if _, have := found[name]; ok && !have {
			m.Name, m.At = name, Evidence{file, e.line}
			if !e.sure {
				m.Libraries = nil // perhaps only for tests, or never loaded
			}
			found[name] = m
		}
		// node-gyp is preferred, for the same answer every time.
		if name == "node-gyp" || name == "nan" && gyp.Name == "" {
			gyp = NativeModule{Name: name, At: Evidence{file, e.line}, Compiles: true}
		}
	}
	if len(found) == 0 && gyp.Name != "" {
		found[gyp.Name] = gyp
	}
}

// lockEntry is a package of a lock file.
type lockEntry struct {
	line int
	dev  bool // only for development, or a peer that nobody has to install
	sure bool // known to be for production, and not optional
}

// lockPackages finds the packages of interest in package-lock.json, yarn.lock,
// pnpm-lock.yaml or bun.lock, with the first line of each. Only
// package-lock.json tells what is for development.
func lockPackages(content string) map[string]lockEntry {
	out := map[string]lockEntry{}
	name, cur := "", lockEntry{} // the entry of package-lock.json that is being read
	keep := func() {
		if old, have := out[name]; name != "" && (!have || old.dev && !cur.dev) {
			out[name] = cur
		}
		name = ""
	}
	number := 0
	for l := range strings.SplitSeq(content, "\n") {
		number++
		t := strings.TrimSpace(l)
		switch {
		case strings.HasSuffix(t, "{") && strings.Contains(t, "node_modules/"):
			keep()
			n := t[strings.LastIndex(t, "node_modules/")+len("node_modules/"):]
			n, _, _ = strings.Cut(n, `"`)
			if ofInterest(n) {
				name, cur = n, lockEntry{line: number, sure: true}
			}
		case name != "" && (t == "}," || t == "}"):
			if indent(l) <= 4 {
				keep()
			}
		case name != "" && strings.HasSuffix(strings.TrimSuffix(t, ","), ": true"):
			switch key, _, _ := strings.Cut(t, ":"); key {
			case `"dev"`, `"peer"`:
				cur.dev = true
			case `"optional"`, `"devOptional"`:
				cur.sure = false
			}
		case name == "" && indent(l) <= 4 && strings.Contains(t, "@"):
			if n := lockName(t); ofInterest(n) && out[n].line == 0 {
				out[n] = lockEntry{line: number}
			}
		}
	}
	keep()
	return out
}

func ofInterest(name string) bool {
	_, ok := nativeModules[name]
	return ok || name == "node-gyp" || name == "nan"
}

func indent(l string) int { return len(l) - len(strings.TrimLeft(l, " ")) }

// lockName is the package of the first line of an entry of yarn.lock
// (`"@x/y@^1", "@x/y@^2":`), pnpm-lock.yaml (`/a@1.0.0:`, `'@x/y@1':`)
// or bun.lock (`"a": ["a@1.0.0", …`).
func lockName(t string) string {
	t = strings.TrimLeft(t, `"'/`)
	i := strings.IndexByte(t[min(1, len(t)):], '@') + 1
	if i <= 0 {
		return ""
	}
	return strings.TrimSuffix(strings.SplitN(t[:i], `":`, 2)[0], "/")
}
