package inbox

import (
	"context"
	"errors"
	"fmt"
	"os"

	"dhibot/bot/internal/rows"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
)

type postgresDB struct {
	*riverQueue[pgx.Tx]
	pool  *pgxpool.Pool
	lease *pgxpool.Pool
}

// migrateLock is the key of the advisory lock under which processes that start
// together take turns migrating. Any constant that nobody else uses.
const migrateLock = 0x64686962 // "dhib"

func openPostgres(ctx context.Context, databaseURL string, opt options) (_ database, err error) {
	p := &postgresDB{}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.close())
		}
	}()
	if p.pool, err = openPool(ctx, databaseURL, 0); err != nil {
		return nil, err
	}
	if p.lease, err = openPool(ctx, databaseURL, 1); err != nil {
		return nil, err
	}
	driver := func() riverdriver.Driver[pgx.Tx] { return riverpgxv5.New(p.pool) }
	p.riverQueue, err = newRiverQueue(opt, driver,
		func(t tx) pgx.Tx { return t.(pgTx).Tx },
		river.JobCompleteTx[*riverpgxv5.Driver, pgx.Tx, laneArgs])
	if err != nil {
		return nil, err
	}
	return p, p.migrate(ctx, opt)
}

// openPool opens at most size connections; 0 means what the URL says, and at
// least enough for the listener, the committers and the workers' bookkeeping.
func openPool(ctx context.Context, databaseURL string, size int32) (*pgxpool.Pool, error) {
	c, err := pgxpool.ParseConfig(databaseURL)
	if err != nil {
		// pgx hides the password in this error.
		return nil, fmt.Errorf("inbox: database URL: %w", err)
	}
	if size > 0 {
		c.MaxConns, c.MinConns = size, 0
	} else {
		c.MaxConns = max(c.MaxConns, 10)
	}
	pool, err := pgxpool.NewWithConfig(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("inbox: database: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("inbox: database: %w", err)
	}
	return pool, nil
}

func (p *postgresDB) migrate(ctx context.Context, opt options) error {
	conn, err := p.lease.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("inbox: database: %w", err)
	}
	defer conn.Release()
	// A lock of the session, not of a transaction: River's migrations bring
	// their own transactions (a new enum value must be committed before use).
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", migrateLock); err != nil {
		return fmt.Errorf("inbox: migration lock: %w", err)
	}
	defer func() {
		// When this fails the connection is broken, and the lock gone with it.
		_, _ = conn.Exec(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", migrateLock)
	}()
	if err := migrateJobs(ctx, riverpgxv5.New(p.pool), opt); err != nil {
		return err
	}
	return p.inTx(ctx, func(t tx) error {
		if err := createTables(ctx, p, t, "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "BYTEA"); err != nil {
			return err
		}
		return compressFast(ctx, t)
	})
}

// compressFast has payloads compressed with LZ4 where the server can: its own
// method takes longer for a payload than all the rest of storing it. What is
// stored already stays readable.
func compressFast(ctx context.Context, t tx) error {
	_, wanted, err := one[int64](ctx, t, `SELECT 1::bigint FROM pg_settings, pg_attribute
		WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals)
		AND attrelid = 'inbox_body'::regclass AND attname = 'body' AND attcompression <> 'l' `)
	if err != nil || !wanted {
		return err
	}
	if _, err := t.exec(ctx, "ALTER TABLE inbox_body ALTER COLUMN body SET COMPRESSION lz4"); err != nil {
		return fmt.Errorf("inbox: compression of payloads: %w", err)
	}
	return nil
}

// insertNew is one statement however many rows there are.
func (p *postgresDB) insertNew(ctx context.Context, t tx, rows []row) ([]string, error) {
	var guid, event, fullName, state []string
	var installation, repository, lane, priority, due, received []int64
	var meaning []*string
	var body [][]byte
	for _, r := range rows {
		guid, event, fullName, state = append(guid, r.guid), append(event, r.event), append(fullName, r.fullName), append(state, string(r.state))
		installation, repository, lane = append(installation, r.installation), append(repository, r.repository), append(lane, r.lane)
		priority, due, received = append(priority, r.priority), append(due, r.due), append(received, r.received)
		meaning, body = append(meaning, r.meaning), append(body, r.body)
	}
	var stored []string
	err := t.query(ctx, func(scan func(...any) error) error {
		var g string
		err := scan(&g)
		stored = append(stored, g)
		return err
	}, `WITH incoming AS (
		SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::text[], $8::bigint[], $9::text[], $10::bigint[], $11::bigint[], $12::bytea[])
			WITH ORDINALITY AS i (guid, event, installation, repository, lane, full_name, meaning, priority, state, due, received, body, n)
	), stored AS (
		INSERT INTO inbox (guid, event, installation, repository, lane, full_name, meaning, priority, state, due, received)
		SELECT guid, event, installation, repository, lane, full_name, meaning, priority, state, due, received FROM incoming ORDER BY n
		ON CONFLICT DO NOTHING RETURNING seq, guid
	), bodies AS (
		INSERT INTO inbox_body (seq, body) SELECT stored.seq, incoming.body FROM stored JOIN incoming USING (guid)
	)
	SELECT guid FROM stored`, guid, event, installation, repository, lane, fullName, meaning, priority, state, due, received, body)
	return stored, err
}

func (p *postgresDB) hasTable(ctx context.Context, t tx, name string) (bool, error) {
	_, ok, err := one[int64](ctx, t, "SELECT 1::bigint WHERE to_regclass($1) IS NOT NULL", name)
	return ok, err
}

func (p *postgresDB) dialect() dialect {
	return dialect{
		nowMicros: "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint",
		forUpdate: " FOR UPDATE",
		lastOwner: "attempted_by[array_length(attempted_by, 1)]",
		argsText:  "args::text",
		riverNow:  "now()",
		aliveDir:  os.TempDir(),
	}
}

func (p *postgresDB) committers() int { return 2 } // more of them have smaller batches, one waits for every fsync
func (p *postgresDB) recorders() int  { return 6 } // less than the pool has, with the committers

func (p *postgresDB) inTx(ctx context.Context, f func(tx) error) error {
	return pgInTx(ctx, p.pool, f)
}

func (p *postgresDB) read(ctx context.Context, f func(tx) error) error {
	return pgInTx(ctx, p.pool, f)
}

func (p *postgresDB) inLeaseTx(ctx context.Context, f func(tx) error) error {
	return pgInTx(ctx, p.lease, f)
}

// tries of a transaction that lost to another one.
const pgTries = 5

func pgInTx(ctx context.Context, pool *pgxpool.Pool, f func(tx) error) error {
	for try := 1; ; try++ {
		err := pgx.BeginFunc(ctx, pool, func(t pgx.Tx) error { return f(pgTx{t}) })
		var pg *pgconn.PgError
		if try < pgTries && errors.As(err, &pg) && (pg.Code == "40P01" || pg.Code == "40001") { // deadlock, serialisation
			continue
		}
		return err
	}
}

func (p *postgresDB) close() error {
	for _, pool := range []*pgxpool.Pool{p.lease, p.pool} {
		if pool != nil {
			pool.Close()
		}
	}
	return nil
}

type pgTx struct{ pgx.Tx }

func (t pgTx) exec(ctx context.Context, query string, args ...any) (int64, error) {
	tag, err := t.Exec(ctx, query, args...)
	return tag.RowsAffected(), err
}

func (t pgTx) query(ctx context.Context, row func(func(...any) error) error, query string, args ...any) error {
	answer, err := t.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer answer.Close()
	return rows.Each(answer, row)
}
