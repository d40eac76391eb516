package registry

import (
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// TestDesk lives through a day of a registry: answers are remembered for as long
// as they are likely to hold, and no longer.
func TestDesk(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	var down atomic.Bool
	host := start(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet && r.URL.Path != "/v2/" {
				asked.Add(1)
			}
			if down.Load() && r.URL.Path != "/v2/" {
				w.WriteHeader(http.StatusTeapot)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	// Nobody else's, so that a push needs none.
	login := keychain{host: authn.FromConfig(authn.AuthConfig{Username: "acme", Password: "token"})}
	clock := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	d := NewDesk(New(WithKeychain(login)), func() time.Time { return clock })
	def := definition(t, "node", "24-debian13")
	good, other, missing := Target{host + "/node:24-debian13", def}, Target{host + "/acme/dhi-node:24-debian13", def}, Target{host + "/node:25-debian13", def}
	push(t, good.Reference, configOf(def))
	push(t, other.Reference, v1.Config{User: "0"})
	stranger := Target{"localhost:1/node:24-debian13", def}

	ask := func(targets ...Target) []Answer {
		t.Helper()
		answers := d.Ask(t.Context(), targets)
		for i, a := range answers {
			if a.Target != targets[i] {
				t.Fatalf("answer %d is about %s", i, a.Target.Reference)
			}
		}
		return answers
	}
	questions := func() int32 { return asked.Swap(0) }
	check := func(when string) {
		t.Helper()
		answers := ask(good, other, missing, stranger, good)
		var none *NotFoundError
		if answers[0].Err != nil || len(answers[0].Report.Differences) != 0 || answers[4].Err != nil ||
			answers[1].Err != nil || len(answers[1].Report.Differences) == 0 || !errors.As(answers[2].Err, &none) || !errors.Is(answers[3].Err, ErrNoLogin) {
			t.Errorf("%s: %+v", when, answers)
		}
	}
	questions()
	check("first")
	if questions() == 0 {
		t.Error("nothing was asked")
	}
	check("again")
	if n := questions(); n != 0 {
		t.Errorf("%d questions that were answered before", n)
	}
	clock = clock.Add(badFor)
	check("after a while")
	if questions() == 0 {
		t.Error("what was wrong was not asked again")
	}

	// The registry goes away. What is known holds; what is not is asked for once
	// a minute, by whomever.
	down.Store(true)
	clock = clock.Add(badFor)
	began := clock
	var silent *SilentError
	for range 3 {
		answers := ask(good, missing)
		if answers[0].Err != nil || !errors.As(answers[1].Err, &silent) || silent.Registry != host || !silent.Since.Equal(began) {
			t.Errorf("while it is away: %+v", answers)
		}
	}
	if n := questions(); n != 1 {
		t.Errorf("%d questions to a registry that is away", n)
	}
	clock = clock.Add(silentFor)
	if answers := ask(missing); !errors.As(answers[0].Err, &silent) || !silent.Since.Equal(began) || questions() == 0 {
		t.Errorf("a minute later: %+v", answers)
	}
	down.Store(false)
	clock = clock.Add(silentFor)
	check("back")
	down.Store(true)
	clock = clock.Add(badFor)
	if answers := ask(missing); !errors.As(answers[0].Err, &silent) || !silent.Since.Equal(clock) {
		t.Errorf("away for the second time: %+v", answers)
	}
	clock = clock.Add(goodFor)
	if answers := ask(good); !errors.As(answers[0].Err, &silent) || !silent.Since.Equal(clock) {
		t.Errorf("a good answer holds for ever: %+v", answers)
	}
}

// TestDeskIsBounded: it forgets rather than grows.
func TestDeskIsBounded(t *testing.T) {
	t.Parallel()
	d := NewDesk(New(), nil)
	for i := range most * 2 {
		d.keep(Answer{Target: Target{Reference: "dhi.io/node:" + time.Duration(i).String()}, Report: &Report{}})
	}
	if len(d.answers) > most {
		t.Errorf("%d answers are remembered", len(d.answers))
	}
}
