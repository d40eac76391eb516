package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"dhibot/bot/standin"
	"dhibot/bot/standin/standintest"
)

// hub is a GitHub with one repository, and channels of what happens there.
type hub struct {
	*standin.Server
	app      *standin.App
	repo     *standin.Repository
	answered chan int    // status of each delivered webhook comment
	pulls    chan string // address of each pull request opened
	finished chan string // content of each final reaction
	secret   string
	key      string // file
}

func newHub(t *testing.T, options ...standin.Option) *hub {
	t.Helper()
	h := &hub{answered: make(chan int, 100), pulls: make(chan string, 100), finished: make(chan string, 100), secret: "s3cret-of-the-webhook"}
	options = append(options,
		standin.WithDeliveryObserver(func(d standin.Delivery) {
			if d.Event == "issue_comment" {
				offer(h.answered, d.Status)
			}
		}),
		standin.WithObserver(func(e standin.Exchange) {
			switch {
			case e.Method == http.MethodPost && e.Route == "/repos/{owner}/{repo}/pulls" && e.Status == http.StatusCreated:
				offer(h.pulls, e.Path)
			case e.Method == http.MethodPost && strings.HasSuffix(e.Route, "/reactions") && !strings.Contains(string(e.RequestBody), "eyes"):
				offer(h.finished, string(e.RequestBody))
			}
		}))
	h.Server = standintest.Listen(t, options...)
	var err error
	h.AddMember("acme", "ada", true)
	if h.repo, err = h.AddRepository("acme", "shop", standin.Text(map[string]string{
		"Dockerfile": "FROM python:3.14\nWORKDIR /app\nCOPY tool.py .\nCMD [\"python\", \"tool.py\"]\n",
		"tool.py":    "print('hello')\n",
	})); err != nil {
		t.Fatal(err)
	}
	if h.app, err = h.AddApp(standin.AppConfig{Slug: "dhibot", Secret: h.secret, Events: []string{"issue_comment", "push", "pull_request"},
		Permissions: map[string]string{"contents": "write", "pull_requests": "write", "issues": "write", "checks": "write"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.app.Install("acme"); err != nil {
		t.Fatal(err)
	}
	h.key = filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(h.key, h.app.PrivateKeyPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	return h
}

// comment has ada write a comment on a new issue.
func (h *hub) comment(t *testing.T, text string) {
	t.Helper()
	if _, err := h.repo.Comment("ada", h.repo.OpenIssue("ada", "Hardened images", ""), text); err != nil {
		t.Fatal(err)
	}
}

// served is dhibot serve in a process of its own.
type served struct {
	*exec.Cmd
	url  string
	logs *lockedBuffer
}

// lockedBuffer can be read while the process writes to it.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// serve starts dhibot serve on a SQLite file, waits until it is ready, and has
// webhooks sent to it.
func serve(t *testing.T, h *hub, database string, extra ...string) *served {
	t.Helper()
	s := startServe(t, h, "sqlite:"+database, extra...)
	h.app.SetWebhook(s.url+"/api/github/webhooks", h.secret)
	return s
}

// startServe starts dhibot serve and waits until it is ready.
func startServe(t *testing.T, h *hub, databaseURL string, extra ...string) *served {
	t.Helper()
	s := &served{Cmd: program(t, "serve"), logs: &lockedBuffer{}}
	s.Env = append(s.Env, "DHIBOT_LISTEN=127.0.0.1:0", fmt.Sprintf("DHIBOT_APP_ID=%d", h.app.ID()),
		"DHIBOT_PRIVATE_KEY_FILE="+h.key, "DHIBOT_WEBHOOK_SECRET="+h.secret, "DHIBOT_GITHUB_API_URL="+h.APIURL(),
		"DHIBOT_DATABASE_URL="+databaseURL, "DHIBOT_LOG_LEVEL=trace")
	s.Env = append(s.Env, extra...)
	pipe, err := s.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = s.Process.Kill() // ended already when all went well
		if t.Failed() {
			t.Logf("log of the server:\n%s", s.logs)
		}
	})
	lines := bufio.NewReader(io.TeeReader(pipe, s.logs))
	for s.url == "" {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatalf("the server ended before it was ready: %v\n%s", err, s.logs)
		}
		if _, rest, ok := strings.Cut(line, `"listen":"`); ok {
			address, _, _ := strings.Cut(rest, `"`)
			s.url = "http://" + address
		}
	}
	go io.Copy(io.Discard, lines) // into logs, until the process ends
	return s
}

// offer hands v to a test that waits for it. One that does not read must not hold
// up the stand-in, whose deliveries would never end.
func offer[T any](c chan<- T, v T) {
	select {
	case c <- v:
	default:
	}
}

// within waits for something that must happen, with a bound that only a hang
// reaches.
func within[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(60 * time.Second):
		t.Fatalf("%s did not happen", what)
		panic("unreachable")
	}
}

