package standin

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxBody bounds what a client may send to the API: GitHub refuses blobs over
// 100 MB; trees with that much inline are not worth more memory here.
const maxBody = 100 << 20

// call is one API request on its way through.
type call struct {
	s      *Server
	r      *http.Request
	route  *route
	params map[string]string
	who    actor
	repo   *Repository // locked while the handler runs; nil outside /repos
	body   []byte
	prefix string // "/api/v3" or ""

	status int
	header http.Header
	out    []byte
}

// ServeHTTP answers API calls, git clients and browsers.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.base.Load() == nil {
		scheme := "http"
		if r.TLS != nil {
			scheme = "https"
		}
		s.SetBaseURL(scheme + "://" + r.Host)
	}
	path := r.URL.EscapedPath()
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch {
	case path == "/api/graphql" || path == "/graphql":
		s.serveAPI(w, r, "", "/graphql")
	case path == "/api/v3" || strings.HasPrefix(path, "/api/v3/"):
		s.serveAPI(w, r, "/api/v3", strings.TrimPrefix(path, "/api/v3"))
	case first == "_standin":
		s.serveControl(w, r)
	case reserved(first):
		s.serveAPI(w, r, "", path)
	case path == "/" && !strings.Contains(r.Header.Get("Accept"), "text/html"):
		s.serveAPI(w, r, "", "/")
	case isGitPath(path):
		s.serveGit(w, r)
	default:
		s.servePage(w, r)
	}
}

// serveAPI runs one REST or GraphQL call and writes its answer.
func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request, prefix, path string) {
	c := &call{s: s, r: r, prefix: prefix, header: http.Header{}, status: http.StatusOK}
	s.wait(r)
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if !errors.As(err, &tooLarge) {
			return // the client went away
		}
		c.fail(fail(http.StatusRequestEntityTooLarge, "Request Entity Too Large"))
		c.finish(w, path)
		return
	}
	c.body = body
	c.route, c.params = s.routes.find(r.Method, s.numbered(path))
	if path == "/graphql" {
		c.route = &route{method: http.MethodPost, pattern: "/graphql", do: serveGraphQL, doc: "https://docs.github.com/graphql"}
	}
	if s.faults.breaks(c) {
		panic(http.ErrAbortHandler) // net/http closes the connection
	}
	if err := c.run(); err != nil {
		c.fail(err)
	}
	c.finish(w, path)
}

// run authenticates, counts, finds the repository, checks the permission and
// hands over to the route.
func (c *call) run() error {
	who, err := c.s.authenticate(c)
	c.who = who
	if err == nil && c.route == nil {
		err = notFound()
	}
	// The limit is counted even for calls that fail: GitHub does.
	if lerr := c.s.limits.count(c); lerr != nil {
		return c.asGraphQL(lerr)
	}
	if err != nil {
		return err
	}
	leave, lerr := c.s.limits.enter(c)
	defer leave()
	if lerr != nil {
		return c.asGraphQL(lerr)
	}
	if ferr := c.s.faults.fails(c); ferr != nil {
		return c.asGraphQL(ferr)
	}
	if err := c.authorise(); err != nil {
		return err
	}
	if strings.HasPrefix(c.route.pattern, "/repos/{owner}/{repo}") {
		return c.withRepository(c.route.do)
	}
	return c.route.do(c)
}

// withRepository locks the repository of the path for the handler, after the
// answers that do not depend on the handler: 404, 301, 403, 409.
func (c *call) withRepository(do func(*call) error) error {
	repo, moved := c.s.lookup(c.params["owner"], c.params["repo"])
	if repo == nil {
		return notFound()
	}
	repo.mu.Lock()
	defer repo.mu.Unlock()
	if repo.deleted || !c.who.sees(repo) {
		return notFound()
	}
	if moved {
		return c.moved(repo)
	}
	c.repo = repo
	if err := c.permit(); err != nil {
		return err
	}
	if c.route.write && repo.archived {
		return fail(http.StatusForbidden, "Repository was archived so is read-only.")
	}
	if c.route.git && repo.empty() {
		return emptyRepository()
	}
	return do(c)
}

