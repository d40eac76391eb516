package githubapi

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/golang-jwt/jwt/v4"
	"github.com/google/go-github/v60/github"
	"github.com/rs/zerolog"
)

// PublicAPI is the address of github.com's API.
const PublicAPI = "https://api.github.com/"

// Settings say who we are and where GitHub is.
type Settings struct {
	// AppID and Key are the App's identity. Both are required.
	AppID int64
	Key   *rsa.PrivateKey
	// APIURL is the root of the REST API: empty for github.com, otherwise
	// for example https://github.example.com/api/v3. GraphQL is beside it.
	APIURL string
	// HTTPClient lends its Transport (proxy, certificates, test server); nil is
	// a pool with our own timeouts. Its other fields are not used.
	HTTPClient *http.Client
	// Limits default field by field.
	Limits Limits
	// Now is the clock of the limiter; nil is time.Now. Tokens are judged by the
	// real clock whatever Now says: ghinstallation reads it itself.
	Now func() time.Time
	// Wait waits for a duration or until the context ends; nil really waits.
	Wait func(context.Context, time.Duration) error
	// Jitter returns numbers in [0,1) that spread retries; nil is random.
	Jitter func() float64
	// Metrics hears of every call; nil is nobody.
	Metrics Metrics
	Log     zerolog.Logger
}

// App talks to GitHub as the App, and hands out a Client per installation. It
// is safe for concurrent use.
type App struct {
	settings Settings
	api      *url.URL // with trailing slash
	base     http.RoundTripper
	signer   ghinstallation.Signer
	self     *Client

	mu            sync.Mutex
	installations map[int64]*installation
}

// installation is what outlives a token: the limiter, and the clients on it.
type installation struct {
	limit   *limitTransport
	clients map[string]*Client
}

// New checks the settings; it makes no call.
func New(s Settings) (*App, error) {
	var problems []error
	if s.AppID <= 0 {
		problems = append(problems, errors.New("the App's id is missing"))
	}
	if s.Key == nil {
		problems = append(problems, errors.New("the App's private key is missing"))
	}
	if s.APIURL == "" {
		s.APIURL = PublicAPI
	}
	api, err := url.Parse(strings.TrimRight(s.APIURL, "/") + "/")
	switch {
	case err != nil:
		problems = append(problems, fmt.Errorf("the address of GitHub's API: %w", err))
	case api.Scheme != "https" && api.Scheme != "http", api.Host == "", api.RawQuery != "", api.Fragment != "":
		problems = append(problems, fmt.Errorf("the address of GitHub's API must be like %s, not %q", PublicAPI, s.APIURL))
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	s.Limits = s.Limits.withDefaults()
	if s.Now == nil {
		s.Now = time.Now
	}
	if s.Wait == nil {
		s.Wait = waitFor
	}
	if s.Jitter == nil {
		s.Jitter = rand.Float64
	}
	if s.Metrics == nil {
		s.Metrics = noMetrics{}
	}
	a := &App{settings: s, api: api, installations: map[int64]*installation{}}
	a.base = a.chain(s.HTTPClient)
	a.signer = ghinstallation.NewRSASigner(jwt.SigningMethodRS256, s.Key)
	if a.self, err = a.newSelf(); err != nil {
		return nil, err
	}
	return a, nil
}

// chain builds the layers below authentication, shared by all installations.
func (a *App) chain(lent *http.Client) http.RoundTripper {
	var base http.RoundTripper
	if lent != nil {
		base = lent.Transport
		if base == nil {
			base = http.DefaultTransport
		}
	} else {
		base = defaultTransport()
	}
	s := a.settings
	base = &retryTransport{next: base, attempts: s.Limits.Attempts, jitter: s.Jitter, wait: s.Wait}
	base = &capTransport{next: base, most: s.Limits.ResponseBytes}
	return &shieldTransport{next: base}
}

// newSelf is the client that signs as the App itself.
func (a *App) newSelf() (*Client, error) {
	tr, err := ghinstallation.NewAppsTransportWithOptions(a.base, a.settings.AppID, ghinstallation.WithSigner(a.signer))
	if err != nil {
		return nil, fmt.Errorf("preparing the App's credentials: %w", err)
	}
	limit := a.newLimit()
	limit.next = tr
	return a.newClient(0, limit, limit), nil
}

func (a *App) newLimit() *limitTransport {
	return &limitTransport{
		limiter: newLimiter(a.settings.Limits),
		slots:   make(chan struct{}, a.settings.Limits.Concurrent),
		now:     a.settings.Now,
		wait:    a.settings.Wait,
	}
}

func (a *App) newClient(id int64, limit *limitTransport, rt http.RoundTripper) *Client {
	gh := github.NewClient(&http.Client{Transport: rt, CheckRedirect: sameHostOnly})
	gh.BaseURL = a.api
	gh.UserAgent = "dhibot"
	return &Client{app: a, id: id, gh: gh, limit: limit}
}

// Scope narrows what a token can do, so that a leaked one is worth little.
type Scope struct {
	// Repository is the only repository the token is for; 0 is all of them.
	Repository int64
	// ReadOnly asks for no more than reading.
	ReadOnly bool
}

func (s Scope) key() string { return fmt.Sprintf("%d/%t", s.Repository, s.ReadOnly) }

func (s Scope) options() *github.InstallationTokenOptions {
	// Never nil: ghinstallation would send the body "null".
	o := &github.InstallationTokenOptions{}
	if s.Repository != 0 {
		o.RepositoryIDs = []int64{s.Repository}
	}
	if s.ReadOnly {
		read := "read"
		o.Permissions = &github.InstallationPermissions{Contents: &read, Metadata: &read, PullRequests: &read}
	}
	return o
}

// maxScoped bounds the clients kept per installation; a dropped one costs a
// token when it is asked for again.
const maxScoped = 256

// Installation returns the client of an installation. It is made once and kept;
// no call is made before the first verb.
func (a *App) Installation(id int64) (*Client, error) { return a.Scoped(id, Scope{}) }

// Scoped is Installation with a narrower token. All clients of an installation
// share what is known about its limits.
func (a *App) Scoped(id int64, scope Scope) (*Client, error) {
	if id <= 0 {
		return nil, fmt.Errorf("installation id %d: must be positive", id)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	in := a.installations[id]
	if in == nil {
		in = &installation{limit: a.newLimit(), clients: map[string]*Client{}}
		a.installations[id] = in
	}
	if c := in.clients[scope.key()]; c != nil {
		return c, nil
	}
	auth := &installationAuth{
		base: a.base, signer: a.signer, appID: a.settings.AppID, installation: id,
		apiURL: strings.TrimRight(a.api.String(), "/"), options: scope.options(),
		now: a.settings.Now, gate: make(chan struct{}, 1),
	}
	limit := *in.limit // the same limiter and slots over another token
	limit.next = auth
	c := a.newClient(id, &limit, &limit)
	auth.report = c.reportMint
	if len(in.clients) >= maxScoped {
		for key := range in.clients {
			delete(in.clients, key)
			break
		}
	}
	in.clients[scope.key()] = c
	return c, nil
}

// Forget drops the tokens of an installation: after a 401 that stayed, and on
// every installation event. What is known about its limits is kept, because
// GitHub keeps it too.
func (a *App) Forget(id int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if in := a.installations[id]; in != nil {
		clear(in.clients)
	}
}
