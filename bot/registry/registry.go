// Package registry asks a registry whether hardened images are what the
// catalog says: whether a tag exists, and what its config holds. The catalog
// is a snapshot; tags are removed, lag behind or cannot be pulled at all
// (docker-hardened-images/catalog#279, #396, #403, #514).
//
// Logins come from the Docker configuration of whoever runs the program, as
// docker login leaves them.
package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"golang.org/x/sync/errgroup"

	"dhibot/rewrite/catalog"
)

// Verifier asks registries. It is safe for concurrent use.
type Verifier struct {
	keychain  authn.Keychain
	transport http.RoundTripper
	timeout   time.Duration
	parallel  int
	options   []remote.Option
}

// Option changes a Verifier.
type Option func(*Verifier)

// WithKeychain takes logins from elsewhere than the Docker configuration.
func WithKeychain(k authn.Keychain) Option { return func(v *Verifier) { v.keychain = k } }

// WithTimeout bounds the questions about one image; 30 seconds by default.
func WithTimeout(d time.Duration) Option { return func(v *Verifier) { v.timeout = d } }

// New makes a Verifier.
func New(options ...Option) *Verifier {
	v := &Verifier{keychain: authn.DefaultKeychain, transport: remote.DefaultTransport, timeout: 30 * time.Second, parallel: 4}
	for _, o := range options {
		o(v)
	}
	v.options = []remote.Option{
		remote.WithAuthFromKeychain(v.keychain), remote.WithTransport(v.transport), remote.WithUserAgent("dhibot"),
		// A limit is told to the user; repeating the question would not lift it.
		remote.WithRetryStatusCodes(http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout),
		remote.WithRetryBackoff(remote.Backoff{Duration: 200 * time.Millisecond, Factor: 3, Steps: 3}),
	}
	return v
}

// with adds options to those of every request.
func (v *Verifier) with(more ...remote.Option) []remote.Option { return slices.Concat(v.options, more) }

// Exists asks for a reference and gives the digest it stands for. It costs a
// HEAD request, which does not count as a pull. Errors are those of Check.
func (v *Verifier) Exists(ctx context.Context, reference string) (digest string, err error) {
	ctx, cancel := context.WithTimeout(ctx, v.timeout)
	defer cancel()
	ref, err := name.ParseReference(reference)
	if err != nil {
		return "", fmt.Errorf("the reference %q: %w", reference, err)
	}
	d, err := remote.Head(ref, v.with(remote.WithContext(ctx))...)
	if err != nil {
		return "", explain(ref, err)
	}
	return d.Digest.String(), nil
}

// Report is what a registry says about an image.
type Report struct {
	Reference string
	Digest    string // of the index, or of the image when there is no index
	// Differences are what the config says otherwise than the catalog.
	Differences []Difference
}

// Difference is a fact that catalog and registry disagree about.
type Difference struct {
	What              string // entrypoint, cmd, user, work dir
	Catalog, Registry string
}

// Check compares the config of an image with its definition. It looks at the
// first platform that the definition names. Errors are *NotFoundError,
// *LoginError and *LimitError, and whatever else the network comes up with.
func (v *Verifier) Check(ctx context.Context, reference string, def *catalog.Definition) (*Report, error) {
	ctx, cancel := context.WithTimeout(ctx, v.timeout)
	defer cancel()
	ref, err := name.ParseReference(reference)
	if err != nil {
		return nil, fmt.Errorf("the reference %q: %w", reference, err)
	}
	platform, err := platformOf(def)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", reference, err)
	}
	desc, err := remote.Get(ref, v.with(remote.WithContext(ctx), remote.WithPlatform(platform))...)
	if err != nil {
		return nil, explain(ref, err)
	}
	img, err := desc.Image()
	if err != nil {
		return nil, explain(ref, err)
	}
	file, err := img.ConfigFile()
	if err != nil {
		return nil, explain(ref, err)
	}
	return &Report{Reference: reference, Digest: desc.Digest.String(), Differences: compare(def, &file.Config)}, nil
}

func platformOf(def *catalog.Definition) (v1.Platform, error) {
	if len(def.Platforms) == 0 {
		return v1.Platform{OS: "linux", Architecture: "amd64"}, nil
	}
	p, err := v1.ParsePlatform(def.Platforms[0])
	if err != nil {
		return v1.Platform{}, fmt.Errorf("the platform %q of the catalog: %w", def.Platforms[0], err)
	}
	return *p, nil
}

// Target is an image to check.
type Target struct {
	Reference  string
	Definition *catalog.Definition
}

// Answer is the report on a target, or why there is none.
type Answer struct {
	Target Target
	Report *Report
	Err    error
}

// CheckAll checks several images, a few at a time, and gives the answers in
// their order. It stops asking a registry that wants a login or has had
// enough: the remaining answers of that registry carry the same error.
func (v *Verifier) CheckAll(ctx context.Context, targets []Target) []Answer {
	answers := make([]Answer, len(targets))
	closed := newClosed()
	var group errgroup.Group
	group.SetLimit(v.parallel)
	for i, t := range targets {
		answers[i].Target = t
		group.Go(func() error {
			host := hostOf(t.Reference)
			if err := closed.reason(host); err != nil {
				answers[i].Err = err
				return nil
			}
			answers[i].Report, answers[i].Err = v.Check(ctx, t.Reference, t.Definition)
			var login *LoginError
			var limit *LimitError
			if errors.As(answers[i].Err, &login) || errors.As(answers[i].Err, &limit) {
				closed.add(host, answers[i].Err)
			}
			return nil
		})
	}
	_ = group.Wait() // errors are in the answers
	return answers
}

// compare lists what a config says otherwise than the catalog.
func compare(def *catalog.Definition, cfg *v1.Config) []Difference {
	var list []Difference
	add := func(what, want, got string) {
		if want != got {
			list = append(list, Difference{what, want, got})
		}
	}
	add("entrypoint", words(def.Entrypoint), words(cfg.Entrypoint))
	add("cmd", words(def.Cmd), words(cfg.Cmd))
	if !sameUser(def, cfg.User) {
		add("user", def.RunAs, or(cfg.User, "root"))
	}
	add("work dir", or(def.WorkDir, "/"), or(cfg.WorkingDir, "/"))
	return list
}

// sameUser tells whether the user of a config is the one of the catalog, by
// name or by number, with or without a group.
func sameUser(def *catalog.Definition, user string) bool {
	user, _, _ = strings.Cut(user, ":")
	if or(user, "root") == or(def.RunAs, "root") {
		return true
	}
	u, ok := def.User(or(user, "root"))
	return ok && u == def.RunUser()
}

func words(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return fmt.Sprintf("%q", list)
}

func or(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}

// explain turns an error of the registry into one that says what to do.
func explain(ref name.Reference, err error) error {
	host := ref.Context().RegistryStr()
	var te *transport.Error
	if !errors.As(err, &te) {
		if errors.Is(err, context.DeadlineExceeded) {
			return fmt.Errorf("%s did not answer in time about %s: %w", host, ref, err)
		}
		return fmt.Errorf("ask %s for %s: %w", host, ref, err)
	}
	switch te.StatusCode {
	case http.StatusNotFound:
		return &NotFoundError{Reference: ref.String(), err: err}
	case http.StatusUnauthorized, http.StatusForbidden:
		return &LoginError{Registry: host, Reference: ref.String(), Status: te.StatusCode, err: err}
	case http.StatusTooManyRequests:
		return &LimitError{Registry: host, Reference: ref.String(), err: err}
	}
	return fmt.Errorf("%s answered %d about %s: %w", host, te.StatusCode, ref, err)
}
