package webhooks

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"golang.org/x/sync/semaphore"
)

func TestBodiesShareMemory(t *testing.T) {
	t.Parallel()
	memory := semaphore.NewWeighted(1000)
	read := func(n int, length int64) (*bodyReader, error) {
		b := &bodyReader{memory: memory}
		return b, b.read(iotest.HalfReader(strings.NewReader(strings.Repeat("x", n))), length)
	}
	first, err := read(700, 700)
	if err != nil || len(first.body) != 700 {
		t.Fatalf("read %d bytes, %v", len(first.body), err)
	}
	second, err := read(301, -1)
	if !errors.Is(err, errMemory) {
		t.Errorf("1001 bytes of 1000 were read: %v", err)
	}
	second.release()
	if third, err := read(300, 25<<20); err != nil || len(third.body) != 300 {
		t.Errorf("300 bytes announced as 25 MiB: %d, %v", len(third.body), err)
	} else {
		third.release()
	}
	first.release()
	first.release() // once is enough, twice is harmless
	if !memory.TryAcquire(1000) {
		t.Error("memory was not given back")
	}
}

func TestBodyThatBreaksOff(t *testing.T) {
	t.Parallel()
	b := &bodyReader{memory: semaphore.NewWeighted(1000)}
	err := b.read(io.MultiReader(strings.NewReader("{"), iotest.ErrReader(io.ErrUnexpectedEOF)), 100)
	if !errors.Is(err, io.ErrUnexpectedEOF) || b.body != nil {
		t.Errorf("read %q, %v", b.body, err)
	}
}
