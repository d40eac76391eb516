package project

import (
	"encoding/json"
	"path"
	"slices"
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
		if m, ok := nativeModules[name]; ok {
			m.Name, m.At = name, n.Line("dependencies", name)
			found[name] = m
		}
	}
	if _, lock := n.Lock(); lock != "" && !strings.HasSuffix(lock, ".lockb") {
		if c, ok := n.p.repo.text(lock); ok {
			for name, m := range nativeModules {
				if _, have := found[name]; have {
					continue
				}
				if line := lockLine(c, name); line > 0 {
					m.Name, m.At = name, Evidence{lock, line}
					found[name] = m
				}
			}
			// npm marks packages with an install script of their own.
			if len(found) == 0 {
				if m, ok := gypFile(c, lock); ok {
					found[m.Name] = m
				}
			}
		}
	}
	var out []NativeModule
	for _, m := range found {
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b NativeModule) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// lockLine finds a package in package-lock.json, yarn.lock or pnpm-lock.yaml,
// development dependencies of package-lock.json left out.
func lockLine(lock, name string) int {
	for _, form := range []string{`"node_modules/` + name + `": {`, `/node_modules/` + name + `": {`} {
		if i := strings.Index(lock, form); i >= 0 {
			end := min(len(lock), i+1500)
			body := lock[i:end]
			if j := strings.Index(body, "\n    },"); j > 0 {
				body = body[:j]
			}
			if strings.Contains(body, `"dev": true`) {
				return 0
			}
			return lineAt(lock, i)
		}
	}
	for _, form := range []string{"\n" + name + "@", "\n\"" + name + "@", "\n  /" + name + "@", "\n  " + name + "@", "\n  '" + name + "@", "\n  /" + name + "/"} {
		if i := strings.Index(lock, form); i >= 0 {
			return lineAt(lock, i+1)
		}
	}
	return 0
}

// gypFile finds "gypfile": true or a dependency on node-gyp or nan.
func gypFile(lock, file string) (NativeModule, bool) {
	for _, dep := range []string{"node-gyp", "nan"} {
		if line := lockLine(lock, dep); line > 0 {
			return NativeModule{Name: dep, At: Evidence{file, line}, Compiles: true}, true
		}
	}
	return NativeModule{}, false
}
