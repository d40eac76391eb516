package bot

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"dhibot/bot/body"
	"dhibot/bot/event"
	"dhibot/bot/githubapi"
	"dhibot/bot/inbox"
	"dhibot/rewrite"
	"dhibot/rewrite/catalog"

	"github.com/rs/zerolog"
)

// Deps are what a Bot works with. All but Examined, Registry, Catalog, Now and
// Log are required.
type Deps struct {
	// GitHub is the App.
	GitHub *githubapi.App
	// AppID is its number, by which it knows its own comments.
	AppID int64
	// Keys sign what the App writes for itself into pull requests and commits.
	// The first one signs, all are accepted.
	Keys body.Keys
	// Migrate is the engine.
	Migrate func(context.Context, rewrite.Input) (*rewrite.Result, error)
	// Examined is told of every Dockerfile that was looked at, for metrics; nil
	// is nobody. It is called from many goroutines.
	Examined func(*rewrite.Result)
	// Checked are the checks that Migrate makes of every result it changes, as
	// parts of a sentence; they are claimed in pull requests.
	Checked []string
	// Registry is asked about images before a pull request moves to them; nil is
	// nobody.
	Registry Registry
	// Catalog is the catalog to migrate with; nil is the embedded one.
	Catalog *catalog.Catalog
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Log gets a line per decision.
	Log zerolog.Logger
}

// Bot handles deliveries. It is safe for concurrent use.
type Bot struct {
	deps Deps

	mu   sync.Mutex
	self githubapi.AppInfo // asked for once, see Bot.login
}

// New checks the dependencies. It makes no call.
func New(d Deps) (*Bot, error) {
	var errs []error
	if d.GitHub == nil {
		errs = append(errs, errors.New("GitHub is missing"))
	}
	if d.AppID == 0 {
		errs = append(errs, errors.New("AppID is missing"))
	}
	if len(d.Keys) == 0 || len(d.Keys[0]) < 16 {
		errs = append(errs, errors.New("the key that signs markers is missing or shorter than 16 bytes"))
	}
	if d.Migrate == nil {
		errs = append(errs, errors.New("the engine is missing"))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("setting up the bot: %w", err)
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	return &Bot{deps: d}, nil
}

// Handle acts on a delivery. What it returns is for the inbox: nil is done,
// inbox.Later and inbox.Drop say what they say, and any other error is worth
// another attempt.
func (b *Bot) Handle(ctx context.Context, d inbox.Delivery) error {
	log := b.deps.Log.With().Str("delivery", d.GUID).Str("event", d.Event).Str("repository", d.FullName).Logger()
	e, err := event.Decode(d.Event, d.Body)
	switch {
	case errors.Is(err, event.ErrUnknown):
		return nil
	case err != nil:
		return inbox.Drop(err)
	}
	err = b.route(log.WithContext(ctx), d, e)
	return b.settle(log, d, err)
}

func (b *Bot) route(ctx context.Context, d inbox.Delivery, e event.Event) error {
	switch e := e.(type) {
	case *event.IssueComment:
		return b.comment(ctx, d, e)
	case *event.Push:
		return b.push(ctx, e)
	case *event.PullRequest:
		return b.pullRequest(ctx, e)
	case *event.CheckRun:
		return b.rerun(ctx, e)
	case *event.InstallationChanged, *event.InstallationRepositories, *event.InstallationTarget:
		// What the installation may do has changed; its tokens say otherwise.
		b.deps.GitHub.Forget(e.Common().Installation.ID)
		return nil
	default:
		zerolog.Ctx(ctx).Debug().Str("action", e.Common().Action).Msg("nothing to do")
		return nil
	}
}

// settle turns an error into what the inbox should do with the delivery.
func (b *Bot) settle(log zerolog.Logger, d inbox.Delivery, err error) error {
	var limited *githubapi.RateLimitedError
	var silent *silentRegistry
	switch {
	case err == nil:
		return nil
	case errors.As(err, &limited):
		log.Info().Time("until", limited.Until).Err(err).Msg("waiting for GitHub's limit")
		return inbox.Later(limited.Until, err)
	case errors.As(err, &silent):
		log.Info().Time("until", silent.Again).Err(err).Msg("waiting for a registry")
		return inbox.Later(silent.Again, err)
	case errors.Is(err, githubapi.ErrGone):
		// Suspended or uninstalled: kept, so that it can be taken up again.
		b.deps.GitHub.Forget(d.Installation)
		return inbox.Drop(err)
	default:
		log.Error().Err(err).Int("attempt", d.Attempt).Msg("delivery failed")
		return err
	}
}

// login is the login that our comments and pull requests carry.
func (b *Bot) login(ctx context.Context) (string, error) {
	b.mu.Lock()
	known := b.self
	b.mu.Unlock()
	if known.ID == 0 {
		info, err := b.deps.GitHub.Self(ctx)
		if err != nil {
			return "", fmt.Errorf("asking who we are: %w", err)
		}
		b.mu.Lock()
		b.self, known = info, info
		b.mu.Unlock()
	}
	return known.BotLogin(), nil
}
