package webhooks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"golang.org/x/sync/semaphore"

	"dhibot/bot/event"
	"dhibot/bot/inbox"
)

// answer is the body of every reply.
type answer struct {
	Status   string            `json:"status"`
	Delivery string            `json:"delivery,omitempty"`
	Reason   string            `json:"reason,omitempty"`
	Checks   map[string]string `json:"checks,omitempty"`
}

// Outcomes of a delivery, in replies, logs and metrics.
const (
	accepted  = "accepted"  // stored, will be worked on
	duplicate = "duplicate" // known already
	ignored   = "ignored"   // not an event of ours
	refused   = "refused"   // the sender's fault
	failed    = "failed"    // ours: not stored
)

func reply(w http.ResponseWriter, status int, a answer) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	// The client may be gone; there is nobody left to tell.
	_ = json.NewEncoder(w).Encode(a)
}

// refusal is a reply that is not a success.
type refusal struct {
	status int
	reason string
	err    error // for the log, when there is more to say
}

func refuse(status int, reason string, err error) *refusal { return &refusal{status, reason, err} }

// deliver takes one delivery from the wire to the disk.
func (e *edge) deliver(w http.ResponseWriter, r *http.Request) {
	began := e.Now()
	d := inbox.Delivery{GUID: r.Header.Get("X-GitHub-Delivery"), Event: r.Header.Get("X-GitHub-Event"), Received: began}
	held := &bodyReader{memory: e.memory}
	defer held.release()

	outcome, ev, no := e.receive(w, r, &d, held)
	if outcome == accepted {
		e.acknowledge(r.Context(), d, ev)
	}
	status := http.StatusAccepted
	a := answer{Status: outcome, Delivery: d.GUID}
	level := e.Log.Info
	if no != nil {
		status, a.Status, a.Reason = no.status, "error", no.reason
		level = e.Log.Warn
		if outcome == failed {
			level = e.Log.Error
		}
	}
	reply(w, status, a)
	took := e.Now().Sub(began)
	e.metrics.delivered(d.Event, outcome, took)
	line := level().Str("delivery", clip(d.GUID)).Str("event", clip(d.Event)).Int64("installation", d.Installation).
		Int64("repository", d.Repository).Str("outcome", outcome).Int("status", status).Dur("took", took)
	if no != nil {
		line = line.Str("reason", no.reason)
		if no.err != nil {
			line = line.Err(no.err)
		}
	}
	line.Msg("webhook")
}

// clip bounds what a stranger can write into a log.
func clip(s string) string { return s[:min(len(s), 100)] }

// receive checks, decodes and stores. The order is that of cost and of trust:
// who cannot sign learns nothing but that, and has at most a body read.
func (e *edge) receive(w http.ResponseWriter, r *http.Request, d *inbox.Delivery, held *bodyReader) (outcome string, ev event.Event, no *refusal) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return refused, nil, refuse(http.StatusMethodNotAllowed, "deliveries are posted", nil)
	}
	if no := e.authentic(w, r, held); no != nil {
		return no.outcome(), nil, no
	}
	if no := e.addressed(r); no != nil {
		return refused, nil, no
	}
	d.Body = held.body
	ev, no = decode(d)
	switch {
	case no != nil:
		return refused, nil, no
	case ev == nil:
		return ignored, nil, nil
	}
	if _, ping := ev.(*event.Ping); ping {
		return ignored, nil, nil
	}
	e.describe(d, ev)

	ctx, cancel := context.WithTimeout(r.Context(), storeTime)
	defer cancel()
	fresh, err := e.Inbox.Put(ctx, *d)
	switch {
	case errors.Is(err, inbox.ErrInvalid):
		return refused, nil, refuse(http.StatusBadRequest, "the delivery headers cannot be stored", err)
	case err != nil:
		// GitHub keeps it as failed; the redelivery sweep asks for it again.
		return failed, nil, refuse(http.StatusServiceUnavailable, "the delivery could not be stored", err)
	case !fresh:
		return duplicate, ev, nil
	}
	return accepted, ev, nil
}

func (n *refusal) outcome() string {
	if n.status >= http.StatusInternalServerError {
		return failed
	}
	return refused
}

// authentic reads the body and proves who sent it.
func (e *edge) authentic(w http.ResponseWriter, r *http.Request, held *bodyReader) *refusal {
	tooLarge := refuse(http.StatusRequestEntityTooLarge, fmt.Sprintf("a payload has at most %d bytes", maxBody), nil)
	if r.ContentLength > maxBody {
		return tooLarge
	}
	sum, err := parseSignature(r.Header.Get("X-Hub-Signature-256"))
	if err != nil {
		return refuse(http.StatusUnauthorized, err.Error(), nil)
	}
	err = held.read(http.MaxBytesReader(w, r.Body, maxBody), r.ContentLength)
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return tooLarge
	case errors.Is(err, errMemory):
		return refuse(http.StatusServiceUnavailable, "too many large deliveries at once", err)
	case err != nil:
		return refuse(http.StatusBadRequest, "the body could not be read", err)
	}
	if !signed(e.Secrets, sum, held.body) {
		return refuse(http.StatusUnauthorized, errSignature.Error(), nil)
	}
	return nil
}

