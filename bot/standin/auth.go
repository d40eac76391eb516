package standin

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// actor is who makes a call.
type actor struct {
	app   *App          // set for a JSON web token and for an installation token
	inst  *Installation // set for an installation token
	token *token
	user  *Account // a person
}

// account is whom GitHub names as the author: the App's bot or the person.
func (a actor) account() *Account {
	switch {
	case a.user != nil:
		return a.user
	case a.app != nil:
		return a.app.bot
	}
	return nil
}

// viaApp is the App that acts, nil for a person.
func (a actor) viaApp() *App {
	if a.inst != nil {
		return a.app
	}
	return nil
}

// token is an installation access token or a person's token.
type token struct {
	value       string
	inst        *Installation
	user        *Account
	repos       map[int64]bool // nil: all of the installation
	permissions map[string]string
	expires     time.Time // zero: never
}

func (s *Server) newToken(t *token) *token {
	s.mu.Lock()
	defer s.mu.Unlock()
	prefix := "ghs_"
	if t.user != nil {
		prefix = "ghp_"
	}
	sum := sha256.Sum256(append([]byte(strconv.FormatInt(s.ids.next("token"), 10)), s.secret...))
	t.value = prefix + strings.Map(func(r rune) rune {
		if r == '-' || r == '_' {
			return 'x'
		}
		return r
	}, base64.RawURLEncoding.EncodeToString(sum[:]))[:36]
	s.tokens[t.value] = t
	return t
}

// authenticate reads the Authorization header.
func (s *Server) authenticate(c *call) (actor, error) {
	header := c.r.Header.Get("Authorization")
	if c.route != nil && c.route.auth == authNone {
		return actor{}, nil
	}
	if header == "" {
		return actor{}, nil
	}
	scheme, value, _ := strings.Cut(header, " ")
	value = strings.TrimSpace(value)
	switch strings.ToLower(scheme) {
	case "bearer", "token":
		if strings.Count(value, ".") == 2 {
			return s.checkJWT(value)
		}
		return s.checkToken(value)
	case "basic":
		_, password, ok := c.r.BasicAuth()
		if !ok {
			return actor{}, badCredentials()
		}
		return s.checkToken(password)
	}
	return actor{}, badCredentials()
}

// checkToken resolves a token; one that ran out is as bad as an unknown one.
func (s *Server) checkToken(value string) (actor, error) {
	now := s.opt.now()
	s.mu.RLock()
	defer s.mu.RUnlock()
	t := s.tokens[value]
	switch {
	case t == nil, !t.expires.IsZero() && !now.Before(t.expires):
		return actor{}, badCredentials()
	case t.user != nil:
		return actor{user: t.user, token: t}, nil
	case t.inst.deleted:
		return actor{}, badCredentials()
	}
	who := actor{app: t.inst.app, inst: t.inst, token: t}
	if t.inst.suspendedAt != nil {
		return who, suspended()
	}
	return who, nil
}

// suspended is the answer to every call of a suspended installation.
// https://docs.github.com/apps/maintaining-github-apps/suspending-a-github-app-installation
func suspended() *apiError {
	return &apiError{status: http.StatusForbidden, message: "This installation has been suspended",
		doc: docRoot + "/reference/apps#create-an-installation-access-token-for-an-app"}
}

// claims are the three a GitHub App's JSON web token has. iss may be a number
// or a string.
type claims struct {
	Issued  *json.Number    `json:"iat"`
	Expires *json.Number    `json:"exp"`
	Issuer  json.RawMessage `json:"iss"`
}

// checkJWT applies the rules of
// https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
func (s *Server) checkJWT(value string) (actor, error) {
	undecodable := func() (actor, error) {
		return actor{}, &apiError{status: http.StatusUnauthorized, message: "A JSON web token could not be decoded", doc: docRoot}
	}
	refuse := func(message string) (actor, error) {
		return actor{}, &apiError{status: http.StatusUnauthorized, message: message, doc: docRoot}
	}
	parts := strings.Split(value, ".")
	var head struct {
		Alg string `json:"alg"`
	}
	var cl claims
	if !decodeSegment(parts[0], &head) || !decodeSegment(parts[1], &cl) || head.Alg != "RS256" {
		return undecodable()
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return undecodable()
	}
	id, err := strconv.ParseInt(strings.Trim(string(cl.Issuer), `"`), 10, 64)
	if err != nil {
		return refuse("'Issuer' claim ('iss') must be an Integer")
	}
	s.mu.RLock()
	app := s.apps[id]
	s.mu.RUnlock()
	if app == nil {
		return actor{}, &apiError{status: http.StatusNotFound, message: "Integration not found", doc: docRoot}
	}
	if !app.verifies(parts[0]+"."+parts[1], signature) {
		return undecodable()
	}
	now := s.opt.jwtNow().Unix()
	issued, okIssued := integer(cl.Issued)
	expires, okExpires := integer(cl.Expires)
	switch {
	case !okExpires || expires <= now:
		return refuse("'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires")
	case expires > now+600:
		return refuse("'Expiration time' claim ('exp') is too far in the future")
	case !okIssued || issued > now:
		return refuse("'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued")
	}
	return actor{app: app}, nil
}

