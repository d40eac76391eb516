package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"dhibot/bot/event"
	"dhibot/bot/githubapi"
	"dhibot/bot/plan"
	"dhibot/rewrite"

	"github.com/rs/zerolog"
)

// Proposed is what became of a repository whose turn it was.
type Proposed struct {
	// Opened is the number of the pull request that was opened, 0 when none was.
	Opened int
	// Found is the number of the pull request that is there already, see Standing.
	Found int
	// Reason is the case that was met, and Proposal what would have been proposed.
	Reason   plan.Reason
	Proposal string
	// Why says in words why nothing was opened, as GitHub or the settings have it.
	Why string
}

// Propose opens a pull request in a repository, because the campaign says that
// it is its turn; everything that keeps a push from doing so keeps this from it
// too. Doing it twice opens one. The error is githubapi.ErrNotFound when the
// repository is gone.
func (b *Bot) Propose(ctx context.Context, installation, repository int64) (Proposed, error) {
	j, err := b.open(ctx, installation, repository)
	if err != nil {
		return Proposed{}, err
	}
	d, err := j.fulfil(ctx, plan.Ask{Kind: plan.Turn}, "")
	var refused *githubapi.RefusedError
	switch {
	case errors.As(err, &refused):
		zerolog.Ctx(ctx).Warn().Err(err).Msg("GitHub refused")
		return Proposed{Reason: plan.Refused, Why: declined(refused)}, nil
	case err != nil:
		return Proposed{}, err
	case d.view.stuck():
		return Proposed{Reason: plan.Misconfigured, Why: "the settings have mistakes"}, nil
	}
	return d.proposed(), nil
}

// proposed is what became of a turn. Where several pull requests are possible
// and none was opened, what is there stands, and nothing is left to open: all
// the rest was closed, waits or is refused.
func (d *decision) proposed() Proposed {
	var p Proposed
	var results []*rewrite.Result
	for _, part := range d.parts {
		results = append(results, part.proposal.results...)
		if part.opened > 0 {
			p.Opened, p.Reason = part.opened, part.plan.Reason
		}
	}
	if len(results) > 0 {
		p.Proposal = plan.Digest(results)
	}
	switch {
	case p.Opened > 0:
	case len(d.parts) == 1:
		p.Reason, p.Why = d.parts[0].plan.Reason, string(d.parts[0].plan.Reason)
		if pull := d.parts[0].state.Pull; p.Standing() && pull != nil {
			p.Found = pull.Number
		}
	default:
		p.Reason, p.Why = plan.NothingToDo, "no further pull request is possible there now"
		for _, part := range d.parts {
			if part.plan.Reason == plan.Opens && part.plan.Refused {
				p.Reason, p.Why = plan.Refused, part.plan.Reply
			}
		}
	}
	return p
}

// Refresh brings open pull requests of ours up to date where they would propose
// something else now; it opens none.
func (b *Bot) Refresh(ctx context.Context, installation, repository int64) error {
	j, err := b.open(ctx, installation, repository)
	if errors.Is(err, githubapi.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = j.fulfil(ctx, plan.Ask{Kind: plan.Follow}, "")
	return unasked(ctx, err)
}

// Report says as a check run on the default branch what would be proposed in a
// repository whose settings allow no more. It writes nothing else, and nothing
// when nothing would be proposed.
func (b *Bot) Report(ctx context.Context, installation, repository int64) error {
	j, err := b.open(ctx, installation, repository)
	if errors.Is(err, githubapi.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	d, err := j.decide(ctx, plan.Ask{Kind: plan.Migrate, Preview: true}, "")
	if err != nil {
		return err
	}
	if d.view.stuck() || !slices.ContainsFunc(d.parts, func(p *done) bool { return len(p.plan.Actions) > 0 }) {
		return nil
	}
	var results []*rewrite.Result
	for _, p := range d.parts {
		results = append(results, p.proposal.results...)
	}
	k := migrationRun(results)
	k.HeadSHA, k.ExternalID = d.view.base, "report:"+plan.Digest(results)
	k.Conclusion = "neutral"
	k.Title = "Dockerfiles could move to Docker Hardened Images"
	k.Summary = fmt.Sprintf("The settings say `mode: report`, so no pull request is opened.\n\n%s", j.preview(d))
	return j.check(ctx, k)
}

// Touches tells whether a push can change what there is to migrate.
func Touches(e *event.Push) bool { return touches(e) }

// Declined tells that a person has said no, and nobody has asked again.
func (p Proposed) Declined() bool { return p.Reason == plan.ClosedByHuman }

// Standing tells that there is an open pull request already.
func (p Proposed) Standing() bool { return p.Reason == plan.UpToDate || p.Reason == plan.Updates }
