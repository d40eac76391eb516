package inbox

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/riverqueue/river/rivertype"
	"github.com/rs/zerolog"
)

// laneTime is how long a worker keeps a lane before it lets others go first,
// even when the lane has not been drained of as many deliveries as allowed.
const laneTime = time.Minute

// crashMost is how often a process may die in the middle of one delivery
// before that delivery is taken to be the cause.
const crashMost = 4

// crashSuspect is after how many of them it has to wait before it is begun
// again.
const crashSuspect = 2

// course is how a worker goes on with a lane that has more to do.
type course int

const (
	proceed course = iota // with the next delivery
	yield                 // at the back of the queue, here or elsewhere
	later                 // in laterPause
)

const laterPause = 5 * time.Second

// task is a claimed delivery.
type task struct {
	seq int64
	d   Delivery
}

// settlement is what became of a task, to be written down.
type settlement struct {
	seq int64
	verdict
}

// work is one River job: it drains a lane. Every transaction it makes begins
// by proving that the job is still its own, and the one that finds nothing
// more to do is the one that completes the job: a Put in between waits for it
// and then sees that it must insert a new job.
func (r *runner) work(ctx context.Context, job *rivertype.JobRow, lane int64) error {
	began := r.box.now()
	var last *settlement
	for n := 0; ; n++ {
		then := proceed
		_, occupied := r.busy.Load(lane)
		switch {
		case occupied, !r.lease.held():
			// Not the time: a handler from before a lost lease has not returned
			// although it was told to, or the lease is lost right now.
			then = later
		case n >= r.box.opt.drain, r.box.now().Sub(began) >= laneTime, r.stopping():
			then = yield
		}
		next, err := r.record(ctx, job, lane, last, then)
		if errors.Is(err, errFenced) {
			r.box.opt.log.Warn().Int64("job", job.ID).Int64("lane", lane).Msg("lane taken over by another worker")
			return nil
		}
		if err != nil {
			return fmt.Errorf("inbox: lane %d: %w", lane, err)
		}
		if next == nil {
			return nil
		}
		last = r.handle(ctx, job.ID, next)
	}
}

// record writes down what became of the last task and claims the next one. It
// returns nil when the job is complete. What was done must be written down
// even when the process is stopping or the database is away for a moment, so
// it does not end with ctx and it tries for a while.
func (r *runner) record(ctx context.Context, job *rivertype.JobRow, lane int64, last *settlement, then course) (next *task, err error) {
	const tries = 6
	ctx = context.WithoutCancel(ctx)
	for try := range tries {
		if try > 0 {
			r.box.opt.log.Warn().Err(err).Int64("lane", lane).Msg("cannot record; trying again")
			select {
			case <-time.After(100 * time.Millisecond << try):
			case <-r.hardStop:
				return nil, err
			}
		}
		next, err = r.recordOnce(ctx, job, lane, last, then)
		if err == nil || errors.Is(err, errFenced) {
			return next, err
		}
	}
	return nil, err
}

func (r *runner) recordOnce(ctx context.Context, job *rivertype.JobRow, lane int64, last *settlement, then course) (next *task, err error) {
	// Connections are given out first come, first served. Were all workers to
	// queue for one, a Put would wait for every one of them.
	r.recording <- struct{}{}
	defer func() { <-r.recording }()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var parked []Delivery
	defer func() {
		if err == nil {
			r.gaveUp(parked)
		}
	}()
	err = r.box.db.inTx(ctx, func(t tx) error {
		next, parked = nil, nil
		if err := r.box.prove(ctx, t, job); err != nil {
			return err
		}
		if last != nil {
			if err := r.box.settle(ctx, t, *last); err != nil {
				return err
			}
		}
		var h head
		for {
			var err error
			if h, err = r.box.head(ctx, t, lane); err != nil {
				return err
			}
			if !h.runnable || h.starts < crashMost {
				break
			}
			if err := r.box.settle(ctx, t, settlement{h.task.seq, verdict{outcome: outcomeParked,
				text: fmt.Sprintf("the process ended %d times while it worked on this delivery", h.starts)}}); err != nil {
				return err
			}
			parked = append(parked, h.task.d)
		}
		switch {
		case h.runnable && then == proceed && !elsewhere(job.Queue, h.priority):
			next = &h.task
			return r.box.claim(ctx, t, next)
		case h.runnable && then == later:
			h.runnable, h.due = false, r.box.now().Add(laterPause)
		}
		return r.box.finish(ctx, t, job, lane, h)
	})
	return next, err
}

