package inbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/riverqueue/river/rivertype"
)

// A process that works holds a lease: a row with a time by which it will have
// been renewed, in the database's own clock, so that clocks of machines may
// differ. When the time passes, anyone takes over what the process was working
// on.
//
// On the machine itself nobody needs to wait so long: a process also holds a
// lock on a file for as long as it lives, and the operating system lets go of
// it however the process ends. Who can take the lock of a file knows that its
// owner is dead.

// lease is held by one Run.
type lease struct {
	box    *Inbox
	client string
	alive  *aliveFile

	mu      sync.Mutex
	ctx     context.Context // ends when the lease is lost
	lost    context.CancelCauseFunc
	expires time.Time // on this process's monotonic clock, before anyone else's view of it
}

const aliveName = "alive-"

func (b *Inbox) takeLease(ctx context.Context, client string) (*lease, error) {
	l := &lease{box: b, client: client}
	path := filepath.Join(b.db.dialect().aliveDir, aliveName+client)
	alive, err := createAlive(path)
	if err != nil {
		// A read-only disk: others wait for the lease instead.
		b.opt.log.Warn().Err(err).Msg("no sign of life on this machine; after a crash work continues when the lease ends")
		path = ""
	}
	l.alive = alive
	began := time.Now()
	if err := l.write(ctx, path); err != nil {
		return nil, errors.Join(fmt.Errorf("inbox: taking a lease: %w", err), alive.remove())
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ctx, l.lost = context.WithCancelCause(context.Background())
	l.expires = began.Add(b.opt.lease)
	return l, nil
}

func (l *lease) write(ctx context.Context, alive string) error {
	return l.box.db.inLeaseTx(ctx, func(t tx) error {
		_, err := t.exec(ctx, "INSERT INTO inbox_lease (client, alive, until) VALUES ($1, $2, "+l.box.db.dialect().nowMicros+" + $3)",
			l.client, alive, l.box.opt.lease.Microseconds())
		return err
	})
}

// held reports whether this process may work.
func (l *lease) held() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ctx.Err() == nil && time.Now().Before(l.expires)
}

// context ends when the lease is lost.
func (l *lease) context() context.Context {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ctx
}

// renew gives signs of life until ctx ends, and ends the lease's context when
// they do not arrive in time.
func (l *lease) renew(ctx context.Context) {
	every := time.NewTicker(l.box.opt.lease / 4)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
			l.renewOnce(ctx)
		}
	}
}

func (l *lease) renewOnce(ctx context.Context) {
	// The last moment at which handlers can be told before somebody else may
	// start: an eighth of the lease before it ends.
	l.mu.Lock()
	deadline := l.expires.Add(-l.box.opt.lease / 8)
	l.mu.Unlock()
	began := time.Now()
	attempt, cancel := context.WithDeadline(ctx, maxTime(deadline, began.Add(l.box.opt.lease/8)))
	defer cancel()
	var n int64
	err := l.box.db.inLeaseTx(attempt, func(t tx) (err error) {
		n, err = t.exec(attempt, "UPDATE inbox_lease SET until = "+l.box.db.dialect().nowMicros+" + $2 WHERE client = $1",
			l.client, l.box.opt.lease.Microseconds())
		return err
	})
	log := l.box.opt.log
	switch {
	case err == nil && n == 1:
		l.extend(began)
	case err == nil:
		// Somebody took this process for dead and its lanes away. Their
		// workers here find out at their next record; the handlers must stop.
		log.Warn().Str("client", l.client).Msg("the lease was taken away")
		l.lose()
		path := ""
		if l.alive != nil {
			path = l.alive.path
		}
		if err := l.write(attempt, path); err != nil {
			log.Error().Err(err).Msg("cannot take a new lease")
			return
		}
		l.extend(began)
	case ctx.Err() != nil:
	case time.Now().Before(deadline):
		log.Warn().Err(err).Msg("cannot renew the lease; trying again")
	default:
		log.Error().Err(err).Msg("cannot renew the lease; stopping the handlers")
		l.lose()
	}
}

func maxTime(x, y time.Time) time.Time {
	if x.After(y) {
		return x
	}
	return y
}

func (l *lease) lose() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lost(ErrLeaseLost)
}

func (l *lease) extend(from time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.expires = from.Add(l.box.opt.lease)
	if l.ctx.Err() != nil {
		l.ctx, l.lost = context.WithCancelCause(context.Background())
	}
}

// release gives the lease back after everything stopped.
func (l *lease) release(ctx context.Context) error {
	err := l.box.db.inLeaseTx(ctx, func(t tx) error {
		_, err := t.exec(ctx, "DELETE FROM inbox_lease WHERE client = $1", l.client)
		return err
	})
	l.lose()
	if err = errors.Join(err, l.alive.remove()); err != nil {
		return fmt.Errorf("inbox: giving the lease back: %w", err)
	}
	return nil
}

