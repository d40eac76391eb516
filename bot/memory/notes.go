package memory

import (
	"context"
	"fmt"
)

// Note returns the document that PutNote stored under the name, the progress of
// a pass, say; ok is false when there is none. Names are checked as the keys of
// Looks.
func (s *Store) Note(ctx context.Context, installation int64, name string) (doc []byte, ok bool, err error) {
	if err := owner(installation); err != nil {
		return nil, false, err
	}
	if err := checkKey(name); err != nil {
		return nil, false, err
	}
	found, err := s.get(ctx, noteShelf(), installation, []string{name})
	if err != nil {
		return nil, false, fmt.Errorf("memory: reading the note %s: %w", name, err)
	}
	doc, ok = found[name]
	return doc, ok, nil
}

// PutNote stores a document of at most 1 MiB under a name, in place of what is
// there.
func (s *Store) PutNote(ctx context.Context, installation int64, name string, doc []byte) error {
	if err := owner(installation); err != nil {
		return err
	}
	if err := checkKey(name); err != nil {
		return err
	}
	if err := checkDocument(doc); err != nil {
		return err
	}
	if err := s.put(ctx, noteShelf(), installation, map[string][]byte{name: doc}); err != nil {
		return fmt.Errorf("memory: writing the note %s: %w", name, err)
	}
	return nil
}
