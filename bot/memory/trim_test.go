package memory

import (
	"context"
	"database/sql"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

func count(t testing.TB, s *Store, query string) (n int64) {
	t.Helper()
	ok(t, s.db.reader.QueryRowContext(t.Context(), query).Scan(&n))
	return n
}

// TestReadsWaitForNoWriter: while somebody writes, what is known can be read.
func TestReadsWaitForNoWriter(t *testing.T) {
	t.Parallel()
	s := open(t, sqliteURL(t))
	ids, blobs := blobsOf(3, "FROM x")
	ok(t, s.PutBlobs(t.Context(), 1, blobs))
	ok(t, s.Change(t.Context(), 1, 1, func([]byte) ([]byte, error) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if got := must[map[string][]byte](t)(s.Blobs(ctx, 1, ids)); len(got) != 3 {
			t.Errorf("%d of 3 contents", len(got))
		}
		return nil, ctx.Err() // a use that waits to be noted is given up with ctx
	}))
}

// TestTrimUnused: what was asked for in the last days stays, whoever asked.
func TestTrimUnused(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, url string) {
		ctx := t.Context()
		c := newClock()
		s, replica := open(t, url, WithClock(c.Now)), open(t, url, WithClock(c.Now))
		ids, blobs := blobsOf(2*rowsMost+10, "FROM x")
		ok(t, s.PutBlobs(ctx, 1, blobs))
		ok(t, s.PutLooks(ctx, 1, map[string][]byte{"used": nil, "unused": nil}))
		ok(t, s.PutRepositories(ctx, 1, map[int64][]byte{1: nil}))
		ok(t, s.PutNote(ctx, 1, "n", nil))
		c.Advance(50 * day)
		used := ids[:5]
		_ = must[map[string][]byte](t)(replica.Blobs(ctx, 1, used))
		_ = must[map[string][]byte](t)(replica.Looks(ctx, 1, []string{"used"}))
		c.Advance(40 * day) // day 90: the rest was unused for 90 days, not longer
		ok(t, s.Trim(ctx))
		if n := count(t, s, "SELECT COUNT(*) FROM memory_blob"); n != int64(len(ids)) {
			t.Errorf("after 90 days %d contents are left, want all", n)
		}
		c.Advance(time.Hour) // 23:00 -> the next day
		ok(t, s.Trim(ctx))
		got := must[map[string][]byte](t)(s.Blobs(ctx, 1, ids))
		if keys := slices.Sorted(maps.Keys(got)); !slices.Equal(keys, slices.Sorted(slices.Values(used))) {
			t.Errorf("%d contents are left, want the used ones", len(keys))
		}
		looks := must[map[string][]byte](t)(s.Looks(ctx, 1, []string{"used", "unused"}))
		if _, kept := looks["used"]; !kept || len(looks) != 1 {
			t.Errorf("left looks: %q", looks)
		}
		c.Advance(1000 * day)
		ok(t, s.Trim(ctx))
		if n := count(t, s, "SELECT COUNT(*) FROM memory_blob") + count(t, s, "SELECT COUNT(*) FROM memory_look"); n != 0 {
			t.Errorf("%d rows outlived three years", n)
		}
		if _, known, err := s.Note(ctx, 1, "n"); !known || err != nil {
			t.Errorf("Trim took a note: %v, %v", known, err)
		}
		if docs := must[map[int64][]byte](t)(s.Repositories(ctx, 1)); len(docs) != 1 {
			t.Error("Trim took the ledger")
		}
	})
}

// TestUseIsNotedOnceADay: the second read of a day writes nothing.
func TestUseIsNotedOnceADay(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, url string) {
		ctx := t.Context()
		c := newClock()
		s := open(t, url, WithClock(c.Now))
		ids, blobs := blobsOf(3, "FROM x")
		ok(t, s.PutBlobs(ctx, 1, blobs))
		// Somebody who counts the changes.
		exec(t, s, "CREATE TABLE changes (n BIGINT)")
		switch {
		case strings.HasPrefix(url, "sqlite"):
			exec(t, s, "CREATE TRIGGER counting AFTER UPDATE ON memory_blob BEGIN INSERT INTO changes VALUES (1); END")
		default:
			exec(t, s, "CREATE FUNCTION counted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO changes VALUES (1); RETURN NULL; END'")
			exec(t, s, "CREATE TRIGGER counting AFTER UPDATE ON memory_blob FOR EACH ROW EXECUTE FUNCTION counted()")
		}
		for i, want := range []int64{0, 0, 3, 3, 6} {
			_ = must[map[string][]byte](t)(s.Blobs(ctx, 1, ids))
			if n := count(t, s, "SELECT COUNT(*) FROM changes"); n != want {
				t.Errorf("read %d: %d rows were written, want %d", i, n, want)
			}
			if i%2 == 1 {
				c.Advance(day)
			}
		}
	})
}

