package githubapi

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const pullJSON = `{"number":7,"node_id":"PR_1","state":"open","title":"T","body":"B","user":{"id":5,"login":"dhibot[bot]","type":"Bot"},
"labels":[{"name":"dhi"}],"html_url":"https://x/pull/7","created_at":"2026-05-04T10:00:00Z","updated_at":"2026-05-04T11:00:00Z",
"head":{"label":"acme:dhi/migrate","ref":"dhi/migrate","sha":"` + shaA + `","repo":{"id":42}},"base":{"label":"acme:main","ref":"main","sha":"` + shaB + `","repo":{"id":42}}}`

// TestCommitRequest: modes kept, no author (or GitHub would not sign), the base
// tree named, deletions explicit, other encodings through a blob.
func TestCommitRequest(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.answer("POST /repos/acme/shop/git/blobs", 201, `{"sha":"`+shaD+`"}`)
	a.answer("POST /repos/acme/shop/git/trees", 201, `{"sha":"`+shaC+`"}`)
	a.answer("POST /repos/acme/shop/git/commits", 201, `{"sha":"`+shaA+`","verification":{"verified":true,"reason":"valid"}}`)
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
		for _, is := range []func(*RefusedError) bool{(*RefusedError).NotFastForward, (*RefusedError).RefExists, (*RefusedError).PullRequestExists, (*RefusedError).RuleViolation, (*RefusedError).Archived, (*RefusedError).MissingPermission} {
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
