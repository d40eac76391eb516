package bot_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"dhibot/bot/standin"
)

// TestWrites counts what a pull request costs: four writes to open it and three
// to bring it up to date, whatever the number of Dockerfiles; one more when its
// text has to change as well. The check run on the new head, the answer and the
// reactions are not counted.
func TestWrites(t *testing.T) {
	t.Parallel()
	commit := []string{"POST /repos/{repo}/git/trees 201", "POST /repos/{repo}/git/commits 201"}
	opening := append(slices.Clone(commit), "POST /repos/{repo}/git/refs 201", "POST /repos/{repo}/pulls 201")
	moving := append(slices.Clone(commit), "PATCH /repos/{repo}/git/refs/heads/dhi/migrate 200")
	changing := append(slices.Clone(commit), "PATCH /repos/{repo}/pulls/{n} 200", "PATCH /repos/{repo}/git/refs/heads/dhi/migrate 200")
	for _, k := range []int{1, 7, 40} {
		t.Run(fmt.Sprint(k), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			files := map[string]string{}
			for i := range k {
				files[fmt.Sprintf("svc%d/Dockerfile", i)] = "FROM node:22\n"
			}
			r, err := w.gh.AddRepository("acme", "shop", standin.Text(files), standin.Collaborator("alice", "write"))
			if err != nil {
				t.Fatal(err)
			}
			issue := r.OpenIssue("alice", "Please", "")
			ask := func(path, content, command string) []string {
				t.Helper()
				if path != "" {
					w.unheard(r, map[string]string{path: content})
				}
				w.writes()
				if _, err := r.Comment("alice", issue, command); err != nil {
					t.Fatal(err)
				}
				w.done()
				return slices.DeleteFunc(w.writes(), func(call string) bool {
					return strings.Contains(call, "/check-runs") || strings.Contains(call, "/issues/")
				})
			}
			for _, step := range []struct {
				path, content, command string
				want                   []string
			}{
				{"", "", "/dhi migrate", opening},
				{"README.md", "Read me.\n", "/dhi rebase", moving},
				{"", "", "/dhi rebase", nil},
				{"README.md", "Read me again.\n", "/dhi migrate", moving},
				{"svc0/Dockerfile", "FROM node:24\n", "/dhi rebase", changing},
				{"README.md", "Read me.\n", "/dhi rebase", moving},
				{"", "", "/dhi recreate", moving},
				{"", "", "/dhi migrate --distro alpine", changing},
			} {
				if got := ask(step.path, step.content, step.command); !slices.Equal(got, step.want) {
					t.Errorf("%s after a change of %q:\n%s\nwant\n%s", step.command, step.path, strings.Join(got, "\n"), strings.Join(step.want, "\n"))
				}
			}
			pulls, err := w.pulls("acme/shop")
			if err != nil || len(pulls) != 1 || pulls[0].Head.SHA != r.Branch("dhi/migrate") {
				t.Errorf("%v: %v", pulls, err)
			}
		})
	}
}
