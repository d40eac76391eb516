package standin

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// AppConfig describes a GitHub App.
type AppConfig struct {
	ID          int64             // 0: the next free one
	Slug        string            // "dhibot"; its bot is "dhibot[bot]"
	Name        string            // default: Slug
	Owner       string            // login; default "standin-owner", added when missing
	Description string            //
	Permissions map[string]string // "contents": "write"; "metadata": "read" is always there
	Events      []string          // "push", "issue_comment" …
	Key         *rsa.PrivateKey   // nil: one is generated
	WebhookURL  string            // "": deliveries are logged, nothing is sent
	Secret      string            // of the webhook; "": deliveries are not signed
}

// App is a GitHub App. Its fields are guarded by Server.mu.
type App struct {
	s           *Server
	id          int64
	slug, name  string
	description string
	owner, bot  *Account
	key         *rsa.PrivateKey
	keys        []*rsa.PublicKey
	permissions map[string]string
	events      []string
	hookURL     string
	secret      string
	clientID    string
	created     time.Time
	updated     time.Time
}

// Installation is an App on an account. Its fields are guarded by Server.mu.
type Installation struct {
	s           *Server
	id          int64
	app         *App
	account     *Account
	repos       map[int64]bool // nil: all repositories of the account
	permissions map[string]string
	events      []string
	suspendedAt *time.Time
	suspendedBy *Account
	deleted     bool
	created     time.Time
	updated     time.Time
}

// GenerateKey makes a private key as the "Generate a private key" button does.
func GenerateKey() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) }

// AddApp registers an App.
func (s *Server) AddApp(cfg AppConfig) (*App, error) {
	if cfg.Slug == "" {
		return nil, errors.New("an App needs a slug")
	}
	if cfg.Key == nil {
		key, err := GenerateKey()
		if err != nil {
			return nil, fmt.Errorf("generate the App's key: %w", err)
		}
		cfg.Key = key
	}
	if cfg.Owner == "" {
		cfg.Owner = "standin-owner"
	}
	if cfg.Name == "" {
		cfg.Name = cfg.Slug
	}
	owner := s.AddUser(cfg.Owner)
	bot := s.addAccount(cfg.Slug+"[bot]", typeBot)
	perms := maps.Clone(cfg.Permissions)
	if perms == nil {
		perms = map[string]string{}
	}
	perms["metadata"] = "read"
	if cfg.ID == 0 {
		cfg.ID = s.ids.next("app")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.apps[cfg.ID] != nil {
		return nil, fmt.Errorf("App %d exists already", cfg.ID)
	}
	a := &App{
		s: s, id: cfg.ID, slug: cfg.Slug, name: cfg.Name, description: cfg.Description, owner: owner, bot: bot,
		key: cfg.Key, keys: []*rsa.PublicKey{&cfg.Key.PublicKey}, permissions: perms, events: slices.Clone(cfg.Events),
		hookURL: cfg.WebhookURL, secret: cfg.Secret, clientID: fmt.Sprintf("Iv1.%016x", cfg.ID),
		created: s.now(), updated: s.now(),
	}
	s.apps[a.id] = a
	return a, nil
}

// ID is the App id.
func (a *App) ID() int64 { return a.id }

// Bot is the account the App acts as.
func (a *App) Bot() *Account { return a.bot }

// Key is the App's private key.
func (a *App) Key() *rsa.PrivateKey { return a.key }

// PrivateKeyPEM is the key as GitHub's download has it (PKCS#1).
func (a *App) PrivateKeyPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(a.key)})
}

// AddKey registers a second public key, as while keys are rotated.
func (a *App) AddKey(k *rsa.PublicKey) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	a.keys = append(a.keys, k)
}

// RemoveKeys revokes all keys but the given ones.
func (a *App) RemoveKeys(keep ...*rsa.PublicKey) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	a.keys = keep
}

// SetWebhook sets where deliveries go and the secret they are signed with.
func (a *App) SetWebhook(url, secret string) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	a.hookURL, a.secret = url, secret
}

// Install puts the App on an account, with all permissions it asks for, and
// sends the installation event. Without repositories ("shop" or "acme/shop")
// it is installed on all of the account, those to come included.
func (a *App) Install(account string, repositories ...string) (*Installation, error) {
	return a.InstallWith(account, nil, repositories...)
}

