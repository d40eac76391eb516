package standin

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"

	"dhibot/bot/standin/internal/gitdb"
)

// sign adds a signature that only this server can make, in the armour git
// expects. It stands in for GitHub's web-flow key: "verified" is recomputed from
// the commit, so an amended commit loses it as it does on GitHub.
func (s *Server) sign(c gitdb.Commit) gitdb.Commit {
	flow := s.Account("web-flow")
	c.Committer = gitdb.Ident{Name: "GitHub", Email: "noreply@github.com", When: c.Committer.When}
	if flow == nil {
		return c
	}
	c.Signature = s.signature(c.Payload())
	return c
}

func (s *Server) signature(payload []byte) string {
	m := hmac.New(sha256.New, s.secret)
	m.Write(payload)
	return "-----BEGIN PGP SIGNATURE-----\n\n" + base64.StdEncoding.EncodeToString(m.Sum(nil)) + "\n-----END PGP SIGNATURE-----"
}

func (s *Server) verified(c gitdb.Commit) bool {
	return c.Signature != "" && hmac.Equal([]byte(strings.TrimRight(c.Signature, "\n")), []byte(s.signature(c.Payload())))
}

func (s *Server) verification(c gitdb.Commit) object {
	o := object{"verified": false, "reason": "unsigned", "signature": nil, "payload": nil, "verified_at": nil}
	if c.Signature == "" {
		return o
	}
	o["signature"], o["payload"], o["reason"] = c.Signature, string(c.Payload()), "unknown_key"
	if s.verified(c) {
		o["verified"], o["reason"], o["verified_at"] = true, "valid", stamp(c.Committer.When)
	}
	return o
}

func identObject(i gitdb.Ident) object {
	return object{"name": i.Name, "email": i.Email, "date": stamp(i.When)}
}

// gitCommitObject is the schema "git-commit".
func (r *Repository) gitCommitObject(id gitdb.OID) (object, error) {
	c, err := r.git.Commit(id)
	if err != nil {
		return nil, err
	}
	return object{
		"sha": id, "node_id": r.commitNode(id), "url": r.url() + "/git/commits/" + string(id), "html_url": r.html() + "/commit/" + string(id),
		"author": identObject(c.Author), "committer": identObject(c.Committer), "message": c.Message,
		"tree": object{"sha": c.Tree, "url": r.url() + "/git/trees/" + string(c.Tree)},
		"parents": mapped(c.Parents, func(p gitdb.OID) object {
			return object{"sha": p, "url": r.url() + "/git/commits/" + string(p), "html_url": r.html() + "/commit/" + string(p)}
		}),
		"verification": r.s.verification(c),
	}, nil
}

func (r *Repository) commitNode(id gitdb.OID) string {
	return nodeID("C", r.id) + string(id)
}

// commitObject is the schema "commit".
func (r *Repository) commitObject(id gitdb.OID) (object, error) {
	c, err := r.git.Commit(id)
	if err != nil {
		return nil, err
	}
	return object{
		"url": r.url() + "/commits/" + string(id), "sha": id, "node_id": r.commitNode(id), "html_url": r.html() + "/commit/" + string(id),
		"comments_url": r.url() + "/commits/" + string(id) + "/comments",
		"commit": object{
			"url": r.url() + "/git/commits/" + string(id), "author": identObject(c.Author), "committer": identObject(c.Committer),
			"message": c.Message, "comment_count": 0, "verification": r.s.verification(c),
			"tree": object{"sha": c.Tree, "url": r.url() + "/git/trees/" + string(c.Tree)},
		},
		"author": r.s.userOrNil(r.s.byEmail(c.Author.Email)), "committer": r.s.userOrNil(r.s.byEmail(c.Committer.Email)),
		"parents": mapped(c.Parents, func(p gitdb.OID) object {
			return object{"sha": p, "url": r.url() + "/commits/" + string(p), "html_url": r.html() + "/commit/" + string(p)}
		}),
	}, nil
}

