package bot_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"dhibot/bot/registry"
	"dhibot/bot/standin"
	"dhibot/rewrite"
	"dhibot/rewrite/catalog"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	served "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// shelf is a registry on loopback.
type shelf struct {
	t    *testing.T
	host string
	down atomic.Bool
}

func newShelf(t *testing.T) *shelf {
	s := &shelf{t: t}
	inner := served.New(served.Logger(log.New(io.Discard, "", 0)))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.down.Load() && r.URL.Path != "/v2/" {
			w.WriteHeader(http.StatusTeapot) // not one that is tried again at once
			return
		}
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	s.host = strings.TrimPrefix(srv.URL, "http://")
	return s
}

// put stores all images of a name as the catalog describes them, changed.
func (s *shelf) put(image string, change func(*v1.Config)) {
	s.t.Helper()
	c, err := catalog.Default()
	if err != nil {
		s.t.Fatal(err)
	}
	for _, d := range c.Definitions(image) {
		cfg := v1.Config{Entrypoint: d.Entrypoint, Cmd: d.Cmd, User: d.RunAs, WorkingDir: d.WorkDir}
		if change != nil && !strings.Contains(strings.Join(d.Tags, " "), "-dev") {
			change(&cfg)
		}
		img, err := mutate.Config(empty.Image, cfg)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, tag := range d.Tags {
			ref, err := name.ParseReference(s.host + "/" + image + ":" + tag)
			if err != nil {
				s.t.Fatal(err)
			}
			if err := remote.Write(ref, img); err != nil {
				s.t.Fatal(err)
			}
		}
	}
}

// login is a Docker configuration with one registry in it.
type login string

func (l login) Resolve(r authn.Resource) (authn.Authenticator, error) {
	if r.RegistryStr() == string(l) {
		return authn.FromConfig(authn.AuthConfig{Username: "acme", Password: "token"}), nil
	}
	return authn.Anonymous, nil
}

// asks is a world that asks a registry, and a repository in it.
func asks(t *testing.T, s *shelf, with string) (*world, *standin.Repository) {
	w := newWorld(t, func(w *world) {
		w.engine = rewrite.Migrate
		w.registry = registry.NewDesk(registry.New(registry.WithKeychain(login(with))), w.Now)
	})
	r, err := w.gh.AddRepository("acme", "shop", standin.Text(map[string]string{
		".github/dhi.yml": "registry: " + s.host + "\n",
		"api/Dockerfile":  "FROM golang:1.26 AS build\nWORKDIR /src\nCOPY . .\nRUN CGO_ENABLED=0 go build -o /app .\nFROM gcr.io/distroless/static-debian12\nCOPY --from=build /app /app\nENTRYPOINT [\"/app\"]\n",
		"api/main.go":     "package main\n\nfunc main() {}\n", "api/go.mod": "module app\n\ngo 1.26\n",
		"web/Dockerfile": "FROM node:24\nWORKDIR /app\nCOPY . .\nCMD [\"node\", \"index.js\"]\n", "web/index.js": "", "web/package.json": "{}",
	}), standin.Collaborator("alice", "write"))
	if err != nil {
		t.Fatal(err)
	}
	return w, r
}

func (w *world) ask(r *standin.Repository, text string) []error {
	w.t.Helper()
	if _, err := r.Comment("alice", r.OpenIssue("alice", "Please", ""), text); err != nil {
		w.t.Fatal(err)
	}
	if err := w.settle(); err != nil {
		w.t.Fatal(err)
	}
	return w.failures()
}

func (w *world) onlyBody() string {
	w.t.Helper()
	pulls, err := w.pulls("acme/shop")
	if err != nil || len(pulls) != 1 {
		w.t.Fatalf("pull requests %v: %v\n%s", pulls, err, w.logged())
	}
	return pulls[0].Body
}

