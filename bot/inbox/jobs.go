package inbox

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrNotFound means that no delivery has the given GUID.
var ErrNotFound = errors.New("inbox: no such delivery")

// ErrState means that a delivery cannot do what was asked in the state it is
// in: only parked ones are retried, only waiting ones parked.
var ErrState = errors.New("inbox: not possible in this state")

// State of a stored delivery.
type State string

const (
	Pending   State = "pending"   // waiting, or being worked on
	Done      State = "done"      // acted on
	Parked    State = "parked"    // given up; Error says why
	Duplicate State = "duplicate" // another delivery told of the same happening
)

// Entry is a stored delivery as people see it. Delivery.Body is filled by Show
// only, and empty once trimmed.
type Entry struct {
	Delivery
	State    State
	Failures int       // attempts that ended in an error
	Error    string    // the last error; hostile text may be in it
	Due      time.Time // not before; meaningful while pending
	Held     bool      // put back by Later: what comes after it in its repository waits too
	Finished time.Time // zero while pending
}

// Filter chooses entries; its zero value chooses all.
type Filter struct {
	State        State // "" for every state
	Installation int64 // 0 for all
	Repository   int64 // 0 for all
	Limit        int   // at most so many, newest first; 0 means 100, more than 1000 means 1000
}

const entryColumns = `guid, event, installation, repository, full_name, COALESCE(meaning, ''), priority,
 state, held, due, received, COALESCE(finished, 0), tries, error FROM inbox `

func scanEntry(scan func(...any) error) (Entry, error) {
	var e Entry
	var priority, held, due, received, finished, tries int64
	var state string
	if err := scan(&e.GUID, &e.Event, &e.Installation, &e.Repository, &e.FullName, &e.Key, &priority,
		&state, &held, &due, &received, &finished, &tries, &e.Error); err != nil {
		return Entry{}, err
	}
	e.Priority, e.State, e.Held, e.Failures, e.Attempt = Priority(priority), State(state), held != 0, int(tries), int(tries)+1
	e.Due, e.Received = fromMicros(due), fromMicros(received)
	if finished != 0 {
		e.Finished = fromMicros(finished)
	}
	return e, nil
}

// List returns entries, newest first, without bodies.
func (b *Inbox) List(ctx context.Context, f Filter) ([]Entry, error) {
	limit := f.Limit
	switch {
	case limit <= 0:
		limit = 100
	case limit > 1000:
		limit = 1000
	}
	query, args := "SELECT "+entryColumns+"WHERE seq > 0", []any{}
	also := func(column string, value any) {
		args = append(args, value)
		query += fmt.Sprintf(" AND %s = $%d", column, len(args))
	}
	if f.State != "" {
		also("state", string(f.State))
	}
	if f.Installation != 0 {
		also("installation", f.Installation)
	}
	if f.Repository != 0 {
		also("repository", f.Repository)
	}
	query += fmt.Sprintf(" ORDER BY seq DESC LIMIT %d", limit)
	var list []Entry
	err := b.db.read(ctx, func(t tx) error {
		list = nil
		return t.query(ctx, func(scan func(...any) error) error {
			e, err := scanEntry(scan)
			list = append(list, e)
			return err
		}, query, args...)
	})
	if err != nil {
		return nil, fmt.Errorf("inbox: listing: %w", err)
	}
	return list, nil
}

// Show returns one entry with its body. ErrNotFound when there is none.
func (b *Inbox) Show(ctx context.Context, guid string) (Entry, error) {
	var e Entry
	found := false
	err := b.db.read(ctx, func(t tx) error {
		err := t.query(ctx, func(scan func(...any) error) (err error) {
			found = true
			e, err = scanEntry(scan)
			return err
		}, "SELECT "+entryColumns+"WHERE guid = $1", guid)
		if err != nil || !found {
			return err
		}
		e.Body, _, err = one[[]byte](ctx, t, "SELECT body FROM inbox_body WHERE seq = (SELECT seq FROM inbox WHERE guid = $1)", guid)
		return err
	})
	if err != nil {
		return Entry{}, fmt.Errorf("inbox: showing %s: %w", guid, err)
	}
	if !found {
		return Entry{}, fmt.Errorf("%w: %s", ErrNotFound, guid)
	}
	return e, nil
}

