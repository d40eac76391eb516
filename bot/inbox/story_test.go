package inbox

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dhibot/bot/internal/testclock"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
)

// patience bounds how long a test waits for something that will happen; it is
// never waited out unless the test fails.
const patience = time.Minute

// office is an inbox in a test: open, and working once work is called.
type office struct {
	*Inbox
	t       *testing.T
	clock   *testclock.Clock
	mu      sync.Mutex
	seen    []string      // what the handler was called with
	changed chan struct{} // one signal per finished call
	ended   atomic.Int64  // finished calls
}

func open(t *testing.T, url string, opts ...Option) *office {
	t.Helper()
	o := &office{t: t, clock: newClock(), changed: make(chan struct{}, 10_000)}
	opts = append([]Option{
		WithClock(o.clock.Now),
		WithLogger(zerolog.New(zerolog.NewTestWriter(t)).Level(zerolog.WarnLevel)),
		// A clock that stands still lets River notify of one insert only.
		func(p *options) { p.tick, p.poll = 10*time.Millisecond, fetchCooldown },
		WithObserver(func(Observation) { o.ended.Add(1); o.changed <- struct{}{} }),
	}, opts...)
	b, err := Open(t.Context(), url, opts...)
	if err != nil {
		t.Fatal(err)
	}
	o.Inbox = b
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return o
}

// work runs the inbox until the test ends or stop is called.
func (o *office) work(h Handler) (stop func()) {
	o.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- o.Run(ctx, func(ctx context.Context, d Delivery) error {
			o.mu.Lock()
			o.seen = append(o.seen, fmt.Sprintf("%s/%d", d.GUID, d.Attempt))
			o.mu.Unlock()
			return h(ctx, d)
		})
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				o.t.Errorf("Run: %v", err)
			}
		case <-time.After(patience):
			o.t.Error("Run did not return")
		}
	})
	o.t.Cleanup(stop)
	return stop
}

func (o *office) put(d Delivery) bool {
	o.t.Helper()
	if d.Event == "" {
		d.Event = "push"
	}
	fresh, err := o.Put(o.t.Context(), d)
	if err != nil {
		o.t.Fatalf("Put(%s): %v", d.GUID, err)
	}
	return fresh
}

// await waits until what is true, looking after every finished call of the
// handler and, for what happens later than that, a hundred times a second.
func (o *office) await(what string, is func() bool) {
	o.t.Helper()
	deadline := time.After(patience)
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for !is() {
		select {
		case <-o.changed:
		case <-look.C:
		case <-deadline:
			o.t.Fatalf("waited in vain until %s\nseen: %v\nwaiting: %v", what, o.calls(), o.waiting())
		}
	}
}

func (o *office) calls() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]string(nil), o.seen...)
}

// waiting describes what is not done, with the jobs of its lanes.
func (o *office) waiting() string {
	var b strings.Builder
	ctx := context.Background()
	_ = o.db.inTx(ctx, func(t tx) error {
		return errors.Join(
			t.query(ctx, func(scan func(...any) error) error {
				var guid, text string
				var lane, due, starts int64
				err := scan(&guid, &lane, &due, &starts, &text)
				fmt.Fprintf(&b, "\n  %s lane %d due %v starts %d %s", guid, lane, fromMicros(due), starts, text)
				return err
			}, "SELECT guid, lane, due, starts, error FROM inbox WHERE state = 'pending' ORDER BY seq LIMIT 10"),
			t.query(ctx, func(scan func(...any) error) error {
				var id int64
				var args []byte
				var state string
				err := scan(&id, &args, &state)
				fmt.Fprintf(&b, "\n  job %d %s %s", id, args, state)
				return err
			}, "SELECT id, "+o.db.dialect().argsText+", CAST(state AS TEXT) FROM river_job WHERE state NOT IN ('completed') ORDER BY id LIMIT 20"))
	})
	return b.String()
}

// states of all deliveries by GUID.
func (o *office) states() map[string]State {
	o.t.Helper()
	list, err := o.List(context.Background(), Filter{Limit: 1000})
	if err != nil {
		o.t.Fatal(err)
	}
	m := map[string]State{}
	for _, e := range list {
		m[e.GUID] = e.State
	}
	return m
}

func (o *office) awaitStates(want map[string]State) {
	o.t.Helper()
	o.await(fmt.Sprintf("the states are %v", want), func() bool { return cmp.Equal(o.states(), want) })
}

func ok(context.Context, Delivery) error { return nil }

func TestStoredBeforeWorkedOn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		body := []byte("{\"nul\":\"\\u0000\"}\x00\xff") // NULs, also as JSON escapes, and broken UTF-8
		o := open(t, url)
		if !o.put(Delivery{GUID: "a", Event: "issue_comment", Installation: 1, Repository: 7, FullName: "acme/shop\x00", Key: "k\x00", Body: body, Priority: Command}) {
			t.Fatal("the first delivery is not fresh")
		}
		e, err := o.Show(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		want := Entry{Delivery: Delivery{GUID: "a", Event: "issue_comment", Installation: 1, Repository: 7, FullName: "acme/shop\uFFFD", Key: "k\uFFFD",
			Priority: Command, Body: body, Received: o.clock.Now(), Attempt: 1}, State: Pending, Due: o.clock.Now()}
		if diff := cmp.Diff(want, e); diff != "" {
			t.Errorf("stored (-want +got)\n%s", diff)
		}
		// Another process, opened later, works it off.
		got := make(chan Delivery, 1)
		second := open(t, url)
		second.work(func(_ context.Context, d Delivery) error { got <- d; return nil })
		select {
		case d := <-got:
			if diff := cmp.Diff(want.Delivery, d); diff != "" {
				t.Errorf("handled (-want +got)\n%s", diff)
			}
		case <-time.After(patience):
			t.Fatal("never handled")
		}
		o.awaitStates(map[string]State{"a": Done})
	})
}

func TestWhatComesAfterAFailureDoesNotWaitForItsRetry(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		o := open(t, url)
		o.work(func(_ context.Context, d Delivery) error {
			if d.GUID == "bad" {
				return errors.New("poison")
			}
			return nil
		})
		o.put(Delivery{GUID: "bad", Repository: 1})
		o.await("the failure is recorded", func() bool {
			e, err := o.Show(t.Context(), "bad")
			return err == nil && e.Failures == 1
		})
		o.put(Delivery{GUID: "good", Repository: 1}) // the lane's job is for the retry
		o.awaitStates(map[string]State{"bad": Pending, "good": Done})
	})
}

func TestFailureIsRetriedThenParkedAndBlocksNobody(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		o := open(t, url, WithMaxAttempts(3))
		poison := errors.New("poison")
		o.work(func(_ context.Context, d Delivery) error {
			if d.GUID == "bad" {
				return poison
			}
			return nil
		})
		o.put(Delivery{GUID: "bad", Repository: 1})
		o.put(Delivery{GUID: "good", Repository: 1})
		o.await("the good one is done", func() bool { return o.states()["good"] == Done })
		for n := 2; n <= 3; n++ {
			o.await("the failure is recorded", func() bool {
				e, err := o.Show(t.Context(), "bad")
				return err == nil && e.Failures == n-1 && e.State == Pending && e.Error == "poison"
			})
			o.clock.Advance(time.Hour)
		}
		o.awaitStates(map[string]State{"bad": Parked, "good": Done})
		e, err := o.Show(t.Context(), "bad")
		if err != nil || e.Error != "poison" || e.Failures != 3 {
			t.Errorf("parked as %+v, %v", e, err)
		}
	})
}
