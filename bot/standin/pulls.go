package standin

import (
	"context"
	"fmt"

	"dhibot/bot/standin/internal/gitdb"
)

type mergeResult struct {
	tree  gitdb.OID
	clean bool
}

// mergeable tries the merge with git merge-tree and remembers the answer.
func (r *Repository) mergeable(ctx context.Context, p *pull) (mergeResult, error) {
	base := r.tip(p.baseRef)
	key := [2]gitdb.OID{base, p.headSHA}
	if m, ok := r.merges[key]; ok {
		return m, nil
	}
	tree, clean, err := r.git.MergeTree(ctx, base, p.headSHA)
	if err != nil {
		return mergeResult{}, err
	}
	if len(r.merges) > 1000 {
		clear(r.merges)
	}
	m := mergeResult{tree: tree, clean: clean}
	r.merges[key] = m
	return m, nil
}

// pullDiff is what "Files changed" shows: merge base against head.
func (r *Repository) pullDiff(ctx context.Context, p *pull) ([]gitdb.FileDiff, error) {
	base, err := r.pullBase(ctx, p)
	if err != nil {
		return nil, err
	}
	return r.diff(ctx, base, p.headSHA)
}

// pullBase is the merge base of a pull request, the empty tree for unrelated
// histories.
func (r *Repository) pullBase(ctx context.Context, p *pull) (gitdb.OID, error) {
	from := p.baseSHA
	if !p.merged {
		if tip := r.tip(p.baseRef); tip != "" {
			from = tip
		}
	}
	base, ok, err := r.git.MergeBase(ctx, from, p.headSHA)
	if err != nil {
		return "", err
	}
	if !ok {
		return gitdb.EmptyTree, nil
	}
	return base, nil
}

func (r *Repository) pullCommits(p *pull) ([]gitdb.OID, error) {
	from := p.baseSHA
	if !p.merged {
		if tip := r.tip(p.baseRef); tip != "" {
			from = tip
		}
	}
	ids, err := r.git.Log(p.headSHA, []gitdb.OID{from}, 250)
	if err != nil {
		return nil, err
	}
	for a, b := 0, len(ids)-1; a < b; a, b = a+1, b-1 {
		ids[a], ids[b] = ids[b], ids[a]
	}
	return ids, nil
}

// side is "head" or "base" of a pull request.
func (r *Repository) side(repo *Repository, ref string, sha gitdb.OID) object {
	o := object{"ref": ref, "sha": sha}
	switch {
	case repo == nil:
		o["label"], o["repo"], o["user"] = "unknown:"+ref, nil, nil
	case repo == r:
		o["label"], o["repo"], o["user"] = r.owner.Login()+":"+ref, r.object(), r.s.userObject(r.owner)
	default:
		o["repo"] = r.s.parentObject(repo)
		r.s.mu.RLock()
		owner := repo.owner
		r.s.mu.RUnlock()
		o["label"], o["user"] = owner.Login()+":"+ref, r.s.userObject(owner)
	}
	return o
}

// pullSimple is the schema "pull-request-simple", as lists have it.
func (r *Repository) pullSimple(i *issue) object {
	p := i.pull
	u := fmt.Sprintf("%s/pulls/%d", r.url(), i.number)
	iu, h := r.issueURL(i), r.issueHTML(i)
	var assignee any
	if len(i.assignees) > 0 {
		assignee = r.s.userObject(i.assignees[0])
	}
	var mergeSHA any
	if p.mergeSHA != "" {
		mergeSHA = p.mergeSHA
	}
	statuses := r.url() + "/statuses/" + string(p.headSHA)
	link := func(href string) object { return object{"href": href} }
	return object{
		"url": u, "id": p.id, "node_id": nodeID("PR", p.id), "html_url": h, "diff_url": h + ".diff", "patch_url": h + ".patch",
		"issue_url": iu, "commits_url": u + "/commits", "review_comments_url": u + "/comments",
		"review_comment_url": r.url() + "/pulls/comments{/number}", "comments_url": iu + "/comments", "statuses_url": statuses,
		"number": i.number, "state": i.state, "locked": i.locked, "title": i.title, "user": r.s.userOrNil(i.author), "body": nullable(i.body),
		"labels": mapped(i.labels, r.labelObject), "milestone": nil, "active_lock_reason": nil,
		"created_at": stamp(i.created), "updated_at": stamp(i.updated), "closed_at": stampOrNil(i.closed), "merged_at": stampOrNil(p.mergedAt),
		"merge_commit_sha": mergeSHA, "assignee": assignee, "assignees": mapped(i.assignees, r.s.userObject),
		"requested_reviewers": mapped(p.reviewers, r.s.userObject), "requested_teams": []object{},
		"head": r.side(p.headRepo, p.headRef, p.headSHA), "base": r.side(r, p.baseRef, p.baseSHA),
		"_links": object{
			"self": link(u), "html": link(h), "issue": link(iu), "comments": link(iu + "/comments"), "review_comments": link(u + "/comments"),
			"review_comment": link(r.url() + "/pulls/comments{/number}"), "commits": link(u + "/commits"), "statuses": link(statuses),
		},
		"author_association": r.association(i.author), "auto_merge": nil, "draft": p.draft,
	}
}

