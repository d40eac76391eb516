package inbox

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// awaitJournal waits until the lines satisfy is.
func awaitJournal(t *testing.T, o childOrders, what string, is func([]string) bool) []string {
	t.Helper()
	deadline := time.After(2 * time.Minute)
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for {
		lines := journal(o.journal())
		if is(lines) {
			return lines
		}
		select {
		case <-look.C:
		case <-deadline:
			t.Fatalf("waited in vain until %s; the last lines:\n%s", what, strings.Join(lines[max(0, len(lines)-20):], "\n"))
		}
	}
}

// count is for how many deliveries there is a line with the word.
func count(lines []string, word string) int {
	guids := map[string]bool{}
	for _, l := range lines {
		if w := strings.Fields(l); w[0] == word {
			guids[w[1]] = true
		}
	}
	return len(guids)
}

// A process killed in the middle of a delivery is followed by another one on
// the same machine, which does not wait for the lease of a minute to end.
func TestKilledWorkContinuesAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		o := childOrders{URL: url, Dir: t.TempDir(), Lease: time.Minute, Posts: []int{0}, Each: 1, Hang: true}
		first := startChild(t, o)
		awaitJournal(t, o, "the delivery is being worked on", func(l []string) bool { return count(l, "start") == 1 && count(l, "acked") == 1 })
		kill(first)

		o.Posts, o.Hang = nil, false
		began := time.Now()
		second := startChild(t, o)
		awaitJournal(t, o, "the work goes on", func(l []string) bool { return count(l, "end") == 1 })
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("the work went on after %v: that is the lease, not the sign of life", took)
		} else {
			t.Logf("went on %v after the start of the next process", took.Round(10*time.Millisecond))
		}
		stopChild(t, o, second)

		box := open(t, url)
		e, err := box.Show(t.Context(), "0-0000")
		if err != nil || e.State != Done || e.Failures != 0 {
			t.Errorf("ended as %+v, %v; want done, and the crash not counted as a failure", e, err)
		}
		if left, _ := filepath.Glob(filepath.Join(box.db.dialect().aliveDir, aliveName+"*")); strings.HasPrefix(url, "sqlite") && len(left) > 0 {
			t.Errorf("signs of life of dead processes are left: %v", left)
		}
	})
}

func stopChild(t *testing.T, o childOrders, c *exec.Cmd) {
	t.Helper()
	ready := fmt.Sprintf("ready %d", c.Process.Pid) // it knows what SIGTERM means
	awaitJournal(t, o, ready, func(l []string) bool { return slices.Contains(l, ready) })
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil {
		t.Errorf("the child did not end well: %v", err)
	}
}

// Chaos: processes put deliveries, work on them and are killed again and
// again. Nothing acknowledged is lost, no repository is worked on twice at
// once, and each repository's deliveries are worked on in the order in which
// they arrived, which is not that of what they tell of.
//
// The short form runs with the other tests; the long one, 2,000 deliveries in
// 50 repositories, with
//
//	DHIBOT_CHAOS=long go test -run TestChaos$ -v -timeout 30m ./bot/inbox
func TestChaos(t *testing.T) {
	repos, perRepo, kills := 10, 20, 4
	if os.Getenv("DHIBOT_CHAOS") == "long" {
		repos, perRepo, kills = 50, 40, 20
	} else if testing.Short() {
		t.Skip("-short")
	}
	each(t, func(t *testing.T, url string) {
		processes := 1
		if strings.HasPrefix(url, "postgres") {
			processes = 3
		}
		orders := make([]childOrders, processes)
		children := make([]*exec.Cmd, processes)
		dir := t.TempDir()
		for i := range orders {
			orders[i] = childOrders{URL: url, Dir: dir, Lease: 30 * time.Second, Each: perRepo}
			for repo := i; repo < repos; repo += processes {
				orders[i].Posts = append(orders[i].Posts, repo)
			}
		}
		for i, o := range orders {
			children[i] = startChild(t, o)
		}
		total := repos * perRepo
		for k := 1; k <= kills; k++ {
			awaitJournal(t, orders[0], "enough was done for the next kill", func(l []string) bool { return count(l, "end") >= k*total/(kills+1) })
			i := rand.IntN(processes)
			kill(children[i])
			children[i] = startChild(t, orders[i])
		}
		awaitJournal(t, orders[0], "all is acknowledged and done", func(l []string) bool {
			return count(l, "acked") == total && count(l, "end") == total
		})
		// What was done right before the last kill may not be on record yet.
		box := open(t, url)
		box.await("all is on record", func() bool {
			stats, err := box.Stats(t.Context())
			return err == nil && stats.Waiting[Event] == 0
		})
		for _, c := range children {
			stopChild(t, orders[0], c)
		}
		checkChaos(t, url, orders[0], repos, perRepo, kills)
	})
}

