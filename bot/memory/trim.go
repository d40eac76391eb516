package memory

import (
	"context"
	"database/sql"
	"fmt"
)

// Trim deletes contents and looks that were not used for long, and then those
// used least recently until the rest is within the bounds. It works in small
// transactions, and in several replicas at once. Ledgers and notes stay until
// they are deleted.
func (s *Store) Trim(ctx context.Context) error {
	oldest := s.opt.today() - int64(s.opt.bounds.Unused/day)
	for _, of := range []struct {
		shelf shelf
		most  int64
	}{{blobShelf(), s.opt.bounds.BlobBytes}, {lookShelf(), s.opt.bounds.LookBytes}} {
		for more := true; more; {
			err := s.use(ctx, func(d *database) (err error) {
				more, err = trimSome(ctx, d, of.shelf, oldest, of.most)
				return err
			})
			if err != nil {
				return fmt.Errorf("memory: trimming %s: %w", of.shelf.table, err)
			}
		}
	}
	if err := s.use(ctx, func(d *database) error { return d.shrink(ctx, d.writer) }); err != nil {
		return fmt.Errorf("memory: shrinking: %w", err)
	}
	return nil
}

// trimSome deletes some rows, the oldest first. more is false when nothing is
// left to be deleted, or when all that was to be deleted has been used since or is
// in somebody's hands.
func trimSome(ctx context.Context, d *database, h shelf, oldest, most int64) (more bool, err error) {
	keys, lastUsed, err := surplus(ctx, d, h, oldest, most)
	if err != nil || len(keys) == 0 {
		return false, err
	}
	n, err := deleteUnused(ctx, d, h, keys, lastUsed)
	return n > 0, err
}

// surplus returns some keys by installation that have to go, those used least
// recently, and the day on which the last of them was used.
func surplus(ctx context.Context, d *database, h shelf, oldest, most int64) (keys map[int64][]string, lastUsed int64, err error) {
	// Asked each time: another replica may be trimming, too.
	var total int64
	if err := d.reader.QueryRowContext(ctx, "SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM "+h.table).Scan(&total); err != nil {
		return nil, 0, err
	}
	keys = map[int64][]string{}
	rows, err := d.reader.QueryContext(ctx, "SELECT installation, key, size, used FROM "+h.table+" ORDER BY used LIMIT $1", rowsMost)
	err = each(rows, err, func(scan func(...any) error) error {
		var installation, size, used int64
		var key string
		if err := scan(&installation, &key, &size, &used); err != nil {
			return err
		}
		if used >= oldest && total <= most {
			return nil
		}
		total -= size
		keys[installation] = append(keys[installation], key)
		lastUsed = used
		return nil
	})
	return keys, lastUsed, err
}

// deleteUnused deletes rows, but for those that were used after the given day or
// that another transaction has, and returns how many. It waits for no row while
// it has others: whoever writes many of them at once would wait for it in turn.
func deleteUnused(ctx context.Context, d *database, h shelf, keys map[int64][]string, lastUsed int64) (n int64, err error) {
	err = d.inTx(ctx, func(t *sql.Tx) error {
		n = 0
		for installation, keys := range keys {
			r, err := t.ExecContext(ctx, "DELETE FROM "+h.table+" WHERE installation = $1 AND key IN (SELECT key FROM "+h.table+
				" WHERE installation = $1 AND "+d.among+" AND used <= $3"+d.skipLocked+")", installation, d.texts(keys), lastUsed)
			if err != nil {
				return err
			}
			gone, err := r.RowsAffected()
			if err != nil {
				return err
			}
			n += gone
		}
		return nil
	})
	return n, err
}

// Forget deletes everything of an installation, in small transactions. A pass
// that is still under way may write again: stop it first.
func (s *Store) Forget(ctx context.Context, installation int64) error {
	if err := owner(installation); err != nil {
		return err
	}
	for _, h := range shelves() {
		for more := true; more; {
			err := s.use(ctx, func(d *database) error {
				return d.inTx(ctx, func(t *sql.Tx) error {
					r, err := t.ExecContext(ctx, "DELETE FROM "+h.table+" WHERE installation = $1 AND key IN (SELECT key FROM "+h.table+
						" WHERE installation = $1 ORDER BY key LIMIT $2)", installation, rowsMost)
					if err != nil {
						return err
					}
					n, err := r.RowsAffected()
					more = n > 0
					return err
				})
			})
			if err != nil {
				return fmt.Errorf("memory: forgetting an installation: %w", err)
			}
		}
	}
	return nil
}
