package githubapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func writeCall(name string) callInfo {
	return callInfo{name: name, resource: resourceCore, write: true, content: true, spaced: true}
}

func readCall(name string) callInfo { return callInfo{name: name, resource: resourceCore} }

// TestSpacing: writes are a second apart; the third in a row would wait longer
// than MaxPause and is told when to come back instead.
func TestSpacing(t *testing.T) {
	t.Parallel()
	l := newLimiter(Limits{MaxPause: time.Second}.withDefaults())
	for i, want := range []time.Duration{0, time.Second} {
		if pause, err := l.admit(noon, writeCall("x")); err != nil || pause != want {
			t.Errorf("write %d waits %s, %v", i, pause, err)
		}
	}
	_, err := l.admit(noon, writeCall("x"))
	var limited *RateLimitedError
	if !errors.As(err, &limited) || !limited.Local || !limited.Secondary || limited.Until.Sub(noon) != 2*time.Second {
		t.Errorf("the third: %v", err)
	}
	// A refused call has not taken anybody's turn.
	if pause, err := l.admit(noon.Add(2*time.Second), writeCall("x")); err != nil || pause != 0 {
		t.Errorf("later: %s, %v", pause, err)
	}
	// Reads and reactions do not queue behind writes.
	if pause, err := l.admit(noon.Add(2*time.Second), readCall("y")); err != nil || pause != 0 {
		t.Errorf("a read: %s, %v", pause, err)
	}
	if pause, err := l.admit(noon.Add(2*time.Second), callInfo{name: "react", resource: resourceCore, write: true}); err != nil || pause != 0 {
		t.Errorf("a reaction: %s, %v", pause, err)
	}
}

// TestContentWindows: never more than 80 in any minute and 500 in any hour; 15 %
// of the hour is for commands.
func TestContentWindows(t *testing.T) {
	t.Parallel()
	l := newLimiter(Limits{Spacing: -1}.withDefaults())
	now, done := noon, 0
	var times []time.Time
	var limited *RateLimitedError
	for now.Before(noon.Add(2 * time.Hour)) {
		// Other endpoints take turns, so that points per endpoint do not decide.
		_, err := l.admit(now, writeCall("op"+strconv.Itoa(done)))
		switch {
		case err == nil:
			times = append(times, now)
			done++
		case errors.As(err, &limited):
			if !limited.Until.After(now) {
				t.Fatalf("told at %s to come at %s", now, limited.Until)
			}
			now = limited.Until
		default:
			t.Fatal(err)
		}
	}
	for i := range times {
		for _, w := range []struct {
			most   int
			length time.Duration
		}{{80, time.Minute}, {425, time.Hour}} {
			if j := i + w.most; j < len(times) && times[j].Sub(times[i]) < w.length {
				t.Fatalf("%d writes within %s", w.most+1, times[j].Sub(times[i]))
			}
		}
	}
	if done != 2*425 {
		t.Errorf("%d writes in two hours, want all that are allowed", done)
	}
	// The rest of the hour is there for a command.
	command := writeCall("command")
	command.command = true
	if _, err := l.admit(now.Add(-time.Minute), command); err != nil {
		t.Errorf("a command: %v", err)
	}
}

func TestReserve(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for _, p := range []string{"POST /repos/acme/shop/issues/1/comments"} {
		a.answer(p, 201, `{"id":5}`)
	}
	c := a.client(func(s *Settings) {
		s.Limits = Limits{Spacing: -1, ContentPerMinute: 5, CommandShare: -1}
	})
	ctx := context.Background()
	reserved, err := c.Reserve(ctx, 4)
	if err != nil {
		t.Fatal(err)
	}
	var limited *RateLimitedError
	if _, err := c.Comment(ctx, testRepo, 1, "one"); err != nil {
		t.Fatalf("the fifth: %v", err)
	}
	if _, err := c.Comment(ctx, testRepo, 1, "two"); !errors.As(err, &limited) || !limited.Local {
		t.Fatalf("beyond the window: %v", err)
	}
	if _, err := c.Reserve(ctx, 1); !errors.As(err, &limited) {
		t.Errorf("a reservation beyond the window: %v", err)
	}
	for i := range 4 {
		if _, err := c.Comment(reserved, testRepo, 1, "x"); err != nil {
			t.Errorf("reserved write %d: %v", i, err)
		}
	}
	if _, err := c.Comment(reserved, testRepo, 1, "x"); !errors.As(err, &limited) {
		t.Errorf("more than reserved: %v", err)
	}
	if _, err := c.Reserve(ctx, 6); !errors.As(err, &limited) || limited.Until.Sub(a.Now()) != time.Minute {
		t.Errorf("more than ever fits: %v", err)
	}
	a.Advance(time.Minute)
	if _, err := c.Reserve(ctx, 5); err != nil {
		t.Errorf("a minute later: %v", err)
	}
}