// gaveUp tells of deliveries that were parked without a call of the handler.
func (r *runner) gaveUp(parked []Delivery) {
	for _, d := range parked {
		r.box.opt.observe(Observation{Delivery: d, Outcome: outcomeParked, Waited: max(0, r.box.now().Sub(d.Received))})
		r.box.opt.log.Error().Str("delivery", d.GUID).Str("event", d.Event).Int64("installation", d.Installation).
			Int64("repository", d.Repository).Str("name", d.FullName).Str("outcome", outcomeParked).
			Msgf("the process ended %d times while it worked on this delivery", crashMost)
	}
}

var errFenced = errors.New("inbox: another worker has taken over the repository")

// prove fails with errFenced unless the job is running and this is still its
// attempt. The row stays locked until the transaction ends.
func (b *Inbox) prove(ctx context.Context, t tx, job *rivertype.JobRow) error {
	_, ours, err := one[int64](ctx, t, "SELECT id FROM river_job WHERE id = $1 AND attempt = $2 AND state = 'running'"+b.db.dialect().forUpdate,
		job.ID, int64(job.Attempt))
	if err != nil {
		return err
	}
	if !ours {
		return errFenced
	}
	return nil
}

// head is what a lane has to offer.
type head struct {
	waiting  bool // there are pending deliveries
	runnable bool // and task is one whose time has come
	task     task
	starts   int64
	priority Priority  // of the most urgent one
	due      time.Time // when the first of them may run; meaningful unless runnable
}

// head looks at the lane. The most urgent delivery goes first, then the
// oldest. One that failed and waits for its next attempt is passed by, or a
// single bad event would stop its repository; one put back by Later is not,
// because what made it wait would make the others wait too, and order is
// worth keeping.
func (b *Inbox) head(ctx context.Context, t tx, lane int64) (h head, err error) {
	now := micros(b.now())
	var due, received, held int64
	d := &h.task.d
	scanned := func(scan func(...any) error) error {
		h.waiting = true
		var priority, tries int64
		if err := scan(&h.task.seq, &d.GUID, &d.Event, &d.Installation, &d.Repository, &d.FullName, &d.Key,
			&priority, &due, &received, &held, &tries, &h.starts); err != nil {
			return err
		}
		d.Priority, d.Received, d.Attempt = Priority(priority), fromMicros(received), int(tries)+1
		return nil
	}
	const columns = "SELECT seq, guid, event, installation, repository, full_name, COALESCE(meaning, ''), priority, due, received, held, tries, starts FROM inbox "
	err = t.query(ctx, scanned, columns+"WHERE lane = $1 AND state = 'pending' AND (held = 1 OR due <= $2) ORDER BY priority, seq LIMIT 1", lane, now)
	if err != nil {
		return head{}, fmt.Errorf("reading the lane: %w", err)
	}
	if h.waiting && due <= now {
		h.runnable, h.priority = true, d.Priority
		return h, nil
	}
	// Nothing to do now. Come back for the first whose time comes; it is in
	// front then, or it is passed by and somebody else is.
	h = head{}
	err = t.query(ctx, func(scan func(...any) error) error {
		var first, priority int64
		h.waiting = true
		defer func() { h.due, h.priority = fromMicros(first), Priority(priority) }()
		return scan(&first, &priority)
	}, "SELECT due, priority FROM inbox WHERE lane = $1 AND state = 'pending' AND due > $2 ORDER BY due, priority LIMIT 1", lane, now)
	if err != nil {
		return head{}, fmt.Errorf("reading the lane: %w", err)
	}
	return h, nil
}

// claim notes that the handler is about to be called and reads the body.
func (b *Inbox) claim(ctx context.Context, t tx, next *task) error {
	if _, err := t.exec(ctx, "UPDATE inbox SET starts = starts + 1 WHERE seq = $1", next.seq); err != nil {
		return fmt.Errorf("claiming a delivery: %w", err)
	}
	body, ok, err := one[[]byte](ctx, t, "SELECT body FROM inbox_body WHERE seq = $1", next.seq)
	if err != nil {
		return fmt.Errorf("reading a payload: %w", err)
	}
	if !ok {
		return fmt.Errorf("reading a payload: delivery %s has none", next.d.GUID)
	}
	next.d.Body = body
	return nil
}

