package standin

import (
	"fmt"
	"sort"
	"time"

	"dhibot/bot/standin/internal/gitdb"
)

// issue is an issue or, with pull set, a pull request: they share numbers,
// comments, labels and reactions.
type issue struct {
	repo      *Repository
	id        int64
	number    int
	title     string
	body      string
	author    *Account
	app       *App // that made it
	state     string
	reason    string // why it is closed
	locked    bool
	labels    []*label
	assignees []*Account
	reactions []*reaction
	created   time.Time
	updated   time.Time
	closed    *time.Time
	closedBy  *Account
	comments  []*comment
	pull      *pull
}

// pull is what a pull request has more than an issue.
type pull struct {
	id         int64
	headRepo   *Repository
	headRef    string
	headSHA    gitdb.OID
	baseRef    string
	baseSHA    gitdb.OID
	draft      bool
	queued     bool // in the merge queue
	maintainer bool
	merged     bool
	mergedAt   *time.Time
	mergedBy   *Account
	mergeSHA   gitdb.OID
	reviewers  []*Account
	reviews    []*review
	number     int
}

func (p *pull) refName() string { return fmt.Sprintf("refs/pull/%d/head", p.number) }

type comment struct {
	id        int64
	issue     *issue
	author    *Account
	app       *App
	body      string
	created   time.Time
	updated   time.Time
	reactions []*reaction
}

type reaction struct {
	id      int64
	user    *Account
	content string
	created time.Time
}

func (i *issue) open() bool { return i.state == "open" }

// sortedIssues lists issues and pull requests by number.
func (r *Repository) sortedIssues() []*issue {
	out := make([]*issue, 0, len(r.issues))
	for _, i := range r.issues {
		out = append(out, i)
	}
	sort.Slice(out, func(a, b int) bool { return out[a].number < out[b].number })
	return out
}

func (r *Repository) newIssue(who actor, title, body string) *issue {
	now := r.s.now()
	i := &issue{
		repo: r, id: r.s.ids.next("issue"), number: r.nextNumber, title: title, body: body, author: who.account(), app: who.viaApp(),
		state: "open", created: now, updated: now,
	}
	r.nextNumber++
	r.issues[i.number] = i
	return i
}

// association is how GitHub labels the author of something.
func (r *Repository) association(a *Account) string {
	if a == nil {
		return "NONE"
	}
	if a == r.owner {
		return "OWNER"
	}
	r.s.mu.RLock()
	_, member := r.owner.members[a]
	r.s.mu.RUnlock()
	switch {
	case member:
		return "MEMBER"
	case a.kind == typeBot:
		return "NONE"
	case parseLevel(r.collaborators[a.id]) > levelNone:
		return "COLLABORATOR"
	}
	return "NONE"
}

// closeIssue closes an issue or pull request and tells everybody.
func (r *Repository) closeIssue(who actor, i *issue, reason string) {
	now := r.s.now()
	i.state, i.closed, i.closedBy, i.updated = "closed", &now, who.account(), now
	if i.pull == nil {
		if reason == "" {
			reason = "completed"
		}
		i.reason = reason
		r.emitIssue(who, i, "closed", nil)
		return
	}
	r.emitPull(who, i, "closed", nil)
}

func (r *Repository) reopenIssue(who actor, i *issue) {
	i.state, i.closed, i.closedBy, i.reason, i.updated = "open", nil, nil, "", r.s.now()
	if i.pull == nil {
		i.reason = "reopened"
		r.emitIssue(who, i, "reopened", nil)
		return
	}
	r.emitPull(who, i, "reopened", nil)
}

func (r *Repository) emitIssue(who actor, i *issue, action string, extra object) {
	o := object{"issue": r.issueObject(i)}
	for k, v := range extra {
		o[k] = v
	}
	r.emit(who, "issues", action, o)
}

func (r *Repository) issueURL(i *issue) string { return fmt.Sprintf("%s/issues/%d", r.url(), i.number) }

