package verify

import (
	"context"
	"strings"
	"testing"

	"dhibot/rewrite/catalog"
	"dhibot/rewrite/dockerfile"
	"dhibot/rewrite/goldentest"
)

// facts returns the embedded catalog.
func facts(t testing.TB) *catalog.Catalog {
	t.Helper()
	c, err := catalog.Default()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// pick selects a tag of an image, so that tests do not depend on the catalog's
// day.
func pick(t testing.TB, image string, need catalog.Need) string {
	t.Helper()
	choice, err := facts(t).ChooseImage(image, "", "", catalog.Want{Need: need, Distro: catalog.Debian})
	if err != nil {
		t.Fatal(err)
	}
	p := choice.Runtime
	if need == catalog.NeedDev {
		p = choice.Dev
	}
	return "dhi.io/" + image + ":" + p.Tag
}

// whole plans the replacement of all of before by after, so that a test can
// name both as texts.
func whole(t testing.TB, before, after string) In {
	t.Helper()
	f, err := dockerfile.Parse([]byte(before))
	if err != nil {
		t.Fatal(err)
	}
	return In{
		Before: []byte(before), After: []byte(after), File: f, Catalog: facts(t),
		Edits: []dockerfile.Edit{{Span: dockerfile.Span{Start: 0, End: len(before)}, New: after}},
	}
}

// compared are both files of whole, read.
func compared(t testing.TB, before, after string) *check {
	t.Helper()
	c, violations := newCheck(whole(t, before, after))
	if len(violations) > 0 {
		t.Fatalf("%q: %s", after, texts(violations))
	}
	return c
}

// migrated moves every reference of a file that the catalog can move to a dev
// image, as a stand-in for the engine.
func migrated(t testing.TB, content []byte) (In, bool) {
	t.Helper()
	f, err := dockerfile.Parse(content)
	if err != nil {
		return In{}, false
	}
	c := facts(t)
	var targets []dockerfile.Target
	for _, r := range f.References() {
		if r.Err != nil || r.Parent != nil || r.Scratch || r.Kind != dockerfile.RefFrom {
			continue
		}
		choice, err := c.Choose(c.Origin(r.Resolved, nil), catalog.Want{Need: catalog.NeedDev, Missing: catalog.NearestVersion})
		if err != nil {
			continue
		}
		targets = append(targets, dockerfile.Target{Ref: r, Repository: "dhi.io/" + choice.Image, Version: choice.Dev.Version, Suffix: choice.Dev.Suffix})
	}
	in := In{Before: content, File: f, Catalog: c}
	for _, m := range f.Retarget(targets).Moves {
		in.Edits = append(in.Edits, m.Edits...)
	}
	if in.After, err = f.Apply(in.Edits); err != nil {
		t.Fatal(err)
	}
	return in, len(in.Edits) > 0
}

func texts(violations []Violation) string {
	var lines []string
	for _, v := range violations {
		lines = append(lines, v.String())
	}
	return strings.Join(lines, "\n")
}

// TestNasty moves every reference to a dev image and nothing else. What that
// leaves broken is known: the working directory that the new node image has and
// the old one has not, and the old one's entry point script.
func TestNasty(t *testing.T) {
	t.Parallel()
	const workDir = "multi-stage: the final image starts in /app and started in /"
	want := map[string]string{
		"04-heredoc-copy":             workDir, // the others that had it do not say what they start
		"39-named-context-and-target": workDir + "\nentry-point, line 11: the stage starts docker-entrypoint.sh, which dhi.io/node:22-debian13-dev does not have",
	}
	moved := 0
	for name, content := range goldentest.Hard(t, "../..") {
		in, ok := migrated(t, content)
		if !ok {
			continue
		}
		moved++
		if got := texts(Check(context.Background(), in)); got != want[name] {
			t.Errorf("%s:\n%s", name, got)
		}
	}
	if moved < 30 {
		t.Errorf("only %d of the inputs were moved", moved)
	}
}

func TestBytes(t *testing.T) {
	t.Parallel()
	before := "FROM node:22\nWORKDIR /w\n# a comment\nCMD [\"node\"]\n"
	f, err := dockerfile.Parse([]byte(before))
	if err != nil {
		t.Fatal(err)
	}
	to := pick(t, "node", catalog.NeedRuntime)
	in := In{Before: []byte(before), File: f, Catalog: facts(t), Edits: []dockerfile.Edit{{Span: f.Stages[0].Base.Word.Span, New: to}}}
	in.After = []byte("FROM " + to + "\nWORKDIR /w\n# a comment\nCMD [\"node\"]\n")
	if got := Check(context.Background(), in); len(got) > 0 {
		t.Errorf("planned: %s", texts(got))
	}
	in.After = []byte("FROM " + to + "\nWORKDIR /w\n# A comment\nCMD [\"node\"]\n")
	if got := Check(context.Background(), in); len(got) != 1 || got[0].Rule != Internal {
		t.Errorf("another byte differs: %s", texts(got))
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, after := range []string{"", "FROM\n", "FROM a\nRUM b\n"} {
		got := Check(context.Background(), whole(t, "FROM node:22\n", after))
		if len(got) != 1 || got[0].Rule != Internal {
			t.Errorf("%q: %s", after, texts(got))
		}
	}
	in := whole(t, "FROM node:22\n", "FROM node:22\n")
	in.Before, in.File = []byte("nonsense"), nil
	if got := Check(context.Background(), in); len(got) != 1 {
		t.Errorf("original: %s", texts(got))
	}
}

func TestConverter(t *testing.T) {
	t.Parallel()
	dev := pick(t, "node", catalog.NeedDev)
	tests := []struct {
		name, before, after string
		line                int
	}{
		{"fine", "FROM node:22\nRUN x\n", "FROM " + dev + " AS b\nRUN x\nFROM b\n", 0},
		{"required variable", "FROM node:22\nENV A=${NODE_VERSION:?no}\n", "FROM " + dev + "\nENV A=${NOPE:?no}\n", 2},
		{"a mount of a later stage", "FROM node:22 AS a\nRUN x\nFROM a AS b\n", "FROM " + dev + " AS a\nRUN --mount=from=b,target=/b x\nFROM a AS b\n", 2},
		{"bad before as well", "FROM node:22\nENV A=${NOPE:?no}\n", "FROM " + dev + "\nENV A=${NOPE:?no}\n", 0},
		{"a bind mount that is writable", "FROM node:22\nRUN x\n", "FROM " + dev + "\nRUN --mount=type=bind,rw,target=/x x\n", 0},
		{"a stray byte", "FROM node:22\nLABEL a=\"\xe9$B\"\n", "FROM " + dev + "\nLABEL a=\"\xe9$B\"\nRUN x\n", 0},
		{"style as an error", "# check=error=true\nFROM node:22 AS X\n", "# check=error=true\nFROM " + dev + " AS X\nRUN y\n", 0},
	}
	for _, tt := range tests {
		c, violations := newCheck(whole(t, tt.before, tt.after))
		if len(violations) > 0 {
			t.Fatalf("%s: %s", tt.name, texts(violations))
		}
		got := c.converts(context.Background())
		switch {
		case tt.line == 0 && len(got) > 0:
			t.Errorf("%s: %s", tt.name, texts(got))
		case tt.line > 0 && (len(got) != 1 || got[0].Line != tt.line || got[0].Rule != Internal):
			t.Errorf("%s: %s, want line %d", tt.name, texts(got), tt.line)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if got := Check(ctx, whole(t, "FROM node:22\n", "FROM node:22\nRUN x\n")); len(got) != 1 {
		t.Errorf("a proof that was called off: %s", texts(got))
	}
	grows := "FROM node:22\nENV A=xxxxxxxx\n" + strings.Repeat("ENV A=$A$A\n", 60)
	if got := Check(context.Background(), whole(t, grows, grows+"RUN x\n")); len(got) != 1 || got[0].Rule != Internal {
		t.Errorf("a file that grows: %s", texts(got))
	}
}

func TestSameBuild(t *testing.T) {
	t.Parallel()
	const before = "ARG V=1\nFROM node:22 AS a\nRUN --mount=type=cache,target=/c x\nCOPY <<E /f\nx\nE\n"
	tests := []struct {
		name, after string
		want        bool
	}{
		{"image", strings.Replace(before, "node:22", "node:24", 1), true},
		{"comment", before + "# c\n", true},
		{"text", strings.Replace(before, " x\n", " y\n", 1), false},
		{"flag", strings.Replace(before, "/c", "/d", 1), false},
		{"heredoc", strings.Replace(before, "/f\nx", "/f\ny", 1), false},
		{"alias", strings.Replace(before, "AS a", "AS b", 1), false},
		{"default", strings.Replace(before, "V=1", "V=2", 1), false},
		{"more", before + "RUN z\n", false},
		{"stage", before + "FROM a\n", false},
		{"platform", strings.Replace(before, "FROM", "FROM --platform=linux/arm64", 1), false},
		{"required variable", before + "ENV A=${B?}\n", false},
	}
	for _, tt := range tests {
		c := compared(t, before, tt.after)
		if got := c.sameBuild(); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

func TestShellText(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, before, after string
		broken              bool
	}{
		{"same", "RUN if x; then", "RUN if x; then", false},
		{"changed and valid", "RUN a && b", "RUN a", false},
		{"broken", "RUN a && b", "RUN a &&", true},
		{"broken CMD", "CMD a", "CMD if a", true},
		{"broken before as well", "RUN if x; then", "RUN if y; then", false},
		{"case arm", "RUN case x in a) b ;; esac", "RUN case x in a) b ; ; esac", true},
		{"exec form is no shell", "RUN a", "RUN [\"if\", \"x\"]", false},
		{"PowerShell", "SHELL [\"pwsh\", \"-c\"]\nRUN a", "SHELL [\"pwsh\", \"-c\"]\nRUN if (x) {", false},
		{"heredoc", "RUN <<E\na\nE", "RUN <<E\nif a\nE", true},
		{"bash", "RUN a", "SHELL [\"/bin/bash\", \"-c\"]\nRUN [[ -f /x ]] && a <(b)", false},
	}
	for _, tt := range tests {
		c, violations := newCheck(whole(t, "FROM node:22\n"+tt.before+"\n", "FROM node:22\n"+tt.after+"\n"))
		if len(violations) > 0 {
			t.Fatalf("%s: %s", tt.name, texts(violations))
		}
		if got := c.shellText(); (len(got) > 0) != tt.broken {
			t.Errorf("%s: %s", tt.name, texts(got))
		}
	}
}
