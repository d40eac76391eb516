package standin

import (
	"context"
	"sort"
	"strings"

	"dhibot/bot/standin/internal/gql"
)

func repositoryType() *gql.Type {
	type R = *Repository
	contents := func(ctx context.Context, r R) error { return graphOf(ctx).allowed(r, "contents:read") }
	return &gql.Type{
		Enter: func(ctx context.Context, v any) func() {
			r, _ := v.(R)
			return graphOf(ctx).enter(r)
		},
		Fields: map[string]gql.Field{
			"id": scalar(func(r R) any { return nodeID("R", r.id) }), "databaseId": scalar(func(r R) any { return r.id }),
			"name": scalar(func(r R) any { return r.name }), "nameWithOwner": scalar(func(r R) any { return r.full() }),
			"description": scalar(func(r R) any { return nullable(r.description) }), "url": scalar(func(r R) any { return r.html() }),
			"isArchived": scalar(func(r R) any { return r.archived }), "isFork": scalar(func(r R) any { return r.parent != nil }),
			"isEmpty": scalar(func(r R) any { return r.empty() }), "isPrivate": scalar(func(r R) any { return r.private }),
			"isMirror": scalar(func(R) any { return false }), "isTemplate": scalar(func(R) any { return false }),
			"isDisabled": scalar(func(R) any { return false }), "isLocked": scalar(func(R) any { return false }),
			"diskUsage": scalar(func(R) any { return 1 }), "createdAt": scalar(func(r R) any { return stamp(r.created) }),
			"updatedAt": scalar(func(r R) any { return stamp(r.updated) }), "pushedAt": scalar(func(r R) any { return stampOrNil(r.pushed) }),
			"visibility": scalar(func(r R) any {
				if r.private {
					return "PRIVATE"
				}
				return "PUBLIC"
			}),
			"owner": child("RepositoryOwner", func(_ context.Context, r R, _ gql.Args) (any, error) { return accountNode(r.owner), nil }),
			"parent": child("Repository", func(ctx context.Context, r R, _ gql.Args) (any, error) {
				if r.parent == nil || !graphOf(ctx).visible(r.parent) {
					return nil, nil
				}
				return r.parent, nil
			}),
			"defaultBranchRef": child("Ref", func(ctx context.Context, r R, _ gql.Args) (any, error) {
				id, ok := r.git.Ref("refs/heads/" + r.defaultBranch)
				if !ok {
					return nil, nil
				}
				return refNode{r, "refs/heads/" + r.defaultBranch, id}, contents(ctx, r)
			}),
			"ref": child("Ref", func(ctx context.Context, r R, a gql.Args) (any, error) {
				if err := contents(ctx, r); err != nil {
					return nil, err
				}
				for _, name := range []string{a.String("qualifiedName"), "refs/heads/" + a.String("qualifiedName"), "refs/tags/" + a.String("qualifiedName")} {
					if id, ok := r.git.Ref(name); ok {
						return refNode{r, name, id}, nil
					}
				}
				return nil, nil
			}, "qualifiedName"),
			"refs": connection("refs", "Ref", func(ctx context.Context, r R, a gql.Args) ([]any, error) {
				var out []any
				for _, name := range r.git.RefNames(a.String("refPrefix")) {
					id, _ := r.git.Ref(name)
					out = append(out, refNode{r, name, id})
				}
				return out, contents(ctx, r)
			}, "refPrefix"),
			"object": child("GitObject", func(ctx context.Context, r R, a gql.Args) (any, error) {
				if err := contents(ctx, r); err != nil {
					return nil, err
				}
				return r.graphObject(a.String("expression"), a.String("oid")), nil
			}, "expression", "oid"),
			"pullRequest": child("PullRequest", func(ctx context.Context, r R, a gql.Args) (any, error) {
				n, _ := a.Int("number")
				if i := r.issues[n]; i != nil && i.pull != nil {
					return i, graphOf(ctx).allowed(r, "pull_requests:read")
				}
				return nil, &gql.Error{Type: "NOT_FOUND", Message: "Could not resolve to a PullRequest with the number of " + itoa(int64(n)) + "."}
			}, "number"),
			"pullRequests": connection("pullRequests", "PullRequest", graphPulls, "states", "headRefName", "baseRefName", "orderBy", "labels"),
			"issue": child("Issue", func(ctx context.Context, r R, a gql.Args) (any, error) {
				n, _ := a.Int("number")
				if i := r.issues[n]; i != nil && i.pull == nil {
					return i, graphOf(ctx).allowed(r, "issues:read")
				}
				return nil, &gql.Error{Type: "NOT_FOUND", Message: "Could not resolve to an Issue with the number of " + itoa(int64(n)) + "."}
			}, "number"),
			"issues": connection("issues", "Issue", func(ctx context.Context, r R, a gql.Args) ([]any, error) {
				var out []any
				for _, i := range r.sortedIssues() {
					if i.pull == nil && stateWanted(i, a.Strings("states")) {
						out = append(out, i)
					}
				}
				return out, graphOf(ctx).allowed(r, "issues:read")
			}, "states", "orderBy", "labels"),
			"labels": connection("labels", "Label", func(_ context.Context, r R, _ gql.Args) ([]any, error) { return anys(r.labels), nil }),
			"viewerPermission": {Resolve: func(ctx context.Context, v any, _ gql.Args) (any, error) {
				r, _ := v.(R)
				if who := graphOf(ctx).call.who; who.user != nil {
					return strings.ToUpper(r.levelOf(who.user).String()), nil
				}
				return nil, nil
			}},
		},
	}
}

func anys[T any](list []T) []any {
	out := make([]any, len(list))
	for i, v := range list {
		out[i] = v
	}
	return out
}

func stateWanted(i *issue, states []string) bool {
	if len(states) == 0 {
		return true
	}
	state := strings.ToUpper(i.state)
	if i.pull != nil && i.pull.merged {
		state = "MERGED"
	}
	for _, s := range states {
		if s == state {
			return true
		}
	}
	return false
}

func graphPulls(ctx context.Context, r *Repository, a gql.Args) ([]any, error) {
	var list []*issue
	for _, i := range r.sortedIssues() {
		head, base := a.String("headRefName"), a.String("baseRefName")
		if i.pull == nil || !stateWanted(i, a.Strings("states")) || head != "" && i.pull.headRef != head || base != "" && i.pull.baseRef != base {
			continue
		}
		if names := a.Strings("labels"); len(names) > 0 && !i.hasLabels(names[:1]) {
			continue
		}
		list = append(list, i)
	}
	if order, ok := a["orderBy"].(map[string]any); ok {
		direction := gql.Args(order).String("direction")
		byUpdate := gql.Args(order).String("field") == "UPDATED_AT"
		sort.SliceStable(list, func(x, y int) bool {
			if direction == "DESC" {
				x, y = y, x
			}
			if byUpdate {
				return list[x].updated.Before(list[y].updated)
			}
			return list[x].number < list[y].number
		})
	}
	return anys(list), graphOf(ctx).allowed(r, "pull_requests:read")
}
