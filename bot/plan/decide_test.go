package plan

import (
	"fmt"
	"strings"
	"testing"

	"dhibot/bot/body"
	"dhibot/bot/config"
	"dhibot/rewrite"

	"github.com/google/go-cmp/cmp"
)

func hardened(path string) *rewrite.Result {
	return &rewrite.Result{Path: path, Outcome: rewrite.Hardened, Before: []byte("FROM node"), After: []byte("FROM dhi.io/node")}
}

func already(path string) *rewrite.Result {
	return &rewrite.Result{Path: path, Outcome: rewrite.Already, Reason: "it is on `dhi.io`", Before: []byte("x"), After: []byte("x")}
}

func failed(path string) *rewrite.Result {
	return &rewrite.Result{Path: path, Outcome: rewrite.Failed, Reason: "unknown instruction `FORM`", Line: 3}
}

func all(rs ...*rewrite.Result) []*rewrite.Result { return rs }

// firstDigest is of the proposal that pull was made for.
var firstDigest = Digest(all(hardened("Dockerfile")))

// pull is our pull request as we left it.
func pull(change func(*Pull)) *Pull {
	p := &Pull{Number: 7, Open: true, Marker: body.Marker{Branch: Branch, Base: "b1", Head: "h1", Proposal: Digest(all(hardened("Dockerfile")))}}
	if change != nil {
		change(p)
	}
	return p
}

func closed(p *Pull) { p.Open = false }

// summary shows a plan in one line.
func summary(p Plan) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s", p.Reason)
	if p.Refused {
		b.WriteString(" refused")
	}
	for _, a := range p.Actions {
		switch a := a.(type) {
		case WriteBranch:
			fmt.Fprintf(&b, "; write %d files on %s instead of %q", len(a.Files), a.Base, a.Old)
		case OpenPull:
			b.WriteString("; open")
		case EditPull:
			fmt.Fprintf(&b, "; edit %d", a.Number)
		case ClosePull:
			fmt.Fprintf(&b, "; close %d", a.Number)
		case Remember:
			fmt.Fprintf(&b, "; remember %d", a.Number)
		case Tell:
			fmt.Fprintf(&b, "; tell %d %s", a.Number, a.Topic)
		}
	}
	return b.String()
}

