package scan

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"dhibot/bot/campaign"
	"dhibot/bot/config"
	"dhibot/bot/githubapi"
	"dhibot/bot/inbox"

	"github.com/rs/zerolog"
)

// campaign decides for an installation, because something happened or because
// it is time again.
func (s *Scanner) campaign(ctx context.Context, d inbox.Delivery) error {
	v, err := s.visit(ctx, d.Installation)
	if err != nil {
		return err
	}
	return s.decide(ctx, v)
}

// decide orders the pull requests that may be opened now, and says so in the
// issue. Before the first pass is complete nothing is opened: what share of the
// repositories a first wave is cannot be known yet.
func (s *Scanner) decide(ctx context.Context, v *visit) error {
	var p progress
	if err := s.note(ctx, v.installation, progressNote, &p); err != nil {
		return err
	}
	if p.Done.IsZero() {
		return nil
	}
	if err := s.findIssue(ctx, v); err != nil {
		return err
	}
	if err := s.overdue(ctx, v); err != nil {
		return err
	}
	in := s.input(v)
	plan := campaign.Decide(in)
	zerolog.Ctx(ctx).Info().Int("repositories", len(in.Repositories)).Int("open", len(plan.Open)).Bool("paused", in.Paused).Msg("campaign decided")
	s.c.Decided(v.installation, plan)
	// What will happen is said before it happens.
	if err := s.tell(ctx, v, plan); err != nil {
		return err
	}
	for _, id := range plan.Open {
		if err := s.order(ctx, v, id); err != nil {
			return err
		}
	}
	return s.reports(ctx, v)
}

// input is what is known, in the words of package campaign.
func (s *Scanner) input(v *visit) campaign.Input {
	in := campaign.Input{Now: s.c.Now(), Settings: campaign.SettingsOf(v.config), Paused: v.home.Issue != 0 && v.home.State == githubapi.StateClosed}
	for _, id := range slices.Sorted(maps.Keys(v.records)) {
		r := v.records[id]
		if r.Look == nil {
			if len(r.Pulls) > 0 { // they take places, whatever is in it
				in.Repositories = append(in.Repositories, campaign.Repository{ID: id, FullName: r.Repo.FullName(), Private: r.Repo.Private,
					Unable: "could not be read", Pulls: r.pulls(), Reserved: r.Reserved})
			}
			continue
		}
		c := campaign.Repository{
			ID: id, FullName: r.Repo.FullName(), Private: r.Repo.Private, Mode: r.Look.Mode, MaxOpen: max(1, r.Look.MaxOpen),
			Unable: unable(r.Repo, r.Head), Dockerfiles: r.Look.Dockerfiles, Changes: r.Look.Changes, Groups: r.Look.Groups, Checklist: r.Look.Checklist, Reserved: r.Reserved,
		}
		if r.Missed != "" && c.Unable == "" {
			c.Unable = "not in the list of repositories"
		}
		if r.Look.Mistakes > 0 {
			c.Blocked = "its settings have mistakes"
		}
		if r.stands(in.Now) {
			c.Declined = r.Refusal.Declined
			if !c.Declined {
				c.Blocked = r.Refusal.Why
			}
		}
		c.Pulls = r.pulls()
		in.Repositories = append(in.Repositories, c)
	}
	return in
}

// pulls are ours in a repository, in the words of package campaign.
func (r *record) pulls() []campaign.Pull {
	var list []campaign.Pull
	for _, p := range r.Pulls {
		list = append(list, campaign.Pull{Number: p.Number, Open: p.Open, Merged: p.Merged, Created: p.Created, Closed: p.Closed})
	}
	return list
}

