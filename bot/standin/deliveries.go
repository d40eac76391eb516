package standin

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the old signature header still uses it
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// delivery is one attempt to deliver one event.
type delivery struct {
	id           int64
	guid         string
	event        string
	action       string
	app          *App
	hookID       int64
	url          string
	secret       string
	repo         int64
	installation int64
	target       int64
	targetType   string
	body         []byte
	redelivery   bool

	done     bool
	at       time.Time
	duration time.Duration
	status   int
	message  string
	request  http.Header
	response http.Header
	answer   []byte
}

// Delivery is a delivery attempt as tests see it.
type Delivery struct {
	ID           int64
	GUID         string
	Event        string
	Action       string
	Installation int64
	Repository   int64
	Redelivery   bool
	Header       http.Header
	Body         []byte
	Status       int    // 0 when nobody answered
	Message      string // "OK", or what went wrong
	Answer       []byte // of the receiver, cut at 64 KiB
}

// DeliverySwitches misuse the queue as the real one sometimes does. GitHub
// promises neither order nor that a delivery arrives once, or at all.
type DeliverySwitches struct {
	Duplicate float64       // chance that a delivery is sent a second time with its GUID
	Drop      float64       // chance that it is logged as failed and never sent
	Reorder   float64       // chance that it waits until after the next one
	Delay     time.Duration // real time before each delivery
	Hold      bool          // nothing is sent until it is switched off
}

// dispatcher delivers webhooks in the background, one at a time and in order
// unless switched otherwise.
type dispatcher struct {
	s      *Server
	client *http.Client
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu       sync.Mutex
	wake     *sync.Cond
	rand     *rand.Rand
	queue    []*delivery
	busy     int
	log      []*delivery
	switches DeliverySwitches
	stopped  bool
}

// maxLog bounds the delivery log; GitHub keeps three days.
const maxLog = 10_000

