package githubapi_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"dhibot/bot/githubapi"
	"dhibot/bot/internal/testclock"
	"dhibot/bot/standin"
	"dhibot/bot/standin/contract"
	"dhibot/bot/standin/standintest"
)

// world is the stand-in with an App installed on the organisation acme, and a
// clock that moves when somebody waits.
type world struct {
	t    testing.TB
	gh   *standin.Server
	app  *standin.App
	inst *standin.Installation
	api  *githubapi.App

	*testclock.Clock

	mu   sync.Mutex
	seen []string // "METHOD /path"

	times map[string]int // by the same words

	transport *http.Transport
}

func newWorld(t testing.TB, limits githubapi.Limits, options ...standin.Option) *world {
	t.Helper()
	w := &world{t: t, Clock: testclock.At(time.Now().Truncate(time.Second)), times: map[string]int{}}
	gh := standintest.Listen(t, append([]standin.Option{standin.WithClock(w.Now), standin.WithJWTClock(time.Now)}, options...)...)
	gh.AddOrganization("acme")
	w.gh = gh
	w.app = standintest.App(t, gh, "")
	var err error
	if w.inst, err = w.app.Install("acme"); err != nil {
		t.Fatal(err)
	}
	w.transport = &http.Transport{}
	t.Cleanup(w.transport.CloseIdleConnections)
	w.api, err = githubapi.New(githubapi.Settings{
		AppID: w.app.ID(), Key: w.app.Key(), APIURL: gh.APIURL(), HTTPClient: &http.Client{Transport: w}, Limits: limits,
		Now: w.Now, Wait: func(ctx context.Context, d time.Duration) error { w.Advance(d); return ctx.Err() },
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// RoundTrip keeps the call, and holds what was granted against GitHub's own
// description of its API: a request that the stand-in is kind enough to
// understand may be one that GitHub does not.
func (w *world) RoundTrip(req *http.Request) (*http.Response, error) {
	path := strings.TrimPrefix(req.URL.Path, "/api/v3")
	if !strings.HasSuffix(path, "/access_tokens") {
		w.mu.Lock()
		w.seen = append(w.seen, req.Method+" "+path)
		w.mu.Unlock()
	}
	w.mu.Lock()
	w.times[req.Method+path]++
	often := w.times[req.Method+path] > 3 // a flood of the same proves nothing more
	w.mu.Unlock()
	var sent []byte
	if req.Body != nil {
		var err error
		if sent, err = io.ReadAll(req.Body); err != nil {
			return nil, err
		}
		req.Body = io.NopCloser(bytes.NewReader(sent))
	}
	resp, err := w.transport.RoundTrip(req)
	if err != nil || often || resp.StatusCode >= 400 || strings.HasSuffix(path, "/graphql") { // which the description leaves out
		return resp, err
	}
	got, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(got))
	if spec, err := contract.Shared(); err != nil {
		w.t.Error(err)
	} else if err := spec.CheckCall(contract.Call{
		Method: req.Method, Path: path, Query: req.URL.RawQuery, Request: req.Header, RequestBody: sent,
		Status: resp.StatusCode, Response: resp.Header, ResponseBody: got,
	}); err != nil {
		w.t.Errorf("contract: %v", err)
	}
	return resp, nil
}

// calls are the API calls since the last time, token mints left out.
func (w *world) calls() (out []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	out = w.seen
	w.seen = nil
	return out
}

func (w *world) client() *githubapi.Client {
	w.t.Helper()
	c, err := w.api.Installation(w.inst.ID())
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func (w *world) repository(name string, files map[string]string, options ...standin.RepositoryOption) (*standin.Repository, githubapi.Repo) {
	w.t.Helper()
	var content standin.Files // none at all is an empty repository
	if files != nil {
		content = standin.Text(files)
	}
	r, err := w.gh.AddRepository("acme", name, content, options...)
	if err != nil {
		w.t.Fatal(err)
	}
	repo, err := w.client().Repository(context.Background(), "acme", name)
	if err != nil {
		w.t.Fatal(err)
	}
	return r, repo
}

// propose makes a commit, the branch dhi/migrate for it and a pull request.
func propose(ctx context.Context, c *githubapi.Client, r githubapi.Repo, commit githubapi.CommitRequest) (sha string, p githubapi.PullRequest, err error) {
	if sha, _, err = c.Commit(ctx, r, commit); err != nil {
		return "", p, err
	}
	if err := c.CreateRef(ctx, r, "dhi/migrate", sha); err != nil {
		return "", p, err
	}
	p, err = c.CreatePullRequest(ctx, r, githubapi.NewPullRequest{Title: "Move to DHI", Body: "Why", Head: "dhi/migrate", Base: "main"})
	return sha, p, err
}

var quick = githubapi.Limits{Spacing: -1}

// TestStandinTrapT1: a real listing with multi-select properties.
func TestStandinTrapT1(t *testing.T) {
	t.Parallel()
	w := newWorld(t, quick)
	for i := range 3 {
		w.repository(fmt.Sprintf("r%d", i), map[string]string{"a": "b"}, standin.CustomProperties(map[string]any{"teams": []string{"a", "b"}}))
	}
	if list, _, err := w.client().RepositoriesPage(context.Background(), 1); err != nil || len(list) != 3 {
		t.Errorf("%d repositories, %v", len(list), err)
	}
}

// TestStandinScopes: a narrowed token sees one repository and cannot write.
func TestStandinScopes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, quick)
	_, one := w.repository("one", map[string]string{"a": "b"})
	_, two := w.repository("two", map[string]string{"a": "b"}, standin.Private())
	c, err := w.api.Scoped(w.inst.ID(), githubapi.Scope{Repository: one.ID, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	sha, err := c.Branch(ctx, one, "main")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Tree(ctx, two, "main"); !errors.Is(err, githubapi.ErrNotFound) {
		t.Errorf("another repository: %v", err)
	}
	var refused *githubapi.RefusedError
	if err := c.CreateRef(ctx, one, "x", sha); !errors.As(err, &refused) || !refused.MissingPermission() {
		t.Errorf("a write: %v", err)
	}
}

// TestStandinTruncatedTree: a tree that GitHub cuts is read to its end.
func TestStandinTruncatedTree(t *testing.T) {
	t.Parallel()
	w := newWorld(t, quick, standin.WithTreeLimit(40, 7<<20))
	files := map[string]string{}
	for i := range 100 {
		files[fmt.Sprintf("d%d/e%d/f%02d", i%4, i%3, i)] = "x"
	}
	_, repo := w.repository("big", files)
	w.calls()
	tree, err := w.client().Tree(context.Background(), repo, "main")
	if err != nil || tree.Incomplete() {
		t.Fatal(tree.Unread, err)
	}
	n := 0
	for _, e := range tree.Entries {
		if e.Type == "blob" {
			if _, ok := files[e.Path]; !ok {
				t.Errorf("invented %s", e.Path)
			}
			n++
		}
	}
	// The root twice, then each of the four folders.
	if calls := w.calls(); n != 100 || len(calls) != 6 {
		t.Errorf("%d files in %d calls", n, len(calls))
	}
}

// TestStandinBlobs: batched reading gives the same bytes as single reading.
func TestStandinBlobs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, quick)
	files := map[string]string{"bin": "\x00\x01\xff", "latin": "caf\xe9\n", "crlf": "a\r\nb\r\n", "bom": "\ufeffFROM a\n", "nul": "a\x00b"}
	for i := range 150 {
		files[fmt.Sprintf("f%d", i)] = fmt.Sprintf("FROM image%d\n", i)
	}
	_, repo := w.repository("many", files)
	ctx := context.Background()
	tree, err := w.client().Tree(ctx, repo, "main")
	if err != nil {
		t.Fatal(err)
	}
	var shas []string
	for _, e := range tree.Entries {
		shas = append(shas, e.SHA)
	}
	w.calls()
	got, err := w.client().Blobs(ctx, repo, shas)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range tree.Entries {
		if string(got[e.SHA]) != files[e.Path] {
			t.Errorf("%s: %q", e.Path, got[e.SHA])
		}
	}
	queries, single := 0, 0
	for _, c := range w.calls() {
		if strings.HasSuffix(c, "/graphql") {
			queries++
		} else {
			single++
		}
	}
	if queries != 2 || single > 3 {
		t.Errorf("%d queries and %d single reads for 155 files", queries, single)
	}
}
