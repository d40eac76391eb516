package standin_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-github/v60/github"

	"dhibot/bot/standin"
)

// receiver is a webhook receiver that notes what came.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	got    []*http.Request
	bodies [][]byte
}

func newReceiver(t testing.TB) *receiver {
	t.Helper()
	r := &receiver{status: http.StatusAccepted}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			t.Error(err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got, r.bodies = append(r.got, req), append(r.bodies, body)
		w.WriteHeader(r.status)
		fmt.Fprint(w, "thanks")
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.got)
}

func (r *receiver) guids() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []string
	for _, req := range r.got {
		out = append(out, req.Header.Get("X-GitHub-Delivery"))
	}
	return out
}

func TestDeliveryHeaders(t *testing.T) {
	t.Parallel()
	w, r := newWorld(t), newReceiver(t)
	drain(t, w.Server)
	w.app.SetWebhook(r.URL, "s3cret")
	w.repo.OpenIssue("alice", "Hello", "")
	drain(t, w.Server)
	if r.count() != 1 {
		t.Fatalf("%d deliveries", r.count())
	}
	h, body := r.got[0].Header, r.bodies[0]
	m := hmac.New(sha256.New, []byte("s3cret"))
	m.Write(body)
	for name, want := range map[string]string{
		"X-Hub-Signature-256": "sha256=" + hex.EncodeToString(m.Sum(nil)), "X-GitHub-Event": "issues", "Content-Type": "application/json",
		"X-GitHub-Hook-Installation-Target-ID": fmt.Sprint(w.app.ID()), "X-GitHub-Hook-Installation-Target-Type": "integration", "X-GitHub-Hook-ID": fmt.Sprint(w.app.ID()),
	} {
		if h.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, h.Get(name), want)
		}
	}
	if !strings.HasPrefix(h.Get("User-Agent"), "GitHub-Hookshot/") || len(h.Get("X-GitHub-Delivery")) != 36 {
		t.Errorf("headers %v", h)
	}
	var payload struct {
		Installation struct{ ID int64 }
		Organization struct{ Login string }
		Sender       struct{ Login string }
	}
	must(t, json.Unmarshal(body, &payload))
	if payload.Installation.ID != w.inst.ID() || payload.Organization.Login != "acme" || payload.Sender.Login != "alice" {
		t.Errorf("payload %+v", payload)
	}
}

// TestRedelivery: the log, by go-github; a failed delivery is sent again with
// its GUID, and the failure stays listed.
func TestRedelivery(t *testing.T) {
	t.Parallel()
	w, r := newWorld(t), newReceiver(t)
	drain(t, w.Server)
	r.status = http.StatusInternalServerError
	w.app.SetWebhook(r.URL, "s3cret")
	w.repo.OpenIssue("alice", "One", "")
	w.repo.OpenIssue("alice", "Two", "")
	w.repo.OpenIssue("alice", "Three", "")
	drain(t, w.Server)
	gh := github.NewClient(nil).WithAuthToken(w.appJWT(t))
	gh.BaseURL.Host, gh.BaseURL.Scheme, gh.BaseURL.Path = strings.TrimPrefix(w.URL(), "http://"), "http", "/api/v3/"
	ctx := context.Background()
	var all []*github.HookDelivery
	opt := &github.ListCursorOptions{PerPage: 2}
	for {
		page, res, err := gh.Apps.ListHookDeliveries(ctx, opt)
		must(t, err)
		all = append(all, page...)
		if res.Cursor == "" {
			break
		}
		opt.Cursor = res.Cursor
	}
	if len(all) != 4 || all[0].GetStatusCode() != 500 || all[0].GetEvent() != "issues" || all[3].GetEvent() != "installation" {
		t.Fatalf("log %v", all)
	}
	full, _, err := gh.Apps.GetHookDelivery(ctx, all[0].GetID())
	must(t, err)
	if full.Request.Headers["X-GitHub-Event"] != "issues" && full.Request.Headers["X-Github-Event"] != "issues" || full.Response == nil {
		t.Errorf("delivery %+v", full.Request)
	}
	r.mu.Lock()
	r.status = http.StatusAccepted
	r.mu.Unlock()
	_, _, err = gh.Apps.RedeliverHookDelivery(ctx, all[0].GetID())
	var accepted *github.AcceptedError
	if !errors.As(err, &accepted) { // trap T3: success is an error
		t.Errorf("redelivery: %v", err)
	}
	drain(t, w.Server)
	g := r.guids()
	if len(g) != 4 || g[3] != g[2] {
		t.Errorf("guids %v", g)
	}
	again, _, err := gh.Apps.ListHookDeliveries(ctx, nil)
	must(t, err)
	if len(again) != 5 || !again[0].GetRedelivery() || again[0].GetStatusCode() != 202 || again[1].GetStatusCode() != 500 || again[0].GetID() == again[1].GetID() {
		t.Errorf("after the redelivery: %v", again[:2])
	}
	failed := w.ok(t, "app", "GET /app/hook/deliveries?status=failure", "")
	if failed.len("") != 3+1 { // and the first, that had no address
		t.Errorf("%d failures: %s", failed.len(""), failed.Body)
	}
}

