package scan

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"dhibot/bot"
	"dhibot/bot/body"
	"dhibot/bot/campaign"
	"dhibot/bot/config"
	"dhibot/bot/githubapi"
	"dhibot/bot/inbox"
	"dhibot/bot/memory"

	"github.com/rs/zerolog"
)

// Engine is what a Scanner needs of package bot.
type Engine interface {
	// Survey runs the engine on a tree; see bot.Bot.
	Survey(ctx context.Context, repo githubapi.Repo, tree *githubapi.Tree, organisation, own config.File, fetch githubapi.Fetch) (*bot.Survey, error)
	// Propose opens the pull request of a repository unless something speaks
	// against it.
	Propose(ctx context.Context, installation, repository int64) (bot.Proposed, error)
	// Refresh brings open pull requests of a repository up to date.
	Refresh(ctx context.Context, installation, repository int64) error
	// Report makes the check run that says what would be proposed.
	Report(ctx context.Context, installation, repository int64) error
}

// Queue takes work; it is *inbox.Inbox.
type Queue interface {
	Put(ctx context.Context, d inbox.Delivery) (fresh bool, err error)
}

// Config is what a Scanner works with. All but Now, Log, Seen and Decided are
// required.
type Config struct {
	GitHub *githubapi.App
	Engine Engine
	Memory *memory.Store
	Queue  Queue
	// Keys sign the issue of the organisation.
	Keys body.Keys
	// Version names the engine and its catalog: what was found with another
	// version is looked at again.
	Version string
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	Log zerolog.Logger
	// Seen hears how repositories were dealt with; nil is nobody.
	Seen func(Seen)
	// Decided hears of every decision about an installation; nil is nobody.
	Decided func(installation int64, p campaign.Plan)
}

// Seen is how a pass dealt with a repository.
type Seen string

// The ways.
const (
	Unchanged Seen = "unchanged" // its tree and settings are as they were
	Known     Seen = "known"     // its tree was looked at before, here or elsewhere
	Looked    Seen = "looked"    // the engine looked at it
	Passed    Seen = "passed"    // archived, empty or a fork: nothing to look at
	Failed    Seen = "failed"    // it could not be read; the next pass tries again
)

// Scanner goes through installations. It is safe for concurrent use.
type Scanner struct {
	c Config

	mu   sync.Mutex
	self string // our slug, asked for once
}

// New checks the configuration. It makes no call.
func New(c Config) (*Scanner, error) {
	if c.GitHub == nil || c.Engine == nil || c.Memory == nil || c.Queue == nil || len(c.Keys) == 0 || c.Version == "" {
		return nil, errors.New("setting up scans: something that is required is missing")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Seen == nil {
		c.Seen = func(Seen) {}
	}
	if c.Decided == nil {
		c.Decided = func(int64, campaign.Plan) {}
	}
	return &Scanner{c: c}, nil
}

// The events of our own work.
const (
	own           = "dhibot."
	eventPass     = own + "pass"
	eventLook     = own + "look"
	eventCampaign = own + "campaign"
	eventOpen     = own + "open"
	eventReport   = own + "report"
	eventRefresh  = own + "refresh"
)

// Own tells whether an event is work for a Scanner. GitHub has no events of
// these names, and the edge takes none that GitHub has not.
func Own(event string) bool { return strings.HasPrefix(event, own) }

// task is the payload of our own deliveries.
type task struct {
	// Pass names the pass that goes on; see progress.
	Pass string `json:"pass,omitempty"`
	// Repositories are those to look at, and Gone those that left the
	// installation: GitHub shows public ones to anybody, so it is not asked.
	Repositories []int64 `json:"repositories,omitempty"`
	Gone         []int64 `json:"gone,omitempty"`
	// Confirms marks a pass that looks for what the one before missed.
	Confirms bool `json:"confirms,omitempty"`
	// Ticket is the reservation that an opening was made under.
	Ticket string `json:"ticket,omitempty"`
}

// Handle does the work of a delivery for which Own holds. What it returns is
// for the inbox.
func (s *Scanner) Handle(ctx context.Context, d inbox.Delivery) error {
	log := s.c.Log.With().Str("delivery", d.GUID).Str("event", d.Event).Int64("installation", d.Installation).Logger()
	var t task
	if err := json.Unmarshal(d.Body, &t); err != nil {
		return inbox.Drop(fmt.Errorf("reading our own work: %w", err))
	}
	err := s.route(log.WithContext(ctx), d, t)
	var limited *githubapi.RateLimitedError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &limited):
		log.Info().Time("until", limited.Until).Err(err).Msg("waiting for GitHub's limit")
		return inbox.Later(limited.Until, err)
	case errors.Is(err, githubapi.ErrGone):
		s.c.GitHub.Forget(d.Installation)
		log.Info().Err(err).Msg("the installation is gone")
		if d.Repository != 0 {
			return nil // the lane of the installation hears of it, too
		}
		return s.abandon(ctx, d.Installation, err)
	default:
		log.Error().Err(err).Int("attempt", d.Attempt).Msg("our own work failed")
		return err
	}
}

func (s *Scanner) route(ctx context.Context, d inbox.Delivery, t task) error {
	switch d.Event {
	case eventPass:
		return s.pass(ctx, d, t)
	case eventLook:
		return s.lookAgain(ctx, d, t)
	case eventCampaign:
		return s.campaign(ctx, d)
	case eventOpen:
		return s.open(ctx, d, t)
	case eventReport:
		return s.c.Engine.Report(ctx, d.Installation, d.Repository)
	case eventRefresh:
		return s.c.Engine.Refresh(ctx, d.Installation, d.Repository)
	}
	return inbox.Drop(fmt.Errorf("there is no work named %s", d.Event))
}

func (s *Scanner) put(ctx context.Context, event, guid string, installation int64, r githubapi.Repo, t task) error {
	return put(ctx, s.c.Queue, event, guid, installation, r, t)
}

// put puts work into the lane of the installation, or into that of a repository.
// guid names it: the same work under the same name is done once.
func put(ctx context.Context, queue Queue, event, guid string, installation int64, r githubapi.Repo, t task) error {
	raw, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("writing our own work: %w", err)
	}
	d := inbox.Delivery{GUID: guid, Event: event, Installation: installation, Priority: inbox.Scan, Body: raw}
	if r.ID != 0 {
		d.Repository, d.FullName = r.ID, r.FullName()
	}
	if _, err := queue.Put(ctx, d); err != nil {
		return fmt.Errorf("putting %s into the queue: %w", event, err)
	}
	return nil
}

// client reads for an installation. Writes are made by the engine, with a
// client of its own.
func (s *Scanner) client(installation int64) (*githubapi.Client, error) {
	c, err := s.c.GitHub.Installation(installation)
	if err != nil {
		return nil, fmt.Errorf("installation %d: %w", installation, err)
	}
	return c, nil
}
