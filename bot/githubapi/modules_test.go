package githubapi

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
)

// TestT9: go-github checks webhook signatures with SHA-1 as a fallback and
// accepts unsigned bodies. Nothing of ours may call it.
func TestT9(t *testing.T) {
	t.Parallel()
	unused(t, "ValidatePayload", "ValidatePayloadFromBody", "ValidateSignature")
}

// TestT10: go-github fails on events newer than it. Nothing of ours may decode
// webhooks with it.
func TestT10(t *testing.T) {
	t.Parallel()
	unused(t, "ParseWebHook", "EventForType")
}

// unused looks for selectors of the package github in the whole module.
func unused(t *testing.T, names ...string) {
	t.Helper()
	seen := 0
	err := filepath.WalkDir("../..", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil // somebody's unfinished file is the compiler's to complain about
		}
		seen++
		ast.Inspect(file, func(n ast.Node) bool {
			s, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if pkg, ok := s.X.(*ast.Ident); ok && pkg.Name == "github" {
				for _, bad := range names {
					if s.Sel.Name == bad {
						t.Errorf("%s uses github.%s", name, bad)
					}
				}
			}
			return true
		})
		return nil
	})
	if err != nil || seen < 10 {
		t.Fatalf("%d files read: %v", seen, err)
	}
}

func goMod(t *testing.T) map[string]string {
	t.Helper()
	content, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	file, err := modfile.Parse("go.mod", content, nil)
	if err != nil {
		t.Fatal(err)
	}
	required := map[string]string{}
	for _, r := range file.Require {
		required[r.Mod.Path] = r.Mod.Version
	}
	return required
}

// TestT11: ghinstallation v2.10.0 is the only release on go-github v60; any
// other brings a second go-github and token options of another type.
func TestT11(t *testing.T) {
	t.Parallel()
	required := goMod(t)
	if v := required["github.com/bradleyfalzon/ghinstallation/v2"]; v != "v2.10.0" {
		t.Errorf("ghinstallation is %s", v)
	}
	if v := required["github.com/google/go-github/v60"]; v != "v60.0.0" {
		t.Errorf("go-github is %s", v)
	}
	sum, err := os.ReadFile("../../go.sum")
	if err != nil {
		t.Fatal(err)
	}
	// go.sum has a content hash (not only the /go.mod one) of every module
	// whose packages are built.
	for line := range strings.Lines(string(sum)) {
		module, rest, _ := strings.Cut(line, " ")
		version, _, _ := strings.Cut(rest, " ")
		if strings.HasPrefix(module, "github.com/google/go-github") && module != "github.com/google/go-github/v60" && !strings.HasSuffix(version, "/go.mod") {
			t.Errorf("a second go-github: %s %s", module, version)
		}
	}
}

// TestT12: ghinstallation v2.10.0 asks for jwt v4.5.0; we require the release
// with the security fixes.
func TestT12(t *testing.T) {
	t.Parallel()
	if v := goMod(t)["github.com/golang-jwt/jwt/v4"]; v != "v4.5.2" {
		t.Errorf("jwt is %s", v)
	}
}
