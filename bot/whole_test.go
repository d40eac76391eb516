package bot_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"dhibot/bot"
	"dhibot/bot/body"
	"dhibot/bot/githubapi"
	"dhibot/bot/inbox"
	"dhibot/bot/standin"
	"dhibot/rewrite"
)

// TestWithTheEngine goes the whole way once with the real engine: what it makes
// of Dockerfiles is its own tests' matter, that it arrives whole is this one's.
func TestWithTheEngine(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(w *world) { w.engine = rewrite.Migrate })
	r, err := w.gh.AddRepository("acme", "shop", standin.Txtar(`
-- Dockerfile --
FROM node:22
WORKDIR /app
COPY package*.json ./
RUN npm ci --omit=dev
COPY . .
EXPOSE 3000
CMD ["node", "index.js"]
-- package.json --
{"name": "shop", "version": "1.0.0", "scripts": {"start": "node index.js"}}
-- index.js --
require("http").createServer((q, s) => s.end("ok")).listen(3000)
-- broken/Dockerfile --
FORM node
-- done/Dockerfile --
FROM dhi.io/node:22-debian13
CMD ["index.js"]
`), standin.Collaborator("alice", "write"))
	if err != nil {
		t.Fatal(err)
	}
	issue := r.OpenIssue("alice", "Please", "")
	if _, err := r.Comment("alice", issue, "/dhi migrate"); err != nil {
		t.Fatal(err)
	}
	w.done()
	pulls, err := w.pulls("acme/shop")
	if err != nil || len(pulls) != 1 {
		t.Fatalf("pull requests %v: %v\n%s", pulls, err, w.logged())
	}
	files, err := r.ReadFiles("dhi/migrate")
	if err != nil {
		t.Fatal(err)
	}
	if got := files["Dockerfile"].Content; !strings.Contains(got, "FROM dhi.io/node:") || strings.Contains(got, "FROM node:") {
		t.Errorf("the Dockerfile is\n%s", got)
	}
	if got := files["broken/Dockerfile"].Content; got != "FORM node\n" {
		t.Errorf("the broken Dockerfile is now %q", got)
	}
	for _, want := range []string{"`dhi.io/node:", "`broken/Dockerfile`: failed", "docker login dhi.io", "Catalog of 20"} {
		if !strings.Contains(pulls[0].Body, want) {
			t.Errorf("the text lacks %q:\n%s", want, pulls[0].Body)
		}
	}
	if t.Failed() || testing.Verbose() {
		t.Log(pulls[0].Body)
	}
}

// TestPlan asks from outside what would be done, as the command line does.
func TestPlan(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, files := range map[string]map[string]string{
		"shop":   {"Dockerfile": "FROM node:22\n"},
		"wrong":  {"Dockerfile": "FROM node:22\n", ".github/dhi.yml": "speed: fast\n"},
		"nobody": {"README.md": "No Dockerfile.\n"},
	} {
		if _, err := w.gh.AddRepository("acme", name, standin.Text(files)); err != nil {
			t.Fatal(err)
		}
	}
	w.writes()
	for name, want := range map[string]string{
		"shop":   "open a pull request: Move 1 Dockerfile",
		"wrong":  "there is no key `speed`",
		"nobody": "I found no Dockerfile",
	} {
		got, err := w.bot.Plan(t.Context(), "acme", name)
		if err != nil || !strings.Contains(got, want) {
			t.Errorf("%s: %v, %q is missing in\n%s", name, err, want, got)
		}
	}
	if _, err := w.bot.Plan(t.Context(), "somebody", "else"); !errors.Is(err, githubapi.ErrNotFound) {
		t.Errorf("a repository without the App: %v", err)
	}
	if list := w.writes(); len(list) > 0 {
		t.Errorf("planning wrote: %v", list)
	}
}

func TestNewNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	_, err := bot.New(bot.Deps{Keys: body.Keys{[]byte("short")}})
	for _, want := range []string{"GitHub", "AppID", "16 bytes", "engine"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %q", err, want)
		}
	}
}

// TestDeliveriesThatCannotBeRead ends them at once, instead of trying for hours.
func TestDeliveriesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, d := range []inbox.Delivery{
		{Event: "issue_comment", Body: []byte("{")},
		{Event: "push", Body: []byte("{}")},
	} {
		err := w.bot.Handle(t.Context(), d)
		if want := inbox.Drop(err); err == nil || reflect.TypeOf(err) != reflect.TypeOf(want) {
			t.Errorf("%s: %v", d.Event, err)
		}
	}
	for _, d := range []inbox.Delivery{{Event: "star", Body: []byte("{}")}, {Event: "ping", Body: []byte(`{"hook_id": 1}`)}} {
		if err := w.bot.Handle(t.Context(), d); err != nil {
			t.Errorf("%s: %v", d.Event, err)
		}
	}
}

// TestLimits puts a delivery back until GitHub's limit is over.
func TestLimits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(w *world) { w.unchecked = true })
	r, err := w.gh.AddRepository("acme", "shop", standin.Text(map[string]string{"Dockerfile": "FROM node:22\n"}), standin.Collaborator("alice", "write"))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.gh.AddFault(standin.Fault{Kind: standin.FaultPrimaryLimit, Path: "/repos/acme/shop/git/trees", Method: "POST", Status: 403}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Comment("alice", r.OpenIssue("alice", "Please", ""), "/dhi migrate"); err != nil {
		t.Fatal(err)
	}
	if err := w.settle(); err != nil {
		t.Fatal(err)
	}
	errs := w.failures()
	if len(errs) != 1 || !strings.Contains(errs[0].Error(), "put back until") {
		t.Errorf("errors %v, want one that puts the delivery back", errs)
	}
}
