package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"time"

	"dhibot/bot/standin"
)

// Scan measures a pass through an organisation: the App as a process of its
// own, against a stand-in that answers after a while and keeps to GitHub's rate
// limits. First everything is new, then nothing has changed. Meanwhile somebody
// in another, small organisation gives commands and waits for the answers.
type Scan struct {
	// Program is dhibot itself, started with the argument serve.
	Program      string
	Repositories int // at least 2, the organisation's own among them
	Dockerfiles  int // in all of the others together, at least one in each
	Latency      time.Duration
	Out          io.Writer
	// Progress gets a line now and then.
	Progress io.Writer
	// Most is how long a pass may take.
	Most time.Duration
}

// ScanResult is what was measured.
type ScanResult struct {
	Cold, Warm Pass
	// Answers are how long people waited for the answers to their commands.
	Answers Measure
	// Memory is the largest resident set of the App's process, in bytes; 0 where
	// the system does not say.
	Memory int64
}

// Pass is what one pass took.
type Pass struct {
	Took     time.Duration
	Lists    int // calls that list repositories
	Trees    int
	Blobs    int // files read one by one
	Other    int // other calls of REST
	GraphQL  int // points of GraphQL, as the stand-in counts them
	Refused  int // answers 403 and 429: a limit was hit
	Unlisted []string
}

// REST are all calls of REST.
func (p Pass) REST() int { return p.Lists + p.Trees + p.Blobs + p.Other }

