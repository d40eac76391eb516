package standin

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/cgi"
	"os"
	"path"
	"path/filepath"
	"strings"

	"dhibot/bot/standin/internal/gitdb"
)

// maxPush bounds a push; it is spooled to a file first.
const maxPush = 512 << 20

// isGitPath recognises the smart protocol's addresses.
func isGitPath(escaped string) bool {
	for _, suffix := range []string{"/info/refs", "/git-upload-pack", "/git-receive-pack"} {
		if p, ok := strings.CutSuffix(escaped, suffix); ok && strings.Count(p, "/") == 2 {
			return true
		}
	}
	return false
}

// serveGit answers git clients through git http-backend.
func (s *Server) serveGit(w http.ResponseWriter, r *http.Request) {
	full, service := path.Split(strings.TrimSuffix(strings.Trim(r.URL.Path, "/"), "/refs"))
	full = strings.TrimSuffix(strings.TrimSuffix(full, "/"), ".git")
	if service == "info" {
		service = r.URL.Query().Get("service")
	}
	owner, name, _ := strings.Cut(full, "/")
	repo, moved := s.lookup(owner, name)
	who, err := s.gitActor(r)
	if err != nil {
		gitRefuse(w, http.StatusUnauthorized, "Invalid username or token.")
		return
	}
	writing := service == "git-receive-pack"
	if status, message := s.gitAccess(repo, who, writing); status != 0 {
		gitRefuse(w, status, message)
		return
	}
	if moved {
		u := *r.URL
		u.Path = "/" + repo.FullName() + ".git" + strings.TrimPrefix(r.URL.Path, "/"+owner+"/"+strings.TrimSuffix(name, ".git"))
		http.Redirect(w, r, s.URL()+strings.Replace(u.RequestURI(), ".git.git", ".git", 1), http.StatusMovedPermanently)
		return
	}
	dir, err := repo.git.Dir()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if writing && r.Method == http.MethodPost {
		s.receive(w, r, repo, who, dir)
		return
	}
	s.runBackend(w, r, dir, nil)
}

func gitRefuse(w http.ResponseWriter, status int, message string) {
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="GitHub"`)
	}
	http.Error(w, message, status)
}

// gitActor reads basic credentials: any name with a token as password, as
// x-access-token is by convention.
func (s *Server) gitActor(r *http.Request) (actor, error) {
	_, password, ok := r.BasicAuth()
	if !ok {
		if t, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); found {
			return s.checkToken(t)
		}
		return actor{}, nil
	}
	return s.checkToken(password)
}

// gitAccess says why a git client may not read or write; 0 means it may.
func (s *Server) gitAccess(repo *Repository, who actor, writing bool) (int, string) {
	anonymous := who.account() == nil
	if repo != nil {
		repo.mu.Lock()
		defer repo.mu.Unlock()
	}
	if repo == nil || repo.deleted || !who.sees(repo) {
		if anonymous {
			return http.StatusUnauthorized, "Repository not found."
		}
		return http.StatusNotFound, "Repository not found."
	}
	readable := !repo.private || who.user != nil || who.inst != nil && who.token.grants("contents:read")
	switch {
	case !readable:
		return http.StatusForbidden, "Resource not accessible by integration"
	case !writing:
		return 0, ""
	case anonymous:
		return http.StatusUnauthorized, "Authentication required."
	case repo.archived:
		return http.StatusForbidden, "This repository was archived so it is read-only."
	case who.inst != nil && (!who.covers(repo) || !who.token.grants("contents:write")),
		who.user != nil && repo.levelOf(who.user) < levelWrite:
		return http.StatusForbidden, "Permission to " + repo.full() + ".git denied to " + who.account().Login() + "."
	}
	return 0, ""
}

// receive runs a push. The body is spooled first, so that a slow client does
// not hold the repository, and because CGI needs a length.
func (s *Server) receive(w http.ResponseWriter, r *http.Request, repo *Repository, who actor, dir string) {
	spool, err := os.CreateTemp(s.dir, "push-")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer func() {
		_ = spool.Close()
		_ = os.Remove(spool.Name())
	}()
	n, err := io.Copy(spool, http.MaxBytesReader(w, r.Body, maxPush))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			http.Error(w, "push is too large", http.StatusRequestEntityTooLarge)
		}
		return
	}
	if _, err := spool.Seek(0, io.SeekStart); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	r = r.Clone(r.Context())
	r.Body, r.ContentLength, r.TransferEncoding = io.NopCloser(spool), n, nil
	r.Header.Del("Transfer-Encoding")

	repo.mu.Lock()
	defer repo.mu.Unlock()
	before := repo.git.Refs()
	hook, err := repo.writeUpdateHook(dir, who)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer hook.close()
	answer := &held{header: http.Header{}}
	s.runBackend(answer, r, dir, hook.env())
	if err := repo.git.Reload(); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if err := repo.afterPush(who, before, repo.git.Refs()); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	answer.copyTo(w)
}

// held keeps an answer back until the state behind it is in order: when git
// says "pushed", the pull request shows the new head.
type held struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (h *held) Header() http.Header         { return h.header }
func (h *held) WriteHeader(status int)      { h.status = status }
func (h *held) Write(b []byte) (int, error) { return h.body.Write(b) }

func (h *held) copyTo(w http.ResponseWriter) {
	for k, v := range h.header {
		w.Header()[k] = v
	}
	if h.status != 0 {
		w.WriteHeader(h.status)
	}
	_, _ = w.Write(h.body.Bytes()) // the client may have gone
}

// afterPush turns the difference of the references into events.
func (r *Repository) afterPush(who actor, before, after map[string]gitdb.OID) error {
	names := map[string]bool{}
	for n := range before {
		names[n] = true
	}
	for n := range after {
		names[n] = true
	}
	for _, n := range sortedKeys(names) {
		from, to := before[n], after[n]
		if from == to || strings.HasPrefix(n, "refs/pull/") {
			continue
		}
		forced := false
		if from != "" && to != "" {
			ff, err := r.git.IsAncestor(from, to)
			forced = err == nil && !ff
		}
		if branch, ok := strings.CutPrefix(n, "refs/heads/"); ok && r.tip(r.defaultBranch) == "" && to != "" {
			// The first push into an empty repository names the default branch.
			if err := r.setDefaultBranch(nil, branch); err != nil {
				return err
			}
		}
		if err := r.refMoved(who, n, from, to, forced); err != nil {
			return err
		}
	}
	return nil
}

// runBackend hands a request to git http-backend.
func (s *Server) runBackend(w http.ResponseWriter, r *http.Request, dir string, env []string) {
	_, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	_, rest, _ = strings.Cut(rest, "/")
	h := &cgi.Handler{
		Path: s.backend,
		Dir:  s.dir,
		Env: append(append(s.git.Env(),
			"GIT_PROJECT_ROOT="+filepath.Dir(dir), "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER=standin",
			"GIT_PROTOCOL="+r.Header.Get("Git-Protocol")), env...),
		Stderr: io.Discard,
	}
	r = r.Clone(context.WithoutCancel(r.Context()))
	u := *r.URL
	u.Path = "/" + filepath.Base(dir) + "/" + rest
	r.URL = &u
	// The backend must not see the credentials in its environment.
	r.Header.Del("Authorization")
	h.ServeHTTP(w, r)
}
