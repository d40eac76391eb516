package catalog

import (
	"strings"
	"sync"
)

// An organisation starts its images from a few dozen others: what a reference
// means and what takes its place is asked for again with nearly every file. The
// answers depend on the snapshot and the question alone, so they hold for as
// long as the catalog does.
const (
	// maxRemembered bounds the answers of a kind; when there are more, all are
	// forgotten.
	maxRemembered = 2048
	// maxQuestion bounds the bytes of a question that is remembered: its text
	// comes from a repository.
	maxQuestion = 256
)

// remembered keeps answers by question. The zero value is empty; it is safe for
// concurrent use, and so must the answers be.
type remembered[K comparable, V any] struct {
	mu   sync.RWMutex
	kept map[K]V
}

// find gives the answer to a question, if it was asked before.
func (r *remembered[K, V]) find(question K) (V, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	v, ok := r.kept[question]
	return v, ok
}

// keep remembers an answer. Neither it nor the question may be part of a larger
// text, which would stay in memory with it.
func (r *remembered[K, V]) keep(question K, answer V) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.kept == nil || len(r.kept) >= maxRemembered {
		r.kept = make(map[K]V)
	}
	r.kept[question] = answer
}

// choiceKey is the question for a choice: what is known of the origin, and what
// is wanted.
type choiceKey struct {
	image, text, channel, flavor, foreign, release string
	family                                         Distro
	explicit, familyFirm                           bool
	want                                           Want
}

// choiceAnswer is the choice or why there is none.
type choiceAnswer struct {
	choice *Choice
	err    error
}

// keyOf is the question for an origin.
func keyOf(o *Origin, w Want) choiceKey {
	return choiceKey{
		image: o.Image, text: o.Version, channel: o.Channel, flavor: o.Flavor, foreign: o.Foreign, release: releaseNumber(o.Release),
		family: o.Distro, explicit: o.Explicit, familyFirm: o.familyKnown, want: w,
	}
}

// chosen answers a question, worked out once.
func (c *Catalog) chosen(key choiceKey) (*Choice, error) {
	if a, ok := c.choices.find(key); ok {
		return a.choice, a.err
	}
	return c.choose(key)
}

// choose works an answer out and remembers it.
func (c *Catalog) choose(key choiceKey) (*Choice, error) {
	short := key.own()
	choice, err := c.selection(&key).choose()
	if short {
		c.choices.keep(key, choiceAnswer{choice, err})
	}
	return choice, err
}

// texts are the parts of a question that come from a repository.
func (k *choiceKey) texts() []*string {
	return []*string{&k.image, &k.text, &k.channel, &k.flavor, &k.foreign, &k.release, &k.want.Release, &k.want.Version, &k.want.Flavor, &k.want.AtLeast}
}

// own tells whether a question is short enough to be remembered, and makes its
// texts its own.
func (k *choiceKey) own() bool {
	n := 0
	for _, s := range k.texts() {
		n += len(*s)
	}
	if n > maxQuestion {
		return false
	}
	for _, s := range k.texts() {
		*s = strings.Clone(*s)
	}
	return true
}