// TestTrimBounds: beyond the bound the least recently used go, of every
// installation, and no more than must.
func TestTrimBounds(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, url string) {
		ctx := t.Context()
		c := newClock()
		const n = 3 * rowsMost
		text := strings.Repeat("x", 400)
		ids, blobs := blobsOf(n, text)
		var each int64
		for id, content := range blobs {
			each = max(each, size(id, content))
		}
		s := open(t, url, WithClock(c.Now), WithBounds(Bounds{BlobBytes: each * n, Unused: 90 * day}))
		ok(t, s.PutBlobs(ctx, 1, blobs))
		c.Advance(day)
		ok(t, s.PutBlobs(ctx, 2, blobs))
		c.Advance(day)
		_ = must[map[string][]byte](t)(s.Blobs(ctx, 1, ids[:10]))
		ok(t, s.Trim(ctx))
		if got := must[map[string][]byte](t)(s.Blobs(ctx, 1, ids[:10])); len(got) != 10 {
			t.Errorf("%d of 10 used contents are left", len(got))
		}
		if total := count(t, s, "SELECT SUM(size) FROM memory_blob"); total > each*n || total < each*(n-20) {
			t.Errorf("%d bytes are left of the %d that may be", total, each*n)
		}
		if left := count(t, s, "SELECT COUNT(*) FROM memory_blob WHERE installation = 1"); left > 20 {
			t.Errorf("%d old contents are left", left)
		}
		ok(t, s.Forget(ctx, 1))
		ok(t, s.Forget(ctx, 2))
		ok(t, s.PutLooks(ctx, 1, map[string][]byte{"a": []byte(text)}))
		ok(t, s.Trim(ctx))
		if looks := must[map[string][]byte](t)(s.Looks(ctx, 1, []string{"a"})); len(looks) != 0 {
			t.Error("a bound of no bytes leaves a look")
		}
	})
}

// TestTrimSparesWhatIsUsedMeanwhile: between being chosen and being deleted.
func TestTrimSparesWhatIsUsedMeanwhile(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, url string) {
		ctx := t.Context()
		c := newClock()
		s := open(t, url, WithClock(c.Now))
		ids, blobs := blobsOf(10, "FROM x")
		ok(t, s.PutBlobs(ctx, 1, blobs))
		c.Advance(day)
		keys, lastUsed, err := surplus(ctx, s.db, blobShelf(), 0, 0)
		ok(t, err)
		if len(keys[1]) != len(ids) {
			t.Fatalf("%d of %d contents are chosen", len(keys[1]), len(ids))
		}
		_ = must[map[string][]byte](t)(s.Blobs(ctx, 1, ids[:3]))
		if n, err := deleteUnused(ctx, s.db, blobShelf(), keys, lastUsed); n != 7 || err != nil {
			t.Errorf("%d contents were deleted, want 7: %v", n, err)
		}
		if got := must[map[string][]byte](t)(s.Blobs(ctx, 1, ids[:3])); len(got) != 3 {
			t.Errorf("%d of 3 contents that were used are left", len(got))
		}
	})
}

// TestTrimWaitsForNobody: rows that another transaction has are in use, and
// waiting for them while holding others is how two replicas stop each other.
func TestTrimWaitsForNobody(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, url string) {
		c := newClock()
		s := open(t, url, WithClock(c.Now), WithBounds(Bounds{Unused: day}))
		if s.db.skipLocked == "" {
			t.Skip("one writer at a time holds everything")
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		ids, blobs := blobsOf(10, "FROM x")
		ok(t, s.PutBlobs(ctx, 1, blobs))
		c.Advance(3 * day)
		other := must[*sql.Tx](t)(s.db.writer.BeginTx(ctx, nil))
		_, err := other.ExecContext(ctx, "UPDATE memory_blob SET used = used WHERE key = $1", ids[4])
		ok(t, err)
		ok(t, s.Trim(ctx))
		if n := count(t, s, "SELECT COUNT(*) FROM memory_blob"); n != 1 {
			t.Errorf("%d contents are left, not the one that somebody has", n)
		}
		ok(t, other.Commit())
		ok(t, s.Trim(ctx))
		if n := count(t, s, "SELECT COUNT(*) FROM memory_blob"); n != 0 {
			t.Errorf("%d contents are left", n)
		}
	})
}

// TestFileShrinks: what Trim empties goes back to the disk.
func TestFileShrinks(t *testing.T) {
	t.Parallel()
	url := sqliteURL(t)
	path := strings.TrimPrefix(url, "sqlite:") + "-memory"
	ctx := t.Context()
	s := open(t, url, WithBounds(Bounds{Unused: day}))
	_, blobs := blobsOf(3000, strings.Repeat("x", 2000))
	ok(t, s.PutBlobs(ctx, 1, blobs))
	bytes := func() int64 {
		t.Helper()
		exec(t, s, "PRAGMA wal_checkpoint(TRUNCATE)")
		return must[os.FileInfo](t)(os.Stat(path)).Size()
	}
	full := bytes()
	ok(t, s.Trim(ctx))
	if empty := bytes(); full < 6_000_000 || empty > full/20 {
		t.Errorf("the file has %d bytes when full and %d when empty", full, empty)
	}
}
