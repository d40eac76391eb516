package campaign

import (
	"cmp"
	"slices"
	"time"

	"dhibot/bot/config"
	"dhibot/rewrite"
)

// Decide says what to open now and what to expect. The order of the
// repositories does not matter.
//
// At most PerHour pull requests are created in any hour and at most Open are
// open at once. Pull requests that a person asked for count in both and are not
// held back here, so there can be more of them than that. Of the repositories
// that are possible the simplest come first: those that become hardened as a
// whole, then those with the fewest things to do by hand, then those with the
// fewest Dockerfiles, then by name.
func Decide(in Input) Plan {
	in.Settings.PerHour, in.Settings.Open = max(in.Settings.PerHour, 1), max(in.Settings.Open, 1)
	d := decider{in: in, p: Plan{
		Settings: in.Settings, Paused: in.Paused, Unread: in.Unread,
		Counts: map[State]int{}, Dockerfiles: map[rewrite.Outcome]int{},
	}}
	for i := range in.Repositories {
		d.add(&in.Repositories[i])
	}
	slices.SortFunc(d.entries, prefer)
	w := d.wave()
	d.open(w)
	d.p.Wave = w.Wave
	d.foresee(w)
	d.rows()
	return d.p
}

type decider struct {
	in      Input
	p       Plan
	entries []*entry
	// ends are when the pull requests and reservations of this hour stop
	// counting. occupied are the places that are taken.
	ends     []time.Time
	created  []time.Time // the same as times of creation
	expires  []time.Time // of reservations
	occupied int
}

// entry is a repository with what follows from its facts.
type entry struct {
	*Repository
	state    State
	reserved bool
	opened   int       // pull requests open now
	first    time.Time // when it got its first one; zero when it never did
	merged   bool      // one of ours was merged
	left     int       // pull requests still to be opened
	now      bool      // one may be opened now, as far as the repository goes
	named    bool      // the first wave names it
	turn     int       // what is served sooner has more
}

func (d *decider) add(r *Repository) {
	e := &entry{Repository: r, named: d.in.Settings.FirstWave.Has(r.FullName)}
	frozen := r.Unable == Archived || r.Unable == Disabled
	e.reserved = !r.Reserved.IsZero() && d.in.Now.Sub(r.Reserved) < Reservation
	for _, p := range r.Pulls {
		if p.Open {
			e.opened++
		}
		e.merged = e.merged || p.Merged
		if e.first.IsZero() || p.Created.Before(e.first) {
			e.first = p.Created
		}
		if p.Created.After(r.Reserved) {
			e.reserved = false // this is what became of it
		}
		if d.in.Now.Sub(p.Created) < hour {
			d.ends = append(d.ends, p.Created.Add(hour))
			d.created = append(d.created, p.Created)
		}
	}
	if !frozen {
		d.occupied += e.opened
		d.p.Pulls += e.opened
	}
	if e.reserved {
		d.occupied++
		d.ends = append(d.ends, r.Reserved.Add(Reservation))
		d.expires = append(d.expires, r.Reserved.Add(Reservation))
		d.created = append(d.created, d.in.Now)
	}
	e.state = e.stateNow(frozen)
	if r.Changes > 0 && r.Mode == config.Open && r.Unable == "" && !r.Declined && r.Blocked == "" {
		e.left = max(r.Groups, 1) - e.opened
		if e.reserved {
			e.left--
		}
		e.left = max(e.left, 0)
		e.now = e.left > 0 && !e.reserved && e.opened < max(r.MaxOpen, 1)
	}
	for o, n := range r.Dockerfiles {
		d.p.Dockerfiles[o] += n
	}
	d.p.Counts[e.state]++
	d.entries = append(d.entries, e)
}

func (e *entry) stateNow(frozen bool) State {
	switch {
	case e.opened > 0 && !frozen:
		return Open
	case e.Unable != "":
		return Unable
	case e.Mode == config.Off:
		return Off
	case e.Declined:
		return Declined
	case e.Changes <= 0 && e.merged:
		return Done
	case e.Changes <= 0:
		return Nothing
	case e.Mode == config.Report:
		return ReportOnly
	case e.Mode != config.Open:
		return CommandsOnly
	case e.Blocked != "":
		return Blocked
	default:
		return Waiting
	}
}

// hardened tells that nothing of a proposal is unfinished.
func (e *entry) hardened() bool {
	return e.Changes > 0 && e.Dockerfiles[rewrite.Dev] == 0 && e.Dockerfiles[rewrite.Partial] == 0
}

