package bot

import (
	"context"
	"fmt"

	"dhibot/bot/body"
	"dhibot/bot/githubapi"
	"dhibot/bot/plan"
)

// decision is what a request comes to in all groups of a repository.
type decision struct {
	view *view
	// parts are the groups, at least one unless the settings are unusable.
	parts []*done
	// rest are things that were passed over and belong to no group.
	rest []body.Passed
}

// waiting counts the groups that have to wait for their turn.
func (d *decision) waiting() int {
	n := 0
	for _, p := range d.parts {
		if p.plan.Reason == plan.Waits {
			n++
		}
	}
	return n
}

// decide looks and decides, and changes nothing. With a branch it is only about
// the group of that branch.
func (j *job) decide(ctx context.Context, ask plan.Ask, branch string) (*decision, error) {
	v, err := j.look(ctx)
	if err != nil {
		return nil, err
	}
	d := &decision{view: v}
	if v.stuck() {
		return d, nil
	}
	s := &sorter{job: j, view: v, ask: ask, branch: branch, states: map[plan.Group]plan.State{}, exact: map[plan.Group]bool{}}
	if s.pulls, err = j.ourPulls(ctx, v); err != nil {
		return nil, err
	}
	if d.parts, err = s.retire(ctx); err != nil {
		return nil, err
	}
	if branch != "" && len(d.parts) > 0 {
		return d, nil // of a kind that is not made any more; no other group matters
	}
	if err := s.sort(ctx, d); err != nil {
		return nil, err
	}
	return d, s.choose(ctx, d)
}

// ourPulls are all pull requests that the App has ever opened here, as far as
// their markers tell. GitHub lists them by author, whatever their branch is. An
// open one without a marker is asked for its branch.
func (j *job) ourPulls(ctx context.Context, v *view) ([]plan.Pull, error) {
	if v.base == "" {
		return nil, nil
	}
	login, err := j.login(ctx)
	if err != nil {
		return nil, err
	}
	found, err := j.client.PullsBy(ctx, j.repo, login)
	if err != nil {
		return nil, fmt.Errorf("looking for our pull requests: %w", err)
	}
	var pulls []plan.Pull
	for _, i := range found {
		p := plan.Pull{Number: i.Number, URL: i.HTMLURL, Open: i.State == githubapi.StateOpen, Merged: i.Merged, Title: i.Title, Body: i.Body}
		m, err := j.deps.Keys.Read(i.Body)
		switch {
		case err == nil && m.Repository == j.repo.ID:
			p.Marker, p.Branch = m, m.Branch
		case p.Open:
			full, err := j.client.PullRequest(ctx, j.repo, i.Number)
			if err != nil {
				return nil, fmt.Errorf("reading #%d: %w", i.Number, err)
			}
			p.Branch = full.Head
		}
		pulls = append(pulls, p)
	}
	return pulls, nil
}
