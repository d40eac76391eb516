package scan_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"dhibot/bot"
	"dhibot/bot/body"
	"dhibot/bot/config"
	"dhibot/bot/githubapi"
	"dhibot/bot/inbox"
	"dhibot/bot/inbox/pgtest"
	"dhibot/bot/internal/testclock"
	"dhibot/bot/memory"
	"dhibot/bot/scan"
	"dhibot/bot/standin"
	"dhibot/bot/standin/standintest"
	"dhibot/rewrite"

	"github.com/rs/zerolog"
)

// world is a GitHub with an organisation acme, the App, and a queue whose work
// is done when the test says so. Time stands still unless the test moves it.
type world struct {
	t        testing.TB
	gh       *standin.Server
	app      *standin.App
	inst     *standin.Installation
	github   *githubapi.App
	memory   *memory.Store
	scanner  *scan.Scanner
	bot      *bot.Bot
	database string
	log      strings.Builder

	*testclock.Clock

	mu     sync.Mutex
	calls  []string // "METHOD path" of the App
	seen   map[scan.Seen]int
	queue  []inbox.Delivery
	guids  map[string]bool
	refuse func(inbox.Delivery) bool // work that is lost instead of done
	// before and after see the calls of the App; after may change the answer.
	before func(*http.Request)
	after  func(*http.Request, *http.Response) (*http.Response, error)
	// cut is asked before calls and before work is put into the queue; with an
	// error neither takes place.
	cut func() error
	// survey is called in front of the engine.
	survey func(githubapi.Repo)
	// failures is how many of a delivery are borne, 0 is none; what failed is
	// handled again after everything else.
	failures int
	failed   map[string]int
}

// node is an application that moves to a runtime image.
func node(port int) standin.Files {
	return standin.Text(map[string]string{
		"Dockerfile":   fmt.Sprintf("FROM node:22\nWORKDIR /app\nCOPY package*.json ./\nRUN npm ci\nCOPY . .\nEXPOSE %d\nCMD [\"node\", \"server.js\"]\n", port),
		"package.json": `{"name":"shop","scripts":{"start":"node server.js"}}` + "\n",
		"server.js":    "require('http').createServer().listen()\n",
	})
}

func newWorld(t testing.TB) *world {
	w := &world{t: t, Clock: testclock.At(time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)), seen: map[scan.Seen]int{}, guids: map[string]bool{}, failed: map[string]int{}}
	gh := standintest.Listen(t, standin.WithClock(w.Now), standin.WithJWTClock(time.Now))
	hooks := httptest.NewServer(http.HandlerFunc(w.receive))
	t.Cleanup(hooks.Close)
	w.gh = gh
	gh.AddOrganization("acme")
	gh.AddMember("acme", "reader", true)
	w.app = standintest.App(t, gh, hooks.URL)
	w.database = pgtest.File(t, "dhibot.db")
	w.start()
	return w
}

// start starts the App with what is in its database and nothing else.
func (w *world) start() {
	w.t.Helper()
	if w.memory != nil {
		if err := w.memory.Close(); err != nil {
			w.t.Fatal(err)
		}
	}
	var err error
	w.github, err = githubapi.New(githubapi.Settings{
		AppID: w.app.ID(), Key: w.app.Key(), APIURL: w.gh.APIURL(), HTTPClient: &http.Client{Transport: w}, Now: w.Now,
		Limits: githubapi.Limits{Spacing: -1, Attempts: 1, ContentPerMinute: 1 << 20, ContentPerHour: 1 << 20, MaxPause: time.Hour},
		Wait:   func(context.Context, time.Duration) error { return nil },
	})
	if err != nil {
		w.t.Fatal(err)
	}
	keys := body.Keys{[]byte("0123456789abcdef0123456789abcdef")}
	log := zerolog.New(&w.log)
	if w.bot, err = bot.New(bot.Deps{GitHub: w.github, AppID: w.app.ID(), Keys: keys, Migrate: rewrite.Migrate, Now: w.Now, Log: log}); err != nil {
		w.t.Fatal(err)
	}
	if w.memory, err = memory.Open(context.Background(), w.database, memory.WithClock(w.Now)); err != nil {
		w.t.Fatal(err)
	}
	store := w.memory
	w.t.Cleanup(func() {
		if err := store.Close(); err != nil {
			w.t.Error(err)
		}
	})
	if w.scanner, err = scan.New(scan.Config{GitHub: w.github, Engine: engine{w.bot, w}, Memory: w.memory, Queue: w, Keys: keys, Version: "1", Now: w.Now, Log: log,
		Seen: func(s scan.Seen) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.seen[s]++
		}}); err != nil {
		w.t.Fatal(err)
	}
}

// engine lets a test get in the way of the bot's.
type engine struct {
	*bot.Bot
	w *world
}

func (e engine) Survey(ctx context.Context, repo githubapi.Repo, tree *githubapi.Tree, organisation, own config.File, fetch githubapi.Fetch) (*bot.Survey, error) {
	if e.w.survey != nil {
		e.w.survey(repo)
	}
	return e.Bot.Survey(ctx, repo, tree, organisation, own, fetch)
}

