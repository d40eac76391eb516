package scan_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"dhibot/bot/inbox"
	"dhibot/bot/standin"
)

// TestSuspendedDuringPass: a pass that ends because the installation is
// suspended begins anew when it is not any more, and not hours later.
func TestSuspendedDuringPass(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.readmes("r%03d", 150)
	w.listing("2", func() { w.inst.Suspend() })
	w.begin()
	w.knows(100, "before it was suspended")
	w.inst.Unsuspend()
	w.work()
	w.tick(5 * time.Minute)
	w.knows(150, "after it goes on")
}

// TestUnarchived: what was archived when it was looked at gets its pull request
// when it no longer is.
func TestUnarchived(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.home("first_wave: none\nonboarding: none\n")
	shop := w.repository("shop", node(8000))
	shop.SetArchived("alice", true)
	w.begin()
	w.opened("", 0, "while it is archived")
	shop.SetArchived("alice", false)
	w.work()
	w.tick(7 * time.Hour)
	w.opened("shop", 1, "after it was unarchived")
}

// TestOpenedAndForgotten: a process that dies between opening a pull request and
// remembering it neither orders it again and again nor gives its place away,
// although GitHub's delivery about it never comes.
func TestOpenedAndForgotten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.home("first_wave: none\nonboarding: none\norg_open: 1\n")
	w.repository("one", node(8000))
	w.repository("two", node(8001))
	orders := 0
	w.refuse = func(d inbox.Delivery) bool {
		if d.Event == "pull_request" {
			return true
		}
		if d.Event != "dhibot.open" {
			return false
		}
		if orders++; orders == 1 {
			if _, err := w.bot.Propose(context.Background(), d.Installation, d.Repository); err != nil {
				t.Error(err)
			}
			w.mu.Lock()
			w.queue = append([]inbox.Delivery{d}, w.queue...) // and dies; the inbox hands it out again
			w.mu.Unlock()
			return true
		}
		return orders > 10
	}
	w.begin()
	for range 3 {
		w.tick(time.Hour)
	}
	if n := len(w.pulls()); n != 1 || orders != 2 {
		t.Errorf("%d pull requests, %d orders", n, orders)
	}
}

// TestIssueAnswerLost: the status issue is opened once, although the answer to
// opening it was lost together with the process.
func TestIssueAnswerLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.repository("shop", node(8000))
	w.repository(".github", standin.Text(map[string]string{"README.md": "home\n"}))
	w.failures = 5
	lost := 0
	w.after = func(r *http.Request, resp *http.Response) (*http.Response, error) {
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/repos/acme/.github/issues") && lost == 0 {
			lost++
			_ = resp.Body.Close()
			return nil, errors.New("the connection was cut")
		}
		return resp, nil
	}
	w.begin()
	for range 3 {
		w.tick(time.Hour)
	}
	if list := w.issues(); len(list) != 1 || lost != 1 {
		t.Errorf("%d issues, %d answers lost", len(list), lost)
	}
	w.opened("shop", 1, "in the end")
}

// TestAnotherHome: when the organisation's repository is another one, the
// number of our issue means somebody else's.
func TestAnotherHome(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.repository("shop", node(8000))
	w.repository(".github", standin.Text(map[string]string{"README.md": "home\n"})).Delete("alice")
	home := w.repository(".github", standin.Text(map[string]string{"README.md": "home\n"}))
	w.begin()
	if list := w.issues(); len(list) != 1 || list[0].Number != 1 {
		t.Fatalf("%+v", list)
	}
	home.Delete("alice")
	w.work()
	next := w.repository(".github", standin.Text(map[string]string{"README.md": "another home\n"}))
	if n := next.OpenIssue("alice", "Mine", "My own words"); n != 1 {
		t.Fatalf("issue %d", n)
	}
	w.work()
	w.repository("another", node(8001))
	w.tick(7 * time.Hour)
	w.tick(7 * time.Hour)
	ours := 0
	for _, i := range w.issues() {
		if i.Number == 1 && i.Body != "My own words" {
			t.Errorf("somebody's issue was overwritten:\n%s", i.Body)
		}
		if i.User.Login == "dhibot[bot]" {
			ours++
		}
	}
	if ours != 1 {
		t.Errorf("%d issues of ours", ours)
	}
}

// TestPauseLasts: who closed the issue has stopped the campaign, also when the
// issue cannot be seen afterwards: it was deleted, or issues were switched off.
func TestPauseLasts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 4 {
		w.repository(fmt.Sprintf("shop%d", i), node(8000+i))
	}
	home := w.home("first_wave: none\norg_per_hour: 1\n")
	w.begin()
	if err := home.CloseIssue("alice", w.issues()[0].Number); err != nil {
		t.Fatal(err)
	}
	w.work()
	w.graphQL(func(answer []byte) []byte {
		return bytes.ReplaceAll(answer, []byte(`"issue":{"state":"CLOSED"}`), []byte(`"issue":null`))
	})
	for range 3 {
		w.tick(2 * time.Hour)
	}
	w.opened("", 1, "while the campaign was paused")
	w.after = nil
	if err := home.ReopenIssue("alice", w.issues()[0].Number); err != nil {
		t.Fatal(err)
	}
	w.work()
	w.opened("", 2, "after it was reopened")
}

// TestUnreadable: a repository whose tree cannot be read does not keep the place
// of the pull request that was merged there.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.repository("b", node(8001))
	w.first()
	w.broken("/repos/acme/a/git/trees/*")
	w.failures = 4
	w.merge(1)
	w.work()
	w.tick(2 * time.Hour)
	w.tick(40 * time.Minute)
	w.opened("b", 1, "in the end")
}

// TestDecidesDuringPass: pull requests go on being opened while a pass takes
// long.
func TestDecidesDuringPass(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.home("first_wave: none\nonboarding: none\norg_per_hour: 1\n")
	for i := range 3 {
		w.repository(fmt.Sprintf("shop%d", i), node(8000+i))
	}
	w.readmes("z%03d", 120)
	w.begin()
	w.opened("", 1, "in the first hour")
	w.listing("1", func() { w.Advance(time.Minute) })                                                           // slow
	w.refuse = func(d inbox.Delivery) bool { return d.Event == "dhibot.pass" && strings.Contains(d.GUID, "#") } // waits for a limit
	w.tick(7 * time.Hour)
	before := len(w.pulls())
	w.tick(2 * time.Hour)
	if n := len(w.pulls()); n != before+1 {
		t.Errorf("%d pull requests, and %d two hours later", before, n)
	}
}

// TestShiftedPages: a repository that a pass does not come to because others
// left the list in front of it stays known, with what was ordered for it.
func TestShiftedPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.home("mode: commands\n")
	w.readmes("r%03d", 150)
	w.begin()
	w.knows(151, "at first")
	w.listing("2", func() {
		for i := range 3 {
			w.gh.Repository(fmt.Sprintf("acme/r%03d", i)).Delete("alice")
		}
	})
	var least int
	w.refuse = func(d inbox.Delivery) bool {
		if n := len(w.known()); least == 0 || n < least {
			least = n
		}
		return d.Event == "repository"
	}
	w.tick(7 * time.Hour)
	w.tick(7 * time.Hour)
	if n := len(w.known()); n != 148 || least < 148 {
		t.Errorf("%d repositories are known, at some time %d\n%s", n, least, w.log.String())
	}
}
