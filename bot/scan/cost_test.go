package scan_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"dhibot/bot/scan"
	"dhibot/bot/standin"
)

// TestCost: a first pass reads one tree for each repository and everything else
// in batches of a hundred; a pass over what has not changed reads nothing but
// the lists.
func TestCost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const many = 300
	for i := range many {
		files := node(8000 + i%150) // half of them are copies
		if i%3 == 0 {
			files = standin.Text(map[string]string{"README.md": fmt.Sprintf("hello %d\n", i)})
		}
		w.repository(fmt.Sprintf("r%03d", i), files)
	}
	w.home("mode: commands\n")
	w.install()
	w.taken()
	w.work()
	rest, graphql := w.taken()
	kinds := map[string]int{}
	for _, c := range rest {
		switch {
		case strings.Contains(c, "/git/trees/"):
			kinds["tree"]++
		case strings.HasSuffix(c, "/installation/repositories"):
			kinds["list"]++
		default:
			kinds[c]++
		}
	}
	// 150 different trees of applications, one for each of the others, and home.
	t.Logf("cold: %v, %d GraphQL", kinds, graphql)
	if kinds["tree"] > many+1 || kinds["list"] != 4 || len(rest) > many+1+4+2 {
		t.Errorf("cold: %v", kinds)
	}
	// Four pages of overviews, the settings, and files: 300 small contents.
	if graphql > 30 {
		t.Errorf("cold: %d GraphQL calls", graphql)
	}
	if w.seen[scan.Looked]+w.seen[scan.Known] != many+1 || w.seen[scan.Failed] != 0 {
		t.Errorf("%v", w.seen)
	}
	clear(w.seen)

	// Another process, six hours later.
	w.start()
	w.tick(6 * time.Hour)
	rest, graphql = w.taken()
	t.Logf("warm: %d REST, %d GraphQL, %v", len(rest), graphql, w.seen)
	if w.seen[scan.Unchanged] != many+1 {
		t.Errorf("warm: %v", w.seen)
	}
	// The list of installations and who we are come once for all of them.
	if len(rest) != 4+2 || graphql != 4+1 {
		t.Errorf("warm: %d GraphQL calls and %v", graphql, rest)
	}

	// Other settings of the organisation: everything is looked at again, and no
	// tree is read that was read before.
	clear(w.seen)
	if _, err := w.gh.Repository("acme/.github").Push("alice", "main", "settings", standin.Text(map[string]string{".github/dhi.yml": "mode: commands\ndistro: alpine\n"})); err != nil {
		t.Fatal(err)
	}
	w.work()
	rest, _ = w.taken()
	for _, c := range rest {
		if strings.Contains(c, "/git/trees/") && !strings.Contains(c, "/acme/.github/") {
			t.Errorf("read again: %s", c)
		}
	}
	if w.seen[scan.Looked]+w.seen[scan.Known] != many+1 {
		t.Errorf("after other settings: %v", w.seen)
	}

	// One push is one tree.
	clear(w.seen)
	if _, err := w.gh.Repository("acme/r001").Push("alice", "main", "another port", node(9999)); err != nil {
		t.Fatal(err)
	}
	w.work()
	rest, _ = w.taken()
	trees := 0
	for _, c := range rest {
		if strings.Contains(c, "/git/trees/") {
			trees++
		}
	}
	// The bot looks too, whether it has a pull request there to bring up to date.
	if w.seen[scan.Looked] != 1 || trees != 2 {
		t.Errorf("after a push: %v, %v", w.seen, rest)
	}
}

// TestInterrupted: a pass that dies on the way, or that runs into GitHub's
// limit, goes on where it was.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 250 {
		w.repository(fmt.Sprintf("r%03d", i), node(8000+i))
	}
	w.home("mode: commands\n")
	w.install()
	if err := w.gh.Drain(context.Background()); err != nil {
		t.Fatal(err)
	}
	// The tree of one repository cannot be read on the second page.
	if err := w.gh.AddFault(standin.Fault{Kind: standin.FaultSecondaryLimit, Path: "/repos/acme/r150/git/trees/*", Count: 1}); err != nil {
		t.Fatal(err)
	}
	late := 0
	for {
		w.mu.Lock()
		if len(w.queue) == 0 {
			w.mu.Unlock()
			break
		}
		d := w.queue[0]
		w.queue = w.queue[1:]
		w.mu.Unlock()
		if err := w.handle(context.Background(), d); err != nil {
			late++
			w.Advance(2 * time.Hour) // the limit is over
			w.start()                // and the process is another
			if err := w.handle(context.Background(), d); err != nil {
				t.Fatal(err)
			}
		}
	}
	if late != 1 {
		t.Fatalf("interrupted %d times", late)
	}
	rest, _ := w.taken()
	trees := map[string]int{}
	for _, c := range rest {
		if strings.Contains(c, "/git/trees/") {
			trees[c]++
		}
	}
	again := 0
	for _, n := range trees {
		again += n - 1
	}
	// Only the call that was refused is made again.
	if len(trees) != 251 || again > 1 {
		t.Errorf("%d trees, %d read again", len(trees), again)
	}
	if w.seen[scan.Looked] != 251 {
		t.Errorf("%v", w.seen)
	}
}
