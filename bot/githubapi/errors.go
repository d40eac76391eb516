package githubapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"
)

// Errors that callers tell apart with errors.Is. They are always wrapped with
// what was being done.
var (
	// ErrNotFound is a 404: the thing does not exist, or the installation may
	// not see it; GitHub does not say which.
	ErrNotFound = errors.New("not found on GitHub")
	// ErrGone means that the installation is suspended or was removed. See
	// *GoneError for which.
	ErrGone = errors.New("the installation is gone")
	// ErrUnauthorized means that GitHub does not accept our credentials even
	// after a fresh token: a wrong or revoked key, or a clock that is off.
	ErrUnauthorized = errors.New("GitHub does not accept the credentials")
	// ErrUnavailable is an answer of 500 or above that stayed so after retries.
	ErrUnavailable = errors.New("GitHub is not available")
	// ErrTooLarge means that an answer or a file is larger than its bound.
	ErrTooLarge = errors.New("larger than the limit")
	// ErrMoved means that a write was answered with a redirect: the repository
	// was renamed or transferred. Ask for it again by its id before writing.
	ErrMoved = errors.New("the repository has moved")
	// ErrRedirect means that GitHub redirected to a place we do not follow:
	// another host, or too many hops.
	ErrRedirect = errors.New("redirect refused")
	// ErrEmpty means that the repository has no commit yet.
	ErrEmpty = errors.New("the repository is empty")
)

// RateLimitedError says that a call was refused by GitHub or would have been.
// The call had no effect. Nothing in this package sleeps until Until: put the
// job back.
type RateLimitedError struct {
	// Until is when the call may be tried again.
	Until time.Time
	// Secondary is true for the limits on bursts, writes and concurrency, false
	// for the hourly allowance.
	Secondary bool
	// Resource is GitHub's name of the allowance: core, graphql, search...
	Resource string
	// Local is true when we refused before asking GitHub.
	Local bool
	// Why is a sentence for logs.
	Why string
}

// Error implements error.
func (e *RateLimitedError) Error() string {
	kind := "primary"
	if e.Secondary {
		kind = "secondary"
	}
	return fmt.Sprintf("%s rate limit (%s) until %s: %s", kind, e.Resource, e.Until.UTC().Format(time.RFC3339), e.Why)
}

// GoneError is the reason why an installation has no token any more.
// errors.Is(err, ErrGone) holds for it.
type GoneError struct {
	Installation int64
	// Suspended tells a suspended installation from a removed one.
	Suspended bool
}

// Error implements error.
func (e *GoneError) Error() string {
	if e.Suspended {
		return fmt.Sprintf("installation %d is suspended", e.Installation)
	}
	return fmt.Sprintf("installation %d does not exist any more", e.Installation)
}

// Is makes a GoneError an ErrGone.
func (e *GoneError) Is(target error) bool { return target == ErrGone }

// Detail is one entry of the errors list that GitHub sends with a refusal.
type Detail struct {
	Resource, Field, Code, Message string
}

// RefusedError is a request that GitHub understood and declined: 400, 403, 405,
// 409, 410, 422, 451. Trying again changes nothing until somebody changes
// something.
type RefusedError struct {
	Status  int
	Message string
	Errors  []Detail
}

// Error implements error.
func (e *RefusedError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "GitHub refused (%d): %s", e.Status, e.Message)
	for _, d := range e.Errors {
		b.WriteString("; ")
		switch {
		case d.Message != "":
			b.WriteString(d.Message)
		default:
			fmt.Fprintf(&b, "%s.%s %s", d.Resource, d.Field, d.Code)
		}
	}
	return b.String()
}

// says tells whether the refusal contains one of the phrases. GitHub gives
// these cases no code of their own, so its wording is all there is; every
// phrase is covered by a test against the stand-in.
func (e *RefusedError) says(phrases ...string) bool {
	text := strings.ToLower(e.Error())
	for _, p := range phrases {
		if strings.Contains(text, p) {
			return true
		}
	}
	return false
}

// NotFastForward tells that a ref was not updated because it moved meanwhile.
func (e *RefusedError) NotFastForward() bool { return e.says("not a fast forward") }

