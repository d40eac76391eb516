package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"dhibot/bot/inbox"
	"dhibot/webhooks"
)

// Webhooks measures the way of a delivery from the wire to the disk: HTTP, the
// signature, JSON, and storing the delivery with its job in one transaction,
// beside inserting the same bytes into a bare table of the same database, one
// insert and commit per delivery, from as many callers.
type Webhooks struct {
	Databases []string      // "sqlite", "postgres" or URLs; see openPlace
	Posters   int           // deliveries posted, and rows inserted, at once
	Size      int           // bytes of a payload, at least 1 KiB
	For       time.Duration // per database, both halves together
	Working   bool          // the process also works on what arrives, with a handler that does nothing
	Out       io.Writer

	round int // deliveries per turn, 0 is perRound
}

// WebhooksResult is what was measured on one database.
type WebhooksResult struct {
	Database       string
	Webhooks, Bare Measure
}

// Ratio is the rate of acknowledged webhooks by that of bare inserts.
func (r *WebhooksResult) Ratio() float64 {
	if r.Bare.Rate() == 0 {
		return 0
	}
	return r.Webhooks.Rate() / r.Bare.Rate()
}

// What the webhook path must show on every database.
const (
	leastRatio = 0.5
	mostP99    = 50 * time.Millisecond
)

// Run measures every database and prints a table. A Postgres that is missing
// on the machine is said to be, and is no error.
func (w Webhooks) Run(ctx context.Context) error {
	kind := "the process only accepts"
	if w.Working {
		kind = "the process also works on what it accepted"
	}
	fmt.Fprintf(w.Out, "Webhooks: %d posters, %d byte payloads, %s per database on %d CPUs; %s.\n\n",
		w.Posters, w.Size, w.For, runtime.NumCPU(), kind)
	rows := [][]string{{"database", "", "per second", "p50", "p99", "ratio", fmt.Sprintf("at least %.1f, p99 under %s", leastRatio, mostP99)}}
	if load, busy := loadAverage(); busy {
		fmt.Fprintf(w.Out, "This machine was busy before the start (load average %s): all of it is slower than it could be.\n\n", load)
	}
	var missing []error
	for _, database := range w.Databases {
		r, err := w.measure(ctx, database, 0)
		if errors.Is(err, ErrNoDatabase) {
			missing = append(missing, err)
			continue
		}
		if err != nil {
			return err
		}
		line := func(what string, m *Measure) []string {
			return []string{r.Database, what, fmt.Sprintf("%.0f", m.Rate()), millis(m.Percentile(50)), millis(m.Percentile(99))}
		}
		verdict := "yes"
		if r.Ratio() < leastRatio || r.Webhooks.Percentile(99) >= mostP99 {
			verdict = "no"
		}
		rows = append(rows, line("bare insert", &r.Bare), append(line("webhook", &r.Webhooks), fmt.Sprintf("%.2f", r.Ratio()), verdict))
	}
	if err := table(w.Out, rows); err != nil {
		return err
	}
	for _, err := range missing {
		fmt.Fprintf(w.Out, "\nPostgres was not measured: %v.\n", err)
	}
	return nil
}

// perRound is how many deliveries one turn has: enough for the posters to be
// busy together nearly all of the time, few enough that a disturbance of a
// second meets both halves.
const perRound = 400

// measure runs rounds of both halves until the time is over, or exactly count
// deliveries when that is not 0.
func (w Webhooks) measure(ctx context.Context, database string, count int) (_ *WebhooksResult, err error) {
	place, err := openPlace(ctx, database, w.Posters)
	if err != nil {
		return nil, fmt.Errorf("preparing %s: %w", name(database), err)
	}
	defer func() { err = errors.Join(err, place.close()) }()
	box, err := inbox.Open(ctx, place.inbox)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, box.Close()) }()
	address, stop, err := w.serve(ctx, box)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	posters := make([]*poster, w.Posters)
	for i := range posters {
		if posters[i], err = newPoster(ctx, address); err != nil {
			return nil, err
		}
		defer posters[i].conn.Close()
	}

	r := &WebhooksResult{Database: place.name}
	random := rand.New(rand.NewPCG(1, 2))
	n := 0
	round := func(bareHalf, hookHalf *Measure, size int) error {
		deliveries, requests := make([]delivery, size), make([][]byte, size)
		for i := range deliveries {
			deliveries[i] = payload(random, n+i, w.Size)
			requests[i] = deliveries[i].request()
		}
		n += size
		runtime.GC() // what was made here is not paid for by either half
		halves := []func() error{
			func() error {
				return bareHalf.run(w.Posters, size, func(_, i int) error { return place.bare(ctx, deliveries[i].guid, deliveries[i].body) })
			},
			func() error {
				return hookHalf.run(w.Posters, size, func(poster, i int) error { return posters[poster].post(requests[i]) })
			},
		}
		if n/size%2 == 0 {
			halves[0], halves[1] = halves[1], halves[0]
		}
		for _, half := range halves {
			if err := half(); err != nil {
				return errors.Join(ctx.Err(), err) // an interrupt first, whatever it led to
			}
		}
		return ctx.Err()
	}
	most := w.round
	if most == 0 {
		most = perRound
	}
	var warmUp [2]Measure // connections, prepared statements
	if err := round(&warmUp[0], &warmUp[1], (most+3)/4); err != nil {
		return nil, fmt.Errorf("measuring %s: %w", place.name, err)
	}
	for done := 0; count > done || count == 0 && r.Bare.wall+r.Webhooks.wall < w.For; {
		size := most
		if count > 0 {
			size = min(size, count-done)
		}
		if err := round(&r.Bare, &r.Webhooks, size); err != nil {
			return nil, fmt.Errorf("measuring %s: %w", place.name, err)
		}
		done += size
	}
	return r, w.allStored(ctx, box, n)
}

// name is a database as it may be shown: without the password of its URL.
func name(database string) string {
	scheme, _, _ := strings.Cut(database, ":")
	return scheme
}

// serve runs the edge on a free port and, if asked for, the inbox. stop ends
// both.
func (w Webhooks) serve(ctx context.Context, box *inbox.Inbox) (address string, stop func() error, err error) {
	handler, err := webhooks.New(webhooks.Config{Secrets: [][]byte{secret}, Inbox: box, Log: zerolog.New(io.Discard).Level(zerolog.InfoLevel)})
	if err != nil {
		return "", nil, err
	}
	var l net.ListenConfig
	ln, err := l.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, fmt.Errorf("listening: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 2)
	go func() { ended <- webhooks.Serve(ctx, ln, handler) }()
	go func() {
		if !w.Working {
			ended <- nil
			return
		}
		ended <- box.Run(ctx, func(context.Context, inbox.Delivery) error { return nil })
	}()
	return ln.Addr().String(), func() error {
		cancel()
		return errors.Join(<-ended, <-ended)
	}, nil
}

// allStored checks that what was acknowledged is there: the benchmark of a
// path that loses deliveries would be worth nothing.
func (w Webhooks) allStored(ctx context.Context, box *inbox.Inbox, n int) error {
	stats, err := box.Stats(ctx)
	if err != nil {
		return err
	}
	waiting := int64(0)
	for _, k := range stats.Waiting {
		waiting += k
	}
	if !w.Working && waiting != int64(n) {
		return fmt.Errorf("%d deliveries were acknowledged and %d are stored", n, waiting)
	}
	return nil
}
