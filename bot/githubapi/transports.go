package githubapi

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"
	"time"
)

// defaultTransport is the connection pool when Settings bring none. It honours
// HTTPS_PROXY as an Enterprise Server behind a proxy needs.
func defaultTransport() *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: 30 * time.Second,
		ExpectContinueTimeout: time.Second,
		IdleConnTimeout:       90 * time.Second,
		MaxIdleConnsPerHost:   20,
		ForceAttemptHTTP2:     true,
	}
}

// capTransport bounds every answer. Reading past the bound is ErrTooLarge, so
// that a cut answer is never taken for a whole one.
type capTransport struct {
	next http.RoundTripper
	most int64
}

type capKey struct{}

// RoundTrip implements http.RoundTripper.
func (t *capTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	most := t.most
	if m, ok := req.Context().Value(capKey{}).(int64); ok && resp.StatusCode < 300 && !isMint(req.URL.Path) {
		most = min(m, most)
	}
	if resp.ContentLength > most {
		_ = resp.Body.Close()
		return nil, fmt.Errorf("answer of %d bytes: %w (%d bytes)", resp.ContentLength, ErrTooLarge, most)
	}
	resp.Body = &cappedBody{body: resp.Body, left: most, most: most}
	return resp, nil
}

type cappedBody struct {
	body       io.ReadCloser
	left, most int64
}

// Read implements io.Reader.
func (b *cappedBody) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1] // one byte more tells a full answer from a longer one
	}
	n, err := b.body.Read(p)
	if int64(n) > b.left {
		n = int(b.left)
		b.left = 0
		return n, fmt.Errorf("answer: %w (%d bytes)", ErrTooLarge, b.most)
	}
	b.left -= int64(n)
	return n, err
}

// Close implements io.Closer.
func (b *cappedBody) Close() error { return b.body.Close() }

// shieldTransport hides custom_properties from go-github v60, whose type for it
// (map[string]string) makes the decoding of a whole repository, or of a page of
// a hundred, fail when one property has several values (trap T1). The key is
// renamed in place; the new name differs by more than case because
// encoding/json ignores case.
type shieldTransport struct{ next http.RoundTripper }

var (
	shieldedKey = []byte(`"custom_properties"`)
	shieldedAs  = []byte(`"custom_propertiez"`)
)

// RoundTrip implements http.RoundTripper.
func (t *shieldTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req)
	if err != nil || !isJSON(resp.Header.Get("Content-Type")) || strings.Contains(req.Header.Get("Accept"), ".raw") {
		// File contents pass untouched, whatever media type they claim:
		// GitHub's own for them is application/vnd.github.raw+json.
		return resp, err
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	shield(body)
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

func isJSON(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && (media == "application/json" || strings.HasSuffix(media, "+json"))
}

// shield renames the key in place. The same bytes inside a JSON string are
// escaped (\"custom_properties\") and so do not match; as a value they are not
// followed by a colon.
func shield(body []byte) {
	for at := 0; ; {
		i := bytes.Index(body[at:], shieldedKey)
		if i < 0 {
			return
		}
		start, end := at+i, at+i+len(shieldedKey)
		rest := bytes.TrimLeft(body[end:], " \t\r\n")
		if len(rest) > 0 && rest[0] == ':' && (start == 0 || body[start-1] != '\\') {
			copy(body[start:end], shieldedAs)
		}
		at = end
	}
}

// retryTransport repeats what can be repeated without effect: GET, HEAD and
// the minting of a token. A POST is never repeated: a lost answer may hide a
// success, and only the job knows how to look first.
type retryTransport struct {
	next     http.RoundTripper
	attempts int
	jitter   func() float64
	wait     func(context.Context, time.Duration) error
}

const (
	firstBackoff = 250 * time.Millisecond
	lastBackoff  = 4 * time.Second
)

// RoundTrip implements http.RoundTripper.
func (t *retryTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if !repeatable(req) {
		return t.next.RoundTrip(req)
	}
	ctx := req.Context()
	for attempt := 1; ; attempt++ {
		resp, err := t.next.RoundTrip(req)
		if attempt >= t.attempts || ctx.Err() != nil || !passing(resp, err) {
			return resp, err
		}
		again, bodyErr := rewound(req)
		if bodyErr != nil {
			return resp, err
		}
		if resp != nil {
			discard(resp)
		}
		if waitErr := t.wait(ctx, backoff(attempt, t.jitter())); waitErr != nil {
			closeBody(again)
			return nil, waitErr
		}
		req = again
	}
}

// backoff doubles with each attempt; jitter in [0,1) spreads it over the upper
// half so that replicas do not return together.
func backoff(attempt int, jitter float64) time.Duration {
	d := min(firstBackoff<<(attempt-1), lastBackoff)
	return d/2 + time.Duration(jitter*float64(d/2))
}

// passing tells an error that is likely gone in a moment. 429 and 403 are not:
// they are the limiter's.
func passing(resp *http.Response, err error) bool {
	if err != nil {
		return true
	}
	switch resp.StatusCode {
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

func repeatable(req *http.Request) bool {
	if req.Method == http.MethodGet || req.Method == http.MethodHead {
		return true
	}
	return req.Method == http.MethodPost && isMint(req.URL.Path) && (req.Body == nil || req.GetBody != nil)
}

func isMint(path string) bool {
	return strings.Contains(path, "/app/installations/") && strings.HasSuffix(path, "/access_tokens")
}

// rewound is the request with its body at the start again.
func rewound(req *http.Request) (*http.Request, error) {
	again := req.Clone(req.Context())
	if req.Body == nil || req.GetBody == nil {
		return again, nil
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, err
	}
	again.Body = body
	return again, nil
}

// sameHostOnly is the redirect policy. Tokens are added below net/http, which
// therefore would not strip them for another host; and a redirected write loses
// its body or its method.
func sameHostOnly(req *http.Request, via []*http.Request) error {
	first := via[0]
	switch {
	case first.Method != http.MethodGet && first.Method != http.MethodHead:
		return ErrMoved
	case req.URL.Scheme != first.URL.Scheme || req.URL.Host != first.URL.Host:
		return fmt.Errorf("%w: to %s", ErrRedirect, req.URL.Host)
	case len(via) >= 4:
		return fmt.Errorf("%w: too many", ErrRedirect)
	}
	return nil
}

// waitFor waits on the real clock, or until ctx ends.
func waitFor(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
