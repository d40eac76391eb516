package pgserver

import "errors"

// ErrMissing means that there is no Postgres on this machine that could be
// started.
var ErrMissing = errors.New("no Postgres to start")
