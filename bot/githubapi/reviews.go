package githubapi

import (
	"context"
	"fmt"
	"net/http"
)

// Review is a review with remarks on lines.
type Review struct {
	CommitID string // head the remarks are about
	Body     string
	Comments []ReviewComment
}

// ReviewComment is a remark on lines of the new side of a file.
type ReviewComment struct {
	// ID, User, ReviewID and Outdated are read only.
	ID       int64
	ReviewID int64
	User     User
	Outdated bool // the line is not in the diff any more
	Path     string
	// StartLine and Line are the first and last line, 1-based; StartLine 0 is a
	// single line.
	StartLine, Line int
	Body            string
}

type draftComment struct {
	Path      string `json:"path"`
	Line      int    `json:"line"`
	Side      string `json:"side"`
	StartLine int    `json:"start_line,omitempty"`
	StartSide string `json:"start_side,omitempty"`
	Body      string `json:"body"`
}

// CreateReview writes a review of event COMMENT, which neither approves nor
// blocks, and returns its id. One call whatever the number of remarks.
func (c *Client) CreateReview(ctx context.Context, r Repo, number int, v Review) (int64, error) {
	path, err := r.path(fmt.Sprintf("pulls/%d/reviews", number))
	if err != nil {
		return 0, err
	}
	comments := make([]draftComment, 0, len(v.Comments))
	for _, k := range v.Comments {
		d := draftComment{Path: k.Path, Line: k.Line, Side: "RIGHT", Body: k.Body}
		if k.StartLine > 0 && k.StartLine < k.Line {
			d.StartLine, d.StartSide = k.StartLine, "RIGHT"
		}
		comments = append(comments, d)
	}
	body := map[string]any{"event": "COMMENT", "body": v.Body, "comments": comments}
	if v.CommitID != "" {
		body["commit_id"] = v.CommitID
	}
	a, err := write[struct {
		ID int64 `json:"id"`
	}](ctx, c, "create review", makes, http.MethodPost, path, body)
	return a.ID, err
}

type apiReviewComment struct {
	ID        int64    `json:"id"`
	ReviewID  int64    `json:"pull_request_review_id"`
	User      *apiUser `json:"user"`
	Path      string   `json:"path"`
	StartLine *int     `json:"start_line"`
	Line      *int     `json:"line"`
	Body      string   `json:"body"`
}

// ReviewComments lists the remarks of all reviews of a pull request, oldest
// first, at most 3,000.
func (c *Client) ReviewComments(ctx context.Context, r Repo, number int) ([]ReviewComment, error) {
	path, err := r.path(fmt.Sprintf("pulls/%d/comments", number))
	if err != nil {
		return nil, err
	}
	found, _, err := list[apiReviewComment](ctx, c, "list review comments", path)
	if err != nil {
		return nil, err
	}
	comments := make([]ReviewComment, 0, len(found))
	for _, a := range found {
		comments = append(comments, ReviewComment{
			ID: a.ID, ReviewID: a.ReviewID, User: a.User.user(), Outdated: a.Line == nil, Path: a.Path,
			StartLine: deref(a.StartLine), Line: deref(a.Line), Body: a.Body,
		})
	}
	return comments, nil
}

// DeleteReviewComment removes one of our remarks; no error when it is gone.
func (c *Client) DeleteReviewComment(ctx context.Context, r Repo, id int64) error {
	path, err := r.path(fmt.Sprintf("pulls/comments/%d", id))
	if err != nil {
		return err
	}
	_, err = write[none](ctx, c, "delete review comment", makes, http.MethodDelete, path, nil)
	return ignoreMissing(err)
}
