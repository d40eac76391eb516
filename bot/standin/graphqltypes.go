package standin

import (
	"context"
	"strings"
	"time"

	"dhibot/bot/standin/internal/gql"
)

// scalar is a field that is read off its value.
func scalar[T any](get func(T) any) gql.Field {
	return gql.Field{Resolve: func(_ context.Context, v any, _ gql.Args) (any, error) {
		t, ok := v.(T)
		if !ok {
			return nil, nil
		}
		return get(t), nil
	}}
}

// child is a field whose value has a type of its own.
func child[T any](typeName string, get func(context.Context, T, gql.Args) (any, error), args ...string) gql.Field {
	return gql.Field{Type: typeName, Args: args, Resolve: func(ctx context.Context, v any, a gql.Args) (any, error) {
		t, ok := v.(T)
		if !ok {
			return nil, nil
		}
		return get(ctx, t, a)
	}}
}

// connection is a paginated field; item names the type of its nodes.
func connection[T any](name, item string, get func(context.Context, T, gql.Args) ([]any, error), args ...string) gql.Field {
	return gql.Field{Type: item + "Connection", Args: append([]string{"first", "after", "last", "before"}, args...), Resolve: func(ctx context.Context, v any, a gql.Args) (any, error) {
		t, ok := v.(T)
		if !ok {
			return nil, nil
		}
		all, err := get(ctx, t, a)
		if err != nil {
			return nil, err
		}
		page, err := gql.Paginate(name, all, a)
		if err != nil {
			return nil, err
		}
		return page, nil
	}}
}

func connectionType(item string) *gql.Type {
	nodes := func(_ context.Context, v any, _ gql.Args) (any, error) {
		p, _ := v.(*gql.Page)
		return p.Items, nil
	}
	return &gql.Type{Fields: map[string]gql.Field{
		"nodes":      {Type: item, List: true, Resolve: nodes},
		"totalCount": scalar(func(p *gql.Page) any { return p.Total }),
		"pageInfo":   child("PageInfo", func(_ context.Context, p *gql.Page, _ gql.Args) (any, error) { return p, nil }),
		"edges": {Type: item + "Edge", List: true, Resolve: func(_ context.Context, v any, _ gql.Args) (any, error) {
			p, _ := v.(*gql.Page)
			out := make([]any, len(p.Items))
			for i, item := range p.Items {
				out[i] = edge{gql.Cursor(p.From + i + 1), item}
			}
			return out, nil
		}},
	}}
}

type edge struct {
	cursor string
	node   any
}

func edgeType(item string) *gql.Type {
	return &gql.Type{Fields: map[string]gql.Field{
		"cursor": scalar(func(e edge) any { return e.cursor }),
		"node":   child(item, func(_ context.Context, e edge, _ gql.Args) (any, error) { return e.node, nil }),
	}}
}

// newSchema builds the part of GitHub's schema that batched reads use.
// https://docs.github.com/graphql/reference
func newSchema() gql.Schema {
	s := gql.Schema{
		"Query":                  queryType(),
		"Repository":             repositoryType(),
		"Ref":                    refType(),
		"Commit":                 commitType(),
		"Tree":                   treeType(),
		"Blob":                   blobType(),
		"Tag":                    {Fields: gitFields()},
		"TreeEntry":              treeEntryType(),
		"PullRequest":            pullRequestType(),
		"Issue":                  issueType(),
		"IssueComment":           commentType(),
		"PullRequestCommit":      {Fields: map[string]gql.Field{"commit": child("Commit", func(_ context.Context, o gitObject, _ gql.Args) (any, error) { return o, nil })}},
		"GitActor":               gitActorType(),
		"GitSignature":           {Fields: map[string]gql.Field{"isValid": scalar(func(b bool) any { return b })}},
		"Label":                  {Fields: map[string]gql.Field{"name": scalar(func(l *label) any { return l.name }), "color": scalar(func(l *label) any { return l.color }), "id": scalar(func(l *label) any { return nodeID("LA", l.id) })}},
		"PullRequestChangedFile": changedFileType(),
		"RateLimit":              rateLimitType(),
		"PageInfo":               pageInfoType(),
		"User":                   {Fields: accountFields()},
		"Bot":                    {Fields: accountFields()},
		"Organization":           {Fields: accountFields()},
		"Actor":                  {Fields: actorFields(), Possible: []string{"User", "Bot", "Organization"}},
		"RepositoryOwner":        {Fields: actorFields(), Possible: []string{"User", "Organization"}},
		"GitObject":              {Fields: gitFields(), Possible: []string{"Commit", "Tree", "Blob", "Tag"}},
		"Node": {Fields: map[string]gql.Field{"id": {Resolve: func(context.Context, any, gql.Args) (any, error) { return nil, nil }}},
			Possible: []string{"Repository", "User", "Bot", "Organization", "PullRequest", "Issue"}},
	}
	for _, item := range []string{"Repository", "Ref", "PullRequest", "Issue", "IssueComment", "Label", "Commit", "PullRequestCommit", "PullRequestChangedFile"} {
		s[item+"Connection"], s[item+"Edge"] = connectionType(item), edgeType(item)
	}
	return s
}

