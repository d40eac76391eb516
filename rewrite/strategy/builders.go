package strategy

import (
	"fmt"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
)

// builders gives every other root a dev image, or says why it stays.
func (d *decider) builders() {
	final := d.root(d.Final.Stage)
	for _, s := range d.All {
		if s.Parent != nil || s.Left != nil || s.Already || s.Pick != nil || s == final {
			continue
		}
		ch, b := d.chooser.choose(s.Stage, catalog.NeedDev)
		if b != nil {
			if !d.onlyHolds(s) {
				s.Left = b
			}
			continue
		}
		s.Choice = ch
		if s.Left = d.sourceOfFiles(s.Stage, ch); s.Left != nil {
			continue
		}
		if ch.Dev == nil {
			s.Left = &Block{Rule: "base-image", Code: "variant-not-offered", Line: s.From.Lines[0], Text: fmt.Sprintf("dhi %s has no dev variant", ch.Image)}
			continue
		}
		if b := d.treeFits(s, ch, ch.Dev.Def); b != nil {
			s.Left = b
			continue
		}
		if s.Left = d.rustOnAlpine(s.Stage, ch); s.Left != nil {
			continue
		}
		if s.Left = d.javaBuild(s.Stage, ch); s.Left != nil {
			continue
		}
		s.Pick, s.Why = ch.Dev, d.devWhy(s)
	}
}

// onlyHolds gives the static image to a stage in which nothing runs, where the
// old image was of that kind as well: a further target that holds one program,
// or a source of certificates.
func (d *decider) onlyHolds(s *Stage) bool {
	ch, b := d.chooser.choose(s.Stage, catalog.NeedRuntime)
	if b != nil || ch.Runtime == nil || ch.Runtime.Def.Image != "static" {
		return false
	}
	for _, t := range d.Stages.Tree(s.Stage) {
		for _, st := range t.Steps {
			if st.Run != nil || namesAccount(st) {
				return false
			}
		}
		if len(t.End.OnBuild) > 0 {
			return false
		}
	}
	s.Choice, s.Pick, s.Why = ch, ch.Runtime, "nothing is run in it, so it needs no dev image"
	d.restoreWorkDir(s, ch.Runtime.Def)
	return true
}

// feeds are the root stages whose files reach a stage by COPY, through any
// number of stages.
func (d *decider) feeds(s *assess.Stage) map[*Stage]bool {
	seen := map[*assess.Stage]bool{}
	out := map[*Stage]bool{}
	var visit func(*assess.Stage)
	visit = func(s *assess.Stage) {
		if s == nil || seen[s] {
			return
		}
		seen[s] = true
		for _, st := range s.ChainSteps() {
			if st.Copy != nil && st.Copy.FromStage != nil {
				out[d.root(st.Copy.FromStage)] = true
				visit(st.Copy.FromStage)
			}
		}
	}
	visit(s)
	return out
}

// inconsistent takes the final stage back when it runs an interpreted language
// and gets packages from a stage of the same language that stays: the
// interpreter stands at another place there.
func (d *decider) inconsistent() bool {
	final := d.root(d.Final.Stage)
	if final.Pick == nil || d.Shape == ShapeNone {
		return false
	}
	image := final.Choice.Image
	if d.olderLibc(final) {
		return true
	}
	switch image {
	case "python", "ruby", "php":
	default:
		if !service(image) {
			return false
		}
	}
	for r := range d.feeds(d.Final.Stage) {
		if r == final || r.Left == nil || r.Origin == nil {
			continue
		}
		if r.Origin.Image == image || strings.Contains(r.Origin.Reference, image) {
			final.Left = &Block{Rule: "base-image", Code: "build-stage-stays", Line: final.From.Lines[0],
				Text: fmt.Sprintf("it takes files from %s, which stays because %s; both need the same release", r.Origin.Reference, r.Left.Text)}
			d.withdraw(final)
			return true
		}
	}
	return false
}

// withdraw undoes the decision for the final stage.
func (d *decider) withdraw(final *Stage) {
	final.Pick = nil
	d.Shape, d.New, d.Start, d.Health = ShapeNone, nil, Start{}, Health{}
	d.Drops, d.Inserts, d.Notes, d.Blocks, d.Move = nil, nil, nil, nil, nil
	d.Replaced, d.Pieces, d.site, d.anew = nil, nil, nil, nil
	d.RunUser = RunUser{}
}

// stranded leaves build stages alone whose result would run on an image that
// stays: what is built on a newer C library may not start on an older one.
func (d *decider) stranded() {
	final := d.root(d.Final.Stage)
	if final.Left == nil || final.Scratch || final.Pick != nil {
		return
	}
	for r := range d.feeds(d.Final.Stage) {
		if r.Pick == nil || d.independent(r) {
			continue
		}
		r.Pick = nil
		r.Left = &Block{Rule: "base-image", Code: "final-stays", Line: r.From.Lines[0],
			Text: "what it builds runs on the final image, which stays, and may need the older system there"}
	}
	// Stages of one tree with the final stage are left with it. Without a
	// final image on DHI, build stages alone are worth moving only when they
	// are independent; tests and tools are.
}

