package githubapi

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPullsBy(t *testing.T) {
	t.Parallel()
	const issues = `[
		{"number":4,"state":"open","title":"x","body":"b","user":{"login":"dhibot[bot]","type":"Bot"},"pull_request":{"merged_at":null},"created_at":"2026-11-23T09:00:00Z"},
		{"number":3,"state":"closed","user":{"login":"dhibot[bot]","type":"Bot"},"pull_request":{"merged_at":"2026-11-22T09:00:00Z"},"closed_at":"2026-11-22T09:00:00Z"},
		{"number":2,"state":"open","user":{"login":"dhibot[bot]","type":"Bot"}},
		{"number":1,"state":"open","user":{"login":"alice","type":"User"},"pull_request":{}}]`
	const pulls = `[
		{"number":4,"state":"open","user":{"login":"dhibot[bot]","type":"Bot"}},
		{"number":3,"state":"closed","user":{"login":"dhibot[bot]","type":"Bot"},"merged_at":"2026-11-22T09:00:00Z"},
		{"number":1,"state":"open","user":{"login":"alice","type":"User"}}]`
	want := []string{"4 open false", "3 closed true"}
	for name, c := range map[string]struct {
		status int
		body   string
		want   []string
		failed bool
	}{
		"by author":           {200, issues, want, false},
		"issues switched off": {410, `{"message":"Issues are disabled for this repo"}`, want, false},
		"no such listing":     {404, `{"message":"Not Found"}`, want, false},
		"not allowed":         {403, `{"message":"Resource not accessible by integration"}`, nil, true},
	} {
		a := newAPI(t)
		a.answer("GET /repos/acme/shop/issues", c.status, c.body)
		a.answer("GET /repos/acme/shop/pulls", 200, pulls)
		list, err := a.client().PullsBy(context.Background(), testRepo, "dhibot[bot]")
		var got []string
		for _, p := range list {
			got = append(got, fmt.Sprintf("%d %s %t", p.Number, p.State, p.Merged))
		}
		if diff := cmp.Diff(c.want, got); diff != "" || (err != nil) != c.failed {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
}
