package rewrite

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
	"dhibot/rewrite/dockerfile"
	"dhibot/rewrite/project"
	"dhibot/rewrite/rules"
	"dhibot/rewrite/strategy"
)

// Migrate moves a Dockerfile to Docker Hardened Images. The result always
// exists when the error is nil; a Dockerfile that cannot be processed is a
// Failed or Skipped result, not an error. The error is the context's, or that
// the embedded catalog cannot be read.
//
// The steps: parse, assess every stage, decide on a strategy, let the rules
// report edits, merge and apply them once, prove the result.
func Migrate(ctx context.Context, in Input) (*Result, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("migrating %s: %w", in.Path, err)
	}
	cat := in.Options.Catalog
	if cat == nil {
		c, err := catalog.Default()
		if err != nil {
			return nil, fmt.Errorf("reading the embedded catalog: %w", err)
		}
		cat = c
	}
	r := &Result{Path: in.Path, Before: in.Content, After: in.Content, Catalog: cat.Source().Date}
	f, err := dockerfile.Parse(in.Content)
	if err != nil {
		r.refuse(err)
		return r, nil
	}
	return migrate(ctx, in, cat, f, nil, r)
}

// migrate is Migrate of a file that was read. earlier is what was made out of it
// in another state, nil for nothing.
func migrate(ctx context.Context, in Input, cat *catalog.Catalog, f *dockerfile.File, earlier *assess.Stages, r *Result) (*Result, error) {
	if reason, line, ok := ignored(f); ok {
		r.Outcome, r.Code, r.Reason, r.Line = Skipped, CodeIgnored, reason, line
		return r, nil
	}
	if b := f.Broken(); b != nil && b.Code != dockerfile.CodeSyntax {
		r.refuse(b)
		return r, nil
	} else if b != nil {
		r.Outcome, r.Code, r.Reason, r.Line = Failed, CodeSyntax, "BuildKit refuses it: "+b.Msg, b.Line
		return r, nil
	}
	m := &migration{in: in, file: f, catalog: cat, result: r}
	m.run(ctx, earlier)
	if err := ctx.Err(); err != nil { // what was made of it may be half of it
		return nil, fmt.Errorf("migrating %s: %w", in.Path, err)
	}
	return r, nil
}

// migration is one run of the engine.
type migration struct {
	in      Input
	file    *dockerfile.File
	catalog *catalog.Catalog
	stages  *assess.Stages
	result  *Result
}

func (m *migration) run(ctx context.Context, earlier *assess.Stages) {
	stages := assess.Read(m.file, m.catalog, m.in.Options.Images, earlier)
	m.stages = stages
	input := strategy.Input{
		File: m.file, Stages: stages, Catalog: m.catalog, Naming: m.in.Options.Naming,
		Distro: m.in.Options.Distro, Missing: m.in.Options.MissingVersion,
		SkipWhenDev: m.in.Options.RuntimeNeedsShell == ShellSkip, Images: m.in.Options.Images,
		Path: m.in.Path, Keep: map[*assess.Stage]*strategy.Block{},
	}
	if m.in.FS != nil {
		input.Project = project.Open(m.in.FS, m.in.Path, copySources(stages))
	}
	var plan *strategy.Plan
	var pass *rules.Pass
	// A reference that cannot be written as its target stays, which may change
	// what is right for the others; every round keeps at least one more stage.
	for range len(stages.All) + 1 {
		plan = strategy.Decide(input)
		pass = rules.Run(plan)
		if len(pass.Err) == 0 {
			break
		}
		for _, s := range stages.All {
			if err := pass.Err[s.Base]; err != nil && s.Parent == nil {
				input.Keep[s] = &strategy.Block{Rule: "base-image", Code: "variable-reference", Text: err.Error(), Line: s.From.Lines[0]}
			}
		}
	}
	m.finish(ctx, plan, pass)
}

