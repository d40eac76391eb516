package githubapi

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-github/v60/github"
)

const withProperties = `{"id":1,"name":"shop","owner":{"login":"acme"},"custom_properties":{"teams":["a","b"],"tier":"1"}}`

// TestT1: go-github v60 cannot decode a custom property of several values, and
// one such repository spoils a page of a hundred. Through our chain it can.
func TestT1(t *testing.T) {
	t.Parallel()
	var plain github.Repository
	if err := json.Unmarshal([]byte(withProperties), &plain); err == nil {
		t.Fatal("go-github decodes it now: the shield can go")
	}
	a := newAPI(t)
	a.answer("GET /installation/repositories", 200, `{"total_count":2,"repositories":[`+withProperties+`,{"id":2,"name":"b","owner":{"login":"acme"}}]}`)
	a.answer("GET /repos/acme/shop", 200, withProperties)
	const text = `{"custom_properties": 1}`
	a.answer("GET /repos/acme/shop/contents/x.json", 200, text, "Content-Type", "application/vnd.github.raw+json; charset=utf-8")
	c := a.client()
	ctx := context.Background()
	if list, next, err := c.RepositoriesPage(ctx, 1); err != nil || len(list) != 2 || next != 0 {
		t.Errorf("%d repositories, %d, %v", len(list), next, err)
	}
	if _, _, err := c.gh.Repositories.Get(ctx, "acme", "shop"); err != nil {
		t.Errorf("go-github's own method through the chain: %v", err)
	}
	if _, _, err := c.gh.Apps.ListRepos(ctx, nil); err != nil {
		t.Errorf("go-github's own listing through the chain: %v", err)
	}
	if got, err := c.File(ctx, testRepo, "", "x.json"); err != nil || string(got) != text {
		t.Errorf("a file's content was touched: %q, %v", got, err)
	}
}

