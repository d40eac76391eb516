package bot

import (
	"fmt"
	"testing"

	"dhibot/bot/body"
	"dhibot/bot/command"
	"dhibot/bot/config"
	"dhibot/bot/event"
	"dhibot/rewrite"
)

// TestEveryCommandIsDone holds the table of commands and what is done together.
func TestEveryCommandIsDone(t *testing.T) {
	t.Parallel()
	done := handlers()
	for _, c := range command.Table() {
		if done[c.Name] == nil {
			t.Errorf("nothing is done for %s", c.Name)
		}
		delete(done, c.Name)
	}
	for name := range done {
		t.Errorf("%s is done and is no command", name)
	}
}

func TestTouches(t *testing.T) {
	t.Parallel()
	push := func(paths ...string) *event.Push {
		return &event.Push{Commits: []event.Commit{{Modified: []string{"README.md"}}, {Added: paths}}}
	}
	long := push("a")
	for i := range 30 {
		long.Commits = append(long.Commits, event.Commit{Modified: []string{fmt.Sprint(i)}})
	}
	forced := push("a")
	forced.Forced = true
	for name, c := range map[string]struct {
		push *event.Push
		want bool
	}{
		"a text":            {push("docs/a.md"), false},
		"a Dockerfile":      {push("a/Dockerfile"), true},
		"a variant":         {push("a/web.Dockerfile"), true},
		"a Containerfile":   {push("Containerfile.dev"), true},
		"the settings":      {push(config.Path), true},
		"other settings":    {push(".github/dependabot.yml"), false},
		"a compose file":    {push("deploy/docker-compose.yml"), true},
		"a list cut short":  {long, true},
		"forced":            {forced, true},
		"nothing is listed": {&event.Push{}, true},
	} {
		if got := touches(c.push); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestIgnored(t *testing.T) {
	t.Parallel()
	list := []body.Ignored{{What: "legacy/"}, {What: "node", Until: "2026-12-01"}}
	for _, c := range []struct {
		what, today string
		match       func([]string, string) (string, bool)
		want        bool
	}{
		{"legacy/Dockerfile", "2026-11-23", config.Match, true},
		{"web/Dockerfile", "2026-11-23", config.Match, false},
		{"node", "2026-11-30", config.MatchImage, true},
		{"node", "2026-12-01", config.MatchImage, false},
		{"bitnami/node", "2026-11-30", config.MatchImage, false},
	} {
		if _, got := ignored(list, c.what, c.today, c.match); got != c.want {
			t.Errorf("%s on %s: %v, want %v", c.what, c.today, got, c.want)
		}
	}
}

// TestExplanations holds that every reason is said, also those of lines that
// are gone.
func TestExplanations(t *testing.T) {
	t.Parallel()
	r := &rewrite.Result{
		Path: "Dockerfile", Before: []byte("FROM a\nRUN x\nRUN y\nCMD z\n"), After: []byte("FROM b\nRUN y\nCMD z\n"),
		Changes: []rewrite.Change{
			{Rule: "base-image", Lines: [2]int{1, 1}, NewLines: [2]int{1, 1}, Before: "a", After: "b", Why: "first reason"},
			{Rule: "no-shell", Lines: [2]int{2, 2}, Before: "RUN x", Why: "second reason"},
		},
	}
	got, err := explanations([]*rewrite.Result{r})
	if err != nil || len(got) != 1 || got[0].Line != 1 || got[0].Body != "first reason (base-image)\n\nsecond reason (no-shell)" {
		t.Errorf("explanations = %+v, %v", got, err)
	}
}

// TestLeave: a Dockerfile stays as it is when a stage is on an image that people
// want to stay on; the code says whether the settings have it.
func TestLeave(t *testing.T) {
	t.Parallel()
	settings := config.Default()
	settings.IgnoreImages = []string{"registry.example:5000/base/*"}
	for name, c := range map[string]struct {
		from    string
		ignored []body.Ignored
		left    bool
		code    rewrite.ReasonCode
	}{
		"another image":     {"node:22", []body.Ignored{{What: "python"}}, false, ""},
		"the settings":      {"registry.example:5000/base/node:22@sha256:0", nil, true, "settings"},
		"a command":         {"docker.io/library/node:22", []body.Ignored{{What: "node"}}, true, ""},
		"a day to come":     {"node:22", []body.Ignored{{What: "node", Until: "2026-11-24"}}, true, ""},
		"a day that passed": {"node:22", []body.Ignored{{What: "node", Until: "2026-11-23"}}, false, ""},
	} {
		before := &rewrite.Result{Path: "Dockerfile", Outcome: rewrite.Hardened, Before: []byte("a"), After: []byte("b"),
			Stages: []rewrite.Stage{{From: c.from, To: "dhi.io/node:22"}}}
		r := leave(before, settings, c.ignored, "2026-11-23")
		if left := r.Outcome == rewrite.Skipped && !r.Changed() && string(r.After) == "a"; left != c.left || r.Code != c.code {
			t.Errorf("%s: %+v", name, r)
		}
	}
}
