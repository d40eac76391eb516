// Package event reads GitHub's webhook payloads into small structs of our own.
//
// Only the fields this App acts on are decoded. That is a shield, not thrift:
// go-github v60 types custom_properties as map[string]string, so one
// multi-select property makes its decoder refuse the whole payload
// (google/go-github#3198, #3229). A field that is not read here cannot break
// a delivery.
//
// Everything in these structs was written by somebody outside: titles, branch
// names, comment bodies and logins are text to be judged, never trusted. What
// is trusted is that GitHub sent it, which the webhook signature proves.
package event

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Names of the events that Decode knows, as they stand in the X-GitHub-Event
// header.
const (
	KindPing                     = "ping"
	KindIssueComment             = "issue_comment"
	KindIssues                   = "issues"
	KindPush                     = "push"
	KindPullRequest              = "pull_request"
	KindCheckRun                 = "check_run"
	KindRepository               = "repository"
	KindInstallation             = "installation"
	KindInstallationRepositories = "installation_repositories"
	KindInstallationTarget       = "installation_target"
)

var (
	// ErrUnknown means that the event is not one of ours. GitHub adds events
	// over time and an App is sent some without asking, so callers answer it
	// with success and move on.
	ErrUnknown = errors.New("event: not an event this App acts on")

	// ErrMalformed means that the payload is not JSON, has a field of the
	// wrong type, or lacks an id without which the event means nothing.
	ErrMalformed = errors.New("event: malformed payload")
)

// Event is one decoded delivery: a pointer to one of the structs of this
// package, to be told apart by a type switch.
type Event interface {
	// Common is what every payload carries: who did what where.
	Common() *Head

	// Key names what happened, whichever hook reported it: a repository hook
	// and the App's hook deliver one comment under two delivery ids, and both
	// have the same Key. Empty when the payload does not identify the
	// happening exactly; such events are told apart by delivery id alone.
	Key() string
}

// Head is the part that payloads have in common. Absent members are zero.
type Head struct {
	Action       string       `json:"action"` // "created", "opened", …; "" for push and ping
	Installation Installation `json:"installation"`
	Repository   Repository   `json:"repository"`
	Sender       Account      `json:"sender"` // who caused it; on an edit this is the editor, not the author
}

// Common returns h itself, so that every struct embedding Head is half an Event.
func (h *Head) Common() *Head { return h }

// Account is a user, a bot or an organisation.
type Account struct {
	Login string `json:"login"` // as it is now: logins change
	Type  string `json:"type"`  // "User", "Bot" or "Organization"
}

// Bot reports whether the account is an App's own or another machine account
// that GitHub labels as a bot. Bots are never answered: two of them talking
// to each other do not stop.
func (a Account) Bot() bool { return a.Type == "Bot" }

// Repository is a repository as payloads show it. Lists of repositories in
// installation events carry only ID, Name and FullName.
type Repository struct {
	ID            int64   `json:"id"`
	Name          string  `json:"name"`
	FullName      string  `json:"full_name"` // owner/name; display only, repositories are renamed
	Owner         Account `json:"owner"`
	DefaultBranch string  `json:"default_branch"`
	Archived      bool    `json:"archived"`
}

// Installation is the App on one account.
type Installation struct {
	ID int64 `json:"id"`
}

// newEvent returns an empty struct for the event, nil when there is none.
func newEvent(kind string) Event {
	switch kind {
	case KindPing:
		return new(Ping)
	case KindIssueComment:
		return new(IssueComment)
	case KindIssues:
		return new(Issues)
	case KindPush:
		return new(Push)
	case KindPullRequest:
		return new(PullRequest)
	case KindCheckRun:
		return new(CheckRun)
	case KindRepository:
		return new(RepositoryChanged)
	case KindInstallation:
		return new(InstallationChanged)
	case KindInstallationRepositories:
		return new(InstallationRepositories)
	case KindInstallationTarget:
		return new(InstallationTarget)
	}
	return nil
}

// Known reports whether Decode has a struct for the event named kind.
func Known(kind string) bool { return newEvent(kind) != nil }

// validator is implemented by events that mean nothing without some id.
type validator interface{ missing() string }

// Decode reads the payload of the event named kind (the X-GitHub-Event
// header). body is not kept. The caller bounds its size; nesting is bounded by
// encoding/json. Errors wrap ErrUnknown or ErrMalformed.
func Decode(kind string, body []byte) (Event, error) {
	e := newEvent(kind)
	if e == nil {
		return nil, ErrUnknown
	}
	if err := json.Unmarshal(body, e); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrMalformed, kind, err)
	}
	if v, ok := e.(validator); ok {
		if field := v.missing(); field != "" {
			return nil, fmt.Errorf("%w: %s: %s is missing", ErrMalformed, kind, field)
		}
	}
	return e, nil
}

// firstMissing returns the name of the first id that is zero, "" when none is.
// Arguments alternate: name, id.
func firstMissing(pairs ...any) string {
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1].(int64) == 0 {
			return pairs[i].(string)
		}
	}
	return ""
}
