package webhooks_test

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"dhibot/bot/inbox"
	"dhibot/webhooks"
)

const posters = 8

// BenchmarkWebhook measures the whole path of a delivery, HTTP, signature,
// decoding and durable storing with its job, with eight posters of 20 KB,
// beside inserting the same bytes into an otherwise empty table of the same
// database with the same number of callers, one durable transaction each. Both
// run in turns, so that a noisy machine disturbs both:
//
//	go test -run xxx -bench Webhook -benchtime 3000x ./webhooks
//
// acked/s and bare/s are rates, ratio is the first by the second, p50 and p99
// are those of the webhook's answer. "working" is the same while the process
// also works off what arrives, with a handler that does nothing.
func BenchmarkWebhook(b *testing.B) {
	for _, working := range []bool{false, true} {
		suffix := ""
		if working {
			suffix = "-working"
		}
		b.Run("sqlite"+suffix, func(b *testing.B) { benchmarkSQLite(b, working) })
		b.Run("postgres"+suffix, func(b *testing.B) { benchmarkPostgres(b, working) })
	}
}

func benchmarkSQLite(b *testing.B, working bool) {
	dir := b.TempDir()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "bare.db")+
		"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate")
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("CREATE TABLE bare (guid TEXT PRIMARY KEY, body BLOB NOT NULL)"); err != nil {
		b.Fatal(err)
	}
	benchmark(b, "sqlite:"+filepath.Join(dir, "inbox.db"), working, func(guid string, body []byte) error {
		_, err := db.Exec("INSERT INTO bare (guid, body) VALUES ($1, $2)", guid, body)
		return err
	})
}

func benchmarkPostgres(b *testing.B, working bool) {
	url := pg.URL(b)
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, url+fmt.Sprintf("&pool_max_conns=%d", posters))
	if err != nil {
		b.Fatal(err)
	}
	defer pool.Close()
	if _, err := pool.Exec(ctx, "CREATE TABLE bare (guid TEXT PRIMARY KEY, body BYTEA NOT NULL)"); err != nil {
		b.Fatal(err)
	}
	benchmark(b, url, working, func(guid string, body []byte) error {
		_, err := pool.Exec(ctx, "INSERT INTO bare (guid, body) VALUES ($1, $2)", guid, body)
		return err
	})
}

func benchmark(b *testing.B, url string, working bool, bare func(guid string, body []byte) error) {
	box, err := inbox.Open(b.Context(), url)
	if err != nil {
		b.Fatal(err)
	}
	defer box.Close()
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	ln := listen(b)
	go func() { served <- webhooks.Serve(ctx, ln, handler(b, webhooks.Config{Inbox: box})) }()
	worked := make(chan error, 1)
	if working {
		go func() {
			worked <- box.Run(ctx, func(context.Context, inbox.Delivery) error { return nil })
		}()
	} else {
		worked <- nil
	}
	keepAlive := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: posters}}
	defer keepAlive.CloseIdleConnections()

	// Distinct comments in a hundred repositories of ten installations.
	payload := func(n int) string {
		p := strings.NewReplacer(`"id":11`, fmt.Sprintf(`"id":%d`, n+1), `"id":5`, fmt.Sprintf(`"id":%d`, n%100+1), `"id":42`, fmt.Sprintf(`"id":%d`, n%10+1)).Replace(comment)
		return p[:len(p)-1] + `,"padding":"` + strings.Repeat("x", 20<<10-len(p)-13) + `"}`
	}
	var took []time.Duration
	var mu sync.Mutex
	webhook := func(n int) error {
		r := delivery(fmt.Sprintf("webhook-%d", n), "issue_comment", payload(n))
		r.RequestURI, r.URL.Scheme, r.URL.Host = "", "http", ln.Addr().String()
		began := time.Now()
		resp, err := keepAlive.Do(r)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusAccepted {
			return fmt.Errorf("answered %d, %v", resp.StatusCode, err)
		}
		mu.Lock()
		took = append(took, time.Since(began))
		mu.Unlock()
		return nil
	}
	insert := func(n int) error { return bare(fmt.Sprintf("bare-%d", n), []byte(payload(n))) }

	// both runs n of each, in turns of a fifth.
	var webhookTime, bareTime time.Duration
	b.ResetTimer()
	for turn := range 5 {
		from, to := b.N*turn/5, b.N*(turn+1)/5
		bareTime += inParallel(b, from, to, insert)
		webhookTime += inParallel(b, from, to, webhook)
	}
	b.StopTimer()
	if webhookTime > 0 && bareTime > 0 {
		acked, bareRate := float64(b.N)/webhookTime.Seconds(), float64(b.N)/bareTime.Seconds()
		slices.Sort(took)
		b.ReportMetric(acked, "acked/s")
		b.ReportMetric(bareRate, "bare/s")
		b.ReportMetric(acked/bareRate, "ratio")
		b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
		b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
		b.ReportMetric(0, "ns/op") // the sum of two different things
	}
	cancel()
	if err := <-served; err != nil {
		b.Error(err)
	}
	if err := <-worked; err != nil {
		b.Error(err)
	}
}

// inParallel calls f for every n of the range from eight goroutines.
func inParallel(b *testing.B, from, to int, f func(n int) error) time.Duration {
	var callers sync.WaitGroup
	began := time.Now()
	for p := range posters {
		callers.Go(func() {
			for n := from + p; n < to; n += posters {
				if err := f(n); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	callers.Wait()
	return time.Since(began)
}
