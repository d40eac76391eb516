package webhooks

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// readiness answers /readyz. The address is open to everybody, so it names
// what does not work without saying why (the log does), and asks again only
// when its last answer is a little old.
type readiness struct {
	checks []check
	log    zerolog.Logger
	now    func() time.Time

	mu     sync.Mutex
	asked  time.Time
	status int
	answer answer
}

type check struct {
	name string
	ask  func(context.Context) error
}

const (
	readyFresh = 2 * time.Second
	readyTime  = 3 * time.Second
)

func newReadiness(c Config) *readiness {
	r := &readiness{log: c.Log, now: c.Now, checks: []check{{"inbox", c.Inbox.Ready}}}
	if c.Credentials != nil {
		r.checks = append(r.checks, check{"credentials", c.Credentials})
	}
	return r
}

func (r *readiness) serve(w http.ResponseWriter, req *http.Request) {
	status, a := r.current(context.WithoutCancel(req.Context()))
	reply(w, status, a)
}

func (r *readiness) current(ctx context.Context) (int, answer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if age := r.now().Sub(r.asked); !r.asked.IsZero() && age >= 0 && age < readyFresh {
		return r.status, r.answer
	}
	ctx, cancel := context.WithTimeout(ctx, readyTime)
	defer cancel()
	r.status, r.answer = http.StatusOK, answer{Status: "ready", Checks: map[string]string{}}
	for _, c := range r.checks {
		if err := c.ask(ctx); err != nil {
			r.log.Error().Err(err).Str("check", c.name).Msg("not ready")
			r.status, r.answer.Status = http.StatusServiceUnavailable, "not ready"
			r.answer.Checks[c.name] = "failing"
			continue
		}
		r.answer.Checks[c.name] = "ok"
	}
	r.asked = r.now()
	return r.status, r.answer
}
