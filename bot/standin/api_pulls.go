package standin

import (
	"fmt"
	"net/http"
	"strings"

	"dhibot/bot/standin/internal/gitdb"
)

func (s *Server) pullRoutes() []route {
	const docs = "pulls/pulls#"
	const read, write = "pull_requests:read", "pull_requests:write"
	return []route{
		{method: "GET", pattern: "/repos/{owner}/{repo}/pulls", needs: read, doc: docs + "list-pull-requests", do: listPulls},
		{method: "POST", pattern: "/repos/{owner}/{repo}/pulls", needs: write, level: "read", write: true, doc: docs + "create-a-pull-request", do: createPull},
		{method: "GET", pattern: "/repos/{owner}/{repo}/pulls/{number}", needs: read, doc: docs + "get-a-pull-request", do: getPull},
		{method: "PATCH", pattern: "/repos/{owner}/{repo}/pulls/{number}", needs: write, level: "read", write: true, doc: docs + "update-a-pull-request", do: editPull},
		{method: "GET", pattern: "/repos/{owner}/{repo}/pulls/{number}/files", needs: read, doc: docs + "list-pull-requests-files", do: pullFiles},
		{method: "GET", pattern: "/repos/{owner}/{repo}/pulls/{number}/commits", needs: read, doc: docs + "list-commits-on-a-pull-request", do: listPullCommits},
		{method: "GET", pattern: "/repos/{owner}/{repo}/pulls/{number}/merge", needs: read, doc: docs + "check-if-a-pull-request-has-been-merged", do: isMerged},
		{method: "PUT", pattern: "/repos/{owner}/{repo}/pulls/{number}/merge", needs: "contents:write", level: "write", write: true, doc: docs + "merge-a-pull-request", do: mergePull},
		{method: "PUT", pattern: "/repos/{owner}/{repo}/pulls/{number}/update-branch", needs: write, level: "write", write: true, doc: docs + "update-a-pull-request-branch", do: updateBranch},
		{method: "GET", pattern: "/repos/{owner}/{repo}/commits/{sha}/pulls", needs: read, doc: "commits/commits#list-pull-requests-associated-with-a-commit", do: commitPulls},
	}
}

func (c *call) pull() (*issue, error) {
	n, err := c.number("number")
	if err != nil {
		return nil, err
	}
	i := c.repo.issues[int(n)]
	if i == nil || i.pull == nil {
		return nil, notFound()
	}
	return i, nil
}

func listPulls(c *call) error {
	state, head, base := orDefault(c.query("state"), "open"), c.query("head"), c.query("base")
	var out []*issue
	for _, i := range c.repo.sortedIssues() {
		p := i.pull
		if p == nil || state != "all" && i.state != state || base != "" && p.baseRef != base {
			continue
		}
		// GitHub ignores a head that is not "owner:branch".
		if owner, branch, ok := strings.Cut(head, ":"); ok {
			if p.headRef != branch || p.headRepo == nil || !strings.EqualFold(p.headOwner(), owner) {
				continue
			}
		}
		out = append(out, i)
	}
	direction := c.query("direction")
	if direction == "" && c.query("sort") != "" && c.query("sort") != "created" {
		direction = "asc"
	}
	sortIssues(out, c.query("sort"), direction)
	return c.ok(mapped(pageOf(c, out), c.repo.pullSimple))
}

func (p *pull) headOwner() string {
	p.headRepo.s.mu.RLock()
	defer p.headRepo.s.mu.RUnlock()
	return p.headRepo.owner.Login()
}

func (c *call) answerPull(status int, i *issue) error {
	exact := status == http.StatusOK
	if exact && c.r.Method == http.MethodGet {
		_, unknown := c.s.faults.strikes(FaultMergeUnknown, c.r.Method, c.apiPath())
		exact = !unknown
	}
	o, err := c.repo.pullObject(c.r.Context(), i, exact)
	if err != nil {
		return err
	}
	return c.json(status, o)
}

