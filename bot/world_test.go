package bot_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"dhibot/bot"
	"dhibot/bot/githubapi"
	"dhibot/bot/inbox"
	"dhibot/bot/internal/testclock"
	"dhibot/bot/standin"
	"dhibot/bot/standin/contract"
	"dhibot/bot/standin/standintest"
	"dhibot/rewrite"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/rs/zerolog"
)

// world is a GitHub with the App on it. Deliveries are handled one after the
// other, as the inbox does for one repository.
type world struct {
	t      testing.TB
	gh     *standin.Server
	spec   *contract.Spec
	app    *standin.App
	inst   *standin.Installation
	bot    *bot.Bot
	github *githubapi.App

	*testclock.Clock

	registry  bot.Registry
	engine    func(context.Context, rewrite.Input) (*rewrite.Result, error)
	transport *breaking

	handling        sync.Mutex // one delivery at a time
	active, started int        // deliveries being handled, and ever begun; under mu
	idle            *sync.Cond // active has become 0
	mu              sync.Mutex
	errs            []error
	log             bytes.Buffer
	attempts        int          // of one delivery before it is given up; default 1
	treeCalls       int          // for a tree that GitHub truncates; 0 is the default
	unchecked       bool         // leaves out the comparison with GitHub's description, which takes its time
	lastReads       int          // calls that changed nothing, when writes was asked last
	fresh           bool         // every attempt is made by a new process
	out             bytes.Buffer // what a command of a story prints
	held            bool
	waiting         []inbox.Delivery
}

// newWorld makes a GitHub with an organisation acme and the App installed on it.
func newWorld(t testing.TB, options ...func(*world)) *world {
	w := &world{t: t, attempts: 1, transport: &breaking{}, engine: smallEngine, Clock: testclock.At(time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC))}
	w.idle = sync.NewCond(&w.mu)
	for _, f := range options {
		f(w)
	}
	spec, err := contract.Shared()
	if err != nil {
		t.Fatal(err)
	}
	w.spec = spec
	gh := standintest.Listen(t, standin.WithObserver(w.observe), standin.WithDeliveryObserver(func(d standin.Delivery) {
		if !w.unchecked {
			w.check(spec.CheckWebhook(d.Event, d.Body))
		}
	}))
	hooks := httptest.NewServer(http.HandlerFunc(w.deliver))
	t.Cleanup(hooks.Close)
	w.gh = gh
	gh.AddOrganization("acme")
	w.app = standintest.App(t, gh, hooks.URL)
	w.start() // before there is anything to be told of
	w.inst, err = w.app.Install("acme")
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// start starts the bot anew, with nothing remembered.
func (w *world) start() {
	var err error
	w.github, err = githubapi.New(githubapi.Settings{
		AppID: w.app.ID(), Key: w.app.Key(), APIURL: w.gh.APIURL(), Log: zerolog.Nop(),
		// Pauses that are for GitHub's sake would only make the tests slow.
		HTTPClient: &http.Client{Transport: w.transport},
		Limits:     githubapi.Limits{Spacing: -1, Attempts: 1, MaxPause: time.Hour, TreeCalls: w.treeCalls}, Wait: func(context.Context, time.Duration) error { return nil },
	})
	if err != nil {
		w.t.Fatal(err)
	}
	b, err := bot.New(bot.Deps{
		GitHub: w.github, AppID: w.app.ID(), Keys: testKeys,
		Migrate: w.engine, Checked: []string{"every changed file parses"}, Now: w.Now, Log: zerolog.New(w), Registry: w.registry,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.mu.Lock()
	w.bot = b
	w.mu.Unlock()
}

// check fails the test when a call or a webhook is not as GitHub describes it.
func (w *world) check(err error) {
	if err != nil && !errors.Is(err, contract.ErrUndocumented) {
		w.t.Errorf("not as GitHub describes it: %v", err)
	}
}

func (w *world) observe(x standin.Exchange) {
	// Faults answer as a broken server does, which is not described.
	if !w.unchecked && x.Status < http.StatusInternalServerError && x.Request.Get("X-Story") == "" && x.Route != "" && !strings.Contains(x.Path, "graphql") {
		query := ""
		if i := strings.IndexByte(x.URL, '?'); i >= 0 {
			query = x.URL[i+1:]
		}
		w.check(w.spec.CheckCall(contract.Call{Method: x.Method, Path: x.Path, Query: query, Request: x.Request, RequestBody: x.RequestBody,
			Status: x.Status, Response: x.Response, ResponseBody: x.ResponseBody}))
	}
}

// deliver does what the webhook's edge and the inbox do, at once.
func (w *world) deliver(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	w.active++
	w.started++
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.active--; w.active == 0 {
			w.idle.Broadcast()
		}
	}()
	d, err := standintest.Delivery(r)
	if err != nil {
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return
	}
	rw.WriteHeader(http.StatusAccepted)
	w.mu.Lock()
	if w.held {
		w.waiting = append(w.waiting, d)
		w.mu.Unlock()
		return
	}
	w.mu.Unlock()
	w.handle(d)
}

func (w *world) handle(d inbox.Delivery) {
	w.mu.Lock()
	b, attempts := w.bot, w.attempts
	w.mu.Unlock()
	_ = b.Acknowledge(context.Background(), d) // nothing is lost when it fails
	w.handling.Lock()
	defer w.handling.Unlock()
	var err error
	for d.Attempt = 1; d.Attempt <= attempts; d.Attempt++ {
		if d.Attempt > 1 && w.fresh {
			w.start()
			w.mu.Lock()
			b = w.bot
			w.mu.Unlock()
		}
		if err = b.Handle(context.Background(), d); err == nil {
			return
		}
	}
	w.mu.Lock()
	w.errs = append(w.errs, fmt.Errorf("%s: %w", d.Event, err))
	w.mu.Unlock()
}

func (w *world) setHeld(held bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.held = held
}

// release handles what was held back.
func (w *world) release() {
	w.mu.Lock()
	list := w.waiting
	w.waiting = nil
	w.mu.Unlock()
	for _, d := range list {
		w.handle(d)
	}
}

// logged returns what the bot has logged.
func (w *world) logged() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.String()
}

