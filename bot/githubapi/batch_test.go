package githubapi_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"dhibot/bot/githubapi"
	"dhibot/bot/standin"
)

// TestBlobsOf: files of many repositories come a hundred a call; what GraphQL
// cannot carry is read one by one; what is gone or too large is left out.
func TestBlobsOf(t *testing.T) {
	t.Parallel()
	w := newWorld(t, quick)
	ctx := context.Background()
	c := w.client()
	binary := "\x89PNG\x00\xff\xfe"
	var wants []githubapi.Want
	var texts []string
	for i := range 30 {
		files := map[string]string{"same": "everywhere\n"}
		for k := range 5 {
			text := fmt.Sprintf("FROM a:%d\nRUN %d\n", i, k)
			files[fmt.Sprintf("Dockerfile.%d", k)] = text
			texts = append(texts, text)
		}
		if i == 7 {
			files["logo"] = binary
			files["huge"] = strings.Repeat("x", 1<<20+1)
		}
		_, repo := w.repository(fmt.Sprintf("r%d", i), files)
		tree, err := c.Tree(ctx, repo, "main")
		if err != nil {
			t.Fatal(err)
		}
		want := githubapi.Want{Repo: repo}
		for _, e := range tree.Entries {
			want.SHAs = append(want.SHAs, e.SHA)
		}
		wants = append(wants, want)
	}
	gone := githubapi.Repo{ID: 999, NodeID: "R_gone", Owner: "acme", Name: "gone"}
	wants = append(wants, githubapi.Want{Repo: gone, SHAs: []string{strings.Repeat("ab", 20)}})
	w.calls()
	found, err := c.BlobsOf(ctx, wants)
	if err != nil {
		t.Fatal(err)
	}
	// 150 texts, one that all share, and three that are not text, too large and
	// gone: two calls, and one for each of those three.
	if calls := w.calls(); len(calls) != 2+3 {
		t.Errorf("%d calls: %v", len(calls), calls)
	}
	have := map[string]bool{}
	for _, content := range found {
		have[string(content)] = true
	}
	if len(found) != len(texts)+2 || !have["everywhere\n"] || !have[binary] {
		t.Errorf("%d contents", len(found))
	}
	for _, text := range texts {
		if !have[text] {
			t.Errorf("%q is missing", text)
		}
	}
	if _, err := c.BlobsOf(ctx, []githubapi.Want{{Repo: gone, SHAs: []string{`"){x}`}}}); err == nil {
		t.Error("something that is not an object id was asked for")
	}
}

// TestHome: the settings of an organisation and the state of an issue there, in
// one call.
func TestHome(t *testing.T) {
	t.Parallel()
	w := newWorld(t, quick)
	ctx := context.Background()
	c := w.client()
	if h, err := c.Home(ctx, "acme", ".github", ".github/dhi.yml", 0); err != nil || h.Repo.ID != 0 {
		t.Errorf("without a repository: %+v, %v", h, err)
	}
	server, repo := w.repository(".github", map[string]string{"README": "hello\n"})
	if h, err := c.Home(ctx, "acme", ".github", ".github/dhi.yml", 7); err != nil || h.Repo.ID != repo.ID || h.File != "" || h.Content != nil || h.Issue != "" {
		t.Errorf("without a file and with an issue that does not exist: %+v, %v", h, err)
	}
	n := server.OpenIssue("alice", "T", "B")
	if _, err := server.Push("alice", "main", "settings", standin.Text(map[string]string{".github/dhi.yml": "mode: off\n"})); err != nil {
		t.Fatal(err)
	}
	w.calls()
	h, err := c.Home(ctx, "acme", ".github", ".github/dhi.yml", n)
	if err != nil || h.File == "" || !bytes.Equal(h.Content, []byte("mode: off\n")) || h.Issue != githubapi.StateOpen {
		t.Errorf("%+v, %v", h, err)
	}
	if calls := len(w.calls()); calls != 1 {
		t.Errorf("%d calls", calls)
	}
}
