package campaign

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"dhibot/bot/config"
	"dhibot/rewrite"
	"dhibot/rewrite/goldentest"

	"github.com/google/go-cmp/cmp"
)

var now = time.Date(2026, 9, 7, 12, 0, 0, 0, time.UTC)

// changing is a repository with one Dockerfile that becomes hardened.
func changing(id int64, change ...func(*Repository)) Repository {
	r := Repository{ID: id, FullName: fmt.Sprintf("acme/r-%02d", id), Mode: config.Open, MaxOpen: 1, Changes: 1, Dockerfiles: map[rewrite.Outcome]int{rewrite.Hardened: 1}}
	for _, c := range change {
		c(&r)
	}
	return r
}

func having(p Pull) func(*Repository) {
	return func(r *Repository) { r.Pulls = append(r.Pulls, p) }
}

func ago(d time.Duration) time.Time { return now.Add(-d) }

func openPull(age time.Duration) func(*Repository) {
	return having(Pull{Open: true, Created: ago(age)})
}

func mergedPull(age time.Duration) func(*Repository) {
	return func(r *Repository) {
		r.Pulls, r.Changes = append(r.Pulls, Pull{Merged: true, Created: ago(age), Closed: ago(age / 2)}), 0
	}
}

func named(name string) func(*Repository) { return func(r *Repository) { r.FullName = name } }

func several(from, to int64, change ...func(*Repository)) []Repository {
	var list []Repository
	for id := from; id <= to; id++ {
		list = append(list, changing(id, change...))
	}
	return list
}

// brief shows a plan in one line.
func brief(p Plan) string {
	var b strings.Builder
	fmt.Fprintf(&b, "open %v, left %d", p.Open, p.Left)
	if p.Held != NotHeld {
		fmt.Fprintf(&b, ", held by %s", p.Held)
	}
	if !p.Next.IsZero() {
		fmt.Fprintf(&b, ", next in %v", p.Next.Sub(now).Round(time.Minute))
	}
	if p.Wave.Stage != NoWave {
		fmt.Fprintf(&b, ", wave %s %d/%d/%d", p.Wave.Stage, p.Wave.Size, p.Wave.Opened, p.Wave.Merged)
	}
	return b.String()
}

