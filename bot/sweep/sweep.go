// Package sweep asks GitHub again for webhook deliveries that did not reach us.
//
// GitHub tries each delivery once. While the App is down, or answers too late,
// events are lost unless somebody asks for them again, which is possible for
// three days (docs.github.com, "Redelivering webhooks").
package sweep

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"dhibot/bot/githubapi"
	"dhibot/bot/inbox"
)

// GitHub is what a Sweeper needs of it: *githubapi.App.
type GitHub interface {
	Deliveries(ctx context.Context, cursor string) (page []githubapi.HookDelivery, next string, err error)
	Redeliver(ctx context.Context, id int64) error
}

// Inbox is what a Sweeper needs of it: *inbox.Inbox.
type Inbox interface {
	Show(ctx context.Context, guid string) (inbox.Entry, error)
}

const (
	// kept is how long GitHub keeps deliveries.
	kept = 72 * time.Hour
	// overlap is how far a pass looks back behind the newest delivery of the
	// pass before: deliveries are not listed in the order in which they ended.
	overlap = time.Hour
	// settle is how old an attempt must be: a younger one may still be answered.
	settle = 2 * time.Minute
	// maxAttempts is after how many failed attempts a delivery is let go: what
	// we refuse five times we refuse for a reason.
	maxAttempts = 5
	// maxPages and maxAsked bound one pass: 10,000 attempts read, 200 asked for.
	maxPages = 100
	maxAsked = 200
)

// Sweeper finds lost deliveries. Its memory is only how far it has looked; a
// new one starts from what GitHub still keeps.
type Sweeper struct {
	github GitHub
	inbox  Inbox
	now    func() time.Time
	log    zerolog.Logger

	mu   sync.Mutex
	mark time.Time // newest attempt of the last complete pass
}

// New makes a Sweeper. now is the clock that GitHub's times are compared with.
func New(github GitHub, box Inbox, now func() time.Time, log zerolog.Logger) *Sweeper {
	return &Sweeper{github: github, inbox: box, now: now, log: log}
}

// event is all attempts to deliver one event.
type event struct {
	newest   githubapi.HookDelivery
	attempts int
	ok       bool
}

// Pass looks through the deliveries since the last pass and asks again for
// those that no attempt brought to us. It is for one goroutine of all processes
// at a time (inbox.WithPeriodic); asking twice does no harm, because the inbox
// knows a delivery by its GUID.
func (s *Sweeper) Pass(ctx context.Context) error {
	s.mu.Lock()
	since := s.mark.Add(-overlap)
	s.mu.Unlock()
	now := s.now()
	if oldest := now.Add(-kept); since.Before(oldest) {
		since = oldest
	}
	events, order, newest, err := s.read(ctx, since)
	if err != nil {
		return err
	}
	asked, gone := 0, 0
	for _, guid := range order {
		e := events[guid]
		if e.ok || now.Sub(e.newest.DeliveredAt) < settle {
			continue
		}
		if e.attempts >= maxAttempts {
			gone++
			continue
		}
		// Stored after all: the answer got lost, or took longer than GitHub waits.
		if _, err := s.inbox.Show(ctx, guid); err == nil {
			continue
		} else if !errors.Is(err, inbox.ErrNotFound) {
			return fmt.Errorf("looking for delivery %s: %w", guid, err)
		}
		if asked == maxAsked {
			s.log.Warn().Int("asked", asked).Msg("more deliveries were lost than one pass asks for; the next one continues")
			return nil // the mark stays, so that the rest is seen again
		}
		if err := s.github.Redeliver(ctx, e.newest.ID); err != nil {
			if errors.Is(err, githubapi.ErrNotFound) {
				continue // older than GitHub keeps them
			}
			if refused := (*githubapi.RefusedError)(nil); errors.As(err, &refused) {
				// The others must not wait behind one that GitHub will not send.
				s.log.Warn().Err(err).Str("delivery", guid).Str("event", e.newest.Event).Msg("a lost delivery is not sent again")
				continue
			}
			return fmt.Errorf("asking for delivery %s again: %w", guid, err)
		}
		asked++
		s.log.Info().Str("delivery", guid).Str("event", e.newest.Event).Int("answer", e.newest.StatusCode).Msg("asked for a lost delivery again")
	}
	if gone > 0 {
		s.log.Warn().Int("deliveries", gone).Msgf("deliveries failed %d times and are let go", maxAttempts)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if newest.After(s.mark) {
		s.mark = newest
	}
	return nil
}

// read lists attempts, youngest first, back to a time, and groups them by the
// event they belong to: the first attempt stays listed as failed after a later
// one succeeded. order is oldest event first, as they were meant to arrive.
func (s *Sweeper) read(ctx context.Context, since time.Time) (events map[string]*event, order []string, newest time.Time, err error) {
	events = map[string]*event{}
	defer func() { slices.Reverse(order) }()
	cursor := ""
	for range maxPages {
		page, next, err := s.github.Deliveries(ctx, cursor)
		if err != nil {
			return nil, nil, time.Time{}, fmt.Errorf("reading the App's deliveries: %w", err)
		}
		for _, d := range page {
			if d.DeliveredAt.After(newest) {
				newest = d.DeliveredAt
			}
			if d.DeliveredAt.Before(since) {
				next = ""
				continue
			}
			e := events[d.GUID]
			if e == nil {
				e = &event{newest: d}
				events[d.GUID] = e
				order = append(order, d.GUID)
			}
			e.attempts++
			e.ok = e.ok || d.OK()
			if d.DeliveredAt.After(e.newest.DeliveredAt) {
				e.newest = d
			}
		}
		if next == "" {
			return events, order, newest, nil
		}
		cursor = next
	}
	s.log.Warn().Int("attempts", maxPages*100).Msg("more deliveries than one pass reads; older ones are not looked at")
	return events, order, newest, nil
}
