package rules

import (
	"fmt"
	"slices"
	"strings"

	"dhibot/rewrite/catalog"
	"dhibot/rewrite/dockerfile"
	"dhibot/rewrite/strategy"
)

func baseImage() *Rule {
	return &Rule{
		ID:    "base-image",
		Title: "Base image",
		Note: "Every FROM whose image has a Docker Hardened Image gets it, with a tag that the catalog lists, of the same distribution family and the same version. " +
			"An image without an equivalent, or a version that is not offered, stays and is reported.",
		Before: "FROM golang:1.26",
		After:  "FROM dhi.io/golang:1.26-debian13-dev",
		URL:    "https://docs.docker.com/dhi/migration/checklist/",
		Run:    runBaseImage,
	}
}

func runBaseImage(p *Pass) {
	targets := make([]dockerfile.Target, 0, len(p.All))
	stages := make([]*strategy.Stage, 0, len(p.All))
	for _, s := range p.All {
		if s.Parent == nil && s.Pick != nil {
			t := dockerfile.Target{Ref: s.Base, Repository: p.Naming.Repository(s.Pick.Def.Image), Version: s.Pick.Version, Suffix: s.Pick.Suffix, WriteOut: s == p.finalRoot() && p.New == nil}
			targets = append(targets, t)
			stages = append(stages, s)
		}
	}
	res, root := p.File.Retarget(targets), p.finalRoot()
	for i, t := range targets {
		s, move := stages[i], &res.Moves[i]
		if move.Err != nil {
			if p.Err == nil {
				p.Err = map[*dockerfile.Reference]error{}
			}
			p.Err[t.Ref] = move.Err
			continue
		}
		edits := dockerfile.InOrder(move.Edits)
		before, after := p.asWritten(t.Ref, edits)
		if s == root {
			if p.written = after; len(move.Edits) > 0 && !inWord(t.Ref, move.Edits) {
				p.written = t.Ref.Word.Text
			}
		}
		why := p.whyImage(s)
		if arg := move.WrittenOut; arg != "" {
			why += fmt.Sprintf(" ARG %s is taken by the dev image of another stage, so this one is written out.", arg)
			p.check(fmt.Sprintf("ARG %s does not choose the image that ships any more. Change that FROM together with it.", arg), s.From.Lines[0])
		}
		p.change(Finding{Edits: edits, Lines: s.From.Lines, Before: before, After: after, Why: why})
	}
	for _, a := range res.Args {
		p.check(fmt.Sprintf("The default of ARG %s changed from %s to %s. Builds that pass --build-arg %s override it: change them too.", a.Name, quote(a.Before), quote(a.After), a.Name), a.Arg.Lines[0])
	}
	for i, t := range targets {
		for _, a := range t.Ref.Args {
			changed := false
			for _, c := range res.Args {
				changed = changed || c.Name == a.Name
			}
			if !changed && p.Err[t.Ref] == nil && a.Name == res.Moves[i].Ahead {
				p.check(fmt.Sprintf("ARG %s is empty by default and stands in front of the image. A build that sets it asks for that value with %s behind it, so what it names must serve %s there.", a.Name, quote(t.Repository), quote(t.Repository)), a.Arg.Lines[0])
				continue
			}
			if !changed && p.Err[t.Ref] == nil {
				def := "no default"
				if a.Default != "" {
					def = "default " + quote(a.Default)
				}
				p.check(fmt.Sprintf("The image depends on ARG %s (%s). Values that builds pass with --build-arg %s must exist in DHI as well.", a.Name, def, a.Name), a.Arg.Lines[0])
			}
		}
	}
	p.workDirs()
	p.takenPrograms()
	p.leftImages()
	p.imageNotes()
}

// asWritten is a reference as it stands in FROM and as it will stand there, with
// its variables; where only ARGs change, the value of the first. The edits are in
// order.
func (p *Pass) asWritten(ref *dockerfile.Reference, edits []dockerfile.Edit) (before, after string) {
	word := ref.Word.Span
	at := word.Start
	for _, e := range edits {
		if e.Span.Start < word.Start || e.Span.End > word.End {
			continue
		}
		after += p.File.Text(dockerfile.Span{Start: at, End: e.Span.Start}) + e.New
		at = e.Span.End
	}
	switch {
	case at > word.Start || after != "":
		return p.File.Text(word), after + p.File.Text(dockerfile.Span{Start: at, End: word.End})
	case len(edits) > 0:
		return p.File.Text(edits[0].Span), edits[0].New
	}
	return p.File.Text(word), p.File.Text(word)
}

func inWord(ref *dockerfile.Reference, edits []dockerfile.Edit) bool {
	return slices.ContainsFunc(edits, func(e dockerfile.Edit) bool {
		return e.Span.Start >= ref.Word.Span.Start && e.Span.End <= ref.Word.Span.End
	})
}

