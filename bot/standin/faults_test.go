package standin_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"dhibot/bot/internal/testclock"
	"dhibot/bot/standin"
)

func newClock() *testclock.Clock { return testclock.At(time.Now().Truncate(time.Second)) }

func TestFaults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault  standin.Fault
		call   string
		body   string
		status int
		says   string
		header string // name=value
	}{
		"expired token":        {standin.Fault{Kind: standin.FaultExpiredToken}, "GET {R}", "", 401, "Bad credentials", ""},
		"no permission":        {standin.Fault{Kind: standin.FaultNoPermission, Method: "POST", Path: "/repos/*/issues"}, "POST {R}/issues", `{"title":"x"}`, 403, "not accessible", ""},
		"suspended":            {standin.Fault{Kind: standin.FaultSuspended}, "GET {R}", "", 403, "suspended", ""},
		"primary 403":          {standin.Fault{Kind: standin.FaultPrimaryLimit}, "GET {R}", "", 403, "API rate limit exceeded", "X-RateLimit-Remaining=0"},
		"primary 429":          {standin.Fault{Kind: standin.FaultPrimaryLimit, Status: 429}, "GET {R}", "", 429, "API rate limit exceeded", "X-RateLimit-Remaining=0"},
		"primary in GraphQL":   {standin.Fault{Kind: standin.FaultPrimaryLimit}, "POST /graphql", `{"query":"{viewer{login}}"}`, 200, "RATE_LIMITED", "X-RateLimit-Remaining=0"},
		"secondary 403":        {standin.Fault{Kind: standin.FaultSecondaryLimit, Wait: standin.Duration(90 * time.Second)}, "GET {R}", "", 403, "secondary rate limit", "Retry-After=90"},
		"secondary 429":        {standin.Fault{Kind: standin.FaultSecondaryLimit, Status: 429}, "GET {R}", "", 429, "secondary rate limit", "Retry-After=60"},
		"secondary bare":       {standin.Fault{Kind: standin.FaultSecondaryLimit, NoHeaders: true}, "GET {R}", "", 403, "secondary rate limit", "Retry-After="},
		"server error":         {standin.Fault{Kind: standin.FaultServerError}, "GET {R}", "", 502, "Server Error", ""},
		"unavailable":          {standin.Fault{Kind: standin.FaultServerError, Status: 503}, "GET {R}", "", 503, "Server Error", ""},
		"ruleset on creation":  {standin.Fault{Kind: standin.FaultRuleset}, "POST {R}/git/refs", `{"ref":"refs/heads/x","sha":"{main}"}`, 422, "Repository rule violations found", ""},
		"ruleset with a text":  {standin.Fault{Kind: standin.FaultRuleset, Message: "Commits must be signed."}, "PATCH {R}/git/refs/heads/main", `{"sha":"{main}"}`, 422, "Commits must be signed.", ""},
		"GraphQL error":        {standin.Fault{Kind: standin.FaultGraphQLError}, "POST /graphql", `{"query":"{viewer{login}}"}`, 200, "SERVICE_UNAVAILABLE", ""},
		"another path is free": {standin.Fault{Kind: standin.FaultServerError, Path: "/repos/*/pulls"}, "GET {R}", "", 200, "acme/shop", ""},
		"after latency":        {standin.Fault{Kind: standin.FaultLatency, Delay: standin.Duration(time.Millisecond)}, "GET {R}", "", 200, "acme/shop", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newUnwatched(t)
			must(t, w.AddFault(c.fault))
			a := w.call(t, "bot", c.call, c.body)
			if a.Status != c.status || !strings.Contains(a.Body, c.says) {
				t.Errorf("%d %s", a.Status, a.Body)
			}
			if name, want, ok := strings.Cut(c.header, "="); ok && a.Header.Get(name) != want {
				t.Errorf("%s: %q, want %q", name, a.Header.Get(name), want)
			}
			w.ClearFaults()
			if b := w.call(t, "bot", "GET {R}", ""); b.Status != 200 {
				t.Errorf("after it: %d", b.Status)
			}
		})
	}
}

// newUnwatched is a world without the contract: broken answers are wanted.
func newUnwatched(t testing.TB, opts ...standin.Option) *world {
	t.Helper()
	return makeWorld(t, opts...)
}

func TestFaultsThatBreakTheConnection(t *testing.T) {
	t.Parallel()
	w := newUnwatched(t)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	post := func() error {
		req, err := http.NewRequest(http.MethodPost, w.URL()+"/repos/acme/shop/issues", strings.NewReader(`{"title":"x"}`))
		must(t, err)
		req.Header.Set("Authorization", w.as(t, "bot"))
		res, err := client.Do(req)
		if err == nil {
			res.Body.Close()
		}
		return err
	}
	must(t, w.AddFault(standin.Fault{Kind: standin.FaultConnectionReset, Method: "POST"}))
	if post() == nil {
		t.Error("an answer in spite of the reset")
	}
	if a := w.ok(t, "bot", "GET {R}/issues", ""); a.len("") != 0 {
		t.Errorf("a reset call was carried out: %s", a.Body)
	}
	must(t, w.AddFault(standin.Fault{Kind: standin.FaultLostAnswer, Method: "POST"}))
	if post() == nil {
		t.Error("an answer in spite of its loss")
	}
	if a := w.ok(t, "bot", "GET {R}/issues", ""); a.len("") != 1 {
		t.Errorf("a lost answer was not carried out: %s", a.Body)
	}
	if hits := w.FaultHits(); hits[standin.FaultConnectionReset] != 1 || hits[standin.FaultLostAnswer] != 1 {
		t.Errorf("hits %v", hits)
	}
}

