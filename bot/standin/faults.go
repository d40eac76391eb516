package standin

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// FaultKind names what goes wrong.
type FaultKind string

// The faults that can be switched on.
const (
	FaultExpiredToken    FaultKind = "expired_token"     // 401 Bad credentials for an installation token
	FaultNoPermission    FaultKind = "no_permission"     // 403 Resource not accessible by integration
	FaultSuspended       FaultKind = "suspended"         // 403 This installation has been suspended
	FaultPrimaryLimit    FaultKind = "primary_limit"     // 403 or 429 with remaining 0 and a reset time
	FaultSecondaryLimit  FaultKind = "secondary_limit"   // 403 or 429 with retry-after
	FaultServerError     FaultKind = "server_error"      // Status, 502 by default, no JSON
	FaultConnectionReset FaultKind = "connection_reset"  // the connection ends without an answer
	FaultLostAnswer      FaultKind = "lost_answer"       // the call is carried out, its answer is lost
	FaultTruncatedTree   FaultKind = "truncated_tree"    // recursive trees end early, truncated: true
	FaultNotFastForward  FaultKind = "not_fast_forward"  // a reference update is refused for no reason
	FaultRuleset         FaultKind = "ruleset"           // a reference update is refused by a ruleset
	FaultLatency         FaultKind = "latency"           // Delay before the answer
	FaultGraphQLError    FaultKind = "graphql_error"     // HTTP 200 with errors[]
	FaultMergeUnknown    FaultKind = "mergeable_unknown" // mergeable is null, as while GitHub works it out
	FaultMergeRefused    FaultKind = "merge_refused"     // merging is refused with 405, as when the base has just moved
)

// Fault is one thing that goes wrong, for as long as it lasts.
type Fault struct {
	Kind FaultKind `json:"kind"`
	// Method and Path narrow it to calls: "POST", and a pattern as in the
	// documentation with "*" for any text, "/repos/*/pulls". Empty matches all.
	Method string `json:"method,omitempty"`
	Path   string `json:"path,omitempty"`
	// Count is how many times it strikes; 0 with a Probability means forever,
	// 0 without one means once.
	Count int `json:"count,omitempty"`
	// Probability between 0 and 1, from the server's seeded source; 0 means
	// always.
	Probability float64 `json:"probability,omitempty"`
	// Status of the answer: 403 or 429 for limits, 5xx for server errors.
	Status int `json:"status,omitempty"`
	// Wait is what retry-after or the reset time says; 60 s by default.
	Wait Duration `json:"wait,omitempty"`
	// NoHeaders leaves retry-after and reset out, as GitHub sometimes does.
	NoHeaders bool `json:"no_headers,omitempty"`
	// Delay of FaultLatency.
	Delay Duration `json:"delay,omitempty"`
	// Message of FaultRuleset; a creation rule by default.
	Message string `json:"message,omitempty"`
}

// Duration is a time.Duration that is text in JSON ("1m30s").
type Duration time.Duration

// MarshalJSON writes the duration as text.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(d).String()) }

// UnmarshalJSON reads text, or a number of seconds.
func (d *Duration) UnmarshalJSON(b []byte) error {
	if n, err := strconv.ParseFloat(string(b), 64); err == nil {
		*d = Duration(n * float64(time.Second))
		return nil
	}
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	v, err := time.ParseDuration(s)
	*d = Duration(v)
	return err
}

type activeFault struct {
	Fault
	left int // -1: forever
}

// faultBox holds what is switched on.
type faultBox struct {
	mu     sync.Mutex
	rand   *rand.Rand
	active []*activeFault
	hits   map[FaultKind]int
}

func newFaultBox(r *rand.Rand) *faultBox { return &faultBox{rand: r, hits: map[FaultKind]int{}} }

