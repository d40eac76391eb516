package githubapi

import (
	"context"
	"fmt"
)

// Proposal is a branch with one commit and a pull request for it.
type Proposal struct {
	Branch string
	// Base is the branch that the pull request goes to.
	Base        string
	Commit      CommitRequest
	Title, Body string
	Draft       bool
}

// Proposed is what came of a Proposal.
type Proposed struct {
	SHA string // the commit, now head of the branch
	// Verified tells that GitHub signed the commit.
	Verified    bool
	PullRequest PullRequest
}

// Writes of the two verbs, whatever the number of files.
const (
	openWrites   = 4 // tree, commit, ref, pull request
	updateWrites = 3 // tree, commit, ref
)

// OpenProposal makes the commit, the branch and the pull request: four writes
// whatever the number of files (one more for each file that is not UTF-8). They
// are reserved together, so that our own limits do not stop half-way.
//
// When the branch is there already nothing was moved: *RefusedError with
// RefExists, and the caller looks whose it is. When the last step fails the
// branch stays and Proposed.SHA is set.
func (c *Client) OpenProposal(ctx context.Context, r Repo, p Proposal) (Proposed, error) {
	ctx, err := c.Reserve(ctx, openWrites+blobWrites(p.Commit))
	if err != nil {
		return Proposed{}, err
	}
	sha, verified, err := c.Commit(ctx, r, p.Commit)
	if err != nil {
		return Proposed{}, err
	}
	if err := c.CreateRef(ctx, r, p.Branch, sha); err != nil {
		return Proposed{}, err
	}
	out := Proposed{SHA: sha, Verified: verified}
	out.PullRequest, err = c.CreatePullRequest(ctx, r, NewPullRequest{Title: p.Title, Body: p.Body, Head: p.Branch, Base: p.Base, Draft: p.Draft})
	return out, err
}

// UpdateProposal puts the commit in place of the head of the branch: three
// writes. head is the commit that the branch must still have, the last one we
// wrote; when somebody else has been there the branch is left alone and the
// error is *RefusedError with NotFastForward.
//
// A commit on top of head is pushed without force, and GitHub itself refuses a
// race. Any other commit (a rebase) needs force, which GitHub does not guard:
// then the branch is read right before, which leaves a window of one call.
// Title and body are the caller's to edit.
func (c *Client) UpdateProposal(ctx context.Context, r Repo, p Proposal, head string) (Proposed, error) {
	ctx, err := c.Reserve(ctx, updateWrites+blobWrites(p.Commit))
	if err != nil {
		return Proposed{}, err
	}
	sha, verified, err := c.Commit(ctx, r, p.Commit)
	if err != nil {
		return Proposed{}, err
	}
	force := len(p.Commit.Parents) != 1 || p.Commit.Parents[0] != head
	if force {
		now, err := c.Branch(ctx, r, p.Branch)
		if err != nil {
			return Proposed{}, err
		}
		if now != head {
			return Proposed{}, fmt.Errorf("update ref: %w", &RefusedError{Status: 422, Message: "not a fast forward: the branch is at " + now + ", not at " + head})
		}
	}
	if err := c.UpdateRef(ctx, r, p.Branch, sha, force); err != nil {
		return Proposed{}, err
	}
	return Proposed{SHA: sha, Verified: verified}, nil
}