// finish applies the edits and fills the result.
func (m *migration) finish(ctx context.Context, plan *strategy.Plan, pass *rules.Pass) {
	r := m.result
	m.outcome(plan)
	var edits []dockerfile.Edit
	if r.Outcome == Hardened || r.Outcome == Dev || r.Outcome == Partial {
		n := 0
		for _, f := range pass.Findings {
			n += len(f.Edits)
		}
		edits = make([]dockerfile.Edit, 0, n)
		for i, f := range pass.Findings {
			for _, e := range f.Edits {
				e.Tag = i
				edits = append(edits, e)
			}
		}
	}
	edits = dockerfile.InOrder(edits)
	for _, l := range pass.Left {
		r.LeftAlone = append(r.LeftAlone, LeftAlone{Rule: l.Rule, Lines: l.Lines, What: l.What, Why: l.Why})
	}
	if len(edits) == 0 {
		return
	}
	after, err := m.file.Apply(edits)
	if err != nil {
		m.fail("edits", err)
		return
	}
	r.After = after
	for _, fc := range pass.Files {
		r.Files = append(r.Files, FileChange{Path: fc.Path, Before: fc.Before, After: fc.After,
			Changes: []Change{{Rule: fc.Rule, Lines: [2]int{fc.Line, fc.Line}, NewLines: [2]int{fc.Line, fc.Line}, Before: fc.Old, After: fc.New, Why: fc.Why, Docs: page(fc.Rule)}}})
	}
	m.changes(pass.Findings, edits)
	m.checklist(pass)
	m.stageList(plan)
	m.ports(pass)
	if bytes.Equal(after, r.Before) && len(r.Files) == 0 {
		m.fail("edits", errors.New("the edits change nothing"))
		return
	}
	if m.in.Options.SkipVerify {
		return
	}
	read, err := dockerfile.ParseWithBuildKit(after)
	if err != nil {
		m.fail("verify", fmt.Errorf("BuildKit does not read the result: %w", err))
		return
	}
	if err := m.prove(ctx, edits, read); err != nil {
		m.fail("verify", err)
		return
	}
	if err := m.settled(ctx, read); err != nil {
		m.fail("again", err)
		return
	}
	r.Verified = true
}

// fail turns the result into Failed: the file stays, and it counts as our bug.
func (m *migration) fail(rule string, err error) {
	r := m.result
	*r = Result{Path: r.Path, Before: r.Before, After: r.Before, Catalog: r.Catalog, Outcome: Failed, Code: CodeInternal,
		Reason: fmt.Sprintf("the migration did not hold up (%s): %v. The file was left as it is; please report this", rule, err)}
}

// outcome says how far the file came, and why not further.
func (m *migration) outcome(p *strategy.Plan) {
	r := m.result
	some, already := false, false
	for _, s := range p.All {
		some = some || s.Pick != nil
		already = already || s.Already
	}
	root := finalRoot(p)
	switch {
	case p.Shape == strategy.ShapeDev:
		r.Outcome = Dev
		r.because(p.Blocks)
	case p.Shape != strategy.ShapeNone && root.Pick != nil:
		r.Outcome = Hardened
	case some && root.Already:
		r.Outcome = Hardened
		if root.Choice == nil && alreadyDev(m.catalog, root) {
			r.Outcome = Dev
			r.Code, r.Reason = CodeAlready, "the final stage is on a dev image already"
		}
	case some:
		r.Outcome = Partial
		if root.Left != nil {
			r.because([]strategy.Block{*root.Left})
		}
	case already:
		r.Outcome, r.Code, r.Reason = Already, CodeAlready, "it is on Docker Hardened Images"
	default:
		r.Outcome = Skipped
		if root.Left != nil {
			r.because([]strategy.Block{*root.Left})
		} else {
			for _, s := range p.All {
				if s.Left != nil {
					r.because([]strategy.Block{*s.Left})
				}
			}
		}
	}
}

func alreadyDev(c *catalog.Catalog, root *strategy.Stage) bool {
	def, ok := c.Lookup(root.Origin.Image, root.Origin.Tag)
	return ok && def.Build()
}

func finalRoot(p *strategy.Plan) *strategy.Stage {
	for _, s := range p.All {
		if s.Stage == p.Final.Stage.Root() {
			return s
		}
	}
	return p.Final
}

