package standin

import (
	"fmt"
	"net/http"

	"dhibot/bot/standin/internal/gitdb"
)

func mergePull(c *call) error {
	i, err := c.pull()
	if err != nil {
		return err
	}
	var req struct {
		Title   string `json:"commit_title"`
		Message string `json:"commit_message"`
		SHA     string `json:"sha"`
		Method  string `json:"merge_method"`
	}
	if err := c.decode(&req); err != nil {
		return err
	}
	r, p := c.repo, i.pull
	switch {
	case p.merged || !i.open():
		return fail(http.StatusMethodNotAllowed, "Pull Request is not mergeable")
	case p.draft:
		return fail(http.StatusMethodNotAllowed, "Pull Request is still a draft")
	case req.SHA != "" && gitdb.OID(req.SHA) != p.headSHA:
		return fail(http.StatusConflict, "Head branch was modified. Review and try the merge again.")
	}
	for _, rule := range r.rulesFor(p.baseRef) {
		if rule.Type == "merge_queue" {
			return fail(http.StatusMethodNotAllowed, "Repository rule violations found\n\nChanges must be made through the merge queue\n\n")
		}
	}
	m, err := r.mergeable(c.r.Context(), p)
	if err != nil {
		return err
	}
	if !m.clean {
		return fail(http.StatusMethodNotAllowed, "Pull Request is not mergeable")
	}
	if _, struck := c.s.faults.strikes(FaultMergeRefused, c.r.Method, c.apiPath()); struck {
		return fail(http.StatusMethodNotAllowed, "Base branch was modified. Review and try the merge again.")
	}
	sha, err := r.merge(c.who, i, m.tree, orDefault(req.Method, "merge"), req.Title, req.Message)
	if err != nil {
		return err
	}
	return c.ok(object{"sha": sha, "merged": true, "message": "Pull Request successfully merged"})
}

// merge makes the commit of the method and moves the base branch, which marks
// the pull request as merged and pushes.
func (r *Repository) merge(who actor, i *issue, tree gitdb.OID, method, title, message string) (gitdb.OID, error) {
	p, base := i.pull, r.tip(i.pull.baseRef)
	var id gitdb.OID
	var err error
	switch method {
	case "merge":
		text := orDefault(title, fmt.Sprintf("Merge pull request #%d from %s/%s", i.number, r.owner.Login(), p.headRef)) + "\n\n" + orDefault(message, i.title)
		id, err = r.webCommit(who, gitdb.Commit{Tree: tree, Parents: []gitdb.OID{base, p.headSHA}, Message: text})
	case "squash":
		text := orDefault(title, fmt.Sprintf("%s (#%d)", i.title, i.number))
		if message != "" {
			text += "\n\n" + message
		}
		id, err = r.webCommit(who, gitdb.Commit{Tree: tree, Parents: []gitdb.OID{base}, Message: text})
	case "rebase":
		id, err = r.rebase(p, base)
	default:
		return "", unprocessable(fmt.Sprintf("Invalid request.\n\n%q is not a possible value. Must be one of the following: merge, squash, rebase.", method))
	}
	if err != nil {
		return "", err
	}
	// Marked first: the push below must not find an open pull request.
	now := r.s.now()
	p.merged, p.mergedAt, p.mergedBy, p.mergeSHA = true, &now, who.account(), id
	p.baseSHA = base
	i.state, i.closed, i.closedBy, i.updated = "closed", &now, who.account(), now
	if err := r.git.SetRef("refs/heads/"+p.baseRef, id); err != nil {
		return "", err
	}
	r.emitPull(who, i, "closed", nil)
	return id, r.refMoved(who, "refs/heads/"+p.baseRef, base, id, false)
}

// webCommit makes a commit as GitHub's web pages do: by the person, committed
// and signed by GitHub.
func (r *Repository) webCommit(who actor, c gitdb.Commit) (gitdb.OID, error) {
	c.Author, c.Committer = r.s.ident(who.account()), r.s.ident(who.account())
	return r.git.Put("commit", r.s.sign(c).Encode())
}

