package standin

import (
	"fmt"
	"maps"
	"net/http"
	"sort"
	"strings"
)

func (s *Server) appRoutes() []route {
	return []route{
		{method: "GET", pattern: "/app", auth: authApp, doc: "apps/apps#get-the-authenticated-app", do: getApp},
		{method: "GET", pattern: "/app/installations", auth: authApp, doc: "apps/apps#list-installations-for-the-authenticated-app", do: listInstallations},
		{method: "GET", pattern: "/app/installations/{id}", auth: authApp, doc: "apps/apps#get-an-installation-for-the-authenticated-app", do: getInstallation},
		{method: "DELETE", pattern: "/app/installations/{id}", auth: authApp, doc: "apps/apps#delete-an-installation-for-the-authenticated-app", do: deleteInstallation},
		{method: "PUT", pattern: "/app/installations/{id}/suspended", auth: authApp, doc: "apps/apps#suspend-an-app-installation", do: suspendInstallation},
		{method: "DELETE", pattern: "/app/installations/{id}/suspended", auth: authApp, doc: "apps/apps#unsuspend-an-app-installation", do: unsuspendInstallation},
		{method: "POST", pattern: "/app/installations/{id}/access_tokens", auth: authApp, doc: "apps/apps#create-an-installation-access-token-for-an-app", do: createToken},
		{method: "GET", pattern: "/installation/repositories", auth: authInstallation, doc: "apps/installations#list-repositories-accessible-to-the-app-installation", do: listInstallationRepositories},
		{method: "DELETE", pattern: "/installation/token", auth: authInstallation, doc: "apps/installations#revoke-an-installation-access-token", do: revokeToken},
		{method: "GET", pattern: "/repos/{owner}/{repo}/installation", auth: authApp, doc: "apps/apps#get-a-repository-installation-for-the-authenticated-app", do: repositoryInstallation},
		{method: "GET", pattern: "/orgs/{login}/installation", auth: authApp, doc: "apps/apps#get-an-organization-installation-for-the-authenticated-app", do: accountInstallation},
		{method: "GET", pattern: "/users/{login}/installation", auth: authApp, doc: "apps/apps#get-a-user-installation-for-the-authenticated-app", do: accountInstallation},
		{method: "POST", pattern: "/app-manifests/{code}/conversions", auth: authNone, doc: "apps/apps#create-a-github-app-from-a-manifest", do: convertManifest},
	}
}

func getApp(c *call) error {
	o := c.s.appObject(c.who.app)
	o["installations_count"] = len(c.s.installationsOf(c.who.app))
	return c.ok(o)
}

// installationsOf lists an App's installations by id.
func (s *Server) installationsOf(a *App) []*Installation {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []*Installation
	for _, i := range s.installations {
		if i.app == a && !i.deleted {
			out = append(out, i)
		}
	}
	sort.Slice(out, func(x, y int) bool { return out[x].id < out[y].id })
	return out
}

func listInstallations(c *call) error {
	return c.ok(mapped(pageOf(c, c.s.installationsOf(c.who.app)), c.s.installationObject))
}

// installation finds the one of the path among the App's own.
func (c *call) installation() (*Installation, error) {
	id, err := c.number("id")
	if err != nil {
		return nil, err
	}
	for _, i := range c.s.installationsOf(c.who.app) {
		if i.id == id {
			return i, nil
		}
	}
	return nil, notFound()
}

func getInstallation(c *call) error {
	i, err := c.installation()
	if err != nil {
		return err
	}
	return c.ok(c.s.installationObject(i))
}

func deleteInstallation(c *call) error {
	i, err := c.installation()
	if err != nil {
		return err
	}
	i.Uninstall()
	return c.noContent()
}

func suspendInstallation(c *call) error {
	i, err := c.installation()
	if err != nil {
		return err
	}
	i.Suspend()
	return c.noContent()
}

func unsuspendInstallation(c *call) error {
	i, err := c.installation()
	if err != nil {
		return err
	}
	i.Unsuspend()
	return c.noContent()
}

