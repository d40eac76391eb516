package scan_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dhibot/bot/standin"
)

type issueView struct {
	Number int    `json:"number"`
	State  string `json:"state"`
	Body   string `json:"body"`
	User   struct {
		Login string `json:"login"`
	} `json:"user"`
}

func (w *world) issues() []issueView {
	w.t.Helper()
	var list []issueView
	w.get("repos/acme/.github/issues?state=all", &list)
	return list
}

// TestIssue: one issue says what will happen. Closing it pauses the campaign,
// reopening it goes on, and neither a restart nor a lost memory makes a second
// one or forgets the pause.
func TestIssue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 20 {
		w.repository(fmt.Sprintf("shop%02d", i), node(8000+i))
	}
	w.repository("secret", node(7000), standin.Private())
	home := w.home("first_wave: none\norg_per_hour: 2\n")
	w.begin()
	list := w.issues()
	if len(list) != 1 || list[0].User.Login != "dhibot[bot]" || !strings.Contains(list[0].Body, "21 Dockerfiles") {
		t.Fatalf("%+v", list)
	}
	if strings.Contains(list[0].Body, "secret") || !strings.Contains(list[0].Body, "shop05") {
		t.Errorf("a private repository is named in public, or a public one is not:\n%s", list[0].Body)
	}
	if n := len(w.pulls()); n != 2 {
		t.Fatalf("%d pull requests", n)
	}
	if err := home.CloseIssue("alice", list[0].Number); err != nil {
		t.Fatal(err)
	}
	w.work()
	for range 3 {
		w.tick(2 * time.Hour)
	}
	if n := len(w.pulls()); n != 2 {
		t.Errorf("%d pull requests while the campaign was paused", n)
	}
	if list := w.issues(); len(list) != 1 || !strings.Contains(list[0].Body, "**Paused.**") {
		t.Errorf("%+v", list)
	}
	// The memory is lost.
	w.forget()
	w.start()
	w.tick(time.Hour)
	w.tick(7 * time.Hour)
	if n := len(w.pulls()); n != 2 {
		t.Errorf("%d pull requests after the memory was lost", n)
	}
	if list := w.issues(); len(list) != 1 || list[0].State != "closed" {
		t.Errorf("%+v", list)
	}
	if err := home.ReopenIssue("alice", list[0].Number); err != nil {
		t.Fatal(err)
	}
	w.work()
	if n := len(w.pulls()); n != 4 {
		t.Errorf("%d pull requests after it was reopened", n)
	}
}

// forget throws the memory away.
func (w *world) forget() {
	w.t.Helper()
	if err := w.memory.Close(); err != nil {
		w.t.Fatal(err)
	}
	w.memory = nil
	files, err := filepath.Glob(strings.TrimPrefix(w.database, "sqlite:") + "-memory*")
	if err != nil || len(files) == 0 {
		w.t.Fatalf("%v, %v", files, err)
	}
	for _, f := range files {
		if err := os.Remove(f); err != nil {
			w.t.Fatal(err)
		}
	}
}

// TestNoIssue: where the settings or the installation do not let us, there is no
// issue, and everything else goes its way.
func TestNoIssue(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		settings string
		other    string
		before   func(*world)
		pulls    int
	}{
		"not wanted":    {"onboarding: none\n", "", nil, 1},
		"commands only": {"mode: commands\n", "", nil, 0},
		"off":           {"mode: off\n", "", nil, 0},
		"refused": {"", "", func(w *world) {
			if err := w.gh.AddFault(standin.Fault{Kind: standin.FaultNoPermission, Method: http.MethodPost, Path: "/repos/acme/.github/issues", Count: 100}); err != nil {
				w.t.Fatal(err)
			}
		}, 1},
		"mistaken": {"mode: often\n", "", nil, 0},
		"misnamed": {"mode: open\n", "mode: off\n", nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.repository("shop", node(8000))
			files := map[string]string{".github/dhi.yml": tt.settings, "README.md": "home\n"}
			if tt.other != "" {
				files[".github/dhi.yaml"] = tt.other
			}
			w.repository(".github", standin.Text(files))
			if tt.before != nil {
				tt.before(w)
			}
			w.begin()
			for range 3 {
				w.tick(30 * time.Minute)
			}
			if n := len(w.issues()); n != 0 {
				t.Errorf("%d issues", n)
			}
			if n := len(w.pulls()); n != tt.pulls {
				t.Errorf("%d pull requests", n)
			}
		})
	}
}

// TestReport: in mode report there are check runs and the issue, and nothing else
// is written.
func TestReport(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.repository("shop", node(8000))
	w.repository("done", standin.Text(map[string]string{"README.md": "nothing\n"}))
	w.home("mode: report\n")
	w.install()
	w.taken()
	w.work()
	w.tick(time.Hour)
	w.tick(7 * time.Hour)
	writes := map[string]int{}
	rest, _ := w.taken()
	for _, c := range rest {
		if !strings.HasPrefix(c, "GET ") {
			writes[c]++
		}
	}
	if len(writes) != 2 || writes["POST /repos/acme/shop/check-runs"] != 1 || writes["POST /repos/acme/.github/issues"] != 1 {
		t.Errorf("%v", writes)
	}
	if list := w.issues(); len(list) != 1 || !strings.Contains(list[0].Body, "`mode: report`") {
		t.Errorf("%+v", list)
	}
}
