package standin

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"dhibot/bot/standin/internal/markdown"
)

//go:embed pages
var pageFiles embed.FS

// pageSet holds the templates, one set per page.
type pageSet struct {
	templates map[string]*template.Template
	style     []byte
	markdown  *markdown.Renderer
}

// newPageSet parses what is compiled into the program: it panics when that is
// broken, which the first test of a page would show.
func newPageSet() *pageSet {
	p := &pageSet{templates: map[string]*template.Template{}, markdown: markdown.New()}
	funcs := template.FuncMap{
		"ago":  func(t time.Time) string { return t.UTC().Format("2 Jan 2006 15:04") },
		"iso":  stamp,
		"icon": reactionIcon,
		"short": func(s string) string {
			return s[:min(7, len(s))]
		},
		"plural": func(n int, word string) string {
			if n == 1 {
				return "1 " + word
			}
			if stem, ok := strings.CutSuffix(word, "y"); ok {
				word = stem + "ie"
			}
			return strconv.Itoa(n) + " " + word + "s"
		},
		"path": escapePath,
		"add":  func(a, b int) int { return a + b },
	}
	for _, name := range []string{"home", "repository", "file", "list", "issue", "pull", "commit", "check", "message"} {
		p.templates[name] = template.Must(template.New("layout.html").Funcs(funcs).ParseFS(pageFiles, "pages/layout.html", "pages/parts.html", "pages/"+name+".html"))
	}
	style, err := pageFiles.ReadFile("pages/style.css")
	if err != nil {
		panic(err)
	}
	p.style = style
	return p
}

// pageData is what every page has.
type pageData struct {
	Title  string
	Viewer string // the user the reader speaks as
	Users  []userView
	Repo   *repoView
	Tab    string
	View   any
}

// pageError ends a page with a status and a sentence.
type pageError struct {
	status  int
	message string
}

func (e *pageError) Error() string { return e.message }

func pageMissing(what string) error { return &pageError{http.StatusNotFound, what} }

// servePage answers a browser. Pages show everything, private repositories
// too: whoever runs a stand-in is its administrator.
func (s *Server) servePage(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case r.Method == http.MethodPost:
		s.servePost(w, r, parts)
		return
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	page := &pageRequest{s: s, w: w, r: r, parts: parts, data: pageData{Viewer: viewer(r)}}
	name, err := page.build()
	if err != nil {
		status := http.StatusInternalServerError
		if e, ok := err.(*pageError); ok { //nolint:errorlint // made two lines above, never wrapped
			status = e.status
		}
		page.data.View, page.data.Title, name = err.Error(), "Not here", "message"
		page.data.Repo = nil
		page.render(status, name)
		return
	}
	if name != "" {
		page.render(http.StatusOK, name)
	}
}

func viewer(r *http.Request) string {
	if c, err := r.Cookie("standin_user"); err == nil {
		if v, err := url.QueryUnescape(c.Value); err == nil {
			return v
		}
	}
	return ""
}

// pageRequest is one page on its way.
type pageRequest struct {
	s     *Server
	w     http.ResponseWriter
	r     *http.Request
	parts []string
	data  pageData
}

func (p *pageRequest) render(status int, name string) {
	var b bytes.Buffer
	if err := p.s.pages().templates[name].Execute(&b, p.data); err != nil {
		http.Error(p.w, err.Error(), http.StatusInternalServerError)
		return
	}
	p.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	p.w.WriteHeader(status)
	_, _ = p.w.Write(b.Bytes()) // the browser may have gone
}

