package githubapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestPermissionFailsClosed: whatever goes wrong, nobody gets more than nothing.
func TestPermissionFailsClosed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		body   string
		want   string
		failed bool
	}{
		"admin":       {200, `{"permission":"admin","role_name":"admin"}`, "admin", false},
		"maintain":    {200, `{"permission":"write","role_name":"maintain"}`, "maintain", false},
		"write":       {200, `{"permission":"write","role_name":"write"}`, "write", false},
		"custom role": {200, `{"permission":"write","role_name":"release manager"}`, "write", false},
		"triage":      {200, `{"permission":"read","role_name":"triage"}`, "triage", false},
		"posing":      {200, `{"permission":"read","role_name":"maintain"}`, "read", false},
		"none":        {200, `{"permission":"none","role_name":""}`, "none", false},
		"new word":    {200, `{"permission":"owner"}`, "none", false},
		"empty":       {200, `{}`, "none", false},
		"not found":   {404, `{"message":"Not Found"}`, "none", true},
		"broken":      {200, `{"permission":`, "none", true},
		"down":        {500, ``, "none", true},
	} {
		a := newAPI(t)
		a.answer("GET /repos/acme/shop/collaborators/eve/permission", c.status, c.body)
		got, err := a.client().Permission(context.Background(), testRepo, "eve")
		if got != c.want || (err != nil) != c.failed {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		if CanWrite(got) != (c.want == "admin" || c.want == "maintain" || c.want == "write") {
			t.Errorf("%s: CanWrite(%q)", name, got)
		}
	}
	a := newAPI(t)
	if got, err := a.client().Permission(context.Background(), testRepo, "../../x"); got != "none" || err == nil || len(a.requests()) != 0 {
		t.Errorf("a login that is none: %q, %v", got, err)
	}
}

// TestNamesAreChecked: nothing that came from an event can change the address.
func TestNamesAreChecked(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	c := a.client()
	ctx := context.Background()
	for _, r := range []Repo{{Owner: "a/b", Name: "c"}, {Owner: "", Name: "c"}, {Owner: "a", Name: ".."}, {Owner: "a", Name: "b?x"}, {Owner: "a", Name: "b#"}, {Owner: "a", Name: ""}, {Owner: "%2e", Name: "b"}} {
		if _, err := c.Repository(ctx, r.Owner, r.Name); err == nil {
			t.Errorf("%q is accepted", r.FullName())
		}
	}
	for _, b := range []string{"", "..", "a/../b", "a//b", "/a", "a/", "a b", "a~1", "a^", "a:b", "a?b", "a*", "a[", "a\\b", "-a", "a.lock", "a/.b", "a.", "a@{0}", "a\nb", "a\x7f", strings.Repeat("x", 300)} {
		if _, err := c.Branch(ctx, testRepo, b); err == nil {
			t.Errorf("branch %q is accepted", b)
		}
		if err := c.UpdateRef(ctx, testRepo, b, shaA, true); err == nil {
			t.Errorf("branch %q is accepted", b)
		}
	}
	for _, s := range []string{"", "abc", shaA + "a", strings.ToUpper(shaA), "../" + shaA[3:]} {
		if _, err := c.Blob(ctx, testRepo, s); err == nil {
			t.Errorf("id %q is accepted", s)
		}
	}
	if err := c.React(ctx, testRepo, 1, "poo"); err == nil {
		t.Error("a reaction that GitHub does not know is accepted")
	}
	if r := a.requests(); len(r) != 0 {
		t.Errorf("asked %v", r)
	}
	for _, b := range []string{"main", "dhi/migrate", "feature/ü#1", "a@b", "release-1.2"} {
		if err := checkBranch(b); err != nil {
			t.Error(err)
		}
	}
	a.answer("GET /repos/acme/shop/git/ref/heads/feature/{rest}", 200, `{"ref":"refs/heads/feature/ü#1%","object":{"sha":"`+shaA+`"}}`)
	if sha, err := c.Branch(ctx, testRepo, "feature/ü#1%"); err != nil || sha != shaA {
		t.Errorf("an odd name: %q, %v", sha, err)
	}
}

