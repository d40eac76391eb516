package scan_test

import (
	"strings"
	"testing"

	"dhibot/bot/standin"
)

// TestNeighbourChanges: a push that changes no Dockerfile may change what becomes
// of one. An open pull request follows it when it would propose something else,
// and is left in peace otherwise.
func TestNeighbourChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.home("first_wave: none\nonboarding: none\n")
	files := node(8000)
	files["Dockerfile"] = standin.File{Content: strings.Replace(files["Dockerfile"].Content, `["node", "server.js"]`, `["npm", "start"]`, 1)}
	shop := w.repository("shop", files)
	w.begin()
	migrated := func() string {
		t.Helper()
		got, err := shop.ReadFiles("dhi/migrate")
		if err != nil {
			t.Fatal(err)
		}
		return got["Dockerfile"].Content
	}
	if !strings.Contains(migrated(), "server.js") {
		t.Fatalf("npm start is to become the program:\n%s", migrated())
	}
	before := shop.Branch("dhi/migrate")
	push := func(path, content string) {
		t.Helper()
		if _, err := shop.Push("alice", "main", "Meanwhile", standin.Text(map[string]string{path: content})); err != nil {
			t.Fatal(err)
		}
		w.work()
	}
	push("README.md", "The shop.\n")
	if shop.Branch("dhi/migrate") != before {
		t.Error("the branch was moved although nothing would be proposed anew")
	}
	push("package.json", `{"name":"shop","scripts":{"start":"node main.js"}}`+"\n")
	if got := migrated(); !strings.Contains(got, "main.js") || strings.Contains(got, "server.js") {
		t.Errorf("it starts another program than package.json says:\n%s", got)
	}
	w.merge(1)
	w.work()
	w.taken()
	push("README.md", "The shop, open.\n")
	if rest, graphql := w.taken(); len(rest)+graphql > 0 {
		t.Errorf("without an open pull request a push costs %v and %d", rest, graphql)
	}
}

// TestAnotherDefaultBranch: an open pull request follows the default branch, also
// when nothing that it proposes is another on the new one.
func TestAnotherDefaultBranch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.home("first_wave: none\nonboarding: none\n")
	shop := w.repository("shop", node(8000))
	w.begin()
	if _, err := shop.Push("alice", "develop", "Another line of work", node(8000)); err != nil {
		t.Fatal(err)
	}
	if err := shop.SetDefaultBranch("alice", "develop"); err != nil {
		t.Fatal(err)
	}
	w.work()
	var list []struct {
		State string `json:"state"`
		Base  struct {
			Ref string `json:"ref"`
		} `json:"base"`
	}
	w.get("repos/acme/shop/pulls?state=all", &list)
	if len(list) != 1 || list[0].State != "open" || list[0].Base.Ref != "develop" {
		t.Errorf("%+v", list)
	}
}
