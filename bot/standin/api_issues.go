package standin

import (
	"fmt"
	"net/http"
	"sort"
	"strings"
	"time"
	"unicode/utf8"
)

func (s *Server) issueRoutes() []route {
	const docs = "issues/issues#"
	return []route{
		{method: "GET", pattern: "/repos/{owner}/{repo}/issues", needs: "issues:read|pull_requests:read", doc: docs + "list-repository-issues", do: listIssues},
		{method: "POST", pattern: "/repos/{owner}/{repo}/issues", needs: "issues:write", level: "read", write: true, doc: docs + "create-an-issue", do: createIssue},
		{method: "GET", pattern: "/repos/{owner}/{repo}/issues/{number}", needs: "issues:read|pull_requests:read", doc: docs + "get-an-issue", do: getIssue},
		{method: "PATCH", pattern: "/repos/{owner}/{repo}/issues/{number}", needs: "issues:write|pull_requests:write", level: "read", write: true, doc: docs + "update-an-issue", do: editIssue},
		{method: "POST", pattern: "/repos/{owner}/{repo}/issues/{number}/assignees", needs: "issues:write|pull_requests:write", level: "triage", write: true, doc: "issues/assignees#add-assignees-to-an-issue", do: addAssignees},
		{method: "DELETE", pattern: "/repos/{owner}/{repo}/issues/{number}/assignees", needs: "issues:write|pull_requests:write", level: "triage", write: true, doc: "issues/assignees#remove-assignees-from-an-issue", do: removeAssignees},
		{method: "PUT", pattern: "/repos/{owner}/{repo}/issues/{number}/lock", needs: "issues:write|pull_requests:write", level: "triage", write: true, doc: docs + "lock-an-issue", do: lockIssue},
		{method: "DELETE", pattern: "/repos/{owner}/{repo}/issues/{number}/lock", needs: "issues:write|pull_requests:write", level: "triage", write: true, doc: docs + "unlock-an-issue", do: unlockIssue},
	}
}

// maxText is the most characters a title-less body may have.
const maxText = 65536

// checkText refuses a body that is too long, as all endpoints with a body do.
func checkText(resource, body string) error {
	if utf8.RuneCountInString(body) > maxText {
		return invalid(fieldError{Resource: resource, Code: "unprocessable", Field: "data", Message: fmt.Sprintf("Body is too long (maximum is %d characters)", maxText)})
	}
	return nil
}

// checkTitle refuses a title that is too long.
func checkTitle(title string) error {
	if utf8.RuneCountInString(title) > 256 {
		return invalid(fieldError{Resource: "Issue", Code: "custom", Field: "title", Message: "title is too long (maximum is 256 characters)"})
	}
	return nil
}

func (c *call) issue() (*issue, error) {
	n, err := c.number("number")
	if err != nil {
		return nil, err
	}
	i := c.repo.issues[int(n)]
	if i == nil {
		return nil, notFound()
	}
	return i, c.permitIssue(i)
}

// permitIssue: a token for pull requests only does not reach issues, and the
// other way round.
func (c *call) permitIssue(i *issue) error {
	if c.who.inst == nil || !c.who.covers(c.repo) || c.route.needs == "" {
		return nil
	}
	_, want, _ := strings.Cut(c.route.needs, ":")
	want, _, _ = strings.Cut(want, "|")
	kind := "issues"
	if i.pull != nil {
		kind = "pull_requests"
	}
	// Issues permission also opens the issue side of pull requests for reading.
	if c.who.token.grants(kind+":"+want) || want == "read" && c.who.token.grants("issues:read") {
		return nil
	}
	return notAccessible()
}

func listIssues(c *call) error {
	state := c.query("state")
	var out []*issue
	labels := strings.FieldsFunc(c.query("labels"), func(r rune) bool { return r == ',' })
	since, sinceErr := time.Parse(time.RFC3339, c.query("since"))
	for _, i := range c.repo.sortedIssues() {
		if state != "all" && i.state != orDefault(state, "open") {
			continue
		}
		if !i.hasLabels(labels) || sinceErr == nil && i.updated.Before(since) {
			continue
		}
		if who := c.query("creator"); who != "" && (i.author == nil || !strings.EqualFold(i.author.Login(), who)) {
			continue
		}
		if c.permitIssue(i) != nil {
			continue
		}
		out = append(out, i)
	}
	sortIssues(out, c.query("sort"), c.query("direction"))
	return c.ok(mapped(pageOf(c, out), c.repo.issueObject))
}

