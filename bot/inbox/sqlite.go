package inbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

type sqliteDB struct {
	*riverQueue[*sql.Tx]
	db    *sql.DB
	lease *sql.DB
	path  string
}

// openSQLiteFile opens one connection. WAL with synchronous=FULL: a commit is
// on the disk when it returns. One connection, because SQLite has one writer
// and four waiting for each other were slower and twenty times less even.
// Transactions begin as writers: one that begins as a reader cannot become one
// while another writes.
func openSQLiteFile(ctx context.Context, path string) (*sql.DB, error) {
	// url.PathEscape keeps '?' and '#' in file names out of the URI's syntax.
	name := strings.ReplaceAll(url.PathEscape(path), "%2F", "/")
	dsn := "file:" + name + "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate"
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("inbox: opening %s: %w", path, err)
	}
	db.SetMaxOpenConns(1)
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("inbox: opening %s: %w", path, err), db.Close())
	}
	return db, nil
}

func openSQLite(ctx context.Context, path string, opt options) (_ database, err error) {
	if path == "" || strings.HasPrefix(path, ":memory:") {
		return nil, errors.New("inbox: sqlite needs a file name: what is only in memory is not kept")
	}
	if path, err = filepath.Abs(path); err != nil {
		return nil, fmt.Errorf("inbox: sqlite file: %w", err)
	}
	s := &sqliteDB{path: path}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.db, err = openSQLiteFile(ctx, path); err != nil {
		return nil, err
	}
	if s.lease, err = openSQLiteFile(ctx, path); err != nil {
		return nil, err
	}
	driver := func() riverdriver.Driver[*sql.Tx] { return riversqlite.New(s.db) }
	s.riverQueue, err = newRiverQueue(opt, driver,
		func(t tx) *sql.Tx { return t.(sqlTx).Tx },
		river.JobCompleteTx[*riversqlite.Driver, *sql.Tx, laneArgs])
	if err != nil {
		return nil, err
	}
	return s, s.migrate(ctx, opt)
}

// migrate runs under a file lock, since River migrates in one transaction per
// step and two processes may start together.
func (s *sqliteDB) migrate(ctx context.Context, opt options) error {
	unlock, err := lockFile(ctx, s.path+".migrate")
	if err != nil {
		return fmt.Errorf("inbox: migration lock: %w", err)
	}
	defer unlock()
	m, err := rivermigrate.New(riversqlite.New(s.db), &rivermigrate.Config{Logger: opt.slog()})
	if err != nil {
		return fmt.Errorf("inbox: migrations: %w", err)
	}
	if _, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("inbox: migrating the job tables: %w", err)
	}
	return s.inTx(ctx, func(t tx) error {
		return createTables(ctx, s, t, "INTEGER PRIMARY KEY AUTOINCREMENT", "BLOB")
	})
}

func (s *sqliteDB) insertNew(ctx context.Context, t tx, rows []row) ([]string, error) {
	var stored []string
	for _, r := range rows {
		seq, ok, err := r.insert(ctx, t)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		if _, err := t.exec(ctx, "INSERT INTO inbox_body (seq, body) VALUES ($1, $2)", seq, r.body); err != nil {
			return nil, err
		}
		stored = append(stored, r.guid)
	}
	return stored, nil
}

func (s *sqliteDB) hasTable(ctx context.Context, t tx, name string) (bool, error) {
	_, ok, err := one[int64](ctx, t, "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = $1", name)
	return ok, err
}

func (s *sqliteDB) dialect() dialect {
	return dialect{
		nowMicros: "CAST(unixepoch('subsec') * 1000000 AS INTEGER)",
		forUpdate: "", // a transaction that has begun is the only writer
		lastOwner: "json_extract(attempted_by, '$[#-1]')",
		argsText:  "json(args)",
		riverNow:  "datetime('now', 'subsec')",
		aliveDir:  filepath.Dir(s.path),
	}
}

func (s *sqliteDB) committers() int { return 1 }

func (s *sqliteDB) inTx(ctx context.Context, f func(tx) error) error {
	return sqlInTx(ctx, s.db, f)
}

func (s *sqliteDB) inLeaseTx(ctx context.Context, f func(tx) error) error {
	return sqlInTx(ctx, s.lease, f)
}

func sqlInTx(ctx context.Context, db *sql.DB, f func(tx) error) error {
	t, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := f(sqlTx{t}); err != nil {
		_ = t.Rollback() // the error of f says more
		return err
	}
	if err := t.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

func (s *sqliteDB) close() error {
	var errs []error
	for _, db := range []*sql.DB{s.lease, s.db} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}

type sqlTx struct{ *sql.Tx }

func (t sqlTx) exec(ctx context.Context, query string, args ...any) (int64, error) {
	r, err := t.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

func (t sqlTx) query(ctx context.Context, row func(func(...any) error) error, query string, args ...any) error {
	rows, err := t.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

func micros(t time.Time) int64     { return t.UnixMicro() }
func fromMicros(n int64) time.Time { return time.UnixMicro(n).UTC() }
