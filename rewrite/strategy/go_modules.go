package strategy

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
	"dhibot/rewrite/shell"
)

// fitsGoModules refuses a build with a Go that is older than modules by default
// and that relies on what newer ones no longer do: build without go.mod (1.16),
// without go.sum (1.16), or install programs with go get (1.18). Sources: the
// release notes of Go 1.16, 1.18 and 1.22, "Go command".
func (in *Input) fitsGoModules(s *assess.Stage, ch *catalog.Choice, _ *catalog.Definition) *Block {
	old, ok := goMinor(s.Origin.Version)
	if ch.Image != "golang" || !ok || old >= 18 {
		return nil
	}
	m := goModules{in: in, old: old, from: s.Origin.Reference}
	for _, st := range s.ChainSteps() {
		if c := st.Copy; c != nil {
			m.module = m.module || c.From != "" || c.Inline || slices.ContainsFunc(c.Sources, in.copiesModule)
			m.fetched = m.fetched || !in.known() || slices.ContainsFunc(c.Sources, func(src string) bool { return strings.Contains(src, "://") })
		}
		if st.Run == nil {
			continue
		}
		if st.Run.Script == nil {
			return nil // what it does is not known
		}
		if text := m.run(s, st); text != "" && st.Stage == s {
			return &Block{Rule: "base-image", Code: "go-modules", Line: st.Lines[0], Text: text}
		}
	}
	return nil
}

// goModules follows the RUNs of a stage.
type goModules struct {
	in   *Input
	old  int // the minor version of the old Go
	from string
	// module tells that a go.mod is there, fetched that sources are there which
	// cannot be looked at, tidied that go.sum was made or renewed.
	module, fetched, tidied bool
}

// run tells what a newer Go refuses in a RUN, "" when nothing is known.
func (m *goModules) run(s *assess.Stage, st *assess.Step) string {
	for _, c := range st.Run.Script.Commands {
		switch c.Name {
		case "git", "curl", "wget", "hg", "svn", "tar", "unzip", "make", "sh", "bash":
			m.fetched = true
			continue
		case "go":
		default:
			continue
		}
		var words []string
		for _, a := range c.Args {
			if !strings.HasPrefix(a.Text, "-") {
				words = append(words, a.Text)
			}
		}
		if len(words) == 0 {
			continue
		}
		off := st.Before.Env["GO111MODULE"] == "off"
		switch words[0] {
		case "mod":
			m.module = m.module || slices.Contains(words, "init")
			// Without arguments download saves no sums (Go 1.18).
			m.tidied = m.tidied || slices.Contains(words, "tidy") || slices.Contains(words, "vendor") || slices.Contains(words, "download") && len(words) > 2
		case "get":
			m.tidied = true
			if off {
				return fmt.Sprintf("it calls go get with GO111MODULE=off, which Go refuses since 1.22 (it was %s)", m.from)
			}
			if !m.module && !m.fetched {
				return fmt.Sprintf("it calls go get where no go.mod is, which Go refuses since 1.18 (it was %s)", m.from)
			}
			if name := m.installed(s, st, c, words[1:]); name != "" {
				return fmt.Sprintf("it installs %s with go get, which installs no programs since Go 1.18 (it was %s)", name, m.from)
			}
		case "build", "install", "test", "vet", "list", "generate":
			if m.old >= 16 || off || m.fetched || words[0] == "build" && len(words) > 1 && strings.HasSuffix(words[len(words)-1], ".go") {
				continue
			}
			if !m.module {
				return fmt.Sprintf("it calls go %s and the sources have no go.mod, which Go asks for since 1.16 (it was %s)", words[0], m.from)
			}
			if g := m.in.goModule(); g != nil && !m.tidied && !g.Summed() && !slices.ContainsFunc(c.Args, func(a shell.Arg) bool { return strings.HasPrefix(a.Text, "-mod") }) && st.Before.Env["GOFLAGS"] == "" {
				return fmt.Sprintf("it calls go %s and %s has no go.sum beside it, which Go asks for since 1.16 (it was %s)", words[0], g.File, m.from)
			}
		}
	}
	return ""
}

// installed is a program that go get installed and that is called afterwards,
// "" for none.
func (m *goModules) installed(s *assess.Stage, at *assess.Step, get *shell.Command, packages []string) string {
	if slices.ContainsFunc(get.Args, func(a shell.Arg) bool { return a.Text == "-d" || a.Text == "-d=true" }) {
		return ""
	}
	for _, pkg := range packages {
		pkg, _, _ = strings.Cut(pkg, "@")
		name := path.Base(pkg)
		if host, _, ok := strings.Cut(pkg, "/"); !ok || !strings.Contains(host, ".") || host == "." || name == "..." {
			continue
		}
		for _, st := range s.Steps {
			if st.Run != nil && st.Run.Script != nil && st.Lines[0] >= at.Lines[0] && st.Run.Script.Uses(name) {
				return name
			}
		}
	}
	return ""
}

// copiesModule tells whether a COPY source holds a go.mod, itself or one or two
// directories below.
func (in *Input) copiesModule(src string) bool {
	if !in.known() || strings.Contains(src, "$") {
		return true
	}
	for _, f := range in.Project.Glob(src) {
		if path.Base(f) == "go.mod" {
			return true
		}
		for _, below := range []string{"go.mod", "*/go.mod", "*/*/go.mod"} {
			if len(in.Project.Glob(path.Join(f, below))) > 0 {
				return true
			}
		}
	}
	return false
}

// goMinor is the 13 of 1.13.4; false for versions that name no minor one.
func goMinor(version string) (int, bool) {
	rest, ok := strings.CutPrefix(version, "1.")
	if !ok {
		return 0, false
	}
	minor, _, _ := strings.Cut(rest, ".")
	n, err := strconv.Atoi(minor)
	return n, err == nil
}