// order has a pull request opened in the lane of its repository. The place in
// the budget is reserved before the work is put into the queue: a crash in
// between wastes it for a while, and never uses one twice.
func (s *Scanner) order(ctx context.Context, v *visit, id int64) error {
	now := s.c.Now()
	ticket := fmt.Sprintf("open:%d:%d:%d", v.installation, id, now.UnixNano())
	var repo githubapi.Repo
	err := s.amend(ctx, v.installation, id, func(r *record) {
		repo = githubapi.Repo{}
		r.Reserved, r.Ticket = now, ticket
		repo = r.Repo
		v.records[id] = r
	})
	if err != nil {
		return err
	}
	if repo.ID == 0 {
		return nil // forgotten meanwhile
	}
	return s.put(ctx, eventOpen, ticket, v.installation, repo, task{Ticket: ticket})
}

// openMost is how often opening a pull request is tried for one order, and
// lostMost how many orders in a row may be lost: the process died of each.
const (
	openMost = 3
	lostMost = 3
)

// unsettled is the ticket of an order that is not carried out any more, and of
// which it is not known how far it got.
const unsettled = "unsettled"

// overdue looks at repositories whose orders were never heard of again, or were
// given up: a pull request may have been opened, and its place must not be given
// to somebody else.
func (s *Scanner) overdue(ctx context.Context, v *visit) error {
	now := s.c.Now()
	var repos []githubapi.Repo
	for _, id := range slices.Sorted(maps.Keys(v.records)) {
		if r := v.records[id]; r.Ticket != "" && now.Sub(r.Reserved) >= campaign.Reservation {
			repos = append(repos, r.Repo)
		}
	}
	if len(repos) == 0 {
		return nil
	}
	if err := s.page(ctx, v, repos); err != nil {
		return err
	}
	for _, repo := range repos {
		if err := s.amend(ctx, v.installation, repo.ID, func(r *record) {
			v.records[repo.ID] = r
			switch {
			case r.Ticket == "" || now.Sub(r.Reserved) < campaign.Reservation:
				return // it was found
			case r.Ticket == unsettled:
				r.Lost = 0
			default:
				r.Lost++
			}
			r.Reserved, r.Ticket = time.Time{}, ""
			if r.Lost >= lostMost {
				r.fail("orders to open it were lost again and again", now)
			}
		}); err != nil {
			return err
		}
	}
	return nil
}

// fail passes a repository by for a while.
func (r *record) fail(why string, now time.Time) {
	r.Lost = 0
	r.Refusal = &refusal{Key: r.Key, Failed: true, Why: why, At: now}
}

// valid is how long an order may still be begun. The campaign gives its place
// to somebody else after campaign.Reservation; opening a pull request takes ten
// minutes at most, which is what the inbox gives a handler.
const valid = campaign.Reservation - 10*time.Minute

