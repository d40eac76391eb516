package webhooks_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"dhibot/bot/inbox"
	"dhibot/bot/inbox/pgtest"
	"dhibot/webhooks"
)

// childEnv makes this test binary a server that may be killed: its value is
// the database.
const childEnv = "DHIBOT_WEBHOOKS_TEST_CHILD"

// pg is shared by all tests and benchmarks of this package.
var pg = new(pgtest.Server)

// client keeps no connections, so that none is left when the tests end.
var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

func TestMain(m *testing.M) {
	if database := os.Getenv(childEnv); database != "" {
		fmt.Fprintln(os.Stderr, serveChild(database))
		os.Exit(1)
	}
	pg.Main(m)
}

func serveChild(database string) error {
	go func() { // a child does not outlive its test
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(3)
	}()
	b, err := inbox.Open(context.Background(), database)
	if err != nil {
		return err
	}
	h, err := webhooks.New(webhooks.Config{Secrets: [][]byte{[]byte(secret)}, Inbox: b})
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(ln.Addr())
	return webhooks.Serve(context.Background(), ln, h)
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

func post(addr, guid, event, body string) (int, map[string]any, error) {
	r := delivery(guid, event, body)
	r.RequestURI, r.URL.Scheme, r.URL.Host = "", "http", addr
	resp, err := client.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	var a map[string]any
	return resp.StatusCode, a, json.NewDecoder(resp.Body).Decode(&a)
}

// The server is killed the moment it has answered 202. The next process finds
// the delivery and works on it.
func TestKilledAfter202(t *testing.T) {
	t.Parallel()
	database := pgtest.File(t, "inbox.db")
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childEnv+"="+database)
	child.Stderr = os.Stderr
	if _, err := child.StdinPipe(); err != nil { // open for as long as this process lives
		t.Fatal(err)
	}
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = child.Process.Kill(); _ = child.Wait() }()
	var addr string
	if _, err := fmt.Fscanln(out, &addr); err != nil {
		t.Fatalf("the server did not start: %v", err)
	}

	status, a, err := post(addr, "g1", "issue_comment", comment)
	killed := child.Process.Signal(syscall.SIGKILL)
	if err != nil || killed != nil || status != 202 {
		t.Fatalf("answered %d %v, %v; killed: %v", status, a, err, killed)
	}
	_ = child.Wait()

	b, err := inbox.Open(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var got inbox.Delivery
	if err := b.Run(ctx, func(_ context.Context, d inbox.Delivery) error {
		got = d
		cancel()
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if got.GUID != "g1" || string(got.Body) != comment {
		t.Errorf("worked on %+v", got)
	}
}

// A request that is being answered when the server is told to stop is
// answered.
func TestServeStopsGently(t *testing.T) {
	t.Parallel()
	ln := listen(t)
	ctx, cancel := context.WithCancel(t.Context())
	arrived, release := make(chan struct{}), make(chan struct{})
	served := make(chan error, 1)
	go func() {
		served <- webhooks.Serve(ctx, ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			close(arrived)
			<-release
			if r.Context().Err() != nil {
				t.Error("the request's context ended with the server's")
			}
			io.WriteString(w, "done")
		}))
	}()
	answered := make(chan string, 1)
	go func() {
		resp, err := client.Get("http://" + ln.Addr().String())
		if err != nil {
			answered <- err.Error()
			return
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		answered <- string(body)
	}()
	<-arrived
	cancel()
	close(release)
	if got := <-answered; got != "done" {
		t.Errorf("answered %q", got)
	}
	if err := <-served; err != nil {
		t.Errorf("Serve: %v", err)
	}
	if _, err := net.Dial("tcp", ln.Addr().String()); err == nil {
		t.Error("the address is still open")
	}
}

func TestServeFails(t *testing.T) {
	t.Parallel()
	ln := listen(t)
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	if err := webhooks.Serve(t.Context(), ln, http.NotFoundHandler()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Serve on a closed listener = %v", err)
	}
}

// Over a real connection: the cap, and a body that ends early.
func TestOverTheWire(t *testing.T) {
	t.Parallel()
	b := openInbox(t)
	ln := listen(t)
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- webhooks.Serve(ctx, ln, handler(t, webhooks.Config{Inbox: b})) }()
	addr := ln.Addr().String()

	if status, a, err := post(addr, "g1", "push", push); err != nil || status != 202 {
		t.Errorf("answered %d %v, %v", status, a, err)
	}
	// The server may close the connection while the client still sends; then
	// the client sees no answer, which is right as well.
	if status, _, err := post(addr, "g2", "push", strings.Repeat(" ", 26<<20)); err == nil && status != 413 {
		t.Errorf("26 MiB: answered %d", status)
	}
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "POST /api/github/webhooks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nX-GitHub-Event: push\r\nX-GitHub-Delivery: g3\r\n"+
		"X-Hub-Signature-256: %s\r\nContent-Length: %d\r\n\r\n%s", sign([]byte(push), secret), len(push)+1, push)
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 400 ") {
		t.Errorf("a body that ends early: %q, %v", answer, err)
	}
	conn.Close()
	cancel()
	if err := <-served; err != nil {
		t.Errorf("Serve: %v", err)
	}
	if got := stored(t, b); len(got) != 1 || got[0] != "g1" {
		t.Errorf("stored %v", got)
	}
}
