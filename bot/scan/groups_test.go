package scan_test

import (
	"fmt"
	"testing"
	"time"

	"dhibot/bot/standin"
)

// TestGroupedCampaign: a repository that wants a pull request for each folder
// gets as many at once as it allows, each with a place in the budget, and the
// next one when one is merged.
func TestGroupedCampaign(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	files := standin.Files{".github/dhi.yml": standin.File{Content: "group: directory\nmax_open: 2\n"}}
	for i := range 6 {
		for path, f := range node(8000 + i) {
			files[fmt.Sprintf("svc%d/%s", i, path)] = f
		}
	}
	w.repository("mono", files)
	w.repository(".github", standin.Files{".github/dhi.yml": standin.File{Content: "first_wave: none\n"}})
	w.begin()
	open := func() (open, all int) {
		for _, p := range w.pulls()["mono"] {
			all++
			if p.State == "open" {
				open++
			}
		}
		return open, all
	}
	for step := range 6 {
		for range 4 {
			w.tick(10 * time.Minute)
		}
		want := min(2, 6-step)
		if now, all := open(); now != want || all != step+want {
			t.Fatalf("%d merged: %d are open of %d, want %d\n%s", step, now, all, want, w.log.String())
		}
		w.merge(1)
		w.work()
	}
	for range 4 {
		w.tick(10 * time.Minute)
	}
	if now, all := open(); now != 0 || all != 6 {
		t.Errorf("in the end %d are open of %d", now, all)
	}
}
