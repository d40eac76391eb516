package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"dhibot/bot/body"
	"dhibot/bot/config"
	"dhibot/bot/event"
	"dhibot/bot/githubapi"
	"dhibot/bot/plan"
	"dhibot/rewrite"
)

// Names of our check runs; branch rules refer to them.
const (
	migrationCheck = "DHI migration"
	configCheck    = "DHI config"
)

// maxAnnotations bounds the remarks of a check run: 50 go into one call.
const maxAnnotations = 50

// report makes the check run of our pull request on its head, once. It is not
// worth failing for: an installation may refuse the permission, and the pull
// request says the same.
func (j *job) report(ctx context.Context, d *done, number int, head string) error {
	k := migrationRun(d.proposal.results)
	k.HeadSHA, k.ExternalID = head, fmt.Sprintf("%s:%d", "migration", number)
	return j.check(ctx, k)
}

// check makes a check run unless the commit has it.
func (j *job) check(ctx context.Context, k githubapi.CheckRun) error {
	return unasked(ctx, j.checkOnce(ctx, k))
}

func (j *job) checkOnce(ctx context.Context, k githubapi.CheckRun) error {
	runs, err := j.client.CheckRuns(ctx, j.repo, k.HeadSHA, k.Name)
	if err != nil {
		return fmt.Errorf("looking for the check %s: %w", k.Name, err)
	}
	for _, r := range runs {
		if r.AppID == j.deps.AppID && r.ExternalID == k.ExternalID && r.Conclusion == k.Conclusion && r.Summary == k.Summary {
			return nil
		}
	}
	if _, err := j.client.CreateCheckRun(ctx, j.repo, k); err != nil {
		return fmt.Errorf("making the check %s: %w", k.Name, err)
	}
	return nil
}

// migrationRun says what is left to do: neutral as long as there is something,
// because nobody can tell from outside whether it was done.
func migrationRun(results []*rewrite.Result) githubapi.CheckRun {
	k := githubapi.CheckRun{Name: migrationCheck, Conclusion: "success", Title: "Nothing is left to check"}
	var open int
	for _, r := range body.Changed(results) {
		if r.Outcome != rewrite.Hardened {
			open++
			k.Annotations = append(k.Annotations, githubapi.Annotation{Path: r.Path, StartLine: max(r.Line, 1), EndLine: max(r.Line, 1), Level: "warning",
				Title: "Not finished", Message: plainText(r.Reason)})
		}
		for _, it := range r.Checklist {
			open++
			when := "Before merging"
			if it.When == rewrite.AfterDeploy {
				when = "After deploying"
			}
			places := it.Evidence
			if len(places) == 0 {
				places = []rewrite.Evidence{{Path: r.Path, Line: 1}}
			}
			for _, e := range places {
				k.Annotations = append(k.Annotations, githubapi.Annotation{Path: e.Path, StartLine: max(e.Line, 1), EndLine: max(e.Line, 1), Level: "notice", Title: when, Message: plainText(it.Text)})
			}
		}
	}
	if open > 0 {
		k.Conclusion, k.Title = "neutral", countThings(open)+" to check"
	}
	all := len(k.Annotations)
	k.Annotations = distinct(k.Annotations)
	k.Summary = "The pull request has the list, with the reasons."
	if all > len(k.Annotations) {
		k.Summary = fmt.Sprintf("The pull request has the list, with the reasons. %d of %d places are marked here.", len(k.Annotations), all)
	}
	return k
}

