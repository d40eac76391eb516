package rewrite_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"runtime"
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
	if err != nil {
		b.Fatal(err)
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
// bytes, in one run: the time and the allocations are printed as ratios. The
// ratio of the best turns says more than that of all on a busy machine.
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
			var parseTime, ownTime time.Duration
			var parseAllocs, ownAllocs uint64
			parseBest, ownBest := time.Hour, time.Hour
			for b.Loop() {
				t, a := measure(parse)
				parseTime, parseAllocs, parseBest = parseTime+t, parseAllocs+a, min(parseBest, t)
				t, a = measure(migrate)
				ownTime, ownAllocs, ownBest = ownTime+t, ownAllocs+a, min(ownBest, t)
			}
			b.ReportMetric(float64(ownTime)/float64(parseTime), "x-parse-time")
			b.ReportMetric(float64(ownBest)/float64(parseBest), "x-parse-time-best")
			b.ReportMetric(float64(ownAllocs)/float64(parseAllocs), "x-parse-allocs")
			b.ReportMetric(float64(ownTime.Microseconds())/float64(b.N*rounds*len(in)), "µs/file")
		})
	}
}

// rounds are how often a half is repeated before the other one has its turn.
const rounds = 8

// measure runs a half of the comparison. It starts with a clean heap and takes
// several rounds, so that each half pays for collecting its own garbage and not
// for what the other one left behind.
func measure(f func()) (time.Duration, uint64) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	start := time.Now()
	for range rounds {
		f()
	}
	d := time.Since(start)
	runtime.ReadMemStats(&after)
	return d, after.Mallocs - before.Mallocs
}
