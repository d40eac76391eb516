package standin_test

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"dhibot/bot/standin"
)

// TestConcurrency lets everything happen at once: the race detector looks for
// shared state, and afterwards nothing may be lost.
func TestConcurrency(t *testing.T) {
	t.Parallel()
	w, r := newUnwatched(t), newReceiver(t)
	w.app.SetWebhook(r.URL, "s3cret")
	other, err := w.AddRepository("acme", "other", standin.Text(map[string]string{"a": "b"}), standin.Collaborator("alice", "write"))
	must(t, err)
	const n = 6
	var wg sync.WaitGroup
	each := func(f func(i int)) {
		wg.Go(func() {
			for i := range n {
				f(i)
			}
		})
	}
	alice := w.AddUser("alice").Token()
	dir := filepath.Join(t.TempDir(), "copy")
	git(t, t.TempDir(), "clone", "-q", cloneURL(t, w.repo, alice), dir)
	each(func(i int) {
		git(t, dir, "checkout", "-q", "-b", fmt.Sprintf("git-%d", i), "main")
		commitFile(t, dir, "x.txt", fmt.Sprint(i))
		git(t, dir, "push", "-q", "origin", fmt.Sprintf("git-%d", i))
	})
	each(func(i int) {
		branch := fmt.Sprintf("api-%d", i)
		_, err := w.repo.Push("alice", branch, "x", standin.Text(map[string]string{fmt.Sprintf("f%d", i): "x"}))
		must(t, err)
		w.ok(t, "bot", "POST {R}/pulls", fmt.Sprintf(`{"title":"T","head":%q,"base":"main"}`, branch))
	})
	each(func(int) { w.repo.OpenIssue("alice", "x", "") })
	each(func(int) { w.ok(t, "bot", "GET {R}/issues?state=all", "") })
	each(func(int) { page(t, httpClient, w.repo.URL(), 200) })
	each(func(int) { page(t, httpClient, w.URL()+"/acme", 200) })
	each(func(int) {
		w.graphql(t, "bot", `{ a: repository(owner:"acme", name:"shop") { nameWithOwner pullRequests(first: 50) { nodes { number headRepository { name } } } }
			b: repository(owner:"acme", name:"other") { nameWithOwner object(expression: "HEAD:") { oid } } }`, nil)
	})
	each(func(i int) { must(t, other.Rename("alice", fmt.Sprintf("other-%d", i))) })
	each(func(int) { w.ok(t, "bot", "GET /installation/repositories", "") })
	each(func(i int) {
		_, err := w.AddRepository("acme", fmt.Sprintf("new-%d", i), standin.Text(map[string]string{"a": "b"}))
		must(t, err)
	})
	wg.Wait()
	drain(t, w.Server)
	is("total_count", n+2)(t, w, w.ok(t, "bot", "GET /installation/repositories", ""))
	if got := w.ok(t, "bot", "GET {R}/issues?state=all&per_page=100", "").len(""); got != 2*n {
		t.Errorf("%d issues and pull requests, want %d", got, 2*n)
	}
	if got := len(w.repo.Branches()); got != 1+2*n {
		t.Errorf("%d branches, want %d", got, 1+2*n)
	}
	for _, repo := range w.Repositories() {
		if said, err := repo.Fsck(t.Context()); err != nil || said != "" {
			t.Errorf("fsck of %s: %q, %v", repo.FullName(), said, err)
		}
	}
	if want := len(w.Deliveries()) - 1; r.count() != want { // the first had no address
		t.Errorf("%d deliveries came, want %d", r.count(), want)
	}
}
