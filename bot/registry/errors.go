package registry

import (
	"fmt"
	"net/http"
	"sync"

	"github.com/google/go-containerregistry/pkg/name"
)

// NotFoundError tells that the registry does not have a reference.
type NotFoundError struct {
	Reference string
	err       error
}

func (e *NotFoundError) Error() string {
	return fmt.Sprintf("%s does not exist: the catalog lists it, but the registry does not have it", e.Reference)
}

func (e *NotFoundError) Unwrap() error { return e.err }

// LoginError tells that the registry wants a login, or another one.
type LoginError struct {
	Registry, Reference string
	Status              int // 401 or 403
	err                 error
}

func (e *LoginError) Error() string {
	what := "wants a login before it says anything about"
	if e.Status == http.StatusForbidden {
		what = "does not let this login read"
	}
	hint := "docker login " + e.Registry
	if e.Registry == "dhi.io" {
		hint += ", with a Docker ID and a personal access token, or with the organisation's name and an organisation access token"
	}
	return fmt.Sprintf("%s %s %s (%d): %s", e.Registry, what, e.Reference, e.Status, hint)
}

func (e *LoginError) Unwrap() error { return e.err }

// LimitError tells that the registry has had enough questions.
type LimitError struct {
	Registry, Reference string
	err                 error
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("%s limits requests (429) and did not answer about %s: try again later, or log in for a higher limit", e.Registry, e.Reference)
}

func (e *LimitError) Unwrap() error { return e.err }

// closed remembers registries that need not be asked any more.
type closed struct {
	mu   sync.Mutex
	errs map[string]error
}

func newClosed() *closed { return &closed{errs: make(map[string]error)} }

func (c *closed) reason(host string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.errs[host]
}

func (c *closed) add(host string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.errs[host] == nil {
		c.errs[host] = err
	}
}

// hostOf is the registry of a reference, "" when it is none.
func hostOf(reference string) string {
	ref, err := name.ParseReference(reference)
	if err != nil {
		return ""
	}
	return ref.Context().RegistryStr()
}
