package scan

import (
	"context"
	"errors"
	"fmt"
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
	// Page is the next one to read, and Seen are the repositories so far.
	Page int     `json:"page,omitempty"`
	Seen []int64 `json:"seen,omitempty"`
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
			p.Again = true
			return s.putNote(ctx, d.Installation, progressNote, p)
		}
		if p.Pass != d.GUID { // otherwise this order goes on after an interruption
			p = progress{Pass: d.GUID, Began: now, Page: 1, Done: p.Done}
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
		for _, r := range repos {
			p.Seen = append(p.Seen, r.ID)
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
	slices.Sort(p.Seen)
	var gone []int64
	for id := range v.records {
		if _, ok := slices.BinarySearch(p.Seen, id); !ok {
			gone = append(gone, id)
			delete(v.records, id)
		}
	}
	if err := s.lose(ctx, v.installation, gone...); err != nil {
		return err
	}
	now := s.c.Now()
	// The next one is ordered before this one is recorded as done: after a crash
	// in between it is ordered under the same name.
	if p.Again {
		if err := s.Begin(ctx, v.installation, p.Pass+"+"); err != nil {
			return err
		}
	}
	if err := s.putNote(ctx, v.installation, progressNote, progress{Done: now}); err != nil {
		return err
	}
	err := s.decide(ctx, v)
	zerolog.Ctx(ctx).Info().Int("repositories", len(p.Seen)).Dur("took", now.Sub(p.Began)).Err(err).Msg("pass complete")
	return err
}

// lookAgain looks at repositories to which something happened.
func (s *Scanner) lookAgain(ctx context.Context, d inbox.Delivery, t task) error {
	v, err := s.visit(ctx, d.Installation)
	if err != nil {
		return err
	}
	var repos []githubapi.Repo
	for _, id := range t.Repositories {
		r, err := v.client.RepositoryByID(ctx, id)
		switch {
		case errors.Is(err, githubapi.ErrNotFound):
			t.Gone = append(t.Gone, id)
		case err != nil:
			return fmt.Errorf("reading repository %d: %w", id, err)
		case !strings.EqualFold(r.Owner, v.home.Owner):
			t.Gone = append(t.Gone, id) // transferred
		default:
			repos = append(repos, r)
		}
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
	}
	return s.decide(ctx, v)
}

// lose forgets repositories that are gone.
func (s *Scanner) lose(ctx context.Context, installation int64, ids ...int64) error {
	if err := s.c.Memory.DeleteRepositories(ctx, installation, ids); err != nil {
		return fmt.Errorf("forgetting repositories: %w", err)
	}
	return nil
}
