package bench

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"dhibot/bot/inbox/pgserver"
)

// ErrNoDatabase means that there is nothing on this machine to measure with;
// its text says what is missing.
var ErrNoDatabase = pgserver.ErrMissing

// place is where a benchmark stores: an empty database of its own for the
// inbox, and a bare table beside it.
type place struct {
	name  string
	inbox string // URL for inbox.Open
	bare  bare
	undo  []func() error
}

// bare inserts a row into a table of two columns, durably, and nothing else.
type bare func(ctx context.Context, guid string, body []byte) error

// openPlace makes a place. database is "sqlite" (a temporary directory),
// "sqlite:DIRECTORY" (one below it, to measure a certain disk), "postgres" (a
// server started from the machine's binaries), or the URL of a server, where a
// database is created and dropped again. writers is how many will insert at
// once.
func openPlace(ctx context.Context, database string, writers int) (_ *place, err error) {
	p := &place{}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.close())
		}
	}()
	switch scheme, rest, _ := strings.Cut(database, ":"); {
	case scheme == "sqlite":
		p.name = "sqlite"
		return p, p.openSQLite(ctx, strings.TrimPrefix(rest, "//"))
	case database == "postgres":
		server, err := pgserver.Start(ctx)
		if err != nil {
			return nil, err
		}
		p.undo = append(p.undo, func() error { server.Stop(); return nil })
		if p.inbox, err = server.Database(ctx); err != nil {
			return nil, err
		}
	case scheme == "postgres" || scheme == "postgresql":
		if p.inbox, err = p.createDatabase(ctx, database); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("%q is no database that is known: sqlite, postgres, or the URL of a Postgres", name(database))
	}
	p.name = "postgres"
	return p, p.openPostgres(ctx, writers)
}

// close removes everything that the place had made.
func (p *place) close() error {
	var errs []error
	for i := len(p.undo) - 1; i >= 0; i-- {
		errs = append(errs, p.undo[i]())
	}
	return errors.Join(errs...)
}

func (p *place) openSQLite(ctx context.Context, parent string) error {
	dir, err := os.MkdirTemp(parent, "dhibot-bench-")
	if err != nil {
		return fmt.Errorf("a directory for the database: %w", err)
	}
	p.undo = append(p.undo, func() error { return os.RemoveAll(dir) })
	p.inbox = "sqlite:" + filepath.Join(dir, "inbox.db")
	// One connection, a log that is on the disk when a commit returns, and a
	// prepared statement: the best that SQLite can do, and what the inbox has.
	db, err := sql.Open("sqlite", "file:"+strings.ReplaceAll(url.PathEscape(filepath.Join(dir, "bare.db")), "%2F", "/")+
		"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate")
	if err != nil {
		return fmt.Errorf("opening the bare table: %w", err)
	}
	p.undo = append(p.undo, db.Close)
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, "CREATE TABLE bare (guid TEXT PRIMARY KEY, body BLOB NOT NULL)"); err != nil {
		return fmt.Errorf("creating the bare table: %w", err)
	}
	insert, err := db.PrepareContext(ctx, "INSERT INTO bare (guid, body) VALUES ($1, $2)")
	if err != nil {
		return fmt.Errorf("preparing the bare insert: %w", err)
	}
	p.undo = append(p.undo, insert.Close)
	p.bare = func(ctx context.Context, guid string, body []byte) error {
		_, err := insert.ExecContext(ctx, guid, body)
		return err
	}
	return nil
}

// poolSize is that of the inbox.
const poolSize = 10

func (p *place) openPostgres(ctx context.Context, writers int) error {
	c, err := pgxpool.ParseConfig(p.inbox)
	if err != nil {
		return fmt.Errorf("database URL: %w", err) // pgx hides the password
	}
	c.MaxConns = int32(max(poolSize, writers))
	pool, err := pgxpool.NewWithConfig(ctx, c)
	if err != nil {
		return fmt.Errorf("opening the bare table: %w", err)
	}
	p.undo = append(p.undo, func() error { pool.Close(); return nil })
	if _, err := pool.Exec(ctx, "CREATE TABLE bare (guid TEXT PRIMARY KEY, body BYTEA NOT NULL)"); err != nil {
		return fmt.Errorf("creating the bare table: %w", err)
	}
	p.bare = func(ctx context.Context, guid string, body []byte) error {
		_, err := pool.Exec(ctx, "INSERT INTO bare (guid, body) VALUES ($1, $2)", guid, body)
		return err
	}
	return nil
}

// createDatabase makes an empty database on somebody's server, so that no
// table of theirs is touched.
func (p *place) createDatabase(ctx context.Context, server string) (string, error) {
	u, err := url.Parse(server)
	if err != nil {
		return "", errors.New("the URL of the database is malformed") // not the URL itself: it may hold a password
	}
	name := "dhibot_bench_" + strings.ToLower(rand.Text()[:10])
	run := func(ctx context.Context, statement string) error {
		conn, err := pgx.Connect(ctx, server)
		if err != nil {
			return err
		}
		defer conn.Close(ctx)
		_, err = conn.Exec(ctx, statement)
		return err
	}
	if err := run(ctx, "CREATE DATABASE "+name); err != nil {
		return "", fmt.Errorf("creating the database %s: %w", name, err)
	}
	p.undo = append(p.undo, func() error {
		if err := run(context.WithoutCancel(ctx), "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			return fmt.Errorf("dropping the database %s: %w", name, err)
		}
		return nil
	})
	u.Path = "/" + name
	return u.String(), nil
}
