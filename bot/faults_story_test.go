package bot_test

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"dhibot/bot/standin"
)

// roughness is one thing that goes wrong, again and again, while a story is told.
type roughness struct {
	name     string // the kind for faults; a variant follows a comma
	fault    standin.Fault
	switches standin.DeliverySwitches
	// seed repeats a run: the faults and switches strike by it.
	seed int64
	// repositories that live through the story, as many as it takes to be hit.
	repositories int
	// refuses: GitHub says no in words that mean no, so the answer says so, and
	// a person asks again. All else the App has to get over by itself.
	refuses bool
	// parks: GitHub says that somebody took something away, and after the last
	// attempt a person has to say that it is there again.
	parks bool
	// unreached says why the App never meets it; then it must not be hit.
	unreached string
}

// kind is the fault without the variant.
func (r roughness) kind() standin.FaultKind {
	kind, _, _ := strings.Cut(r.name, ",")
	return standin.FaultKind(kind)
}

// often is how likely each thing is to go wrong whenever it can.
const often = 0.2

func roughnesses() []roughness {
	return []roughness{
		{name: "expired_token", seed: 11, repositories: 2},
		{name: "no_permission", seed: 12, repositories: 1, refuses: true, parks: true},
		{name: "suspended", seed: 13, repositories: 1, parks: true},
		{name: "primary_limit", seed: 14, repositories: 1},
		{name: "secondary_limit", seed: 15, repositories: 1},
		{name: "primary_limit, 429", seed: 30, repositories: 1, fault: standin.Fault{Status: http.StatusTooManyRequests}},
		{name: "secondary_limit, 429 without headers", seed: 31, repositories: 1, fault: standin.Fault{Status: http.StatusTooManyRequests, NoHeaders: true}},
		{name: "server_error, 500", seed: 32, repositories: 3, fault: standin.Fault{Status: http.StatusInternalServerError}},
		{name: "server_error", seed: 16, repositories: 3},
		{name: "connection_reset", seed: 17, repositories: 3},
		{name: "lost_answer", seed: 18, repositories: 3},
		{name: "truncated_tree", seed: 19, repositories: 3},
		{name: "ruleset", seed: 20, repositories: 6, refuses: true},
		{name: "latency", seed: 21, repositories: 2, fault: standin.Fault{Delay: standin.Duration(2 * time.Millisecond)}},
		{name: "graphql_error", seed: 22, repositories: 3},
		{name: "mergeable_unknown", seed: 23, repositories: 8},
		{name: "not_fast_forward", seed: 24, repositories: 1, unreached: "the App updates its branch by force, after looking at its head"},
		{name: "merge_refused", seed: 25, repositories: 1, unreached: "the App merges nothing"},
		{name: "duplicate deliveries", seed: 26, repositories: 3, switches: standin.DeliverySwitches{Duplicate: often}},
		{name: "dropped deliveries", seed: 27, repositories: 4, switches: standin.DeliverySwitches{Drop: often}},
		{name: "reordered deliveries", seed: 28, repositories: 6, switches: standin.DeliverySwitches{Reorder: often}},
		{name: "delayed deliveries", seed: 29, repositories: 2, switches: standin.DeliverySwitches{Delay: 2 * time.Millisecond}},
	}
}

// TestStoryOnARoughGitHub tells one story with everything that can go wrong,
// one at a time, at one call or delivery in five: a comment brings a pull
// request, a push and a second comment bring it up to date, a person closes it,
// and it stays closed. Late is fine; lost or doubled is not.
func TestStoryOnARoughGitHub(t *testing.T) {
	t.Parallel()
	for _, r := range roughnesses() {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			newRough(t, r).story()
		})
	}
}

// TestEveryFaultHasItsStory keeps the table whole when the stand-in learns a
// new way to fail.
func TestEveryFaultHasItsStory(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("standin/faults.go")
	if err != nil {
		t.Fatal(err)
	}
	kinds := regexp.MustCompile(`(?m)^\tFault\w+\s+FaultKind = "(\w+)"`).FindAllStringSubmatch(string(source), -1)
	if len(kinds) < 10 {
		t.Fatalf("only %d kinds of faults found", len(kinds))
	}
	for _, kind := range kinds {
		if !slices.ContainsFunc(roughnesses(), func(r roughness) bool { return r.name == kind[1] }) {
			t.Errorf("%s has no story", kind[1])
		}
	}
}