// RoundTrip counts the calls of the App.
func (w *world) RoundTrip(req *http.Request) (*http.Response, error) {
	w.mu.Lock()
	if !strings.HasSuffix(req.URL.Path, "/access_tokens") {
		w.calls = append(w.calls, req.Method+" "+strings.TrimPrefix(req.URL.Path, "/api/v3"))
	}
	before, after := w.before, w.after
	w.mu.Unlock()
	if w.cut != nil {
		if err := w.cut(); err != nil {
			return nil, err
		}
	}
	if before != nil {
		before(req)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err == nil && after != nil {
		return after(req, resp)
	}
	return resp, err
}

// taken returns and forgets the calls so far: of REST, and of GraphQL.
func (w *world) taken() (rest []string, graphql int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.calls {
		if strings.HasSuffix(c, "graphql") {
			graphql++
			continue
		}
		rest = append(rest, c)
	}
	w.calls = nil
	return rest, graphql
}

// Put implements scan.Queue: as in the inbox, a name is put once.
func (w *world) Put(_ context.Context, d inbox.Delivery) (bool, error) {
	if w.cut != nil && scan.Own(d.Event) {
		if err := w.cut(); err != nil {
			return false, err
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.guids[d.GUID] {
		return false, nil
	}
	w.guids[d.GUID] = true
	w.queue = append(w.queue, d)
	return true, nil
}

// receive puts GitHub's deliveries into the same queue.
func (w *world) receive(rw http.ResponseWriter, r *http.Request) {
	d, err := standintest.Delivery(r)
	if err != nil {
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return
	}
	_, _ = w.Put(r.Context(), d)
	rw.WriteHeader(http.StatusAccepted)
}

// work does everything that is in the queue and what comes of it. Work that is
// put off is done when the clock has come there.
func (w *world) work() {
	w.t.Helper()
	ctx := context.Background()
	for {
		if err := w.gh.Drain(ctx); err != nil {
			w.t.Fatal(err)
		}
		w.mu.Lock()
		if len(w.queue) == 0 {
			w.mu.Unlock()
			return
		}
		d := w.queue[0]
		w.queue = w.queue[1:]
		refuse := w.refuse
		w.mu.Unlock()
		if refuse != nil && refuse(d) {
			continue
		}
		if err := w.handle(ctx, d); err != nil {
			if w.failed[d.GUID]++; w.failed[d.GUID] <= w.failures {
				w.mu.Lock()
				d.Attempt = w.failed[d.GUID] + 1
				w.queue = append(w.queue, d)
				w.mu.Unlock()
				continue
			}
			if w.failures > 0 {
				continue // parked
			}
			w.t.Fatalf("%s %s: %v\n%s", d.Event, d.FullName, err, w.log.String())
		}
	}
}

func (w *world) handle(ctx context.Context, d inbox.Delivery) error {
	if scan.Own(d.Event) {
		return w.scanner.Handle(ctx, d)
	}
	if err := w.bot.Handle(ctx, d); err != nil {
		return err
	}
	return w.scanner.Observe(ctx, d)
}

// tick lets time pass and does what is due.
func (w *world) tick(d time.Duration) {
	w.t.Helper()
	w.Advance(d)
	if err := w.scanner.Tick(context.Background()); err != nil {
		w.t.Fatal(err)
	}
	w.work()
}

// repository adds a repository.
func (w *world) repository(name string, files standin.Files, options ...standin.RepositoryOption) *standin.Repository {
	w.t.Helper()
	r, err := w.gh.AddRepository("acme", name, files, options...)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// install installs the App on the organisation.
func (w *world) install() {
	w.t.Helper()
	var err error
	if w.inst, err = w.app.Install("acme"); err != nil {
		w.t.Fatal(err)
	}
}

// pullView is a pull request as the API shows it.
type pullView struct {
	Number  int        `json:"number"`
	State   string     `json:"state"`
	Merged  *time.Time `json:"merged_at"`
	Created time.Time  `json:"created_at"`
}

// get reads something as a person.
func (w *world) get(path string, into any) {
	w.t.Helper()
	req, err := http.NewRequest(http.MethodGet, w.gh.APIURL()+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+w.gh.AddUser("reader").Token())
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		w.t.Fatalf("%s: %s", path, resp.Status)
	}
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		w.t.Fatal(err)
	}
}

// pulls are all pull requests by repository.
func (w *world) pulls() map[string][]pullView {
	w.t.Helper()
	all := map[string][]pullView{}
	for _, r := range w.gh.Repositories() {
		var list []pullView
		w.get("repos/"+r.FullName()+"/pulls?state=all&per_page=100", &list)
		if len(list) > 0 {
			all[strings.TrimPrefix(r.FullName(), "acme/")] = list
		}
	}
	return all
}

// merge merges the first n open pull requests, by name of repository.
func (w *world) merge(n int) {
	w.t.Helper()
	all := w.pulls()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		for _, p := range all[name] {
			if p.State == "open" && n > 0 {
				n--
				if err := w.gh.Repository("acme/"+name).Merge("alice", p.Number, "merge"); err != nil {
					w.t.Fatal(err)
				}
			}
		}
	}
}
