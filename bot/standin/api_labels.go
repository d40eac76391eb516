package standin

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"
)

type label struct {
	id          int64
	name        string
	color       string
	description string
	isDefault   bool
}

// labelName is a label in a request: a string or {"name": …}.
type labelName string

func (l *labelName) UnmarshalJSON(b []byte) error {
	var o struct {
		Name string `json:"name"`
	}
	if json.Unmarshal(b, &o) == nil {
		*l = labelName(o.Name)
		return nil
	}
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	*l = labelName(s)
	return nil
}

func (s *Server) labelRoutes() []route {
	const docs = "issues/labels#"
	both := func(level string) string { return "issues:" + level + "|pull_requests:" + level }
	return []route{
		{method: "GET", pattern: "/repos/{owner}/{repo}/labels", needs: both("read"), doc: docs + "list-labels-for-a-repository", do: listLabels},
		{method: "POST", pattern: "/repos/{owner}/{repo}/labels", needs: both("write"), level: "write", write: true, doc: docs + "create-a-label", do: createLabel},
		{method: "GET", pattern: "/repos/{owner}/{repo}/labels/{name}", needs: both("read"), doc: docs + "get-a-label", do: getLabel},
		{method: "PATCH", pattern: "/repos/{owner}/{repo}/labels/{name}", needs: both("write"), level: "write", write: true, doc: docs + "update-a-label", do: editLabel},
		{method: "DELETE", pattern: "/repos/{owner}/{repo}/labels/{name}", needs: both("write"), level: "write", write: true, doc: docs + "delete-a-label", do: deleteLabel},
		{method: "GET", pattern: "/repos/{owner}/{repo}/issues/{number}/labels", needs: both("read"), doc: docs + "list-labels-for-an-issue", do: issueLabels},
		{method: "POST", pattern: "/repos/{owner}/{repo}/issues/{number}/labels", needs: both("write"), level: "triage", write: true, doc: docs + "add-labels-to-an-issue", do: addIssueLabels},
		{method: "PUT", pattern: "/repos/{owner}/{repo}/issues/{number}/labels", needs: both("write"), level: "triage", write: true, doc: docs + "set-labels-for-an-issue", do: setIssueLabels},
		{method: "DELETE", pattern: "/repos/{owner}/{repo}/issues/{number}/labels", needs: both("write"), level: "triage", write: true, doc: docs + "remove-all-labels-from-an-issue", do: clearIssueLabels},
		{method: "DELETE", pattern: "/repos/{owner}/{repo}/issues/{number}/labels/{name}", needs: both("write"), level: "triage", write: true, doc: docs + "remove-a-label-from-an-issue", do: removeIssueLabel},
	}
}

func (r *Repository) labelObject(l *label) object {
	return object{
		"id": l.id, "node_id": nodeID("LA", l.id), "url": r.url() + "/labels/" + url.PathEscape(l.name), "name": l.name,
		"color": l.color, "default": l.isDefault, "description": nullable(l.description),
	}
}

func (r *Repository) label(name string) *label {
	for _, l := range r.labels {
		if strings.EqualFold(l.name, name) {
			return l
		}
	}
	return nil
}

// ensureLabel finds a label or makes a grey one, as labelling an issue does.
func (r *Repository) ensureLabel(name string) *label {
	if l := r.label(name); l != nil {
		return l
	}
	l := &label{id: r.s.ids.next("label"), name: name, color: "ededed"}
	r.labels = append(r.labels, l)
	return l
}

func listLabels(c *call) error { return c.ok(mapped(pageOf(c, c.repo.labels), c.repo.labelObject)) }

func getLabel(c *call) error {
	l := c.repo.label(c.params["name"])
	if l == nil {
		return notFound()
	}
	return c.ok(c.repo.labelObject(l))
}

var hexColor = regexp.MustCompile(`^[0-9a-fA-F]{6}$`)

type labelRequest struct {
	Name        string  `json:"name"`
	NewName     string  `json:"new_name"`
	Color       string  `json:"color"`
	Description *string `json:"description"`
}

func (q labelRequest) check() error {
	if q.Color != "" && !hexColor.MatchString(q.Color) {
		return invalid(fieldError{Resource: "Label", Field: "color", Code: "invalid"})
	}
	if utf8.RuneCountInString(q.Name) > 50 || utf8.RuneCountInString(q.NewName) > 50 {
		return invalid(fieldError{Resource: "Label", Field: "name", Code: "custom", Message: "name is too long (maximum is 50 characters)"})
	}
	if q.Description != nil && utf8.RuneCountInString(*q.Description) > 100 {
		return invalid(fieldError{Resource: "Label", Field: "description", Code: "custom", Message: "description is too long (maximum is 100 characters)"})
	}
	return nil
}

func createLabel(c *call) error {
	var req labelRequest
	if err := c.decode(&req); err != nil {
		return err
	}
	if req.Name == "" {
		return missing("name")
	}
	if err := req.check(); err != nil {
		return err
	}
	if c.repo.label(req.Name) != nil {
		return invalid(fieldError{Resource: "Label", Field: "name", Code: "already_exists"})
	}
	l := c.repo.ensureLabel(req.Name)
	l.color = orDefault(strings.ToLower(req.Color), l.color)
	if req.Description != nil {
		l.description = *req.Description
	}
	return c.created(c.repo.labelObject(l))
}

