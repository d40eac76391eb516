package strategy

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
	"dhibot/rewrite/project"
)

// rustLock is the lock file of the sources, nil when it is not at hand.
func (in *Input) rustLock() *project.RustLock {
	if !in.known() {
		return nil
	}
	if l := in.Project.RustLock("."); l != nil {
		return l
	}
	// The workspace may lie below the context: what is copied says where.
	var found *project.RustLock
	for _, s := range in.Stages.All {
		for _, st := range s.Steps {
			c := st.Copy
			if c == nil || c.From != "" || c.FromStage != nil || c.Inline {
				continue
			}
			for _, src := range c.Sources {
				dir := strings.TrimPrefix(path.Clean("/"+strings.TrimSuffix(src, "Cargo.lock")), "/")
				if _, ok := in.Project.Exists(path.Join(dir, "Cargo.lock")); dir == "" || strings.ContainsAny(dir, "*?[$") || !ok {
					continue
				}
				l := in.Project.RustLock(dir)
				if l == nil || found != nil && found.File != l.File {
					return nil // two programs
				}
				found = l
			}
		}
	}
	return found
}

// rustLinks words why a Rust program may need libraries of the system while it
// runs; nil when it needs none but the C library.
func (in *Input) rustLinks(s *assess.Stage) *Block {
	l := in.rustLock()
	if l == nil {
		return &Block{Rule: "package-management", Code: "runtime-libraries", Line: s.From.Lines[0],
			Text: "no Cargo.lock is at hand that would say which libraries of the system the program links"}
	}
	for _, lib := range l.SystemLibraries() {
		return &Block{Rule: "package-management", Code: "runtime-libraries", Path: lib.At.Path, Line: lib.At.Line,
			Text: fmt.Sprintf("%s links %s of the system, which the runtime image does not declare", lib.Package, lib.What)}
	}
	return nil
}

// rustHeaders are the headers that the official Rust image brings for the
// packages of the lock file and the DHI image lacks.
func (in *Input) rustHeaders(s *assess.Stage, st *assess.Step) []need {
	o := s.Origin
	if o == nil || o.Image != "rust" || o.Slim || o.Distro != catalog.Debian || st.Run.Script == nil || !st.Run.Script.Uses("cargo") {
		return nil
	}
	l := in.rustLock()
	if l == nil {
		why := fmt.Sprintf("%s brings the headers of OpenSSL, which many packages of Rust link; no Cargo.lock is at hand that would say otherwise", o.Reference)
		return []need{{program: "libssl-dev", why: why, always: true}, {program: "pkg-config", why: why, always: true}}
	}
	var out []need
	if tool := foreignTool(st); tool != "" {
		why := fmt.Sprintf("cargo installs %s, whose libraries the lock file of this program does not say; %s brings the headers of OpenSSL", tool, o.Reference)
		out = append(out, need{program: "libssl-dev", why: why, always: true}, need{program: "pkg-config", why: why, always: true})
	}
	for _, lib := range l.SystemLibraries() {
		if _, known := programs[lib.Debian]; lib.Debian == "" || !known {
			continue
		}
		why := fmt.Sprintf("%s (%s) links %s, whose headers %s brings and the DHI image does not", lib.Package, place(lib.At), lib.What, o.Reference)
		out = append(out, need{program: lib.Debian, why: why, always: true}, need{program: "pkg-config", why: why, always: true})
	}
	if at, ok := l.Has("openssl-src"); ok {
		out = append(out, need{program: "perl", why: fmt.Sprintf("openssl-src (%s) compiles OpenSSL, which needs Perl", place(at)), always: true})
	}
	return out
}

// foreignTool is a program that a RUN installs with cargo from elsewhere, "" when
// it installs none or only its own.
func foreignTool(st *assess.Step) string {
	for _, c := range st.Run.Script.Commands {
		if c.Name != "cargo" || len(c.Args) < 2 || c.Args[0].Text != "install" {
			continue
		}
		own, name := false, ""
		for _, a := range c.Args[1:] {
			own = own || strings.HasPrefix(a.Text, "--path")
			if name == "" && !strings.HasPrefix(a.Text, "-") {
				name = a.Text
			}
		}
		if !own {
			return name
		}
	}
	return ""
}