// TestCommandShare: at 15 % of the hourly allowance only commands go on.
func TestCommandShare(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	left := 752
	reset := strconv.FormatInt(noon.Add(20*time.Minute).Unix(), 10)
	a.handle("GET /repos/acme/shop", func(w http.ResponseWriter, _ *http.Request) {
		left--
		reply(w, 200, withProperties, "X-RateLimit-Limit", "5000", "X-RateLimit-Remaining", strconv.Itoa(left), "X-RateLimit-Reset", reset, "X-RateLimit-Resource", "core")
	})
	c := a.client()
	ctx := context.Background()
	var limited *RateLimitedError
	for i := range 3 {
		_, err := c.Repository(ctx, "acme", "shop")
		switch {
		case i < 2 && err != nil:
			t.Fatalf("call %d: %v", i, err)
		case i == 2 && (!errors.As(err, &limited) || limited.Secondary || !limited.Until.Equal(noon.Add(20*time.Minute)) || !strings.Contains(err.Error(), "kept for commands")):
			t.Fatalf("at 15 %%: %v", err)
		}
	}
	if call := a.lastCall(); call.Remaining != 750 || call.Limit != 5000 || call.Installation != 1 || call.Operation != "get repository" {
		t.Errorf("reported %+v", call)
	}
	if _, err := c.Repository(ForCommand(ctx), "acme", "shop"); err != nil {
		t.Errorf("a command: %v", err)
	}
	left = 1
	_, _ = c.Repository(ForCommand(ctx), "acme", "shop")
	if _, err := c.Repository(ForCommand(ctx), "acme", "shop"); !errors.As(err, &limited) || !limited.Local {
		t.Errorf("a command with nothing left: %v", err)
	}
	a.Advance(20 * time.Minute)
	if _, err := c.Repository(ctx, "acme", "shop"); errors.As(err, &limited) {
		t.Errorf("after the reset: %v", err)
	}
}

// TestFallbackGrows: GitHub asks for a minute at least, and for more each time.
func TestFallbackGrows(t *testing.T) {
	t.Parallel()
	l := newLimiter(Limits{}.withDefaults())
	call := readCall("x")
	for i, want := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
		e := l.observe(noon, call, 429, http.Header{}, nil)
		if e == nil || e.Until.Sub(noon) != want*time.Minute {
			t.Errorf("refusal %d: %v, want %d minutes", i, e, want)
		}
	}
	if e := l.observe(noon, call, 404, http.Header{}, nil); e != nil {
		t.Errorf("a 404 is a limit: %v", e)
	}
	if e := l.observe(noon, call, 429, http.Header{}, nil); e.Until.Sub(noon) != time.Hour {
		t.Errorf("a 404 counts as success: %v", e)
	}
	l.observe(noon, call, 200, http.Header{}, nil)
	if e := l.observe(noon, call, 429, http.Header{}, nil); e.Until.Sub(noon) != time.Minute {
		t.Errorf("after a success: %v", e)
	}
}

