//go:build !unix

// Package pgserver starts a Postgres of its own from the binaries on the
// machine, for tests and benchmarks.
package pgserver

import (
	"context"
	"fmt"
)

// Server is a running Postgres.
type Server struct{}

// Start always fails here.
func Start(context.Context) (*Server, error) {
	return nil, fmt.Errorf("%w: not on this system", ErrMissing)
}

// Database never succeeds here.
func (*Server) Database(context.Context) (string, error) { return "", ErrMissing }

// Stop does nothing here.
func (*Server) Stop() {}
