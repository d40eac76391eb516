package bot

import (
	"context"
	"errors"
	"slices"

	"dhibot/bot/githubapi"
	"dhibot/bot/plan"

	"github.com/rs/zerolog"
)

// errMoved tells that GitHub changed between looking and acting.
var errMoved = errors.New("the repository changed meanwhile")

// attempts is how often a decision is made anew when the repository changes
// under it. After that the inbox tries again later.
const attempts = 3

// done is what became of a request in one group.
type done struct {
	plan     plan.Plan
	state    plan.State
	scope    plan.Scope
	proposal proposal
	view     *view
	more     bool   // others wait for their turn
	opened   int    // number of the pull request, when one was opened
	head     string // of our branch in the end
}

// fulfil looks, decides and acts; branch restricts it to the group of one pull
// request, "" is all of them.
func (j *job) fulfil(ctx context.Context, ask plan.Ask, branch string) (*decision, error) {
	var err error
	for range attempts {
		var d *decision
		if d, err = j.decide(ctx, ask, branch); err != nil {
			return nil, err
		}
		if err = j.carryOut(ctx, d); err == nil || !moved(err) {
			return d, err
		}
		zerolog.Ctx(ctx).Info().Err(err).Msg("looking again")
	}
	return nil, err
}

// carryOut executes the plans of all groups, one after the other. What GitHub
// refuses for one of several groups does not keep the others from theirs.
func (j *job) carryOut(ctx context.Context, d *decision) error {
	for _, p := range d.parts {
		log := zerolog.Ctx(ctx).Info()
		if len(d.parts) > 1 && len(p.plan.Actions) == 0 {
			log = zerolog.Ctx(ctx).Debug() // there may be hundreds of them
		}
		log.Str("ask", string(p.state.Ask.Kind)).Str("group", p.state.Group.Key()).Str("decision", string(p.plan.Reason)).
			Int("dockerfiles", len(p.proposal.results)).Int("actions", len(p.plan.Actions)).Msg("decided")
		err := j.act(ctx, p)
		if err == nil {
			err = j.afterwards(ctx, p)
		}
		var refused *githubapi.RefusedError
		if err != nil && (len(d.parts) == 1 || moved(err) || !errors.As(err, &refused)) {
			return err
		}
		if err != nil {
			zerolog.Ctx(ctx).Warn().Err(err).Str("group", p.state.Group.Key()).Msg("GitHub refused")
			p.plan = plan.Plan{Reason: p.plan.Reason, Refused: true, Reply: declined(refused)}
		}
	}
	return nil
}

// afterwards sees to what hangs on our pull request: its check run and the
// remarks beside its lines.
func (j *job) afterwards(ctx context.Context, d *done) error {
	number := d.opened
	if number == 0 && d.state.Pull != nil {
		number = d.state.Pull.Number
	}
	switch d.plan.Reason {
	case plan.Opens, plan.Updates, plan.UpToDate:
		if err := j.report(ctx, d, number, d.head); err != nil {
			return err
		}
		return j.explain(ctx, d, number)
	}
	return nil
}

// moved tells that looking again may help.
func moved(err error) bool {
	var refused *githubapi.RefusedError
	return errors.Is(err, errMoved) ||
		errors.As(err, &refused) && (refused.RefExists() || refused.PullRequestExists() || refused.NotFastForward())
}

// act executes a plan.
func (j *job) act(ctx context.Context, d *done) error {
	d.head = d.state.Head
	if len(d.plan.Actions) == 0 {
		return nil
	}
	// Half of it would have to be repeated; so the writes are reserved at once.
	ctx, err := j.client.Reserve(ctx, len(d.plan.Actions)+3)
	if err != nil {
		return err
	}
	for i, a := range d.plan.Actions {
		switch a := a.(type) {
		case plan.WriteBranch:
			edits := slices.ContainsFunc(d.plan.Actions[i:], func(a plan.Action) bool { _, ok := a.(plan.EditPull); return ok })
			if d.head, err = j.writeBranch(ctx, d, a, edits); err != nil {
				return err
			}
		case plan.OpenPull:
			if err := j.openPull(ctx, d, d.head); err != nil {
				return err
			}
		case plan.EditPull:
			// Done by writeBranch, before the branch moves.
		case plan.ClosePull:
			if err := j.closePull(ctx, d, a); err != nil {
				return err
			}
		case plan.Remember:
			if err := j.rememberIn(ctx, d, a.Number); err != nil {
				return err
			}
		case plan.Tell:
			if err := j.tell(ctx, d, a); err != nil {
				return err
			}
		}
	}
	return nil
}