func editLabel(c *call) error {
	l := c.repo.label(c.params["name"])
	if l == nil {
		return notFound()
	}
	var req labelRequest
	if err := c.decode(&req); err != nil {
		return err
	}
	if err := req.check(); err != nil {
		return err
	}
	if other := c.repo.label(req.NewName); req.NewName != "" && other != nil && other != l {
		return invalid(fieldError{Resource: "Label", Field: "name", Code: "already_exists"})
	}
	l.name, l.color = orDefault(req.NewName, l.name), orDefault(strings.ToLower(req.Color), l.color)
	if req.Description != nil {
		l.description = *req.Description
	}
	return c.ok(c.repo.labelObject(l))
}

func deleteLabel(c *call) error {
	l := c.repo.label(c.params["name"])
	if l == nil {
		return notFound()
	}
	c.repo.labels = without(c.repo.labels, l)
	for _, i := range c.repo.issues {
		i.labels = without(i.labels, l)
	}
	return c.noContent()
}

func without(list []*label, l *label) []*label {
	var out []*label
	for _, x := range list {
		if x != l {
			out = append(out, x)
		}
	}
	return out
}

func issueLabels(c *call) error {
	i, err := c.issue()
	if err != nil {
		return err
	}
	return c.ok(mapped(pageOf(c, i.labels), c.repo.labelObject))
}

// labelsRequest takes {"labels": […]} and a bare array.
func (c *call) labelsRequest() ([]labelName, error) {
	var bare []labelName
	if json.Unmarshal(c.body, &bare) == nil {
		return bare, nil
	}
	var req struct {
		Labels []labelName `json:"labels"`
	}
	err := c.decode(&req)
	return req.Labels, err
}

func addIssueLabels(c *call) error {
	return c.changeLabels(func(i *issue, names []labelName) {
		for _, l := range i.labels {
			names = append(names, labelName(l.name))
		}
		c.repo.setLabels(c.who, i, names)
	})
}

func setIssueLabels(c *call) error {
	return c.changeLabels(func(i *issue, names []labelName) { c.repo.setLabels(c.who, i, names) })
}

func (c *call) changeLabels(apply func(*issue, []labelName)) error {
	i, err := c.issue()
	if err != nil {
		return err
	}
	names, err := c.labelsRequest()
	if err != nil {
		return err
	}
	apply(i, names)
	return c.ok(mapped(i.labels, c.repo.labelObject))
}

func clearIssueLabels(c *call) error {
	i, err := c.issue()
	if err != nil {
		return err
	}
	c.repo.setLabels(c.who, i, nil)
	return c.noContent()
}

func removeIssueLabel(c *call) error {
	i, err := c.issue()
	if err != nil {
		return err
	}
	l := c.repo.label(c.params["name"])
	if l == nil || !i.hasLabels([]string{l.name}) {
		return fail(http.StatusNotFound, "Label does not exist")
	}
	var names []labelName
	for _, x := range i.labels {
		if x != l {
			names = append(names, labelName(x.name))
		}
	}
	c.repo.setLabels(c.who, i, names)
	return c.ok(mapped(i.labels, c.repo.labelObject))
}

// setLabels replaces the labels and sends "labeled" and "unlabeled" for the
// difference.
func (r *Repository) setLabels(who actor, i *issue, names []labelName) {
	before := i.labels
	var after []*label
	for _, n := range names {
		l := r.ensureLabel(string(n))
		if len(without(after, l)) == len(after) {
			after = append(after, l)
		}
	}
	i.labels, i.updated = after, r.s.now()
	tell := func(l *label, action string) {
		o := object{"label": r.labelObject(l)}
		if i.pull != nil {
			r.emitPull(who, i, action, o)
		} else {
			r.emitIssue(who, i, action, o)
		}
	}
	for _, l := range after {
		if len(without(before, l)) == len(before) {
			tell(l, "labeled")
		}
	}
	for _, l := range before {
		if len(without(after, l)) == len(after) {
			tell(l, "unlabeled")
		}
	}
}

// AddLabel puts a label on an issue or pull request as a person.
func (r *Repository) AddLabel(login string, number int, name string) error {
	return r.withIssue(number, func(i *issue) error {
		names := []labelName{labelName(name)}
		for _, l := range i.labels {
			names = append(names, labelName(l.name))
		}
		r.setLabels(actor{user: r.s.AddUser(login)}, i, names)
		return nil
	})
}

// defaultLabels are what every new repository starts with, the ones our tests
// can meet.
func defaultLabels(s *Server) []*label {
	out := make([]*label, 0, 3)
	for _, l := range [][3]string{
		{"bug", "d73a4a", "Something isn't working"},
		{"documentation", "0075ca", "Improvements or additions to documentation"},
		{"enhancement", "a2eeef", "New feature or request"},
	} {
		out = append(out, &label{id: s.ids.next("label"), name: l[0], color: l[1], description: l[2], isDefault: true})
	}
	return out
}
