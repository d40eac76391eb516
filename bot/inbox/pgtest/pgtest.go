//go:build unix

// Package pgtest starts a Postgres for tests from the binaries on the machine.
// Nothing is downloaded and nothing is left behind; where the binaries are
// missing, tests are skipped and say so.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Server is a Postgres of our own. It starts when the first test asks for a
// database. The zero Server is ready to use; Stop it after the last test.
type Server struct {
	once sync.Once
	skip string // why there is none
	dir  string // data, log and socket
	cred *syscall.Credential

	life io.WriteCloser // the keeper's standard input
	keep *exec.Cmd

	mu sync.Mutex
	n  int // databases created
}

// URL returns a new, empty database, or skips the test and says why.
func (s *Server) URL(t testing.TB) string {
	t.Helper()
	s.once.Do(func() {
		if err := s.start(); err != nil {
			s.skip = err.Error()
		}
	})
	if s.skip != "" {
		t.Skip("no Postgres: " + s.skip)
	}
	s.mu.Lock()
	s.n++
	name := fmt.Sprintf("test%d", s.n)
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

func (s *Server) database(name string) string {
	return "postgres:///" + name + "?host=" + s.dir + "&user=test"
}

// keeper is a shell that lives as long as its standard input is open, and the
// server and its files with it: they go away however the test process ends.
const keeper = `"$1" -D "$2/data" -k "$2" -c listen_addresses= -c max_connections=200 >"$2/log" 2>&1 &
read -r _
kill -QUIT $!
wait
cd /
rm -rf "$2"`

func (s *Server) start() (err error) {
	bin := map[string]string{}
	for _, name := range []string{"initdb", "postgres", "sh"} {
		path, err := exec.LookPath(name)
		if err != nil {
			return fmt.Errorf("%s is not on PATH", name)
		}
		bin[name] = path
	}
	if os.Getuid() == 0 {
		if s.cred = somebody(); s.cred == nil {
			return errors.New("the server does not run as root, and there is neither a user postgres nor nobody to run it as")
		}
	}
	if s.dir, err = os.MkdirTemp("", "dhibot-pg-"); err != nil { // short: a socket's path has at most 107 bytes
		return err
	}
	if s.cred != nil {
		if err := os.Chown(s.dir, int(s.cred.Uid), int(s.cred.Gid)); err != nil {
			return err
		}
	}
	initdb := s.command(bin["initdb"], "-D", filepath.Join(s.dir, "data"), "-U", "test", "-A", "trust", "-E", "UTF8", "--no-locale", "-N")
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	// fsync and synchronous_commit stay on, as in production.
	s.keep = s.command(bin["sh"], "-c", keeper, "sh", bin["postgres"], s.dir)
	if s.life, err = s.keep.StdinPipe(); err != nil {
		return err
	}
	if err := s.keep.Start(); err != nil {
		return err
	}
	return s.await()
}

// await returns when the server takes connections.
func (s *Server) await() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		conn, err := pgx.Connect(ctx, s.database("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
			return fmt.Errorf("the server did not start: %w\n%s", err, log)
		}
	}
}

func (s *Server) command(name string, args ...string) *exec.Cmd {
	c := exec.Command(name, args...)
	c.Dir = s.dir
	if s.cred != nil {
		c.SysProcAttr = &syscall.SysProcAttr{Credential: s.cred}
	}
	return c
}

// Stop ends the server and removes its files.
func (s *Server) Stop() {
	if s.life != nil {
		_ = s.life.Close()
		_ = s.keep.Wait() // its status is that of the last rm
	}
	if s.dir != "" {
		_ = os.RemoveAll(s.dir)
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