// unlinked tells whether a package of the final image brings nothing but a
// library that its Rust program does not link, by the lock file of the sources.
func (in *Input) unlinked(f *assess.Stage, pkg string) bool {
	crate := ""
	switch {
	case pkg == "openssl" || pkg == "openssl-dev" || pkg == "libssl-dev" || strings.HasPrefix(pkg, "libssl1") || strings.HasPrefix(pkg, "libssl3") || pkg == "libcrypto3":
		crate = "openssl-sys"
	case pkg == "libpq5" || pkg == "libpq-dev" || pkg == "libpq":
		crate = "pq-sys"
	case pkg == "libsqlite3-0" || pkg == "libsqlite3-dev" || pkg == "sqlite-libs":
		crate = "libsqlite3-sys"
	case pkg == "libmariadb3" || pkg == "libmariadb-dev" || pkg == "default-libmysqlclient-dev":
		crate = "mysqlclient-sys"
	default:
		return false
	}
	if !in.rustProgram(f) {
		return false
	}
	l := in.rustLock()
	if l == nil {
		return false
	}
	_, links := l.Has(crate)
	return !links
}

// rustProgram tells whether what the final image starts is one program that a
// stage of the file built with cargo.
func (in *Input) rustProgram(f *assess.Stage) bool {
	words := startWords(f)
	if len(words) == 0 {
		return false
	}
	from := copiedProgram(f, words[0])
	return from != nil && uses(from, "cargo")
}

// keepCargoHome writes the variables of the official image into a build stage
// that installs programs with cargo or names cargo's directory: the DHI image
// sets none, and cargo would work in the home directory.
func (d *decider) keepCargoHome(root *Stage) {
	if root.Choice == nil || root.Choice.Image != "rust" || root.Origin == nil || root.Origin.Hardened {
		return
	}
	line := 0
	for _, s := range d.Stages.Tree(root.Stage) {
		for _, st := range s.Steps {
			if strings.Contains(st.Text, "CARGO_HOME") {
				return
			}
			if line == 0 && (usesCargoHome(d.File.Text(st.Span)) || installsWithCargo(st)) {
				line = st.Lines[0]
			}
		}
	}
	for _, t := range d.All {
		for _, st := range t.Steps {
			if line == 0 && st.Copy != nil && st.Copy.FromStage != nil && st.Copy.FromStage.Root() == root.Stage && usesCargoHome(strings.Join(st.Copy.Sources, " ")) {
				line = st.Lines[0]
			}
		}
	}
	if line == 0 {
		return
	}
	d.Inserts = append(d.Inserts, Insert{Stage: root.Stage, Line: Line{Rule: "base-image", Text: "ENV CARGO_HOME=/usr/local/cargo PATH=/usr/local/cargo/bin:$PATH",
		Why: fmt.Sprintf("line %d relies on the place where %s keeps what cargo installs", line, root.Origin.Reference)}})
}

func usesCargoHome(text string) bool { return strings.Contains(text, "/usr/local/cargo") }

// installsWithCargo tells whether a RUN installs programs where cargo puts them.
func installsWithCargo(st *assess.Step) bool {
	if st.Run == nil || st.Run.Script == nil {
		return false
	}
	for _, c := range st.Run.Script.Commands {
		if c.Name != "cargo" || len(c.Args) == 0 || c.Args[0].Text != "install" {
			continue
		}
		root := false
		for _, a := range c.Args {
			root = root || strings.HasPrefix(a.Text, "--root")
		}
		if !root {
			return true
		}
	}
	return false
}

func (in *Input) rustRecipe(f *assess.Stage) *recipe {
	words := startWords(f)
	if len(words) == 0 || path.Base(words[0]) == "cargo" || !buildsWith(f, "cargo", "build", "install") {
		return nil
	}
	p := words[0]
	if !strings.Contains(p, "/") {
		if !slices.ContainsFunc(f.ChainSteps(), installsWithCargo) {
			return nil
		}
		p = "/usr/local/cargo/bin/" + p
	}
	if !path.IsAbs(p) {
		p = path.Join(f.End.WorkDir, p)
	}
	r := &recipe{name: "Rust", runtime: "static", flavor: "libc"}
	if b := in.rustLinks(f); b != nil {
		r.blocks = append(r.blocks, *b)
	}
	r.artifacts = append(r.artifacts, artifact{path: p, why: "the program is one file; sources and compiler stay behind"})
	in.runtimeFiles(f, r)
	return r
}