func checkChaos(t *testing.T, url string, o childOrders, repos, perRepo, kills int) {
	t.Helper()
	lines := journal(o.journal())
	if n := count(lines, "overlap"); n > 0 {
		t.Errorf("%d times a repository was worked on twice at once", n)
	}
	starts, ends := map[string]int{}, map[string]bool{}
	place, last := map[string]int{}, map[string]string{} // place in the order of arrival; the last one of a repository
	for repo := range repos {
		for i, n := range arrivals(repo, perRepo) {
			place[guidOf(repo, n)] = i
		}
	}
	for _, l := range lines {
		w := strings.Fields(l)
		repo, _, _ := strings.Cut(w[1], "-")
		switch w[0] {
		case "start":
			starts[w[1]]++
			if before, ok := last[repo]; ok && place[w[1]] < place[before] {
				t.Errorf("%s was worked on after %s, which arrived later", w[1], before)
			}
			last[repo] = w[1]
		case "end":
			ends[w[1]] = true
		}
	}
	again := 0
	for repo := range repos {
		for n := range perRepo {
			guid := guidOf(repo, n)
			if _, err := os.Stat(filepath.Join(o.Dir, "effect-"+guid)); err != nil {
				t.Errorf("%s had no effect: %v", guid, err)
			}
			again += starts[guid] - 1
		}
	}
	if len(ends) != repos*perRepo {
		t.Errorf("%d deliveries were worked on, want %d: duplicates were not recognised", len(ends), repos*perRepo)
	}
	// Only what a killed process was working on may start a second time.
	if most := kills * (16 + 4); again > most {
		t.Errorf("%d deliveries were started again after %d kills", again, kills)
	}
	box := open(t, url)
	stats, err := box.Stats(t.Context())
	if err != nil || stats.Parked != 0 || stats.Waiting[Event] != 0 {
		t.Errorf("the queue is not empty: %+v, %v", stats, err)
	}
	t.Logf("%d deliveries, %d kills: %d started again", repos*perRepo, kills, again)
}

// A process that is killed while it takes over from another has not hidden the
// death of that one: the next takes over from both at once.
func TestKilledWhileTakingOver(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		box := open(t, url)
		alive := filepath.Join(t.TempDir(), aliveName+"dead") // a file without a lock: its process ended
		if err := os.WriteFile(alive, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		dead := &lease{box: box.Inbox, client: "dead"}
		if err := dead.write(t.Context(), alive); err != nil {
			t.Fatal(err)
		}
		for _, self := range []string{"killed", "next"} {
			found, err := box.deadClients(t.Context(), self) // and no more of taking over
			if err != nil || len(found) != 1 {
				t.Fatalf("%s finds %v, %v; want the dead one", self, found, err)
			}
		}
		if err := box.reclaim(t.Context(), "next"); err != nil {
			t.Fatal(err)
		}
		if found, err := box.deadClients(t.Context(), "other"); err != nil || len(found) != 0 {
			t.Errorf("left: %v, %v", found, err)
		}
		if _, err := os.Stat(alive); !os.IsNotExist(err) {
			t.Errorf("the sign of life is left: %v", err)
		}
	})
}
