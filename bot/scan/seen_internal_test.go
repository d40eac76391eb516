package scan

import (
	"context"
	"testing"
)

// TestSeenOfAHundredThousand: which repositories a pass came to is remembered
// for any number of them, a page that is read twice after a crash is noted once,
// and that a part was forgotten is noticed.
func TestSeenOfAHundredThousand(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	m := emptyMemory(t)
	s := &Scanner{c: Config{Memory: m}}
	p := progress{Pass: "pass:1"}
	const many = 100_050
	for id := 0; id < many; {
		var page []int64
		for ; len(page) < 100 && id < many; id++ {
			page = append(page, 10_000_000_000+int64(id))
		}
		if id%1000 == 0 { // the process died before it remembered where it was
			lost := p
			if err := s.addSeen(ctx, 1, &lost, page); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.addSeen(ctx, 1, &p, page); err != nil {
			t.Fatal(err)
		}
	}
	ids, whole, err := s.seen(ctx, 1, p)
	if err != nil || !whole || len(ids) != many || p.Count != many {
		t.Errorf("%d of %d, whole %t, %v", len(ids), p.Count, whole, err)
	}
	if err := m.PutNote(ctx, 1, seenName(3), []byte("{}")); err != nil {
		t.Fatal(err)
	}
	if _, whole, err := s.seen(ctx, 1, p); err != nil || whole {
		t.Errorf("a part is missing: whole %t, %v", whole, err)
	}
	next := progress{Pass: "pass:2", Count: p.Count}
	if _, whole, err := s.seen(ctx, 1, next); err != nil || whole {
		t.Errorf("of another pass: whole %t, %v", whole, err)
	}
}
