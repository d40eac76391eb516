package strategy

import (
	"fmt"
	"path"
	"regexp"
	"slices"

	"dhibot/rewrite/assess"
)

// sitePackages is the way of two-stage Python files that copy the packages out
// of the interpreter's own directories: those stand elsewhere in the DHI image,
// a virtual environment does not.
type sitePackages struct {
	source *assess.Stage
	first  *assess.Step   // the first installation in source
	site   *assess.Step   // the COPY of site-packages
	bins   []*assess.Step // COPYs of the programs that came with the packages
	// from and to are the directory of the packages in both stages, when they
	// are installed to a place of their own (--user, --prefix); plain are those
	// installations without that option, paths the ENVs that name to.
	from, to string
	plain    []Rewrite
	paths    []Rewrite
}

var sitePath = regexp.MustCompile(`^/usr/local/lib/python3\.[0-9]+(/site-packages)?$`)

// sitePackagesOf finds that way in a final stage; nil when something in it is
// not understood.
func (in *Input) sitePackagesOf(f *assess.Stage) *sitePackages {
	if f.Parent != nil || f.Origin == nil || f.Origin.Image != "python" {
		return nil
	}
	sp := &sitePackages{}
	for _, st := range f.Steps {
		if st.Copy == nil || st.Copy.FromStage == nil || len(st.Copy.Sources) != 1 {
			continue
		}
		src, dest := path.Clean(st.Copy.Sources[0]), path.Clean(st.Copy.Dest)
		switch {
		case sp.site == nil && in.ownPlace(st.Copy.FromStage, src):
			sp.site, sp.source, sp.from, sp.to = st, st.Copy.FromStage, src, dest
		case sitePath.MatchString(src) && src == dest && sp.site == nil:
			sp.site, sp.source = st, st.Copy.FromStage
		case src == "/usr/local/bin" && dest == src, path.Dir(src) == "/usr/local/bin" && (dest == src || dest == "/usr/local/bin"):
			sp.bins = append(sp.bins, st)
		}
	}
	if sp.site == nil || sp.source.Parent != nil || sp.source.Name == "" || sp.source.Origin == nil || sp.source.Origin.Image != "python" {
		return nil
	}
	for _, st := range sp.bins {
		src := path.Clean(st.Copy.Sources[0])
		if st.Copy.FromStage != sp.source || src != "/usr/local/bin" && !in.consoleScript(sp.source, path.Base(src)) {
			return nil
		}
	}
	for _, st := range sp.source.Steps {
		if st.Copy != nil && (path.Clean(st.Copy.Dest) == "/usr/local/bin" || under(path.Clean(st.Copy.Dest), "/usr/local/bin")) {
			return nil // a program that pip did not bring
		}
		if st.Run == nil {
			continue
		}
		if st.Run.Script == nil || writesPrograms(st) {
			return nil
		}
		for _, p := range st.Run.Script.Packages() {
			if p.System || p.Verb != "install" && p.Verb != "sync" {
				continue
			}
			switch p.Manager {
			case "pip", "poetry", "pipenv", "uv":
			default:
				continue
			}
			if in.venvRefuses(effect{step: st}, p) != nil && !sp.placed(p) {
				return nil
			}
			if sp.first == nil {
				sp.first = st
			}
		}
	}
	if sp.first == nil || in.ownVenv(sp.source) != "" || sp.from != "" && !in.replaced(f, sp) {
		return nil
	}
	return sp
}

// writesPrograms tells whether a RUN that installs no Python packages may put a
// program into /usr/local/bin.
func writesPrograms(st *assess.Step) bool {
	for _, p := range st.Run.Script.Packages() {
		if !p.System {
			return false
		}
	}
	eff := st.Run.Script.Effects(st.Before.WorkDir)
	return len(eff.Unknown) > 0 || slices.ContainsFunc(eff.Paths, func(p string) bool { return p == "/usr/local" || p == "/usr/local/bin" || under(p, "/usr/local/bin") })
}

// replaces tells whether a COPY goes away with the old directories.
func (sp *sitePackages) replaces(st *assess.Step) bool {
	return sp != nil && (sp.site == st || slices.Contains(sp.bins, st))
}

// useVenv makes the virtual environment where the packages are installed, and
// copies it instead of the interpreter's own directories.
func (d *decider) useVenv(sp *sitePackages) {
	if sp == nil {
		return
	}
	add := func(s *assess.Stage, before *assess.Step, text, why string) {
		d.Inserts = append(d.Inserts, Insert{Stage: s, Before: before, Line: Line{Rule: "package-management", Text: text, Why: why}})
	}
	add(sp.source, sp.first, "RUN python3 -m venv "+newVenv,
		fmt.Sprintf("line %d takes the packages from %s, where the interpreter of the DHI image does not look; a virtual environment can be copied", sp.site.Lines[0], path.Clean(sp.site.Copy.Sources[0])))
	more := d.uvIntoVenv(sp.source.Steps)
	add(sp.source, sp.first, fmt.Sprintf("ENV VIRTUAL_ENV=%s PATH=%q%s", newVenv, newVenv+"/bin:$PATH", more), "pip and the tools built on it find the virtual environment first")
	if len(sp.paths) == 0 {
		add(d.Final.Stage, sp.site, fmt.Sprintf("ENV PATH=%q", newVenv+"/bin:$PATH"), "the programs and packages of the virtual environment are found first")
	}
	d.Replaced = append(append(d.Replaced, sp.plain...), sp.paths...)
	d.Replaced = append(d.Replaced, Rewrite{Step: sp.site, Rule: "package-management", Text: fmt.Sprintf("COPY --from=%s %s %s", sp.source.Name, newVenv, newVenv),
		Why: "the installed packages, at the same path in both stages because a virtual environment cannot move"})
	for _, st := range sp.bins {
		d.Drops = append(d.Drops, Drop{Step: st, Rule: "package-management", Why: "the programs that came with the packages are in the virtual environment"})
	}
}