func createPull(c *call) error {
	var req struct {
		Title    *titleValue `json:"title"`
		Body     string      `json:"body"`
		Head     *string     `json:"head"`
		Base     *string     `json:"base"`
		Draft    bool        `json:"draft"`
		Maintain *bool       `json:"maintainer_can_modify"`
	}
	if err := c.decode(&req); err != nil {
		return err
	}
	var absent []string
	if req.Head == nil {
		absent = append(absent, "head")
	}
	if req.Base == nil {
		absent = append(absent, "base")
	}
	if len(absent) > 0 {
		return missing(absent...)
	}
	if req.Title == nil || *req.Title == "" {
		return invalid(fieldError{Resource: "Issue", Field: "title", Code: "missing_field"})
	}
	if err := checkTitle(string(*req.Title)); err != nil {
		return err
	}
	if err := checkText("Issue", req.Body); err != nil {
		return err
	}
	i, err := c.repo.openPullRequest(c, string(*req.Title), req.Body, *req.Head, *req.Base, req.Draft)
	if err != nil {
		return err
	}
	i.pull.maintainer = req.Maintain != nil && *req.Maintain && i.pull.headRepo != c.repo
	return c.answerPull(http.StatusCreated, i)
}

// openPullRequest checks head and base as GitHub does and opens.
func (r *Repository) openPullRequest(c *call, title, body, head, base string, draft bool) (*issue, error) {
	headRepo, headRef, err := r.resolveHead(head)
	if err != nil {
		return nil, err
	}
	bad := func(field string) error {
		return invalid(fieldError{Resource: "PullRequest", Field: field, Code: "invalid"})
	}
	baseSHA := r.tip(base)
	if baseSHA == "" {
		return nil, bad("base")
	}
	headSHA, ok := headRepo.git.Ref("refs/heads/" + headRef)
	if !ok {
		return nil, bad("head")
	}
	if c.who.inst == nil && c.who.user != nil && headRepo == r && r.levelOf(c.who.user) < levelWrite && r.private {
		return nil, notFound()
	}
	custom := func(message string) error {
		return invalid(fieldError{Resource: "PullRequest", Code: "custom", Message: message})
	}
	if r.openPull(headRepo, headRef, base) != nil {
		label := r.owner.Login() + ":" + headRef
		if headRepo != r {
			label = (&pull{headRepo: headRepo}).headOwner() + ":" + headRef
		}
		return nil, custom("A pull request already exists for " + label + ".")
	}
	if headRepo != r {
		if err := r.borrow(c.r.Context(), headRepo, headSHA); err != nil {
			return nil, err
		}
	}
	contained, err := r.git.IsAncestor(headSHA, baseSHA)
	if err != nil {
		return nil, err
	}
	if contained {
		return nil, custom(fmt.Sprintf("No commits between %s and %s", base, headRef))
	}
	if _, ok, err := r.git.MergeBase(c.r.Context(), baseSHA, headSHA); err != nil {
		return nil, err
	} else if !ok {
		return nil, custom(fmt.Sprintf("The %s branch has no history in common with %s", headRef, base))
	}
	i := r.newIssue(c.who, title, body)
	i.pull = &pull{id: r.s.ids.next("pull"), headRepo: headRepo, headRef: headRef, headSHA: headSHA, baseRef: base, baseSHA: baseSHA, draft: draft, number: i.number}
	if err := r.git.SetRef(i.pull.refName(), headSHA); err != nil {
		return nil, err
	}
	r.emitPull(c.who, i, "opened", nil)
	return i, nil
}

// resolveHead reads "branch" or "owner:branch".
func (r *Repository) resolveHead(head string) (*Repository, string, error) {
	owner, branch, ok := strings.Cut(head, ":")
	if !ok {
		return r, head, nil
	}
	if strings.EqualFold(owner, r.owner.Login()) {
		return r, branch, nil
	}
	if fork := r.forkOf(owner); fork != nil {
		return fork, branch, nil
	}
	return nil, "", invalid(fieldError{Resource: "PullRequest", Field: "head", Code: "invalid"})
}

func getPull(c *call) error {
	i, err := c.pull()
	if err != nil {
		return err
	}
	if accepts(c.r, "diff") || accepts(c.r, "patch") {
		base, err := c.repo.pullBase(c.r.Context(), i.pull)
		if err != nil {
			return err
		}
		text, err := c.repo.git.DiffText(c.r.Context(), base, i.pull.headSHA)
		if err != nil {
			return err
		}
		return c.raw("application/vnd.github.diff; charset=utf-8", text)
	}
	return c.answerPull(http.StatusOK, i)
}

