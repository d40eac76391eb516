package scan

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"dhibot/bot/config"
	"dhibot/bot/githubapi"
	"dhibot/bot/plan"

	"github.com/rs/zerolog"
)

const (
	// treesAtOnce are read at the same time. GitHub allows a hundred calls at
	// once and 900 points a minute for one endpoint; the limiter keeps to both.
	treesAtOnce = 8
	// groupMost and groupEntries bound what is held in memory at once: trees
	// of so many repositories, with so many files together.
	groupMost    = 50
	groupEntries = 300_000
)

// page brings the records of some repositories up to date. What cannot be read
// keeps its record; only errors that stop everything are returned.
func (s *Scanner) page(ctx context.Context, v *visit, repos []githubapi.Repo) error {
	ids := make([]string, 0, len(repos))
	for _, r := range repos {
		ids = append(ids, r.NodeID)
	}
	overviews, err := v.client.Overviews(ctx, ids, plan.Branch, config.Path)
	if err != nil {
		return fmt.Errorf("looking at %d repositories: %w", len(repos), err)
	}
	var work []*subject
	for _, r := range repos {
		o, ok := overviews[r.NodeID]
		if !ok {
			// Gone since it was listed, or GitHub does not tell everything about it.
			s.c.Seen(Failed)
			zerolog.Ctx(ctx).Warn().Str("repository", r.FullName()).Msg("not looked at: GitHub does not show it")
			continue
		}
		b := &subject{overview: o, key: s.lookKey(v, o)}
		old := v.records[r.ID]
		switch {
		case unable(o.Repo, o.Tree) != "":
			s.c.Seen(Passed)
			b.key = "unable:" + unable(o.Repo, o.Tree) // when it is able, it is looked at
			b.look = &look{Mode: v.config.Mode}
		case old != nil && old.Look != nil && old.Key == b.key:
			s.c.Seen(Unchanged)
			b.look = old.Look
		}
		work = append(work, b)
	}
	if err := s.recall(ctx, v, work); err != nil {
		return err
	}
	if err := s.read(ctx, v, work); err != nil {
		return err
	}
	for _, b := range work {
		if b.look == nil {
			// What is in it could not be read, but its pull requests were.
			b.key = ""
			if old := v.records[b.overview.Repo.ID]; old != nil && old.Look != nil {
				b.look, b.key, b.overview.Head = old.Look, old.Key, old.Head
			}
		}
		if err := s.keep(ctx, v, b); err != nil {
			return err
		}
	}
	return nil
}

// subject is a repository that is being looked at.
type subject struct {
	overview githubapi.Overview
	key      string
	look     *look // nil until it was found
	tree     *githubapi.Tree
}

// lookKey names all that a look depends on: the engine, the organisation's
// settings and the tree, which holds the repository's own.
func (s *Scanner) lookKey(v *visit, o githubapi.Overview) string {
	h := sha256.New()
	fmt.Fprintf(h, "look v3\n%q\n%d\n%t\n%x %t\n%s\n", s.c.Version, v.installation, isHome(o.Repo), sha256.Sum256(v.organisation.Content), v.organisation.Misnamed, o.Tree)
	return hex.EncodeToString(h.Sum(nil)[:20])
}

