package plan

import (
	"os/exec"
	"strings"
	"testing"

	"dhibot/bot/body"
	"dhibot/bot/config"

	"github.com/google/go-cmp/cmp"
)

func TestGroups(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		by         config.Grouping
		path       string
		want       Group
		has, hasNo string
	}{
		{config.ByRepository, "a/Dockerfile", Group{}, "b/Dockerfile", ""},
		{"", "a/Dockerfile", Group{}, "b/Dockerfile", ""},
		{config.ByDirectory, "Dockerfile", Group{config.ByDirectory, "."}, "Dockerfile.dev", "a/Dockerfile"},
		{config.ByDirectory, "a/b/Dockerfile", Group{config.ByDirectory, "a/b"}, "a/b/Dockerfile.dev", "a/b/c/Dockerfile"},
		{config.ByDockerfile, "a/Dockerfile", Group{config.ByDockerfile, "a/Dockerfile"}, "a/Dockerfile", "a/Dockerfile.dev"},
	} {
		g := GroupOf(c.by, c.path)
		if g != c.want || !g.Has(c.has) || c.hasNo != "" && g.Has(c.hasNo) {
			t.Errorf("%s of %s: %+v", c.by, c.path, g)
		}
		if back, ok := ParseGroup(g.Key()); !ok || back != g {
			t.Errorf("%+v is %q as a key, and back %+v", g, g.Key(), back)
		}
	}
	for _, key := range []string{"x", "directory:", "repository:x", ":x", "folder:a"} {
		if g, ok := ParseGroup(key); ok {
			t.Errorf("%q is the group %+v", key, g)
		}
	}
}

// TestBranches: whatever a folder is called, its branch is one that git takes,
// no other group has it, and it does not stand in the way of the branch for the
// whole repository.
func TestBranches(t *testing.T) {
	t.Parallel()
	names := []string{".", "a", "A", "a-b", "a/b", "a_b", "a b", "-", "--", ".lock", "a.lock", "@{-1}", "..", "a..b", "~^:?*[\\", "\x00\x7f", "ä", "日本", "\xff",
		"refs/heads/main", "-rf", strings.Repeat("x", 4000), strings.Repeat("x", 4000) + "y", strings.Repeat("-", 300), "a/" + strings.Repeat("b/", 200)}
	seen := map[string]Group{Branch: {}}
	for _, by := range []config.Grouping{config.ByDirectory, config.ByDockerfile} {
		for _, n := range names {
			g := Group{by, n}
			b := g.Branch()
			if other, twice := seen[b]; twice {
				t.Errorf("%+v and %+v have the branch %s", g, other, b)
			}
			seen[b] = g
			if !IsBranch(b) || len(b) > 80 || strings.HasPrefix(b, Branch+"/") {
				t.Errorf("%+v has the branch %q", g, b)
			}
			if out, err := exec.Command("git", "check-ref-format", "--branch", b).CombinedOutput(); err != nil {
				t.Errorf("git refuses %q: %s", b, out)
			}
		}
	}
	// Fixed for all time: open pull requests are found by it.
	for want, g := range map[string]Group{
		"dhi/migrate":                                 {},
		"dhi/migrate-1ebc26f279153617":                {config.ByDirectory, "."},
		"dhi/migrate-services-api-469e8d427fe99d07":   {config.ByDirectory, "services/api"},
		"dhi/migrate-api-dockerfile-e8c057c4d120cbdb": {config.ByDockerfile, "api/Dockerfile"},
	} {
		if got := g.Branch(); got != want {
			t.Errorf("%+v: %s, want %s", g, got, want)
		}
	}
	for _, foreign := range []string{"", "main", "dhi/migrate-", "dhi/migrate-mine", "dhi/migrate2", "dhi/migrate/x", "x/dhi/migrate", "dhi/migrate-A-1ebc26f279153617"} {
		if IsBranch(foreign) {
			t.Errorf("%q is taken for a branch of ours", foreign)
		}
	}
}

