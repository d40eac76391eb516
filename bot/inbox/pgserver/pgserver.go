//go:build unix

// Package pgserver starts a Postgres of its own from the binaries on the
// machine, for tests and benchmarks. Nothing is downloaded and nothing is left
// behind, however the process ends.
package pgserver

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
	"sync/atomic"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// Server is a running Postgres that listens on a socket in its own directory
// only. fsync and synchronous_commit are on, as in production.
type Server struct {
	dir  string // data, log and socket
	cred *syscall.Credential

	life io.WriteCloser // the keeper's standard input
	keep *exec.Cmd

	made atomic.Int64 // databases
}

// Start starts a server and returns when it takes connections. The error
// wraps ErrMissing when the machine has no Postgres to start.
func Start(ctx context.Context) (_ *Server, err error) {
	bin := map[string]string{}
	for _, name := range []string{"initdb", "postgres", "sh"} {
		if bin[name], err = find(name); err != nil {
			return nil, err
		}
	}
	s := &Server{}
	defer func() {
		if err != nil {
			s.Stop()
		}
	}()
	if os.Getuid() == 0 {
		if s.cred = somebody(); s.cred == nil {
			return nil, fmt.Errorf("%w: the server does not run as root, and there is neither a user postgres nor nobody to run it as", ErrMissing)
		}
	}
	if s.dir, err = os.MkdirTemp("", "dhibot-pg-"); err != nil { // short: a socket's path has at most 107 bytes
		return nil, fmt.Errorf("starting Postgres: %w", err)
	}
	if s.cred != nil {
		if err := os.Chown(s.dir, int(s.cred.Uid), int(s.cred.Gid)); err != nil {
			return nil, fmt.Errorf("starting Postgres: %w", err)
		}
	}
	initdb := s.command(bin["initdb"], "-D", filepath.Join(s.dir, "data"), "-U", "test", "-A", "trust", "-E", "UTF8", "--no-locale", "-N")
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	keep := s.command(bin["sh"], "-c", keeper, "sh", bin["postgres"], s.dir)
	if s.life, err = keep.StdinPipe(); err != nil {
		return nil, fmt.Errorf("starting Postgres: %w", err)
	}
	if err := keep.Start(); err != nil {
		return nil, fmt.Errorf("starting Postgres: %w", err)
	}
	s.keep = keep
	return s, s.await(ctx)
}

// find is LookPath that also knows where Debian keeps the server's programs,
// which is not on the PATH.
func find(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err == nil {
		return path, nil
	}
	best, newest := "", -1.0
	places, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name) // the pattern is well formed
	for _, p := range places {
		version, err := strconv.ParseFloat(filepath.Base(filepath.Dir(filepath.Dir(p))), 64)
		if err == nil && version > newest {
			best, newest = p, version
		}
	}
	if best == "" {
		return "", fmt.Errorf("%w: %s is not on PATH", ErrMissing, name)
	}
	return best, nil
}

// keeper is a shell that lives as long as its standard input is open, and the
// server and its files with it: they go away however this process ends.
const keeper = `"$1" -D "$2/data" -k "$2" -c listen_addresses= -c max_connections=200 >"$2/log" 2>&1 &
read -r _
kill -QUIT $!
wait
cd /
rm -rf "$2"`

// await returns when the server takes connections.
func (s *Server) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		conn, err := pgx.Connect(ctx, s.url("postgres"))
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

// Database creates an empty database and returns its address.
func (s *Server) Database(ctx context.Context) (string, error) {
	name := fmt.Sprintf("test%d", s.made.Add(1))
	conn, err := pgx.Connect(ctx, s.url("postgres"))
	if err != nil {
		return "", fmt.Errorf("the server was started but does not answer: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+name); err != nil {
		return "", fmt.Errorf("creating a database: %w", err)
	}
	return s.url(name), nil
}

func (s *Server) url(database string) string {
	return "postgres:///" + database + "?host=" + s.dir + "&user=test"
}

func (s *Server) command(name string, args ...string) *exec.Cmd {
	c := exec.Command(name, args...)
	c.Dir = s.dir
	// A group of its own: an interrupt typed at this program must not take
	// the server away before the program has ended its work.
	c.SysProcAttr = &syscall.SysProcAttr{Credential: s.cred, Setpgid: true}
	return c
}

// Stop ends the server and removes its files. Further calls do nothing.
func (s *Server) Stop() {
	if s.keep != nil {
		_ = s.life.Close()
		_ = s.keep.Wait() // its status is that of the last rm
		s.keep = nil
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
		if err := errors.Join(err1, err2); err == nil && uid != 0 {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		}
	}
	return nil
}
