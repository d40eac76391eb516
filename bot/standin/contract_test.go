package standin_test

import (
	"testing"

	"dhibot/bot/standin"
	"dhibot/bot/standin/contract"
)

// watch makes the server of a test answer to GitHub's description: every call
// and every webhook that breaks it fails the test.
func watch(t testing.TB) []standin.Option {
	t.Helper()
	spec, err := contract.Shared()
	if err != nil {
		t.Fatal(err)
	}
	return spec.Watch(t.Errorf)
}
