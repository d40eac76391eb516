// Package webhooks is the App's HTTP edge: it proves that a delivery comes
// from GitHub, decodes it, stores it durably and only then answers. What a
// delivery leads to happens later, in package bot.
//
//	POST /api/github/webhooks   deliveries
//	GET  /healthz               the process answers
//	GET  /readyz                database and queue work, GitHub has not refused the App
//	GET  /metrics               Prometheus
package webhooks

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"golang.org/x/sync/semaphore"

	"dhibot/bot/inbox"
)

// Inbox is where deliveries go: *inbox.Inbox.
type Inbox interface {
	Put(ctx context.Context, d inbox.Delivery) (fresh bool, err error)
	Ready(ctx context.Context) error
	Stats(ctx context.Context) (inbox.Stats, error)
}

// Config is what the edge needs.
type Config struct {
	// Secrets of the webhook; a delivery signed with any of them is accepted,
	// so that a secret can be changed without losing deliveries. At least one,
	// none empty.
	Secrets [][]byte

	// AppID, when not 0, is compared with the App a delivery says it is for.
	// Comments made through this App are not acknowledged.
	AppID int64

	Inbox Inbox

	// Acknowledge tells a person at once that a comment was received. It is
	// called after the delivery was stored and before it is answered, for new
	// comments by people only. Its time is bounded; errors are logged. May be
	// nil.
	Acknowledge func(ctx context.Context, d inbox.Delivery) error

	// Credentials reports that GitHub does not accept the App's key; asked by
	// /readyz. That GitHub cannot be asked is no reason to take no deliveries.
	// May be nil.
	Credentials func(ctx context.Context) error

	Metrics *Metrics // nil: metrics on a registry of its own
	Log     zerolog.Logger
	Now     func() time.Time // nil: the wall clock
}

const (
	// maxBody is GitHub's own limit for payloads.
	maxBody = 25 << 20
	// maxBodies bounds all bodies being read or stored: two of the largest. Who
	// cannot sign can fill it too, since a signature is proved on the whole body,
	// and buffers that grow take several times as much: four were measured.
	maxBodies = 64 << 20
	// storeTime bounds storing: GitHub gives up on a delivery after 10 s.
	storeTime = 7 * time.Second
	// acknowledgeTime bounds Config.Acknowledge.
	acknowledgeTime = 2 * time.Second
)

type edge struct {
	Config
	metrics *Metrics
	memory  *semaphore.Weighted
	ready   *readiness
}

// New returns the handler of all routes. It refuses to work without secrets:
// an empty one would accept what anybody sends.
func New(c Config) (http.Handler, error) {
	if len(c.Secrets) == 0 {
		return nil, errors.New("webhooks: no webhook secret")
	}
	for _, s := range c.Secrets {
		if len(s) == 0 {
			return nil, errors.New("webhooks: an empty webhook secret would accept unsigned deliveries")
		}
	}
	if c.Inbox == nil {
		return nil, errors.New("webhooks: no inbox")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	e := &edge{Config: c, metrics: c.Metrics, memory: semaphore.NewWeighted(maxBodies)}
	if e.metrics == nil {
		var err error
		if e.metrics, err = NewMetrics(prometheus.NewRegistry()); err != nil {
			return nil, err
		}
	}
	if err := e.metrics.watch(c.Inbox, c.Now); err != nil {
		return nil, err
	}
	e.ready = newReadiness(c)

	mux := http.NewServeMux()
	mux.HandleFunc("/api/github/webhooks", e.deliver)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, answer{Status: "ok"}) })
	mux.HandleFunc("GET /readyz", e.ready.serve)
	mux.Handle("GET /metrics", e.metrics.handler())
	return mux, nil
}