// InstallWith is Install with other permissions than the App asks for (nil for
// the same), as when an owner has not accepted new ones yet.
func (a *App) InstallWith(account string, permissions map[string]string, repositories ...string) (*Installation, error) {
	s := a.s
	acc := s.Account(account)
	if acc == nil {
		return nil, fmt.Errorf("install on %s: no such account", account)
	}
	i := &Installation{s: s, id: s.ids.next("installation"), app: a, account: acc, created: s.now(), updated: s.now()}
	if len(repositories) > 0 {
		i.repos = map[int64]bool{}
		for _, name := range repositories {
			r := s.Repository(fullName(account, name))
			if r == nil {
				return nil, fmt.Errorf("install on %s: no repository %s", account, name)
			}
			i.repos[r.id] = true
		}
	}
	s.mu.Lock()
	for _, other := range s.installations {
		if other.app == a && other.account == acc && !other.deleted {
			s.mu.Unlock()
			return nil, fmt.Errorf("install on %s: installed already", account)
		}
	}
	i.permissions, i.events = maps.Clone(a.permissions), slices.Clone(a.events)
	if permissions != nil {
		i.permissions = maps.Clone(permissions)
		i.permissions["metadata"] = "read"
	}
	s.installations[i.id] = i
	s.mu.Unlock()
	s.emitInstallation(i, "installation", "created", object{"repositories": i.repositoryStubs(), "requester": nil})
	return i, nil
}

func fullName(owner, name string) string {
	if strings.Contains(name, "/") {
		return name
	}
	return owner + "/" + name
}

// ID is the installation id.
func (i *Installation) ID() int64 { return i.id }

// includes reports whether the installation reaches a repository. The caller
// holds Repository.mu or not, but never Server.mu.
func (i *Installation) includes(r *Repository) bool {
	i.s.mu.RLock()
	defer i.s.mu.RUnlock()
	return i.includesLocked(r)
}

func (i *Installation) includesLocked(r *Repository) bool {
	if i.deleted || r.owner != i.account {
		return false
	}
	return i.repos == nil || i.repos[r.id]
}

// repositories lists what the installation reaches, in order of creation.
func (i *Installation) repositories() []*Repository {
	i.s.mu.RLock()
	defer i.s.mu.RUnlock()
	var out []*Repository
	for _, r := range i.s.repoOrder {
		if i.includesLocked(r) && i.s.repoByID[r.id] == r {
			out = append(out, r)
		}
	}
	return out
}

// repositoryStubs is the short list of the installation events.
func (i *Installation) repositoryStubs() []object {
	return mapped(i.repositories(), func(r *Repository) object { return r.stub() })
}

// Token mints an access token without going through the API.
func (i *Installation) Token() string {
	i.s.mu.RLock()
	perms := maps.Clone(i.permissions)
	i.s.mu.RUnlock()
	return i.s.newToken(&token{inst: i, permissions: perms, expires: i.s.now().Add(tokenLife)}).value
}

// tokenLife is how long an installation access token lives.
// https://docs.github.com/rest/apps/apps#create-an-installation-access-token-for-an-app
const tokenLife = time.Hour

// ExpireTokens makes every installation access token minted so far run out now,
// as if an hour had passed since.
func (s *Server) ExpireTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.tokens {
		if t.inst != nil {
			t.expires = s.opt.now().Add(-time.Second)
		}
	}
}

// Suspend and Unsuspend are the buttons of the account's owner.
func (i *Installation) Suspend() {
	i.s.mu.Lock()
	now := i.s.now()
	i.suspendedAt, i.suspendedBy, i.updated = &now, i.app.owner, now
	i.s.mu.Unlock()
	i.s.emitInstallation(i, "installation", "suspend", object{"repositories": i.repositoryStubs()})
}

// Unsuspend lets a suspended installation work again.
func (i *Installation) Unsuspend() {
	i.s.mu.Lock()
	i.suspendedAt, i.suspendedBy, i.updated = nil, nil, i.s.now()
	i.s.mu.Unlock()
	i.s.emitInstallation(i, "installation", "unsuspend", object{"repositories": i.repositoryStubs()})
}

