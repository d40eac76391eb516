package standin

import (
	"errors"
	"net/http"
	"strings"

	"dhibot/bot/standin/internal/gitdb"
)

func (s *Server) refRoutes() []route {
	return []route{
		{method: "GET", pattern: "/repos/{owner}/{repo}/git/ref/{ref*}", needs: "contents:read", git: true, doc: "git/refs#get-a-reference", do: getRef},
		{method: "GET", pattern: "/repos/{owner}/{repo}/git/matching-refs/{ref*}", needs: "contents:read", git: true, doc: "git/refs#list-matching-references", do: matchingRefs},
		{method: "POST", pattern: "/repos/{owner}/{repo}/git/refs", needs: "contents:write", level: "write", git: true, write: true, doc: "git/refs#create-a-reference", do: createRef},
		{method: "PATCH", pattern: "/repos/{owner}/{repo}/git/refs/{ref*}", needs: "contents:write", level: "write", git: true, write: true, doc: "git/refs#update-a-reference", do: updateRef},
		{method: "DELETE", pattern: "/repos/{owner}/{repo}/git/refs/{ref*}", needs: "contents:write", level: "write", git: true, write: true, doc: "git/refs#delete-a-reference", do: deleteRef},
	}
}

func (r *Repository) refObject(name string, id gitdb.OID) object {
	kind, err := r.git.Kind(id)
	if err != nil {
		kind = "commit"
	}
	return object{
		"ref": name, "node_id": nodeID("REF", r.id) + name, "url": r.url() + "/git/" + name,
		"object": object{"sha": id, "type": kind, "url": r.url() + "/git/" + kind + "s/" + string(id)},
	}
}

func getRef(c *call) error {
	name := "refs/" + strings.TrimPrefix(c.params["ref"], "refs/")
	id, ok := c.repo.git.Ref(name)
	if !ok {
		return notFound()
	}
	return c.ok(c.repo.refObject(name, id))
}

func matchingRefs(c *call) error {
	prefix := "refs/" + strings.TrimPrefix(c.params["ref"], "refs/")
	return c.ok(mapped(c.repo.git.RefNames(prefix), func(n string) object {
		id, _ := c.repo.git.Ref(n)
		return c.repo.refObject(n, id)
	}))
}

func createRef(c *call) error {
	var req struct {
		Ref string `json:"ref"`
		SHA string `json:"sha"`
	}
	if err := c.decode(&req); err != nil {
		return err
	}
	switch {
	case req.Ref == "" && req.SHA == "":
		return missing("ref", "sha")
	case req.Ref == "":
		return missing("ref")
	case req.SHA == "":
		return missing("sha")
	case !strings.HasPrefix(req.Ref, "refs/") || strings.Count(req.Ref, "/") < 2:
		return unprocessable("Reference name must start with 'refs/' and contain at least two slashes.")
	case gitdb.CheckRefName(req.Ref) != nil || strings.HasPrefix(req.Ref, "refs/pull/"):
		return unprocessable(req.Ref + " is not a valid ref name.")
	case !gitdb.Valid(req.SHA):
		return unprocessable("The sha parameter must be exactly 40 characters and contain only [0-9a-f].")
	}
	if err := c.checkObject(req.Ref, req.SHA); err != nil {
		return err
	}
	if _, exists := c.repo.git.Ref(req.Ref); exists {
		return unprocessable("Reference already exists")
	}
	if err := c.s.faults.ruleset(c); err != nil {
		return err
	}
	if err := c.repo.updateRef(c.who, req.Ref, gitdb.OID(req.SHA), false); err != nil {
		return err
	}
	return c.created(c.repo.refObject(req.Ref, gitdb.OID(req.SHA)))
}

// checkObject refuses objects that are not there; a branch takes only commits.
func (c *call) checkObject(ref, sha string) error {
	kind, err := c.repo.git.Kind(gitdb.OID(sha))
	switch {
	case err != nil:
		return unprocessable("Object does not exist")
	case strings.HasPrefix(ref, "refs/heads/") && kind != "commit":
		return unprocessable("Reference update failed")
	}
	return nil
}

