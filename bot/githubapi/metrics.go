package githubapi

import "time"

// Metrics hears of every call. Implementations must be quick and safe for
// concurrent use.
type Metrics interface {
	GitHubCall(Call)
}

// Call is one finished call.
type Call struct {
	// Operation is one of a fixed set of names, such as "create tree".
	Operation string
	// Outcome is ok, held (refused locally), rate_limited, refused, not_found,
	// gone, unauthorized, unavailable, moved, empty, too_large, cancelled or
	// network.
	Outcome string
	// Installation is 0 for calls as the App itself.
	Installation int64
	// Resource, Limit and Remaining are the hourly allowance the call drew
	// from; Limit and Remaining are -1 while GitHub has not told them.
	Resource         string
	Limit, Remaining int
	Took             time.Duration
}

type noMetrics struct{}

func (noMetrics) GitHubCall(Call) {}
