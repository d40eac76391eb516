package memory

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLooksAndNotes(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, url string) {
		ctx := t.Context()
		s, replica := open(t, url), open(t, url)
		looks := map[string][]byte{
			"tree 1 ⚙ settings": []byte(`{"files":["Dockerfile"]}`),
			`"quoted" \ \n`:     []byte(`[]`),
			"<&>\u2028":         nil,
		}
		ok(t, s.PutLooks(ctx, 1, looks))
		ok(t, s.PutLooks(ctx, 1, map[string][]byte{"long": make([]byte, 1<<20+1)}))
		looks["<&>\u2028"] = []byte{}
		keys := []string{"tree 1 ⚙ settings", `"quoted" \ \n`, "<&>\u2028", "long", "unknown"}
		if diff := cmp.Diff(looks, must[map[string][]byte](t)(replica.Looks(ctx, 1, keys))); diff != "" {
			t.Errorf("looks (-want +got):\n%s", diff)
		}
		ok(t, replica.PutLooks(ctx, 1, map[string][]byte{keys[0]: []byte("2")}))
		if got := must[map[string][]byte](t)(s.Looks(ctx, 1, keys[:1])); string(got[keys[0]]) != "2" {
			t.Errorf("a look was not replaced: %q", got)
		}
		if got := must[map[string][]byte](t)(s.Looks(ctx, 2, keys)); len(got) != 0 {
			t.Errorf("another installation was given looks: %q", got)
		}

		if _, known, err := s.Note(ctx, 1, "pass"); known || err != nil {
			t.Errorf("an unwritten note: %v, %v", known, err)
		}
		ok(t, s.PutNote(ctx, 1, "pass", []byte("1")))
		ok(t, s.PutNote(ctx, 1, "issue", []byte("17")))
		ok(t, replica.PutNote(ctx, 1, "pass", []byte("2")))
		if doc, known, err := s.Note(ctx, 1, "pass"); string(doc) != "2" || !known || err != nil {
			t.Errorf("note: %q, %v, %v", doc, known, err)
		}
		if _, known, err := s.Note(ctx, 2, "pass"); known || err != nil {
			t.Errorf("another installation's note: %v, %v", known, err)
		}
		ok(t, s.Forget(ctx, 1))
		if _, known, err := s.Note(ctx, 1, "issue"); known || err != nil {
			t.Errorf("a forgotten note: %v, %v", known, err)
		}
		if got := must[map[string][]byte](t)(s.Looks(ctx, 1, keys)); len(got) != 0 {
			t.Errorf("forgotten looks: %q", got)
		}
	})
}

func TestLedger(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, url string) {
		ctx := t.Context()
		s := open(t, url)
		want := map[int64][]byte{}
		for id := int64(1); id <= 10_000; id++ {
			want[id] = fmt.Appendf(nil, `{"id":%d,"text":"%s"}`, id, strings.Repeat("x", 200))
		}
		ok(t, s.PutRepositories(ctx, 5, want))
		ok(t, s.PutRepositories(ctx, 6, map[int64][]byte{1: []byte("other")}))
		if got := must[map[int64][]byte](t)(s.Repositories(ctx, 5)); !maps.EqualFunc(got, want, bytes.Equal) {
			t.Errorf("%d documents that are not the %d that were put", len(got), len(want))
		}
		var gone []int64
		for id := int64(3); id <= 10_001; id++ {
			gone = append(gone, id)
		}
		ok(t, s.DeleteRepositories(ctx, 5, gone))
		ok(t, s.PutRepositories(ctx, 5, map[int64][]byte{2: []byte("new")}))
		want = map[int64][]byte{1: want[1], 2: []byte("new")}
		if diff := cmp.Diff(want, must[map[int64][]byte](t)(s.Repositories(ctx, 5))); diff != "" {
			t.Errorf("ledger (-want +got):\n%s", diff)
		}
		if doc, known, err := s.Repository(ctx, 5, 2); string(doc) != "new" || !known || err != nil {
			t.Errorf("document: %q, %v, %v", doc, known, err)
		}
		if _, known, err := s.Repository(ctx, 5, 3); known || err != nil {
			t.Errorf("deleted document: %v, %v", known, err)
		}
		if doc, _, err := s.Repository(ctx, 6, 1); string(doc) != "other" || err != nil {
			t.Errorf("the other installation's document: %q, %v", doc, err)
		}
	})
}

func TestChange(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, url string) {
		ctx := t.Context()
		s := open(t, url)
		change := func(want string, had bool, next []byte, fails error) {
			t.Helper()
			err := s.Change(ctx, 1, 2, func(old []byte) ([]byte, error) {
				if string(old) != want || (old != nil) != had {
					t.Errorf("given %q (%v), want %q (%v)", old, old != nil, want, had)
				}
				return next, fails
			})
			if !errors.Is(err, fails) {
				t.Errorf("Change returned %v, want %v", err, fails)
			}
		}
		no := errors.New("no")
		change("", false, nil, no)
		change("", false, nil, nil)
		change("", false, []byte{}, nil)
		change("", true, []byte("a"), nil)
		change("a", true, []byte("a"), nil)
		change("a", true, []byte("b"), no)
		change("a", true, nil, nil)
		change("", false, []byte("c"), no)
		if docs := must[map[int64][]byte](t)(s.Repositories(ctx, 1)); len(docs) != 0 {
			t.Errorf("left: %v", docs)
		}
		func() {
			defer func() { _ = recover() }()
			_ = s.Change(ctx, 1, 2, func([]byte) ([]byte, error) { panic("handler") })
		}()
		change("", false, []byte("d"), nil) // the panic left nothing locked
	})
}

