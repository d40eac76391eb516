package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"dhibot/bot/inbox/pgserver"
	"dhibot/bot/standin"
)

// happened counts, per repository, what dhibot did that others can see.
type happened struct {
	mu                      sync.Mutex
	pulls, answers, rockets map[string]int
}

func (h *happened) observe(e standin.Exchange) {
	parts := strings.Split(strings.TrimPrefix(e.Path, "/api/v3"), "/")
	if e.Method != http.MethodPost || e.Status >= 300 || len(parts) < 4 {
		return
	}
	repo := parts[2] + "/" + parts[3]
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case e.Route == "/repos/{owner}/{repo}/pulls":
		h.pulls[repo]++
	case strings.HasPrefix(e.Route, "/repos/{owner}/{repo}/issues/") && strings.HasSuffix(e.Route, "/comments"):
		h.answers[repo]++
	case strings.HasSuffix(e.Route, "/reactions") && strings.Contains(string(e.RequestBody), "rocket"):
		h.rockets[repo]++
	}
}

func (h *happened) counts() (pulls, done int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.pulls), len(h.rockets)
}

// balancer hands each delivery to one of the processes that live, as what
// stands in front of replicas does, until one of them answers.
type balancer struct {
	closed chan struct{} // nobody will answer any more

	mu   sync.Mutex
	urls []string
}

func (b *balancer) set(i int, url string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.urls[i] = url
}

func (b *balancer) pick() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.urls[rand.IntN(len(b.urls))]
}

func (b *balancer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		req, err := http.NewRequestWithContext(r.Context(), r.Method, b.pick()+r.URL.Path, bytes.NewReader(body))
		if err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		req.Header = r.Header.Clone()
		if resp, err := http.DefaultClient.Do(req); err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
			w.WriteHeader(resp.StatusCode)
			return
		}
		select {
		case <-again.C: // killed; another one, or the next one
		case <-r.Context().Done():
			return
		case <-b.closed:
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
	}
}

// TestChaosServe: people ask for migrations in many repositories while dhibot
// serve is killed again and again, one process on SQLite and three on Postgres,
// and deliveries come twice and out of order. Each repository gets one pull
// request and each person one answer. The long form:
//
//	DHIBOT_CHAOS=long go test -run TestChaosServe -v -timeout 30m ./cmd/dhibot
func TestChaosServe(t *testing.T) {
	t.Parallel()
	needsSignals(t)
	if testing.Short() {
		t.Skip("-short")
	}
	repos, kills := 6, 3
	if os.Getenv("DHIBOT_CHAOS") == "long" {
		repos, kills = 50, 20
	}
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		chaosServe(t, "sqlite:"+filepath.Join(t.TempDir(), "dhibot.db"), 1, repos, kills)
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		server, err := pgserver.Start(t.Context())
		if errors.Is(err, pgserver.ErrMissing) {
			t.Skip(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(server.Stop)
		url, err := server.Database(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		chaosServe(t, url, 3, repos, kills)
	})
}

func chaosServe(t *testing.T, database string, processes, repos, kills int) {
	seen := &happened{pulls: map[string]int{}, answers: map[string]int{}, rockets: map[string]int{}}
	h := newHub(t, standin.WithObserver(seen.observe), standin.WithLatency(5*time.Millisecond))
	h.SwitchDeliveries(standin.DeliverySwitches{Duplicate: 0.3, Reorder: 0.3})
	front := &balancer{closed: make(chan struct{}), urls: make([]string, processes)}
	running := make([]*served, processes)
	for i := range running {
		running[i] = startServe(t, h, database)
		front.set(i, running[i].url)
	}
	edge := httptest.NewServer(front)
	defer edge.Close()
	defer close(front.closed)
	h.app.SetWebhook(edge.URL+"/api/github/webhooks", h.secret)

	began := time.Now()
	// An installation each: writes of one are a second apart.
	var asked []string
	for n := range repos {
		org := fmt.Sprintf("org%d", n)
		h.AddMember(org, "ada", true)
		repo, err := h.AddRepository(org, "shop", standin.Text(map[string]string{"Dockerfile": "FROM node:22\n"}))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.app.Install(org); err != nil {
			t.Fatal(err)
		}
		if _, err := repo.Comment("ada", repo.OpenIssue("ada", "Hardened images", ""), "/dhi migrate"); err != nil {
			t.Fatal(err)
		}
		asked = append(asked, repo.FullName())
	}
	await := func(what string, is func() bool) {
		t.Helper()
		deadline := time.After(5 * time.Minute)
		look := time.NewTicker(5 * time.Millisecond)
		defer look.Stop()
		for !is() {
			select {
			case <-look.C:
			case <-deadline:
				t.Fatalf("waited in vain until %s: %+v", what, seen)
			}
		}
	}
	for k := range kills {
		await(fmt.Sprintf("enough is done for kill %d", k+1), func() bool { pulls, _ := seen.counts(); return pulls > k*repos/(kills+1) })
		i := rand.IntN(processes)
		if err := running[i].Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = running[i].Wait() // killed
		running[i] = startServe(t, h, database)
		front.set(i, running[i].url)
	}
	await("everybody has an answer", func() bool { _, done := seen.counts(); return done == repos })
	took := time.Since(began).Round(time.Second)
	for _, s := range running {
		if err := s.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if err := s.Wait(); err != nil {
			t.Errorf("ended with %v after SIGTERM", err)
		}
	}
	seen.mu.Lock()
	defer seen.mu.Unlock()
	for what, got := range map[string]map[string]int{"pull requests": seen.pulls, "answers": seen.answers} {
		for _, repo := range asked {
			if got[repo] != 1 {
				t.Errorf("%s has %d %s", repo, got[repo], what)
			}
		}
		for repo, n := range got { // some are opened without being asked for
			if n > 1 {
				t.Errorf("%s has %d %s", repo, n, what)
			}
		}
	}
	t.Logf("%d repositories, %d kills in %s: %d pull requests, %d answers", repos, kills, took, len(seen.pulls), len(seen.answers))
}
