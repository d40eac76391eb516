package standin_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"dhibot/bot/standin"
)

// cloneURL is the address with a token in it, as CI systems use it.
func cloneURL(t testing.TB, r *standin.Repository, token string) string {
	t.Helper()
	u, err := url.Parse(r.CloneURL())
	must(t, err)
	u.User = url.UserPassword("x-access-token", token)
	return u.String()
}

// lastEvents returns the newest n deliveries as "event/action".
func lastEvents(w *world, from int) []string {
	var out []string
	for _, d := range w.Deliveries()[from:] {
		name := d.Event
		if d.Action != "" {
			name += "/" + d.Action
		}
		out = append(out, name)
	}
	return out
}

func commitFile(t testing.TB, dir, name, text string) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
	must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	git(t, dir, "add", name)
	git(t, dir, "commit", "-q", "-m", "Write "+name)
}

// TestPush pushes with git itself: the events say what happened, and pull
// requests follow.
func TestPush(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir := filepath.Join(t.TempDir(), "copy")
	git(t, t.TempDir(), "clone", "-q", cloneURL(t, w.repo, w.AddUser("alice").Token()), dir)
	drain(t, w.Server)
	step := func(name string, want string, flags map[string]any, args ...string) {
		t.Helper()
		from := len(w.Deliveries())
		git(t, dir, append([]string{"push", "-q"}, args...)...)
		drain(t, w.Server)
		if got := strings.Join(lastEvents(w, from), " "); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
		var payload map[string]any
		must(t, json.Unmarshal(w.Deliveries()[from].Body, &payload))
		for k, v := range flags {
			if payload[k] != v {
				t.Errorf("%s: %s is %v, want %v", name, k, payload[k], v)
			}
		}
	}
	git(t, dir, "checkout", "-q", "-b", "feature")
	commitFile(t, dir, "one.txt", "1\n")
	step("new branch", "push create", map[string]any{"created": true, "deleted": false, "forced": false, "ref": "refs/heads/feature", "before": strings.Repeat("0", 40)}, "origin", "feature")
	w.pull(t)
	drain(t, w.Server)
	commitFile(t, dir, "two.txt", "2\n")
	step("update", "push pull_request/synchronize", nil, "origin", "feature")
	git(t, dir, "commit", "-q", "--amend", "-m", "Again")
	step("force", "push pull_request/synchronize", map[string]any{"created": false, "deleted": false, "forced": true}, "--force", "origin", "feature")
	head := strings.TrimSpace(git(t, dir, "rev-parse", "HEAD"))
	is("head.sha", head, "commits", 2)(t, w, w.ok(t, "bot", "GET {R}/pulls/1", ""))
	if refs := git(t, dir, "ls-remote", "origin"); !strings.Contains(refs, head+"\trefs/pull/1/head") {
		t.Errorf("pull request reference does not follow:\n%s", refs)
	}
	git(t, dir, "tag", "v1")
	step("tag", "push create", map[string]any{"ref": "refs/tags/v1", "created": true}, "origin", "v1")
	step("delete", "push delete pull_request/closed", map[string]any{"deleted": true, "after": strings.Repeat("0", 40)}, "--delete", "origin", "feature")
	is("state", "closed")(t, w, w.ok(t, "bot", "GET {R}/pulls/1", ""))
	// What was pushed is read by the API, and the other way round.
	is("0.commit.message", "Initial commit")(t, w, w.ok(t, "bot", "GET {R}/commits", ""))
	checkClone(t, w.repo, "main")
}

func TestPushRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.AddUser("eve")
	try := func(token string, args ...string) string {
		t.Helper()
		dir := filepath.Join(t.TempDir(), "copy")
		git(t, t.TempDir(), "clone", "-q", w.repo.CloneURL(), dir)
		git(t, dir, "checkout", "-q", "-b", "work")
		commitFile(t, dir, "x.txt", "x\n")
		remote := w.repo.CloneURL()
		if token != "" {
			remote = cloneURL(t, w.repo, token)
		}
		cmd := exec.Command("git", append([]string{"push", remote}, args...)...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GIT_TERMINAL_PROMPT=0", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "LC_ALL=C")
		out, err := cmd.CombinedOutput()
		if err == nil {
			t.Errorf("push %v went through:\n%s", args, out)
		}
		return string(out)
	}
	for name, c := range map[string]struct{ token, want string }{
		"nobody":      {"", "could not read Username"},
		"a stranger":  {w.AddUser("eve").Token(), "403"},
		"a bad token": {"ghs_none", "Authentication failed"},
	} {
		if out := try(c.token, "work"); !strings.Contains(out, c.want) {
			t.Errorf("%s: %s", name, out)
		}
	}
	alice := w.AddUser("alice").Token()
	if out := try(alice, "work:refs/pull/1/head"); !strings.Contains(out, "deny updating a hidden ref") {
		t.Errorf("hidden reference: %s", out)
	}
	w.repo.AddRule("*", standin.Rule{Type: "creation"})
	if out := try(alice, "work"); !strings.Contains(out, "GH013: Repository rule violations found for refs/heads/work") || !strings.Contains(out, "creations being restricted") {
		t.Errorf("ruleset: %s", out)
	}
	w.repo.ClearRules()
	w.repo.AddRule("main", standin.Rule{Type: "non_fast_forward"})
	w.repo.AddRule("main", standin.Rule{Type: "pull_request"})
	if out := try(alice, "work:main"); !strings.Contains(out, "Changes must be made through a pull request.") {
		t.Errorf("ruleset: %s", out)
	}
	w.repo.ClearRules()
	w.repo.SetArchived("alice", true)
	if out := try(alice, "work"); !strings.Contains(out, "403") {
		t.Errorf("archived: %s", out)
	}
}

// TestPushOfWorkflows: an App needs the workflows permission, by git as well.
func TestPushOfWorkflows(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir := filepath.Join(t.TempDir(), "copy")
	git(t, t.TempDir(), "clone", "-q", cloneURL(t, w.repo, w.inst.Token()), dir)
	git(t, dir, "checkout", "-q", "-b", "fine")
	commitFile(t, dir, "a.txt", "x\n")
	git(t, dir, "push", "-q", "origin", "fine")
	commitFile(t, dir, ".github/workflows/ci.yml", "on: push\n")
	cmd := exec.Command("git", "push", "-q", "origin", "HEAD:refs/heads/ci")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "refusing to allow a GitHub App to create or update workflow `.github/workflows/ci.yml` without `workflows` permission") {
		t.Errorf("%v\n%s", err, out)
	}
	git(t, dir, "push", "-q", cloneURL(t, w.repo, w.AddUser("alice").Token()), "HEAD:refs/heads/ci") // a person may
	w.inst.SetPermissions(map[string]string{"contents": "write", "workflows": "write"})
	git(t, dir, "push", "-q", cloneURL(t, w.repo, w.inst.Token()), "HEAD:refs/heads/more")
}

func TestPrivateClone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.repo.SetPrivate("alice", true)
	status := func(token string) int {
		req, err := http.NewRequest(http.MethodGet, w.repo.CloneURL()+"/info/refs?service=git-upload-pack", nil)
		must(t, err)
		if token != "" {
			req.SetBasicAuth("x-access-token", token)
		}
		res, err := http.DefaultClient.Do(req)
		must(t, err)
		res.Body.Close()
		return res.StatusCode
	}
	if s := status(""); s != http.StatusUnauthorized {
		t.Errorf("nobody: %d", s)
	}
	if s := status(w.AddUser("eve").Token()); s != http.StatusNotFound {
		t.Errorf("a stranger: %d", s)
	}
	if s := status(w.inst.Token()); s != http.StatusOK {
		t.Errorf("the App: %d", s)
	}
}

func TestPushIntoEmptyRepository(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r, err := w.AddRepository("acme", "fresh", nil, standin.Collaborator("alice", "write"))
	must(t, err)
	dir := t.TempDir()
	git(t, dir, "init", "-q", "-b", "trunk")
	commitFile(t, dir, "Dockerfile", "FROM scratch\n")
	git(t, dir, "push", "-q", cloneURL(t, r, w.AddUser("alice").Token()), "trunk")
	is("default_branch", "trunk", "size", 1)(t, w, w.ok(t, "bot", "GET /repos/acme/fresh", ""))
	is("tree.0.path", "Dockerfile")(t, w, w.ok(t, "bot", "GET /repos/acme/fresh/git/trees/HEAD", ""))
	checkClone(t, r, "trunk")
}

func TestRenamedClone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	old := w.repo.CloneURL()
	must(t, w.repo.Rename("alice", "store"))
	dir := filepath.Join(t.TempDir(), "copy")
	git(t, t.TempDir(), "clone", "-q", old, dir)
	if _, err := os.Stat(filepath.Join(dir, "Dockerfile")); err != nil {
		t.Error(err)
	}
}
