package standin_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/google/go-github/v60/github"

	"dhibot/bot/standin"
	"dhibot/bot/standin/standintest"
)

// permissions are those of the App under test.
func permissions() map[string]string {
	return map[string]string{"contents": "write", "pull_requests": "write", "issues": "write", "checks": "write"}
}

func events() []string {
	return []string{"push", "pull_request", "issue_comment", "issues", "check_run", "repository", "create", "delete"}
}

// world is a server with one organisation, one repository and the App on it.
type world struct {
	*standin.Server
	app  *standin.App
	inst *standin.Installation
	repo *standin.Repository
}

const sample = `
-- Dockerfile --
FROM node:23
CMD ["node", "index.js"]
-- bin/run.sh (executable) --
#!/bin/sh
-- link (symlink) --
Dockerfile
-- docs/a/b.md --
text
`

// newWorld is a world that the contract watches.
func newWorld(t testing.TB, opts ...standin.Option) *world {
	t.Helper()
	return makeWorld(t, append(watch(t), opts...)...)
}

func makeWorld(t testing.TB, opts ...standin.Option) *world {
	t.Helper()
	s := standintest.Listen(t, opts...)
	s.AddOrganization("acme")
	repo, err := s.AddRepository("acme", "shop", standin.Txtar(sample), standin.Collaborator("alice", "write"))
	if err != nil {
		t.Fatal(err)
	}
	app, err := s.AddApp(standin.AppConfig{Slug: "dhibot", Permissions: permissions(), Events: events(), Secret: "s3cret", Key: standintest.Key(t)})
	if err != nil {
		t.Fatal(err)
	}
	inst, err := app.Install("acme")
	if err != nil {
		t.Fatal(err)
	}
	return &world{s, app, inst, repo}
}

// client is go-github as the App's installation, over ghinstallation.
func (w *world) client(t testing.TB, base string) *github.Client {
	t.Helper()
	tr, err := ghinstallation.New(http.DefaultTransport, w.app.ID(), w.inst.ID(), w.app.PrivateKeyPEM())
	if err != nil {
		t.Fatal(err)
	}
	tr.BaseURL = strings.TrimSuffix(base, "/")
	c := github.NewClient(&http.Client{Transport: tr})
	u, err := c.BaseURL.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	c.BaseURL = u
	return c
}

