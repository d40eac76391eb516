package inbox

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// runner is the working half of an Inbox, from Run to its return.
type runner struct {
	box      *Inbox
	handler  Handler
	client   string
	lease    *lease
	halt     atomic.Bool
	hardStop chan struct{} // closed when nothing is waited for any more

	recording chan struct{} // a place for each worker that may record now

	busy sync.Map // lanes (int64) with a handler in this process, to *underWay

	untilHalt context.Context // ends with the context of Run: for periodic work
	helpers   sync.WaitGroup  // everything started by Run besides handlers
}

func (r *runner) stopping() bool { return r.halt.Load() }

// Run works on deliveries until ctx ends, then lets running handlers finish
// within the grace period, cancels the rest and returns nil. What was cut
// short is waiting again and continues at the next Run, anywhere. Run returns
// an error when it cannot start, or when handlers do not return.
//
// Before it works, Run takes over what dead processes of this machine left
// behind; what others left is taken over when their lease has run out.
func (b *Inbox) Run(ctx context.Context, h Handler) error {
	r := &runner{box: b, handler: h, client: "dhibot-" + uuid.NewString(), hardStop: make(chan struct{}),
		recording: make(chan struct{}, b.db.recorders()), untilHalt: ctx}
	b.mu.Lock()
	if b.running != nil {
		b.mu.Unlock()
		return errors.New("inbox: already running")
	}
	var err error
	if r.lease, err = b.takeLease(ctx, r.client); err != nil {
		b.mu.Unlock()
		return err
	}
	b.running = r
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		b.running = nil
		b.mu.Unlock()
	}()

	// Outlives ctx: signs of life are needed until the last handler returned.
	background, cancel := context.WithCancel(context.WithoutCancel(ctx))
	err = r.run(ctx, background)
	cancel()
	r.helpers.Wait() // before the lease goes, or its renewal would bring it back
	if errors.Is(err, errStuck) {
		// The lease stays: what still runs must not be given to others yet. It
		// ends with the process.
		return err
	}
	end, cancelEnd := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancelEnd()
	return errors.Join(err, r.lease.release(end))
}

var errStuck = errors.New("inbox: handlers did not return within the grace period")

func (r *runner) run(ctx, background context.Context) error {
	if err := r.box.reclaim(background, r.client); err != nil {
		return fmt.Errorf("inbox: taking over: %w", err)
	}
	stop, err := r.box.db.start(background, r.client, r.work)
	if err != nil {
		return err
	}
	r.helpers.Go(func() { r.lease.renew(background) })
	r.helpers.Go(func() { r.tend(background) })

	<-ctx.Done()
	r.halt.Store(true)
	// River lets handlers finish for the grace period, then cancels them; a
	// little more for recording what they were told to leave.
	stopCtx, cancel := context.WithTimeout(background, r.box.opt.grace+5*time.Second)
	defer cancel()
	err = stop(stopCtx)
	close(r.hardStop)
	if err != nil {
		return fmt.Errorf("%w: %w", errStuck, err)
	}
	return nil
}