// settle writes a verdict down. A row that people parked meanwhile stays
// parked, unless the work turned out to be done.
func (b *Inbox) settle(ctx context.Context, t tx, s settlement) error {
	now := micros(b.now())
	var err error
	switch s.outcome {
	case outcomeDone:
		_, err = t.exec(ctx, `UPDATE inbox SET state = 'done', finished = $2, starts = 0, held = 0, error = ''
			WHERE seq = $1 AND state IN ('pending', 'parked')`, s.seq, now)
	case outcomeParked:
		_, err = t.exec(ctx, `UPDATE inbox SET state = 'parked', finished = $2, starts = 0, held = 0, tries = tries + 1, error = $3
			WHERE seq = $1 AND state = 'pending'`, s.seq, now, s.text)
	case outcomeRetry:
		_, err = t.exec(ctx, `UPDATE inbox SET due = $2, starts = 0, held = 0, tries = tries + 1, error = $3
			WHERE seq = $1 AND state = 'pending'`, s.seq, micros(s.due), s.text)
	case outcomeLater:
		_, err = t.exec(ctx, `UPDATE inbox SET due = $2, starts = 0, held = 1, error = $3
			WHERE seq = $1 AND state = 'pending'`, s.seq, micros(s.due), s.text)
	case outcomeInterrupted:
		_, err = t.exec(ctx, "UPDATE inbox SET starts = 0 WHERE seq = $1 AND state = 'pending'", s.seq)
	}
	if err != nil {
		return fmt.Errorf("recording %q: %w", s.outcome, err)
	}
	return nil
}

// finish completes the job and, when the lane has something left, inserts its
// successor: at the back of the queue, or for the time when it may go on.
func (b *Inbox) finish(ctx context.Context, t tx, job *rivertype.JobRow, lane int64, h head) error {
	if err := b.db.complete(ctx, t, job); err != nil {
		if errors.Is(err, errFenced) || errors.Is(err, rivertype.ErrNotFound) {
			return errFenced
		}
		return fmt.Errorf("completing the job: %w", err)
	}
	if !h.waiting {
		return nil
	}
	now := b.now()
	next := turn{lane: lane, priority: h.priority, at: h.due}
	if h.runnable {
		var err error
		if next.at, err = b.place(ctx, t, h.task.d.Installation, h.priority, now); err != nil {
			return err
		}
	}
	if _, err := b.db.enqueue(ctx, t, now, []turn{next}); err != nil {
		return fmt.Errorf("enqueueing the lane again: %w", err)
	}
	return nil
}

// handle calls the handler and says what its result means.
func (r *runner) handle(ctx context.Context, job int64, next *task) *settlement {
	b, d := r.box, next.d
	ctx, cancel := context.WithTimeoutCause(ctx, b.opt.handler, fmt.Errorf("inbox: the handler took longer than %s: %w", b.opt.handler, context.DeadlineExceeded))
	defer cancel()
	ctx, cut := context.WithCancelCause(ctx)
	defer cut(nil)
	unwatch := context.AfterFunc(r.lease.context(), func() { cut(ErrLeaseLost) })
	defer unwatch()
	r.busy.Store(d.lane(), &underWay{d.Priority, cut})
	defer r.busy.Delete(d.lane())

	began := b.now()
	err := call(ctx, r.handler, d)
	interrupted := err != nil && ctx.Err() != nil && !errors.Is(context.Cause(ctx), context.DeadlineExceeded)
	v := b.opt.judge(err, interrupted, d, b.now())

	seen := Observation{Delivery: d, Outcome: v.outcome, Waited: max(0, began.Sub(d.Received)), Took: b.now().Sub(began)}
	seen.Delivery.Body = nil
	b.opt.observe(seen)
	level := zerolog.InfoLevel
	switch v.outcome {
	case outcomeParked:
		level = zerolog.ErrorLevel
	case outcomeRetry:
		level = zerolog.WarnLevel
	}
	line := b.opt.log.WithLevel(level).Str("delivery", d.GUID).Str("event", d.Event).Int64("installation", d.Installation).
		Int64("repository", d.Repository).Str("name", d.FullName).Int64("job", job).Int("attempt", d.Attempt).Str("outcome", v.outcome).
		Dur("waited", seen.Waited).Dur("took", seen.Took)
	if err != nil {
		line = line.Err(err)
	}
	if !v.due.IsZero() {
		line = line.Time("due", v.due)
	}
	line.Msg("delivery worked on")
	return &settlement{next.seq, v}
}

// call is the handler with panics turned into errors.
func call(ctx context.Context, h Handler, d Delivery) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the handler panicked: %v\n%s", p, debug.Stack())
		}
	}()
	return h(ctx, d)
}