// rebase replays the commits of a pull request on the base, each by a merge of
// trees as git would pick it.
func (r *Repository) rebase(p *pull, base gitdb.OID) (gitdb.OID, error) {
	ids, err := r.pullCommits(p)
	if err != nil {
		return "", err
	}
	onto := base
	for _, id := range ids {
		c, err := r.git.Commit(id)
		if err != nil {
			return "", err
		}
		if len(c.Parents) != 1 {
			return "", fail(http.StatusMethodNotAllowed, "This branch can't be rebased")
		}
		tree, clean, err := r.pick(onto, c)
		if err != nil {
			return "", err
		}
		if !clean {
			return "", fail(http.StatusMethodNotAllowed, "This branch can't be rebased")
		}
		next := gitdb.Commit{Tree: tree, Parents: []gitdb.OID{onto}, Message: c.Message, Author: c.Author, Committer: c.Committer}
		next.Committer.When = r.s.now()
		if onto, err = r.git.Put("commit", next.Encode()); err != nil {
			return "", err
		}
	}
	return onto, nil
}

// updateBranch merges the base into the head ("Update branch").
func updateBranch(c *call) error {
	i, err := c.pull()
	if err != nil {
		return err
	}
	var req struct {
		Expected string `json:"expected_head_sha"`
	}
	if err := c.decode(&req); err != nil {
		return err
	}
	r, p := c.repo, i.pull
	if req.Expected != "" && gitdb.OID(req.Expected) != p.headSHA {
		return unprocessable("expected head sha didn’t match current head ref.")
	}
	base := r.tip(p.baseRef)
	if in, err := r.git.IsAncestor(base, p.headSHA); err != nil {
		return err
	} else if in {
		return unprocessable("There are no new commits on the base branch.")
	}
	if p.headRepo != r {
		return fail(http.StatusForbidden, "Resource not accessible by integration")
	}
	m, err := r.mergeable(c.r.Context(), p)
	if err != nil {
		return err
	}
	if !m.clean {
		return unprocessable("merge conflict between base and head")
	}
	id, err := r.webCommit(c.who, gitdb.Commit{Tree: m.tree, Parents: []gitdb.OID{p.headSHA, base}, Message: fmt.Sprintf("Merge branch '%s' into %s", p.baseRef, p.headRef)})
	if err != nil {
		return err
	}
	if err := r.updateRef(c.who, "refs/heads/"+p.headRef, id, false); err != nil {
		return err
	}
	return c.json(http.StatusAccepted, object{"message": "Updating pull request branch.", "url": fmt.Sprintf("%s/pulls/%d", r.url(), i.number)})
}

// pick applies the change of c onto another commit: a merge whose base is the
// parent of c. git 2.38 cannot be told the base, so two helper commits give it
// one: the parent's tree as root, onto's and c's trees as its children.
func (r *Repository) pick(onto gitdb.OID, c gitdb.Commit) (gitdb.OID, bool, error) {
	parent, err := r.git.Commit(c.Parents[0])
	if err != nil {
		return "", false, err
	}
	ours, err := r.git.Commit(onto)
	if err != nil {
		return "", false, err
	}
	helper := func(tree gitdb.OID, parents ...gitdb.OID) (gitdb.OID, error) {
		return r.git.Put("commit", gitdb.Commit{Tree: tree, Parents: parents, Message: "pick\n", Author: c.Author, Committer: c.Author}.Encode())
	}
	root, err := helper(parent.Tree)
	if err != nil {
		return "", false, err
	}
	a, err := helper(ours.Tree, root)
	if err != nil {
		return "", false, err
	}
	b, err := helper(c.Tree, root)
	if err != nil {
		return "", false, err
	}
	return r.git.MergeTree(r.s.background(), a, b)
}

// SetQueued puts an open pull request into the merge queue, or takes it out.
// A push to its head ejects it, as on GitHub.
func (r *Repository) SetQueued(number int, queued bool) error {
	return r.withIssue(number, func(i *issue) error {
		if i.pull == nil || !i.open() {
			return fmt.Errorf("%s has no open pull request %d", r.full(), number)
		}
		i.pull.queued = queued
		return nil
	})
}

// Merge merges a pull request as a person: method is merge, squash or rebase.
func (r *Repository) Merge(login string, number int, method string) error {
	who := actor{user: r.s.AddUser(login)}
	return r.withIssue(number, func(i *issue) error {
		if i.pull == nil || !i.open() {
			return fmt.Errorf("%s has no open pull request %d", r.full(), number)
		}
		m, err := r.mergeable(r.s.background(), i.pull)
		if err != nil {
			return err
		}
		if !m.clean {
			return fmt.Errorf("%s pull request %d has conflicts", r.full(), number)
		}
		_, err = r.merge(who, i, m.tree, method, "", "")
		return err
	})
}
