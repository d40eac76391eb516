package bot

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"dhibot/bot/body"
	"dhibot/bot/config"
	"dhibot/bot/discover"
	"dhibot/bot/githubapi"
	"dhibot/bot/plan"
	"dhibot/rewrite"
)

// guardCheck is the name of the check on other people's pull requests.
const guardCheck = "DHI base images"

// inspect looks at somebody's pull request: at the settings it changes, and at
// the base images it brings in.
func (j *job) inspect(ctx context.Context, number int, head string) error {
	files, _, err := j.client.PullRequestFiles(ctx, j.repo, number)
	if err != nil {
		return fmt.Errorf("reading the files of #%d: %w", number, err)
	}
	settings := slices.ContainsFunc(files, func(f githubapi.ChangedFile) bool { return config.IsSettings(f.Path) || config.IsSettings(f.Previous) })
	paths := dockerfilesOf(files)
	if !settings && len(paths) == 0 {
		return nil
	}
	v, err := j.look(ctx) // the settings in force are those of the default branch
	if err != nil {
		return err
	}
	if settings {
		if err := j.checkSettings(ctx, v, number, head); err != nil {
			return err
		}
	}
	if len(paths) > 0 && !v.stuck() && v.config.Guard != config.GuardOff && v.config.Mode != config.Off {
		return j.guard(ctx, v, number, head, paths)
	}
	return nil
}

// dockerfilesOf are the changed files that may be Dockerfiles.
func dockerfilesOf(files []githubapi.ChangedFile) []string {
	var paths []string
	for _, f := range files {
		if candidate, code, _ := discover.Classify(path.Base(f.Path)); candidate && code == discover.Taken && f.Status != "removed" {
			paths = append(paths, f.Path)
		}
	}
	return paths
}

// guard marks base images that a pull request brings in although there is a
// hardened one. A newer version of an image that is there already is no change
// for the worse.
func (j *job) guard(ctx context.Context, v *view, number int, head string, paths []string) error {
	scope := plan.Scope{}
	for _, p := range paths {
		scope.Paths = append(scope.Paths, "/"+p) // this path, not that name anywhere
	}
	next := *v
	var err error
	if next.tree, err = j.client.Tree(ctx, j.repo, head); err != nil {
		return fmt.Errorf("reading the tree of #%d: %w", number, err)
	}
	after, err := j.propose(ctx, &next, through(scope))
	if err != nil {
		return err
	}
	before, err := j.propose(ctx, v, through(scope))
	if err != nil {
		return err
	}
	was := map[string]map[string]bool{}
	for _, r := range before.results {
		was[r.Path] = map[string]bool{}
		for _, s := range movable(r) {
			was[r.Path][config.ImageName(s.From)] = true
		}
	}
	k := githubapi.CheckRun{Name: guardCheck, HeadSHA: head, ExternalID: fmt.Sprintf("guard:%d", number),
		Conclusion: "success", Title: "No new base image that has a hardened one", Summary: "The changed Dockerfiles bring in no base image that Docker Hardened Images has too."}
	var lines []string
	for _, r := range after.results {
		for _, s := range movable(r) {
			if was[r.Path][config.ImageName(s.From)] {
				continue
			}
			lines = append(lines, fmt.Sprintf("- %s: %s, which %s replaces\n", code(r.Path), code(s.From), code(s.To)))
			k.Annotations = append(k.Annotations, githubapi.Annotation{Path: r.Path, StartLine: s.Line, EndLine: s.Line, Level: "warning",
				Title: guardCheck, Message: plainText(s.From + " has a hardened equivalent: " + s.To)})
		}
	}
	if len(lines) > 0 {
		const rows = 50
		k.Conclusion, k.Title = "neutral", "There are hardened images for what this brings in"
		if v.config.Guard == config.GuardFail {
			k.Conclusion = "failure"
		}
		k.Annotations = distinct(k.Annotations)
		if more := len(lines) - rows; more > 0 {
			lines = append(lines[:rows], fmt.Sprintf("- … and %d more\n", more))
		}
		k.Summary = strings.Join(lines, "") + "\n`/dhi migrate` as a comment on the pull request writes suggestions that can be committed from the page."
	}
	return j.check(ctx, k)
}

// movable are the stages whose image has a hardened equivalent.
func movable(r *rewrite.Result) []rewrite.Stage {
	var list []rewrite.Stage
	if len(body.Changed([]*rewrite.Result{r})) == 0 {
		return nil
	}
	for _, s := range r.Stages {
		if s.From != "" && s.From != s.To {
			list = append(list, s)
		}
	}
	return list
}