// sortIssues orders by creation (the default), update or comments; newest
// first unless asked otherwise.
func sortIssues(list []*issue, by, direction string) {
	less := func(a, b *issue) bool { return a.number < b.number }
	switch by {
	case "updated":
		less = func(a, b *issue) bool {
			if a.updated.Equal(b.updated) {
				return a.number < b.number
			}
			return a.updated.Before(b.updated)
		}
	case "comments":
		less = func(a, b *issue) bool { return len(a.comments) < len(b.comments) }
	}
	sort.SliceStable(list, func(x, y int) bool {
		if direction == "asc" {
			return less(list[x], list[y])
		}
		return less(list[y], list[x])
	})
}

func orDefault(s, d string) string {
	if s == "" {
		return d
	}
	return s
}

func (i *issue) hasLabels(names []string) bool {
	for _, n := range names {
		found := false
		for _, l := range i.labels {
			found = found || strings.EqualFold(l.name, n)
		}
		if !found {
			return false
		}
	}
	return true
}

func createIssue(c *call) error {
	var req struct {
		Title     *titleValue `json:"title"`
		Body      string      `json:"body"`
		Labels    []labelName `json:"labels"`
		Assignees []string    `json:"assignees"`
	}
	if err := c.decode(&req); err != nil {
		return err
	}
	if req.Title == nil {
		return missing("title")
	}
	if *req.Title == "" {
		return invalid(fieldError{Resource: "Issue", Field: "title", Code: "missing_field"})
	}
	if err := checkTitle(string(*req.Title)); err != nil {
		return err
	}
	if err := checkText("Issue", req.Body); err != nil {
		return err
	}
	i := c.repo.newIssue(c.who, string(*req.Title), req.Body)
	for _, l := range req.Labels {
		i.labels = append(i.labels, c.repo.ensureLabel(string(l)))
	}
	i.assignees = c.repo.assignable(req.Assignees)
	c.repo.emitIssue(c.who, i, "opened", nil)
	return c.created(c.repo.issueObject(i))
}

// titleValue is a title: GitHub takes numbers too.
type titleValue string

func (t *titleValue) UnmarshalJSON(b []byte) error {
	var s *string
	if err := unmarshalString(b, &s); err == nil && s != nil {
		*t = titleValue(*s)
		return nil
	}
	*t = titleValue(strings.Trim(string(b), `"`))
	return nil
}

func getIssue(c *call) error {
	i, err := c.issue()
	if err != nil {
		return err
	}
	return c.ok(c.repo.issueObject(i))
}

// mayEdit: Apps, the author, and everyone with at least the level. What the
// token of an App may do is checked for every route.
func (c *call) mayEdit(i *issue, least level) error {
	if c.who.user == nil || c.who.user == i.author || c.repo.levelOf(c.who.user) >= least {
		return nil
	}
	return fail(http.StatusForbidden, "Resource not accessible by personal access token")
}

// textEdit is what can be changed about issues and pull requests alike.
type textEdit struct {
	Title *titleValue `json:"title"`
	Body  *string     `json:"body"`
	State *string     `json:"state"`
}

// check refuses what GitHub would, before anything is changed.
func (e textEdit) check(resource string) error {
	if e.Body != nil {
		if err := checkText("Issue", *e.Body); err != nil {
			return err
		}
	}
	if e.State != nil && *e.State != "open" && *e.State != "closed" {
		return invalid(fieldError{Resource: resource, Field: "state", Code: "invalid"})
	}
	if e.Title != nil {
		return checkTitle(string(*e.Title))
	}
	return nil
}

// rewrite changes title and body.
func (e textEdit) rewrite(c *call, i *issue) {
	var title *string
	if e.Title != nil {
		t := string(*e.Title)
		title = &t
	}
	c.repo.edit(c.who, i, title, e.Body)
}

// turn closes or reopens it; reason is why it is closed.
func (e textEdit) turn(c *call, i *issue, reason string) error {
	switch {
	case e.State == nil || *e.State == i.state:
	case *e.State == "closed":
		c.repo.closeIssue(c.who, i, reason)
	default:
		if err := c.repo.mayReopen(i); err != nil {
			return err
		}
		c.repo.reopenIssue(c.who, i)
	}
	return nil
}

