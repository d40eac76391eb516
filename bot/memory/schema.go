package memory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// schemaVersion counts shapes of the tables. Those of an older version are
// dropped and begun anew: it is a cache.
const schemaVersion = 1

// A table per shelf, all alike. used is the day of the last use, days since
// 1970; size is what the row counts for in the bounds. data comes last, so that
// SQLite reads the others without it.
const tableSQL = `CREATE TABLE {TABLE} (
  installation BIGINT NOT NULL,
  key {TEXT} NOT NULL,
  size BIGINT NOT NULL,
  used BIGINT NOT NULL,
  data {BYTES} NOT NULL,
  PRIMARY KEY (installation, key)
)`

// The index answers what is old and how much there is without reading rows.
const indexSQL = "CREATE INDEX {TABLE}_used ON {TABLE} (used, size)"

// createTables brings the tables to schemaVersion, one process at a time.
func createTables(ctx context.Context, d *database) error {
	err := d.inTx(ctx, func(t *sql.Tx) error {
		if d.lock != "" {
			if _, err := t.ExecContext(ctx, d.lock); err != nil {
				return fmt.Errorf("lock: %w", err)
			}
		}
		if _, err := t.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS memory_version (version BIGINT NOT NULL)"); err != nil {
			return err
		}
		var version int64
		switch err := t.QueryRowContext(ctx, "SELECT version FROM memory_version").Scan(&version); {
		case err != nil && !errors.Is(err, sql.ErrNoRows):
			return err
		case version == schemaVersion:
			return nil
		case version > schemaVersion:
			return fmt.Errorf("they were written by a newer dhibot (version %d, this one knows %d); without the tables memory_* it begins anew", version, schemaVersion)
		}
		var all []string
		for _, s := range shelves() {
			all = append(all, "DROP TABLE IF EXISTS "+s.table,
				strings.NewReplacer("{TABLE}", s.table, "{TEXT}", d.text, "{BYTES}", d.bytes).Replace(tableSQL))
			if s.bounded {
				all = append(all, strings.ReplaceAll(indexSQL, "{TABLE}", s.table))
			}
		}
		all = append(all, "DELETE FROM memory_version", fmt.Sprintf("INSERT INTO memory_version (version) VALUES (%d)", schemaVersion))
		for _, statement := range all {
			if _, err := t.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("tables: %w", err)
	}
	return nil
}
