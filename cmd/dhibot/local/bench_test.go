package local

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"dhibot/rewrite"
)

// BenchmarkDirectory4000 migrates a repository with 4,000 Dockerfiles, each in
// a directory with the files that its story has, two at a time and proved. It
// reports the seconds for all of them, the search included, and what is alive
// after a quarter and after all of them: the difference is what it piles up.
func BenchmarkDirectory4000(b *testing.B) {
	const count = 4000
	stories, err := filepath.Glob("../../../testdata/migrations/*/*.txtar")
	if err != nil || len(stories) == 0 {
		b.Fatal("no stories", err)
	}
	dir, err := filepath.EvalSymlinks(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	for i := range count {
		story, err := txtar.ParseFile(stories[i%len(stories)])
		if err != nil {
			b.Fatal(err)
		}
		for k, f := range story.Files {
			name := f.Name
			if k == 0 {
				name = "Dockerfile"
			}
			file := filepath.Join(dir, fmt.Sprintf("team%02d/service%04d", i/100, i), filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				b.Fatal(err)
			}
			if err := os.WriteFile(file, f.Data, 0o644); err != nil {
				b.Fatal(err)
			}
		}
	}
	var took time.Duration
	var early, late uint64
	for b.Loop() {
		start := time.Now()
		jobs, err := Find(b.Context(), dir, []string{"."})
		if err != nil {
			b.Fatal(err)
		}
		done := 0
		err = Run(b.Context(), jobs.List, 2, rewrite.Migrate, func(_ Job, r *rewrite.Result) error {
			switch done++; done {
			case count / 4:
				early = max(early, live())
			case count:
				late = max(late, live())
			}
			return nil
		})
		took += time.Since(start)
		if err != nil || done < count {
			b.Fatal(done, err)
		}
		if err := jobs.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(took.Seconds()/float64(b.N), "s/4000-files")
	b.ReportMetric(float64(early)/(1<<20), "MB-after-1000")
	b.ReportMetric(float64(late)/(1<<20), "MB-after-4000")
}

// live is the heap that is in use once everything unused is collected.
func live() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
