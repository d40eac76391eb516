package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// rooms in the direction of imports: each may import those after it.
var rooms = []string{"cmd", "webhooks", "bot", "rewrite"}

// pkg is what go list says of a package.
type pkg struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

func list(t *testing.T, args ...string) []pkg {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list", "-json=ImportPath,Imports,Deps"}, args...)...)
	cmd.Dir = "../.."
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &stderr)
	}
	var all []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// room is the index of the room of one of our packages, -1 for others.
func room(path string) int {
	rest, ours := strings.CutPrefix(path, "dhibot/")
	if !ours {
		return -1
	}
	top, _, _ := strings.Cut(rest, "/")
	return slices.Index(rooms, top)
}

// TestImportsFlowOneWay: cmd -> webhooks -> bot -> rewrite.
func TestImportsFlowOneWay(t *testing.T) {
	t.Parallel()
	all := list(t, "./...")
	if len(all) < 10 {
		t.Fatalf("go list found only %d packages", len(all))
	}
	for _, p := range all {
		from := room(p.ImportPath)
		if from < 0 {
			t.Errorf("%s is in none of the rooms %v", p.ImportPath, rooms)
			continue
		}
		for _, imported := range p.Imports {
			if to := room(imported); to >= 0 && to < from {
				t.Errorf("%s imports %s: the arrow points the wrong way", p.ImportPath, imported)
			}
		}
	}
}

// helpsTests tells a package that is there for tests alone.
func helpsTests(p pkg) bool { return slices.Contains(p.Imports, "testing") }

// TestTestHelpIsNotShipped: no package for tests is part of the program.
func TestTestHelpIsNotShipped(t *testing.T) {
	t.Parallel()
	help := 0
	for _, p := range list(t, "./...") {
		if helpsTests(p) {
			help++
		}
	}
	if help < 3 {
		t.Errorf("go list found only %d packages for tests", help)
	}
	for _, p := range list(t, "-deps", "./cmd/dhibot") {
		if room(p.ImportPath) >= 0 && helpsTests(p) {
			t.Errorf("the program has %s in it, which is for tests", p.ImportPath)
		}
	}
}

// solver are BuildKit's packages that turn a Dockerfile into a build graph; a
// result is proved with them. They link network packages for resolving images
// from registries, which is never done: our own resolver answers from the
// catalog.
var solver = []string{
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb",
	"github.com/moby/buildkit/client/llb",
}

// TestRewriteIsPure: what rewrite imports, directly or not, opens no connection
// and starts no program.
func TestRewriteIsPure(t *testing.T) {
	t.Parallel()
	imports := map[string][]string{}
	var queue []string
	for _, p := range list(t, "-deps", "./rewrite/...") {
		imports[p.ImportPath] = p.Imports
		if room(p.ImportPath) >= 0 && !helpsTests(p) {
			queue = append(queue, p.ImportPath)
			for _, forbidden := range []string{"os", "log", "log/slog", "database/sql"} {
				if slices.Contains(p.Imports, forbidden) {
					t.Errorf("%s imports %s: rewrite takes bytes and gives bytes", p.ImportPath, forbidden)
				}
			}
		}
	}
	if len(queue) < 5 {
		t.Fatalf("go list found only %v", queue)
	}
	from := map[string]string{}
	for len(queue) > 0 {
		p := queue[0]
		queue = queue[1:]
		for _, imported := range imports[p] {
			if _, seen := from[imported]; seen || slices.Contains(solver, imported) {
				continue
			}
			from[imported] = p
			queue = append(queue, imported)
			switch imported {
			case "net", "net/http", "crypto/tls", "os/exec", "plugin":
				chain := imported
				for at := p; at != ""; at = from[at] {
					chain = at + " -> " + chain
				}
				t.Errorf("rewrite reaches %s: %s", imported, chain)
			}
		}
	}
}

// TestOneGoGitHub: ghinstallation and we must share one major of go-github, or
// two incompatible copies of its types are linked (trap T11).
func TestOneGoGitHub(t *testing.T) {
	t.Parallel()
	var majors []string
	for _, p := range list(t, "./cmd/dhibot") {
		for _, d := range p.Deps {
			if rest, ok := strings.CutPrefix(d, "github.com/google/go-github/"); ok {
				major, _, _ := strings.Cut(rest, "/")
				if !slices.Contains(majors, major) {
					majors = append(majors, major)
				}
			}
		}
	}
	if len(majors) != 1 || majors[0] != "v60" {
		t.Errorf("linked majors of go-github: %v, want v60 alone", majors)
	}
}