// Retry puts a parked delivery back to work with all its attempts before it.
// ErrNotFound, or ErrState when it is not parked, has lost its payload to age,
// or another delivery has taken care of the same happening since.
func (b *Inbox) Retry(ctx context.Context, guid string) error {
	return b.change(ctx, guid, func(t tx, seq int64, e Entry) error {
		_, has, err := one[int64](ctx, t, "SELECT 1 FROM inbox_body WHERE seq = $1", seq)
		if err != nil {
			return err
		}
		if !has {
			return fmt.Errorf("%w: the payload of %s is no longer kept", ErrState, guid)
		}
		revived, err := b.revive(ctx, t, seq, nil)
		if err != nil {
			return err
		}
		if !revived {
			return fmt.Errorf("%w: %s is %s", ErrState, guid, e.State)
		}
		return b.call(ctx, t, []waitingLane{{e.lane(), e.Installation, e.Priority}})
	})
}

// Park takes a waiting delivery out of the queue. One that is being worked on
// at this moment is not interrupted, and is done if its handler succeeds.
// ErrNotFound, or ErrState when it is not waiting.
func (b *Inbox) Park(ctx context.Context, guid, reason string) error {
	return b.change(ctx, guid, func(t tx, seq int64, e Entry) error {
		n, err := t.exec(ctx, "UPDATE inbox SET state = 'parked', finished = $2, held = 0, error = $3 WHERE seq = $1 AND state = 'pending'",
			seq, micros(b.now()), clean(reason, maxError))
		if err != nil {
			return err
		}
		if n == 0 {
			return fmt.Errorf("%w: %s is %s", ErrState, guid, e.State)
		}
		return nil
	})
}

func (b *Inbox) change(ctx context.Context, guid string, f func(t tx, seq int64, e Entry) error) error {
	err := b.db.inTx(ctx, func(t tx) error {
		seq, found, err := one[int64](ctx, t, "SELECT seq FROM inbox WHERE guid = $1", guid)
		if err != nil {
			return err
		}
		if !found {
			return ErrNotFound
		}
		var e Entry
		err = t.query(ctx, func(scan func(...any) error) (err error) {
			e, err = scanEntry(scan)
			return err
		}, "SELECT "+entryColumns+"WHERE seq = $1", seq)
		if err != nil {
			return err
		}
		return f(t, seq, e)
	})
	if err != nil {
		return fmt.Errorf("inbox: delivery %s: %w", guid, err)
	}
	return nil
}

// Stats is the state of the queue, for metrics.
type Stats struct {
	Waiting map[Priority]int64 // deliveries waiting or being worked on
	Parked  int64
	Oldest  time.Time // when the oldest waiting delivery whose time has come arrived; zero when there is none
}

// Stats counts. It is made for a scrape every few seconds.
func (b *Inbox) Stats(ctx context.Context) (Stats, error) {
	s := Stats{Waiting: map[Priority]int64{Command: 0, Event: 0, Scan: 0}}
	err := b.db.read(ctx, func(t tx) error {
		err := t.query(ctx, func(scan func(...any) error) error {
			var p, n int64
			err := scan(&p, &n)
			s.Waiting[Priority(p)] = n
			return err
		}, "SELECT priority, count(*) FROM inbox WHERE state = 'pending' GROUP BY priority")
		if err != nil {
			return err
		}
		if s.Parked, _, err = one[int64](ctx, t, "SELECT count(*) FROM inbox WHERE state = 'parked'"); err != nil {
			return err
		}
		oldest, _, err := one[int64](ctx, t, "SELECT COALESCE(MIN(received), 0) FROM inbox WHERE state = 'pending' AND due <= $1", micros(b.now()))
		if oldest != 0 {
			s.Oldest = fromMicros(oldest)
		}
		return err
	})
	if err != nil {
		return Stats{}, fmt.Errorf("inbox: counting: %w", err)
	}
	return s, nil
}
