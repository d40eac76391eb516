package bot

import (
	"context"
	"errors"
	"slices"
	"strings"

	"dhibot/bot/body"
	"dhibot/bot/config"
	"dhibot/bot/plan"
)

// sorter sorts what is in a repository into groups.
type sorter struct {
	*job
	view   *view
	ask    plan.Ask
	branch string
	pulls  []plan.Pull
	states map[plan.Group]plan.State
	exact  map[plan.Group]bool // the state was asked for, beyond what the pull requests tell
}

// state is what is known of a group: all there is to know when one pull request
// holds everything or when the group has an open one; otherwise what the list of
// pull requests tells, which is enough for most groups of a large repository.
func (s *sorter) state(ctx context.Context, g plan.Group) (plan.State, error) {
	if known, ok := s.states[g]; ok {
		return known, nil
	}
	p := plan.Newest(s.pulls, g)
	if g.Whole() || p != nil && p.Open {
		return s.look(ctx, g)
	}
	known := plan.State{Ask: s.ask, Group: g, Repository: s.facts(s.view), Base: s.view.base, Pull: p}
	s.states[g] = known
	return known, nil
}

// look asks GitHub for the state of a group.
func (s *sorter) look(ctx context.Context, g plan.Group) (plan.State, error) {
	if s.exact[g] {
		return s.states[g], nil
	}
	known, err := s.job.state(ctx, s.view, g)
	if err != nil {
		return known, err
	}
	known.Ask = s.ask
	s.states[g], s.exact[g] = known, true
	return known, nil
}

// retire decides about pull requests of groups that the settings do not make any
// more. Those that are closed count as closed for all that follows.
func (s *sorter) retire(ctx context.Context) ([]*done, error) {
	var parts []*done
	for _, p := range plan.Retired(s.pulls, s.view.config.Group) {
		if s.branch != "" && s.branch != p.Branch {
			continue
		}
		g, _ := plan.ParseGroup(p.Marker.Group)
		state, err := s.look(ctx, g)
		if err != nil {
			return nil, err
		}
		if state.Pull == nil || !state.Pull.Open {
			continue
		}
		d := &done{view: s.view, state: state, plan: plan.Regroup(state, s.view.config)}
		d.scope = plan.ScopeOf(plan.Ask{Kind: plan.Rebase}, state.Pull, nil)
		parts = append(parts, d)
		if d.plan.Reason == plan.Regrouped && !d.plan.Refused {
			i := slices.IndexFunc(s.pulls, func(q plan.Pull) bool { return q.Number == p.Number })
			s.pulls[i].Open, s.pulls[i].Marker.Closed = false, true
		}
	}
	return parts, nil
}

// scope is what a group's proposal covers, and whether the engine has to look.
func (s *sorter) scope(ctx context.Context, g plan.Group) (plan.Scope, bool, error) {
	state, err := s.state(ctx, g)
	if err != nil {
		return plan.Scope{}, false, err
	}
	if s.branch != "" && g.Branch() != s.branch {
		// Not asked about; it is looked at so that files which Dockerfiles of
		// several groups share are seen in the same way as ever.
		state.Ask = plan.Ask{Kind: plan.Rebase}
	}
	return plan.ScopeOf(state.Ask, state.Pull, plan.Inherited(s.pulls, g)), plan.Looks(state, s.view.config), nil
}

// sort runs the engine and puts what comes out into groups.
func (s *sorter) sort(ctx context.Context, d *decision) error {
	proposal, looked, err := s.everything(ctx)
	if err != nil {
		return err
	}
	groups := s.groups(proposal)
	if s.branch != "" && !slices.ContainsFunc(groups, func(g plan.Group) bool { return g.Branch() == s.branch }) {
		d.parts = append(d.parts, &done{view: s.view, state: plan.State{Ask: s.ask, Repository: s.facts(s.view), Base: s.view.base},
			plan: plan.Plan{Reason: plan.Regrouped, Refused: true, Reply: plan.ReplyGone()}})
		return nil
	}
	if len(groups) == 0 && len(d.parts) == 0 {
		groups = []plan.Group{{}}
	}
	for _, g := range groups {
		p, err := s.part(ctx, g, proposal)
		if err != nil {
			return err
		}
		if s.ask.Kind == plan.Migrate && looked {
			p.state.Unmatched = unmatched(s.ask.Paths, proposal.all)
		}
		s.states[g] = p.state
		d.parts = append(d.parts, p)
	}
	for _, passed := range proposal.passed {
		if !slices.ContainsFunc(d.parts, func(p *done) bool { return p.state.Group.Has(passed.Path) }) {
			d.rest = append(d.rest, passed)
		}
	}
	return nil
}

// everything is what the engine and the registries say about the Dockerfiles of
// all groups; looked tells whether they were asked.
func (s *sorter) everything(ctx context.Context) (p proposal, looked bool, err error) {
	if may, err := s.mayLook(ctx); err != nil || !may {
		return proposal{}, false, err
	}
	var failed error
	p, err = s.propose(ctx, s.view, func(dockerfile string) (plan.Scope, string, bool) {
		g := plan.GroupOf(s.view.config.Group, dockerfile)
		scope, looks, err := s.scope(ctx, g)
		if err != nil {
			failed = errors.Join(failed, err)
			return scope, "", false
		}
		return scope, plan.Elsewhere(s.pulls, g, dockerfile, s.ask.Again), looks && scope.Covers(dockerfile)
	})
	if err := errors.Join(failed, err); err != nil {
		return proposal{}, false, err
	}
	err = s.confirm(ctx, s.view, &p, !s.ask.Preview)
	return p, true, err
}

