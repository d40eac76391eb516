package body

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"dhibot/rewrite"
	"dhibot/rewrite/goldentest"

	"github.com/google/go-cmp/cmp"
)

const (
	docsURL  = "https://docs.docker.com/dhi/"
	filesURL = "https://github.com/acme/shop/blob/1111111111111111111111111111111111111111"
)

// node is the repository of a small Node service, as a reviewer would meet it.
func node() *rewrite.Result {
	return &rewrite.Result{
		Path: "api/Dockerfile", Outcome: rewrite.Hardened, Catalog: "2026-08-22", Ports: []int{3000},
		Before: []byte("FROM node:22\n"), After: []byte("FROM dhi.io/node:22.23-debian13\n"),
		Stages: []rewrite.Stage{
			{Name: "build", From: "node:22", To: "dhi.io/node:22.23-debian13-dev", Role: rewrite.RoleBuild, User: "root"},
			{To: "dhi.io/node:22.23-debian13", Role: rewrite.RoleRuntime, Final: true, User: "1000"},
		},
		Changes: []rewrite.Change{
			{Rule: "base-image", Lines: [2]int{3, 3}, NewLines: [2]int{4, 4}, Before: "FROM node:22", After: "FROM dhi.io/node:22.23-debian13-dev AS build",
				Why: "`npm ci` on line 7 needs a shell and npm: only the `-dev` image has them.", Docs: docsURL + "base-image"},
			{Rule: "multi-stage", Lines: [2]int{8, 8}, NewLines: [2]int{12, 14}, After: "FROM dhi.io/node:22.23-debian13\nWORKDIR /app\nENV A=1",
				Why: "The image that ships no longer carries npm, a shell or 41 build packages.", Docs: docsURL + "multi-stage"},
			{Rule: "tls-certificates", Lines: [2]int{9, 9}, Before: "RUN apt-get install ca-certificates",
				Why: "The image has certificates.", Docs: docsURL + "tls"},
		},
		Checklist: []rewrite.Item{
			{Rule: "base-image", When: rewrite.BeforeMerge, Text: "Log in to `dhi.io` where this Dockerfile is built",
				Evidence: []rewrite.Evidence{{Path: ".github/workflows/release.yml", Line: 31}, {Path: ".github/workflows/pr.yml", Line: 18}}},
			{Rule: "nonroot-user", When: rewrite.AfterDeploy, Text: "`/data` belongs to root today, the container now runs as uid 1000",
				Evidence: []rewrite.Evidence{{Path: "deploy/k8s/api.yaml", Line: 22}}},
		},
		LeftAlone: []rewrite.LeftAlone{{Rule: "no-shell", Lines: [2]int{13, 14}, What: "HEALTHCHECK CMD node health.js", Why: "It already runs `node`."}},
	}
}

func dev() *rewrite.Result {
	return &rewrite.Result{
		Path: "jobs/Dockerfile", Outcome: rewrite.Dev, Code: "shell", Line: 9, Catalog: "2026-08-22",
		Reason: "`run.sh` starts the program and needs `/bin/sh`, which the runtime image lacks.",
		Before: []byte("FROM python:3.13\n"), After: []byte("FROM dhi.io/python:3.13-debian13-dev\n"),
		Stages: []rewrite.Stage{{From: "python:3.13", To: "dhi.io/python:3.13-debian13-dev", Role: rewrite.RoleRuntime, Final: true}},
		Changes: []rewrite.Change{{Rule: "base-image", Lines: [2]int{1, 1}, NewLines: [2]int{1, 1}, Before: "FROM python:3.13", After: "FROM dhi.io/python:3.13-debian13-dev",
			Why: "Same version and family.", Docs: docsURL + "base-image"}},
		Checklist: []rewrite.Item{{Rule: "base-image", When: rewrite.BeforeMerge, Text: "Log in to `dhi.io` where this Dockerfile is built",
			Evidence: []rewrite.Evidence{{Path: ".github/workflows/jobs.yml", Line: 4}}}},
		Files: []rewrite.FileChange{{Path: "jobs/nginx.conf", Before: []byte("a"), After: []byte("b"),
			Changes: []rewrite.Change{{Rule: "ports", Lines: [2]int{2, 2}, NewLines: [2]int{2, 2}, Before: "listen 80;", After: "listen 8080;", Why: "Port 80 needs root.", Docs: docsURL + "ports"}}}},
	}
}