func TestPullRequests(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	fork := strings.Replace(pullJSON, `"repo":{"id":42}`, `"repo":{"id":99}`, 1)
	deleted := strings.Replace(pullJSON, `"repo":{"id":42}`, `"repo":null`, 1)
	merged := strings.Replace(strings.Replace(pullJSON, `"state":"open"`, `"state":"closed","merged_at":"2026-05-04T11:30:00Z","closed_at":"2026-05-04T11:30:00Z"`, 1), `"number":7`, `"number":6`, 1)
	a.handle("GET /repos/acme/shop/pulls", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if q.Get("head") != "acme:dhi/migrate" || q.Get("state") != "all" || q.Get("per_page") != "100" {
			t.Errorf("asked for %s", r.URL.RawQuery)
		}
		reply(w, 200, "["+strings.Join([]string{pullJSON, fork, deleted, merged}, ",")+"]")
	})
	got, err := a.client().PullRequests(context.Background(), testRepo, "dhi/migrate", StateAll)
	if err != nil || len(got) != 2 {
		t.Fatalf("%+v, %v", got, err)
	}
	want := PullRequest{
		Number: 7, NodeID: "PR_1", State: "open", Title: "T", Body: "B", User: User{5, "dhibot[bot]", "Bot"}, Labels: []string{"dhi"},
		Head: "dhi/migrate", HeadSHA: shaA, HeadRepo: 42, HeadLabel: "acme:dhi/migrate", Base: "main", BaseSHA: shaB, BaseRepo: 42,
		HTMLURL: "https://x/pull/7", CreatedAt: time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC), UpdatedAt: time.Date(2026, 5, 4, 11, 0, 0, 0, time.UTC),
	}
	if diff := cmp.Diff(want, got[0]); diff != "" {
		t.Error(diff)
	}
	if !got[1].Merged || got[1].MergedAt.IsZero() || got[1].State != StateClosed {
		t.Errorf("%+v", got[1])
	}
}

// TestPages: all pages are read, a server that leads in circles is left, and a
// listing without end is cut.
func TestPages(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.handle("GET /repos/acme/shop/issues/1/comments", func(w http.ResponseWriter, r *http.Request) {
		page := r.URL.Query().Get("page")
		next := map[string]string{"1": "2", "2": "3"}[page]
		if next != "" {
			w.Header().Set("Link", fmt.Sprintf(`<%s%s/x?page=%s>; rel="next"`, a.server.URL, root, next))
		}
		reply(w, 200, `[{"id":`+page+`,"body":"b","issue_url":"https://x/issues/1","user":null}]`)
	})
	endless := 0
	a.handle("GET /repos/acme/shop/issues/2/comments", func(w http.ResponseWriter, r *http.Request) {
		endless++
		w.Header().Set("Link", fmt.Sprintf(`<%s%s/x?page=%d>; rel="next"`, a.server.URL, root, endless+1))
		reply(w, 200, `[{"id":1}]`)
	})
	circles := 0
	a.handle("GET /repos/acme/shop/issues/3/comments", func(w http.ResponseWriter, _ *http.Request) {
		circles++
		reply(w, 200, `[{"id":1}]`, "Link", fmt.Sprintf(`<%s%s/x?page=1>; rel="next"`, a.server.URL, root))
	})
	c := a.client()
	ctx := context.Background()
	got, err := c.Comments(ctx, testRepo, 1, time.Date(2026, 5, 4, 12, 0, 0, 0, time.FixedZone("", 7200)))
	if err != nil || len(got) != 3 || got[2].ID != 3 || got[0].Issue != 1 || got[0].User.Login != "ghost" {
		t.Errorf("%+v, %v", got, err)
	}
	if q := a.requests()[0].Query; !strings.Contains(q, "since=2026-05-04T10%3A00%3A00Z") {
		t.Errorf("asked for %s", q)
	}
	if _, err := c.Comments(ctx, testRepo, 2, time.Time{}); err != nil || endless != maxPages {
		t.Errorf("%d pages, %v", endless, err)
	}
	if _, err := c.Comments(ctx, testRepo, 3, time.Time{}); err != nil || circles != 1 {
		t.Errorf("%d pages, %v", circles, err)
	}
}

