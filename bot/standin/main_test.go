package standin_test

import (
	"crypto/rsa"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"dhibot/bot/standin"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("net/http.(*persistConn).readLoop"), goleak.IgnoreTopFunction("net/http.(*persistConn).writeLoop"),
		goleak.IgnoreTopFunction("internal/poll.runtime_pollWait"))
}

// testKey is one key for all tests: making one takes a while.
func testKey(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	key, err := sharedKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

var sharedKey = sync.OnceValues(standin.GenerateKey)