// TestServe: the whole way, with the program as it is: a comment becomes a pull
// request, the program is well, and it ends when it is told to.
func TestServe(t *testing.T) {
	t.Parallel()
	needsSignals(t)
	h := newHub(t)
	database := filepath.Join(t.TempDir(), "dhibot.db")
	s := serve(t, h, database)
	listen := "DHIBOT_LISTEN=" + strings.TrimPrefix(s.url, "http://")

	health := program(t, "healthcheck", "--ready")
	health.Env = append(health.Env, listen)
	if out, err := health.CombinedOutput(); err != nil {
		t.Errorf("healthcheck: %v\n%s", err, out)
	}
	h.comment(t, "/dhi migrate")
	within(t, "the pull request", h.pulls)
	if got := within(t, "the reaction", h.finished); !strings.Contains(got, "rocket") {
		t.Errorf("reacted with %s", got)
	}

	resp, err := http.Get(s.url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`dhibot_dockerfiles_total{code="",outcome="hardened"} `,
		`dhibot_scanned_repositories_total{result="looked"} 1`,
		`dhibot_campaign_repositories{installation="`,
		`dhibot_campaign_pull_requests_left{installation="`,
		`dhibot_github_calls_total{operation="create pull request",outcome="ok"} 1`,
		`dhibot_github_rate_remaining{installation="`,
		`dhibot_webhook_deliveries_total{event="issue_comment",outcome="accepted"}`,
		`dhibot_inbox_waiting{`,
		`go_goroutines `,
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}

	plan := program(t, "plan", "acme/shop")
	plan.Env = append(plan.Env, s.Env...)
	if out, err := plan.CombinedOutput(); err != nil || len(out) == 0 {
		t.Errorf("plan: %v\n%s", err, out)
	}
	for _, tt := range []struct {
		args []string
		want string // in what is printed
		fail bool
	}{
		{[]string{"scan", "--plan", "acme"}, "Repositories: 1", false},
		{[]string{"scan", "acme"}, "A pass through acme is ordered", false},
		{[]string{"scan", "nobody"}, "the App is not installed on nobody", true},
		{[]string{"scan", "acme/shop"}, "is not the name of an organisation", true},
	} {
		cmd := program(t, tt.args...)
		cmd.Env = append(cmd.Env, s.Env...)
		if out, err := cmd.CombinedOutput(); (err != nil) != tt.fail || !strings.Contains(string(out), tt.want) {
			t.Errorf("%v: %v\n%s", tt.args, err, out)
		}
	}

	if err := s.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := s.Wait(); err != nil {
		t.Errorf("ended with %v after SIGTERM", err)
	}
	down := program(t, "healthcheck")
	down.Env = append(down.Env, listen)
	var exit *exec.ExitError
	if err := down.Run(); !errors.As(err, &exit) || exit.ExitCode() != exitFailed {
		t.Errorf("healthcheck of a stopped server: %v", err)
	}

	// What was done is on record.
	jobs := func(args ...string) string {
		cmd := program(t, append([]string{"jobs"}, args...)...)
		cmd.Env = append(cmd.Env, "DHIBOT_DATABASE_URL=sqlite:"+database)
		out, err := cmd.CombinedOutput()
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		return string(out)
	}
	list := jobs("list", "--state", "done")
	if !strings.Contains(list, "acme/shop") || !strings.Contains(list, "issue_comment") {
		t.Errorf("jobs list:\n%s", list)
	}
	guid := strings.Fields(strings.Split(list, "\n")[1])[0]
	if show := jobs("show", guid); !strings.Contains(show, guid) || !strings.Contains(show, "done") {
		t.Errorf("jobs show:\n%s", show)
	}
	if retry := jobs("retry", guid); !strings.Contains(retry, guid+": ") {
		t.Errorf("jobs retry:\n%s", retry)
	}
	if missing := jobs("show", "nothing"); !strings.Contains(missing, "no such delivery") {
		t.Errorf("jobs show of nothing:\n%s", missing)
	}

	secrets := string(h.app.PrivateKeyPEM())
	for line := range strings.Lines(secrets) {
		if line = strings.TrimSpace(line); len(line) > 20 && !strings.HasPrefix(line, "-----") && strings.Contains(s.logs.String(), line) {
			t.Fatal("the private key is in the log")
		}
	}
	if strings.Contains(s.logs.String(), h.secret) {
		t.Error("the webhook secret is in the log")
	}
}