func TestDecide(t *testing.T) {
	t.Parallel()
	none := config.Wave{}
	tenth := config.Wave{Percent: 10}
	tools := config.Wave{Names: []string{"tools-*"}}
	for name, c := range map[string]struct {
		perHour, open int
		wave          config.Wave
		repositories  []Repository
		paused        bool
		want          string
	}{
		"nobody":        {10, 30, tenth, nil, false, "open [], left 0"},
		"all at once":   {10, 30, none, several(1, 3), false, "open [1 2 3], left 3, next in 30m0s"},
		"by the hour":   {2, 30, none, several(1, 3), false, "open [1 2], left 3, held by per-hour, next in 30m0s"},
		"hour is full":  {2, 30, none, append(several(1, 2, openPull(40*time.Minute)), several(3, 4)...), false, "open [], left 2, held by per-hour, next in 20m0s"},
		"hour is over":  {2, 30, none, append(several(1, 2, openPull(61*time.Minute)), several(3, 4)...), false, "open [3 4], left 2, next in 30m0s"},
		"merged counts": {2, 30, none, append(several(1, 2, mergedPull(40*time.Minute)), several(3, 4)...), false, "open [], left 2, held by per-hour, next in 20m0s"},
		"all places":    {10, 2, none, append(several(1, 2, openPull(100*time.Hour)), several(3, 4)...), false, "open [], left 2, held by org-open"},
		"last place":    {10, 3, none, append(several(1, 2, openPull(100*time.Hour)), several(3, 4)...), false, "open [3], left 2, held by org-open, next in 30m0s"},
		"people's own": {2, 3, none, append(several(1, 5, openPull(10*time.Minute), func(r *Repository) { r.Mode = config.Commands }), changing(6)), false,
			"open [], left 1, held by org-open"},
		"archived with an open one": {10, 1, none, []Repository{changing(1, openPull(100*time.Hour), func(r *Repository) { r.Unable = Archived }), changing(2)}, false, "open [2], left 1, next in 30m0s"},
		"reserved":                  {2, 30, none, append(several(1, 2, func(r *Repository) { r.Reserved = ago(10 * time.Minute) }), changing(3)), false, "open [], left 1, held by per-hour, next in 20m0s"},
		"reserved places":           {9, 2, none, append(several(1, 2, func(r *Repository) { r.Reserved = ago(10 * time.Minute) }), changing(3)), false, "open [], left 1, held by org-open, next in 20m0s"},
		"void":                      {2, 30, none, several(1, 2, func(r *Repository) { r.Reserved = ago(Reservation) }), false, "open [1 2], left 2, next in 30m0s"},
		"fulfilled":                 {2, 30, none, []Repository{changing(1, openPull(9*time.Minute), func(r *Repository) { r.Reserved = ago(10 * time.Minute) }), changing(2)}, false, "open [2], left 1, next in 30m0s"},
		"paused":                    {10, 30, tenth, several(1, 20), true, "open [], left 20, held by paused, wave first 2/0/0"},
		"groups one by one":         {10, 30, none, []Repository{changing(1, func(r *Repository) { r.Groups, r.MaxOpen = 3, 2 })}, false, "open [1], left 3, held by max-open, next in 30m0s"},
		"second group":              {10, 30, none, []Repository{changing(1, openPull(2*time.Hour), func(r *Repository) { r.Groups, r.MaxOpen = 3, 2 })}, false, "open [1], left 2, held by max-open, next in 30m0s"},
		"third group waits":         {10, 30, none, []Repository{changing(1, openPull(3*time.Hour), openPull(2*time.Hour), func(r *Repository) { r.Groups, r.MaxOpen = 3, 2 })}, false, "open [], left 1, held by max-open"},
		"one for all":               {10, 30, none, []Repository{changing(1, openPull(2*time.Hour), func(r *Repository) { r.MaxOpen = 5 })}, false, "open [], left 0"},

		"not these": {10, 30, none, []Repository{
			changing(1, func(r *Repository) { r.Mode = config.Report }), changing(2, func(r *Repository) { r.Mode = config.Commands }), changing(3, func(r *Repository) { r.Mode = config.Off }),
			changing(4, func(r *Repository) { r.Unable = "fork" }), changing(5, func(r *Repository) { r.Blocked = "a rule" }), changing(6, func(r *Repository) { r.Declined = true }),
			changing(7, func(r *Repository) { r.Changes = 0 }), changing(8, func(r *Repository) { r.Mode = "" }),
		}, false, "open [], left 0"},
		"simplest first": {10, 30, none, []Repository{
			changing(1, named("acme/z")), changing(2, named("acme/y")), changing(3, func(r *Repository) { r.Changes = 2 }),
			changing(4, func(r *Repository) { r.Checklist = 1 }), changing(5, func(r *Repository) { r.Dockerfiles = map[rewrite.Outcome]int{rewrite.Dev: 1} }),
			changing(6, func(r *Repository) { r.Dockerfiles[rewrite.Already] = 3 }), changing(7, func(r *Repository) { r.Dockerfiles[rewrite.Partial] = 1 }),
		}, false, "open [6 2 1 3 4 5 7], left 7, next in 30m0s"},

		"a tenth":              {10, 30, tenth, several(1, 25), false, "open [1 2 3], left 25, held by first-wave, next in 30m0s, wave first 3/0/0"},
		"a tenth of one":       {10, 30, tenth, several(1, 1), false, "open [1], left 1, next in 30m0s, wave first 1/0/0"},
		"a tenth of possible":  {10, 30, tenth, append(several(1, 90, func(r *Repository) { r.Mode = config.Commands }), several(91, 95)...), false, "open [91], left 5, held by first-wave, next in 30m0s, wave first 1/0/0"},
		"a tenth, half opened": {1, 30, tenth, append(several(1, 1, openPull(2*time.Hour)), several(2, 20)...), false, "open [2], left 19, held by first-wave, next in 30m0s, wave first 2/1/0"},
		"a tenth is out":       {10, 30, tenth, append(several(1, 2, openPull(2*time.Hour)), several(3, 20)...), false, "open [], left 18, held by first-wave, next in 22h0m0s, wave first 2/2/0"},
		"a tenth is asked for": {10, 30, tenth, append(several(1, 2, func(r *Repository) { r.Reserved = ago(time.Minute) }), several(3, 20)...), false, "open [], left 18, held by first-wave, next in 29m0s, wave first 2/2/0"},
		"a tenth is merged":    {3, 30, tenth, append(several(1, 2, mergedPull(2*time.Hour)), several(3, 20)...), false, "open [3 4 5], left 18, held by per-hour, next in 30m0s, wave rest 2/2/2"},
		"one is declined":      {3, 30, tenth, append(several(1, 2, having(Pull{Created: ago(2 * time.Hour)}), func(r *Repository) { r.Declined = true }), several(3, 20)...), false, "open [], left 18, held by first-wave, next in 22h0m0s, wave first 2/2/0"},
		"a day later":          {3, 30, tenth, append(several(1, 2, openPull(24*time.Hour)), several(3, 20)...), false, "open [3 4 5], left 18, held by per-hour, next in 30m0s, wave rest 2/2/0"},
		"the earliest count":   {3, 30, tenth, append(append(several(1, 2, openPull(30*time.Hour)), several(3, 4, openPull(3*time.Hour))...), several(5, 20)...), false, "open [5 6 7], left 16, held by per-hour, next in 30m0s, wave rest 2/2/0"},
		"wave and places":      {10, 2, tenth, append(several(1, 2, openPull(2*time.Hour)), several(3, 20)...), false, "open [], left 18, held by org-open, wave first 2/2/0"},
		"named":                {10, 30, tools, append(several(1, 3), changing(4, named("acme/tools-a"))), false, "open [4], left 4, held by first-wave, next in 30m0s, wave first 1/0/0"},
		"named and places":     {10, 1, tools, append(several(1, 3), changing(4, named("acme/tools-a"))), false, "open [4], left 4, held by org-open, next in 30m0s, wave first 1/0/0"},
		"named are out":        {10, 30, tools, append(several(1, 3), changing(4, named("acme/tools-a"), openPull(time.Hour))), false, "open [], left 3, held by first-wave, next in 23h0m0s, wave first 1/1/0"},
		"named are merged":     {10, 30, tools, append(several(1, 3), changing(4, named("acme/tools-a"), mergedPull(3*time.Hour))), false, "open [1 2 3], left 3, next in 30m0s, wave rest 1/1/1"},
		"named are not there":  {10, 30, tools, several(1, 3), false, "open [1 2 3], left 3, next in 30m0s"},
		"named are impossible": {10, 30, tools, append(several(1, 2), changing(3, named("acme/tools-a"), func(r *Repository) { r.Blocked = "a rule" })), false, "open [1 2], left 2, next in 30m0s"},
		"of another wave":      {10, 30, tools, append(several(1, 3, openPull(5*time.Hour)), changing(4), changing(5, named("acme/tools-a"))), false, "open [5], left 2, held by first-wave, next in 30m0s, wave first 1/0/0"},
	} {
		in := Input{Now: now, Settings: Settings{PerHour: c.perHour, Open: c.open, FirstWave: c.wave}, Paused: c.paused, Repositories: c.repositories}
		if got := brief(Decide(in)); got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, c.want)
		}
	}
}