// TestReplicas: two Stores change, put, delete, read and trim at once. Every
// change counts exactly once.
func TestReplicas(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, url string) {
		// Together: they create the tables together, too.
		stores := make([]*Store, 2)
		var opening sync.WaitGroup
		for i := range stores {
			opening.Go(func() {
				s, err := Open(t.Context(), url, WithBounds(Bounds{BlobBytes: 20_000, LookBytes: 20_000, Unused: day}))
				if err != nil {
					t.Error(err)
					return
				}
				stores[i] = s
			})
		}
		opening.Wait()
		defer func() {
			for _, s := range stores {
				if s != nil {
					ok(t, s.Close())
				}
			}
		}()
		if t.Failed() {
			return
		}
		const each, repositories = 40, 3
		ctx := t.Context()
		ids, blobs := blobsOf(50, strings.Repeat("x", 400))
		add := func(old []byte) ([]byte, error) {
			n, _ := strconv.Atoi(string(old))
			return []byte(strconv.Itoa(n + 1)), nil
		}
		// Deleted while it is changed: each of the two sees the other's or not.
		again := func(old []byte) ([]byte, error) { return append(bytes.Clone(old), '+'), nil }
		work := []func(context.Context, *Store, int) error{
			func(ctx context.Context, s *Store, i int) error {
				return s.Change(ctx, 1, int64(i%repositories+1), add)
			},
			func(ctx context.Context, s *Store, i int) error {
				return s.Change(ctx, 1, int64(i%repositories+1), add)
			},
			func(ctx context.Context, s *Store, i int) error { return s.Change(ctx, 1, 99, again) },
			func(ctx context.Context, s *Store, i int) error {
				return s.DeleteRepositories(ctx, 1, []int64{99, 100})
			},
			func(ctx context.Context, s *Store, i int) error {
				return s.PutRepositories(ctx, 1, map[int64][]byte{100: []byte("x"), 101: []byte("y")})
			},
			func(ctx context.Context, s *Store, i int) error { return s.PutBlobs(ctx, 1, blobs) },
			func(ctx context.Context, s *Store, i int) error {
				got, err := s.Blobs(ctx, 1, ids)
				for id, content := range got {
					if !bytes.Equal(content, blobs[id]) {
						err = errors.Join(err, fmt.Errorf("%s is %q", id, content))
					}
				}
				return err
			},
			func(ctx context.Context, s *Store, i int) error { _, err := s.Repositories(ctx, 1); return err },
			func(ctx context.Context, s *Store, i int) error {
				if i%10 != 0 {
					return nil
				}
				return s.Trim(ctx)
			},
		}
		var all sync.WaitGroup
		for _, s := range stores {
			for _, f := range work {
				all.Go(func() {
					for i := range each {
						if err := f(ctx, s, i); err != nil {
							t.Error(err)
							return
						}
					}
				})
			}
		}
		all.Wait()
		var sum int
		for id := range int64(repositories) {
			doc, _, err := stores[0].Repository(ctx, 1, id+1)
			ok(t, err)
			n, _ := strconv.Atoi(string(doc))
			sum += n
		}
		if want := 2 * 2 * each; sum != want {
			t.Errorf("%d of %d changes are left", sum, want)
		}
	})
}

func TestClose(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, url string) {
		s := open(t, url)
		ok(t, s.Close())
		ok(t, s.Close())
		if _, err := s.Blobs(t.Context(), 1, []string{blobID(nil)}); !errors.Is(err, ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
		if err := s.PutNote(t.Context(), 1, "n", nil); !errors.Is(err, ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	})
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "mysql://x", "sqlite:", "postgres://u:secret@localhost:1/x?connect_timeout=x"} {
		_, err := Open(t.Context(), url)
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", url, err)
		}
	}
	for _, b := range []Bounds{{Unused: day - 1}, {BlobBytes: -1, Unused: day}, {LookBytes: -1, Unused: day}} {
		if _, err := Open(t.Context(), sqliteURL(t), WithBounds(b)); err == nil {
			t.Errorf("bounds %+v are taken", b)
		}
	}
}

// TestVersions: tables of an older version are begun anew, those of a newer one
// are left alone.
func TestVersions(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, url string) {
		ctx := t.Context()
		s := open(t, url)
		ok(t, s.PutNote(ctx, 1, "n", []byte("x")))
		if _, known, err := open(t, url).Note(ctx, 1, "n"); !known || err != nil {
			t.Errorf("a note did not outlive its store: %v, %v", known, err)
		}
		exec(t, s, "UPDATE memory_version SET version = $1", schemaVersion+1)
		if _, err := Open(ctx, url); err == nil || !strings.Contains(err.Error(), "newer dhibot") {
			t.Errorf("tables of a newer version: %v", err)
		}
		exec(t, s, "DROP TABLE memory_look")
		exec(t, s, "CREATE TABLE memory_look (was BIGINT)")
		exec(t, s, "UPDATE memory_version SET version = $1", schemaVersion-1)
		if _, known, err := open(t, url).Note(ctx, 1, "n"); known || err != nil {
			t.Errorf("a note of another version: %v, %v", known, err)
		}
		ok(t, s.PutLooks(ctx, 1, map[string][]byte{"a": []byte("b")}))
		var versions []int64
		rows, err := s.db.reader.QueryContext(ctx, "SELECT version FROM memory_version")
		ok(t, each(rows, err, func(scan func(...any) error) error {
			var v int64
			err := scan(&v)
			versions = append(versions, v)
			return err
		}))
		if !slices.Equal(versions, []int64{schemaVersion}) {
			t.Errorf("versions %v", versions)
		}
	})
}
