package bot

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"dhibot/bot/body"
	"dhibot/bot/config"
	"dhibot/bot/githubapi"
	"dhibot/bot/plan"
	"dhibot/rewrite"
)

// explain writes the reasons beside the changed lines of our pull request where
// the settings want them: one review per proposal. The remarks of the proposal
// before are removed, so that no reason stands twice.
func (j *job) explain(ctx context.Context, d *done, number int) error {
	if d.view.config.Explain == config.InBody {
		return nil
	}
	return unasked(ctx, j.explainOnce(ctx, d, number))
}

const explainTopic = "explain-"

func (j *job) explainOnce(ctx context.Context, d *done, number int) error {
	mark := sayMark(explainTopic + plan.Digest(d.proposal.results))
	login, err := j.login(ctx)
	if err != nil {
		return err
	}
	there, err := j.client.ReviewComments(ctx, j.repo, number)
	if err != nil {
		return fmt.Errorf("reading the remarks of #%d: %w", number, err)
	}
	done := false
	for _, c := range there {
		text := strings.TrimSpace(c.Body)
		switch {
		case c.User.Login != login || !strings.Contains(text, sayOpen+explainTopic):
		case strings.HasSuffix(text, mark):
			done = true
		default:
			if err := j.client.DeleteReviewComment(ctx, j.repo, c.ID); err != nil {
				return fmt.Errorf("removing an old remark: %w", err)
			}
		}
	}
	if done {
		return nil
	}
	remarks, err := explanations(d.proposal.results)
	if err != nil || len(remarks) == 0 {
		return err
	}
	left := len(remarks) - maxRemarks
	if left > 0 {
		remarks = remarks[:maxRemarks]
	}
	for i := range remarks {
		remarks[i].Body += "\n\n" + mark
	}
	text := "Why these lines change."
	if left > 0 {
		text += fmt.Sprintf(" There was no room for %d more reasons; `/dhi explain` has them.", left)
	}
	if _, err := j.client.CreateReview(ctx, j.repo, number, githubapi.Review{CommitID: d.head, Body: text, Comments: remarks}); err != nil {
		return fmt.Errorf("writing the review: %w", err)
	}
	return nil
}

// explanations are remarks on the new lines of every run of changed lines. Runs
// that only remove something have no new line; their reasons go to the next run
// of the file, or the one before.
func explanations(results []*rewrite.Result) ([]githubapi.ReviewComment, error) {
	var remarks []githubapi.ReviewComment
	for _, r := range body.Changed(results) {
		runs, err := hunks(string(r.Before), string(r.After))
		if err != nil {
			return nil, err
		}
		var waiting []rewrite.Change
		last := -1
		said := map[string]bool{}
		for _, h := range runs {
			var why []rewrite.Change
			for _, c := range append(waiting, reasons(r, h)...) {
				if key := c.Rule + "\x00" + c.Why; !said[key] {
					said[key] = true
					why = append(why, c)
				}
			}
			waiting = nil
			switch {
			case len(why) == 0:
			case h.newCount == 0:
				waiting = why
				for _, c := range why {
					delete(said, c.Rule+"\x00"+c.Why)
				}
			default:
				last = len(remarks)
				remarks = append(remarks, githubapi.ReviewComment{Path: r.Path, StartLine: h.newStart, Line: h.newStart + h.newCount - 1, Body: body.Remark(why)})
			}
		}
		if len(waiting) > 0 && last >= 0 {
			remarks[last].Body += "\n\n" + body.Remark(waiting)
		}
	}
	return slices.Clip(remarks), nil
}
