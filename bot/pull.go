package bot

import (
	"context"
	"errors"
	"fmt"

	"dhibot/bot/body"
	"dhibot/bot/event"
	"dhibot/bot/githubapi"
	"dhibot/bot/plan"
)

// pullRequest acts on the boxes that people tick in our pull request, and looks
// at what other people's pull requests change.
func (b *Bot) pullRequest(ctx context.Context, e *event.PullRequest) error {
	if e.Repository.Archived {
		return nil
	}
	mine := plan.IsBranch(e.Pull.Head.Ref) && e.SameRepository()
	if e.Action == "closed" && mine {
		return b.onPull(ctx, e, (*job).makesRoom)
	}
	if e.Pull.State != githubapi.StateOpen {
		return nil
	}
	switch e.Action {
	case "edited":
		// Who may edit the text of our pull request may push to the repository:
		// GitHub lets nobody else. So a tick needs no further permission. Our own
		// edits are a bot's, and are dropped.
		if !e.Sender.Bot() && mine && len(body.Ticked(e.Pull.Body)) > 0 {
			return b.onPull(githubapi.ForCommand(ctx), e, func(j *job, ctx context.Context, number int) error { return j.ticked(ctx, number, e.Pull.Head.Ref) })
		}
	case "opened", "reopened", "synchronize":
		if mine {
			if e.Action == "opened" || e.Sender.Bot() {
				return nil
			}
			return b.onPull(ctx, e, func(j *job, ctx context.Context, number int) error { return j.touched(ctx, number, e) })
		}
		if e.Pull.Base.Ref == e.Repository.DefaultBranch {
			return b.onPull(ctx, e, func(j *job, ctx context.Context, number int) error {
				return j.inspect(ctx, number, e.Pull.Head.SHA)
			})
		}
	}
	return nil
}

// onPull does something about a pull request. What GitHub refuses of it is only
// logged.
func (b *Bot) onPull(ctx context.Context, e *event.PullRequest, f func(*job, context.Context, int) error) error {
	j, err := b.open(ctx, e.Installation.ID, e.Repository.ID)
	if errors.Is(err, githubapi.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return unasked(ctx, f(j, ctx, int(e.Number)))
}

// makesRoom opens the next pull request when one of ours was merged or closed and
// whoever asked for it asked for more than could be opened at once. What the App
// opens by itself is for the campaign to say.
func (j *job) makesRoom(ctx context.Context, number int) error {
	p, err := j.client.PullRequest(ctx, j.repo, number)
	if err != nil {
		return fmt.Errorf("reading #%d: %w", number, err)
	}
	login, err := j.login(ctx)
	if err != nil || p.User.Login != login || p.State == githubapi.StateOpen {
		return err
	}
	m, err := j.deps.Keys.Read(p.Body)
	if err != nil || m.Repository != j.repo.ID {
		m = body.Marker{}
	}
	if !m.More {
		return nil
	}
	_, err = j.fulfil(ctx, plan.Ask{Kind: plan.Next, Paths: m.Paths, Distro: m.Distro}, "")
	return err
}

// touched looks after our pull request when a person did something with it: a
// head that is not ours gets a check run that says so, since a rule may ask for
// one; a pull request that was opened again is brought up to date.
func (j *job) touched(ctx context.Context, number int, e *event.PullRequest) error {
	pulls, err := j.pulls(ctx, e.Pull.Head.Ref)
	if err != nil {
		return err
	}
	p := newest(pulls)
	if p == nil || p.Number != number || !p.Open {
		return nil
	}
	if e.Action == "reopened" {
		_, err := j.fulfil(ctx, plan.Ask{Kind: plan.Push}, p.Branch)
		return err
	}
	head := e.Pull.Head.SHA
	if head == p.Marker.Head || head == p.Marker.Previous {
		return nil
	}
	v, err := j.look(ctx)
	if err != nil {
		return err
	}
	w, err := j.wrote(ctx, v, head, p.Marker.Head)
	switch {
	case err != nil:
		return err
	case w.updated: // the new head has no check run yet
		_, err := j.fulfil(ctx, plan.Ask{Kind: plan.Push}, p.Branch)
		return err
	case w.ours:
		return nil // put back to a commit of ours
	}
	return j.check(ctx, githubapi.CheckRun{Name: migrationCheck, HeadSHA: head, ExternalID: fmt.Sprintf("migration:%d", number),
		Conclusion: "neutral", Title: "Commits that are not mine", Summary: "Somebody else has pushed to this branch, so I say nothing about what is on it now."})
}

// ticked does what the boxes say, as they are now: the event may be old, and
// what was done meanwhile has taken the tick away.
func (j *job) ticked(ctx context.Context, number int, branch string) error {
	pulls, err := j.pulls(ctx, branch)
	if err != nil {
		return err
	}
	p := newest(pulls)
	if p == nil || p.Number != number || !p.Open {
		return nil
	}
	ids := body.Ticked(p.Body)
	if len(ids) == 0 {
		return nil
	}
	// Recreate does all that rebase does.
	kind := plan.Rebase
	for _, id := range ids {
		if id == string(plan.Recreate) {
			kind = plan.Recreate
		}
	}
	ans, err := j.answer(ctx, plan.Ask{Kind: kind}, branch)
	var refused *githubapi.RefusedError
	if errors.As(err, &refused) {
		ans, err = answer{text: declined(refused), refused: true}, nil
	}
	if err != nil {
		return err
	}
	if ans.refused {
		if err := unasked(ctx, j.say(ctx, number, fmt.Sprintf("box-%s-%s", kind, p.Marker.Head), ans.text)); err != nil {
			return err
		}
	}
	return j.untick(ctx, number)
}

// untick takes the ticks away that the text still has: it was not written anew,
// because there was nothing to do or it was refused.
func (j *job) untick(ctx context.Context, number int) error {
	p, err := j.client.PullRequest(ctx, j.repo, number)
	if err != nil {
		return fmt.Errorf("reading #%d: %w", number, err)
	}
	if len(body.Ticked(p.Body)) == 0 {
		return nil
	}
	text := body.Untick(p.Body)
	if _, err := j.client.EditPullRequest(ctx, j.repo, number, githubapi.PullRequestEdit{Body: &text}); err != nil {
		return fmt.Errorf("editing #%d: %w", number, err)
	}
	return nil
}
