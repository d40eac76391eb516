package standin

import (
	"fmt"
	"net/http"
	"time"
	"unicode/utf8"

	"dhibot/bot/standin/internal/gitdb"
)

type checkRun struct {
	id          int64
	suite       *checkSuite
	name        string
	head        gitdb.OID
	status      string
	conclusion  string
	detailsURL  string
	externalID  string
	started     *time.Time
	completed   *time.Time
	output      checkOutput
	annotations []annotation
	actions     []checkAction
}

type checkOutput struct {
	Title       *string      `json:"title"`
	Summary     *string      `json:"summary"`
	Text        *string      `json:"text"`
	Annotations []annotation `json:"annotations"`
}

type annotation struct {
	Path        string  `json:"path"`
	StartLine   int     `json:"start_line"`
	EndLine     int     `json:"end_line"`
	StartColumn *int    `json:"start_column"`
	EndColumn   *int    `json:"end_column"`
	Level       string  `json:"annotation_level"`
	Message     string  `json:"message"`
	Title       *string `json:"title"`
	RawDetails  *string `json:"raw_details"`
}

type checkAction struct {
	Label       string `json:"label"`
	Description string `json:"description"`
	Identifier  string `json:"identifier"`
}

type checkRequest struct {
	Name        *string       `json:"name"`
	HeadSHA     *string       `json:"head_sha"`
	DetailsURL  *string       `json:"details_url"`
	ExternalID  *string       `json:"external_id"`
	Status      *string       `json:"status"`
	Conclusion  *string       `json:"conclusion"`
	StartedAt   *time.Time    `json:"started_at"`
	CompletedAt *time.Time    `json:"completed_at"`
	Output      *checkOutput  `json:"output"`
	Actions     []checkAction `json:"actions"`
}

func (s *Server) checkRoutes() []route {
	const docs = "checks/runs#"
	return []route{
		{method: "POST", pattern: "/repos/{owner}/{repo}/check-runs", needs: "checks:write", level: "write", write: true, doc: docs + "create-a-check-run", do: createCheck},
		{method: "GET", pattern: "/repos/{owner}/{repo}/check-runs/{id}", needs: "checks:read", doc: docs + "get-a-check-run", do: getCheck},
		{method: "PATCH", pattern: "/repos/{owner}/{repo}/check-runs/{id}", needs: "checks:write", level: "write", write: true, doc: docs + "update-a-check-run", do: editCheck},
		{method: "GET", pattern: "/repos/{owner}/{repo}/check-runs/{id}/annotations", needs: "checks:read", doc: docs + "list-check-run-annotations", do: checkAnnotations},
		{method: "POST", pattern: "/repos/{owner}/{repo}/check-runs/{id}/rerequest", needs: "checks:write", level: "write", write: true, doc: docs + "rerequest-a-check-run", do: rerequestCheck},
		{method: "GET", pattern: "/repos/{owner}/{repo}/commits/{ref*}/check-runs", needs: "checks:read", doc: docs + "list-check-runs-for-a-git-reference", do: refChecks},
		{method: "GET", pattern: "/repos/{owner}/{repo}/commits/{ref*}/check-suites", needs: "checks:read", doc: "checks/suites#list-check-suites-for-a-git-reference", do: refSuites},
		{method: "GET", pattern: "/repos/{owner}/{repo}/check-suites/{id}", needs: "checks:read", doc: "checks/suites#get-a-check-suite", do: getSuite},
		{method: "GET", pattern: "/repos/{owner}/{repo}/check-suites/{id}/check-runs", needs: "checks:read", doc: docs + "list-check-runs-in-a-check-suite", do: suiteChecks},
	}
}

func onlyApps(c *call) error {
	if c.who.inst == nil {
		return fail(http.StatusForbidden, "You must authenticate via a GitHub App.")
	}
	return nil
}

func createCheck(c *call) error {
	if err := onlyApps(c); err != nil {
		return err
	}
	var req checkRequest
	if err := c.decode(&req); err != nil {
		return err
	}
	switch {
	case req.Name == nil && req.HeadSHA == nil:
		return missing("name", "head_sha")
	case req.Name == nil || *req.Name == "":
		return missing("name")
	case req.HeadSHA == nil:
		return missing("head_sha")
	}
	head := gitdb.OID(*req.HeadSHA)
	if kind, err := c.repo.git.Kind(head); err != nil || kind != "commit" {
		return unprocessable("No commit found for SHA: " + *req.HeadSHA)
	}
	run := &checkRun{id: c.s.ids.next("check run"), name: *req.Name, head: head, status: "queued"}
	if err := run.apply(c, req); err != nil {
		return err
	}
	run.suite = c.repo.suiteFor(c.who.app, head)
	c.repo.runs = append(c.repo.runs, run)
	c.repo.emitCheck(c.who, run, "created")
	if run.status == "completed" {
		c.repo.emitCheck(c.who, run, "completed")
	}
	return c.created(c.repo.checkObject(run))
}

