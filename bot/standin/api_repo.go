package standin

import (
	"net/http"
	"sort"
	"strings"

	"dhibot/bot/standin/internal/gitdb"
)

func (s *Server) repoRoutes() []route {
	return []route{
		{method: "GET", pattern: "/repos/{owner}/{repo}", needs: "metadata:read", doc: "repos/repos#get-a-repository", do: getRepository},
		{method: "PATCH", pattern: "/repos/{owner}/{repo}", needs: "administration:write", level: "admin", doc: "repos/repos#update-a-repository", do: editRepository},
		{method: "GET", pattern: "/repos/{owner}/{repo}/branches", needs: "contents:read", doc: "branches/branches#list-branches", do: listBranches},
		{method: "GET", pattern: "/repos/{owner}/{repo}/branches/{branch*}", needs: "contents:read", doc: "branches/branches#get-a-branch", do: getBranch},
		{method: "GET", pattern: "/repos/{owner}/{repo}/rules/branches/{branch*}", needs: "metadata:read", doc: "repos/rules#get-rules-for-a-branch", do: branchRules},
		{method: "GET", pattern: "/repos/{owner}/{repo}/collaborators", needs: "metadata:read", level: "write", doc: "collaborators/collaborators#list-repository-collaborators", do: listCollaborators},
		{method: "GET", pattern: "/repos/{owner}/{repo}/collaborators/{username}", needs: "metadata:read", level: "write", doc: "collaborators/collaborators#check-if-a-user-is-a-repository-collaborator", do: isCollaborator},
		{method: "GET", pattern: "/repos/{owner}/{repo}/collaborators/{username}/permission", needs: "metadata:read", level: "read", doc: "collaborators/collaborators#get-repository-permissions-for-a-user", do: collaboratorPermission},
		{method: "GET", pattern: "/repos/{owner}/{repo}/topics", needs: "metadata:read", doc: "repos/repos#get-all-repository-topics", do: listTopics},
	}
}

func getRepository(c *call) error { return c.ok(c.fullRepository()) }

// fullRepository is the schema "full-repository".
func (c *call) fullRepository() object {
	r := c.repo
	o := r.object()
	o["subscribers_count"], o["network_count"] = 0, 0
	if r.pushed == nil {
		o["pushed_at"] = stamp(r.created)
	}
	if r.owner.kind == typeOrganization {
		o["organization"] = c.s.userObject(r.owner)
	}
	if r.parent != nil {
		o["parent"], o["source"] = c.s.parentObject(r.parent), c.s.parentObject(r.parent)
	}
	have := levelNone
	switch {
	case c.who.inst != nil && c.who.covers(r):
		have = levelRead
		if c.who.token.grants("contents:write") {
			have = levelWrite
		}
		if c.who.token.grants("administration:write") {
			have = levelAdmin
		}
	case c.who.user != nil:
		have = r.levelOf(c.who.user)
	}
	if have > levelNone {
		o["permissions"] = object{
			"admin": have >= levelAdmin, "maintain": have >= levelMaintain, "push": have >= levelWrite,
			"triage": have >= levelTriage, "pull": have >= levelRead,
		}
	}
	return o
}

// parentObject renders another repository without its lock: everything read
// here is fixed or guarded by Server.mu.
func (s *Server) parentObject(p *Repository) object {
	s.mu.RLock()
	defer s.mu.RUnlock()
	view := &Repository{s: s, id: p.id, created: p.created, updated: p.created, git: p.git, owner: p.owner, name: p.name, defaultBranch: p.git.Head(), parent: p.parent}
	return view.object()
}

func editRepository(c *call) error {
	var req struct {
		Name          *string `json:"name"`
		Description   *string `json:"description"`
		Homepage      *string `json:"homepage"`
		Private       *bool   `json:"private"`
		Archived      *bool   `json:"archived"`
		DefaultBranch *string `json:"default_branch"`
	}
	if err := c.decode(&req); err != nil {
		return err
	}
	r := c.repo
	if r.archived && (req.Archived == nil || *req.Archived) {
		return fail(http.StatusForbidden, "Repository was archived so is read-only.")
	}
	if req.DefaultBranch != nil && *req.DefaultBranch != r.defaultBranch {
		if _, ok := r.git.Ref("refs/heads/" + *req.DefaultBranch); !ok {
			return invalid(fieldError{Resource: "Repository", Field: "default_branch", Code: "invalid", Message: "The branch " + *req.DefaultBranch + " was not found. Please push that ref first or create it via the Git Data API."})
		}
		if err := r.setDefaultBranch(c.who.account(), *req.DefaultBranch); err != nil {
			return err
		}
	}
	if req.Description != nil {
		r.description = *req.Description
	}
	if req.Homepage != nil {
		r.homepage = *req.Homepage
	}
	if req.Private != nil && *req.Private != r.private {
		r.setPrivate(c.who.account(), *req.Private)
	}
	if req.Archived != nil && *req.Archived != r.archived {
		r.setArchived(c.who.account(), *req.Archived)
	}
	if req.Name != nil && *req.Name != r.name {
		if err := r.rename(c.who.account(), *req.Name); err != nil {
			return invalid(fieldError{Resource: "Repository", Field: "name", Code: "custom", Message: "name already exists on this account"})
		}
	}
	return c.ok(c.fullRepository())
}

func listTopics(c *call) error { return c.ok(object{"names": []string{}}) }

func listBranches(c *call) error {
	r := c.repo
	return c.ok(mapped(pageOf(c, r.git.RefNames("refs/heads/")), func(ref string) object {
		id, _ := r.git.Ref(ref)
		name := strings.TrimPrefix(ref, "refs/heads/")
		return object{
			"name": name, "protected": len(r.rulesFor(name)) > 0,
			"commit": object{"sha": id, "url": r.url() + "/commits/" + string(id)},
		}
	}))
}

