package standin

import (
	"fmt"
	"html/template"
	"sort"
	"strconv"
	"strings"
	"time"

	"dhibot/bot/standin/internal/gitdb"
)

type reactionView struct {
	Content string
	Count   int
	Who     string
}

func reactionViews(list []*reaction) []reactionView {
	var out []reactionView
	for _, content := range reactionContents() {
		v := reactionView{Content: content}
		var who []string
		for _, r := range list {
			if r.content == content {
				v.Count++
				who = append(who, r.user.Login())
			}
		}
		v.Who = strings.Join(who, ", ")
		if v.Count > 0 {
			out = append(out, v)
		}
	}
	return out
}

// postView is one entry of the conversation.
type postView struct {
	Anchor    string
	Author    userView
	When      time.Time
	Edited    bool
	Body      template.HTML
	Reactions []reactionView
	Review    string // state of a review, "" for a comment
	Notes     []reviewNoteView
	Role      string
}

type reviewNoteView struct {
	Path string
	Line int
	Hunk []lineView
	Body template.HTML
	By   userView
}

type threadView struct {
	Number   int
	Title    string
	State    string
	Author   userView
	When     time.Time
	Body     template.HTML
	Labels   []labelView
	Reacted  []reactionView
	Posts    []postView
	Pull     *pullView
	Kind     string
	HasFiles bool
}

type pullView struct {
	Head, Base  string
	HeadSHA     string
	Commits     []*commitView
	Files       []fileDiffView
	Added       int
	Deleted     int
	Checks      []checkView
	Merge       string // what the merge box says
	MergeState  string
	MergedBy    userView
	MergedAt    *time.Time
	Reviewers   []userView
	Unavailable string
}

type fileDiffView struct {
	Path, Previous, Status string
	Added, Deleted         int
	ModeChange             string
	Binary                 bool
	Lines                  []lineView
	Cut                    int // lines left out
	Anchor                 string
}

type lineView struct {
	Kind     string // context, add, del, hunk
	Old, New int
	Text     string
	Notes    []postView
}

// maxDiffLines is how much of a file's diff a page shows.
const maxDiffLines = 2000

func (r *Repository) fileDiffViews(files []gitdb.FileDiff, notes []*reviewComment) []fileDiffView {
	var out []fileDiffView
	for n, f := range files {
		v := fileDiffView{Path: f.Path, Previous: f.Previous, Status: f.Status, Added: f.Additions, Deleted: f.Deletions, Binary: f.Binary, Anchor: fmt.Sprintf("diff-%d", n)}
		if f.OldMode != f.NewMode && f.Status != "added" && f.Status != "removed" {
			v.ModeChange = f.OldMode + " → " + f.NewMode
		}
		lines := parseHunks(f.Patch)
		if len(lines) > maxDiffLines {
			v.Cut = len(lines) - maxDiffLines
			lines = lines[:maxDiffLines]
		}
		for _, l := range lines {
			v.Lines = append(v.Lines, r.lineView(l, f.Path, notes))
		}
		out = append(out, v)
	}
	return out
}

func (r *Repository) lineView(l diffLine, path string, notes []*reviewComment) lineView {
	v := lineView{Old: l.old, New: l.new, Kind: "context"}
	switch l.kind {
	case '@', '\\':
		v.Kind, v.Text = "hunk", l.text
		return v
	case '+':
		v.Kind = "add"
	case '-':
		v.Kind = "del"
	}
	if l.text != "" {
		v.Text = l.text[1:]
	}
	for _, n := range notes {
		if n.path == path && !n.file && (n.side == "LEFT" && n.line == l.old || n.side != "LEFT" && n.line == l.new) {
			v.Notes = append(v.Notes, postView{Anchor: fmt.Sprintf("discussion_r%d", n.id), Author: n.author.view(), When: n.created, Body: r.rendered(n.body), Reactions: reactionViews(n.reactions)})
		}
	}
	return v
}

