package inbox

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/riverqueue/river/rivertype"
)

// waitingLane is a lane that has new work.
type waitingLane struct {
	lane, installation int64
	priority           Priority
}

// call makes sure that every lane has a job, that it does not wait for a time to
// come, and that it is as urgent as the lane's most urgent new delivery.
func (b *Inbox) call(ctx context.Context, t tx, lanes []waitingLane) error {
	if len(lanes) == 0 {
		return nil
	}
	now := b.now()
	// In one order everywhere, as in commit: the insert locks existing jobs.
	slices.SortFunc(lanes, func(x, y waitingLane) int {
		return cmp.Or(cmp.Compare(x.lane, y.lane), cmp.Compare(x.priority, y.priority))
	})
	lanes = slices.CompactFunc(lanes, func(x, y waitingLane) bool { return x.lane == y.lane }) // the first is the most urgent
	turns := make([]turn, len(lanes))
	for i, l := range lanes {
		at, err := b.place(ctx, t, l.installation, l.priority, now)
		if err != nil {
			return err
		}
		turns[i] = turn{lane: l.lane, priority: l.priority, at: at}
	}
	results, err := b.db.enqueue(ctx, t, now, turns)
	if err != nil {
		return fmt.Errorf("enqueueing: %w", err)
	}
	var again []turn
	for i, r := range results {
		if !r.UniqueSkippedAsDuplicate || r.Job.State == rivertype.JobStateRunning {
			continue // new, or will be looked after when its worker ends
		}
		// A job for a time to come is there for deliveries that wait for it;
		// whether the new one must wait too is for a worker to say, see head.
		early := r.Job.State != rivertype.JobStateScheduled || !r.Job.ScheduledAt.After(now)
		if early && int(turns[i].priority) >= r.Job.Priority {
			continue // soon and urgent enough
		}
		gone, err := b.db.unqueue(ctx, t, r.Job.ID)
		if err != nil {
			return fmt.Errorf("bringing a lane forward: %w", err)
		}
		if gone {
			// What waited stays as urgent as it was.
			turns[i].priority = min(turns[i].priority, Priority(r.Job.Priority))
			again = append(again, turns[i])
		}
	}
	if len(again) == 0 {
		return nil
	}
	if _, err := b.db.enqueue(ctx, t, now, again); err != nil {
		return fmt.Errorf("enqueueing: %w", err)
	}
	return nil
}

// Fairness. River hands out jobs by priority, then by time. A lane's job gets
// as its time a past moment, earlier the less its installation has waiting: a
// thousand lanes of one installation stretch over placeStep each, and the
// single lane of another goes in front of nearly all of them however late it
// comes. Time still counts, so that nobody waits for ever behind a stream of
// small ones. The backlog is counted only up to placeMost: enough to be fair,
// and cheap however large it is.
const (
	placeMost = 1000
	placeStep = 10 * time.Second
	placeBack = 24 * time.Hour // larger than placeMost*placeStep: all places are past
)

func (b *Inbox) place(ctx context.Context, t tx, installation int64, p Priority, now time.Time) (time.Time, error) {
	n, err := b.backlog.count(ctx, t, installation, p)
	if err != nil {
		return time.Time{}, fmt.Errorf("counting the backlog: %w", err)
	}
	return now.Add(time.Duration(n)*placeStep - placeBack), nil
}

// backlog remembers counts for a moment. They order jobs, nothing more, and
// need not be exact; under load they would be the larger half of a Put.
type backlog struct {
	mu     sync.Mutex
	counts map[waitingLane]counted
}

type counted struct {
	n  int64
	at time.Time
}

const (
	backlogFresh = time.Second
	backlogMost  = 10_000 // entries, then start anew
)

func (l *backlog) count(ctx context.Context, t tx, installation int64, p Priority) (int64, error) {
	who := waitingLane{installation: installation, priority: p}
	l.mu.Lock()
	c, ok := l.counts[who]
	if ok && time.Since(c.at) < backlogFresh {
		c.n = min(c.n+1, placeMost) // the one that asks
		l.counts[who] = c
		l.mu.Unlock()
		return c.n, nil
	}
	l.mu.Unlock() // not while asking the database
	n, _, err := one[int64](ctx, t, `SELECT count(*) FROM (
		SELECT 1 FROM inbox WHERE installation = $1 AND priority = $2 AND state = 'pending' LIMIT $3) AS waiting`,
		installation, int64(p), placeMost)
	if err != nil {
		return 0, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.counts == nil || len(l.counts) >= backlogMost {
		l.counts = map[waitingLane]counted{}
	}
	l.counts[who] = counted{n, time.Now()}
	return n, nil
}
