package server

import (
	"context"
	"fmt"
	"testing"
	"time"

	"dhibot/bot/githubapi"
)

// TestCredentials: what GitHub has accepted holds while it does not answer, and
// no longer than until it refuses.
func TestCredentials(t *testing.T) {
	t.Parallel()
	var answer error
	c := &credentials{self: func(context.Context) (githubapi.AppInfo, error) { return githubapi.AppInfo{}, answer }}
	for i, step := range []struct {
		answer error
		fine   bool
	}{
		{githubapi.ErrUnavailable, false}, // nothing is proved yet
		{nil, true},
		{fmt.Errorf("get app: %w", githubapi.ErrUnavailable), true},
		{&githubapi.RateLimitedError{Until: time.Now()}, true},
		{context.DeadlineExceeded, true},
		{fmt.Errorf("get app: %w", githubapi.ErrUnauthorized), false},
		{githubapi.ErrUnavailable, false},
		{nil, true},
		{githubapi.ErrNotFound, false},
	} {
		answer = step.answer
		if err := c.check(t.Context()); (err == nil) != step.fine {
			t.Errorf("step %d, %v: %v", i, step.answer, err)
		}
	}
}
