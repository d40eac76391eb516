package inbox

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// What runs when the process is told to stop is finished; what waits is left
// for the next one.
func TestStopDrains(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		o := open(t, url)
		g := newGate("running")
		o.put(Delivery{GUID: "running", Repository: 1})
		o.put(Delivery{GUID: "waiting", Repository: 1})
		ctx, cancel := context.WithCancel(t.Context())
		stopped := make(chan error, 1)
		go func() { stopped <- o.Run(ctx, g.handle) }()
		g.await(t, "running")
		cancel()
		if o.mu.Lock(); o.running != nil {
			r := o.running
			o.mu.Unlock()
			o.await("the stop has begun", r.stopping)
		} else {
			o.mu.Unlock()
			t.Fatal("not running")
		}
		g.open("running")
		if err := <-stopped; err != nil {
			t.Fatalf("Run: %v", err)
		}
		if diff := cmp.Diff(map[string]State{"running": Done, "waiting": Pending}, o.states()); diff != "" {
			t.Errorf("after the stop (-want +got)\n%s", diff)
		}
		o.work(ok)
		o.awaitStates(map[string]State{"running": Done, "waiting": Done})
	})
}

// What does not finish within the grace period is cut short, not counted as a
// failure, and taken up again.
func TestStopCutsShort(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		o := open(t, url, WithGrace(time.Millisecond), WithMaxAttempts(1))
		g := newGate("endless")
		o.put(Delivery{GUID: "endless", Repository: 1})
		ctx, cancel := context.WithCancel(t.Context())
		stopped := make(chan error, 1)
		go func() { stopped <- o.Run(ctx, g.handle) }()
		g.await(t, "endless")
		cancel()
		if err := <-stopped; err != nil {
			t.Fatalf("Run: %v", err)
		}
		e, err := o.Show(t.Context(), "endless")
		if err != nil || e.State != Pending || e.Failures != 0 {
			t.Errorf("cut short as %+v, %v", e, err)
		}
		o.work(ok)
		o.awaitStates(map[string]State{"endless": Done})
	})
}

func TestRunTwice(t *testing.T) {
	t.Parallel()
	o := open(t, sqliteURL(t))
	g := newGate("a")
	o.put(Delivery{GUID: "a"})
	o.work(g.handle)
	g.await(t, "a")
	if err := o.Run(t.Context(), ok); err == nil {
		t.Error("a second Run began")
	}
	g.open("a")
}

// A process that was taken for dead, and is not, is told to stop its handlers;
// what it still does is not recorded, and nobody is disturbed by it.
func TestTakenForDead(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		// A lease so long that it is renewed only when the test says so, and no
		// second worker that would get what is taken away from the first.
		slow := open(t, url, WithLease(time.Minute), WithWorkers(1, 1))
		var cause atomic.Value
		started, release := make(chan struct{}), make(chan struct{})
		slow.put(Delivery{GUID: "a", Repository: 1})
		slow.work(func(ctx context.Context, d Delivery) error {
			if d.GUID != "a" {
				return nil
			}
			close(started)
			<-ctx.Done()
			cause.Store(context.Cause(ctx))
			<-release // it does not stop when told
			return errors.New("late failure")
		})
		<-started
		if err := slow.Ready(t.Context()); err != nil {
			t.Errorf("Ready = %v while working", err)
		}
		// Its machine is cut off for longer than the lease.
		if err := slow.db.inTx(t.Context(), func(x tx) error {
			_, err := x.exec(t.Context(), "UPDATE inbox_lease SET until = 0")
			return err
		}); err != nil {
			t.Fatal(err)
		}
		other := open(t, url)
		g := newGate("a")
		stopOther := other.work(g.handle)
		g.await(t, "a")
		slow.Inbox.mu.Lock()
		lease := slow.running.lease
		slow.Inbox.mu.Unlock()
		lease.renewOnce(t.Context()) // it is back
		lease.lose()
		if err := slow.Ready(t.Context()); err == nil {
			t.Error("Ready without a lease")
		}
		lease.renewOnce(t.Context())
		if err := slow.Ready(t.Context()); err != nil {
			t.Errorf("Ready = %v with a new lease", err)
		}
		slow.await("the slow process is told", func() bool { return cause.Load() != nil })
		if err, _ := cause.Load().(error); !errors.Is(err, ErrLeaseLost) {
			t.Errorf("told %v, want ErrLeaseLost", err)
		}
		close(release)
		slow.await("the slow process has returned", func() bool { return slow.ended.Load() == 1 })
		g.open("a")
		other.awaitStates(map[string]State{"a": Done})
		e, err := other.Show(t.Context(), "a")
		if err != nil || e.Failures != 0 || e.Error != "" {
			t.Errorf("the late failure was recorded: %+v, %v", e, err)
		}
		// It has a new lease and goes on working, now alone.
		stopOther()
		slow.put(Delivery{GUID: "b", Repository: 2})
		slow.awaitStates(map[string]State{"a": Done, "b": Done})
	})
}

// Every process knows how many there are, so that they can share limits.
func TestReplicas(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		o, second := open(t, url), open(t, url)
		if n := o.Replicas(); n != 1 {
			t.Errorf("%d before anything is known", n)
		}
		o.work(ok)
		stop := second.work(ok)
		o.await("both know of two", func() bool { return o.Replicas() == 2 && second.Replicas() == 2 })
		stop()
		o.await("one is left", func() bool { return o.Replicas() == 1 })
	})
}
