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

// writeBranch makes the commit and points the branch to it. When there is an
// open pull request whose text has to change, that is done in between: its
// marker names the new head and the one before, so whichever of them a crash
// leaves is known to be ours.
func (j *job) writeBranch(ctx context.Context, d *done, w plan.WriteBranch, edit bool) (string, error) {
	commit, err := j.commit(ctx, d, w)
	if err != nil {
		return "", err
	}
	if edit {
		if err := j.editPull(ctx, d, commit); err != nil {
			return "", err
		}
	}
	branch := d.state.Group.Branch()
	if w.Old == "" {
		if err := j.client.CreateRef(ctx, j.repo, branch, commit); err != nil {
			return "", fmt.Errorf("creating the branch: %w", err)
		}
		return commit, nil
	}
	// A forced update has no condition, so the check stands right before it.
	now, err := j.client.Branch(ctx, j.repo, branch)
	if err != nil || now != w.Old {
		return "", fmt.Errorf("the branch %s: %w", branch, errors.Join(errMoved, err))
	}
	if err := j.client.UpdateRef(ctx, j.repo, branch, commit, true); err != nil {
		return "", fmt.Errorf("updating the branch: %w", err)
	}
	return commit, nil
}

func (j *job) commit(ctx context.Context, d *done, w plan.WriteBranch) (string, error) {
	digest := plan.Digest(d.proposal.results)
	trailer, err := j.deps.Keys.Trailer(j.repo.ID, w.Base, digest)
	if err != nil {
		return "", err
	}
	req := githubapi.CommitRequest{
		BaseTree: d.view.tree.SHA, Parents: []string{w.Base},
		// No foreign text: closing words and mentions in a message act once the
		// commit reaches the default branch.
		Message: body.Title(d.proposal.results) + "\n\nThe pull request explains every change.\n\n" + trailer,
	}
	for _, f := range w.Files {
		mode := ""
		if e, ok := d.view.tree.Find(f.Path); ok {
			mode = e.Mode
		}
		req.Files = append(req.Files, githubapi.File{Path: f.Path, Mode: mode, Content: f.Content})
	}
	commit, verified, err := j.client.Commit(ctx, j.repo, req)
	if err != nil {
		return "", fmt.Errorf("making the commit: %w", err)
	}
	if !verified {
		zerolog.Ctx(ctx).Info().Str("commit", commit).Msg("GitHub did not sign the commit; a rule that asks for signatures will refuse it")
	}
	return commit, nil
}

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

func (j *job) editPull(ctx context.Context, d *done, head string) error {
	if same, err := j.says(d); err != nil || same {
		return err
	}
	if err := j.reread(ctx, d); err != nil {
		return err
	}
	title, text, err := j.text(d, head, d.state.Head)
	if err != nil {
		return err
	}
	edit := githubapi.PullRequestEdit{Title: &title, Body: &text}
	if d.state.Pull.Base != j.repo.DefaultBranch {
		edit.Base = &j.repo.DefaultBranch // somebody has chosen another default branch
	}
	if _, err := j.client.EditPullRequest(ctx, j.repo, d.state.Pull.Number, edit); err != nil {
		return fmt.Errorf("editing #%d: %w", d.state.Pull.Number, err)
	}
	return nil
}

// closePull closes our pull request. The marker goes first, so that the closing
// is never taken for somebody's no; the comment goes before the closing, so
// that a second run still finds it open and can look for the comment.
func (j *job) closePull(ctx context.Context, d *done, c plan.ClosePull) error {
	if err := j.reread(ctx, d); err != nil {
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
	if err := j.client.DeleteRef(ctx, j.repo, d.state.Group.Branch()); err != nil {
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
	d.state.Pull.Body = p.Body
	return nil
}

// remark replaces the marker of a text and leaves the rest as it is: people may
// have ticked boxes in it.
func (j *job) remark(text string, m body.Marker) (string, error) {
	return j.deps.Keys.Sign(body.WithoutMarker(text), m)
}
