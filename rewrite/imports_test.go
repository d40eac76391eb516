package rewrite

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// pkg is what go list tells of a package.
type pkg struct {
	ImportPath string
	Imports    []string
	Deps       []string
	Standard   bool
}

const converter = "github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"

// listed asks the go command for the engine's packages and all they import.
func listed(t *testing.T) map[string]*pkg {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("no go command on the PATH")
	}
	out, err := exec.Command("go", "list", "-deps", "-json=ImportPath,Imports,Deps,Standard", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	all := map[string]*pkg{}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all[p.ImportPath] = &p
	}
	return all
}

func ours(path string) bool {
	return path == "dhibot/rewrite" || strings.HasPrefix(path, "dhibot/rewrite/")
}

// TestPurity holds the one direction of imports and that the engine cannot
// reach the network, another program, a clock that ticks or the bot.
func TestPurity(t *testing.T) {
	t.Parallel()
	all := listed(t)
	seen := 0
	for path, p := range all {
		if !ours(path) {
			continue
		}
		seen++
		for _, i := range p.Imports {
			switch {
			case i == "net", strings.HasPrefix(i, "net/") && i != "net/url", i == "os/exec", i == "os/signal", i == "syscall", i == "plugin",
				strings.HasPrefix(i, "dhibot/") && !ours(i):
				t.Errorf("%s imports %s", path, i)
			}
		}
	}
	if seen < 7 {
		t.Fatalf("go list found %d packages of the engine", seen)
	}
	for _, name := range []string{"dockerfile", "catalog", "shell", "project", "assess", "strategy", "rules"} {
		p := all["dhibot/rewrite/"+name]
		if p == nil {
			t.Errorf("there is no package %s", name)
			continue
		}
		if slices.Contains(p.Deps, "net/http") {
			t.Errorf("%s reaches net/http", p.ImportPath)
		}
	}
	if p := all["dhibot/rewrite/dockerfile"]; p != nil && slices.Contains(p.Deps, "net") {
		t.Error("rewrite/dockerfile reaches net")
	}
}

// TestNetworkOnlyBehindTheConverter walks the import graph of the engine with
// BuildKit's converter taken out: nothing else may lead to net/http. The
// converter itself asks only the resolver that rewrite/verify gives it.
func TestNetworkOnlyBehindTheConverter(t *testing.T) {
	t.Parallel()
	all := listed(t)
	for start := range all {
		if !ours(start) {
			continue
		}
		if trail := path(all, start, "net/http", map[string]bool{converter: true}); trail != nil {
			t.Errorf("%s", strings.Join(trail, " -> "))
		}
	}
	if p := all["dhibot/rewrite/verify"]; p == nil || !slices.Contains(p.Imports, converter) {
		t.Errorf("rewrite/verify does not use %s; this test looks for the wrong thing", converter)
	}
}

// path finds a way from one package to another that avoids some.
func path(all map[string]*pkg, from, to string, avoid map[string]bool) []string {
	if from == to {
		return []string{to}
	}
	if avoid[from] || all[from] == nil {
		return nil
	}
	avoid[from] = true
	for _, i := range all[from].Imports {
		if trail := path(all, i, to, avoid); trail != nil {
			return append([]string{from}, trail...)
		}
	}
	return nil
}