// open opens the pull request of a repository.
func (s *Scanner) open(ctx context.Context, d inbox.Delivery, t task) error {
	doc, ok, err := s.c.Memory.Repository(ctx, d.Installation, d.Repository)
	if err != nil {
		return fmt.Errorf("recalling repository %d: %w", d.Repository, err)
	}
	if !ok {
		return nil // gone, or the memory is: the next pass orders it again
	}
	r, err := decode(doc)
	if err != nil || r.Ticket != t.Ticket {
		return nil //nolint:nilerr // an order that does not stand any more
	}
	if s.c.Now().Sub(r.Reserved) >= valid {
		// Too late, behind a limit say; an earlier attempt may have got far.
		return s.amend(ctx, d.Installation, d.Repository, func(r *record) {
			if r.Ticket == t.Ticket {
				r.Ticket = unsettled
			}
		})
	}
	if d.Attempt > openMost {
		zerolog.Ctx(ctx).Error().Str("repository", d.FullName).Msg("no pull request could be opened; others get their turn")
		if err := s.amend(ctx, d.Installation, d.Repository, func(r *record) {
			if r.Ticket == t.Ticket {
				r.Ticket = unsettled
				r.fail(fmt.Sprintf("%d attempts to open it failed", openMost), s.c.Now())
			}
		}); err != nil {
			return err
		}
		return s.put(ctx, eventCampaign, "campaign:"+d.GUID, d.Installation, githubapi.Repo{}, task{})
	}
	if fulfilled, err := s.fulfilled(ctx, d.Installation, r); err != nil || fulfilled {
		return err
	}
	p, err := s.c.Engine.Propose(ctx, d.Installation, d.Repository)
	if errors.Is(err, githubapi.ErrNotFound) {
		return s.lose(ctx, d.Installation, d.Repository)
	}
	if err != nil {
		return err
	}
	zerolog.Ctx(ctx).Info().Str("repository", d.FullName).Int("pull_request", p.Opened).Str("decision", string(p.Reason)).Msg("its turn")
	now := s.c.Now()
	err = s.amend(ctx, d.Installation, d.Repository, func(r *record) {
		if r.Ticket != t.Ticket {
			return
		}
		r.Reserved, r.Ticket, r.Lost = time.Time{}, "", 0
		r.Refusal = nil
		number := p.Opened
		if p.Standing() {
			number = p.Found // opened before we were interrupted, or for a person
		}
		if number > 0 {
			if !slices.ContainsFunc(r.Pulls, func(q pull) bool { return q.Number == number && q.Open }) {
				r.Pulls = slices.Insert(slices.DeleteFunc(r.Pulls, func(q pull) bool { return q.Number == number }), 0, pull{Number: number, Open: true, Created: now})
			}
			return
		}
		r.Refusal = &refusal{Key: r.Key, Proposal: p.Proposal, Declined: p.Declined(), Why: p.Why, At: now}
	})
	if err != nil {
		return err
	}
	// The issue tells of it, and a place that was not used goes to the next one.
	return s.put(ctx, eventCampaign, "campaign:"+d.GUID, d.Installation, githubapi.Repo{}, task{})
}

// fulfilled tells that there is a pull request that nobody knew of when the
// order was made, in a repository that has several: a process that died after
// opening it must not open the next one on the same place in the budget.
func (s *Scanner) fulfilled(ctx context.Context, installation int64, r *record) (bool, error) {
	if r.Look == nil || !r.Look.Grouped {
		return false, nil // there is one at most
	}
	v := &visit{installation: installation}
	var err error
	if v.client, err = s.client(installation); err != nil {
		return false, err
	}
	if v.slug, err = s.slug(ctx); err != nil {
		return false, err
	}
	pulls, err := s.several(ctx, v, r.Repo)
	if errors.Is(err, githubapi.ErrNotFound) {
		return false, nil // Propose finds out what became of the repository
	}
	if err != nil {
		return false, err
	}
	ticket := r.Ticket
	if !slices.ContainsFunc(pulls, func(p pull) bool {
		return p.Open && !slices.ContainsFunc(r.Pulls, func(q pull) bool { return q.Number == p.Number })
	}) {
		return false, nil
	}
	return true, s.amend(ctx, installation, r.Repo.ID, func(r *record) {
		if r.Ticket == ticket {
			r.Reserved, r.Ticket, r.Pulls = time.Time{}, "", pulls
		}
	})
}

// reports orders the check runs of mode report, once for what was found.
func (s *Scanner) reports(ctx context.Context, v *visit) error {
	for _, id := range slices.Sorted(maps.Keys(v.records)) {
		r := v.records[id]
		if r.Look == nil || r.Look.Mode != config.Report || r.Look.Changes == 0 || r.Reported == r.Look.Proposal || unable(r.Repo, r.Head) != "" {
			continue
		}
		if err := s.put(ctx, eventReport, fmt.Sprintf("report:%d:%s:%s", id, r.Look.Proposal, r.Head), v.installation, r.Repo, task{}); err != nil {
			return err
		}
		proposal := r.Look.Proposal
		if err := s.amend(ctx, v.installation, id, func(r *record) { r.Reported = proposal }); err != nil {
			return err
		}
	}
	return nil
}
