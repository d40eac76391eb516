package inbox

import (
	"testing"
	"time"

	"dhibot/bot/inbox/pgtest"
	"dhibot/bot/internal/testclock"
)

// each runs a test on every database.
func each(t *testing.T, f func(t *testing.T, url string)) {
	t.Helper()
	pg.Each(t, "inbox.db", f)
}

func sqliteURL(t testing.TB) string { return pgtest.File(t, "inbox.db") }

// newClock shows now, because Postgres stamps leases with its own clock and River
// with ours.
func newClock() *testclock.Clock {
	return testclock.At(time.Now().UTC().Truncate(time.Microsecond))
}