// TestFaultProbability: the same seed breaks the same calls.
func TestFaultProbability(t *testing.T) {
	t.Parallel()
	run := func(seed int64) string {
		w := newUnwatched(t, standin.WithSeed(seed))
		must(t, w.AddFault(standin.Fault{Kind: standin.FaultServerError, Probability: 0.2}))
		var b strings.Builder
		for range 60 {
			if w.call(t, "bot", "GET {R}", "").Status == 502 {
				b.WriteByte('x')
			} else {
				b.WriteByte('.')
			}
		}
		return b.String()
	}
	one, again, other := run(1), run(1), run(2)
	if n := strings.Count(one, "x"); one != again || one == other || n < 3 || n > 30 {
		t.Errorf("\n%s\n%s\n%s", one, again, other)
	}
}

func TestControl(t *testing.T) {
	t.Parallel()
	w := newUnwatched(t)
	for body, status := range map[string]int{
		`{"kind":"server_error","count":2}`:                     204,
		`[{"kind":"latency","delay":"1ms","probability":0.01}]`: 204,
		`{"kind":"nonsense"}`:                                   422,
		`{"kind":"server_error","probability":2}`:               422,
		`{`: 400,
	} {
		if a := send(t, "", "POST", w.URL()+"/_standin/faults", body); a.Status != status {
			t.Errorf("%s: %d %s", body, a.Status, a.Body)
		}
	}
	for _, want := range []int{502, 502, 200} {
		if a := w.call(t, "bot", "GET {R}", ""); a.Status != want {
			t.Errorf("%d, want %d", a.Status, want)
		}
	}
	is("hits.server_error", 2, "active.0.delay", "1ms")(t, w, send(t, "", "GET", w.URL()+"/_standin/faults", ""))
	if a := send(t, "", "DELETE", w.URL()+"/_standin/faults", ""); a.Status != 204 {
		t.Error(a.Status)
	}
	if a := send(t, "", "POST", w.URL()+"/_standin/deliveries", `{"Duplicate":1}`); a.Status != 204 {
		t.Error(a.Status)
	}
	if a := send(t, "", "GET", w.URL()+"/_standin/none", ""); a.Status != 404 {
		t.Error(a.Status)
	}
}

func TestTokensExpireByTheClock(t *testing.T) {
	t.Parallel()
	c := newClock()
	w := newWorld(t, standin.WithClock(c.Now), standin.WithJWTClock(time.Now))
	token := w.as(t, "bot")
	get := func() int { return send(t, token, "GET", w.URL()+"/repos/acme/shop", "").Status }
	c.Advance(59 * time.Minute)
	if s := get(); s != 200 {
		t.Errorf("after 59 minutes: %d", s)
	}
	c.Advance(time.Minute)
	if s := get(); s != 401 {
		t.Errorf("after an hour: %d", s)
	}
}

func TestPrimaryLimitResets(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := standin.DefaultLimits()
	l.Core = 3
	w := newWorld(t, standin.WithClock(c.Now), standin.WithJWTClock(time.Now), standin.WithLimits(l))
	for _, want := range []int{200, 200, 200, 403, 403} {
		if a := w.call(t, "bot", "GET {R}", ""); a.Status != want {
			t.Errorf("%d, want %d", a.Status, want)
		}
	}
	if a := w.call(t, "bot", "GET /rate_limit", ""); a.Status != 200 || a.at("resources.core.remaining") != 0.0 {
		t.Errorf("the limit itself costs nothing: %d %s", a.Status, a.Body)
	}
	c.Advance(time.Hour)
	if a := w.call(t, "bot", "GET {R}", ""); a.Status != 200 {
		t.Errorf("an hour later: %d", a.Status)
	}
}

func TestSecondaryLimits(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := standin.StrictLimits()
	l.PointsPerMinute, l.ContentPerMinute = 20, 3
	w := newUnwatched(t, standin.WithClock(c.Now), standin.WithJWTClock(time.Now), standin.WithLimits(l))
	open := func() answer { return w.call(t, "bot", "POST {R}/issues", `{"title":"x"}`) }
	for range 3 { // 5 points each
		if a := open(); a.Status != 201 {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
	}
	if a := open(); a.Status != 403 || !strings.Contains(a.Body, "secondary rate limit") || a.Header.Get("Retry-After") != "60" {
		t.Errorf("the fourth: %d %v", a.Status, a.Header)
	}
	c.Advance(time.Minute)
	for range 20 {
		if a := w.call(t, "bot", "GET {R}", ""); a.Status != 200 {
			t.Fatalf("reading: %d", a.Status)
		}
	}
	if a := w.call(t, "bot", "GET {R}", ""); a.Status != 403 {
		t.Errorf("the 21st point: %d", a.Status)
	}
	w.SetLimits(standin.DefaultLimits())
	if a := open(); a.Status != 201 {
		t.Errorf("without secondary limits: %d", a.Status)
	}
}