// TestRegistryIsAsked: what the registry has as the catalog says is proposed,
// what it lacks or has otherwise is left alone, with the reason.
func TestRegistryIsAsked(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	for _, image := range []string{"golang", "static"} {
		s.put(image, nil)
	}
	w, r := asks(t, s, s.host)
	if errs := w.ask(r, "/dhi migrate"); len(errs) > 0 {
		t.Fatal(errs)
	}
	text := w.onlyBody()
	for _, want := range []string{"`" + s.host + "/golang:", "every new image is in its registry", "`web/Dockerfile`: skipped; `" + s.host + "/node:", "is in the catalog, and its registry does not have it"} {
		if !strings.Contains(text, want) {
			t.Errorf("the text lacks %q:\n%s", want, text)
		}
	}
	if files, err := r.ReadFiles("dhi/migrate"); err != nil || !strings.Contains(files["api/Dockerfile"].Content, s.host) || !strings.HasPrefix(files["web/Dockerfile"].Content, "FROM node:24\n") {
		t.Errorf("%v: %v", files, err)
	}

	// It was mirrored meanwhile, with another user than the catalog has.
	s.put("node", func(c *v1.Config) { c.User = "0" })
	w.Advance(time.Hour)
	if errs := w.ask(r, "/dhi plan"); len(errs) > 0 {
		t.Fatal(errs)
	}
	if errs := w.ask(r, "/dhi explain web/Dockerfile"); len(errs) > 0 {
		t.Fatal(errs)
	}
	comments, err := w.comments("acme/shop", 4)
	if err != nil || len(comments) != 2 || !strings.Contains(comments[1].Body, "has another user in its registry (`0`) than in the catalog (`node`)") {
		t.Errorf("%v: %v", comments, err)
	}
	s.put("node", nil)
	w.Advance(time.Hour)
	if errs := w.ask(r, "/dhi migrate"); len(errs) > 0 {
		t.Fatal(errs)
	}
	if text := w.onlyBody(); !strings.Contains(text, "`"+s.host+"/node:") || strings.Contains(text, "skipped") {
		t.Errorf("it is there now:\n%s", text)
	}
}

// TestSilentRegistry: a registry that is away holds work up for a while, says so,
// and holds up nothing for ever.
func TestSilentRegistry(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	s.down.Store(true)
	w, r := asks(t, s, s.host)
	errs := w.ask(r, "/dhi migrate")
	if len(errs) != 1 || !strings.Contains(errs[0].Error(), "put back until 2026-11-23T09:01:00Z") {
		t.Fatalf("errors %v, want one that puts the delivery back", errs)
	}
	comments, err := w.comments("acme/shop", 1)
	if err != nil || len(comments) != 2 || !strings.Contains(comments[1].Body, "The registry `"+s.host+"` does not answer") {
		t.Fatalf("%v: %v", comments, err)
	}
	if errs := w.ask(r, "/dhi plan"); len(errs) > 0 {
		t.Errorf("a preview waits: %v", errs)
	}
	for range 12 {
		w.Advance(time.Minute)
		if errs = w.ask(r, "/dhi migrate"); len(errs) == 0 {
			break
		}
	}
	if w.Now().Sub(time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)) != 10*time.Minute {
		t.Errorf("it went on at %s: %v", w.Now(), errs)
	}
	text := w.onlyBody()
	if want := fmt.Sprintf("Not checked: no image was built and no container was started; whether `%s` has the images as the catalog has them: it did not say.", s.host); !strings.Contains(text, want) {
		t.Errorf("the text lacks %q:\n%s", want, text)
	}
}

// TestStrangersRegistry: a registry that the server has no login for is never
// talked to, whatever the settings of a repository name.
func TestStrangersRegistry(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(srv.Close)
	w, r := asks(t, &shelf{t: t, host: strings.TrimPrefix(srv.URL, "http://")}, "dhi.io")
	if errs := w.ask(r, "/dhi migrate"); len(errs) > 0 {
		t.Fatal(errs)
	}
	if text := w.onlyBody(); !strings.Contains(text, "it did not say") || strings.Contains(text, "every new image is in its registry") || asked.Load() > 0 {
		t.Errorf("asked %d times:\n%s", asked.Load(), text)
	}
}
