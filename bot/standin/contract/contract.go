// Package contract checks calls and webhooks against GitHub's own OpenAPI
// description. It is for tests: of the stand-in, whose answers must be those
// GitHub documents, and of clients, whose requests must be.
//
// A test takes one [Spec] and hands it every exchange:
//
//	spec, err := contract.Load()
//	gh, err := standin.New(
//		standin.WithObserver(func(e standin.Exchange) { report(spec.CheckCall(contract.Call(…))) }),
//		standin.WithDeliveryObserver(func(d standin.Delivery) { report(spec.CheckWebhook(d.Event, d.Body)) }))
//
// What the description itself gets wrong is listed in known.go, with a reason
// for each entry.
package contract

import (
	"bytes"
	"compress/gzip"
	"context"
	_ "embed" // the description
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

//go:embed testdata/github-openapi.json.gz
var description []byte

// Spec is the loaded description. It is safe for concurrent use.
type Spec struct {
	doc    *openapi3.T
	routes []specRoute

	mu   sync.Mutex
	used map[string]int // known errors that were met
	seen map[string]int // operations that were called
}

type specRoute struct {
	pattern  string
	match    *regexp.Regexp
	names    []string
	literals int
	item     *openapi3.PathItem
}

// Call is one finished API call. Path has no "/api/v3" prefix and no query.
type Call struct {
	Method       string
	Path         string
	Query        string
	Request      http.Header
	RequestBody  []byte
	Status       int
	Response     http.Header
	ResponseBody []byte
}

// webhookPrefix is where webhooks are put among the paths, so that one loader
// resolves all references.
const webhookPrefix = "/_webhook/"

// Load reads the description; it takes about a third of a second, so tests
// share one Spec: see [Shared].
func Load() (*Spec, error) {
	z, err := gzip.NewReader(bytes.NewReader(description))
	if err != nil {
		return nil, fmt.Errorf("OpenAPI description: %w", err)
	}
	raw, err := io.ReadAll(z)
	if err != nil {
		return nil, fmt.Errorf("OpenAPI description: %w", err)
	}
	var top map[string]json.RawMessage
	if err := json.Unmarshal(raw, &top); err != nil {
		return nil, fmt.Errorf("OpenAPI description: %w", err)
	}
	var paths, hooks map[string]json.RawMessage
	if err := errors.Join(json.Unmarshal(top["paths"], &paths), json.Unmarshal(top["x-webhooks"], &hooks)); err != nil {
		return nil, fmt.Errorf("OpenAPI description: %w", err)
	}
	for name, item := range hooks {
		paths[webhookPrefix+name] = item
	}
	delete(top, "x-webhooks")
	if top["paths"], err = json.Marshal(paths); err != nil {
		return nil, fmt.Errorf("OpenAPI description: %w", err)
	}
	if raw, err = json.Marshal(top); err != nil {
		return nil, fmt.Errorf("OpenAPI description: %w", err)
	}
	doc, err := openapi3.NewLoader().LoadFromData(raw)
	if err != nil {
		return nil, fmt.Errorf("OpenAPI description: %w", err)
	}
	s := &Spec{doc: doc, used: map[string]int{}, seen: map[string]int{}}
	for pattern, item := range doc.Paths.Map() {
		if !strings.HasPrefix(pattern, webhookPrefix) {
			s.routes = append(s.routes, compile(pattern, item))
		}
	}
	sort.Slice(s.routes, func(i, j int) bool { return s.routes[i].literals > s.routes[j].literals })
	return s, nil
}

// Shared loads the description once for the whole test binary.
func Shared() (*Spec, error) { return shared() }

var shared = sync.OnceValues(Load)

var parameter = regexp.MustCompile(`\{[^}]+\}`)

// compile lets the parameters that are names of branches or paths span
// slashes, which OpenAPI cannot say.
func compile(pattern string, item *openapi3.PathItem) specRoute {
	r := specRoute{pattern: pattern, item: item}
	var b strings.Builder
	b.WriteString("^")
	at := 0
	for _, m := range parameter.FindAllStringIndex(pattern, -1) {
		b.WriteString(regexp.QuoteMeta(pattern[at:m[0]]))
		name := pattern[m[0]+1 : m[1]-1]
		r.names = append(r.names, name)
		switch name {
		case "ref", "path", "basehead", "branch", "tree_sha", "base", "head":
			b.WriteString("(.+)")
		default:
			b.WriteString("([^/]+)")
		}
		at = m[1]
	}
	b.WriteString(regexp.QuoteMeta(pattern[at:]) + "$")
	r.match = regexp.MustCompile(b.String())
	r.literals = len(parameter.ReplaceAllString(pattern, ""))
	return r
}

// find returns the operation of a call and its parameters.
func (s *Spec) find(method, path string) (*routers.Route, map[string]string) {
	for _, r := range s.routes {
		m := r.match.FindStringSubmatch(path)
		if m == nil || r.item.GetOperation(method) == nil {
			continue
		}
		params := map[string]string{}
		for i, n := range r.names {
			if v, err := url.PathUnescape(m[i+1]); err == nil {
				params[n] = v
			}
		}
		return &routers.Route{Spec: s.doc, Path: r.pattern, PathItem: r.item, Method: method, Operation: r.item.GetOperation(method)}, params
	}
	return nil, nil
}

// ErrUndocumented is returned for a call of an operation that the pruned
// description does not have.
var ErrUndocumented = errors.New("not in the description")

// CheckCall validates request and answer. A refused request (4xx) is not held
// against the schema of requests: refusing it was right.
func (s *Spec) CheckCall(c Call) error {
	if c.Method == http.MethodHead {
		return nil
	}
	route, params := s.find(c.Method, c.Path)
	if route == nil {
		if outside(c.Method, c.Path) {
			return nil
		}
		return fmt.Errorf("%s %s: %w", c.Method, c.Path, ErrUndocumented)
	}
	where := c.Method + " " + route.Path
	s.mu.Lock()
	s.seen[where]++
	s.mu.Unlock()
	req, err := http.NewRequest(c.Method, "https://api.github.com"+(&url.URL{Path: c.Path, RawQuery: c.Query}).String(), bytes.NewReader(c.RequestBody))
	if err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	req.Header = c.Request.Clone()
	if req.Header == nil {
		req.Header = http.Header{}
	}
	if len(c.RequestBody) > 0 {
		// go-github and people send JSON without always saying so.
		req.Header.Set("Content-Type", "application/json")
	}
	in := &openapi3filter.RequestValidationInput{
		Request: req, PathParams: params, QueryParams: req.URL.Query(), Route: route,
		Options: &openapi3filter.Options{MultiError: true, IncludeResponseStatus: true, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, SkipSettingDefaults: true},
	}
	var errs []error
	if c.Status < 400 {
		errs = append(errs, s.filter(where, 0, openapi3filter.ValidateRequest(context.Background(), in)))
	}
	errs = append(errs, s.filter(where, c.Status, s.checkAnswer(in, c)))
	return errors.Join(errs...)
}

func (s *Spec) checkAnswer(in *openapi3filter.RequestValidationInput, c Call) error {
	if c.Status == http.StatusNotModified {
		return nil // has no body and no type
	}
	mediaType := c.Response.Get("Content-Type")
	// A file may be empty, and is of its own type all the same.
	if !strings.HasPrefix(mediaType, "application/json") && c.Status < 300 && (len(c.ResponseBody) > 0 || mediaType != "") {
		return errors.New("media type " + mediaType)
	}
	out := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: c.Status, Header: c.Response,
		Body: io.NopCloser(bytes.NewReader(c.ResponseBody)), Options: in.Options,
	}
	return openapi3filter.ValidateResponse(context.Background(), out)
}

