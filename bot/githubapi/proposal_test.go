package githubapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const pullJSON = `{"number":7,"node_id":"PR_1","state":"open","title":"T","body":"B","user":{"id":5,"login":"dhibot[bot]","type":"Bot"},
"labels":[{"name":"dhi"}],"html_url":"https://x/pull/7","created_at":"2026-05-04T10:00:00Z","updated_at":"2026-05-04T11:00:00Z",
"head":{"label":"acme:dhi/migrate","ref":"dhi/migrate","sha":"` + shaA + `","repo":{"id":42}},"base":{"label":"acme:main","ref":"main","sha":"` + shaB + `","repo":{"id":42}}}`

// writable answers all writes of a proposal.
func writable(a *api) {
	a.answer("POST /repos/acme/shop/git/blobs", 201, `{"sha":"`+shaD+`"}`)
	a.answer("POST /repos/acme/shop/git/trees", 201, `{"sha":"`+shaC+`"}`)
	a.answer("POST /repos/acme/shop/git/commits", 201, `{"sha":"`+shaA+`","verification":{"verified":true,"reason":"valid"}}`)
	a.answer("POST /repos/acme/shop/git/refs", 201, `{"ref":"refs/heads/dhi/migrate","object":{"sha":"`+shaA+`"}}`)
	a.answer("PATCH /repos/acme/shop/git/refs/heads/dhi/migrate", 200, `{"ref":"refs/heads/dhi/migrate","object":{"sha":"`+shaA+`"}}`)
	a.answer("POST /repos/acme/shop/pulls", 201, pullJSON)
	a.answer("GET /repos/acme/shop/git/ref/heads/dhi/migrate", 200, `{"ref":"refs/heads/dhi/migrate","object":{"sha":"`+shaB+`"}}`)
}

func proposal(files int) Proposal {
	p := Proposal{Branch: "dhi/migrate", Base: "main", Title: "T", Body: "B", Commit: CommitRequest{BaseTree: shaB, Parents: []string{shaB}, Message: "M"}}
	for i := range files {
		p.Commit.Files = append(p.Commit.Files, File{Path: fmt.Sprintf("s%d/Dockerfile", i), Content: []byte("FROM x\n")})
	}
	return p
}

// TestOpeningCostsFourWrites: whatever the number of Dockerfiles; updating costs three.
func TestOpeningCostsFourWrites(t *testing.T) {
	t.Parallel()
	for _, k := range []int{1, 2, 50, 400} {
		a := newAPI(t)
		writable(a)
		c := a.client()
		got, err := c.OpenProposal(context.Background(), testRepo, proposal(k))
		if err != nil || got.SHA != shaA || !got.Verified || got.PullRequest.Number != 7 {
			t.Fatalf("%+v, %v", got, err)
		}
		want := []string{"POST /repos/acme/shop/git/trees", "POST /repos/acme/shop/git/commits", "POST /repos/acme/shop/git/refs", "POST /repos/acme/shop/pulls"}
		if diff := cmp.Diff(want, a.writes()); diff != "" {
			t.Errorf("opening with %d files: %s", k, diff)
		}
		// One second between writes, in order, on the worker that owns them.
		if diff := cmp.Diff([]time.Duration{time.Second, time.Second, time.Second}, a.waited()); diff != "" {
			t.Errorf("pauses: %s", diff)
		}
		if _, err := c.UpdateProposal(context.Background(), testRepo, proposal(k), shaB); err != nil {
			t.Fatal(err)
		}
		want = []string{"POST /repos/acme/shop/git/trees", "POST /repos/acme/shop/git/commits", "PATCH /repos/acme/shop/git/refs/heads/dhi/migrate"}
		if diff := cmp.Diff(want, a.writes()); diff != "" {
			t.Errorf("updating with %d files: %s", k, diff)
		}
	}
}