// RefExists tells that a ref to be created is there already.
func (e *RefusedError) RefExists() bool { return e.says("reference already exists") }

// PullRequestExists tells that there is an open pull request for the same head and base.
func (e *RefusedError) PullRequestExists() bool { return e.says("a pull request already exists") }

// Archived tells that the repository is read-only.
func (e *RefusedError) Archived() bool { return e.says("was archived so is read-only") }

// MissingPermission tells that the App was not granted what the call needs.
func (e *RefusedError) MissingPermission() bool {
	return e.Status == http.StatusForbidden && e.says("resource not accessible by integration")
}

// RuleViolation tells that a ruleset or a branch protection forbade the write.
func (e *RefusedError) RuleViolation() bool {
	return e.says("rule violation", "gh013", "protected branch", "gh006", "cannot create ref due to creations being restricted")
}

// translate turns what go-github returns into the errors of this package.
func translate(installation int64, op string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", op, classify(installation, err))
}

// classify finds the typed error inside err. Errors that the transports below
// made are kept as they are.
func classify(installation int64, err error) error {
	var limited *RateLimitedError
	if errors.As(err, &limited) {
		return limited
	}
	var gone *GoneError
	if errors.As(err, &gone) {
		return gone
	}
	var resp *github.ErrorResponse
	if errors.As(err, &resp) && resp.Response != nil {
		if resp.Response.StatusCode == http.StatusForbidden && strings.Contains(resp.Message, "installation has been suspended") {
			// A token outlives the suspension by up to an hour, so any call may
			// be the first to hear of it.
			return &GoneError{Installation: installation, Suspended: true}
		}
		return fromStatus(resp)
	}
	return err
}

func fromStatus(resp *github.ErrorResponse) error {
	status := resp.Response.StatusCode
	switch {
	case status == http.StatusNotFound:
		return ErrNotFound
	case status == http.StatusUnauthorized:
		return fmt.Errorf("%w: %s", ErrUnauthorized, clip(resp.Message))
	case status == http.StatusConflict && strings.Contains(resp.Message, "epository is empty"):
		return ErrEmpty
	case status == http.StatusMovedPermanently, status == http.StatusTemporaryRedirect, status == http.StatusPermanentRedirect, status == http.StatusFound:
		return ErrMoved
	case status >= 500:
		return fmt.Errorf("%w: status %d", ErrUnavailable, status)
	}
	refused := &RefusedError{Status: status, Message: clip(resp.Message)}
	if refused.Message == "" {
		refused.Message = http.StatusText(status)
	}
	for i, d := range resp.Errors {
		if i == maxDetails {
			break
		}
		refused.Errors = append(refused.Errors, Detail{clip(d.Resource), clip(d.Field), clip(d.Code), clip(d.Message)})
	}
	return refused
}

// Bounds on what of an error answer is kept: it ends in logs and comments.
const (
	maxDetails    = 20
	maxErrorChars = 1000
)

func clip(s string) string {
	if len(s) <= maxErrorChars {
		return s
	}
	return strings.ToValidUTF8(s[:maxErrorChars], "") + "…"
}

// outcome is the word for metrics.
func outcome(err error) string {
	var limited *RateLimitedError
	var refused *RefusedError
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &limited) && limited.Local:
		return "held"
	case errors.As(err, &limited):
		return "rate_limited"
	case errors.As(err, &refused):
		return "refused"
	case errors.Is(err, ErrNotFound):
		return "not_found"
	case errors.Is(err, ErrGone):
		return "gone"
	case errors.Is(err, ErrUnauthorized):
		return "unauthorized"
	case errors.Is(err, ErrUnavailable):
		return "unavailable"
	case errors.Is(err, ErrMoved), errors.Is(err, ErrRedirect):
		return "moved"
	case errors.Is(err, ErrEmpty):
		return "empty"
	case errors.Is(err, ErrTooLarge):
		return "too_large"
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return "cancelled"
	default:
		return "network"
	}
}

func tooLarge(err error) bool { return errors.Is(err, ErrTooLarge) }

// ignoreMissing makes the removal of what is not there a success.
func ignoreMissing(err error) error {
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}
