package campaign

import (
	"cmp"
	"slices"
	"time"
)

// wave is the first wave while a decision is made.
type wave struct {
	Wave
	byName bool // only named repositories are of it
	room   int  // repositories that may still join it
	taken  int  // of them, those that join it by this decision
}

// wave finds out how the first wave stands, from GitHub alone.
//
// It is taken from the repositories that have a pull request of ours, whoever
// asked for it, and those that may get one: all of them that are named, or a
// share of them, at least one. Repositories that are switched off, blocked and
// so on do not count, or they would hold up the rest for ever. While fewer than
// that have ever had one, only those are served. Then the rest waits until the
// earliest of them were merged, or for a day.
func (d *decider) wave() *wave {
	s := d.in.Settings.FirstWave
	w := &wave{byName: s.Percent == 0}
	if s.None() {
		return w
	}
	var members []*entry
	size := 0
	for _, e := range d.entries {
		has := !e.first.IsZero() || e.reserved
		if !has && !e.now || s.Percent == 0 && !e.named {
			continue
		}
		size++
		if has {
			members = append(members, e)
		}
	}
	if size == 0 {
		return w
	}
	if s.Percent > 0 {
		size = share(size*s.Percent, 100)
	}
	slices.SortFunc(members, func(a, b *entry) int { return cmp.Or(a.joined().Compare(b.joined()), cmp.Compare(a.ID, b.ID)) })
	members = members[:min(len(members), size)]
	w.Stage, w.Size, w.Opened, w.room = FirstWave, size, len(members), size-len(members)
	known := true
	for _, e := range members {
		if e.merged {
			w.Merged++
		}
		known = known && !e.first.IsZero()
	}
	if w.room > 0 || !known {
		return w
	}
	w.Ends = members[size-1].joined().Add(day)
	if w.Merged == size || !d.in.Now.Before(w.Ends) {
		w.Stage, w.Ends = TheRest, time.Time{}
	}
	return w
}

// joined is when a repository got its first pull request, or is about to.
func (e *entry) joined() time.Time {
	if e.first.IsZero() {
		return e.Reserved
	}
	return e.first
}

// admits tells whether a repository may be served as far as the wave goes.
func (w *wave) admits(e *entry) bool {
	if w.Stage != FirstWave {
		return true
	}
	return w.room > 0 && e.first.IsZero() && (e.named || !w.byName)
}

// take counts a repository that is served.
func (w *wave) take() {
	if w.Stage == FirstWave {
		w.room--
		w.taken++
	}
}

// left is how many pull requests of the first wave are still to be opened, with
// those that this decision opens.
func (w *wave) left() int { return w.room + w.taken }
