package standin

import (
	"context"
	"errors"
	"net/http"

	"dhibot/bot/standin/internal/gql"
)

// serveGraphQL answers POST /graphql: queries only. Errors of a query come
// with HTTP 200.
func serveGraphQL(c *call) error {
	if c.r.Method != http.MethodPost {
		return notFound()
	}
	if c.who.account() == nil {
		return &apiError{status: http.StatusUnauthorized, message: "This endpoint requires you to be authenticated.", doc: "https://docs.github.com/graphql/guides/forming-calls-with-graphql#authenticating-with-graphql"}
	}
	var req struct {
		Query         string         `json:"query"`
		OperationName string         `json:"operationName"`
		Variables     map[string]any `json:"variables"`
	}
	if err := c.decode(&req); err != nil {
		return err
	}
	if req.Query == "" {
		return c.ok(object{"errors": []object{{"message": "A query attribute must be specified and must be a string."}}})
	}
	if f, ok := c.s.faults.strikes(FaultGraphQLError, c.r.Method, c.apiPath()); ok {
		return c.ok(object{"data": nil, "errors": []object{{"type": "SERVICE_UNAVAILABLE", "message": orDefault(f.Message, "Something went wrong while executing your query. This may be the result of a timeout, or it could be a GitHub bug.")}}})
	}
	g := &graph{call: c}
	answer := c.s.schema.Run(context.WithValue(c.r.Context(), graphKey{}, g), req.Query, req.OperationName, req.Variables, struct{}{})
	cost := max(1, (answer.Nodes+99)/100)
	c.s.limits.charge(c, cost-1)
	out := object{}
	if answer.Data != nil {
		out["data"] = answer.Data
	}
	if len(answer.Errors) > 0 {
		out["errors"] = answer.Errors
	}
	return c.ok(out)
}

// graph is the state of one query: the repository it is in is locked.
type graph struct {
	call *call
	held *Repository
}

type graphKey struct{}

func graphOf(ctx context.Context) *graph {
	g, _ := ctx.Value(graphKey{}).(*graph)
	return g
}

// enter locks a repository for the fields below it. A repository inside
// another one (a fork's parent) takes the lock over and gives it back, so that
// never two are held.
func (g *graph) enter(r *Repository) func() {
	if g.held == r {
		return func() {}
	}
	before := g.held
	if before != nil {
		before.mu.Unlock()
	}
	r.mu.Lock()
	g.held = r
	return func() {
		r.mu.Unlock()
		g.held = before
		if before != nil {
			before.mu.Lock()
		}
	}
}

// repository resolves one that the caller may see.
func (g *graph) repository(owner, name string) (*Repository, error) {
	r, _ := g.call.s.lookup(owner, name)
	missing := &gql.Error{Type: "NOT_FOUND", Message: "Could not resolve to a Repository with the name '" + owner + "/" + name + "'."}
	if r == nil || !g.visible(r) {
		return nil, missing
	}
	return r, nil
}

func (g *graph) visible(r *Repository) bool {
	leave := g.enter(r)
	defer leave()
	return !r.deleted && g.call.who.sees(r)
}

// allowed checks a permission of an installation token inside a query.
func (g *graph) allowed(r *Repository, need string) error {
	who := g.call.who
	if who.inst == nil || !who.covers(r) && !r.private {
		return nil
	}
	if who.covers(r) && who.token.grants(need) {
		return nil
	}
	return &gql.Error{Type: "FORBIDDEN", Message: "Resource not accessible by integration"}
}

// node resolves a global id.
func (g *graph) node(id string) (gql.Object, error) {
	missing := &gql.Error{Type: "NOT_FOUND", Message: "Could not resolve to a node with the global id of '" + id + "'"}
	prefix, n, ok := parseNodeID(id)
	if !ok {
		return gql.Object{}, missing
	}
	s := g.call.s
	s.mu.RLock()
	r, a := s.repoByID[n], s.accountByID[n]
	s.mu.RUnlock()
	switch prefix {
	case "R":
		if r != nil && g.visible(r) {
			return gql.Object{Type: "Repository", Value: r}, nil
		}
	case "U", "O", "BOT":
		if a != nil {
			return accountNode(a), nil
		}
	case "PR", "I":
		for _, r := range s.Repositories() {
			if i := g.issueByID(r, prefix == "PR", n); i != nil {
				if prefix == "PR" {
					return gql.Object{Type: "PullRequest", Value: i}, nil
				}
				return gql.Object{Type: "Issue", Value: i}, nil
			}
		}
	}
	return gql.Object{}, missing
}

func (g *graph) issueByID(r *Repository, pull bool, id int64) *issue {
	if !g.visible(r) {
		return nil
	}
	leave := g.enter(r)
	defer leave()
	for _, i := range r.issues {
		if pull && i.pull != nil && i.pull.id == id || !pull && i.pull == nil && i.id == id {
			return i
		}
	}
	return nil
}

func accountNode(a *Account) gql.Object {
	return gql.Object{Type: a.kind, Value: a}
}

// charge takes further points of the GraphQL budget.
func (l *limiter) charge(c *call, points int) {
	if points <= 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bucket(c, "graphql").used += points
}

// rateLimited is the GraphQL answer over the primary limit: HTTP 200.
func rateLimited(client string) object {
	return object{"errors": []object{{"type": "RATE_LIMITED", "code": "graphql_rate_limit", "message": "API rate limit exceeded for " + client + "."}}}
}

// asGraphQL words an error of the limiter for GraphQL.
func (c *call) asGraphQL(err error) error {
	var e *apiError
	if c.resource() == "graphql" && errors.As(err, &e) && e.status == http.StatusOK {
		c.header = mergeHeader(c.header, e.header)
		return c.ok(rateLimited(c.client()))
	}
	return err
}

func mergeHeader(into, from http.Header) http.Header {
	for k, v := range from {
		into[k] = v
	}
	return into
}