// ask has something happen and alice comment right after it, on the given issues
// or new ones, until it is as it should be. Only where GitHub refuses may she
// have to ask more than once.
func (w *rough) ask(first func(*standin.Repository) error, issues map[*standin.Repository]int, settled func(*standin.Repository) bool) {
	w.t.Helper()
	open := slices.Clone(w.repos)
	for round := range 200 {
		w.together(func(r *standin.Repository) error {
			if !slices.Contains(open, r) {
				return nil
			}
			if round == 0 {
				if err := first(r); err != nil {
					return err
				}
			}
			n, ok := issues[r]
			if !ok {
				n = r.OpenIssue("alice", "Please", "")
			}
			id, err := r.Comment("alice", n, "/dhi migrate")
			w.asked[r] = append(w.asked[r], question{n, id})
			return err
		})
		open = slices.DeleteFunc(open, settled)
		if len(open) == 0 {
			return
		}
		if !w.refuses {
			break
		}
		issues = nil
	}
	w.t.Fatalf("asking did not do it for %s:\n%s", open[0].FullName(), tail(w.logged()))
}

func (w *rough) story() {
	files := map[string]string{}
	for i := range 6 { // enough to be read in batches
		files[fmt.Sprintf("svc%d/Dockerfile", i)] = fmt.Sprintf("FROM node:%d\n", 20+i)
	}
	for i := range w.repositories {
		r, err := w.gh.AddRepository("acme", fmt.Sprintf("shop%d", i), standin.Text(files), standin.Collaborator("alice", "write"), standin.Collaborator("bob", "write"))
		if err != nil {
			w.t.Fatal(err)
		}
		w.repos = append(w.repos, r)
	}
	w.drain()

	w.ask(func(*standin.Repository) error { return nil }, nil, func(r *standin.Repository) bool { return w.proposed(r, files) })
	onPull := map[*standin.Repository]int{}
	for _, r := range w.repos {
		onPull[r] = w.onlyPull(r).Number
	}

	push := func(path, content string) func(*standin.Repository) error {
		return func(r *standin.Repository) error {
			_, err := r.Push("alice", "main", "More", standin.Text(map[string]string{path: content}))
			return err
		}
	}
	files["web/Dockerfile"] = "FROM python:3.13\n"
	w.ask(push("web/Dockerfile", files["web/Dockerfile"]), onPull, func(r *standin.Repository) bool { return w.proposed(r, files) })

	heads := map[*standin.Repository]string{}
	for _, r := range w.repos {
		heads[r] = r.Branch("dhi/migrate")
	}
	w.ask(func(r *standin.Repository) error { return r.CloseIssue("bob", onPull[r]) }, nil, func(*standin.Repository) bool { return true })
	w.together(push("job/Dockerfile", "FROM golang:1.26\n"))

	for _, r := range w.repos {
		p := w.onlyPull(r)
		if p.State != "closed" || p.Number != onPull[r] || r.Branch("dhi/migrate") != heads[r] || p.Head.SHA != heads[r] {
			w.t.Errorf("%s: the closed pull request is now %v, its branch was at %s", r.FullName(), p, heads[r])
		}
		w.holds(r, files)
	}
	w.clone(w.repos[0])
	w.hit()
}

// onlyPull is the only pull request there ever was.
func (w *rough) onlyPull(r *standin.Repository) pullView {
	w.t.Helper()
	pulls, err := w.pulls(r.FullName())
	if err != nil || len(pulls) != 1 {
		w.t.Fatalf("%s: pull requests %v: %v\n%s", r.FullName(), pulls, err, tail(w.logged()))
	}
	return pulls[0]
}

// migrated is what smallEngine makes of the files.
func migrated(files map[string]string) map[string]string {
	out := map[string]string{}
	for path, content := range files {
		out[path] = strings.Replace(content, "FROM ", "FROM dhi.io/", 1)
	}
	return out
}

// proposed tells whether there is an open pull request with the migrated files.
func (w *rough) proposed(r *standin.Repository, files map[string]string) bool {
	pulls, err := w.pulls(r.FullName())
	if err != nil || len(pulls) > 1 {
		w.t.Fatalf("%s: pull requests %v: %v", r.FullName(), pulls, err)
	}
	return len(pulls) == 1 && pulls[0].State == "open" && pulls[0].Head.SHA == r.Branch("dhi/migrate") && maps.Equal(w.onBranch(r), migrated(files))
}

func (w *rough) onBranch(r *standin.Repository) map[string]string {
	files, err := r.ReadFiles("dhi/migrate")
	if err != nil {
		w.t.Fatal(err)
	}
	out := map[string]string{}
	for path, f := range files {
		out[path] = f.Content
	}
	return out
}

