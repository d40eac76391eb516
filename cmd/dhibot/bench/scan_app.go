package bench

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"dhibot/bot/manifest"
	"dhibot/bot/standin"
)

// appProcess is dhibot serve as a process of its own, so that its memory is not
// the stand-in's.
type appProcess struct {
	standin *standin.App
	program string
	env     []string
	cmd     *exec.Cmd
	done    chan int64 // installations whose pass is complete
	ended   chan error
}

// startApp registers the App at the stand-in, starts it and waits until it is
// ready.
func startApp(ctx context.Context, program, dir string, hub *standin.Server) (*appProcess, error) {
	var l net.ListenConfig
	ln, err := l.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("looking for a free port: %w", err)
	}
	address := ln.Addr().String()
	if err := ln.Close(); err != nil {
		return nil, fmt.Errorf("looking for a free port: %w", err)
	}
	secret := rand.Text()
	app, err := hub.AddApp(standin.AppConfig{Slug: "dhibot", Secret: secret, WebhookURL: "http://" + address + "/api/github/webhooks", Permissions: manifest.Permissions(), Events: manifest.Events()})
	if err != nil {
		return nil, fmt.Errorf("registering the App: %w", err)
	}
	key := filepath.Join(dir, "key.pem")
	if err := os.WriteFile(key, app.PrivateKeyPEM(), 0o600); err != nil {
		return nil, fmt.Errorf("writing the App's key: %w", err)
	}
	a := &appProcess{standin: app, program: program, done: make(chan int64, 16), ended: make(chan error, 1), env: append(os.Environ(),
		"DHIBOT_APP_ID="+strconv.FormatInt(app.ID(), 10), "DHIBOT_PRIVATE_KEY_FILE="+key, "DHIBOT_WEBHOOK_SECRET="+secret,
		"DHIBOT_GITHUB_API_URL="+hub.APIURL(), "DHIBOT_LISTEN="+address, "DHIBOT_DATABASE_URL=sqlite:"+filepath.Join(dir, "dhibot.db"),
		"DHIBOT_LOG_LEVEL=info", "DHIBOT_LOG_FORMAT=json")}
	a.cmd = exec.CommandContext(ctx, program, "serve") // #nosec G204 -- our own program
	a.cmd.Env = a.env
	a.cmd.Cancel = func() error { return a.cmd.Process.Signal(os.Interrupt) }
	a.cmd.WaitDelay = 30 * time.Second
	out, in := io.Pipe()
	a.cmd.Stdout, a.cmd.Stderr = in, in
	if err := a.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the App: %w", err)
	}
	go a.read(out)
	go func() { a.ended <- errors.Join(a.cmd.Wait(), in.Close()) }()
	return a, a.ready(ctx, "http://"+address+"/readyz")
}

// read follows the log.
func (a *appProcess) read(out io.Reader) {
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line struct {
			Message      string `json:"message"`
			Installation int64  `json:"installation"`
		}
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Message == "pass complete" {
			a.done <- line.Installation
		}
	}
	_, _ = io.Copy(io.Discard, out) // a line too long must not block the App
}

func (a *appProcess) ready(ctx context.Context, url string) error {
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case err := <-a.ended:
			a.ended <- err
			return fmt.Errorf("the App ended: %w", err)
		default:
		}
		if !sleep(ctx, 50*time.Millisecond) {
			return ctx.Err()
		}
	}
	return errors.New("the App was not ready within a minute")
}

// order has the App make another pass.
func (a *appProcess) order(ctx context.Context, organisation string) error {
	cmd := exec.CommandContext(ctx, a.program, "scan", organisation) // #nosec G204 -- our own program
	cmd.Env = a.env
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("ordering a pass: %w: %s", err, out)
	}
	return nil
}

// pass waits until a pass through an installation is complete.
func (a *appProcess) pass(ctx context.Context, installation int64, most time.Duration, progress func()) error {
	end := time.NewTimer(most)
	defer end.Stop()
	now := time.NewTicker(30 * time.Second)
	defer now.Stop()
	for {
		select {
		case id := <-a.done:
			if id == installation {
				return nil
			}
		case <-now.C:
			progress()
		case err := <-a.ended:
			a.ended <- err
			return fmt.Errorf("the App ended: %w", err)
		case <-end.C:
			return fmt.Errorf("a pass was not complete within %s", most)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// memory is the largest resident set so far, in bytes; 0 where the system does
// not say (Linux: VmHWM in /proc/PID/status, in KiB).
func (a *appProcess) memory() int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", a.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			if err == nil {
				return n << 10
			}
		}
	}
	return 0
}

// stop ends the App in good order.
func (a *appProcess) stop() error {
	if err := a.cmd.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stopping the App: %w", err)
	}
	err := <-a.ended
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 130 {
		return nil // interrupted, as it was told
	}
	if err != nil {
		return fmt.Errorf("stopping the App: %w", err)
	}
	return nil
}
