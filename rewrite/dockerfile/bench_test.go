package dockerfile

import (
	"bytes"
	"testing"
	"time"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"dhibot/rewrite/goldentest"
)

// BenchmarkParseRatio reads the nasty inputs and reports, within one run, the
// time against BuildKit's parser alone and against its parser with its
// instructions. Its time per operation is that of all three together.
func BenchmarkParseRatio(b *testing.B) {
	var inputs [][]byte
	for _, content := range goldentest.Hard(b, "../..") {
		if _, err := Parse(content); err == nil {
			inputs = append(inputs, content)
		}
	}
	var ours, parse, both time.Duration
	for b.Loop() {
		start := time.Now()
		for _, content := range inputs {
			if _, err := Parse(content); err != nil {
				b.Fatal(err)
			}
		}
		ours += time.Since(start)
		start = time.Now()
		for _, content := range inputs {
			if _, err := parser.Parse(bytes.NewReader(content)); err != nil {
				b.Fatal(err)
			}
		}
		parse += time.Since(start)
		start = time.Now()
		for _, content := range inputs {
			ast, err := parser.Parse(bytes.NewReader(content))
			if err != nil {
				b.Fatal(err)
			}
			if _, _, err := instructions.Parse(ast.AST, linter.New(&linter.Config{})); err != nil {
				b.Fatal(err)
			}
		}
		both += time.Since(start)
	}
	b.ReportMetric(float64(ours)/float64(parse), "x-parser")
	b.ReportMetric(float64(ours)/float64(both), "x-parser+instructions")
}

// The next three compare allocations.

func BenchmarkParse(b *testing.B) {
	benchmark(b, func(content []byte) error {
		_, err := Parse(content)
		return err
	})
}

func BenchmarkBuildKitParser(b *testing.B) {
	benchmark(b, func(content []byte) error {
		_, err := parser.Parse(bytes.NewReader(content))
		return err
	})
}

func BenchmarkBuildKitInstructions(b *testing.B) {
	benchmark(b, func(content []byte) error {
		ast, err := parser.Parse(bytes.NewReader(content))
		if err == nil {
			_, _, err = instructions.Parse(ast.AST, linter.New(&linter.Config{}))
		}
		return err
	})
}

func benchmark(b *testing.B, read func([]byte) error) {
	var inputs [][]byte
	for _, content := range goldentest.Hard(b, "../..") {
		if _, err := Parse(content); err == nil {
			inputs = append(inputs, content)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, content := range inputs {
			if err := read(content); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkRetarget(b *testing.B) {
	f := mustParse(b, "ARG V=22.12.0\nARG VARIANT=bookworm-slim\nFROM node:${V}-${VARIANT} AS a\nFROM node:${V}\n")
	targets := []Target{target(f.Stages[0].Base, "dhi.io/node:22-debian13-dev"), target(f.Stages[1].Base, "dhi.io/node:22-debian13")}
	b.ReportAllocs()
	for b.Loop() {
		if errs := errorsOf(f.Retarget(targets)); len(errs) > 0 {
			b.Fatal(errs)
		}
	}
}
