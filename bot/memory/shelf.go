package memory

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
)

// shelf is one of the tables. They differ in what their keys mean, how a value
// is known to be sound, and whether Trim looks at them.
type shelf struct {
	table   string
	bounded bool // Trim deletes what is old, so use is noted
	// seal is what is stored of value, and unseal the way back; ok is false
	// for what is not what was stored under this key.
	seal   func(s shelf, installation int64, key string, value []byte) []byte
	unseal func(s shelf, installation int64, key string, stored []byte) (value []byte, ok bool)
}

func blobShelf() shelf {
	return shelf{table: "memory_blob", bounded: true, seal: plain, unseal: unsealBlob}
}
func lookShelf() shelf {
	return shelf{table: "memory_look", bounded: true, seal: sealSum, unseal: unsealSum}
}
func ledgerShelf() shelf {
	return shelf{table: "memory_repository", seal: sealSum, unseal: unsealSum}
}
func noteShelf() shelf {
	return shelf{table: "memory_note", seal: sealSum, unseal: unsealSum}
}

func shelves() []shelf { return []shelf{blobShelf(), lookShelf(), ledgerShelf(), noteShelf()} }

// One statement or transaction deals with at most so many rows and bytes, so
// that nobody waits long for it.
const (
	rowsMost  = 500
	bytesMost = 8 << 20
)

// rowCost is about what a row costs besides its key and data, with its indexes.
const rowCost = 100

// size is what a row counts for in the bounds.
func size(key string, stored []byte) int64 { return int64(len(key) + len(stored) + rowCost) }

// get returns the values of keys, without those that are not there. Keys are
// valid. On a bounded shelf it notes their use, once a day.
func (s *Store) get(ctx context.Context, h shelf, installation int64, keys []string) (map[string][]byte, error) {
	found := make(map[string][]byte, len(keys))
	keys = slices.Compact(slices.Sorted(slices.Values(keys)))
	for chunk := range slices.Chunk(keys, rowsMost) {
		if err := s.getChunk(ctx, h, installation, chunk, found); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func (s *Store) getChunk(ctx context.Context, h shelf, installation int64, keys []string, found map[string][]byte) error {
	today := s.opt.today()
	var stale, damaged []string
	err := s.use(ctx, func(d *database) error {
		stale, damaged = nil, nil
		rows, err := d.reader.QueryContext(ctx, "SELECT key, used, data FROM "+h.table+" WHERE installation = $1 AND "+d.among, installation, d.texts(keys))
		return each(rows, err, func(scan func(...any) error) error {
			var key string
			var used int64
			var stored []byte
			if err := scan(&key, &used, &stored); err != nil {
				return err
			}
			value, ok := h.unseal(h, installation, key, stored)
			switch {
			case !ok:
				damaged = append(damaged, key)
				return nil
			case h.bounded && used < today:
				stale = append(stale, key)
			}
			found[key] = value
			return nil
		})
	})
	if err != nil {
		return err
	}
	s.tidy(ctx, h, installation, today, stale, damaged)
	return nil
}

// tidy follows a read: it notes the use of stale rows and deletes damaged ones.
// The read has succeeded, so a failure is only logged.
func (s *Store) tidy(ctx context.Context, h shelf, installation, today int64, stale, damaged []string) {
	if len(damaged) > 0 {
		s.warnDamaged(h, installation, len(damaged))
	}
	if !h.bounded { // the next write replaces it
		damaged = nil
	}
	if len(stale)+len(damaged) == 0 {
		return
	}
	err := s.use(ctx, func(d *database) error {
		return d.inTx(ctx, func(t *sql.Tx) error {
			if len(damaged) > 0 {
				if _, err := t.ExecContext(ctx, "DELETE FROM "+h.table+" WHERE installation = $1 AND "+d.among, installation, d.texts(damaged)); err != nil {
					return err
				}
			}
			if len(stale) == 0 {
				return nil
			}
			// Who has the row now notes its use, too.
			_, err := t.ExecContext(ctx, "UPDATE "+h.table+" SET used = $3 WHERE installation = $1 AND key IN (SELECT key FROM "+h.table+
				" WHERE installation = $1 AND "+d.among+" AND used < $3"+d.skipLocked+")", installation, d.texts(stale), today)
			return err
		})
	})
	if err != nil && ctx.Err() == nil {
		s.opt.log.Warn().Err(err).Str("table", h.table).Msg("cannot note the use of what scans remember")
	}
}

func (s *Store) warnDamaged(h shelf, installation int64, n int) {
	s.opt.log.Warn().Str("table", h.table).Int64("installation", installation).Int("rows", n).Msg("what scans remember was damaged and is left out")
}

// put stores values, in transactions of bounded size.
func (s *Store) put(ctx context.Context, h shelf, installation int64, values map[string][]byte) error {
	today := s.opt.today()
	keys := slices.Sorted(maps.Keys(values))
	for len(keys) > 0 {
		var stored [][]byte
		for total := 0; len(stored) < min(len(keys), rowsMost) && total < bytesMost; {
			key := keys[len(stored)]
			v := h.seal(h, installation, key, values[key])
			stored, total = append(stored, v), total+len(v)
		}
		chunk := keys[:len(stored)]
		keys = keys[len(stored):]
		err := s.use(ctx, func(d *database) error {
			return d.inTx(ctx, func(t *sql.Tx) error { return d.insert(ctx, t, h, installation, today, chunk, stored) })
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// remove deletes rows, in transactions of bounded size.
func (s *Store) remove(ctx context.Context, h shelf, installation int64, keys []string) error {
	for chunk := range slices.Chunk(slices.Sorted(slices.Values(keys)), rowsMost) {
		err := s.use(ctx, func(d *database) error {
			return d.inTx(ctx, func(t *sql.Tx) error {
				_, err := t.ExecContext(ctx, "DELETE FROM "+h.table+" WHERE installation = $1 AND "+d.among, installation, d.texts(chunk))
				return err
			})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// owner refuses what is no installation: contents whose owner is unknown would
// otherwise be shared by everybody whose owner is.
func owner(installation int64) error {
	if installation <= 0 {
		return fmt.Errorf("%w: no installation %d", ErrInvalid, installation)
	}
	return nil
}