// TestKilledAfterAccepted: the process is killed right after a webhook was
// answered 202. After the next start the pull request appears, once.
func TestKilledAfterAccepted(t *testing.T) {
	t.Parallel()
	needsSignals(t)
	// Calls take so long that nothing can be done before the kill.
	h := newHub(t, standin.WithLatency(100*time.Millisecond))
	database := filepath.Join(t.TempDir(), "dhibot.db")
	s := serve(t, h, database)
	h.comment(t, "/dhi migrate")
	if status := within(t, "the answer to the webhook", h.answered); status != http.StatusAccepted {
		t.Fatalf("the webhook was answered %d", status)
	}
	if err := s.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = s.Wait() // killed
	select {
	case p := <-h.pulls:
		t.Fatalf("%s was there before the kill: the test shows nothing", p)
	default:
	}
	again := serve(t, h, database)
	within(t, "the pull request", h.pulls)
	within(t, "the reaction", h.finished)
	if err := again.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := again.Wait(); err != nil {
		t.Errorf("ended with %v after SIGTERM", err)
	}
	if len(h.pulls) > 0 {
		t.Error("a second pull request was opened")
	}
}

// TestServeOnly: another program finds all it needs in the first lines, and
// gets webhooks.
func TestServeOnly(t *testing.T) {
	t.Parallel()
	needsSignals(t)
	events := make(chan string, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Hub-Signature-256") == "" {
			t.Error("a webhook is not signed")
		}
		events <- r.Header.Get("X-GitHub-Event")
	}))
	t.Cleanup(receiver.Close)
	seed := t.TempDir()
	if err := os.MkdirAll(filepath.Join(seed, "globex", "site"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(seed, "globex", "site", "Dockerfile"), []byte("FROM nginx\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := program(t, "demo", "--serve-only", "--seed", seed, "--webhook-url", receiver.URL, "--app-id", "77")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	env := map[string]string{}
	lines := bufio.NewScanner(out)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "# ready") {
		if name, value, ok := strings.Cut(lines.Text(), "="); ok {
			env[name] = value
		}
	}
	if env["DHIBOT_APP_ID"] != "77" || env["DHIBOT_WEBHOOK_SECRET"] == "" || env["STANDIN_WEBHOOK_URL"] != receiver.URL {
		t.Errorf("settings: %v", env)
	}
	if info, err := os.Stat(env["DHIBOT_PRIVATE_KEY_FILE"]); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key file: %v, %v", info, err)
	}
	if e := within(t, "the webhook of the installation", events); e != "installation" {
		t.Errorf("the first webhook is %s", e)
	}
	// A person opens an issue through the API.
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, env["DHIBOT_GITHUB_API_URL"]+"repos/globex/site/issues",
		strings.NewReader(`{"title":"hello"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+env["STANDIN_TOKEN"])
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusCreated {
		t.Errorf("opening an issue: %s", resp.Status)
	}
	if e := within(t, "the webhook of the issue", events); e != "issues" {
		t.Errorf("the second webhook is %s", e)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("ended with %v", err)
	}
	if _, err := os.Stat(env["DHIBOT_PRIVATE_KEY_FILE"]); err == nil {
		t.Error("the generated key was left behind")
	}
}

// TestServeAddressTaken: not being able to listen is an error before anything
// else is begun.
func TestServeAddressTaken(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	ln, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	database := filepath.Join(t.TempDir(), "dhibot.db")
	cmd := program(t, "serve", "--listen", ln.Addr().String(), "--app-id", fmt.Sprint(h.app.ID()),
		"--private-key-file", h.key, "--webhook-secret", "x", "--database-url", "sqlite:"+database)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != exitFailed || !strings.Contains(string(out), "in use") {
		t.Errorf("%v\n%s", err, out)
	}
	if _, err := os.Stat(database); err == nil {
		t.Error("the database was made although nothing could be served")
	}
}

func needsSignals(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("sends signals that Windows does not have")
	}
}
