package bot_test

import (
	"strings"
	"testing"

	"dhibot/bot/standin"
)

// TestMeanwhile lets people act between the App's looking and its writing. What
// they do is seen before anything of theirs is overwritten.
func TestMeanwhile(t *testing.T) {
	t.Parallel()
	push := func(branch, path, content string) func(*testing.T, *world, *standin.Repository) {
		return func(t *testing.T, _ *world, r *standin.Repository) {
			if _, err := r.Push("alice", branch, "Meanwhile", standin.Text(map[string]string{path: content})); err != nil {
				t.Error(err)
			}
		}
	}
	for name, c := range map[string]struct {
		update bool
		when   string
		do     func(*testing.T, *world, *standin.Repository)
		reply  string
		// files of our branch in the end, and text in the pull request
		files map[string]string
		text  string
	}{
		"somebody makes our branch": {false, "POST /git/refs", func(t *testing.T, _ *world, r *standin.Repository) {
			if _, err := r.Push("alice", "dhi/migrate", "Mine", standin.Text(map[string]string{"NOTES.md": "Mine.\n"})); err != nil {
				t.Error(err)
			}
		}, "that I did not write", map[string]string{"NOTES.md": "Mine.\n", "Dockerfile": "# reads README.md\nFROM node:22\n"}, ""},
		"the default branch moves": {false, "POST /git/refs", push("main", "web/Dockerfile", "FROM node:24\n"),
			"I opened #2", map[string]string{"Dockerfile": "# reads README.md\nFROM dhi.io/node:22\n"}, ""},
		"somebody pushes to our branch": {true, "POST /git/commits", push("dhi/migrate", "Dockerfile", "FROM dhi.io/node:22-mine\n"),
			"Somebody has pushed to the branch of #2", map[string]string{"Dockerfile": "FROM dhi.io/node:22-mine\n"}, ""},
		"right before the branch moves": {true, "PATCH /pulls/2", push("dhi/migrate", "Dockerfile", "FROM dhi.io/node:22-mine\n"),
			"Somebody has pushed to the branch of #2", map[string]string{"Dockerfile": "FROM dhi.io/node:22-mine\n"}, ""},
		"somebody closes it": {true, "POST /git/commits", func(t *testing.T, _ *world, r *standin.Repository) {
			if err := r.CloseIssue("alice", 2); err != nil {
				t.Error(err)
			}
		}, "#2 was closed without merging, and I take that for a no", map[string]string{"web/Dockerfile": "", "Dockerfile": "# reads README.md\nFROM dhi.io/node:22\n"}, ""},
		"somebody ticks an item": {true, "POST /git/commits", func(t *testing.T, w *world, r *standin.Repository) {
			pulls, err := w.pulls("acme/shop")
			if err != nil {
				t.Error(err)
				return
			}
			text := strings.Replace(pulls[0].Body, "- [ ] the neighbour", "- [x] the neighbour", 1)
			if err := r.EditIssue("alice", 2, text); err != nil || text == pulls[0].Body {
				t.Errorf("not ticked: %v", err)
			}
		}, "I brought #2 up to date", map[string]string{"web/Dockerfile": "FROM dhi.io/python:3.13\n"}, "- [x] the neighbour"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			r, err := w.gh.AddRepository("acme", "shop", standin.Text(map[string]string{"Dockerfile": "# reads README.md\nFROM node:22\n", "README.md": "The shop.\n"}), standin.Collaborator("alice", "write"))
			if err != nil {
				t.Fatal(err)
			}
			issue := r.OpenIssue("alice", "Please", "")
			ask := func() {
				t.Helper()
				if _, err := r.Comment("alice", issue, "/dhi migrate"); err != nil {
					t.Fatal(err)
				}
				w.done()
			}
			if c.update {
				ask()
				w.unheard(r, map[string]string{"web/Dockerfile": "FROM python:3.13\n"})
			}
			happened := false
			w.transport.during(c.when, func() { happened = true; c.do(t, w, r) })
			ask()
			if !happened {
				t.Fatal("nothing happened meanwhile")
			}
			comments, err := w.comments("acme/shop", issue)
			if err != nil || !strings.Contains(comments[len(comments)-1].Body, c.reply) {
				t.Errorf("%v: %v", comments, err)
			}
			files, err := r.ReadFiles("dhi/migrate")
			if err != nil {
				t.Fatal(err)
			}
			for path, want := range c.files {
				if files[path].Content != want {
					t.Errorf("%s is %q, want %q", path, files[path].Content, want)
				}
			}
			if c.text == "" {
				return
			}
			pulls, err := w.pulls("acme/shop")
			if err != nil || len(pulls) != 1 || !strings.Contains(pulls[0].Body, c.text) {
				t.Errorf("%q is not in %v: %v", c.text, pulls, err)
			}
		})
	}
}

// TestMeanwhileClosing: nothing is left of a pull request, and while the App
// closes it somebody pushes to its branch. What was pushed stays.
func TestMeanwhileClosing(t *testing.T) {
	t.Parallel()
	for when, state := range map[string]string{
		"POST /issues/2/comments": "closed", // too late to stay open
		"GET /pulls/2":            "open",
	} {
		t.Run(when, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			r, err := w.gh.AddRepository("acme", "shop", standin.Text(map[string]string{"Dockerfile": "FROM node:22\n"}), standin.Collaborator("alice", "write"))
			if err != nil {
				t.Fatal(err)
			}
			push := func(branch, path, content string) {
				if _, err := r.Push("alice", branch, "Meanwhile", standin.Text(map[string]string{path: content})); err != nil {
					t.Error(err)
				}
			}
			if _, err := r.Comment("alice", r.OpenIssue("alice", "Please", ""), "/dhi migrate"); err != nil {
				t.Fatal(err)
			}
			w.done()
			happened := false
			w.transport.during(when, func() { happened = true; push("dhi/migrate", "NOTES.md", "Mine.\n") })
			push("main", "Dockerfile", "FROM dhi.io/node:22\n")
			w.done()
			if !happened {
				t.Fatal("nothing happened meanwhile")
			}
			files, err := r.ReadFiles("dhi/migrate")
			if err != nil || files["NOTES.md"].Content != "Mine.\n" {
				t.Errorf("what was pushed is gone: %v, %v", files, err)
			}
			pulls, err := w.pulls("acme/shop")
			if err != nil || len(pulls) != 1 || pulls[0].State != state {
				t.Errorf("%v: %v", pulls, err)
			}
		})
	}
}
