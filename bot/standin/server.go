package standin

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"dhibot/bot/standin/internal/gitdb"
	"dhibot/bot/standin/internal/gql"
)

// Server is a GitHub of its own: an http.Handler with REST, GraphQL, git over
// smart HTTP and web pages, and state that its Go methods seed and inspect.
// It is safe for concurrent use.
//
// Locks: Repository.mu may be held while Server.mu is taken, never the other
// way round.
type Server struct {
	opt     options
	git     *gitdb.Git
	dir     string
	ownDir  bool
	shared  *gitdb.Objects
	routes  *router
	hooks   *dispatcher
	faults  *faultBox
	limits  *limiter
	pages   func() *pageSet // parsed when the first page is asked for
	schema  gql.Schema
	ids     counters
	stats   counts
	base    atomic.Pointer[string]
	secret  []byte // signs "verified" commits
	backend string

	mu            sync.RWMutex
	accounts      map[string]*Account // by lower-case login
	accountByID   map[int64]*Account
	repos         map[string]*Repository // by lower-case full name
	repoByID      map[int64]*Repository
	repoOrder     []*Repository // in order of creation
	formerNames   map[string]*Repository
	apps          map[int64]*App
	installations map[int64]*Installation
	tokens        map[string]*token
	manifests     map[string]manifestCode

	closeOnce sync.Once
	closeErr  error
	servers   []*http.Server
	serving   sync.WaitGroup
}

// New makes an empty GitHub. It needs the git program on PATH (2.38 or newer)
// and says so when it is missing. Close it when done: it removes its files.
func New(opts ...Option) (*Server, error) {
	o := defaultOptions()
	for _, f := range opts {
		f(&o)
	}
	s := &Server{
		opt:      o,
		accounts: map[string]*Account{}, accountByID: map[int64]*Account{},
		repos: map[string]*Repository{}, repoByID: map[int64]*Repository{}, formerNames: map[string]*Repository{},
		apps: map[int64]*App{}, installations: map[int64]*Installation{}, tokens: map[string]*token{},
		manifests: map[string]manifestCode{},
	}
	if err := s.openDir(); err != nil {
		return nil, err
	}
	git, err := gitdb.FindGit(filepath.Join(s.dir, "home"))
	if err != nil {
		return nil, errors.Join(err, s.removeDir())
	}
	s.git, s.backend = git, git.HTTPBackend()
	if s.backend == "" {
		return nil, errors.Join(errors.New("the GitHub stand-in needs git-http-backend, which this git lacks"), s.removeDir())
	}
	s.shared = gitdb.NewObjects(filepath.Join(s.dir, "shared"))
	s.secret = fmt.Appendf(nil, "standin-%d", o.seed)
	s.faults = newFaultBox(rand.New(rand.NewPCG(uint64(o.seed), 1)))
	s.limits = newLimiter(o.now, o.limits)
	s.hooks = newDispatcher(s, rand.New(rand.NewPCG(uint64(o.seed), 2)))
	s.pages = sync.OnceValue(newPageSet)
	s.schema = newSchema()
	s.routes = newRouter(s.allRoutes())
	s.addAccount("ghost", typeUser)
	s.addAccount("web-flow", typeUser)
	s.hooks.start()
	return s, nil
}

func (s *Server) openDir() error {
	if s.opt.dir != "" {
		s.dir = s.opt.dir
	} else {
		dir, err := os.MkdirTemp("", "standin-")
		if err != nil {
			return fmt.Errorf("stand-in directory: %w", err)
		}
		s.dir, s.ownDir = dir, true
	}
	for _, d := range []string{"home", "repos", "shared"} {
		if err := os.MkdirAll(filepath.Join(s.dir, d), 0o755); err != nil {
			return fmt.Errorf("stand-in directory: %w", err)
		}
	}
	return nil
}

func (s *Server) removeDir() error {
	if !s.ownDir {
		return nil
	}
	return os.RemoveAll(s.dir)
}

// Listen serves on addr ("127.0.0.1:0" picks a port) until Close and returns
// the base URL, which it also sets.
func (s *Server) Listen(addr string) (string, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return "", fmt.Errorf("stand-in: %w", err)
	}
	url := "http://" + l.Addr().String()
	s.SetBaseURL(url)
	srv := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	s.mu.Lock()
	s.servers = append(s.servers, srv)
	s.mu.Unlock()
	s.serving.Go(func() { _ = srv.Serve(l) }) // ends with ErrServerClosed
	return url, nil
}

// SetBaseURL sets scheme and host of every URL that answers and webhooks name
// ("http://127.0.0.1:3456"). Without it the first request decides.
func (s *Server) SetBaseURL(url string) {
	url = strings.TrimRight(url, "/")
	s.base.Store(&url)
}

// URL is the base URL: pages and git are below it. It is the address to give
// a browser or git.
func (s *Server) URL() string {
	if p := s.base.Load(); p != nil {
		return *p
	}
	return "http://github.localhost"
}

// Dir is the directory that holds the repositories.
func (s *Server) Dir() string { return s.dir }

// APIURL is the address to give an API client: the Enterprise form, with a
// trailing slash ("http://127.0.0.1:3456/api/v3/").
func (s *Server) APIURL() string { return s.api() + "/" }

func (s *Server) api() string { return s.URL() + "/api/v3" }

// Close stops listeners and webhook deliveries, waits for both, and removes
// the files if New made the directory.
func (s *Server) Close() error {
	s.closeOnce.Do(func() {
		s.mu.Lock()
		servers := s.servers
		s.mu.Unlock()
		var errs []error
		for _, srv := range servers {
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
			if srv.Shutdown(ctx) != nil {
				errs = append(errs, srv.Close())
			}
			cancel()
		}
		s.serving.Wait()
		s.hooks.stop()
		if !s.ownDir {
			for _, r := range s.Repositories() {
				_, err := r.git.Dir() // all of it on disk, for git to look at
				errs = append(errs, err)
			}
		}
		errs = append(errs, s.removeDir())
		s.closeErr = errors.Join(errs...)
	})
	return s.closeErr
}

// now is the virtual time, in whole seconds as the API shows it.
func (s *Server) now() time.Time { return s.opt.now().UTC().Truncate(time.Second) }

// counters hands out ids, each kind its own sequence, so that ids are the same
// in every run.
type counters struct {
	mu   sync.Mutex
	last map[string]int64
}

func (c *counters) next(kind string) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last == nil {
		c.last = map[string]int64{}
	}
	if c.last[kind] == 0 {
		// Kinds start apart, so that one id used for another fails.
		c.last[kind] = int64(1000 * (len(c.last) + 1) * 7)
	}
	c.last[kind]++
	return c.last[kind]
}
