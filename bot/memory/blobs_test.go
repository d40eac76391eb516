package memory

import (
	"bytes"
	"crypto/sha1"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/rs/zerolog"
)

// TestObjectIDs: what git hash-object says of an empty and of a small file.
func TestObjectIDs(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ id, content string }{
		{"e69de29bb2d1d6434b8b29ae775ad8c2e48c5391", ""},
		{"ce013625030ba8dba906f756967f9e9ca394464a", "hello\n"},
		{"473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813", ""},
		{"2cf8d83d9ee29543b34a87727421fdecb7e3f3a183d337639025de576db9ebb4", "hello\n"},
	} {
		if !objectID(tc.id) || !isBlob(tc.id, []byte(tc.content)) {
			t.Errorf("%s is not the id of %q", tc.id, tc.content)
		}
		if isBlob(tc.id, []byte(tc.content+" ")) {
			t.Errorf("%s is the id of something else, too", tc.id)
		}
	}
	for _, id := range []string{"", "e69de29", "E69DE29BB2D1D6434B8B29AE775AD8C2E48C5391", strings.Repeat("g", 40), strings.Repeat("0", 41)} {
		if objectID(id) {
			t.Errorf("%q is no object id", id)
		}
	}
}

func TestBlobs(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, url string) {
		ctx := t.Context()
		s, replica := open(t, url), open(t, url)
		binary := []byte("FROM scratch\r\n\x00\xff\xfe 'quoted' $1\n")
		empty := []byte{}
		want := map[string][]byte{blobID(binary): binary, blobID256(binary): binary, blobID(empty): empty}
		ids, many := blobsOf(3*rowsMost/2, "FROM node:22")
		maps.Copy(want, many)
		ok(t, s.PutBlobs(ctx, 1, want))
		ok(t, s.PutBlobs(ctx, 1, want)) // again: as a replica would

		ask := slices.Concat(slices.Collect(maps.Keys(want)), ids[:10], []string{strings.Repeat("0", 40), "", "'; DROP TABLE memory_blob; --"})
		for _, s := range []*Store{s, replica} {
			got := must[map[string][]byte](t)(s.Blobs(ctx, 1, ask))
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("contents (-want +got):\n%s", diff)
			}
		}
		if got := must[map[string][]byte](t)(s.Blobs(ctx, 1, nil)); len(got) != 0 {
			t.Errorf("nothing was asked for, got %d", len(got))
		}
		// The other organisation may have no right to see them.
		if got := must[map[string][]byte](t)(s.Blobs(ctx, 2, ask)); len(got) != 0 {
			t.Errorf("another installation was given %d contents", len(got))
		}
		ok(t, s.Forget(ctx, 2))
		ok(t, s.PutBlobs(ctx, 2, map[string][]byte{blobID(binary): binary}))
		ok(t, s.Forget(ctx, 1))
		if got := must[map[string][]byte](t)(replica.Blobs(ctx, 1, ask)); len(got) != 0 {
			t.Errorf("a forgotten installation still has %d contents", len(got))
		}
		if got := must[map[string][]byte](t)(replica.Blobs(ctx, 2, ask)); len(got) != 1 {
			t.Errorf("forgetting one installation took the contents of the other")
		}
	})
}

func TestBlobsNotKept(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, url string) {
		ctx := t.Context()
		var log bytes.Buffer
		s := open(t, url, WithLogger(zerolog.New(&log)))
		longest, tooLong := make([]byte, 1<<20), make([]byte, 1<<20+1)
		short := []byte("FROM scr")
		blobs := map[string][]byte{
			blobID(longest):                    longest,
			blobID(tooLong):                    tooLong,
			blobID([]byte("FROM scratch")):     short, // cut
			strings.ToUpper(blobID(short)):     short,
			"main":                             short,
			fmt.Sprintf("%x", sha1.Sum(short)): short, // the hash of the bytes is not the blob's
		}
		ok(t, s.PutBlobs(ctx, 1, blobs))
		got := must[map[string][]byte](t)(s.Blobs(ctx, 1, slices.Collect(maps.Keys(blobs))))
		if len(got) != 1 || !bytes.Equal(got[blobID(longest)], longest) {
			t.Errorf("kept %v", slices.Collect(maps.Keys(got)))
		}
		if !strings.Contains(log.String(), `"contents":4`) {
			t.Errorf("four contents under wrong ids were passed over without a word: %s", &log)
		}
	})
}

