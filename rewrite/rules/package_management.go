package rules

import (
	"fmt"
	"path"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/dockerfile"
	"dhibot/rewrite/strategy"
)

func packageManagement() *Rule {
	return &Rule{
		ID:    "package-management",
		Title: "Package management",
		Note: "Runtime images have no package manager. Packages are installed in a build stage on a dev image, and what the program needs is copied from there. " +
			"Programs that the old image brought and the dev image lacks are installed first.",
		Before: "FROM python:3.12\nRUN pip install -r requirements.txt",
		After:  "FROM dhi.io/python:3.12-debian13-dev AS builder\nRUN python3 -m venv /opt/venv\nENV PATH=\"/opt/venv/bin:$PATH\"\nRUN pip install -r requirements.txt\nFROM dhi.io/python:3.12-debian13\nCOPY --from=builder /opt/venv /opt/venv",
		URL:    "https://docs.docker.com/dhi/how-to/troubleshoot/#no-package-manager",
		Run: func(p *Pass) {
			if !p.moved() {
				return
			}
			p.inserts()
			p.drops()
			p.replaced()
			p.pieces()
			p.notes()
		},
	}
}

// pieces writes the parts of instructions that get another text; those of one
// instruction and reason are one change.
func (p *Pass) pieces() {
	for i := 0; i < len(p.Pieces); {
		first := p.Pieces[i]
		var edits []dockerfile.Edit
		for ; i < len(p.Pieces) && p.Pieces[i].Step == first.Step && p.Pieces[i].Why == first.Why; i++ {
			edits = append(edits, replace(p.Pieces[i].Span, p.Pieces[i].New))
		}
		p.change(Finding{Rule: first.Rule, Edits: edits, Lines: first.Step.Lines, Why: sentence(first.Why)})
	}
}

// replaced writes the instructions that the plan gives another text.
func (p *Pass) replaced() {
	for _, r := range p.Replaced {
		if r.Rule == p.rule.ID {
			p.change(Finding{Edits: []dockerfile.Edit{replace(r.Step.Span, r.Text)}, Lines: r.Step.Lines, Why: sentence(r.Why)})
		}
	}
}

// drops removes the instructions that this rule takes away. Those that move to
// the new stage are removed by it as well, under the rule that moves them.
func (p *Pass) drops() {
	for _, d := range p.Drops {
		if d.Rule != p.rule.ID {
			continue
		}
		cut := p.File.Remove(d.Step.Instruction)
		if d.Moved {
			cut = p.File.RemoveBlock(d.Step.Instruction)
		}
		p.change(Finding{Edits: []dockerfile.Edit{cut}, Lines: d.Step.Lines,
			Before: p.File.Text(d.Step.Span), Why: sentence(d.Why)})
	}
}

// notes reports the plan's notes of this rule.
func (p *Pass) notes() {
	for _, n := range p.Notes {
		if n.Rule != p.rule.ID {
			continue
		}
		p.Checks = append(p.Checks, Check{Rule: n.Rule, After: n.After, Text: n.Text, Where: []Where{{Path: n.Path, Line: n.Line}}})
	}
}

// blocks says what keeps the final stage on a dev image.
func (p *Pass) blocks() {
	if p.Shape != strategy.ShapeDev {
		return
	}
	for _, b := range p.Blocks {
		p.Checks = append(p.Checks, Check{Rule: b.Rule, Text: "Not hardened yet: " + strings.TrimSuffix(b.Text, ".") + ".", Where: []Where{{Path: b.Path, Line: b.Line}}})
	}
	p.onTheWay()
}

// onTheWay names what else will have to change before the final stage can be a
// runtime image: it works on the dev image and is easily forgotten.
func (p *Pass) onTheWay() {
	add := func(rule, text string, line int) {
		p.Checks = append(p.Checks, Check{Rule: rule, Text: "Later, on a runtime image: " + text, Where: []Where{{Line: line}}})
	}
	end := p.Final.End
	if h := end.Health; h != nil && !end.HealthNone && !h.JSON {
		add("no-shell", "the health check needs another form, without a shell, curl or wget.", h.Lines[0])
	}
	for _, port := range end.Ports {
		if port.Step != nil && port.Number > 0 && port.Number < 1024 {
			add("ports", fmt.Sprintf("port %d must become one above 1024, because the image runs as an unprivileged user.", port.Number), port.Step.Lines[0])
		}
	}
	for _, st := range p.Final.ChainSteps() {
		if st.Run != nil && st.Run.Script != nil && len(st.Run.Script.Accounts()) > 0 {
			add("nonroot-user", "accounts cannot be made; the image brings its own user.", st.Lines[0])
		}
	}
	for _, c := range []assess.Command{end.Entrypoint, end.Cmd} {
		if c.Step == nil || len(c.Argv) == 0 {
			continue
		}
		switch name := path.Base(c.Argv[0]); name {
		case "tini", "dumb-init", "gosu", "su-exec":
			add("entry-point", name+" must be copied from a build stage or left out.", c.Step.Lines[0])
		}
	}
}
