package githubapi_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"dhibot/bot/githubapi"
	"dhibot/bot/standin"
)

// TestStandinTrapT2: limits of both kinds and both statuses, with and without headers.
func TestStandinTrapT2(t *testing.T) {
	t.Parallel()
	for _, kind := range []standin.FaultKind{standin.FaultPrimaryLimit, standin.FaultSecondaryLimit} {
		for _, status := range []int{403, 429} {
			for _, bare := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s %d %t", kind, status, bare), func(t *testing.T) {
					t.Parallel()
					w := newWorld(t, quick)
					_, repo := w.repository("shop", map[string]string{"a": "b"})
					if err := w.gh.AddFault(standin.Fault{Kind: kind, Status: status, NoHeaders: bare, Wait: standin.Duration(10 * time.Minute)}); err != nil {
						t.Fatal(err)
					}
					_, err := w.client().Branch(context.Background(), repo, "main")
					var limited *githubapi.RateLimitedError
					if !errors.As(err, &limited) || limited.Local {
						t.Fatalf("got %v", err)
					}
					wait := limited.Until.Sub(w.Now())
					if want := 10 * time.Minute; !bare && (wait < want-time.Second || wait > want+time.Second) || bare && wait < time.Minute {
						t.Errorf("told to wait %s", wait)
					}
					w.calls()
					if _, err := w.client().Branch(context.Background(), repo, "main"); !errors.As(err, &limited) || !limited.Local || len(w.calls()) != 0 {
						t.Errorf("not held back: %v", err)
					}
					w.Advance(wait)
					if _, err := w.client().Branch(context.Background(), repo, "main"); err != nil {
						t.Errorf("after the wait: %v", err)
					}
				})
			}
		}
	}
}

// TestStandinTrapT6: suspended and removed installations, from a cold start.
func TestStandinTrapT6(t *testing.T) {
	t.Parallel()
	w := newWorld(t, quick)
	_, repo := w.repository("shop", map[string]string{"a": "b"})
	ctx := context.Background()
	w.inst.Suspend()
	w.api.Forget(w.inst.ID())
	var gone *githubapi.GoneError
	if _, err := w.client().Branch(ctx, repo, "main"); !errors.As(err, &gone) || !gone.Suspended {
		t.Errorf("suspended: %v", err)
	}
	w.inst.Unsuspend()
	if _, err := w.client().Branch(ctx, repo, "main"); err != nil {
		t.Errorf("back: %v", err)
	}
	w.inst.Suspend() // the token is refused, not its minting
	if _, err := w.client().Branch(ctx, repo, "main"); !errors.As(err, &gone) || !gone.Suspended || gone.Installation != w.inst.ID() {
		t.Errorf("suspended while a token is alive: %v", err)
	}
	w.inst.Unsuspend()
	if _, err := w.client().Branch(ctx, repo, "main"); err != nil {
		t.Errorf("back again: %v", err)
	}
	w.inst.Uninstall()
	w.api.Forget(w.inst.ID())
	if _, err := w.client().Branch(ctx, repo, "main"); !errors.As(err, &gone) || gone.Suspended {
		t.Errorf("removed: %v", err)
	}
}

// TestStandinExpiredTokens: the next call mints anew and nobody notices.
func TestStandinExpiredTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t, quick)
	_, repo := w.repository("shop", map[string]string{"a": "b"})
	w.gh.ExpireTokens()
	if _, err := w.client().Comment(context.Background(), repo, 1, "x"); !errors.Is(err, githubapi.ErrNotFound) {
		t.Errorf("a write with an expired token: %v", err)
	}
	w.gh.ExpireTokens()
	if _, err := w.client().Branch(context.Background(), repo, "main"); err != nil {
		t.Error(err)
	}
}

// TestStandinRename: reading follows a rename; a write says so.
func TestStandinRename(t *testing.T) {
	t.Parallel()
	w := newWorld(t, quick)
	w.gh.AddMember("acme", "owner", true)
	server, repo := w.repository("old", map[string]string{"a": "b"})
	if err := server.Rename("owner", "new"); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	sha, err := w.client().Branch(ctx, repo, "main")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.client().CreateRef(ctx, repo, "x", sha); !errors.Is(err, githubapi.ErrMoved) {
		t.Errorf("a write under the old name: %v", err)
	}
	now, err := w.client().RepositoryByID(ctx, repo.ID)
	if err != nil || now.Name != "new" {
		t.Fatalf("%+v, %v", now, err)
	}
	if err := w.client().CreateRef(ctx, now, "x", sha); err != nil {
		t.Error(err)
	}
}