// recall takes looks out of the memory, where this or another process left
// them: a branch that went back, a copy of a repository.
func (s *Scanner) recall(ctx context.Context, v *visit, work []*subject) error {
	var keys []string
	for _, b := range work {
		if b.look == nil {
			keys = append(keys, b.key)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	known, err := s.c.Memory.Looks(ctx, v.installation, keys)
	if err != nil {
		return fmt.Errorf("recalling what was found: %w", err)
	}
	for _, b := range work {
		raw, ok := known[b.key]
		if b.look != nil || !ok {
			continue
		}
		l := new(look)
		if json.Unmarshal(raw, l) == nil {
			s.c.Seen(Known)
			b.look = l
		}
	}
	return nil
}

// read reads the trees of what nothing is known of, and surveys them, some at a
// time.
func (s *Scanner) read(ctx context.Context, v *visit, work []*subject) error {
	var todo []*subject
	for _, b := range work {
		if b.look == nil {
			todo = append(todo, b)
		}
	}
	for len(todo) > 0 {
		group, entries := todo[:0:0], 0
		for len(todo) > 0 && len(group) < groupMost && entries < groupEntries {
			some := todo[:min(treesAtOnce, len(todo))]
			todo = todo[len(some):]
			if err := s.trees(ctx, v, some); err != nil {
				return err
			}
			for _, b := range some {
				if b.tree != nil {
					entries += len(b.tree.Entries)
					group = append(group, b)
				}
			}
		}
		if err := s.survey(ctx, v, group); err != nil {
			return err
		}
	}
	return nil
}

// skip decides about an error of one repository: what concerns all of them, or
// passes when we come back later, ends the page; anything else is a line in the
// log and one repository that waits for the next pass.
func (s *Scanner) skip(ctx context.Context, b *subject, err error) error {
	if !private(ctx, err) {
		return err
	}
	s.c.Seen(Failed)
	zerolog.Ctx(ctx).Warn().Str("repository", b.overview.Repo.FullName()).Err(err).Msg("not looked at")
	return nil
}

// private tells whether an error concerns one repository alone.
func private(ctx context.Context, err error) bool {
	var limited *githubapi.RateLimitedError
	return ctx.Err() == nil && !errors.As(err, &limited) && !errors.Is(err, githubapi.ErrGone)
}

// keep writes what was found into the record, when it differs.
func (s *Scanner) keep(ctx context.Context, v *visit, b *subject) error {
	o := b.overview
	pulls := make([]pull, 0, len(o.Pulls))
	for _, p := range o.Pulls {
		if p.Bot == v.slug {
			pulls = append(pulls, pull{Number: p.Number, Open: p.State == githubapi.StateOpen, Merged: p.Merged, Created: p.CreatedAt, Closed: p.ClosedAt})
		}
	}
	grouped := b.look == nil || b.look.Grouped // or not known to be
	if grouped || o.Crowded {
		all, err := s.several(ctx, v, o.Repo)
		switch {
		case errors.Is(err, githubapi.ErrNotFound):
			return nil // gone meanwhile; the next pass forgets it
		case err != nil && b.look != nil && private(ctx, err):
			return s.skip(ctx, b, err) // what is known of it stays
		case err != nil && !private(ctx, err):
			return err
		case err == nil:
			pulls = all
		}
	}
	if b.look == nil && len(pulls) == 0 {
		return nil
	}
	bring := func(r *record) {
		r.Repo, r.Head, r.Key, r.Look, r.Missed = o.Repo, o.Head, b.key, b.look, ""
		r.Pulls = withRecent(pulls, r.Pulls, s.c.Now())
		for _, p := range pulls {
			if p.Open && (!grouped || p.Created.After(r.Reserved)) {
				r.Reserved, r.Ticket = time.Time{}, "" // it has been fulfilled
			}
		}
	}
	if old := v.records[o.Repo.ID]; old != nil {
		if v.mends && old.Look != nil && old.Key != b.key && unable(o.Repo, o.Tree) == "" && slices.ContainsFunc(pulls, func(p pull) bool { return p.Open }) {
			// Before it is remembered: a crash in between orders it twice.
			if err := s.put(ctx, eventRefresh, fmt.Sprintf("refresh:%d:%s:%s", o.Repo.ID, b.key, o.Head), v.installation, o.Repo, task{}); err != nil {
				return err
			}
		}
		next := *old
		bring(&next)
		if same(old, &next) {
			return nil
		}
	}
	return s.change(ctx, v.installation, o.Repo.ID, func(r *record) {
		bring(r)
		v.records[o.Repo.ID] = r
	})
}

// recent is for how long GitHub's answer may be older than what we did: it was
// asked before, or by a copy of its database that lags behind.
const recent = 10 * time.Minute

// withRecent adds the pull requests that were opened moments ago to what GitHub
// listed. Without them a place in the budget would be given out twice.
func withRecent(listed, known []pull, now time.Time) []pull {
	for _, p := range slices.Backward(known) {
		if now.Sub(p.Created) < recent && !slices.ContainsFunc(listed, func(l pull) bool { return l.Number == p.Number }) {
			listed = slices.Insert(slices.Clone(listed), 0, p)
		}
	}
	return listed
}

// several are our pull requests in a repository that has one for each group of
// Dockerfiles. They come from as many branches, so GitHub is asked for what we
// opened; that is a call of its own, which few repositories need.
func (s *Scanner) several(ctx context.Context, v *visit, r githubapi.Repo) ([]pull, error) {
	found, err := v.client.PullsBy(ctx, r, v.slug+"[bot]")
	if err != nil {
		return nil, fmt.Errorf("looking for our pull requests in %s: %w", r.FullName(), err)
	}
	pulls := []pull{}
	for _, p := range found {
		pulls = append(pulls, pull{Number: p.Number, Open: p.State == githubapi.StateOpen, Merged: p.Merged, Created: p.CreatedAt, Closed: p.ClosedAt})
	}
	return pulls, nil
}
