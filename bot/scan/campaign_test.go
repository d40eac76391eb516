package scan_test

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// TestCampaign: installing the App on forty repositories opens a first wave, and
// the rest when that was merged, never more than ten in an hour.
func TestCampaign(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 40 {
		w.repository(fmt.Sprintf("shop%02d", i), node(8000+i))
	}
	w.begin()
	if n := len(w.pulls()); n != 4 {
		t.Fatalf("%d pull requests in the first wave of 40 repositories, 10%%", n)
	}
	// Nobody merges: nothing more for a day.
	for range 10 {
		w.tick(2 * time.Hour)
	}
	if n := len(w.pulls()); n != 4 {
		t.Fatalf("%d pull requests before the first wave was merged", n)
	}
	w.merge(4)
	w.work()
	if n := len(w.pulls()); n != 4+10 {
		t.Fatalf("%d pull requests right after the first wave was merged", n)
	}
	for range 11 {
		w.tick(5 * time.Minute)
	}
	if n := len(w.pulls()); n != 4+10 {
		t.Fatalf("%d pull requests within the hour", n)
	}
	for range 30 {
		w.tick(10 * time.Minute)
	}
	all := w.pulls()
	if n := len(all); n != 4+30 {
		t.Fatalf("%d pull requests with 30 of them open", n)
	}
	w.merge(30)
	for range 4 {
		w.tick(time.Hour)
	}
	all = w.pulls()
	if n := len(all); n != 40 {
		t.Fatalf("%d repositories got one in the end\n%s", n, w.log.String())
	}
	var created []time.Time
	for name, list := range all {
		if len(list) != 1 {
			t.Errorf("%s has %d pull requests", name, len(list))
		}
		created = append(created, list[0].Created)
	}
	slices.SortFunc(created, time.Time.Compare)
	for i := range created[10:] {
		if created[i+10].Sub(created[i]) <= time.Hour {
			t.Errorf("eleven within an hour from %s", created[i])
		}
	}
}
