package githubapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/go-github/v60/github"
)

// GraphQLError is an answer of status 200 that carries errors. Data that came
// with it has been decoded all the same.
type GraphQLError struct {
	Errors []GraphQLDetail
}

// GraphQLDetail is one entry of the errors list.
type GraphQLDetail struct {
	Type    string `json:"type"` // NOT_FOUND, FORBIDDEN, RATE_LIMITED, ...
	Message string `json:"message"`
	Path    []any  `json:"path"` // names and numbers that lead to the field
}

// Error implements error.
func (e *GraphQLError) Error() string {
	parts := make([]string, 0, len(e.Errors))
	for i, d := range e.Errors {
		if i == maxDetails {
			parts = append(parts, "…")
			break
		}
		parts = append(parts, strings.TrimSpace(clip(d.Type)+" "+clip(d.Message)))
	}
	return "GitHub answered the query with errors: " + strings.Join(parts, "; ")
}

// Is makes an answer whose errors are all NOT_FOUND an ErrNotFound.
func (e *GraphQLError) Is(target error) bool {
	if target != ErrNotFound || len(e.Errors) == 0 {
		return false
	}
	for _, d := range e.Errors {
		if d.Type != "NOT_FOUND" {
			return false
		}
	}
	return true
}

// GraphQL runs a query and decodes its data into into. The endpoint is beside
// the REST root, github.com/graphql or host/api/graphql on an Enterprise
// Server, which "../graphql" is on both (trap T7). Limits that come inside an
// answer of status 200 are *RateLimitedError like all others.
//
// It is for reading: writes go through REST, which keeps file modes and is
// counted by the limiter.
func (c *Client) GraphQL(ctx context.Context, query string, variables map[string]any, into any) error {
	type answer struct {
		Data   json.RawMessage `json:"data"`
		Errors []GraphQLDetail `json:"errors"`
	}
	body := map[string]any{"query": query, "variables": variables}
	_, err := call(ctx, c, "graphql", reads, func(ctx context.Context, gh *github.Client) (none, *github.Response, error) {
		var a answer
		resp, err := send(ctx, gh, http.MethodPost, "../graphql", body, &a)
		if err != nil {
			return none{}, resp, err
		}
		if len(a.Data) > 0 && into != nil {
			if err := json.Unmarshal(a.Data, into); err != nil {
				return none{}, resp, fmt.Errorf("decoding the answer: %w", err)
			}
		}
		return none{}, resp, c.graphQLErrors(a.Errors)
	})
	return err
}

func (c *Client) graphQLErrors(errs []GraphQLDetail) error {
	if len(errs) == 0 {
		return nil
	}
	now := c.limit.now()
	for _, e := range errs {
		if e.Type == "RATE_LIMITED" {
			until := now.Add(firstFallback)
			if _, remaining, reset := c.limit.limiter.allowance(resourceGraphQL); remaining == 0 && reset.After(now) {
				until = reset
			}
			return &RateLimitedError{Until: until, Resource: resourceGraphQL, Why: clip(e.Message)}
		}
		if isSecondary([]byte(e.Message)) {
			return &RateLimitedError{Until: c.limit.limiter.holdSecondary(now, false), Secondary: true, Resource: resourceGraphQL, Why: clip(e.Message)}
		}
	}
	return &GraphQLError{Errors: errs}
}