func unchanged() []*rewrite.Result {
	return []*rewrite.Result{
		{Path: "broken/Dockerfile", Outcome: rewrite.Failed, Line: 3, Reason: "the parser says: unknown instruction: `FORM`"},
		{Path: "old/Dockerfile", Outcome: rewrite.Skipped, Reason: "`windows/servercore` has no hardened equivalent."},
		{Path: "new/Dockerfile", Outcome: rewrite.Already, Reason: "All stages use hardened images."},
	}
}

func input(results ...*rewrite.Result) Input {
	return Input{
		Results: results, Registry: "dhi.io", Files: filesURL,
		Checked:  []string{"every changed Dockerfile parses in BuildKit"},
		Commands: []string{"/dhi migrate --distro alpine", "/dhi help"},
		Closing:  "closing this pull request means no; it will not come back.",
		Boxes:    []Box{{ID: "rebase", Text: "Rebase on the default branch"}},
	}
}

func TestGolden(t *testing.T) {
	t.Parallel()
	many := func(n int) []*rewrite.Result {
		var list []*rewrite.Result
		for i := range n {
			r := node()
			r.Path = fmt.Sprintf("services/service-%03d/Dockerfile", i)
			r.Checklist[1].Evidence[0].Line = i
			list = append(list, r)
		}
		return list
	}
	forms := map[string]Input{
		"one":    input(node()),
		"mixed":  input(append([]*rewrite.Result{node(), dev()}, unchanged()...)...),
		"many":   input(many(500)...),
		"sparse": {Results: []*rewrite.Result{dev()}},
	}
	mixed := forms["mixed"]
	mixed.Notes = []string{"`.github/dhi.yml` has an error in line 3; the last good settings apply."}
	mixed.Passed = []Passed{{Path: "vendor/x/Dockerfile", Reason: "below `vendor`"}}
	forms["mixed"] = mixed
	for name, in := range forms {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := Title(in.Results) + "\n\n" + Render(in)
			if len(got) > 65536 {
				t.Errorf("%d bytes", len(got))
			}
			for _, d := range dangers(got, docsURL, filesURL) {
				t.Error(d)
			}
			goldentest.Check(t, filepath.Join("testdata", name+".golden.md"), got)
		})
	}
}

func TestControlsAreNeverCut(t *testing.T) {
	t.Parallel()
	r := node()
	long := strings.Repeat("ぁ|`@user", 2000)
	r.Changes[0].Why, r.Changes[0].Before = long, long
	var list []*rewrite.Result
	for i := range 3000 {
		c := *r
		c.Path = fmt.Sprintf("%d/%s", i, long)
		list = append(list, &c)
	}
	in := input(list...)
	for range 300 {
		in.Notes = append(in.Notes, long)
		in.Passed = append(in.Passed, Passed{Path: long, Reason: long})
	}
	keys := Keys{[]byte("k")}
	text, err := keys.Sign(Render(in), Marker{Paths: []string{strings.Repeat("x", 8000)}})
	if err != nil {
		t.Fatal(err)
	}
	if len(text) > 65536 {
		t.Errorf("%d bytes", len(text))
	}
	for _, must := range []string{"/dhi help", "dhibot-box:rebase", `\| … and 2[89]\d\d more Dockerfiles`, `> … and 29\d further remarks`, "Log in to"} {
		if !regexp.MustCompile(must).MatchString(text) {
			t.Errorf("%q is missing", must)
		}
	}
	if m, err := keys.Read(text); err != nil || len(m.Paths) != 1 {
		t.Errorf("marker: %v, %v", m, err)
	}
}

func TestTicked(t *testing.T) {
	t.Parallel()
	text := Render(input(node()))
	if got := Ticked(text); len(got) != 0 {
		t.Errorf("a fresh body has ticked boxes: %v", got)
	}
	if got := Ticked(strings.ReplaceAll(text, "- [ ] <", "- [x] <")); len(got) != 1 || got[0] != "rebase" {
		t.Errorf("Ticked = %v, want [rebase]", got)
	}
	if got := Ticked("- [x] something\r\n- [X] <!-- dhibot-box:a -->b\r\n `- [x] <!-- dhibot-box:c -->`"); len(got) != 1 || got[0] != "a" {
		t.Errorf("Ticked = %v, want [a]", got)
	}
}

