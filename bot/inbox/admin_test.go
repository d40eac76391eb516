package inbox

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

func guids(list []Entry) string {
	var s []string
	for _, e := range list {
		s = append(s, e.GUID)
	}
	return strings.Join(s, " ")
}

func TestListShowRetryPark(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		ctx := t.Context()
		o := open(t, url)
		for _, d := range []Delivery{{GUID: "a", Repository: 1, Installation: 1, Key: "x"}, {GUID: "b", Repository: 2, Installation: 1},
			{GUID: "c", Repository: 2, Installation: 2, Priority: Scan}, {GUID: "d", Repository: 2, Installation: 2, Key: "x"}} {
			o.put(d)
		}
		if err := o.Park(ctx, "b", "by hand\x00"); err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct {
			f    Filter
			want string
		}{
			{Filter{}, "d c b a"}, {Filter{Limit: 2}, "d c"}, {Filter{State: Parked}, "b"}, {Filter{State: Duplicate}, "d"},
			{Filter{Installation: 1}, "b a"}, {Filter{Repository: 2}, "d c b"}, {Filter{State: Pending, Repository: 2, Installation: 2}, "c"},
			{Filter{Repository: 1 << 40}, ""}, {Filter{State: "no such state"}, ""}, {Filter{Limit: 5000}, "d c b a"},
		} {
			if list, err := o.List(ctx, tt.f); err != nil || guids(list) != tt.want {
				t.Errorf("List(%+v) = %s, %v; want %s", tt.f, guids(list), err, tt.want)
			}
		}
		e, err := o.Show(ctx, "b")
		if err != nil || e.State != Parked || e.Error != "by hand\uFFFD" || !e.Finished.Equal(o.clock.Now()) {
			t.Errorf("Show(b) = %+v, %v", e, err)
		}
		for name, tt := range map[string]struct{ err, want error }{
			"show nothing":         {func() error { _, err := o.Show(ctx, "zz"); return err }(), ErrNotFound},
			"retry nothing":        {o.Retry(ctx, "zz"), ErrNotFound},
			"park nothing":         {o.Park(ctx, "zz", ""), ErrNotFound},
			"retry what waits":     {o.Retry(ctx, "a"), ErrState},
			"park what is parked":  {o.Park(ctx, "b", ""), ErrState},
			"retry a duplicate":    {o.Retry(ctx, "d"), ErrState},
			"retry what is parked": {o.Retry(ctx, "b"), nil},
		} {
			if !errors.Is(tt.err, tt.want) {
				t.Errorf("%s: %v, want %v", name, tt.err, tt.want)
			}
		}
		want := Stats{Waiting: map[Priority]int64{Command: 0, Event: 2, Scan: 1}, Oldest: o.clock.Now()}
		if got, err := o.Stats(ctx); err != nil || !cmp.Equal(got, want) {
			t.Errorf("Stats = %+v, %v; want %+v", got, err, want)
		}
		o.work(ok)
		o.awaitStates(map[string]State{"a": Done, "b": Done, "c": Done, "d": Duplicate})
		if got, err := o.Stats(ctx); err != nil || !got.Oldest.IsZero() {
			t.Errorf("Stats of an empty queue = %+v, %v", got, err)
		}
	})
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	blocked := filepath.Join(t.TempDir(), "a file")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		url  string
		opt  Option
		want string
	}{
		{"", nil, `must start with "sqlite:" or "postgres://"`},
		{"mysql://u:hunter2@h/db", nil, `must start with "sqlite:" or "postgres://"`},
		{"sqlite:", nil, "needs a file name"},
		{"sqlite::memory:", nil, "needs a file name"},
		{"sqlite:" + filepath.Join(blocked, "x.db"), nil, "creating"},
		{"postgres://u:hunter2@127.0.0.1:1/db?connect_timeout=1", nil, "database"},
		{"postgres://u:hunter2@[::1/db", nil, "database URL"},
		{sqliteURL(t), WithWorkers(0, 1), "workers"},
		{sqliteURL(t), WithLease(time.Hour), "lease"},
		{sqliteURL(t), WithHandlerTimeout(0), "handler"},
	} {
		opts := []Option{}
		if tt.opt != nil {
			opts = append(opts, tt.opt)
		}
		b, err := Open(t.Context(), tt.url, opts...)
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("Open(%q) = %v, want %q and no password", tt.url, err, tt.want)
		}
		if b != nil {
			t.Errorf("Open(%q) returned an inbox", tt.url)
		}
	}
}

