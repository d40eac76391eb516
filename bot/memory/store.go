package memory

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// ErrInvalid is wrapped by what is returned for an id, key or document that
// cannot be kept.
var ErrInvalid = errors.New("memory: invalid")

// ErrClosed is returned after Close.
var ErrClosed = errors.New("memory: closed")

// Store is the memory. Its methods may be called from several goroutines and,
// through the database, from several processes.
type Store struct {
	opt options
	// open opens the database, and begins it anew when it still is was, which is
	// damaged; was may be nil.
	open func(ctx context.Context, was *database) (*database, error)

	mu     sync.RWMutex // read: db is in use; written: it is exchanged
	db     *database    // nil: to be opened again, or closed
	closed bool
}

// Open opens the memory that goes with the inbox's databaseURL and brings its
// tables up to date under a lock. With "sqlite:FILE" it is a file of its own,
// FILE-memory, so that scans never hold up webhooks; with "postgres://…" it is
// tables of its own (memory_…) in the same database, written with
// synchronous_commit=off. The error never shows a password.
func Open(ctx context.Context, databaseURL string, opts ...Option) (*Store, error) {
	s := &Store{opt: defaults()}
	for _, o := range opts {
		o(&s.opt)
	}
	if err := s.opt.check(); err != nil {
		return nil, err
	}
	switch scheme, rest, _ := strings.Cut(databaseURL, ":"); scheme {
	case "sqlite":
		name := strings.TrimPrefix(rest, "//")
		if name == "" {
			return nil, errors.New("memory: sqlite needs a file name")
		}
		s.open = func(ctx context.Context, was *database) (*database, error) {
			return openSQLite(ctx, name+"-memory", was, s.opt.log)
		}
	case "postgres", "postgresql":
		s.open = func(ctx context.Context, _ *database) (*database, error) {
			return openPostgres(ctx, databaseURL)
		}
	default:
		return nil, errors.New(`memory: the database URL must start with "sqlite:" or "postgres://"`)
	}
	var err error
	if s.db, err = s.open(ctx, nil); err != nil {
		return nil, fmt.Errorf("memory: %w", err)
	}
	return s, nil
}

// Close closes the database, after the calls that are under way.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	db := s.db
	s.db, s.closed = nil, true
	if db == nil {
		return nil
	}
	if err := db.close(); err != nil {
		return fmt.Errorf("memory: closing: %w", err)
	}
	return nil
}

// use calls f with the database. f is called once more when the file turned out
// to be damaged or gone and was opened anew.
func (s *Store) use(ctx context.Context, f func(*database) error) error {
	db, err := s.try(f)
	if err == nil || errors.Is(err, ErrClosed) || db != nil && !db.damaged(err) && !db.gone() {
		return err
	}
	if err := s.renew(ctx, db); err != nil {
		return err
	}
	_, err = s.try(f)
	return err
}

// errNotOpen: the last attempt to begin a new file failed.
var errNotOpen = errors.New("the database could not be opened again")

// try calls f, and returns the database it was called with.
func (s *Store) try(f func(*database) error) (*database, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return nil, ErrClosed
	}
	if s.db == nil {
		return nil, errNotOpen
	}
	return s.db, f(s.db)
}

// renewMost bounds opening a new file, which must not be given up because one
// caller went away.
const renewMost = 30 * time.Second

// renew opens a new database in place of old, which is damaged or gone, or nil
// when that failed before. Nothing is done when somebody else was faster.
func (s *Store) renew(ctx context.Context, old *database) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), renewMost)
	defer cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	if s.db != old {
		return nil
	}
	was := old
	if old != nil {
		// Asked before it is closed: then a new file may get the same inode.
		if old.gone() {
			was = nil
		}
		_ = old.close() // what it says about its damage is no news
		s.db = nil
	}
	db, err := s.open(ctx, was)
	if err != nil {
		return err
	}
	s.db = db
	return nil
}
