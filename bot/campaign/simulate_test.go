package campaign

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"dhibot/bot/config"
	"dhibot/rewrite"

	"github.com/google/go-cmp/cmp"
)

var start = time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)

// world is an organisation that carries out what Decide says, late and not
// always, while people merge, close and command.
type world struct {
	rnd      *rand.Rand
	now      time.Time
	settings Settings
	repos    []Repository
	events   []event
	created  []time.Time // exactly, by us
	commands bool        // people ask for pull requests of their own
	number   int
}

type event struct {
	at time.Time
	do func()
}

func (w *world) later(most time.Duration, do func()) {
	w.events = append(w.events, event{w.now.Add(1 + time.Duration(w.rnd.Int64N(int64(most)))), do})
}

func pick[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

func newWorld(seed uint64) *world {
	r := rand.New(rand.NewPCG(seed, 7))
	w := &world{rnd: r, now: start, settings: Settings{PerHour: 1 + r.IntN(12), Open: 1 + r.IntN(40)}, commands: seed%2 == 1}
	w.settings.FirstWave = pick(r, config.Wave{}, config.Wave{Percent: 1 + r.IntN(100)}, config.Wave{Names: []string{"*1*"}}, config.Wave{Names: []string{"acme/r-0*", "*7"}}, config.Wave{Names: []string{"nobody"}})
	n := 1 + r.IntN(80)
	w.repos = make([]Repository, 0, n) // they are pointed to
	for i := range n {
		repo := Repository{
			ID: int64(i + 1), FullName: fmt.Sprintf("acme/r-%03d", i), Mode: pick(r, config.Open, config.Open, config.Open, config.Open, config.Report, config.Commands, config.Off),
			MaxOpen: r.IntN(3), Groups: r.IntN(4), Checklist: r.IntN(4), Changes: pick(r, 0, 1, 2, 9),
			Unable: pick(r, "", "", "", "", "", Archived, "fork"), Blocked: pick(r, "", "", "", "", "", "", "a ruleset"),
		}
		repo.Dockerfiles = map[rewrite.Outcome]int{rewrite.Hardened: repo.Changes, pick(r, rewrite.Dev, rewrite.Already): r.IntN(2)}
		w.repos = append(w.repos, repo)
		if r.IntN(9) == 0 {
			// Somebody has asked for one before.
			w.pull(&w.repos[i])
			w.repos[i].Pulls[0].Created = start.Add(-time.Duration(r.IntN(100)) * time.Hour)
		}
	}
	if w.commands {
		for range r.IntN(20) {
			w.later(60*time.Hour, func() {
				if repo := &w.repos[r.IntN(len(w.repos))]; repo.Changes > 0 && repo.Unable == "" && opened(*repo) == 0 {
					w.pull(repo)
				}
			})
		}
	}
	return w
}

func opened(r Repository) (n int) {
	for _, p := range r.Pulls {
		if p.Open {
			n++
		}
	}
	return n
}

// pull opens one in a repository, and somebody will merge or close it.
func (w *world) pull(r *Repository) {
	w.number++
	number := w.number
	r.Pulls = append(r.Pulls, Pull{Number: number, Open: true, Created: w.now.Truncate(time.Second)})
	w.later(50*time.Hour, func() {
		i := slices.IndexFunc(r.Pulls, func(p Pull) bool { return p.Number == number })
		r.Pulls[i].Open, r.Pulls[i].Closed = false, w.now
		if w.rnd.IntN(6) == 0 {
			r.Declined = true
			return
		}
		r.Pulls[i].Merged = true
		if r.Groups--; r.Groups <= 0 {
			r.Changes, r.Groups = 0, 0
		}
	})
}

// carryOut opens what a plan says: soon, or never.
func (w *world) carryOut(p Plan) {
	for _, id := range p.Open {
		r := &w.repos[id-1]
		r.Reserved = w.now
		w.later(Reservation-time.Second, func() {
			switch w.rnd.IntN(12) {
			case 0: // it is lost
			case 1:
				r.Blocked, r.Reserved = "a ruleset", time.Time{}
			default:
				r.Reserved = time.Time{}
				if opened(*r) >= max(r.MaxOpen, 1) {
					return // somebody asked for one meanwhile, and whoever opens looks first
				}
				w.created = append(w.created, w.now)
				w.pull(r)
			}
		})
	}
}

func (w *world) input() Input {
	in := Input{Now: w.now, Settings: w.settings, Repositories: slices.Clone(w.repos)}
	w.rnd.Shuffle(len(in.Repositories), func(i, j int) {
		in.Repositories[i], in.Repositories[j] = in.Repositories[j], in.Repositories[i]
	})
	return in
}

// TestSimulated lets many organisations run to their end.
func TestSimulated(t *testing.T) {
	t.Parallel()
	seeds := uint64(120)
	if testing.Short() {
		seeds = 40
	}
	for seed := range seeds {
		simulate(t, seed)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func simulate(t *testing.T, seed uint64) {
	t.Helper()
	w := newWorld(seed)
	for step := 0; ; step++ {
		if step == 5000 {
			t.Fatal("it does not come to an end")
		}
		p := Decide(w.input())
		if diff := cmp.Diff(p, Decide(w.input())); diff != "" {
			t.Errorf("the order of the repositories matters:\n%s", diff)
		}
		w.check(t, p)
		w.carryOut(p)
		next := p.Next
		slices.SortFunc(w.events, func(a, b event) int { return a.at.Compare(b.at) })
		if len(w.events) > 0 && (next.IsZero() || w.events[0].at.Before(next)) {
			next = w.events[0].at
		}
		if next.IsZero() {
			break
		}
		if !next.After(w.now) {
			t.Fatalf("the next time to look, %v, is not after %v", next, w.now)
		}
		// Nothing happens until then, so looking again is in vain.
		in := w.input()
		in.Now = w.now.Add(time.Duration(w.rnd.Int64N(int64(next.Sub(w.now)))))
		if vain := Decide(in); len(vain.Open) > 0 {
			t.Errorf("Next is %v, and at %v there is something to open (%s)", next, in.Now, p.Held)
		}
		w.now = next
		for len(w.events) > 0 && !w.events[0].at.After(w.now) {
			do := w.events[0].do
			w.events = w.events[1:]
			do()
			w.limits(t)
		}
	}
	end := Decide(w.input())
	if end.Left > 0 || end.Held != NotHeld || !end.Earliest.IsZero() {
		t.Errorf("%d pull requests were never opened, held by %q", end.Left, end.Held)
	}
	for _, r := range w.repos {
		if r.Mode == config.Open && r.Unable == "" && r.Blocked == "" && !r.Declined && r.Changes > 0 {
			t.Errorf("%s got nothing", r.FullName)
		}
	}
}

// limits holds what GitHub shows against the settings.
func (w *world) limits(t *testing.T) {
	t.Helper()
	for i, from := range w.created {
		n := 0
		for _, at := range w.created[i:] {
			if at.Sub(from) < time.Hour {
				n++
			}
		}
		if n > w.settings.PerHour {
			t.Errorf("%d pull requests in the hour from %v, at most %d", n, from, w.settings.PerHour)
		}
	}
	open := 0
	for _, r := range w.repos {
		if r.Unable != Archived {
			open += opened(r)
		}
		if opened(r) > max(r.MaxOpen, 1) {
			t.Errorf("%d are open in %s, at most %d", opened(r), r.FullName, r.MaxOpen)
		}
	}
	if !w.commands && open > max(w.settings.Open, w.before()) {
		t.Errorf("%d are open, at most %d", open, w.settings.Open)
	}
}

// before is how many were open before the campaign began.
func (w *world) before() (n int) {
	for _, r := range w.repos {
		for _, p := range r.Pulls {
			if p.Created.Before(start) {
				n++
			}
		}
	}
	return n
}

// check holds a plan against the rules, told another way than Decide tells them.
func (w *world) check(t *testing.T, p Plan) {
	t.Helper()
	hour, open, total := 0, 0, 0
	for _, r := range w.repos {
		for _, q := range r.Pulls {
			if w.now.Sub(q.Created) < time.Hour {
				hour++
			}
			if q.Open && r.Unable != Archived {
				open++
			}
		}
		if w.live(r) {
			hour++
			open++
		}
	}
	if n := len(p.Open); n > 0 && (hour+n > w.settings.PerHour || open+n > w.settings.Open) {
		t.Errorf("%d more, with %d of this hour and %d open; the settings are %+v", n, hour, open, w.settings)
	}
	for _, n := range p.Counts {
		total += n
	}
	if total != len(w.repos) || len(p.Rows) != total {
		t.Errorf("%d states and %d rows of %d repositories", total, len(p.Rows), len(w.repos))
	}
	seen := map[int64]bool{}
	for _, id := range p.Open {
		r := w.repos[id-1]
		if seen[id] || w.live(r) || r.Mode != config.Open || r.Unable != "" || r.Blocked != "" || r.Declined || r.Changes == 0 || opened(r) >= max(r.MaxOpen, 1) {
			t.Errorf("opens one in %+v", r)
		}
		seen[id] = true
	}
	if p.Left > len(p.Open) && p.Held == NotHeld && !slices.ContainsFunc(w.repos, w.live) {
		t.Errorf("%d are left, and nothing holds them", p.Left)
	}
	if p.Left > 0 && p.Earliest.Before(w.now.Add(time.Duration((p.Left-1)/w.settings.PerHour)*time.Hour)) {
		t.Errorf("%d at %d an hour are not opened between %v and %v", p.Left, w.settings.PerHour, w.now, p.Earliest)
	}
	w.checkWave(t, p)
}

func (w *world) live(r Repository) bool {
	return !r.Reserved.IsZero() && w.now.Sub(r.Reserved) < Reservation
}

// checkWave: whoever is not of the first wave waits for it.
func (w *world) checkWave(t *testing.T, p Plan) {
	t.Helper()
	s := w.settings.FirstWave
	if s.None() || len(p.Open) == 0 {
		return
	}
	var of []Repository // all that count
	var has []time.Time
	merged := map[time.Time]bool{}
	for _, r := range w.repos {
		could := r.Mode == config.Open && r.Unable == "" && r.Blocked == "" && !r.Declined && r.Changes > 0
		if s.Percent == 0 && !s.Has(r.FullName) || len(r.Pulls) == 0 && !could && !w.live(r) {
			continue
		}
		of = append(of, r)
		if len(r.Pulls) > 0 {
			has = append(has, r.Pulls[0].Created)
			merged[r.Pulls[0].Created] = slices.ContainsFunc(r.Pulls, func(p Pull) bool { return p.Merged })
		}
	}
	if len(of) == 0 {
		return
	}
	n := len(of)
	if s.Percent > 0 {
		n = max(1, (len(of)*s.Percent+99)/100)
	}
	slices.SortFunc(has, time.Time.Compare)
	if len(has) >= n {
		over := !w.now.Before(has[n-1].Add(24*time.Hour)) || !slices.ContainsFunc(has[:n], func(at time.Time) bool { return !merged[at] })
		if !over {
			t.Errorf("opens %d while the first wave of %d is not through", len(p.Open), n)
		}
		return
	}
	if len(has)+len(p.Open) > n {
		t.Errorf("opens %d, and the first wave has %d of %d", len(p.Open), len(has), n)
	}
	for _, id := range p.Open {
		if r := w.repos[id-1]; s.Percent == 0 && !s.Has(r.FullName) || len(r.Pulls) > 0 {
			t.Errorf("%s is not of the first wave", r.FullName)
		}
	}
}
