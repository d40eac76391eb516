package bot_test

import (
	"strings"
	"testing"

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
	if err := w.settle(); err != nil {
		t.Fatal(err)
	}
	if errs := w.failures(); len(errs) > 0 {
		t.Fatal(errs)
	}
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
