package githubapi

import (
	"context"
	"errors"
	"net/http"
)

// PullsBy lists all pull requests that an account has opened in a repository,
// youngest first, at most 3,000. Head, Base and their repositories are empty
// when GitHub was asked for them as issues, which is the only listing by author.
// A repository whose issues are switched off may not have it (older servers
// answer 410); there all pull requests are gone through.
func (c *Client) PullsBy(ctx context.Context, r Repo, login string) ([]PullRequest, error) {
	issues, err := c.Issues(ctx, r, login, StateAll)
	var refused *RefusedError
	if errors.Is(err, ErrNotFound) || errors.As(err, &refused) && refused.Status == http.StatusGone {
		return c.pullsAmongAll(ctx, r, login)
	}
	if err != nil {
		return nil, err
	}
	var pulls []PullRequest
	for _, i := range issues {
		// The author is compared again: a server that does not know the filter
		// lists everybody's.
		if i.IsPull && i.User.Login == login {
			pulls = append(pulls, PullRequest{Number: i.Number, NodeID: i.NodeID, State: i.State, Merged: i.Merged, Locked: i.Locked, Title: i.Title, Body: i.Body,
				User: i.User, HTMLURL: i.HTMLURL, CreatedAt: i.CreatedAt, UpdatedAt: i.UpdatedAt, ClosedAt: i.ClosedAt})
		}
	}
	return pulls, nil
}

func (c *Client) pullsAmongAll(ctx context.Context, r Repo, login string) ([]PullRequest, error) {
	all, err := c.PullRequests(ctx, r, "", StateAll)
	if err != nil {
		return nil, err
	}
	var pulls []PullRequest
	for _, p := range all {
		if p.User.Login == login {
			pulls = append(pulls, p)
		}
	}
	return pulls, nil
}