// TestStandinLostAnswer: a write whose answer is lost is not repeated by us.
func TestStandinLostAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, quick)
	server, repo := w.repository("shop", map[string]string{"a": "b"})
	w.gh.AddUser("eve")
	n := server.OpenIssue("eve", "t", "b")
	if err := w.gh.AddFault(standin.Fault{Kind: standin.FaultLostAnswer, Method: "POST", Path: "/repos/*/comments"}); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	if _, err := w.client().Comment(ctx, repo, n, "once"); err == nil {
		t.Fatal("the fault did not strike")
	}
	comments, err := w.client().Comments(ctx, repo, n, time.Time{})
	if err != nil || len(comments) != 1 {
		t.Errorf("%d comments, %v", len(comments), err)
	}
}

// TestStandinPassingFaults: reads survive a bad gateway and a reset connection.
func TestStandinPassingFaults(t *testing.T) {
	t.Parallel()
	w := newWorld(t, quick)
	_, repo := w.repository("shop", map[string]string{"a": "b"})
	for _, kind := range []standin.FaultKind{standin.FaultServerError, standin.FaultConnectionReset} {
		if err := w.gh.AddFault(standin.Fault{Kind: kind, Method: "GET", Count: 2}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.client().Branch(context.Background(), repo, "main"); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

// TestStandinRefusals: archived, ruled out, empty, not granted.
func TestStandinRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t, quick)
	w.gh.AddMember("acme", "owner", true)
	server, repo := w.repository("shop", map[string]string{"a": "b"})
	ctx := context.Background()
	c := w.client()
	sha, err := c.Branch(ctx, repo, "main")
	if err != nil {
		t.Fatal(err)
	}
	var refused *githubapi.RefusedError
	server.AddRule("dhi/*", standin.Rule{Type: "creation"})
	server.AddRule("dhi/*", standin.Rule{Type: "from_the_future", Parameters: map[string]any{"x": []int{1}}})
	rules, err := c.Rules(ctx, repo, "dhi/ruled")
	if err != nil || len(rules) != 2 || rules[0].Type != "creation" {
		t.Errorf("%+v, %v", rules, err)
	}
	if err := c.CreateRef(ctx, repo, "dhi/ruled", sha); !errors.As(err, &refused) || !refused.RuleViolation() {
		t.Errorf("ruleset: %v", err)
	}
	server.SetArchived("owner", true)
	if err := c.CreateRef(ctx, repo, "archived", sha); !errors.As(err, &refused) || !refused.Archived() {
		t.Errorf("archived: %v", err)
	}
	server.SetArchived("owner", false)
	w.inst.SetPermissions(map[string]string{"contents": "read"})
	w.api.Forget(w.inst.ID())
	if err := w.client().CreateRef(ctx, repo, "refused", sha); !errors.As(err, &refused) || !refused.MissingPermission() {
		t.Errorf("not granted: %v", err)
	}
	_, empty := w.repository("empty", nil)
	if _, err := w.client().Branch(ctx, empty, "main"); !errors.Is(err, githubapi.ErrEmpty) {
		t.Errorf("empty: %v", err)
	}
	if _, err := w.client().Tree(ctx, empty, "main"); !errors.Is(err, githubapi.ErrEmpty) {
		t.Errorf("empty: %v", err)
	}
}

// TestStandinNeverHitsLimits: a flood of writes under GitHub's strict limits is
// held back by us every time and refused by GitHub never.
func TestStandinNeverHitsLimits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubapi.Limits{}, standin.WithLimits(standin.StrictLimits()))
	server, repo := w.repository("shop", map[string]string{"a": "b"})
	w.gh.AddUser("eve")
	n := server.OpenIssue("eve", "t", "b")
	ctx := context.Background()
	done, held := 0, 0
	started := w.Now()
	for w.Now().Sub(started) < 90*time.Minute && done < 600 {
		_, err := w.client().Comment(ctx, repo, n, "x")
		var limited *githubapi.RateLimitedError
		switch {
		case err == nil:
			done++
		case errors.As(err, &limited) && limited.Local:
			held++
			w.Advance(limited.Until.Sub(w.Now()))
		default:
			t.Fatalf("after %d writes: %v", done, err)
		}
	}
	if done < 425 || held == 0 {
		t.Errorf("%d writes, held %d times", done, held)
	}
}