// because takes the reason from blocks, the first one first.
func (r *Result) because(blocks []strategy.Block) {
	if len(blocks) == 0 {
		return
	}
	r.Code, r.Line = ReasonCode(blocks[0].Code), blocks[0].Line
	if blocks[0].Path != "" {
		r.Line = 0
	}
	const most = 6
	var texts []string
	for i, b := range blocks {
		if i == most {
			texts = append(texts, fmt.Sprintf("and %d more", len(blocks)-most))
			break
		}
		switch {
		case b.Path != "":
			texts = append(texts, fmt.Sprintf("%s:%d: %s", b.Path, b.Line, b.Text))
		case i == 0:
			// Line says where.
			texts = append(texts, b.Text)
		default:
			texts = append(texts, fmt.Sprintf("line %d: %s", b.Line, b.Text))
		}
	}
	r.Reason = strings.Join(texts, "; ")
}

// refuse words a parse error.
func (r *Result) refuse(err error) {
	var e *dockerfile.Error
	if !errors.As(err, &e) {
		r.Outcome, r.Code, r.Reason = Failed, CodeSyntax, err.Error()
		return
	}
	r.Code, r.Reason, r.Line = ReasonCode(e.Code), e.Error(), e.Line
	r.Outcome = Failed
	switch e.Code {
	case dockerfile.CodeTemplate, dockerfile.CodeBinary:
		r.Outcome = Skipped
	}
}

// changes words every finding as a change with its lines. A finding that edits
// two places, such as FROM and the ARG that it takes its version from, becomes
// a change for each, so that every changed line is somebody's.
func (m *migration) changes(findings []rules.Finding, edits []dockerfile.Edit) {
	type placed struct{ start, at int }
	shift := newShift(m.file, edits)
	m.result.Regions = shift.regions
	var space [16]Change
	var room [16]placed
	list, order := space[:0], room[:0]
	add := func(start int, c Change) {
		order = append(order, placed{start, len(list)})
		list = append(list, c)
	}
	apart := map[dockerfile.Span]bool{}
	for i, f := range findings {
		if len(f.Edits) == 0 {
			continue
		}
		c := Change{Rule: f.Rule, Lines: f.Lines, Before: f.Before, After: f.After, Why: f.Why, Docs: page(f.Rule)}
		if c.Lines[0] == 0 {
			first, last := f.Edits[0].Span, f.Edits[len(f.Edits)-1].Span
			c.Lines = [2]int{m.file.Line(first.Start), m.file.Line(max(first.Start, last.End-1))}
		}
		var far []dockerfile.Edit
		for _, e := range f.Edits {
			lines := shift.removed(e)
			switch {
			case lines[0] == 0:
			case lines[0] > c.Lines[1]+1 || lines[1] < c.Lines[0]-1:
				far = append(far, e)
			default:
				// Comments and blank lines that go with an instruction.
				c.Lines = [2]int{min(c.Lines[0], lines[0]), max(c.Lines[1], lines[1])}
			}
		}
		if len(far) == len(f.Edits) {
			// The instruction reads as before; what it takes from another does not.
			c.Lines, far = shift.removed(far[0]), far[1:]
			apart[f.Edits[0].Span] = true
		}
		c.NewLines = shift.lines(func(e *dockerfile.Edit) bool { return e.Tag == i && !slices.Contains(far, withTag(*e, 0)) })
		add(f.Edits[0].Span.Start, c)
		from := f.Lines[0]
		for _, e := range far {
			if apart[e.Span] {
				continue
			}
			apart[e.Span] = true
			add(e.Span.Start, Change{Rule: f.Rule, Lines: shift.removed(e), Before: m.file.Text(e.Span), After: e.New,
				NewLines: shift.lines(func(o *dockerfile.Edit) bool { return o.Span == e.Span }),
				Why:      fmt.Sprintf("line %d takes this value: %s", from, f.Why), Docs: page(f.Rule)})
		}
	}
	slices.SortStableFunc(order, func(a, b placed) int { return cmp.Compare(a.start, b.start) })
	m.result.Changes = make([]Change, len(list))
	for i, p := range order {
		m.result.Changes[i] = list[p.at]
	}
}