func TestShieldLeavesStringsAlone(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"custom_properties":{}}`:                         `{"custom_propertiez":{}}`,
		`{"a":{"custom_properties" : {}}}`:                 `{"a":{"custom_propertiez" : {}}}`,
		`{"body":"\"custom_properties\": x"}`:              `{"body":"\"custom_properties\": x"}`,
		`["custom_properties"]`:                            `["custom_properties"]`,
		`{"name":"custom_properties","custom_properties":`: `{"name":"custom_properties","custom_propertiez":`,
		`{"Custom_Properties":1}`:                          `{"Custom_Properties":1}`,
		``:                                                 ``,
	} {
		body := []byte(in)
		if shield(body); string(body) != want {
			t.Errorf("%s became %s", in, body)
		}
	}
}

// TestT2: 429 is a limit like 403, for both kinds, and a secondary limit may
// come without any header. Each is typed, carries its time, and the next call
// is held back without asking GitHub.
func TestT2(t *testing.T) {
	t.Parallel()
	reset := time.Date(2026, 5, 4, 12, 40, 0, 0, time.UTC)
	primary := []string{"X-RateLimit-Limit", "5000", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", strconv.FormatInt(reset.Unix(), 10), "X-RateLimit-Resource", "core"}
	for name, c := range map[string]struct {
		status    int
		body      string
		header    []string
		until     time.Duration // from noon; 0 is no limit
		secondary bool
	}{
		"429 retry-after":           {429, "{}", []string{"Retry-After", "30"}, 30 * time.Second, true},
		"403 retry-after":           {403, "{}", []string{"Retry-After", "45"}, 45 * time.Second, true},
		"429 primary":               {429, "{}", primary, 40 * time.Minute, false},
		"403 primary":               {403, "{}", primary, 40 * time.Minute, false},
		"429 nothing":               {429, "", nil, time.Minute, true},
		"403 words only":            {403, `{"message":"You have exceeded a secondary rate limit."}`, nil, time.Minute, true},
		"403 primary in words only": {403, `{"message":"API rate limit exceeded for installation ID 1."}`, nil, time.Minute, true},
		"429 date":                  {429, "{}", []string{"Retry-After", "Mon, 04 May 2026 12:02:00 GMT"}, 2 * time.Minute, true},
		"429 retry-after zero":      {429, "{}", []string{"Retry-After", "0"}, time.Second, true},
		"429 retry-after for days":  {429, "{}", []string{"Retry-After", "9999999"}, longestHold, true},
		"429 nonsense":              {429, "{}", []string{"Retry-After", "soon"}, time.Minute, true},
		"403 something else":        {403, `{"message":"Resource not accessible by integration"}`, []string{"X-RateLimit-Remaining", "4999"}, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t)
			noon := a.Now()
			a.answer("GET /repos/acme/shop", c.status, c.body, c.header...)
			client := a.client()
			_, err := client.Repository(context.Background(), "acme", "shop")
			var limited *RateLimitedError
			if !errors.As(err, &limited) {
				var refused *RefusedError
				if c.until != 0 || !errors.As(err, &refused) || !refused.MissingPermission() {
					t.Fatalf("got %v", err)
				}
				return
			}
			if c.until == 0 {
				t.Fatalf("taken for a limit: %v", err)
			}
			if got := limited.Until.Sub(noon); got != c.until || limited.Secondary != c.secondary || limited.Local || limited.Resource != "core" {
				t.Errorf("until %s, %+v", got, limited)
			}
			if a.lastCall().Outcome != "rate_limited" {
				t.Errorf("reported as %s", a.lastCall().Outcome)
			}
			asked := len(a.requests())
			_, err = client.Repository(context.Background(), "acme", "shop")
			if !errors.As(err, &limited) || !limited.Local || asked != 1 || len(a.requests()) != 0 {
				t.Errorf("the next call was not held back: %v", err)
			}
			if a.lastCall().Outcome != "held" {
				t.Errorf("reported as %s", a.lastCall().Outcome)
			}
			a.Advance(c.until)
			_, err = client.Repository(context.Background(), "acme", "shop")
			if len(a.requests()) != 1 {
				t.Errorf("still held after its time: %v", err)
			}
		})
	}
}

// TestT3: GitHub accepts a redelivery with 202, which go-github reports as an error.
func TestT3(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.answer("POST /app/hook/deliveries/12/attempts", http.StatusAccepted, "{}")
	a.answer("POST /app/hook/deliveries/13/attempts", http.StatusNotFound, `{"message":"Not Found"}`)
	app := a.app()
	if err := app.Redeliver(context.Background(), 12); err != nil {
		t.Error(err)
	}
	if a.lastCall().Outcome != "ok" {
		t.Errorf("reported as %s", a.lastCall().Outcome)
	}
	if err := app.Redeliver(context.Background(), 13); !errors.Is(err, ErrNotFound) {
		t.Errorf("a real failure: %v", err)
	}
	if auth := a.requests()[0].Auth; !strings.HasPrefix(auth, "Bearer ey") {
		t.Errorf("not signed as the App: %q", auth)
	}
}

// TestT4: rules of types that go-github v60 has never heard of do not hide the others.
func TestT4(t *testing.T) {
	t.Parallel()
	const rules = `[{"type":"merge_queue","parameters":{"x":1}},{"type":"creation","ruleset_source":"acme"},{"type":"from_the_future","parameters":[1]},{"type":"required_signatures"}]`
	var theirs []*github.RepositoryRule
	if err := json.Unmarshal([]byte(rules), &theirs); err == nil {
		t.Fatal("go-github decodes them now: our own type can go")
	}
	a := newAPI(t)
	a.answer("GET /repos/acme/shop/rules/branches/dhi/migrate", 200, rules)
	got, err := a.client().Rules(context.Background(), testRepo, "dhi/migrate")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Rule{{Type: "merge_queue"}, {Type: "creation", Source: "acme"}, {Type: "from_the_future"}, {Type: "required_signatures"}}, got); diff != "" {
		t.Error(diff)
	}
}

// TestT5: many installations mint at once. With one AppsTransport for all of
// them the race detector stops this test.
func TestT5(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.answer("GET /repos/acme/shop", 200, withProperties)
	app := a.app()
	var wg sync.WaitGroup
	for id := range int64(20) {
		for range 3 {
			wg.Go(func() {
				c, err := app.Installation(id + 1)
				if err == nil {
					_, err = c.Repository(context.Background(), "acme", "shop")
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	if a.minted() != 20 {
		t.Errorf("%d tokens for 20 installations", a.minted())
	}
}

// closing counts bodies that were opened and not closed.
type closing struct {
	next http.RoundTripper
	open atomic.Int64
}

func (c *closing) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := c.next.RoundTrip(req)
	if err == nil {
		c.open.Add(1)
		resp.Body = &counted{resp.Body, sync.OnceFunc(func() { c.open.Add(-1) })}
	}
	return resp, err
}

type counted struct {
	io.ReadCloser
	once func()
}

func (c *counted) Close() error { c.once(); return c.ReadCloser.Close() }

// TestT6: a token that cannot be minted says why, and its answer is closed.
func TestT6(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		body   string
		check  func(error) bool
	}{
		"suspended": {403, `{"message":"This installation has been suspended"}`, func(err error) bool {
			var g *GoneError
			return errors.Is(err, ErrGone) && errors.As(err, &g) && g.Suspended && g.Installation == 1
		}},
		"removed": {404, `{"message":"Not Found"}`, func(err error) bool {
			var g *GoneError
			return errors.Is(err, ErrGone) && errors.As(err, &g) && !g.Suspended && !errors.Is(err, ErrNotFound)
		}},
		"wrong key": {401, `{"message":"A JSON web token could not be decoded"}`, func(err error) bool {
			return errors.Is(err, ErrUnauthorized) && strings.Contains(err.Error(), "could not be decoded")
		}},
		"limited": {429, `{}`, func(err error) bool {
			var l *RateLimitedError
			return errors.As(err, &l) && l.Secondary && l.Until.After(time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC))
		}},
		"down":    {502, `<html>`, func(err error) bool { return errors.Is(err, ErrUnavailable) }},
		"refused": {422, `{"message":"no such permission"}`, func(err error) bool { var r *RefusedError; return errors.As(err, &r) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t)
			// A body that is no JSON passes the shield unread, so that closing it is ours.
			a.answer("POST /app/installations/1/access_tokens", c.status, c.body, "Content-Type", "text/plain")
			count := &closing{next: a.server.Client().Transport}
			client := a.client(func(s *Settings) { s.HTTPClient = &http.Client{Transport: count} })
			_, err := client.Repository(context.Background(), "acme", "shop")
			if err == nil || !c.check(err) {
				t.Errorf("got %v", err)
			}
			if n := count.open.Load(); n != 0 {
				t.Errorf("%d bodies left open", n)
			}
			if len(a.requests()) != 0 {
				t.Error("a request was sent without a token")
			}
		})
	}
}

// TestT7: GraphQL of an Enterprise Server is at /api/graphql, its allowance and
// that of search are not the core one, and an answer of 200 can be a failure.
func TestT7(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	var body atomic.Value
	body.Store(`{"data":{"viewer":{"login":"x"}}}`)
	reset := strconv.FormatInt(a.Now().Add(30*time.Minute).Unix(), 10)
	a.handle("POST /api/graphql", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, 200, body.Load().(string), "X-RateLimit-Limit", "5000", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", reset, "X-RateLimit-Resource", "graphql")
	})
	a.answer("GET /repos/acme/shop", 200, withProperties)
	c := a.client()
	ctx := context.Background()
	var v struct{ Viewer struct{ Login string } }
	if err := c.GraphQL(ctx, "query{viewer{login}}", nil, &v); err != nil || v.Viewer.Login != "x" {
		t.Fatalf("%+v, %v", v, err)
	}
	var limited *RateLimitedError
	if err := c.GraphQL(ctx, "query{viewer{login}}", nil, &v); !errors.As(err, &limited) || !limited.Local || limited.Resource != "graphql" {
		t.Errorf("an empty allowance of GraphQL does not hold GraphQL: %v", err)
	}
	if _, err := c.Repository(ctx, "acme", "shop"); err != nil {
		t.Errorf("an empty allowance of GraphQL stops REST: %v", err)
	}

	for name, k := range map[string]struct {
		body  string
		check func(error) bool
	}{
		"limit": {`{"errors":[{"type":"RATE_LIMITED","message":"API rate limit exceeded"}]}`, func(err error) bool {
			var l *RateLimitedError
			return errors.As(err, &l) && !l.Secondary && l.Until.After(a.Now())
		}},
		"secondary": {`{"errors":[{"message":"You have exceeded a secondary rate limit"}]}`, func(err error) bool {
			var l *RateLimitedError
			return errors.As(err, &l) && l.Secondary && l.Until.After(a.Now())
		}},
		"missing": {`{"data":{"repository":null},"errors":[{"type":"NOT_FOUND","path":["repository"],"message":"no"}]}`, func(err error) bool { return errors.Is(err, ErrNotFound) }},
		"mixed": {`{"errors":[{"type":"NOT_FOUND"},{"type":"FORBIDDEN","message":"Resource not accessible by integration"}]}`, func(err error) bool {
			var g *GraphQLError
			return errors.As(err, &g) && len(g.Errors) == 2 && !errors.Is(err, ErrNotFound)
		}},
	} {
		a.Advance(time.Hour)
		body.Store(k.body)
		if err := c.GraphQL(ctx, "query{viewer{login}}", nil, &v); err == nil || !k.check(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, r := range a.requests() {
		if r.Method == http.MethodPost && r.Path != "/api/graphql" {
			t.Errorf("GraphQL went to %s", r.Path)
		}
	}
	public, err := New(Settings{AppID: 1, Key: testKey()})
	if err != nil {
		t.Fatal(err)
	}
	req, err := public.self.gh.NewRequest(http.MethodPost, "../graphql", nil)
	if err != nil || req.URL.String() != "https://api.github.com/graphql" {
		t.Errorf("on github.com GraphQL is at %v, %v", req.URL, err)
	}
}

// TestT8: a limit met by a write does not stop reading, and it is remembered
// whoever asks for the client next, even after its token was dropped.
func TestT8(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.answer("POST /repos/acme/shop/issues/1/comments", 403, `{"message":"You have exceeded a secondary rate limit"}`, "Retry-After", "120")
	a.answer("GET /repos/acme/shop", 200, withProperties)
	app := a.app()
	ctx := context.Background()
	c, err := app.Installation(1)
	if err != nil {
		t.Fatal(err)
	}
	var limited *RateLimitedError
	if _, err := c.Comment(ctx, testRepo, 1, "x"); !errors.As(err, &limited) || limited.Local {
		t.Fatal(err)
	}
	if _, err := c.Repository(ctx, "acme", "shop"); err != nil {
		t.Errorf("reading stopped: %v", err)
	}
	app.Forget(1)
	again, err := app.Scoped(1, Scope{Repository: 42})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := again.Comment(ctx, testRepo, 1, "x"); !errors.As(err, &limited) || !limited.Local {
		t.Errorf("another client forgot the limit: %v", err)
	}
	other, err := app.Installation(2)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Comment(ctx, testRepo, 1, "x"); !errors.As(err, &limited) || limited.Local {
		t.Errorf("another installation is held too: %v", err)
	}
}

// TestT13: no HTTP cache, whose entries would go cold with each token. What is
// content-addressed is kept by its address and survives a new token.
func TestT13(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	const content, sha = "hello\n", "ce013625030ba8dba906f756967f9e9ca394464a"
	a.answer("GET /repos/acme/shop", 200, withProperties, "ETag", `"1"`, "Cache-Control", "private, max-age=60")
	a.answer("GET /repos/acme/shop/git/blobs/"+sha, 200, content, "Content-Type", "application/vnd.github.raw")
	app := a.app()
	ctx := context.Background()
	c, err := app.Installation(1)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := c.Repository(ctx, "acme", "shop"); err != nil {
			t.Fatal(err)
		}
	}
	asked := a.requests()
	if len(asked) != 2 || asked[1].Header.Get("If-None-Match") != "" {
		t.Errorf("asked %v", asked)
	}
	files := c.FS(ctx, testRepo, &Tree{Entries: []Entry{{Path: "a", Mode: ModeFile, Type: "blob", SHA: sha, Size: 6}, {Path: "b", Mode: ModeFile, Type: "blob", SHA: sha, Size: 6}}})
	for _, name := range []string{"a", "b"} {
		if got, err := files.ReadFile(name); err != nil || string(got) != content {
			t.Fatalf("%q, %v", got, err)
		}
		app.Forget(1)
	}
	if n := len(a.requests()); n != 1 {
		t.Errorf("one content was fetched %d times", n)
	}
}

// FuzzShield: what the shield leaves decodes to the same, but for the one key.
func FuzzShield(f *testing.F) {
	f.Add([]byte(withProperties))
	f.Add([]byte(`{"a":"\\\"custom_properties\\\":","b":["custom_properties"],"custom_properties" :{"x":[1]}}`))
	f.Add([]byte(`{"\\":"\\","custom_properties":1}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var before, after any
		if json.Unmarshal(body, &before) != nil || strings.Contains(string(body), `\u`) {
			return // GitHub never writes letters as escapes
		}
		length := len(body)
		shield(body)
		if err := json.Unmarshal(body, &after); err != nil || len(body) != length {
			t.Fatalf("%v in %q", err, body)
		}
		if diff := cmp.Diff(renamed(before), after); diff != "" {
			t.Error(diff)
		}
	})
}

// renamed is a decoded document as the shield should leave it.
func renamed(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for key, value := range v {
			if key == "custom_properties" {
				key = "custom_propertiez"
			}
			out[key] = renamed(value)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = renamed(v[i])
		}
		return out
	}
	return v
}
