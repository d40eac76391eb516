package rewrite_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"dhibot/rewrite"
	"dhibot/rewrite/catalog"
	"dhibot/rewrite/dockerfile"
)

// FuzzMigrate gives the engine any bytes: it never panics, never fails its own
// proof, never returns a file that BuildKit refuses, and a second migration
// changes nothing.
func FuzzMigrate(f *testing.F) {
	seeds, err := filepath.Glob("../testdata/nasty/*.Dockerfile")
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range seeds {
		content, err := os.ReadFile(s)
		if err != nil {
			f.Fatal(err)
		}
		if len(content) < 10_000 {
			f.Add(content, false)
		}
	}
	f.Add([]byte("FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\nRUN pip install -r requirements.txt\nCMD [\"gunicorn\", \"app:app\"]\n"), true)
	f.Add([]byte("FROM node:20\nUSER app\nEXPOSE 80\nHEALTHCHECK CMD curl -f http://localhost || exit 1\nCMD npm start\n"), true)
	repo := fstest.MapFS{
		"package.json":     {Data: []byte(`{"scripts": {"start": "node server.js"}}`)},
		"requirements.txt": {Data: []byte("gunicorn\n")},
		"nginx.conf":       {Data: []byte("server { listen 80; }\n")},
	}
	f.Fuzz(func(t *testing.T, content []byte, nearest bool) {
		in := rewrite.Input{Path: "Dockerfile", Content: content, FS: repo}
		if nearest {
			in.Options.MissingVersion = catalog.NearestVersion
		}
		r, err := rewrite.Migrate(context.Background(), in)
		if err != nil {
			t.Fatal(err)
		}
		if r.Code == rewrite.CodeInternal {
			t.Fatalf("the result did not pass its proof: %s", r.Reason)
		}
		if !r.Changed() {
			if r.Reason == "" {
				t.Fatal("nothing changed, and no reason is given")
			}
			return
		}
		if _, err := dockerfile.Parse(r.After); err != nil {
			t.Fatalf("the result does not parse: %v\n%s", err, r.After)
		}
		for _, c := range r.Changes {
			if c.Rule == "" || strings.TrimSpace(c.Why) == "" {
				t.Fatalf("a change without rule or reason: %+v", c)
			}
		}
		in.Content = r.After
		again, err := rewrite.Migrate(context.Background(), in)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(again.After, r.After) {
			t.Fatalf("a second migration changes the result:\n%s\n---\n%s", r.After, again.After)
		}
	})
}