// thread is the page of an issue or a pull request.
func (p *pageRequest) thread(r *Repository, kind string, rest []string) (string, error) {
	text, wantDiff := strings.CutSuffix(rest[0], ".diff")
	number, err := strconv.Atoi(text)
	i := r.issues[number]
	if err != nil || i == nil || kind == "pull" && i.pull == nil {
		return "", pageMissing("There is no such issue or pull request.")
	}
	if wantDiff {
		return "", p.pullDiffText(r, i)
	}
	v := threadView{
		Number: i.number, Title: i.title, State: i.stateName(), Author: i.author.view(), When: i.created, Body: r.rendered(i.body),
		Labels: labelViews(i.labels), Reacted: reactionViews(i.reactions), Kind: "issues",
	}
	for _, c := range i.comments {
		v.Posts = append(v.Posts, postView{
			Anchor: fmt.Sprintf("issuecomment-%d", c.id), Author: c.author.view(), When: c.created, Edited: !c.updated.Equal(c.created),
			Body: r.rendered(c.body), Reactions: reactionViews(c.reactions), Role: r.role(c.author),
		})
	}
	p.data.Title = fmt.Sprintf("%s · #%d · %s", i.title, i.number, r.full())
	if i.pull == nil {
		p.data.Tab, p.data.View = "issues", v
		return "issue", nil
	}
	v.Kind = "pull"
	for _, review := range i.pull.reviews {
		v.Posts = append(v.Posts, r.reviewPost(review))
	}
	sort.SliceStable(v.Posts, func(a, b int) bool { return v.Posts[a].When.Before(v.Posts[b].When) })
	pv, err := p.pullView(r, i)
	if err != nil {
		return "", err
	}
	v.Pull = pv
	p.data.Tab, p.data.View = "pulls", v
	return "pull", nil
}

// role is the badge beside a name.
func (r *Repository) role(a *Account) string {
	switch role := r.association(a); role {
	case "OWNER", "MEMBER", "COLLABORATOR":
		return strings.ToLower(role)
	}
	return ""
}

func (r *Repository) reviewPost(review *review) postView {
	v := postView{
		Anchor: fmt.Sprintf("pullrequestreview-%d", review.id), Author: review.author.view(), When: review.submitted,
		Body: r.rendered(review.body), Review: strings.ToLower(strings.ReplaceAll(review.state, "_", " ")), Role: r.role(review.author),
	}
	for _, n := range r.sortedNotes(func(n *reviewComment) bool { return n.review == review }) {
		note := reviewNoteView{Path: n.path, Line: n.line, Body: r.rendered(n.body), By: n.author.view()}
		hunk := parseHunks(n.hunk)
		for _, l := range hunk[max(0, len(hunk)-4):] {
			note.Hunk = append(note.Hunk, r.lineView(l, n.path, nil))
		}
		v.Notes = append(v.Notes, note)
	}
	return v
}

func (p *pageRequest) pullDiffText(r *Repository, i *issue) error {
	if i.pull == nil {
		return pageMissing("There is no such pull request.")
	}
	base, err := r.pullBase(p.r.Context(), i.pull)
	if err != nil {
		return err
	}
	text, err := r.git.DiffText(p.r.Context(), base, i.pull.headSHA)
	if err != nil {
		return err
	}
	p.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = p.w.Write(text)
	return nil
}

func (p *pageRequest) pullView(r *Repository, i *issue) (*pullView, error) {
	pull := i.pull
	v := &pullView{Head: pull.headRef, Base: pull.baseRef, HeadSHA: string(pull.headSHA), MergedAt: pull.mergedAt}
	if pull.headRepo != r && pull.headRepo != nil {
		v.Head = pull.headOwner() + ":" + pull.headRef
	}
	ids, err := r.pullCommits(pull)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if c := r.commitView(id); c != nil {
			v.Commits = append(v.Commits, c)
		}
	}
	files, err := r.pullDiff(p.r.Context(), pull)
	if err != nil {
		return nil, err
	}
	notes := r.sortedNotes(func(n *reviewComment) bool { return n.pull == i })
	v.Files = r.fileDiffViews(files, notes)
	for _, f := range files {
		v.Added, v.Deleted = v.Added+f.Additions, v.Deleted+f.Deletions
	}
	for _, run := range r.runs {
		if run.head == pull.headSHA {
			v.Checks = append(v.Checks, r.checkView(run))
		}
	}
	for _, u := range pull.reviewers {
		v.Reviewers = append(v.Reviewers, u.view())
	}
	switch {
	case pull.merged:
		v.MergedBy, v.MergeState, v.Merge = pull.mergedBy.view(), "merged", "Merged and closed"
		return v, nil
	case !i.open():
		v.MergeState, v.Merge = "closed", "Closed with unmerged commits"
		return v, nil
	}
	m, err := r.mergeable(p.r.Context(), pull)
	if err != nil {
		return nil, err
	}
	v.MergeState = r.mergeableState(pull, m.clean)
	v.Merge = map[string]string{
		"clean": "No conflicts with the base branch", "dirty": "This branch has conflicts that must be resolved",
		"draft": "This pull request is still a draft", "blocked": "Merging is blocked by a rule", "unstable": "Some checks were not successful",
	}[v.MergeState]
	return v, nil
}
