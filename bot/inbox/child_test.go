package inbox

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// childEnv makes this test binary a program that uses an inbox and may be
// killed at any moment.
const childEnv = "DHIBOT_INBOX_TEST_CHILD"

// childOrders is what a child does.
type childOrders struct {
	URL   string
	Dir   string // where effects are left for the parent to see
	Lease time.Duration
	Hang  bool  // handlers never return
	Posts []int // repositories this child puts deliveries for
	Each  int   // deliveries per repository
}

func startChild(t *testing.T, o childOrders) *exec.Cmd {
	t.Helper()
	orders, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), childEnv+"="+string(orders))
	c.Stderr = os.Stderr
	if _, err := c.StdinPipe(); err != nil { // open for as long as this process lives
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kill(c) })
	return c
}

// kill ends the child as a power cut would.
func kill(c *exec.Cmd) {
	if c.ProcessState == nil {
		_ = c.Process.Signal(syscall.SIGKILL)
		_ = c.Wait()
	}
}

func childMain(orders string) int {
	var o childOrders
	if err := json.Unmarshal([]byte(orders), &o); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	go func() { // a child does not outlive its test
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(3)
	}()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := o.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "child:", err)
		return 1
	}
	return 0
}

func (o childOrders) run(ctx context.Context) error {
	b, err := Open(ctx, o.URL, WithLease(o.Lease), WithDrain(5), WithMaxAttempts(1))
	if err != nil {
		return err
	}
	log, err := os.OpenFile(o.journal(), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	line(log, "ready", os.Getpid())
	var posters sync.WaitGroup
	for _, repo := range o.Posts {
		posters.Go(func() { o.post(ctx, b, log, repo) })
	}
	err = b.Run(ctx, func(ctx context.Context, d Delivery) error { return o.handle(ctx, log, d) })
	posters.Wait()
	return errors.Join(err, b.Close(), log.Close())
}

func (o childOrders) journal() string { return filepath.Join(o.Dir, "journal") }

// line writes one line that survives the death of this process; lines of
// several processes do not mix, being short appends.
func line(log *os.File, words ...any) {
	if _, err := log.WriteString(fmt.Sprintln(words...)); err != nil {
		panic(err)
	}
}

// arrivals is the order in which the deliveries of a repository arrive: GitHub
// sends them in any order, so each one may be overtaken by the three after it.
func arrivals(repo, each int) []int {
	order := make([]int, each)
	for n := range order {
		order[n] = n
	}
	r := rand.New(rand.NewPCG(uint64(repo), 1))
	for from := 0; from < each; from += 4 {
		block := order[from:min(from+4, each)]
		r.Shuffle(len(block), func(i, j int) { block[i], block[j] = block[j], block[i] })
	}
	return order
}

// guidOf names delivery n of a repository.
func guidOf(repo, n int) string { return fmt.Sprintf("%d-%04d", repo, n) }

// post puts the deliveries of one repository as they arrive, each once the one
// before was acknowledged, and notes the acknowledgements. A child started
// anew begins where the notes end, so what was stored but not noted is put
// again; every fifth comes a second time, every seventh under another id, and
// every sixth once more long after, when it may be done.
func (o childOrders) post(ctx context.Context, b *Inbox, log *os.File, repo int) {
	acked := map[string]bool{}
	for _, l := range journal(o.journal()) {
		if w := strings.Fields(l); w[0] == "acked" {
			acked[w[1]] = true
		}
	}
	order := arrivals(repo, o.Each)
	delivery := func(n int) Delivery {
		guid := guidOf(repo, n)
		return Delivery{GUID: guid, Event: "push", Installation: int64(repo % 3), Repository: int64(repo) + 1, Key: "push:" + guid, Body: []byte(`{"n":"\u0000"}`)}
	}
	for i, n := range order {
		d := delivery(n)
		if acked[d.GUID] {
			continue
		}
		puts := []Delivery{d}
		if n%5 == 0 {
			puts = append(puts, d)
		}
		if n%7 == 0 {
			again := d
			again.GUID += "-again"
			puts = append(puts, again)
		}
		if i >= 5 && i%6 == 0 {
			puts = append(puts, delivery(order[i-5]))
		}
		for _, d := range puts {
			for {
				if _, err := b.Put(ctx, d); err == nil {
					break
				}
				if ctx.Err() != nil {
					return
				}
			}
		}
		line(log, "acked", d.GUID)
	}
}

// handle leaves an effect, looking before it creates, while it holds the
// repository's lock: finding it taken means that two work at once.
func (o childOrders) handle(ctx context.Context, log *os.File, d Delivery) error {
	lock, err := os.OpenFile(filepath.Join(o.Dir, fmt.Sprintf("lock-%d", d.Repository)), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		line(log, "overlap", d.GUID, os.Getpid())
		return Drop(err)
	}
	line(log, "start", d.GUID, os.Getpid())
	if o.Hang {
		<-ctx.Done()
		return ctx.Err()
	}
	effect, err := os.OpenFile(filepath.Join(o.Dir, "effect-"+d.GUID), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	switch {
	case errors.Is(err, os.ErrExist):
		line(log, "found", d.GUID, os.Getpid())
	case err != nil:
		return err
	default:
		if err := errors.Join(effect.Sync(), effect.Close()); err != nil { // takes a little while
			return err
		}
	}
	line(log, "end", d.GUID, os.Getpid())
	return nil
}

// journal reads the whole lines written so far.
func journal(path string) []string {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	var lines []string
	s := bufio.NewScanner(f)
	for s.Scan() {
		lines = append(lines, s.Text())
	}
	return lines
}
