package body

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dhibot/bot/campaign"
	"dhibot/bot/config"
	"dhibot/rewrite"
	"dhibot/rewrite/goldentest"

	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2026, 9, 7, 12, 0, 0, 0, time.UTC)

// services are repositories that all change.
func services(n int, change func(i int, r *campaign.Repository)) []campaign.Repository {
	var list []campaign.Repository
	for i := range n {
		r := campaign.Repository{
			ID: int64(i + 1), FullName: fmt.Sprintf("acme/service-%02d", i), Mode: config.Open, MaxOpen: 1, Changes: 1 + i%3, Checklist: i % 4, Private: i%5 == 0,
			Dockerfiles: map[rewrite.Outcome]int{rewrite.Hardened: 1 + i%3, rewrite.Already: i % 2},
		}
		if change != nil {
			change(i, &r)
		}
		list = append(list, r)
	}
	return list
}

func openedAgo(r *campaign.Repository, d time.Duration) {
	r.Pulls = []campaign.Pull{{Number: 1, Open: true, Created: noon.Add(-d)}}
}

func mergedAgo(r *campaign.Repository, d time.Duration) {
	r.Pulls, r.Changes, r.Checklist = []campaign.Pull{{Number: 1, Merged: true, Created: noon.Add(-d)}}, 0, 0
	r.Dockerfiles = map[rewrite.Outcome]int{rewrite.Already: 2}
}

// running is an organisation in the middle of it, with everything in it.
func running(i int, r *campaign.Repository) {
	switch {
	case i < 6:
		mergedAgo(r, 50*time.Hour)
	case i < 10:
		openedAgo(r, 3*time.Hour)
	case i < 12:
		r.Declined = true
	case i == 12:
		r.Blocked = "creations are restricted by a ruleset of `acme`"
	case i == 13:
		r.Blocked = "commits must be signed"
	case i < 17:
		r.Unable = campaign.Archived
	case i == 17:
		r.Unable = "fork"
	case i == 18:
		r.Mode = config.Report
	case i == 19:
		r.Mode = config.Commands
	case i == 20:
		r.Mode = config.Off
	case i == 21:
		r.Changes, r.Dockerfiles = 0, map[rewrite.Outcome]int{rewrite.Skipped: 2, rewrite.Failed: 1}
	case i < 25:
		r.Dockerfiles[rewrite.Dev]++
		r.Changes++
	case i < 27:
		r.Reserved = noon.Add(-time.Minute)
	}
}

func TestCampaignGolden(t *testing.T) {
	t.Parallel()
	defaults := campaign.SettingsOf(config.Default())
	named := defaults
	named.FirstWave = config.Wave{Names: []string{"tools-*", "acme/b`@x`", "c|d"}}
	one := campaign.Input{Settings: defaults, Repositories: services(40, running)}
	for name, c := range map[string]struct {
		in     campaign.Input
		public bool
	}{
		"installed": {in: campaign.Input{Settings: defaults, Unread: 240}},
		"wave":      {in: campaign.Input{Settings: defaults, Repositories: services(40, nil)}},
		"waiting": {in: campaign.Input{Settings: defaults, Repositories: services(40, func(i int, r *campaign.Repository) {
			if i < 4 {
				openedAgo(r, 3*time.Hour+20*time.Minute)
			}
		})}},
		"running": {in: one},
		"public":  {in: one, public: true},
		"paused":  {in: campaign.Input{Settings: named, Repositories: services(9, nil), Paused: true}},
		"proposed": {in: campaign.Input{Settings: defaults, Repositories: services(3, func(_ int, r *campaign.Repository) {
			openedAgo(r, 30*time.Hour)
		})}},
		"finished": {in: campaign.Input{Settings: defaults, Repositories: services(3, func(_ int, r *campaign.Repository) { mergedAgo(r, 30*time.Hour) })}},
		"report": {in: campaign.Input{Settings: defaults, Repositories: services(12, func(i int, r *campaign.Repository) {
			r.Mode = config.Report
		})}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.in.Now = noon
			got := RenderCampaign(Campaign{Plan: campaign.Decide(c.in), Public: c.public})
			for _, d := range dangers(got) {
				t.Error(d)
			}
			for _, r := range c.in.Repositories {
				if c.public && r.Private && strings.Contains(got, r.FullName) {
					t.Errorf("%s is private and named", r.FullName)
				}
			}
			// A pass later nothing has happened.
			c.in.Now = noon.Add(7 * time.Minute)
			if diff := cmp.Diff(got, RenderCampaign(Campaign{Plan: campaign.Decide(c.in), Public: c.public})); diff != "" {
				t.Errorf("the text changes as time passes:\n%s", diff)
			}
			goldentest.Check(t, filepath.Join("testdata", "campaign-"+name+".golden.md"), got)
		})
	}
}

