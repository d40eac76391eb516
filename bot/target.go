package bot

import (
	"context"
	"fmt"
	"strings"

	"dhibot/bot/config"
	"dhibot/bot/plan"
)

// target is the branch of the pull request that a command is about: the one it
// was written in, when that is ours; otherwise "", which is all of them. A
// command that only makes sense for one pull request takes the only one that is
// open; when several are, the answer says so.
func (j *job) target(ctx context.Context, a *asked, one bool) (branch string, no *answer, err error) {
	login, err := j.login(ctx)
	if err != nil {
		return "", nil, err
	}
	if a.issue.IsPullRequest() {
		p, err := j.client.PullRequest(ctx, j.repo, int(a.issue.Number))
		if err != nil {
			return "", nil, fmt.Errorf("reading #%d: %w", a.issue.Number, err)
		}
		if p.User.Login == login && p.HeadRepo == j.repo.ID && plan.IsBranch(p.Head) {
			return p.Head, nil, nil
		}
	}
	if !one {
		return "", nil, nil
	}
	v, err := j.look(ctx)
	if err != nil || v.stuck() {
		return "", nil, err
	}
	pulls, err := j.ourPulls(ctx, v)
	if err != nil {
		return "", nil, err
	}
	var open []plan.Pull
	for _, p := range pulls {
		if p.Open {
			open = append(open, p)
		}
	}
	switch {
	case len(open) == 1:
		return open[0].Branch, nil, nil
	case len(open) > 1:
		return "", &answer{refused: true, text: "Several pull requests of mine are open here. Please write that in the one it is about: " + list(open) + "."}, nil
	case v.config.Group != config.ByRepository:
		return "", &answer{refused: true, text: "There is no open pull request of mine here. `/dhi migrate` opens one. In a pull request of mine that was closed I take commands about it, too."}, nil
	}
	return plan.Branch, nil, nil
}

// list names pull requests with what they are about.
func list(pulls []plan.Pull) string {
	var words []string
	for i, p := range pulls {
		if i == answerRows {
			words = append(words, fmt.Sprintf("%d more", len(pulls)-i))
			break
		}
		word := fmt.Sprintf("#%d", p.Number)
		if g, ok := plan.ParseGroup(p.Marker.Group); ok && !g.Whole() {
			word += " (" + where(g) + ")"
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ")
}
