package scan

import (
	"testing"

	"dhibot/bot/inbox/pgtest"
	"dhibot/bot/memory"
)

// emptyMemory is a memory in a file of the test's own.
func emptyMemory(t *testing.T) *memory.Store {
	t.Helper()
	m, err := memory.Open(t.Context(), pgtest.File(t, "dhibot.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}
