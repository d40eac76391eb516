// Package bench measures what dhibot promises: dhibot bench, and go test
// -bench of this package. Each benchmark is a file with its choices as a
// struct, Run as its method, and a table as its result.
//
// A benchmark measures the real code with nothing left out, beside the least
// that could be done instead, in turns, so that a noisy machine disturbs both.
package bench

import (
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"
)

// Measure is how long calls took, each and all together.
type Measure struct {
	mu    sync.Mutex
	calls []time.Duration
	wall  time.Duration
}

// run calls f once for every n below count from so many callers at once, and
// adds to the measure. The first error ends it.
func (m *Measure) run(callers, count int, f func(caller, n int) error) error {
	var wait sync.WaitGroup
	var next atomic.Int64
	errs := make([]error, callers)
	began := time.Now()
	for c := range callers {
		wait.Go(func() {
			took := make([]time.Duration, 0, count/callers*2)
			for {
				n := int(next.Add(1)) - 1
				if n >= count {
					break
				}
				start := time.Now()
				if errs[c] = f(c, n); errs[c] != nil {
					next.Store(int64(count)) // the others need not go on
					break
				}
				took = append(took, time.Since(start))
			}
			m.mu.Lock()
			m.calls = append(m.calls, took...)
			m.mu.Unlock()
		})
	}
	wait.Wait()
	m.wall += time.Since(began)
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// add adds one call that was measured elsewhere.
func (m *Measure) add(took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls = append(m.calls, took)
}

// Count is how many calls were measured.
func (m *Measure) Count() int { return len(m.calls) }

// Rate is calls per second, 0 when nothing was measured.
func (m *Measure) Rate() float64 {
	if m.wall <= 0 {
		return 0
	}
	return float64(len(m.calls)) / m.wall.Seconds()
}

// Percentile is the time within which p percent of the calls were done.
func (m *Measure) Percentile(p float64) time.Duration {
	if len(m.calls) == 0 {
		return 0
	}
	slices.Sort(m.calls)
	at := int(math.Ceil(float64(len(m.calls))*p/100)) - 1
	return m.calls[min(max(at, 0), len(m.calls)-1)]
}

// table prints rows of cells in columns; the first row is the heading.
func table(w io.Writer, rows [][]string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		if _, err := fmt.Fprintln(t, strings.Join(r, "\t")); err != nil {
			return err
		}
	}
	return t.Flush()
}

// loadAverage is that of the last minute, where the system says it, and
// whether it is more than half of the CPUs.
func loadAverage() (load string, busy bool) {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "", false
	}
	load, _, _ = strings.Cut(string(text), " ")
	n, err := strconv.ParseFloat(load, 64)
	return load, err == nil && n > float64(runtime.NumCPU())/2
}

func millis(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
}
