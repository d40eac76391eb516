package scan

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"time"

	"dhibot/bot"
	"dhibot/bot/config"
	"dhibot/bot/githubapi"
)

// rounds bounds how often the engine finds out that it wants more: a Dockerfile
// names a compose file, that one another, and so on.
const rounds = 12

// survey runs the engine on trees whose contents it fetches for all of them
// together. The engine takes a millisecond and a call a hundred, so it is run
// on what is there to learn what else it wants, until it wants nothing more.
func (s *Scanner) survey(ctx context.Context, v *visit, group []*subject) error {
	shelf := newShelf()
	for round := 0; len(group) > 0; round++ {
		var again []*subject
		saved := s.c.Now()
		var wants []want
		for _, b := range group {
			found, missing, err := s.surveyOne(ctx, v, b, shelf)
			switch {
			case err == nil:
				s.c.Seen(Looked)
				b.look, b.tree = lookOf(found), nil
				if s.c.Now().Sub(saved) > saveEvery {
					saved = s.c.Now()
					if err := s.remember(ctx, v, group); err != nil {
						return err
					}
				}
			case errors.Is(err, bot.ErrNotFetched) && round < rounds:
				again = append(again, b)
				wants = append(wants, b.wants(missing)...)
			default:
				b.tree = nil
				if err := s.skip(ctx, b, fmt.Errorf("looking for Dockerfiles: %w", err)); err != nil {
					return err
				}
			}
		}
		if len(again) > 0 {
			if err := s.fill(ctx, v, shelf, wants); err != nil {
				return err
			}
		}
		if err := s.remember(ctx, v, group); err != nil {
			return err
		}
		group = again
	}
	return nil
}

const (
	// surveyMost bounds one run of the engine on one repository.
	surveyMost = 30 * time.Second
	// saveEvery is how much of the engine's work is lost at most when a pass is
	// cut short.
	saveEvery = 10 * time.Second
)

// surveyOne is one run of the engine. missing are the contents it asked for in
// vain. That it panics or does not end concerns one repository.
func (s *Scanner) surveyOne(ctx context.Context, v *visit, b *subject, shelf *shelf) (found *bot.Survey, missing []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, surveyMost)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	asked := map[string]bool{}
	fetch := func(ctx context.Context, sha string) ([]byte, error) {
		content, err := s.fetch(ctx, v, shelf, sha)
		if errors.Is(err, bot.ErrNotFetched) {
			asked[sha] = true
		}
		return content, err
	}
	settings := config.File{Name: config.Path}
	if e, ok := b.tree.Find(config.Misnamed); ok && e.Type == "blob" {
		settings.Misnamed = true
	}
	if e, ok := b.tree.Find(config.Path); ok && e.Type == "blob" {
		settings.Content, err = fetch(ctx, e.SHA)
		if settings.TooLarge = errors.Is(err, githubapi.ErrTooLarge); settings.TooLarge {
			err = nil
		}
		if err != nil && !errors.Is(err, bot.ErrNotFetched) {
			return nil, nil, fmt.Errorf("reading %s: %w", config.Path, err)
		}
	}
	organisation, mine := v.organisation, settings
	if isHome(b.overview.Repo) {
		// What is here is the default for all, and locks nothing here.
		organisation, mine = settings, config.File{Name: config.Path}
	}
	if err == nil {
		found, err = s.c.Engine.Survey(ctx, b.overview.Repo, b.tree, organisation, mine, fetch)
	}
	return found, slices.Sorted(maps.Keys(asked)), err
}

// remember keeps what was found under what it was found in.
func (s *Scanner) remember(ctx context.Context, v *visit, group []*subject) error {
	looks := map[string][]byte{}
	for _, b := range group {
		if b.look == nil {
			continue
		}
		raw, err := json.Marshal(b.look)
		if err != nil {
			return fmt.Errorf("writing what was found: %w", err)
		}
		looks[b.key] = raw
	}
	if len(looks) == 0 {
		return nil
	}
	if err := s.c.Memory.PutLooks(ctx, v.installation, looks); err != nil {
		return fmt.Errorf("remembering what was found: %w", err)
	}
	return nil
}
