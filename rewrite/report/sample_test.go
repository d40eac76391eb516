package report

import (
	"strings"

	"dhibot/rewrite"
)

const docs = "https://docs.docker.com/dhi/migration/#migration-considerations"

// hardened is a single-stage Go file that was split, with every part of a
// result in use.
func hardened() *rewrite.Result {
	before := "#syntax=docker/dockerfile:1\n\nFROM golang:latest\n\nWORKDIR /app\nADD . ./\n" +
		"RUN CGO_ENABLED=0 go build -o main .\n\nEXPOSE 80\nENTRYPOINT [\"/app/main\"]\n"
	after := "#syntax=docker/dockerfile:1\n\nFROM dhi.io/golang:1-debian13-dev AS builder\n\nWORKDIR /app\nADD . ./\n" +
		"RUN CGO_ENABLED=0 go build -o main .\n\nFROM dhi.io/static:20250419-debian13\nWORKDIR /app\n" +
		"COPY --from=builder /app/main /app/main\nEXPOSE 8080\nENTRYPOINT [\"/app/main\"]\n"
	return &rewrite.Result{
		Path: "services/api/Dockerfile", Outcome: rewrite.Hardened,
		Reason: "the binary is linked statically, so it runs without a libc",
		Before: []byte(before), After: []byte(after),
		Stages: []rewrite.Stage{
			{Name: "builder", From: "golang:latest", To: "dhi.io/golang:1-debian13-dev", Role: rewrite.RoleBuild},
			{To: "dhi.io/static:20250419-debian13", Role: rewrite.RoleRuntime, Final: true, User: "65532"},
		},
		Changes: []rewrite.Change{
			{Rule: "base-image", Lines: [2]int{3, 3}, NewLines: [2]int{3, 3}, Before: "golang:latest",
				After: "dhi.io/golang:1-debian13-dev AS builder",
				Why:   "`go build` on line 7 needs the Go tools and a shell, which only the dev image has", Docs: docs},
			{Rule: "multi-stage", Lines: [2]int{8, 8}, NewLines: [2]int{8, 11}, After: "FROM dhi.io/static:20250419-debian13",
				Why: "what ships needs only /app/main; the image no longer carries the compiler, a shell or a package manager", Docs: docs},
			{Rule: "ports", Lines: [2]int{9, 9}, NewLines: [2]int{12, 12}, Before: "EXPOSE 80", After: "EXPOSE 8080",
				Why: "uid 65532 cannot bind a port below 1024 in Kubernetes", Docs: docs},
		},
		Checklist: []rewrite.Item{
			{Rule: "ports", When: rewrite.BeforeMerge, Text: "`main.go` listens on :80; make it listen on :8080",
				Evidence: []rewrite.Evidence{{Path: "services/api/main.go", Line: 12}, {Path: "deploy/api.yaml", Line: 22}}},
			{Rule: "nonroot-user", When: rewrite.AfterDeploy, Text: "Check that /data may be written by uid 65532"},
		},
		LeftAlone: []rewrite.LeftAlone{{Rule: "tls-certificates", Lines: [2]int{7, 7}, What: "RUN go build", Why: "installs no certificates"}},
		Files: []rewrite.FileChange{{
			Path: "services/api/app conf.env", Before: []byte("PORT=80"), After: []byte("PORT=8080"),
			Changes: []rewrite.Change{{Rule: "ports", Lines: [2]int{1, 1}, NewLines: [2]int{1, 1}, Before: "80", After: "8080",
				Why: "EXPOSE moved to 8080", Docs: docs}},
		}},
		Catalog: "2026-08-22",
	}
}

func skipped() *rewrite.Result {
	text := []byte("FROM internal/base:3\nRUN make\n")
	return &rewrite.Result{
		Path: "tools/Dockerfile", Outcome: rewrite.Skipped, Code: "no-equivalent", Line: 1,
		Reason: "internal/base has no equivalent in the catalog", Before: text, After: text,
		Stages: []rewrite.Stage{{From: "internal/base:3", To: "internal/base:3", Role: rewrite.RoleRuntime, Final: true}},
		LeftAlone: []rewrite.LeftAlone{{Rule: "base-image", Lines: [2]int{1, 1}, What: "internal/base:3",
			Why: "not an image that is known"}},
	}
}

// hostile carries what an attacker would put into a repository: terminal
// escapes, bidi overrides, Markdown, mentions, fences and lines that look like
// the header of a patch.
func hostile() *rewrite.Result {
	evil := "x\x1b]0;owned\x07\u202e`</code><img src=x onerror=alert(1)>`` @everyone #1 | [a](javascript:b)\n--- a/etc/passwd\n+++ b/etc/passwd"
	return &rewrite.Result{
		Path: "a|b`c\u202e/Dockerfile", Outcome: rewrite.Failed, Code: "parse-error", Line: 2, Reason: evil,
		Before: []byte("FROM a\n```\n" + evil + "\n"), After: []byte("FROM b\n````\n" + evil + "\n"),
		Stages: []rewrite.Stage{{Name: evil, From: evil, To: "b", Final: true}},
		Changes: []rewrite.Change{{Rule: "base-image", Lines: [2]int{1, 1}, NewLines: [2]int{1, 1},
			Before: evil, After: evil, Why: evil, Docs: "javascript:alert(1)"}},
		Checklist: []rewrite.Item{{Rule: evil, Text: evil, Evidence: []rewrite.Evidence{{Path: evil, Line: 1}}}},
		LeftAlone: []rewrite.LeftAlone{{Rule: evil, What: evil, Why: evil, Lines: [2]int{1, 3}}},
	}
}

func render(t interface{ Fatal(...any) }, f Format, o Options, results ...*rewrite.Result) string {
	var b strings.Builder
	w, err := New(&b, f, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if err := w.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
