package standin

import (
	"context"
	"strings"

	"dhibot/bot/standin/internal/gitdb"
	"dhibot/bot/standin/internal/gql"
)

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
