package memory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"

	"dhibot/bot/internal/rows"
)

// database is SQLite or Postgres behind database/sql.
type database struct {
	reader, writer *sql.DB // one and the same in Postgres
	dialect
	file os.FileInfo  // SQLite: which file it is
	shut func() error // what is left to close after the two; may be nil
}

// dialect is what the two databases do not share.
type dialect struct {
	bytes, text string // types of columns; texts compare by byte
	among       string // SQL: the column key is one of the texts in $2
	texts       func([]string) any
	forUpdate   string // locks the rows of a SELECT until the end of the transaction
	skipLocked  string // the same, passing over those that another transaction has
	lock        string // statement that lets one process at a time create tables; "" = the transaction does
	// insert stores values under keys in one statement or one prepared one,
	// replacing what is there. Both slices have one length, keys are sorted.
	insert  func(ctx context.Context, t *sql.Tx, s shelf, installation, today int64, keys []string, values [][]byte) error
	again   func(error) bool // the transaction lost to another one and may be tried again
	damaged func(error) bool // the error came of a database that has to be begun anew
	gone    func() bool      // it was thrown away while it was in use
	shrink  func(ctx context.Context, db *sql.DB) error
}

// tries of a transaction that lost to another one.
const tries = 5

// inTx runs f in a transaction of the only writer (SQLite) or at "read
// committed" (Postgres). f may be run again.
func (d *database) inTx(ctx context.Context, f func(*sql.Tx) error) error {
	for try := 1; ; try++ {
		err := once(ctx, d.writer, f)
		if err == nil || try == tries || !d.again(err) {
			return err
		}
	}
}

func once(ctx context.Context, db *sql.DB, f func(*sql.Tx) error) error {
	t, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = t.Rollback() }() // after a commit it does nothing; the error of f says more
	if err := f(t); err != nil {
		return err
	}
	if err := t.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

func (d *database) close() error {
	errs := []error{d.reader.Close()}
	if d.writer != d.reader {
		errs = append(errs, d.writer.Close())
	}
	if d.shut != nil {
		errs = append(errs, d.shut())
	}
	return errors.Join(errs...)
}

// each calls row for every row of an answer; row calls scan once.
func each(answer *sql.Rows, err error, row func(scan func(...any) error) error) error {
	if err != nil {
		return err
	}
	defer answer.Close()
	return rows.Each(answer, row)
}
