package inbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// gate is a handler that stops at chosen deliveries until they are let go.
type gate struct {
	arrived chan string
	mu      sync.Mutex
	closed  map[string]chan struct{}
}

func newGate(guids ...string) *gate {
	g := &gate{arrived: make(chan string, 1000), closed: map[string]chan struct{}{}}
	for _, guid := range guids {
		g.closed[guid] = make(chan struct{})
	}
	return g
}

func (g *gate) handle(ctx context.Context, d Delivery) error {
	g.mu.Lock()
	wait := g.closed[d.GUID]
	g.mu.Unlock()
	g.arrived <- d.GUID
	if wait == nil {
		return nil
	}
	select {
	case <-wait:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (g *gate) open(guid string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	close(g.closed[guid])
	delete(g.closed, guid)
}

func (g *gate) await(t *testing.T, guid string) {
	t.Helper()
	select {
	case got := <-g.arrived:
		if got != guid {
			t.Fatalf("%s was worked on, want %s", got, guid)
		}
	case <-time.After(patience):
		t.Fatalf("%s was never worked on", guid)
	}
}

func TestOneHappeningOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		o := open(t, url, WithMaxAttempts(1))
		fail := make(chan bool, 10)
		put := func(guid, key string, want bool) {
			t.Helper()
			if got := o.put(Delivery{GUID: guid, Key: key, Repository: 1}); got != want {
				t.Errorf("Put(%s, %s) is fresh: %v, want %v", guid, key, got, want)
			}
		}
		put("a", "k1", true)
		put("a", "k1", false) // waiting
		put("b", "k1", false) // the same happening through another hook
		put("c", "k2", true)
		put("d", "", true) // without a key everything is different
		put("e", "", true)
		o.work(func(_ context.Context, d Delivery) error {
			if d.GUID == "c" && <-fail {
				return errors.New("no")
			}
			return nil
		})
		fail <- true
		o.awaitStates(map[string]State{"a": Done, "b": Duplicate, "c": Parked, "d": Done, "e": Done})
		put("a", "k1", false) // done
		put("b", "k1", false)
		fail <- false
		put("c", "k2", true) // a redelivery recovers what was parked
		o.await("c is done", func() bool { return o.states()["c"] == Done })
		want := []string{"a/1", "c/1", "d/1", "e/1", "c/1"}
		if diff := cmp.Diff(want, o.calls()); diff != "" {
			t.Errorf("worked on (-want +got)\n%s", diff)
		}
	})
}

// A parked happening that somebody else took care of is not done again.
func TestParkedButDoneByAnother(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		o := open(t, url)
		o.put(Delivery{GUID: "a", Key: "k"})
		if err := o.Park(t.Context(), "a", "not now"); err != nil {
			t.Fatal(err)
		}
		if !o.put(Delivery{GUID: "b", Key: "k"}) {
			t.Error("nobody takes care of k, and b is not fresh")
		}
		if o.put(Delivery{GUID: "a", Key: "k"}) {
			t.Error("a came back though b takes care of k")
		}
		if err := o.Retry(t.Context(), "a"); !errors.Is(err, ErrState) {
			t.Errorf("Retry(a) = %v, want ErrState", err)
		}
		o.work(ok)
		o.awaitStates(map[string]State{"a": Parked, "b": Done})
	})
}

