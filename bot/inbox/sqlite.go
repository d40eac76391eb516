package inbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"dhibot/bot/internal/rows"
	"dhibot/bot/internal/sqlitefile"
)

type sqliteDB struct {
	*riverQueue[*sql.Tx]
	db    *sql.DB
	lease *sql.DB
	path  string
	known *statements // of db
}

// statements are prepared once per connection: parsing was a quarter of the
// work of storing a delivery. A statement is prepared before the next
// transaction after the one that first used it, because with one connection
// nothing can be prepared while a transaction has it.
type statements struct {
	mu    sync.Mutex
	ready map[string]*sql.Stmt
	seen  map[string]bool
}

// statementsMost bounds what is kept: our queries are constants, but for the
// few forms of List.
const statementsMost = 100

// prepare readies what was used since. It may have to wait for the connection,
// whose transaction calls find: so not under the lock.
func (s *statements) prepare(ctx context.Context, db *sql.DB) error {
	s.mu.Lock()
	seen := s.seen
	s.seen = map[string]bool{}
	s.mu.Unlock()
	for query := range seen {
		stmt, err := db.PrepareContext(ctx, query)
		if err != nil {
			return fmt.Errorf("prepare: %w", err)
		}
		s.mu.Lock()
		twice := s.ready[query] != nil // somebody was faster
		if !twice {
			s.ready[query] = stmt
		}
		s.mu.Unlock()
		if twice {
			_ = stmt.Close() // there is another one
		}
	}
	return nil
}

// find returns the prepared query, or nil and remembers to prepare it.
func (s *statements) find(query string) *sql.Stmt {
	s.mu.Lock()
	defer s.mu.Unlock()
	stmt := s.ready[query]
	if stmt == nil && len(s.ready)+len(s.seen) < statementsMost && !strings.HasPrefix(strings.TrimSpace(query), "CREATE") {
		s.seen[query] = true
	}
	return stmt
}

// openSQLiteFile opens one connection. WAL with synchronous=FULL: a commit is
// on the disk when it returns. One connection, because SQLite has one writer
// and four waiting for each other were slower and twenty times less even.
func openSQLiteFile(ctx context.Context, path string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", sqlitefile.DSN(path, "journal_mode(WAL)", "synchronous(FULL)"))
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
	if path, err = sqlitefile.Create(path); err != nil {
		return nil, fmt.Errorf("inbox: %w", err)
	}
	s := &sqliteDB{path: path, known: &statements{ready: map[string]*sql.Stmt{}, seen: map[string]bool{}}}
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
	unlock, err := sqlitefile.Lock(ctx, s.path+".migrate")
	if err != nil {
		return fmt.Errorf("inbox: migration lock: %w", err)
	}
	defer unlock()
	if err := migrateJobs(ctx, riversqlite.New(s.db), opt); err != nil {
		return err
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
func (s *sqliteDB) recorders() int  { return 1 }

func (s *sqliteDB) inTx(ctx context.Context, f func(tx) error) error {
	if err := s.known.prepare(ctx, s.db); err != nil {
		return err
	}
	return sqlInTx(ctx, s.db, s.known, false, f)
}

func (s *sqliteDB) read(ctx context.Context, f func(tx) error) error {
	if err := s.known.prepare(ctx, s.db); err != nil {
		return err
	}
	return sqlInTx(ctx, s.db, s.known, true, f)
}

func (s *sqliteDB) inLeaseTx(ctx context.Context, f func(tx) error) error {
	return sqlInTx(ctx, s.lease, nil, false, f)
}

func sqlInTx(ctx context.Context, db *sql.DB, known *statements, readOnly bool, f func(tx) error) error {
	t, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: readOnly}) // read-only: begin without "immediate"
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := f(sqlTx{t, known}); err != nil {
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
	for _, stmt := range s.known.ready {
		errs = append(errs, stmt.Close())
	}
	for _, db := range []*sql.DB{s.lease, s.db} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}

type sqlTx struct {
	*sql.Tx
	known *statements // nil: nothing is prepared
}

func (t sqlTx) prepared(ctx context.Context, query string) *sql.Stmt {
	if t.known == nil {
		return nil
	}
	stmt := t.known.find(query)
	if stmt == nil {
		return nil
	}
	return t.StmtContext(ctx, stmt)
}

func (t sqlTx) exec(ctx context.Context, query string, args ...any) (int64, error) {
	var r sql.Result
	var err error
	if stmt := t.prepared(ctx, query); stmt != nil {
		r, err = stmt.ExecContext(ctx, args...)
	} else {
		r, err = t.ExecContext(ctx, query, args...)
	}
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

func (t sqlTx) query(ctx context.Context, row func(func(...any) error) error, query string, args ...any) error {
	var answer *sql.Rows
	var err error
	if stmt := t.prepared(ctx, query); stmt != nil {
		answer, err = stmt.QueryContext(ctx, args...)
	} else {
		answer, err = t.QueryContext(ctx, query, args...)
	}
	if err != nil {
		return err
	}
	defer answer.Close()
	return rows.Each(answer, row)
}

func micros(t time.Time) int64     { return t.UnixMicro() }
func fromMicros(n int64) time.Time { return time.UnixMicro(n).UTC() }