func newDispatcher(s *Server, r *rand.Rand) *dispatcher {
	ctx, cancel := context.WithCancel(context.Background())
	// https://docs.github.com/webhooks/using-webhooks/best-practices-for-using-webhooks
	d := &dispatcher{s: s, ctx: ctx, cancel: cancel, rand: r, client: &http.Client{
		Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	d.wake = sync.NewCond(&d.mu)
	return d
}

func (d *dispatcher) start() { d.wg.Go(d.run) }

func (d *dispatcher) stop() {
	d.mu.Lock()
	d.stopped = true
	d.mu.Unlock()
	d.cancel()
	d.wake.Broadcast()
	d.wg.Wait()
}

// sendApp queues an event for an App's webhook.
func (d *dispatcher) sendApp(a *App, del *delivery, payload object) {
	d.s.mu.RLock()
	del.app, del.hookID, del.url, del.secret = a, a.id, a.hookURL, a.secret
	del.targetType, del.target = "integration", a.id
	d.s.mu.RUnlock()
	d.send(del, payload)
}

func (d *dispatcher) send(del *delivery, payload object) {
	del.body = encodePayload(payload)
	d.mu.Lock()
	defer d.mu.Unlock()
	del.guid = d.newGUID()
	d.enqueue(del)
}

// newGUID is a version 4 UUID from the seeded source.
func (d *dispatcher) newGUID() string {
	var b [16]byte
	for i := 0; i < 16; i += 8 {
		v := d.rand.Uint64()
		for j := range 8 {
			b[i+j] = byte(v >> (8 * j))
		}
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// enqueue applies the switches; the caller holds mu.
func (d *dispatcher) enqueue(del *delivery) {
	del.id = d.s.ids.next("delivery")
	if d.stopped {
		return
	}
	sw := d.switches
	if !del.redelivery && sw.Drop > 0 && d.rand.Float64() < sw.Drop {
		del.done, del.at, del.message = true, d.s.now(), "failed to connect to host"
		d.remember(del)
		return
	}
	at := len(d.queue)
	if at > 0 && sw.Reorder > 0 && d.rand.Float64() < sw.Reorder {
		at--
	}
	d.queue = append(d.queue, nil)
	copy(d.queue[at+1:], d.queue[at:])
	d.queue[at] = del
	if sw.Duplicate > 0 && d.rand.Float64() < sw.Duplicate {
		twice := *del
		twice.id = d.s.ids.next("delivery")
		d.queue = append(d.queue, &twice)
	}
	d.wake.Broadcast()
}

func (d *dispatcher) remember(del *delivery) {
	d.log = append(d.log, del)
	if len(d.log) > maxLog {
		d.log = append([]*delivery(nil), d.log[maxLog/2:]...)
	}
}

func (d *dispatcher) run() {
	for {
		d.mu.Lock()
		for !d.stopped && (len(d.queue) == 0 || d.switches.Hold) {
			d.wake.Wait()
		}
		if d.stopped {
			d.mu.Unlock()
			return
		}
		del := d.queue[0]
		d.queue = d.queue[1:]
		d.busy++
		delay := d.switches.Delay
		d.mu.Unlock()
		if delay > 0 {
			t := time.NewTimer(delay)
			select {
			case <-t.C:
			case <-d.ctx.Done():
			}
			t.Stop()
		}
		d.deliver(del)
		// Before the delivery counts as done: who waits in Drain has seen what
		// the observers say.
		for _, f := range d.s.opt.deliveries {
			f(del.public())
		}
		d.mu.Lock()
		d.busy--
		d.remember(del)
		d.wake.Broadcast()
		d.mu.Unlock()
	}
}

// deliver makes the attempt and records the answer.
func (d *dispatcher) deliver(del *delivery) {
	del.at = d.s.now()
	h := http.Header{}
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", "GitHub-Hookshot/standin")
	h.Set("Accept", "*/*")
	h.Set("X-GitHub-Delivery", del.guid)
	h.Set("X-GitHub-Event", del.event)
	h.Set("X-GitHub-Hook-ID", itoa(del.hookID))
	h.Set("X-GitHub-Hook-Installation-Target-ID", itoa(del.target))
	h.Set("X-GitHub-Hook-Installation-Target-Type", del.targetType)
	if del.secret != "" {
		h.Set("X-Hub-Signature-256", "sha256="+mac(sha256.New, del.secret, del.body))
		h.Set("X-Hub-Signature", "sha1="+mac(sha1.New, del.secret, del.body))
	}
	del.request, del.done = h, true
	if del.url == "" {
		del.message = "no webhook address"
		return
	}
	began := time.Now()
	defer func() { del.duration = time.Since(began) }()
	req, err := http.NewRequestWithContext(d.ctx, http.MethodPost, del.url, bytes.NewReader(del.body))
	if err != nil {
		del.message = err.Error()
		return
	}
	req.Header = h.Clone()
	res, err := d.client.Do(req)
	if err != nil {
		del.message = "failed to connect to host"
		return
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if err != nil {
		del.message = "failed to read the answer"
		return
	}
	del.status, del.response, del.answer, del.message = res.StatusCode, res.Header.Clone(), answer, "OK"
	if res.StatusCode >= 300 {
		del.message = fmt.Sprintf("Invalid HTTP Response: %d", res.StatusCode)
	}
}

func mac(h func() hash.Hash, secret string, body []byte) string {
	m := hmac.New(h, []byte(secret))
	m.Write(body)
	return hex.EncodeToString(m.Sum(nil))
}

func (del *delivery) public() Delivery {
	return Delivery{
		ID: del.id, GUID: del.guid, Event: del.event, Action: del.action, Installation: del.installation, Repository: del.repo,
		Redelivery: del.redelivery, Header: del.request.Clone(), Body: bytes.Clone(del.body), Status: del.status, Message: del.message, Answer: bytes.Clone(del.answer),
	}
}

// SwitchDeliveries sets how deliveries misbehave from now on.
func (s *Server) SwitchDeliveries(sw DeliverySwitches) {
	s.hooks.mu.Lock()
	s.hooks.switches = sw
	s.hooks.mu.Unlock()
	s.hooks.wake.Broadcast()
}

// Drain waits until every queued delivery was attempted, or ctx ends.
// Deliveries that a receiver causes while it answers are waited for as well.
func (s *Server) Drain(ctx context.Context) error {
	d := s.hooks
	stop := context.AfterFunc(ctx, d.wake.Broadcast)
	defer stop()
	d.mu.Lock()
	defer d.mu.Unlock()
	for (len(d.queue) > 0 || d.busy > 0) && ctx.Err() == nil && !d.stopped {
		d.wake.Wait()
	}
	return ctx.Err()
}

// Deliveries returns the delivery log, oldest first.
func (s *Server) Deliveries() []Delivery {
	s.hooks.mu.Lock()
	defer s.hooks.mu.Unlock()
	out := make([]Delivery, 0, len(s.hooks.log))
	for _, del := range s.hooks.log {
		out = append(out, del.public())
	}
	return out
}

// Redeliver sends the delivery with this id again, with the same GUID, as the
// button and the API do. It reports whether the id is known.
func (s *Server) Redeliver(id int64) bool {
	d := s.hooks
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, del := range d.log {
		if del.id != id {
			continue
		}
		again := &delivery{
			guid: del.guid, event: del.event, action: del.action, app: del.app, hookID: del.hookID, url: del.url, secret: del.secret,
			repo: del.repo, installation: del.installation, target: del.target, targetType: del.targetType, body: del.body, redelivery: true,
		}
		if del.app != nil {
			s.mu.RLock()
			again.url, again.secret = del.app.hookURL, del.app.secret
			s.mu.RUnlock()
		}
		d.enqueue(again)
		return true
	}
	return false
}
