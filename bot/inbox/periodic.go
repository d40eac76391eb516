package inbox

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

// periodic is work that exactly one of all processes does each time it is due.
type periodic struct {
	name  string
	every time.Duration
	do    func(context.Context) error
}

// WithPeriodic has do called once per interval, by one process of all, while
// Run is active; the first time soon after the first Run ever. The name
// identifies the work across processes and restarts. Its context ends with
// Run, and after the interval at the latest. Errors are logged; the next
// interval tries again.
func WithPeriodic(name string, every time.Duration, do func(context.Context) error) Option {
	return func(o *options) { o.periodics = append(o.periodics, periodic{name, every, do}) }
}

// periodics starts what is due. Whoever moves the due time on does the work,
// so no leader needs to be elected, and none can be lost.
func (r *runner) periodics(ctx context.Context) {
	b := r.box
	if r.stopping() || !r.lease.held() {
		return
	}
	for _, p := range b.opt.periodics {
		mine, err := b.takePeriodic(ctx, p)
		if err != nil && ctx.Err() == nil {
			b.opt.log.Warn().Err(err).Str("periodic", p.name).Msg("cannot tell whether it is due")
		}
		if !mine {
			continue
		}
		r.helpers.Go(func() {
			ctx, cancel := context.WithTimeout(r.untilHalt, p.every)
			defer cancel()
			began := b.now()
			if err := callPeriodic(ctx, p); err != nil && !errors.Is(err, context.Canceled) {
				b.opt.log.Error().Err(err).Str("periodic", p.name).Msg("periodic work failed")
				return
			}
			b.opt.log.Debug().Str("periodic", p.name).Dur("took", b.now().Sub(began)).Msg("periodic work done")
		})
	}
}

func (b *Inbox) takePeriodic(ctx context.Context, p periodic) (mine bool, err error) {
	now := b.now()
	due, known := int64(0), false
	err = b.db.read(ctx, func(t tx) (err error) { // the usual answer is "not yet"
		due, known, err = one[int64](ctx, t, "SELECT due FROM inbox_periodic WHERE name = $1", p.name)
		return err
	})
	if err != nil || known && due > micros(now) {
		return false, err
	}
	err = b.db.inTx(ctx, func(t tx) error {
		if _, err := t.exec(ctx, "INSERT INTO inbox_periodic (name, due) VALUES ($1, 0) ON CONFLICT (name) DO NOTHING", p.name); err != nil {
			return err
		}
		n, err := t.exec(ctx, "UPDATE inbox_periodic SET due = $2 WHERE name = $1 AND due <= $3", p.name, micros(now.Add(p.every)), micros(now))
		mine = n == 1
		return err
	})
	return mine && err == nil, err
}

func callPeriodic(ctx context.Context, p periodic) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	return p.do(ctx)
}
