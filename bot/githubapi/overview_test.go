package githubapi_test

import (
	"context"
	"fmt"
	"testing"

	"dhibot/bot/githubapi"
	"dhibot/bot/standin"
)

// TestOverviews: a warm pass over many repositories costs one call a hundred to
// list and one a hundred to look, and tells what changed.
func TestOverviews(t *testing.T) {
	t.Parallel()
	w := newWorld(t, quick)
	ctx := context.Background()
	const many = 120
	for i := range many {
		if _, err := w.gh.AddRepository("acme", fmt.Sprintf("r%03d", i), standin.Text(map[string]string{"Dockerfile": "FROM a\n"})); err != nil {
			t.Fatal(err)
		}
	}
	w.repository("empty", nil)
	server, repo := w.repository("proposed", map[string]string{"Dockerfile": "FROM a\n", ".github/dhi.yml": "mode: report\n"})
	c := w.client()
	tree, err := c.Tree(ctx, repo, "main")
	if err != nil {
		t.Fatal(err)
	}
	sha, pull, err := propose(ctx, c, repo, githubapi.CommitRequest{
		BaseTree: tree.SHA, Parents: []string{server.Branch("main")}, Message: "M", Files: []githubapi.File{{Path: "Dockerfile", Content: []byte("FROM b\n")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.calls()

	var ids []string
	for page := 1; page != 0; {
		list, next, err := c.RepositoriesPage(ctx, page)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range list {
			ids = append(ids, r.NodeID)
		}
		page = next
	}
	found, err := c.Overviews(ctx, append(ids, "R_gone"), "dhi/migrate", ".github/dhi.yml")
	if err != nil {
		t.Fatal(err)
	}
	if calls := len(w.calls()); len(found) != many+2 || calls != 2+2 {
		t.Errorf("%d repositories in %d calls", len(found), calls)
	}
	config, _ := tree.Find(".github/dhi.yml")
	o := found[repo.NodeID]
	if o.Repo.ID != repo.ID || o.Repo.FullName() != "acme/proposed" || o.Repo.DefaultBranch != "main" || o.Head != server.Branch("main") ||
		o.Tree != tree.SHA || o.Branch != sha || o.File != config.SHA {
		t.Errorf("%+v", o)
	}
	if len(o.Pulls) != 1 || o.Pulls[0].Number != pull.Number || o.Pulls[0].State != githubapi.StateOpen || o.Pulls[0].Merged || o.Pulls[0].HeadSHA != sha ||
		o.Pulls[0].Bot != "dhibot" || o.Pulls[0].CreatedAt.IsZero() || !o.Pulls[0].ClosedAt.IsZero() {
		t.Errorf("%+v", o.Pulls)
	}
	for _, o := range found {
		switch o.Repo.Name {
		case "empty":
			if o.Head != "" || o.Tree != "" {
				t.Errorf("%+v", o)
			}
		case "r007":
			if o.Head == "" || o.Tree == "" || o.Branch != "" || o.File != "" || len(o.Pulls) != 0 {
				t.Errorf("%+v", o)
			}
		}
	}
	// A batch that is too much for GitHub is cut until it is not.
	if err := w.gh.AddFault(standin.Fault{Kind: standin.FaultServerError, Path: "*graphql", Count: 3}); err != nil {
		t.Fatal(err)
	}
	if again, err := c.Overviews(ctx, ids[:100], "dhi/migrate", ".github/dhi.yml"); err != nil || len(again) != 100 {
		t.Errorf("%d repositories, %v", len(again), err)
	}
	if calls := len(w.calls()); calls != 7 { // 100, 50 and 25 fail; 12, 13, 25 and 50 do not
		t.Errorf("%d calls", calls)
	}
}