// reclaim ends the leases of the dead and gives their lanes new jobs.
//
// A lane's job is not handed on: it is cancelled and another one inserted, so
// that whatever the old worker still writes, should it live after all, finds
// a job that is not running. This is the one statement that changes River's
// table behind River's back; its test must be run with every new River.
//
// A process does not judge itself: were its own lease to end unnoticed, it
// would hand its lanes to itself while its handlers still run. self is its
// name.
func (b *Inbox) reclaim(ctx context.Context, self string) error {
	dead, err := b.deadClients(ctx, self)
	if err != nil {
		return err
	}
	for _, c := range dead {
		b.opt.log.Warn().Str("client", c.client).Msg("taking over from a process that ended")
	}
	type orphan struct{ id, lane int64 }
	orphans := func(t tx, lock string) (list []orphan, err error) {
		dialect := b.db.dialect()
		err = t.query(ctx, func(scan func(...any) error) error {
			var o orphan
			var args []byte
			if err := scan(&o.id, &args); err != nil {
				return err
			}
			var err error
			if o.lane, err = laneOf(args); err != nil {
				return err
			}
			list = append(list, o)
			return nil
		}, "SELECT id, "+dialect.argsText+" FROM river_job WHERE state = 'running' AND kind = $1 AND NOT EXISTS ("+
			"SELECT 1 FROM inbox_lease WHERE client = "+dialect.lastOwner+") AND "+dialect.lastOwner+" <> $2 ORDER BY id"+lock, laneKind, self)
		return list, err
	}
	if len(dead) == 0 {
		// The usual case, every few seconds: look without locking anything.
		var found []orphan
		err := b.db.read(ctx, func(t tx) (err error) {
			found, err = orphans(t, "")
			return err
		})
		if err != nil || len(found) == 0 {
			return err
		}
	}
	err = b.db.inTx(ctx, func(t tx) error {
		for _, c := range dead {
			if _, err := t.exec(ctx, "DELETE FROM inbox_lease WHERE client = $1", c.client); err != nil {
				return err
			}
		}
		list, err := orphans(t, b.db.dialect().forUpdate)
		if err != nil {
			return err
		}
		for _, o := range list {
			if err := b.adopt(ctx, t, o.id, o.lane); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, c := range dead {
		if c.ended {
			// Not before the lease is gone: were this process killed in between,
			// nobody could tell any more that the other is dead. Its lock is free
			// and nobody else will look for it.
			_ = os.Remove(c.alive)
		}
	}
	return nil
}

// countReplicas counts the leases that are held.
func (b *Inbox) countReplicas(ctx context.Context) error {
	return b.db.read(ctx, func(t tx) error {
		n, _, err := one[int64](ctx, t, "SELECT count(*) FROM inbox_lease WHERE until > "+b.db.dialect().nowMicros)
		if err != nil {
			return fmt.Errorf("counting leases: %w", err)
		}
		b.replicas.Store(n)
		return nil
	})
}

// adopt gives an orphaned lane a new job.
func (b *Inbox) adopt(ctx context.Context, t tx, job, lane int64) error {
	if _, err := t.exec(ctx, "UPDATE river_job SET state = '"+string(rivertype.JobStateCancelled)+
		"', finalized_at = "+b.db.dialect().riverNow+" WHERE id = $1 AND state = 'running'", job); err != nil {
		return err
	}
	h, err := b.head(ctx, t, lane)
	if err != nil || !h.waiting {
		return err
	}
	now := b.now()
	if h.runnable && h.starts >= crashSuspect {
		// Perhaps it is what ends processes, perhaps only what is under way
		// each time. They part when each comes back at another time: alone, the
		// innocent is done. Its lane waits for it, in order.
		h.runnable, h.due = false, now.Add(pause(int(h.starts)-crashSuspect+1, h.task.d.GUID))
		if _, err := t.exec(ctx, "UPDATE inbox SET due = $2, held = 1 WHERE seq = $1 AND state = 'pending'", h.task.seq, micros(h.due)); err != nil {
			return fmt.Errorf("putting a suspect back: %w", err)
		}
	}
	next := turn{lane: lane, priority: h.priority, at: h.due}
	if h.runnable {
		next.at = now.Add(-placeBack) // it was being worked on: first again
	}
	_, err = b.db.enqueue(ctx, t, now, []turn{next})
	return err
}

// leaseRow is a lease as others see it.
type leaseRow struct {
	client, alive string
	expired       bool // its time is over
	ended         bool // its process is, on this machine
}

// deadClients lists the leases that have ended, or whose process has.
func (b *Inbox) deadClients(ctx context.Context, self string) ([]leaseRow, error) {
	var rows []leaseRow
	err := b.db.read(ctx, func(t tx) error {
		rows = nil
		return t.query(ctx, func(scan func(...any) error) error {
			var r leaseRow
			var left int64
			if err := scan(&r.client, &r.alive, &left); err != nil {
				return err
			}
			if r.client == self {
				return nil
			}
			r.expired = left <= 0
			rows = append(rows, r)
			return nil
		}, "SELECT client, alive, until - "+b.db.dialect().nowMicros+" FROM inbox_lease")
	})
	if err != nil {
		return nil, fmt.Errorf("reading leases: %w", err)
	}
	var dead []leaseRow
	for _, r := range rows {
		r.ended = strings.HasPrefix(filepath.Base(r.alive), aliveName) && aliveEnded(r.alive)
		if r.ended || r.expired {
			dead = append(dead, r)
		}
	}
	return dead, nil
}
