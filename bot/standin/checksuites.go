package standin

import (
	"fmt"
	"time"

	"dhibot/bot/standin/internal/gitdb"
)

// checkSuite collects the check runs of an App on a commit.
type checkSuite struct {
	id      int64
	app     *App
	head    gitdb.OID
	created time.Time
}

func (r *Repository) suiteFor(app *App, head gitdb.OID) *checkSuite {
	for _, s := range r.suites {
		if s.app == app && s.head == head {
			return s
		}
	}
	s := &checkSuite{id: r.s.ids.next("check suite"), app: app, head: head, created: r.s.now()}
	r.suites = append(r.suites, s)
	return s
}

// status of a suite: completed when all its runs are.
func (r *Repository) suiteStatus(s *checkSuite) (status, conclusion string, count int) {
	status = "completed"
	conclusion = "success"
	for _, run := range r.runs {
		if run.suite != s {
			continue
		}
		count++
		if run.status != "completed" {
			status = run.status
		} else if run.conclusion != "success" && run.conclusion != "neutral" && run.conclusion != "skipped" {
			conclusion = run.conclusion
		}
	}
	if status != "completed" || count == 0 {
		conclusion = ""
	}
	if count == 0 {
		status = "queued"
	}
	return status, conclusion, count
}

func (r *Repository) headBranch(id gitdb.OID) any {
	for _, n := range r.git.RefNames("refs/heads/") {
		if have, _ := r.git.Ref(n); have == id {
			return n[len("refs/heads/"):]
		}
	}
	return nil
}

func (r *Repository) suiteForWebhook(s *checkSuite) object {
	status, conclusion, _ := r.suiteStatus(s)
	return object{
		"id": s.id, "node_id": nodeID("CS", s.id), "head_branch": r.headBranch(s.head), "head_sha": s.head, "status": status,
		"conclusion": nullable(conclusion), "url": fmt.Sprintf("%s/check-suites/%d", r.url(), s.id), "before": gitdb.ZeroOID, "after": s.head,
		"pull_requests": r.pullsAt(s.head), "app": r.s.appOrNil(s.app), "created_at": stamp(s.created), "updated_at": stamp(s.created),
	}
}

// suiteObject is the schema "check-suite".
func (r *Repository) suiteObject(s *checkSuite) object {
	o := r.suiteForWebhook(s)
	_, _, count := r.suiteStatus(s)
	o["repository"] = r.minimal()
	o["head_commit"] = r.simpleCommit(s.head)
	o["latest_check_runs_count"], o["check_runs_url"] = count, fmt.Sprintf("%s/check-suites/%d/check-runs", r.url(), s.id)
	o["rerequestable"], o["runs_rerequestable"] = true, true
	return o
}

func (r *Repository) simpleCommit(id gitdb.OID) any {
	c, err := r.git.Commit(id)
	if err != nil {
		return nil
	}
	return object{
		"id": id, "tree_id": c.Tree, "message": c.Message, "timestamp": stamp(c.Committer.When),
		"author":    object{"name": c.Author.Name, "email": c.Author.Email},
		"committer": object{"name": c.Committer.Name, "email": c.Committer.Email},
	}
}

func refSuites(c *call) error {
	id, err := c.repo.commitish(c.params["ref"])
	if err != nil {
		return unprocessable("No commit found for SHA: " + c.params["ref"])
	}
	var out []*checkSuite
	for _, s := range c.repo.suites {
		if s.head == id {
			out = append(out, s)
		}
	}
	return c.ok(object{"total_count": len(out), "check_suites": mapped(pageOf(c, out), c.repo.suiteObject)})
}

func getSuite(c *call) error {
	id, err := c.number("id")
	if err != nil {
		return err
	}
	for _, s := range c.repo.suites {
		if s.id == id {
			return c.ok(c.repo.suiteObject(s))
		}
	}
	return notFound()
}
