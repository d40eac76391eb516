package standin

import (
	"fmt"
	"time"

	"dhibot/bot/standin/internal/gitdb"
)

type commitStatus struct {
	id                                  int64
	sha                                 gitdb.OID
	state, context, description, target string
	creator                             *Account
	created                             time.Time
}

func (s *Server) statusRoutes() []route {
	return []route{
		{method: "POST", pattern: "/repos/{owner}/{repo}/statuses/{sha}", needs: "statuses:write", level: "write", write: true, doc: "commits/statuses#create-a-commit-status", do: createStatus},
		{method: "GET", pattern: "/repos/{owner}/{repo}/commits/{ref*}/status", needs: "statuses:read", doc: "commits/statuses#get-the-combined-status-for-a-specific-reference", do: combinedStatus},
		{method: "GET", pattern: "/repos/{owner}/{repo}/commits/{ref*}/statuses", needs: "statuses:read", doc: "commits/statuses#list-commit-statuses-for-a-reference", do: listStatuses},
	}
}

func createStatus(c *call) error {
	var req struct {
		State       string `json:"state"`
		TargetURL   string `json:"target_url"`
		Description string `json:"description"`
		Context     string `json:"context"`
	}
	if err := c.decode(&req); err != nil {
		return err
	}
	sha := gitdb.OID(c.params["sha"])
	if kind, err := c.repo.git.Kind(sha); err != nil || kind != "commit" {
		return unprocessable("No commit found for SHA: " + string(sha))
	}
	switch req.State {
	case "error", "failure", "pending", "success":
	default:
		return invalid(fieldError{Resource: "Status", Field: "state", Code: "custom", Message: "state is not included in the list"})
	}
	if len(req.Description) > 140 {
		return invalid(fieldError{Resource: "Status", Field: "description", Code: "custom", Message: "description is too long (maximum is 140 characters)"})
	}
	st := &commitStatus{
		id: c.s.ids.next("status"), sha: sha, state: req.State, context: orDefault(req.Context, "default"),
		description: req.Description, target: req.TargetURL, creator: c.who.account(), created: c.s.now(),
	}
	c.repo.statuses = append(c.repo.statuses, st)
	return c.created(c.repo.statusObject(st))
}

func (r *Repository) statusObject(st *commitStatus) object {
	o := r.simpleStatus(st)
	o["creator"] = r.s.userOrNil(st.creator)
	return o
}

func (r *Repository) simpleStatus(st *commitStatus) object {
	return object{
		"url": r.url() + "/statuses/" + string(st.sha), "avatar_url": fmt.Sprintf("%s/_standin/avatar/%d", r.s.URL(), st.creator.id),
		"id": st.id, "node_id": nodeID("SC", st.id), "state": st.state, "description": nullable(st.description), "target_url": nullable(st.target),
		"context": st.context, "created_at": stamp(st.created), "updated_at": stamp(st.created),
	}
}

// latestStatuses is the newest status of each context of a commit.
func (r *Repository) latestStatuses(id gitdb.OID) []*commitStatus {
	var out []*commitStatus
	seen := map[string]bool{}
	for n := len(r.statuses) - 1; n >= 0; n-- {
		if st := r.statuses[n]; st.sha == id && !seen[st.context] {
			seen[st.context] = true
			out = append(out, st)
		}
	}
	return out
}

// combinedState: failure when one failed, pending when one is or there are
// none, success otherwise.
func (r *Repository) combinedState(id gitdb.OID) string {
	list := r.latestStatuses(id)
	state := "success"
	if len(list) == 0 {
		state = "pending"
	}
	for _, st := range list {
		switch st.state {
		case "error", "failure":
			return "failure"
		case "pending":
			state = "pending"
		}
	}
	return state
}

func combinedStatus(c *call) error {
	id, err := c.repo.commitish(c.params["ref"])
	if err != nil {
		return notFound()
	}
	list := c.repo.latestStatuses(id)
	u := c.repo.url() + "/commits/" + string(id)
	return c.ok(object{
		"state": c.repo.combinedState(id), "statuses": mapped(pageOf(c, list), c.repo.simpleStatus), "sha": id, "total_count": len(list),
		"repository": c.repo.minimal(), "commit_url": u, "url": u + "/status",
	})
}

func listStatuses(c *call) error {
	id, err := c.repo.commitish(c.params["ref"])
	if err != nil {
		return notFound()
	}
	var out []*commitStatus
	for n := len(c.repo.statuses) - 1; n >= 0; n-- {
		if c.repo.statuses[n].sha == id {
			out = append(out, c.repo.statuses[n])
		}
	}
	return c.ok(mapped(pageOf(c, out), c.repo.statusObject))
}
