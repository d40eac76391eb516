package inbox

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// server is a Postgres of our own, started when the first test needs it and
// stopped after the last one.
type server struct {
	once   sync.Once
	skip   string // why there is none
	dir    string
	cred   *syscall.Credential
	n      int
	mu     sync.Mutex
	ctl    string
	socket string
}

// url returns a new, empty database, or skips the test and says why.
func (s *server) url(t testing.TB) string {
	t.Helper()
	s.once.Do(s.start)
	if s.skip != "" {
		t.Skip("Postgres: " + s.skip)
	}
	s.mu.Lock()
	s.n++
	name := fmt.Sprintf("inbox%d", s.n)
	s.mu.Unlock()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, s.database("postgres"))
	if err != nil {
		t.Fatalf("Postgres was started but does not answer: %v", err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	return s.database(name)
}

func (s *server) database(name string) string {
	return "postgres:///" + name + "?host=" + s.socket + "&user=inbox"
}

func (s *server) start() {
	bin := map[string]string{}
	for _, name := range []string{"initdb", "pg_ctl", "postgres"} {
		path, err := exec.LookPath(name)
		if err != nil {
			s.skip = name + " is not on PATH"
			return
		}
		bin[name] = path
	}
	dir, err := os.MkdirTemp("", "dhibot-pg-") // short: a socket's path has at most 107 bytes
	if err != nil {
		s.skip = err.Error()
		return
	}
	s.dir, s.socket, s.ctl = dir, dir, bin["pg_ctl"]
	if os.Getuid() == 0 {
		// Postgres refuses to run as root.
		if s.cred = somebody(); s.cred == nil {
			s.skip = "running as root, and there is neither a user postgres nor nobody to run it as"
			return
		}
		if err := os.Chown(dir, int(s.cred.Uid), int(s.cred.Gid)); err != nil {
			s.skip = err.Error()
			return
		}
	}
	data := filepath.Join(dir, "data")
	if out, err := s.command(bin["initdb"], "-D", data, "-U", "inbox", "-A", "trust", "-E", "UTF8", "--no-locale", "-N").CombinedOutput(); err != nil {
		s.skip = fmt.Sprintf("initdb: %v\n%s", err, out)
		return
	}
	// fsync and synchronous_commit stay on, as in production.
	options := fmt.Sprintf("-c listen_addresses='' -c unix_socket_directories='%s' -c max_connections=200", s.socket)
	if out, err := s.command(s.ctl, "-D", data, "-w", "-t", "60", "-l", filepath.Join(dir, "log"), "-o", options, "start").CombinedOutput(); err != nil {
		s.skip = fmt.Sprintf("pg_ctl start: %v\n%s", err, out)
	}
}

func (s *server) command(name string, args ...string) *exec.Cmd {
	c := exec.Command(name, args...)
	c.Dir = s.dir
	if s.cred != nil {
		c.SysProcAttr = &syscall.SysProcAttr{Credential: s.cred}
	}
	return c
}

func (s *server) stop() {
	if s.dir == "" {
		return
	}
	if _, err := os.Stat(filepath.Join(s.dir, "data", "postmaster.pid")); err == nil {
		if out, err := s.command(s.ctl, "-D", filepath.Join(s.dir, "data"), "-m", "immediate", "-w", "stop").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "stopping Postgres: %v\n%s", err, out)
		}
	}
	if err := os.RemoveAll(s.dir); err != nil {
		fmt.Fprintln(os.Stderr, "removing Postgres:", err)
	}
}

// somebody is a user that is not root.
func somebody() *syscall.Credential {
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err1 == nil && err2 == nil && uid != 0 {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		}
	}
	return nil
}

// each runs a test on every database.
func each(t *testing.T, f func(t *testing.T, url string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		f(t, sqliteURL(t))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		f(t, pg.url(t))
	})
}

func sqliteURL(t testing.TB) string {
	return "sqlite:" + filepath.Join(t.TempDir(), "inbox.db")
}

// clock stands still until it is moved.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock {
	// Now, because Postgres stamps leases with its own clock and River with ours.
	return &clock{t: time.Now().UTC().Truncate(time.Microsecond)}
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func lines(list []string) string { return strings.Join(list, "\n") }