// TestWaveEnds: the end is known when all of the wave were opened.
func TestWaveEnds(t *testing.T) {
	t.Parallel()
	in := Input{Now: now, Settings: Settings{PerHour: 1, Open: 9, FirstWave: config.Wave{Percent: 20}}}
	in.Repositories = append(several(1, 1, openPull(5*time.Hour)), several(2, 10)...)
	if w := Decide(in).Wave; !w.Ends.IsZero() {
		t.Errorf("half of it was opened, and it ends %v", w.Ends)
	}
	in.Repositories[1].Reserved = ago(time.Minute)
	if w := Decide(in).Wave; !w.Ends.IsZero() || w.Opened != 2 {
		t.Errorf("half of it is only asked for, and it is %+v", w)
	}
	openPull(2 * time.Hour)(&in.Repositories[1])
	if w := Decide(in).Wave; !w.Ends.Equal(now.Add(22*time.Hour)) || w.Stage != FirstWave {
		t.Errorf("all of it was opened, and it is %+v", w)
	}
}

// TestForecast: what is left is told by hours, calls and waves.
func TestForecast(t *testing.T) {
	t.Parallel()
	in := Input{Now: now, Settings: Settings{PerHour: 10, Open: 30, FirstWave: config.Wave{Percent: 10}}}
	in.Repositories = append(several(1, 4, mergedPull(30*time.Minute)), several(5, 120)...)
	p := Decide(in)
	if p.Left != 116 || p.LeftFirst != 8 || p.Hours != 12 || p.Writes != 464 || p.Calls != 1740 {
		t.Errorf("left %d, of the first wave %d, in %d hours, with %d writes of %d calls", p.Left, p.LeftFirst, p.Hours, p.Writes, p.Calls)
	}
	// 6 now, then 4 at half past and 6 at the full hour, eleven times.
	want := now.Add(11 * time.Hour)
	if got := p.Earliest.Truncate(time.Minute); !got.Equal(want) {
		t.Errorf("earliest %v, want %v", got, want)
	}
	in.Paused = true
	if p := Decide(in); !p.Earliest.IsZero() || !p.Next.IsZero() || p.Left != 116 {
		t.Errorf("paused, and it is %v, %v, %d", p.Earliest, p.Next, p.Left)
	}
}

