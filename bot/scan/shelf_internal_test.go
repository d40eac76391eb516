package scan

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"dhibot/bot"
)

// TestShelfIsBounded: contents beyond what is held are read from the memory, and
// asked for again when that has lost them.
func TestShelfIsBounded(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	m := emptyMemory(t)
	s := &Scanner{c: Config{Memory: m}}
	v := &visit{installation: 1}
	h := newShelf()
	h.most = 1000
	var shas []string
	for i := range 10 {
		content := []byte(strings.Repeat(fmt.Sprint(i), 300))
		sum := sha1.Sum(fmt.Appendf(nil, "blob %d\x00%s", len(content), content))
		sha := hex.EncodeToString(sum[:])
		shas = append(shas, sha)
		if err := m.PutBlobs(ctx, 1, map[string][]byte{sha: content}); err != nil {
			t.Fatal(err)
		}
		h.put(map[string][]byte{sha: content})
	}
	if h.held > h.most || len(h.have) != 3 || len(h.stored) != 7 {
		t.Errorf("%d bytes in %d files are held, %d are not", h.held, len(h.have), len(h.stored))
	}
	for i, sha := range shas {
		if content, err := s.fetch(ctx, v, h, sha); err != nil || len(content) != 300 || content[0] != byte('0'+i) {
			t.Errorf("%d: %q, %v", i, content, err)
		}
	}
	if err := m.Forget(ctx, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := s.fetch(ctx, v, h, shas[9]); !errors.Is(err, bot.ErrNotFetched) {
		t.Errorf("%v", err)
	}
}

// TestParts: no part is too large, and what several repositories hold is in one.
func TestParts(t *testing.T) {
	t.Parallel()
	var wants []want
	for i := range 250 {
		wants = append(wants, want{sha: fmt.Sprintf("%03d", i), size: 100 << 10}, want{sha: fmt.Sprintf("%03d", i), size: 100 << 10})
	}
	n := 0
	where := map[string]int{}
	for p, part := range parts(wants) {
		files, bytes := map[string]bool{}, int64(0)
		for _, w := range part {
			n++
			if at, ok := where[w.sha]; ok && at != p {
				t.Errorf("%s is in two parts", w.sha)
			}
			where[w.sha] = p
			if !files[w.sha] {
				files[w.sha], bytes = true, bytes+w.size
			}
		}
		if len(files) > fillFiles || bytes > fillMost {
			t.Errorf("%d files with %d bytes in one part", len(files), bytes)
		}
	}
	if n != len(wants) {
		t.Errorf("%d of %d", n, len(wants))
	}
}
