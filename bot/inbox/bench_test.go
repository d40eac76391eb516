package inbox

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// BenchmarkPut measures storing a delivery of 20 KB with its job, beside
// inserting the same bytes into an otherwise empty table of the same database,
// both durable, in turns, with 1 and with 8 callers:
//
//	go test -run xxx -bench Put -benchtime 3000x ./bot/inbox
func BenchmarkPut(b *testing.B) {
	for _, callers := range []int{1, 8} {
		b.Run(fmt.Sprintf("sqlite/%d", callers), func(b *testing.B) {
			dir := b.TempDir()
			db, err := openSQLiteFile(b.Context(), filepath.Join(dir, "bare.db"))
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			benchmarkPut(b, callers, "sqlite:"+filepath.Join(dir, "inbox.db"), "BLOB", func(query string, args ...any) error {
				_, err := db.Exec(query, args...)
				return err
			})
		})
		b.Run(fmt.Sprintf("postgres/%d", callers), func(b *testing.B) {
			url := pg.URL(b)
			pool, err := pgxpool.New(b.Context(), url+fmt.Sprintf("&pool_max_conns=%d", callers))
			if err != nil {
				b.Fatal(err)
			}
			defer pool.Close()
			benchmarkPut(b, callers, url, "BYTEA", func(query string, args ...any) error {
				_, err := pool.Exec(context.Background(), query, args...)
				return err
			})
		})
	}
}

func benchmarkPut(b *testing.B, callers int, url, bytes string, exec func(string, ...any) error) {
	if err := exec("CREATE TABLE bare (guid TEXT PRIMARY KEY, body " + bytes + " NOT NULL)"); err != nil {
		b.Fatal(err)
	}
	box, err := Open(b.Context(), url)
	if err != nil {
		b.Fatal(err)
	}
	defer box.Close()
	body := []byte(strings.Repeat("a payload of GitHub's is text and repeats itself ", 418))
	bare := func(n int) error {
		return exec("INSERT INTO bare (guid, body) VALUES ($1, $2)", fmt.Sprint(n), body)
	}
	put := func(n int) error {
		_, err := box.Put(context.Background(), Delivery{GUID: fmt.Sprint(n), Event: "push", Installation: int64(n % 10), Repository: int64(n%100) + 1,
			Key: fmt.Sprintf("push:%d", n), Body: body})
		return err
	}
	var bareTimes, putTimes times
	b.ResetTimer()
	for turn := range 5 {
		from, to := b.N*turn/5, b.N*(turn+1)/5
		bareTimes.run(b, callers, from, to, bare)
		putTimes.run(b, callers, from, to, put)
	}
	b.StopTimer()
	b.ReportMetric(putTimes.rate(), "put/s")
	b.ReportMetric(bareTimes.rate(), "bare/s")
	b.ReportMetric(putTimes.rate()/bareTimes.rate(), "ratio")
	b.ReportMetric(putTimes.percentile(50), "p50-ms")
	b.ReportMetric(putTimes.percentile(99), "p99-ms")
	b.ReportMetric(0, "ns/op") // the sum of two different things
}

// times of single calls and of all together.
type times struct {
	mu    sync.Mutex
	calls []time.Duration
	all   time.Duration
}

func (t *times) run(b *testing.B, callers, from, to int, f func(int) error) {
	var wait sync.WaitGroup
	began := time.Now()
	for c := range callers {
		wait.Go(func() {
			for n := from + c; n < to; n += callers {
				start := time.Now()
				if err := f(n); err != nil {
					b.Error(err)
					return
				}
				took := time.Since(start)
				t.mu.Lock()
				t.calls = append(t.calls, took)
				t.mu.Unlock()
			}
		})
	}
	wait.Wait()
	t.all += time.Since(began)
}

func (t *times) rate() float64 { return float64(len(t.calls)) / max(t.all.Seconds(), 1e-9) }

func (t *times) percentile(p int) float64 {
	if len(t.calls) == 0 {
		return 0
	}
	slices.Sort(t.calls)
	return float64(t.calls[min(len(t.calls)-1, len(t.calls)*p/100)].Microseconds()) / 1000
}
