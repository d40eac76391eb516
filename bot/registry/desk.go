package registry

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
)

// How long answers hold. What is there mostly stays; what is missing may be
// pushed or mirrored any minute; a registry that does not answer is asked again
// soon, and not by every repository in between.
const (
	goodFor   = 6 * time.Hour
	badFor    = 15 * time.Minute
	silentFor = time.Minute
	// most bounds what is remembered.
	most = 4096
	// session bounds one Ask, whatever it asks for.
	session = 2 * time.Minute
)

// ErrNoLogin tells that a registry was not asked, because there is no login for
// it. Registries are named in the settings of repositories, by people who are
// strangers to whoever runs this program; only those that it has a login for are
// known to be ones it may talk to.
var ErrNoLogin = errors.New("there is no login for this registry")

// SilentError tells that a registry does not answer now.
type SilentError struct {
	Registry string
	Since    time.Time // of the first question without an answer
	Again    time.Time // when it will be asked again
	err      error
}

func (e *SilentError) Error() string {
	return fmt.Sprintf("%s has not answered since %s: %v", e.Registry, e.Since.UTC().Format(time.RFC3339), e.err)
}

func (e *SilentError) Unwrap() error { return e.err }

// Desk asks registries for many repositories and remembers the answers for a
// while, in memory. It is safe for concurrent use.
type Desk struct {
	verifier *Verifier
	now      func() time.Time

	mu      sync.Mutex
	answers map[string]remembered
	silent  map[string]*SilentError // by registry, until it answers
}

type remembered struct {
	answer Answer
	until  time.Time
}

// NewDesk makes a Desk. now is the clock; nil is time.Now.
func NewDesk(v *Verifier, now func() time.Time) *Desk {
	if now == nil {
		now = time.Now
	}
	return &Desk{verifier: v, now: now, answers: map[string]remembered{}, silent: map[string]*SilentError{}}
}

// Ask gives an answer for each target, in order. Errors in answers are
// *NotFoundError, *LoginError, *SilentError and ErrNoLogin. The same reference
// may stand in several targets.
func (d *Desk) Ask(ctx context.Context, targets []Target) []Answer {
	answers := make([]Answer, len(targets))
	var open []Target
	where := map[string][]int{}
	for i, t := range targets {
		answers[i].Target = t
		if a, ok := d.recall(t); ok {
			answers[i] = a
			continue
		}
		if where[key(t)] == nil {
			open = append(open, t)
		}
		where[key(t)] = append(where[key(t)], i)
	}
	if len(open) == 0 {
		return answers
	}
	ctx, cancel := context.WithTimeout(ctx, session)
	defer cancel()
	for _, a := range d.verifier.CheckAll(ctx, open) {
		a = d.keep(a)
		for _, i := range where[key(a.Target)] {
			answers[i].Report, answers[i].Err = a.Report, a.Err
		}
	}
	return answers
}

// key tells questions apart: the same reference is compared with another
// definition once the catalog was renewed.
func key(t Target) string {
	if t.Definition == nil {
		return t.Reference
	}
	return fmt.Sprintf("%s\x00%q%q%q%q", t.Reference, t.Definition.Entrypoint, t.Definition.Cmd, t.Definition.RunAs, t.Definition.WorkDir)
}

// recall is what is known without asking.
func (d *Desk) recall(t Target) (Answer, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.now()
	if r, ok := d.answers[key(t)]; ok && now.Before(r.until) {
		a := r.answer
		a.Target = t
		return a, true
	}
	if s := d.silent[hostOf(t.Reference)]; s != nil && now.Before(s.Again) {
		return Answer{Target: t, Err: s}, true
	}
	if !d.verifier.hasLogin(t.Reference) {
		return Answer{Target: t, Err: ErrNoLogin}, true
	}
	return Answer{}, false
}

// keep remembers an answer and gives it in the words of Ask.
func (d *Desk) keep(a Answer) Answer {
	d.mu.Lock()
	defer d.mu.Unlock()
	now, host := d.now(), hostOf(a.Target.Reference)
	var missing *NotFoundError
	var login *LoginError
	until := now.Add(goodFor)
	switch {
	case a.Err == nil && len(a.Report.Differences) == 0:
		delete(d.silent, host)
	case a.Err == nil, errors.As(a.Err, &missing), errors.As(a.Err, &login):
		delete(d.silent, host)
		until = now.Add(badFor)
	default:
		s := &SilentError{Registry: host, Since: now, Again: now.Add(silentFor), err: a.Err}
		if before := d.silent[host]; before != nil && now.Sub(before.Again) < badFor {
			s.Since = before.Since // still; what was long ago is another silence
		}
		d.silent[host] = s
		a.Err = s
		return a
	}
	if len(d.answers) >= most {
		for k, r := range d.answers {
			if !now.Before(r.until) {
				delete(d.answers, k)
			}
		}
		if len(d.answers) >= most {
			clear(d.answers) // everything can be asked again
		}
	}
	d.answers[key(a.Target)] = remembered{a, until}
	return a
}

// hasLogin tells whether the keychain holds something for the registry of a
// reference.
func (v *Verifier) hasLogin(reference string) bool {
	ref, err := name.ParseReference(reference)
	if err != nil {
		return false
	}
	login, err := v.keychain.Resolve(ref.Context())
	return err == nil && login != authn.Anonymous
}