// prefer puts the simplest first.
func prefer(a, b *entry) int {
	if x, y := a.hardened(), b.hardened(); x != y {
		if x {
			return -1
		}
		return 1
	}
	return cmp.Or(cmp.Compare(a.Checklist, b.Checklist), cmp.Compare(a.Changes, b.Changes), cmp.Compare(a.FullName, b.FullName), cmp.Compare(a.ID, b.ID))
}

// open takes what there is room for.
func (d *decider) open(w *wave) {
	s := d.in.Settings
	inHour, limit, queue := s.PerHour-len(d.ends), s.Open-d.occupied, w.room
	waits := map[Reason]bool{}
	for _, e := range d.entries {
		d.p.Left += e.left
		if e.reserved {
			e.turn = 3
		}
		if e.now && queue > 0 && w.admits(e) {
			e.turn = 1
			queue--
		}
		switch {
		case e.left == 0:
			continue
		case d.in.Paused:
			waits[HeldPaused] = true
		case limit <= 0:
			waits[HeldOpen] = true
		case !e.now:
			waits[HeldInProcess] = true
		case !w.admits(e):
			waits[HeldWave] = true
		case inHour <= 0:
			waits[HeldPerHour] = true
		default:
			d.p.Open = append(d.p.Open, e.ID)
			e.turn = 2
			w.take()
			inHour--
			limit--
			d.ends = append(d.ends, d.in.Now.Add(Reservation))
			d.expires = append(d.expires, d.in.Now.Add(Reservation))
			d.created = append(d.created, d.in.Now)
			if e.left > 1 {
				waits[HeldInProcess] = true
			}
		}
	}
	// What may go on soonest is what is waited for.
	for _, r := range []Reason{HeldPaused, HeldPerHour, HeldWave, HeldOpen, HeldInProcess} {
		if waits[r] {
			d.p.Held = r
			break
		}
	}
	// The last place may have been taken after others had been looked at.
	if limit <= 0 && (d.p.Held == HeldPerHour || d.p.Held == HeldWave) {
		d.p.Held = HeldOpen
	}
}

// foresee says when to look again, and what all that is left takes.
func (d *decider) foresee(w *wave) {
	s, p := d.in.Settings, &d.p
	p.LeftFirst = min(w.left(), p.Left)
	p.Hours = share(p.Left, s.PerHour)
	p.Writes, p.Calls = writesPerPull*p.Left, callsPerPull*p.Left
	if p.Paused {
		return
	}
	if p.Left > 0 {
		p.Earliest = earliest(d.in.Now, d.created, s.PerHour, p.Left-len(p.Open))
	}
	next := d.expires
	switch p.Held {
	case HeldPerHour:
		slices.SortFunc(d.ends, time.Time.Compare)
		next = append(next, d.ends[len(d.ends)-s.PerHour])
	case HeldWave:
		if !w.Ends.IsZero() {
			next = append(next, w.Ends)
		}
	}
	if len(next) > 0 {
		p.Next = slices.MinFunc(next, time.Time.Compare)
	}
}

// earliest is when the last of n more is opened, if only the hour counts.
func earliest(now time.Time, created []time.Time, perHour, n int) time.Time {
	slices.SortFunc(created, time.Time.Compare)
	at := now
	for range n {
		if i := len(created) - perHour; i >= 0 {
			if free := created[i].Add(hour); free.After(at) {
				at = free
			}
		}
		created = append(created, at)
	}
	return at
}

// rows lists the repositories: first those that are served, in their order.
func (d *decider) rows() {
	slices.SortStableFunc(d.entries, func(a, b *entry) int {
		switch x, y := a.state == Waiting, b.state == Waiting; {
		case x && y:
			// What is being opened, and what belongs to the first wave, comes first.
			return cmp.Compare(b.turn, a.turn)
		case x:
			return -1
		case y:
			return 1
		default:
			return cmp.Or(cmp.Compare(a.FullName, b.FullName), cmp.Compare(a.ID, b.ID))
		}
	})
	for _, e := range d.entries {
		row := Row{
			ID: e.ID, FullName: e.FullName, Private: e.Private, State: e.state,
			Dockerfiles: e.Changes, Checklist: e.Checklist, Hardened: e.hardened(), Left: e.left,
		}
		switch e.state {
		case Blocked:
			row.Why = e.Blocked
		case Unable:
			row.Why = e.Unable
		}
		d.p.Rows = append(d.p.Rows, row)
	}
}

// share is n/by, rounded up.
func share(n, by int) int {
	by = max(by, 1)
	return (n + by - 1) / by
}
