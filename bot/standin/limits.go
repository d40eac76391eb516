package standin

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Limits are the rate limits; a zero number switches that limit off.
// https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
type Limits struct {
	Core      int // calls an hour for a token; an installation with more than 20 repositories gets 50 more for each, up to 12,500
	Search    int // calls a minute
	Code      int // searches of code a minute
	GraphQL   int // points an hour
	Anonymous int // calls an hour without credentials

	PointsPerMinute  int // secondary: a GET costs 1 point, a write 5
	ContentPerMinute int // secondary: calls that create content
	ContentPerHour   int
	Concurrent       int // calls at the same time
	Status           int // of a refusal: 403 (the default) or 429
	NoHeaders        bool
}

// DefaultLimits are the primary limits of GitHub. The secondary ones are off,
// because a test on a clock that stands still would run into them at once: see
// StrictLimits.
func DefaultLimits() Limits {
	return Limits{Core: 5000, Search: 30, Code: 10, GraphQL: 5000, Anonymous: 60}
}

// StrictLimits are all limits GitHub documents, the secondary ones included.
func StrictLimits() Limits {
	l := DefaultLimits()
	l.PointsPerMinute, l.ContentPerMinute, l.ContentPerHour, l.Concurrent = 900, 80, 500, 100
	return l
}

// bucket is one primary limit of one client.
type bucket struct {
	used  int
	reset time.Time
}

// window is one secondary limit of one client.
type window struct {
	used  int
	until time.Time
}

type limiter struct {
	now func() time.Time
	l   Limits

	mu      sync.Mutex
	buckets map[string]*bucket // client + resource
	windows map[string]*window
	running map[string]int
}

func newLimiter(now func() time.Time, l Limits) *limiter {
	return &limiter{now: now, l: l, buckets: map[string]*bucket{}, windows: map[string]*window{}, running: map[string]int{}}
}

// SetLimits replaces the rate limits and forgets what was counted.
func (s *Server) SetLimits(l Limits) {
	s.limits.mu.Lock()
	defer s.limits.mu.Unlock()
	s.limits.l = l
	clear(s.limits.buckets)
	clear(s.limits.windows)
}

func (c *call) resource() string {
	switch {
	case c.route == nil:
		return "core"
	case c.route.pattern == "/graphql":
		return "graphql"
	case c.route.pattern == "/search/code":
		return "code_search"
	case strings.HasPrefix(c.route.pattern, "/search/"):
		return "search"
	}
	return "core"
}

// client is whose budget a call is on: the installation, the person, the App
// or the address.
func (c *call) client() string {
	switch {
	case c.who.inst != nil:
		return fmt.Sprintf("installation %d", c.who.inst.id)
	case c.who.user != nil:
		return fmt.Sprintf("user %d", c.who.user.id)
	case c.who.app != nil:
		return fmt.Sprintf("app %d", c.who.app.id)
	}
	return "anonymous"
}

func (l *limiter) limit(c *call, resource string) int {
	switch {
	case resource == "search":
		return l.l.Search
	case resource == "code_search":
		return l.l.Code
	case resource == "graphql":
		return l.l.GraphQL
	case c.client() == "anonymous":
		return l.l.Anonymous
	case c.who.inst != nil && l.l.Core > 0:
		return min(l.l.Core+50*max(0, c.s.countRepositories(c.who.inst)-20), max(12_500, l.l.Core))
	}
	return l.l.Core
}

// countRepositories is what the size of the hourly budget depends on.
func (s *Server) countRepositories(i *Installation) int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if i.repos != nil {
		return len(i.repos)
	}
	return i.account.owned
}

func (l *limiter) bucket(c *call, resource string) *bucket {
	key := c.client() + " " + resource
	b := l.buckets[key]
	now := l.now()
	if b == nil || !now.Before(b.reset) {
		span := time.Hour
		if resource == "search" || resource == "code_search" {
			span = time.Minute
		}
		b = &bucket{reset: now.Add(span).Truncate(time.Second)}
		l.buckets[key] = b
	}
	return b
}

// enter counts the calls of a client that run now; leave ends one.
func (l *limiter) enter(c *call) (leave func(), err error) {
	key := c.client()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.l.Concurrent > 0 && l.running[key] >= l.l.Concurrent {
		c.s.stats.secondary.Add(1)
		return func() {}, secondaryLimit(orStatus(l.l.Status), time.Minute, l.l.NoHeaders)
	}
	l.running[key]++
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.running[key]--; l.running[key] == 0 {
			delete(l.running, key)
		}
	}, nil
}

// free are calls that cost nothing.
func (c *call) free() bool { return c.route != nil && c.route.pattern == "/rate_limit" }

