package scan

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"dhibot/bot"
	"dhibot/bot/config"
	"dhibot/bot/event"
	"dhibot/bot/githubapi"
	"dhibot/bot/inbox"
	"dhibot/bot/plan"
)

// Observe orders the work that a delivery of GitHub's asks for. Ordering the
// same twice changes nothing, so it may be called again after a failure.
func (s *Scanner) Observe(ctx context.Context, d inbox.Delivery) error {
	e, err := event.Decode(d.Event, d.Body)
	if err != nil {
		return nil //nolint:nilerr // what cannot be read asks for nothing; the bot says so
	}
	in := e.Common().Installation.ID
	if in == 0 {
		return nil
	}
	order := func(t task) error { return s.want(ctx, in, d.GUID, t) }
	look := func(id int64) error { return order(task{Repositories: []int64{id}}) }
	switch e := e.(type) {
	case *event.InstallationChanged:
		switch e.Action {
		case "created", "unsuspend", "new_permissions_accepted":
			return s.Begin(ctx, in, d.GUID)
		case "deleted":
			if err := s.c.Memory.Forget(ctx, in); err != nil {
				return fmt.Errorf("forgetting installation %d: %w", in, err)
			}
		}
	case *event.InstallationRepositories:
		return s.repositories(ctx, d, e, order)
	case *event.InstallationTarget:
		return s.Begin(ctx, in, d.GUID) // the account was renamed
	case *event.RepositoryChanged:
		if e.Action == "deleted" {
			return order(task{Gone: []int64{e.Repository.ID}})
		}
		if e.Action == "edited" { // perhaps it has another default branch
			if err := s.follow(ctx, e.Common(), d.GUID); err != nil {
				return err
			}
		}
		return look(e.Repository.ID)
	case *event.Push:
		if e.Branch() != e.Repository.DefaultBranch || e.Deleted {
			return nil
		}
		if strings.EqualFold(e.Repository.Name, config.OrganisationRepository) && mentions(e, config.IsSettings) {
			return s.Begin(ctx, in, d.GUID) // the settings of all have changed
		}
		if bot.Touches(e) {
			return look(e.Repository.ID)
		}
		return s.follow(ctx, e.Common(), e.After)
	case *event.PullRequest:
		if plan.IsBranch(e.Pull.Head.Ref) && e.SameRepository() && (e.Action == "opened" || e.Action == "closed" || e.Action == "reopened") {
			return look(e.Repository.ID)
		}
	case *event.Issues:
		if strings.EqualFold(e.Repository.Name, config.OrganisationRepository) && e.Sender.Type != "Bot" {
			return s.put(ctx, eventCampaign, "campaign:"+d.GUID, in, githubapi.Repo{}, task{})
		}
	}
	return nil
}

// follow has the engine look at open pull requests after something that changes no
// Dockerfile: what surrounds one decides about it too. Where none is open, which
// is most of the time, it costs no call. name makes the order once.
func (s *Scanner) follow(ctx context.Context, e *event.Head, name string) error {
	doc, ok, err := s.c.Memory.Repository(ctx, e.Installation.ID, e.Repository.ID)
	if err != nil {
		return fmt.Errorf("recalling repository %d: %w", e.Repository.ID, err)
	}
	if !ok {
		return nil
	}
	r, err := decode(doc)
	if err != nil || !slices.ContainsFunc(r.Pulls, func(p pull) bool { return p.Open }) {
		return nil //nolint:nilerr // it is only remembered: the next pass looks
	}
	return s.put(ctx, eventRefresh, fmt.Sprintf("refresh:%d:%s", e.Repository.ID, name), e.Installation.ID, r.Repo, task{})
}

// repositories looks at what came under the installation, and forgets what
// left it.
func (s *Scanner) repositories(ctx context.Context, d inbox.Delivery, e *event.InstallationRepositories, order func(task) error) error {
	const many = 100
	if len(e.Added)+len(e.Removed) > many {
		return s.Begin(ctx, e.Installation.ID, d.GUID)
	}
	var t task
	for _, r := range e.Added {
		t.Repositories = append(t.Repositories, r.ID)
	}
	for _, r := range e.Removed {
		t.Gone = append(t.Gone, r.ID)
	}
	return order(t)
}

// mentions tells whether a push changes such a file, or does not say what it
// changes.
func mentions(e *event.Push, such func(path string) bool) bool {
	if e.Forced || e.Created || len(e.Commits) == 0 {
		return true
	}
	for _, c := range e.Commits {
		for _, list := range [][]string{c.Added, c.Removed, c.Modified} {
			if slices.ContainsFunc(list, such) {
				return true
			}
		}
	}
	return false
}

// Periods of Tick.
const (
	// passEvery is how often all repositories are looked at, for what no event
	// told: two calls for a hundred of them when nothing has changed.
	passEvery = 6 * time.Hour
	// TickEvery is how often Tick wants to be called.
	TickEvery = 5 * time.Minute
)

// Tick orders what is due without an event: the campaigns go on, and now and
// then a pass through every installation. It is for one process of all
// (inbox.WithPeriodic); a second one at the same time does no harm.
func (s *Scanner) Tick(ctx context.Context) error {
	now := s.c.Now()
	var wrong []error
	for in, err := range s.c.GitHub.Installations(ctx) {
		if err != nil {
			wrong = append(wrong, fmt.Errorf("listing installations: %w", err))
			break
		}
		if in.Suspended {
			continue
		}
		var p progress
		if err := s.note(ctx, in.ID, progressNote, &p); err != nil {
			wrong = append(wrong, err)
			continue
		}
		passing := p.Pass != "" && now.Sub(p.Heard) < stale
		switch {
		case passing && p.Done.IsZero():
			// The first one is under way, and decides when it is done.
		case !passing && now.Sub(p.Done) >= passEvery:
			wrong = append(wrong, s.Begin(ctx, in.ID, fmt.Sprintf("%d:%d", in.ID, now.Unix()/int64(TickEvery/time.Second))))
		default:
			wrong = append(wrong, s.put(ctx, eventCampaign, fmt.Sprintf("campaign:%d:%d", in.ID, now.Unix()/int64(TickEvery/time.Second)), in.ID, githubapi.Repo{}, task{}))
		}
	}
	wrong = append(wrong, s.c.Memory.Trim(ctx))
	return errors.Join(wrong...)
}