// independent tells whether what a stage builds runs on any Linux image.
func (d *decider) independent(r *Stage) bool {
	switch r.Choice.Image {
	case "maven", "gradle", "composer", "eclipse-temurin":
		return true
	case "golang":
		return d.cgoOff(r.Stage)
	case "node":
		f := d.Final.Stage
		return f.Origin == nil || f.Origin.Image != "node" && !strings.Contains(f.Origin.Repository, "node")
	}
	return false
}

// fill adds what moved build stages need: programs that the new image lacks
// and the old working directory.
func (d *decider) fill() {
	for _, s := range d.All {
		root := d.root(s.Stage)
		if root.Pick == nil || !root.Pick.Def.Build() || root.Left != nil || s == d.Final && d.Shape == ShapeRebase {
			continue
		}
		if s == root {
			d.restoreWorkDir(root, root.Pick.Def)
			d.bringUV(root)
			d.keepCgoOff(root)
			d.keepCargoHome(root)
		}
		if s != d.Final && startsItself(s.Stage) {
			s.Start, _ = d.devStart(s.Stage, root.Pick.Def)
		}
		d.takeUV(s, root.Pick.Def)
		d.renameOwners(s, root.Pick.Def)
		d.accountsThere(s.Stage, root.Pick.Def)
		d.makeAgain(s.Stage, root.Pick.Def)
		s.Installs = d.installs(s.Stage, root.Pick.Def, d.isDropped)
		if d.Shape == ShapeDev && s == d.Final {
			s.Installs = append(s.Installs, d.startInstalls(s, root.Pick.Def)...)
		}
		d.insertPackages(s)
	}
	d.phpEdits()
}

// startInstalls are programs that the start command or the health check of a
// final dev stage uses and that the old image had.
func (d *decider) startInstalls(s *Stage, def *catalog.Definition) []Install {
	var have map[string]bool // made when a program is looked for
	var out []Install
	check := func(st *assess.Step, run *assess.Run) {
		if run == nil || run.Script == nil {
			return
		}
		for _, p := range run.Script.Programs() {
			pkg, ok := programPackage(p, def.PackageManager())
			if ok && have == nil {
				have = map[string]bool{}
				for _, st := range s.ChainSteps() {
					d.provides(st, have)
				}
				for _, i := range s.Installs {
					have[i.Program], have["package "+i.Package] = true, true
				}
			}
			if !ok || have[p] || have["package "+pkg] || def.HasProgram(p) || !d.oldHad(s.Stage, p) {
				continue
			}
			have[p] = true
			at := st
			if st.Stage != s.Stage {
				at = nil
			}
			out = append(out, Install{Program: p, Package: pkg, Manager: def.PackageManager(), Before: at,
				Why: fmt.Sprintf("line %d calls %s, which %s brings and the DHI image does not", st.Lines[0], p, s.Origin.Reference)})
		}
	}
	for _, c := range []assess.Command{s.End.Entrypoint, s.End.Cmd} {
		if c.Step != nil { // the base image's own command is in its place there
			check(c.Step, c.Script())
		}
	}
	if h := s.End.Health; h != nil && !s.End.HealthNone {
		check(h, healthRun(h))
	}
	return out
}

// insertPackages writes one RUN for the packages that a stage lacks.
func (d *decider) insertPackages(s *Stage) {
	if len(s.Installs) == 0 {
		return
	}
	var names, whys []string
	seen := map[string]bool{}
	before := s.Installs[0].Before
	for _, i := range s.Installs {
		if !seen[i.Package] {
			seen[i.Package] = true
			names = append(names, i.Package)
		}
		if !seen["why "+i.Why] {
			seen["why "+i.Why] = true
			whys = append(whys, i.Why)
		}
	}
	if before != nil && !before.Before.Root() {
		before = nil
		if len(s.Steps) > 0 && s.Parent == nil {
			before = s.Steps[0]
		}
	}
	again := ""
	if seen["tzdata"] {
		// Small images have the package marked as installed without its files.
		again = "--reinstall "
	}
	text := "RUN apt-get update && apt-get install -y --no-install-recommends " + again + strings.Join(names, " ") + " && rm -rf /var/lib/apt/lists/*"
	if s.Installs[0].Manager == "apk" {
		text = "RUN apk add --no-cache " + strings.Join(names, " ")
	}
	d.Inserts = append(d.Inserts, Insert{Stage: s.Stage, Before: before, Line: Line{Rule: "package-management", Text: text, Why: strings.Join(whys, "; ")}})
}
