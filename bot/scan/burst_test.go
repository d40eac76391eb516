package scan_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"dhibot/bot/inbox"
	"dhibot/bot/scan"
	"dhibot/bot/standin"
)

// TestBurst: pushes to many repositories one after the other are looked at
// together, and one that comes meanwhile is not lost.
func TestBurst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.home("mode: commands\n")
	const many = 60
	for i := range many {
		w.repository(fmt.Sprintf("r%03d", i), node(8000+i))
	}
	w.begin()
	for i := range many {
		if _, err := w.gh.Repository(fmt.Sprintf("acme/r%03d", i)).Push("alice", "main", "port", node(9000+i)); err != nil {
			t.Fatal(err)
		}
	}
	w.taken()
	before := strings.Count(w.log.String(), "campaign decided")
	reads := 0 // the first is the bot's
	w.before = func(r *http.Request) {
		if strings.Contains(r.URL.Path, "/acme/r040/git/trees/") {
			if reads++; reads != 2 {
				return
			}
			if _, err := w.gh.Repository("acme/r001").Push("alice", "main", "port again", node(9999)); err != nil {
				t.Error(err)
			}
		}
	}
	w.work()
	if n := strings.Count(w.log.String(), "campaign decided") - before; n > 4 {
		t.Errorf("%d decisions after %d pushes", n, many)
	}
	if n := w.seen[scan.Looked]; n != 1+many+many+1 {
		t.Errorf("%d trees were looked at", n)
	}
	for id, doc := range w.known() {
		if bytes.Contains(doc, []byte(`"due"`)) {
			t.Errorf("%d still waits: %s", id, doc)
		}
	}
}

// TestStubborn: repositories in which nothing can be opened do not keep others
// from their turn, whether the attempts fail or the process dies of them.
func TestStubborn(t *testing.T) {
	t.Parallel()
	for name, deadly := range map[string]bool{"fails": false, "kills": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.home("first_wave: none\nonboarding: none\norg_per_hour: 1\n")
			w.repository("a", node(8000))
			w.repository("b", node(8001))
			if err := w.gh.AddFault(standin.Fault{Kind: standin.FaultServerError, Method: http.MethodPost, Path: "/repos/acme/a/git/*", Count: 1000}); err != nil {
				t.Fatal(err)
			}
			w.failures = 10
			w.refuse = func(d inbox.Delivery) bool { return deadly && d.FullName == "acme/a" && d.Event == "dhibot.open" }
			w.begin()
			for range 10 {
				w.tick(31 * time.Minute)
			}
			if n := len(all(w, "b")); n != 1 {
				t.Errorf("%d pull requests in b\n%s", n, w.log.String())
			}
			w.gh.ClearFaults()
			w.refuse = nil
			for range 8 {
				w.tick(time.Hour)
			}
			if n := len(all(w, "a")); n != 1 {
				t.Errorf("%d pull requests in a when it is possible\n%s", n, w.log.String())
			}
		})
	}
}
