package event_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dhibot/bot/event"
)

// comment is a shortened issue_comment payload with the members that have
// broken other clients: a multi-select custom property and members nobody
// knew when the client was written.
const comment = `{
  "action": "created",
  "issue": {"id": 7, "number": 3, "title": "t", "state": "open", "user": {"id": 9, "login": "mona", "type": "User"},
    "pull_request": {"url": "https://api.github.com/repos/acme/shop/pulls/3"}, "sub_issues_summary": {"total": 0}},
  "comment": {"id": 11, "user": {"id": 9, "login": "mona", "type": "User"}, "body": "/dhi migrate",
    "created_at": "2026-11-01T10:00:00Z", "updated_at": "2026-11-01T10:00:00Z", "performed_via_github_app": null},
  "repository": {"id": 5, "name": "shop", "full_name": "acme/shop", "default_branch": "main",
    "owner": {"id": 1, "login": "acme", "type": "Organization"},
    "custom_properties": {"team": ["payments", "platform"], "tier": "1", "pci": null}},
  "organization": {"id": 1, "login": "acme"},
  "sender": {"id": 9, "login": "mona", "type": "User"},
  "installation": {"id": 42, "node_id": "x"}
}`

func decode[E event.Event](t *testing.T, kind, body string) E {
	t.Helper()
	ev, err := event.Decode(kind, []byte(body))
	if err != nil {
		t.Fatalf("Decode(%s): %v", kind, err)
	}
	e, ok := ev.(E)
	if !ok {
		t.Fatalf("Decode(%s) is a %T", kind, ev)
	}
	return e
}