// organisation has a bit of everything.
func organisation() []Repository {
	list := append(several(1, 6, mergedPull(48*time.Hour)), several(7, 10, openPull(3*time.Hour))...)
	list = append(list, several(11, 40)...)
	for i := range list {
		list[i].Dockerfiles[rewrite.Already] = i % 2
	}
	list = append(list,
		changing(41, func(r *Repository) {
			r.Blocked = "Repository rule violations found: `creations` are restricted @all <b>"
			r.FullName = "acme/\x1b[31mred\t`tick`"
		}),
		changing(42, func(r *Repository) { r.Declined = true }, having(Pull{Created: ago(50 * time.Hour)})),
		changing(43, func(r *Repository) { r.Unable = Archived }), changing(44, func(r *Repository) { r.Unable = "fork" }),
		changing(45, func(r *Repository) { r.Mode = config.Report }), changing(46, func(r *Repository) { r.Mode = config.Commands }), changing(47, func(r *Repository) { r.Mode = config.Off }),
		changing(48, func(r *Repository) {
			r.Changes, r.Dockerfiles = 0, map[rewrite.Outcome]int{rewrite.Failed: 1, rewrite.Skipped: 2}
		}),
		changing(49, named("acme/a\u202eb\x1b[2J"), func(r *Repository) { r.Checklist, r.Dockerfiles[rewrite.Dev], r.Changes = 3, 1, 2 }),
	)
	return list
}

func TestText(t *testing.T) {
	t.Parallel()
	settings := Settings{PerHour: 10, Open: 30, FirstWave: config.Wave{Percent: 10}}
	report := organisation()
	for i := range report {
		report[i].Mode, report[i].Pulls = config.Report, nil
	}
	for name, in := range map[string]Input{
		"first-wave": {Settings: settings, Repositories: several(1, 120), Unread: 3},
		"rest":       {Settings: settings, Repositories: organisation()},
		"paused":     {Settings: settings, Repositories: organisation(), Paused: true},
		"report":     {Settings: settings, Repositories: report},
	} {
		in.Now = now
		got := Decide(in).Text()
		for i, r := range got {
			if r < ' ' && r != '\n' || r == '\u202e' {
				t.Errorf("%s: %q at %d", name, r, i)
			}
		}
		goldentest.Check(t, "testdata/"+name+".golden.txt", got)
	}
}

func TestSettingsOf(t *testing.T) {
	t.Parallel()
	want := Settings{PerHour: 10, Open: 30, FirstWave: config.Wave{Percent: 10}, Onboarding: true}
	if diff := cmp.Diff(want, SettingsOf(config.Default())); diff != "" {
		t.Error(diff)
	}
	c := config.Default()
	c.Onboarding = config.OnboardingNone
	if SettingsOf(c).Onboarding {
		t.Error("the status issue is wanted nevertheless")
	}
	// Settings that nobody made are those of a careful person.
	if got := brief(Decide(Input{Now: now, Repositories: several(1, 3)})); got != "open [1], left 3, held by org-open, next in 30m0s" {
		t.Error(got)
	}
}

// BenchmarkDecide is an organisation of ten thousand with a long list of names.
func BenchmarkDecide(b *testing.B) {
	var list []string
	for i := range 500 {
		list = append(list, fmt.Sprintf("team-%03d-*", i))
	}
	repositories := several(1, 10_000)
	for b.Loop() {
		Decide(Input{Now: now, Settings: Settings{PerHour: 10, Open: 30, FirstWave: config.Wave{Names: list}}, Repositories: repositories})
	}
}
