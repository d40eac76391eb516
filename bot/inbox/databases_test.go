package inbox

import (
	"path/filepath"
	"testing"
	"time"

	"dhibot/bot/internal/testclock"
)

// each runs a test on every database.
func each(t *testing.T, f func(t *testing.T, url string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		f(t, sqliteURL(t))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		f(t, pg.URL(t))
	})
}

func sqliteURL(t testing.TB) string {
	return "sqlite:" + filepath.Join(t.TempDir(), "inbox.db")
}

// newClock shows now, because Postgres stamps leases with its own clock and River
// with ours.
func newClock() *testclock.Clock {
	return testclock.At(time.Now().UTC().Truncate(time.Microsecond))
}