// newReference is the image of the new stage. A variable that the build stage
// takes its version from is kept: both stages must follow when it is set.
func (p *Pass) newReference() string {
	pick, root := p.New.Pick, p.finalRoot()
	literal := p.reference(pick.Def.Image, pick.Tag)
	text := p.written
	if root.Pick == nil || root.Pick.Def.Image != pick.Def.Image || root.Pick.Version != pick.Version || !strings.Contains(text, "$") {
		return literal
	}
	stem, ok := strings.CutSuffix(text, root.Pick.Suffix)
	if !ok || root.Pick.Suffix == "" {
		return literal
	}
	return strings.TrimSuffix(stem+pick.Suffix, "-")
}

// writtenOut reports a new stage that has no variable in its image although the
// one that it is built in has: whoever raises the version in one place alone
// would run what another version built.
func (p *Pass) writtenOut(reference string) {
	root := p.finalRoot()
	if root.Pick == nil || root.Base == nil || root.Pick.Def.Image != p.New.Pick.Def.Image || strings.Contains(reference, "$") {
		return
	}
	for _, a := range root.Base.Args {
		if a.Arg == nil {
			continue // one of BuildKit itself
		}
		p.check(fmt.Sprintf("ARG %s chooses the image that is built in, and not the one that ships. Change that FROM together with it.", a.Name), a.Arg.Lines[0])
	}
}

// whyImage explains the image of a stage.
func (p *Pass) whyImage(s *strategy.Stage) string {
	why := s.Why
	if s.Pick.Def.Image == s.Choice.Image && len(s.Choice.Why) > 0 { // otherwise they speak of an image that was not taken
		why += ". " + strings.Join(s.Choice.Why, ". ")
	}
	if p.Held != "" && !s.Origin.Explicit && s.Pick.Def.Distro == catalog.Debian && s.Pick.Def.DistroVersion == "12" {
		why += ". " + p.Held
	}
	return sentence(why)
}

func sentence(s string) string {
	s = strings.TrimSpace(s)
	if s == "" {
		return s
	}
	s = strings.ReplaceAll(s, "..", ".")
	if strings.HasSuffix(s, ".") {
		return s
	}
	return s + "."
}

// workDirs restores working directories; the inserts of other rules are theirs.
func (p *Pass) workDirs() {
	p.inserts()
}

// inserts writes the instructions that existing stages get for this rule.
func (p *Pass) inserts() {
	for _, in := range p.Inserts {
		if in.Rule != p.rule.ID {
			continue
		}
		var e dockerfile.Edit
		if in.Before != nil {
			e = p.File.InsertBefore(in.Before.Instruction, in.Text)
		} else {
			e = p.File.InsertAfter(in.Stage.From, in.Text)
		}
		line := in.Stage.From.Lines[1]
		if in.Before != nil {
			line = in.Before.Lines[0]
		}
		p.change(Finding{Edits: []dockerfile.Edit{e}, Lines: [2]int{line, line}, After: in.Text, Why: sentence(in.Why)})
	}
}

// takenPrograms points COPYs of single programs to the images of DHI.
func (p *Pass) takenPrograms() {
	for _, t := range p.Taken {
		var edits []dockerfile.Edit
		for _, fl := range t.Step.Flags {
			if fl.Name == "from" {
				edits = append(edits, replace(fl.ValueSpan, t.Reference))
			}
		}
		for i, w := range t.Step.Words {
			if to, ok := t.Words[i]; ok {
				edits = append(edits, replace(w.Span, to))
			}
		}
		p.change(Finding{Edits: edits, Lines: t.Step.Lines, Before: t.Step.Copy.From, After: t.Reference, Why: sentence(t.Why)})
	}
}

// taken tells whether a COPY takes its files out of an image of DHI now.
func (p *Pass) taken(i *dockerfile.Instruction) bool {
	for _, t := range p.Taken {
		if t.Step.Instruction == i {
			return true
		}
	}
	return false
}

// leftImages reports images that stay.
func (p *Pass) leftImages() {
	for _, s := range p.All {
		if s.Parent != nil || s.Left == nil || s.Scratch {
			continue
		}
		p.left(Left{Lines: s.From.Lines, What: s.Base.Word.Text, Why: sentence(s.Left.Text)})
	}
	for _, r := range p.File.References() {
		if r.Kind == dockerfile.RefFrom || r.Parent != nil || r.Scratch || r.Resolved == "" {
			continue
		}
		o := p.Catalog.Origin(r.Resolved, p.Images)
		if o.Image == "" || o.Hardened || p.taken(r.Instruction) {
			continue
		}
		if o.Image == "uv" && o.Digest == "" {
			why := "The dhi uv is linked against Debian's libraries, which this stage does not have."
			if ch, err := p.Catalog.ChooseImage("uv", o.Version, "", catalog.Want{Need: catalog.NeedRuntime}); err != nil || ch.Bumped {
				why = fmt.Sprintf("DHI does not offer uv %s; the build keeps this one.", o.Version)
			}
			p.left(Left{Lines: r.Instruction.Lines, What: r.Word.Text, Why: why})
			continue
		}
		p.left(Left{Lines: r.Instruction.Lines, What: r.Word.Text,
			Why: fmt.Sprintf("Files are copied out of it at fixed paths, and dhi %s may keep them elsewhere.", o.Image)})
	}
}

