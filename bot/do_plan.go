package bot

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"dhibot/bot/body"
	"dhibot/bot/command"
	"dhibot/bot/githubapi"
	"dhibot/bot/plan"
)

func doPlan(ctx context.Context, j *job, _ *asked, req command.Request) (answer, error) {
	r := req.(command.Plan)
	d, err := j.decide(ctx, plan.Ask{Kind: plan.Migrate, Paths: r.Paths, Distro: r.Distro, Preview: true}, "")
	if err != nil {
		return answer{}, err
	}
	if d.view.stuck() {
		return answer{refused: true, text: d.view.misconfigured()}, nil
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
	d, err := j.decide(githubapi.ForCommand(ctx), plan.Ask{Kind: plan.Migrate, Preview: true}, "")
	if err != nil {
		return "", err
	}
	if d.view.stuck() {
		return d.view.misconfigured(), nil
	}
	return d.view.remark(j.preview(d)), nil
}

// preview is a decision in words. With several groups it begins with a row for
// each, and goes on with those in which something would happen now.
func (j *job) preview(d *decision) string {
	if len(d.parts) == 1 {
		return j.previewOne(d.parts[0])
	}
	var rows, rest, queue []string
	var details strings.Builder
	for _, p := range d.parts {
		group := where(p.state.Group)
		switch {
		case p.plan.Reason == plan.Waits:
			queue = append(queue, "- "+group+": waits; "+body.Title(p.proposal.results)+"\n")
		case len(p.plan.Actions) == 0:
			rest = append(rest, "- "+group+": "+inOneRow(p.plan)+"\n")
		default:
			rows = append(rows, "- "+group+": "+plan.Brief(p.state, p.plan, p.proposal.results)+"\n")
			fmt.Fprintf(&details, "\n### In %s\n\n%s", group, j.previewOne(p))
		}
	}
	rows = slices.Concat(rows, rest, queue)
	const most = 50
	if more := len(rows) - most; more > 0 {
		rows = append(rows[:most], fmt.Sprintf("- … and %d more\n", more))
	}
	text := strings.Join(rows, "")
	if n := d.waiting(); n > 0 {
		text += fmt.Sprintf("\n%s for a pull request to be merged or closed: the settings say `max_open: %d`.\n", waits(n), d.view.config.MaxOpen)
	}
	for i, r := range d.rest {
		if i == 0 {
			text += "\n"
		}
		if i == most {
			text += fmt.Sprintf("- … and %d more\n", len(d.rest)-i)
			break
		}
		text += "- " + code(r.Path) + ": not looked at; " + body.Prose(r.Reason, 300) + "\n"
	}
	if len(text)+details.Len() > body.Limit/2 {
		return text + "\nThere is no room for what would change in each; `/dhi plan PATH` shows a part of it.\n"
	}
	return text + details.String()
}

// inOneRow is the first line of a reply.
func inOneRow(p plan.Plan) string {
	if p.Reason == plan.NothingToDo || p.Reason == plan.NoDockerfile {
		return "nothing to change"
	}
	line, _, _ := strings.Cut(p.Reply, "\n")
	return line
}

// previewOne is a decision about one group in words.
func (j *job) previewOne(d *done) string {
	if d.plan.Reason == plan.Waits {
		return d.answer(d.view.config.MaxOpen).text
	}
	text := plan.Describe(d.state, d.plan, d.proposal.results)
	if len(d.plan.Actions) == 0 || d.plan.Reason == plan.Regrouped {
		return text
	}
	return text + "\n" + body.Preview(j.input(d, d.view.base))
}