func TestKeepTicks(t *testing.T) {
	t.Parallel()
	text := Render(input(node(), dev()))
	old := strings.ReplaceAll(text, "- [ ] ", "- [x] ")
	got := KeepTicks(strings.ReplaceAll(old, "\n", "\r\n"), text)
	if strings.Count(got, "- [x] ") != 2 || len(Ticked(got)) != 0 {
		t.Errorf("want the two items ticked and the box not:\n%s", got)
	}
	if got := KeepTicks(strings.ReplaceAll(old, "uid 1000", "uid 1001"), text); strings.Count(got, "- [x] ") != 1 {
		t.Errorf("an item that reads differently is ticked:\n%s", got)
	}
	alone := Render(input(dev()))
	if got := KeepTicks(strings.ReplaceAll(alone, "- [ ] ", "- [x] "), text); strings.Count(alone, "- [ ] Log in") != 1 || strings.Count(got, "- [x] ") != 0 {
		t.Errorf("an item that asks for more places is ticked:\n%s", got)
	}
	other := dev()
	other.Checklist[0].Text = "Look at `x`"
	alone, both := Render(input(other)), Render(input(node(), other))
	if got := KeepTicks(strings.ReplaceAll(alone, "- [ ] ", "- [x] "), both); strings.Count(got, "- [x] Look at `x` (for `jobs/Dockerfile`)") != 1 || strings.Count(got, "- [x] ") != 1 {
		t.Errorf("a tick was lost when a second Dockerfile came:\n%s", got)
	}
	if got := KeepTicks("no list", text); got != text {
		t.Error("the text changed without a tick")
	}
	if got := Untick(old); len(Ticked(got)) != 0 || strings.Count(got, "- [x] ") != 2 {
		t.Errorf("want only the box unticked:\n%s", got)
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	r := node()
	for line, want := range map[int]string{4: "npm ci", 3: "npm ci", 13: "no longer carries", 9: "has certificates", 14: "no longer carries", 0: "npm ci"} {
		text, found := Explain(input(), r, line)
		if !found || !strings.Contains(text, want) {
			t.Errorf("line %d: found %v, %q is missing in\n%s", line, found, want, text)
		}
	}
	if text, found := Explain(input(), r, 100); found || text != "" {
		t.Errorf("line 100: %q", text)
	}
	if text, _ := Explain(input(), unchanged()[0], 0); !strings.Contains(text, "It failed: the parser says") {
		t.Errorf("a failed file: %q", text)
	}
	for _, h := range hostile {
		in := fill(h)
		text, _ := Explain(in, in.Results[0], 0)
		for _, d := range dangers(text+"\n\n"+Preview(in), filesURL, "https://") {
			t.Errorf("%q: %s", h, d)
		}
	}
}

func TestMarker(t *testing.T) {
	t.Parallel()
	old, now := Keys{[]byte("old")}, Keys{[]byte("new"), []byte("old")}
	want := Marker{Repository: 7, Branch: "dhi/migrate", Base: "b", Head: "h", Proposal: "p", Paths: []string{"-->"},
		Ignored: []Ignored{{What: "<!-- x -->", Until: "2027-01-01", By: "ann"}}, Told: []string{"conflict"}}
	signed, err := old.Sign("text", want)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"as written": signed, "CRLF": strings.ReplaceAll(signed, "\n", "\r\n"), "blank lines after it": signed + "\n \n"} {
		got, err := now.Read(text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	for name, c := range map[string]struct {
		text string
		err  error
	}{
		"none":              {"text", ErrNoMarker},
		"empty":             {"", ErrNoMarker},
		"text after it":     {signed + "\nmore", ErrNoMarker},
		"another key":       {strings.Replace(signed, "dhibot:", "dhibot:", 1), ErrForged},
		"not base64":        {"<!-- dhibot:?.? -->", ErrNoMarker},
		"no signature":      {"<!-- dhibot:e30 -->", ErrNoMarker},
		"forged":            {"<!-- dhibot:e30.AAAA -->", ErrForged},
		"far too long":      {"<!-- dhibot:" + strings.Repeat("A", 1<<20) + ".A -->", ErrNoMarker},
		"quoted in a fence": {"```\n" + signed + "```", ErrNoMarker},
	} {
		keys := now
		if name == "another key" {
			keys = Keys{[]byte("other")}
		}
		if _, err := keys.Read(c.text); !errors.Is(err, c.err) {
			t.Errorf("%s: %v, want %v", name, err, c.err)
		}
	}
	if _, err := (Keys{}).Write(want); err == nil {
		t.Error("a marker was signed without a key")
	}
	if _, err := old.Write(Marker{Paths: []string{strings.Repeat("x", maxMarker)}}); !errors.Is(err, ErrTooLong) {
		t.Errorf("a marker of any length: %v", err)
	}
}

func TestTrailer(t *testing.T) {
	t.Parallel()
	old, now := Keys{[]byte("old")}, Keys{[]byte("new"), []byte("old")}
	line, err := old.Trailer(7, "p", "d")
	if err != nil {
		t.Fatal(err)
	}
	message := "Title\n\nText.\n\n" + line
	if d, ok := now.ReadTrailer(message+"\n", 7, "p"); !ok || d != "d" {
		t.Errorf("ReadTrailer = %q, %v", d, ok)
	}
	for name, c := range map[string]struct {
		message, parent string
		repository      int64
	}{
		"another parent":     {message, "q", 7},
		"another repository": {message, "p", 8},
		"another digest":     {strings.Replace(message, " d.", " e.", 1), "p", 7},
		"text after it":      {message + "\nmore", "p", 7},
		"nothing":            {"", "p", 7},
		"not hexadecimal":    {trailer + "d.zz", "p", 7},
	} {
		if _, ok := now.ReadTrailer(c.message, c.repository, c.parent); ok {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, ok := (Keys{[]byte("other")}).ReadTrailer(message, 7, "p"); ok {
		t.Error("another key: accepted")
	}
}

// fill puts the string into every field that can hold foreign text.
func fill(s string) Input {
	r := node()
	r.Path, r.Reason, r.Catalog = s, s, s
	r.Outcome = rewrite.Dev
	for i := range r.Stages {
		r.Stages[i].From, r.Stages[i].To, r.Stages[i].Name, r.Stages[i].User = s+"x", s, s, s+"x"
	}
	for i := range r.Changes {
		c := &r.Changes[i]
		c.Before, c.After, c.Why, c.Docs, c.Rule = s+"b", s+"a", s, s, s+"r"
	}
	for i := range r.Checklist {
		r.Checklist[i].Text = s
		r.Checklist[i].Evidence[0].Path = s
	}
	r.LeftAlone[0].What, r.LeftAlone[0].Why = s, s
	r.Files = []rewrite.FileChange{{Path: s, Changes: r.Changes}}
	failed := &rewrite.Result{Path: s, Outcome: rewrite.Failed, Reason: s}
	already := &rewrite.Result{Path: s, Outcome: rewrite.Already, Reason: s}
	in := input(r, failed, already)
	in.Notes = []string{s + "n"}
	in.Passed = []Passed{{Path: s, Reason: s}}
	return in
}

func FuzzRender(f *testing.F) {
	for _, h := range hostile {
		f.Add(h)
	}
	want := shape(Render(fill("x")))
	keys := Keys{[]byte("key")}
	f.Fuzz(func(t *testing.T, s string) {
		text, err := keys.Sign(Render(fill(s)), Marker{Head: "ours"})
		if err != nil {
			t.Fatal(err)
		}
		if d := dangers(text, filesURL, "https://"); len(d) > 0 {
			t.Fatalf("%q: %s\n%s", s, strings.Join(d, "\n"), text)
		}
		if m, err := keys.Read(text); err != nil || m.Head != "ours" {
			t.Fatalf("%q: marker %v, %v", s, m, err)
		}
		if ids := Ticked(text); len(ids) > 0 {
			t.Fatalf("%q: ticked %v", s, ids)
		}
		line := strings.LastIndex(text, "\n<!--")
		if got := shape(text[:line]); got != want && s != "" {
			t.Fatalf("%q changes the layout:\n%s\nnot\n%s\n%s", s, got, want, text)
		}
	})
}
