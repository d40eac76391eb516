package standin

import (
	"context"
	"strings"
	"unicode/utf8"

	"dhibot/bot/standin/internal/gitdb"
	"dhibot/bot/standin/internal/gql"
)

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