// AddFault switches a fault on.
func (s *Server) AddFault(f Fault) error {
	if !f.Kind.known() {
		return fmt.Errorf("fault kind %q", f.Kind)
	}
	if f.Probability < 0 || f.Probability > 1 {
		return fmt.Errorf("fault probability %v is not between 0 and 1", f.Probability)
	}
	a := &activeFault{Fault: f, left: f.Count}
	if f.Count == 0 {
		a.left = 1
		if f.Probability > 0 {
			a.left = -1
		}
	}
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.active = append(s.faults.active, a)
	return nil
}

// ClearFaults switches all faults off.
func (s *Server) ClearFaults() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.active = nil
}

// FaultHits tells how often each kind has struck.
func (s *Server) FaultHits() map[FaultKind]int {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	out := map[FaultKind]int{}
	for k, n := range s.faults.hits {
		out[k] = n
	}
	return out
}

func (k FaultKind) known() bool {
	switch k {
	case FaultExpiredToken, FaultNoPermission, FaultSuspended, FaultPrimaryLimit, FaultSecondaryLimit, FaultServerError,
		FaultConnectionReset, FaultLostAnswer, FaultTruncatedTree, FaultNotFastForward, FaultRuleset, FaultLatency,
		FaultGraphQLError, FaultMergeRefused, FaultMergeUnknown:
		return true
	}
	return false
}

// strikes reports whether a fault of the kind hits this call, and uses it up.
func (b *faultBox) strikes(kind FaultKind, method, path string) (Fault, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for n, a := range b.active {
		if a.Kind != kind || a.Method != "" && !strings.EqualFold(a.Method, method) || a.Path != "" && !globMatch(a.Path, path) {
			continue
		}
		if a.Probability > 0 && b.rand.Float64() >= a.Probability {
			continue
		}
		b.hits[kind]++
		if a.left > 0 {
			if a.left--; a.left == 0 {
				b.active = append(b.active[:n:n], b.active[n+1:]...)
			}
		}
		return a.Fault, true
	}
	return Fault{}, false
}

// globMatch: "*" stands for any text.
func globMatch(pattern, s string) bool {
	head, rest, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == s
	}
	if !strings.HasPrefix(s, head) {
		return false
	}
	s = s[len(head):]
	for i := 0; i <= len(s); i++ {
		if globMatch(rest, s[i:]) {
			return true
		}
	}
	return false
}

// apiPath is the path faults are matched against.
func (c *call) apiPath() string { return strings.TrimPrefix(c.r.URL.Path, "/api/v3") }

// latency is spent before anything else.
func (b *faultBox) latency(r *http.Request) time.Duration {
	if f, ok := b.strikes(FaultLatency, r.Method, strings.TrimPrefix(r.URL.Path, "/api/v3")); ok {
		return time.Duration(f.Delay)
	}
	return 0
}

// breaks ends the call without an answer. A lost answer runs the call first.
func (b *faultBox) breaks(c *call) bool {
	if _, ok := b.strikes(FaultConnectionReset, c.r.Method, c.apiPath()); ok {
		return true
	}
	if _, ok := b.strikes(FaultLostAnswer, c.r.Method, c.apiPath()); ok {
		_ = c.run() // nobody will hear how it went
		return true
	}
	return false
}

// fails answers the call with an error.
func (b *faultBox) fails(c *call) error {
	m, p := c.r.Method, c.apiPath()
	if f, ok := b.strikes(FaultServerError, m, p); ok {
		status := f.Status
		if status == 0 {
			status = http.StatusBadGateway
		}
		return &apiError{status: status, message: "Server Error"}
	}
	if f, ok := b.strikes(FaultPrimaryLimit, m, p); ok {
		e := c.s.limits.primary(c)
		if f.Status != 0 {
			e.status = f.Status
		}
		e.header = http.Header{}
		if !f.NoHeaders {
			e.header.Set("X-RateLimit-Limit", "5000")
			e.header.Set("X-RateLimit-Remaining", "0")
			e.header.Set("X-RateLimit-Used", "5000")
			e.header.Set("X-RateLimit-Reset", strconv.FormatInt(c.s.opt.now().Add(f.wait()).Unix(), 10))
			e.header.Set("X-RateLimit-Resource", c.resource())
		}
		return e
	}
	if f, ok := b.strikes(FaultSecondaryLimit, m, p); ok {
		return secondaryLimit(orStatus(f.Status), f.wait(), f.NoHeaders)
	}
	if c.who.inst == nil {
		return nil
	}
	if _, ok := b.strikes(FaultExpiredToken, m, p); ok {
		return badCredentials()
	}
	if _, ok := b.strikes(FaultSuspended, m, p); ok {
		return suspended()
	}
	if _, ok := b.strikes(FaultNoPermission, m, p); ok {
		return notAccessible()
	}
	return nil
}

