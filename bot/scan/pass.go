package scan

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"dhibot/bot/githubapi"
	"dhibot/bot/inbox"

	"github.com/rs/zerolog"
)

const (
	// chunk is how long a pass works before it lets others of its installation
	// go first: a repository that somebody has just pushed to.
	chunk = 40 * time.Second
	// stale is after what time a pass that was begun and not heard of again is
	// taken to be lost.
	stale = 6 * time.Hour
)

// progress is how far the pass of an installation is.
type progress struct {
	// Pass names the one under way, "" when there is none.
	Pass  string    `json:"pass,omitempty"`
	Began time.Time `json:"began,omitzero"`
	Heard time.Time `json:"heard,omitzero"`
	// Page is the next one to read. Count is how many repositories were seen so
	// far; see addSeen for which ones.
	Page  int `json:"page,omitempty"`
	Count int `json:"count,omitempty"`
	// Confirms tells that the pass before did not come to some repositories.
	Confirms bool `json:"confirms,omitempty"`
	// Again asks for another one after this: something has changed for all.
	Again bool `json:"again,omitempty"`
	// Done is when one was last complete; zero before the first.
	Done time.Time `json:"done,omitzero"`
}

const progressNote = "pass"

// Begin orders a pass through an installation. name makes the order once: a
// second one with the same name changes nothing.
func (s *Scanner) Begin(ctx context.Context, installation int64, name string) error {
	return Order(ctx, s.c.Queue, installation, name)
}

// Order is Begin for who has a queue and no Scanner.
func Order(ctx context.Context, queue Queue, installation int64, name string) error {
	return put(ctx, queue, eventPass, "pass:"+name, installation, githubapi.Repo{}, task{})
}

// pass begins a pass or goes on with it.
func (s *Scanner) pass(ctx context.Context, d inbox.Delivery, t task) error {
	var p progress
	if err := s.note(ctx, d.Installation, progressNote, &p); err != nil {
		return err
	}
	now := s.c.Now()
	if t.Pass == "" { // an order
		if p.Pass != "" && p.Pass != d.GUID && now.Sub(p.Heard) < stale {
			if t.Confirms {
				return nil // the one under way does that
			}
			p.Again = true
			return s.putNote(ctx, d.Installation, progressNote, p)
		}
		if p.Pass != d.GUID { // otherwise this order goes on after an interruption
			p = progress{Pass: d.GUID, Began: now, Page: 1, Confirms: t.Confirms, Done: p.Done}
		}
		t.Pass = d.GUID
	}
	if p.Pass != t.Pass {
		return nil // another one has taken over
	}
	v, err := s.visit(ctx, d.Installation)
	if err != nil {
		return err
	}
	v.mends = true
	for p.Page != 0 && s.c.Now().Sub(now) < chunk {
		repos, next, err := v.client.RepositoriesPage(ctx, p.Page)
		if err != nil {
			return fmt.Errorf("listing repositories: %w", err)
		}
		if len(repos) > 0 && repos[0].Owner != v.home.Owner {
			// The account was renamed: its settings are looked for under the new name.
			before := v.home
			v.home.Owner, p.Again = repos[0].Owner, true
			if err := s.keepHome(ctx, v, before); err != nil {
				return err
			}
		}
		if err := s.page(ctx, v, repos); err != nil {
			return err
		}
		ids := make([]int64, 0, len(repos))
		for _, r := range repos {
			ids = append(ids, r.ID)
		}
		if err := s.addSeen(ctx, d.Installation, &p, ids); err != nil {
			return err
		}
		p.Page, p.Heard = next, s.c.Now()
		if err := s.putNote(ctx, d.Installation, progressNote, p); err != nil {
			return err
		}
	}
	if p.Page != 0 {
		return s.put(ctx, eventPass, fmt.Sprintf("%s#%d", p.Pass, p.Page), d.Installation, githubapi.Repo{}, task{Pass: p.Pass})
	}
	return s.finish(ctx, v, p)
}