// TestCampaignIsSafe puts hostile text wherever text comes in.
func TestCampaignIsSafe(t *testing.T) {
	t.Parallel()
	render := func(h string, n int) string {
		list := services(n, func(i int, r *campaign.Repository) {
			running(i%40, r)
			r.FullName = fmt.Sprintf("%s%d", h, i)
			if i%40 == 12 || i%40 > 35 {
				r.Blocked = h
			}
			if r.Unable != "" {
				r.Unable = fmt.Sprintf("%s%d", h, i)
			}
		})
		s := campaign.Settings{PerHour: 1, Open: 500, FirstWave: config.Wave{Names: []string{h, h}}}
		return RenderCampaign(Campaign{Plan: campaign.Decide(campaign.Input{Now: noon, Settings: s, Repositories: list})})
	}
	plainText := shape(render("acme/x", 40))
	for _, h := range hostile {
		got := render(h, 40)
		for _, d := range dangers(got) {
			t.Errorf("%q: %s", h, d)
		}
		if diff := cmp.Diff(plainText, shape(got)); diff != "" && strings.TrimSpace(h) != "" {
			t.Errorf("%q breaks the layout:\n%s", h, diff)
		}
	}
	long := render(strings.Repeat("ぁ|`@user\u202e", 2000), 3000)
	text, err := Keys{[]byte("k")}.SignCampaign(long, CampaignMarker{Repository: 1})
	if err != nil {
		t.Fatal(err)
	}
	if len(text) > 65536 {
		t.Errorf("%d bytes", len(text))
	}
	for _, must := range []string{"close this issue", "org_per_hour: 5", "more repositories", "more reasons", "and 1"} {
		if !strings.Contains(text, must) {
			t.Errorf("%q is missing", must)
		}
	}
}

func TestCampaignMarker(t *testing.T) {
	t.Parallel()
	old, now := Keys{[]byte("old")}, Keys{[]byte("new"), []byte("old")}
	want := CampaignMarker{Repository: 7}
	text, err := old.SignCampaign("text\n", want)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := now.ReadCampaign(strings.ReplaceAll(text, "\n", "\r\n")); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	if got := WithoutMarker(text); got != "text" {
		t.Errorf("without the marker: %q", got)
	}
	if _, err := now.Read(text); !errors.Is(err, ErrForged) {
		t.Errorf("it passes for the marker of a pull request: %v", err)
	}
	pull, err := now.Sign("text", Marker{Repository: 7})
	if err != nil {
		t.Fatal(err)
	}
	if m, err := now.ReadCampaign(pull); !errors.Is(err, ErrForged) || m != (CampaignMarker{}) {
		t.Errorf("the marker of a pull request passes: %+v, %v", m, err)
	}
	if _, err := (Keys{[]byte("other")}).ReadCampaign(text); !errors.Is(err, ErrForged) {
		t.Errorf("another key: %v", err)
	}
	if _, err := now.ReadCampaign("text"); !errors.Is(err, ErrNoMarker) {
		t.Errorf("no marker: %v", err)
	}
	if _, err := (Keys{}).SignCampaign("text", want); err == nil {
		t.Error("signed without a key")
	}
}
