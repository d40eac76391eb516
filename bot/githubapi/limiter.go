package githubapi

import (
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// The points that GitHub counts per minute (docs: 900 for one REST endpoint,
// 2,000 for GraphQL; a read is 1, a write 5). A bucket of burst b refilled at r
// per second lets at most b+60r through in any minute, hence these pairs.
// GitHub says "a single endpoint" in one place and "REST API endpoints" in
// another, so all calls that nobody waits for share one bucket that leaves a
// sixth of a minute's points to commands.
const (
	restBurst, restPerSecond       = 300, 10
	quietBurst, quietPerSecond     = 150, 10
	graphqlBurst, graphqlPerSecond = 800, 20
	readPoints, writePoints        = 1, 5
)

const (
	// firstFallback is what GitHub asks for when a secondary limit names no
	// time; it doubles while the refusals go on, up to lastFallback.
	firstFallback = time.Minute
	lastFallback  = time.Hour
	// longestHold caps the time that an answer can hold us: primary limits
	// reset within the hour, so anything longer is a broken header.
	longestHold = 65 * time.Minute
	// longestReservedPause bounds the wait of a reserved write.
	longestReservedPause = time.Minute
)

// resource names, as in the header x-ratelimit-resource.
const (
	resourceCore    = "core"
	resourceGraphQL = "graphql"
)

// limiter knows what one installation may still ask. It decides and remembers;
// it never waits. Safe for concurrent use.
type limiter struct {
	limits Limits

	mu         sync.Mutex
	allowances map[string]allowance
	// heldReads and heldWrites are until when secondary limits hold each kind.
	// A limit met by a write holds writes only, so that somebody's comment is
	// still read; one met by a read holds everything.
	heldReads, heldWrites time.Time
	// strikes counts secondary refusals without a time since the last success.
	strikes int
	// content holds the times of the content-making writes of the last hour,
	// oldest first; the windows are exact because a token bucket would allow
	// twice the number in its first minute.
	content []time.Time
	spacing *rate.Limiter
	points  map[string]*rate.Limiter
	// sharers is for how many processes spacing and points are set.
	sharers int
}

func newLimiter(limits Limits) *limiter {
	every := rate.Inf
	if limits.Spacing > 0 {
		every = rate.Every(limits.Spacing)
	}
	return &limiter{
		limits:     limits,
		allowances: map[string]allowance{},
		spacing:    rate.NewLimiter(every, 1),
		points:     map[string]*rate.Limiter{},
		sharers:    1,
	}
}

// share is among how many processes the installation's limits are divided. It
// adjusts what depends on that.
func (l *limiter) share(now time.Time) int {
	n := 1
	if l.limits.Replicas != nil {
		n = max(1, l.limits.Replicas())
	}
	if n == l.sharers {
		return n
	}
	l.sharers = n
	if l.limits.Spacing > 0 {
		l.spacing.SetLimitAt(now, rate.Every(l.limits.Spacing*time.Duration(n)))
	}
	for key, p := range l.points {
		perSecond, burst := pointsFor(key)
		p.SetLimitAt(now, perSecond/rate.Limit(n))
		p.SetBurstAt(now, max(burst/n, writePoints))
	}
	return n
}

// admit decides about a call at the time now. It returns how long the call has
// to wait for its turn, at most MaxPause, or *RateLimitedError.
func (l *limiter) admit(now time.Time, call callInfo) (time.Duration, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.held(now, call); err != nil {
		return 0, err
	}
	if err := l.allowed(now, call, 1); err != nil {
		return 0, err
	}
	longest := min(l.limits.MaxPause*time.Duration(l.share(now)), max(l.limits.MaxPause, longestReservedPause))
	reserved := call.reserved != nil && call.reserved.take()
	if reserved {
		longest = longestReservedPause
	}
	if call.content && !reserved {
		if err := l.contentFits(now, call, 1); err != nil {
			return 0, err
		}
	}
	pause, err := l.turn(now, call, longest)
	if err != nil {
		return 0, err
	}
	if call.content && !reserved {
		l.content = append(l.content, now.Add(pause))
	}
	return pause, nil
}

// reserve takes n content-making writes out of the windows at once.
func (l *limiter) reserve(now time.Time, call callInfo, n int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.held(now, call); err != nil {
		return err
	}
	if err := l.allowed(now, call, n); err != nil {
		return err
	}
	if err := l.contentFits(now, call, n); err != nil {
		return err
	}
	for range n {
		l.content = append(l.content, now)
	}
	return nil
}

// held tells whether a limit that GitHub answered with is still in force.
func (l *limiter) held(now time.Time, call callInfo) error {
	until := l.heldReads
	if call.write && l.heldWrites.After(until) {
		until = l.heldWrites
	}
	if until.After(now) {
		return &RateLimitedError{Until: until, Secondary: true, Resource: call.resource, Local: true, Why: "GitHub asked us to wait"}
	}
	return nil
}

// allowed checks the hourly allowance of the call's resource for n calls.
func (l *limiter) allowed(now time.Time, call callInfo, n int) error {
	a, known := l.allowances[call.resource]
	if !known || !a.reset.After(now) {
		return nil
	}
	keep := 0
	if !call.command {
		keep = int(float64(a.limit) * l.limits.CommandShare)
	}
	if a.remaining-n >= keep {
		return nil
	}
	why := "the hourly allowance is used up"
	if a.remaining >= n {
		why = "the rest of the hourly allowance is kept for commands"
	}
	return &RateLimitedError{Until: a.reset, Resource: call.resource, Local: true, Why: why}
}

// contentFits checks the windows of a minute and an hour for n more writes.
func (l *limiter) contentFits(now time.Time, call callInfo, n int) error {
	hourAgo := now.Add(-time.Hour)
	drop := 0
	for drop < len(l.content) && !l.content[drop].After(hourAgo) {
		drop++
	}
	l.content = append(l.content[:0], l.content[drop:]...)

	perHour := l.limits.ContentPerHour
	if !call.command {
		perHour -= int(float64(perHour) * l.limits.CommandShare)
	}
	sharers := l.share(now)
	for _, window := range []struct {
		length time.Duration
		most   int
	}{{time.Minute, max(l.limits.ContentPerMinute/sharers, 1)}, {time.Hour, max(perHour/sharers, 1)}} {
		// The call fits once the (most-n+1)-th youngest write has left the window.
		i := len(l.content) - (window.most - n) - 1
		if window.most < n {
			i = len(l.content) - 1 // never fits; wait for an empty window
		}
		if i < 0 || i >= len(l.content) {
			continue
		}
		if free := l.content[i].Add(window.length); free.After(now) {
			return &RateLimitedError{
				Until: free, Secondary: true, Resource: call.resource, Local: true,
				Why: fmt.Sprintf("%d writes in the last %s are enough", window.most, window.length),
			}
		}
	}
	return nil
}

// turn finds the moment of the call among its like: points per endpoint, and
// the spacing of writes.
func (l *limiter) turn(now time.Time, call callInfo, longest time.Duration) (time.Duration, error) {
	points, cost := l.pointsOf(call), readPoints
	if call.write {
		cost = writePoints
	}
	first := points.ReserveN(now, cost)
	pause := first.DelayFrom(now)
	var second *rate.Reservation
	if call.spaced {
		second = l.spacing.ReserveN(now, 1)
		pause = max(pause, second.DelayFrom(now))
	}
	if pause <= longest {
		return pause, nil
	}
	first.CancelAt(now)
	if second != nil {
		second.CancelAt(now)
	}
	return 0, &RateLimitedError{Until: now.Add(pause), Secondary: true, Resource: call.resource, Local: true, Why: "too many calls are waiting for their turn"}
}

func (l *limiter) pointsOf(call callInfo) *rate.Limiter {
	key := call.name
	switch {
	case call.resource == resourceGraphQL:
		key = resourceGraphQL
	case !call.command:
		key = pointsQuiet
	}
	p := l.points[key]
	if p == nil {
		perSecond, burst := pointsFor(key)
		p = rate.NewLimiter(perSecond/rate.Limit(l.sharers), max(burst/l.sharers, writePoints))
		l.points[key] = p
	}
	return p
}

// pointsQuiet is the bucket of all calls for which nobody waits.
const pointsQuiet = "nobody waits"

// pointsFor is the bucket of an endpoint, for all processes together.
func pointsFor(key string) (perSecond rate.Limit, burst int) {
	switch key {
	case resourceGraphQL:
		return graphqlPerSecond, graphqlBurst
	case pointsQuiet:
		return quietPerSecond, quietBurst
	}
	return restPerSecond, restBurst
}

// allowance returns what is known of a resource, -1 when nothing is.
func (l *limiter) allowance(resource string) (limit, remaining int, reset time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a, ok := l.allowances[resource]
	if !ok {
		return -1, -1, time.Time{}
	}
	return a.limit, a.remaining, a.reset
}
