package githubapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/google/go-github/v60/github"
)

// CommitsTouching lists the newest commits that changed a path, newest first,
// most of them at most and never more than 100. ref is a branch or commit to
// begin at, "" for the default branch. An empty repository has none.
func (c *Client) CommitsTouching(ctx context.Context, r Repo, ref, file string, most int) ([]string, error) {
	q := url.Values{"path": {file}, "per_page": {fmt.Sprint(min(most, 100))}}
	if ref != "" {
		q.Set("sha", ref)
	}
	path, err := r.path("commits?" + q.Encode())
	if err != nil {
		return nil, err
	}
	found, err := call(ctx, c, "list commits", reads, func(ctx context.Context, gh *github.Client) (v []shaOnly, resp *github.Response, err error) {
		resp, err = send(ctx, gh, http.MethodGet, path, nil, &v)
		return v, resp, err
	})
	if errors.Is(err, ErrEmpty) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, f := range found[:min(len(found), most)] {
		if err := checkSHA(f.SHA); err != nil {
			return nil, fmt.Errorf("list commits: %w", err)
		}
		ids = append(ids, f.SHA)
	}
	return ids, nil
}

// Ancestor tells whether a commit is the other one or comes before it in its
// history. ErrNotFound when they have nothing in common, or one is not there.
func (c *Client) Ancestor(ctx context.Context, r Repo, commit, of string) (bool, error) {
	if err := errors.Join(checkSHA(commit), checkSHA(of)); err != nil {
		return false, err
	}
	// The list of changed files comes with the first page alone, and may be
	// long: https://docs.github.com/rest/commits/commits#compare-two-commits.
	path, err := r.path("compare/" + commit + "..." + of + "?per_page=1&page=2")
	if err != nil {
		return false, err
	}
	a, err := get[struct {
		Status    string  `json:"status"` // of the second one, seen from the first
		MergeBase shaOnly `json:"merge_base_commit"`
	}](ctx, c, "compare commits", path)
	return (a.Status == "ahead" || a.Status == "identical") && a.MergeBase.SHA == commit, err
}
