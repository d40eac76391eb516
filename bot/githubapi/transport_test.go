package githubapi

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestRetry: GET and the mint are repeated after a passing failure, nothing else is.
func TestRetry(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		statuses []int // of one endpoint, in order
		post     bool
		want     int // requests
		err      error
	}{
		"get recovers":          {[]int{502, 503, 200}, false, 3, nil},
		"get gives up":          {[]int{502, 503, 504, 200}, false, 3, ErrUnavailable},
		"get 404 is an answer":  {[]int{404, 200}, false, 1, ErrNotFound},
		"get 501 is an answer":  {[]int{501, 200}, false, 1, ErrUnavailable},
		"post is not repeated":  {[]int{502, 201}, true, 1, ErrUnavailable},
		"post succeeds at once": {[]int{201}, true, 1, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t)
			var n atomic.Int64
			h := func(w http.ResponseWriter, _ *http.Request) { reply(w, c.statuses[n.Add(1)-1], `{"id":3}`) }
			a.handle("GET /repos/acme/shop", h)
			a.handle("POST /repos/acme/shop/issues/1/comments", h)
			var err error
			if c.post {
				_, err = a.client().Comment(context.Background(), testRepo, 1, "x")
			} else {
				_, err = a.client().Repository(context.Background(), "acme", "shop")
			}
			if int(n.Load()) != c.want || (err == nil) != (c.err == nil) || c.err != nil && !errors.Is(err, c.err) {
				t.Errorf("%d requests, %v", n.Load(), err)
			}
			waits := a.waited()
			if len(waits) != c.want-1 {
				t.Errorf("waited %v", waits)
			}
			for i, w := range waits {
				if want := backoff(i+1, 0.5); w != want {
					t.Errorf("wait %d was %s, want %s", i, w, want)
				}
			}
		})
	}
}

func TestBackoff(t *testing.T) {
	t.Parallel()
	for attempt := 1; attempt < 12; attempt++ {
		low, high := backoff(attempt, 0), backoff(attempt, 0.999)
		if low <= 0 || high <= low || high > lastBackoff {
			t.Errorf("attempt %d: %s to %s", attempt, low, high)
		}
	}
}

func TestMintIsRetried(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	var n atomic.Int64
	a.handle("POST /app/installations/1/access_tokens", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if !strings.Contains(string(body), `"repository_ids":[42]`) || !strings.Contains(string(body), `"contents":"read"`) {
			t.Errorf("asked for %s", body)
		}
		if n.Add(1) == 1 {
			reply(w, 502, "")
			return
		}
		a.mint(w)
	})
	a.answer("GET /repos/acme/shop", 200, withProperties)
	c, err := a.app().Scoped(1, Scope{Repository: 42, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Repository(context.Background(), "acme", "shop"); err != nil || n.Load() != 2 {
		t.Errorf("%d mints, %v", n.Load(), err)
	}
}

// TestWholeScopeSendsAnObject: ghinstallation would send "null".
func TestWholeScopeSendsAnObject(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.handle("POST /app/installations/1/access_tokens", func(w http.ResponseWriter, r *http.Request) {
		if body, _ := io.ReadAll(r.Body); strings.TrimSpace(string(body)) != "{}" {
			t.Errorf("asked for %q", body)
		}
		a.mint(w)
	})
	a.answer("GET /repos/acme/shop", 200, withProperties)
	if _, err := a.client().Repository(context.Background(), "acme", "shop"); err != nil {
		t.Error(err)
	}
}

// TestUnauthorizedDropsToken: a 401 is tried once more with a new token, writes
// too since nothing happened; then it is an error, and the next call mints again.
func TestUnauthorizedDropsToken(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	good := "token token-2"
	handler := func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Header.Get("Authorization") != good {
			reply(w, 401, `{"message":"Bad credentials"}`)
			return
		}
		if r.Method == http.MethodPost && !strings.Contains(string(body), `"body":"hello"`) {
			t.Errorf("sent again without its body: %q", body)
		}
		reply(w, 201, `{"id":9}`)
	}
	a.handle("POST /repos/acme/shop/issues/1/comments", handler)
	a.handle("GET /repos/acme/shop", handler)
	c := a.client()
	if id, err := c.Comment(context.Background(), testRepo, 1, "hello"); err != nil || id != 9 {
		t.Fatalf("%d, %v", id, err)
	}
	if _, err := c.Repository(context.Background(), "acme", "shop"); err != nil || a.minted() != 2 {
		t.Errorf("%d tokens, %v", a.minted(), err)
	}
	good = "none"
	a.requests()
	if _, err := c.Repository(context.Background(), "acme", "shop"); !errors.Is(err, ErrUnauthorized) {
		t.Errorf("got %v", err)
	}
	if n := len(a.requests()); n != 2 {
		t.Errorf("%d requests with bad tokens", n)
	}
	good = "token token-4"
	if _, err := c.Repository(context.Background(), "acme", "shop"); err != nil {
		t.Errorf("the bad token was kept: %v", err)
	}
}

