package bot

import (
	"context"
	"errors"

	"dhibot/bot/body"
	"dhibot/bot/config"
	"dhibot/bot/githubapi"
	"dhibot/bot/plan"
	"dhibot/rewrite"
)

// ErrNotFetched is what a githubapi.Fetch returns for a blob that it does not
// have and will not get by itself.
var ErrNotFetched = errors.New("this file has not been fetched")

// Survey is what there is to migrate in a tree, with nothing of GitHub's state
// but the files.
type Survey struct {
	Config   config.Config
	Problems config.Problems // mistakes in the settings; nothing was looked at
	Results  []*rewrite.Result
	Passed   []body.Passed // Dockerfiles that were not looked at, with the reason
}

// Digest tells proposals apart; the marker of a pull request carries it.
func (s *Survey) Digest() string { return plan.Digest(s.Results) }

// Survey runs the engine on all Dockerfiles of a tree under the settings of the
// organisation and of the repository, and changes nothing. It reads contents
// through fetch alone. When fetch lacks some (ErrNotFetched) the error is
// ErrNotFetched, and fetch has been asked for as many of them as can be known
// to be needed: fetch them and call again.
func (b *Bot) Survey(ctx context.Context, repo githubapi.Repo, tree *githubapi.Tree, organisation, own config.File, fetch githubapi.Fetch) (*Survey, error) {
	v := &view{tree: tree, organisation: organisation, own: own}
	v.resolve()
	s := &Survey{Config: v.config, Problems: v.problems}
	if len(v.problems) > 0 || v.config.Mode == config.Off {
		return s, nil
	}
	for _, sha := range candidates(tree) {
		// All at once, instead of one for every time that one is missing.
		if _, err := fetch(ctx, sha); err != nil && !errors.Is(err, ErrNotFetched) && !errors.Is(err, githubapi.ErrTooLarge) {
			return nil, err
		}
	}
	j := &job{Bot: b, repo: repo}
	p, err := j.examine(ctx, v, through(plan.Scope{}), githubapi.NewTreeFS(ctx, tree, fetch, githubapi.FSLimits{}))
	if err != nil {
		return nil, err
	}
	s.Results, s.Passed = p.results, p.passed
	return s, nil
}