// Two processes, one repository: never at once, always in order.
func TestOneAtATimeInOrder(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		const repos, perRepo = 4, 20
		var mu sync.Mutex
		busy, last := map[int64]bool{}, map[int64]string{}
		handler := func(_ context.Context, d Delivery) error {
			mu.Lock()
			if busy[d.Repository] {
				t.Errorf("%s is worked on while its repository is busy", d.GUID)
			}
			if d.GUID < last[d.Repository] {
				t.Errorf("%s after %s", d.GUID, last[d.Repository])
			}
			busy[d.Repository], last[d.Repository] = true, d.GUID
			mu.Unlock()
			defer func() {
				mu.Lock()
				busy[d.Repository] = false
				mu.Unlock()
			}()
			return nil
		}
		// As in production: two processes that ask SQLite for work forty times a
		// second each would do nothing else.
		real := func(p *options) { p.now, p.stubbed, p.tick, p.poll = time.Now, false, defaults().tick, defaults().poll }
		o, second := open(t, url, WithDrain(3), real), open(t, url, WithDrain(3), real)
		o.work(handler)
		second.work(handler)
		var posters sync.WaitGroup
		for repo := range repos {
			posters.Go(func() {
				for n := range perRepo {
					if _, err := o.Put(context.Background(), Delivery{GUID: fmt.Sprintf("%d-%02d", repo, n), Event: "push", Repository: int64(repo) + 1}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		posters.Wait()
		o.await("all is done", func() bool {
			s, err := o.Stats(context.Background())
			return err == nil && s.Waiting[Event] == 0
		})
		if n := len(o.calls()) + len(second.calls()); n != repos*perRepo {
			t.Errorf("the handlers were called %d times for %d deliveries", n, repos*perRepo)
		}
	})
}

// People first, then events, then scans; within a repository and among them.
func TestUrgency(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		o := open(t, url, WithWorkers(1, 1), WithScanWorkers(1))
		g := newGate("now", "event")
		o.put(Delivery{GUID: "now", Repository: 1, Priority: Event})
		o.work(g.handle)
		g.await(t, "now")
		o.put(Delivery{GUID: "scan", Repository: 1, Priority: Scan})
		o.put(Delivery{GUID: "event", Repository: 1, Priority: Event})
		o.put(Delivery{GUID: "other event", Repository: 3, Priority: Event})
		o.put(Delivery{GUID: "command", Repository: 1, Priority: Command})
		g.open("now")
		// The worker keeps the repository it is on until it is drained of what
		// it is there for, the most urgent delivery first.
		g.await(t, "command")
		g.await(t, "event")
		if s := o.states(); s["scan"] != Pending || s["other event"] != Pending {
			t.Errorf("overtook the event: %v", s)
		}
		g.open("event")
		o.awaitStates(map[string]State{"now": Done, "scan": Done, "event": Done, "other event": Done, "command": Done})
	})
}

// A person need not wait for a scan to end, nor for those that wait before it:
// a repository that waits for a scan is moved up.
func TestCommandOvertakesScans(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		o := open(t, url, WithWorkers(1, 1), WithScanWorkers(1))
		g := newGate("scan 0")
		for n := range 20 {
			o.put(Delivery{GUID: fmt.Sprintf("scan %d", n), Repository: int64(n) + 1, Priority: Scan})
		}
		o.work(g.handle)
		g.await(t, "scan 0")
		o.put(Delivery{GUID: "command", Repository: 15, Priority: Command})
		g.await(t, "command") // while the only worker for scans is busy
		g.open("scan 0")
		o.await("all is done", func() bool {
			s, err := o.Stats(t.Context())
			return err == nil && s.Waiting[Scan]+s.Waiting[Command] == 0
		})
	})
}

// One installation with a lot to do does not starve one with little.
func TestInstallationsShare(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		o := open(t, url, WithWorkers(1, 1))
		g := newGate("big 0")
		for n := range 200 {
			o.put(Delivery{GUID: fmt.Sprintf("big %d", n), Installation: 1, Repository: int64(n) + 1})
		}
		o.work(g.handle)
		g.await(t, "big 0")
		o.clock.Advance(15 * time.Second) // it comes late
		o.put(Delivery{GUID: "small", Installation: 2, Repository: 1000})
		g.open("big 0")
		o.await("the small one is done", func() bool { return o.states()["small"] == Done })
		if at := slices.Index(o.calls(), "small/1"); at > 5 {
			t.Errorf("the small installation came after %d of the big one", at)
		}
	})
}

// A repository that never ends lets others go first now and then.
func TestLongLaneYields(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		o := open(t, url, WithWorkers(1, 1), WithDrain(2))
		g := newGate("long 0")
		for n := range 6 {
			o.put(Delivery{GUID: fmt.Sprintf("long %d", n), Repository: 1, Installation: 1})
		}
		o.work(g.handle)
		g.await(t, "long 0")
		o.put(Delivery{GUID: "short", Repository: 2, Installation: 2})
		g.open("long 0")
		for _, guid := range []string{"long 1", "short", "long 2", "long 3", "long 4", "long 5"} {
			g.await(t, guid)
		}
	})
}

// Later holds up what comes after it, in order, but not a person; and it is no
// attempt.
func TestLater(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		o := open(t, url, WithMaxAttempts(1))
		limited := errors.New("rate limited")
		until := o.clock.Now().Add(10 * time.Minute)
		o.work(func(_ context.Context, d Delivery) error {
			if d.GUID == "first" && o.clock.Now().Before(until) {
				return fmt.Errorf("listing: %w", Later(until, limited))
			}
			return nil
		})
		o.put(Delivery{GUID: "first", Repository: 1})
		o.await("it is put back", func() bool {
			e, err := o.Show(t.Context(), "first")
			return err == nil && e.Held && e.State == Pending && e.Failures == 0 && e.Due.Equal(until) && e.Error != ""
		})
		o.put(Delivery{GUID: "second", Repository: 1})
		o.put(Delivery{GUID: "command", Repository: 1, Priority: Command})
		o.await("the command is done", func() bool { return o.states()["command"] == Done })
		if o.states()["second"] != Pending {
			t.Error("the second delivery overtook the first")
		}
		o.clock.Advance(10 * time.Minute)
		o.awaitStates(map[string]State{"first": Done, "second": Done, "command": Done})
		if diff := cmp.Diff([]string{"first/1", "command/1", "first/1", "second/1"}, o.calls()); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}

