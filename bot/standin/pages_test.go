package standin_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-github/v60/github"
)

// showcase opens a pull request with everything a page can show.
func showcase(t testing.TB, w *world) *github.PullRequest {
	t.Helper()
	ctx := context.Background()
	gh := w.client(t, w.APIURL())
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	base, _, err := gh.Git.GetRef(ctx, "acme", "shop", "heads/main")
	must(err)
	tree, _, err := gh.Git.CreateTree(ctx, "acme", "shop", base.Object.GetSHA(), []*github.TreeEntry{{
		Path: github.String("Dockerfile"), Mode: github.String("100644"), Type: github.String("blob"),
		Content: github.String("# syntax=docker/dockerfile:1\nFROM dhi.io/node:23-dev AS build\nCMD [\"node\", \"index.js\"]\n"),
	}})
	must(err)
	commit, _, err := gh.Git.CreateCommit(ctx, "acme", "shop", &github.Commit{Message: github.String("Move to DHI\n\nWith reasons."), Tree: tree, Parents: []*github.Commit{{SHA: base.Object.SHA}}}, nil)
	must(err)
	_, _, err = gh.Git.CreateRef(ctx, "acme", "shop", &github.Reference{Ref: github.String("refs/heads/dhi/migrate"), Object: &github.GitObject{SHA: commit.SHA}})
	must(err)
	body := "## What changes\n\n| Dockerfile | before | after |\n|---|---|---|\n| `Dockerfile` | `node:23` | `dhi.io/node:23` |\n\n" +
		"- [x] base image\n- [ ] check the port\n\n> [!NOTE]\n> Nothing ran.\n\n<details><summary>More</summary>\n\nhidden text\n</details>\n\n<script>alert('pwned')</script>\n\ncc @alice `@alice`\n"
	pr, _, err := gh.PullRequests.Create(ctx, "acme", "shop", &github.NewPullRequest{Title: github.String("Move to hardened images <b>"), Head: github.String("dhi/migrate"), Base: github.String("main"), Body: &body})
	must(err)
	id, err := w.repo.Comment("alice", pr.GetNumber(), "Looks *good*")
	must(err)
	_, _, err = gh.Reactions.CreateIssueCommentReaction(ctx, "acme", "shop", id, "rocket")
	must(err)
	_, _, err = gh.Issues.AddLabelsToIssue(ctx, "acme", "shop", pr.GetNumber(), []string{"enhancement"})
	must(err)
	_, _, err = gh.Checks.CreateCheckRun(ctx, "acme", "shop", github.CreateCheckRunOptions{
		Name: "DHI", HeadSHA: commit.GetSHA(), Status: github.String("completed"), Conclusion: github.String("neutral"),
		Output: &github.CheckRunOutput{Title: github.String("1 thing to check"), Summary: github.String("A **summary**"), Annotations: []*github.CheckRunAnnotation{{
			Path: github.String("Dockerfile"), StartLine: github.Int(2), EndLine: github.Int(2), AnnotationLevel: github.String("warning"), Message: github.String("mind the shell"),
		}}},
	})
	must(err)
	_, _, err = gh.PullRequests.CreateReview(ctx, "acme", "shop", pr.GetNumber(), &github.PullRequestReviewRequest{
		Event: github.String("COMMENT"), Body: github.String("A note"), Comments: []*github.DraftReviewComment{{Path: github.String("Dockerfile"), Line: github.Int(2), Side: github.String("RIGHT"), Body: github.String("this line")}},
	})
	must(err)
	return pr
}

func page(t testing.TB, c *http.Client, u string, status int) string {
	t.Helper()
	res, err := c.Get(u)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != status {
		t.Fatalf("GET %s: %s\n%s", u, res.Status, b)
	}
	return string(b)
}

func TestPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	pr := showcase(t, w)
	w.AddUser("mallory")
	c := &http.Client{}
	html := page(t, c, pr.GetHTMLURL(), 200)
	for _, want := range []string{
		"Move to hardened images &lt;b&gt;", "<td><code>node:23</code></td>", `<input checked="" type="checkbox" disabled="">`, "alert-note", "<summary>More</summary>",
		`<a class="user-mention" href="/alice">@alice</a>`, "<code>@alice</code>", "Looks <em>good</em>", "🚀 1", "enhancement", "mind the shell", "dhi.io/node:23-dev",
		"this line", "Verified", "No conflicts with the base branch", "alice (write)", "mallory (outsider)",
	} {
		if !strings.Contains(html, want) {
			t.Errorf("pull request page lacks %q", want)
		}
	}
	if strings.Contains(html, "pwned") {
		t.Error("a script survived")
	}
	for path, want := range map[string]string{
		"/": "acme/shop", "/acme": "1 open pull request", "/acme/shop": "bin", "/acme/shop/tree/dhi/migrate": "Dockerfile",
		"/acme/shop/blob/dhi/migrate/Dockerfile": `<tr id="L2"><td class="num">2</td><td class="text">FROM dhi.io/node:23-dev`, "/acme/shop/blob/main/link": "symbolic link", "/acme/shop/blob/main/bin/run.sh": "executable",
		"/acme/shop/pulls": "Move to hardened", "/acme/shop/issues": "Open an issue as", "/acme/shop/pull/1.diff": "+FROM dhi.io/node:23-dev AS build",
		"/acme/shop/raw/main/docs/a/b.md": "text", "/acme/shop/commit/" + pr.Head.GetSHA(): "With reasons.",
	} {
		c.CheckRedirect = nil
		req, err := http.NewRequest(http.MethodGet, w.URL()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept", "text/html")
		res, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != 200 || !strings.Contains(string(b), want) {
			t.Errorf("GET %s: %s lacks %q", path, res.Status, want)
		}
	}
	for _, path := range []string{"/nobody", "/acme/none", "/acme/shop/pull/99", "/acme/shop/blob/main/none", "/acme/shop/tree/none", "/acme/shop/what", "/acme/shop/runs/1"} {
		page(t, c, w.URL()+path, 404)
	}
}

// TestCommentForm plays the App by hand: a person comments from the page.
func TestCommentForm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	pr := showcase(t, w)
	drain(t, w.Server)
	before := len(w.Deliveries())
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &http.Client{Jar: jar}
	form := fmt.Sprintf("%s/acme/shop/issues/%d/comments", w.URL(), pr.GetNumber())
	res, err := c.PostForm(form, url.Values{"user": {"alice"}, "body": {"/dhi help\r\n"}})
	if err != nil {
		t.Fatal(err)
	}
	b, _ := io.ReadAll(res.Body)
	res.Body.Close()
	if res.StatusCode != 200 || !strings.Contains(string(b), "/dhi help") || !strings.Contains(string(b), `value="alice" selected`) {
		t.Fatalf("after the comment: %s\n%s", res.Status, b)
	}
	drain(t, w.Server)
	log := w.Deliveries()
	if len(log) != before+1 || log[before].Event != "issue_comment" {
		t.Errorf("deliveries after the comment: %v", log[before:])
	}
	for name, v := range map[string]url.Values{
		"no user":      {"body": {"x"}},
		"unknown user": {"user": {"nobody"}, "body": {"x"}},
		"a bot":        {"user": {"dhibot[bot]"}, "body": {"x"}},
		"no text":      {"user": {"alice"}, "body": {"  "}},
		"too long":     {"user": {"alice"}, "body": {strings.Repeat("x", 65537)}},
	} {
		res, err := c.PostForm(form, v)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%s: %s", name, res.Status)
		}
	}
	req, err := http.NewRequest(http.MethodPost, form, strings.NewReader("user=alice&body=x"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", "https://elsewhere.example")
	res, err = c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusForbidden {
		t.Errorf("form on another site: %s", res.Status)
	}
}
