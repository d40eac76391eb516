package githubapi

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// callInfo is what the limiter needs to know of a call. It travels in the
// request's context, put there by the one function that makes calls.
type callInfo struct {
	name     string // operation
	resource string
	write    bool // anything but GET and HEAD
	// content marks the writes that GitHub counts as making content.
	content bool
	// spaced marks the writes that keep a distance from each other.
	spaced   bool
	command  bool
	reserved *reservation
}

type (
	callKey        struct{}
	commandKey     struct{}
	reservationKey struct{}
)

// ForCommand marks calls made because a person asked for something: they may
// use the share of the hour that is kept from everything else.
func ForCommand(ctx context.Context) context.Context {
	return context.WithValue(ctx, commandKey{}, true)
}

// reservation is a number of writes taken out of the windows in advance.
type reservation struct{ left atomic.Int32 }

func (r *reservation) take() bool {
	for {
		n := r.left.Load()
		if n <= 0 {
			return false
		}
		if r.left.CompareAndSwap(n, n-1) {
			return true
		}
	}
}

// infoOf describes the request. Requests that did not pass through call, such
// as redirects followed by net/http, are judged by what they are.
func infoOf(req *http.Request) callInfo {
	ctx := req.Context()
	info, _ := ctx.Value(callKey{}).(callInfo)
	if info.name == "" {
		info.name = "other"
	}
	info.resource = resourceCore
	switch path := req.URL.Path; {
	case strings.HasSuffix(path, "/graphql"):
		info.resource = resourceGraphQL
	case strings.Contains(path, "/search/"):
		info.resource = "search"
	}
	if info.resource != resourceGraphQL {
		info.write = req.Method != http.MethodGet && req.Method != http.MethodHead
	}
	return withContextValues(ctx, info)
}

func withContextValues(ctx context.Context, info callInfo) callInfo {
	info.command, _ = ctx.Value(commandKey{}).(bool)
	if r, ok := ctx.Value(reservationKey{}).(*reservation); ok && info.content {
		info.reserved = r
	}
	return info
}

// limitTransport keeps an installation within GitHub's limits.
type limitTransport struct {
	next    http.RoundTripper
	limiter *limiter
	slots   chan struct{}
	now     func() time.Time
	wait    func(context.Context, time.Duration) error
}

// RoundTrip implements http.RoundTripper. A refusal, ours or GitHub's, is
// returned as *RateLimitedError and never as a response: go-github v60 knows
// only some of them (trap T2), and freezes reads over a write's limit (T8).
func (t *limitTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	info := infoOf(req)
	ctx := req.Context()
	pause, err := t.limiter.admit(t.now(), info)
	if err == nil && pause > 0 {
		err = t.wait(ctx, pause)
		if err == nil {
			err = t.stillFree(info)
		}
	}
	if err != nil {
		closeBody(req)
		return nil, err
	}
	select {
	case t.slots <- struct{}{}:
		defer func() { <-t.slots }()
	case <-ctx.Done():
		closeBody(req)
		return nil, ctx.Err()
	}
	resp, err := t.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	message := peek(resp)
	if limited := t.limiter.observe(t.now(), info, resp.StatusCode, resp.Header, message); limited != nil {
		discard(resp)
		return nil, limited
	}
	// go-github keeps its own books from these headers, files GraphQL and
	// search of an Enterprise Server under the wrong heading (T7) and reads the
	// real clock. One bookkeeper is enough.
	for _, h := range []string{"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-RateLimit-Used", "X-RateLimit-Resource"} {
		resp.Header.Del(h)
	}
	return resp, nil
}

// stillFree looks again after a pause: another call may have met a limit.
func (t *limitTransport) stillFree(info callInfo) error {
	t.limiter.mu.Lock()
	defer t.limiter.mu.Unlock()
	return t.limiter.held(t.now(), info)
}

// isLimit tells a limit from every other 403. GitHub documents 403 and 429 for
// both kinds of limit; sometimes there is no header at all, and then only the
// words tell.
func isLimit(status int, header http.Header, message []byte) bool {
	switch status {
	case http.StatusTooManyRequests:
		return true
	case http.StatusForbidden:
		return header.Get("Retry-After") != "" ||
			header.Get("X-RateLimit-Remaining") == "0" ||
			isSecondary(message) || bytes.Contains(bytes.ToLower(message), []byte("api rate limit exceeded"))
	}
	return false
}

func isSecondary(message []byte) bool {
	m := bytes.ToLower(message)
	return bytes.Contains(m, []byte("secondary rate limit")) || bytes.Contains(m, []byte("abuse detection"))
}

// peekBytes is how much of a refusal is looked at for its wording.
const peekBytes = 16 << 10

// peek returns the start of a refusal's body and leaves the body whole.
func peek(resp *http.Response) []byte {
	if resp.StatusCode != http.StatusForbidden && resp.StatusCode != http.StatusTooManyRequests {
		return nil
	}
	start, _ := io.ReadAll(io.LimitReader(resp.Body, peekBytes))
	resp.Body = &joined{io.MultiReader(bytes.NewReader(start), resp.Body), resp.Body}
	return start
}

type joined struct {
	io.Reader
	io.Closer
}

// discard reads a little and closes, so that the connection can be used again.
func discard(resp *http.Response) {
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, peekBytes))
	_ = resp.Body.Close()
}

// closeBody does what a RoundTripper owes for a request it does not send.
func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
}
