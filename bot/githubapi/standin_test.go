package githubapi_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"dhibot/bot/githubapi"
	"dhibot/bot/standin"
	"dhibot/bot/standin/contract"

	"github.com/google/go-cmp/cmp"
)

// world is the stand-in with an App installed on the organisation acme, and a
// clock that moves when somebody waits.
type world struct {
	t    testing.TB
	gh   *standin.Server
	app  *standin.App
	inst *standin.Installation
	api  *githubapi.App

	mu    sync.Mutex
	clock time.Time
	seen  []string // "METHOD /path"

	transport *http.Transport
}

var standinKey = sync.OnceValues(standin.GenerateKey)

func newWorld(t testing.TB, limits githubapi.Limits, options ...standin.Option) *world {
	t.Helper()
	w := &world{t: t, clock: time.Now().Truncate(time.Second)}
	gh, err := standin.New(append([]standin.Option{standin.WithClock(w.now), standin.WithJWTClock(time.Now)}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := gh.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := gh.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	key, err := standinKey()
	if err != nil {
		t.Fatal(err)
	}
	gh.AddOrganization("acme")
	w.gh = gh
	w.app, err = gh.AddApp(standin.AppConfig{Slug: "dhibot", Key: key, Permissions: map[string]string{
		"contents": "write", "pull_requests": "write", "issues": "write", "checks": "write",
	}})
	if err != nil {
		t.Fatal(err)
	}
	if w.inst, err = w.app.Install("acme"); err != nil {
		t.Fatal(err)
	}
	w.transport = &http.Transport{}
	t.Cleanup(w.transport.CloseIdleConnections)
	w.api, err = githubapi.New(githubapi.Settings{
		AppID: w.app.ID(), Key: key, APIURL: gh.APIURL(), HTTPClient: &http.Client{Transport: w}, Limits: limits,
		Now: w.now, Wait: func(ctx context.Context, d time.Duration) error { w.advance(d); return ctx.Err() },
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.clock
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clock = w.clock.Add(d)
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
	var sent []byte
	if req.Body != nil {
		var err error
		if sent, err = io.ReadAll(req.Body); err != nil {
			return nil, err
		}
		req.Body = io.NopCloser(bytes.NewReader(sent))
	}
	resp, err := w.transport.RoundTrip(req)
	if err != nil || resp.StatusCode >= 400 || strings.HasSuffix(path, "/graphql") { // which the description leaves out
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

var quick = githubapi.Limits{Spacing: -1}

// TestStory tells what the App does with a repository, from the installation to
// the merged answer, against real git.
func TestStory(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubapi.Limits{}) // with all our limits on
	w.gh.SetLimits(standin.StrictLimits())
	w.gh.AddUser("eve")
	files := standin.Files{
		"Dockerfile":        {Content: "FROM node:22\r\nCMD node .\r\n", Mode: "100755"},
		"web/Dockerfile":    {Content: "FROM golang\n"},
		"link/Dockerfile":   {Content: "../web/Dockerfile", Mode: "120000"},
		"latin1.Dockerfile": {Content: "# caf\xe9\nFROM alpine\n"},
		"README.md":         {Content: "hello\n"},
	}
	server, err := w.gh.AddRepository("acme", "shop", files, standin.Collaborator("eve", "write"), standin.Private(), standin.CustomProperties(map[string]any{"teams": []string{"a", "b"}}))
	if err != nil {
		t.Fatal(err)
	}
	w.gh.AddUser("nobody")
	ctx := context.Background()
	id, err := w.api.InstallationOf(ctx, "acme", "shop")
	if err != nil || id != w.inst.ID() {
		t.Fatal(id, err)
	}
	self, err := w.api.Self(ctx)
	if err != nil || self.BotLogin() != "dhibot[bot]" || self.ID != w.app.ID() {
		t.Fatalf("%+v, %v", self, err)
	}
	c := w.client()
	repo, err := c.Repository(ctx, "acme", "shop")
	if err != nil || repo.ID != server.ID() || repo.DefaultBranch != "main" || repo.Archived || repo.Fork {
		t.Fatalf("%+v, %v", repo, err)
	}
	if same, err := c.RepositoryByID(ctx, repo.ID); err != nil || same != repo {
		t.Errorf("%+v, %v", same, err)
	}
	for login, want := range map[string]string{"eve": "write", "nobody": "none"} {
		if got, err := c.Permission(ctx, repo, login); got != want {
			t.Errorf("%s may %s, %v", login, got, err)
		}
	}

	base, err := c.Branch(ctx, repo, "main")
	if err != nil || base != server.Branch("main") {
		t.Fatal(base, err)
	}
	tree, err := c.Tree(ctx, repo, base)
	if err != nil || tree.Incomplete() {
		t.Fatal(err)
	}
	view := c.FS(ctx, repo, tree)
	for name, want := range map[string]string{"Dockerfile": files["Dockerfile"].Content, "link/Dockerfile": files["web/Dockerfile"].Content, "latin1.Dockerfile": files["latin1.Dockerfile"].Content} {
		if got, err := view.ReadFile(name); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if _, err := view.ReadFile("go.mod"); !errors.Is(err, fs.ErrNotExist) || view.Err() != nil {
		t.Errorf("%v, %v", err, view.Err())
	}
	w.calls()

	proposal := githubapi.Proposal{
		Branch: "dhi/migrate", Base: "main", Title: "Move to DHI", Body: "Why",
		Commit: githubapi.CommitRequest{BaseTree: tree.SHA, Parents: []string{base}, Message: "Move to DHI", Files: []githubapi.File{
			{Path: "Dockerfile", Mode: githubapi.ModeExec, Content: []byte("FROM dhi.io/node:22\r\n")},
			{Path: "web/Dockerfile", Mode: githubapi.ModeFile, Content: []byte("FROM dhi.io/golang\n")},
		}},
	}
	opened, err := c.OpenProposal(ctx, repo, proposal)
	if err != nil {
		t.Fatal(err)
	}
	const repos = "/repos/acme/shop"
	if diff := cmp.Diff([]string{"POST " + repos + "/git/trees", "POST " + repos + "/git/commits", "POST " + repos + "/git/refs", "POST " + repos + "/pulls"}, w.calls()); diff != "" {
		t.Error(diff)
	}
	if !opened.Verified || opened.PullRequest.HeadSHA != opened.SHA || opened.PullRequest.User.Login != self.BotLogin() || opened.PullRequest.FromFork() {
		t.Errorf("%+v", opened)
	}
	got, err := server.ReadFiles("dhi/migrate")
	if err != nil {
		t.Fatal(err)
	}
	want := standin.Files{
		"Dockerfile": {Content: "FROM dhi.io/node:22\r\n", Mode: "100755"}, "web/Dockerfile": {Content: "FROM dhi.io/golang\n", Mode: "100644"},
		"link/Dockerfile": {Content: "../web/Dockerfile", Mode: "120000"}, "latin1.Dockerfile": {Content: files["latin1.Dockerfile"].Content, Mode: "100644"}, "README.md": {Content: "hello\n", Mode: "100644"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the branch: %s", diff)
	}

	// A second attempt finds the branch and changes nothing.
	var refused *githubapi.RefusedError
	if _, err := c.OpenProposal(ctx, repo, proposal); !errors.As(err, &refused) || !refused.RefExists() {
		t.Errorf("a second one: %v", err)
	}
	if _, err := c.CreatePullRequest(ctx, repo, githubapi.NewPullRequest{Title: "x", Head: "dhi/migrate", Base: "main"}); !errors.As(err, &refused) || !refused.PullRequestExists() {
		t.Errorf("a second pull request: %v", err)
	}
	if err := c.CreateRef(ctx, repo, "dhi/same", base); err != nil {
		t.Error(err)
	}
	if _, err := c.CreatePullRequest(ctx, repo, githubapi.NewPullRequest{Title: "x", Head: "dhi/same", Base: "main"}); !errors.As(err, &refused) || !refused.NoCommits() {
		t.Errorf("nothing to merge: %v", err)
	}
	w.calls()

	// An update on top, then a rebase, then a person's commit.
	next := proposal
	next.Commit.Parents = []string{opened.SHA}
	next.Commit.Files = []githubapi.File{{Path: "web/Dockerfile", Content: []byte("FROM dhi.io/golang:1\n")}}
	updated, err := c.UpdateProposal(ctx, repo, next, opened.SHA)
	if err != nil || server.Branch("dhi/migrate") != updated.SHA {
		t.Fatal(updated, err)
	}
	if diff := cmp.Diff([]string{"POST " + repos + "/git/trees", "POST " + repos + "/git/commits", "PATCH " + repos + "/git/refs/heads/dhi/migrate"}, w.calls()); diff != "" {
		t.Error(diff)
	}
	rebased, err := c.UpdateProposal(ctx, repo, proposal, updated.SHA)
	if err != nil || server.Branch("dhi/migrate") != rebased.SHA {
		t.Fatal(rebased, err)
	}
	theirs, err := server.Push("eve", "dhi/migrate", "mine", standin.Text(map[string]string{"x": "y"}))
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string]githubapi.Proposal{"rebase": proposal, "on top": next} {
		if name == "on top" {
			p.Commit.Parents = []string{rebased.SHA}
		}
		if _, err := c.UpdateProposal(ctx, repo, p, rebased.SHA); !errors.As(err, &refused) || !refused.NotFastForward() {
			t.Errorf("%s over a person's commit: %v", name, err)
		}
		if server.Branch("dhi/migrate") != theirs {
			t.Fatalf("%s: a person's commit is lost", name)
		}
	}

	pulls, err := c.PullRequests(ctx, repo, "dhi/migrate", githubapi.StateAll)
	if err != nil || len(pulls) != 1 || pulls[0].HeadSHA != theirs {
		t.Errorf("%+v, %v", pulls, err)
	}
	n := opened.PullRequest.Number
	body := "new body"
	if p, err := c.EditPullRequest(ctx, repo, n, githubapi.PullRequestEdit{Body: &body}); err != nil || p.Body != body || p.Title != "Move to DHI" {
		t.Errorf("%+v, %v", p, err)
	}
	if changed, more, err := c.PullRequestFiles(ctx, repo, n); err != nil || more || len(changed) != 3 {
		t.Errorf("%+v, %v, %v", changed, more, err)
	}
	if queued, err := c.InMergeQueue(ctx, repo, n); err != nil || queued {
		t.Error(queued, err)
	}
	talk(t, c, server, repo, n)
	if out, err := server.Fsck(ctx); err != nil {
		t.Errorf("git fsck: %v %s", err, out)
	}
}

// talk uses what people see: comments, reactions, labels, checks, reviews.
func talk(t *testing.T, c *githubapi.Client, server *standin.Repository, repo githubapi.Repo, n int) {
	t.Helper()
	ctx := context.Background()
	asked, err := server.Comment("eve", n, "/dhi plan")
	if err != nil {
		t.Fatal(err)
	}
	comment, err := c.GetComment(ctx, repo, asked)
	if err != nil || comment.User.Login != "eve" || comment.Body != "/dhi plan" || comment.Issue != n {
		t.Errorf("%+v, %v", comment, err)
	}
	for range 2 {
		if err := c.React(ctx, repo, asked, "eyes"); err != nil {
			t.Error(err)
		}
	}
	answer, err := c.Comment(ctx, repo, n, "done")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.EditComment(ctx, repo, answer, "done!"); err != nil {
		t.Error(err)
	}
	comments, err := c.Comments(ctx, repo, n, time.Time{})
	if err != nil || len(comments) != 2 || comments[1].Body != "done!" || comments[1].User.Type != "Bot" {
		t.Errorf("%+v, %v", comments, err)
	}
	if err := errors.Join(c.AddLabels(ctx, repo, n, "dhi", "security"), c.RemoveLabel(ctx, repo, n, "security"), c.RemoveLabel(ctx, repo, n, "security")); err != nil {
		t.Error(err)
	}
	issue, err := c.GetIssue(ctx, repo, n)
	if err != nil || !issue.IsPull || !cmp.Equal(issue.Labels, []string{"dhi"}) {
		t.Errorf("%+v, %v", issue, err)
	}
	head := server.Branch("dhi/migrate")
	check := githubapi.CheckRun{Name: "DHI migration", HeadSHA: head, Conclusion: "neutral", Title: "T", Summary: "S"}
	for i := range 60 {
		check.Annotations = append(check.Annotations, githubapi.Annotation{Path: "Dockerfile", StartLine: i + 1, EndLine: i + 1, Level: "notice", Message: "m"})
	}
	if check.ID, err = c.CreateCheckRun(ctx, repo, check); err != nil {
		t.Fatal(err)
	}
	runs, err := c.CheckRuns(ctx, repo, head, "DHI migration")
	if err != nil || len(runs) != 1 || runs[0].ID != check.ID || runs[0].Conclusion != "neutral" {
		t.Errorf("%+v, %v", runs, err)
	}
	if _, err := c.CreateReview(ctx, repo, n, githubapi.Review{CommitID: head, Body: "R", Comments: []githubapi.ReviewComment{{Path: "web/Dockerfile", Line: 1, Body: "why"}}}); err != nil {
		t.Error(err)
	}
	remarks, err := c.ReviewComments(ctx, repo, n)
	if err != nil || len(remarks) != 1 || remarks[0].Body != "why" {
		t.Fatalf("%+v, %v", remarks, err)
	}
}

// TestStandinTrapT1: a real listing with multi-select properties.
func TestStandinTrapT1(t *testing.T) {
	t.Parallel()
	w := newWorld(t, quick)
	for i := range 3 {
		w.repository(fmt.Sprintf("r%d", i), map[string]string{"a": "b"}, standin.CustomProperties(map[string]any{"teams": []string{"a", "b"}}))
	}
	n := 0
	for _, err := range w.client().Repositories(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != 3 {
		t.Errorf("%d repositories", n)
	}
}

// TestStandinTrapT2: limits of both kinds and both statuses, with and without headers.
func TestStandinTrapT2(t *testing.T) {
	t.Parallel()
	for _, kind := range []standin.FaultKind{standin.FaultPrimaryLimit, standin.FaultSecondaryLimit} {
		for _, status := range []int{403, 429} {
			for _, bare := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s %d %t", kind, status, bare), func(t *testing.T) {
					t.Parallel()
					w := newWorld(t, quick)
					_, repo := w.repository("shop", map[string]string{"a": "b"})
					if err := w.gh.AddFault(standin.Fault{Kind: kind, Status: status, NoHeaders: bare, Wait: standin.Duration(10 * time.Minute)}); err != nil {
						t.Fatal(err)
					}
					_, err := w.client().Branch(context.Background(), repo, "main")
					var limited *githubapi.RateLimitedError
					if !errors.As(err, &limited) || limited.Local {
						t.Fatalf("got %v", err)
					}
					wait := limited.Until.Sub(w.now())
					if want := 10 * time.Minute; !bare && (wait < want-time.Second || wait > want+time.Second) || bare && wait < time.Minute {
						t.Errorf("told to wait %s", wait)
					}
					w.calls()
					if _, err := w.client().Branch(context.Background(), repo, "main"); !errors.As(err, &limited) || !limited.Local || len(w.calls()) != 0 {
						t.Errorf("not held back: %v", err)
					}
					w.advance(wait)
					if _, err := w.client().Branch(context.Background(), repo, "main"); err != nil {
						t.Errorf("after the wait: %v", err)
					}
				})
			}
		}
	}
}

// TestStandinTrapT6: suspended and removed installations, from a cold start.
func TestStandinTrapT6(t *testing.T) {
	t.Parallel()
	w := newWorld(t, quick)
	_, repo := w.repository("shop", map[string]string{"a": "b"})
	ctx := context.Background()
	w.inst.Suspend()
	w.api.Forget(w.inst.ID())
	var gone *githubapi.GoneError
	if _, err := w.client().Branch(ctx, repo, "main"); !errors.As(err, &gone) || !gone.Suspended {
		t.Errorf("suspended: %v", err)
	}
	w.inst.Unsuspend()
	if _, err := w.client().Branch(ctx, repo, "main"); err != nil {
		t.Errorf("back again: %v", err)
	}
	w.inst.Uninstall()
	w.api.Forget(w.inst.ID())
	if _, err := w.client().Branch(ctx, repo, "main"); !errors.As(err, &gone) || gone.Suspended {
		t.Errorf("removed: %v", err)
	}
}

// TestStandinExpiredTokens: the next call mints anew and nobody notices.
func TestStandinExpiredTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t, quick)
	_, repo := w.repository("shop", map[string]string{"a": "b"})
	w.gh.ExpireTokens()
	if _, err := w.client().Comment(context.Background(), repo, 1, "x"); !errors.Is(err, githubapi.ErrNotFound) {
		t.Errorf("a write with an expired token: %v", err)
	}
	w.gh.ExpireTokens()
	if _, err := w.client().Branch(context.Background(), repo, "main"); err != nil {
		t.Error(err)
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

// TestStandinRename: reading follows a rename; a write says so.
func TestStandinRename(t *testing.T) {
	t.Parallel()
	w := newWorld(t, quick)
	w.gh.AddMember("acme", "owner", true)
	server, repo := w.repository("old", map[string]string{"a": "b"})
	if err := server.Rename("owner", "new"); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	sha, err := w.client().Branch(ctx, repo, "main")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.client().CreateRef(ctx, repo, "x", sha); !errors.Is(err, githubapi.ErrMoved) {
		t.Errorf("a write under the old name: %v", err)
	}
	now, err := w.client().RepositoryByID(ctx, repo.ID)
	if err != nil || now.Name != "new" {
		t.Fatalf("%+v, %v", now, err)
	}
	if err := w.client().CreateRef(ctx, now, "x", sha); err != nil {
		t.Error(err)
	}
}

// TestStandinLostAnswer: a write whose answer is lost is not repeated by us.
func TestStandinLostAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, quick)
	server, repo := w.repository("shop", map[string]string{"a": "b"})
	w.gh.AddUser("eve")
	n := server.OpenIssue("eve", "t", "b")
	if err := w.gh.AddFault(standin.Fault{Kind: standin.FaultLostAnswer, Method: "POST", Path: "/repos/*/comments"}); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	if _, err := w.client().Comment(ctx, repo, n, "once"); err == nil {
		t.Fatal("the fault did not strike")
	}
	comments, err := w.client().Comments(ctx, repo, n, time.Time{})
	if err != nil || len(comments) != 1 {
		t.Errorf("%d comments, %v", len(comments), err)
	}
}

// TestStandinPassingFaults: reads survive a bad gateway and a reset connection.
func TestStandinPassingFaults(t *testing.T) {
	t.Parallel()
	w := newWorld(t, quick)
	_, repo := w.repository("shop", map[string]string{"a": "b"})
	for _, kind := range []standin.FaultKind{standin.FaultServerError, standin.FaultConnectionReset} {
		if err := w.gh.AddFault(standin.Fault{Kind: kind, Method: "GET", Count: 2}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.client().Branch(context.Background(), repo, "main"); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

// TestStandinRefusals: archived, ruled out, empty, not granted.
func TestStandinRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t, quick)
	w.gh.AddMember("acme", "owner", true)
	server, repo := w.repository("shop", map[string]string{"a": "b"})
	ctx := context.Background()
	c := w.client()
	sha, err := c.Branch(ctx, repo, "main")
	if err != nil {
		t.Fatal(err)
	}
	var refused *githubapi.RefusedError
	server.AddRule("dhi/*", standin.Rule{Type: "creation"})
	server.AddRule("dhi/*", standin.Rule{Type: "from_the_future", Parameters: map[string]any{"x": []int{1}}})
	rules, err := c.Rules(ctx, repo, "dhi/ruled")
	if err != nil || len(rules) != 2 || rules[0].Type != "creation" {
		t.Errorf("%+v, %v", rules, err)
	}
	if err := c.CreateRef(ctx, repo, "dhi/ruled", sha); !errors.As(err, &refused) || !refused.RuleViolation() {
		t.Errorf("ruleset: %v", err)
	}
	server.SetArchived("owner", true)
	if err := c.CreateRef(ctx, repo, "archived", sha); !errors.As(err, &refused) || !refused.Archived() {
		t.Errorf("archived: %v", err)
	}
	server.SetArchived("owner", false)
	w.inst.SetPermissions(map[string]string{"contents": "read"})
	w.api.Forget(w.inst.ID())
	if err := w.client().CreateRef(ctx, repo, "refused", sha); !errors.As(err, &refused) || !refused.MissingPermission() {
		t.Errorf("not granted: %v", err)
	}
	_, empty := w.repository("empty", nil)
	if _, err := w.client().Branch(ctx, empty, "main"); !errors.Is(err, githubapi.ErrEmpty) {
		t.Errorf("empty: %v", err)
	}
	if _, err := w.client().Tree(ctx, empty, "main"); !errors.Is(err, githubapi.ErrEmpty) {
		t.Errorf("empty: %v", err)
	}
}

// TestStandinNeverHitsLimits: a flood of writes under GitHub's strict limits is
// held back by us every time and refused by GitHub never.
func TestStandinNeverHitsLimits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubapi.Limits{}, standin.WithLimits(standin.StrictLimits()))
	server, repo := w.repository("shop", map[string]string{"a": "b"})
	w.gh.AddUser("eve")
	n := server.OpenIssue("eve", "t", "b")
	ctx := context.Background()
	done, held := 0, 0
	started := w.now()
	for w.now().Sub(started) < 90*time.Minute && done < 600 {
		_, err := w.client().Comment(ctx, repo, n, "x")
		var limited *githubapi.RateLimitedError
		switch {
		case err == nil:
			done++
		case errors.As(err, &limited) && limited.Local:
			held++
			w.advance(limited.Until.Sub(w.now()))
		default:
			t.Fatalf("after %d writes: %v", done, err)
		}
	}
	if done < 425 || held == 0 {
		t.Errorf("%d writes, held %d times", done, held)
	}
}