func (r *Repository) issueHTML(i *issue) string {
	if i.pull != nil {
		return fmt.Sprintf("%s/pull/%d", r.html(), i.number)
	}
	return fmt.Sprintf("%s/issues/%d", r.html(), i.number)
}

// issueObject is the schema "issue"; a pull request seen as an issue has
// "pull_request".
func (r *Repository) issueObject(i *issue) object {
	u := r.issueURL(i)
	var assignee any
	if len(i.assignees) > 0 {
		assignee = r.s.userObject(i.assignees[0])
	}
	prefix := "I"
	if i.pull != nil {
		prefix = "PR"
	}
	o := object{
		"url": u, "repository_url": r.url(), "labels_url": u + "/labels{/name}", "comments_url": u + "/comments",
		"events_url": u + "/events", "html_url": r.issueHTML(i), "timeline_url": u + "/timeline",
		"id": i.id, "node_id": nodeID(prefix, i.id), "number": i.number, "title": i.title, "user": r.s.userOrNil(i.author),
		"labels": mapped(i.labels, r.labelObject), "state": i.state, "locked": i.locked, "assignee": assignee,
		"assignees": mapped(i.assignees, r.s.userObject), "milestone": nil, "comments": len(i.comments),
		"created_at": stamp(i.created), "updated_at": stamp(i.updated), "closed_at": stampOrNil(i.closed),
		"author_association": r.association(i.author), "active_lock_reason": nil, "body": nullable(i.body),
		"closed_by": r.s.userOrNil(i.closedBy), "reactions": rollup(u+"/reactions", i.reactions),
		"performed_via_github_app": r.s.appOrNil(i.app), "state_reason": nullable(i.reason),
	}
	if p := i.pull; p != nil {
		pu := fmt.Sprintf("%s/pulls/%d", r.url(), i.number)
		h := r.issueHTML(i)
		o["draft"] = p.draft
		o["pull_request"] = object{"url": pu, "html_url": h, "diff_url": h + ".diff", "patch_url": h + ".patch", "merged_at": stampOrNil(p.mergedAt)}
	}
	return o
}

// rollup is the schema "reaction-rollup".
func rollup(url string, list []*reaction) object {
	o := object{"url": url, "total_count": len(list)}
	for _, c := range reactionContents() {
		o[c] = 0
	}
	for _, x := range list {
		if n, ok := o[x.content].(int); ok {
			o[x.content] = n + 1
		}
	}
	return o
}

func (r *Repository) commentURL(c *comment) string {
	return fmt.Sprintf("%s/issues/comments/%d", r.url(), c.id)
}

// commentObject is the schema "issue-comment".
func (r *Repository) commentObject(c *comment) object {
	u := r.commentURL(c)
	return object{
		"url": u, "html_url": fmt.Sprintf("%s#issuecomment-%d", r.issueHTML(c.issue), c.id), "issue_url": r.issueURL(c.issue),
		"id": c.id, "node_id": nodeID("IC", c.id), "user": r.s.userOrNil(c.author), "body": c.body,
		"created_at": stamp(c.created), "updated_at": stamp(c.updated), "author_association": r.association(c.author),
		"performed_via_github_app": r.s.appOrNil(c.app), "reactions": rollup(u+"/reactions", c.reactions),
	}
}

func (r *Repository) addComment(who actor, i *issue, body string) *comment {
	now := r.s.now()
	c := &comment{id: r.s.ids.next("comment"), issue: i, author: who.account(), app: who.viaApp(), body: body, created: now, updated: now}
	i.comments = append(i.comments, c)
	i.updated = now
	r.comments[c.id] = c
	r.emitComment(who, c, "created", nil)
	return c
}

func (r *Repository) emitComment(who actor, c *comment, action string, extra object) {
	o := object{"issue": r.issueObject(c.issue), "comment": r.commentObject(c)}
	for k, v := range extra {
		o[k] = v
	}
	r.emit(who, "issue_comment", action, o)
}
