package bot

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"dhibot/bot/body"
	"dhibot/bot/config"
	"dhibot/bot/discover"
	"dhibot/bot/githubapi"
	"dhibot/bot/plan"
	"dhibot/rewrite"
	"dhibot/rewrite/catalog"
	"dhibot/rewrite/project"

	"github.com/rs/zerolog"
)

// maxDockerfiles bounds the work on one repository.
const maxDockerfiles = 500

// proposal is what the engine makes of a repository.
type proposal struct {
	results []*rewrite.Result
	passed  []body.Passed
	all     []string // paths of everything that looks like a Dockerfile
	taken   []string // paths of those that may be looked at
	asked   bool     // the registries confirmed every image that a result moves to
	unasked []string // registries that did not say anything
}

// lens is what applies to a Dockerfile: the scope that it is looked at under,
// why it is passed over, if it is, and whether it is looked at in any way.
type lens func(dockerfile string) (scope plan.Scope, pass string, ok bool)

// through is one scope for all.
func through(scope plan.Scope) lens {
	return func(dockerfile string) (plan.Scope, string, bool) { return scope, "", scope.Covers(dockerfile) }
}

// propose reads the repository and runs the engine on every Dockerfile that is
// to be looked at.
func (j *job) propose(ctx context.Context, v *view, look lens) (proposal, error) {
	files := j.client.FS(ctx, j.repo, v.tree)
	if err := j.prefetch(ctx, v.tree, files); err != nil {
		return proposal{}, err
	}
	return j.examine(ctx, v, look, files)
}

// examine is propose over any view of the tree. Where files has no content yet
// (ErrNotFetched), it goes on to learn what else is wanted, and returns that
// error in the end.
func (j *job) examine(ctx context.Context, v *view, look lens, files *githubapi.TreeFS) (proposal, error) {
	var p proposal
	f, err := find(v, files)
	if err != nil && !errors.Is(err, ErrNotFetched) {
		return p, err
	}
	p.all, p.taken = f.all, f.paths
	for _, passed := range f.passed {
		if _, _, ok := look(passed.Path); ok {
			p.passed = append(p.passed, passed)
		}
	}
	today := j.deps.Now().UTC().Format(time.DateOnly)
	// What surrounds one Dockerfile mostly surrounds the others too.
	shared := project.NewRepo(files)
	for _, path := range f.paths {
		scope, pass, ok := look(path)
		if !ok {
			continue
		}
		if pass != "" {
			p.passed = append(p.passed, body.Passed{Path: path, Reason: pass})
			continue
		}
		if what, ok := ignored(scope.Ignored, path, today, config.Match); ok {
			p.passed = append(p.passed, body.Passed{Path: path, Reason: "`/dhi ignore " + what + "` was asked for"})
			continue
		}
		content, err := files.ReadFile(path)
		if errors.Is(err, ErrNotFetched) {
			continue
		}
		if errors.Is(err, githubapi.ErrTooLarge) {
			p.passed = append(p.passed, body.Passed{Path: path, Reason: "it is too large to be a Dockerfile"})
			continue
		}
		if err != nil {
			return p, fmt.Errorf("reading a Dockerfile: %w", err)
		}
		in := rewrite.Input{Path: path, Content: content, FS: shared, Options: j.options(v, scope)}
		r, err := j.migrate(ctx, in)
		if err == nil {
			err = failure(files.Err())
		}
		if errors.Is(err, ErrNotFetched) {
			continue
		}
		if err != nil {
			return p, err
		}
		if files.Err() != nil {
			r = failed(in, "the repository is too large to read what surrounds this file")
		}
		p.results = append(p.results, leave(r, v.config, scope.Ignored, today))
	}
	if err := files.Err(); errors.Is(err, ErrNotFetched) {
		return proposal{}, err
	}
	agree(p.results, files)
	if j.deps.Examined != nil {
		for _, r := range p.results {
			j.deps.Examined(r)
		}
	}
	return p, nil
}

// options are the engine's for a scope.
func (j *job) options(v *view, scope plan.Scope) rewrite.Options {
	options := v.config.Options()
	options.Catalog = j.deps.Catalog
	switch scope.Distro {
	case "keep":
		options.Distro = catalog.KeepDistro
	case "debian", "alpine":
		options.Distro = catalog.Distro(scope.Distro)
	}
	return options
}

