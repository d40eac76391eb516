package bot

import (
	"context"
	"fmt"

	"dhibot/bot/body"
	"dhibot/bot/command"
	"dhibot/bot/githubapi"
	"dhibot/bot/plan"
)

func doPlan(ctx context.Context, j *job, _ *asked, req command.Request) (answer, error) {
	r := req.(command.Plan)
	d, err := j.decide(ctx, plan.Ask{Kind: plan.Migrate, Paths: r.Paths, Distro: r.Distro, Preview: true})
	if err != nil {
		return answer{}, err
	}
	if d.view.stuck() {
		return answer{refused: true, text: misconfigured(d.view.problems)}, nil
	}
	return answer{text: d.view.remark(j.preview(d))}, nil
}

// Plan says in Markdown what the App would do in a repository if somebody wrote
// /dhi migrate there. It changes nothing. The error is githubapi.ErrNotFound
// when the App is not installed there.
func (b *Bot) Plan(ctx context.Context, owner, name string) (string, error) {
	installation, err := b.deps.GitHub.InstallationOf(ctx, owner, name)
	if err != nil {
		return "", fmt.Errorf("looking for the installation on %s/%s: %w", owner, name, err)
	}
	client, err := b.deps.GitHub.Installation(installation)
	if err != nil {
		return "", fmt.Errorf("installation %d: %w", installation, err)
	}
	repo, err := client.Repository(githubapi.ForCommand(ctx), owner, name)
	if err != nil {
		return "", fmt.Errorf("reading %s/%s: %w", owner, name, err)
	}
	j := &job{Bot: b, client: client, repo: repo}
	d, err := j.decide(githubapi.ForCommand(ctx), plan.Ask{Kind: plan.Migrate, Preview: true})
	if err != nil {
		return "", err
	}
	if d.view.stuck() {
		return misconfigured(d.view.problems), nil
	}
	return d.view.remark(j.preview(d)), nil
}

// preview is a decision in words.
func (j *job) preview(d *done) string {
	text := plan.Describe(d.state, d.plan, d.proposal.results)
	if len(d.plan.Actions) == 0 {
		return text
	}
	return text + "\n" + body.Preview(j.input(d, d.view.base))
}