// apply takes over what the request sets, after checking it.
func (run *checkRun) apply(c *call, req checkRequest) error {
	if req.Status != nil {
		switch *req.Status {
		case "queued", "in_progress", "completed", "waiting", "requested", "pending":
		default:
			return invalidProperty("status", *req.Status, "queued, in_progress, completed")
		}
		run.status = *req.Status
	}
	if req.Conclusion != nil {
		switch *req.Conclusion {
		case "action_required", "cancelled", "failure", "neutral", "success", "skipped", "timed_out":
		default:
			return invalidProperty("conclusion", *req.Conclusion, "action_required, cancelled, failure, neutral, success, skipped, timed_out")
		}
		run.conclusion, run.status = *req.Conclusion, "completed"
	}
	if run.status == "completed" && run.conclusion == "" {
		return invalid(fieldError{Resource: "CheckRun", Field: "conclusion", Code: "missing_field"})
	}
	if req.Name != nil {
		run.name = *req.Name
	}
	if req.DetailsURL != nil {
		run.detailsURL = *req.DetailsURL
	}
	if req.ExternalID != nil {
		run.externalID = *req.ExternalID
	}
	if req.StartedAt != nil {
		run.started = req.StartedAt
	}
	if req.CompletedAt != nil {
		run.completed = req.CompletedAt
	}
	now := c.s.now()
	if run.started == nil {
		run.started = &now
	}
	if run.status == "completed" && run.completed == nil {
		run.completed = &now
	}
	if len(req.Actions) > 3 {
		return unprocessable("Invalid request.\n\nNo more than 3 items are allowed; 4 were supplied.")
	}
	if req.Actions != nil {
		run.actions = req.Actions
	}
	if req.Output == nil {
		return nil
	}
	if err := req.Output.check(); err != nil {
		return err
	}
	run.output = *req.Output
	run.output.Annotations = nil
	run.annotations = append(run.annotations, req.Output.Annotations...)
	return nil
}

// check applies the limits of the output object.
// https://docs.github.com/rest/checks/runs#create-a-check-run
func (o *checkOutput) check() error {
	switch {
	case o.Title == nil && o.Summary == nil:
		return missing("title", "summary")
	case o.Summary == nil:
		return missing("summary")
	case len(o.Annotations) > 50:
		return unprocessable(fmt.Sprintf("Invalid request.\n\nNo more than 50 items are allowed; %d were supplied.", len(o.Annotations)))
	}
	for _, t := range []*string{o.Summary, o.Text} {
		if t != nil && utf8.RuneCountInString(*t) > 65535 {
			return unprocessable("Invalid request.\n\nOnly 65535 characters are allowed; " + fmt.Sprint(utf8.RuneCountInString(*t)) + " were supplied.")
		}
	}
	for _, a := range o.Annotations {
		switch {
		case a.Path == "" || a.StartLine < 1 || a.EndLine < a.StartLine || a.Message == "":
			return unprocessable("Invalid request.\n\nFor 'properties/annotations', nil is not an object.")
		case a.Level != "notice" && a.Level != "warning" && a.Level != "failure":
			return invalidProperty("annotation_level", a.Level, "notice, warning, failure")
		}
	}
	return nil
}

func invalidProperty(name, value, allowed string) error {
	return unprocessable(fmt.Sprintf("Invalid request.\n\nFor 'properties/%s', %s is not a member of [%s].", name, value, allowed))
}

func (c *call) checkRun() (*checkRun, error) {
	id, err := c.number("id")
	if err != nil {
		return nil, err
	}
	for _, run := range c.repo.runs {
		if run.id == id {
			return run, nil
		}
	}
	return nil, notFound()
}

func getCheck(c *call) error {
	run, err := c.checkRun()
	if err != nil {
		return err
	}
	return c.ok(c.repo.checkObject(run))
}

