package project

import (
	"path"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// Rust is a Cargo package or workspace of the build context.
type Rust struct {
	File    string
	Name    string
	Edition string
	// RustVersion is the minimum version (rust-version); Toolchain the channel
	// of rust-toolchain(.toml), for example "nightly" or "1.78".
	RustVersion, Toolchain     string
	RustVersionAt, ToolchainAt Evidence
	// Bins are the names of the programs, sorted; a workspace's members are
	// not entered.
	Bins    []string
	Members []string
	Deps    map[string]Evidence
}

// Rust reads Cargo.toml of a directory below the context; nil when there is
// none that can be read.
func (p *Project) Rust(dir string) *Rust {
	dir = path.Clean("/" + dir)[1:]
	file := path.Join(p.at(dir), "Cargo.toml")
	c, ok := p.repo.text(file)
	if !ok {
		return nil
	}
	var doc map[string]any
	if _, err := toml.Decode(c, &doc); err != nil {
		return nil
	}
	r := &Rust{File: file, Deps: map[string]Evidence{}}
	pkg := table(doc, "package")
	r.Name, _ = pkg["name"].(string)
	r.Edition, _ = pkg["edition"].(string)
	if v, ok := pkg["rust-version"].(string); ok {
		r.RustVersion, r.RustVersionAt = v, Evidence{file, lineOf(c, "rust-version")}
	} else if v, ok := table(doc, "workspace", "package")["rust-version"].(string); ok {
		r.RustVersion, r.RustVersionAt = v, Evidence{file, lineOf(c, "rust-version")}
	}
	r.Members = stringList(table(doc, "workspace")["members"])
	for name := range table(doc, "dependencies") {
		at := Evidence{file, lineOf(c, "\n"+name)}
		if at.Line > 0 {
			at.Line++
		}
		r.Deps[name] = at
	}
	bins, _ := doc["bin"].([]map[string]any)
	for _, b := range bins {
		if n, ok := b["name"].(string); ok {
			r.Bins = append(r.Bins, n)
		}
	}
	if r.Name != "" && p.repo.exists(path.Join(p.at(dir), "src/main.rs")) && !hasPath(bins, "src/main.rs") {
		r.Bins = append(r.Bins, r.Name)
	}
	for _, n := range p.repo.names(path.Join(p.at(dir), "src/bin"), func(string) bool { return true }) {
		if n, ok := strings.CutSuffix(strings.TrimSuffix(n, "/"), ".rs"); (ok || p.repo.exists(path.Join(p.at(dir), "src/bin", n, "main.rs"))) && !hasPath(bins, "src/bin/"+n+".rs") {
			r.Bins = append(r.Bins, n)
		}
	}
	slices.Sort(r.Bins)
	r.Bins = slices.Compact(r.Bins)
	r.toolchain(p, dir)
	return r
}

func hasPath(bins []map[string]any, file string) bool {
	for _, b := range bins {
		if b["path"] == file {
			return true
		}
	}
	return false
}

func (r *Rust) toolchain(p *Project, dir string) {
	for _, name := range []string{"rust-toolchain.toml", "rust-toolchain"} {
		f := path.Join(p.at(dir), name)
		if !p.repo.exists(f) {
			continue
		}
		c, ok := p.repo.text(f)
		if !ok {
			continue
		}
		var doc map[string]any
		if _, err := toml.Decode(c, &doc); err == nil {
			if v, ok := table(doc, "toolchain")["channel"].(string); ok {
				r.Toolchain, r.ToolchainAt = v, Evidence{f, lineOf(c, "channel")}
				return
			}
		}
		if v := firstLine(c); v != "" && len(v) < 60 && !strings.ContainsAny(v, "[=") {
			r.Toolchain, r.ToolchainAt = v, Evidence{f, 1}
			return
		}
	}
}
