package standin_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"dhibot/bot/standin"
)

// TestHostile sends nonsense to every endpoint: wrong types, broken values,
// names that are none. The answer is a refusal or a success, never a crash.
func TestHostile(t *testing.T) {
	t.Parallel()
	w := newUnwatched(t)
	l := standin.DefaultLimits()
	l.Core, l.Search, l.Code, l.GraphQL, l.Anonymous = 0, 0, 0, 0, 0
	w.SetLimits(l)
	w.pull(t)
	w.repo.OpenIssue("alice", "x", "")
	values := []string{
		`null`, `true`, `-1`, `1e99`, `""`, `"x"`, `"\u0000"`, `[]`, `[null]`, `{}`, `{"a":1}`, `"` + strings.Repeat("x", 300) + `"`, `"../../etc"`, `"refs/heads/x"`,
	}
	keys := []string{
		"title", "body", "head", "base", "state", "labels", "assignees", "sha", "ref", "force", "tree", "base_tree", "message", "parents", "author", "content", "encoding", "name",
		"color", "head_sha", "status", "conclusion", "output", "event", "comments", "path", "line", "position", "content_type", "permissions", "repositories", "repository_ids", "query",
		"variables", "tag", "object", "type", "context", "branch", "merge_method", "reviewers", "url", "secret", "in_reply_to", "started_at", "actions", "archived", "default_branch", "new_name",
	}
	bodies := []string{``, `{`, `null`, `[]`, `"x"`, `{"tree":[null]}`, `{"tree":[{}]}`, `{"tree":[{"path":"a","mode":"040000","type":"tree","content":"x"}]}`, `{"comments":[null]}`, `{"output":{"annotations":[null]}}`, strings.Repeat(`{"a":`, 2000)}
	for i, k := range keys {
		bodies = append(bodies, `{"`+k+`":`+values[i%len(values)]+`}`)
	}
	for _, v := range values { // all keys at once
		var parts []string
		for _, k := range keys {
			parts = append(parts, `"`+k+`":`+v)
		}
		bodies = append(bodies, "{"+strings.Join(parts, ",")+"}")
	}
	names := []map[string]string{
		{"number": "1", "ref": "heads/main", "sha": w.repo.Branch("main"), "branch": "main", "basehead": "main...feature", "path": "Dockerfile", "id": "1", "name": "bug", "username": "alice"},
		{"number": "2", "ref": "main", "sha": "main", "branch": "feature", "basehead": "...", "path": "a%2Fb", "id": "99999999999999999999", "name": "%00", "username": "dhibot[bot]"},
		{"number": "0", "ref": "%2e%2e", "sha": "zz", "branch": "%ff", "basehead": "main", "path": "%2e%2e/x", "id": "-1", "name": "..", "username": "%"},
	}
	bot, app := w.as(t, "bot"), w.as(t, "app")
	serve := func(auth, method, target, body string) int {
		req := httptest.NewRequest(method, "http://github.test/", strings.NewReader(body))
		u, err := req.URL.Parse(target)
		if err != nil {
			return 0 // no client can send it
		}
		req.URL = u
		req.Header.Set("Authorization", auth)
		rec := httptest.NewRecorder()
		w.ServeHTTP(rec, req)
		if rec.Code >= 500 {
			t.Errorf("%s %s %.200s: %d %s", method, target, body, rec.Code, rec.Body)
		}
		return rec.Code
	}
	calls := 0
	for _, pattern := range append(w.RoutePatterns(), "POST /graphql") {
		method, path, _ := strings.Cut(pattern, " ")
		if strings.HasSuffix(path, "/suspended") || pattern == "DELETE /app/installations/{id}" || pattern == "DELETE /installation/token" || pattern == "PATCH /repos/{owner}/{repo}" {
			continue // these take the ground away that the others stand on
		}
		for _, n := range names {
			var parts []string
			for part := range strings.SplitSeq(path, "/") {
				switch key := strings.Trim(part, "{}*"); {
				case part == "{owner}":
					part = "acme"
				case part == "{repo}":
					part = "shop"
				case strings.HasPrefix(part, "{"):
					if part = n[key]; part == "" {
						part = n["id"]
					}
				}
				parts = append(parts, part)
			}
			auth := bot
			if strings.HasPrefix(path, "/app") {
				auth = app
			}
			target := strings.Join(parts, "/")
			if method == http.MethodGet {
				for _, q := range []string{"", "?per_page=-1&page=-1", "?per_page=x&page=99999999999999999999", "?state=x&sort=x&direction=x&since=x&labels=,&head=:&base=", "?ref=%00&recursive=&path=../..&sha=x&cursor=%ff&q=%22"} {
					serve(auth, method, target+q, "")
					calls++
				}
				continue
			}
			for _, b := range bodies {
				serve(auth, method, target, b)
				calls++
			}
		}
	}
	for _, target := range []string{"/%00", "//", "/acme//shop", "/acme/shop/tree/%2e%2e/%2e%2e/etc", "/acme/shop/blob/main/../../x", "/acme/shop/raw/main/%00", "/acme/shop/pull/-1", "/acme/shop/pull/99999999999999999999.diff",
		"/acme/shop.git/info/refs?service=git-nonsense", "/acme/shop.git/git-upload-pack", "/../x/y.git/info/refs?service=git-upload-pack", "/_standin/avatar/x", "/_standin/avatar/99", "/acme/shop/issues/x", "/api/v3", "/api/v3/", "/api/v3//repos"} {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut} {
			serve(bot, method, target, "x")
			calls++
		}
	}
	if calls < 5000 {
		t.Errorf("only %d calls", calls)
	}
	if said, err := w.repo.Fsck(t.Context()); err != nil || said != "" {
		t.Errorf("fsck: %q, %v", said, err)
	}
}

// TestCloseWhileDelivering: a receiver that hangs does not hold Close up.
func TestCloseWhileDelivering(t *testing.T) {
	t.Parallel()
	came := make(chan struct{})
	hang := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil { // only then it hears of the end
			t.Error(err)
		}
		close(came)
		<-r.Context().Done()
	}))
	t.Cleanup(hang.Close)
	w := newUnwatched(t)
	drain(t, w.Server)
	w.app.SetWebhook(hang.URL, "s3cret")
	w.repo.OpenIssue("alice", "x", "")
	<-came
	began := time.Now()
	must(t, w.Close())
	if took := time.Since(began); took > 8*time.Second {
		t.Errorf("Close took %v", took)
	}
}
