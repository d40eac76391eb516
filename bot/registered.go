package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"dhibot/bot/body"
	"dhibot/bot/config"
	"dhibot/bot/registry"
	"dhibot/rewrite"
	"dhibot/rewrite/catalog"

	"github.com/rs/zerolog"
)

// Reasons why a Dockerfile is left alone that only a registry can tell. They are
// listed in docs/pull-requests.md.
const (
	tagMissing    rewrite.ReasonCode = "registry-missing"
	configDiffers rewrite.ReasonCode = "registry-differs"
)

// registryWait is how long the answer of a registry is waited for.
const registryWait = 10 * time.Minute

// Registry answers whether images are there and are what the catalog says. It is
// *registry.Desk.
type Registry interface {
	Ask(ctx context.Context, targets []registry.Target) []registry.Answer
}

// silentRegistry tells that a registry does not answer, and that it is too early
// to go on without it.
type silentRegistry struct{ *registry.SilentError }

// confirm asks the registries about the images that a proposal moves to. A
// Dockerfile that would get one which is not there, or which is not what the
// engine took it for, is left alone. With wait, a registry that has not answered
// for a short while is an error; otherwise, and after that while, the proposal
// says that it was not asked.
func (j *job) confirm(ctx context.Context, v *view, p *proposal, wait bool) error {
	if j.deps.Registry == nil {
		return nil
	}
	about := map[int][]int{} // result -> targets
	finals := map[int]bool{} // targets that ship
	var targets []registry.Target
	for i, r := range p.results {
		if !r.Changed() {
			continue
		}
		for _, s := range r.Stages {
			if t, ok := j.question(v, s); ok {
				finals[len(targets)] = s.Final
				about[i] = append(about[i], len(targets))
				targets = append(targets, t)
			}
		}
	}
	if len(targets) == 0 {
		return nil
	}
	answers := j.deps.Registry.Ask(ctx, targets)
	if err := ctx.Err(); err != nil {
		return err
	}
	unasked := map[string]bool{}
	for i, list := range about {
		for _, n := range list {
			a := answers[n]
			host, _, _ := strings.Cut(a.Target.Reference, "/")
			code, why, err := judge(a, finals[n])
			var silent *registry.SilentError
			switch {
			case errors.As(err, &silent) && wait && j.deps.Now().Sub(silent.Since) < registryWait:
				return fmt.Errorf("asking about images: %w", &silentRegistry{silent})
			case err != nil:
				zerolog.Ctx(ctx).Info().Err(err).Str("registry", host).Msg("not asked")
				unasked[host] = true
			case code != "":
				r := p.results[i]
				p.results[i] = &rewrite.Result{Path: r.Path, Outcome: rewrite.Skipped, Code: code, Reason: why, Before: r.Before, After: r.Before, Catalog: r.Catalog}
			}
		}
	}
	for host := range unasked {
		p.unasked = append(p.unasked, host)
	}
	slices.Sort(p.unasked)
	p.asked = len(unasked) == 0
	return nil
}

// question is the question about a stage that moves.
func (j *job) question(v *view, s rewrite.Stage) (registry.Target, bool) {
	if s.To == "" || s.To == s.From {
		return registry.Target{}, false
	}
	c := j.deps.Catalog
	if c == nil {
		var err error
		if c, err = catalog.Default(); err != nil {
			return registry.Target{}, false
		}
	}
	repository := config.ImageName(s.To)
	image, ok := v.config.Options().Naming.Image(repository)
	if !ok {
		return registry.Target{}, false
	}
	tag, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(s.To, repository), ":"), "@")
	def, ok := c.Lookup(image, tag)
	return registry.Target{Reference: repository + ":" + tag, Definition: def}, ok
}

// judge says why a Dockerfile must not get an image; err is why nobody knows.
func judge(a registry.Answer, final bool) (code rewrite.ReasonCode, why string, err error) {
	reference := body.Plain(a.Target.Reference, 200)
	var missing *registry.NotFoundError
	switch {
	case errors.As(a.Err, &missing):
		return tagMissing, "`" + reference + "` is in the catalog, and its registry does not have it", nil
	case a.Err != nil:
		return "", "", a.Err
	}
	for _, d := range a.Report.Differences {
		if final || d.What == "user" || d.What == "work dir" {
			return configDiffers, fmt.Sprintf("`%s` has another %s in its registry (`%s`) than in the catalog (`%s`), on which the migration would rest", reference, d.What, body.Plain(d.Registry, 100), body.Plain(d.Catalog, 100)), nil
		}
	}
	return "", "", nil
}
