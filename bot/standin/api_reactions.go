package standin

import (
	"net/http"
	"slices"
)

// reactionContents are all there are, in GitHub's order.
func reactionContents() []string {
	return []string{"+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"}
}

func (s *Server) reactionRoutes() []route {
	const docs = "reactions/reactions#"
	on := func(pattern, what string, find func(*call) (*[]*reaction, error)) []route {
		base := "/repos/{owner}/{repo}/" + pattern + "/reactions"
		return []route{
			{method: "GET", pattern: base, needs: "issues:read|pull_requests:read", doc: docs + "list-reactions-for-" + what, do: func(c *call) error {
				list, err := find(c)
				if err != nil {
					return err
				}
				var out []*reaction
				for _, r := range *list {
					if want := c.query("content"); want == "" || want == r.content {
						out = append(out, r)
					}
				}
				return c.ok(mapped(pageOf(c, out), c.s.reactionObject))
			}},
			{method: "POST", pattern: base, needs: "issues:write|pull_requests:write", level: "read", write: true, doc: docs + "create-reaction-for-" + what, do: func(c *call) error {
				list, err := find(c)
				if err != nil {
					return err
				}
				return c.react(list)
			}},
			{method: "DELETE", pattern: base + "/{reaction}", needs: "issues:write|pull_requests:write", level: "read", write: true, doc: docs + "delete-" + what + "-reaction", do: func(c *call) error {
				list, err := find(c)
				if err != nil {
					return err
				}
				return c.unreact(list)
			}},
		}
	}
	routes := on("issues/{number}", "an-issue", func(c *call) (*[]*reaction, error) {
		i, err := c.issue()
		if err != nil {
			return nil, err
		}
		return &i.reactions, nil
	})
	routes = append(routes, on("issues/comments/{id}", "an-issue-comment", func(c *call) (*[]*reaction, error) {
		cm, err := c.comment()
		if err != nil {
			return nil, err
		}
		return &cm.reactions, nil
	})...)
	return append(routes, on("pulls/comments/{id}", "a-pull-request-review-comment", func(c *call) (*[]*reaction, error) {
		n, err := c.reviewComment()
		if err != nil {
			return nil, err
		}
		return &n.reactions, nil
	})...)
}

func (s *Server) reactionObject(r *reaction) object {
	return object{"id": r.id, "node_id": nodeID("REA", r.id), "user": s.userOrNil(r.user), "content": r.content, "created_at": stamp(r.created)}
}

// react adds a reaction; the same one again answers 200 with the old one.
func (c *call) react(list *[]*reaction) error {
	var req struct {
		Content string `json:"content"`
	}
	if err := c.decode(&req); err != nil {
		return err
	}
	if !slices.Contains(reactionContents(), req.Content) {
		return invalid(fieldError{Resource: "Reaction", Field: "content", Code: "invalid"})
	}
	for _, r := range *list {
		if r.user == c.who.account() && r.content == req.Content {
			return c.ok(c.s.reactionObject(r))
		}
	}
	r := &reaction{id: c.s.ids.next("reaction"), user: c.who.account(), content: req.Content, created: c.s.now()}
	*list = append(*list, r)
	return c.json(http.StatusCreated, c.s.reactionObject(r))
}

func (c *call) unreact(list *[]*reaction) error {
	id, err := c.number("reaction")
	if err != nil {
		return err
	}
	for n, r := range *list {
		if r.id == id {
			if r.user != c.who.account() {
				return notFound()
			}
			*list = append((*list)[:n:n], (*list)[n+1:]...)
			return c.noContent()
		}
	}
	return notFound()
}
