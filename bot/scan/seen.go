package scan

import (
	"context"
	"fmt"
)

// seenBlock is how many repositories a note of a pass holds: notes are bounded,
// and each page writes its note anew.
const seenBlock = 2000

// seenNote is a part of the repositories that a pass came to.
type seenNote struct {
	Pass string  `json:"pass"`
	IDs  []int64 `json:"ids"`
}

func seenName(n int) string { return fmt.Sprintf("pass-seen-%d", n) }

// addSeen notes that the pass came to repositories and counts them in p, which
// the caller remembers afterwards; after a crash in between they are noted once
// more in the same place.
func (s *Scanner) addSeen(ctx context.Context, installation int64, p *progress, ids []int64) error {
	for len(ids) > 0 {
		name, at := seenName(p.Count/seenBlock), p.Count%seenBlock
		some := ids[:min(len(ids), seenBlock-at)]
		var b seenNote
		if at > 0 {
			if err := s.note(ctx, installation, name, &b); err != nil {
				return err
			}
		}
		if b.Pass != p.Pass || len(b.IDs) < at {
			b.IDs = make([]int64, at) // lost: zeros tell seen that some are not known
		}
		b.Pass, b.IDs = p.Pass, append(b.IDs[:at], some...)
		if err := s.putNote(ctx, installation, name, b); err != nil {
			return err
		}
		p.Count += len(some)
		ids = ids[len(some):]
	}
	return nil
}

// seen returns the repositories that the pass came to. whole is false when some
// of them were forgotten.
func (s *Scanner) seen(ctx context.Context, installation int64, p progress) (ids map[int64]bool, whole bool, err error) {
	ids = make(map[int64]bool, p.Count)
	for n := 0; n*seenBlock < p.Count; n++ {
		var b seenNote
		if err := s.note(ctx, installation, seenName(n), &b); err != nil {
			return nil, false, err
		}
		if want := min(seenBlock, p.Count-n*seenBlock); b.Pass != p.Pass || len(b.IDs) < want {
			return nil, false, nil
		}
		for _, id := range b.IDs {
			ids[id] = true
		}
	}
	return ids, !ids[0], nil
}

// seenMeanwhile notes for the pass under way, if there is one, repositories that
// an event told of: they may be new, and on a page that it has read already.
func (s *Scanner) seenMeanwhile(ctx context.Context, installation int64, ids []int64) error {
	var p progress
	if err := s.note(ctx, installation, progressNote, &p); err != nil || p.Pass == "" {
		return err
	}
	if err := s.addSeen(ctx, installation, &p, ids); err != nil {
		return err
	}
	return s.putNote(ctx, installation, progressNote, p)
}

// missing deals with the repositories that a complete pass did not come to. One
// that leaves the list makes those behind it move up, and the first of the next
// page is passed by; so what is missing for the first time is only marked, and
// forgotten when the next pass does not come to it either. missed counts those
// that are marked.
func (s *Scanner) missing(ctx context.Context, v *visit, p progress) (missed int, err error) {
	seen, whole, err := s.seen(ctx, v.installation, p)
	if err != nil || !whole {
		return 0, err
	}
	var gone []int64
	for id, r := range v.records {
		mark := ""
		switch {
		case seen[id]:
		case r.Missed != "" && r.Missed != p.Pass:
			gone = append(gone, id)
			delete(v.records, id)
			continue
		default:
			missed++
			mark = p.Pass
		}
		if r.Missed == mark {
			continue
		}
		if err := s.amend(ctx, v.installation, id, func(r *record) {
			r.Missed = mark
			v.records[id] = r
		}); err != nil {
			return 0, err
		}
	}
	return missed, s.lose(ctx, v.installation, gone...)
}
