// Package server runs the App: it ties the HTTP edge, the inbox, the bot and
// the GitHub client together and sees to an orderly start and end.
package server

import (
	"context"
	"crypto/hkdf"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"dhibot/bot"
	"dhibot/bot/body"
	"dhibot/bot/githubapi"
	"dhibot/bot/inbox"
	"dhibot/bot/memory"
	"dhibot/bot/registry"
	"dhibot/bot/scan"
	"dhibot/bot/sweep"
	"dhibot/rewrite"
	"dhibot/rewrite/catalog"
	"dhibot/webhooks"
)

// Config is what the App needs to run.
type Config struct {
	AppID int64
	// Keys are the App's private keys: the first one is used, the others are
	// earlier ones, by which old pull requests are still recognised.
	Keys []*rsa.PrivateKey
	// Secrets of the webhook; any of them is accepted.
	Secrets [][]byte
	// APIURL is the root of GitHub's REST API, "" for github.com.
	APIURL string
	// Limits bound what is asked of GitHub; the zero value is the default.
	Limits githubapi.Limits
	// Database is where deliveries are kept: sqlite:FILE or postgres://...
	Database string
	// Inbox are further options of the inbox.
	Inbox   []inbox.Option
	Catalog *catalog.Catalog // nil is the embedded one
	// Registry is asked about images before a pull request moves to them; nil
	// is nobody.
	Registry *registry.Desk
	Log      zerolog.Logger
}

// Engine migrates one Dockerfile; it is rewrite.Migrate.
type Engine = func(context.Context, rewrite.Input) (*rewrite.Result, error)

// GitHub makes the client for the App's credentials. metrics may be nil.
func (c Config) GitHub(metrics githubapi.Metrics) (*githubapi.App, error) {
	if len(c.Keys) == 0 {
		return nil, errors.New("the App's private key is missing")
	}
	return githubapi.New(githubapi.Settings{AppID: c.AppID, Key: c.Keys[0], APIURL: c.APIURL,
		Limits: c.Limits, Metrics: metrics, Log: c.Log.With().Str("component", "github").Logger()})
}

// Bot makes the bot with an engine, which is rewrite.Migrate or around it.
// examined is told of every Dockerfile that was looked at; it may be nil.
func (c Config) Bot(github *githubapi.App, engine Engine, examined func(*rewrite.Result)) (*bot.Bot, error) {
	keys, err := markerKeys(c.Keys)
	if err != nil {
		return nil, err
	}
	deps := bot.Deps{GitHub: github, AppID: c.AppID, Keys: keys, Migrate: engine, Examined: examined, Checked: checked(),
		Catalog: c.Catalog, Log: c.Log.With().Str("component", "bot").Logger()}
	if c.Registry != nil {
		deps.Registry = c.Registry
	}
	return bot.New(deps)
}

// checked is what package verify holds of every result that changes a file
// before the engine hands it out; pull requests say so.
func checked() []string {
	return []string{
		"every changed Dockerfile parses and resolves in BuildKit",
		"every tag it names is in the catalog",
		"its users, stages and start program exist",
		"every byte outside of the changes is as it was",
		"migrating the result once more changes nothing",
	}
}

// markerKeys derives the keys that sign what the bot writes for itself from the
// App's private keys, so that no further secret has to be kept. HKDF makes them
// independent of everything else the private key is used for.
func markerKeys(private []*rsa.PrivateKey) (body.Keys, error) {
	var keys body.Keys
	for _, k := range private {
		der, err := x509.MarshalPKCS8PrivateKey(k)
		if err != nil {
			return nil, fmt.Errorf("encoding the private key: %w", err)
		}
		derived, err := hkdf.Key(sha256.New, der, nil, "dhibot marker v1", sha256.Size)
		if err != nil {
			return nil, fmt.Errorf("deriving the marker key: %w", err)
		}
		keys = append(keys, derived)
	}
	return keys, nil
}

// sweepEvery is how often lost deliveries are asked for again. GitHub offers
// them for three days; five minutes is what a person waits before asking twice.
const sweepEvery = 5 * time.Minute

// Run serves on ln and works on deliveries until ctx ends, then lets what is
// being done finish. It closes ln. Deliveries that are left are taken up at the
// next start.
func Run(ctx context.Context, c Config, ln net.Listener) (err error) {
	defer func() { _ = ln.Close() }() // closed already unless the start failed
	metrics, err := newMetrics()
	if err != nil {
		return fmt.Errorf("registering metrics: %w", err)
	}
	// The inbox knows how many processes share GitHub's limits.
	var replicas atomic.Pointer[inbox.Inbox]
	c.Limits.Replicas = func() int {
		if box := replicas.Load(); box != nil {
			return box.Replicas()
		}
		return 1
	}
	github, err := c.GitHub(metrics)
	if err != nil {
		return fmt.Errorf("connecting to GitHub: %w", err)
	}
	b, err := c.Bot(github, rewrite.Migrate, metrics.examined)
	if err != nil {
		return err
	}
	remembered, err := memory.Open(ctx, c.Database, memory.WithLogger(c.Log.With().Str("component", "memory").Logger()))
	if err != nil {
		return fmt.Errorf("opening what scans remember: %w", err)
	}
	defer func() { err = errors.Join(err, remembered.Close()) }()
	var sweeper *sweep.Sweeper
	var scanner *scan.Scanner
	options := append([]inbox.Option{
		inbox.WithLogger(c.Log.With().Str("component", "inbox").Logger()),
		inbox.WithObserver(metrics.edge.Observe),
		// Called while box.Run is active: by then both are set.
		inbox.WithPeriodic("redeliver", sweepEvery, func(ctx context.Context) error { return sweeper.Pass(ctx) }),
		inbox.WithPeriodic("scan", scan.TickEvery, func(ctx context.Context) error { return scanner.Tick(ctx) }),
	}, c.Inbox...)
	box, err := inbox.Open(ctx, c.Database, options...)
	if err != nil {
		return fmt.Errorf("opening the inbox: %w", err)
	}
	defer func() { err = errors.Join(err, box.Close()) }()
	replicas.Store(box)
	sweeper = sweep.New(github, box, time.Now, c.Log.With().Str("component", "sweep").Logger())
	if scanner, err = c.Scanner(github, b, remembered, box, metrics); err != nil {
		return err
	}
	handler, err := webhooks.New(webhooks.Config{
		Secrets: c.Secrets, AppID: c.AppID, Inbox: box, Acknowledge: b.Acknowledge, Metrics: metrics.edge,
		Credentials: (&credentials{self: github.Self}).check,
		Log:         c.Log.With().Str("component", "webhooks").Logger(),
	})
	if err != nil {
		return fmt.Errorf("preparing the webhook: %w", err)
	}
	c.Log.Info().Str("listen", ln.Addr().String()).Int64("app", c.AppID).Msg("ready")

	// The edge stops first: a delivery that is accepted while we end is stored
	// and answered, and then the work is drained.
	work, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWork()
	worked := make(chan error, 1)
	edge, stopEdge := context.WithCancel(ctx)
	defer stopEdge()
	go func() {
		worked <- box.Run(work, both(b, scanner))
		stopEdge() // without its worker the edge would only collect
	}()
	served := webhooks.Serve(edge, ln, handler)
	c.Log.Info().Msg("stopping: finishing what is being worked on")
	stopWork()
	err = errors.Join(served, <-worked)
	c.Log.Info().Msg("stopped")
	return err
}
