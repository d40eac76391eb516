package inbox

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Scans that do not end take no worker from events and commands.
func TestScansTakeNoOtherWorkers(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		o := open(t, url, WithWorkers(1, 1), WithScanWorkers(2), WithGrace(0))
		g := newGate("scan 0", "scan 1")
		for n := range 2 {
			o.put(Delivery{GUID: fmt.Sprintf("scan %d", n), Repository: int64(n) + 1, Priority: Scan})
		}
		o.work(g.handle)
		o.await("both scans are under way", func() bool { return len(o.calls()) == 2 })
		o.put(Delivery{GUID: "event", Repository: 10})
		o.put(Delivery{GUID: "command", Repository: 11, Priority: Command})
		o.awaitStates(map[string]State{"scan 0": Pending, "scan 1": Pending, "event": Done, "command": Done})
	})
}

// A scan is done although all workers for events are busy and more events wait:
// less urgent is not never.
func TestScansDoNotStarve(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		o := open(t, url, WithWorkers(1, 1), WithScanWorkers(1), WithGrace(0))
		g := newGate("event 0")
		for n := range 10 {
			o.put(Delivery{GUID: fmt.Sprintf("event %d", n), Repository: int64(n) + 1})
		}
		o.work(g.handle)
		g.await(t, "event 0")
		o.put(Delivery{GUID: "scan", Repository: 100, Priority: Scan})
		g.await(t, "scan")
		if n := len(o.calls()); n != 2 {
			t.Errorf("the handler was called %d times, want 2: the events were to wait", n)
		}
	})
}

// A worker that is there for people leaves the rest of the repository to
// others, or the next person would wait for it.
func TestWorkersForPeopleServeNobodyElse(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		o := open(t, url, WithWorkers(1, 1), WithScanWorkers(1), WithGrace(0))
		g := newGate("command", "event")
		o.put(Delivery{GUID: "command", Repository: 1, Priority: Command})
		o.put(Delivery{GUID: "event", Repository: 1})
		o.work(g.handle)
		g.await(t, "command")
		g.open("command")
		g.await(t, "event")
		o.put(Delivery{GUID: "person", Repository: 2, Priority: Command})
		g.await(t, "person") // while the event is under way
	})
}

// A command waits for no scan of its repository: the scan is cut short, and
// called again afterwards as if it had not been.
func TestScanGivesWay(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		o := open(t, url)
		first := true
		o.put(Delivery{GUID: "scan", Repository: 1, Priority: Scan})
		arrived := make(chan string, 10)
		o.work(func(ctx context.Context, d Delivery) error {
			arrived <- d.GUID
			if d.GUID != "scan" || !first {
				return nil
			}
			first = false // one at a time: both calls are of one repository
			<-ctx.Done()
			if cause := context.Cause(ctx); !errors.Is(cause, ErrGiveWay) {
				t.Errorf("cut short because of %v", cause)
			}
			return ctx.Err()
		})
		if got := <-arrived; got != "scan" {
			t.Fatalf("%s was worked on", got)
		}
		o.put(Delivery{GUID: "event", Repository: 1}) // is no reason
		o.put(Delivery{GUID: "command", Repository: 1, Priority: Command})
		o.awaitStates(map[string]State{"scan": Done, "event": Done, "command": Done})
		if diff := cmp.Diff([]string{"scan/1", "command/1", "event/1", "scan/1"}, o.calls()); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}
