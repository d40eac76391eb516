package githubapi_test

import (
	"context"
	"errors"
	"io/fs"
	"testing"
	"time"

	"dhibot/bot/githubapi"
	"dhibot/bot/standin"

	"github.com/google/go-cmp/cmp"
)

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

	first := githubapi.CommitRequest{BaseTree: tree.SHA, Parents: []string{base}, Message: "Move to DHI", Files: []githubapi.File{
		{Path: "Dockerfile", Mode: githubapi.ModeExec, Content: []byte("FROM dhi.io/node:22\r\n")},
		{Path: "web/Dockerfile", Mode: githubapi.ModeFile, Content: []byte("FROM dhi.io/golang\n")},
	}}
	sha, opened, err := propose(ctx, c, repo, first)
	if err != nil {
		t.Fatal(err)
	}
	const repos = "/repos/acme/shop"
	if diff := cmp.Diff([]string{"POST " + repos + "/git/trees", "POST " + repos + "/git/commits", "POST " + repos + "/git/refs", "POST " + repos + "/pulls"}, w.calls()); diff != "" {
		t.Error(diff)
	}
	if opened.HeadSHA != sha || opened.User.Login != self.BotLogin() || opened.HeadRepo != repo.ID {
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
	if _, _, err := propose(ctx, c, repo, first); !errors.As(err, &refused) || !refused.RefExists() {
		t.Errorf("a second one: %v", err)
	}
	if _, err := c.CreatePullRequest(ctx, repo, githubapi.NewPullRequest{Title: "x", Head: "dhi/migrate", Base: "main"}); !errors.As(err, &refused) || !refused.PullRequestExists() {
		t.Errorf("a second pull request: %v", err)
	}
	w.calls()

	// An update on top, then a rebase, then a person's commit.
	update := func(parent string, force bool) (string, error) {
		again := first
		again.Parents = []string{parent}
		again.Files = []githubapi.File{{Path: "web/Dockerfile", Content: []byte("FROM dhi.io/golang:1\n")}}
		sha, verified, err := c.Commit(ctx, repo, again)
		if err != nil || !verified {
			t.Fatalf("verified %t, %v", verified, err)
		}
		return sha, c.UpdateRef(ctx, repo, "dhi/migrate", sha, force)
	}
	updated, err := update(sha, false)
	if err != nil || server.Branch("dhi/migrate") != updated {
		t.Fatal(updated, err)
	}
	if diff := cmp.Diff([]string{"POST " + repos + "/git/trees", "POST " + repos + "/git/commits", "PATCH " + repos + "/git/refs/heads/dhi/migrate"}, w.calls()); diff != "" {
		t.Error(diff)
	}
	rebased, err := update(base, true)
	if err != nil || server.Branch("dhi/migrate") != rebased {
		t.Fatal(rebased, err)
	}
	theirs, err := server.Push("eve", "dhi/migrate", "mine", standin.Text(map[string]string{"x": "y"}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := update(rebased, false); !errors.As(err, &refused) || !refused.NotFastForward() {
		t.Errorf("over a person's commit: %v", err)
	}
	if server.Branch("dhi/migrate") != theirs {
		t.Fatal("a person's commit is lost")
	}

	pulls, err := c.PullRequests(ctx, repo, "dhi/migrate", githubapi.StateAll)
	if err != nil || len(pulls) != 1 || pulls[0].HeadSHA != theirs {
		t.Errorf("%+v, %v", pulls, err)
	}
	n := opened.Number
	body := "new body"
	if p, err := c.EditPullRequest(ctx, repo, n, githubapi.PullRequestEdit{Body: &body}); err != nil || p.Body != body || p.Title != "Move to DHI" {
		t.Errorf("%+v, %v", p, err)
	}
	if changed, more, err := c.PullRequestFiles(ctx, repo, n); err != nil || more || len(changed) != 2 {
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

// talk uses what people see: comments, reactions, checks, reviews.
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
	if _, err := c.Comment(ctx, repo, n, "done"); err != nil {
		t.Fatal(err)
	}
	comments, err := c.Comments(ctx, repo, n, time.Time{})
	if err != nil || len(comments) != 2 || comments[1].Body != "done" || comments[1].User.Type != "Bot" {
		t.Errorf("%+v, %v", comments, err)
	}
	if list, err := c.Issues(ctx, repo, "dhibot[bot]", githubapi.StateAll); err != nil || len(list) != 1 || !list[0].IsPull {
		t.Errorf("%+v, %v", list, err)
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
