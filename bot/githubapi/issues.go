package githubapi

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// Comment is a comment on an issue or a pull request.
type Comment struct {
	ID        int64
	User      User
	Body      string
	CreatedAt time.Time
	UpdatedAt time.Time
	// Issue is the number it belongs to.
	Issue int
	// AppID is the App that wrote it, 0 for people.
	AppID   int64
	HTMLURL string
}

type apiComment struct {
	ID        int64     `json:"id"`
	User      *apiUser  `json:"user"`
	Body      string    `json:"body"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
	IssueURL  string    `json:"issue_url"`
	HTMLURL   string    `json:"html_url"`
	App       *struct {
		ID int64 `json:"id"`
	} `json:"performed_via_github_app"`
}

func (a apiComment) comment() Comment {
	c := Comment{ID: a.ID, User: a.User.user(), Body: a.Body, CreatedAt: a.CreatedAt, UpdatedAt: a.UpdatedAt, HTMLURL: a.HTMLURL}
	if a.App != nil {
		c.AppID = a.App.ID
	}
	c.Issue = lastNumber(a.IssueURL)
	return c
}

func lastNumber(address string) int {
	end := len(address)
	start := end
	for start > 0 && address[start-1] >= '0' && address[start-1] <= '9' {
		start--
	}
	n, err := strconv.Atoi(address[start:end])
	if err != nil {
		return 0
	}
	return n
}

// GetComment reads a comment by its id, as it is now.
func (c *Client) GetComment(ctx context.Context, r Repo, id int64) (Comment, error) {
	path, err := r.path(fmt.Sprintf("issues/comments/%d", id))
	if err != nil {
		return Comment{}, err
	}
	a, err := get[apiComment](ctx, c, "get comment", path)
	return a.comment(), err
}

// Comments lists the comments of an issue or pull request, oldest first, those
// updated since a time when it is not zero; at most 3,000.
func (c *Client) Comments(ctx context.Context, r Repo, issue int, since time.Time) ([]Comment, error) {
	rest := fmt.Sprintf("issues/%d/comments", issue)
	if !since.IsZero() {
		rest += "?since=" + url.QueryEscape(since.UTC().Format(time.RFC3339))
	}
	path, err := r.path(rest)
	if err != nil {
		return nil, err
	}
	found, _, err := list[apiComment](ctx, c, "list comments", path)
	if err != nil {
		return nil, err
	}
	comments := make([]Comment, 0, len(found))
	for _, a := range found {
		comments = append(comments, a.comment())
	}
	return comments, nil
}

// Comment writes a comment on an issue or pull request and returns its id.
func (c *Client) Comment(ctx context.Context, r Repo, issue int, body string) (int64, error) {
	path, err := r.path(fmt.Sprintf("issues/%d/comments", issue))
	if err != nil {
		return 0, err
	}
	a, err := write[apiComment](ctx, c, "create comment", makes, http.MethodPost, path, map[string]any{"body": body})
	return a.ID, err
}

// reactions are the words GitHub knows.
func reactions() []string {
	return []string{"+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"}
}

// React adds a reaction to a comment on an issue or pull request; a second one
// of the same kind changes nothing. It waits for no other write, because the
// first reaction is due within the webhook's ten seconds.
func (c *Client) React(ctx context.Context, r Repo, commentID int64, content string) error {
	return c.react(ctx, r, fmt.Sprintf("issues/comments/%d/reactions", commentID), content)
}

func (c *Client) react(ctx context.Context, r Repo, rest, content string) error {
	if !slices.Contains(reactions(), content) {
		return fmt.Errorf("%q is not a reaction", clip(content))
	}
	path, err := r.path(rest)
	if err != nil {
		return err
	}
	_, err = write[none](ctx, c, "create reaction", touches, http.MethodPost, path, map[string]any{"content": content})
	return err
}

// Issue is an issue, or a pull request seen as one.
type Issue struct {
	Number    int
	NodeID    string
	State     string // open or closed
	Title     string
	Body      string
	User      User
	Labels    []string
	IsPull    bool
	Merged    bool // of a pull request
	Locked    bool
	ClosedBy  User // zero while open; only GetIssue tells
	AppID     int64
	HTMLURL   string
	CreatedAt time.Time
	UpdatedAt time.Time
	ClosedAt  time.Time // zero while open
}

type apiIssue struct {
	Number int        `json:"number"`
	NodeID string     `json:"node_id"`
	State  string     `json:"state"`
	Title  string     `json:"title"`
	Body   string     `json:"body"`
	User   *apiUser   `json:"user"`
	Labels []apiLabel `json:"labels"`
	Pull   *struct {
		MergedAt *time.Time `json:"merged_at"`
	} `json:"pull_request"`
	Locked    bool       `json:"locked"`
	ClosedBy  *apiUser   `json:"closed_by"`
	HTMLURL   string     `json:"html_url"`
	CreatedAt time.Time  `json:"created_at"`
	UpdatedAt time.Time  `json:"updated_at"`
	ClosedAt  *time.Time `json:"closed_at"`
	App       *struct {
		ID int64 `json:"id"`
	} `json:"performed_via_github_app"`
}

func (a apiIssue) issue() Issue {
	i := Issue{
		Number: a.Number, NodeID: a.NodeID, State: a.State, Title: a.Title, Body: a.Body, User: a.User.user(),
		IsPull: a.Pull != nil, Merged: a.Pull != nil && a.Pull.MergedAt != nil && !a.Pull.MergedAt.IsZero(), Locked: a.Locked, HTMLURL: a.HTMLURL, CreatedAt: a.CreatedAt, UpdatedAt: a.UpdatedAt,
	}
	if a.ClosedAt != nil {
		i.ClosedAt = *a.ClosedAt
	}
	if a.ClosedBy != nil {
		i.ClosedBy = a.ClosedBy.user()
	}
	if a.App != nil {
		i.AppID = a.App.ID
	}
	for _, l := range a.Labels {
		i.Labels = append(i.Labels, l.Name)
	}
	return i
}

// Issues lists issues and pull requests by creator (a login, "" for anybody)
// and state, youngest first, at most 3,000.
func (c *Client) Issues(ctx context.Context, r Repo, creator, state string) ([]Issue, error) {
	q := url.Values{"state": {state}}
	if creator != "" {
		q.Set("creator", creator)
	}
	path, err := r.path("issues?" + q.Encode())
	if err != nil {
		return nil, err
	}
	found, _, err := list[apiIssue](ctx, c, "list issues", path)
	if err != nil {
		return nil, err
	}
	issues := make([]Issue, 0, len(found))
	for _, a := range found {
		issues = append(issues, a.issue())
	}
	return issues, nil
}

// CreateIssue opens an issue.
func (c *Client) CreateIssue(ctx context.Context, r Repo, title, body string, labels ...string) (Issue, error) {
	path, err := r.path("issues")
	if err != nil {
		return Issue{}, err
	}
	content := map[string]any{"title": title, "body": body}
	if len(labels) > 0 {
		content["labels"] = labels
	}
	a, err := write[apiIssue](ctx, c, "create issue", makes, http.MethodPost, path, content)
	return a.issue(), err
}

// IssueEdit changes what is not nil.
type IssueEdit struct {
	Title, Body, State *string
}

// EditIssue changes an issue.
func (c *Client) EditIssue(ctx context.Context, r Repo, number int, e IssueEdit) (Issue, error) {
	path, err := r.path("issues/" + strconv.Itoa(number))
	if err != nil {
		return Issue{}, err
	}
	body := map[string]any{}
	for key, value := range map[string]*string{"title": e.Title, "body": e.Body, "state": e.State} {
		if value != nil {
			body[key] = *value
		}
	}
	a, err := write[apiIssue](ctx, c, "edit issue", makes, http.MethodPatch, path, body)
	return a.issue(), err
}