func (f Fault) wait() time.Duration {
	if f.Wait == 0 {
		return time.Minute
	}
	return time.Duration(f.Wait)
}

// ruleset refuses a change of a reference by a rule nobody configured.
func (b *faultBox) ruleset(c *call) error {
	if f, ok := b.strikes(FaultRuleset, c.r.Method, c.apiPath()); ok {
		return refusedByRules([]string{orDefault(f.Message, "Cannot create ref due to creations being restricted.")})
	}
	return nil
}

// notFastForward refuses an update that is fine, as GitHub sometimes does
// under load.
func (b *faultBox) notFastForward(c *call) error {
	if _, ok := b.strikes(FaultNotFastForward, c.r.Method, c.apiPath()); ok {
		return unprocessable("Update is not a fast forward")
	}
	return nil
}

// treeLimit is where this listing is cut.
func (c *call) treeLimit(recursive bool) treeLimits {
	if !recursive {
		return c.s.opt.tree
	}
	if _, ok := c.s.faults.strikes(FaultTruncatedTree, c.r.Method, c.apiPath()); ok {
		return treeLimits{entries: 1, bytes: 1 << 20}
	}
	return c.s.opt.tree
}

// serveControl is what a running stand-in can be told over HTTP, without
// credentials: it is a tool for tests on one machine.
//
//	GET    /_standin/faults       what is on, and how often it struck
//	POST   /_standin/faults       one Fault, or a list
//	DELETE /_standin/faults       all off
//	POST   /_standin/deliveries   DeliverySwitches
//	GET    /_standin/avatar/{id}  a picture
func (s *Server) serveControl(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/_standin")
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		http.Error(w, "body too large", http.StatusRequestEntityTooLarge)
		return
	}
	switch {
	case strings.HasPrefix(path, "/avatar/"):
		s.serveAvatar(w, strings.TrimPrefix(path, "/avatar/"))
	case path == "/style.css":
		s.serveStyle(w)
	case path == "/faults" && r.Method == http.MethodGet:
		s.faults.mu.Lock()
		list := make([]Fault, 0, len(s.faults.active))
		for _, a := range s.faults.active {
			list = append(list, a.Fault)
		}
		s.faults.mu.Unlock()
		writeJSON(w, object{"active": list, "hits": s.FaultHits()})
	case path == "/faults" && r.Method == http.MethodPost:
		var list []Fault
		if json.Unmarshal(body, &list) != nil {
			var one Fault
			if err := json.Unmarshal(body, &one); err != nil {
				http.Error(w, "a Fault or a list of them: "+err.Error(), http.StatusBadRequest)
				return
			}
			list = []Fault{one}
		}
		for _, f := range list {
			if err := s.AddFault(f); err != nil {
				http.Error(w, err.Error(), http.StatusUnprocessableEntity)
				return
			}
		}
		w.WriteHeader(http.StatusNoContent)
	case path == "/faults" && r.Method == http.MethodDelete:
		s.ClearFaults()
		w.WriteHeader(http.StatusNoContent)
	case path == "/deliveries" && r.Method == http.MethodPost:
		var sw DeliverySwitches
		if err := json.Unmarshal(body, &sw); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		s.SwitchDeliveries(sw)
		w.WriteHeader(http.StatusNoContent)
	default:
		http.NotFound(w, r)
	}
}

func writeJSON(w http.ResponseWriter, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(b)
}