func TestDecide(t *testing.T) {
	t.Parallel()
	one := all(hardened("Dockerfile"))
	changed := all(hardened("Dockerfile"), hardened("b/Dockerfile"))
	commands := config.Default()
	commands.Mode = config.Commands
	report := config.Default()
	report.Mode = config.Report
	off := config.Default()
	off.Mode = config.Off
	reopen := config.Default()
	reopen.Reopen = config.Changed
	closedByUs := func(p *Pull) { p.Open = false; p.Marker.Closed = true }
	merged := func(p *Pull) { p.Open = false; p.Merged = true }

	for name, c := range map[string]struct {
		state   State
		config  *config.Config
		results []*rewrite.Result
		want    string
		reply   string // part of the answer
	}{
		"no pull request":        {State{Base: "b1"}, nil, one, `opens; write 1 files on b1 instead of ""; open`, ""},
		"crashed before opening": {State{Base: "b1", Head: "h1", HeadWritten: true}, nil, one, `opens; write 1 files on b1 instead of "h1"; open`, ""},
		"partly failed":          {State{Base: "b1"}, nil, all(hardened("a"), failed("b"), already("c")), `opens; write 1 files on b1 instead of ""; open`, ""},

		"open, nothing new":          {State{Base: "b1", Head: "h1", HeadWritten: true, HeadBase: "b1", HeadProposal: firstDigest, Pull: pull(nil)}, nil, one, "up-to-date", "#7 is up to date"},
		"open, new proposal":         {State{Base: "b1", Head: "h1", HeadWritten: true, HeadBase: "b1", HeadProposal: firstDigest, Pull: pull(nil)}, nil, changed, `updates; write 2 files on b1 instead of "h1"; edit 7`, "it changes 2 files"},
		"open, base moved":           {State{Base: "b2", Head: "h1", HeadWritten: true, HeadBase: "b1", HeadProposal: firstDigest, Pull: pull(nil)}, nil, one, `updates; write 1 files on b2 instead of "h1"; edit 7`, "it changes 1 file."},
		"open, crashed half":         {State{Base: "b1", Head: "h0", HeadWritten: true, Pull: pull(func(p *Pull) { p.Marker.Previous = "h0" })}, nil, one, `updates; write 1 files on b1 instead of "h0"; edit 7`, ""},
		"open, moved since its text": {State{Base: "b2", Head: "h2", HeadWritten: true, HeadBase: "b2", HeadProposal: firstDigest, Pull: pull(nil)}, nil, one, "up-to-date", ""},
		"open, another content":      {State{Base: "b1", Head: "h2", HeadWritten: true, HeadBase: "b1", HeadProposal: "other", Pull: pull(nil)}, nil, one, `updates; write 1 files on b1 instead of "h2"; edit 7`, ""},
		"open, branch gone":          {State{Base: "b1", Pull: pull(nil)}, nil, one, `updates; write 1 files on b1 instead of ""; edit 7`, ""},
		"open, reopened after us":    {State{Base: "b1", Head: "h1", HeadWritten: true, HeadBase: "b1", HeadProposal: firstDigest, Pull: pull(func(p *Pull) { p.Marker.Closed = true })}, nil, one, `updates; write 1 files on b1 instead of "h1"; edit 7`, ""},
		"open, ignore list":          {State{Base: "b1", Head: "h1", HeadWritten: true, HeadBase: "b1", HeadProposal: firstDigest, Pull: pull(nil), Ask: Ask{Kind: Ignore, Ignored: []body.Ignored{{What: "x"}}}}, nil, changed, `updates; write 2 files on b1 instead of "h1"; edit 7`, ""},
		"open, rebase":               {State{Base: "b2", Head: "h1", HeadWritten: true, HeadBase: "b1", HeadProposal: firstDigest, Pull: pull(nil), Ask: Ask{Kind: Rebase}}, nil, one, `updates; write 1 files on b2 instead of "h1"; edit 7`, ""},
		"rebase not needed":          {State{Base: "b1", Head: "h1", HeadWritten: true, HeadBase: "b1", HeadProposal: firstDigest, Pull: pull(nil), Ask: Ask{Kind: Rebase}}, nil, one, "up-to-date", ""},
		"rebase of nothing":          {State{Base: "b1", Ask: Ask{Kind: Rebase}}, nil, one, "no-pull-request refused", "`/dhi migrate` opens one"},
		"recreate untouched":         {State{Base: "b1", Head: "h1", HeadWritten: true, HeadBase: "b1", HeadProposal: firstDigest, Pull: pull(nil), Ask: Ask{Kind: Recreate}}, nil, one, `updates; write 1 files on b1 instead of "h1"; edit 7`, ""},
		"in the merge queue":         {State{Base: "b2", Head: "h1", HeadWritten: true, HeadBase: "b1", HeadProposal: firstDigest, Pull: pull(func(p *Pull) { p.Queued = true })}, nil, one, "in-merge-queue refused", "merge queue"},
		"recreate when queued":       {State{Base: "b2", Head: "h1", HeadWritten: true, HeadBase: "b1", HeadProposal: firstDigest, Pull: pull(func(p *Pull) { p.Queued = true }), Ask: Ask{Kind: Recreate}}, nil, one, "in-merge-queue refused", ""},

		"human commits":               {State{Base: "b1", Head: "x", Pull: pull(nil)}, nil, changed, "human-commits refused", "`/dhi recreate`"},
		"human commits, rebase":       {State{Base: "b2", Head: "x", Pull: pull(nil), Ask: Ask{Kind: Rebase}}, nil, one, "human-commits refused", "do not overwrite"},
		"human commits, recreate":     {State{Base: "b1", Head: "x", Pull: pull(nil), Ask: Ask{Kind: Recreate}}, nil, one, `updates; write 1 files on b1 instead of "x"; edit 7`, ""},
		"human commits, base moves":   {State{Base: "b2", Head: "x", Pull: pull(nil), Ask: Ask{Kind: Push}}, nil, one, "human-commits refused; tell 7 moved", ""},
		"human commits, moves again":  {State{Base: "b3", Head: "x", Pull: pull(func(p *Pull) { p.Marker.Told = []string{"moved"} }), Ask: Ask{Kind: Push}}, nil, one, "human-commits refused", ""},
		"human commits, base is same": {State{Base: "b1", Head: "x", Pull: pull(nil), Ask: Ask{Kind: Push}}, nil, one, "human-commits refused", ""},

		"closed by a person":              {State{Base: "b1", Pull: pull(closed)}, nil, changed, "closed-by-human refused", "`/dhi migrate --again`"},
		"closed, branch kept":             {State{Base: "b1", Head: "h1", HeadWritten: true, HeadBase: "b1", HeadProposal: firstDigest, Pull: pull(closed)}, nil, one, "closed-by-human refused", "#7"},
		"closed, again":                   {State{Base: "b1", Pull: pull(closed), Ask: Ask{Again: true}}, nil, one, `opens; write 1 files on b1 instead of ""; open`, ""},
		"closed, again, branch kept":      {State{Base: "b1", Head: "h1", HeadWritten: true, HeadBase: "b1", HeadProposal: firstDigest, Pull: pull(closed), Ask: Ask{Again: true}}, nil, one, `opens; write 1 files on b1 instead of "h1"; open`, ""},
		"closed, again, their commits":    {State{Base: "b1", Head: "x", Pull: pull(closed), Ask: Ask{Again: true}}, nil, one, "branch-taken refused", "did not write"},
		"closed, recreate, their commits": {State{Base: "b1", Head: "x", Pull: pull(closed), Ask: Ask{Kind: Recreate}}, nil, one, `opens; write 1 files on b1 instead of "x"; open`, ""},
		"closed, reopen same":             {State{Base: "b1", Pull: pull(closed)}, &reopen, one, "closed-by-human refused", ""},
		"closed, reopen changed":          {State{Base: "b1", Pull: pull(closed)}, &reopen, changed, `opens; write 2 files on b1 instead of ""; open`, ""},
		"closed, reopen, none left":       {State{Base: "b1", Pull: pull(closed)}, &reopen, all(already("a")), "closed-by-human refused", ""},
		"closed by us":                    {State{Base: "b1", Pull: pull(closedByUs)}, nil, one, `opens; write 1 files on b1 instead of ""; open`, ""},
		"closed, push":                    {State{Base: "b2", Pull: pull(closed), Ask: Ask{Kind: Push}}, nil, changed, "not-yet", ""},
		"merged":                          {State{Base: "b2", Pull: pull(merged)}, nil, one, `opens; write 1 files on b2 instead of ""; open`, ""},
		"merged, branch kept":             {State{Base: "b2", Head: "h1", HeadWritten: true, HeadBase: "b1", HeadProposal: firstDigest, Pull: pull(merged)}, nil, one, `opens; write 1 files on b2 instead of "h1"; open`, ""},
		"merged, nothing left":            {State{Base: "b2", Pull: pull(merged)}, nil, all(already("a")), "nothing-to-do", "`a`: on hardened images already"},

		"ignore, same proposal":     {State{Base: "b1", Head: "h1", HeadWritten: true, HeadBase: "b1", HeadProposal: firstDigest, Pull: pull(nil), Ask: Ask{Kind: Ignore}}, nil, one, "remembers; remember 7", "#7"},
		"ignore, human commits":     {State{Base: "b1", Head: "x", Pull: pull(nil), Ask: Ask{Kind: Ignore}}, nil, one, "remembers; remember 7", ""},
		"ignore, closed":            {State{Base: "b1", Pull: pull(closed), Ask: Ask{Kind: Ignore}}, nil, nil, "remembers; remember 7", ""},
		"ignore, nothing left":      {State{Base: "b1", Head: "h1", HeadWritten: true, HeadBase: "b1", HeadProposal: firstDigest, Pull: pull(nil), Ask: Ask{Kind: Ignore}}, nil, nil, "obsolete; close 7", ""},
		"ignore, no pull request":   {State{Base: "b1", Ask: Ask{Kind: Ignore, Ignored: []body.Ignored{{What: "x"}}}}, nil, nil, "no-pull-request refused", "`.github/dhi.yml`"},
		"unignore, no pull request": {State{Base: "b1", Ask: Ask{Kind: Ignore}}, nil, nil, "no-pull-request refused", "Nothing is ignored"},

		"branch taken":            {State{Base: "b1", Head: "x"}, nil, one, "branch-taken refused", "did not write"},
		"branch taken, recreate":  {State{Base: "b1", Head: "x", Ask: Ask{Kind: Recreate}}, nil, one, "branch-taken refused", ""},
		"stranger's pull request": {State{Base: "b1", Head: "x", Stranger: &Pull{Number: 9}, Ask: Ask{Kind: Recreate}}, nil, one, "branch-taken refused", "#9"},

		"push, commands only":      {State{Base: "b1", Ask: Ask{Kind: Push}}, &commands, one, "not-automatic", ""},
		"push, open":               {State{Base: "b1", Ask: Ask{Kind: Push}}, nil, one, "not-yet", ""},
		"turn":                     {State{Base: "b1", Ask: Ask{Kind: Turn}}, nil, one, `opens; write 1 files on b1 instead of ""; open`, ""},
		"turn, fork":               {State{Base: "b1", Ask: Ask{Kind: Turn}, Repository: Repository{Fork: true}}, nil, one, "not-automatic", ""},
		"turn, commands only":      {State{Base: "b1", Ask: Ask{Kind: Turn}}, &commands, one, "not-automatic", ""},
		"turn, closed by a person": {State{Base: "b2", Pull: pull(closed), Ask: Ask{Kind: Turn}}, nil, one, "closed-by-human refused", ""},
		"push, open, fork":         {State{Base: "b1", Ask: Ask{Kind: Push}, Repository: Repository{Fork: true}}, nil, one, "not-automatic", ""},
		"push, ours open":          {State{Base: "b2", Head: "h1", HeadWritten: true, HeadBase: "b1", HeadProposal: firstDigest, Pull: pull(nil), Ask: Ask{Kind: Push}}, nil, one, `updates; write 1 files on b2 instead of "h1"; edit 7`, ""},
		"other files, the same":    {State{Base: "b2", Head: "h1", HeadWritten: true, HeadBase: "b1", HeadProposal: firstDigest, Pull: pull(nil), Ask: Ask{Kind: Follow}}, nil, one, "up-to-date", ""},
		"other files, another":     {State{Base: "b2", Head: "h1", HeadWritten: true, HeadBase: "b1", HeadProposal: firstDigest, Pull: pull(nil), Ask: Ask{Kind: Follow}}, nil, changed, `updates; write 2 files on b2 instead of "h1"; edit 7`, ""},
		"other files, human":       {State{Base: "b2", Head: "x", Pull: pull(nil), Ask: Ask{Kind: Follow}}, nil, changed, "human-commits refused", ""},
		"other files, none open":   {State{Base: "b2", Ask: Ask{Kind: Follow}}, nil, one, "not-yet", ""},
		"push, nothing left":       {State{Base: "b2", Head: "h1", HeadWritten: true, HeadBase: "b1", HeadProposal: firstDigest, Pull: pull(nil), Ask: Ask{Kind: Push}}, nil, all(already("Dockerfile")), "obsolete; close 7", ""},
		"push, Dockerfile removed": {State{Base: "b2", Head: "h1", HeadWritten: true, HeadBase: "b1", HeadProposal: firstDigest, Pull: pull(nil), Ask: Ask{Kind: Push}}, nil, nil, "obsolete; close 7", ""},
		"push, broken now":         {State{Base: "b2", Head: "h1", HeadWritten: true, HeadBase: "b1", HeadProposal: firstDigest, Pull: pull(nil), Ask: Ask{Kind: Push}}, nil, all(failed("Dockerfile")), "all-failed refused", ""},
		"nothing left, theirs":     {State{Base: "b2", Head: "x", Pull: pull(nil)}, nil, all(already("Dockerfile")), "nothing-to-do", "#7 stays as it is"},

		"fork, asked":          {State{Base: "b1", Repository: Repository{Fork: true}}, nil, one, `opens; write 1 files on b1 instead of ""; open`, ""},
		"archived":             {State{Base: "b1", Repository: Repository{Archived: true}}, nil, one, "archived refused", "Unarchive"},
		"disabled":             {State{Base: "b1", Repository: Repository{Disabled: true}}, nil, one, "archived refused", ""},
		"empty":                {State{Repository: Repository{Empty: true}}, nil, nil, "empty refused", "no commit yet"},
		"switched off":         {State{Base: "b1", Pull: pull(nil)}, &off, one, "switched-off refused", "`mode: off`"},
		"report, asked":        {State{Base: "b1"}, &report, one, "report-only refused", "`/dhi plan`"},
		"report, rebase":       {State{Base: "b2", Head: "h1", HeadWritten: true, HeadBase: "b1", HeadProposal: firstDigest, Pull: pull(nil), Ask: Ask{Kind: Rebase}}, &report, one, "report-only refused", "`mode: report`"},
		"report, ignore":       {State{Base: "b1", Head: "h1", HeadWritten: true, Pull: pull(nil), Ask: Ask{Kind: Ignore}}, &report, changed, "report-only refused", "`mode: report`"},
		"report, push":         {State{Base: "b2", Head: "h1", HeadWritten: true, Pull: pull(nil), Ask: Ask{Kind: Push}}, &report, changed, "report-only refused", ""},
		"report, previewed":    {State{Base: "b1", Ask: Ask{Preview: true}}, &report, one, `opens; write 1 files on b1 instead of ""; open`, ""},
		"off, previewed":       {State{Base: "b1", Ask: Ask{Preview: true}}, &off, one, "switched-off refused", "`mode: off`"},
		"no Dockerfile":        {State{Base: "b1"}, nil, nil, "no-dockerfile refused", "no Dockerfile in this repository"},
		"no such path":         {State{Base: "b1", Unmatched: []string{"a`@b"}}, nil, one, "no-dockerfile refused", "``a`@\u200bb``"},
		"too much to remember": {State{Base: "b1", TooMuch: true}, nil, nil, "too-much refused", "globs"},
		"only passed over":     {State{Base: "b1", Passed: []body.Passed{{Path: "v/Dockerfile", Reason: "below `vendor`"}}}, nil, nil, "nothing-to-do", "`v/Dockerfile`: not looked at; below `vendor`"},
		"every one failed":     {State{Base: "b1"}, nil, all(failed("a")), "all-failed refused", "`a`: failed; unknown instruction `FORM` (line 3)"},
		"nothing to do":        {State{Base: "b1"}, nil, all(already("a")), "nothing-to-do", "`a`: on hardened images already; it is on `dhi.io`"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.state.Ask.Kind == "" {
				c.state.Ask.Kind = Migrate
			}
			settings := config.Default()
			if c.config != nil {
				settings = *c.config
			}
			got := Decide(c.state, settings, c.results)
			if diff := cmp.Diff(c.want, summary(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if !strings.Contains(got.Reply, c.reply) {
				t.Errorf("the answer %q lacks %q", got.Reply, c.reply)
			}
			if answered := got.Reply != "" || got.Reason == Opens; answered != c.state.Ask.Person() && got.Reason != Opens {
				t.Errorf("answer %q to a person: %v", got.Reply, c.state.Ask.Person())
			}
			if text := Describe(c.state, got, c.results); text == "" && c.state.Ask.Person() {
				t.Error("the plan cannot be described")
			}
			if !Looks(c.state, settings) {
				// The engine is not asked then, so it must not matter what it would say.
				if diff := cmp.Diff(summary(got), summary(Decide(c.state, settings, nil))); diff != "" {
					t.Errorf("the decision depends on results that are not there: %s", diff)
				}
			}
			for _, line := range strings.Split(got.Reply, "\n") {
				if strings.HasPrefix(line, "/dhi") {
					t.Errorf("the answer commands us: %q", line)
				}
			}
		})
	}
}

func TestScope(t *testing.T) {
	t.Parallel()
	open := func(paths ...string) *Pull {
		return &Pull{Open: true, Marker: body.Marker{Paths: paths, Distro: "alpine", Ignored: []body.Ignored{{What: "x"}}}}
	}
	old := open("a")
	old.Open = false
	kept := []body.Ignored{{What: "x"}}
	for name, c := range map[string]struct {
		ask  Ask
		pull *Pull
		want Scope
	}{
		"no pull request":        {Ask{Kind: Migrate, Paths: []string{"a"}, Distro: "debian"}, nil, Scope{Paths: []string{"a"}, Distro: "debian"}},
		"adds":                   {Ask{Kind: Migrate, Paths: []string{"b", "a"}}, open("a"), Scope{Paths: []string{"a", "b"}, Distro: "alpine", Ignored: kept}},
		"all from now on":        {Ask{Kind: Migrate}, open("a"), Scope{Distro: "alpine", Ignored: kept}},
		"all already":            {Ask{Kind: Migrate, Paths: []string{"a"}}, open(), Scope{Distro: "alpine", Ignored: kept}},
		"other distribution":     {Ask{Kind: Migrate, Distro: "debian"}, open(), Scope{Distro: "debian", Ignored: kept}},
		"rebase":                 {Ask{Kind: Rebase}, open("a"), Scope{Paths: []string{"a"}, Distro: "alpine", Ignored: kept}},
		"push":                   {Ask{Kind: Push}, open("a"), Scope{Paths: []string{"a"}, Distro: "alpine", Ignored: kept}},
		"closed, ignores remain": {Ask{Kind: Migrate}, old, Scope{Ignored: kept}},
		"new ignore list":        {Ask{Kind: Ignore, Ignored: []body.Ignored{}}, open("a"), Scope{Paths: []string{"a"}, Distro: "alpine", Ignored: []body.Ignored{}}},
	} {
		if diff := cmp.Diff(c.want, ScopeOf(c.ask, c.pull, nil)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestDigest(t *testing.T) {
	t.Parallel()
	a, b := hardened("a"), hardened("b")
	// The ids are git's: printf 'FROM dhi.io/node' | git hash-object --stdin
	if want := DigestOf(map[string]string{"a": "2b370c4119bfb3bf71815d737d3609dec9358982"}); Digest(all(a)) != want {
		t.Errorf("Digest = %s, want %s", Digest(all(a)), want)
	}
	if Digest(all(a, b)) != Digest(all(b, a)) {
		t.Error("the order of the Dockerfiles changes the digest")
	}
	if Digest(all(a)) == Digest(all(b)) || Digest(all(a)) == Digest(all(a, b)) {
		t.Error("different proposals have one digest")
	}
	if Digest(all(a, already("c"))) != Digest(all(a)) {
		t.Error("a Dockerfile that stays as it is changes the digest")
	}
	c := hardened("a")
	c.Files = []rewrite.FileChange{{Path: "nginx.conf", Before: []byte("80"), After: []byte("8080")}}
	if Digest(all(c)) == Digest(all(a)) || len(Files(all(c, c))) != 2 {
		t.Error("a file that changes together is left out or twice there")
	}
}

func TestReplyOpened(t *testing.T) {
	t.Parallel()
	dev := hardened("b")
	dev.Outcome = rewrite.Dev
	for want, results := range map[string][]*rewrite.Result{
		"I opened #3, which moves 1 Dockerfile to Docker Hardened Images. It is not finished; the pull request says why.":           all(dev),
		"I opened #3, which moves 1 Dockerfile to Docker Hardened Images.":                                                          all(hardened("a"), failed("x")),
		"I opened #3, which moves 2 Dockerfiles to Docker Hardened Images. One of them is not finished; the pull request says why.": all(hardened("a"), dev),
	} {
		if got := ReplyOpened(3, results); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
