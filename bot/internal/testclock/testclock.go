// Package testclock is a clock that stands still until a test moves it.
package testclock

import (
	"sync"
	"time"
)

// Clock is what time it is in a test. It is safe for concurrent use.
type Clock struct {
	mu sync.Mutex
	t  time.Time
}

// At is a clock that shows t.
func At(t time.Time) *Clock { return &Clock{t: t} }

// Now is what the clock shows, to be handed to code in the place of time.Now.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

// Advance moves the clock.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}
