package githubapi

import (
	"net/http"
	"strconv"
	"time"
)

// observe learns from an answer. It returns the error when the answer is a
// refusal by a limit; message is the start of the answer's body, read only for
// 403 and 429.
func (l *limiter) observe(now time.Time, call callInfo, status int, header http.Header, message []byte) *RateLimitedError {
	l.mu.Lock()
	defer l.mu.Unlock()
	resource := call.resource
	if r := header.Get("X-RateLimit-Resource"); r != "" && len(r) <= 64 {
		resource = r
	}
	a, told := readAllowance(now, header)
	if told {
		l.allowances[resource] = a
	}
	limited, retryAfter := isLimit(status, header, message), header.Get("Retry-After")
	if !limited {
		if status < 400 {
			l.strikes = 0
		}
		return nil
	}
	e := &RateLimitedError{Resource: resource, Why: "GitHub answered " + strconv.Itoa(status)}
	if wait, ok := readRetryAfter(now, retryAfter); ok {
		e.Secondary, e.Until = true, now.Add(wait)
	} else if told && a.remaining == 0 && a.reset.After(now) {
		e.Until = a.reset
		return e
	} else {
		e.Secondary, e.Until = true, now.Add(l.fallback())
		e.Why += " without a time"
	}
	l.hold(call.write, e.Until)
	return e
}

// holdSecondary records a secondary limit that came inside a GraphQL answer of
// status 200.
func (l *limiter) holdSecondary(now time.Time, write bool) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	until := now.Add(l.fallback())
	l.hold(write, until)
	return until
}

func (l *limiter) hold(write bool, until time.Time) {
	if until.After(l.heldWrites) {
		l.heldWrites = until
	}
	if !write && until.After(l.heldReads) {
		l.heldReads = until
	}
}

// fallback is the wait when GitHub names no time.
func (l *limiter) fallback() time.Duration {
	wait := lastFallback
	if l.strikes < 6 { // 60 s << 6 is beyond lastFallback
		wait = min(firstFallback<<l.strikes, lastFallback)
	}
	l.strikes++
	return wait
}

// allowance is an hourly budget as GitHub last told it.
type allowance struct {
	limit, remaining int
	reset            time.Time
}

// readAllowance reads the x-ratelimit headers; ok is false without them.
func readAllowance(now time.Time, header http.Header) (a allowance, ok bool) {
	remaining, err := strconv.Atoi(header.Get("X-RateLimit-Remaining"))
	if err != nil || remaining < 0 {
		return a, false
	}
	reset, err := strconv.ParseInt(header.Get("X-RateLimit-Reset"), 10, 64)
	if err != nil {
		return a, false
	}
	limit, err := strconv.Atoi(header.Get("X-RateLimit-Limit"))
	if err != nil || limit < remaining {
		limit = remaining
	}
	at := time.Unix(reset, 0)
	if latest := now.Add(longestHold); at.After(latest) {
		at = latest
	}
	return allowance{limit: limit, remaining: remaining, reset: at}, true
}

// readRetryAfter understands both forms of RFC 9110, 10.2.3.
func readRetryAfter(now time.Time, value string) (time.Duration, bool) {
	if value == "" {
		return 0, false
	}
	var wait time.Duration
	if seconds, err := strconv.Atoi(value); err == nil {
		wait = time.Duration(min(seconds, 1<<20)) * time.Second
	} else if at, err := http.ParseTime(value); err == nil {
		wait = at.Sub(now)
	} else {
		return 0, false
	}
	// A zero would let the very next call run into the same limit.
	return min(max(wait, time.Second), longestHold), true
}
