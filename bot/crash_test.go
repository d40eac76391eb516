package bot_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"

	"dhibot/bot/body"
	"dhibot/bot/standin"
)

// breaking is a transport on which one call fails: before GitHub sees it, or
// after GitHub has done it, as when the process dies right there.
type breaking struct {
	mu    sync.Mutex
	at    int // number of the call that fails, 0 for none
	after bool
	seen  int
	what  string   // the call that failed
	calls []string // all calls, in the order in which the App made them
	// meanwhile is done once, right before a call of that method and a path that
	// ends like that.
	meanwhile func()
	when      string // "POST /git/commits"
}

// during has something happen in the middle of what the App does next.
func (b *breaking) during(when string, f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.when, b.meanwhile = when, f
}

func (b *breaking) happen(r *http.Request) {
	b.mu.Lock()
	f := b.meanwhile
	method, suffix, _ := strings.Cut(b.when, " ")
	if f == nil || r.Method != method || !strings.HasSuffix(r.URL.Path, suffix) {
		b.mu.Unlock()
		return
	}
	b.meanwhile = nil
	b.mu.Unlock()
	f()
}

var errBroken = errors.New("the line broke")

func (b *breaking) RoundTrip(r *http.Request) (*http.Response, error) {
	b.happen(r)
	b.mu.Lock()
	// Reading has no effect that could be lost.
	counts := !b.after || r.Method != http.MethodGet
	if counts {
		b.seen++
	}
	hit := counts && b.seen == b.at
	if hit {
		b.what = r.Method + " " + r.URL.Path
	}
	b.mu.Unlock()
	if hit && !b.after {
		return nil, errBroken
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err == nil {
		b.mu.Lock()
		b.calls = append(b.calls, fmt.Sprintf("%s %s %d", r.Method, pattern(r.URL.Path), resp.StatusCode))
		b.mu.Unlock()
	}
	if hit && err == nil {
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		return nil, errBroken
	}
	return resp, err
}

// pattern is a path without what differs from run to run.
func pattern(path string) string {
	path = strings.TrimPrefix(strings.TrimPrefix(path, "/api/v3"), "/api")
	return numbers.ReplaceAllString(repository.ReplaceAllString(path, "/repos/{repo}"), "/{n}$1")
}

var (
	repository = regexp.MustCompile(`^/repos/[^/]+/[^/]+`)
	numbers    = regexp.MustCompile(`/[0-9]+(/|$)`)
)

// taken returns the calls since the last time.
func (b *breaking) taken() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	calls := b.calls
	b.calls = nil
	return calls
}

func (b *breaking) set(at int, after bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.at, b.after, b.seen, b.what = at, after, 0, ""
}

func (b *breaking) count() (int, string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.seen, b.what
}

// What a request comes to.
const (
	opened  = "opened"
	updated = "updated" // with another proposal
	rebased = "rebased" // with the same proposal, so that only the branch moves
)

// TestEveryCallMayFail breaks every single call of a request once, before and
// after its effect, and lets the inbox hand the delivery in again to a process
// that remembers nothing. In the end there is one pull request with one commit
// of ours and one answer, whatever broke.
func TestEveryCallMayFail(t *testing.T) {
	t.Parallel()
	for _, what := range []string{opened, updated, rebased} {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s,after=%v", what, after), func(t *testing.T) {
				t.Parallel()
				// The same calls are compared with GitHub's description in the stories.
				w := newWorld(t, func(w *world) { w.attempts, w.fresh, w.unchecked = 3, true, true })
				for at := 1; ; at++ {
					name := fmt.Sprintf("acme/shop%d", at)
					calls, broken := w.interrupted(name, at, after, what)
					w.consistent(name, what, fmt.Sprintf("call %d (%s)", at, broken))
					if t.Failed() {
						break
					}
					if calls < at {
						if least := map[bool]int{false: 15, true: 7}[after]; calls < least {
							t.Errorf("only %d calls were broken, there are %d at least", calls, least)
						}
						break
					}
					if at == 100 {
						t.Fatal("there is no end of calls")
					}
				}
			})
		}
	}
}

// interrupted runs a request on which a call breaks, and returns how many calls
// there were and which of them broke.
func (w *world) interrupted(name string, at int, after bool, what string) (int, string) {
	owner, short, _ := strings.Cut(name, "/")
	r, err := w.gh.AddRepository(owner, short, standin.Text(map[string]string{"Dockerfile": "FROM node:22\n"}), standin.Collaborator("alice", "write"))
	if err != nil {
		w.t.Fatal(err)
	}
	issue := r.OpenIssue("alice", "Please", "")
	ask := func() {
		if _, err := r.Comment("alice", issue, "/dhi migrate"); err != nil {
			w.t.Fatal(err)
		}
		if err := w.settle(); err != nil {
			w.t.Fatal(err)
		}
	}
	w.transport.set(0, false)
	if what != opened {
		ask()
		more := map[string]string{"web/Dockerfile": "FROM python:3.13\n"}
		if what == rebased {
			more = map[string]string{"README.md": "Read me.\n"}
		}
		w.unheard(r, more)
	}
	w.transport.set(at, after)
	ask()
	if errs := w.failures(); len(errs) > 0 {
		w.t.Errorf("%s: %v", name, errs)
	}
	return w.transport.count()
}

// consistent checks what is there in the end.
func (w *world) consistent(name, what, when string) {
	w.t.Helper()
	r := w.gh.Repository(name)
	pulls, err := w.pulls(name)
	if err != nil {
		w.t.Fatal(err)
	}
	if len(pulls) != 1 || pulls[0].State != "open" {
		w.t.Errorf("%s: pull requests %v", when, pulls)
		return
	}
	m, err := testKeys.Read(pulls[0].Body)
	if err != nil || what != rebased && m.Head != r.Branch("dhi/migrate") || r.Branch("dhi/migrate") != pulls[0].Head.SHA {
		w.t.Errorf("%s: the marker names %s, the branch is at %s: %v", when, m.Head, r.Branch("dhi/migrate"), err)
	}
	files, err := r.ReadFiles("dhi/migrate")
	if err != nil {
		w.t.Fatal(err)
	}
	want := map[string]string{"Dockerfile": "FROM dhi.io/node:22\n"}
	replies := 1
	switch what {
	case updated:
		want["web/Dockerfile"] = "FROM dhi.io/python:3.13\n"
		replies = 2
	case rebased:
		want["README.md"] = "Read me.\n"
		replies = 2
	}
	if len(files) != len(want) {
		w.t.Errorf("%s: the branch has %d files", when, len(files))
	}
	for path, content := range want {
		if files[path].Content != content {
			w.t.Errorf("%s: %s is %q", when, path, files[path].Content)
		}
	}
	comments, err := w.comments(name, 1)
	if err != nil {
		w.t.Fatal(err)
	}
	said := 0
	for _, c := range comments {
		if c.User.Login == "dhibot[bot]" {
			said++
		}
	}
	if said != replies {
		w.t.Errorf("%s: %d answers, want %d: %v", when, said, replies, comments)
	}
}

var testKeys = body.Keys{[]byte("a key of at least sixteen bytes")}