// Write implements io.Writer for the log.
func (w *world) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(p)
}

// plain replaces what differs from run to run: addresses, commits, markers.
func (w *world) plain(text string) string {
	text = strings.ReplaceAll(text, w.gh.URL(), "https://github.example")
	text = guid.ReplaceAllString(text, "<guid>")
	text = commitID.ReplaceAllString(text, "<commit>")
	return strings.TrimSpace(hiddenMarker.ReplaceAllString(text, ""))
}

var (
	commitID     = regexp.MustCompile(`\b[0-9a-f]{40}\b|\b[0-9a-f]{7}\b`)
	hiddenMarker = regexp.MustCompile(`(?m)^<!-- dhibot(-said)?:.* -->$`)
	guid         = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)
)

// settle waits until every delivery was handled, and every one that came of it.
// The stand-in alone does not know: it gives a receiver ten seconds, and a busy
// machine takes longer.
func (w *world) settle() error {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	for before := -1; ; {
		if err := w.gh.Drain(ctx); err != nil {
			return err
		}
		w.mu.Lock()
		for w.active > 0 {
			w.idle.Wait()
		}
		now := w.started
		w.mu.Unlock()
		if now == before {
			return nil
		}
		before = now
	}
}

// failures returns and forgets the errors of the bot.
func (w *world) failures() []error {
	w.mu.Lock()
	defer w.mu.Unlock()
	errs := w.errs
	w.errs = nil
	return errs
}

// writes returns and forgets the calls of the bot that changed something.
func (w *world) writes() []string {
	var list []string
	w.lastReads = 0
	for _, c := range w.transport.taken() {
		switch {
		case strings.Contains(c, "access_tokens"):
		case strings.HasPrefix(c, "GET ") || strings.Contains(c, "/graphql"):
			w.lastReads++
		default:
			list = append(list, c)
		}
	}
	return list
}

const worldKey = "world"

func setup(env *testscript.Env) error {
	env.Values[worldKey] = newWorld(env.T().(testing.TB))
	return nil
}

// filesBelow reads the files of a folder of the story. Lines of a file named
// .modes, "100755 path" or "120000 path target", set what a story cannot show.
func filesBelow(dir string) (standin.Files, error) {
	files := standin.Files{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		files[filepath.ToSlash(name)] = standin.File{Content: string(content)}
		return err
	})
	if modes, ok := files[".modes"]; ok {
		delete(files, ".modes")
		for _, line := range strings.Split(strings.TrimSpace(modes.Content), "\n") {
			f := strings.Fields(line)
			if len(f) == 3 {
				files[f[1]] = standin.File{Mode: f[0], Content: f[2]}
				continue
			}
			files[f[1]] = standin.File{Mode: f[0], Content: files[f[1]].Content}
		}
	}
	return files, err
}

func number(ts *testscript.TestScript, s string) int {
	n, err := strconv.Atoi(strings.TrimPrefix(s, "#"))
	ts.Check(err)
	return n
}
