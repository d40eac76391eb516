package bot_test

import (
	"strings"
	"testing"

	"dhibot/bot/standin"
)

// TestSettingsOfHugeRepository: the settings count although the repository is too
// large for its folders to be listed.
func TestSettingsOfHugeRepository(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(w *world) { w.treeCalls = 2 }) // all of it, cut short, and its root
	r, err := w.gh.AddRepository("acme", "shop", standin.Text(map[string]string{
		"Dockerfile": "FROM node:22\n", ".github/dhi.yml": "mode: off\n",
	}), standin.Collaborator("alice", "write"))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.gh.AddFault(standin.Fault{Kind: standin.FaultTruncatedTree, Path: "/repos/acme/shop/git/trees/*", Count: 1000}); err != nil {
		t.Fatal(err)
	}
	issue := r.OpenIssue("alice", "Please", "")
	if _, err := r.Comment("alice", issue, "/dhi migrate"); err != nil {
		t.Fatal(err)
	}
	w.done()
	pulls, err := w.pulls("acme/shop")
	if err != nil || len(pulls) != 0 {
		t.Errorf("%v: %v", pulls, err)
	}
	comments, err := w.comments("acme/shop", issue)
	if err != nil || !strings.Contains(comments[len(comments)-1].Body, "mode: off") {
		t.Errorf("%v: %v", comments, err)
	}
}