// Uninstall removes the App from the account; its tokens stop working.
func (i *Installation) Uninstall() {
	stubs := i.repositoryStubs()
	i.s.mu.Lock()
	i.deleted = true
	i.s.mu.Unlock()
	i.s.emitInstallation(i, "installation", "deleted", object{"repositories": stubs})
}

// SetPermissions is the owner accepting other permissions.
func (i *Installation) SetPermissions(p map[string]string) {
	i.s.mu.Lock()
	i.permissions = maps.Clone(p)
	i.permissions["metadata"] = "read"
	i.updated = i.s.now()
	i.s.mu.Unlock()
	i.s.emitInstallation(i, "installation", "new_permissions_accepted", object{"repositories": i.repositoryStubs()})
}

// AddRepository puts a repository of the account into a selected installation.
func (i *Installation) AddRepository(name string) error { return i.selectRepository(name, true) }

// RemoveRepository takes a repository out of the installation; one on all
// repositories becomes one on selected ones.
func (i *Installation) RemoveRepository(name string) error { return i.selectRepository(name, false) }

func (i *Installation) selectRepository(name string, in bool) error {
	r := i.s.Repository(fullName(i.account.Login(), name))
	if r == nil {
		return fmt.Errorf("no repository %s", name)
	}
	before := i.repositories()
	i.s.mu.Lock()
	if i.repos == nil {
		i.repos = map[int64]bool{}
		for _, b := range before {
			i.repos[b.id] = true
		}
	}
	i.repos[r.id] = in
	if !in {
		delete(i.repos, r.id)
	}
	i.updated = i.s.now()
	i.s.mu.Unlock()
	action, added, removed := "added", []object{r.stub()}, []object{}
	if !in {
		action, added, removed = "removed", removed, added
	}
	i.s.emitInstallation(i, "installation_repositories", action, object{
		"repositories_added": added, "repositories_removed": removed, "requester": nil,
	})
	return nil
}

// appObject is the schema "integration".
func (s *Server) appObject(a *App) object {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.appObjectLocked(a)
}

func (s *Server) appObjectLocked(a *App) object {
	return object{
		"id": a.id, "slug": a.slug, "node_id": nodeID("A", a.id), "client_id": a.clientID,
		"owner": s.userObject(a.owner), "name": a.name, "description": a.description,
		"external_url": s.URL() + "/apps/" + a.slug, "html_url": s.URL() + "/apps/" + a.slug,
		"created_at": stamp(a.created), "updated_at": stamp(a.updated),
		"permissions": maps.Clone(a.permissions), "events": nonNil(a.events),
	}
}

func (s *Server) appOrNil(a *App) any {
	if a == nil {
		return nil
	}
	return s.appObject(a)
}

func nonNil(list []string) []string {
	if list == nil {
		return []string{}
	}
	return slices.Clone(list)
}

// installationObject is the schema "installation".
func (s *Server) installationObject(i *Installation) object {
	s.mu.RLock()
	defer s.mu.RUnlock()
	selection := "all"
	if i.repos != nil {
		selection = "selected"
	}
	html := s.URL() + "/settings/installations/"
	if i.account.kind == typeOrganization {
		html = fmt.Sprintf("%s/organizations/%s/settings/installations/", s.URL(), i.account.Login())
	}
	return object{
		"id": i.id, "node_id": nodeID("I", i.id), "account": s.userObject(i.account), "client_id": i.app.clientID,
		"repository_selection": selection, "app_id": i.app.id, "app_slug": i.app.slug,
		"access_tokens_url": fmt.Sprintf("%s/app/installations/%d/access_tokens", s.api(), i.id),
		"repositories_url":  s.api() + "/installation/repositories", "html_url": fmt.Sprint(html, i.id),
		"target_id": i.account.id, "target_type": i.account.kind,
		"permissions": maps.Clone(i.permissions), "events": nonNil(i.events),
		"created_at": stamp(i.created), "updated_at": stamp(i.updated),
		"single_file_name": nil, "has_multiple_single_files": false, "single_file_paths": []string{},
		"suspended_by": s.userOrNil(i.suspendedBy), "suspended_at": stampOrNil(i.suspendedAt),
	}
}
