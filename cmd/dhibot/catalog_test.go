package main

import (
	"bytes"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"dhibot/rewrite/catalog"
)

// TestCatalogVerify asks a registry on loopback: one image is as the catalog
// says, one is not, the others are missing.
func TestCatalogVerify(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("DOCKER_CONFIG", dir) // not the logins of whoever runs the tests
	srv := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer srv.Close()
	host := strings.TrimPrefix(srv.URL, "http://")
	c, err := catalog.Default()
	if err != nil {
		t.Fatal(err)
	}
	push := func(tag, user string) {
		def, ok := c.Lookup("node", tag)
		if !ok {
			t.Fatalf("node:%s is not listed", tag)
		}
		img, err := mutate.Config(empty.Image, v1.Config{Entrypoint: def.Entrypoint, Cmd: def.Cmd, User: user, WorkingDir: def.WorkDir})
		if err != nil {
			t.Fatal(err)
		}
		ref, err := name.ParseReference(host + "/acme/dhi-node:" + tag)
		if err != nil {
			t.Fatal(err)
		}
		if err := remote.Write(ref, img); err != nil {
			t.Fatal(err)
		}
	}
	push("22-debian13", "node")
	push("22-debian13-dev", "1000")
	run := func(args ...string) (code int, stdout, stderr string) {
		var out, errs bytes.Buffer
		p := &Program{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Getenv: func(string) string { return "" }, Getwd: os.Getwd}
		code = p.Run(t.Context(), append([]string{"catalog"}, args...))
		return code, out.String(), errs.String()
	}
	mirror := []string{"--verify", "--registry", host, "--namespace", "acme"}

	code, stdout, stderr := run(append([]string{"show", "node:22-debian13"}, mirror...)...)
	if code != exitDone || !strings.Contains(stdout, "verified: "+host+"/acme/dhi-node:22-debian13 is sha256:") {
		t.Errorf("an image as the catalog says: %d\n%s%s", code, stdout, stderr)
	}
	code, stdout, stderr = run(append([]string{"show", "node:22-slim"}, mirror...)...)
	if code != exitFailed || !strings.Contains(stdout, "22-debian13-dev: the user is 1000, the catalog says root") ||
		!strings.Contains(stdout, "verified: "+host+"/acme/dhi-node:22-debian13 is") ||
		!strings.Contains(stderr, "22-debian13-dev is not as the catalog says") {
		t.Errorf("what an upstream image becomes: %d\n%s%s", code, stdout, stderr)
	}
	code, _, stderr = run(append([]string{"show", "node:24-debian13"}, mirror...)...)
	if code != exitFailed || !strings.Contains(stderr, "acme/dhi-node:24-debian13 does not exist") {
		t.Errorf("a missing image: %d\n%s", code, stderr)
	}
	code, stdout, stderr = run(append([]string{"tags", "node"}, mirror...)...)
	if code != exitFailed || !strings.Contains(stderr, "variants are not as the catalog says") {
		t.Errorf("all variants: %d\n%s", code, stderr)
	}
	seen := map[string]bool{}
	for line := range strings.Lines(stdout) {
		fields := strings.Fields(line)
		for _, f := range fields {
			switch f {
			case "22-debian13":
				seen["ok"] = strings.Contains(line, " ok ")
			case "22-debian13-dev":
				seen["differs"] = strings.Contains(line, " differs ")
			case "24-debian13":
				seen["failed"] = strings.Contains(line, " failed ")
			}
		}
	}
	if !seen["ok"] || !seen["differs"] || !seen["failed"] {
		t.Errorf("%v in\n%s", seen, stdout)
	}
}