func createToken(c *call) error {
	i, err := c.installation()
	if err != nil {
		return err
	}
	var req struct {
		Repositories  []string          `json:"repositories"`
		RepositoryIDs []int64           `json:"repository_ids"`
		Permissions   map[string]string `json:"permissions"`
	}
	if err := c.decode(&req); err != nil {
		return err
	}
	c.s.mu.RLock()
	isSuspended, granted := i.suspendedAt != nil, maps.Clone(i.permissions)
	c.s.mu.RUnlock()
	if isSuspended {
		return suspended()
	}
	selected, err := i.pick(req.Repositories, req.RepositoryIDs)
	if err != nil {
		return err
	}
	t := &token{inst: i, permissions: granted, expires: c.s.now().Add(tokenLife)}
	if len(req.Permissions) > 0 {
		for name, level := range req.Permissions {
			if rank(level) == 0 {
				return unprocessable(fmt.Sprintf("Invalid request.\n\nFor 'properties/%s', %q is not a possible value. Must be one of the following: read, write.", name, level))
			}
			if rank(granted[name]) < rank(level) {
				return unprocessable("The permissions requested are not granted to this installation.")
			}
		}
		t.permissions = maps.Clone(req.Permissions)
		t.permissions["metadata"] = "read"
	}
	if selected != nil {
		t.repos = map[int64]bool{}
		for _, r := range selected {
			t.repos[r.id] = true
		}
	}
	c.s.newToken(t)
	selection := "all"
	if t.repos != nil || i.selected() {
		selection = "selected"
	}
	out := object{
		"token": t.value, "expires_at": stamp(t.expires),
		"permissions": t.permissions, "repository_selection": selection,
	}
	if selected != nil {
		out["repositories"] = mapped(selected, (*Repository).lockedObject)
	}
	return c.created(out)
}

func (i *Installation) selected() bool {
	i.s.mu.RLock()
	defer i.s.mu.RUnlock()
	return i.repos != nil
}

// pick resolves the repositories a token is narrowed to; nil means all.
func (i *Installation) pick(names []string, ids []int64) ([]*Repository, error) {
	if len(names)+len(ids) == 0 {
		return nil, nil
	}
	var out []*Repository
	reachable := i.repositories()
	find := func(is func(*Repository) bool) error {
		for _, r := range reachable {
			if is(r) {
				out = append(out, r)
				return nil
			}
		}
		return unprocessable("There is at least one repository that does not exist or is not accessible to the parent installation.")
	}
	for _, n := range names {
		if err := find(func(r *Repository) bool { return strings.EqualFold(r.shortName(), n) }); err != nil {
			return nil, err
		}
	}
	for _, id := range ids {
		if err := find(func(r *Repository) bool { return r.id == id }); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func listInstallationRepositories(c *call) error {
	var all []*Repository
	for _, r := range c.who.inst.repositories() {
		if c.who.token.repos == nil || c.who.token.repos[r.id] {
			all = append(all, r)
		}
	}
	selection := "all"
	if c.who.token.repos != nil || c.who.inst.selected() {
		selection = "selected"
	}
	return c.ok(object{
		"total_count": len(all), "repository_selection": selection,
		"repositories": mapped(pageOf(c, all), (*Repository).lockedObject),
	})
}

func revokeToken(c *call) error {
	c.s.mu.Lock()
	delete(c.s.tokens, c.who.token.value)
	c.s.mu.Unlock()
	return c.noContent()
}

func repositoryInstallation(c *call) error {
	for _, i := range c.s.installationsOf(c.who.app) {
		if i.includes(c.repo) {
			return c.ok(c.s.installationObject(i))
		}
	}
	return notFound()
}

func accountInstallation(c *call) error {
	for _, i := range c.s.installationsOf(c.who.app) {
		if strings.EqualFold(i.account.Login(), c.params["login"]) {
			return c.ok(c.s.installationObject(i))
		}
	}
	return notFound()
}

// manifestCode is an App waiting for its one conversion.
// https://docs.github.com/apps/sharing-github-apps/registering-a-github-app-from-a-manifest
type manifestCode struct{ app *App }

// AddManifestCode registers the App that a person has just confirmed on the
// manifest page and returns the code the setup address would be called with.
func (s *Server) AddManifestCode(app *App) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	code := fmt.Sprintf("%040x", s.ids.next("code"))
	s.manifests[code] = manifestCode{app: app}
	return code
}

func convertManifest(c *call) error {
	c.s.mu.Lock()
	m, ok := c.s.manifests[c.params["code"]]
	delete(c.s.manifests, c.params["code"])
	c.s.mu.Unlock()
	if !ok {
		return notFound()
	}
	o := c.s.appObject(m.app)
	c.s.mu.RLock()
	o["client_secret"] = fmt.Sprintf("%040x", m.app.id)
	o["webhook_secret"] = m.app.secret
	o["pem"] = string(m.app.PrivateKeyPEM())
	c.s.mu.RUnlock()
	return c.json(http.StatusCreated, o)
}
