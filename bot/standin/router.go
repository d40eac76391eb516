package standin

import (
	"net/http"
	"net/url"
	"strings"
)

// authKind says which credentials a route takes.
type authKind int

const (
	authAny          authKind = iota // a token, or nobody for public things
	authApp                          // a JSON web token of the App
	authInstallation                 // an installation access token
	authNone                         // nobody asks
)

// route is one REST endpoint.
type route struct {
	method  string
	pattern string // "{name}" one segment, "{name*}" one or more
	auth    authKind
	// needs is the permission an installation token must have, as
	// "contents:write"; several alternatives are separated by "|".
	needs string
	// level is what a person needs on the repository: read (default for GET
	// and talk), triage, write, maintain or admin.
	level string
	// git: answers 409 when the repository has no commits yet.
	git bool
	// write: refused on an archived repository.
	write bool
	doc   string // page and anchor below https://docs.github.com/rest
	do    func(*call) error
}

// router finds the route of a path. Patterns with more literal segments win.
type router struct {
	bySegment map[string][]compiled // by method and first segment
}

type compiled struct {
	route    *route
	segments []string
	literals int
}

func newRouter(routes []route) *router {
	r := &router{bySegment: map[string][]compiled{}}
	for i := range routes {
		c := compiled{route: &routes[i], segments: strings.Split(strings.Trim(routes[i].pattern, "/"), "/")}
		for _, s := range c.segments {
			if !strings.HasPrefix(s, "{") {
				c.literals++
			}
		}
		key := routes[i].method + " " + c.segments[0]
		list := r.bySegment[key]
		at := len(list)
		for at > 0 && list[at-1].literals < c.literals {
			at--
		}
		list = append(list, compiled{})
		copy(list[at+1:], list[at:])
		list[at] = c
		r.bySegment[key] = list
	}
	return r
}

// reserved are the first segments that belong to the API: no account can have
// such a login.
func reserved(segment string) bool {
	switch segment {
	case "api", "app", "apps", "app-manifests", "installation", "repos", "repositories", "orgs", "users",
		"user", "rate_limit", "search", "graphql", "_standin", "meta", "zen", "login", "settings":
		return true
	}
	return false
}

// find matches a path below the API root. Segments are cut before they are
// decoded, so that "dhi%2Fmigrate" is one segment and "dhi/migrate" two; both
// fit a "{ref*}".
func (r *router) find(method, escapedPath string) (*route, map[string]string) {
	raw := strings.Split(strings.Trim(escapedPath, "/"), "/")
	segments := make([]string, len(raw))
	for i, s := range raw {
		d, err := url.PathUnescape(s)
		if err != nil {
			return nil, nil
		}
		segments[i] = d
	}
	if method == http.MethodHead {
		method = http.MethodGet
	}
	for _, c := range r.bySegment[method+" "+segments[0]] {
		params := map[string]string{}
		if match(c.segments, segments, params) {
			return c.route, params
		}
	}
	return nil, nil
}

func match(pattern, path []string, params map[string]string) bool {
	for i, p := range pattern {
		if name, ok := strings.CutSuffix(p, "*}"); ok {
			rest := pattern[i+1:]
			for n := len(path) - len(rest); n > i; n-- {
				if match(rest, path[n:], params) {
					params[name[1:]] = strings.Join(path[i:n], "/")
					return params[name[1:]] != ""
				}
			}
			return false
		}
		if i >= len(path) {
			return false
		}
		if strings.HasPrefix(p, "{") {
			if path[i] == "" {
				return false
			}
			params[strings.Trim(p, "{}")] = path[i]
			continue
		}
		if p != path[i] {
			return false
		}
	}
	return len(pattern) == len(path)
}

func (s *Server) allRoutes() []route {
	var all []route
	for _, family := range [][]route{
		s.appRoutes(), s.repoRoutes(), s.gitDataRoutes(), s.refRoutes(), s.commitRoutes(), s.contentRoutes(),
		s.pullRoutes(), s.reviewRoutes(), s.issueRoutes(), s.commentRoutes(), s.reactionRoutes(), s.labelRoutes(),
		s.checkRoutes(), s.statusRoutes(), s.miscRoutes(), s.hookRoutes(), s.searchRoutes(),
	} {
		all = append(all, family...)
	}
	return all
}
