package bot

import (
	"context"
	"errors"
	"fmt"

	"dhibot/bot/body"
	"dhibot/bot/githubapi"
	"dhibot/bot/plan"

	"github.com/rs/zerolog"
)

// writeBranch makes the commit and points the branch to it. When there is an
// open pull request whose text has to change, that is done in between: its
// marker names the new head and the one before, so whichever of them a crash
// leaves is known to be ours.
func (j *job) writeBranch(ctx context.Context, d *done, w plan.WriteBranch, edit bool) (string, error) {
	commit, err := j.commit(ctx, d, w)
	if err != nil {
		return "", err
	}
	var was *githubapi.PullRequestEdit
	if edit {
		if was, err = j.editPull(ctx, d, commit); err != nil {
			return "", err
		}
	}
	if err := j.point(ctx, d, w, commit); err != nil {
		if was != nil && without(err) {
			j.takeBack(ctx, d, *was)
		}
		return "", err
	}
	return commit, nil
}

// point has the branch point to a commit.
func (j *job) point(ctx context.Context, d *done, w plan.WriteBranch, commit string) error {
	branch := d.state.Group.Branch()
	if w.Old == "" {
		if err := j.client.CreateRef(ctx, j.repo, branch, commit); err != nil {
			return fmt.Errorf("creating the branch: %w", err)
		}
		return nil
	}
	// A forced update has no condition, so the check stands right before it.
	if err := j.unmoved(ctx, d, w.Old); err != nil {
		return err
	}
	if err := j.client.UpdateRef(ctx, j.repo, branch, commit, true); err != nil {
		return fmt.Errorf("updating the branch: %w", err)
	}
	return nil
}

// unmoved is errMoved unless our branch is at a commit; "" is no branch.
func (j *job) unmoved(ctx context.Context, d *done, commit string) error {
	branch := d.state.Group.Branch()
	now, err := j.client.Branch(ctx, j.repo, branch)
	if commit == "" && errors.Is(err, githubapi.ErrNotFound) {
		return nil
	}
	if err != nil || now != commit {
		return fmt.Errorf("the branch %s: %w", branch, errors.Join(errMoved, err))
	}
	return nil
}

// without tells that a write had certainly no effect: GitHub refused it, or it was
// not made.
func without(err error) bool {
	var refused *githubapi.RefusedError
	return errors.Is(err, errMoved) || errors.As(err, &refused)
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