// TestCommentBecomesPullRequest walks the App's whole path with the clients it
// uses, at both forms of the API address.
func TestCommentBecomesPullRequest(t *testing.T) {
	t.Parallel()
	for _, form := range []string{"/", "/api/v3/"} {
		t.Run("at "+form, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			var got []string
			receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err != nil {
					t.Error(err)
				}
				if err := github.ValidateSignature(r.Header.Get("X-Hub-Signature-256"), body, []byte("s3cret")); err != nil {
					t.Error(err)
				}
				if _, err := github.ParseWebHook(r.Header.Get("X-GitHub-Event"), body); err != nil {
					t.Error(err)
				}
				mu.Lock()
				got = append(got, r.Header.Get("X-GitHub-Event"))
				mu.Unlock()
				w.WriteHeader(http.StatusAccepted)
			}))
			t.Cleanup(receiver.Close)
			w := newWorld(t)
			w.app.SetWebhook(receiver.URL, "s3cret")
			ctx := context.Background()
			gh := w.client(t, w.URL()+form)

			number := w.repo.OpenIssue("alice", "Please migrate", "")
			comment, err := w.repo.Comment("alice", number, "/dhi migrate")
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := gh.Reactions.CreateIssueCommentReaction(ctx, "acme", "shop", comment, "eyes"); err != nil {
				t.Fatal(err)
			}
			level, _, err := gh.Repositories.GetPermissionLevel(ctx, "acme", "shop", "alice")
			if err != nil || level.GetPermission() != "write" {
				t.Fatalf("permission %q, %v", level.GetPermission(), err)
			}
			tree, _, err := gh.Git.GetTree(ctx, "acme", "shop", "main", true)
			if err != nil || tree.GetTruncated() || len(tree.Entries) != 7 {
				t.Fatalf("tree %v, %v", tree, err)
			}
			branch, _, err := gh.Repositories.GetBranch(ctx, "acme", "shop", "main", 1)
			if err != nil {
				t.Fatal(err)
			}
			blob, _, err := gh.Git.GetBlobRaw(ctx, "acme", "shop", tree.Entries[0].GetSHA())
			if err != nil || !strings.HasPrefix(string(blob), "FROM node:23") {
				t.Fatalf("blob %q, %v", blob, err)
			}
			made, _, err := gh.Git.CreateTree(ctx, "acme", "shop", branch.GetCommit().GetCommit().GetTree().GetSHA(), []*github.TreeEntry{{
				Path: github.String("Dockerfile"), Mode: github.String("100644"), Type: github.String("blob"), Content: github.String("FROM dhi.io/node:23\n"),
			}})
			if err != nil {
				t.Fatal(err)
			}
			commit, _, err := gh.Git.CreateCommit(ctx, "acme", "shop", &github.Commit{
				Message: github.String("Migrate"), Tree: made, Parents: []*github.Commit{{SHA: branch.Commit.SHA}},
			}, nil)
			if err != nil || !commit.GetVerification().GetVerified() {
				t.Fatalf("commit %v, %v", commit, err)
			}
			if _, _, err := gh.Git.CreateRef(ctx, "acme", "shop", &github.Reference{
				Ref: github.String("refs/heads/dhi/migrate"), Object: &github.GitObject{SHA: commit.SHA},
			}); err != nil {
				t.Fatal(err)
			}
			pr, _, err := gh.PullRequests.Create(ctx, "acme", "shop", &github.NewPullRequest{
				Title: github.String("Migrate to DHI"), Head: github.String("dhi/migrate"), Base: github.String("main"), Body: github.String("- [ ] check"),
			})
			if err != nil || pr.GetUser().GetLogin() != "dhibot[bot]" || pr.GetHead().GetSHA() != commit.GetSHA() {
				t.Fatalf("pull request %v, %v", pr, err)
			}
			files, _, err := gh.PullRequests.ListFiles(ctx, "acme", "shop", pr.GetNumber(), nil)
			if err != nil || len(files) != 1 || !strings.Contains(files[0].GetPatch(), "+FROM dhi.io/node:23") {
				t.Fatalf("files %v, %v", files, err)
			}
			if _, _, err := gh.Issues.CreateComment(ctx, "acme", "shop", number, &github.IssueComment{Body: github.String(pr.GetHTMLURL())}); err != nil {
				t.Fatal(err)
			}
			drain(t, w.Server)
			want := "issues issue_comment push create pull_request issue_comment"
			mu.Lock()
			defer mu.Unlock()
			if s := strings.Join(got, " "); s != want {
				t.Errorf("events %q, want %q", s, want)
			}
			checkClone(t, w.repo, "dhi/migrate")
		})
	}
}

func drain(t testing.TB, s *standin.Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := s.Drain(ctx); err != nil {
		t.Fatal(err)
	}
}

// checkClone clones a branch and compares every file and mode with what the
// stand-in says, then runs git fsck on both sides.
func checkClone(t *testing.T, repo *standin.Repository, branch string) {
	t.Helper()
	dir := t.TempDir()
	git(t, dir, "clone", "-q", "--branch", branch, repo.CloneURL(), "copy")
	copied := filepath.Join(dir, "copy")
	want, err := repo.ReadFiles(branch)
	if err != nil {
		t.Fatal(err)
	}
	have := git(t, copied, "ls-tree", "-r", "HEAD")
	for path, f := range want {
		mode := f.Mode
		if mode == "" {
			mode = "100644"
		}
		if !strings.Contains(have, mode+" blob ") || !strings.Contains(have, "\t"+path) {
			t.Errorf("clone lacks %s %s:\n%s", mode, path, have)
		}
		if mode == "120000" {
			continue
		}
		b, err := os.ReadFile(filepath.Join(copied, path))
		if err != nil || string(b) != f.Content {
			t.Errorf("%s: %q, %v; want %q", path, b, err, f.Content)
		}
	}
	if n := strings.Count(have, "\n"); n != len(want) {
		t.Errorf("clone has %d files, want %d", n, len(want))
	}
	git(t, copied, "fsck", "--strict")
	if said, err := repo.Fsck(context.Background()); err != nil || said != "" {
		t.Errorf("git fsck: %q, %v", said, err)
	}
}

func git(t testing.TB, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=t", "GIT_AUTHOR_EMAIL=t@example.com", "GIT_COMMITTER_NAME=t", "GIT_COMMITTER_EMAIL=t@example.com")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}
