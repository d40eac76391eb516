package rules

import (
	"fmt"
	"strings"

	"dhibot/rewrite/dockerfile"
	"dhibot/rewrite/strategy"
)

func multiStage() *Rule {
	return &Rule{
		ID:    "multi-stage",
		Title: "Multi-stage build",
		Note: "Commands run in stages on dev images; the image that ships is a runtime image that gets their results by COPY --from. " +
			"A file with one stage gets a second one; the environment, working directory, ports, labels and volumes of the old final image are kept.",
		Before: "FROM node:24\nWORKDIR /app\nCOPY . .\nRUN npm ci\nCMD [\"node\", \"server.js\"]",
		After:  "FROM dhi.io/node:24-debian13-dev AS builder\nWORKDIR /app\nCOPY . .\nRUN npm ci\n\nFROM dhi.io/node:24-debian13\nWORKDIR /app\nCOPY --from=builder --chown=1000:1000 /app /app\nUSER 1000:1000\nCMD [\"node\", \"server.js\"]",
		URL:    "https://docs.docker.com/dhi/migration/checklist/",
		Run:    runMultiStage,
	}
}

func runMultiStage(p *Pass) {
	p.inserts()
	if p.moved() {
		p.targetBuilds()
	}
	if p.New == nil {
		return
	}
	p.drops()
	for _, st := range p.New.BuildEnv {
		p.left(Left{Lines: st.Lines, What: "ENV " + st.Text, Why: "Only the tools of the build read it, so it is not repeated in the image that ships."})
	}
	switch p.Shape {
	case strategy.ShapeSplit:
		p.splitStage()
	case strategy.ShapeRebase:
		p.rebaseStage()
	}
	p.notes()
}

// splitStage writes the runtime stage behind the steps that stay.
func (p *Pass) splitStage() {
	f, n := p.Final.Stage, p.New
	alias := n.BuildAlias
	if f.Alias != nil {
		p.change(Finding{Edits: []dockerfile.Edit{replace(f.Alias.Span, alias)}, Lines: f.From.Lines, Before: f.Alias.Text, After: alias,
			Why: fmt.Sprintf("it is a build stage now; the stage that ships keeps the name %s", f.Alias.Text)})
	} else {
		at := f.Base.Word.Span.End
		p.change(Finding{Edits: []dockerfile.Edit{{Span: dockerfile.Span{Start: at, End: at}, New: " AS " + alias}}, Lines: f.From.Lines, After: "AS " + alias,
			Why: "the final stage copies from it by this name"})
	}
	if n.Banner {
		// Directly above FROM: never above a parser directive.
		at := f.From.FullLines.Start
		if p.File.BOM && at == 0 {
			at = len("\ufeff")
		}
		e := dockerfile.Edit{Span: dockerfile.Span{Start: at, End: at}, New: "# === Build stage: install and build ===\n"}
		p.change(Finding{Edits: []dockerfile.Edit{e}, Lines: f.From.Lines, After: "# === Build stage: install and build ===", Why: "The file has two stages now; each says what it is for."})
	}
	lines := []strategy.Line{}
	if n.Banner {
		lines = append(lines, strategy.Line{Text: "# === Final stage: the image that ships ==="})
	}
	reference := p.newReference()
	p.writtenOut(reference)
	from := "FROM " + p.platform() + reference
	if n.Alias != "" {
		from += " AS " + f.Alias.Text
	}
	lines = append(lines, strategy.Line{Rule: "multi-stage", Text: from, Why: n.Why})
	lines = append(lines, p.stageLines()...)
	anchor := f.From
	if n.At != nil {
		anchor = n.At.Instruction
	}
	p.insertLines(anchor, lines, "\n")
}

// platform repeats the --platform flag of the image that the final stage stood
// on: files that were built on one platform run on that one. A program that is
// cross-compiled runs on the target's.
func (p *Pass) platform() string {
	pl := strings.TrimSpace(p.finalRoot().Base.Platform)
	if pl == "" || p.New.Compiled && strings.Contains(pl, "BUILDPLATFORM") {
		return ""
	}
	return "--platform=" + pl + " "
}

// stageLines are the composed lines and the user of the new stage.
func (p *Pass) stageLines() []strategy.Line {
	lines := append([]strategy.Line(nil), p.New.Lines...)
	if l, ok := p.userOfNew(); ok {
		lines = append(lines, l)
	}
	return lines
}

// userOfNew is the USER of a new stage: the one that stays behind set it, or
// the image's own.
func (p *Pass) userOfNew() (strategy.Line, bool) {
	f := p.Final.Stage
	for _, st := range f.Steps {
		if st.Keyword == "USER" && !p.staysBehind(st) {
			return strategy.Line{}, false
		}
	}
	if p.Shape == strategy.ShapeRebase && hasUser(p) {
		return strategy.Line{}, false
	}
	u := p.New.Pick.Def.RunUser()
	why := fmt.Sprintf("the image runs as this user already (%s); written as a number Kubernetes can check runAsNonRoot", u.Name)
	spec := p.RunUser.Spec
	if f.End.User == "" && u.UID == 0 {
		return strategy.Line{}, false
	}
	if f.End.User != "" {
		why = fmt.Sprintf("the old final image ran as %s; USER does not cross stages", f.End.User)
		if p.RunUser.Root {
			why = "the file asks for root; that is kept"
		}
	}
	return strategy.Line{Rule: "nonroot-user", Text: "USER " + spec, Why: why}, true
}

func hasUser(p *Pass) bool {
	for _, st := range p.Final.Steps {
		if st.Keyword == "USER" {
			return true
		}
	}
	return false
}

// rebaseStage gives the final stage its own image and repeats what it
// inherited.
func (p *Pass) rebaseStage() {
	f, n := p.Final.Stage, p.New
	reference := p.newReference()
	p.writtenOut(reference)
	to := p.platform() + reference
	p.change(Finding{Rule: "base-image", Edits: []dockerfile.Edit{replace(f.Base.Word.Span, to)}, Lines: f.From.Lines, Before: f.Base.Word.Text, After: to, Why: sentence(n.Why)})
	lines := p.New.Lines
	anchor := f.From
	p.insertLines(anchor, lines, "")
	if l, ok := p.userOfNew(); ok {
		p.addUser(l.Why)
	}
}

// insertLines writes lines behind an instruction; neighbours of one rule and
// reason are one change.
func (p *Pass) insertLines(anchor *dockerfile.Instruction, lines []strategy.Line, lead string) {
	at := anchor.FullLines.End
	first := lead
	if at > 0 && p.File.Content[at-1] != '\n' {
		first = "\n" + lead
	}
	line := anchor.Lines[1]
	for i := 0; i < len(lines); {
		j := i
		var texts []string
		for j < len(lines) && (lines[j].Rule == lines[i].Rule && lines[j].Why == lines[i].Why || lines[i].Rule == "" && j == i+1) {
			texts = append(texts, lines[j].Comments+lines[j].Text)
			j++
		}
		l := lines[j-1]
		text := strings.Join(texts, "\n")
		end := "\n"
		if j == len(lines) {
			if p.File.Content[max(0, at-1)] != '\n' {
				end = ""
			}
		}
		p.change(Finding{Rule: l.Rule, Edits: []dockerfile.Edit{{Span: dockerfile.Span{Start: at, End: at}, New: first + text + end}},
			Lines: [2]int{line, line}, After: text, Why: sentence(l.Why)})
		first = ""
		i = j
	}
}
