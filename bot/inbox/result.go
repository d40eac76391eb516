package inbox

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Handler acts on one delivery. Its result decides what becomes of it:
//
//	nil                done
//	Later(until, err)  put back until then; not an attempt
//	Drop(err)          will never work: parked with its error
//	any other error    retried after a growing pause; parked after the last attempt
//
// A panic is an error. ctx ends when the process stops, when the handler's
// time is over, when this process can no longer prove that it alone works on
// the repository (context.Cause is ErrLeaseLost then), or when a scan keeps a
// person waiting (ErrGiveWay): return soon.
type Handler func(ctx context.Context, d Delivery) error

// ErrGiveWay is the cause of a scan handler's cancelled context when a person
// waits for the repository. The scan is called again afterwards; it is no
// attempt.
var ErrGiveWay = errors.New("inbox: a command is waiting")

// ErrLeaseLost is the cause of a handler's cancelled context when another
// process may already be working on the same repository.
var ErrLeaseLost = errors.New("inbox: lease lost")

type laterError struct {
	until time.Time
	err   error
}

func (e *laterError) Error() string {
	return fmt.Sprintf("put back until %s: %v", e.until.UTC().Format(time.RFC3339), e.err)
}
func (e *laterError) Unwrap() error { return e.err }

// Later is a handler's way to say "not now": the delivery waits until the
// given time and everything of the same repository that is not more urgent
// waits behind it, in order. It does not count as an attempt. err says why.
func Later(until time.Time, err error) error {
	if err == nil {
		err = errors.New("no reason given")
	}
	return &laterError{until: until, err: err}
}

type dropError struct{ err error }

func (e *dropError) Error() string { return e.err.Error() }
func (e *dropError) Unwrap() error { return e.err }

// Drop is a handler's way to say that trying again cannot help: the delivery
// is parked with err, where `dhibot jobs` shows it.
func Drop(err error) error {
	if err == nil {
		err = errors.New("no reason given")
	}
	return &dropError{err: err}
}

// verdict is what a handler's result means for the stored delivery.
type verdict struct {
	outcome string // as in Observation
	due     time.Time
	text    string // the error, kept for people
}

const (
	outcomeDone        = "done"
	outcomeRetry       = "retry"
	outcomeLater       = "later"
	outcomeParked      = "parked"
	outcomeInterrupted = "interrupted"
)

// maxLater bounds what a handler, told so by somebody's header, can ask for.
const maxLater = 24 * time.Hour

// judge turns the result of a handler into a verdict. interrupted says that
// the call was cut short from outside, by a stop or a lost lease; its error is
// then no fault of the delivery.
func (o options) judge(err error, interrupted bool, d Delivery, now time.Time) verdict {
	if err == nil {
		return verdict{outcome: outcomeDone}
	}
	text := clean(err.Error(), maxError)
	var later *laterError
	var drop *dropError
	switch {
	case errors.As(err, &drop):
		return verdict{outcome: outcomeParked, text: text}
	case errors.As(err, &later):
		// At least a second, so that a clock ahead of ours cannot make a lane
		// spin; at most a day.
		due := later.until
		if least := now.Add(time.Second); due.Before(least) {
			due = least
		}
		if most := now.Add(maxLater); due.After(most) {
			due = most
		}
		return verdict{outcome: outcomeLater, due: due, text: text}
	case interrupted:
		return verdict{outcome: outcomeInterrupted, due: now, text: text}
	case d.Attempt >= o.attempts:
		return verdict{outcome: outcomeParked, text: text}
	}
	return verdict{outcome: outcomeRetry, due: now.Add(pause(d.Attempt, d.GUID)), text: text}
}

// pause before the next attempt: 10 s, 50 s, 4 min, 21 min, then an hour, each
// up to a quarter longer. The stretch is taken from the delivery id: when
// GitHub is down a thousand deliveries fail together and must not come back
// together.
func pause(attempt int, guid string) time.Duration {
	d := 10 * time.Second
	for range attempt - 1 {
		if d *= 5; d >= time.Hour {
			d = time.Hour
			break
		}
	}
	return d + d/4*time.Duration(hash16(guid))/(1<<16)
}
