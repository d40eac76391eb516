package memory

import (
	"errors"
	"time"

	"github.com/rs/zerolog"
)

// Option changes a default of Open.
type Option func(*options)

type options struct {
	now    func() time.Time
	log    zerolog.Logger
	bounds Bounds
}

func defaults() options {
	return options{now: time.Now, log: zerolog.Nop(), bounds: DefaultBounds()}
}

// Bounds is what Trim leaves. Bytes are those of the contents and keys, with
// about what a row costs beside them.
type Bounds struct {
	BlobBytes int64         // contents of files, of all installations together
	LookBytes int64         // what was found in trees, likewise
	Unused    time.Duration // whole days; what was not asked for in this time goes
}

// DefaultBounds holds the files of some hundred thousand repositories, and
// forgets what three months of passes did not ask for.
func DefaultBounds() Bounds {
	return Bounds{BlobBytes: 512 << 20, LookBytes: 256 << 20, Unused: 90 * 24 * time.Hour}
}

func (o options) check() error {
	b := o.bounds
	if b.BlobBytes < 0 || b.LookBytes < 0 {
		return errors.New("memory: bounds must not be negative")
	}
	if b.Unused < day {
		return errors.New("memory: what is unused is kept for a day at least: use is noted once a day")
	}
	return nil
}

const day = 24 * time.Hour

// today is the number of days since 1970, UTC.
func (o options) today() int64 { return o.now().Unix() / int64(day/time.Second) }

// WithClock replaces the wall clock, which says when a row was used last.
func WithClock(now func() time.Time) Option { return func(o *options) { o.now = now } }

// WithLogger sets where lines go; the default discards them.
func WithLogger(log zerolog.Logger) Option { return func(o *options) { o.log = log } }

// WithBounds sets what Trim leaves instead of DefaultBounds.
func WithBounds(b Bounds) Option { return func(o *options) { o.bounds = b } }