// go-github v60 refuses this payload: trap T1.
func TestT1MultiSelectCustomProperties(t *testing.T) {
	t.Parallel()
	e := decode[*event.IssueComment](t, "issue_comment", comment)
	type seen struct {
		Action, Body, Login, FullName, Branch string
		Installation, Repository, Issue       int64
		Pull                                  bool
	}
	got := seen{e.Action, e.Comment.Body, e.Comment.User.Login, e.Repository.FullName, e.Repository.DefaultBranch,
		e.Common().Installation.ID, e.Common().Repository.ID, e.Issue.Number, e.Issue.IsPullRequest()}
	want := seen{"created", "/dhi migrate", "mona", "acme/shop", "main", 42, 5, 3, true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// What is not read cannot break a delivery, whatever becomes of it on GitHub.
func TestOtherMembersDoNotMatter(t *testing.T) {
	t.Parallel()
	odd := `"id": "a string", "title": 5, "user": {"id": {}, "login": "mona", "type": "User"}, "labels": "none", "created_at": "today", "draft": null`
	e := decode[*event.PullRequest](t, "pull_request", `{"action":"opened","number":3,"organization":[],"changes":0,
		"pull_request":{"number":3,`+odd+`,"head":{"ref":"x","repo":null}},"repository":{"id":5,"private":"yes","node_id":1,"fork":{}},"installation":{"id":42,"account":"acme"}}`)
	if e.Pull.Number != 3 || e.SameRepository() || e.Installation.ID != 42 {
		t.Errorf("%+v", e)
	}
	if c := decode[*event.IssueComment](t, "issue_comment", strings.Replace(comment, `"id": 7, "number": 3, "title": "t"`, `"number": 3, `+odd, 1)); c.Issue.Number != 3 {
		t.Errorf("%+v", c)
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	push := func(before, after string) string {
		return `{"ref":"refs/heads/main","before":"` + before + `","after":"` + after + `","repository":{"id":5}}`
	}
	key := func(kind, body string) string {
		ev, err := event.Decode(kind, []byte(body))
		if err != nil {
			t.Fatalf("Decode(%s): %v", kind, err)
		}
		return ev.Key()
	}
	created := key("issue_comment", comment)
	viaOtherHook := key("issue_comment", strings.Replace(comment, `"installation": {"id": 42, "node_id": "x"}`, `"hook": 1`, 1))
	edited := key("issue_comment", strings.Replace(comment, `"updated_at": "2026-11-01T10:00:00Z"`, `"updated_at": "2026-11-01T10:00:01Z"`, 1))
	deleted := key("issue_comment", strings.Replace(comment, `"created"`, `"deleted"`, 1))
	undated := key("issue_comment", strings.Replace(comment, `"updated_at": "2026-11-01T10:00:00Z",`, ``, 1))

	if created == "" || created != viaOtherHook {
		t.Errorf("one comment through two hooks: keys %q and %q", created, viaOtherHook)
	}
	if created == edited || created == deleted {
		t.Errorf("different happenings share the key %q", created)
	}
	if undated != "" {
		t.Errorf("a comment without a time has the key %q: it would swallow its own edits", undated)
	}
	if again := strings.Replace(push("a", "b"), `"id":5`, `"id":5,"pushed_at":1`, 1); key("push", push("a", "b")) != key("push", again) {
		t.Error("one push, reported twice, has two keys")
	}
	if key("push", push("a", "b")) == key("push", push("c", "b")) {
		t.Error("a branch forced back to an earlier commit has the key of the earlier push")
	}
	for kind, body := range map[string]string{
		"issues":                    `{"repository":{"id":5},"issue":{"number":1}}`,
		"pull_request":              `{"repository":{"id":5},"pull_request":{"number":1}}`,
		"check_run":                 `{"repository":{"id":5},"check_run":{"id":1}}`,
		"repository":                `{"repository":{"id":5}}`,
		"installation":              `{"installation":{"id":5}}`,
		"installation_repositories": `{"installation":{"id":5}}`,
		"installation_target":       `{"installation":{"id":5}}`,
		"ping":                      `{}`,
	} {
		if got := key(kind, body); got != "" {
			t.Errorf("%s has the key %q, though its payload does not identify it", kind, got)
		}
	}
}

func TestWhoIsAMachine(t *testing.T) {
	t.Parallel()
	const self = 77
	for _, tt := range []struct {
		name, old, new string
		want           bool
	}{
		{"a person", "", "", false},
		{"a bot wrote it", `"comment": {"id": 11, "user": {"id": 9, "login": "mona", "type": "User"}`, `"comment": {"id": 11, "user": {"id": 9, "login": "x[bot]", "type": "Bot"}`, true},
		{"a bot sent it", `"sender": {"id": 9, "login": "mona", "type": "User"}`, `"sender": {"id": 9, "login": "x[bot]", "type": "Bot"}`, true},
		{"our App, for a user", `"performed_via_github_app": null`, `"performed_via_github_app": {"id": 77}`, true},
		{"another App, for a user", `"performed_via_github_app": null`, `"performed_via_github_app": {"id": 78}`, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := decode[*event.IssueComment](t, "issue_comment", strings.Replace(comment, tt.old, tt.new, 1))
			if got := e.FromMachine(self); got != tt.want {
				t.Errorf("FromMachine = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestPushBranch(t *testing.T) {
	t.Parallel()
	for ref, want := range map[string]string{
		"refs/heads/main":        "main",
		"refs/heads/feature/x":   "feature/x",
		"refs/tags/v1":           "",
		"refs/heads":             "",
		"refs/tags/refs/heads/x": "",
	} {
		p := decode[*event.Push](t, "push", `{"ref":"`+ref+`","after":"b","repository":{"id":5}}`)
		if got := p.Branch(); got != want {
			t.Errorf("Branch of %s = %q, want %q", ref, got, want)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, kind, body string
		want             error
	}{
		{"an event newer than we are", "repository_ruleset", `{}`, event.ErrUnknown},
		{"no event", "", `{}`, event.ErrUnknown},
		{"not JSON", "push", `ref=main`, event.ErrMalformed},
		{"empty", "push", ``, event.ErrMalformed},
		{"cut off", "issue_comment", comment[:len(comment)/2], event.ErrMalformed},
		{"two documents", "push", `{"ref":"r","after":"a","repository":{"id":1}}{}`, event.ErrMalformed},
		{"an array", "push", `[]`, event.ErrMalformed},
		{"null", "push", `null`, event.ErrMalformed},
		{"a comment without id", "issue_comment", strings.Replace(comment, `"id": 11, `, ``, 1), event.ErrMalformed},
		{"a comment without repository", "issue_comment", `{"issue":{"number":1},"comment":{"id":1}}`, event.ErrMalformed},
		{"an id that is a string", "push", `{"ref":"r","after":"a","repository":{"id":"1"}}`, event.ErrMalformed},
		{"an id beyond 64 bits", "push", `{"ref":"r","after":"a","repository":{"id":92233720368547758080}}`, event.ErrMalformed},
		{"a push of nothing", "push", `{"after":"a","repository":{"id":1}}`, event.ErrMalformed},
		{"a push to nowhere", "push", `{"ref":"r","repository":{"id":1}}`, event.ErrMalformed},
		{"an installation without id", "installation", `{"action":"created"}`, event.ErrMalformed},
		{"nesting without end", "push", strings.Repeat(`{"commits":[`, 20_000), event.ErrMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if ev, err := event.Decode(tt.kind, []byte(tt.body)); !errors.Is(err, tt.want) {
				t.Errorf("Decode = %#v, %v; want %v", ev, err, tt.want)
			}
		})
	}
}

// Whatever arrives, Decode answers with an event or one of its two errors,
// and a decoded event has the ids its handler will key on.
func FuzzDecode(f *testing.F) {
	f.Add("issue_comment", []byte(comment))
	f.Add("push", []byte(`{"ref":"refs/heads/main","after":"b","repository":{"id":5},"commits":[{"added":["Dockerfile"]}]}`))
	f.Add("installation", []byte(`{"action":"created","installation":{"id":1,"suspended_at":null},"repositories":[{"id":1}]}`))
	f.Add("check_run", []byte(`{"check_run":{"id":1,"pull_requests":[{"number":2}]},"repository":{"id":1}}`))
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		ev, err := event.Decode(kind, body)
		if err != nil {
			if !errors.Is(err, event.ErrUnknown) && !errors.Is(err, event.ErrMalformed) {
				t.Fatalf("an error of another kind: %v", err)
			}
			return
		}
		if !event.Known(kind) {
			t.Fatalf("%q was decoded but is not known", kind)
		}
		if ev.Key() != "" && ev.Common().Repository.ID == 0 {
			t.Fatalf("the key %q belongs to no repository", ev.Key())
		}
	})
}
