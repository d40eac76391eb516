package githubapi

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"dhibot/bot/internal/testclock"
)

// testKey is made once: generating one takes longer than most tests.
var testKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// request is what the server saw.
type request struct {
	Method, Path string // path without the API's root
	Query        string
	Auth         string
	Body         string
	Header       http.Header
}

func (r request) String() string { return r.Method + " " + r.Path }

// api is a small GitHub: handlers by "METHOD path", a token mint, a record of
// what was asked, and a clock that moves when somebody waits.
type api struct {
	t      testing.TB
	server *httptest.Server
	mux    *http.ServeMux
	*testclock.Clock

	mu    sync.Mutex
	seen  []request
	mints int
	waits []time.Duration
	calls []Call
}

const root = "/api/v3"

func newAPI(t testing.TB) *api {
	t.Helper()
	a := &api{t: t, mux: http.NewServeMux(), Clock: testclock.At(time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC))}
	a.server = httptest.NewServer(a)
	t.Cleanup(a.server.Close)
	return a
}

// ServeHTTP implements http.Handler.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		a.t.Error(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	a.mu.Lock()
	a.seen = append(a.seen, request{r.Method, strings.TrimPrefix(r.URL.Path, root), r.URL.RawQuery, r.Header.Get("Authorization"), string(body), r.Header.Clone()})
	a.mu.Unlock()
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if _, pattern := a.mux.Handler(r); pattern == "" && isMint(r.URL.Path) {
		a.mint(w)
		return
	}
	a.mux.ServeHTTP(w, r)
}

func (a *api) mint(w http.ResponseWriter) {
	a.mu.Lock()
	a.mints++
	n := a.mints
	a.mu.Unlock()
	w.WriteHeader(http.StatusCreated)
	fmt.Fprintf(w, `{"token":"token-%d","expires_at":%q}`, n, time.Now().Add(time.Hour).Format(time.RFC3339))
}

// handle answers "METHOD path" with a handler.
func (a *api) handle(pattern string, h http.HandlerFunc) {
	method, path, _ := strings.Cut(pattern, " ")
	if !strings.HasPrefix(path, "/api/") {
		path = root + path
	}
	a.mux.HandleFunc(method+" "+path, h)
}

// answer answers "METHOD path" with a status and a JSON text.
func (a *api) answer(pattern string, status int, body string, header ...string) {
	a.handle(pattern, func(w http.ResponseWriter, _ *http.Request) { reply(w, status, body, header...) })
}

func reply(w http.ResponseWriter, status int, body string, header ...string) {
	for i := 0; i+1 < len(header); i += 2 {
		w.Header().Set(header[i], header[i+1])
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// requests are those after the last call, mints left out.
func (a *api) requests() []request {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []request
	for _, r := range a.seen {
		if !isMint(root + r.Path) {
			out = append(out, r)
		}
	}
	a.seen = nil
	return out
}

func (a *api) writes() (out []string) {
	for _, r := range a.requests() {
		if r.Method != http.MethodGet && !strings.HasSuffix(r.Path, "graphql") {
			out = append(out, r.String())
		}
	}
	return out
}

func (a *api) minted() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.mints
}

// wait is Settings.Wait on the test's clock.
func (a *api) wait(ctx context.Context, d time.Duration) error {
	a.mu.Lock()
	a.waits = append(a.waits, d)
	a.mu.Unlock()
	a.Advance(d)
	return ctx.Err()
}

func (a *api) waited() []time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	w := a.waits
	a.waits = nil
	return w
}

// GitHubCall implements Metrics.
func (a *api) GitHubCall(c Call) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.calls = append(a.calls, c)
}

func (a *api) lastCall() Call {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.calls) == 0 {
		a.t.Fatal("no call was reported")
	}
	return a.calls[len(a.calls)-1]
}

func (a *api) app(change ...func(*Settings)) *App {
	a.t.Helper()
	s := Settings{
		AppID: 7, Key: testKey(), APIURL: a.server.URL + root, HTTPClient: a.server.Client(),
		Now: a.Now, Wait: a.wait, Jitter: func() float64 { return 0.5 }, Metrics: a,
	}
	for _, f := range change {
		f(&s)
	}
	app, err := New(s)
	if err != nil {
		a.t.Fatal(err)
	}
	return app
}

func (a *api) client(change ...func(*Settings)) *Client {
	a.t.Helper()
	c, err := a.app(change...).Installation(1)
	if err != nil {
		a.t.Fatal(err)
	}
	return c
}

var testRepo = Repo{ID: 42, Owner: "acme", Name: "shop", DefaultBranch: "main"}

const (
	shaA = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	shaB = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	shaC = "cccccccccccccccccccccccccccccccccccccccc"
	shaD = "dddddddddddddddddddddddddddddddddddddddd"
)

// asJSON decodes a request's body for comparison.
func asJSON(t testing.TB, text string) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}