// TestCheckRunAnnotations: 50 a call, in order, none lost.
func TestCheckRunAnnotations(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.answer("POST /repos/acme/shop/check-runs", 201, `{"id":77}`)
	a.answer("PATCH /repos/acme/shop/check-runs/77", 200, `{"id":77}`)
	k := CheckRun{Name: "DHI migration", HeadSHA: shaA, Conclusion: "neutral", Title: "T", Summary: "S"}
	for i := range 120 {
		k.Annotations = append(k.Annotations, Annotation{Path: "Dockerfile", StartLine: i + 1, EndLine: i + 1, Level: "warning", Message: "m"})
	}
	id, err := a.client().CreateCheckRun(context.Background(), testRepo, k)
	if err != nil || id != 77 {
		t.Fatal(id, err)
	}
	line := 0
	for i, r := range a.requests() {
		body := asJSON(t, r.Body)
		if body["status"] != "completed" || body["completed_at"] == "" || body["name"] != "DHI migration" {
			t.Errorf("call %d: %v", i, body)
		}
		if _, ok := body["head_sha"]; ok != (i == 0) {
			t.Errorf("call %d: head_sha %v", i, body["head_sha"])
		}
		batch := body["output"].(map[string]any)["annotations"].([]any)
		if len(batch) > 50 {
			t.Errorf("call %d has %d", i, len(batch))
		}
		for _, an := range batch {
			line++
			if got := an.(map[string]any)["start_line"]; got != float64(line) {
				t.Fatalf("line %v, want %d", got, line)
			}
		}
	}
	if line != 120 {
		t.Errorf("%d annotations arrived", line)
	}
}

