package githubapi

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// PullRequest is a pull request.
type PullRequest struct {
	Number int
	NodeID string
	State  string // open or closed
	Merged bool
	Draft  bool
	Locked bool
	Title  string
	Body   string
	User   User
	Labels []string
	// Head and Base are the branches. HeadRepo is 0 when the fork was deleted.
	Head, HeadSHA string
	HeadRepo      int64
	HeadLabel     string // owner:branch
	Base, BaseSHA string
	BaseRepo      int64
	// Mergeable is nil while GitHub computes it and in lists.
	Mergeable *bool
	HTMLURL   string
	CreatedAt time.Time
	UpdatedAt time.Time
	ClosedAt  time.Time // zero while open
	MergedAt  time.Time // zero unless merged
}

// FromFork tells that the head is not a branch of the repository itself.
func (p PullRequest) FromFork() bool { return p.HeadRepo != p.BaseRepo }

type apiEnd struct {
	Label string `json:"label"`
	Ref   string `json:"ref"`
	SHA   string `json:"sha"`
	Repo  *struct {
		ID int64 `json:"id"`
	} `json:"repo"`
}

func (e apiEnd) repo() int64 {
	if e.Repo == nil {
		return 0
	}
	return e.Repo.ID
}

type apiPull struct {
	Number    int        `json:"number"`
	NodeID    string     `json:"node_id"`
	State     string     `json:"state"`
	Draft     bool       `json:"draft"`
	Locked    bool       `json:"locked"`
	Title     string     `json:"title"`
	Body      string     `json:"body"`
	User      *apiUser   `json:"user"`
	Labels    []apiLabel `json:"labels"`
	Head      apiEnd     `json:"head"`
	Base      apiEnd     `json:"base"`
	Mergeable *bool      `json:"mergeable"`
	HTMLURL   string     `json:"html_url"`
	CreatedAt time.Time  `json:"created_at"`
	UpdatedAt time.Time  `json:"updated_at"`
	ClosedAt  *time.Time `json:"closed_at"`
	MergedAt  *time.Time `json:"merged_at"`
}

type apiLabel struct {
	Name string `json:"name"`
}

func (p apiPull) pull() PullRequest {
	out := PullRequest{
		Number: p.Number, NodeID: p.NodeID, State: p.State, Draft: p.Draft, Locked: p.Locked, Title: p.Title, Body: p.Body, User: p.User.user(),
		Head: p.Head.Ref, HeadSHA: p.Head.SHA, HeadRepo: p.Head.repo(), HeadLabel: p.Head.Label,
		Base: p.Base.Ref, BaseSHA: p.Base.SHA, BaseRepo: p.Base.repo(),
		Mergeable: p.Mergeable, HTMLURL: p.HTMLURL, CreatedAt: p.CreatedAt, UpdatedAt: p.UpdatedAt,
		ClosedAt: deref(p.ClosedAt), MergedAt: deref(p.MergedAt),
		// Lists have no "merged", so the date tells.
		Merged: p.MergedAt != nil,
	}
	for _, l := range p.Labels {
		out.Labels = append(out.Labels, l.Name)
	}
	return out
}

func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// Pull request states for PullRequests.
const (
	StateOpen   = "open"
	StateClosed = "closed"
	StateAll    = "all"
)

// PullRequests lists pull requests from a branch of the repository itself, in
// the given state, youngest first. head "" is all of them, at most 3,000.
func (c *Client) PullRequests(ctx context.Context, r Repo, head, state string) ([]PullRequest, error) {
	q := url.Values{"state": {state}}
	if head != "" {
		if err := checkBranch(head); err != nil {
			return nil, err
		}
		q.Set("head", r.Owner+":"+head)
	}
	path, err := r.path("pulls?" + q.Encode())
	if err != nil {
		return nil, err
	}
	found, _, err := list[apiPull](ctx, c, "list pull requests", path)
	if err != nil {
		return nil, err
	}
	pulls := make([]PullRequest, 0, len(found))
	for _, p := range found {
		pull := p.pull()
		// The filter is by owner, who may have forks of the same name.
		if head == "" || pull.Head == head && !pull.FromFork() {
			pulls = append(pulls, pull)
		}
	}
	return pulls, nil
}

