package standin

import (
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
)

// counts are what tests ask after a run.
type counts struct{ primary, secondary atomic.Int64 }

func (s *Server) miscRoutes() []route {
	return []route{
		{method: "GET", pattern: "/rate_limit", doc: "rate-limit/rate-limit#get-rate-limit-status-for-the-authenticated-user", do: rateLimit},
		{method: "GET", pattern: "/user", doc: "users/users#get-the-authenticated-user", do: currentUser},
		{method: "GET", pattern: "/users/{login}", doc: "users/users#get-a-user", do: getUser},
		{method: "GET", pattern: "/orgs/{login}", doc: "orgs/orgs#get-an-organization", do: getUser},
		{method: "GET", pattern: "/meta", auth: authNone, doc: "meta/meta#get-github-meta-information", do: meta},
		{method: "GET", pattern: "/zen", auth: authNone, do: zen},
		{method: "GET", pattern: "/", auth: authNone, do: apiRoot},
	}
}

func rateLimit(c *call) error {
	core := c.s.limits.object(c, "core")
	return c.ok(object{
		"resources": object{"core": core, "search": c.s.limits.object(c, "search"), "code_search": c.s.limits.object(c, "code_search"), "graphql": c.s.limits.object(c, "graphql")},
		"rate":      core,
	})
}

func currentUser(c *call) error {
	switch {
	case c.who.inst != nil:
		return notAccessible()
	case c.who.user == nil:
		return &apiError{status: http.StatusUnauthorized, message: "Requires authentication"}
	}
	return c.ok(c.s.publicUser(c.who.user))
}

func getUser(c *call) error {
	a := c.s.Account(c.params["login"])
	if a == nil || strings.HasPrefix(c.route.pattern, "/orgs/") && a.kind != typeOrganization {
		return notFound()
	}
	return c.ok(c.s.publicUser(a))
}

// publicUser is the schema "public-user".
func (s *Server) publicUser(a *Account) object {
	o := s.userObject(a)
	for _, k := range []string{"name", "company", "location", "email", "hireable", "bio", "twitter_username"} {
		o[k] = nil
	}
	o["blog"] = ""
	o["public_repos"], o["public_gists"], o["followers"], o["following"] = 0, 0, 0, 0
	o["created_at"], o["updated_at"] = stamp(a.created), stamp(a.created)
	return o
}

func meta(c *call) error {
	o := object{"verifiable_password_authentication": true}
	if c.prefix != "" {
		// An Enterprise server says so; clients use it to tell the forms apart.
		o["installed_version"] = "3.17.0"
	}
	return c.ok(o)
}

func zen(c *call) error {
	return c.raw("text/plain;charset=utf-8", []byte("Keep it logically awesome."))
}

func apiRoot(c *call) error {
	api := c.s.api()
	return c.ok(object{
		"current_user_url": api + "/user", "rate_limit_url": api + "/rate_limit",
		"repository_url": api + "/repos/{owner}/{repo}", "user_url": api + "/users/{user}",
	})
}

// numbered turns "/repositories/17/…" into the path by name: numbers outlive
// renames.
func (s *Server) numbered(path string) string {
	rest, ok := strings.CutPrefix(path, "/repositories/")
	if !ok {
		return path
	}
	number, rest, deeper := strings.Cut(rest, "/")
	id, err := strconv.ParseInt(number, 10, 64)
	s.mu.RLock()
	defer s.mu.RUnlock()
	r := s.repoByID[id]
	if err != nil || r == nil {
		return path
	}
	path = "/repos/" + r.owner.Login() + "/" + r.name
	if deeper {
		path += "/" + rest
	}
	return path
}