// TestProposalIsNotStoppedHalfWay: when there is no room for all four writes,
// none is made.
func TestProposalIsNotStoppedHalfWay(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	writable(a)
	a.answer("POST /repos/acme/shop/issues/1/comments", 201, `{"id":1}`)
	c := a.client(func(s *Settings) { s.Limits = Limits{Spacing: -1, ContentPerMinute: 6} })
	ctx := context.Background()
	for range 3 {
		if _, err := c.Comment(ctx, testRepo, 1, "x"); err != nil {
			t.Fatal(err)
		}
	}
	a.requests()
	var limited *RateLimitedError
	if _, err := c.OpenProposal(ctx, testRepo, proposal(1)); !errors.As(err, &limited) || !limited.Local {
		t.Fatalf("got %v", err)
	}
	if w := a.writes(); len(w) != 0 {
		t.Errorf("written: %v", w)
	}
	if _, err := c.UpdateProposal(ctx, testRepo, proposal(1), shaB); err != nil {
		t.Errorf("there is room for three: %v", err)
	}
}

// TestUpdateProposalGuardsPeople: a rebase is forced only over the commit that
// we wrote.
func TestUpdateProposalGuardsPeople(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	writable(a)
	c := a.client()
	ctx := context.Background()
	p := proposal(1)
	p.Commit.Parents = []string{shaD} // the new base: not on top of the branch
	var refused *RefusedError
	if _, err := c.UpdateProposal(ctx, testRepo, p, shaC); !errors.As(err, &refused) || !refused.NotFastForward() {
		t.Errorf("somebody's commit was not noticed: %v", err)
	}
	for _, r := range a.requests() {
		if r.Method == http.MethodPatch {
			t.Error("the branch was moved")
		}
	}
	if _, err := c.UpdateProposal(ctx, testRepo, p, shaB); err != nil {
		t.Error(err)
	}
	for _, r := range a.requests() {
		if r.Method == http.MethodPatch && asJSON(t, r.Body)["force"] != true {
			t.Errorf("not forced: %s", r.Body)
		}
	}
}

// TestCommitRequest: modes kept, no author (or GitHub would not sign), the base
// tree named, deletions explicit, other encodings through a blob.
func TestCommitRequest(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	writable(a)
	sha, verified, err := a.client().Commit(context.Background(), testRepo, CommitRequest{
		BaseTree: shaB, Parents: []string{shaB, shaC}, Message: "M <&>",
		Files: []File{
			{Path: "Dockerfile", Mode: ModeExec, Content: []byte("FROM a\r\n")},
			{Path: "empty", Content: []byte{}},
			{Path: "latin1", Content: []byte("# caf\xe9\n")},
			{Path: "gone", Delete: true},
		},
	})
	if err != nil || sha != shaA || !verified {
		t.Fatal(sha, verified, err)
	}
	r := a.requests()
	if len(r) != 3 {
		t.Fatal(r)
	}
	if diff := cmp.Diff(map[string]any{"content": "IyBjYWbpCg==", "encoding": "base64"}, asJSON(t, r[0].Body)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]any{"base_tree": shaB, "tree": []any{
		map[string]any{"path": "Dockerfile", "mode": "100755", "type": "blob", "content": "FROM a\r\n"},
		map[string]any{"path": "empty", "mode": "100644", "type": "blob", "content": ""},
		map[string]any{"path": "latin1", "mode": "100644", "type": "blob", "sha": shaD},
		map[string]any{"path": "gone", "mode": "100644", "type": "blob", "sha": nil},
	}}, asJSON(t, r[1].Body)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]any{"message": "M <&>", "tree": shaC, "parents": []any{shaB, shaC}}, asJSON(t, r[2].Body)); diff != "" {
		t.Error(diff)
	}
	if _, _, err := a.client().Commit(context.Background(), testRepo, CommitRequest{BaseTree: shaB}); err == nil {
		t.Error("an empty commit is accepted")
	}
}

