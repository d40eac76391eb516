package githubapi

import "time"

// Limits bound what the App asks of GitHub. Zero fields take the default named
// with them; the numbers are GitHub's documented ones or stay below them
// (docs.github.com, "Rate limits for the REST API").
type Limits struct {
	// Spacing is the time between two writes of an installation; default 1 s,
	// as GitHub's "Best practices for using the REST API" asks. Negative: none.
	Spacing time.Duration
	// ContentPerMinute and ContentPerHour bound the writes that make content;
	// default 80 and 500.
	ContentPerMinute, ContentPerHour int
	// Replicas tells how many processes work for the App, this one included; it
	// is asked for every call. What is counted here and not by GitHub's headers
	// (Spacing, the content of a minute and an hour, points) is divided evenly
	// among them. nil: this is the only one.
	Replicas func() int
	// CommandShare is the part of every hourly allowance that only calls under
	// ForCommand may use; default 0.15. Negative: none.
	CommandShare float64
	// MaxPause is the longest that a single call waits for its turn before it
	// returns *RateLimitedError; default 3 s. Calls under Reserve wait for
	// their turn up to a minute: half a sequence of writes would have to be
	// repeated from its start.
	MaxPause time.Duration
	// Concurrent is the number of requests of an installation under way at
	// once; default 50, half of what GitHub allows for REST and GraphQL together.
	Concurrent int
	// Attempts is how often a GET, a HEAD or a token mint is tried; default 3.
	Attempts int
	// CallTimeout bounds one call with its retries and pauses; default 2 minutes.
	CallTimeout time.Duration
	// ResponseBytes bounds an answer; default 64 MiB. A tree of 100,000
	// entries, GitHub's largest, stays well below.
	ResponseBytes int64
	// BlobBytes bounds a file that Blob reads; default 1 MiB.
	BlobBytes int64
	// TreeCalls bounds the calls for one tree that GitHub truncates; default 200.
	TreeCalls int
}

func (l Limits) withDefaults() Limits {
	set(&l.Spacing, time.Second)
	set(&l.ContentPerMinute, 80)
	set(&l.ContentPerHour, 500)
	set(&l.CommandShare, 0.15)
	set(&l.MaxPause, 3*time.Second)
	set(&l.Concurrent, 50)
	set(&l.Attempts, 3)
	set(&l.CallTimeout, 2*time.Minute)
	set(&l.ResponseBytes, 64<<20)
	set(&l.BlobBytes, 1<<20)
	set(&l.TreeCalls, 200)
	l.Spacing = max(l.Spacing, 0)
	l.CommandShare = min(max(l.CommandShare, 0), 1)
	return l
}

func set[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
