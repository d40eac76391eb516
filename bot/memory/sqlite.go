package memory

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/rs/zerolog"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"dhibot/bot/internal/sqlitefile"
)

// readers is how many calls read at once; they wait for no writer.
const readers = 4

// openSQLite opens the file name, or begins it anew when it is not a sound
// database, or still the one that was found damaged while it was in use.
func openSQLite(ctx context.Context, name string, was *database, log zerolog.Logger) (*database, error) {
	path, err := sqlitefile.Create(name)
	if err != nil {
		return nil, err
	}
	// Processes that find the damage together move one file aside, not two.
	unlock, err := sqlitefile.Lock(ctx, path+".migrate")
	if err != nil {
		return nil, fmt.Errorf("migration lock: %w", err)
	}
	defer unlock()
	file, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if was == nil || !os.SameFile(was.file, file) {
		d, err := openFile(ctx, path)
		if err == nil || !sqliteDamaged(err) {
			return d, err
		}
		log.Warn().Err(err).Msg("the memory of scans is damaged")
	}
	if err := moveAside(path); err != nil {
		return nil, fmt.Errorf("moving the damaged memory aside: %w", err)
	}
	log.Warn().Str("kept", path+damagedSuffix).Msg("the damaged memory of scans was moved aside and is begun anew")
	if path, err = sqlitefile.Create(path); err != nil {
		return nil, err
	}
	return openFile(ctx, path)
}

// openFile opens one connection that writes and some that read. WAL with
// synchronous=NORMAL: a power cut costs the newest commits and damages nothing.
// auto_vacuum has to be set before the first table exists.
func openFile(ctx context.Context, path string) (*database, error) {
	file, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	writer, err := sql.Open("sqlite", sqlitefile.DSN(path, "auto_vacuum(INCREMENTAL)", "journal_mode(WAL)", "synchronous(NORMAL)", "journal_size_limit(67108864)"))
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	reader, err := sql.Open("sqlite", sqlitefile.DSN(path, "query_only(1)"))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening %s: %w", path, err), writer.Close())
	}
	writer.SetMaxOpenConns(1)
	reader.SetMaxOpenConns(readers)
	reader.SetMaxIdleConns(readers)
	d := &database{reader: reader, writer: writer, file: file, dialect: dialect{
		bytes: "BLOB", text: "TEXT",
		among:   "key IN (SELECT value FROM json_each($2))",
		texts:   jsonTexts,
		insert:  sqliteInsert,
		again:   func(error) bool { return false }, // the only writer loses to nobody
		damaged: sqliteDamaged,
		gone:    func() bool { return replaced(path, file) },
		shrink:  sqliteShrink,
	}}
	if err := createTables(ctx, d); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), d.close())
	}
	return d, nil
}

const damagedSuffix = ".damaged"

// moveAside renames a damaged file, over the last such file, so that there is
// at most one. A process that still has it open keeps using it under its new
// name: SQLite leaves the -wal of a moved file alone.
func moveAside(path string) error {
	for _, suffix := range []string{"", "-wal"} {
		to := path + damagedSuffix + suffix
		if err := os.Remove(to); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := os.Rename(path+suffix, to); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := os.Remove(path + "-shm"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// replaced reports whether another file is at path, or none: somebody threw
// the memory away.
func replaced(path string, file os.FileInfo) bool {
	now, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(now, file)
}

// sqliteDamaged reports whether err says that the file is no sound database.
func sqliteDamaged(err error) bool {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return false
	}
	primary := e.Code() & 0xff // the rest is detail: sqlite.org/rescode.html
	return primary == sqlite3.SQLITE_CORRUPT || primary == sqlite3.SQLITE_NOTADB
}

// jsonTexts is for json_each. Keys are valid UTF-8, which JSON keeps.
func jsonTexts(texts []string) any {
	b, _ := json.Marshal(texts) // strings can be marshalled
	return string(b)
}

func sqliteInsert(ctx context.Context, t *sql.Tx, s shelf, installation, today int64, keys []string, values [][]byte) error {
	stmt, err := t.PrepareContext(ctx, "INSERT INTO "+s.table+` (installation, key, size, used, data) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (installation, key) DO UPDATE SET size = excluded.size, used = excluded.used, data = excluded.data`)
	if err != nil {
		return err
	}
	defer stmt.Close()
	for i, key := range keys {
		if _, err := stmt.ExecContext(ctx, installation, key, size(key, values[i]), today, values[i]); err != nil {
			return err
		}
	}
	return nil
}

// sqliteShrink gives pages that Trim emptied back to the disk, some at a time.
func sqliteShrink(ctx context.Context, db *sql.DB) error {
	for {
		var before, after int64
		if err := db.QueryRowContext(ctx, "PRAGMA freelist_count").Scan(&before); err != nil {
			return err
		}
		if before == 0 {
			return nil
		}
		if _, err := db.ExecContext(ctx, "PRAGMA incremental_vacuum(1000)"); err != nil {
			return err
		}
		if err := db.QueryRowContext(ctx, "PRAGMA freelist_count").Scan(&after); err != nil {
			return err
		}
		if after >= before { // somebody else emptied more meanwhile: next time
			return nil
		}
	}
}
