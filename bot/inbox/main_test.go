package inbox

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"dhibot/bot/inbox/pgtest"
)

// pg is shared by all tests of this package: starting Postgres takes seconds.
var pg = new(pgtest.Server)

func TestMain(m *testing.M) {
	if child := os.Getenv(childEnv); child != "" {
		os.Exit(childMain(child))
	}
	code := m.Run()
	pg.Stop()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			os.Stderr.WriteString("goroutines are left: " + err.Error() + "\n")
			code = 1
		}
	}
	os.Exit(code)
}
