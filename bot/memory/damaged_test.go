package memory

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/rs/zerolog"
)

// TestDamagedFile: a file that is no database is moved aside when it is opened,
// by one of the processes that find it.
func TestDamagedFile(t *testing.T) {
	t.Parallel()
	url := sqliteURL(t)
	path := strings.TrimPrefix(url, "sqlite:") + "-memory"
	junk := []byte(strings.Repeat("this is no database ", 1000))
	ok(t, os.WriteFile(path, junk, 0o600))
	var log strings.Builder // read when nobody writes any more
	logger := zerolog.New(zerolog.SyncWriter(&log))
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			s, err := Open(t.Context(), url, WithLogger(logger))
			if err != nil {
				t.Error(err)
				return
			}
			if err := s.PutNote(t.Context(), 1, "n", []byte("x")); err != nil {
				t.Error(err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if kept := must[[]byte](t)(os.ReadFile(path + ".damaged")); !bytes.Equal(kept, junk) {
		t.Errorf("moved aside: %d bytes, want the %d that were there", len(kept), len(junk))
	}
	if n := strings.Count(log.String(), "begun anew"); n != 1 {
		t.Errorf("it was begun anew %d times: %s", n, log.String())
	}
	if _, known, err := open(t, url).Note(t.Context(), 1, "n"); !known || err != nil {
		t.Errorf("the new file: %v, %v", known, err)
	}
}

// TestDamagedInUse: damage that shows while the memory is in use is healed on
// the spot, and the call that met it succeeds.
func TestDamagedInUse(t *testing.T) {
	t.Parallel()
	url := sqliteURL(t)
	path := strings.TrimPrefix(url, "sqlite:") + "-memory"
	ctx := t.Context()
	var log strings.Builder // read when nobody writes any more
	logger := zerolog.New(zerolog.SyncWriter(&log))
	s := open(t, url, WithLogger(logger))
	ids, blobs := blobsOf(2000, strings.Repeat("x", 500))
	ok(t, s.PutBlobs(ctx, 1, blobs))
	ok(t, s.Close())

	// Everything behind the first pages, which have the schema.
	f := must[*os.File](t)(os.OpenFile(path, os.O_RDWR, 0))
	info := must[os.FileInfo](t)(f.Stat())
	const intact = 12 * 4096
	_, err := f.WriteAt(bytes.Repeat([]byte{0xa5}, int(info.Size())-intact), intact)
	ok(t, err)
	ok(t, f.Close())

	s = open(t, url, WithLogger(logger))
	if log.String() != "" {
		t.Fatalf("the damage shows when it is opened, this test is about later: %s", log.String())
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if got, err := s.Blobs(ctx, 1, ids); err != nil || len(got) != 0 {
				t.Errorf("%d contents, %v", len(got), err)
			}
		})
	}
	all.Wait()
	if n := strings.Count(log.String(), "begun anew"); n != 1 {
		t.Errorf("it was begun anew %d times: %s", n, log.String())
	}
	ok(t, s.PutBlobs(ctx, 1, blobs))
	if got := must[map[string][]byte](t)(s.Blobs(ctx, 1, ids)); len(got) != len(ids) {
		t.Errorf("%d contents in the new file", len(got))
	}
}

// TestDeletedInUse: the memory may be thrown away at any time.
func TestDeletedInUse(t *testing.T) {
	t.Parallel()
	url := sqliteURL(t)
	path := strings.TrimPrefix(url, "sqlite:") + "-memory"
	ctx := t.Context()
	var log strings.Builder // read when nobody writes any more
	logger := zerolog.New(zerolog.SyncWriter(&log))
	s := open(t, url, WithLogger(logger))
	ids, blobs := blobsOf(3, "FROM x")
	ok(t, s.PutBlobs(ctx, 1, blobs))
	for _, suffix := range []string{"", "-wal", "-shm"} {
		ok(t, os.Remove(path+suffix))
	}
	s.db.reader.SetMaxIdleConns(0) // the next read opens the file by its name
	if got, err := s.Blobs(ctx, 1, ids); err != nil || len(got) != 0 {
		t.Errorf("%d contents, %v", len(got), err)
	}
	ok(t, s.PutBlobs(ctx, 1, blobs))
	if got := must[map[string][]byte](t)(open(t, url).Blobs(ctx, 1, ids)); len(got) != len(ids) {
		t.Errorf("%d contents in the new file", len(got))
	}
	if mode := must[os.FileInfo](t)(os.Stat(path)).Mode(); mode != 0o600 {
		t.Errorf("the new file has mode %v", mode)
	}
	if strings.Contains(log.String(), "damaged") {
		t.Errorf("nothing was damaged: %s", log.String())
	}
}

// TestPrivateFile: contents of private repositories are nobody else's business.
func TestPrivateFile(t *testing.T) {
	t.Parallel()
	url := sqliteURL(t)
	s := open(t, url)
	ok(t, s.PutNote(t.Context(), 1, "n", nil))
	dir := filepath.Dir(strings.TrimPrefix(url, "sqlite:"))
	var names []string
	for _, e := range must[[]fs.DirEntry](t)(os.ReadDir(dir)) {
		names = append(names, e.Name())
		if mode := must[fs.FileInfo](t)(e.Info()).Mode(); mode != 0o600 {
			t.Errorf("%s has mode %v", e.Name(), mode)
		}
	}
	for _, name := range names {
		if !strings.HasPrefix(name, "dhi?bot#.db-memory") {
			t.Errorf("%s is not the memory's", name)
		}
	}
	if len(names) < 3 {
		t.Errorf("only %v", names)
	}
}