func TestDeliverySwitches(t *testing.T) {
	t.Parallel()
	send := func(t *testing.T, sw standin.DeliverySwitches, opts ...standin.Option) (*world, *receiver) {
		w, r := newWorld(t, opts...), newReceiver(t)
		drain(t, w.Server)
		w.app.SetWebhook(r.URL, "s3cret")
		w.SwitchDeliveries(standin.DeliverySwitches{Hold: true})
		for i := range 20 {
			_ = i
			sw.Hold = true
			w.SwitchDeliveries(sw)
			w.repo.OpenIssue("alice", "x", "")
		}
		if r.count() != 0 {
			t.Errorf("%d deliveries although held", r.count())
		}
		sw.Hold = false
		w.SwitchDeliveries(sw)
		drain(t, w.Server)
		return w, r
	}
	numbers := func(r *receiver) []int {
		var out []int
		for _, b := range r.bodies {
			var p struct{ Issue struct{ Number int } }
			must(t, json.Unmarshal(b, &p))
			out = append(out, p.Issue.Number)
		}
		return out
	}
	t.Run("duplicate", func(t *testing.T) {
		t.Parallel()
		_, r := send(t, standin.DeliverySwitches{Duplicate: 1})
		seen := map[string]int{}
		for _, g := range r.guids() {
			seen[g]++
		}
		if r.count() != 40 || len(seen) != 20 {
			t.Errorf("%d deliveries of %d", r.count(), len(seen))
		}
	})
	t.Run("drop", func(t *testing.T) {
		t.Parallel()
		w, r := send(t, standin.DeliverySwitches{Drop: 0.5})
		lost := 0
		for _, d := range w.Deliveries() {
			if d.Event == "issues" && d.Status == 0 {
				lost++
			}
		}
		if lost == 0 || lost == 20 || r.count()+lost != 20 {
			t.Errorf("%d came, %d lost", r.count(), lost)
		}
	})
	t.Run("reorder", func(t *testing.T) {
		t.Parallel()
		_, r := send(t, standin.DeliverySwitches{Reorder: 0.5})
		_, same := send(t, standin.DeliverySwitches{Reorder: 0.5})
		_, other := send(t, standin.DeliverySwitches{Reorder: 0.5}, standin.WithSeed(7))
		a, b, c := fmt.Sprint(numbers(r)), fmt.Sprint(numbers(same)), fmt.Sprint(numbers(other))
		if a != b || a == c || r.count() != 20 || strings.HasPrefix(a, "[1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19") {
			t.Errorf("orders\n%s\n%s\n%s", a, b, c)
		}
	})
}

// TestTwoHooks: a repository's own hook reports the same event under another
// GUID.
func TestTwoHooks(t *testing.T) {
	t.Parallel()
	w, r := newWorld(t), newReceiver(t)
	drain(t, w.Server)
	w.app.SetWebhook(r.URL, "s3cret")
	w.repo.AddHook(r.URL, "other", "issues")
	w.repo.OpenIssue("alice", "Hello", "")
	drain(t, w.Server)
	if g := r.guids(); len(g) != 2 || g[0] == g[1] {
		t.Fatalf("guids %v", g)
	}
	if r.got[0].Header.Get("X-GitHub-Hook-Installation-Target-Type") != "repository" {
		t.Errorf("target %v", r.got[0].Header)
	}
}

