// Package pgtest gives tests databases: files of SQLite, and a Postgres that is
// started from the binaries on the machine. Where those are missing, tests are
// skipped and say so.
package pgtest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"dhibot/bot/inbox/pgserver"
)

// Server is a Postgres shared by tests. It starts when the first test asks for
// a database. The zero Server is ready to use; Stop it after the last test.
type Server struct {
	once   sync.Once
	server *pgserver.Server
	err    error
}

// Main is the TestMain of a package whose tests ask for databases: it runs them,
// holds that no goroutine is left and stops the server. It does not return.
func (s *Server) Main(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		s.Stop()
		os.Exit(code)
	}))
}

// Each runs a test on a new database of every kind; file names that of SQLite.
func (s *Server) Each(t *testing.T, file string, f func(t *testing.T, url string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		f(t, File(t, file))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		f(t, s.URL(t))
	})
}

// File names a SQLite database in a folder of the test's own. It is not there
// yet.
func File(t testing.TB, name string) string {
	return "sqlite:" + filepath.Join(t.TempDir(), name)
}

// URL returns a new, empty database, or skips the test and says why.
func (s *Server) URL(t testing.TB) string {
	t.Helper()
	s.once.Do(func() { s.server, s.err = pgserver.Start(context.Background()) })
	switch {
	case errors.Is(s.err, pgserver.ErrMissing):
		t.Skip(s.err)
	case s.err != nil:
		t.Fatal(s.err)
	}
	url, err := s.server.Database(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return url
}

// Stop ends the server and removes its files.
func (s *Server) Stop() {
	if s.server != nil {
		s.server.Stop()
	}
}
