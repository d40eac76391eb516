package standin

import (
	"fmt"
	"net/http"
	"sort"
	"strings"
	"time"

	"dhibot/bot/standin/internal/gitdb"
)

type review struct {
	id        int64
	author    *Account
	body      string
	state     string
	commit    gitdb.OID
	submitted time.Time
}

type reviewComment struct {
	id        int64
	review    *review
	pull      *issue
	author    *Account
	body      string
	path      string
	hunk      string
	line      int
	position  int
	startLine int
	side      string
	commit    gitdb.OID
	replyTo   int64
	file      bool // on the whole file
	created   time.Time
	updated   time.Time
	reactions []*reaction
}

func (s *Server) reviewRoutes() []route {
	const read, write = "pull_requests:read", "pull_requests:write"
	const p = "/repos/{owner}/{repo}/pulls/{number}"
	return []route{
		{method: "GET", pattern: p + "/reviews", needs: read, doc: "pulls/reviews#list-reviews-for-a-pull-request", do: listReviews},
		{method: "POST", pattern: p + "/reviews", needs: write, level: "read", write: true, doc: "pulls/reviews#create-a-review-for-a-pull-request", do: createReview},
		{method: "GET", pattern: p + "/reviews/{review}", needs: read, doc: "pulls/reviews#get-a-review-for-a-pull-request", do: getReview},
		{method: "GET", pattern: p + "/reviews/{review}/comments", needs: read, doc: "pulls/reviews#list-comments-for-a-pull-request-review", do: reviewComments},
		{method: "GET", pattern: p + "/comments", needs: read, doc: "pulls/comments#list-review-comments-on-a-pull-request", do: pullComments},
		{method: "POST", pattern: p + "/comments", needs: write, level: "read", write: true, doc: "pulls/comments#create-a-review-comment-for-a-pull-request", do: createReviewComment},
		{method: "GET", pattern: "/repos/{owner}/{repo}/pulls/comments/{id}", needs: read, doc: "pulls/comments#get-a-review-comment-for-a-pull-request", do: getReviewComment},
		{method: "PATCH", pattern: "/repos/{owner}/{repo}/pulls/comments/{id}", needs: write, level: "read", write: true, doc: "pulls/comments#update-a-review-comment-for-a-pull-request", do: editReviewComment},
		{method: "DELETE", pattern: "/repos/{owner}/{repo}/pulls/comments/{id}", needs: write, level: "read", write: true, doc: "pulls/comments#delete-a-review-comment-for-a-pull-request", do: deleteReviewComment},
		{method: "GET", pattern: p + "/requested_reviewers", needs: read, doc: "pulls/review-requests#get-all-requested-reviewers-for-a-pull-request", do: requestedReviewers},
		{method: "POST", pattern: p + "/requested_reviewers", needs: write, level: "write", write: true, doc: "pulls/review-requests#request-reviewers-for-a-pull-request", do: requestReviewers},
		{method: "DELETE", pattern: p + "/requested_reviewers", needs: write, level: "write", write: true, doc: "pulls/review-requests#remove-requested-reviewers-from-a-pull-request", do: unrequestReviewers},
	}
}

func (r *Repository) reviewObject(i *issue, v *review) object {
	u := fmt.Sprintf("%s/pulls/%d", r.url(), i.number)
	h := fmt.Sprintf("%s#pullrequestreview-%d", r.issueHTML(i), v.id)
	o := object{
		"id": v.id, "node_id": nodeID("PRR", v.id), "user": r.s.userOrNil(v.author), "body": v.body, "state": v.state,
		"html_url": h, "pull_request_url": u, "author_association": r.association(v.author), "commit_id": v.commit,
		"_links": object{"html": object{"href": h}, "pull_request": object{"href": u}},
	}
	if v.state != "PENDING" {
		o["submitted_at"] = stamp(v.submitted)
	}
	return o
}

func listReviews(c *call) error {
	i, err := c.pull()
	if err != nil {
		return err
	}
	return c.ok(mapped(pageOf(c, i.pull.reviews), func(v *review) object { return c.repo.reviewObject(i, v) }))
}

func (c *call) review() (*issue, *review, error) {
	i, err := c.pull()
	if err != nil {
		return nil, nil, err
	}
	id, err := c.number("review")
	if err != nil {
		return nil, nil, err
	}
	for _, v := range i.pull.reviews {
		if v.id == id {
			return i, v, nil
		}
	}
	return nil, nil, notFound()
}

