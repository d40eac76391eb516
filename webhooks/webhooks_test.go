package webhooks_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1"
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
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"dhibot/bot/inbox"
	"dhibot/bot/inbox/pgtest"
	"dhibot/webhooks"
)

const secret = "It's a Secret to Everybody"

// comment is the payload of a command, with a multi-select property (trap T1).
const comment = `{"action":"created","issue":{"number":3},
 "comment":{"id":11,"user":{"id":9,"login":"mona","type":"User"},"body":"/dhi migrate","updated_at":"2026-11-01T10:00:00Z"},
 "repository":{"id":5,"full_name":"acme/shop","custom_properties":{"team":["a","b"]}},
 "sender":{"id":9,"type":"User"},"installation":{"id":42}}`

const edited = `{"action":"edited","number":9,"pull_request":{"number":9,"state":"open","head":{"ref":"dhi/migrate","repo":{"id":5}}},
 "repository":{"id":5},"installation":{"id":42},"sender":{"type":"User"}}`

const push = `{"ref":"refs/heads/main","before":"a","after":"b","repository":{"id":5,"full_name":"acme/shop"},"installation":{"id":42}}`

func sign(body []byte, with string) string {
	mac := hmac.New(sha256.New, []byte(with))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// delivery is a request as GitHub sends it.
func delivery(guid, event, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/api/github/webhooks", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "GitHub-Hookshot/1")
	r.Header.Set("X-GitHub-Delivery", guid)
	r.Header.Set("X-GitHub-Event", event)
	r.Header.Set("X-GitHub-Hook-Installation-Target-Type", "integration")
	r.Header.Set("X-GitHub-Hook-Installation-Target-ID", "77")
	r.Header.Set("X-Hub-Signature-256", sign([]byte(body), secret))
	return r
}

func openInbox(t testing.TB) *inbox.Inbox {
	t.Helper()
	b, err := inbox.Open(t.Context(), pgtest.File(t, "inbox.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func handler(t testing.TB, c webhooks.Config) http.Handler {
	t.Helper()
	if c.Secrets == nil {
		c.Secrets = [][]byte{[]byte(secret)}
	}
	if c.AppID == 0 {
		c.AppID = 77
	}
	h, err := webhooks.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func send(h http.Handler, r *http.Request) (int, map[string]any) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	var a map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
		panic(fmt.Sprintf("the answer %q is not JSON: %v", w.Body, err))
	}
	return w.Code, a
}

func stored(t testing.TB, b *inbox.Inbox) []string {
	t.Helper()
	list, err := b.List(t.Context(), inbox.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	guids := []string{}
	for _, e := range list {
		guids = append(guids, e.GUID)
	}
	return guids
}

// What is refused leaves nothing behind.
func TestRefused(t *testing.T) {
	t.Parallel()
	sha1Only := func(r *http.Request) {
		r.Header.Del("X-Hub-Signature-256")
		mac := hmac.New(sha1.New, []byte(secret))
		mac.Write([]byte(comment))
		r.Header.Set("X-Hub-Signature", "sha1="+hex.EncodeToString(mac.Sum(nil)))
	}
	signature := func(value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("X-Hub-Signature-256", value) }
	}
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	body := func(s string) func(*http.Request) {
		return func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(s)), int64(len(s))
			r.Header.Set("X-Hub-Signature-256", sign([]byte(s), secret))
		}
	}
	large := strings.Repeat(" ", 25<<20+1)
	for _, tt := range []struct {
		name   string
		event  string
		change func(*http.Request)
		status int
	}{
		{"unsigned", "issue_comment", func(r *http.Request) { r.Header.Del("X-Hub-Signature-256") }, 401},
		{"SHA-1 only", "issue_comment", sha1Only, 401},
		{"signed with SHA-1 in the place of SHA-256", "issue_comment", func(r *http.Request) {
			sha1Only(r)
			r.Header.Set("X-Hub-Signature-256", r.Header.Get("X-Hub-Signature"))
		}, 401},
		{"signed with another secret", "issue_comment", signature(sign([]byte(comment), "guess")), 401},
		{"signed with the empty secret", "issue_comment", signature(sign([]byte(comment), "")), 401},
		{"signed for another body", "issue_comment", signature(sign([]byte(push), secret)), 401},
		{"half a signature", "issue_comment", signature(sign([]byte(comment), secret)[:40]), 401},
		{"a longer signature", "issue_comment", signature(sign([]byte(comment), secret) + "00"), 401},
		{"a signature that is not hexadecimal", "issue_comment", signature("sha256=" + strings.Repeat("zz", 32)), 401},
		{"no algorithm", "issue_comment", signature(strings.TrimPrefix(sign([]byte(comment), secret), "sha256=")), 401},
		{"unsigned and of an unknown event", "sponsorship", func(r *http.Request) { r.Header.Del("X-Hub-Signature-256") }, 401},
		{"over the cap", "push", body(large), 413},
		{"over the cap without saying so", "push", func(r *http.Request) { body(large)(r); r.ContentLength = -1 }, 413},
		{"over the cap and unsigned", "push", func(r *http.Request) { body(large)(r); r.Header.Del("X-Hub-Signature-256") }, 413},
		{"not JSON", "push", body("ref=refs/heads/main"), 400},
		{"cut off", "issue_comment", body(comment[:100]), 400},
		{"empty", "push", body(""), 400},
		{"an unknown event that is not JSON", "sponsorship", body("{"), 400},
		{"a comment without an id", "issue_comment", body(strings.Replace(comment, `"id":11,`, "", 1)), 400},
		{"no event", "", nil, 400},
		{"no delivery id", "push", header("X-GitHub-Delivery", ""), 400},
		{"a delivery id without end", "push", header("X-GitHub-Delivery", strings.Repeat("x", 300)), 400},
		{"a form", "push", header("Content-Type", "application/x-www-form-urlencoded"), 415},
		{"no content type", "push", func(r *http.Request) { r.Header.Del("Content-Type") }, 415},
		{"for another App", "push", header("X-GitHub-Hook-Installation-Target-ID", "78"), 403},
		{"not a post", "push", func(r *http.Request) { r.Method = http.MethodGet }, 405},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := openInbox(t)
			h := handler(t, webhooks.Config{Inbox: b, Acknowledge: func(context.Context, inbox.Delivery) error {
				t.Error("acknowledged")
				return nil
			}})
			payload := push
			if tt.event == "issue_comment" {
				payload = comment
			}
			r := delivery("g1", tt.event, payload)
			if tt.change != nil {
				tt.change(r)
			}
			status, a := send(h, r)
			if status != tt.status || a["status"] != "error" || a["reason"] == "" {
				t.Errorf("answered %d %v, want %d and a reason", status, a, tt.status)
			}
			if got := stored(t, b); len(got) != 0 {
				t.Errorf("stored %v", got)
			}
		})
	}
}

