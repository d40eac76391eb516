package memory

import (
	"context"
	"fmt"
	"slices"
)

// valueMost is the longest content and document that is kept, in bytes.
const valueMost = 1 << 20

// Blobs returns the contents of the files with these git object ids (40 or 64
// lower-case hex digits), as far as they are known in this installation. What
// is returned was checked against its id and belongs to the caller. It notes
// that they were used.
func (s *Store) Blobs(ctx context.Context, installation int64, shas []string) (map[string][]byte, error) {
	if err := owner(installation); err != nil {
		return nil, err
	}
	known := slices.DeleteFunc(slices.Clone(shas), func(id string) bool { return !objectID(id) })
	found, err := s.get(ctx, blobShelf(), installation, known)
	if err != nil {
		return nil, fmt.Errorf("memory: reading contents: %w", err)
	}
	return found, nil
}

// PutBlobs keeps contents of an installation by git object id. Those over
// 1 MiB, and those that do not have the id they came with (cut short, say), are
// passed over without an error: they will be asked for again.
func (s *Store) PutBlobs(ctx context.Context, installation int64, blobs map[string][]byte) error {
	if err := owner(installation); err != nil {
		return err
	}
	keep := make(map[string][]byte, len(blobs))
	var wrong int
	for id, content := range blobs {
		switch {
		case len(content) > valueMost:
		case !objectID(id) || !isBlob(id, content):
			wrong++
		default:
			keep[id] = content
		}
	}
	if wrong > 0 {
		s.opt.log.Warn().Int64("installation", installation).Int("contents", wrong).Msg("contents that do not have their object id are not kept")
	}
	if err := s.put(ctx, blobShelf(), installation, keep); err != nil {
		return fmt.Errorf("memory: keeping contents: %w", err)
	}
	return nil
}