// byEmail finds the account behind a commit.
func (s *Server) byEmail(email string) *Account {
	if email == "noreply@github.com" {
		return s.Account("web-flow")
	}
	local, ok := strings.CutSuffix(email, "@users.noreply.github.com")
	if !ok {
		return nil
	}
	if _, login, found := strings.Cut(local, "+"); found {
		local = login
	}
	return s.Account(local)
}

// pushCommit is a commit as push events list it.
func (r *Repository) pushCommit(id gitdb.OID) (object, error) {
	c, err := r.git.Commit(id)
	if err != nil {
		return nil, err
	}
	from := gitdb.EmptyTree
	if len(c.Parents) > 0 {
		p, err := r.git.Commit(c.Parents[0])
		if err != nil {
			return nil, err
		}
		from = p.Tree
	}
	added, removed, modified := []string{}, []string{}, []string{}
	err = r.git.TreeChanges(from, c.Tree, func(path string, before, after bool) {
		switch {
		case !before:
			added = append(added, path)
		case !after:
			removed = append(removed, path)
		default:
			modified = append(modified, path)
		}
	})
	if err != nil {
		return nil, err
	}
	return object{
		"id": id, "tree_id": c.Tree, "distinct": true, "message": c.Message, "timestamp": c.Committer.When.Format("2006-01-02T15:04:05Z07:00"),
		"url": r.html() + "/commit/" + string(id), "author": r.pushIdent(c.Author), "committer": r.pushIdent(c.Committer),
		"added": added, "removed": removed, "modified": modified,
	}, nil
}

func (r *Repository) pushIdent(i gitdb.Ident) object {
	o := object{"name": i.Name, "email": i.Email}
	if a := r.s.byEmail(i.Email); a != nil {
		o["username"] = a.Login()
	}
	return o
}

// allSigned reports whether every new commit is verified.
func (r *Repository) allSigned(from, to gitdb.OID) bool {
	ids, err := r.git.Log(to, []gitdb.OID{from, r.tip(r.defaultBranch)}, 0)
	if err != nil {
		return false
	}
	for _, id := range ids {
		c, err := r.git.Commit(id)
		if err != nil || !r.s.verified(c) {
			return false
		}
	}
	return true
}

func (r *Repository) tip(branch string) gitdb.OID {
	id, _ := r.git.Ref("refs/heads/" + branch)
	return id
}

// restrictedPath returns the first changed path that the rule forbids.
func (r *Repository) restrictedPath(rule Rule, from, to gitdb.OID) string {
	if to == "" {
		return ""
	}
	var forbidden []string
	switch list := rule.Parameters["restricted_file_paths"].(type) {
	case []string:
		forbidden = list
	case []any:
		for _, v := range list {
			if s, ok := v.(string); ok {
				forbidden = append(forbidden, s)
			}
		}
	}
	if from == "" {
		from = r.tip(r.defaultBranch)
	}
	a, errA := r.git.Commit(from)
	b, errB := r.git.Commit(to)
	if errA != nil || errB != nil {
		return ""
	}
	found := ""
	err := r.git.TreeChanges(a.Tree, b.Tree, func(path string, _, _ bool) {
		for _, f := range forbidden {
			prefix, wild := strings.CutSuffix(f, "**")
			if found == "" && (path == f || wild && strings.HasPrefix(path, prefix)) {
				found = path
			}
		}
	})
	if err != nil {
		return ""
	}
	return found
}

// diff compares with git and remembers the answer: objects never change.
func (r *Repository) diff(ctx context.Context, from, to gitdb.OID) ([]gitdb.FileDiff, error) {
	key := [2]gitdb.OID{from, to}
	if d, ok := r.diffs[key]; ok {
		return d, nil
	}
	d, err := r.git.Diff(ctx, from, to)
	if err != nil {
		return nil, err
	}
	if len(r.diffs) > 200 {
		clear(r.diffs)
	}
	r.diffs[key] = d
	return d, nil
}

func unmarshalString(b []byte, into **string) error { return json.Unmarshal(b, into) }
