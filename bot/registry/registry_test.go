package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"dhibot/rewrite/catalog"
)

// start runs a registry on loopback and gives its host.
func start(t *testing.T, wrap func(http.Handler) http.Handler) string {
	t.Helper()
	var handler http.Handler = registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	if wrap != nil {
		handler = wrap(handler)
	}
	srv := httptest.NewServer(handler)
	t.Cleanup(srv.Close)
	return strings.TrimPrefix(srv.URL, "http://")
}

// push stores an image, or an index of one image for each platform.
func push(t *testing.T, reference string, cfg v1.Config, platforms ...string) string {
	t.Helper()
	ref, err := name.ParseReference(reference)
	if err != nil {
		t.Fatal(err)
	}
	img, err := mutate.Config(empty.Image, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if len(platforms) == 0 {
		if err := remote.Write(ref, img); err != nil {
			t.Fatal(err)
		}
		d, err := img.Digest()
		if err != nil {
			t.Fatal(err)
		}
		return d.String()
	}
	index := v1.ImageIndex(empty.Index)
	for _, p := range platforms {
		platform, err := v1.ParsePlatform(p)
		if err != nil {
			t.Fatal(err)
		}
		one, err := mutate.Config(img, v1.Config{Cmd: cfg.Cmd, Entrypoint: cfg.Entrypoint, User: cfg.User, WorkingDir: cfg.WorkingDir, Labels: map[string]string{"p": p}})
		if err != nil {
			t.Fatal(err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: one, Descriptor: v1.Descriptor{Platform: platform}})
	}
	if err := remote.WriteIndex(ref, index); err != nil {
		t.Fatal(err)
	}
	d, err := index.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return d.String()
}

func definition(t *testing.T, image, tag string) *catalog.Definition {
	t.Helper()
	c, err := catalog.Default()
	if err != nil {
		t.Fatal(err)
	}
	d, ok := c.Lookup(image, tag)
	if !ok {
		t.Fatalf("%s:%s is not listed", image, tag)
	}
	return d
}

// configOf is the config that the catalog describes.
func configOf(d *catalog.Definition) v1.Config {
	return v1.Config{Entrypoint: d.Entrypoint, Cmd: d.Cmd, User: d.RunAs, WorkingDir: d.WorkDir}
}

func TestCheckAgrees(t *testing.T) {
	t.Parallel()
	host := start(t, nil)
	v := New(WithKeychain(authn.NewMultiKeychain()))
	for image, tag := range map[string]string{
		"node": "24-debian13", "nginx": "1.30-debian13", "golang": "1.26-alpine3.24-dev", "postgres": "16-debian13", "static": "20250419-debian13",
	} {
		def := definition(t, image, tag)
		reference := host + "/" + image + ":" + tag
		digest := push(t, reference, configOf(def), def.Platforms...)
		report, err := v.Check(t.Context(), reference, def)
		if err != nil {
			t.Errorf("%s: %v", reference, err)
			continue
		}
		if diff := cmp.Diff(&Report{Reference: reference, Digest: digest}, report); diff != "" {
			t.Errorf("%s (-want +got):\n%s", reference, diff)
		}
		if got, err := v.Exists(t.Context(), reference); err != nil || got != digest {
			t.Errorf("%s exists: %s %v", reference, got, err)
		}
	}
}

func TestCheckDisagrees(t *testing.T) {
	t.Parallel()
	host := start(t, nil)
	v := New(WithKeychain(authn.NewMultiKeychain()))
	def := definition(t, "node", "24-debian13")
	reference := host + "/acme/dhi-node:24-debian13"
	digest := push(t, reference, v1.Config{Entrypoint: []string{"docker-entrypoint.sh"}, Cmd: []string{"node"}, User: "65532", WorkingDir: ""})
	report, err := v.Check(t.Context(), reference, def)
	if err != nil {
		t.Fatal(err)
	}
	want := &Report{Reference: reference, Digest: digest, Differences: []Difference{
		{"entrypoint", "none", `["docker-entrypoint.sh"]`}, {"user", "node", "65532"}, {"work dir", "/app", "/"},
	}}
	if diff := cmp.Diff(want, report); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSameUser(t *testing.T) {
	t.Parallel()
	node := definition(t, "node", "24-debian13")
	dev := definition(t, "node", "24-debian13-dev")
	for _, tt := range []struct {
		def  *catalog.Definition
		user string
		want bool
	}{
		{node, "node", true}, {node, "1000", true}, {node, "1000:1000", true}, {node, "node:node", true},
		{node, "", false}, {node, "root", false}, {node, "nonroot", false},
		{dev, "", true}, {dev, "root", true}, {dev, "0", true}, {dev, "0:0", true}, {dev, "node", false},
	} {
		if got := sameUser(tt.def, tt.user); got != tt.want {
			t.Errorf("catalog %s, registry %q: %t", tt.def.RunAs, tt.user, got)
		}
	}
}

// TestErrors holds what is told about a registry that does not answer well.
func TestErrors(t *testing.T) {
	t.Parallel()
	answer := func(status int) func(http.Handler) http.Handler {
		return func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/v2/" {
					return
				}
				w.WriteHeader(status)
			})
		}
	}
	def := definition(t, "node", "24-debian13")
	for _, tt := range []struct {
		name   string
		host   string
		target any
		text   string
	}{
		{"not found", start(t, nil), new(*NotFoundError), "node:24-debian13 does not exist"},
		{"login", start(t, answer(401)), new(*LoginError), "wants a login before it says anything about"},
		{"forbidden", start(t, answer(403)), new(*LoginError), "does not let this login read"},
		{"limit", start(t, answer(429)), new(*LimitError), "limits requests (429)"},
		{"broken", start(t, answer(418)), nil, "answered 418 about"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := New(WithKeychain(authn.NewMultiKeychain()))
			reference := tt.host + "/node:24-debian13"
			_, exists := v.Exists(t.Context(), reference)
			_, check := v.Check(t.Context(), reference, def)
			for what, err := range map[string]error{"exists": exists, "check": check} {
				if err == nil || !strings.Contains(err.Error(), tt.text) || !strings.Contains(err.Error(), tt.host) {
					t.Errorf("%s: error %v, want %q and the registry in it", what, err, tt.text)
				}
				if tt.target != nil && !errors.As(err, tt.target) {
					t.Errorf("%s: %T", what, err)
				}
			}
		})
	}
	t.Run("no reference", func(t *testing.T) {
		t.Parallel()
		if _, err := New().Check(t.Context(), "not a reference", def); err == nil || !strings.Contains(err.Error(), "not a reference") {
			t.Errorf("error %v", err)
		}
	})
	t.Run("silence", func(t *testing.T) {
		t.Parallel()
		done := make(chan struct{})
		defer close(done)
		host := start(t, func(http.Handler) http.Handler {
			return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-done })
		})
		v := New(WithKeychain(authn.NewMultiKeychain()), WithTimeout(50*time.Millisecond))
		if _, err := v.Exists(t.Context(), host+"/node:1"); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "did not answer in time") {
			t.Errorf("error %v", err)
		}
	})
}

