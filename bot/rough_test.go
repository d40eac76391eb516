package bot_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"sync"
	"testing"
	"time"

	"dhibot/bot"
	"dhibot/bot/githubapi"
	"dhibot/bot/inbox"
	"dhibot/bot/internal/testclock"
	"dhibot/bot/standin"
	"dhibot/bot/standin/standintest"

	"github.com/rs/zerolog"
)

// rough is a GitHub on which something goes wrong, and an inbox that can be
// followed: one delivery at a time, as for one repository, on a clock that only
// goes when something has to wait. It hands in again what failed, but unlike
// the real one it also hands in what it has seen before.
type rough struct {
	*world
	roughness
	repos []*standin.Repository
	asked map[*standin.Repository][]question

	arrived sync.Mutex
	queue   []inbox.Delivery
	guids   []string // of all that arrived

	attempts, later, parked int            // of deliveries
	redelivered             map[int64]bool // by the number of the attempt
}

// question is a comment of a person that is to be answered once.
type question struct {
	issue int
	id    int64
}

func newRough(t *testing.T, kind roughness) *rough {
	w := &rough{world: &world{t: t, engine: smallEngine, transport: &breaking{}, Clock: testclock.At(time.Now())}, roughness: kind, asked: map[*standin.Repository][]question{}, redelivered: map[int64]bool{}}
	var err error
	// Tokens are dated by the App's library with the real clock.
	w.gh = standintest.Listen(t, standin.WithSeed(kind.seed), standin.WithClock(w.Now), standin.WithJWTClock(time.Now))
	hooks := httptest.NewServer(http.HandlerFunc(w.receive))
	t.Cleanup(hooks.Close)
	w.gh.AddOrganization("acme")
	w.app = standintest.App(t, w.gh, hooks.URL)
	if w.inst, err = w.app.Install("acme"); err != nil {
		t.Fatal(err)
	}
	w.github, err = githubapi.New(githubapi.Settings{
		AppID: w.app.ID(), Key: w.app.Key(), APIURL: w.gh.APIURL(), Log: zerolog.Nop(), Now: w.Now,
		HTTPClient: &http.Client{Transport: w.transport}, Jitter: func() float64 { return 0 },
		Limits: githubapi.Limits{Spacing: -1}, Wait: w.wait,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.bot, err = bot.New(bot.Deps{GitHub: w.github, AppID: w.app.ID(), Keys: testKeys, Migrate: w.engine, Now: w.Now, Log: zerolog.New(w.world)})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *rough) wait(ctx context.Context, d time.Duration) error {
	w.Advance(d)
	return ctx.Err()
}

// receive stores a delivery.
func (w *rough) receive(rw http.ResponseWriter, r *http.Request) {
	d, err := standintest.Delivery(r)
	if err != nil {
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return
	}
	w.arrived.Lock()
	w.queue, w.guids = append(w.queue, d), append(w.guids, d.GUID)
	w.arrived.Unlock()
	rw.WriteHeader(http.StatusAccepted)
}

// spoil switches on what goes wrong and holds deliveries back; mend switches
// faults off, so that the test itself can look.
func (w *rough) spoil() {
	if w.switches == (standin.DeliverySwitches{}) {
		f := w.fault
		f.Kind, f.Probability = w.kind(), often
		if err := w.gh.AddFault(f); err != nil {
			w.t.Fatal(err)
		}
	}
	sw := w.switches
	sw.Hold = true
	w.gh.SwitchDeliveries(sw)
}

func (w *rough) mend() { w.gh.ClearFaults() }

// together does something in every repository, lets the deliveries of all of it
// go at once, and waits until nothing is left to do.
func (w *rough) together(do func(*standin.Repository) error) {
	w.t.Helper()
	w.spoil()
	for _, r := range w.repos {
		if err := do(r); err != nil {
			w.t.Fatal(err)
		}
	}
	w.gh.SwitchDeliveries(w.switches)
	w.drain()
	w.mend()
}

// drain handles what has arrived until nothing more comes of it.
func (w *rough) drain() {
	w.t.Helper()
	for {
		if err := w.gh.Drain(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
		w.arrived.Lock()
		list := w.queue
		w.queue = nil
		w.arrived.Unlock()
		for _, d := range list {
			w.handle(d)
		}
		if len(list) > 0 {
			continue
		}
		// What the sweep does: it asks GitHub for what was never delivered.
		before := len(w.redelivered)
		for _, d := range w.gh.Deliveries() {
			if d.Status == 0 && !w.redelivered[d.ID] {
				w.redelivered[d.ID] = true
				w.gh.Redeliver(d.ID)
			}
		}
		if len(w.redelivered) == before {
			return
		}
	}
}

// handle hands a delivery in until it is done, as the inbox does: again after
// an error, not before the time that a limit names, and after its last attempt,
// or when it was dropped, once a person says so.
func (w *rough) handle(d inbox.Delivery) {
	ctx := w.t.Context()
	_ = w.bot.Acknowledge(ctx, d) // nothing is lost when it fails
	dropped := reflect.TypeOf(inbox.Drop(nil))
	d.Attempt = 1
	for range 3000 {
		w.attempts++
		err := w.bot.Handle(ctx, d)
		var limited *githubapi.RateLimitedError
		switch {
		case err == nil:
			return
		case errors.As(err, &limited):
			w.later++
			if wait := limited.Until.Sub(w.Now()); wait > 0 {
				w.Advance(wait)
			}
			w.Advance(time.Second)
		case reflect.TypeOf(err) == dropped, d.Attempt == inbox.DefaultAttempts:
			w.parked++
			d.Attempt = 1
			w.Advance(time.Hour)
		default:
			d.Attempt++
			w.Advance(time.Minute)
		}
	}
	w.t.Fatalf("%s of %s is never done:\n%s", d.Event, d.FullName, tail(w.logged()))
}

func tail(s string) string { return s[max(0, len(s)-4000):] }