func getReview(c *call) error {
	i, v, err := c.review()
	if err != nil {
		return err
	}
	return c.ok(c.repo.reviewObject(i, v))
}

// commentRequest is a review comment on its way in.
type commentRequest struct {
	Path      string `json:"path"`
	Body      string `json:"body"`
	Position  *int   `json:"position"`
	Line      *int   `json:"line"`
	StartLine *int   `json:"start_line"`
	Side      string `json:"side"`
	CommitID  string `json:"commit_id"`
	InReplyTo int64  `json:"in_reply_to"`
	Subject   string `json:"subject_type"`
}

func createReview(c *call) error {
	i, err := c.pull()
	if err != nil {
		return err
	}
	var req struct {
		CommitID string           `json:"commit_id"`
		Body     string           `json:"body"`
		Event    string           `json:"event"`
		Comments []commentRequest `json:"comments"`
	}
	if err := c.decode(&req); err != nil {
		return err
	}
	state, known := map[string]string{"": "PENDING", "APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}[req.Event]
	switch {
	case !known:
		return unprocessable(fmt.Sprintf("Variable $event of type PullRequestReviewEvent was provided invalid value: %q", req.Event))
	case req.Body == "" && (req.Event == "REQUEST_CHANGES" || req.Event == "COMMENT" && len(req.Comments) == 0):
		return unprocessable("Unprocessable Entity")
	case i.author == c.who.account() && (req.Event == "APPROVE" || req.Event == "REQUEST_CHANGES"):
		what := map[string]string{"APPROVE": "approve", "REQUEST_CHANGES": "request changes on"}[req.Event]
		return &apiError{status: http.StatusUnprocessableEntity, message: "Unprocessable Entity", errors: []string{"Can not " + what + " your own pull request"}}
	}
	if err := checkText("PullRequestReview", req.Body); err != nil {
		return err
	}
	for _, v := range i.pull.reviews {
		if v.state == "PENDING" && state == "PENDING" && v.author == c.who.account() {
			return &apiError{status: http.StatusUnprocessableEntity, message: "Unprocessable Entity", errors: []string{"User can only have one pending review per pull request"}}
		}
	}
	commit := i.pull.headSHA
	if req.CommitID != "" {
		commit = gitdb.OID(req.CommitID)
		if !c.repo.git.Has(commit) {
			return unprocessable("The commit_id is not part of the pull request")
		}
	}
	v := &review{id: c.s.ids.next("review"), author: c.who.account(), body: req.Body, state: state, commit: commit, submitted: c.s.now()}
	notes := make([]*reviewComment, 0, len(req.Comments))
	for _, q := range req.Comments {
		n, err := c.newReviewComment(i, q, commit)
		if err != nil {
			return err
		}
		n.review = v
		notes = append(notes, n)
	}
	i.pull.reviews = append(i.pull.reviews, v)
	for _, n := range notes {
		c.repo.reviewNotes[n.id] = n
	}
	i.updated = c.s.now()
	c.repo.emitReview(c.who, i, v, "submitted")
	return c.ok(c.repo.reviewObject(i, v))
}

func (r *Repository) emitReview(who actor, i *issue, v *review, action string) {
	o := r.reviewObject(i, v)
	o["state"] = strings.ToLower(v.state)
	r.emit(who, "pull_request_review", action, object{"review": o, "pull_request": r.pullSimple(i)})
}

// unresolved words a place that is not part of the diff: one way for a comment
// of a review, another for a comment of its own.
// https://github.com/warpdotdev/oz-for-oss/issues/310
// https://github.com/openshift/openshift-docs/pull/104109
func (c *call) unresolved(what string) *apiError {
	if strings.HasSuffix(c.route.pattern, "/reviews") {
		return &apiError{status: http.StatusUnprocessableEntity, message: "Unprocessable Entity", errors: []string{strings.ToUpper(what[:1]) + what[1:] + " could not be resolved"}}
	}
	return invalid(fieldError{Resource: "PullRequestReviewComment", Code: "custom", Field: "pull_request_review_thread." + what, Message: "could not be resolved"})
}

// newReviewComment checks that the line is part of the diff, as GitHub does.
func (c *call) newReviewComment(i *issue, q commentRequest, commit gitdb.OID) (*reviewComment, error) {
	if err := checkText("PullRequestReviewComment", q.Body); err != nil {
		return nil, err
	}
	if strings.TrimSpace(q.Body) == "" {
		return nil, missing("body")
	}
	files, err := c.repo.pullDiff(c.r.Context(), i.pull)
	if err != nil {
		return nil, err
	}
	var file *gitdb.FileDiff
	for n := range files {
		if files[n].Path == q.Path {
			file = &files[n]
		}
	}
	if file == nil {
		return nil, c.unresolved("path")
	}
	n := &reviewComment{
		id: c.s.ids.next("review comment"), pull: i, author: c.who.account(), body: q.Body, path: q.Path, commit: commit,
		side: orDefault(q.Side, "RIGHT"), file: q.Subject == "file", created: c.s.now(), updated: c.s.now(),
	}
	if n.file {
		return n, nil
	}
	hunks := parseHunks(file.Patch)
	if q.Position != nil {
		line, side, ok := hunks.at(*q.Position)
		if !ok {
			return nil, c.unresolved("position")
		}
		n.line, n.side = line, side
	} else if q.Line != nil {
		n.line = *q.Line
	}
	if n.hunk = hunks.around(n.line, n.side); n.line == 0 || n.hunk == "" {
		return nil, c.unresolved("line")
	}
	n.position = hunks.position(n.line, n.side)
	if q.StartLine != nil {
		n.startLine = *q.StartLine
		if hunks.around(n.startLine, n.side) == "" || n.startLine >= n.line {
			return nil, c.unresolved("start_line")
		}
	}
	return n, nil
}

func (r *Repository) reviewCommentObject(n *reviewComment) object {
	u := fmt.Sprintf("%s/pulls/comments/%d", r.url(), n.id)
	h := fmt.Sprintf("%s#discussion_r%d", r.issueHTML(n.pull), n.id)
	pr := fmt.Sprintf("%s/pulls/%d", r.url(), n.pull.number)
	o := object{
		"url": u, "pull_request_review_id": nil, "id": n.id, "node_id": nodeID("PRRC", n.id), "diff_hunk": n.hunk, "path": n.path,
		"commit_id": n.commit, "original_commit_id": n.commit, "user": r.s.userOrNil(n.author), "body": n.body,
		"created_at": stamp(n.created), "updated_at": stamp(n.updated), "html_url": h, "pull_request_url": pr,
		"author_association": r.association(n.author), "reactions": rollup(u+"/reactions", n.reactions),
		"_links": object{"self": object{"href": u}, "html": object{"href": h}, "pull_request": object{"href": pr}},
		"side":   n.side, "subject_type": "line", "start_line": nil, "original_start_line": nil, "start_side": nil,
	}
	if n.review != nil {
		o["pull_request_review_id"] = n.review.id
	}
	if n.file {
		o["subject_type"] = "file"
	} else {
		o["line"], o["original_line"] = n.line, n.line
		o["position"], o["original_position"] = n.position, n.position
	}
	if n.startLine > 0 {
		o["start_line"], o["original_start_line"], o["start_side"] = n.startLine, n.startLine, n.side
	}
	if n.replyTo != 0 {
		o["in_reply_to_id"] = n.replyTo
	}
	return o
}

func (r *Repository) sortedNotes(keep func(*reviewComment) bool) []*reviewComment {
	var out []*reviewComment
	for _, n := range r.reviewNotes {
		if keep(n) {
			out = append(out, n)
		}
	}
	sort.Slice(out, func(a, b int) bool { return out[a].id < out[b].id })
	return out
}

func reviewComments(c *call) error {
	_, v, err := c.review()
	if err != nil {
		return err
	}
	list := c.repo.sortedNotes(func(n *reviewComment) bool { return n.review == v })
	return c.ok(mapped(pageOf(c, list), c.repo.reviewCommentObject))
}

func pullComments(c *call) error {
	i, err := c.pull()
	if err != nil {
		return err
	}
	list := c.repo.sortedNotes(func(n *reviewComment) bool { return n.pull == i })
	return c.ok(mapped(pageOf(c, list), c.repo.reviewCommentObject))
}

func createReviewComment(c *call) error {
	i, err := c.pull()
	if err != nil {
		return err
	}
	var req commentRequest
	if err := c.decode(&req); err != nil {
		return err
	}
	commit := gitdb.OID(orDefault(req.CommitID, string(i.pull.headSHA)))
	if parent := c.repo.reviewNotes[req.InReplyTo]; req.InReplyTo != 0 {
		if parent == nil || parent.pull != i {
			return notFound()
		}
		req.Path, req.Line, req.Side = parent.path, &parent.line, parent.side
	}
	n, err := c.newReviewComment(i, req, commit)
	if err != nil {
		return err
	}
	n.replyTo = req.InReplyTo
	n.review = &review{id: c.s.ids.next("review"), author: n.author, state: "COMMENTED", commit: commit, submitted: c.s.now()}
	i.pull.reviews = append(i.pull.reviews, n.review)
	c.repo.reviewNotes[n.id] = n
	c.repo.emit(c.who, "pull_request_review_comment", "created", object{"comment": c.repo.reviewCommentObject(n), "pull_request": c.repo.pullSimple(i)})
	return c.created(c.repo.reviewCommentObject(n))
}

func (c *call) reviewComment() (*reviewComment, error) {
	id, err := c.number("id")
	if err != nil {
		return nil, err
	}
	n := c.repo.reviewNotes[id]
	if n == nil {
		return nil, notFound()
	}
	return n, nil
}

func getReviewComment(c *call) error {
	n, err := c.reviewComment()
	if err != nil {
		return err
	}
	return c.ok(c.repo.reviewCommentObject(n))
}

func editReviewComment(c *call) error {
	n, err := c.reviewComment()
	if err != nil {
		return err
	}
	if err := c.mayChange(n.author); err != nil {
		return err
	}
	body, err := c.newBody("PullRequestReviewComment")
	if err != nil {
		return err
	}
	n.body, n.updated = body, c.s.now()
	return c.ok(c.repo.reviewCommentObject(n))
}

func deleteReviewComment(c *call) error {
	n, err := c.reviewComment()
	if err != nil {
		return err
	}
	if err := c.mayChange(n.author); err != nil {
		return err
	}
	delete(c.repo.reviewNotes, n.id)
	return c.noContent()
}

func requestedReviewers(c *call) error {
	i, err := c.pull()
	if err != nil {
		return err
	}
	return c.ok(object{"users": mapped(i.pull.reviewers, c.s.userObject), "teams": []object{}})
}

func requestReviewers(c *call) error {
	i, err := c.pull()
	if err != nil {
		return err
	}
	var req struct {
		Reviewers     []string `json:"reviewers"`
		TeamReviewers []string `json:"team_reviewers"`
	}
	if err := c.decode(&req); err != nil {
		return err
	}
	if len(req.TeamReviewers) > 0 {
		return unprocessable("Could not resolve to a node with the global id of '" + req.TeamReviewers[0] + "'.")
	}
	var add []*Account
	for _, l := range req.Reviewers {
		u := c.s.Account(l)
		if u != nil && u == i.author {
			return unprocessable("Review cannot be requested from pull request author.")
		}
		if u == nil || c.repo.levelOf(u) == levelNone {
			return unprocessable("Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a collaborator of the " + c.repo.full() + " repository.")
		}
		add = append(add, u)
	}
	for _, u := range add {
		i.pull.reviewers = append(dropAccount(i.pull.reviewers, u), u)
		c.repo.emitPull(c.who, i, "review_requested", object{"requested_reviewer": c.s.userObject(u)})
	}
	return c.created(c.repo.pullSimple(i))
}

func dropAccount(list []*Account, u *Account) []*Account {
	var out []*Account
	for _, x := range list {
		if x != u {
			out = append(out, x)
		}
	}
	return out
}

func unrequestReviewers(c *call) error {
	i, err := c.pull()
	if err != nil {
		return err
	}
	var req struct {
		Reviewers []string `json:"reviewers"`
	}
	if err := c.decode(&req); err != nil {
		return err
	}
	for _, l := range req.Reviewers {
		if u := c.s.Account(l); u != nil {
			i.pull.reviewers = dropAccount(i.pull.reviewers, u)
		}
	}
	return c.ok(c.repo.pullSimple(i))
}
