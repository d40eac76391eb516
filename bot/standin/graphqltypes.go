package standin

import (
	"context"
	"sort"
	"strings"
	"time"
	"unicode/utf8"

	"dhibot/bot/standin/internal/gitdb"
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

// gitObject is an object of a repository.
type gitObject struct {
	repo *Repository
	id   gitdb.OID
}

// treeEntryNode is a row of a tree.
type treeEntryNode struct {
	repo  *Repository
	entry gitdb.Entry
	name  string
}

// refNode is a reference.
type refNode struct {
	repo *Repository
	name string
	id   gitdb.OID
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

func gitActorType() *gql.Type {
	type actorOf = gitIdentity
	return &gql.Type{Fields: map[string]gql.Field{
		"name":  scalar(func(i actorOf) any { return i.Name }),
		"email": scalar(func(i actorOf) any { return i.Email }),
		"date":  scalar(func(i actorOf) any { return stamp(i.When) }),
		"user": child("User", func(_ context.Context, i actorOf, _ gql.Args) (any, error) {
			if a := i.s.byEmail(i.Email); a != nil && a.kind == typeUser {
				return a, nil
			}
			return nil, nil
		}),
	}}
}

// gitIdentity is an author with the server that knows the accounts.
type gitIdentity struct {
	gitdb.Ident
	s *Server
}

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
			"isMirror": scalar(func(R) any { return false }), "isTemplate": scalar(func(r R) any { return r.template }),
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

// graphObject resolves "main:path", "main", or an object name.
func (r *Repository) graphObject(expression, oid string) any {
	id := gitdb.OID(oid)
	if oid == "" {
		rev, path, hasPath := strings.Cut(expression, ":")
		commit, err := r.commitish(rev)
		switch {
		case err != nil && gitdb.Valid(rev):
			commit = gitdb.OID(rev) // a tree or a blob by name
		case err != nil:
			return nil
		}
		id = commit
		if hasPath {
			tree := commit
			if c, err := r.git.Commit(commit); err == nil {
				tree = c.Tree
			}
			e, err := r.git.Lookup(tree, strings.Trim(path, "/"))
			if err != nil {
				return nil
			}
			id = e.ID
		}
	}
	return r.objectNode(id)
}

func (r *Repository) objectNode(id gitdb.OID) any {
	kind, err := r.git.Kind(id)
	if err != nil {
		return nil
	}
	return gql.Object{Type: strings.ToUpper(kind[:1]) + kind[1:], Value: gitObject{r, id}}
}

func gitFields() map[string]gql.Field {
	return map[string]gql.Field{
		"oid": scalar(func(o gitObject) any { return o.id }), "abbreviatedOid": scalar(func(o gitObject) any { return o.id[:7] }),
		"id":         scalar(func(o gitObject) any { return o.repo.commitNode(o.id) }),
		"commitUrl":  scalar(func(o gitObject) any { return o.repo.html() + "/commit/" + string(o.id) }),
		"repository": child("Repository", func(_ context.Context, o gitObject, _ gql.Args) (any, error) { return o.repo, nil }),
	}
}

func blobType() *gql.Type {
	data := func(o gitObject) []byte {
		b, err := o.repo.git.Blob(o.id)
		if err != nil {
			return nil
		}
		return b
	}
	binary := func(b []byte) bool { return strings.IndexByte(string(b[:min(len(b), 8000)]), 0) >= 0 || !utf8.Valid(b) }
	// https://docs.github.com/graphql/reference/objects#blob: text is cut.
	const cut = 512_000
	f := gitFields()
	f["byteSize"] = scalar(func(o gitObject) any { return len(data(o)) })
	f["isBinary"] = scalar(func(o gitObject) any { return binary(data(o)) })
	f["isTruncated"] = scalar(func(o gitObject) any { return len(data(o)) > cut })
	f["text"] = scalar(func(o gitObject) any {
		b := data(o)
		if binary(b) {
			return nil
		}
		return strings.ToValidUTF8(string(b[:min(len(b), cut)]), "")
	})
	return &gql.Type{Fields: f}
}

func treeType() *gql.Type {
	f := gitFields()
	f["entries"] = gql.Field{Type: "TreeEntry", List: true, Resolve: func(_ context.Context, v any, _ gql.Args) (any, error) {
		o, _ := v.(gitObject)
		list, err := o.repo.git.Tree(o.id)
		out := make([]any, 0, len(list))
		for _, e := range list {
			out = append(out, treeEntryNode{o.repo, e, e.Path})
		}
		return out, err
	}}
	return &gql.Type{Fields: f}
}

func treeEntryType() *gql.Type {
	type E = treeEntryNode
	return &gql.Type{Fields: map[string]gql.Field{
		"name": scalar(func(e E) any { return e.name }), "path": scalar(func(e E) any { return e.entry.Path }),
		"type": scalar(func(e E) any { return e.entry.Type() }), "oid": scalar(func(e E) any { return e.entry.ID }),
		// GitHub gives the mode as a decimal number.
		"mode": scalar(func(e E) any { return octal(e.entry.Mode) }),
		"size": scalar(func(e E) any {
			if _, n, err := e.repo.git.Size(e.entry.ID); err == nil && e.entry.Type() == "blob" {
				return n
			}
			return 0
		}),
		"object": child("GitObject", func(_ context.Context, e E, _ gql.Args) (any, error) { return e.repo.objectNode(e.entry.ID), nil }),
	}}
}

func octal(mode string) int {
	n := 0
	for _, c := range []byte(mode) {
		n = n*8 + int(c-'0')
	}
	return n
}

func refType() *gql.Type {
	return &gql.Type{Fields: map[string]gql.Field{
		"id": scalar(func(r refNode) any { return nodeID("REF", r.repo.id) + r.name }),
		"name": scalar(func(r refNode) any {
			return strings.TrimPrefix(strings.TrimPrefix(r.name, "refs/heads/"), "refs/tags/")
		}),
		"prefix": scalar(func(r refNode) any {
			parts := strings.SplitAfterN(r.name, "/", 3)
			return parts[0] + parts[1]
		}),
		"target": child("GitObject", func(_ context.Context, r refNode, _ gql.Args) (any, error) { return r.repo.objectNode(r.id), nil }),
		"associatedPullRequests": connection("associatedPullRequests", "PullRequest", func(ctx context.Context, r refNode, a gql.Args) ([]any, error) {
			a["headRefName"] = strings.TrimPrefix(r.name, "refs/heads/")
			return graphPulls(ctx, r.repo, a)
		}, "states", "orderBy", "baseRefName"),
	}}
}

func commitType() *gql.Type {
	commit := func(o gitObject) gitdb.Commit {
		c, err := o.repo.git.Commit(o.id)
		if err != nil {
			return gitdb.Commit{}
		}
		return c
	}
	f := gitFields()
	f["message"] = scalar(func(o gitObject) any { return commit(o).Message })
	f["messageHeadline"] = scalar(func(o gitObject) any { return commit(o).Subject() })
	f["committedDate"] = scalar(func(o gitObject) any { return stamp(commit(o).Committer.When) })
	f["authoredDate"] = scalar(func(o gitObject) any { return stamp(commit(o).Author.When) })
	f["author"] = child("GitActor", func(_ context.Context, o gitObject, _ gql.Args) (any, error) {
		return gitIdentity{commit(o).Author, o.repo.s}, nil
	})
	f["committer"] = child("GitActor", func(_ context.Context, o gitObject, _ gql.Args) (any, error) {
		return gitIdentity{commit(o).Committer, o.repo.s}, nil
	})
	f["signature"] = child("GitSignature", func(_ context.Context, o gitObject, _ gql.Args) (any, error) {
		c := commit(o)
		if c.Signature == "" {
			return nil, nil
		}
		return o.repo.s.verified(c), nil
	})
	f["tree"] = child("Tree", func(_ context.Context, o gitObject, _ gql.Args) (any, error) {
		return gitObject{o.repo, commit(o).Tree}, nil
	})
	f["parents"] = connection("parents", "Commit", func(_ context.Context, o gitObject, _ gql.Args) ([]any, error) {
		var out []any
		for _, p := range commit(o).Parents {
			out = append(out, gitObject{o.repo, p})
		}
		return out, nil
	})
	f["history"] = connection("history", "Commit", func(_ context.Context, o gitObject, _ gql.Args) ([]any, error) {
		ids, err := o.repo.git.Log(o.id, nil, 0)
		var out []any
		for _, id := range ids {
			out = append(out, gitObject{o.repo, id})
		}
		return out, err
	})
	return &gql.Type{Fields: f}
}

// threadFields are common to issues and pull requests.
func threadFields() map[string]gql.Field {
	type I = *issue
	return map[string]gql.Field{
		"number": scalar(func(i I) any { return i.number }), "title": scalar(func(i I) any { return i.title }),
		"body": scalar(func(i I) any { return i.body }), "url": scalar(func(i I) any { return i.repo.issueHTML(i) }),
		"closed": scalar(func(i I) any { return !i.open() }), "locked": scalar(func(i I) any { return i.locked }),
		"createdAt": scalar(func(i I) any { return stamp(i.created) }), "updatedAt": scalar(func(i I) any { return stamp(i.updated) }),
		"closedAt":          scalar(func(i I) any { return stampOrNil(i.closed) }),
		"authorAssociation": scalar(func(i I) any { return i.repo.association(i.author) }),
		"viewerDidAuthor": {Resolve: func(ctx context.Context, v any, _ gql.Args) (any, error) {
			i, _ := v.(I)
			return i.author == graphOf(ctx).call.who.account(), nil
		}},
		"author": child("Actor", func(_ context.Context, i I, _ gql.Args) (any, error) {
			if i.author == nil {
				return nil, nil
			}
			return accountNode(i.author), nil
		}),
		"repository": child("Repository", func(_ context.Context, i I, _ gql.Args) (any, error) { return i.repo, nil }),
		"labels":     connection("labels", "Label", func(_ context.Context, i I, _ gql.Args) ([]any, error) { return anys(i.labels), nil }),
		"comments":   connection("comments", "IssueComment", func(_ context.Context, i I, _ gql.Args) ([]any, error) { return anys(i.comments), nil }),
	}
}

func issueType() *gql.Type {
	f := threadFields()
	f["id"] = scalar(func(i *issue) any { return nodeID("I", i.id) })
	f["databaseId"] = scalar(func(i *issue) any { return i.id })
	f["state"] = scalar(func(i *issue) any { return strings.ToUpper(i.state) })
	return &gql.Type{Fields: f, Enter: enterIssue}
}

// enterIssue locks the repository of an issue that was reached by its id.
func enterIssue(ctx context.Context, v any) func() {
	i, _ := v.(*issue)
	return graphOf(ctx).enter(i.repo)
}

func commentType() *gql.Type {
	return &gql.Type{Fields: map[string]gql.Field{
		"id": scalar(func(c *comment) any { return nodeID("IC", c.id) }), "databaseId": scalar(func(c *comment) any { return c.id }),
		"body": scalar(func(c *comment) any { return c.body }), "createdAt": scalar(func(c *comment) any { return stamp(c.created) }),
		"updatedAt": scalar(func(c *comment) any { return stamp(c.updated) }),
		"author": child("Actor", func(_ context.Context, c *comment, _ gql.Args) (any, error) {
			if c.author == nil {
				return nil, nil
			}
			return accountNode(c.author), nil
		}),
	}}
}

func pullRequestType() *gql.Type {
	type I = *issue
	f := threadFields()
	f["id"] = scalar(func(i I) any { return nodeID("PR", i.pull.id) })
	f["databaseId"] = scalar(func(i I) any { return i.pull.id })
	f["fullDatabaseId"] = scalar(func(i I) any { return itoa(i.pull.id) })
	f["state"] = scalar(func(i I) any {
		if i.pull.merged {
			return "MERGED"
		}
		return strings.ToUpper(i.state)
	})
	f["isDraft"] = scalar(func(i I) any { return i.pull.draft })
	f["merged"] = scalar(func(i I) any { return i.pull.merged })
	f["mergedAt"] = scalar(func(i I) any { return stampOrNil(i.pull.mergedAt) })
	f["headRefName"] = scalar(func(i I) any { return i.pull.headRef })
	f["headRefOid"] = scalar(func(i I) any { return i.pull.headSHA })
	f["baseRefName"] = scalar(func(i I) any { return i.pull.baseRef })
	f["baseRefOid"] = scalar(func(i I) any { return i.pull.baseSHA })
	f["isCrossRepository"] = scalar(func(i I) any { return i.pull.headRepo != i.repo })
	f["isInMergeQueue"] = scalar(func(i I) any { return i.pull.queued })
	f["mergeQueueEntry"] = scalar(func(I) any { return nil })
	f["mergeable"] = gql.Field{Resolve: func(ctx context.Context, v any, _ gql.Args) (any, error) {
		i, _ := v.(I)
		if !i.open() {
			return "UNKNOWN", nil
		}
		m, err := i.repo.mergeable(ctx, i.pull)
		if err != nil {
			return "UNKNOWN", err
		}
		if m.clean {
			return "MERGEABLE", nil
		}
		return "CONFLICTING", nil
	}}
	count := func(get func(files []gitdb.FileDiff) int) gql.Field {
		return gql.Field{Resolve: func(ctx context.Context, v any, _ gql.Args) (any, error) {
			i, _ := v.(I)
			files, err := i.repo.pullDiff(ctx, i.pull)
			return get(files), err
		}}
	}
	f["changedFiles"] = count(func(files []gitdb.FileDiff) int { return len(files) })
	f["additions"] = count(func(files []gitdb.FileDiff) int {
		n := 0
		for _, d := range files {
			n += d.Additions
		}
		return n
	})
	f["deletions"] = count(func(files []gitdb.FileDiff) int {
		n := 0
		for _, d := range files {
			n += d.Deletions
		}
		return n
	})
	f["headRepository"] = child("Repository", func(ctx context.Context, i I, _ gql.Args) (any, error) {
		if i.pull.headRepo == nil || !graphOf(ctx).visible(i.pull.headRepo) {
			return nil, nil
		}
		return i.pull.headRepo, nil
	})
	f["headRepositoryOwner"] = child("RepositoryOwner", func(_ context.Context, i I, _ gql.Args) (any, error) {
		if i.pull.headRepo == nil {
			return nil, nil
		}
		if a := i.repo.s.Account(i.pull.headOwner()); a != nil {
			return accountNode(a), nil
		}
		return nil, nil
	})
	f["headRef"] = child("Ref", func(_ context.Context, i I, _ gql.Args) (any, error) {
		if i.pull.headRepo != i.repo || i.repo.tip(i.pull.headRef) == "" {
			return nil, nil
		}
		return refNode{i.repo, "refs/heads/" + i.pull.headRef, i.repo.tip(i.pull.headRef)}, nil
	})
	f["commits"] = connection("commits", "PullRequestCommit", func(_ context.Context, i I, _ gql.Args) ([]any, error) {
		ids, err := i.repo.pullCommits(i.pull)
		var out []any
		for _, id := range ids {
			out = append(out, gitObject{i.repo, id})
		}
		return out, err
	})
	f["files"] = connection("files", "PullRequestChangedFile", func(ctx context.Context, i I, _ gql.Args) ([]any, error) {
		files, err := i.repo.pullDiff(ctx, i.pull)
		return anys(files), err
	})
	return &gql.Type{Fields: f, Enter: enterIssue}
}

func changedFileType() *gql.Type {
	return &gql.Type{Fields: map[string]gql.Field{
		"path":       scalar(func(d gitdb.FileDiff) any { return d.Path }),
		"additions":  scalar(func(d gitdb.FileDiff) any { return d.Additions }),
		"deletions":  scalar(func(d gitdb.FileDiff) any { return d.Deletions }),
		"changeType": scalar(func(d gitdb.FileDiff) any { return strings.ToUpper(d.Status) }),
	}}
}