// moved answers with the address by number, which outlives renames.
// https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api#follow-redirects
func (c *call) moved(repo *Repository) error {
	_, rest, _ := strings.Cut(c.r.URL.EscapedPath(), "/repos/")
	parts := strings.SplitN(rest, "/", 3)
	to := fmt.Sprintf("%s%s/repositories/%d", c.s.URL(), c.prefix, repo.id)
	if len(parts) == 3 && parts[2] != "" {
		to += "/" + parts[2]
	}
	if c.r.URL.RawQuery != "" {
		to += "?" + c.r.URL.RawQuery
	}
	status := http.StatusMovedPermanently
	if c.r.Method != http.MethodGet && c.r.Method != http.MethodHead {
		status = http.StatusTemporaryRedirect
	}
	c.header.Set("Location", to)
	return &apiError{status: status, message: "Moved Permanently", extra: object{"url": to},
		doc: "https://docs.github.com/rest/guides/best-practices-for-using-the-rest-api#follow-redirects"}
}

// json is the answer of a handler.
func (c *call) json(status int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	c.status, c.out = status, b
	c.header.Set("Content-Type", "application/json; charset=utf-8")
	return nil
}

func (c *call) ok(v any) error      { return c.json(http.StatusOK, v) }
func (c *call) created(v any) error { return c.json(http.StatusCreated, v) }

func (c *call) noContent() error {
	c.status, c.out = http.StatusNoContent, nil
	return nil
}

// raw answers with a media type of its own (raw blobs, diffs).
func (c *call) raw(mediaType string, b []byte) error {
	c.status, c.out = http.StatusOK, b
	c.header.Set("Content-Type", mediaType)
	return nil
}

func (c *call) fail(err error) {
	var e *apiError
	if !errors.As(err, &e) {
		e = fail(http.StatusInternalServerError, "Server Error: "+err.Error())
	}
	doc := docRoot
	if c.route != nil && c.route.doc != "" {
		doc = c.route.doc
		if !strings.HasPrefix(doc, "https:") {
			doc = docRoot + "/" + doc
		}
	}
	c.status, c.out = e.status, e.body(doc)
	c.header.Set("Content-Type", "application/json; charset=utf-8")
	for k, v := range e.header {
		c.header[k] = v
	}
}

// finish writes the answer with the headers GitHub puts on all of them.
func (c *call) finish(w http.ResponseWriter, path string) {
	h := w.Header()
	for k, v := range c.header {
		h[k] = v
	}
	h.Set("X-GitHub-Media-Type", "github.v3; format=json")
	h.Set("X-GitHub-Request-Id", fmt.Sprintf("%04X:%06X", c.s.opt.seed&0xffff, c.s.ids.next("request")))
	h.Set("X-GitHub-Api-Version-Selected", "2022-11-28")
	h.Set("Vary", "Accept, Authorization, Cookie, Accept-Encoding")
	c.s.limits.headers(c, h)
	if c.status == http.StatusOK && (c.r.Method == http.MethodGet || c.r.Method == http.MethodHead) {
		// The tag depends on the credentials, as Vary says: a new token gets
		// a cold cache.
		sum := sha256.New()
		sum.Write(c.out)
		sum.Write([]byte(c.r.Header.Get("Authorization")))
		tag := fmt.Sprintf(`"%x"`, sum.Sum(nil))
		h.Set("ETag", tag)
		h.Set("Cache-Control", "private, max-age=60, s-maxage=60")
		if etagMatches(c.r.Header.Get("If-None-Match"), tag) {
			c.status, c.out = http.StatusNotModified, nil
			h.Del("Content-Type")
			c.s.limits.refund(c)
			c.s.limits.headers(c, h)
		}
	}
	if c.status != http.StatusNoContent && c.status != http.StatusNotModified {
		h.Set("Content-Length", strconv.Itoa(len(c.out)))
	}
	w.WriteHeader(c.status)
	if c.r.Method != http.MethodHead {
		_, _ = w.Write(c.out) // the client may have gone
	}
	c.observe(w.Header(), path)
}