func TestAccepted(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, event, body string
		change            func(*http.Request)
		want              inbox.Entry
	}{
		{"a command", "issue_comment", comment, nil, inbox.Entry{Delivery: inbox.Delivery{GUID: "g1", Event: "issue_comment", Installation: 42, Repository: 5,
			FullName: "acme/shop", Key: "issue_comment:created:11:1793527200000000000", Priority: inbox.Command}}},
		{"a bot's comment", "issue_comment", strings.ReplaceAll(comment, `"User"`, `"Bot"`), nil, inbox.Entry{Delivery: inbox.Delivery{GUID: "g1", Event: "issue_comment",
			Installation: 42, Repository: 5, FullName: "acme/shop", Key: "issue_comment:created:11:1793527200000000000", Priority: inbox.Event}}},
		{"a push", "push", push, nil, inbox.Entry{Delivery: inbox.Delivery{GUID: "g1", Event: "push", Installation: 42, Repository: 5,
			FullName: "acme/shop", Key: "push:5:refs/heads/main:a:b", Priority: inbox.Event}}},
		{"from a server that names no target", "push", push, func(r *http.Request) { r.Header.Del("X-GitHub-Hook-Installation-Target-ID") },
			inbox.Entry{Delivery: inbox.Delivery{GUID: "g1", Event: "push", Installation: 42, Repository: 5,
				FullName: "acme/shop", Key: "push:5:refs/heads/main:a:b", Priority: inbox.Event}}},
		{"a pressed button", "check_run", `{"action":"rerequested","check_run":{"id":8},"repository":{"id":5},"installation":{"id":42}}`,
			func(r *http.Request) { r.Header.Set("Content-Type", "application/json; charset=utf-8") },
			inbox.Entry{Delivery: inbox.Delivery{GUID: "g1", Event: "check_run", Installation: 42, Repository: 5, Priority: inbox.Command}}},
		{"a ticked box", "pull_request", edited, nil,
			inbox.Entry{Delivery: inbox.Delivery{GUID: "g1", Event: "pull_request", Installation: 42, Repository: 5, Priority: inbox.Command}}},
		{"our own edit", "pull_request", strings.ReplaceAll(edited, `"User"`, `"Bot"`), nil,
			inbox.Entry{Delivery: inbox.Delivery{GUID: "g1", Event: "pull_request", Installation: 42, Repository: 5, Priority: inbox.Event}}},
		{"an edit from a fork", "pull_request", strings.ReplaceAll(edited, `"repo":{"id":5}`, `"repo":{"id":6}`), nil,
			inbox.Entry{Delivery: inbox.Delivery{GUID: "g1", Event: "pull_request", Installation: 42, Repository: 5, Priority: inbox.Event}}},
		{"an edited issue", "issues", `{"action":"edited","issue":{"number":3},"sender":{"type":"User"},"repository":{"id":5},"installation":{"id":42}}`, nil,
			inbox.Entry{Delivery: inbox.Delivery{GUID: "g1", Event: "issues", Installation: 42, Repository: 5, Priority: inbox.Event}}},
		{"an installation", "installation", `{"action":"created","installation":{"id":42}}`, nil,
			inbox.Entry{Delivery: inbox.Delivery{GUID: "g1", Event: "installation", Installation: 42, Priority: inbox.Event}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := openInbox(t)
			now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
			h := handler(t, webhooks.Config{Inbox: b, Now: func() time.Time { return now }})
			r := delivery("g1", tt.event, tt.body)
			if tt.change != nil {
				tt.change(r)
			}
			if status, a := send(h, r); status != 202 || a["status"] != "accepted" || a["delivery"] != "g1" {
				t.Fatalf("answered %d %v", status, a)
			}
			got, err := b.Show(t.Context(), "g1")
			if err != nil {
				t.Fatal(err)
			}
			got.Due = time.Time{} // the inbox's own clock
			want := tt.want
			want.State, want.Attempt, want.Received, want.Body = inbox.Pending, 1, now, []byte(tt.body)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("stored (-want +got)\n%s", diff)
			}
		})
	}
}