// pullObject is the schema "pull-request". exact asks git for mergeability;
// without, it is null, as GitHub answers while it computes (webhooks).
func (r *Repository) pullObject(ctx context.Context, i *issue, exact bool) (object, error) {
	o, p := r.pullSimple(i), i.pull
	commits, err := r.pullCommits(p)
	if err != nil {
		return nil, err
	}
	files, err := r.pullDiff(ctx, p)
	if err != nil {
		return nil, err
	}
	added, deleted := 0, 0
	for _, f := range files {
		added, deleted = added+f.Additions, deleted+f.Deletions
	}
	notes := 0
	for _, n := range r.reviewNotes {
		if n.pull == i {
			notes++
		}
	}
	o["merged"], o["merged_by"] = p.merged, r.s.userOrNil(p.mergedBy)
	o["mergeable"], o["rebaseable"], o["mergeable_state"] = nil, nil, "unknown"
	o["comments"], o["review_comments"], o["commits"] = len(i.comments), notes, len(commits)
	o["additions"], o["deletions"], o["changed_files"] = added, deleted, len(files)
	o["maintainer_can_modify"] = p.maintainer
	if exact && i.open() {
		m, err := r.mergeable(ctx, p)
		if err != nil {
			return nil, err
		}
		o["mergeable"], o["rebaseable"] = m.clean, m.clean
		o["mergeable_state"] = r.mergeableState(p, m.clean)
	}
	return o, nil
}

func (r *Repository) mergeableState(p *pull, clean bool) string {
	switch {
	case !clean:
		return "dirty"
	case p.draft:
		return "draft"
	}
	for _, rule := range r.rulesFor(p.baseRef) {
		if rule.Type == "required_status_checks" || rule.Type == "merge_queue" || rule.Type == "update" {
			return "blocked"
		}
	}
	if state := r.combinedState(p.headSHA); state == "failure" {
		return "unstable"
	}
	return "clean"
}

func (r *Repository) emitPull(who actor, i *issue, action string, extra object) {
	pr, err := r.pullObject(context.Background(), i, false)
	if err != nil {
		pr = r.pullSimple(i)
	}
	// Merge settings are part of the event only.
	if base, ok := pr["base"].(object); ok {
		base["repo"] = r.webhookRepo()
	}
	if head, ok := pr["head"].(object); ok && i.pull.headRepo == r {
		head["repo"] = r.webhookRepo()
	}
	o := object{"number": i.number, "pull_request": pr}
	for k, v := range extra {
		o[k] = v
	}
	r.emit(who, "pull_request", action, o)
}

func (r *Repository) webhookRepo() object {
	o := r.object()
	o["allow_auto_merge"], o["allow_merge_commit"], o["allow_rebase_merge"], o["allow_squash_merge"] = false, true, true, true
	o["allow_update_branch"], o["delete_branch_on_merge"], o["use_squash_pr_title_as_default"] = false, false, false
	o["merge_commit_message"], o["merge_commit_title"] = "PR_TITLE", "MERGE_MESSAGE"
	o["squash_merge_commit_message"], o["squash_merge_commit_title"] = "COMMIT_MESSAGES", "COMMIT_OR_PR_TITLE"
	return o
}

// markMerged closes a pull request as merged.
func (r *Repository) markMerged(who actor, i *issue, sha gitdb.OID) {
	now := r.s.now()
	i.pull.merged, i.pull.mergedAt, i.pull.mergedBy, i.pull.mergeSHA = true, &now, who.account(), sha
	i.state, i.closed, i.closedBy, i.updated = "closed", &now, who.account(), now
	r.emitPull(who, i, "closed", nil)
}

// mayReopen refuses what GitHub refuses: merged, without a head branch, or
// doubled by another open pull request.
func (r *Repository) mayReopen(i *issue) error {
	p := i.pull
	if p == nil {
		return nil
	}
	refuse := func(message string) error {
		return invalid(fieldError{Resource: "PullRequest", Field: "state", Code: "custom", Message: message})
	}
	switch {
	case p.merged:
		return refuse("state cannot be changed. The pull request is merged.")
	case p.headRepo == nil || p.headRepo.git == nil:
		return refuse("state cannot be changed. The repository that submitted this pull request has been deleted.")
	}
	tip, ok := p.headRepo.git.Ref("refs/heads/" + p.headRef)
	if !ok {
		return refuse(fmt.Sprintf("state cannot be changed. The %s branch has been deleted.", p.headRef))
	}
	if other := r.openPull(p.headRepo, p.headRef, p.baseRef); other != nil {
		return refuse(fmt.Sprintf("state cannot be changed. There is already an open pull request from %s to %s.", p.headRef, p.baseRef))
	}
	if contained, err := r.git.IsAncestor(tip, r.tip(p.baseRef)); err == nil && contained {
		return refuse(fmt.Sprintf("state cannot be changed. There are no new commits between base branch '%s' and head branch '%s'.", p.baseRef, p.headRef))
	}
	if tip != p.headSHA {
		ff, err := r.git.IsAncestor(p.headSHA, tip)
		if err != nil || !ff {
			return refuse(fmt.Sprintf("state cannot be changed. The %s branch was force-pushed or recreated.", p.headRef))
		}
		p.headSHA = tip
	}
	return nil
}

func (r *Repository) openPull(head *Repository, headRef, baseRef string) *issue {
	for _, i := range r.issues {
		if p := i.pull; p != nil && i.open() && p.headRepo == head && p.headRef == headRef && p.baseRef == baseRef {
			return i
		}
	}
	return nil
}