// holds checks that nothing was lost or doubled.
func (w *rough) holds(r *standin.Repository, files map[string]string) {
	w.t.Helper()
	if got, want := w.onBranch(r), migrated(files); !maps.Equal(got, want) {
		w.t.Errorf("%s: the branch holds %v, want %v", r.FullName(), got, want)
	}
	if b := r.Branches(); !slices.Equal(b, []string{"dhi/migrate", "main"}) {
		w.t.Errorf("%s: branches %v", r.FullName(), b)
	}
	said := map[string]int{}
	var ours int
	seen := map[int]bool{}
	for _, q := range w.asked[r] {
		if seen[q.issue] {
			continue
		}
		seen[q.issue] = true
		comments, err := w.comments(r.FullName(), q.issue)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, c := range comments {
			if c.User.Login == "dhibot[bot]" {
				ours++
				said[saidMark.FindString(c.Body)]++
			}
		}
	}
	for _, q := range w.asked[r] {
		reply, trouble := said[fmt.Sprintf("<!-- dhibot-said:reply-%d -->", q.id)], said[fmt.Sprintf("<!-- dhibot-said:trouble-%d -->", q.id)]
		if reply != 1 || trouble > 1 {
			w.t.Errorf("%s#%d: comment %d has %d replies and %d words of trouble", r.FullName(), q.issue, q.id, reply, trouble)
		}
		ours -= reply + trouble
	}
	if ours != 0 {
		w.t.Errorf("%s: %d comments answer nobody: %v", r.FullName(), ours, said)
	}
	if out, err := r.Fsck(w.t.Context()); err != nil || strings.TrimSpace(out) != "" {
		w.t.Errorf("%s: git fsck: %v\n%s", r.FullName(), err, out)
	}
}

// clone checks that git sees what the API says.
func (w *rough) clone(r *standin.Repository) {
	w.t.Helper()
	dir := filepath.Join(w.t.TempDir(), "copy")
	address := strings.Replace(r.CloneURL(), "://", "://x-access-token:"+w.gh.AddUser("bob").Token()+"@", 1)
	git := func(args ...string) string {
		cmd := exec.CommandContext(w.t.Context(), "git", args...)
		cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_TERMINAL_PROMPT=0")
		out, err := cmd.CombinedOutput()
		if err != nil {
			w.t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	git("clone", "-q", "-b", "dhi/migrate", address, dir)
	if head, pull := git("-C", dir, "rev-parse", "HEAD"), w.onlyPull(r); head != pull.Head.SHA {
		w.t.Errorf("%s: the clone is at %s, #%d at %s", r.FullName(), head, pull.Number, pull.Head.SHA)
	}
	for path, content := range w.onBranch(r) {
		if got, err := os.ReadFile(filepath.Join(dir, path)); err != nil || string(got) != content {
			w.t.Errorf("%s: %s is %q in the clone, %q by the API: %v", r.FullName(), path, got, content, err)
		}
	}
	git("-C", dir, "fsck", "--strict")
}

var saidMark = regexp.MustCompile(`<!-- dhibot-said:\S+ -->`)

// hit checks that something went wrong indeed.
func (w *rough) hit() {
	hits := w.gh.FaultHits()[w.kind()]
	log := w.gh.Deliveries()
	switch {
	case w.switches.Duplicate > 0:
		w.arrived.Lock()
		guids := slices.Clone(w.guids)
		w.arrived.Unlock()
		all := len(guids)
		slices.Sort(guids)
		hits = all - len(slices.Compact(guids))
	case w.switches.Drop > 0:
		hits = len(w.redelivered)
	case w.switches.Reorder > 0:
		for i := 1; i < len(log); i++ {
			if log[i].ID < log[i-1].ID {
				hits++
			}
		}
	case w.switches.Delay > 0:
		hits = len(log)
	}
	var asked int
	for _, q := range w.asked {
		asked += len(q)
	}
	w.t.Logf("seed %d: %d repositories, %d comments, %d deliveries, %d attempts, %d put back, %d parked, %d hits",
		w.seed, w.repositories, asked, len(log), w.attempts, w.later, w.parked, hits)
	if w.parked > 0 && !w.parks {
		w.t.Errorf("%d deliveries were given up", w.parked)
	}
	switch {
	case w.unreached != "" && hits > 0:
		w.t.Errorf("it was hit %d times, although %s", hits, w.unreached)
	case w.unreached == "" && hits == 0:
		w.t.Error("it was never hit: more repositories or another seed are needed")
	}
}
