package inbox

import (
	"context"
	"fmt"
	"strings"
)

// Our tables next to River's. Times are microseconds since 1970 in BIGINT:
// both databases compare and index those alike, text timestamps they do not.
//
// inbox has a row per delivery and is updated as the delivery moves on, so the
// body, which never changes and may have megabytes, has its own table; SQLite
// would otherwise rewrite it with every change of state.
//
// state: 'pending'   waiting or being worked on
//        'done'      acted on; suppresses redeliveries
//        'parked'    given up, kept for people
//        'duplicate' another delivery told of the same happening
//
// held: the delivery was put back by Later and holds up its lane until due.
// tries counts failures, starts counts calls of the handler since one last
// ended in an orderly way: a delivery that takes the process down with it has
// no failures, only starts.

const schemaVersion = 1

// The index on meaning is what makes two deliveries of one happening, stored
// at the same moment by two processes, collide.
const schema = `
CREATE TABLE inbox (
  seq {SEQUENCE},
  guid TEXT NOT NULL UNIQUE,
  event TEXT NOT NULL,
  installation BIGINT NOT NULL,
  repository BIGINT NOT NULL,
  lane BIGINT NOT NULL,
  full_name TEXT NOT NULL,
  meaning TEXT,
  priority BIGINT NOT NULL,
  state TEXT NOT NULL,
  held BIGINT NOT NULL DEFAULT 0,
  due BIGINT NOT NULL,
  received BIGINT NOT NULL,
  finished BIGINT,
  tries BIGINT NOT NULL DEFAULT 0,
  starts BIGINT NOT NULL DEFAULT 0,
  error TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX inbox_meaning ON inbox (meaning) WHERE meaning IS NOT NULL AND state IN ('pending', 'done');
CREATE INDEX inbox_lane ON inbox (lane, priority, seq) WHERE state = 'pending';
CREATE INDEX inbox_backlog ON inbox (installation, priority) WHERE state = 'pending';
CREATE INDEX inbox_parked ON inbox (seq) WHERE state = 'parked';
CREATE TABLE inbox_body (seq BIGINT PRIMARY KEY, body {BYTES} NOT NULL);
CREATE TABLE inbox_lease (client TEXT PRIMARY KEY, alive TEXT NOT NULL, until BIGINT NOT NULL);
CREATE TABLE inbox_periodic (name TEXT PRIMARY KEY, due BIGINT NOT NULL);
CREATE TABLE inbox_version (version BIGINT NOT NULL);
`

// createTables brings our tables to schemaVersion. The caller holds the
// migration lock. exec runs several statements at once.
func createTables(ctx context.Context, db database, t tx, sequence, bytes string) error {
	exists, err := db.hasTable(ctx, t, "inbox_version")
	if err != nil {
		return err
	}
	if !exists {
		all := strings.NewReplacer("{SEQUENCE}", sequence, "{BYTES}", bytes).Replace(schema)
		for statement := range strings.SplitSeq(all, ";") {
			if strings.TrimSpace(statement) == "" {
				continue
			}
			if _, err := t.exec(ctx, statement); err != nil {
				return fmt.Errorf("inbox: creating tables: %w", err)
			}
		}
		if _, err := t.exec(ctx, "INSERT INTO inbox_version (version) VALUES ($1)", schemaVersion); err != nil {
			return fmt.Errorf("inbox: creating tables: %w", err)
		}
		return nil
	}
	version, _, err := one[int64](ctx, t, "SELECT version FROM inbox_version")
	if err != nil {
		return fmt.Errorf("inbox: reading the version of the tables: %w", err)
	}
	if version > schemaVersion {
		return fmt.Errorf("inbox: the database was written by a newer dhibot (tables version %d, this one knows %d)", version, schemaVersion)
	}
	return nil
}
