// Package pgtest gives tests a Postgres, started from the binaries on the
// machine. Where they are missing, tests are skipped and say so.
package pgtest

import (
	"context"
	"errors"
	"sync"
	"testing"

	"dhibot/bot/inbox/pgserver"
)

// Server is a Postgres shared by tests. It starts when the first test asks for
// a database. The zero Server is ready to use; Stop it after the last test.
type Server struct {
	once   sync.Once
	server *pgserver.Server
	err    error
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