// TestDamagedRow: a row that does not hold what its key says is not used, and
// gives way to a good one.
func TestDamagedRow(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, url string) {
		ctx := t.Context()
		var log bytes.Buffer
		s := open(t, url, WithLogger(zerolog.New(&log)))
		ids, blobs := blobsOf(3, "FROM golang")
		fill := func() {
			ok(t, s.PutBlobs(ctx, 7, blobs))
			ok(t, s.PutLooks(ctx, 7, map[string][]byte{"tree a": []byte(`{"n":1}`), "tree b": []byte(`{"n":2}`)}))
			ok(t, s.PutRepositories(ctx, 7, map[int64][]byte{1: []byte(`{"n":1}`), 2: []byte(`{"n":2}`)}))
			ok(t, s.PutNote(ctx, 7, "pass", []byte(`{"n":1}`)))
		}
		count := func() int {
			docs := must[map[int64][]byte](t)(s.Repositories(ctx, 7))
			_, one, err := s.Repository(ctx, 7, 1)
			ok(t, err)
			if _, all := docs[1]; all != one {
				t.Error("one document of the ledger and all of them disagree")
			}
			_, note, err := s.Note(ctx, 7, "pass")
			ok(t, err)
			n := len(must[map[string][]byte](t)(s.Blobs(ctx, 7, ids))) + len(must[map[string][]byte](t)(s.Looks(ctx, 7, []string{"tree a", "tree b"}))) + len(docs)
			if note {
				n++
			}
			return n
		}
		fill()
		if n := count(); n != 8 {
			t.Fatalf("%d of 8 things are remembered", n)
		}
		// Rows change places: every one of them is well-formed.
		for table, keys := range map[string][2]string{
			"memory_blob":       {ids[0], ids[1]},
			"memory_look":       {"tree a", "tree b"},
			"memory_repository": {"1", "2"},
		} {
			for i, key := range keys {
				exec(t, s, "UPDATE "+table+" SET data = (SELECT data FROM "+table+" WHERE key = $1 AND installation = 7) WHERE key = $2 AND installation = 7", keys[1-i], key)
			}
		}
		exec(t, s, "UPDATE memory_note SET data = $1", []byte("no"))
		// Of two rows that both hold the second one's data, the second is sound.
		if n := count(); n != 4 {
			t.Errorf("%d things are believed, want 4: one content beside the two, and the sound one of each pair", n)
		}
		ok(t, s.PutNote(ctx, 7, "pass", []byte(`{"n":1}`)))
		exec(t, s, "UPDATE memory_note SET installation = 8")
		if doc, known, err := s.Note(ctx, 8, "pass"); known || err != nil {
			t.Errorf("a row that came to another installation is believed: %q, %v", doc, err)
		}
		if got := log.String(); !strings.Contains(got, "was damaged") || strings.Contains(got, "FROM") {
			t.Errorf("log: %s", got)
		}
		exec(t, s, "UPDATE memory_repository SET data = $1", []byte{1, 2, 3})
		ok(t, s.Change(ctx, 7, 1, func(old []byte) ([]byte, error) {
			if old != nil {
				t.Errorf("a damaged document was given: %q", old)
			}
			return []byte("new"), nil
		}))
		fill()
		if n := count(); n != 8 {
			t.Errorf("%d of 8 things are remembered after they were put again", n)
		}
	})
}

// exec changes the database behind the Store's back.
func exec(t testing.TB, s *Store, query string, args ...any) {
	t.Helper()
	if _, err := s.db.writer.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatal(err)
	}
}

func TestInvalid(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, url string) {
		ctx := t.Context()
		s := open(t, url)
		doc, long := []byte("{}"), make([]byte, 1<<20+1)
		same := func(old []byte) ([]byte, error) { return old, nil }
		calls := map[string]func() error{
			"blobs of nobody":      func() error { _, err := s.Blobs(ctx, 0, nil); return err },
			"put blobs of nobody":  func() error { return s.PutBlobs(ctx, 0, nil) },
			"looks of nobody":      func() error { _, err := s.Looks(ctx, -1, nil); return err },
			"put looks of nobody":  func() error { return s.PutLooks(ctx, 0, nil) },
			"ledger of nobody":     func() error { _, err := s.Repositories(ctx, 0); return err },
			"document of nobody":   func() error { _, _, err := s.Repository(ctx, 0, 1); return err },
			"put of nobody":        func() error { return s.PutRepositories(ctx, 0, nil) },
			"change of nobody":     func() error { return s.Change(ctx, 0, 1, same) },
			"delete of nobody":     func() error { return s.DeleteRepositories(ctx, 0, nil) },
			"note of nobody":       func() error { _, _, err := s.Note(ctx, 0, "n"); return err },
			"put note of nobody":   func() error { return s.PutNote(ctx, 0, "n", doc) },
			"forget nobody":        func() error { return s.Forget(ctx, 0) },
			"look without key":     func() error { _, err := s.Looks(ctx, 1, []string{"a", ""}); return err },
			"look under NUL":       func() error { return s.PutLooks(ctx, 1, map[string][]byte{"a\x00": doc}) },
			"look under no text":   func() error { return s.PutLooks(ctx, 1, map[string][]byte{"\xff": doc}) },
			"look under long key":  func() error { return s.PutLooks(ctx, 1, map[string][]byte{strings.Repeat("k", 513): doc}) },
			"document of no repo":  func() error { _, _, err := s.Repository(ctx, 1, 0); return err },
			"put of no repo":       func() error { return s.PutRepositories(ctx, 1, map[int64][]byte{0: doc}) },
			"change of no repo":    func() error { return s.Change(ctx, 1, 0, same) },
			"long document":        func() error { return s.PutRepositories(ctx, 1, map[int64][]byte{1: doc, 2: long}) },
			"change to a long one": func() error { return s.Change(ctx, 1, 1, func([]byte) ([]byte, error) { return long, nil }) },
			"note without name":    func() error { return s.PutNote(ctx, 1, "", doc) },
			"read without name":    func() error { _, _, err := s.Note(ctx, 1, ""); return err },
			"long note":            func() error { return s.PutNote(ctx, 1, "n", long) },
		}
		for name, call := range calls {
			if err := call(); !errors.Is(err, ErrInvalid) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if docs := must[map[int64][]byte](t)(s.Repositories(ctx, 1)); len(docs) != 0 {
			t.Errorf("something was stored: %v", docs)
		}
	})
}