// PullRequest reads one.
func (c *Client) PullRequest(ctx context.Context, r Repo, number int) (PullRequest, error) {
	path, err := r.path("pulls/" + strconv.Itoa(number))
	if err != nil {
		return PullRequest{}, err
	}
	p, err := get[apiPull](ctx, c, "get pull request", path)
	return p.pull(), err
}

// NewPullRequest is what CreatePullRequest opens.
type NewPullRequest struct {
	Title, Body string
	Head, Base  string // branches of the repository
	Draft       bool
}

// CreatePullRequest opens a pull request. A *RefusedError with
// PullRequestExists says that there is one.
func (c *Client) CreatePullRequest(ctx context.Context, r Repo, n NewPullRequest) (PullRequest, error) {
	path, err := r.path("pulls")
	if err != nil {
		return PullRequest{}, err
	}
	p, err := write[apiPull](ctx, c, "create pull request", makes, http.MethodPost, path, map[string]any{
		"title": n.Title, "body": n.Body, "head": n.Head, "base": n.Base, "draft": n.Draft,
	})
	return p.pull(), err
}

// PullRequestEdit changes what is not nil.
type PullRequestEdit struct {
	Title, Body, Base *string
	State             *string // open or closed
}

// EditPullRequest changes a pull request.
func (c *Client) EditPullRequest(ctx context.Context, r Repo, number int, e PullRequestEdit) (PullRequest, error) {
	path, err := r.path("pulls/" + strconv.Itoa(number))
	if err != nil {
		return PullRequest{}, err
	}
	body := map[string]any{}
	for key, value := range map[string]*string{"title": e.Title, "body": e.Body, "base": e.Base, "state": e.State} {
		if value != nil {
			body[key] = *value
		}
	}
	if len(body) == 0 {
		return PullRequest{}, fmt.Errorf("editing pull request %d: nothing to change", number)
	}
	p, err := write[apiPull](ctx, c, "edit pull request", makes, http.MethodPatch, path, body)
	return p.pull(), err
}

// ChangedFile is a file of a pull request.
type ChangedFile struct {
	Path     string
	Previous string // before a rename
	Status   string // added, modified, removed, renamed...
	SHA      string // blob at the head
	Patch    string // unified hunks; empty when binary or too large
}

// PullRequestFiles lists the files of a pull request; more tells that GitHub
// has further ones (it lists 3,000 at most).
func (c *Client) PullRequestFiles(ctx context.Context, r Repo, number int) (files []ChangedFile, more bool, err error) {
	path, err := r.path("pulls/" + strconv.Itoa(number) + "/files")
	if err != nil {
		return nil, false, err
	}
	type apiFile struct {
		Filename string `json:"filename"`
		Previous string `json:"previous_filename"`
		Status   string `json:"status"`
		SHA      string `json:"sha"`
		Patch    string `json:"patch"`
	}
	found, more, err := list[apiFile](ctx, c, "list pull request files", path)
	for _, f := range found {
		files = append(files, ChangedFile{f.Filename, f.Previous, f.Status, f.SHA, f.Patch})
	}
	return files, more || len(files) >= 3000, err
}

// InMergeQueue tells whether a pull request is queued: a push to its branch
// would throw it out of the queue.
func (c *Client) InMergeQueue(ctx context.Context, r Repo, number int) (bool, error) {
	var answer struct {
		Repository *struct {
			PullRequest *struct {
				IsInMergeQueue bool `json:"isInMergeQueue"`
			} `json:"pullRequest"`
		} `json:"repository"`
	}
	err := c.GraphQL(ctx, `query($owner:String!,$name:String!,$number:Int!){repository(owner:$owner,name:$name){pullRequest(number:$number){isInMergeQueue}}}`,
		map[string]any{"owner": r.Owner, "name": r.Name, "number": number}, &answer)
	if err != nil {
		return false, err
	}
	if answer.Repository == nil || answer.Repository.PullRequest == nil {
		return false, fmt.Errorf("looking for pull request %d in the merge queue: %w", number, ErrNotFound)
	}
	return answer.Repository.PullRequest.IsInMergeQueue, nil
}