func getBranch(c *call) error {
	r, name := c.repo, c.params["branch"]
	id, ok := r.git.Ref("refs/heads/" + name)
	if !ok {
		return fail(http.StatusNotFound, "Branch not found")
	}
	commit, err := r.commitObject(id)
	if err != nil {
		return err
	}
	protected := len(r.rulesFor(name)) > 0
	return c.ok(object{
		"name": name, "commit": commit, "protected": protected,
		"_links":         object{"html": r.html() + "/tree/" + name, "self": r.url() + "/branches/" + name},
		"protection":     object{"enabled": protected, "required_status_checks": object{"enforcement_level": "off", "contexts": []string{}, "checks": []string{}}},
		"protection_url": r.url() + "/branches/" + name + "/protection",
	})
}

// people lists everyone with a permission, by login.
func (r *Repository) people() []*Account {
	seen := map[*Account]bool{}
	r.s.mu.RLock()
	for id := range r.collaborators {
		seen[r.s.accountByID[id]] = true
	}
	for u := range r.owner.members {
		seen[u] = true
	}
	r.s.mu.RUnlock()
	if r.owner.kind == typeUser {
		seen[r.owner] = true
	}
	var out []*Account
	for u := range seen {
		out = append(out, u)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Login() < out[j].Login() })
	return out
}

func (r *Repository) collaboratorObject(u *Account) object {
	have := r.levelOf(u)
	o := r.s.userObject(u)
	o["permissions"] = object{
		"admin": have >= levelAdmin, "maintain": have >= levelMaintain, "push": have >= levelWrite,
		"triage": have >= levelTriage, "pull": have >= levelRead,
	}
	o["role_name"] = have.String()
	return o
}

func listCollaborators(c *call) error {
	return c.ok(mapped(pageOf(c, c.repo.people()), c.repo.collaboratorObject))
}

func isCollaborator(c *call) error {
	u := c.s.Account(c.params["username"])
	if u == nil || c.repo.levelOf(u) == levelNone {
		return notFound()
	}
	return c.noContent()
}

// collaboratorPermission maps maintain to write and triage to read in
// "permission"; "role_name" is exact.
func collaboratorPermission(c *call) error {
	u := c.s.Account(c.params["username"])
	if u == nil {
		return notFound()
	}
	have := c.repo.levelOf(u)
	if have == levelNone && !c.repo.private {
		have = levelRead // everyone reads a public repository
	}
	permission := have.String()
	switch have {
	case levelMaintain:
		permission = "write"
	case levelTriage:
		permission = "read"
	}
	user := c.repo.collaboratorObject(u)
	user["role_name"] = have.String()
	return c.ok(object{"permission": permission, "role_name": have.String(), "user": user})
}

// branchRule is one active rule of a ruleset.
type branchRule struct {
	pattern string // branch name, a prefix ending in "*", or "*"
	rule    Rule
}

// Rule is a rule of a ruleset as the API shows it: Type is "creation",
// "update", "deletion", "non_fast_forward", "required_signatures",
// "pull_request", "merge_queue", "file_path_restriction" or any newer kind.
// Creation, update, deletion, non-fast-forward, pull request, signatures and
// file paths are enforced; merge_queue ejects nothing but is shown.
type Rule struct {
	Type       string
	Parameters map[string]any
}

// AddRule puts a rule on the branches that match: a name, "dhi/*", "*".
func (r *Repository) AddRule(branches string, rule Rule) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rules = append(r.rules, branchRule{branches, rule})
}

// ClearRules removes all rules.
func (r *Repository) ClearRules() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rules = nil
}

func (r *Repository) rulesFor(branch string) []Rule {
	var out []Rule
	for _, b := range r.rules {
		prefix, wild := strings.CutSuffix(b.pattern, "*")
		if b.pattern == branch || wild && strings.HasPrefix(branch, prefix) {
			out = append(out, b.rule)
		}
	}
	return out
}

func branchRules(c *call) error {
	rules := c.repo.rulesFor(c.params["branch"])
	return c.ok(mapped(pageOf(c, rules), func(r Rule) object {
		o := object{"type": r.Type, "ruleset_source_type": "Repository", "ruleset_source": c.repo.full(), "ruleset_id": 1}
		if r.Parameters != nil {
			o["parameters"] = r.Parameters
		}
		return o
	}))
}

// ruleViolations words what the rulesets have against a change of a branch,
// as the lines after "GH013" in a push.
func (r *Repository) ruleViolations(ref string, from, to gitdb.OID, forced bool) []string {
	branch, ok := strings.CutPrefix(ref, "refs/heads/")
	if !ok {
		return nil
	}
	var out []string
	for _, rule := range r.rulesFor(branch) {
		switch rule.Type {
		case "creation":
			if from == "" {
				out = append(out, "Cannot create ref due to creations being restricted.")
			}
		case "update":
			if from != "" && to != "" {
				out = append(out, "Cannot update this protected ref.")
			}
		case "deletion":
			if to == "" {
				out = append(out, "Cannot delete this protected ref.")
			}
		case "non_fast_forward":
			if forced {
				out = append(out, "Cannot force-push to this branch")
			}
		case "pull_request":
			if to != "" {
				out = append(out, "Changes must be made through a pull request.")
			}
		case "required_signatures":
			if to != "" && !r.allSigned(from, to) {
				out = append(out, "Commits must have verified signatures.")
			}
		case "file_path_restriction":
			if path := r.restrictedPath(rule, from, to); path != "" {
				out = append(out, "File path "+path+" is restricted.")
			}
		}
	}
	return out
}
