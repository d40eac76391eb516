package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"dhibot/bot/body"
	"dhibot/bot/githubapi"
	"dhibot/bot/plan"

	"github.com/rs/zerolog"
)

// openPull opens the pull request.
func (j *job) openPull(ctx context.Context, d *done, head string) error {
	title, text, err := j.text(d, head, "")
	if err != nil {
		return err
	}
	p, err := j.client.CreatePullRequest(ctx, j.repo, githubapi.NewPullRequest{
		Title: title, Body: text, Head: d.state.Group.Branch(), Base: j.repo.DefaultBranch,
	})
	if err != nil {
		return fmt.Errorf("opening the pull request: %w", err)
	}
	d.opened = p.Number
	return nil
}

// editPull brings title and text up to date, and returns what they were; nil when
// there was nothing to change.
func (j *job) editPull(ctx context.Context, d *done, head string) (was *githubapi.PullRequestEdit, err error) {
	if same, err := j.says(d); err != nil || same {
		return nil, err
	}
	if err := j.reread(ctx, d); err != nil {
		return nil, err
	}
	title, text, err := j.text(d, head, d.state.Head)
	if err != nil {
		return nil, err
	}
	edit := githubapi.PullRequestEdit{Title: &title, Body: &text}
	if d.state.Pull.Base != j.repo.DefaultBranch {
		edit.Base = &j.repo.DefaultBranch // somebody has chosen another default branch
	}
	before := *d.state.Pull
	if _, err := j.client.EditPullRequest(ctx, j.repo, before.Number, edit); err != nil {
		return nil, fmt.Errorf("editing #%d: %w", before.Number, err)
	}
	return &githubapi.PullRequestEdit{Title: &before.Title, Body: &before.Body}, nil
}

// takeBack gives the pull request the words back that it had: what the new ones
// tell of did not come to its branch. Boxes that were ticked meanwhile stay so.
// It is not worth failing for, the next update writes all of it anew.
func (j *job) takeBack(ctx context.Context, d *done, was githubapi.PullRequestEdit) {
	err := j.reread(ctx, d)
	if err == nil {
		text := body.KeepTicks(d.state.Pull.Body, *was.Body)
		was.Body = &text
		_, err = j.client.EditPullRequest(ctx, j.repo, d.state.Pull.Number, was)
	}
	if err != nil {
		zerolog.Ctx(ctx).Warn().Err(err).Int("pull_request", d.state.Pull.Number).Msg("the text tells of more than there is on the branch")
	}
}

// closePull closes our pull request. The marker goes first, so that the closing
// is never taken for somebody's no; the comment goes before the closing, so
// that a second run still finds it open and can look for the comment. A branch
// that somebody has pushed to meanwhile stays.
func (j *job) closePull(ctx context.Context, d *done, c plan.ClosePull) error {
	if err := j.reread(ctx, d); err != nil {
		return err
	}
	if err := j.unmoved(ctx, d, d.state.Head); err != nil {
		return err
	}
	m := d.state.Pull.Marker
	m.Closed, m.Ignored = true, d.scope.Ignored
	text, err := j.remark(d.state.Pull.Body, m)
	if err != nil {
		return err
	}
	if _, err := j.client.EditPullRequest(ctx, j.repo, c.Number, githubapi.PullRequestEdit{Body: &text}); err != nil {
		return fmt.Errorf("editing #%d: %w", c.Number, err)
	}
	if err := j.say(ctx, c.Number, "closed-"+d.state.Head, c.Why); err != nil {
		return err
	}
	state := githubapi.StateClosed
	if _, err := j.client.EditPullRequest(ctx, j.repo, c.Number, githubapi.PullRequestEdit{State: &state}); err != nil {
		return fmt.Errorf("closing #%d: %w", c.Number, err)
	}
	if err := j.unmoved(ctx, d, d.state.Head); err != nil {
		return err
	}
	err = j.client.DeleteRef(ctx, j.repo, d.state.Group.Branch())
	var refused *githubapi.RefusedError
	if errors.As(err, &refused) {
		// What was asked for is done; a branch without a pull request is in
		// nobody's way.
		zerolog.Ctx(ctx).Warn().Err(err).Str("branch", d.state.Group.Branch()).Msg("our branch stays")
		return nil
	}
	if err != nil {
		return fmt.Errorf("deleting the branch: %w", err)
	}
	return nil
}

// rememberIn writes what is ignored into the marker.
func (j *job) rememberIn(ctx context.Context, d *done, number int) error {
	if err := j.reread(ctx, d); err != nil {
		return err
	}
	m := d.state.Pull.Marker
	m.Repository, m.Branch, m.Group = j.repo.ID, d.state.Group.Branch(), d.state.Group.Key() // when the marker was lost
	m.Ignored = d.scope.Ignored
	text, err := j.remark(d.state.Pull.Body, m)
	if err != nil {
		return err
	}
	if _, err := j.client.EditPullRequest(ctx, j.repo, number, githubapi.PullRequestEdit{Body: &text}); err != nil {
		return fmt.Errorf("editing #%d: %w", number, err)
	}
	return nil
}

// tell says something in the pull request and remembers that it was said.
func (j *job) tell(ctx context.Context, d *done, t plan.Tell) error {
	if err := j.say(ctx, t.Number, t.Topic+"-"+d.state.Pull.Marker.Head, t.Text); err != nil {
		return err
	}
	if err := j.reread(ctx, d); err != nil {
		return err
	}
	m := d.state.Pull.Marker
	m.Told = append(slices.Clone(m.Told), t.Topic)
	text, err := j.remark(d.state.Pull.Body, m)
	if err != nil {
		return err
	}
	if _, err := j.client.EditPullRequest(ctx, j.repo, t.Number, githubapi.PullRequestEdit{Body: &text}); err != nil {
		return fmt.Errorf("editing #%d: %w", t.Number, err)
	}
	return nil
}

// reread reads the text of our pull request right before it is written: people
// tick boxes in it while the engine works. GitHub has no condition for such a
// write, so this leaves a window of one call.
func (j *job) reread(ctx context.Context, d *done) error {
	p, err := j.client.PullRequest(ctx, j.repo, d.state.Pull.Number)
	if err != nil {
		return fmt.Errorf("reading #%d again: %w", d.state.Pull.Number, err)
	}
	if (p.State == githubapi.StateOpen) != d.state.Pull.Open {
		return fmt.Errorf("#%d: %w", p.Number, errMoved)
	}
	d.state.Pull.Title, d.state.Pull.Body = p.Title, p.Body
	return nil
}

// remark replaces the marker of a text and leaves the rest as it is: people may
// have ticked boxes in it.
func (j *job) remark(text string, m body.Marker) (string, error) {
	return j.deps.Keys.Sign(body.WithoutMarker(text), m)
}
