package bot

import (
	"context"
	"fmt"

	"dhibot/bot/command"
	"dhibot/bot/githubapi"
	"dhibot/bot/plan"
)

func doMigrate(ctx context.Context, j *job, a *asked, req command.Request) (answer, error) {
	r := req.(command.Migrate)
	if a.issue.IsPullRequest() {
		p, err := j.client.PullRequest(ctx, j.repo, int(a.issue.Number))
		if err != nil {
			return answer{}, fmt.Errorf("reading #%d: %w", a.issue.Number, err)
		}
		login, err := j.login(ctx)
		if err != nil {
			return answer{}, err
		}
		if p.State == githubapi.StateOpen && p.User.Login != login {
			return j.suggest(ctx, p, r)
		}
	}
	branch, _, err := j.target(ctx, a, false)
	if err != nil {
		return answer{}, err
	}
	if branch == plan.Branch {
		branch = "" // it is about everything, whatever the settings make of that now
	}
	return j.answer(ctx, plan.Ask{Kind: plan.Migrate, Paths: r.Paths, Distro: r.Distro, Again: r.Again}, branch)
}

func doRebase(ctx context.Context, j *job, a *asked, _ command.Request) (answer, error) {
	return j.forOne(ctx, a, plan.Ask{Kind: plan.Rebase})
}

func doRecreate(ctx context.Context, j *job, a *asked, _ command.Request) (answer, error) {
	return j.forOne(ctx, a, plan.Ask{Kind: plan.Recreate})
}

// forOne fulfils a request about one pull request.
func (j *job) forOne(ctx context.Context, a *asked, ask plan.Ask) (answer, error) {
	branch, no, err := j.target(ctx, a, true)
	if err != nil {
		return answer{}, err
	}
	if no != nil {
		return *no, nil
	}
	return j.answer(ctx, ask, branch)
}
