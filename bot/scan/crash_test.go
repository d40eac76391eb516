package scan_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"dhibot/bot/inbox"
	"dhibot/bot/standin"
)

// TestCrashes: the process dies again and again, before a call to GitHub or after
// it, deliveries are lost and come twice, and the memory is thrown away now and
// then. There never are too many pull requests, two in one repository or two
// issues, and in the end everybody got one.
func TestCrashes(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, 1))
			w := newWorld(t)
			const many, perHour, atOnce = 14, 3, 5
			w.repository(".github", standin.Text(map[string]string{".github/dhi.yml": fmt.Sprintf("first_wave: none\norg_per_hour: %d\norg_open: %d\n", perHour, atOnce)}))
			for i := range many {
				w.repository(fmt.Sprintf("shop%02d", i), node(8000+i))
			}
			calm := false
			var mu sync.Mutex // calls to GitHub are made at the same time
			chance := func(n int) int {
				mu.Lock()
				defer mu.Unlock()
				return random.IntN(n)
			}
			dies := errors.New("the process dies")
			w.cut = func() error {
				if calm || chance(40) != 0 {
					return nil
				}
				return dies
			}
			w.after = func(_ *http.Request, resp *http.Response) (*http.Response, error) {
				if err := w.cut(); err != nil {
					_ = resp.Body.Close()
					return nil, err
				}
				return resp, nil
			}
			w.refuse = func(d inbox.Delivery) bool {
				if calm || strings.HasPrefix(d.Event, "dhibot.") {
					return false
				}
				switch chance(8) {
				case 0:
					return true // lost
				case 1: // twice
					d.GUID += "'"
					_, _ = w.Put(context.Background(), d)
				}
				return false
			}
			w.failures = 30
			w.install()
			for round := range 60 {
				calm = round > 40
				w.work()
				if random.IntN(12) == 0 {
					w.forget()
					w.start()
				}
				w.Advance(time.Duration(5+random.IntN(40)) * time.Minute)
				_ = w.scanner.Tick(context.Background()) // it may die, too
				w.work()
				open := 0
				for name, list := range w.pulls() {
					if len(list) > 1 {
						t.Fatalf("%d pull requests in %s", len(list), name)
					}
					if list[0].State == "open" {
						open++
					}
				}
				if open > atOnce {
					t.Fatalf("%d are open at once", open)
				}
				if n := len(w.issues()); n > 1 {
					t.Fatalf("%d issues", n)
				}
				if random.IntN(3) == 0 {
					w.merge(1 + random.IntN(2))
				}
			}
			for range 20 {
				w.merge(atOnce)
				w.tick(3 * time.Hour)
			}
			var created []time.Time
			for _, list := range w.pulls() {
				created = append(created, list[0].Created)
			}
			if len(created) != many || len(w.issues()) != 1 {
				t.Errorf("%d pull requests, %d issues\n%s", len(created), len(w.issues()), w.log.String())
			}
			slices.SortFunc(created, time.Time.Compare)
			for i := perHour; i < len(created); i++ {
				if created[i].Sub(created[i-perHour]) <= time.Hour {
					t.Errorf("%d within an hour from %s", perHour+1, created[i-perHour])
				}
			}
		})
	}
}