// imageNotes are the things to know about the images that were chosen.
func (p *Pass) imageNotes() {
	if !p.moved() {
		return
	}
	p.registry()
	p.buildArguments()
	p.movedPaths()
	for _, s := range p.All {
		if s.Parent != nil || s.Pick == nil || p.Err[s.Base] != nil {
			continue
		}
		switch {
		case s.Choice.Bumped && s.Choice.From == s.Choice.To:
			// What was added moves: maven:3-amazoncorretto-20 has no JDK 20.
			p.check(fmt.Sprintf("%s becomes %s, because DHI does not offer that combination. Run the tests with the new one.", quote(s.Origin.Reference), quote(p.reference(s.Pick.Def.Image, s.Pick.Tag))), s.From.Lines[0])
		case s.Choice.Bumped:
			advice := "Run the tests with the new version."
			if s.Choice.OldData {
				advice = "It may not read the data of the old one: plan how existing data is moved (dump and restore, or the tool of its maker) before you merge."
			}
			p.check(fmt.Sprintf("%s moves from version %s to %s, because DHI does not offer %s. %s", s.Choice.Image, s.Choice.From, s.Choice.To, s.Choice.From, advice), s.From.Lines[0])
		}
		if s.Choice.DistroChanged {
			p.check(fmt.Sprintf("The distribution changes to %s %s. Native libraries and package names may differ.", s.Pick.Def.Distro, s.Pick.Def.DistroVersion), s.From.Lines[0])
		}
		if s.Choice.ReleaseChanged && !s.Choice.DistroChanged && !s.Choice.Bumped && s.Pick.Def.Image != "static" {
			p.check(fmt.Sprintf("The system below changes from %s to %s %s: packages and system libraries have other versions.", quote(s.Origin.Reference), s.Pick.Def.Distro, s.Pick.Def.DistroVersion), s.From.Lines[0])
		}
		if s.Origin.Digest != "" {
			p.check(fmt.Sprintf("The old image was pinned by digest. The new reference is not: pin it with the digest that `docker buildx imagetools inspect %s` prints, if you want to keep that.", p.reference(s.Pick.Def.Image, s.Pick.Tag)), s.From.Lines[0])
		}
		if onePlatform(s.Origin.Reference) && s.Base.Platform == "" {
			p.check(fmt.Sprintf("%s is for one platform only; the new image is for several. Build with --platform if the result must stay on that one.", s.Origin.Reference), s.From.Lines[0])
		}
		p.endOfLife(s.Pick.Def.Image, s.Pick.Def.EndOfLife, s.From.Lines[0])
	}
}

// onePlatform tells whether a reference is for one platform only, by its
// repository (arm64v8/alpine) or by its tag (nonroot-arm64).
func onePlatform(reference string) bool {
	owner, _, _ := strings.Cut(reference, "/")
	if owner == "arm64v8" || owner == "amd64" {
		return true
	}
	name, _, _ := strings.Cut(reference, "@")
	return strings.HasSuffix(name, "-arm64") || strings.HasSuffix(name, "-amd64") || strings.HasSuffix(name, "-arm64v8")
}

// endOfLife warns of versions that end within half a year of the catalog.
func (p *Pass) endOfLife(image, date string, line int) {
	if date == "" || date > p.Catalog.HalfYear() {
		return
	}
	p.check(fmt.Sprintf("This version of %s reaches its end of life on %s.", image, date), line)
}

// movedPaths warns of directories that a server keeps elsewhere in the new
// image: the variables that name them have other values. HOME is none of them:
// MongoDB keeps its data in /data/db whatever it says.
func (p *Pass) movedPaths() {
	root := p.finalRoot()
	if root.Pick == nil || p.New != nil || root.Origin == nil {
		return
	}
	old, now := root.Origin.Config.Env, root.Pick.Def.Environment
	var moved []string
	for k, was := range old {
		is, ok := now[k]
		if ok && was != is && k != "HOME" && strings.HasPrefix(was, "/") && !strings.Contains(was, ":") && !strings.HasSuffix(k, "_HOME") && !strings.HasSuffix(k, "_ROOT") {
			moved = append(moved, k)
		}
	}
	slices.Sort(moved)
	for _, k := range moved {
		was := old[k]
		p.check(fmt.Sprintf("%s is %s in the new image and was %s. Volumes mounted at the old place are not found there.", k, quote(now[k]), quote(was)), root.From.Lines[0])
	}
}