// TestPoints: reads that nobody waits for stay under 800 points in any minute,
// all endpoints together, and a command does not wait for them.
func TestPoints(t *testing.T) {
	t.Parallel()
	l := newLimiter(Limits{}.withDefaults())
	now, n := noon, 0
	for now.Before(noon.Add(time.Minute)) {
		pause, err := l.admit(now, readCall([]string{"get tree", "get blob"}[n%2]))
		if err != nil {
			t.Fatal(err)
		}
		now = now.Add(pause)
		n++
	}
	if n > 800 || n < 700 {
		t.Errorf("%d reads in a minute", n)
	}
	if pause, err := l.admit(now, readCall("get file")); err != nil || pause == 0 {
		t.Errorf("another endpoint does not wait: %s, %v", pause, err)
	}
	command := readCall("get tree")
	command.command = true
	if pause, err := l.admit(now, command); err != nil || pause != 0 {
		t.Errorf("a command waits: %s, %v", pause, err)
	}
}

// TestHostileHeaders: numbers that make no sense hold nobody for long.
func TestHostileHeaders(t *testing.T) {
	t.Parallel()
	for _, header := range []map[string]string{
		{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "99999999999"},
		{"X-RateLimit-Remaining": "-1", "X-RateLimit-Reset": "x"},
		{"Retry-After": "99999999999999999999"},
		{"Retry-After": "-5"},
		{"Retry-After": "Mon, 01 Jan 2001 00:00:00 GMT"},
		{"X-RateLimit-Resource": strings.Repeat("x", 100), "Retry-After": "1"},
	} {
		h := http.Header{}
		for k, v := range header {
			h.Set(k, v)
		}
		l := newLimiter(Limits{}.withDefaults())
		e := l.observe(noon, readCall("x"), 429, h, nil)
		if e == nil {
			t.Fatalf("%v: no limit", header)
		}
		if d := e.Until.Sub(noon); d <= 0 || d > longestHold || len(e.Resource) > 64 {
			t.Errorf("%v: held for %s, resource %q", header, d, e.Resource)
		}
	}
}

// TestConcurrent: no more than the bound are under way at once, and a context
// that ends frees its caller.
func TestConcurrent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var mu sync.Mutex
		running, most := 0, 0
		next := roundTrip(func(req *http.Request) (*http.Response, error) {
			mu.Lock()
			running++
			most = max(most, running)
			mu.Unlock()
			<-release
			mu.Lock()
			running--
			mu.Unlock()
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody}, nil
		})
		lt := &limitTransport{next: next, limiter: newLimiter(Limits{}.withDefaults()), slots: make(chan struct{}, 3), now: time.Now, wait: waitFor}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		cancelled := 0
		for i := range 8 {
			if i == 6 {
				synctest.Wait() // the slots are taken
			}
			wg.Go(func() {
				c := t.Context()
				if i >= 6 {
					c = ctx
				}
				req, _ := http.NewRequestWithContext(c, http.MethodGet, "http://x/", nil)
				resp, err := lt.RoundTrip(req)
				if errors.Is(err, context.Canceled) {
					mu.Lock()
					cancelled++
					mu.Unlock()
					return
				}
				_ = resp.Body.Close()
			})
		}
		synctest.Wait()
		cancel()
		synctest.Wait()
		close(release)
		wg.Wait()
		if most != 3 || cancelled != 2 {
			t.Errorf("%d at once, %d cancelled", most, cancelled)
		}
	})
}

// TestLimitDuringPause: a limit that another call meets holds those who are
// waiting for their turn, too.
func TestLimitDuringPause(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.answer("POST /repos/acme/shop/issues/1/comments", 201, `{"id":1}`)
	var c *Client
	c = a.client(func(s *Settings) {
		s.Wait = func(context.Context, time.Duration) error {
			c.limit.limiter.observe(a.Now(), writeCall("other"), 429, http.Header{"Retry-After": {"90"}}, nil)
			return nil
		}
	})
	ctx := context.Background()
	if _, err := c.Comment(ctx, testRepo, 1, "x"); err != nil {
		t.Fatal(err)
	}
	var limited *RateLimitedError
	if _, err := c.Comment(ctx, testRepo, 1, "x"); !errors.As(err, &limited) || limited.Until.Sub(a.Now()) != 90*time.Second {
		t.Errorf("got %v", err)
	}
	if n := len(a.writes()); n != 1 {
		t.Errorf("%d writes were sent", n)
	}
}

