package scan

import (
	"context"
	"fmt"
	"slices"

	"dhibot/bot"
	"dhibot/bot/githubapi"
)

// shelf holds the contents of one group of repositories, as far as they fit.
// Others are in the memory, where they are read again one by one.
type shelf struct {
	most   int // bytes to hold
	held   int
	have   map[string][]byte
	stored map[string]bool
	gone   map[string]bool  // too large to be looked at
	failed map[string]error // could not be read
}

// Bounds of a shelf, and of what is asked for at once.
const (
	shelfMost = 64 << 20
	fillMost  = 16 << 20
	fillFiles = 100
)

func newShelf() *shelf {
	return &shelf{most: shelfMost, have: map[string][]byte{}, stored: map[string]bool{}, gone: map[string]bool{}, failed: map[string]error{}}
}

// put takes contents that the memory has, too.
func (h *shelf) put(contents map[string][]byte) {
	for sha, content := range contents {
		if h.held+len(content) > h.most {
			h.stored[sha] = true
			continue
		}
		h.have[sha] = content
		h.held += len(content)
	}
}

// fetch returns a content that was filled in before; ErrNotFetched is for those
// that were not.
func (s *Scanner) fetch(ctx context.Context, v *visit, h *shelf, sha string) ([]byte, error) {
	if content, ok := h.have[sha]; ok {
		return content, nil
	}
	switch {
	case h.gone[sha]:
		return nil, githubapi.ErrTooLarge
	case h.failed[sha] != nil:
		return nil, h.failed[sha]
	case h.stored[sha]:
		known, err := s.c.Memory.Blobs(ctx, v.installation, []string{sha})
		if err != nil {
			return nil, fmt.Errorf("recalling a file: %w", err)
		}
		if content, ok := known[sha]; ok {
			return content, nil
		}
	}
	return nil, bot.ErrNotFetched
}

// want is a content that the engine asked for.
type want struct {
	repo githubapi.Repo
	sha  string
	size int64
}

// wants finds what is known of contents in the tree.
func (b *subject) wants(shas []string) []want {
	if len(shas) == 0 {
		return nil
	}
	sizes := make(map[string]int64, len(shas))
	for _, sha := range shas {
		sizes[sha] = 0
	}
	for _, e := range b.tree.Entries {
		if _, ok := sizes[e.SHA]; ok {
			sizes[e.SHA] = e.Size
		}
	}
	list := make([]want, 0, len(shas))
	for _, sha := range shas {
		list = append(list, want{b.overview.Repo, sha, sizes[sha]})
	}
	return list
}

// parts cuts a list so that no part is too much for one answer or for us. A
// content that several repositories hold counts once.
func parts(wants []want) [][]want {
	var all [][]want
	var part []want
	var bytes int64
	files := map[string]bool{}
	slices.SortStableFunc(wants, func(a, b want) int { // the same content in one part
		switch {
		case a.sha < b.sha:
			return -1
		case a.sha > b.sha:
			return 1
		}
		return 0
	})
	for _, w := range wants {
		if !files[w.sha] {
			if len(files) == fillFiles || bytes+w.size > fillMost && len(part) > 0 {
				all, part, bytes = append(all, part), nil, 0
				clear(files)
			}
			files[w.sha] = true
			bytes += w.size
		}
		part = append(part, w)
	}
	if len(part) > 0 {
		all = append(all, part)
	}
	return all
}

// fill gets contents: from the memory, and what is not there from GitHub.
func (s *Scanner) fill(ctx context.Context, v *visit, h *shelf, wants []want) error {
	var unknown []want
	for _, part := range parts(wants) {
		shas := make([]string, 0, len(part))
		for _, w := range part {
			shas = append(shas, w.sha)
		}
		known, err := s.c.Memory.Blobs(ctx, v.installation, slices.Compact(shas))
		if err != nil {
			return fmt.Errorf("recalling files: %w", err)
		}
		h.put(known)
		for _, w := range part {
			if _, ok := known[w.sha]; !ok {
				unknown = append(unknown, w)
			}
		}
	}
	for _, part := range parts(unknown) {
		if err := s.get(ctx, v, h, part); err != nil {
			return err
		}
	}
	return nil
}

// get reads contents from GitHub and remembers them.
func (s *Scanner) get(ctx context.Context, v *visit, h *shelf, part []want) error {
	var list []githubapi.Want
	for _, w := range part {
		list = append(list, githubapi.Want{Repo: w.repo, SHAs: []string{w.sha}})
	}
	found, failed, err := v.client.BlobsOf(ctx, list)
	if err != nil {
		return err
	}
	if err := s.c.Memory.PutBlobs(ctx, v.installation, found); err != nil {
		return fmt.Errorf("remembering files: %w", err)
	}
	h.put(found)
	for _, w := range part {
		if _, ok := found[w.sha]; ok {
			continue
		}
		if err := failed[w.sha]; err != nil {
			h.failed[w.sha] = fmt.Errorf("reading a file: %w", err)
			continue
		}
		h.gone[w.sha] = true
	}
	return nil
}
