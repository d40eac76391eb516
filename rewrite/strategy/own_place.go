package strategy

import (
	"fmt"
	"path"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/shell"
)

// Packages that pip installs to a place of their own for the next stage to
// copy: `pip install --user` with /root/.local, `pip install --prefix=/install`.
// pip refuses --user in a virtual environment and would go past it with
// --prefix, so the option goes away and the environment takes its place.

// ownPlace tells whether a stage installs packages into a directory with one of
// these options.
func (in *Input) ownPlace(s *assess.Stage, dir string) bool {
	sp := &sitePackages{from: dir}
	for _, st := range s.Steps {
		if st.Run == nil || st.Run.Script == nil {
			continue
		}
		for _, p := range st.Run.Script.Packages() {
			if sp.placed(p) {
				return true
			}
		}
	}
	return false
}

// placed tells whether a call installs into the directory that is copied.
func (sp *sitePackages) placed(p shell.PackageCall) bool {
	return sp.from != "" && p.Manager == "pip" && p.Verb == shell.Install && p.Cmd != nil && placeOption(p.Cmd.Args, sp.from) != nil &&
		!strings.HasPrefix(p.Cmd.Path, "/")
}

// placeOption are the words, as written, of the option that names a directory;
// nil when there is none.
func placeOption(args []shell.Arg, dir string) []string {
	var found []string
	for i, a := range args {
		name, value, has := strings.Cut(a.Text, "=")
		switch {
		case a.Text == "--user" && dir == "/root/.local":
			found = append(found, a.Raw)
		case name == "--prefix" && has && path.Clean(value) == dir:
			found = append(found, a.Raw)
		case a.Text == "--prefix" && i+1 < len(args) && path.Clean(args[i+1].Text) == dir:
			found = append(found, a.Raw+" "+args[i+1].Raw)
		case name == "--target" || a.Text == "-t" || name == "--root" || name == "--prefix" || a.Text == "--user":
			return nil // another place as well
		}
	}
	return found
}

// replaced works out the texts without the option and the ENVs that name the
// place; false when something else names it.
func (in *Input) replaced(f *assess.Stage, sp *sitePackages) bool {
	for _, st := range sp.source.Steps {
		if st.Run == nil {
			continue
		}
		text, changed := in.File.Text(st.Span), false
		for _, p := range st.Run.Script.Packages() {
			if !sp.placed(p) {
				continue
			}
			for _, o := range placeOption(p.Cmd.Args, sp.from) {
				i := strings.Index(text, " "+o+" ")
				if i < 0 {
					return false // written in a way that cannot be cut out
				}
				text, changed = text[:i]+text[i+1+len(o):], true
			}
		}
		if changed {
			if strings.Contains(text, "--user") || strings.Contains(text, "--prefix") || strings.Contains(text, sp.from) {
				return false
			}
			sp.plain = append(sp.plain, Rewrite{Step: st, Text: text, Rule: "package-management",
				Why: fmt.Sprintf("the packages go into the virtual environment instead of %s, which the final image does not take over", sp.from)})
		}
	}
	for _, st := range f.ChainSteps() {
		text := in.File.Text(st.Span)
		if st == sp.site || !strings.Contains(text, sp.to) || sp.to == "/usr/local" {
			continue
		}
		if st.Keyword == "RUN" {
			continue // it goes away in this shape
		}
		if st.Keyword != "ENV" || strings.Count(text, sp.to) != strings.Count(text, sp.to+"/bin") || !strings.Contains(text, "PATH") || strings.Contains(text, "PYTHON") {
			return false
		}
		sp.paths = append(sp.paths, Rewrite{Step: st, Text: strings.ReplaceAll(text, sp.to+"/bin", newVenv+"/bin"), Rule: "package-management",
			Why: "the programs that came with the packages are in the virtual environment"})
	}
	return true
}