// A file name is a file name, whatever characters it has.
func TestFileNames(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a b?mode=memory#%41.db")
	b, err := Open(t.Context(), "sqlite:"+path)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatalf("the database is elsewhere: %v", err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the database has mode %v: payloads of private repositories are in it", info.Mode())
	}
}

func TestNewerTables(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		o := open(t, url)
		if err := o.db.inTx(t.Context(), func(x tx) error {
			_, err := x.exec(t.Context(), "UPDATE inbox_version SET version = 1000")
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), url); err == nil || !strings.Contains(err.Error(), "newer") {
			t.Errorf("Open = %v", err)
		}
	})
}

// Processes that start together take turns migrating.
func TestOpenTogether(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		var opened sync.WaitGroup
		for range 4 {
			opened.Go(func() {
				b, err := Open(context.Background(), url)
				if err != nil {
					t.Error(err)
					return
				}
				if err := b.Ready(context.Background()); err != nil {
					t.Error(err)
				}
				if err := b.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		opened.Wait()
	})
}

func TestPutRefuses(t *testing.T) {
	t.Parallel()
	b, err := Open(t.Context(), sqliteURL(t))
	if err != nil {
		t.Fatal(err)
	}
	for name, d := range map[string]Delivery{
		"no id": {Event: "push"}, "no event": {GUID: "a"}, "a long id": {GUID: strings.Repeat("x", 201), Event: "push"},
		"a long event": {GUID: "a", Event: strings.Repeat("x", 101)}, "a negative repository": {GUID: "a", Event: "push", Repository: -1},
		"a priority of its own": {GUID: "a", Event: "push", Priority: 3},
	} {
		if _, err := b.Put(t.Context(), d); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Long keys are told apart beyond what is kept of them.
	long := strings.Repeat("k", 1000)
	for guid, key := range map[string]string{"x": long + "1", "y": long + "2"} {
		if fresh, err := b.Put(t.Context(), Delivery{GUID: guid, Event: "push", Key: key}); err != nil || !fresh {
			t.Errorf("%s: %v, %v", guid, fresh, err)
		}
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Put(cancelled, Delivery{GUID: "z", Event: "push"}); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Put(t.Context(), Delivery{GUID: "b", Event: "push"}); !errors.Is(err, ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	if err := b.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
}

// A lane whose job somebody deleted gets another one.
func TestForgottenLane(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		o := open(t, url)
		o.put(Delivery{GUID: "a", Repository: 1})
		jobs := func() int64 {
			var n int64
			if err := o.db.inTx(t.Context(), func(x tx) (err error) {
				n, _, err = one[int64](t.Context(), x, "SELECT count(*) FROM river_job")
				return err
			}); err != nil {
				t.Fatal(err)
			}
			return n
		}
		if err := o.db.inTx(t.Context(), func(x tx) error {
			_, err := x.exec(t.Context(), "DELETE FROM river_job")
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if err := o.recall(t.Context()); err != nil || jobs() != 0 {
			t.Errorf("a lane that may be just being worked on was recalled: %d jobs, %v", jobs(), err)
		}
		o.clock.Advance(overdue + time.Second)
		for range 2 { // the second finds the job of the first
			if err := o.recall(t.Context()); err != nil || jobs() != 1 {
				t.Errorf("%d jobs, %v; want 1", jobs(), err)
			}
		}
		o.work(ok)
		o.awaitStates(map[string]State{"a": Done})
	})
}

func TestTrim(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		ctx := t.Context()
		o := open(t, url, WithMaxAttempts(1))
		stop := o.work(func(_ context.Context, d Delivery) error {
			if strings.HasPrefix(d.GUID, "parked") {
				return errors.New("no")
			}
			return nil
		})
		o.put(Delivery{GUID: "parked old", Repository: 1, Body: []byte("b")})
		o.put(Delivery{GUID: "done old", Repository: 2, Body: []byte("b")})
		o.awaitStates(map[string]State{"parked old": Parked, "done old": Done})
		o.clock.Advance(8 * 24 * time.Hour)
		o.put(Delivery{GUID: "done new", Repository: 3, Body: []byte("b")})
		o.await("it is done", func() bool { return o.states()["done new"] == Done })
		stop()
		o.put(Delivery{GUID: "waiting", Repository: 4, Body: []byte("b")})

		check := func(want map[string]string) {
			t.Helper()
			if err := o.trim(ctx); err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			list, err := o.List(ctx, Filter{})
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range list {
				e, err := o.Show(ctx, e.GUID)
				if err != nil {
					t.Fatal(err)
				}
				got[e.GUID] = string(e.Body)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("kept (-want +got)\n%s", diff)
			}
		}
		check(map[string]string{"parked old": "b", "done old": "", "done new": "b", "waiting": "b"})
		if o.put(Delivery{GUID: "done old", Repository: 2}) {
			t.Error("a trimmed delivery is fresh")
		}
		o.clock.Advance(24 * 24 * time.Hour)
		check(map[string]string{"done new": "", "waiting": "b"})
		o.clock.Advance(31 * 24 * time.Hour)
		check(map[string]string{"waiting": "b"})
	})
}

// Of all processes one does the periodic work, once per interval.
func TestPeriodic(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		var calls atomic.Int64
		fail := errors.New("GitHub is away")
		sweep := WithPeriodic("sweep", time.Hour, func(context.Context) error {
			if calls.Add(1) == 1 {
				panic("the first time")
			}
			return fail
		})
		clock := newClock()
		same := func(o *options) { o.now = clock.Now }
		first, second := open(t, url, sweep, same), open(t, url, sweep, same)
		first.work(ok)
		second.work(ok)
		for n := int64(1); n <= 3; n++ {
			first.await("the work is done", func() bool { return calls.Load() == n })
			// Both look again many times before the hour is over.
			clock.Advance(59 * time.Minute)
			first.put(Delivery{GUID: string(rune('a' + n))})
			first.await("a round went by", func() bool { return first.states()[string(rune('a'+n))] == Done })
			if got := calls.Load(); got != n {
				t.Fatalf("called %d times in %d intervals", got, n)
			}
			clock.Advance(time.Minute)
		}
	})
}

