package scan

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"sync"

	"dhibot/bot/githubapi"

	"golang.org/x/sync/errgroup"
)

// trees reads trees at the same time, one call each. A tree that was read
// before comes out of the memory: what is in it depends on its id alone, while
// what was found in it is looked for again when the settings of the organisation
// or the program change.
func (s *Scanner) trees(ctx context.Context, v *visit, some []*subject) error {
	keys := make([]string, 0, len(some))
	for _, b := range some {
		keys = append(keys, treeKey(b))
	}
	known, err := s.c.Memory.Looks(ctx, v.installation, keys)
	if err != nil {
		return fmt.Errorf("recalling trees: %w", err)
	}
	// A failure cuts none of the others off, of which there are few: GitHub has
	// counted them.
	var g errgroup.Group
	var mu sync.Mutex
	fresh := map[string][]byte{}
	for _, b := range some {
		if t := unpack(known[treeKey(b)], b.overview.Tree); t != nil {
			b.tree = t
			continue
		}
		g.Go(func() error {
			t, err := v.client.Tree(ctx, b.overview.Repo, b.overview.Tree)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				return s.skip(ctx, b, fmt.Errorf("reading the tree: %w", err))
			}
			b.tree = t
			if packed := pack(t, b.overview.Tree); packed != nil {
				fresh[treeKey(b)] = packed
			}
			return nil
		})
	}
	// What was read is remembered even when a limit ended the reading.
	failed := g.Wait()
	if len(fresh) > 0 {
		if err := s.c.Memory.PutLooks(context.WithoutCancel(ctx), v.installation, fresh); err != nil && failed == nil {
			return fmt.Errorf("remembering trees: %w", err)
		}
	}
	return failed
}

func treeKey(b *subject) string { return "tree v1 " + b.overview.Tree }

// packed is a tree as it is remembered, in JSON and gzip.
type packed struct {
	Of      string            `json:"of"` // object id
	Entries []githubapi.Entry `json:"entries"`
}

// pack returns nil for what is not remembered: a tree that was not read as a
// whole. The memory leaves out what is over its bound.
func pack(t *githubapi.Tree, of string) []byte {
	if t.Incomplete() {
		return nil
	}
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		return nil
	}
	if json.NewEncoder(z).Encode(packed{of, t.Entries}) != nil || z.Close() != nil {
		return nil
	}
	return b.Bytes()
}

// unpack returns nil for what cannot be read, or is another tree.
func unpack(raw []byte, of string) *githubapi.Tree {
	const most = 64 << 20 // bytes; GitHub's largest answers stay far below
	if len(raw) == 0 {
		return nil
	}
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil
	}
	text, err := io.ReadAll(io.LimitReader(z, most)) // to the end, where the checksum is
	if err != nil {
		return nil
	}
	var p packed
	if json.Unmarshal(text, &p) != nil || p.Of != of {
		return nil
	}
	return &githubapi.Tree{SHA: of, Entries: p.Entries}
}
