package standin_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"dhibot/bot/standin"
)

// TestScenarios makes random walks through everything that moves branches, by
// the API, by git and by hand. After each step the promises hold: an open pull
// request shows the head of its branch, and there is one for a pair of branches
// at most. After each walk git fsck is clean and a clone is what the API says.
func TestScenarios(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			s := &scenario{world: w, rnd: rand.New(rand.NewPCG(seed, 9)), dir: filepath.Join(t.TempDir(), "copy")}
			git(t, t.TempDir(), "clone", "-q", cloneURL(t, w.repo, w.AddUser("alice").Token()), s.dir)
			for range 30 {
				s.step(t)
				s.check(t)
				if t.Failed() {
					t.Fatalf("after:\n%s", strings.Join(s.done, "\n"))
				}
			}
			drain(t, w.Server)
			for _, b := range w.repo.Branches() {
				checkClone(t, w.repo, b)
			}
		})
	}
}

type scenario struct {
	*world
	rnd  *rand.Rand
	dir  string
	n    int
	done []string
}

func (s *scenario) note(format string, args ...any) {
	s.done = append(s.done, fmt.Sprintf(format, args...))
}

// branch picks one of a few names; it may not exist.
func (s *scenario) branch() string { return []string{"dhi/a", "dhi/b", "c"}[s.rnd.IntN(3)] }

// file is one of a few, so that branches conflict.
func (s *scenario) file() standin.Files {
	s.n++
	return standin.Text(map[string]string{[]string{"Dockerfile", "x/y", "z"}[s.rnd.IntN(3)]: fmt.Sprintf("%d\n", s.n)})
}

func (s *scenario) step(t *testing.T) {
	t.Helper()
	b := s.branch()
	exists := s.repo.Branch(b) != ""
	switch s.rnd.IntN(9) {
	case 0:
		s.note("push %s", b)
		_, err := s.repo.Push("alice", b, "Change", s.file())
		must(t, err)
	case 1:
		s.note("push main")
		_, err := s.repo.Push("alice", "main", "Change", s.file())
		must(t, err)
	case 2:
		s.note("force %s", b)
		_, err := s.repo.ForcePush("alice", b, "Again", s.file())
		must(t, err)
	case 3:
		a := s.call(t, "bot", "POST {R}/pulls", fmt.Sprintf(`{"title":"T","head":%q,"base":"main"}`, b))
		s.note("pull %s: %d", b, a.Status)
		if a.Status != 201 && a.Status != 422 {
			t.Errorf("%d %s", a.Status, a.Body)
		}
	case 4:
		if exists {
			s.note("delete %s", b)
			s.ok(t, "bot", "DELETE {R}/git/refs/heads/"+b, "")
		}
	case 5:
		if n := s.first(t); n > 0 {
			a := s.call(t, "bot", fmt.Sprintf("PUT {R}/pulls/%d/merge", n), fmt.Sprintf(`{"merge_method":%q}`, []string{"merge", "squash", "rebase"}[s.rnd.IntN(3)]))
			s.note("merge %d: %d", n, a.Status)
			if a.Status != 200 && a.Status != 405 {
				t.Errorf("%d %s", a.Status, a.Body)
			}
		}
	case 6:
		if exists {
			s.note("git push %s", b)
			git(t, s.dir, "fetch", "-q", "--prune", "origin")
			git(t, s.dir, "checkout", "-q", "-B", "work", "origin/"+b)
			s.n++
			commitFile(t, s.dir, "git.txt", fmt.Sprint(s.n))
			git(t, s.dir, "push", "-q", "--force", "origin", "work:"+b)
		}
	case 7:
		if n := s.first(t); n > 0 {
			s.note("close %d", n)
			must(t, s.repo.CloseIssue("alice", n))
		}
	case 8:
		if n := s.first(t); n > 0 {
			a := s.call(t, "bot", fmt.Sprintf("PUT {R}/pulls/%d/update-branch", n), "")
			s.note("update branch of %d: %d", n, a.Status)
			if a.Status != 202 && a.Status != 422 {
				t.Errorf("%d %s", a.Status, a.Body)
			}
		}
	}
}

// first is the number of the newest open pull request, 0 without one.
func (s *scenario) first(t *testing.T) int {
	t.Helper()
	n, _ := s.ok(t, "bot", "GET {R}/pulls", "").at("0.number").(float64)
	return int(n)
}

func (s *scenario) check(t *testing.T) {
	t.Helper()
	a := s.ok(t, "bot", "GET {R}/pulls?per_page=100", "")
	seen := map[string]bool{}
	for i := range a.len("") {
		head, sha := a.str(fmt.Sprintf("%d.head.ref", i)), a.str(fmt.Sprintf("%d.head.sha", i))
		if seen[head] {
			t.Errorf("two open pull requests from %s", head)
		}
		seen[head] = true
		if tip := s.repo.Branch(head); tip != sha {
			t.Errorf("%s is at %s, its pull request at %s", head, tip, sha)
		}
	}
}
