package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"dhibot/bot/event"
)

// BenchmarkWebhooks is dhibot bench webhooks with a count instead of a time:
//
//	go test -run xxx -bench Webhooks -benchtime 4000x ./cmd/dhibot/bench
func BenchmarkWebhooks(b *testing.B) {
	for _, database := range []string{"sqlite", "postgres"} {
		for _, working := range []bool{false, true} {
			name := database
			if working {
				name += "-working"
			}
			b.Run(name, func(b *testing.B) {
				w := Webhooks{Posters: 8, Size: 20 << 10, Working: working}
				r, err := w.measure(b.Context(), database, b.N)
				if errors.Is(err, ErrNoDatabase) {
					b.Skip(err)
				}
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(r.Webhooks.Rate(), "acked/s")
				b.ReportMetric(r.Bare.Rate(), "bare/s")
				b.ReportMetric(r.Ratio(), "ratio")
				b.ReportMetric(r.Webhooks.Percentile(50).Seconds()*1000, "p50-ms")
				b.ReportMetric(r.Webhooks.Percentile(99).Seconds()*1000, "p99-ms")
				b.ReportMetric(0, "ns/op") // the sum of two different things
			})
		}
	}
}

// Exactly what was asked for is measured, on both sides, and nothing is left
// in the directory.
func TestWebhooksMeasured(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := Webhooks{Posters: 3, Size: 2 << 10, round: 40}
	r, err := w.measure(t.Context(), "sqlite:"+dir, 100)
	if err != nil {
		t.Fatal(err)
	}
	if r.Webhooks.Count() != 100 || r.Bare.Count() != 100 || r.Ratio() <= 0 || r.Database != "sqlite" {
		t.Errorf("%d webhooks and %d inserts on %s, ratio %v", r.Webhooks.Count(), r.Bare.Count(), r.Database, r.Ratio())
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestWebhooksTable(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	w := Webhooks{Databases: []string{"sqlite:" + t.TempDir()}, Posters: 2, Size: 1 << 10, For: time.Millisecond, Working: true, Out: &out, round: 20}
	if err := w.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"2 posters, 1024 byte payloads", "the process also works", "sqlite  bare insert", "sqlite  webhook"} {
		if !strings.Contains(strings.ReplaceAll(out.String(), "sqlite    ", "sqlite  "), want) {
			t.Errorf("no %q in\n%s", want, &out)
		}
	}
}

// A password in a URL that does not work is not shown.
func TestNoPasswordInErrors(t *testing.T) {
	t.Parallel()
	for _, database := range []string{"postgres://me:hunter2@127.0.0.1:1/x?connect_timeout=1", "postgres://me:hunter2@[::1", "mysql://me:hunter2@x"} {
		_, err := Webhooks{Posters: 1, Size: 1 << 10}.measure(t.Context(), database, 1)
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%v", err)
		}
	}
}

func TestInterrupted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Webhooks{Posters: 1, Size: 1 << 10}.measure(ctx, "sqlite:"+dir, 1)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want that of the context", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// Only an accepted delivery counts.
func TestPosterWantsAccepted(t *testing.T) {
	t.Parallel()
	answers := []struct {
		status int
		body   string
		ok     bool
	}{{202, `{"status":"accepted"}`, true}, {202, `{"status":"duplicate"}`, false}, {503, `{"status":"error"}`, false}}
	for _, a := range answers {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		var got atomic.Pointer[http.Request]
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			got.Store(r)
			w.WriteHeader(a.status)
			_, _ = w.Write([]byte(a.body))
		})}
		go func() { _ = server.Serve(ln) }()
		p, err := newPoster(t.Context(), ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		d := payload(rand.New(rand.NewPCG(1, 1)), 3, 2<<10)
		if err := p.post(d.request()); (err == nil) != a.ok {
			t.Errorf("answered %d %s: %v", a.status, a.body, err)
		}
		if r := got.Load(); r == nil || r.Header.Get("X-Hub-Signature-256") != d.signature || r.ContentLength != int64(len(d.body)) {
			t.Errorf("sent %+v", r)
		}
		_ = p.conn.Close()
		_ = server.Close()
	}
}

func TestPayload(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	keys := map[string]bool{}
	for n := range 400 {
		for _, size := range []int{1 << 10, 20 << 10} {
			d := payload(r, n, size)
			if off := len(d.body) - size; off > 0 || off < -10 || !json.Valid(d.body) {
				t.Fatalf("%d bytes for %d: %s", len(d.body), size, d.body)
			}
			ev, err := event.Decode(d.event, d.body)
			if err != nil {
				t.Fatal(err)
			}
			if size > 1<<10 {
				keys[ev.Key()] = true
			}
		}
	}
	if len(keys) != 400 {
		t.Errorf("%d different happenings, want 400", len(keys))
	}
}

func TestMeasure(t *testing.T) {
	t.Parallel()
	m := Measure{wall: 2 * time.Second}
	if m.Percentile(50) != 0 || m.Rate() != 0 {
		t.Error("nothing was measured")
	}
	for n := range 100 {
		m.calls = append(m.calls, time.Duration(100-n)*time.Millisecond)
	}
	if m.Rate() != 50 || m.Percentile(50) != 50*time.Millisecond || m.Percentile(99) != 99*time.Millisecond || m.Percentile(100) != 100*time.Millisecond {
		t.Errorf("rate %v, p50 %v, p99 %v", m.Rate(), m.Percentile(50), m.Percentile(99))
	}
	failed := errors.New("no")
	var calls atomic.Int64
	tenth := func(_, n int) error {
		calls.Add(1)
		if n == 9 {
			return failed
		}
		return nil
	}
	if err := m.run(1, 1000, tenth); !errors.Is(err, failed) || calls.Load() != 10 {
		t.Errorf("%v after %d calls, want the error of the tenth", err, calls.Load())
	}
	if err := m.run(4, 1000, tenth); !errors.Is(err, failed) {
		t.Errorf("%v, want the error of one caller", err)
	}
}
