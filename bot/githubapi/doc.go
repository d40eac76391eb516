// Package githubapi is the one place that talks to GitHub.
//
// It offers the verbs the App needs, with small structs of its own, so that
// nothing else in the program sees go-github's types or its habits. Underneath
// are go-github v60 and ghinstallation v2.10.0, the pair that was built for
// each other; every known trap of that pair has a shield here and a regression
// test named after it (TestT1 to TestT13).
//
// A request of an installation passes through these layers, outermost first:
//
//	limiter    GitHub's limits, known before and read from every answer; refuses
//	           with *RateLimitedError instead of sleeping on a worker
//	auth       the installation's token; a 401 drops it and tries once more
//	shield     hides custom_properties from go-github's outdated type
//	cap        no answer is read beyond its bound
//	retry      GET, HEAD and the token mint only; a write is the job's to repeat
//	transport  the connection pool, shared by all installations
//
// The limiter is outside of auth so that it sees what counts against the
// installation; retry is inside so that a minted token profits from it too.
// All of it is kept per installation for the life of the process: limits are
// remembered between jobs.
package githubapi
