package inbox

import (
	"context"
	"time"

	"github.com/riverqueue/river/rivertype"
)

// tx is an open transaction, in the words both databases understand: $1
// placeholders, BIGINT, TEXT and bytes.
type tx interface {
	// exec runs one statement and returns how many rows it changed.
	exec(ctx context.Context, query string, args ...any) (int64, error)
	// query runs one statement and calls row for every row of its answer; row
	// calls scan once. It must not use the transaction.
	query(ctx context.Context, row func(scan func(...any) error) error, query string, args ...any) error
}

// one reads a single value; ok is false when there is no row.
func one[T any](ctx context.Context, t tx, query string, args ...any) (v T, ok bool, err error) {
	err = t.query(ctx, func(scan func(...any) error) error {
		ok = true
		return scan(&v)
	}, query, args...)
	return v, ok, err
}

// database is SQLite or Postgres with River on it.
type database interface {
	// inTx runs f in a transaction that is committed when f returns nil. f may
	// be run again when the database asked for it (deadlock, serialisation).
	inTx(ctx context.Context, f func(tx) error) error
	// read is inTx for what only reads: in SQLite it waits for no writer of
	// another process, and no writer for it.
	read(ctx context.Context, f func(tx) error) error
	// inLeaseTx is inTx on a connection that is used for nothing else, so that
	// a sign of life does not queue behind work.
	inLeaseTx(ctx context.Context, f func(tx) error) error
	// insertNew stores the rows that nothing is in the way of, with their
	// bodies, and returns their GUIDs. No two rows have the same GUID.
	insertNew(ctx context.Context, t tx, rows []row) ([]string, error)
	hasTable(ctx context.Context, t tx, name string) (bool, error)
	dialect() dialect
	committers() int // how many batches of Puts may be committed at once
	recorders() int  // how many workers may record at once: the others must not stand in the way of Puts
	close() error

	queue
}

// dialect is the SQL that the two databases do not share.
type dialect struct {
	nowMicros string // the database's clock, microseconds since 1970
	forUpdate string // locks the rows of a SELECT until the end of the transaction
	lastOwner string // the client that fetched a river_job last
	argsText  string // a river_job's arguments as JSON text
	riverNow  string // the database's clock as River stores times
	aliveDir  string // where a process keeps its sign of life, see alive
}

// laneArgs is the argument of a River job: work on the lane until it is empty.
// What there is to do is in the inbox; raw payloads in a job's arguments would
// be refused by Postgres at the first \u0000.
type laneArgs struct {
	Lane int64 `json:"lane" river:"unique"`
}

// Kind names the job in River's tables.
func (laneArgs) Kind() string { return laneKind }

const laneKind = "dhibot_lane"

// turn is a wish to have a lane worked on.
type turn struct {
	lane     int64
	priority Priority
	at       time.Time // not before; in the past: see fairness
}

// queue is River, without the type of the transaction that its API carries.
type queue interface {
	// enqueue inserts a job for every turn whose lane has none yet.
	enqueue(ctx context.Context, t tx, now time.Time, turns []turn) ([]*rivertype.JobInsertResult, error)
	// unqueue deletes a waiting job. false: it is running, or gone.
	unqueue(ctx context.Context, t tx, id int64) (bool, error)
	// complete marks the running job done.
	complete(ctx context.Context, t tx, job *rivertype.JobRow) error
	// promote makes waiting jobs of ours whose time has come available, and
	// returns how many.
	promote(ctx context.Context, now time.Time) (int, error)
	// start begins to hand out lanes to work, under the client's name.
	start(ctx context.Context, client string, work func(context.Context, *rivertype.JobRow, int64) error) (stop func(context.Context) error, err error)
}