func editCheck(c *call) error {
	if err := onlyApps(c); err != nil {
		return err
	}
	run, err := c.checkRun()
	if err != nil {
		return err
	}
	if run.suite.app != c.who.app {
		return fail(http.StatusForbidden, "Invalid app_id `"+fmt.Sprint(c.who.app.id)+"` - check run can only be modified by the GitHub App that created it.")
	}
	var req checkRequest
	if err := c.decode(&req); err != nil {
		return err
	}
	was := run.status
	if err := run.apply(c, req); err != nil {
		return err
	}
	if run.status == "completed" && was != "completed" {
		c.repo.emitCheck(c.who, run, "completed")
	}
	return c.ok(c.repo.checkObject(run))
}

func checkAnnotations(c *call) error {
	run, err := c.checkRun()
	if err != nil {
		return err
	}
	return c.ok(mapped(pageOf(c, run.annotations), func(a annotation) object {
		return object{
			"path": a.Path, "start_line": a.StartLine, "end_line": a.EndLine, "start_column": a.StartColumn, "end_column": a.EndColumn,
			"annotation_level": a.Level, "title": a.Title, "message": a.Message, "raw_details": a.RawDetails,
			"blob_href": fmt.Sprintf("%s/blob/%s/%s", c.repo.html(), run.head, escapePath(a.Path)),
		}
	}))
}

func rerequestCheck(c *call) error {
	run, err := c.checkRun()
	if err != nil {
		return err
	}
	c.repo.emitCheck(c.who, run, "rerequested")
	return c.created(object{})
}

func refChecks(c *call) error {
	id, err := c.repo.commitish(c.params["ref"])
	if err != nil {
		return unprocessable("No commit found for SHA: " + c.params["ref"])
	}
	return c.listRuns(func(run *checkRun) bool { return run.head == id })
}

func suiteChecks(c *call) error {
	id, err := c.number("id")
	if err != nil {
		return err
	}
	return c.listRuns(func(run *checkRun) bool { return run.suite.id == id })
}

// listRuns shows the newest run of each name, as filter=latest does.
func (c *call) listRuns(keep func(*checkRun) bool) error {
	var out []*checkRun
	for n := len(c.repo.runs) - 1; n >= 0; n-- {
		run := c.repo.runs[n]
		if !keep(run) || c.query("check_name") != "" && c.query("check_name") != run.name || c.query("status") != "" && c.query("status") != run.status {
			continue
		}
		doubled := false
		for _, have := range out {
			doubled = doubled || have.name == run.name && have.suite.app == run.suite.app
		}
		if !doubled || c.query("filter") == "all" {
			out = append(out, run)
		}
	}
	return c.ok(object{"total_count": len(out), "check_runs": mapped(pageOf(c, out), c.repo.checkObject)})
}

// pullsAt are the open pull requests whose head a commit is.
func (r *Repository) pullsAt(head gitdb.OID) []object {
	out := []object{}
	for _, i := range r.sortedIssues() {
		if p := i.pull; p != nil && i.open() && p.headSHA == head && p.headRepo == r {
			short := object{"id": r.id, "url": r.url(), "name": r.name}
			out = append(out, object{
				"id": p.id, "number": i.number, "url": fmt.Sprintf("%s/pulls/%d", r.url(), i.number),
				"head": object{"ref": p.headRef, "sha": p.headSHA, "repo": short}, "base": object{"ref": p.baseRef, "sha": p.baseSHA, "repo": short},
			})
		}
	}
	return out
}

// checkObject is the schema "check-run".
func (r *Repository) checkObject(run *checkRun) object {
	u := fmt.Sprintf("%s/check-runs/%d", r.url(), run.id)
	h := fmt.Sprintf("%s/runs/%d", r.html(), run.id)
	return object{
		"id": run.id, "head_sha": run.head, "node_id": nodeID("CR", run.id), "external_id": run.externalID, "url": u, "html_url": h,
		"details_url": orDefault(run.detailsURL, h), "status": run.status, "conclusion": nullable(run.conclusion),
		"started_at": stampOrNil(run.started), "completed_at": stampOrNil(run.completed), "name": run.name,
		"output": object{
			"title": run.output.Title, "summary": run.output.Summary, "text": run.output.Text,
			"annotations_count": len(run.annotations), "annotations_url": u + "/annotations",
		},
		"check_suite": object{"id": run.suite.id}, "app": r.s.appOrNil(run.suite.app), "pull_requests": r.pullsAt(run.head),
	}
}

func (r *Repository) emitCheck(who actor, run *checkRun, action string) {
	o := r.checkObject(run)
	o["check_suite"] = r.suiteForWebhook(run.suite)
	r.emit(who, "check_run", action, object{"check_run": o})
}