func TestDropAndPanic(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		o := open(t, url, WithMaxAttempts(2))
		o.work(func(_ context.Context, d Delivery) error {
			if d.GUID == "drop" {
				return fmt.Errorf("reading: %w", Drop(errors.New("gone for good\x00")))
			}
			panic("nil map")
		})
		o.put(Delivery{GUID: "drop", Repository: 1})
		o.put(Delivery{GUID: "panic", Repository: 2})
		o.await("the panic is a failure", func() bool {
			e, err := o.Show(t.Context(), "panic")
			return err == nil && e.Failures == 1 && e.Error != ""
		})
		o.clock.Advance(time.Hour)
		o.awaitStates(map[string]State{"drop": Parked, "panic": Parked})
		list, err := o.List(t.Context(), Filter{State: Parked})
		if err != nil || len(list) != 2 {
			t.Fatalf("parked: %v, %v", list, err)
		}
		if list[1].Error != "reading: gone for good\uFFFD" || list[1].Failures != 1 {
			t.Errorf("dropped as %+v", list[1])
		}
		if want := "the handler panicked: nil map"; len(list[0].Error) < len(want) || list[0].Error[:len(want)] != want {
			t.Errorf("panicked as %q", list[0].Error)
		}
	})
}

// A delivery that takes the process down each time is parked in the end, or it
// would do so for ever.
func TestDeliveryThatKillsTheProcess(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		var mu sync.Mutex
		var told []string
		o := open(t, url, WithObserver(func(ob Observation) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, ob.Delivery.GUID+" "+ob.Outcome)
		}))
		o.put(Delivery{GUID: "bomb", Repository: 1})
		o.put(Delivery{GUID: "bystander", Repository: 1})
		if err := o.db.inTx(t.Context(), func(x tx) error {
			_, err := x.exec(t.Context(), "UPDATE inbox SET starts = $1 WHERE guid = 'bomb'", crashMost)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		o.work(ok)
		o.awaitStates(map[string]State{"bomb": Parked, "bystander": Done})
		if diff := cmp.Diff([]string{"bystander/1"}, o.calls()); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		e, err := o.Show(t.Context(), "bomb")
		if err != nil || e.Error == "" {
			t.Errorf("parked as %+v, %v", e, err)
		}
		mu.Lock()
		defer mu.Unlock()
		if !slices.Contains(told, "bomb parked") {
			t.Errorf("nobody was told: %v", told)
		}
	})
}

// What was under way when the process ended twice comes back later, so that it
// is not under way again each time that something else ends the process; what
// comes after it in its repository waits.
func TestSuspectComesBackLater(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		o := open(t, url)
		o.put(Delivery{GUID: "suspect", Repository: 1})
		o.put(Delivery{GUID: "next", Repository: 1})
		ctx := t.Context()
		if err := o.db.inTx(ctx, func(x tx) error {
			job, _, err := one[int64](ctx, x, "SELECT id FROM river_job")
			if err != nil {
				return err
			}
			_, err1 := x.exec(ctx, "UPDATE inbox SET starts = $1 WHERE guid = 'suspect'", crashSuspect)
			_, err2 := x.exec(ctx, "UPDATE river_job SET state = 'running' WHERE id = $1", job)
			return errors.Join(err1, err2, o.adopt(ctx, x, job, 1))
		}); err != nil {
			t.Fatal(err)
		}
		e, err := o.Show(ctx, "suspect")
		if wait := e.Due.Sub(o.clock.Now()); err != nil || !e.Held || e.State != Pending || wait < 10*time.Second || wait > 13*time.Second {
			t.Errorf("comes back after %v: %+v, %v", wait, e, err)
		}
		o.put(Delivery{GUID: "command", Repository: 1, Priority: Command})
		o.work(ok)
		o.await("the command is done", func() bool { return o.states()["command"] == Done })
		o.clock.Advance(15 * time.Second)
		o.awaitStates(map[string]State{"suspect": Done, "next": Done, "command": Done})
		if diff := cmp.Diff([]string{"command/1", "suspect/1", "next/1"}, o.calls()); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}

func TestHandlerTimeIsBounded(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		o := open(t, url, WithHandlerTimeout(time.Millisecond))
		o.work(func(ctx context.Context, _ Delivery) error {
			<-ctx.Done()
			return context.Cause(ctx)
		})
		o.put(Delivery{GUID: "slow"})
		o.await("its time is over, which is a failure", func() bool {
			e, err := o.Show(t.Context(), "slow")
			return err == nil && e.Failures == 1 && e.State == Pending
		})
	})
}
