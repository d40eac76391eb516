// Package rules turns a plan into edits with reasons: one rule per row of the
// migration guide, in its order. A rule never writes a file; it reports edits
// on byte spans, and the driver merges and applies them once.
package rules

import (
	"slices"
	"strings"
	"sync"
	"unicode"

	"dhibot/rewrite/dockerfile"
	"dhibot/rewrite/strategy"
)

// Rule is a row of the migration guide: words, and how it is applied.
type Rule struct {
	// ID is stable; reports, configuration and documentation use it.
	ID string
	// Title is the row's name, Note the sentence of the guide in our words.
	Title string
	Note  string
	// Before and After show the rule on a small example.
	Before, After string
	// URL is the page of Docker's documentation that it rests on.
	URL string
	// Run reports what the rule has to change and to say.
	Run func(*Pass)
}

// All are the rules in the order of the guide. They must not be changed.
func All() []*Rule { return slices.Clone(guide()) }

// guide makes the rules once; every migration walks through them.
var guide = sync.OnceValue(func() []*Rule {
	return []*Rule{baseImage(), packageManagement(), nonrootUser(), multiStage(), tlsCertificates(), ports(), entryPoint(), noShell()}
})

// Lookup finds a rule by its id.
func Lookup(id string) (*Rule, bool) {
	return find(guide(), id)
}

func find(all []*Rule, id string) (*Rule, bool) {
	for _, r := range all {
		if r.ID == id {
			return r, true
		}
	}
	return nil, false
}

// Pass is what a rule sees and where it reports.
type Pass struct {
	*strategy.Plan
	rule *Rule
	all  []*Rule

	Findings []Finding
	Checks   []Check
	Left     []Left
	Files    []File
	// MovedPorts are privileged ports and what takes their place.
	MovedPorts map[int]int
	// Err tells which references cannot be written as their target.
	Err map[*dockerfile.Reference]error
	// written is the reference of the final stage's root as it stands in FROM
	// afterwards, with its variables; "" when it does not change.
	written string
}

// Finding is a change: its edits belong together.
type Finding struct {
	Rule  string
	Edits []dockerfile.Edit
	Why   string
	// Lines are the lines of the file that it is about; zero takes those of
	// the edits.
	Lines [2]int
	// Before and After are what the reader sees; empty takes the edits' text.
	Before, After string
}

// Check is something a person has to do.
type Check struct {
	Rule  string
	After bool // due after the deployment
	Text  string
	Where []Where
}

// Where is a place in the repository; Path "" is the Dockerfile.
type Where struct {
	Path string
	Line int
}

// Left is something that was left alone.
type Left struct {
	Rule  string
	Lines [2]int
	What  string
	Why   string
}

// File is another file that changes.
type File struct {
	Path          string
	Before, After []byte
	Line          int
	Rule          string
	Old, New, Why string
}

// Run applies all rules to a plan. The plan is used up: rules that change
// instructions of a stage that is still to be written change the plan.
func Run(p *strategy.Plan) *Pass {
	all := guide()
	pass := &Pass{Plan: p, all: all}
	for _, r := range all {
		pass.rule = r
		if r.ID != "multi-stage" {
			r.Run(pass)
		}
	}
	// Last, because it writes the new stage as the other rules left it; the
	// changes come in the order of the file anyway.
	for _, r := range all {
		pass.rule = r
		if r.ID == "multi-stage" {
			r.Run(pass)
		}
	}
	pass.blocks()
	return pass
}

// change reports edits.
func (p *Pass) change(f Finding) {
	if f.Rule == "" {
		f.Rule = p.rule.ID
	}
	if p.Findings == nil {
		p.Findings = make([]Finding, 0, 8)
	}
	p.Findings = append(p.Findings, f)
}

// check reports a checklist item at lines of the Dockerfile.
func (p *Pass) check(text string, lines ...int) {
	c := Check{Rule: p.rule.ID, Text: text, Where: make([]Where, 0, len(lines))}
	for _, l := range lines {
		c.Where = append(c.Where, Where{Line: l})
	}
	p.Checks = append(p.Checks, c)
}

// after reports an item that is due after the deployment.
func (p *Pass) after(text string, lines ...int) {
	p.check(text, lines...)
	p.Checks[len(p.Checks)-1].After = true
}

func (p *Pass) left(l Left) {
	if l.Rule == "" {
		l.Rule = p.rule.ID
	}
	p.Left = append(p.Left, l)
}

// moved tells whether any image changes.
func (p *Pass) moved() bool {
	for _, s := range p.All {
		if s.Pick != nil {
			return true
		}
	}
	return p.New != nil
}

// replace is an edit of an instruction's own text: indentation, comments above
// and line ending stay.
func replace(span dockerfile.Span, text string) dockerfile.Edit {
	return dockerfile.Edit{Span: span, New: text}
}

// reference is the name of a pick under the user's naming.
func (p *Pass) reference(image, tag string) string {
	return p.Naming.Repository(image) + ":" + tag
}

func quote(s string) string {
	if strings.ContainsFunc(s, unicode.IsSpace) {
		s = strings.Join(strings.Fields(s), " ")
	}
	if len(s) > 120 {
		if r := []rune(s); len(r) > 120 {
			s = string(r[:117]) + "..."
		}
	}
	return "`" + strings.ReplaceAll(s, "`", "'") + "`"
}
