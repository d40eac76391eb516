package standin

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"sync/atomic"
	"time"
)

const (
	typeUser         = "User"
	typeOrganization = "Organization"
	typeBot          = "Bot"
)

// Account is a person, an organisation or an App's bot.
type Account struct {
	s       *Server
	id      int64
	kind    string
	login   atomic.Pointer[string] // changes when it is renamed
	created time.Time
	members map[*Account]string // of an organisation: "admin" or "member"; under Server.mu
	owned   int                 // repositories; under Server.mu
}

// ID is the numeric id.
func (a *Account) ID() int64 { return a.id }

// Login is the current name.
func (a *Account) Login() string { return *a.login.Load() }

// Token makes a token that acts as this person, for clients and for git. It
// never runs out.
func (a *Account) Token() string { return a.s.newToken(&token{user: a}).value }

// email is the no-reply address GitHub uses for commits made in its web pages.
func (a *Account) email() string {
	return fmt.Sprintf("%d+%s@users.noreply.github.com", a.id, a.Login())
}

// AddUser adds a person; one that exists is returned as it is.
func (s *Server) AddUser(login string) *Account { return s.addAccount(login, typeUser) }

// AddOrganization adds an organisation; one that exists is returned as it is.
func (s *Server) AddOrganization(login string) *Account {
	return s.addAccount(login, typeOrganization)
}

// AddMember puts a person into an organisation. Owners have admin permission
// on all of its repositories, members read.
func (s *Server) AddMember(org, login string, owner bool) {
	o, u := s.AddOrganization(org), s.AddUser(login)
	s.mu.Lock()
	defer s.mu.Unlock()
	if o.members == nil {
		o.members = map[*Account]string{}
	}
	o.members[u] = "member"
	if owner {
		o.members[u] = "admin"
	}
}

// Account returns the account with this login, nil without one.
func (s *Server) Account(login string) *Account {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.accounts[strings.ToLower(login)]
}

func (s *Server) addAccount(login, kind string) *Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.accounts[strings.ToLower(login)]; a != nil {
		return a
	}
	a := &Account{s: s, id: s.ids.next("account"), kind: kind, created: s.now()}
	a.login.Store(&login)
	s.accounts[strings.ToLower(login)] = a
	s.accountByID[a.id] = a
	return a
}

// nodeID is the opaque global id GraphQL takes: a prefix for the kind and the
// number, not to be read by clients.
func nodeID(prefix string, n int64) string {
	var b [9]byte
	b[0] = 0x92
	binary.BigEndian.PutUint64(b[1:], uint64(n))
	return prefix + "_kgDO" + base64.RawURLEncoding.EncodeToString(b[:])
}

// parseNodeID is the inverse of nodeID.
func parseNodeID(id string) (prefix string, n int64, ok bool) {
	prefix, rest, found := strings.Cut(id, "_kgDO")
	b, err := base64.RawURLEncoding.DecodeString(rest)
	if !found || err != nil || len(b) != 9 {
		return "", 0, false
	}
	return prefix, int64(binary.BigEndian.Uint64(b[1:])), true
}

// stamp is how the API writes a time.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// stampOrNil is null for a time that has not come.
func stampOrNil(t *time.Time) any {
	if t == nil || t.IsZero() {
		return nil
	}
	return stamp(*t)
}

// userOrNil renders an account, null for nobody.
func (s *Server) userOrNil(a *Account) any {
	if a == nil {
		return nil
	}
	return s.userObject(a)
}

// userObject is the schema "simple-user".
func (s *Server) userObject(a *Account) object {
	login := a.Login()
	api, html := s.api()+"/users/"+login, s.URL()+"/"+login
	prefix := map[string]string{typeUser: "U", typeOrganization: "O", typeBot: "BOT"}[a.kind]
	if a.kind == typeBot {
		html = s.URL() + "/apps/" + strings.TrimSuffix(login, "[bot]")
		api = s.api() + "/users/" + strings.ReplaceAll(strings.ReplaceAll(login, "[", "%5B"), "]", "%5D")
	}
	return object{
		"login": login, "id": a.id, "node_id": nodeID(prefix, a.id), "type": a.kind, "site_admin": false,
		"user_view_type": "public",
		"avatar_url":     fmt.Sprintf("%s/_standin/avatar/%d", s.URL(), a.id), "gravatar_id": "",
		"url": api, "html_url": html,
		"followers_url": api + "/followers", "following_url": api + "/following{/other_user}",
		"gists_url": api + "/gists{/gist_id}", "starred_url": api + "/starred{/owner}{/repo}",
		"subscriptions_url": api + "/subscriptions", "organizations_url": api + "/orgs",
		"repos_url": api + "/repos", "events_url": api + "/events{/privacy}",
		"received_events_url": api + "/received_events",
	}
}

// organizationObject is the schema "organization-simple-webhooks".
func (s *Server) organizationObject(a *Account) object {
	api := s.api() + "/orgs/" + a.Login()
	return object{
		"login": a.Login(), "id": a.id, "node_id": nodeID("O", a.id), "url": api,
		"repos_url": api + "/repos", "events_url": api + "/events", "hooks_url": api + "/hooks",
		"issues_url": api + "/issues", "members_url": api + "/members{/member}",
		"public_members_url": api + "/public_members{/member}",
		"avatar_url":         fmt.Sprintf("%s/_standin/avatar/%d", s.URL(), a.id), "description": "",
	}
}