// CheckWebhook validates a payload as event and its action say.
func (s *Spec) CheckWebhook(event string, body []byte) error {
	var head struct {
		Action string `json:"action"`
	}
	var payload any
	if err := errors.Join(json.Unmarshal(body, &head), json.Unmarshal(body, &payload)); err != nil {
		return fmt.Errorf("webhook %s: %w", event, err)
	}
	name := strings.ReplaceAll(event, "_", "-")
	if head.Action != "" {
		name += "-" + strings.ReplaceAll(head.Action, "_", "-")
	}
	item := s.doc.Paths.Value(webhookPrefix + name)
	if item == nil {
		if outsideWebhook(name) {
			return nil
		}
		return fmt.Errorf("webhook %s: %w", name, ErrUndocumented)
	}
	where := "webhook " + name
	s.mu.Lock()
	s.seen[where]++
	s.mu.Unlock()
	media := item.Post.RequestBody.Value.Content.Get("application/json")
	return s.filter(where, 0, media.Schema.Value.VisitJSON(payload, openapi3.MultiErrors(), openapi3.VisitAsRequest()))
}

// filter drops the known errors of the description and words the rest.
func (s *Spec) filter(where string, status int, err error) error {
	if err == nil {
		return nil
	}
	var left []error
	for _, e := range flatten(err) {
		text := e.Error()
		if k := knownError(where, status, text); k != "" {
			s.mu.Lock()
			s.used[k]++
			s.mu.Unlock()
			continue
		}
		what := where
		if status != 0 {
			what += " " + strconv.Itoa(status)
		}
		left = append(left, fmt.Errorf("%s: %s", what, shorten(text)))
	}
	return errors.Join(left...)
}

// flatten takes a tree of errors apart, so that each is judged alone.
func flatten(err error) []error {
	var multi openapi3.MultiError
	var reqErr *openapi3filter.RequestError
	var respErr *openapi3filter.ResponseError
	switch {
	case errors.As(err, &respErr) && respErr.Err != nil:
		return flatten(respErr.Err)
	case errors.As(err, &reqErr) && reqErr.Err != nil:
		return flatten(reqErr.Err)
	case errors.As(err, &multi):
		var out []error
		for _, e := range multi {
			out = append(out, flatten(e)...)
		}
		return out
	}
	return []error{err}
}

func shorten(s string) string {
	// A schema error quotes schema and value; the first lines say what is wrong.
	head, _, _ := strings.Cut(s, "\nSchema:")
	if value, ok := cutAfter(s, "\nValue:"); ok {
		value = strings.Join(strings.Fields(value), " ")
		head += " (value " + value[:min(len(value), 120)] + ")"
	}
	return head
}

func cutAfter(s, sep string) (string, bool) {
	_, after, ok := strings.Cut(s, sep)
	return after, ok
}

// Seen lists the operations and webhooks that were checked, with how often.
func (s *Spec) Seen() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]int{}
	for k, v := range s.seen {
		out[k] = v
	}
	return out
}

// Documents reports whether an endpoint, as "METHOD /pattern", is part of the
// description. Names of parameters do not matter.
func (s *Spec) Documents(endpoint string) bool {
	method, pattern, _ := strings.Cut(endpoint, " ")
	want := parameter.ReplaceAllString(pattern, "{}")
	for _, r := range s.routes {
		if parameter.ReplaceAllString(r.pattern, "{}") == want && r.item.GetOperation(method) != nil {
			return true
		}
	}
	return false
}

// Unused lists the known errors of the description that no call has met: they
// may have been repaired.
func (s *Spec) Unused() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, k := range knownErrors() {
		if s.used[k.key()] == 0 {
			out = append(out, "known error not met: "+k.key())
		}
	}
	return out
}
