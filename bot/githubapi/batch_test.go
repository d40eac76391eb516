package githubapi_test

import (
	"bytes"
	"context"
	"errors"
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
	found, failed, err := c.BlobsOf(ctx, wants)
	if err != nil || len(failed) != 1 || !errors.Is(failed[strings.Repeat("ab", 20)], githubapi.ErrNotFound) {
		t.Fatal(failed, err)
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
	if _, _, err := c.BlobsOf(ctx, []githubapi.Want{{Repo: gone, SHAs: []string{`"){x}`}}}); err == nil {
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
	if h, err := c.Home(ctx, "acme", ".github", ".github/dhi.yml", ".github/dhi.yaml", 0); err != nil || h.Repo.ID != 0 {
		t.Errorf("without a repository: %+v, %v", h, err)
	}
	server, repo := w.repository(".github", map[string]string{"README": "hello\n"})
	if h, err := c.Home(ctx, "acme", ".github", ".github/dhi.yml", ".github/dhi.yaml", 7); err != nil || h.Repo.ID != repo.ID || h.File != "" || h.Content != nil || h.Issue != "" {
		t.Errorf("without a file and with an issue that does not exist: %+v, %v", h, err)
	}
	n := server.OpenIssue("alice", "T", "B")
	if _, err := server.Push("alice", "main", "settings", standin.Text(map[string]string{".github/dhi.yml": "mode: off\n"})); err != nil {
		t.Fatal(err)
	}
	w.calls()
	h, err := c.Home(ctx, "acme", ".github", ".github/dhi.yml", ".github/dhi.yaml", n)
	if err != nil || h.File == "" || !bytes.Equal(h.Content, []byte("mode: off\n")) || h.Other || h.Issue != githubapi.StateOpen {
		t.Errorf("%+v, %v", h, err)
	}
	if calls := len(w.calls()); calls != 1 {
		t.Errorf("%d calls", calls)
	}
	if _, err := server.Push("alice", "main", "another", standin.Text(map[string]string{".github/dhi.yaml": ""})); err != nil {
		t.Fatal(err)
	}
	if h, err := c.Home(ctx, "acme", ".github", ".github/dhi.yml", ".github/dhi.yaml", 0); err != nil || !h.Other || h.File == "" {
		t.Errorf("with another file: %+v, %v", h, err)
	}
}

// TestBlobsOfTooMuch: files that are too much for one answer are asked for in
// smaller parts, and a GitHub that answers nothing is not asked for each of them.
func TestBlobsOfTooMuch(t *testing.T) {
	t.Parallel()
	limits := quick
	limits.ResponseBytes = 64 << 10
	w := newWorld(t, limits)
	ctx := context.Background()
	c := w.client()
	files := map[string]string{}
	for i := range 60 {
		files[fmt.Sprintf("f%d", i)] = fmt.Sprintf("%d %s\n", i, strings.Repeat("x", 4<<10))
	}
	_, repo := w.repository("r", files)
	tree, err := c.Tree(ctx, repo, "main")
	if err != nil {
		t.Fatal(err)
	}
	want := githubapi.Want{Repo: repo}
	for _, e := range tree.Entries {
		want.SHAs = append(want.SHAs, e.SHA)
	}
	w.calls()
	found, failed, err := c.BlobsOf(ctx, []githubapi.Want{want})
	if err != nil || len(failed) != 0 || len(found) != len(files) {
		t.Errorf("%d of %d, %d failed, %v", len(found), len(files), len(failed), err)
	}
	if calls := len(w.calls()); calls > 20 {
		t.Errorf("%d calls", calls)
	}
	if err := w.gh.AddFault(standin.Fault{Kind: standin.FaultServerError, Path: "*", Count: 1000}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.BlobsOf(ctx, []githubapi.Want{want}); !errors.Is(err, githubapi.ErrUnavailable) {
		t.Errorf("GitHub is down: %v", err)
	}
	if calls := len(w.calls()); calls > 100 {
		t.Errorf("%d calls while it is down", calls)
	}
}