func editPull(c *call) error {
	i, err := c.pull()
	if err != nil {
		return err
	}
	if err := c.mayEdit(i, levelWrite); err != nil {
		return err
	}
	var req struct {
		textEdit
		Base *string `json:"base"`
	}
	if err := c.decode(&req); err != nil {
		return err
	}
	if err := req.check("PullRequest"); err != nil {
		return err
	}
	if req.Base != nil && *req.Base != i.pull.baseRef {
		if c.repo.tip(*req.Base) == "" {
			return invalid(fieldError{Resource: "PullRequest", Field: "base", Code: "invalid"})
		}
		if c.repo.openPull(i.pull.headRepo, i.pull.headRef, *req.Base) != nil {
			return invalid(fieldError{Resource: "PullRequest", Field: "base", Code: "invalid", Message: "A pull request already exists for base branch '" + *req.Base + "' and head branch '" + i.pull.headRef + "'"})
		}
		was, at := i.pull.baseRef, i.pull.baseSHA
		i.pull.baseRef, i.pull.baseSHA = *req.Base, c.repo.tip(*req.Base)
		c.repo.emitPull(c.who, i, "edited", object{"changes": object{"base": object{"ref": object{"from": was}, "sha": object{"from": at}}}})
	}
	req.rewrite(c, i)
	if err := req.turn(c, i, ""); err != nil {
		return err
	}
	return c.answerPull(http.StatusOK, i)
}

// diffEntry is the schema "diff-entry".
func (r *Repository) diffEntry(f gitdb.FileDiff, head gitdb.OID) object {
	sha, at := f.NewID, head
	if f.Status == "removed" {
		sha = f.OldID
	}
	p := escapePath(f.Path)
	o := object{
		"sha": sha, "filename": f.Path, "status": f.Status, "additions": f.Additions, "deletions": f.Deletions, "changes": f.Additions + f.Deletions,
		"blob_url": fmt.Sprintf("%s/blob/%s/%s", r.html(), at, p), "raw_url": fmt.Sprintf("%s/raw/%s/%s", r.html(), at, p),
		"contents_url": fmt.Sprintf("%s/contents/%s?ref=%s", r.url(), p, at),
	}
	if f.Patch != "" {
		o["patch"] = f.Patch
	}
	if f.Previous != "" {
		o["previous_filename"] = f.Previous
	}
	return o
}

func pullFiles(c *call) error {
	i, err := c.pull()
	if err != nil {
		return err
	}
	files, err := c.repo.pullDiff(c.r.Context(), i.pull)
	if err != nil {
		return err
	}
	// https://docs.github.com/rest/pulls/pulls#list-pull-requests-files
	files = files[:min(len(files), 3000)]
	return c.ok(mapped(pageOf(c, files), func(f gitdb.FileDiff) object { return c.repo.diffEntry(f, i.pull.headSHA) }))
}

func listPullCommits(c *call) error {
	i, err := c.pull()
	if err != nil {
		return err
	}
	ids, err := c.repo.pullCommits(i.pull)
	if err != nil {
		return err
	}
	return c.commits(pageOf(c, ids))
}

func (c *call) commits(ids []gitdb.OID) error {
	out := []object{}
	for _, id := range ids {
		o, err := c.repo.commitObject(id)
		if err != nil {
			return err
		}
		out = append(out, o)
	}
	return c.ok(out)
}

func isMerged(c *call) error {
	i, err := c.pull()
	if err != nil {
		return err
	}
	if !i.pull.merged {
		return notFound()
	}
	return c.noContent()
}

func commitPulls(c *call) error {
	id, err := c.repo.commitish(c.params["sha"])
	if err != nil {
		return unprocessable("No commit found for SHA: " + c.params["sha"])
	}
	var out []*issue
	for _, i := range c.repo.sortedIssues() {
		if i.pull == nil {
			continue
		}
		ids, err := c.repo.pullCommits(i.pull)
		if err != nil {
			return err
		}
		for _, have := range ids {
			if have == id {
				out = append(out, i)
				break
			}
		}
	}
	return c.ok(mapped(pageOf(c, out), c.repo.pullSimple))
}
