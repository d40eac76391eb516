package standin

import (
	"context"
	"strings"

	"dhibot/bot/standin/internal/gitdb"
)

// refMoved is what happens after a reference changed, whoever changed it: push
// events, and pull requests that follow. from or to is "" for a new or deleted
// reference. The caller holds mu.
func (r *Repository) refMoved(who actor, name string, from, to gitdb.OID, forced bool) error {
	now := r.s.now()
	r.pushed, r.updated = &now, now
	if err := r.emitPush(who, name, from, to, forced); err != nil {
		return err
	}
	branch, ok := strings.CutPrefix(name, "refs/heads/")
	if !ok {
		return nil
	}
	for _, i := range r.sortedIssues() {
		p := i.pull
		if p == nil || !i.open() {
			continue
		}
		if p.headRepo == r && p.headRef == branch {
			if err := r.headMoved(who, i, from, to); err != nil {
				return err
			}
		}
		if p.baseRef == branch && i.open() {
			if err := r.baseMoved(who, i, to); err != nil {
				return err
			}
		}
	}
	return nil
}

// headMoved follows the head of a pull request; a deleted head closes it.
func (r *Repository) headMoved(who actor, i *issue, from, to gitdb.OID) error {
	if to == "" {
		r.closeIssue(who, i, "")
		return nil
	}
	i.pull.headSHA, i.pull.queued = to, false
	i.pull.baseSHA = r.tip(i.pull.baseRef)
	i.updated = r.s.now()
	if err := r.git.SetRef(i.pull.refName(), to); err != nil {
		return err
	}
	r.emitPull(who, i, "synchronize", object{"before": from, "after": to})
	// A head without commits of its own closes the pull request.
	// https://github.com/dimikot/git-grok/pull/30
	contained, err := r.git.IsAncestor(to, r.tip(i.pull.baseRef))
	if err == nil && contained {
		r.closeIssue(who, i, "")
	}
	return err
}

// baseMoved notices that a push brought the head into the base: GitHub shows
// such a pull request as merged.
func (r *Repository) baseMoved(who actor, i *issue, to gitdb.OID) error {
	if to == "" {
		r.closeIssue(who, i, "")
		return nil
	}
	in, err := r.git.IsAncestor(i.pull.headSHA, to)
	if err != nil || !in {
		return err
	}
	r.markMerged(who, i, to)
	return nil
}

// emitPush sends push and, for new and deleted references, create and delete.
func (r *Repository) emitPush(who actor, name string, from, to gitdb.OID, forced bool) error {
	short, kind := name, "branch"
	switch {
	case strings.HasPrefix(name, "refs/heads/"):
		short = strings.TrimPrefix(name, "refs/heads/")
	case strings.HasPrefix(name, "refs/tags/"):
		short, kind = strings.TrimPrefix(name, "refs/tags/"), "tag"
	default:
		return nil // other references are silent
	}
	commits, head := []object{}, any(nil)
	if to != "" {
		target, err := r.peel(to)
		if err == nil {
			exclude := []gitdb.OID{from}
			if from == "" && short != r.defaultBranch {
				exclude = append(exclude, r.tip(r.defaultBranch))
			}
			// At most 2048 commits are listed.
			// https://docs.github.com/webhooks/webhook-events-and-payloads#push
			ids, err := r.git.Log(target, exclude, 2048)
			if err != nil {
				return err
			}
			for n := len(ids) - 1; n >= 0; n-- {
				o, err := r.pushCommit(ids[n])
				if err != nil {
					return err
				}
				commits = append(commits, o)
			}
			if head, err = r.pushCommit(target); err != nil {
				return err
			}
		}
	}
	compare := r.html() + "/compare/" + short
	if from != "" && to != "" {
		compare = r.html() + "/compare/" + string(from[:12]) + "..." + string(to[:12])
	}
	account := who.account()
	repo := r.object()
	// Only here the times are numbers.
	repo["created_at"] = r.created.Unix()
	if r.pushed != nil {
		repo["pushed_at"] = r.pushed.Unix()
	}
	repo["stargazers"], repo["master_branch"] = 0, r.defaultBranch
	owner := r.s.userObject(r.owner)
	owner["name"], owner["email"] = r.owner.Login(), nil
	repo["owner"] = owner
	if r.owner.kind == typeOrganization {
		repo["organization"] = r.owner.Login()
	}
	r.emit(who, "push", "", object{
		"ref": name, "before": orZero(from), "after": orZero(to), "created": from == "", "deleted": to == "", "forced": forced,
		"base_ref": nil, "compare": compare, "commits": commits, "head_commit": head,
		"pusher":     object{"name": account.Login(), "email": account.email()},
		"repository": repo,
	})
	if from == "" {
		r.emit(who, "create", "", object{"ref": short, "ref_type": kind, "full_ref": name, "master_branch": r.defaultBranch, "description": nullable(r.description), "pusher_type": "user"})
	}
	if to == "" {
		r.emit(who, "delete", "", object{"ref": short, "ref_type": kind, "full_ref": name, "pusher_type": "user"})
	}
	return nil
}

