package standin

import (
	"net/http"
	"time"
)

type options struct {
	now        func() time.Time
	jwt        func() time.Time
	dir        string
	seed       int64
	limits     Limits
	tree       treeLimits
	latency    time.Duration
	observers  []func(Exchange)
	deliveries []func(Delivery)
}

type treeLimits struct{ entries, bytes int }

func defaultOptions() options {
	return options{
		now: time.Now, seed: 1, limits: DefaultLimits(),
		// https://docs.github.com/rest/git/trees#get-a-tree
		tree: treeLimits{entries: 100_000, bytes: 7 << 20},
	}
}

func (o options) jwtNow() time.Time {
	if o.jwt != nil {
		return o.jwt()
	}
	return o.now()
}

// Option changes what New makes.
type Option func(*options)

// WithClock sets the time that tokens expire by, limits reset by and objects
// are dated with. The default is time.Now.
func WithClock(now func() time.Time) Option { return func(o *options) { o.now = now } }

// WithJWTClock sets the time that the App's JSON web tokens are judged by, when
// it differs from WithClock: ghinstallation dates them with the real clock, so a
// test that steps a virtual clock over an hour wants WithJWTClock(time.Now).
func WithJWTClock(now func() time.Time) Option { return func(o *options) { o.jwt = now } }

// WithDir keeps the repositories below dir, which must be empty and is not
// removed by Close. The default is a temporary directory.
func WithDir(dir string) Option { return func(o *options) { o.dir = dir } }

// WithSeed seeds the source of chance for faults and delivery switches, so
// that a failing run can be repeated. The default is 1.
func WithSeed(seed int64) Option { return func(o *options) { o.seed = seed } }

// WithLimits sets the rate limits. The default is DefaultLimits.
func WithLimits(l Limits) Option { return func(o *options) { o.limits = l } }

// WithTreeLimit sets where recursive trees are cut with "truncated": true. The
// default is GitHub's: 100,000 entries or 7 MiB of answer.
func WithTreeLimit(entries, bytes int) Option {
	return func(o *options) { o.tree = treeLimits{entries, bytes} }
}

// WithLatency makes every API call take at least d of real time.
func WithLatency(d time.Duration) Option { return func(o *options) { o.latency = d } }

// WithObserver calls f after every REST and GraphQL call, in the goroutine of
// the call, with copies f may keep. It is how contract tests look on.
func WithObserver(f func(Exchange)) Option {
	return func(o *options) { o.observers = append(o.observers, f) }
}

// WithDeliveryObserver calls f after every webhook delivery attempt, one at a
// time; f must not wait for deliveries itself.
func WithDeliveryObserver(f func(Delivery)) Option {
	return func(o *options) { o.deliveries = append(o.deliveries, f) }
}

// Exchange is one finished API call.
type Exchange struct {
	Method       string
	URL          string // path and query as the client sent them
	Route        string // the pattern that answered, "" for none: "/repos/{owner}/{repo}"
	Path         string // as sent, without the /api/v3 prefix and the query
	Request      http.Header
	RequestBody  []byte
	Status       int
	Response     http.Header
	ResponseBody []byte
}