func TestOneHappeningIsWorkedOnOnce(t *testing.T) {
	t.Parallel()
	b := openInbox(t)
	h := handler(t, webhooks.Config{Inbox: b})
	for _, step := range []struct{ guid, event, body, want string }{
		{"g1", "issue_comment", comment, "accepted"},
		{"g1", "issue_comment", comment, "duplicate"},                                                                // GitHub redelivers
		{"g2", "issue_comment", comment, "duplicate"},                                                                // a second hook, another delivery id
		{"g3", "issue_comment", strings.Replace(comment, `"id":11`, `"id":12`, 1), "accepted"},                       // the next comment
		{"g4", "push", push, "accepted"},                                                                             //
		{"g5", "push", strings.Replace(push, `"before":"a","after":"b"`, `"before":"b","after":"a"`, 1), "accepted"}, // and back
		{"g6", "push", push, "duplicate"},
		{"g7", "ping", `{"zen":"z"}`, "ignored"},
		{"g8", "sponsorship", `{"x":1}`, "ignored"},
	} {
		if status, a := send(h, delivery(step.guid, step.event, step.body)); status != 202 || a["status"] != step.want {
			t.Errorf("%s %s: answered %d %v, want %s", step.guid, step.event, status, a, step.want)
		}
	}
	list, err := b.List(t.Context(), inbox.Filter{State: inbox.Pending})
	if err != nil || len(list) != 4 {
		t.Errorf("%d deliveries wait to be worked on, %v; want 4", len(list), err)
	}
}