func editIssue(c *call) error {
	i, err := c.issue()
	if err != nil {
		return err
	}
	if err := c.mayEdit(i, levelTriage); err != nil {
		return err
	}
	var req struct {
		textEdit
		StateReason string       `json:"state_reason"`
		Labels      *[]labelName `json:"labels"`
		Assignees   *[]string    `json:"assignees"`
	}
	if err := c.decode(&req); err != nil {
		return err
	}
	if err := req.check("Issue"); err != nil {
		return err
	}
	req.rewrite(c, i)
	if req.Labels != nil {
		c.repo.setLabels(c.who, i, *req.Labels)
	}
	if req.Assignees != nil {
		i.assignees = c.repo.assignable(*req.Assignees)
	}
	if err := req.turn(c, i, req.StateReason); err != nil {
		return err
	}
	return c.ok(c.repo.issueObject(i))
}

// edit changes title and body and sends one "edited" event with what was.
func (r *Repository) edit(who actor, i *issue, title, body *string) {
	changes := object{}
	if title != nil && *title != i.title {
		changes["title"] = object{"from": i.title}
		i.title = *title
	}
	if body != nil && *body != i.body {
		changes["body"] = object{"from": i.body}
		i.body = *body
	}
	if len(changes) == 0 {
		return
	}
	i.updated = r.s.now()
	if i.pull != nil {
		r.emitPull(who, i, "edited", object{"changes": changes})
		return
	}
	r.emitIssue(who, i, "edited", object{"changes": changes})
}

// assignable keeps those who may be assigned; others are dropped silently, as
// GitHub does.
func (r *Repository) assignable(logins []string) []*Account {
	var out []*Account
	for _, l := range logins {
		if u := r.s.Account(l); u != nil && u.kind == typeUser && r.levelOf(u) >= levelRead && len(out) < 10 {
			out = append(out, u)
		}
	}
	return out
}

func addAssignees(c *call) error { return changeAssignees(c, true) }

func removeAssignees(c *call) error { return changeAssignees(c, false) }

func changeAssignees(c *call, add bool) error {
	i, err := c.issue()
	if err != nil {
		return err
	}
	var req struct {
		Assignees []string `json:"assignees"`
	}
	if err := c.decode(&req); err != nil {
		return err
	}
	var kept []*Account
	for _, a := range i.assignees {
		named := false
		for _, l := range req.Assignees {
			named = named || strings.EqualFold(a.Login(), l)
		}
		if !named {
			kept = append(kept, a)
		}
	}
	if add {
		kept = append(kept, c.repo.assignable(req.Assignees)...)
	}
	i.assignees = kept
	if add {
		return c.created(c.repo.issueObject(i))
	}
	return c.ok(c.repo.issueObject(i))
}

func lockIssue(c *call) error {
	i, err := c.issue()
	if err != nil {
		return err
	}
	i.locked = true
	return c.noContent()
}

func unlockIssue(c *call) error {
	i, err := c.issue()
	if err != nil {
		return err
	}
	i.locked = false
	return c.noContent()
}

// OpenIssue opens an issue as a person and returns its number.
func (r *Repository) OpenIssue(login, title, body string) int {
	who := actor{user: r.s.AddUser(login)}
	r.mu.Lock()
	defer r.mu.Unlock()
	i := r.newIssue(who, title, body)
	r.emitIssue(who, i, "opened", nil)
	return i.number
}

// CloseIssue closes an issue or pull request as a person.
func (r *Repository) CloseIssue(login string, number int) error {
	return r.withIssue(number, func(i *issue) error {
		r.closeIssue(actor{user: r.s.AddUser(login)}, i, "")
		return nil
	})
}

// ReopenIssue reopens an issue or pull request as a person.
func (r *Repository) ReopenIssue(login string, number int) error {
	return r.withIssue(number, func(i *issue) error {
		if err := r.mayReopen(i); err != nil {
			return err
		}
		r.reopenIssue(actor{user: r.s.AddUser(login)}, i)
		return nil
	})
}

// EditIssue changes the body of an issue or pull request as a person, as
// ticking a checkbox does.
func (r *Repository) EditIssue(login string, number int, body string) error {
	return r.withIssue(number, func(i *issue) error {
		r.edit(actor{user: r.s.AddUser(login)}, i, nil, &body)
		return nil
	})
}

func (r *Repository) withIssue(number int, do func(*issue) error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := r.issues[number]
	if i == nil {
		return fmt.Errorf("%s has no issue or pull request %d", r.full(), number)
	}
	return do(i)
}