func updateRef(c *call) error {
	var req struct {
		SHA   string `json:"sha"`
		Force bool   `json:"force"`
	}
	if err := c.decode(&req); err != nil {
		return err
	}
	name := "refs/" + c.params["ref"]
	switch {
	case req.SHA == "":
		return missing("sha")
	case !gitdb.Valid(req.SHA):
		return unprocessable("The sha parameter must be exactly 40 characters and contain only [0-9a-f].")
	}
	if _, ok := c.repo.git.Ref(name); !ok || strings.HasPrefix(name, "refs/pull/") {
		return unprocessable("Reference does not exist")
	}
	if err := c.checkObject(name, req.SHA); err != nil {
		return err
	}
	if err := c.s.faults.ruleset(c); err != nil {
		return err
	}
	if !req.Force {
		if err := c.s.faults.notFastForward(c); err != nil {
			return err
		}
	}
	if err := c.repo.updateRef(c.who, name, gitdb.OID(req.SHA), req.Force); err != nil {
		return err
	}
	return c.ok(c.repo.refObject(name, gitdb.OID(req.SHA)))
}

func deleteRef(c *call) error {
	name := "refs/" + c.params["ref"]
	if _, ok := c.repo.git.Ref(name); !ok || strings.HasPrefix(name, "refs/pull/") {
		return unprocessable("Reference does not exist")
	}
	if name == "refs/heads/"+c.repo.defaultBranch {
		return unprocessable("Cannot delete the default branch")
	}
	if err := c.s.faults.ruleset(c); err != nil {
		return err
	}
	if err := c.repo.updateRef(c.who, name, "", false); err != nil {
		return err
	}
	return c.noContent()
}

// updateRef creates, moves or (to "") deletes a reference under GitHub's rules
// and tells everybody. The caller holds mu and has checked that to exists.
func (r *Repository) updateRef(who actor, name string, to gitdb.OID, force bool) error {
	from, _ := r.git.Ref(name)
	if from == to {
		return nil
	}
	forced := false
	if from != "" && to != "" && strings.HasPrefix(name, "refs/heads/") {
		ff, err := r.git.IsAncestor(from, to)
		if err != nil {
			return err
		}
		if !ff && !force {
			return unprocessable("Update is not a fast forward")
		}
		forced = !ff
	}
	if v := r.ruleViolations(name, from, to, forced); len(v) > 0 {
		return refusedByRules(v)
	}
	if who.inst != nil && to != "" && !who.token.grants("workflows:write") && r.touchesWorkflows(from, to) {
		return &apiError{status: http.StatusForbidden, message: "Resource not accessible by integration"}
	}
	var err error
	if to == "" {
		err = r.git.DeleteRef(name)
	} else {
		err = r.git.SetRef(name, to)
	}
	if errors.Is(err, gitdb.ErrRefConflict) {
		return unprocessable("Reference update failed")
	}
	if err != nil {
		return err
	}
	return r.refMoved(who, name, from, to, forced)
}

// refusedByRules words a ruleset refusal as the REST API does.
func refusedByRules(violations []string) *apiError {
	return unprocessable("Repository rule violations found\n\n" + strings.Join(violations, "\n") + "\n\n")
}

// touchesWorkflows reports whether files below .github/workflows change against
// what the branch, or the default branch for a new one, already has: an App
// needs the workflows permission for that.
func (r *Repository) touchesWorkflows(from, to gitdb.OID) bool {
	if from == "" {
		from = r.tip(r.defaultBranch)
	}
	before, errA := r.git.Commit(from)
	after, errB := r.git.Commit(to)
	if errA != nil || errB != nil {
		return false
	}
	a, errA := r.git.Lookup(before.Tree, ".github/workflows")
	b, errB := r.git.Lookup(after.Tree, ".github/workflows")
	return errB == nil && (errA != nil || a.ID != b.ID)
}
