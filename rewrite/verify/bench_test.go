package verify

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"dhibot/rewrite/goldentest"
)

// BenchmarkCheckRatio proves the nasty inputs, moved to dev images, and reports
// the time against BuildKit's parser on the originals, within one run. Its time
// per operation is that of both.
func BenchmarkCheckRatio(b *testing.B) {
	var inputs []In
	for _, content := range goldentest.Hard(b, "../..") {
		if in, ok := migrated(b, content); ok {
			inputs = append(inputs, in)
		}
	}
	var ours, parse time.Duration
	for b.Loop() {
		start := time.Now()
		for _, in := range inputs {
			Check(context.Background(), in)
		}
		ours += time.Since(start)
		start = time.Now()
		for _, in := range inputs {
			if _, err := parser.Parse(bytes.NewReader(in.Before)); err != nil {
				b.Fatal(err)
			}
		}
		parse += time.Since(start)
	}
	b.ReportMetric(float64(ours)/float64(parse), "x-parser")
}
