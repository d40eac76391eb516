package shell

import "testing"

var benchTexts = []string{
	"apt-get update && apt-get install -y --no-install-recommends curl git && rm -rf /var/lib/apt/lists/*",
	"npm ci --omit=dev",
	"set -eux; \\\n    if [ \"$WITH_SSL\" = 1 ]; then \\\n apt-get update; \\\n  apt-get install -y openssl; \\\n else echo no; fi; for p in curl wget; do apt-get install -y \"$p\"; done",
	"groupadd -r app && useradd -r -g app app && chown -R app:app /app",
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		for _, t := range benchTexts {
			if _, err := Parse(t, Sh); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkQuestions(b *testing.B) {
	var scripts []*Script
	for _, t := range benchTexts {
		s, err := Parse(t, Sh)
		if err != nil {
			b.Fatal(err)
		}
		scripts = append(scripts, s)
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, s := range scripts {
			s.Programs()
			s.Packages()
			s.Accounts()
			s.Writes("/app")
			s.OnlyPackages()
		}
	}
}
