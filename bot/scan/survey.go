package scan

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

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
	shelf := &shelf{have: map[string][]byte{}, gone: map[string]bool{}}
	for round := 0; len(group) > 0; round++ {
		var again []*subject
		var wants []githubapi.Want
		for _, b := range group {
			found, missing, err := s.surveyOne(ctx, v, b, shelf)
			switch {
			case err == nil:
				s.c.Seen(Looked)
				b.look, b.tree = lookOf(found), nil
			case errors.Is(err, bot.ErrNotFetched) && round < rounds:
				again = append(again, b)
				wants = append(wants, githubapi.Want{Repo: b.overview.Repo, SHAs: missing})
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

// shelf holds the contents of one group.
type shelf struct {
	have map[string][]byte
	gone map[string]bool // too large, or gone
}

// surveyOne is one run of the engine. missing are the contents it asked for in
// vain.
func (s *Scanner) surveyOne(ctx context.Context, v *visit, b *subject, shelf *shelf) (found *bot.Survey, missing []string, err error) {
	asked := map[string]bool{}
	fetch := func(_ context.Context, sha string) ([]byte, error) {
		if content, ok := shelf.have[sha]; ok {
			return content, nil
		}
		if shelf.gone[sha] {
			return nil, githubapi.ErrTooLarge
		}
		asked[sha] = true
		return nil, bot.ErrNotFetched
	}
	settings := config.File{Name: config.Path}
	if e, ok := b.tree.Find(config.Path); ok && e.Type == "blob" {
		if settings.Content, err = fetch(ctx, e.SHA); err != nil && !errors.Is(err, bot.ErrNotFetched) {
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

// fill gets contents: from the memory, and what is not there from GitHub.
func (s *Scanner) fill(ctx context.Context, v *visit, shelf *shelf, wants []githubapi.Want) error {
	var all []string
	for _, w := range wants {
		all = append(all, w.SHAs...)
	}
	slices.Sort(all)
	known, err := s.c.Memory.Blobs(ctx, v.installation, slices.Compact(all))
	if err != nil {
		return fmt.Errorf("recalling files: %w", err)
	}
	maps.Copy(shelf.have, known)
	for i := range wants {
		wants[i].SHAs = slices.DeleteFunc(wants[i].SHAs, func(sha string) bool { _, ok := known[sha]; return ok })
	}
	fetched, err := v.client.BlobsOf(ctx, wants)
	if err != nil {
		return err
	}
	maps.Copy(shelf.have, fetched)
	for _, w := range wants {
		for _, sha := range w.SHAs {
			if _, ok := fetched[sha]; !ok {
				shelf.gone[sha] = true
			}
		}
	}
	if err := s.c.Memory.PutBlobs(ctx, v.installation, fetched); err != nil {
		return fmt.Errorf("remembering files: %w", err)
	}
	return nil
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
