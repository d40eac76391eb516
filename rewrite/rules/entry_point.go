package rules

import (
	"dhibot/rewrite/assess"
	"dhibot/rewrite/dockerfile"
	"dhibot/rewrite/strategy"
)

func entryPoint() *Rule {
	return &Rule{
		ID:    "entry-point",
		Title: "Entry point",
		Note: "The images may have another ENTRYPOINT than the old ones. The effective start command is worked out again from the catalog: a word that would run twice goes away, " +
			"an interpreter that the old entry point added is written, a package manager is replaced by the program that it starts.",
		Before: "FROM nginx:1.30\nCMD [\"nginx\", \"-g\", \"daemon off;\"]",
		After:  "FROM dhi.io/nginx:1.30-debian13\nCMD [\"-g\", \"daemon off;\"]",
		URL:    "https://docs.docker.com/dhi/how-to/troubleshoot/#entry-point-differences",
		Run:    runEntryPoint,
	}
}

func runEntryPoint(p *Pass) {
	p.inserts()
	p.drops()
	p.rewrites()
	if p.Start.Add != "" && p.Shape != strategy.ShapeNone {
		p.addStart(p.Final.Stage, p.Start)
	}
	p.targets()
	if root := p.finalRoot(); root != nil && root.Pick != nil && p.Shape != strategy.ShapeNone && p.Shape != strategy.ShapeDev {
		p.overrides()
	}
	p.notes()
}

// rewrites edits ENTRYPOINT and CMD where they stay in place.
func (p *Pass) rewrites() {
	if p.Shape == strategy.ShapeNone {
		return
	}
	for _, r := range []*strategy.Rewrite{p.Start.Entrypoint, p.Start.Cmd} {
		if r == nil || r.Step == nil || p.Shape == strategy.ShapeSplit && p.staysBehind(r.Step) || r.Step.Stage != p.Final.Stage && p.Shape == strategy.ShapeRebase {
			continue
		}
		if r.Rule != p.rule.ID {
			continue
		}
		p.rewrite(r)
	}
	if p.rule.ID == "no-shell" {
		p.startEnv()
	}
}

// rewrite replaces or removes an ENTRYPOINT or CMD where it stands.
func (p *Pass) rewrite(r *strategy.Rewrite) {
	before := p.File.Text(r.Step.Span)
	if r.Text == "" {
		p.change(Finding{Edits: []dockerfile.Edit{p.File.Remove(r.Step.Instruction)}, Lines: r.Step.Lines, Before: before, Why: sentence(r.Why)})
		return
	}
	text := r.Text
	if lower(before) {
		text = keywordLower(text)
	}
	p.change(Finding{Edits: []dockerfile.Edit{replace(r.Step.Span, text)}, Lines: r.Step.Lines, Before: before, After: text, Why: sentence(r.Why)})
}

// targets keeps the start commands of other stages working: they may be built
// and run by their names.
func (p *Pass) targets() {
	for _, s := range p.All {
		if s == p.Final {
			continue
		}
		for _, r := range []*strategy.Rewrite{s.Start.Entrypoint, s.Start.Cmd} {
			if r != nil && r.Step != nil && r.Step.Stage == s.Stage {
				p.rewrite(r)
			}
		}
		if s.Start.Add != "" {
			p.addStart(s.Stage, s.Start)
		}
	}
}

// startEnv writes the variables that a shell-form command set for itself.
func (p *Pass) startEnv() {
	if len(p.Start.Env) == 0 {
		return
	}
	text := "ENV"
	for _, e := range p.Start.Env {
		text += " " + e.Name + "=" + dockerQuote(e.Value)
	}
	st := p.startStep()
	if st == nil {
		return
	}
	why := "the shell set it in front of the command; a list cannot, so the image does"
	if p.belongsToNew(st) {
		p.New.Lines = append(p.New.Lines, strategy.Line{Rule: p.rule.ID, Text: text, Why: why})
		return
	}
	p.change(Finding{Edits: []dockerfile.Edit{p.File.InsertBefore(st.Instruction, text)}, Lines: st.Lines, After: text, Why: sentence(why)})
}

// belongsToNew tells whether what is put in front of an instruction of the
// final stage goes into the lines of the new stage: the instruction is among
// them, or follows them without a line between, and then the place in front of
// it is the end of the stage that stays behind.
func (p *Pass) belongsToNew(st *assess.Step) bool {
	if p.New == nil || p.Shape != strategy.ShapeSplit {
		return false
	}
	return p.staysBehind(st) || p.New.At != nil && st.Block().Start == p.New.At.FullLines.End
}

func (p *Pass) startStep() *assess.Step {
	for _, r := range []*strategy.Rewrite{p.Start.Entrypoint, p.Start.Cmd} {
		if r != nil && r.Step != nil && r.Text != "" {
			return r.Step
		}
	}
	return nil
}

// startGoesToNew tells whether the place for an added start command is in the
// lines of the new stage.
func (p *Pass) startGoesToNew(f *assess.Stage) bool {
	if c := f.End.Cmd.Step; c != nil && c.Stage == f {
		return p.belongsToNew(c)
	}
	return len(f.Steps) > 0 && p.Shape == strategy.ShapeSplit && p.New != nil && p.staysBehind(f.Steps[len(f.Steps)-1])
}

// addStart writes an ENTRYPOINT or CMD that the old base image implied.
func (p *Pass) addStart(f *assess.Stage, start strategy.Start) {
	if f == p.Final.Stage && p.startGoesToNew(f) {
		p.New.Lines = append(p.New.Lines, strategy.Line{Rule: p.rule.ID, Text: start.Add, Why: start.Why})
		return
	}
	var e dockerfile.Edit
	line := f.From.Lines[1]
	if c := f.End.Cmd.Step; c != nil && c.Stage == f {
		e = p.File.InsertBefore(c.Instruction, start.Add)
		line = c.Lines[0]
	} else if len(f.Steps) > 0 {
		last := f.Steps[len(f.Steps)-1]
		e = p.File.InsertAfter(last.Instruction, start.Add)
		line = last.Lines[1]
	} else {
		e = p.File.InsertAfter(f.From, start.Add)
	}
	p.change(Finding{Edits: []dockerfile.Edit{e}, Lines: [2]int{line, line}, After: start.Add, Why: sentence(start.Why)})
}
