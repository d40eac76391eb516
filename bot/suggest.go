package bot

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"dhibot/bot/body"
	"dhibot/bot/command"
	"dhibot/bot/config"
	"dhibot/bot/githubapi"
	"dhibot/bot/plan"
	"dhibot/rewrite"
)

// maxRemarks bounds a review.
const maxRemarks = 50

// suggest answers /dhi migrate on somebody's own pull request: a review with
// suggestions for the Dockerfiles that it changes, which can be committed from
// the page. Nothing is pushed to a branch that is not ours.
//
// Suggestions of one file only make sense together. When one of them would have
// to stand on a line that the pull request does not show, the file gets none.
func (j *job) suggest(ctx context.Context, p githubapi.PullRequest, r command.Migrate) (answer, error) {
	files, _, err := j.client.PullRequestFiles(ctx, j.repo, p.Number)
	if err != nil {
		return answer{}, fmt.Errorf("reading the files of #%d: %w", p.Number, err)
	}
	patches := map[string]string{}
	paths := dockerfilesOf(files)
	for _, f := range files {
		if slices.Contains(paths, f.Path) {
			patches[f.Path] = f.Patch
		}
	}
	if len(patches) == 0 {
		return answer{refused: true, text: "This pull request changes no Dockerfile, so there is nothing to suggest here. On an issue, the same command proposes a migration of the default branch."}, nil
	}
	v, err := j.look(ctx) // the settings in force are those of the default branch
	if err != nil {
		return answer{}, err
	}
	if v.stuck() {
		return answer{refused: true, text: v.misconfigured()}, nil
	}
	if v.config.Mode == config.Off {
		return answer{refused: true, text: plan.ReplyOff()}, nil
	}
	if v.tree, err = j.client.Tree(ctx, j.repo, p.HeadSHA); err != nil {
		return answer{}, fmt.Errorf("reading the tree of #%d: %w", p.Number, err)
	}
	scope := plan.Scope{Paths: r.Paths, Distro: r.Distro}
	proposal, err := j.propose(ctx, v, through(scope))
	if err != nil {
		return answer{}, err
	}
	if err := j.confirm(ctx, v, &proposal, false); err != nil {
		return answer{}, err
	}
	var results []*rewrite.Result
	for _, result := range proposal.results {
		if _, ok := patches[result.Path]; ok {
			results = append(results, result)
		}
	}
	return j.review(ctx, p, results, patches)
}

// review writes the suggestions, once for a commit.
func (j *job) review(ctx context.Context, p githubapi.PullRequest, results []*rewrite.Result, patches map[string]string) (answer, error) {
	var remarks []githubapi.ReviewComment
	var notes []string
	for _, r := range results {
		if !r.Changed() {
			notes = append(notes, "- "+code(r.Path)+": "+fateOf(r)+"\n")
			continue
		}
		list, why, err := suggestions(r, shown(patches[r.Path]))
		switch {
		case err != nil:
			return answer{}, err
		case why != "":
			notes = append(notes, "- "+code(r.Path)+": "+why+"\n")
		case len(remarks)+len(list) > maxRemarks:
			notes = append(notes, "- "+code(r.Path)+": there are too many suggestions already\n")
		default:
			remarks = append(remarks, list...)
		}
	}
	const rows = 20
	if more := len(notes) - rows; more > 0 {
		notes = append(notes[:rows], fmt.Sprintf("- … and %d more\n", more))
	}
	text := strings.Join(notes, "")
	if len(remarks) == 0 {
		return answer{refused: true, text: "I have nothing to suggest that could be committed here:\n\n" + text + "\nAfter the merge `/dhi migrate` proposes the migration."}, nil
	}
	mark := sayMark("suggested-" + p.HeadSHA)
	there, err := j.client.ReviewComments(ctx, j.repo, p.Number)
	if err != nil {
		return answer{}, fmt.Errorf("reading the remarks of #%d: %w", p.Number, err)
	}
	login, err := j.login(ctx)
	if err != nil {
		return answer{}, err
	}
	if !slices.ContainsFunc(there, func(c githubapi.ReviewComment) bool {
		return c.User.Login == login && strings.HasSuffix(strings.TrimSpace(c.Body), mark)
	}) {
		for i := range remarks {
			remarks[i].Body += "\n\n" + mark
		}
		review := githubapi.Review{CommitID: p.HeadSHA, Comments: remarks,
			Body: "Suggestions for Docker Hardened Images. Those of one file belong together: add them to a batch and commit them at once."}
		if _, err := j.client.CreateReview(ctx, j.repo, p.Number, review); err != nil {
			return answer{}, fmt.Errorf("writing the review: %w", err)
		}
	}
	reply := fmt.Sprintf("I wrote %d suggestions; those of one file belong together.", len(remarks))
	if len(remarks) == 1 {
		reply = "I wrote a suggestion."
	}
	if text != "" {
		reply += "\n\nWithout suggestions:\n\n" + text
	}
	return answer{text: reply}, nil
}

// suggestions turns a result into remarks on lines that are shown; why says why
// there are none.
func suggestions(r *rewrite.Result, shown map[int]bool) (list []githubapi.ReviewComment, why string, err error) {
	switch {
	case len(r.Files) > 0:
		return nil, "other files have to change with it", nil
	case strings.Contains(string(r.Before), "\r"):
		return nil, "its lines end in CRLF, which suggestions do not keep", nil
	case !strings.HasSuffix(string(r.Before), "\n") || !strings.HasSuffix(string(r.After), "\n"):
		return nil, "it does not end in a line break, which suggestions do not keep", nil
	}
	runs, err := hunks(string(r.Before), string(r.After))
	if err != nil {
		return nil, "", err
	}
	lines := strings.Split(string(r.Before), "\n")
	for _, h := range runs {
		start, end, text := h.oldStart, h.oldStart+h.oldCount-1, h.new
		if h.oldCount == 0 {
			// A suggestion replaces lines, so an insertion takes one along.
			switch {
			case h.oldStart == 0:
				start, end, text = 1, 1, append(slices.Clone(h.new), lines[0])
			default:
				start, end, text = h.oldStart, h.oldStart, append([]string{lines[h.oldStart-1]}, h.new...)
			}
		}
		for n := start; n <= end; n++ {
			if !shown[n] {
				return nil, fmt.Sprintf("line %d has to change too, and this pull request does not show it", n), nil
			}
		}
		list = append(list, githubapi.ReviewComment{Path: r.Path, StartLine: start, Line: end, Body: body.Suggestion(reasons(r, h), text)})
	}
	return list, "", nil
}

// reasons are the changes that a run of lines consists of.
func reasons(r *rewrite.Result, h hunk) []rewrite.Change {
	var list []rewrite.Change
	for _, c := range r.Changes {
		old := c.Lines[0] <= h.oldStart+max(h.oldCount, 1)-1 && c.Lines[1] >= h.oldStart && c.Before != ""
		fresh := h.newCount > 0 && c.NewLines[0] > 0 && c.NewLines[0] <= h.newStart+h.newCount-1 && c.NewLines[1] >= h.newStart
		if old || fresh {
			list = append(list, c)
		}
	}
	return list
}