func queryType() *gql.Type {
	return &gql.Type{Fields: map[string]gql.Field{
		"viewer": {Type: "Actor", Resolve: func(ctx context.Context, _ any, _ gql.Args) (any, error) {
			return accountNode(graphOf(ctx).call.who.account()), nil
		}},
		"rateLimit": {Type: "RateLimit", Resolve: func(ctx context.Context, _ any, _ gql.Args) (any, error) {
			c := graphOf(ctx).call
			return c.s.limits.object(c, "graphql"), nil
		}},
		"repository": {Type: "Repository", Args: []string{"owner", "name", "followRenames"}, Resolve: func(ctx context.Context, _ any, a gql.Args) (any, error) {
			r, err := graphOf(ctx).repository(a.String("owner"), a.String("name"))
			if err != nil {
				return nil, err
			}
			return r, nil
		}},
		"node": {Type: "Node", Args: []string{"id"}, Resolve: func(ctx context.Context, _ any, a gql.Args) (any, error) {
			o, err := graphOf(ctx).node(a.String("id"))
			if err != nil {
				return nil, err
			}
			return o, nil
		}},
		"nodes": {Type: "Node", List: true, Args: []string{"ids"}, Resolve: func(ctx context.Context, _ any, a gql.Args) (any, error) {
			ids := a.Strings("ids")
			if len(ids) > 100 {
				return nil, &gql.Error{Type: "ARGUMENT_LIMIT", Message: "You may not provide more than 100 node ids; you provided " + itoa(int64(len(ids))) + "."}
			}
			out := make([]any, len(ids))
			for n, id := range ids {
				o, err := graphOf(ctx).node(id)
				if err != nil {
					out[n] = err
					continue
				}
				out[n] = o
			}
			return out, nil
		}},
	}}
}

func rateLimitType() *gql.Type {
	get := func(key string) gql.Field { return scalar(func(o object) any { return o[key] }) }
	return &gql.Type{Fields: map[string]gql.Field{
		"limit": get("limit"), "remaining": get("remaining"), "used": get("used"),
		"cost": scalar(func(object) any { return 1 }), "nodeCount": scalar(func(object) any { return 0 }),
		"resetAt": scalar(func(o object) any {
			n, _ := o["reset"].(int64)
			return stamp(time.Unix(n, 0))
		}),
	}}
}

func pageInfoType() *gql.Type {
	cursor := func(p *gql.Page, n int) any {
		if len(p.Items) == 0 {
			return nil
		}
		return gql.Cursor(n)
	}
	return &gql.Type{Fields: map[string]gql.Field{
		"hasNextPage":     scalar(func(p *gql.Page) any { return p.From+len(p.Items) < p.Total }),
		"hasPreviousPage": scalar(func(p *gql.Page) any { return p.From > 0 }),
		"startCursor":     scalar(func(p *gql.Page) any { return cursor(p, p.From+1) }),
		"endCursor":       scalar(func(p *gql.Page) any { return cursor(p, p.From+len(p.Items)) }),
	}}
}

// actorFields are those of the interfaces Actor and RepositoryOwner.
func actorFields() map[string]gql.Field {
	return map[string]gql.Field{
		"login":     scalar(func(a *Account) any { return strings.TrimSuffix(a.Login(), "[bot]") }),
		"url":       scalar(func(a *Account) any { return a.s.userObject(a)["html_url"] }),
		"avatarUrl": scalar(func(a *Account) any { return a.s.userObject(a)["avatar_url"] }),
	}
}

func accountFields() map[string]gql.Field {
	f := actorFields()
	f["id"] = scalar(func(a *Account) any { return a.s.userObject(a)["node_id"] })
	f["databaseId"] = scalar(func(a *Account) any { return a.id })
	f["createdAt"] = scalar(func(a *Account) any { return stamp(a.created) })
	return f
}