func TestSecretsRotate(t *testing.T) {
	t.Parallel()
	b := openInbox(t)
	h := handler(t, webhooks.Config{Inbox: b, Secrets: [][]byte{[]byte("new"), []byte(secret)}})
	for i, with := range []string{"new", secret} {
		r := delivery(fmt.Sprint(i), "installation", `{"action":"created","installation":{"id":42}}`)
		r.Header.Set("X-Hub-Signature-256", sign([]byte(`{"action":"created","installation":{"id":42}}`), with))
		if status, a := send(h, r); status != 202 {
			t.Errorf("signed with %q: answered %d %v", with, status, a)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	b := openInbox(t)
	for name, c := range map[string]webhooks.Config{
		"no secret":              {Inbox: b},
		"an empty secret":        {Inbox: b, Secrets: [][]byte{{}}},
		"an empty second secret": {Inbox: b, Secrets: [][]byte{[]byte("x"), nil}},
		"no inbox":               {Secrets: [][]byte{[]byte("x")}},
	} {
		if h, err := webhooks.New(c); err == nil || h != nil {
			t.Errorf("%s: New = %v, %v", name, h, err)
		}
	}
}

// Reactions come after storing and never stand in the way of the answer.
func TestAcknowledge(t *testing.T) {
	t.Parallel()
	trouble := errors.New("GitHub is away")
	for _, tt := range []struct {
		name, event, body string
		do                func(context.Context) error
		called            bool
	}{
		{"a command", "issue_comment", comment, nil, true},
		{"when GitHub is away", "issue_comment", comment, func(context.Context) error { return trouble }, true},
		{"when it panics", "issue_comment", comment, func(context.Context) error { panic("nil") }, true},
		{"when it hangs", "issue_comment", comment, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, true},
		{"a bot's comment", "issue_comment", strings.ReplaceAll(comment, `"User"`, `"Bot"`), nil, false},
		{"our own comment", "issue_comment", strings.Replace(comment, `"body"`, `"performed_via_github_app":{"id":77},"body"`, 1), nil, false},
		{"an edit", "issue_comment", strings.Replace(comment, "created", "edited", 1), nil, false},
		{"a push", "push", push, nil, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := openInbox(t)
			var mu sync.Mutex
			calls := 0
			h := handler(t, webhooks.Config{Inbox: b, Log: zerolog.New(zerolog.NewTestWriter(t)), Acknowledge: func(ctx context.Context, d inbox.Delivery) error {
				mu.Lock()
				calls++
				mu.Unlock()
				if _, err := b.Show(ctx, d.GUID); err != nil {
					t.Errorf("acknowledged before it was stored: %v", err)
				}
				if tt.do == nil {
					return nil
				}
				return tt.do(ctx)
			}})
			for range 2 { // the second is a duplicate
				if status, a := send(h, delivery("g1", tt.event, tt.body)); status != 202 {
					t.Errorf("answered %d %v", status, a)
				}
			}
			mu.Lock()
			defer mu.Unlock()
			if want := map[bool]int{true: 1}[tt.called]; calls != want {
				t.Errorf("acknowledged %d times, want %d", calls, want)
			}
		})
	}
}

// away is an inbox whose database cannot be reached.
type away struct{}

var errAway = errors.New("the database is away")

func (away) Put(context.Context, inbox.Delivery) (bool, error) { return false, errAway }
func (away) Ready(context.Context) error                       { return errAway }
func (away) Stats(context.Context) (inbox.Stats, error)        { return inbox.Stats{}, errAway }

func TestDatabaseAway(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	registry := prometheus.NewRegistry()
	metrics, err := webhooks.NewMetrics(registry)
	if err != nil {
		t.Fatal(err)
	}
	h := handler(t, webhooks.Config{Inbox: away{}, Metrics: metrics, Log: zerolog.New(&log)})
	if status, a := send(h, delivery("g1", "push", push)); status != 503 || strings.Contains(fmt.Sprint(a), "away") {
		t.Errorf("answered %d %v: want 503 without the reason, which is for the log", status, a)
	}
	if !strings.Contains(log.String(), errAway.Error()) || !strings.Contains(log.String(), `"delivery":"g1"`) {
		t.Errorf("logged %s", &log)
	}
	if status, a := send(h, httptest.NewRequest(http.MethodGet, "/readyz", nil)); status != 503 || fmt.Sprint(a["checks"]) != "map[inbox:failing]" {
		t.Errorf("/readyz: %d %v", status, a)
	}
	if status, _ := send(h, httptest.NewRequest(http.MethodGet, "/healthz", nil)); status != 200 {
		t.Errorf("/healthz: %d, though the process answers", status)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if text := w.Body.String(); w.Code != 200 || !strings.Contains(text, `dhibot_webhook_deliveries_total{event="push",outcome="failed"} 1`) ||
		strings.Contains(text, "dhibot_inbox_waiting") {
		t.Errorf("/metrics: %d, want the failure and no queue:\n%s", w.Code, text)
	}
}

func TestReadyAsksSparingly(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	asked, fail := 0, error(nil)
	h := handler(t, webhooks.Config{Inbox: openInbox(t), Now: func() time.Time { return now },
		Credentials: func(context.Context) error { asked++; return fail }})
	get := func(want int) {
		t.Helper()
		if status, a := send(h, httptest.NewRequest(http.MethodGet, "/readyz", nil)); status != want {
			t.Errorf("%d %v, want %d", status, a, want)
		}
	}
	get(200)
	fail = errors.New("key revoked")
	get(200) // a moment later: the last answer
	if asked != 1 {
		t.Errorf("asked %d times for two requests at once", asked)
	}
	now = now.Add(5 * time.Second)
	get(503)
	fail = nil
	now = now.Add(5 * time.Second)
	get(200)
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	metrics, err := webhooks.NewMetrics(registry)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := webhooks.NewMetrics(registry); err == nil {
		t.Error("registered twice")
	}
	h := handler(t, webhooks.Config{Inbox: openInbox(t), Metrics: metrics, Acknowledge: func(context.Context, inbox.Delivery) error { return nil }})
	send(h, delivery("g1", "issue_comment", comment))
	send(h, delivery("g1", "issue_comment", comment))
	send(h, delivery("g2", "made-up-"+strings.Repeat("x", 50), `{}`))
	forged := delivery("g3", "forged", `{}`)
	forged.Header.Del("X-Hub-Signature-256")
	send(h, forged)
	metrics.Observe(inbox.Observation{Delivery: inbox.Delivery{Event: "push", Priority: inbox.Event}, Outcome: "done", Took: time.Second})
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, want := range []string{
		`dhibot_webhook_deliveries_total{event="issue_comment",outcome="accepted"} 1`,
		`dhibot_webhook_deliveries_total{event="issue_comment",outcome="duplicate"} 1`,
		`dhibot_webhook_deliveries_total{event="other",outcome="ignored"} 1`,
		`dhibot_webhook_deliveries_total{event="other",outcome="refused"} 1`,
		`dhibot_webhook_acknowledge_seconds_count{result="ok"} 1`,
		`dhibot_webhook_duration_seconds_count{outcome="accepted"} 1`,
		`dhibot_inbox_waiting{priority="command"} 1`,
		`dhibot_inbox_waiting{priority="scan"} 0`,
		`dhibot_inbox_parked 0`,
		`dhibot_jobs_total{event="push",outcome="done"} 1`,
		`dhibot_job_duration_seconds_sum{event="push"} 1`,
	} {
		if !strings.Contains(w.Body.String(), want+"\n") {
			t.Errorf("no line %s", want)
		}
	}
	if t.Failed() {
		t.Log(w.Body.String())
	}
}
