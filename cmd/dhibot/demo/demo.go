package demo

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"dhibot/bot/githubapi"
	"dhibot/bot/manifest"
	"dhibot/bot/standin"
	"dhibot/cmd/dhibot/server"
)

// Organisation and person of the demo.
const (
	organisation = "acme"
	person       = "ada"
)

// Options are what can be chosen.
type Options struct {
	// Listen is the address of the stand-in; port 0 takes any that is free.
	Listen string
	// Once ends the demo when all pull requests are open.
	Once bool
	// Timeout is how long the pull requests may take.
	Timeout time.Duration
	// Out is where it is told what happens.
	Out io.Writer
	// Log is for the App itself.
	Log zerolog.Logger
}

// Run starts a GitHub stand-in and the App, has a person write "/dhi migrate"
// in each sample repository and tells what happens. With Once it returns when
// all pull requests are open, otherwise when ctx ends. The error names the
// repositories that got none in time. Nothing is left behind.
func Run(ctx context.Context, o Options) (err error) {
	dir, err := os.MkdirTemp("", "dhibot-demo-")
	if err != nil {
		return fmt.Errorf("making a place for the demo: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	watch := newWatcher()
	hub, err := standin.New(standin.WithObserver(watch.exchange), standin.WithDeliveryObserver(watch.delivery))
	if err != nil {
		return fmt.Errorf("starting the GitHub stand-in: %w", err)
	}
	defer func() { err = errors.Join(err, hub.Close()) }()
	url, err := hub.Listen(o.Listen)
	if err != nil {
		return err
	}
	repositories, err := populate(hub)
	if err != nil {
		return err
	}
	// The story is that of a comment; without this the App would begin by itself.
	if _, err := hub.AddRepository(organisation, ".github", standin.Text(map[string]string{".github/dhi.yml": "mode: commands\n"})); err != nil {
		return fmt.Errorf("making the organisation's settings: %w", err)
	}
	app, err := hub.AddApp(standin.AppConfig{Slug: "dhibot", Name: "dhibot", Owner: organisation,
		Description: "Moves Dockerfiles to Docker Hardened Images", Permissions: manifest.Permissions(), Events: manifest.Events()})
	if err != nil {
		return fmt.Errorf("registering the App: %w", err)
	}
	stop, failed, err := start(ctx, hub, app, filepath.Join(dir, "dhibot.db"), o.Log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	if _, err := app.Install(organisation); err != nil {
		return fmt.Errorf("installing the App: %w", err)
	}
	fmt.Fprintf(o.Out, "GitHub stand-in: %s/%s\nThe App is installed on %s. %s writes /dhi migrate in %d repositories.\n\n",
		url, organisation, organisation, person, len(repositories))
	told := &story{out: o.Out, open: map[string]string{}}
	for _, r := range repositories {
		n := r.OpenIssue(person, "Move to Docker Hardened Images", "Our images should ship without a shell and a package manager.")
		if _, err := r.Comment(person, n, "/dhi migrate"); err != nil {
			return fmt.Errorf("commenting in %s: %w", r.FullName(), err)
		}
		told.line(r.FullName(), fmt.Sprintf("%s wrote /dhi migrate in #%d", person, n))
	}
	if err := told.follow(ctx, watch, failed, repositories, o.Timeout); err != nil {
		return err
	}
	told.finish(repositories)
	if o.Once {
		return nil
	}
	fmt.Fprintf(o.Out, "\nStays up until it is interrupted (Ctrl-C). What to do now:\n"+
		"  open    %s/%s in a browser, and comment there yourself\n"+
		"  clone   git clone -b dhi/migrate %s\n", url, organisation, repositories[0].CloneURL())
	return told.rest(ctx, watch, failed)
}

// populate makes the organisation with its repositories.
func populate(hub *standin.Server) ([]*standin.Repository, error) {
	list, err := samples()
	if err != nil {
		return nil, err
	}
	hub.AddOrganization(organisation)
	hub.AddMember(organisation, person, true)
	var out []*standin.Repository
	for _, s := range list {
		r, err := hub.AddRepository(organisation, s.name, s.files, standin.Description(s.description))
		if err != nil {
			return nil, fmt.Errorf("making %s: %w", s.name, err)
		}
		out = append(out, r)
	}
	return out, nil
}

// start runs the App beside the stand-in, as dhibot serve would. failed gets
// the error if it ends by itself; stop ends it.
func start(ctx context.Context, hub *standin.Server, app *standin.App, database string, log zerolog.Logger) (stop func() error, failed <-chan error, err error) {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, fmt.Errorf("listening for webhooks: %w", err)
	}
	secret := rand.Text()
	app.SetWebhook("http://"+ln.Addr().String()+"/api/github/webhooks", secret)
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() {
		ended <- server.Run(running, server.Config{
			AppID: app.ID(), Keys: []*rsa.PrivateKey{app.Key()}, Secrets: [][]byte{[]byte(secret)},
			APIURL: hub.APIURL(), Database: "sqlite:" + database, Log: log,
			// The second between two writes is for the real GitHub; here somebody
			// is watching.
			Limits: githubapi.Limits{Spacing: 50 * time.Millisecond},
		}, ln)
		close(ended)
	}()
	return func() error {
		cancel()
		return <-ended // nil when it was read already
	}, ended, nil
}

// story tells what happens, one line each.
type story struct {
	out  io.Writer
	open map[string]string // repository: address of its pull request
}

func (s *story) line(repository, text string) {
	fmt.Fprintf(s.out, "%-14s %s\n", repository, text)
}

// follow tells until every repository has its pull request and its answer.
func (s *story) follow(ctx context.Context, w *watcher, failed <-chan error, repositories []*standin.Repository, timeout time.Duration) error {
	late := time.NewTimer(timeout)
	defer late.Stop()
	answered, finished := map[string]string{}, map[string]bool{}
	for {
		done := 0
		for _, r := range repositories {
			if s.open[r.FullName()] != "" && finished[r.FullName()] {
				done++
			}
		}
		if done == len(repositories) {
			return nil
		}
		select {
		case <-w.more:
			for _, e := range w.take() {
				s.event(e)
				switch e.kind {
				case answerWritten:
					answered[e.repository] = e.text
				case commandFinished:
					finished[e.repository] = true
				}
			}
		case err := <-failed:
			return fmt.Errorf("the App ended: %w", orStopped(err))
		case <-late.C:
			return s.missing(repositories, answered, timeout)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// rest tells what people do afterwards.
func (s *story) rest(ctx context.Context, w *watcher, failed <-chan error) error {
	for {
		select {
		case <-w.more:
			for _, e := range w.take() {
				s.event(e)
			}
		case err := <-failed:
			return fmt.Errorf("the App ended: %w", orStopped(err))
		case <-ctx.Done():
			return nil // being interrupted is how it ends
		}
	}
}

func (s *story) event(e happening) {
	if e.kind == pullOpened {
		s.open[e.repository] = e.url
	}
	s.line(e.repository, e.text)
}

// missing is the error for repositories without a pull request in time.
func (s *story) missing(repositories []*standin.Repository, answered map[string]string, timeout time.Duration) error {
	var lines []string
	for _, r := range repositories {
		name := r.FullName()
		switch {
		case s.open[name] != "" && answered[name] == "":
			lines = append(lines, name+": the pull request is open, but nobody was told")
		case s.open[name] != "":
			// Open and told: only the last reaction may be missing.
		case answered[name] != "":
			lines = append(lines, name+": no pull request; the App "+answered[name])
		default:
			lines = append(lines, name+": no pull request and no answer")
		}
	}
	return fmt.Errorf("not done after %s:\n%s", timeout, strings.Join(lines, "\n"))
}

func (s *story) finish(repositories []*standin.Repository) {
	fmt.Fprintf(s.out, "\n%d pull requests are open:\n", len(repositories))
	for _, r := range repositories {
		fmt.Fprintf(s.out, "  %s\n", s.open[r.FullName()])
	}
}

func orStopped(err error) error {
	if err == nil {
		return errors.New("without an error")
	}
	return err
}