// TestRefusals: GitHub's words are told apart, and none is lost.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		body   string
		is     func(*RefusedError) bool
	}{
		"ff":         {422, `{"message":"Update is not a fast forward"}`, (*RefusedError).NotFastForward},
		"exists":     {422, `{"message":"Reference already exists"}`, (*RefusedError).RefExists},
		"pull":       {422, `{"message":"Validation Failed","errors":[{"resource":"PullRequest","code":"custom","message":"A pull request already exists for acme:dhi/migrate."}]}`, (*RefusedError).PullRequestExists},
		"commits":    {422, `{"message":"Validation Failed","errors":[{"resource":"PullRequest","code":"custom","message":"No commits between main and dhi/migrate"}]}`, (*RefusedError).NoCommits},
		"rule":       {422, `{"message":"Repository rule violations found\n\nCannot create ref due to creations being restricted."}`, (*RefusedError).RuleViolation},
		"archived":   {403, `{"message":"Repository was archived so is read-only."}`, (*RefusedError).Archived},
		"permission": {403, `{"message":"Resource not accessible by integration"}`, (*RefusedError).MissingPermission},
	} {
		a := newAPI(t)
		a.answer("POST /repos/acme/shop/git/refs", c.status, c.body)
		err := a.client().CreateRef(context.Background(), testRepo, "x", shaA)
		var r *RefusedError
		if !errors.As(err, &r) || !c.is(r) || r.Status != c.status || !strings.HasPrefix(err.Error(), "create ref: ") {
			t.Errorf("%s: %v", name, err)
			continue
		}
		count := 0
		for _, is := range []func(*RefusedError) bool{(*RefusedError).NotFastForward, (*RefusedError).RefExists, (*RefusedError).PullRequestExists, (*RefusedError).NoCommits, (*RefusedError).RuleViolation, (*RefusedError).Archived, (*RefusedError).MissingPermission} {
			if is(r) {
				count++
			}
		}
		if count != 1 {
			t.Errorf("%s is %d things at once", name, count)
		}
	}
	long := newAPI(t)
	var details []string
	for range 100 {
		details = append(details, `{"message":"`+strings.Repeat("é", 2000)+`"}`)
	}
	long.answer("POST /repos/acme/shop/git/refs", 422, `{"message":"m","errors":[`+strings.Join(details, ",")+`]}`)
	if err := long.client().CreateRef(context.Background(), testRepo, "x", shaA); len(err.Error()) > maxDetails*(maxErrorChars+10)+100 {
		t.Errorf("an error of %d bytes", len(err.Error()))
	}
}

func TestBranch(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.answer("GET /repos/acme/shop/git/ref/heads/dhi/migrate", 200, `{"ref":"refs/heads/dhi/migrate","object":{"sha":"`+shaA+`"}}`)
	a.answer("GET /repos/acme/shop/git/ref/heads/gone", 404, `{"message":"Not Found"}`)
	a.answer("GET /repos/acme/empty/git/ref/heads/main", 409, `{"message":"Git Repository is empty."}`)
	a.answer("DELETE /repos/acme/shop/git/refs/heads/gone", 422, `{"message":"Reference does not exist"}`)
	a.answer("DELETE /repos/acme/shop/git/refs/heads/there", 204, "")
	a.answer("DELETE /repos/acme/shop/git/refs/heads/protected", 422, `{"message":"Cannot delete protected branch"}`)
	c := a.client()
	ctx := context.Background()
	if sha, err := c.Branch(ctx, testRepo, "dhi/migrate"); err != nil || sha != shaA {
		t.Error(sha, err)
	}
	if _, err := c.Branch(ctx, testRepo, "gone"); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	if _, err := c.Branch(ctx, Repo{Owner: "acme", Name: "empty"}, "main"); !errors.Is(err, ErrEmpty) {
		t.Error(err)
	}
	for _, name := range []string{"gone", "there"} {
		if err := c.DeleteRef(ctx, testRepo, name); err != nil {
			t.Error(name, err)
		}
	}
	if err := c.DeleteRef(ctx, testRepo, "protected"); err == nil {
		t.Error("a refusal was swallowed")
	}
}