func TestLoginHint(t *testing.T) {
	t.Parallel()
	err := &LoginError{Registry: "dhi.io", Reference: "dhi.io/node:24-debian13", Status: 401}
	if !strings.Contains(err.Error(), "docker login dhi.io, with a Docker ID and a personal access token") {
		t.Error(err)
	}
}

// TestLogin proves that the keychain's login is used.
func TestLogin(t *testing.T) {
	t.Parallel()
	const user, password = "acme", "a token"
	guard := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if u, p, _ := r.BasicAuth(); u != user || p != password {
				w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
	host := start(t, guard)
	def := definition(t, "static", "20250419-debian13")
	login := keychain{host: authn.FromConfig(authn.AuthConfig{Username: user, Password: password})}
	reference := host + "/static:20250419-debian13"
	ref, err := name.ParseReference(reference)
	if err != nil {
		t.Fatal(err)
	}
	img, err := mutate.Config(empty.Image, configOf(def))
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, img, remote.WithAuthFromKeychain(login)); err != nil {
		t.Fatal(err)
	}
	if report, err := New(WithKeychain(login)).Check(t.Context(), reference, def); err != nil || len(report.Differences) != 0 {
		t.Errorf("with a login: %+v %v", report, err)
	}
	var missing *LoginError
	if _, err := New(WithKeychain(authn.NewMultiKeychain())).Check(t.Context(), reference, def); !errors.As(err, &missing) {
		t.Errorf("without a login: %v", err)
	}
}

type keychain map[string]authn.Authenticator

func (k keychain) Resolve(r authn.Resource) (authn.Authenticator, error) {
	if a, ok := k[r.RegistryStr()]; ok {
		return a, nil
	}
	return authn.Anonymous, nil
}

// TestCheckAll proves that answers come in order, and that a registry that has
// had enough is left alone.
func TestCheckAll(t *testing.T) {
	t.Parallel()
	good := start(t, nil)
	var asked atomic.Int32
	limited := start(t, func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/v2/" {
				asked.Add(1)
				w.WriteHeader(http.StatusTooManyRequests)
			}
		})
	})
	def := definition(t, "node", "24-debian13")
	push(t, good+"/node:24-debian13", configOf(def))
	var targets []Target
	for i := range 40 {
		targets = append(targets, Target{fmt.Sprintf("%s/node:%d", limited, i), def})
	}
	targets = append(targets, Target{good + "/node:24-debian13", def}, Target{good + "/node:25-debian13", def})
	answers := New(WithKeychain(authn.NewMultiKeychain())).CheckAll(t.Context(), targets)
	for i, a := range answers {
		if a.Target != targets[i] {
			t.Fatalf("answer %d is about %s", i, a.Target.Reference)
		}
		var limit *LimitError
		var missing *NotFoundError
		switch {
		case i < 40 && !errors.As(a.Err, &limit):
			t.Errorf("answer %d: %v", i, a.Err)
		case i == 40 && (a.Err != nil || len(a.Report.Differences) != 0):
			t.Errorf("the good image: %+v %v", a.Report, a.Err)
		case i == 41 && !errors.As(a.Err, &missing):
			t.Errorf("the missing image: %v", a.Err)
		}
	}
	if n := asked.Load(); n > 8 { // four at a time, until the first answer is in
		t.Errorf("the registry that had enough was asked %d times", n)
	}
}