func orZero(id gitdb.OID) gitdb.OID {
	if id == "" {
		return gitdb.ZeroOID
	}
	return id
}

// commitFiles makes a commit on top of a branch and moves the branch, as the
// web editor or a push would. A nil map entry is not possible: deletions are
// listed apart. The caller holds mu.
func (r *Repository) commitFiles(who actor, branch, message string, files Files, remove []string) (gitdb.OID, error) {
	parent := r.tip(branch)
	var tree gitdb.OID
	c := gitdb.Commit{Message: message, Author: r.s.ident(who.account()), Committer: r.s.ident(who.account())}
	if parent != "" {
		p, err := r.git.Commit(parent)
		if err != nil {
			return "", err
		}
		tree, c.Parents = p.Tree, []gitdb.OID{parent}
	}
	changes, err := files.changes(r.git.Put)
	if err != nil {
		return "", err
	}
	for _, p := range remove {
		changes = append(changes, gitdb.Change{Path: p, Delete: true})
	}
	if c.Tree, err = gitdb.EditTree(r.git, tree, changes); err != nil {
		return "", err
	}
	id, err := r.git.Put("commit", c.Encode())
	if err != nil {
		return "", err
	}
	return id, r.updateRef(who, "refs/heads/"+branch, id, false)
}

// Push commits files on a branch as a person and returns the commit's sha. A
// branch that is not there starts at the default branch. It fires the same
// webhooks as git push.
func (r *Repository) Push(login, branch, message string, files Files, remove ...string) (string, error) {
	who := actor{user: r.s.AddUser(login)}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.tip(branch) == "" && r.tip(r.defaultBranch) != "" {
		if err := r.updateRef(who, "refs/heads/"+branch, r.tip(r.defaultBranch), false); err != nil {
			return "", err
		}
	}
	id, err := r.commitFiles(who, branch, message, files, remove)
	return string(id), err
}

// ForcePush replaces a branch by one new commit on the default branch.
func (r *Repository) ForcePush(login, branch, message string, files Files) (string, error) {
	who := actor{user: r.s.AddUser(login)}
	r.mu.Lock()
	defer r.mu.Unlock()
	parent := r.tip(r.defaultBranch)
	base, err := r.git.Commit(parent)
	if err != nil {
		return "", err
	}
	changes, err := files.changes(r.git.Put)
	if err != nil {
		return "", err
	}
	tree, err := gitdb.EditTree(r.git, base.Tree, changes)
	if err != nil {
		return "", err
	}
	c := gitdb.Commit{Tree: tree, Parents: []gitdb.OID{parent}, Message: message, Author: r.s.ident(who.user), Committer: r.s.ident(who.user)}
	id, err := r.git.Put("commit", c.Encode())
	if err != nil {
		return "", err
	}
	return string(id), r.updateRef(who, "refs/heads/"+branch, id, true)
}

// DeleteBranch deletes a branch as a person.
func (r *Repository) DeleteBranch(login, branch string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.tip(branch) == "" {
		return notFound()
	}
	return r.updateRef(actor{user: r.s.AddUser(login)}, "refs/heads/"+branch, "", false)
}

// Branch returns the sha a branch points at, "" without the branch.
func (r *Repository) Branch(name string) string { return string(r.tip(name)) }

// Branches lists the branches, sorted.
func (r *Repository) Branches() []string {
	names := r.git.RefNames("refs/heads/")
	for i := range names {
		names[i] = strings.TrimPrefix(names[i], "refs/heads/")
	}
	return names
}

// ReadFiles returns all files of a branch, tag or commit with their modes.
func (r *Repository) ReadFiles(ref string) (Files, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	tree, err := r.treeish(ref)
	if err != nil {
		return nil, err
	}
	out := Files{}
	var inner error
	err = r.git.Walk(tree, func(e gitdb.Entry) bool {
		switch e.Type() {
		case "commit":
			out[e.Path] = File{Content: string(e.ID), Mode: e.Mode}
		case "blob":
			var data []byte
			if data, inner = r.git.Blob(e.ID); inner != nil {
				return false
			}
			out[e.Path] = File{Content: string(data), Mode: e.Mode}
		}
		return true
	})
	if err == nil {
		err = inner
	}
	return out, err
}

// Fsck runs git fsck and returns its complaints, "" for a sound repository.
func (r *Repository) Fsck(ctx context.Context) (string, error) { return r.git.Fsck(ctx) }