// part is what of it belongs to a group.
func (s *sorter) part(ctx context.Context, g plan.Group, all proposal) (*done, error) {
	state, err := s.state(ctx, g)
	if err != nil {
		return nil, err
	}
	p := &done{view: s.view, state: state}
	p.proposal.asked, p.proposal.unasked = all.asked, all.unasked
	if p.scope, _, err = s.scope(ctx, g); err != nil {
		return nil, err
	}
	for _, r := range all.results {
		if g.Has(r.Path) {
			p.proposal.results = append(p.proposal.results, r)
		}
	}
	for _, passed := range all.passed {
		if g.Has(passed.Path) {
			p.proposal.passed = append(p.proposal.passed, passed)
		}
	}
	if _, err := s.deps.Keys.Write(s.marker(p, s.view.base, s.view.base)); errors.Is(err, body.ErrTooLong) {
		p.state.TooMuch = true
	}
	p.state.Passed = p.proposal.passed
	return p, nil
}

// mayLook tells whether the engine has to look at all. With one pull request for
// everything that is known before; with more of them the Dockerfiles have to be
// found first.
func (s *sorter) mayLook(ctx context.Context) (bool, error) {
	switch {
	case s.view.base == "":
		return false, nil
	case s.view.config.Group != config.ByRepository:
		return plan.Able(plan.State{Ask: s.ask, Repository: s.facts(s.view), Base: s.view.base}, s.view.config), nil
	}
	_, looks, err := s.scope(ctx, plan.Group{})
	return looks, err
}

// groups are the groups that the request is about, in order: those with
// Dockerfiles and those with an open pull request. When there are none it is
// about the repository as a whole, in which there is nothing to do then.
func (s *sorter) groups(p proposal) []plan.Group {
	by := s.view.config.Group
	var list []plan.Group
	add := func(g plan.Group) {
		if !slices.Contains(list, g) && (s.branch == "" || g.Branch() == s.branch) {
			list = append(list, g)
		}
	}
	if none := unmatched(s.ask.Paths, p.all); by == config.ByRepository || s.ask.Kind == plan.Migrate && len(none) > 0 {
		return []plan.Group{{}}
	}
	for _, dockerfile := range p.taken {
		if s.wants(dockerfile) {
			add(plan.GroupOf(by, dockerfile))
		}
	}
	for _, pull := range s.pulls {
		if g, ok := plan.ParseGroup(pull.Marker.Group); ok && pull.Open && g.By == by && g.Branch() == pull.Branch && s.ask.Paths == nil {
			add(g)
		}
	}
	slices.SortFunc(list, func(a, b plan.Group) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// wants tells whether a request names a Dockerfile, or names none.
func (s *sorter) wants(dockerfile string) bool {
	if len(s.ask.Paths) == 0 || s.ask.Kind != plan.Migrate && s.ask.Kind != plan.Next {
		return true
	}
	_, ok := config.Match(s.ask.Paths, dockerfile)
	return ok
}

// choose decides for every group, and who may open a pull request now. Only of
// those GitHub is asked for more than the list of pull requests tells.
func (s *sorter) choose(ctx context.Context, d *decision) error {
	plans := make([]plan.Plan, len(d.parts))
	decide := func(i int) {
		p := d.parts[i]
		if p.plan.Reason == plan.Regrouped {
			plans[i] = p.plan
			return
		}
		plans[i] = plan.Decide(p.state, s.view.config, p.proposal.results)
	}
	open := 0
	for _, p := range s.pulls {
		if p.Open {
			open++
		}
	}
	for _, p := range d.parts {
		if p.plan.Reason == plan.Regrouped && !p.plan.Refused {
			open++ // still, until its plan is carried out
		}
	}
	for i := range d.parts {
		decide(i)
	}
	var chosen []plan.Plan
	for again := true; again; {
		again = false
		most := s.view.config.MaxOpen
		if s.ask.Kind == plan.Turn {
			most = min(most, open+1) // a place in the organisation's budget is one pull request
		}
		chosen = plan.Select(plans, open, most)
		for i, p := range d.parts {
			if g := p.state.Group; len(chosen[i].Actions) > 0 && !s.exact[g] {
				known, err := s.look(ctx, g)
				if err != nil {
					return err
				}
				known.Passed, known.TooMuch, known.Unmatched = p.state.Passed, p.state.TooMuch, p.state.Unmatched
				p.state = known
				decide(i)
				again = true
				break
			}
		}
	}
	for i, p := range d.parts {
		p.plan = chosen[i]
	}
	if more := d.waiting() > 0; more && (s.ask.Kind == plan.Migrate || s.ask.Kind == plan.Next) {
		for _, p := range d.parts {
			p.more = p.plan.Reason == plan.Opens
		}
	}
	return nil
}