// agree sees to the files that change together with Dockerfiles. One that is
// reached by a symbolic link is changed at its own place. When two Dockerfiles
// want one file in different ways, the second one is left alone: its container
// would get a file that was made for another.
func agree(results []*rewrite.Result, files *githubapi.TreeFS) {
	type claim struct {
		content string
		by      string
	}
	claims := map[string]claim{}
	for i, r := range results {
		for k, f := range r.Files {
			if e, err := files.Lookup(f.Path); err == nil {
				r.Files[k].Path = e.Path
			}
		}
		var rival string
		for _, f := range r.Files {
			if c, ok := claims[f.Path]; ok && c.content != string(f.After) {
				rival = "`" + f.Path + "` would have to change in another way than `" + c.by + "` needs it"
			}
		}
		if rival != "" {
			results[i] = &rewrite.Result{Path: r.Path, Outcome: rewrite.Skipped, Reason: rival, Before: r.Before, After: r.Before, Catalog: r.Catalog}
			continue
		}
		for _, f := range r.Files {
			if _, ok := claims[f.Path]; !ok {
				claims[f.Path] = claim{string(f.After), r.Path}
			}
		}
	}
}

// failure is what went wrong with reading the repository, when trying again may
// help. That a repository is too large stays so.
func failure(err error) error {
	if errors.Is(err, githubapi.ErrBudget) || errors.Is(err, githubapi.ErrUnread) {
		return nil
	}
	return err
}

// migrate calls the engine. A panic in it is one failed Dockerfile, not a
// failed repository; errors of reading neighbours from GitHub are ours to
// repeat.
func (j *job) migrate(ctx context.Context, in rewrite.Input) (r *rewrite.Result, err error) {
	defer func() {
		if p := recover(); p != nil {
			zerolog.Ctx(ctx).Error().Str("path", in.Path).Interface("panic", p).Bytes("stack", debug.Stack()).Msg("the engine panicked")
			r, err = failed(in, "a mistake in dhibot stopped the migration of this file; the log has the details"), nil
		}
	}()
	r, err = j.deps.Migrate(ctx, in)
	switch {
	case err == nil:
		return r, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	}
	var limited *githubapi.RateLimitedError
	if errors.As(err, &limited) || errors.Is(err, githubapi.ErrGone) || errors.Is(err, githubapi.ErrUnavailable) {
		return nil, fmt.Errorf("migrating %s: %w", in.Path, err)
	}
	zerolog.Ctx(ctx).Error().Str("path", in.Path).Err(err).Msg("the engine failed")
	return failed(in, err.Error()), nil
}

func failed(in rewrite.Input, reason string) *rewrite.Result {
	return &rewrite.Result{Path: in.Path, Outcome: rewrite.Failed, Reason: reason, Before: in.Content, After: in.Content}
}

// leave takes the changes back when a stage is on an image that people want to
// stay on.
func leave(r *rewrite.Result, c config.Config, ignoredThings []body.Ignored, today string) *rewrite.Result {
	if !r.Changed() {
		return r
	}
	for _, s := range r.Stages {
		if s.From == "" {
			continue
		}
		image := config.ImageName(s.From)
		ok, why := c.WantsImage(image)
		code := rewrite.ReasonCode(discover.Settings)
		if what, hit := ignored(ignoredThings, image, today, config.MatchImage); hit {
			ok, why, code = false, "`/dhi ignore "+what+"` was asked for", ""
		}
		if !ok {
			return &rewrite.Result{Path: r.Path, Outcome: rewrite.Skipped, Code: code, Reason: why + ", and a stage is on `" + s.From + "`",
				Before: r.Before, After: r.Before, Catalog: r.Catalog}
		}
	}
	return r
}

// ignored tells whether people told us to leave a path or an image alone.
func ignored(list []body.Ignored, what, today string, match func([]string, string) (string, bool)) (string, bool) {
	for _, i := range list {
		if i.Until != "" && today >= i.Until {
			continue
		}
		if _, ok := match([]string{i.What}, what); ok {
			return i.What, true
		}
	}
	return "", false
}

// unmatched are the paths of a request at which there is no Dockerfile.
func unmatched(asked, all []string) []string {
	var none []string
	for _, a := range asked {
		if !slices.ContainsFunc(all, func(p string) bool { _, ok := config.Match([]string{a}, p); return ok }) {
			none = append(none, a)
		}
	}
	return none
}
