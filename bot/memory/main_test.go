package memory

import (
	"crypto/sha1"
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"dhibot/bot/inbox/pgtest"
	"dhibot/bot/internal/testclock"
)

// pg is shared by all tests of this package: starting Postgres takes seconds.
var pg = new(pgtest.Server)

func TestMain(m *testing.M) { pg.Main(m) }

// fileName is one that an address could take for something else.
const fileName = "dhi?bot#.db"

// everywhere runs a test on an empty memory in every database; where Postgres
// is missing, that half is skipped and says so.
func everywhere(t *testing.T, f func(t *testing.T, url string)) {
	t.Helper()
	pg.Each(t, fileName, f)
}

func sqliteURL(t testing.TB) string { return pgtest.File(t, fileName) }

func open(t testing.TB, url string, opts ...Option) *Store {
	t.Helper()
	s, err := Open(t.Context(), url, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// must is for calls that do not fail here.
func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newClock() *testclock.Clock {
	return testclock.At(time.Date(2026, 3, 1, 23, 0, 0, 0, time.UTC))
}

func blobID(content []byte) string {
	return fmt.Sprintf("%x", sha1.Sum(fmt.Appendf(nil, "blob %d\x00%s", len(content), content)))
}

func blobID256(content []byte) string {
	return fmt.Sprintf("%x", sha256.Sum256(fmt.Appendf(nil, "blob %d\x00%s", len(content), content)))
}

// blobsOf makes n contents with their ids.
func blobsOf(n int, text string) (ids []string, blobs map[string][]byte) {
	blobs = map[string][]byte{}
	for i := range n {
		content := fmt.Appendf(nil, "%d %s\n", i, text)
		ids = append(ids, blobID(content))
		blobs[blobID(content)] = content
	}
	return ids, blobs
}