// build fills data and names the template; "" when it has answered itself.
func (p *pageRequest) build() (string, error) {
	switch {
	case len(p.parts) == 1:
		return p.home(p.parts[0])
	case p.parts[0] == "apps":
		return "", pageMissing("The App has no page of its own.")
	}
	repo, moved := p.s.lookup(p.parts[0], p.parts[1])
	if repo == nil {
		return "", pageMissing("There is no such repository.")
	}
	if moved {
		http.Redirect(p.w, p.r, "/"+repo.FullName()+"/"+strings.Join(p.parts[2:], "/"), http.StatusMovedPermanently)
		return "", nil
	}
	repo.mu.Lock()
	defer repo.mu.Unlock()
	if repo.deleted {
		return "", pageMissing("There is no such repository.")
	}
	p.data.Repo = repo.view()
	p.data.Users = repo.speakers()
	rest := p.parts[2:]
	if len(rest) == 0 {
		return p.tree(repo, repo.defaultBranch, "")
	}
	switch kind := rest[0]; kind {
	case "tree", "blob", "raw":
		ref, path := repo.splitRef(rest[1:])
		if kind == "tree" {
			return p.tree(repo, ref, path)
		}
		return p.file(repo, ref, path, kind == "raw")
	case "pulls", "issues", "pull":
		if kind == "issues" && len(rest) == 2 || kind == "pull" && len(rest) >= 2 {
			return p.thread(repo, kind, rest[1:])
		}
		if len(rest) == 1 && kind != "pull" {
			return p.list(repo, kind)
		}
	case "commit":
		if len(rest) == 2 {
			return p.commit(repo, rest[1])
		}
	case "runs":
		if len(rest) == 2 {
			return p.check(repo, rest[1])
		}
	}
	return "", pageMissing("There is no such page.")
}

// servePost takes the forms: a comment, and a new issue.
func (s *Server) servePost(w http.ResponseWriter, r *http.Request, parts []string) {
	if origin := r.Header.Get("Origin"); origin != "" {
		if u, err := url.Parse(origin); err != nil || u.Host != r.Host {
			http.Error(w, "the form is on another site", http.StatusForbidden)
			return
		}
	}
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "form: "+err.Error(), http.StatusBadRequest)
		return
	}
	user := s.Account(r.PostFormValue("user"))
	body := strings.ReplaceAll(r.PostFormValue("body"), "\r\n", "\n")
	if len(parts) < 3 {
		http.NotFound(w, r)
		return
	}
	repo, _ := s.lookup(parts[0], parts[1])
	switch {
	case repo == nil:
		http.NotFound(w, r)
		return
	case user == nil || user.kind != typeUser:
		http.Error(w, "choose a user to speak as", http.StatusUnprocessableEntity)
		return
	case checkText("", body) != nil:
		http.Error(w, fmt.Sprintf("a text has at most %d characters", maxText), http.StatusUnprocessableEntity)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: "standin_user", Value: url.QueryEscape(user.Login()), Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
	to := ""
	switch {
	case len(parts) == 3 && parts[2] == "issues":
		title := strings.TrimSpace(r.PostFormValue("title"))
		if title == "" {
			http.Error(w, "an issue needs a title", http.StatusUnprocessableEntity)
			return
		}
		to = fmt.Sprintf("/%s/issues/%d", repo.FullName(), repo.OpenIssue(user.Login(), title, body))
	case len(parts) == 5 && parts[2] == "issues" && parts[4] == "comments":
		number, err := strconv.Atoi(parts[3])
		if err != nil || strings.TrimSpace(body) == "" {
			http.Error(w, "a comment needs some text", http.StatusUnprocessableEntity)
			return
		}
		id, err := repo.Comment(user.Login(), number, body)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		repo.mu.Lock()
		kind := "issues"
		if repo.issues[number].pull != nil {
			kind = "pull"
		}
		repo.mu.Unlock()
		to = fmt.Sprintf("/%s/%s/%d#issuecomment-%d", repo.FullName(), kind, number, id)
	default:
		http.NotFound(w, r)
		return
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// serveAvatar draws a letter on a colour of the account's own.
func (s *Server) serveAvatar(w http.ResponseWriter, id string) {
	n, err := strconv.ParseInt(id, 10, 64)
	s.mu.RLock()
	a := s.accountByID[n]
	s.mu.RUnlock()
	if err != nil || a == nil {
		http.Error(w, "no such account", http.StatusNotFound)
		return
	}
	letter := template.HTMLEscapeString(strings.ToUpper(a.Login()[:1]))
	radius := 20
	if a.kind != typeUser {
		radius = 8
	}
	w.Header().Set("Content-Type", "image/svg+xml")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40" width="40" height="40"><rect width="40" height="40" rx="%d" fill="hsl(%d 45%% 45%%)"/><text x="20" y="27" font-family="sans-serif" font-size="20" font-weight="600" fill="#fff" text-anchor="middle">%s</text></svg>`, radius, (n*137)%360, letter)
}

func (s *Server) serveStyle(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "max-age=60")
	_, _ = w.Write(s.pages().style)
}
