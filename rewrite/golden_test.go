package rewrite_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"dhibot/rewrite"
	"dhibot/rewrite/catalog"
	"dhibot/rewrite/goldentest"
	"dhibot/rewrite/verify"
)

const migrations = "../testdata/migrations"

// TestMigrations runs every story in testdata/migrations: a txtar archive of a
// Dockerfile with its neighbours, and below want/ what comes out. The comment
// of the archive says what the story is about; a line `options: key=value ...`
// in it sets options.
func TestMigrations(t *testing.T) {
	t.Parallel()
	var files []string
	err := filepath.WalkDir(migrations, func(p string, d fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(p) == ".txtar" {
			files = append(files, p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name, _ := filepath.Rel(migrations, file)
		t.Run(strings.TrimSuffix(filepath.ToSlash(name), ".txtar"), func(t *testing.T) {
			t.Parallel()
			story(t, file)
		})
	}
}

func story(t *testing.T, file string) {
	ar, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	repo, want := fstest.MapFS{}, map[string]string{}
	path := ""
	for _, f := range ar.Files {
		if name, ok := strings.CutPrefix(f.Name, "want/"); ok {
			want[name] = string(f.Data)
			continue
		}
		repo[f.Name] = &fstest.MapFile{Data: f.Data, Mode: 0o644}
		if path == "" {
			path = f.Name
		}
	}
	in := rewrite.Input{Path: path, Content: repo[path].Data, FS: repo, Options: options(t, string(ar.Comment))}
	r, err := rewrite.Migrate(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{"result": describe(r)}
	if r.Changed() {
		got[path] = string(r.After)
	}
	for _, f := range r.Files {
		got[f.Path] = string(f.After)
	}
	idempotent(t, in, r)
	explained(t, r)
	keepsComments(t, r)
	builds(t, in, r)
	if goldentest.Update() {
		write(t, file, ar, got)
		return
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("the migration came out differently (-want +got; go test ./rewrite -update rewrites it):\n%s", d)
	}
}

// idempotent checks that a second migration of the result changes nothing.
func idempotent(t *testing.T, in rewrite.Input, r *rewrite.Result) {
	t.Helper()
	if !r.Changed() {
		return
	}
	in.Content = r.After
	again, err := rewrite.Migrate(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again.After, r.After) {
		t.Errorf("a second migration changes the result again:\n%s", cmp.Diff(string(r.After), string(again.After)))
	}
}

// builds checks that BuildKit's converter takes all of the result, which the
// proof itself only asks it about in part, or refuses the original too.
func builds(t *testing.T, in rewrite.Input, r *rewrite.Result) {
	t.Helper()
	converts := func(content []byte) error {
		_, _, err := verify.Configs(context.Background(), verify.In{Before: content, After: content, Naming: in.Options.Naming, Extra: in.Options.Images})
		return err
	}
	if err := converts(r.After); err != nil && r.Changed() && converts(in.Content) == nil {
		t.Errorf("BuildKit refuses the result: %v", err)
	}
}

func write(t *testing.T, file string, ar *txtar.Archive, got map[string]string) {
	t.Helper()
	out := &txtar.Archive{Comment: ar.Comment}
	for _, f := range ar.Files {
		if !strings.HasPrefix(f.Name, "want/") {
			out.Files = append(out.Files, f)
		}
	}
	for _, f := range ar.Files {
		if _, changed := got[f.Name]; changed {
			out.Files = append(out.Files, txtar.File{Name: "want/" + f.Name, Data: []byte(got[f.Name])})
		}
	}
	out.Files = append(out.Files, txtar.File{Name: "want/result", Data: []byte(got["result"])})
	if err := os.WriteFile(file, txtar.Format(out), 0o644); err != nil {
		t.Fatal(err)
	}
}

// options reads the options line of a story.
func options(t *testing.T, comment string) rewrite.Options {
	t.Helper()
	var o rewrite.Options
	for line := range strings.Lines(comment) {
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), "options:")
		if !ok {
			continue
		}
		for _, kv := range strings.Fields(rest) {
			k, v, _ := strings.Cut(kv, "=")
			switch k {
			case "catalog":
				o.Catalog = load(t, v)
			case "namespace":
				o.Naming.Namespace = v
			case "distro":
				o.Distro = catalog.Distro(v)
			case "missing":
				o.MissingVersion = catalog.MissingVersion(v)
			case "shell":
				o.RuntimeNeedsShell = rewrite.ShellPolicy(v)
			default:
				t.Fatalf("unknown option %s", kv)
			}
		}
	}
	return o
}

func load(t *testing.T, name string) *catalog.Catalog {
	t.Helper()
	f, err := os.Open(filepath.Join("../testdata/catalogs", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c, err := catalog.Load(f)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// describe words a result for a golden file.
func describe(r *rewrite.Result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s", r.Outcome)
	if r.Code != "" {
		fmt.Fprintf(&b, " (%s): %s", r.Code, r.Reason)
	}
	b.WriteString("\n")
	for _, s := range r.Stages {
		final := ""
		if s.Final {
			final = ", final, user " + s.User
		}
		fmt.Fprintf(&b, "stage %q: %s -> %s (%s%s)\n", s.Name, s.From, s.To, s.Role, final)
	}
	for _, c := range r.Changes {
		fmt.Fprintf(&b, "%s %d-%d -> %d-%d: %s\n", c.Rule, c.Lines[0], c.Lines[1], c.NewLines[0], c.NewLines[1], c.Why)
	}
	for _, f := range r.Files {
		for _, c := range f.Changes {
			fmt.Fprintf(&b, "%s %s:%d: %s\n", c.Rule, f.Path, c.Lines[0], c.Why)
		}
	}
	for _, l := range r.LeftAlone {
		fmt.Fprintf(&b, "left alone %d: %s: %s\n", l.Lines[0], l.What, l.Why)
	}
	for _, i := range r.Checklist {
		fmt.Fprintf(&b, "[ ] %s %s: %s", i.When, i.Rule, i.Text)
		for _, e := range i.Evidence {
			fmt.Fprintf(&b, " %s:%d", e.Path, e.Line)
		}
		b.WriteString("\n")
	}
	return b.String()
}