// TestPauseEndsWithContext: a call that waits for its turn ends with its context.
func TestPauseEndsWithContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sent := 0
		next := roundTrip(func(*http.Request) (*http.Response, error) {
			sent++
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody}, nil
		})
		lt := &limitTransport{next: next, limiter: newLimiter(Limits{}.withDefaults()), slots: make(chan struct{}, 3), now: time.Now, wait: waitFor}
		started := time.Now()
		for i := range 3 {
			ctx, cancel := context.WithTimeout(context.WithValue(t.Context(), callKey{}, callInfo{name: "w", content: true, spaced: true}), []time.Duration{time.Millisecond, 600 * time.Millisecond, 5 * time.Second}[i])
			req, _ := http.NewRequestWithContext(ctx, http.MethodPost, "http://x/", http.NoBody)
			_, err := lt.RoundTrip(req)
			cancel()
			if (err != nil) != (i == 1) || i == 1 && !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("call %d after %s: %v", i, time.Since(started), err)
			}
		}
		if sent != 2 {
			t.Errorf("%d sent", sent)
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// FuzzObserve: whatever the headers say, a hold is in the future and bounded.
func FuzzObserve(f *testing.F) {
	f.Add(429, "30", "0", "1777896000", "5000", "core", "")
	f.Add(403, "", "0", "99999999999999", "-1", "", "secondary rate limit")
	f.Add(200, "soon", "", "", "", "search", "")
	f.Fuzz(func(t *testing.T, status int, retry, remaining, reset, limit, resource, body string) {
		h := http.Header{"Retry-After": {retry}, "X-Ratelimit-Remaining": {remaining}, "X-Ratelimit-Reset": {reset}, "X-Ratelimit-Limit": {limit}, "X-Ratelimit-Resource": {resource}}
		l := newLimiter(Limits{}.withDefaults())
		e := l.observe(noon, readCall("x"), status, h, []byte(body))
		if e != nil && (status != 403 && status != 429 || !e.Until.After(noon) || e.Until.Sub(noon) > longestHold) {
			t.Errorf("%d %v: %v", status, h, e)
		}
		if e == nil && status == 429 {
			t.Error("a 429 passed")
		}
		if pause, err := l.admit(noon.Add(longestHold), readCall("x")); err != nil || pause != 0 {
			t.Errorf("held beyond the longest time: %s, %v", pause, err)
		}
	})
}

func ExampleRateLimitedError() {
	fmt.Println(&RateLimitedError{Until: noon, Secondary: true, Resource: "core", Why: "GitHub answered 429"})
	// Output: secondary rate limit (core) until 2026-05-04T12:00:00Z: GitHub answered 429
}

// TestReplicasShare: three processes keep together to what one may do, and one
// that is left alone gets everything again.
func TestReplicasShare(t *testing.T) {
	t.Parallel()
	replicas := 3
	var all []*limiter
	for range 3 {
		all = append(all, newLimiter(Limits{Replicas: func() int { return replicas }}.withDefaults()))
	}
	// An hour, each asking as soon as it may.
	writes := 0
	for _, l := range all {
		var last time.Time
		for now, n := noon, 0; now.Before(noon.Add(time.Hour)); n++ {
			pause, err := l.admit(now, writeCall("op"+strconv.Itoa(n)))
			var limited *RateLimitedError
			if errors.As(err, &limited) {
				now = limited.Until
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			at := now.Add(pause)
			if !last.IsZero() && at.Sub(last) < 3*time.Second-time.Millisecond {
				t.Fatalf("two writes of one process are %s apart", at.Sub(last))
			}
			last, now = at, at
			writes++
		}
	}
	if writes > 425 || writes < 400 {
		t.Errorf("%d writes in an hour, want a little less than 425", writes)
	}
	replicas = 1
	l, later := all[0], noon.Add(3*time.Hour)
	for i := range 3 {
		if pause, err := l.admit(later, writeCall("x")); err != nil || pause > time.Duration(i)*time.Second+time.Millisecond {
			t.Errorf("write %d of the last process waits %s, %v", i, pause, err)
		}
	}
}