// addressed checks that an authentic delivery is meant for us and in the form
// we read.
func (e *edge) addressed(r *http.Request) *refusal {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return refuse(http.StatusUnsupportedMediaType, `the webhook's content type must be set to "application/json"`, nil)
	}
	// The header is not signed, so it proves nothing; it catches two Apps that
	// share a secret and have their addresses mixed up. Some senders (older
	// Enterprise Servers) leave it out.
	target := r.Header.Get("X-GitHub-Hook-Installation-Target-ID")
	if e.AppID != 0 && target != "" && target != strconv.FormatInt(e.AppID, 10) {
		return refuse(http.StatusForbidden, "the delivery is for another App", nil)
	}
	return nil
}

// decode reads the payload. Both results are nil for an event that is not one
// of ours: GitHub adds events, and answering them with an error would fill the
// App's list of failures.
func decode(d *inbox.Delivery) (event.Event, *refusal) {
	if d.Event == "" || d.GUID == "" {
		return nil, refuse(http.StatusBadRequest, "X-GitHub-Event and X-GitHub-Delivery are needed", nil)
	}
	ev, err := event.Decode(d.Event, d.Body)
	switch {
	case errors.Is(err, event.ErrUnknown):
		if !json.Valid(d.Body) {
			return nil, refuse(http.StatusBadRequest, "the payload is not JSON", nil)
		}
		return nil, nil
	case err != nil:
		return nil, refuse(http.StatusBadRequest, "the payload does not have the form of the event", err)
	}
	return ev, nil
}

// describe fills in what the inbox orders and recognises deliveries by.
func (e *edge) describe(d *inbox.Delivery, ev event.Event) {
	common := ev.Common()
	d.Installation, d.Repository, d.FullName = common.Installation.ID, common.Repository.ID, common.Repository.FullName
	d.Key = ev.Key()
	d.Priority = inbox.Event
	switch ev := ev.(type) {
	case *event.IssueComment:
		if ev.Action == "created" && !ev.FromMachine(e.AppID) {
			d.Priority = inbox.Command
		}
	case *event.CheckRun: // somebody pressed a button
		if ev.Action == "rerequested" || ev.Action == "requested_action" {
			d.Priority = inbox.Command
		}
	case *event.PullRequest: // somebody ticked a box, perhaps
		if ev.Action == "edited" && !ev.Sender.Bot() && ev.SameRepository() {
			d.Priority = inbox.Command
		}
	}
}

// acknowledge tells the author of a comment that it was received.
func (e *edge) acknowledge(ctx context.Context, d inbox.Delivery, ev event.Event) {
	comment, ok := ev.(*event.IssueComment)
	if e.Acknowledge == nil || !ok || comment.Action != "created" || comment.FromMachine(e.AppID) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, acknowledgeTime)
	defer cancel()
	began := e.Now()
	// In a goroutine of its own, so that neither a panic nor a call that does
	// not heed its context keeps GitHub waiting for its answer.
	done := make(chan error, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				done <- fmt.Errorf("panic: %v\n%s", p, debug.Stack())
			}
		}()
		done <- e.Acknowledge(ctx, d)
	}()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		err = ctx.Err()
	}
	e.metrics.acknowledged(err == nil, e.Now().Sub(began))
	if err != nil {
		e.Log.Warn().Err(err).Str("delivery", d.GUID).Str("event", d.Event).Int64("installation", d.Installation).
			Int64("repository", d.Repository).Msg("cannot acknowledge")
	}
}

var errMemory = errors.New("webhooks: no memory left for bodies")

// bodyReader reads a body and accounts for its memory while it is used. Bytes
// are counted as they arrive: a length that was only announced takes nothing
// from others.
type bodyReader struct {
	memory *semaphore.Weighted
	taken  int64
	body   []byte
}

// firstBuffer is what is set aside on a stranger's word.
const firstBuffer = 64 << 10

func (b *bodyReader) read(r io.Reader, length int64) error {
	size := int64(512)
	if length > 0 {
		size = min(length+1, firstBuffer) // +1: room to see the end
	}
	buf := make([]byte, 0, size)
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		if n > 0 {
			if !b.memory.TryAcquire(int64(n)) {
				return errMemory
			}
			b.taken += int64(n)
			buf = buf[:len(buf)+n]
		}
		if errors.Is(err, io.EOF) {
			b.body = buf
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (b *bodyReader) release() {
	b.memory.Release(b.taken)
	b.taken = 0
}

// eventLabel keeps strangers from making up metrics.
func eventLabel(name string) string {
	if event.Known(name) {
		return name
	}
	return "other"
}

func seconds(d time.Duration) float64 { return max(0, d.Seconds()) }
