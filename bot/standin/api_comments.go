package standin

import (
	"fmt"
	"net/http"
	"sort"
	"strings"
	"time"
)

func (s *Server) commentRoutes() []route {
	const docs = "issues/comments#"
	return []route{
		{method: "GET", pattern: "/repos/{owner}/{repo}/issues/comments", needs: "issues:read|pull_requests:read", doc: docs + "list-issue-comments-for-a-repository", do: listRepositoryComments},
		{method: "GET", pattern: "/repos/{owner}/{repo}/issues/{number}/comments", needs: "issues:read|pull_requests:read", doc: docs + "list-issue-comments", do: listComments},
		{method: "POST", pattern: "/repos/{owner}/{repo}/issues/{number}/comments", needs: "issues:write|pull_requests:write", level: "read", write: true, doc: docs + "create-an-issue-comment", do: createComment},
		{method: "GET", pattern: "/repos/{owner}/{repo}/issues/comments/{id}", needs: "issues:read|pull_requests:read", doc: docs + "get-an-issue-comment", do: getComment},
		{method: "PATCH", pattern: "/repos/{owner}/{repo}/issues/comments/{id}", needs: "issues:write|pull_requests:write", level: "read", write: true, doc: docs + "update-an-issue-comment", do: editComment},
		{method: "DELETE", pattern: "/repos/{owner}/{repo}/issues/comments/{id}", needs: "issues:write|pull_requests:write", level: "read", write: true, doc: docs + "delete-an-issue-comment", do: deleteComment},
	}
}

func listRepositoryComments(c *call) error {
	var out []*comment
	for _, cm := range c.repo.comments {
		out = append(out, cm)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].id < out[j].id })
	return c.ok(mapped(pageOf(c, since(c, out)), c.repo.commentObject))
}

func since(c *call, list []*comment) []*comment {
	t, err := time.Parse(time.RFC3339, c.query("since"))
	if err != nil {
		return list
	}
	var out []*comment
	for _, cm := range list {
		if !cm.updated.Before(t) {
			out = append(out, cm)
		}
	}
	return out
}

func listComments(c *call) error {
	i, err := c.issue()
	if err != nil {
		return err
	}
	return c.ok(mapped(pageOf(c, since(c, i.comments)), c.repo.commentObject))
}

func createComment(c *call) error {
	i, err := c.issue()
	if err != nil {
		return err
	}
	body, err := c.newBody("IssueComment")
	if err != nil {
		return err
	}
	if strings.TrimSpace(body) == "" {
		return invalid(fieldError{Resource: "IssueComment", Code: "unprocessable", Field: "data", Message: "Body cannot be blank"})
	}
	if i.locked && (c.who.user == nil || c.repo.levelOf(c.who.user) < levelWrite) {
		return fail(http.StatusForbidden, "Unable to create comment because issue is locked.")
	}
	return c.created(c.repo.commentObject(c.repo.addComment(c.who, i, body)))
}

func (c *call) comment() (*comment, error) {
	id, err := c.number("id")
	if err != nil {
		return nil, err
	}
	cm := c.repo.comments[id]
	if cm == nil {
		return nil, notFound()
	}
	return cm, c.permitIssue(cm.issue)
}

func getComment(c *call) error {
	cm, err := c.comment()
	if err != nil {
		return err
	}
	return c.ok(c.repo.commentObject(cm))
}

// mayChange: the author and everyone who can write.
func (c *call) mayChange(author *Account) error {
	if c.who.inst != nil || c.who.user == author || c.repo.levelOf(c.who.user) >= levelWrite {
		return nil
	}
	return fail(http.StatusForbidden, "Must have admin rights to Repository.")
}

// newBody is the text that the request brings for a comment of the kind.
func (c *call) newBody(kind string) (string, error) {
	var req struct {
		Body *string `json:"body"`
	}
	if err := c.decode(&req); err != nil {
		return "", err
	}
	if req.Body == nil {
		return "", missing("body")
	}
	return *req.Body, checkText(kind, *req.Body)
}

func editComment(c *call) error {
	cm, err := c.comment()
	if err != nil {
		return err
	}
	if err := c.mayChange(cm.author); err != nil {
		return err
	}
	body, err := c.newBody("IssueComment")
	if err != nil {
		return err
	}
	c.repo.editComment(c.who, cm, body)
	return c.ok(c.repo.commentObject(cm))
}

func (r *Repository) editComment(who actor, cm *comment, body string) {
	was := cm.body
	cm.body, cm.updated = body, r.s.now()
	r.emitComment(who, cm, "edited", object{"changes": object{"body": object{"from": was}}})
}

func deleteComment(c *call) error {
	cm, err := c.comment()
	if err != nil {
		return err
	}
	if err := c.mayChange(cm.author); err != nil {
		return err
	}
	c.repo.deleteComment(c.who, cm)
	return c.noContent()
}

func (r *Repository) deleteComment(who actor, cm *comment) {
	var kept []*comment
	for _, other := range cm.issue.comments {
		if other != cm {
			kept = append(kept, other)
		}
	}
	cm.issue.comments = kept
	delete(r.comments, cm.id)
	r.emitComment(who, cm, "deleted", nil)
}

// Comment writes a comment as a person (added when missing) on an issue or
// pull request, fires issue_comment and returns the comment's id.
func (r *Repository) Comment(login string, number int, body string) (int64, error) {
	var id int64
	err := r.withIssue(number, func(i *issue) error {
		id = r.addComment(actor{user: r.s.AddUser(login)}, i, body).id
		return nil
	})
	return id, err
}

// EditComment changes a comment as a person.
func (r *Repository) EditComment(login string, id int64, body string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	cm := r.comments[id]
	if cm == nil {
		return fmt.Errorf("%s has no comment %d", r.full(), id)
	}
	r.editComment(actor{user: r.s.AddUser(login)}, cm, body)
	return nil
}

// DeleteComment deletes a comment as a person.
func (r *Repository) DeleteComment(login string, id int64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	cm := r.comments[id]
	if cm == nil {
		return fmt.Errorf("%s has no comment %d", r.full(), id)
	}
	r.deleteComment(actor{user: r.s.AddUser(login)}, cm)
	return nil
}
