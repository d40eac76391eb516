package inbox

import (
	"os"
	"testing"

	"dhibot/bot/inbox/pgtest"
)

// pg is shared by all tests of this package: starting Postgres takes seconds.
var pg = new(pgtest.Server)

func TestMain(m *testing.M) {
	if child := os.Getenv(childEnv); child != "" {
		os.Exit(childMain(child))
	}
	pg.Main(m)
}