// distinct drops repeated remarks and those beyond the bound.
func distinct(list []githubapi.Annotation) []githubapi.Annotation {
	var out []githubapi.Annotation
	for _, a := range list {
		if a.Path != "" && a.Message != "" && len(out) < maxAnnotations && !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	return out
}

// plainText is for annotations, which are shown as text: no Markdown, but
// nothing invisible either.
func plainText(s string) string {
	return strings.NewReplacer("`", "").Replace(body.Plain(s, 600))
}

func countThings(n int) string {
	if n == 1 {
		return "1 thing"
	}
	return strconv.Itoa(n) + " things"
}

// checkSettings checks the settings on a pull request that changes them: the
// mistakes with their lines, or what the new settings would change.
func (j *job) checkSettings(ctx context.Context, v *view, number int, head string) error {
	next := *v
	changed := &next.own
	if j.isOrganisation() {
		changed = &next.organisation
	}
	// There is a version to fall back to when the one of today is good, or when
	// it has mistakes itself and an earlier one is in force.
	fallback := changed.Content != nil && !v.stuck()
	var err error
	changed.Content, err = j.client.File(ctx, j.repo, head, config.Path)
	if changed.TooLarge, err = tooLarge(err); err != nil && !errors.Is(err, githubapi.ErrNotFound) {
		return fmt.Errorf("reading the new settings: %w", err)
	}
	if changed.Misnamed, err = j.there(ctx, head, config.Misnamed); err != nil {
		return err
	}
	next.resolve()
	if len(next.problems) > 0 {
		k := settingsRun(next.problems)
		k.HeadSHA, k.ExternalID = head, fmt.Sprintf("config:%d", number)
		switch {
		case next.misnamed():
			k.Summary += "\nMerged like this, the App would do nothing in this repository until they are mended."
		case !fallback:
			k.Summary += "\nMerged like this, the App would do nothing in this repository until they are mended: there is no earlier version without mistakes."
		default:
			k.Summary = mistakes(next.problems) + "\nMerged like this, the settings that are in force now would stay in force until they are mended."
		}
		return j.check(ctx, k)
	}
	k := githubapi.CheckRun{Name: configCheck, HeadSHA: head, ExternalID: fmt.Sprintf("config:%d", number), Conclusion: "success", Title: "The settings are fine"}
	if k.Summary, err = j.comparison(ctx, v, &next); err != nil {
		return err
	}
	return j.check(ctx, k)
}

// settingsRun is the check run on settings with mistakes, with a mark on every
// line that has one.
func settingsRun(problems config.Problems) githubapi.CheckRun {
	k := githubapi.CheckRun{Name: configCheck, Conclusion: "failure", Title: countMistakes(len(problems)), Summary: mistakes(problems)}
	for _, p := range problems {
		if config.IsSettings(p.File) && len(k.Annotations) < maxAnnotations {
			k.Annotations = append(k.Annotations, githubapi.Annotation{Path: p.File, StartLine: max(p.Line, 1), EndLine: max(p.Line, 1), Level: "failure", Title: "DHI settings", Message: fmt.Sprintf("column %d: %s", p.Column, plainText(p.Message))})
		}
	}
	return k
}

func countMistakes(n int) string {
	if n == 1 {
		return "1 mistake in the settings"
	}
	return strconv.Itoa(n) + " mistakes in the settings"
}

// comparison says what the new settings would change about the Dockerfiles.
func (j *job) comparison(ctx context.Context, now, next *view) (string, error) {
	if now.base == "" {
		return "There is no Dockerfile yet.", nil
	}
	after, err := j.propose(ctx, next, through(plan.Scope{}))
	if err != nil {
		return "", err
	}
	if now.stuck() {
		return "The settings in force have mistakes. With the new ones:\n\n" + body.Preview(body.Input{Results: after.results, Passed: after.passed}), nil
	}
	before, err := j.propose(ctx, now, through(plan.Scope{}))
	if err != nil {
		return "", err
	}
	fate := func(p proposal) map[string]string {
		m := map[string]string{}
		for _, r := range p.results {
			m[r.Path] = fateOf(r)
		}
		for _, d := range p.passed {
			m[d.Path] = "is not looked at: " + body.Prose(d.Reason, 200)
		}
		return m
	}
	old, fresh := fate(before), fate(after)
	var lines []string
	for path, what := range fresh {
		if old[path] != what {
			was := old[path]
			if was == "" {
				was = "is not looked at"
			}
			lines = append(lines, fmt.Sprintf("- %s %s; until now it %s\n", code(path), what, was))
		}
	}
	slices.Sort(lines)
	keys := changedKeys(now.config, next.config)
	if len(lines) == 0 {
		return strings.TrimPrefix(keys+fmt.Sprintf("\nNothing changes about the %d Dockerfiles of the default branch.", len(before.results)), "\n"), nil
	}
	const rows = 50
	if more := len(lines) - rows; more > 0 {
		lines = append(lines[:rows], fmt.Sprintf("- … and %d more\n", more))
	}
	if keys != "" {
		keys += "\n"
	}
	return keys + "What these settings would change about Dockerfiles:\n\n" + strings.Join(lines, ""), nil
}

// changedKeys lists the settings that are others than those in force.
func changedKeys(now, next config.Config) string {
	shown := func(value string) string {
		if value == "" {
			return "nothing"
		}
		return code(value)
	}
	var b strings.Builder
	for _, c := range config.Changes(now, next) {
		fmt.Fprintf(&b, "- `%s` is %s; until now %s\n", c.Key, shown(c.Now), shown(c.Was))
	}
	return b.String()
}

func fateOf(r *rewrite.Result) string {
	switch {
	case r.Changed():
		to := ""
		for _, s := range r.Stages {
			if s.Final {
				to = s.To
			}
		}
		return "moves to " + code(to)
	case r.Outcome == rewrite.Already:
		return "is on hardened images"
	case r.Outcome == rewrite.Failed:
		return "cannot be read"
	default:
		return "is left alone: " + body.Prose(r.Reason, 200)
	}
}

// rerun makes a check run again when somebody presses the button.
func (b *Bot) rerun(ctx context.Context, e *event.CheckRun) error {
	if e.Action != "rerequested" || e.Run.App.ID != b.deps.AppID {
		return nil
	}
	kind, id, _ := strings.Cut(e.Run.ExternalID, ":")
	number, err := strconv.Atoi(id)
	if err != nil {
		return nil // not one of ours, or from another age
	}
	ctx = githubapi.ForCommand(ctx) // somebody waits for it
	j, err := b.open(ctx, e.Installation.ID, e.Repository.ID)
	if errors.Is(err, githubapi.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	switch kind {
	case "settings":
		v, err := j.look(ctx)
		if err != nil || len(v.problems) == 0 {
			return err
		}
		return j.blame(ctx, v)
	case "config", "guard":
		return j.inspect(ctx, number, e.Run.HeadSHA)
	case "migration":
		p, err := j.client.PullRequest(ctx, j.repo, number)
		if err != nil || !plan.IsBranch(p.Head) || p.HeadRepo != j.repo.ID {
			return err
		}
		_, err = j.fulfil(ctx, plan.Ask{Kind: plan.Rebase}, p.Head)
		return unasked(ctx, err)
	}
	return nil
}
