package bot

import (
	"context"
	"errors"
	"slices"

	"dhibot/bot/config"
	"dhibot/bot/event"
	"dhibot/bot/githubapi"
	"dhibot/bot/plan"

	"github.com/rs/zerolog"
)

// push looks after our pull request when the default branch moves in a way that
// matters to it, and opens one where the settings say so.
func (b *Bot) push(ctx context.Context, e *event.Push) error {
	if e.Branch() != e.Repository.DefaultBranch || e.Deleted || e.Repository.Archived || !touches(e) {
		return nil
	}
	j, err := b.open(ctx, e.Installation.ID, e.Repository.ID)
	if errors.Is(err, githubapi.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if j.repo.Archived || j.repo.DefaultBranch != e.Branch() {
		return nil
	}
	d, err := j.fulfil(ctx, plan.Ask{Kind: plan.Push}, "")
	if err != nil {
		return unasked(ctx, err)
	}
	if len(d.view.problems) > 0 {
		zerolog.Ctx(ctx).Info().Err(d.view.problems).Msg("the settings have mistakes")
		if lists(e, config.IsSettings) {
			return j.blame(ctx, d.view)
		}
	}
	return nil
}

// touches tells whether a push can matter: it changes a Dockerfile or the
// settings, or it does not say what it changes.
func touches(e *event.Push) bool {
	const listed = 20 // GitHub shortens longer lists of commits in some deliveries
	if e.Forced || e.Created || len(e.Commits) == 0 || len(e.Commits) >= listed {
		return true
	}
	return lists(e, looksLikeDockerfile)
}

// lists tells whether the push says that it changes such a path.
func lists(e *event.Push, such func(path string) bool) bool {
	for _, c := range e.Commits {
		for _, list := range [][]string{c.Added, c.Removed, c.Modified} {
			if slices.ContainsFunc(list, such) {
				return true
			}
		}
	}
	return false
}
