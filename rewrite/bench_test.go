package rewrite_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"golang.org/x/tools/txtar"

	"dhibot/rewrite"
)

// inputs are the Dockerfiles of the stories and the hard ones that parse.
func inputs(b *testing.B) []rewrite.Input {
	b.Helper()
	var out []rewrite.Input
	hard, err := filepath.Glob("../testdata/nasty/*.Dockerfile")
	if err != nil {
		b.Fatal(err)
	}
	for _, f := range hard {
		content, err := os.ReadFile(f)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := parser.Parse(bytes.NewReader(content)); err == nil {
			out = append(out, rewrite.Input{Path: "Dockerfile", Content: content})
		}
	}
	stories, err := filepath.Glob(migrations + "/*/*.txtar")
	if err != nil || len(stories) == 0 || len(hard) == 0 {
		b.Fatalf("%d stories and %d hard files (%v)", len(stories), len(hard), err)
	}
	for _, f := range stories {
		ar, err := txtar.ParseFile(f)
		if err != nil {
			b.Fatal(err)
		}
		repo := fstest.MapFS{}
		for _, a := range ar.Files {
			repo[a.Name] = &fstest.MapFile{Data: a.Data}
		}
		out = append(out, rewrite.Input{Path: ar.Files[0].Name, Content: ar.Files[0].Data, FS: repo})
	}
	return out
}

// BenchmarkMigrate compares a migration with BuildKit's parser on the same
// bytes, in one run: the time and the allocations are printed as ratios. On a
// busy machine the ratio of the best turns says more than that of all, and the
// ratio of the processor's time, which counts all threads, more than both.
func BenchmarkMigrate(b *testing.B) {
	in := inputs(b)
	parse := func() {
		for _, i := range in {
			if _, err := parser.Parse(bytes.NewReader(i.Content)); err != nil {
				b.Fatal(err)
			}
		}
	}
	for _, mode := range []struct {
		name   string
		verify bool
	}{{"without-verify", false}, {"with-verify", true}} {
		b.Run(mode.name, func(b *testing.B) {
			migrate := func() {
				for _, i := range in {
					i.FS = nil
					i.Options.SkipVerify = !mode.verify
					if _, err := rewrite.Migrate(context.Background(), i); err != nil {
						b.Fatal(err)
					}
				}
			}
			migrate()
			var parsing, own cost
			for b.Loop() {
				parsing.measure(b, parse)
				own.measure(b, migrate)
			}
			b.ReportMetric(float64(own.time)/float64(parsing.time), "x-parse-time")
			b.ReportMetric(float64(own.best)/float64(parsing.best), "x-parse-time-best")
			b.ReportMetric(float64(own.cpu)/float64(parsing.cpu), "x-parse-cpu")
			b.ReportMetric(float64(own.allocs)/float64(parsing.allocs), "x-parse-allocs")
			b.ReportMetric(float64(own.time.Microseconds())/float64(b.N*rounds*len(in)), "µs/file")
		})
	}
}

// rounds are how often a half is repeated before the other one has its turn.
const rounds = 8

// cost is what a half of the comparison took.
type cost struct {
	time, best, cpu time.Duration
	allocs          uint64
}

// measure runs a half of the comparison. It starts with a clean heap and takes
// several rounds, so that each half pays for collecting its own garbage and not
// for what the other one left behind.
func (c *cost) measure(b *testing.B, f func()) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	start, cpu := time.Now(), processor(b)
	for range rounds {
		f()
	}
	d := time.Since(start)
	c.cpu += processor(b) - cpu
	runtime.ReadMemStats(&after)
	c.time, c.allocs = c.time+d, c.allocs+after.Mallocs-before.Mallocs
	if c.best == 0 || d < c.best {
		c.best = d
	}
}

// processor is the time that the process has had on all processors.
func processor(b *testing.B) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