// count charges the call and refuses it when a budget is used up.
func (l *limiter) count(c *call) error {
	if c.free() {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	limit := l.limit(c, c.resource())
	if limit > 0 {
		b := l.bucket(c, c.resource())
		if b.used >= limit {
			c.s.stats.primary.Add(1)
			return l.primary(c)
		}
		b.used++
	}
	return l.secondary(c)
}

// primary words the refusal; the headers come from headers().
func (l *limiter) primary(c *call) *apiError {
	e := &apiError{
		status:  orStatus(l.l.Status),
		message: "API rate limit exceeded for " + c.client() + ".",
		doc:     docRoot + "/using-the-rest-api/rate-limits-for-the-rest-api",
	}
	if c.resource() == "graphql" {
		e.status = http.StatusOK
	}
	return e
}

func orStatus(s int) int {
	if s == 0 {
		return http.StatusForbidden
	}
	return s
}

// secondary charges points and content.
func (l *limiter) secondary(c *call) error {
	writing := c.r.Method != http.MethodGet && c.r.Method != http.MethodHead && c.r.Method != http.MethodOptions
	points := 1
	if writing && c.resource() != "graphql" {
		points = 5
	}
	content := 0
	if writing && c.route != nil && createsContent(c.route) {
		content = 1
	}
	for _, w := range []struct {
		name      string
		max, cost int
		span      time.Duration
	}{
		{"points", l.l.PointsPerMinute, points, time.Minute},
		{"content minute", l.l.ContentPerMinute, content, time.Minute},
		{"content hour", l.l.ContentPerHour, content, time.Hour},
	} {
		if w.max == 0 || w.cost == 0 {
			continue
		}
		key := c.client() + " " + w.name
		have := l.windows[key]
		now := l.now()
		if have == nil || !now.Before(have.until) {
			have = &window{until: now.Add(w.span)}
			l.windows[key] = have
		}
		if have.used+w.cost > w.max {
			c.s.stats.secondary.Add(1)
			return secondaryLimit(orStatus(l.l.Status), have.until.Sub(now), l.l.NoHeaders)
		}
		have.used += w.cost
	}
	return nil
}

// createsContent: what notifies people. GitHub does not publish the list; these
// are the calls its abuse limits are documented for.
func createsContent(r *route) bool {
	switch r.pattern {
	case "/repos/{owner}/{repo}/pulls", "/repos/{owner}/{repo}/issues", "/repos/{owner}/{repo}/issues/{number}/comments",
		"/repos/{owner}/{repo}/pulls/{number}/reviews", "/repos/{owner}/{repo}/pulls/{number}/comments",
		"/repos/{owner}/{repo}/git/commits", "/repos/{owner}/{repo}/git/refs", "/repos/{owner}/{repo}/contents/{path*}":
		return true
	}
	return false
}

// secondaryLimit is the refusal of a secondary limit.
func secondaryLimit(status int, wait time.Duration, bare bool) *apiError {
	e := &apiError{
		status:  status,
		message: "You have exceeded a secondary rate limit. Please wait a few minutes before you try again. If you reach out to GitHub Support for help, please include the request ID.",
		doc:     docRoot + "/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits",
		header:  http.Header{},
	}
	if !bare {
		e.header.Set("Retry-After", strconv.Itoa(max(1, int(wait.Round(time.Second)/time.Second))))
	}
	return e
}

// refund gives back what a 304 cost.
func (l *limiter) refund(c *call) {
	if c.free() || c.r.Header.Get("Authorization") == "" {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if b := l.bucket(c, c.resource()); b.used > 0 {
		b.used--
	}
}

// headers sets the x-ratelimit headers.
func (l *limiter) headers(c *call, h http.Header) {
	l.mu.Lock()
	defer l.mu.Unlock()
	limit := l.limit(c, c.resource())
	if limit == 0 || h.Get("X-RateLimit-Reset") != "" && c.status != http.StatusNotModified {
		return
	}
	b := l.bucket(c, c.resource())
	h.Set("X-RateLimit-Limit", strconv.Itoa(limit))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(max(0, limit-b.used)))
	h.Set("X-RateLimit-Used", strconv.Itoa(b.used))
	h.Set("X-RateLimit-Reset", strconv.FormatInt(b.reset.Unix(), 10))
	h.Set("X-RateLimit-Resource", c.resource())
}

// object is one entry of GET /rate_limit.
func (l *limiter) object(c *call, resource string) object {
	l.mu.Lock()
	defer l.mu.Unlock()
	limit, b := l.limit(c, resource), l.bucket(c, resource)
	return object{"limit": limit, "used": b.used, "remaining": max(0, limit-b.used), "reset": b.reset.Unix(), "resource": resource}
}

// Exhaust uses up the primary budget of an installation until the hour is over.
func (i *Installation) Exhaust() {
	l := i.s.limits
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, resource := range []string{"core", "graphql"} {
		key := fmt.Sprintf("installation %d %s", i.id, resource)
		b := l.buckets[key]
		if b == nil || !l.now().Before(b.reset) {
			b = &bucket{reset: l.now().Add(time.Hour).Truncate(time.Second)}
			l.buckets[key] = b
		}
		b.used = 1 << 30
	}
}