func TestSelect(t *testing.T) {
	t.Parallel()
	opens := Plan{Reason: Opens, Actions: []Action{WriteBranch{}, OpenPull{}}}
	updates := Plan{Reason: Updates, Actions: []Action{WriteBranch{}, EditPull{}}}
	closes := Plan{Reason: Obsolete, Actions: []Action{ClosePull{}}}
	none := Plan{Reason: NothingToDo}
	for name, c := range map[string]struct {
		plans      []Plan
		open, most int
		want       string
	}{
		"nothing open":       {[]Plan{opens, opens, opens}, 0, 2, "opens opens waits"},
		"one open":           {[]Plan{updates, opens, none, opens}, 1, 2, "updates opens nothing-to-do waits"},
		"full":               {[]Plan{opens, updates, updates}, 2, 2, "waits updates updates"},
		"one goes":           {[]Plan{opens, opens, closes}, 1, 1, "opens waits obsolete"},
		"more than may be":   {[]Plan{opens, closes}, 5, 2, "waits obsolete"},
		"nothing that opens": {[]Plan{none, updates}, 3, 1, "nothing-to-do updates"},
	} {
		var got []string
		for _, p := range Select(c.plans, c.open, c.most) {
			got = append(got, string(p.Reason))
			if p.Reason == Waits && len(p.Actions) > 0 {
				t.Errorf("%s: one that waits acts", name)
			}
		}
		if diff := cmp.Diff(c.want, strings.Join(got, " ")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if c.plans[0].Reason == Waits {
			t.Errorf("%s: the plans that came in were changed", name)
		}
	}
}

func TestElsewhere(t *testing.T) {
	t.Parallel()
	whole, api, web := Group{}, Group{config.ByDirectory, "api"}, Group{config.ByDirectory, "web"}
	pull := func(n int, g Group, change func(*Pull)) Pull {
		p := Pull{Number: n, Open: true, Branch: g.Branch(), Marker: body.Marker{Branch: g.Branch(), Group: g.Key()}}
		if change != nil {
			change(&p)
		}
		return p
	}
	no := func(p *Pull) { p.Open = false }
	byUs := func(p *Pull) { p.Open, p.Marker.Closed = false, true }
	merged := func(p *Pull) { p.Open, p.Merged = false, true }
	onlyWeb := func(p *Pull) { p.Marker.Paths = []string{"web"} }
	for name, c := range map[string]struct {
		pulls []Pull
		group Group
		again bool
		want  string
	}{
		"nothing":                  {nil, api, false, ""},
		"own":                      {[]Pull{pull(1, api, nil)}, api, false, ""},
		"own no":                   {[]Pull{pull(1, api, no)}, api, false, ""},
		"another folder's":         {[]Pull{pull(1, web, no)}, api, false, ""},
		"open":                     {[]Pull{pull(1, whole, nil)}, api, false, "#1 has it, from a time when Dockerfiles were grouped in another way"},
		"open, again":              {[]Pull{pull(1, whole, nil)}, api, true, "#1 has it, from a time when Dockerfiles were grouped in another way"},
		"open, other paths":        {[]Pull{pull(1, whole, onlyWeb)}, api, false, ""},
		"no":                       {[]Pull{pull(1, whole, no)}, api, false, "#1, which had it, was closed without merging"},
		"no, again":                {[]Pull{pull(1, whole, no)}, api, true, ""},
		"closed by us":             {[]Pull{pull(1, whole, byUs)}, api, false, ""},
		"merged":                   {[]Pull{pull(1, whole, merged)}, api, false, ""},
		"no, and asked again":      {[]Pull{pull(1, whole, no), pull(2, api, nil)}, api, false, ""},
		"a later no":               {[]Pull{pull(3, api, no), pull(2, whole, merged)}, whole, false, "#3, which had it, was closed without merging"},
		"no of the whole is older": {[]Pull{pull(1, whole, no), pull(2, api, merged)}, whole, false, ""},
		"a forged group":           {[]Pull{pull(1, api, func(p *Pull) { no(p); p.Branch = web.Branch() })}, whole, false, ""},
	} {
		if got := Elsewhere(c.pulls, c.group, "api/Dockerfile", c.again); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if got := Retired([]Pull{pull(1, whole, nil), pull(2, api, nil), pull(3, web, no)}, config.ByRepository); len(got) != 1 || got[0].Number != 2 {
		t.Errorf("retired: %v", got)
	}
	if got := Retired([]Pull{pull(1, whole, nil), pull(2, api, nil)}, config.ByDirectory); len(got) != 1 || got[0].Number != 1 {
		t.Errorf("retired: %v", got)
	}
	ignoring := func(what string) func(*Pull) {
		return func(p *Pull) { p.Marker.Ignored = []body.Ignored{{What: what}} }
	}
	pulls := []Pull{pull(1, whole, func(p *Pull) { no(p); ignoring("old")(p) }), pull(2, whole, ignoring("a")), pull(3, web, ignoring("b"))}
	if diff := cmp.Diff([]body.Ignored{{What: "a"}}, Inherited(pulls, api)); diff != "" {
		t.Errorf("inherited (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]body.Ignored{{What: "b"}}, Inherited(pulls, whole)); diff != "" {
		t.Errorf("inherited (-want +got):\n%s", diff)
	}
}

func TestRegroup(t *testing.T) {
	t.Parallel()
	c := config.Default()
	c.Group = config.ByDirectory
	off := c
	off.Mode = config.Off
	for name, k := range map[string]struct {
		state  State
		config config.Config
		want   string
	}{
		"untouched":     {State{Base: "b1", Head: "h1", HeadWritten: true, Pull: pull(nil)}, c, "regrouped; close 7"},
		"human commits": {State{Base: "b1", Head: "x", Pull: pull(nil)}, c, "regrouped refused; tell 7 regrouped"},
		"told":          {State{Base: "b1", Head: "x", Pull: pull(func(p *Pull) { p.Marker.Told = []string{"regrouped"} })}, c, "regrouped refused"},
		"queued":        {State{Base: "b1", Head: "h1", HeadWritten: true, Pull: pull(func(p *Pull) { p.Queued = true })}, c, "regrouped refused; tell 7 regrouped"},
		"switched off":  {State{Base: "b1", Head: "h1", HeadWritten: true, Pull: pull(nil)}, off, "switched-off refused"},
	} {
		for _, kind := range []Kind{Push, Migrate} {
			k.state.Ask.Kind = kind
			got := Regroup(k.state, k.config)
			if diff := cmp.Diff(k.want, summary(got)); diff != "" || (got.Reply != "") != (kind == Migrate) {
				t.Errorf("%s: %q (-want +got):\n%s", name, got.Reply, diff)
			}
		}
	}
}

func FuzzBranch(f *testing.F) {
	for _, s := range []string{"a", "../..", "a b", "ä/@{", ".lock"} {
		f.Add(s, "b")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		x, y := Group{config.ByDirectory, a}, Group{config.ByDirectory, b}
		if !IsBranch(x.Branch()) || len(x.Branch()) > 80 {
			t.Fatalf("%q", x.Branch())
		}
		if (x == y) != (x.Branch() == y.Branch()) {
			t.Fatalf("%q and %q: %s", a, b, x.Branch())
		}
	})
}
