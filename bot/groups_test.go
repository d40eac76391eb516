package bot_test

import (
	"fmt"
	"testing"

	"dhibot/bot/standin"
)

// TestCrashBetweenGroups breaks every single call of a request for two groups
// once, before and after its effect. In the end both have one pull request, and
// nothing was opened beyond what may be open.
func TestCrashBetweenGroups(t *testing.T) {
	t.Parallel()
	for _, after := range []bool{false, true} {
		t.Run(fmt.Sprintf("after=%v", after), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(w *world) { w.attempts, w.fresh, w.unchecked = 3, true, true })
			for at := 1; !t.Failed(); at++ {
				name := fmt.Sprintf("mono%d", at)
				r, err := w.gh.AddRepository("acme", name, standin.Text(map[string]string{
					"api/Dockerfile": "FROM node:22\n", "job/Dockerfile": "FROM golang:1.26\n", "web/Dockerfile": "FROM python:3.13\n",
					".github/dhi.yml": "group: directory\nmax_open: 2\n",
				}), standin.Collaborator("alice", "write"))
				if err != nil {
					t.Fatal(err)
				}
				issue := r.OpenIssue("alice", "Please", "")
				w.transport.set(at, after)
				if _, err := r.Comment("alice", issue, "/dhi migrate"); err != nil {
					t.Fatal(err)
				}
				if err := w.settle(); err != nil {
					t.Fatal(err)
				}
				calls, broken := w.transport.count()
				when := fmt.Sprintf("call %d (%s)", at, broken)
				if errs := w.failures(); len(errs) > 0 {
					t.Errorf("%s: %v", when, errs)
				}
				pulls, err := w.pulls("acme/" + name)
				if err != nil || len(pulls) != 2 {
					t.Fatalf("%s: pull requests %v: %v", when, pulls, err)
				}
				for i, group := range []string{"api", "job"} {
					p := pulls[i]
					m, err := testKeys.Read(p.Body)
					if err != nil || m.Group != "directory:"+group || m.Branch != p.Head.Ref || m.Head != r.Branch(p.Head.Ref) || !m.More || p.State != "open" {
						t.Errorf("%s: #%d remembers %+v: %v", when, p.Number, m, err)
					}
					files, err := r.ReadFiles(p.Head.Ref)
					if err != nil {
						t.Fatal(err)
					}
					for path, want := range map[string]string{"api/Dockerfile": "FROM node:22\n", "job/Dockerfile": "FROM golang:1.26\n", "web/Dockerfile": "FROM python:3.13\n"} {
						if path == group+"/Dockerfile" {
							want = "FROM dhi.io/" + want[len("FROM "):]
						}
						if files[path].Content != want {
							t.Errorf("%s: %s in #%d is %q", when, path, p.Number, files[path].Content)
						}
					}
				}
				comments, err := w.comments("acme/"+name, issue)
				if err != nil || len(comments) != 2 {
					t.Errorf("%s: comments %v: %v", when, comments, err)
				}
				if calls < at {
					if at < 12 {
						t.Errorf("only %d calls were broken", calls)
					}
					break
				}
			}
		})
	}
}