func etagMatches(header, tag string) bool {
	for v := range strings.SplitSeq(header, ",") {
		if v = strings.TrimPrefix(strings.TrimSpace(v), "W/"); v == tag || v == "*" {
			return true
		}
	}
	return false
}

func (c *call) observe(h http.Header, path string) {
	if len(c.s.opt.observers) == 0 {
		return
	}
	e := Exchange{
		Method: c.r.Method, URL: c.r.URL.RequestURI(), Path: path,
		Request: c.r.Header.Clone(), RequestBody: bytes.Clone(c.body),
		Status: c.status, Response: h.Clone(), ResponseBody: bytes.Clone(c.out),
	}
	if c.route != nil {
		e.Route = c.route.pattern
	}
	for _, f := range c.s.opt.observers {
		f(e)
	}
}

// wait spends the configured latency.
func (s *Server) wait(r *http.Request) {
	d := s.opt.latency + s.faults.latency(r)
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-r.Context().Done():
	}
}

// decode reads the JSON body. A body that is no JSON is 400, a value of the
// wrong type 422, as GitHub tells them apart.
func (c *call) decode(into any) error {
	if len(bytes.TrimSpace(c.body)) == 0 {
		return nil
	}
	err := json.Unmarshal(c.body, into)
	var typeErr *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &typeErr):
		field := typeErr.Field
		if field == "" {
			return unprocessable(fmt.Sprintf("Invalid request.\n\nFor 'links/0/schema', %s is not an object.", typeErr.Value))
		}
		return unprocessable(fmt.Sprintf("Invalid request.\n\nFor 'properties/%s', %s is not of type %s.", field, typeErr.Value, typeErr.Type))
	default:
		return fail(http.StatusBadRequest, "Problems parsing JSON")
	}
}

// missing words the 422 for absent keys.
func missing(keys ...string) *apiError {
	quoted := make([]string, len(keys))
	for i, k := range keys {
		quoted[i] = strconv.Quote(k)
	}
	verb := "wasn't"
	if len(keys) > 1 {
		verb = "weren't"
	}
	return unprocessable(fmt.Sprintf("Invalid request.\n\n%s %s supplied.", strings.Join(quoted, ", "), verb))
}

// number reads a numeric path parameter; anything else is not found.
func (c *call) number(name string) (int64, error) {
	n, err := strconv.ParseInt(c.params[name], 10, 64)
	if err != nil || n <= 0 {
		return 0, notFound()
	}
	return n, nil
}

func (c *call) query(name string) string { return c.r.URL.Query().Get(name) }

// pageOf cuts a list to the page asked for and sets the Link header.
// https://docs.github.com/rest/using-the-rest-api/using-pagination-in-the-rest-api
func pageOf[T any](c *call, all []T) []T {
	per, page := 30, 1
	if n, err := strconv.Atoi(c.query("per_page")); err == nil && n > 0 {
		per = min(n, 100)
	}
	if n, err := strconv.Atoi(c.query("page")); err == nil && n > 0 {
		page = n
	}
	last := max(1, (len(all)+per-1)/per)
	var links []string
	link := func(n int, rel string) {
		u := *c.r.URL
		q := u.Query()
		q.Set("page", strconv.Itoa(n))
		u.RawQuery = q.Encode()
		links = append(links, fmt.Sprintf(`<%s%s>; rel="%s"`, c.s.URL(), u.RequestURI(), rel))
	}
	if page > 1 {
		link(min(page-1, last), "prev")
	}
	if page < last {
		link(page+1, "next")
		link(last, "last")
	}
	if page > 1 {
		link(1, "first")
	}
	if len(links) > 0 {
		c.header.Set("Link", strings.Join(links, ", "))
	}
	from := min((page-1)*per, len(all))
	return all[from:min(from+per, len(all))]
}

// mapped renders every item of a list; the result is never nil, because an
// empty list is [] and not null.
func mapped[T any](in []T, render func(T) object) []object {
	out := make([]object, 0, len(in))
	for _, v := range in {
		out = append(out, render(v))
	}
	return out
}
