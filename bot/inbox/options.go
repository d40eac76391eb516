package inbox

import (
	"errors"
	"log/slog"
	"time"

	"github.com/rs/zerolog"
)

// Option changes a default of Open.
type Option func(*options)

type options struct {
	now       func() time.Time
	stubbed   bool // now is not the wall clock: River must be told
	log       zerolog.Logger
	workers   int
	people    int
	scans     int
	attempts  int
	drain     int
	grace     time.Duration
	lease     time.Duration
	handler   time.Duration
	keepBody  time.Duration
	keepRow   time.Duration
	tick      time.Duration
	poll      time.Duration
	observe   func(Observation)
	periodics []periodic
}

func defaults() options {
	return options{
		now:      time.Now,
		log:      zerolog.Nop(),
		workers:  16,
		people:   4,
		scans:    4,
		attempts: DefaultAttempts,
		drain:    20,
		grace:    20 * time.Second,
		lease:    30 * time.Second,
		handler:  10 * time.Minute,
		keepBody: 7 * 24 * time.Hour,
		keepRow:  30 * 24 * time.Hour,
		tick:     time.Second,
		poll:     500 * time.Millisecond,
		observe:  func(Observation) {},
	}
}

func (o options) check() error {
	switch {
	case o.workers < 1 || o.people < 1 || o.scans < 1 || o.attempts < 1 || o.drain < 1:
		return errors.New("inbox: workers, attempts and drain must be at least 1")
	case o.lease < time.Second || o.lease > time.Minute:
		return errors.New("inbox: the lease must be between one second and one minute")
	case o.grace < 0 || o.handler <= 0:
		return errors.New("inbox: grace and handler timeout must not be negative")
	}
	return nil
}

// slog is where River's own lines go. They are about its machinery, so only
// warnings and errors pass.
func (o options) slog() *slog.Logger {
	return slog.New(zerolog.NewSlogHandler(o.log.With().Str("component", "river").Logger().Level(zerolog.WarnLevel)))
}

// WithClock replaces the wall clock for everything that is compared with
// stored times: retries, Later, retention. Leases keep the database's clock.
func WithClock(now func() time.Time) Option {
	return func(o *options) { o.now, o.stubbed = now, true }
}

// WithLogger sets where lines go; the default discards them.
func WithLogger(log zerolog.Logger) Option { return func(o *options) { o.log = log } }

// WithWorkers sets how many lanes one process works on at once (default 16),
// and how many more are kept free for lanes with a person waiting (default 4).
// Scans have their own, see WithScanWorkers.
func WithWorkers(all, people int) Option {
	return func(o *options) { o.workers, o.people = all, people }
}

// WithScanWorkers sets how many lanes with nothing but scans one process works
// on at once, besides the others (default 4). Scans never take other workers.
func WithScanWorkers(n int) Option { return func(o *options) { o.scans = n } }

// DefaultAttempts is after how many failures a delivery is parked. With the
// pauses between them that is more than five hours, so that a bad afternoon of
// GitHub's loses nothing; a delivery that fails does not hold up its lane.
const DefaultAttempts = 10

// WithMaxAttempts sets after how many failures a delivery is parked instead of
// DefaultAttempts.
func WithMaxAttempts(n int) Option { return func(o *options) { o.attempts = n } }

// WithDrain sets how many deliveries of a lane are handled before the lane
// goes to the back of the queue (default 20).
func WithDrain(n int) Option { return func(o *options) { o.drain = n } }

// WithGrace sets how long Run waits for handlers when it is stopped before it
// cancels their contexts (default 20 s).
func WithGrace(d time.Duration) Option { return func(o *options) { o.grace = d } }

// WithLease sets how long after its last sign of life a process on another
// machine is taken for dead (default 30 s, at most a minute). It is the
// longest a lane waits after a power cut.
func WithLease(d time.Duration) Option { return func(o *options) { o.lease = d } }

// WithHandlerTimeout bounds one call of the handler (default 10 minutes).
func WithHandlerTimeout(d time.Duration) Option { return func(o *options) { o.handler = d } }

// WithObserver is told of every call of the handler, for metrics. It is called
// from many goroutines and must be quick.
func WithObserver(f func(Observation)) Option { return func(o *options) { o.observe = f } }

// Observation is what happened to one delivery in one call of the handler.
type Observation struct {
	Delivery Delivery // without Body
	Outcome  string   // "done", "retry", "later", "parked" or "interrupted"
	Waited   time.Duration
	Took     time.Duration
}
