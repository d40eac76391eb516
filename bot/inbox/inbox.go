// Package inbox keeps every webhook delivery until it has been acted on.
//
// A delivery and the job that will work it off are stored in one transaction
// before Put returns, so what was answered 202 survives a crash. Deliveries
// wait in lanes, one per repository, and a lane is worked on by one worker at
// a time in one process at a time, in order. SQLite and Postgres run the same
// code; River (riverqueue.com) hands out the lanes.
//
// What the package promises is "at least once, never two at a time, recorded
// once". A process that dies between an outward action and its record will see
// that delivery again, so handlers look before they create.
package inbox

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"
)

// Priority orders deliveries within a repository and among repositories.
type Priority int

// The smaller number goes first. The zero Priority is Event.
const (
	Command Priority = 1 // a person is waiting for an answer
	Event   Priority = 2 // something happened on GitHub
	Scan    Priority = 4 // our own work on many repositories; gives way to a Command of its lane
)

// String is the word used in listings and metrics.
func (p Priority) String() string {
	switch p {
	case Command:
		return "command"
	case Scan:
		return "scan"
	default:
		return "event"
	}
}

// Delivery is one webhook delivery, or one piece of our own work put into the
// same queue.
type Delivery struct {
	GUID         string    // X-GitHub-Delivery; at most 200 bytes; names the delivery for ever
	Event        string    // X-GitHub-Event; at most 100 bytes
	Installation int64     // numeric id out of the payload, 0 when absent
	Repository   int64     // numeric id out of the payload, 0 when absent
	FullName     string    // owner/name, for people only
	Key          string    // meaning: two deliveries with one Key tell of one happening; "" = no Key
	Priority     Priority  // zero is Event
	Body         []byte    // the payload as received
	Received     time.Time // zero: Put sets it to now

	// Attempt is set for handlers: 1 on the first call, 2 after one failure.
	Attempt int
}

// lane is the queue a delivery waits in: its repository; for what concerns no
// repository its installation, counted downwards from zero so that the two
// kinds of id cannot meet; and 0 for the rest.
func (d Delivery) lane() int64 {
	if d.Repository != 0 {
		return d.Repository
	}
	return -d.Installation
}

const (
	maxGUID  = 200
	maxEvent = 100
	maxText  = 500  // full name, key
	maxError = 4000 // kept error texts
)

// ErrInvalid is wrapped by what Put returns for a delivery that cannot be
// stored as it is: no GUID, no event, or one of them too long.
var ErrInvalid = errors.New("inbox: invalid delivery")

// ErrClosed is returned after Close.
var ErrClosed = errors.New("inbox: closed")

// normal checks d and returns what will be stored of it. Texts lose what
// Postgres cannot store (NUL, broken UTF-8); a Key too long is replaced by its
// hash, because cutting it would make different happenings equal.
func (d Delivery) normal(now time.Time) (Delivery, error) {
	switch {
	case d.GUID == "":
		return d, fmt.Errorf("%w: no delivery id", ErrInvalid)
	case len(d.GUID) > maxGUID:
		return d, fmt.Errorf("%w: the delivery id has %d bytes, at most %d are kept", ErrInvalid, len(d.GUID), maxGUID)
	case d.Event == "":
		return d, fmt.Errorf("%w: no event name", ErrInvalid)
	case len(d.Event) > maxEvent:
		return d, fmt.Errorf("%w: the event name has %d bytes, at most %d are kept", ErrInvalid, len(d.Event), maxEvent)
	case d.Installation < 0 || d.Repository < 0:
		return d, fmt.Errorf("%w: negative id", ErrInvalid)
	}
	switch d.Priority {
	case Command, Event, Scan:
	case 0:
		d.Priority = Event
	default:
		return d, fmt.Errorf("%w: no priority %d", ErrInvalid, d.Priority)
	}
	d.GUID, d.Event = clean(d.GUID, maxGUID), clean(d.Event, maxEvent)
	d.FullName = clean(d.FullName, maxText)
	if len(d.Key) > maxText {
		d.Key = digest(d.Key)
	}
	d.Key = clean(d.Key, maxText)
	if d.Received.IsZero() {
		d.Received = now
	}
	return d, nil
}

// clean makes s storable as text in both databases and cuts it to at most n
// bytes, at a rune boundary.
func clean(s string, n int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.ReplaceAll(s, "\x00", "\uFFFD")
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// Inbox is a durable queue of deliveries. Its methods may be called from
// several goroutines and, through the database, from several processes.
type Inbox struct {
	opt options
	db  database

	backlog backlog

	puts     chan *putRequest
	quit     chan struct{} // closed by Close: no more Puts
	putters  sync.WaitGroup
	closing  sync.Once
	closeErr error

	mu      sync.Mutex
	running *runner // nil unless Run is active

	replicas atomic.Int64 // see Replicas
}

// Open opens the database named by databaseURL, "sqlite:FILE" or
// "postgres://…", brings its tables up to date under a lock, and returns an
// inbox that stores at once and works once Run is called. The error never
// shows a password.
func Open(ctx context.Context, databaseURL string, opts ...Option) (*Inbox, error) {
	b := &Inbox{opt: defaults(), puts: make(chan *putRequest), quit: make(chan struct{})}
	for _, o := range opts {
		o(&b.opt)
	}
	if err := b.opt.check(); err != nil {
		return nil, err
	}
	var err error
	switch scheme, rest, _ := strings.Cut(databaseURL, ":"); scheme {
	case "sqlite":
		b.db, err = openSQLite(ctx, strings.TrimPrefix(rest, "//"), b.opt)
	case "postgres", "postgresql":
		b.db, err = openPostgres(ctx, databaseURL, b.opt)
	default:
		err = errors.New(`inbox: the database URL must start with "sqlite:" or "postgres://"`)
	}
	if err != nil {
		return nil, err
	}
	for range b.db.committers() {
		b.putters.Add(1)
		go b.putLoop()
	}
	return b, nil
}

// Close stops accepting deliveries, finishes those being stored and closes the
// database. Run must have returned before.
func (b *Inbox) Close() error {
	b.closing.Do(func() {
		close(b.quit)
		b.putters.Wait()
		b.closeErr = b.db.close()
	})
	return b.closeErr
}

// Ready reports whether deliveries can be stored and, while Run is active,
// whether this process may work on them. The error says which of the two is
// wrong.
func (b *Inbox) Ready(ctx context.Context) error {
	if err := b.db.read(ctx, func(t tx) error {
		_, _, err := one[int64](ctx, t, "SELECT count(*) FROM inbox_version")
		return err
	}); err != nil {
		return fmt.Errorf("inbox: database: %w", err)
	}
	b.mu.Lock()
	r := b.running
	b.mu.Unlock()
	if r != nil && !r.lease.held() {
		return errors.New("inbox: queue: this process lost its lease and does not work")
	}
	return nil
}

// Replicas is how many processes work on this database now, this one included;
// 1 before it is known. It is some seconds old and costs nothing.
func (b *Inbox) Replicas() int { return int(max(1, b.replicas.Load())) }

func (b *Inbox) now() time.Time { return b.opt.now() }