// The state that our one statement on River's table relies on.
func TestReclaimLeavesRiverConsistent(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		ctx := t.Context()
		o := open(t, url)
		o.put(Delivery{GUID: "a", Repository: 1})
		// A job running for a client that never had a lease.
		array := "ARRAY['gone']"
		if strings.HasPrefix(url, "sqlite") {
			array = "jsonb('[\"gone\"]')"
		}
		if err := o.db.inTx(ctx, func(x tx) error {
			_, err := x.exec(ctx, "UPDATE river_job SET state = 'running', attempt = 1, attempted_by = "+array+", attempted_at = created_at")
			return err
		}); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := o.reclaim(ctx, "self"); err != nil {
				t.Fatal(err)
			}
		}
		var states []rivertype.JobState
		var list *river.JobListResult
		var err error
		params := river.NewJobListParams().OrderBy(river.JobListOrderByID, river.SortOrderAsc)
		switch db := o.db.(type) {
		case *sqliteDB:
			list, err = db.client.JobList(ctx, params)
		case *postgresDB:
			list, err = db.client.JobList(ctx, params)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, j := range list.Jobs {
			states = append(states, j.State)
			if (j.State == rivertype.JobStateCancelled) != (j.FinalizedAt != nil) {
				t.Errorf("job %d is %s and finalised at %v", j.ID, j.State, j.FinalizedAt)
			}
		}
		if diff := cmp.Diff([]rivertype.JobState{rivertype.JobStateCancelled, rivertype.JobStateAvailable}, states); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		o.work(ok)
		o.awaitStates(map[string]State{"a": Done})
	})
}
