package memory

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"
)

// keyMost is the longest key of a look and name of a note, in bytes.
const keyMost = 512

// checkKey refuses what one of the databases cannot store as text.
func checkKey(key string) error {
	switch {
	case key == "":
		return fmt.Errorf("%w: empty key", ErrInvalid)
	case len(key) > keyMost:
		return fmt.Errorf("%w: a key of %d bytes, at most %d are kept", ErrInvalid, len(key), keyMost)
	case !utf8.ValidString(key) || strings.Contains(key, "\x00"):
		return fmt.Errorf("%w: key %q is no text", ErrInvalid, key)
	}
	return nil
}

// Looks returns what PutLooks kept under the keys, without those that are not
// known, and notes that they were used. It returns ErrInvalid for a key that is
// empty, no text, or longer than 512 bytes.
func (s *Store) Looks(ctx context.Context, installation int64, keys []string) (map[string][]byte, error) {
	if err := owner(installation); err != nil {
		return nil, err
	}
	for _, key := range keys {
		if err := checkKey(key); err != nil {
			return nil, err
		}
	}
	found, err := s.get(ctx, lookShelf(), installation, keys)
	if err != nil {
		return nil, fmt.Errorf("memory: reading looks: %w", err)
	}
	return found, nil
}

// PutLooks keeps what was found in trees. The caller makes the key, of all that
// the finding depends on: the tree, the settings, the version of the engine.
// Values are opaque; those over 1 MiB are passed over. Keys are checked as by
// Looks.
func (s *Store) PutLooks(ctx context.Context, installation int64, looks map[string][]byte) error {
	if err := owner(installation); err != nil {
		return err
	}
	keep := make(map[string][]byte, len(looks))
	for key, value := range looks {
		if err := checkKey(key); err != nil {
			return err
		}
		if len(value) <= valueMost {
			keep[key] = value
		}
	}
	if err := s.put(ctx, lookShelf(), installation, keep); err != nil {
		return fmt.Errorf("memory: keeping looks: %w", err)
	}
	return nil
}