func withTag(e dockerfile.Edit, tag int) dockerfile.Edit {
	e.Tag = tag
	return e
}

// checklist words the checks, those before the merge first.
func (m *migration) checklist(pass *rules.Pass) {
	if len(pass.Checks) > 0 {
		m.result.Checklist = make([]Item, 0, len(pass.Checks))
	}
	for _, c := range pass.Checks {
		item := Item{Rule: c.Rule, When: BeforeMerge, Text: c.Text}
		if c.After {
			item.When = AfterDeploy
		}
		item.Evidence = slices.Grow(item.Evidence, len(c.Where))
		for _, w := range c.Where {
			p := w.Path
			if p == "" {
				p = m.in.Path
			}
			item.Evidence = append(item.Evidence, Evidence{Path: p, Line: w.Line})
		}
		if i := slices.IndexFunc(m.result.Checklist, func(have Item) bool { return have.Text == c.Text }); i >= 0 {
			have := &m.result.Checklist[i].Evidence
			for _, e := range item.Evidence {
				if !slices.Contains(*have, e) {
					*have = append(*have, e)
				}
			}
			continue
		}
		m.result.Checklist = append(m.result.Checklist, item)
	}
	rank := func(i Item) int {
		if i.When == AfterDeploy {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(m.result.Checklist, func(a, b Item) int { return rank(a) - rank(b) })
}

// ports lists what the final image exposes.
func (m *migration) ports(pass *rules.Pass) {
	if pass.Final == nil {
		return
	}
	for _, p := range pass.Final.End.Ports {
		n := p.Number
		switch moved := pass.MovedPorts[n]; {
		case moved != 0:
			n = moved
		case p.Step == nil:
			continue // of the old image
		}
		if n > 0 && !slices.Contains(m.result.Ports, n) {
			m.result.Ports = append(m.result.Ports, n)
		}
	}
}

// stageList lists the stages of the result.
func (m *migration) stageList(p *strategy.Plan) {
	m.result.Stages = make([]Stage, 0, len(p.All)+1)
	name := func(image, tag string) string { return m.in.Options.Naming.Repository(image) + ":" + tag }
	for _, s := range p.All {
		st := Stage{Line: s.From.Lines[0], Name: s.Name, From: s.Base.Resolved, To: s.Base.Resolved, Role: RoleBuild, User: s.End.EffectiveUser()}
		if s.Parent == nil && s.Pick != nil {
			st.To = name(s.Pick.Def.Image, s.Pick.Tag)
		}
		if len(s.Children) > 0 {
			st.Role = RoleBase
		}
		if s == p.Final {
			switch p.Shape {
			case strategy.ShapeSplit:
				st.Name = p.New.BuildAlias
			case strategy.ShapeRebase:
				st.To, st.Role, st.Final, st.User = name(p.New.Pick.Def.Image, p.New.Pick.Tag), RoleRuntime, true, p.RunUser.Spec
			default:
				st.Role, st.Final = RoleRuntime, true
				if p.Shape == strategy.ShapeInPlace {
					st.User = p.RunUser.Spec
				}
			}
		}
		m.result.Stages = append(m.result.Stages, st)
	}
	if p.Shape == strategy.ShapeSplit {
		m.result.Stages = append(m.result.Stages, Stage{Name: p.New.Alias, To: name(p.New.Pick.Def.Image, p.New.Pick.Tag), Role: RoleRuntime, Final: true, User: p.RunUser.Spec})
	}
}

// copySources are what the COPY instructions take from the build context.
func copySources(s *assess.Stages) []string {
	var out []string
	for _, t := range s.All {
		for _, st := range t.Steps {
			if st.Copy != nil && st.Copy.From == "" && !st.Copy.Inline {
				out = append(out, st.Copy.Sources...)
			}
		}
	}
	return out
}

// page is the documentation page of a rule.
func page(id string) string {
	r, ok := rules.Lookup(id)
	if !ok {
		return ""
	}
	return r.URL
}