// TestDeliver: any event at all, signed.
func TestDeliver(t *testing.T) {
	t.Parallel()
	w, r := newUnwatched(t), newReceiver(t)
	drain(t, w.Server)
	w.app.SetWebhook(r.URL, "s3cret")
	w.app.Deliver("repository_ruleset", map[string]any{"action": "created", "odd": true})
	drain(t, w.Server)
	if r.count() != 1 || r.got[0].Header.Get("X-GitHub-Event") != "repository_ruleset" || string(r.bodies[0]) != `{"action":"created","odd":true}` {
		t.Fatalf("%d deliveries", r.count())
	}
	if err := github.ValidateSignature(r.got[0].Header.Get("X-Hub-Signature-256"), r.bodies[0], []byte("s3cret")); err != nil {
		t.Error(err)
	}
}

// TestEvents makes every kind of event; the contract checks their payloads.
func TestEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.pull(t)
	must(t, w.repo.AddLabel("alice", n, "bug"))
	must(t, w.repo.EditIssue("alice", n, "New body"))
	must(t, w.repo.CloseIssue("alice", n))
	must(t, w.repo.ReopenIssue("alice", n))
	id, err := w.repo.Comment("alice", n, "one")
	must(t, err)
	must(t, w.repo.EditComment("alice", id, "two"))
	must(t, w.repo.DeleteComment("alice", id))
	k := w.repo.OpenIssue("alice", "Issue", "")
	must(t, w.repo.AddLabel("alice", k, "bug"))
	must(t, w.repo.EditIssue("alice", k, "x"))
	must(t, w.repo.CloseIssue("alice", k))
	run := w.ok(t, "bot", "POST {R}/check-runs", `{"name":"DHI","head_sha":"{feature}","status":"completed","conclusion":"success","actions":[{"label":"l","description":"d","identifier":"fix"}]}`)
	check, _ := run.at("id").(float64)
	must(t, w.repo.RerequestCheck("alice", int64(check)))
	must(t, w.repo.RequestCheckAction("alice", int64(check), "fix"))
	must(t, w.repo.Merge("alice", n, "squash"))
	must(t, w.repo.DeleteBranch("alice", "feature"))
	must(t, w.repo.Rename("alice", "store"))
	w.repo.SetArchived("alice", true)
	w.repo.SetArchived("alice", false)
	w.repo.SetPrivate("alice", true)
	w.repo.SetPrivate("alice", false)
	other, err := w.CreateRepository("alice", "acme", "other", standin.Text(map[string]string{"a": "b"}))
	must(t, err)
	must(t, w.inst.RemoveRepository("other"))
	must(t, w.inst.AddRepository("other"))
	_, err = other.Push("alice", "next", "x", standin.Text(map[string]string{"b": "c"}))
	must(t, err)
	must(t, other.SetDefaultBranch("alice", "next"))
	w.AddUser("bob")
	other.Delete("alice")
	w.inst.Suspend()
	w.inst.Unsuspend()
	w.inst.SetPermissions(map[string]string{"contents": "read"})
	must(t, w.RenameAccount("acme", "acme-corp"))
	w.app.Ping()
	must(t, w.repo.Transfer("alice", "bob"))
	w.inst.Uninstall()
	drain(t, w.Server)
	have := map[string]bool{}
	for _, e := range lastEvents(w, 0) {
		have[e] = true
	}
	for _, want := range strings.Fields(`installation/created push create pull_request/opened pull_request/labeled pull_request/edited pull_request/closed pull_request/reopened
		issue_comment/created issue_comment/edited issue_comment/deleted issues/opened issues/labeled issues/edited issues/closed check_run/created check_run/completed
		check_run/rerequested check_run/requested_action delete repository/renamed repository/archived repository/unarchived repository/privatized repository/publicized
		repository/created repository/edited repository/deleted installation_repositories/removed installation_repositories/added installation/suspend installation/unsuspend
		installation/new_permissions_accepted installation_target/renamed ping installation/deleted`) {
		if !have[want] {
			t.Errorf("no %s", want)
		}
	}
	if a := w.call(t, "nobody", "GET /repos/acme/shop", ""); a.Status != 301 {
		t.Errorf("two renames and a transfer later: %d %s", a.Status, a.Body)
	}
}
