package memory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

// tablesLock is the key of the advisory lock under which replicas that start
// together take turns creating tables. Any constant that nobody else uses.
const tablesLock = 0x6468696d // "dhim"

// connections of one replica for its memory, besides those of its inbox.
const connections = 4

// openPostgres opens a pool of its own. It is configured by pgxpool as the
// inbox's is, so that whatever the URL says means the same here.
func openPostgres(ctx context.Context, databaseURL string) (*database, error) {
	c, err := pgxpool.ParseConfig(databaseURL)
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err) // pgx hides the password in this error
	}
	c.MaxConns, c.MinConns, c.MinIdleConns = connections, 0, 0
	c.ConnConfig.RuntimeParams["synchronous_commit"] = "off"
	c.ConnConfig.RuntimeParams["default_transaction_isolation"] = "read committed" // Change counts on it
	pool, err := pgxpool.NewWithConfig(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	db := stdlib.OpenDBFromPool(pool)
	d := &database{reader: db, writer: db, shut: func() error { pool.Close(); return nil }, dialect: dialect{
		bytes: "BYTEA", text: `TEXT COLLATE "C"`,
		among:      "key = ANY($2::text[])",
		texts:      func(texts []string) any { return texts },
		forUpdate:  " FOR UPDATE",
		skipLocked: " FOR UPDATE SKIP LOCKED",
		lock:       fmt.Sprintf("SELECT pg_advisory_xact_lock(%d)", tablesLock),
		insert:     postgresInsert,
		again:      postgresAgain,
		damaged:    func(error) bool { return false }, // it cannot be moved aside: people have to look
		gone:       func() bool { return false },
		shrink:     func(context.Context, *sql.DB) error { return nil }, // autovacuum
	}}
	if err := createTables(ctx, d); err != nil {
		return nil, errors.Join(fmt.Errorf("database: %w", err), d.close())
	}
	return d, nil
}

// postgresInsert is one statement however many rows there are, in the order of
// keys, so that two of them do not wait for each other.
func postgresInsert(ctx context.Context, t *sql.Tx, s shelf, installation, today int64, keys []string, values [][]byte) error {
	sizes := make([]int64, len(keys))
	for i, key := range keys {
		sizes[i] = size(key, values[i])
	}
	_, err := t.ExecContext(ctx, "INSERT INTO "+s.table+` AS t (installation, key, size, used, data)
		SELECT $1, i.key, i.size, $5, i.data FROM unnest($2::text[], $3::bigint[], $4::bytea[]) WITH ORDINALITY AS i (key, size, data, n) ORDER BY n
		ON CONFLICT (installation, key) DO UPDATE SET size = excluded.size, used = excluded.used, data = excluded.data`,
		installation, keys, sizes, values, today)
	return err
}

func postgresAgain(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "40P01" || pg.Code == "40001") // deadlock, serialisation
}