// TestMintHonoursContext: who waits while another mints can leave.
func TestMintHonoursContext(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	minting, release := make(chan struct{}), make(chan struct{})
	a.handle("POST /app/installations/1/access_tokens", func(w http.ResponseWriter, _ *http.Request) {
		close(minting)
		<-release
		a.mint(w)
	})
	a.answer("GET /repos/acme/shop", 200, withProperties)
	c := a.client()
	first := make(chan error)
	go func() {
		_, err := c.Repository(context.Background(), "acme", "shop")
		first <- err
	}()
	<-minting
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, err := c.Repository(ctx, "acme", "shop"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	close(release)
	if err := <-first; err != nil {
		t.Error(err)
	}
}

// TestRedirects: GET follows on the same host, a write says that the repository
// has moved, and the token goes to no other host.
func TestRedirects(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	stranger := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("another host was asked, with %q", r.Header.Get("Authorization"))
	}))
	defer stranger.Close()
	to := func(status int, target string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			reply(w, status, `{"message":"Moved"}`, "Location", target)
		}
	}
	a.handle("GET /repos/acme/old", to(301, a.server.URL+root+"/repositories/1"))
	a.answer("GET /repositories/1", 200, withProperties)
	a.handle("POST /repos/acme/old/issues/1/comments", to(307, a.server.URL+root+"/repositories/1/issues/1/comments"))
	a.handle("PATCH /repos/acme/old/git/refs/heads/x", to(301, a.server.URL+root+"/repositories/1/git/refs/heads/x"))
	a.handle("GET /repos/acme/away", to(302, stranger.URL+"/repos"))
	a.handle("GET /repos/acme/circle", to(302, a.server.URL+root+"/repos/acme/circle"))
	c := a.client()
	ctx := context.Background()
	if r, err := c.Repository(ctx, "acme", "old"); err != nil || r.Name != "shop" {
		t.Errorf("%+v, %v", r, err)
	}
	old := Repo{Owner: "acme", Name: "old"}
	if _, err := c.Comment(ctx, old, 1, "x"); !errors.Is(err, ErrMoved) {
		t.Errorf("307 of a write: %v", err)
	}
	if err := c.UpdateRef(ctx, old, "x", shaA, true); !errors.Is(err, ErrMoved) {
		t.Errorf("301 of a write: %v", err)
	}
	for _, name := range []string{"away", "circle"} {
		if _, err := c.Repository(ctx, "acme", name); !errors.Is(err, ErrRedirect) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, r := range a.requests() {
		if r.Path == "/repositories/1/issues/1/comments" {
			t.Error("a write was repeated elsewhere")
		}
	}
}

// TestCap: an answer beyond its bound is an error and never a shorter answer.
func TestCap(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	big := strings.Repeat("x", 2000)
	a.answer("GET /repos/acme/shop/contents/known", 200, big, "Content-Type", "text/plain")
	a.handle("GET /repos/acme/shop/contents/streamed", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		for range 20 {
			_, _ = io.WriteString(w, big[:100])
			w.(http.Flusher).Flush()
		}
	})
	a.answer("GET /repos/acme/shop/contents/exact", 200, big[:1000], "Content-Type", "text/plain")
	a.answer("GET /repos/acme/shop", 200, `{"name":"`+strings.Repeat("x", 9000)+`"}`)
	c := a.client(func(s *Settings) { s.Limits = Limits{BlobBytes: 1000, ResponseBytes: 8000} })
	ctx := context.Background()
	for _, name := range []string{"known", "streamed"} {
		if got, err := c.File(ctx, testRepo, "", name); !errors.Is(err, ErrTooLarge) || len(got) > 1000 {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
	if got, err := c.File(ctx, testRepo, "", "exact"); err != nil || len(got) != 1000 {
		t.Errorf("exact: %d bytes, %v", len(got), err)
	}
	if _, err := c.Repository(ctx, "acme", "shop"); !errors.Is(err, ErrTooLarge) || a.lastCall().Outcome != "too_large" {
		t.Errorf("JSON: %v, %+v", err, a.lastCall())
	}
}

// TestCallTimeout: no call outlives its bound, even when its caller set none.
func TestCallTimeout(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop) })
	a.handle("GET /repos/acme/shop", func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-stop:
		}
	})
	c := a.client(func(s *Settings) { s.Limits = Limits{CallTimeout: 30 * time.Millisecond} })
	if _, err := c.Repository(context.Background(), "acme", "shop"); !errors.Is(err, context.DeadlineExceeded) || a.lastCall().Outcome != "cancelled" {
		t.Errorf("%v, %+v", err, a.lastCall())
	}
}

func TestNewNamesEveryProblem(t *testing.T) {
	t.Parallel()
	_, err := New(Settings{APIURL: "ftp://x"})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"id is missing", "private key is missing", "address of GitHub's API"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
	for _, bad := range []string{"github.com", "https://", "https://x/?a=b", "https://x/#y", "://"} {
		if _, err := New(Settings{AppID: 1, Key: testKey(), APIURL: bad}); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
	app, err := New(Settings{AppID: 1, Key: testKey()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := app.Installation(0); err == nil {
		t.Error("installation 0 is accepted")
	}
}

// TestNetworkError: a broken connection is a plain error of the operation, and
// its address is not a secret's hiding place.
func TestNetworkError(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	broken := errors.New("connection reset")
	tries := 0
	c := a.client(func(s *Settings) {
		s.HTTPClient = &http.Client{Transport: roundTrip(func(req *http.Request) (*http.Response, error) {
			if isMint(req.URL.Path) {
				return a.server.Client().Transport.RoundTrip(req)
			}
			tries++
			return nil, broken
		})}
	})
	_, err := c.Repository(context.Background(), "acme", "shop")
	if !errors.Is(err, broken) || tries != 3 || a.lastCall().Outcome != "network" {
		t.Errorf("%v after %d tries, %+v", err, tries, a.lastCall())
	}
	if strings.Contains(err.Error(), "token-1") {
		t.Errorf("the token is in the error: %v", err)
	}
	tries = 0
	if _, err := c.Comment(context.Background(), testRepo, 1, "x"); !errors.Is(err, broken) || tries != 1 {
		t.Errorf("a write: %v after %d tries", err, tries)
	}
}
