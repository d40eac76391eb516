package sweep

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"dhibot/bot/githubapi"
	"dhibot/bot/inbox"
	"dhibot/bot/internal/testclock"
	"dhibot/bot/standin"
	"dhibot/bot/standin/standintest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newClock() *testclock.Clock {
	return testclock.At(time.Date(2026, 11, 1, 10, 0, 0, 0, time.UTC))
}

// box is an inbox that knows some deliveries.
type box map[string]bool

func (b box) Show(_ context.Context, guid string) (inbox.Entry, error) {
	if b[guid] {
		return inbox.Entry{}, nil
	}
	return inbox.Entry{}, fmt.Errorf("%w: %s", inbox.ErrNotFound, guid)
}

// TestLostDeliveriesComeBack: the App is down while people write comments. When
// it is back, a pass brings what was lost, with the GUIDs of the first attempts,
// and the next pass finds nothing to do.
func TestLostDeliveriesComeBack(t *testing.T) {
	t.Parallel()
	c := newClock()
	var down atomic.Bool
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	}))
	defer receiver.Close()
	delivered := make(chan standin.Delivery, 100)
	hub := standintest.Listen(t, standin.WithClock(c.Now), standin.WithJWTClock(time.Now),
		standin.WithDeliveryObserver(func(d standin.Delivery) { delivered <- d }))
	hub.AddOrganization("acme")
	repo, err := hub.AddRepository("acme", "shop", standin.Text(map[string]string{"README.md": "hello\n"}))
	if err != nil {
		t.Fatal(err)
	}
	app, err := hub.AddApp(standin.AppConfig{Slug: "dhibot", Events: []string{"issues"}, Secret: "s", WebhookURL: receiver.URL,
		Permissions: map[string]string{"issues": "write"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := app.Install("acme"); err != nil {
		t.Fatal(err)
	}
	<-delivered // installation
	github, err := githubapi.New(githubapi.Settings{AppID: app.ID(), Key: app.Key(), APIURL: hub.APIURL(), Now: c.Now})
	if err != nil {
		t.Fatal(err)
	}
	stored := box{}
	s := New(github, stored, c.Now, zerolog.Nop())
	pass := func() {
		t.Helper()
		if err := s.Pass(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	nothing := func(when string) {
		t.Helper()
		pass()
		if len(delivered) > 0 {
			t.Fatalf("%s: asked for %s", when, (<-delivered).GUID)
		}
	}
	c.Advance(10 * time.Minute)
	nothing("with nothing lost")

	down.Store(true)
	lost := map[string]bool{}
	for i := range 3 {
		repo.OpenIssue("ada", fmt.Sprintf("issue %d", i), "")
		d := <-delivered
		if d.Status != http.StatusServiceUnavailable {
			t.Fatalf("answered %d", d.Status)
		}
		lost[d.GUID] = true
	}
	nothing("while the attempts are fresh")

	// One of them was stored before the answer got lost.
	c.Advance(10 * time.Minute)
	for guid := range lost {
		stored[guid] = true
		delete(lost, guid)
		break
	}
	down.Store(false)
	pass()
	for range 2 {
		d := <-delivered
		if !lost[d.GUID] || !d.Redelivery || d.Status != http.StatusAccepted {
			t.Errorf("came back: %s %v %d", d.GUID, d.Redelivery, d.Status)
		}
		delete(lost, d.GUID)
	}
	c.Advance(10 * time.Minute)
	nothing("after everything came back")

	// A new process knows nothing of the mark and finds the same.
	s = New(github, stored, c.Now, zerolog.Nop())
	nothing("in a new process")
}

// list is a GitHub with a fixed list of attempts, youngest first, 2 a page.
type list struct {
	attempts []githubapi.HookDelivery
	asked    []int64
	pages    int
	err      error
}

func (l *list) Deliveries(_ context.Context, cursor string) ([]githubapi.HookDelivery, string, error) {
	l.pages++
	at := 0
	if cursor != "" {
		fmt.Sscan(cursor, &at)
	}
	end := min(at+2, len(l.attempts))
	next := ""
	if end < len(l.attempts) {
		next = fmt.Sprint(end)
	}
	return l.attempts[at:end], next, nil
}

func (l *list) Redeliver(_ context.Context, id int64) error {
	l.asked = append(l.asked, id)
	return l.err
}

func TestPass(t *testing.T) {
	t.Parallel()
	c := newClock()
	attempt := func(id int64, guid string, ago time.Duration, code int) githubapi.HookDelivery {
		return githubapi.HookDelivery{ID: id, GUID: guid, DeliveredAt: c.Now().Add(-ago), StatusCode: code, Event: "push"}
	}
	for _, tt := range []struct {
		name     string
		attempts []githubapi.HookDelivery
		asked    string
	}{
		{"nothing", nil, "[]"},
		{"oldest first, by the newest attempt", []githubapi.HookDelivery{
			attempt(4, "b", 10*time.Minute, 500), attempt(3, "a", 20*time.Minute, 0), attempt(2, "b", 30*time.Minute, 0), attempt(1, "a", 40*time.Minute, 502),
		}, "[3 4]"},
		{"a later attempt succeeded", []githubapi.HookDelivery{attempt(2, "a", 10*time.Minute, 202), attempt(1, "a", 30*time.Minute, 500)}, "[]"},
		{"being answered", []githubapi.HookDelivery{attempt(1, "a", time.Minute, 0)}, "[]"},
		{"failed five times", []githubapi.HookDelivery{
			attempt(5, "a", 10*time.Minute, 401), attempt(4, "a", 20*time.Minute, 401), attempt(3, "a", 30*time.Minute, 401),
			attempt(2, "a", 40*time.Minute, 401), attempt(1, "a", 50*time.Minute, 401)}, "[]"},
		{"beyond what GitHub keeps", []githubapi.HookDelivery{attempt(1, "a", 80*time.Hour, 500)}, "[]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := &list{attempts: tt.attempts}
			if err := New(l, box{}, c.Now, zerolog.Nop()).Pass(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(l.asked); got != tt.asked {
				t.Errorf("asked for %s, want %s", got, tt.asked)
			}
		})
	}
}

// TestPassRemembers: a second pass reads only what is new and the overlap.
func TestPassRemembers(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := &list{}
	for i := range 40 {
		l.attempts = append(l.attempts, githubapi.HookDelivery{ID: int64(i), GUID: fmt.Sprint(i), StatusCode: 202,
			DeliveredAt: c.Now().Add(-time.Duration(i) * 30 * time.Minute)})
	}
	s := New(l, box{}, c.Now, zerolog.Nop())
	for _, want := range []int{20, 2} {
		l.pages = 0
		if err := s.Pass(t.Context()); err != nil {
			t.Fatal(err)
		}
		if l.pages != want {
			t.Errorf("%d pages were read, want %d", l.pages, want)
		}
	}
}

// TestPassStops: an error ends the pass, and what was not asked for is seen
// again by the next one.
func TestPassStops(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := &list{err: errors.New("limit"), attempts: []githubapi.HookDelivery{
		{ID: 1, GUID: "a", DeliveredAt: c.Now().Add(-10 * time.Minute), StatusCode: 500}}}
	s := New(l, box{}, c.Now, zerolog.Nop())
	if err := s.Pass(t.Context()); !errors.Is(err, l.err) {
		t.Errorf("error %v", err)
	}
	l.err = nil
	c.Advance(3 * time.Hour)
	if err := s.Pass(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(l.asked) != 2 {
		t.Errorf("asked %v", l.asked)
	}
}

// refusing is a GitHub that lists lost deliveries and does not redeliver one of
// them.
type refusing struct {
	page    []githubapi.HookDelivery
	refused int64
	err     error
	asked   []int64
}

func (r *refusing) Deliveries(context.Context, string) ([]githubapi.HookDelivery, string, error) {
	return r.page, "", nil
}

func (r *refusing) Redeliver(_ context.Context, id int64) error {
	r.asked = append(r.asked, id)
	if id == r.refused {
		return fmt.Errorf("redeliver: %w", r.err)
	}
	return nil
}

// One delivery that GitHub refuses to send again does not keep the others from
// being asked for; a limit ends the pass, and the next one begins anew.
func TestRefusedRedelivery(t *testing.T) {
	t.Parallel()
	c := newClock()
	page := []githubapi.HookDelivery{}
	for id := range int64(3) {
		page = append(page, githubapi.HookDelivery{ID: id + 1, GUID: fmt.Sprint("guid-", id+1), StatusCode: 503, DeliveredAt: c.Now().Add(-time.Hour).Add(-time.Duration(id) * time.Minute)})
	}
	for name, k := range map[string]struct {
		err  error
		want int
		ok   bool
	}{
		"refused": {&githubapi.RefusedError{Status: 422, Message: "cannot be redelivered"}, 3, true},
		"missing": {githubapi.ErrNotFound, 3, true},
		"limited": {&githubapi.RateLimitedError{Until: c.Now().Add(time.Hour)}, 1, false},
	} {
		r := &refusing{page: page, refused: 3, err: k.err} // the oldest, so the first
		err := New(r, box{}, c.Now, zerolog.Nop()).Pass(t.Context())
		if (err == nil) != k.ok || len(r.asked) != k.want {
			t.Errorf("%s: asked for %v, %v", name, r.asked, err)
		}
	}
}
