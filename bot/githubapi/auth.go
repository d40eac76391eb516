package githubapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/google/go-github/v60/github"
)

// installationAuth adds the installation's token. It owns its AppsTransport:
// ghinstallation writes to the one it was given when it refreshes, under
// another object's lock, so a shared one is a data race (trap T5). Only the
// signer, which has no state, is shared.
type installationAuth struct {
	base         http.RoundTripper
	signer       ghinstallation.Signer
	appID        int64
	installation int64
	apiURL       string // without the trailing slash
	options      *github.InstallationTokenOptions
	now          func() time.Time
	report       func(error, time.Time)

	mu      sync.Mutex
	current *ghinstallation.Transport
	// gate lets one goroutine mint at a time while the others can still give
	// up when their context ends; ghinstallation's own lock does not let them.
	gate chan struct{}
	last string // token seen by the last holder of gate
}

// transport returns the current one, or a new one without a token.
func (a *installationAuth) transport() (*ghinstallation.Transport, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.current != nil {
		return a.current, nil
	}
	app, err := ghinstallation.NewAppsTransportWithOptions(a.base, a.appID, ghinstallation.WithSigner(a.signer))
	if err != nil {
		return nil, fmt.Errorf("preparing the App's credentials: %w", err)
	}
	app.BaseURL = a.apiURL
	tr := ghinstallation.NewFromAppsTransport(app, a.installation)
	tr.InstallationTokenOptions = a.options
	a.current = tr
	return tr, nil
}

// drop forgets the token that tr holds, unless somebody already has.
func (a *installationAuth) drop(tr *ghinstallation.Transport) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if tr == nil || a.current == tr {
		a.current = nil
	}
}

// RoundTrip implements http.RoundTripper. A 401 means that GitHub did nothing,
// so any request whose body can be sent again is tried once with a new token;
// ghinstallation by itself would keep a revoked token for its whole hour.
func (a *installationAuth) RoundTrip(req *http.Request) (*http.Response, error) {
	again, err := rewound(req)
	if err != nil {
		closeBody(req)
		return nil, err
	}
	resp, used, err := a.try(req)
	if err != nil || resp.StatusCode != http.StatusUnauthorized {
		closeBody(again)
		return resp, err
	}
	a.drop(used)
	if req.Body != nil && req.GetBody == nil {
		return resp, nil
	}
	discard(resp)
	resp, used, err = a.try(again)
	if err == nil && resp.StatusCode == http.StatusUnauthorized {
		a.drop(used)
	}
	return resp, err
}

func (a *installationAuth) try(req *http.Request) (*http.Response, *ghinstallation.Transport, error) {
	tr, err := a.transport()
	if err == nil {
		err = a.mint(req.Context(), tr)
	}
	if err != nil {
		closeBody(req)
		return nil, nil, err
	}
	resp, err := tr.RoundTrip(req)
	if httpErr := (*ghinstallation.HTTPError)(nil); errors.As(err, &httpErr) {
		err = a.mintError(err) // the token ran out between the two steps
	}
	return resp, tr, err
}

// mint makes sure that tr has a token, within ctx.
func (a *installationAuth) mint(ctx context.Context, tr *ghinstallation.Transport) error {
	select {
	case a.gate <- struct{}{}:
		defer func() { <-a.gate }()
	case <-ctx.Done():
		return ctx.Err()
	}
	started := a.now()
	token, err := tr.Token(ctx)
	err = a.mintError(err)
	if err != nil || token != a.last {
		a.report(err, started)
	}
	a.last = token
	return err
}

// mintError types a failed mint. ghinstallation's error is neither go-github's
// nor does it close the answer (trap T6).
func (a *installationAuth) mintError(err error) error {
	if err == nil {
		return nil
	}
	var httpErr *ghinstallation.HTTPError
	if !errors.As(err, &httpErr) || httpErr.Response == nil {
		return fmt.Errorf("minting a token for installation %d: %w", a.installation, err)
	}
	resp := httpErr.Response
	body, _ := io.ReadAll(io.LimitReader(resp.Body, peekBytes))
	_ = resp.Body.Close()
	var said struct {
		Message string `json:"message"`
	}
	_ = json.Unmarshal(body, &said) // an answer without a message is judged by its status
	said.Message = clip(said.Message)

	switch status := resp.StatusCode; {
	case isLimit(status, resp.Header, body):
		return a.mintLimited(resp.Header, status)
	case status == http.StatusForbidden && strings.Contains(strings.ToLower(said.Message), "suspended"):
		return &GoneError{Installation: a.installation, Suspended: true}
	case status == http.StatusNotFound:
		return &GoneError{Installation: a.installation}
	case status == http.StatusUnauthorized:
		return fmt.Errorf("minting a token for installation %d: %w: %s", a.installation, ErrUnauthorized, said.Message)
	case status >= 500:
		return fmt.Errorf("minting a token for installation %d: %w: status %d", a.installation, ErrUnavailable, status)
	default:
		return fmt.Errorf("minting a token for installation %d: %w", a.installation, &RefusedError{Status: status, Message: said.Message})
	}
}

func (a *installationAuth) mintLimited(header http.Header, status int) error {
	now := a.now()
	e := &RateLimitedError{Until: now.Add(firstFallback), Secondary: true, Resource: "token", Why: "GitHub answered " + strconv.Itoa(status) + " to a token request"}
	if wait, ok := readRetryAfter(now, header.Get("Retry-After")); ok {
		e.Until = now.Add(wait)
	} else if al, ok := readAllowance(now, header); ok && al.remaining == 0 && al.reset.After(now) {
		e.Until, e.Secondary = al.reset, false
	}
	return e
}