func integer(n *json.Number) (int64, bool) {
	if n == nil {
		return 0, false
	}
	if i, err := n.Int64(); err == nil {
		return i, true
	}
	f, err := n.Float64()
	return int64(f), err == nil
}

func decodeSegment(s string, into any) bool {
	b, err := base64.RawURLEncoding.DecodeString(s)
	return err == nil && json.Unmarshal(b, into) == nil
}

// verifies checks an RS256 signature with any of the App's public keys.
func (a *App) verifies(signed string, signature []byte) bool {
	sum := sha256.Sum256([]byte(signed))
	a.s.mu.RLock()
	defer a.s.mu.RUnlock()
	for _, k := range a.keys {
		if rsa.VerifyPKCS1v15(k, crypto.SHA256, sum[:], signature) == nil {
			return true
		}
	}
	return false
}

// authorise checks the kind of credentials the route takes.
func (c *call) authorise() error {
	switch c.route.auth {
	case authApp:
		switch {
		case c.who.app != nil && c.who.inst == nil:
			return nil
		case c.who.account() != nil:
			return &apiError{status: http.StatusUnauthorized, message: "A JSON web token could not be decoded", doc: docRoot}
		}
		return &apiError{status: http.StatusUnauthorized, message: "A JSON web token could not be decoded", doc: docRoot}
	case authInstallation:
		if c.who.inst == nil {
			return fail(http.StatusForbidden, "You must authenticate with an installation access token in order to list repositories for an installation.")
		}
	case authAny:
		// A JSON web token opens only the App's own endpoints.
		if c.who.app != nil && c.who.inst == nil {
			return &apiError{status: http.StatusUnauthorized, message: "Bad credentials", doc: docRoot}
		}
	case authNone:
	}
	return nil
}

// sees reports whether the repository exists for this actor at all.
func (a actor) sees(r *Repository) bool {
	switch {
	case a.inst != nil:
		return a.covers(r) || !r.private
	case a.user != nil:
		return !r.private || r.levelOf(a.user) > levelNone
	case a.app != nil:
		for _, i := range a.app.s.installationsOf(a.app) {
			if i.includes(r) {
				return true
			}
		}
	}
	return !r.private
}

// covers reports whether the token reaches the repository with permissions.
func (a actor) covers(r *Repository) bool {
	if a.inst == nil || !a.inst.includes(r) {
		return false
	}
	return a.token.repos == nil || a.token.repos[r.id]
}

// grants reports whether a permission of the token is at least the wanted one.
func (t *token) grants(need string) bool {
	name, want, _ := strings.Cut(need, ":")
	return rank(t.permissions[name]) >= rank(want)
}

func rank(level string) int {
	switch level {
	case "read":
		return 1
	case "write":
		return 2
	case "admin":
		return 3
	}
	return 0
}

// permit checks the route's permission on the call's repository.
func (c *call) permit() error { return c.permitFor(c.route.needs, c.route.level) }

func (c *call) permitFor(needs, level string) error {
	reading := c.r.Method == http.MethodGet || c.r.Method == http.MethodHead
	switch {
	case c.who.inst != nil:
		if !c.who.covers(c.repo) {
			if reading && !c.repo.private {
				return nil // public repositories are readable for everyone
			}
			return notAccessible()
		}
		if needs == "" {
			return nil
		}
		for need := range strings.SplitSeq(needs, "|") {
			if c.who.token.grants(need) {
				return nil
			}
		}
		c.header.Set("X-Accepted-GitHub-Permissions", strings.ReplaceAll(strings.ReplaceAll(needs, ":", "="), "|", "; "))
		return notAccessible()
	case c.who.user != nil:
		want := parseLevel(level)
		if want == levelNone {
			want = levelRead
		}
		if c.repo.levelOf(c.who.user) >= want || want == levelRead && !c.repo.private {
			return nil
		}
		if want >= levelWrite && !reading {
			// GitHub hides what one may not do: 404 for writes without access,
			// 403 where reading is allowed.
			return fail(http.StatusForbidden, "Resource not accessible by personal access token")
		}
		return notFound()
	}
	if reading {
		return nil
	}
	return &apiError{status: http.StatusUnauthorized, message: "Requires authentication"}
}
