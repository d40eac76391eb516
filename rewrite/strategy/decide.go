package strategy

import (
	"fmt"
	"regexp"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
)

// decider carries the state of one decision.
type decider struct {
	*Plan
	chooser *chooser
	// npm is a globally installed program that starts the container; nil for
	// none.
	npm *npmGlobal
}

// Decide decides what becomes of every stage. It always gives a plan; a plan
// without a pick changes nothing and says why.
func Decide(in Input) *Plan {
	p := &Plan{Input: in, Shape: ShapeNone}
	d := &decider{Plan: p}
	d.chooser = p.chooser()
	p.Held = d.chooser.held
	stages := make([]Stage, len(in.Stages.All))
	p.All = make([]*Stage, len(stages))
	for i, s := range in.Stages.All {
		stages[i].Stage = s
		p.All[i] = &stages[i]
	}
	p.Final = p.All[in.Stages.Final.Index]
	d.origins()
	d.final()
	d.builders()
	if d.inconsistent() {
		d.builders()
	}
	d.stranded()
	d.fill()
	return p
}

// root is the plan of the stage at the start of the chain.
func (d *decider) root(s *assess.Stage) *Stage { return d.All[s.Root().Index] }

// origins marks the roots that cannot move or have moved already.
func (d *decider) origins() {
	for _, s := range d.All {
		if s.Parent != nil {
			continue
		}
		if s.Origin != nil && s.Origin.Hardened {
			s.Already = true
			continue
		}
		if s.Left = d.origin(s.Stage); s.Left == nil {
			s.Left = d.Keep[s.Stage]
		}
		if s.Left == nil {
			s.Left = platformTag(s.Stage)
		}
		if s.Left == nil {
			s.Left = d.builtWith(s)
		}
	}
}

// architectureVariable finds a variable in a tag that names a platform.
var architectureVariable = regexp.MustCompile(`:[^/]*\$\{?[A-Za-z_]*(ARCH|PLATFORM)[A-Za-z_]*`)

// platformTag refuses a tag that takes the platform from a variable: DHI's tags
// name none, and no other word can take the variable's place.
func platformTag(s *assess.Stage) *Block {
	if s.Base == nil || !strings.Contains(s.Base.Word.Text, "$") || !architectureVariable.MatchString(strings.ToUpper(s.Base.Word.Text)) {
		return nil
	}
	return &Block{Rule: "base-image", Code: "variable-reference", Line: s.From.Lines[0],
		Text: fmt.Sprintf("the tag of %s takes the platform from a variable; DHI's images are for several platforms and their tags name none", s.Base.Word.Text)}
}

// final decides the shape of the final stage.
func (d *decider) final() {
	f := d.Final
	root := d.root(f.Stage)
	if root.Left != nil || root.Already {
		return
	}
	ch, left := d.chooser.choose(root.Stage, catalog.NeedBoth)
	if ch == nil {
		ch, left = d.chooser.choose(root.Stage, catalog.NeedRuntime)
	}
	if ch == nil {
		if dev, _ := d.chooser.choose(root.Stage, catalog.NeedDev); dev != nil {
			ch, left = dev, nil
		}
	}
	if ch == nil {
		root.Left = left
		return
	}
	root.Choice = ch
	if !d.runtime(root, ch) {
		d.dev(root, ch)
	}
}

// treeFits checks every stage of the tree against the dev image.
func (d *decider) treeFits(root *Stage, ch *catalog.Choice, def *catalog.Definition) *Block {
	for _, s := range d.Stages.Tree(root.Stage) {
		if b := d.fits(s, ch, def); b != nil {
			return b
		}
		if startsItself(s) && s != d.Final.Stage {
			if _, b := d.devStart(s, def); b != nil {
				return b
			}
		}
	}
	return d.fpmTargets(root.Stage, def)
}

// startsItself tells whether a stage has a start command of its own: it may be
// a target that people build and run.
func startsItself(s *assess.Stage) bool {
	return s.End.Cmd.Step != nil && s.End.Cmd.Step.Stage == s || s.End.Entrypoint.Step != nil && s.End.Entrypoint.Step.Stage == s
}

func (d *decider) devWhy(root *Stage) string {
	for _, s := range d.Stages.Tree(root.Stage) {
		for _, st := range s.Steps {
			if st.Run != nil {
				what := "a command"
				if st.Run.Script != nil {
					if programs := st.Run.Script.Programs(); len(programs) > 0 {
						what = programs[0]
					}
				}
				return fmt.Sprintf("line %d runs %s: that needs a shell, and only the dev image has one", st.Lines[0], what)
			}
		}
	}
	return "it is built in: only the dev image has a shell and a package manager"
}

// isDropped tells whether a step goes away.
func (p *Plan) isDropped(st *assess.Step) bool {
	for _, d := range p.Drops {
		if d.Step == st {
			return true
		}
	}
	return false
}

// Goes tells whether an instruction is dropped or written anew, so that no
// other rule may edit it.
func (p *Plan) Goes(st *assess.Step) bool {
	for _, r := range p.Replaced {
		if r.Step == st {
			return true
		}
	}
	return p.isDropped(st)
}
