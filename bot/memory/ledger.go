package memory

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
)

func repositoryKey(id int64) (string, error) {
	if id <= 0 {
		return "", fmt.Errorf("%w: no repository %d", ErrInvalid, id)
	}
	return strconv.FormatInt(id, 10), nil
}

func checkDocument(doc []byte) error {
	if len(doc) > valueMost {
		return fmt.Errorf("%w: a document of %d bytes, at most %d are kept", ErrInvalid, len(doc), valueMost)
	}
	return nil
}

// Repositories returns the documents of all repositories of an installation,
// by repository id, in one read.
func (s *Store) Repositories(ctx context.Context, installation int64) (map[int64][]byte, error) {
	if err := owner(installation); err != nil {
		return nil, err
	}
	h := ledgerShelf()
	var docs map[int64][]byte
	var damaged int
	err := s.use(ctx, func(d *database) error {
		docs, damaged = map[int64][]byte{}, 0
		rows, err := d.reader.QueryContext(ctx, "SELECT key, data FROM "+h.table+" WHERE installation = $1", installation)
		return each(rows, err, func(scan func(...any) error) error {
			var key string
			var stored []byte
			if err := scan(&key, &stored); err != nil {
				return err
			}
			doc, ok := h.unseal(h, installation, key, stored)
			id, err := strconv.ParseInt(key, 10, 64)
			if !ok || err != nil {
				damaged++
				return nil
			}
			docs[id] = doc
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("memory: reading the ledger: %w", err)
	}
	if damaged > 0 {
		s.warnDamaged(h, installation, damaged)
	}
	return docs, nil
}

// Repository returns the document of one repository; ok is false when there is
// none.
func (s *Store) Repository(ctx context.Context, installation, repository int64) (doc []byte, ok bool, err error) {
	if err := owner(installation); err != nil {
		return nil, false, err
	}
	key, err := repositoryKey(repository)
	if err != nil {
		return nil, false, err
	}
	found, err := s.get(ctx, ledgerShelf(), installation, []string{key})
	if err != nil {
		return nil, false, fmt.Errorf("memory: reading the ledger: %w", err)
	}
	doc, ok = found[key]
	return doc, ok, nil
}

// PutRepositories stores documents of repositories in place of what is there.
// Documents are opaque and have at most 1 MiB each; when one has more, nothing
// is stored. Many documents are stored in several transactions.
func (s *Store) PutRepositories(ctx context.Context, installation int64, docs map[int64][]byte) error {
	if err := owner(installation); err != nil {
		return err
	}
	keep := make(map[string][]byte, len(docs))
	for id, doc := range docs {
		key, err := repositoryKey(id)
		if err != nil {
			return err
		}
		if err := checkDocument(doc); err != nil {
			return err
		}
		keep[key] = doc
	}
	if err := s.put(ctx, ledgerShelf(), installation, keep); err != nil {
		return fmt.Errorf("memory: writing the ledger: %w", err)
	}
	return nil
}

// DeleteRepositories forgets documents of repositories, known or not.
func (s *Store) DeleteRepositories(ctx context.Context, installation int64, repositories []int64) error {
	if err := owner(installation); err != nil {
		return err
	}
	keys := make([]string, len(repositories))
	for i, id := range repositories {
		keys[i] = strconv.FormatInt(id, 10)
	}
	if err := s.remove(ctx, ledgerShelf(), installation, keys); err != nil {
		return fmt.Errorf("memory: deleting from the ledger: %w", err)
	}
	return nil
}

// Change replaces the document of a repository by what f makes of it. Between
// f's reading and its writing nobody else writes that document, in any replica.
// old is nil when there is none; a nil result deletes it; an error of f changes
// nothing and is returned, wrapped.
//
// f runs inside of a transaction, in SQLite the only one that writes: it must
// be quick and must not use the Store. It may be called more than once.
func (s *Store) Change(ctx context.Context, installation, repository int64, f func(old []byte) ([]byte, error)) error {
	if err := owner(installation); err != nil {
		return err
	}
	key, err := repositoryKey(repository)
	if err != nil {
		return err
	}
	err = s.use(ctx, func(d *database) error {
		return d.inTx(ctx, func(t *sql.Tx) error { return s.change(ctx, d, t, ledgerShelf(), installation, key, f) })
	})
	if err != nil {
		return fmt.Errorf("memory: changing the ledger: %w", err)
	}
	return nil
}

func (s *Store) change(ctx context.Context, d *database, t *sql.Tx, h shelf, installation int64, key string, f func([]byte) ([]byte, error)) error {
	stored, err := claim(ctx, d, t, h, installation, key)
	if err != nil {
		return err
	}
	old, ok := h.unseal(h, installation, key, stored)
	if !ok {
		if old = nil; len(stored) > 0 {
			s.warnDamaged(h, installation, 1)
		}
	}
	changed, err := f(bytes.Clone(old))
	switch {
	case err != nil:
		return err
	case changed == nil:
		_, err := t.ExecContext(ctx, "DELETE FROM "+h.table+" WHERE installation = $1 AND key = $2", installation, key)
		return err
	case ok && bytes.Equal(old, changed):
		return nil
	}
	if err := checkDocument(changed); err != nil {
		return err
	}
	return d.insert(ctx, t, h, installation, s.opt.today(), []string{key}, [][]byte{h.seal(h, installation, key, changed)})
}

// claim returns the stored row, which nobody else can write until the end of
// the transaction. Where there is none it makes an empty one that never leaves
// the transaction: what does not exist cannot be locked.
func claim(ctx context.Context, d *database, t *sql.Tx, h shelf, installation int64, key string) ([]byte, error) {
	for {
		var stored []byte
		err := t.QueryRowContext(ctx, "SELECT data FROM "+h.table+" WHERE installation = $1 AND key = $2"+d.forUpdate, installation, key).Scan(&stored)
		if err == nil || !errors.Is(err, sql.ErrNoRows) {
			return stored, err
		}
		r, err := t.ExecContext(ctx, "INSERT INTO "+h.table+" (installation, key, size, used, data) VALUES ($1, $2, 0, 0, $3) ON CONFLICT (installation, key) DO NOTHING", installation, key, []byte{})
		if err != nil {
			return nil, err
		}
		if n, err := r.RowsAffected(); err != nil || n == 1 {
			return nil, err
		}
		// Somebody inserted the row meanwhile; it may even be gone again.
	}
}
