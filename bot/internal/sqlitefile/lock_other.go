//go:build !unix

package sqlitefile

import "context"

// Lock does nothing here: start one process at a time after an upgrade.
func Lock(context.Context, string) (func(), error) { return func() {}, nil }