// finish forgets the repositories that are gone, and lets the campaign go on.
func (s *Scanner) finish(ctx context.Context, v *visit, p progress) error {
	missed, err := s.missing(ctx, v, p)
	if err != nil {
		return err
	}
	now := s.c.Now()
	// The next one is ordered before this one is recorded as done: after a crash
	// in between it is ordered under the same name.
	if p.Again || missed > 0 && !p.Confirms {
		name := fmt.Sprintf("pass:%d:after:%d", v.installation, p.Began.UnixNano())
		if err := s.put(ctx, eventPass, name, v.installation, githubapi.Repo{}, task{Confirms: !p.Again}); err != nil {
			return err
		}
	}
	if err := s.putNote(ctx, v.installation, progressNote, progress{Done: now}); err != nil {
		return err
	}
	err = s.decide(ctx, v)
	zerolog.Ctx(ctx).Info().Int("repositories", p.Count).Int("missed", missed).Dur("took", now.Sub(p.Began)).Err(err).Msg("pass complete")
	return err
}

// abandon ends the pass of an installation that is suspended or was removed.
// When it comes back, a pass begins anew at once.
func (s *Scanner) abandon(ctx context.Context, installation int64, why error) error {
	var gone *githubapi.GoneError
	if errors.As(why, &gone) && !gone.Suspended {
		if err := s.c.Memory.Forget(ctx, installation); err != nil {
			return fmt.Errorf("forgetting installation %d: %w", installation, err)
		}
		return nil
	}
	var p progress
	if err := s.note(ctx, installation, progressNote, &p); err != nil {
		return err
	}
	if p.Pass == "" {
		return nil
	}
	return s.putNote(ctx, installation, progressNote, progress{Done: p.Done})
}

// lookAgain looks at repositories to which something happened, and at others
// that wait for the same: of many pushes one after the other the first look
// takes the others with it.
func (s *Scanner) lookAgain(ctx context.Context, d inbox.Delivery, t task) error {
	if done, err := s.looked(ctx, d.Installation, t); err != nil || done {
		return err
	}
	v, err := s.visit(ctx, d.Installation)
	if err != nil {
		return err
	}
	due := s.due(v, t.Repositories)
	var repos []githubapi.Repo
	var ids []int64
	for _, id := range slices.Sorted(maps.Keys(due)) {
		r, err := v.client.RepositoryByID(ctx, id)
		switch {
		case errors.Is(err, githubapi.ErrNotFound):
			t.Gone = append(t.Gone, id)
			continue
		case err != nil && private(ctx, err) && !slices.Contains(t.Repositories, id):
			delete(due, id) // its own look deals with that
			continue
		case err != nil:
			return fmt.Errorf("reading repository %d: %w", id, err)
		}
		ours, err := s.ours(ctx, v, r.Owner)
		if err != nil {
			return err
		}
		if !ours {
			t.Gone = append(t.Gone, id) // transferred
			continue
		}
		repos, ids = append(repos, r), append(ids, id)
	}
	for _, id := range t.Gone {
		delete(v.records, id)
	}
	if err := s.lose(ctx, d.Installation, t.Gone...); err != nil {
		return err
	}
	if len(repos) > 0 {
		if err := s.page(ctx, v, repos); err != nil {
			return err
		}
		if err := s.seenMeanwhile(ctx, d.Installation, ids); err != nil {
			return err
		}
	}
	if err := s.decide(ctx, v); err != nil {
		return err
	}
	return s.settled(ctx, v, due)
}

// ours tells whether an account is the one of the installation, which may have
// been renamed since we asked.
func (s *Scanner) ours(ctx context.Context, v *visit, owner string) (bool, error) {
	if strings.EqualFold(owner, v.home.Owner) {
		return true, nil
	}
	if v.account == "" {
		info, err := s.c.GitHub.InstallationInfo(ctx, v.installation)
		if err != nil {
			return false, fmt.Errorf("reading installation %d: %w", v.installation, err)
		}
		v.account = info.Account.Login
	}
	return strings.EqualFold(owner, v.account), nil // a pass sees to the new name
}

// lose forgets repositories that are gone.
func (s *Scanner) lose(ctx context.Context, installation int64, ids ...int64) error {
	if err := s.c.Memory.DeleteRepositories(ctx, installation, ids); err != nil {
		return fmt.Errorf("forgetting repositories: %w", err)
	}
	return nil
}