func TestReview(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.answer("POST /repos/acme/shop/pulls/7/reviews", 200, `{"id":3}`)
	a.answer("DELETE /repos/acme/shop/pulls/comments/4", 404, `{"message":"Not Found"}`)
	a.answer("GET /repos/acme/shop/pulls/7/comments", 200, `[{"id":4,"path":"Dockerfile","line":null,"start_line":null,"body":"b","pull_request_review_id":3},{"id":5,"path":"Dockerfile","line":9,"start_line":8,"body":"b"}]`)
	c := a.client()
	ctx := context.Background()
	id, err := c.CreateReview(ctx, testRepo, 7, Review{CommitID: shaA, Body: "B", Comments: []ReviewComment{{Path: "Dockerfile", Line: 3, Body: "one"}, {Path: "Dockerfile", StartLine: 5, Line: 8, Body: "many"}, {Path: "Dockerfile", StartLine: 9, Line: 9, Body: "same"}}})
	if err != nil || id != 3 {
		t.Fatal(id, err)
	}
	want := map[string]any{"event": "COMMENT", "body": "B", "commit_id": shaA, "comments": []any{
		map[string]any{"path": "Dockerfile", "line": 3.0, "side": "RIGHT", "body": "one"},
		map[string]any{"path": "Dockerfile", "line": 8.0, "side": "RIGHT", "start_line": 5.0, "start_side": "RIGHT", "body": "many"},
		map[string]any{"path": "Dockerfile", "line": 9.0, "side": "RIGHT", "body": "same"},
	}}
	if diff := cmp.Diff(want, asJSON(t, a.requests()[0].Body)); diff != "" {
		t.Error(diff)
	}
	if err := c.DeleteReviewComment(ctx, testRepo, 4); err != nil {
		t.Error(err)
	}
	got, err := c.ReviewComments(ctx, testRepo, 7)
	if err != nil || len(got) != 2 || !got[0].Outdated || got[1].Outdated || got[1].StartLine != 8 || got[1].Line != 9 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestIssues(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.answer("GET /repos/acme/shop/issues", 200, `[{"number":7,"state":"closed","pull_request":{"merged_at":"2026-05-04T11:30:00Z"},"user":{"login":"dhibot[bot]","type":"Bot"}}]`)
	a.answer("PATCH /repos/acme/shop/issues/7", 200, `{"number":7}`)
	a.answer("POST /repos/acme/shop/issues/comments/5/reactions", 200, `{"id":1,"content":"eyes"}`)
	c := a.client()
	ctx := context.Background()
	list, err := c.Issues(ctx, testRepo, "dhibot[bot]", StateAll)
	if err != nil || len(list) != 1 || !list[0].IsPull || !list[0].Merged || list[0].State != StateClosed {
		t.Errorf("%+v, %v", list, err)
	}
	closed := StateClosed
	if _, err := c.EditIssue(ctx, testRepo, 7, IssueEdit{State: &closed}); err != nil {
		t.Error(err)
	}
	if got := a.requests()[1].Body; strings.TrimSpace(got) != `{"state":"closed"}` {
		t.Errorf("sent %s", got)
	}
	// The acknowledgement does not wait behind other writes.
	a.waited()
	if err := c.React(ctx, testRepo, 5, "eyes"); err != nil || len(a.waited()) != 0 {
		t.Errorf("the reaction waited, %v", err)
	}
}

func TestAppCalls(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.answer("GET /app", 200, `{"id":7,"slug":"dhibot","name":"DHI bot","owner":{"login":"acme"}}`)
	a.answer("GET /repos/acme/shop/installation", 200, `{"id":11}`)
	a.answer("GET /repos/acme/other/installation", 404, `{"message":"Not Found"}`)
	a.answer("GET /app/installations/11", 200, `{"id":11,"account":{"login":"acme","type":"Organization"},"suspended_at":"2026-01-01T00:00:00Z","repository_selection":"all","permissions":{"contents":"write"},"events":["push"]}`)
	a.answer("GET /app/installations", 200, `[{"id":11},{"id":12}]`)
	a.handle("GET /app/hook/deliveries", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("cursor") == "" {
			reply(w, 200, `[{"id":9007199254740993,"guid":"g","delivered_at":"2026-05-04T10:00:00Z","status":"OK","status_code":202,"event":"push","action":null,"installation_id":11,"repository_id":42}]`,
				"Link", fmt.Sprintf(`<%s%s/app/hook/deliveries?cursor=v1_2>; rel="next"`, a.server.URL, root))
			return
		}
		reply(w, 200, `[{"id":2,"guid":"h","delivered_at":"2026-05-04T09:00:00Z","status_code":500,"event":"issue_comment","action":"created","redelivery":true}]`)
	})
	app := a.app()
	ctx := context.Background()
	if self, err := app.Self(ctx); err != nil || self.BotLogin() != "dhibot[bot]" || self.ID != 7 {
		t.Errorf("%+v, %v", self, err)
	}
	if id, err := app.InstallationOf(ctx, "acme", "shop"); err != nil || id != 11 {
		t.Error(id, err)
	}
	if _, err := app.InstallationOf(ctx, "acme", "other"); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	info, err := app.InstallationInfo(ctx, 11)
	if err != nil || !info.Suspended || !info.AllRepositories || info.Permissions["contents"] != "write" || info.Account.Login != "acme" {
		t.Errorf("%+v, %v", info, err)
	}
	n := 0
	for _, err := range app.Installations(ctx) {
		if err != nil {
			t.Error(err)
		}
		n++
	}
	if n != 2 {
		t.Errorf("%d installations", n)
	}
	page, next, err := app.Deliveries(ctx, "")
	if err != nil || next != "v1_2" || len(page) != 1 || !page[0].OK() || page[0].ID != 9007199254740993 || page[0].Repository != 42 {
		t.Errorf("%+v, %q, %v", page, next, err)
	}
	page, next, err = app.Deliveries(ctx, next)
	if err != nil || next != "" || page[0].OK() || !page[0].Redelivery || page[0].Action != "created" {
		t.Errorf("%+v, %q, %v", page, next, err)
	}
	if a.minted() != 0 {
		t.Error("the App's own calls minted a token")
	}
}

func TestInMergeQueue(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.answer("POST /api/graphql", 200, `{"data":{"repository":{"pullRequest":{"isInMergeQueue":true}}}}`)
	if queued, err := a.client().InMergeQueue(context.Background(), testRepo, 7); err != nil || !queued {
		t.Error(queued, err)
	}
	b := newAPI(t)
	b.answer("POST /api/graphql", 200, `{"data":{"repository":null}}`)
	if _, err := b.client().InMergeQueue(context.Background(), testRepo, 7); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}
