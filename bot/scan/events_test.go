package scan_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"dhibot/bot/inbox"
	"dhibot/bot/standin"
)

// TestEvents: what happens on GitHub is acted on without waiting for a pass, and
// what a person or a rule has refused is not asked for again.
func TestEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	home := w.home("first_wave: none\nonboarding: none\n")
	shop := w.repository("shop", standin.Text(map[string]string{"README.md": "no Dockerfile yet\n"}))
	ruled := w.repository("ruled", node(8001))
	ruled.AddRule("dhi/*", standin.Rule{Type: "creation"})
	w.begin()
	if all := w.pulls(); len(all) != 0 {
		t.Fatalf("%v", all)
	}
	if !strings.Contains(w.log.String(), "GitHub refused") {
		t.Error("the rule was not met")
	}

	// A Dockerfile comes: its repository gets a pull request.
	if _, err := shop.Push("alice", "main", "container", node(8000)); err != nil {
		t.Fatal(err)
	}
	w.work()
	if all := w.pulls(); len(all) != 1 || len(all["shop"]) != 1 {
		t.Fatalf("%v", all)
	}
	// A person says no; another push does not change that.
	if err := shop.CloseIssue("alice", all(w, "shop")[0].Number); err != nil {
		t.Fatal(err)
	}
	w.work()
	if _, err := shop.Push("alice", "main", "port", node(8002)); err != nil {
		t.Fatal(err)
	}
	w.work()
	w.tick(48 * time.Hour)
	if list := all(w, "shop"); len(list) != 1 || list[0].State != "closed" {
		t.Fatalf("%v", list)
	}

	// A refusal by a rule is tried again a day later, or when something changed.
	w.taken()
	w.tick(time.Hour)
	rest, _ := w.taken()
	for _, c := range rest {
		if strings.Contains(c, "ruled") {
			t.Errorf("asked again at once: %s", c)
		}
	}
	ruled.ClearRules()
	w.tick(25 * time.Hour)
	if list := all(w, "ruled"); len(list) != 1 {
		t.Errorf("%v", list)
	}

	// The settings of all change: everything is looked at again, and switched off.
	if _, err := home.Push("alice", "main", "off", standin.Text(map[string]string{".github/dhi.yml": "mode: off\n"})); err != nil {
		t.Fatal(err)
	}
	fresh := w.repository("fresh", node(8003))
	w.work()
	w.tick(7 * time.Hour)
	if list := all(w, "fresh"); len(list) != 0 {
		t.Errorf("%v", list)
	}

	// What is gone is forgotten.
	ids := func() map[int64][]byte {
		docs, err := w.memory.Repositories(context.Background(), w.inst.ID())
		if err != nil {
			t.Fatal(err)
		}
		return docs
	}
	if docs := ids(); docs[fresh.ID()] == nil || docs[shop.ID()] == nil {
		t.Fatalf("%d records", len(docs))
	}
	fresh.Delete("alice")
	w.work()
	if docs := ids(); docs[fresh.ID()] != nil || docs[shop.ID()] == nil {
		t.Errorf("%d records", len(docs))
	}
	w.inst.Uninstall()
	w.work()
	if docs := ids(); len(docs) != 0 {
		t.Errorf("%d records of nobody", len(docs))
	}
	w.tick(24 * time.Hour) // and nothing fails
}

func all(w *world, name string) []pullView { return w.pulls()[name] }

// TestLeaving: what leaves the installation is forgotten, although everybody can
// still see it; an account that is renamed keeps its settings.
func TestLeaving(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.gh.AddOrganization("other")
	shop, sold := w.repository("shop", node(8000)), w.repository("sold", node(8001))
	w.home("mode: report\nonboarding: none\n")
	var err error
	if w.inst, err = w.app.Install("acme", "shop", "sold", ".github"); err != nil {
		t.Fatal(err)
	}
	w.work()
	known := func() (n int) {
		docs, err := w.memory.Repositories(context.Background(), w.inst.ID())
		if err != nil {
			t.Fatal(err)
		}
		return len(docs)
	}
	if n := known(); n != 3 {
		t.Fatalf("%d records", n)
	}
	if err := w.inst.RemoveRepository("shop"); err != nil {
		t.Fatal(err)
	}
	w.work()
	if n := known(); n != 2 {
		t.Errorf("%d records after one was taken out", n)
	}
	if err := sold.Transfer("alice", "other"); err != nil {
		t.Fatal(err)
	}
	w.work()
	w.tick(7 * time.Hour)
	if n := known(); n != 1 {
		t.Errorf("%d records after one was transferred", n)
	}
	if err := w.inst.AddRepository("shop"); err != nil {
		t.Fatal(err)
	}
	if err := w.gh.RenameAccount("acme", "apex"); err != nil {
		t.Fatal(err)
	}
	w.work()
	w.tick(7 * time.Hour)
	w.taken()
	if _, err := shop.Push("alice", "main", "port", node(8005)); err != nil {
		t.Fatal(err)
	}
	w.work()
	rest, _ := w.taken()
	checks := 0
	for _, c := range rest {
		if c == "POST /repos/apex/shop/check-runs" {
			checks++
		}
	}
	if n := known(); n != 2 || checks != 1 {
		t.Errorf("%d records, %d check runs under the new name: the settings were lost", n, checks)
	}
	if all := w.pulls(); len(all) != 0 {
		t.Errorf("%v", all)
	}
}

// TestMissed: a push that no delivery told of is found by the next pass, which
// has the open pull request brought up to date.
func TestMissed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shop := w.repository("shop", node(8000))
	w.begin()
	if len(all(w, "shop")) != 1 {
		t.Fatal("no pull request")
	}
	read := func() string {
		files, err := shop.ReadFiles("dhi/migrate")
		if err != nil {
			t.Fatal(err)
		}
		return files["Dockerfile"].Content
	}
	w.refuse = func(d inbox.Delivery) bool { return d.Event == "push" }
	if _, err := shop.Push("alice", "main", "port", node(8123)); err != nil {
		t.Fatal(err)
	}
	w.work()
	if strings.Contains(read(), "8123") {
		t.Fatal("the push was not lost")
	}
	w.tick(time.Hour) // not yet time for a pass
	w.tick(6 * time.Hour)
	if !strings.Contains(read(), "8123") || len(all(w, "shop")) != 1 {
		t.Errorf("%s\n%v", read(), all(w, "shop"))
	}
}