// Run measures and prints a table.
func (s Scan) Run(ctx context.Context) error {
	if load, busy := loadAverage(); busy {
		fmt.Fprintf(s.Out, "This machine was busy before the start (load average %s): all of it is slower than it could be.\n\n", load)
	}
	r, err := s.measure(ctx)
	if err != nil {
		return err
	}
	n := s.Repositories
	row := func(name string, p Pass, rest, points string) []string {
		return []string{name, p.Took.Round(time.Second).String(), strconv.Itoa(p.REST()), strconv.Itoa(p.Lists), strconv.Itoa(p.Trees), strconv.Itoa(p.Blobs), strconv.Itoa(p.Other),
			strconv.Itoa(p.GraphQL), strconv.Itoa(p.Refused), rest + ", " + points}
	}
	fmt.Fprintf(s.Out, "%d repositories with %d Dockerfiles; every answer of GitHub takes %s more.\n\n", n, s.Dockerfiles, s.Latency)
	hundreds := (n + 99) / 100
	err = table(s.Out, [][]string{
		{"pass", "took", "REST", "lists", "trees", "files", "other", "GraphQL points", "refused", "at most"},
		row("cold", r.Cold, fmt.Sprintf("%d trees", n), fmt.Sprintf("%d lists", hundreds)),
		row("warm", r.Warm, fmt.Sprintf("%d REST", hundreds), fmt.Sprintf("%d points", 2*hundreds)),
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(s.Out, "\nA command in another organisation was answered within %s (median), %s (99 of 100), %s (slowest of %d).\n",
		millis(r.Answers.Percentile(50)), millis(r.Answers.Percentile(99)), millis(r.Answers.Percentile(100)), r.Answers.Count())
	if r.Memory > 0 {
		fmt.Fprintf(s.Out, "The App's process held at most %d MiB.\n", r.Memory>>20)
	}
	for _, u := range r.Warm.Unlisted {
		fmt.Fprintf(s.Out, "warm, other: %s\n", u)
	}
	return nil
}

// measure seeds the stand-in, starts the App and waits for two passes.
func (s Scan) measure(ctx context.Context) (_ *ScanResult, err error) {
	dir, err := os.MkdirTemp("", "dhibot-bench-")
	if err != nil {
		return nil, fmt.Errorf("making a place for the benchmark: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	count := newCounter()
	limits := standin.StrictLimits()
	limits.GraphQL = min(12_500, limits.GraphQL+50*max(0, s.Repositories-20)) // as GitHub gives organisations of that size
	hub, err := standin.New(standin.WithLimits(limits), standin.WithLatency(s.Latency), standin.WithObserver(count.see))
	if err != nil {
		return nil, fmt.Errorf("starting the GitHub stand-in: %w", err)
	}
	defer func() { err = errors.Join(err, hub.Close()) }()
	if _, err := hub.Listen("127.0.0.1:0"); err != nil {
		return nil, err
	}
	small, err := s.seed(hub)
	if err != nil {
		return nil, err
	}
	app, err := startApp(ctx, s.Program, dir, hub)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, app.stop()) }()
	if _, err := app.standin.Install("small"); err != nil {
		return nil, fmt.Errorf("installing the App: %w", err)
	}
	r := &ScanResult{}
	asking, stop := context.WithCancel(ctx)
	defer stop()
	var people sync.WaitGroup
	var asked error
	people.Go(func() { asked = s.ask(asking, small, count.answered, &r.Answers) })

	big, err := app.standin.Install("big")
	if err != nil {
		return nil, fmt.Errorf("installing the App: %w", err)
	}
	count.watch(big.ID())
	for i, pass := range []*Pass{&r.Cold, &r.Warm} {
		count.reset()
		began := time.Now()
		if i > 0 {
			if err := app.order(ctx, "big"); err != nil {
				return nil, err
			}
		}
		if err := app.pass(ctx, big.ID(), s.Most, func() {
			fmt.Fprintf(s.Progress, "%s: %d repositories listed\n", time.Since(began).Round(time.Second), 100*count.lists())
		}); err != nil {
			return nil, err
		}
		*pass = count.reset()
		pass.Took = time.Since(began)
	}
	stop()
	people.Wait()
	r.Memory = app.memory()
	return r, asked
}

// seed makes the large organisation and the small one.
func (s Scan) seed(hub *standin.Server) (*standin.Repository, error) {
	hub.AddOrganization("big")
	services := s.Repositories - 1 // the last one is the organisation's own
	for i := range services {
		files := map[string]string{
			"README.md": fmt.Sprintf("# Service %d\n", i), "src/index.js": fmt.Sprintf("console.log(%d)\n", i),
			"package.json": fmt.Sprintf(`{"name":"service-%d","scripts":{"start":"node src/index.js"}}`+"\n", i),
		}
		for k := range s.Dockerfiles/services + min(1, max(0, s.Dockerfiles%services-i)) {
			name := "Dockerfile"
			if k > 0 {
				name = fmt.Sprintf("worker%d/Dockerfile", k)
			}
			files[name] = fmt.Sprintf("FROM node:%d\nWORKDIR /srv\nCOPY package.json ./\nRUN npm install --omit=dev\nCOPY . .\nEXPOSE %d\nCMD [\"npm\", \"start\"]\n", 20+i%3*2, 3000+i)
		}
		if _, err := hub.AddRepository("big", fmt.Sprintf("service-%05d", i), standin.Text(files)); err != nil {
			return nil, fmt.Errorf("seeding: %w", err)
		}
	}
	// Pull requests would be measured too.
	if _, err := hub.AddRepository("big", ".github", standin.Text(map[string]string{".github/dhi.yml": "mode: commands\n"})); err != nil {
		return nil, fmt.Errorf("seeding: %w", err)
	}
	hub.AddOrganization("small")
	hub.AddMember("small", "ada", true)
	r, err := hub.AddRepository("small", "shop", standin.Text(map[string]string{"Dockerfile": "FROM node:22\nCMD [\"node\", \"a.js\"]\n", ".github/dhi.yml": "mode: commands\n"}))
	if err != nil {
		return nil, fmt.Errorf("seeding: %w", err)
	}
	return r, nil
}

// ask gives a command now and then, and measures how long its answer takes.
func (s Scan) ask(ctx context.Context, r *standin.Repository, answered <-chan time.Time, answers *Measure) error {
	const pause = 3 * time.Second
	n := r.OpenIssue("ada", "How are we doing?", "")
	for first := true; sleep(ctx, pause); first = false {
		began := time.Now()
		if _, err := r.Comment("ada", n, "/dhi status"); err != nil {
			return fmt.Errorf("asking: %w", err)
		}
		select {
		case at := <-answered:
			if !first { // the first one opens connections and reads the catalog
				answers.add(at.Sub(began))
			}
		case <-time.After(time.Minute):
			return errors.New("a command was not answered within a minute")
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
