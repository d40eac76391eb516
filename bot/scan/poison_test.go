package scan_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"dhibot/bot/githubapi"
	"dhibot/bot/inbox"
	"dhibot/bot/scan"
	"dhibot/bot/standin"
)

// TestPoison: one repository that cannot be read, or that the engine dies of,
// keeps nobody else from being looked at, and is looked at again later.
func TestPoison(t *testing.T) {
	t.Parallel()
	for name, poison := range map[string]func(w *world){
		"a file": func(w *world) {
			w.broken("/repos/acme/bad/git/blobs/*")
		},
		"a tree": func(w *world) {
			w.broken("/repos/acme/bad/git/trees/*")
		},
		"a panic": func(w *world) {
			w.survey = func(r githubapi.Repo) {
				if r.Name == "bad" {
					panic("a mistake")
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.home("first_wave: none\nonboarding: none\n")
			files := node(8000)
			f := files["Dockerfile"]
			f.Content = "# caf\xe9\n" + f.Content // GraphQL cannot carry it
			files["Dockerfile"] = f
			w.repository("bad", files)
			w.repository("good", node(8001))
			w.failures = 10
			poison(w)
			w.begin()
			w.tick(time.Hour)
			w.opened("good", 1, "although the other one is bad")
			if n := w.seen[scan.Failed]; n != 1 {
				t.Errorf("%d failed", n)
			}
			w.gh.ClearFaults()
			w.survey = nil
			w.tick(7 * time.Hour)
			w.opened("bad", 1, "after it was mended")
		})
	}
}

// TestHugeSettings: settings that are too large to be read are a mistake in them
// and not the end of the organisation.
func TestHugeSettings(t *testing.T) {
	t.Parallel()
	huge := strings.Repeat("# nothing\n", 120_000)
	for name, where := range map[string]string{"of all": ".github", "of one": "shop"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			for _, name := range []string{".github", "shop", "other"} {
				files := node(8000)
				files[".github/dhi.yml"] = standin.File{Content: "onboarding: none\nfirst_wave: none\n"}
				if name == "shop" {
					delete(files, ".github/dhi.yml")
				}
				if name == where {
					files[".github/dhi.yml"] = standin.File{Content: huge}
				}
				if name == "other" {
					files = node(8001)
				}
				w.repository(name, files)
			}
			w.failures = 3
			w.begin()
			w.tick(time.Hour)
			want := map[string]int{".github": 1, "other": 1}
			if where == ".github" {
				want = map[string]int{}
			}
			for _, name := range []string{".github", "shop", "other"} {
				if n := len(all(w, name)); n != want[name] {
					t.Errorf("%d pull requests in %s", n, name)
				}
			}
			w.knows(3, "in the end")
		})
	}
}

// TestHalfAnswers: what GitHub does not tell about a repository is not taken for
// an answer, and hides no other repository.
func TestHalfAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.repository("b", node(8001))
	w.first()
	w.failures = 3
	w.graphQL(func(raw []byte) []byte {
		var answer map[string]any
		if err := json.Unmarshal(raw, &answer); err != nil {
			t.Error(err)
			return raw
		}
		data, _ := answer["data"].(map[string]any)
		nodes, _ := data["nodes"].([]any)
		for i, n := range nodes {
			if n := n.(map[string]any); n["name"] == "a" {
				n["pullRequests"], n["defaultBranchRef"] = nil, nil
				answer["errors"] = []any{map[string]any{"type": "FORBIDDEN", "message": "Resource not accessible by integration", "path": []any{"nodes", i, "pullRequests"}}}
			}
		}
		changed, err := json.Marshal(answer)
		if err != nil {
			t.Error(err)
		}
		return changed
	})
	w.repository("c", node(8002))
	w.work()
	w.tick(7 * time.Hour)
	w.knows(4, "in the end")
	w.opened("", 1, "although one is open")
}

// TestCrowded: pull requests from forks out of a branch that is called like ours
// do not hide ours.
func TestCrowded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.first()
	for i := range 6 {
		login := fmt.Sprintf("mallory%d", i)
		account := w.gh.AddUser(login)
		fork, err := a.Fork(login)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fork.Push(login, "dhi/migrate", "hello", standin.Text(map[string]string{"hello": login})); err != nil {
			t.Fatal(err)
		}
		body := fmt.Sprintf(`{"title":"hello","head":"%s:dhi/migrate","base":"main"}`, login)
		req, err := http.NewRequest(http.MethodPost, w.gh.APIURL()+"repos/acme/a/pulls", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+account.Token())
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if _ = resp.Body.Close(); resp.StatusCode != http.StatusCreated {
			t.Fatal(resp.Status)
		}
	}
	w.work()
	w.repository("0", node(8001)) // it would be the first
	for range 3 {
		w.tick(7 * time.Hour)
	}
	w.opened("0", 0, "although one is open in a")
}

// TestRenamedUnheard: that an account was renamed is no reason to forget its
// repositories, although nobody has told us yet.
func TestRenamedUnheard(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shop := w.repository("shop", node(8000))
	w.begin()
	if err := w.gh.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := w.gh.RenameAccount("acme", "apex"); err != nil {
		t.Fatal(err)
	}
	if err := w.gh.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.mu.Lock()
	w.queue = nil
	w.mu.Unlock()
	if _, err := shop.Push("alice", "main", "port", node(8005)); err != nil {
		t.Fatal(err)
	}
	w.work()
	w.knows(1, "in the end")
}

// TestPoisonedLook: a repository that cannot be read does not spoil the looks at
// others that are taken together.
func TestPoisonedLook(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.home("first_wave: none\nonboarding: none\n")
	empty := standin.Text(map[string]string{"README.md": "nothing yet\n"})
	bad, good := w.repository("bad", empty), w.repository("good", empty)
	w.begin()
	broken := false
	w.refuse = func(d inbox.Delivery) bool {
		if d.Event == "dhibot.look" && !broken {
			broken = true
			w.broken(fmt.Sprintf("/repositories/%d", bad.ID()))
		}
		return false
	}
	w.failures = 2
	for i, r := range []*standin.Repository{bad, good} {
		if _, err := r.Push("alice", "main", "container", node(8000+i)); err != nil {
			t.Fatal(err)
		}
	}
	w.work()
	w.opened("good", 1, "although the other one is bad")
}

// TestLateOrders: orders that were too late, behind a limit of GitHub's say, are
// nothing that speaks against a repository.
func TestLateOrders(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.home("first_wave: none\nonboarding: none\n")
	w.repository("shop", node(8000))
	var late []inbox.Delivery
	w.refuse = func(d inbox.Delivery) bool {
		if d.Event != "dhibot.open" {
			return false
		}
		late = append(late, d)
		return true
	}
	w.begin()
	for range 4 {
		w.Advance(25 * time.Minute)
		for _, d := range late {
			if err := w.scanner.Handle(t.Context(), d); err != nil {
				t.Fatal(err)
			}
		}
		late = nil
		w.tick(10 * time.Minute)
	}
	w.refuse = nil
	w.tick(35 * time.Minute)
	w.opened("shop", 1, "in the end")
}
