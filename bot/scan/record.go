package scan

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"dhibot/bot"
	"dhibot/bot/config"
	"dhibot/bot/githubapi"
	"dhibot/bot/plan"
	"dhibot/rewrite"
)

// look is what was found in a tree.
type look struct {
	Mode    config.Mode `json:"mode"`
	MaxOpen int         `json:"max_open"`
	// Grouped tells that Dockerfiles are split into pull requests, and Groups
	// into how many, of those that would be changed.
	Grouped bool          `json:"grouped,omitempty"`
	Groups  int           `json:"groups,omitempty"`
	Reopen  config.Reopen `json:"reopen"`
	// Mistakes counts those in the settings; with one nothing was looked at.
	Mistakes int `json:"mistakes,omitempty"`
	// Dockerfiles are counted by outcome; Passed are those that were not looked at.
	Dockerfiles map[rewrite.Outcome]int `json:"dockerfiles,omitempty"`
	Passed      int                     `json:"passed,omitempty"`
	// Changes and Checklist count the Dockerfiles that would be changed and the
	// things that people must do about them.
	Changes   int `json:"changes,omitempty"`
	Checklist int `json:"checklist,omitempty"`
	// Proposal tells proposals apart.
	Proposal string `json:"proposal,omitempty"`
}

func lookOf(s *bot.Survey) *look {
	l := &look{Mode: s.Config.Mode, MaxOpen: s.Config.MaxOpen, Grouped: s.Config.Group != config.ByRepository, Reopen: s.Config.Reopen, Mistakes: len(s.Problems), Passed: len(s.Passed), Dockerfiles: map[rewrite.Outcome]int{}}
	groups := map[plan.Group]bool{}
	for _, r := range s.Results {
		l.Dockerfiles[r.Outcome]++
		if r.Changed() {
			groups[plan.GroupOf(s.Config.Group, r.Path)] = true
			l.Changes++
			l.Checklist += len(r.Checklist)
		}
	}
	l.Groups = len(groups)
	if l.Changes > 0 {
		l.Proposal = s.Digest()
	}
	return l
}

// record is what is known of a repository. The pass writes the first part, the
// campaign and the work on the repository write the rest.
type record struct {
	Repo githubapi.Repo `json:"repo"`
	// Head is the commit of the default branch, "" when there is none.
	Head string `json:"head,omitempty"`
	// Key names what Look was made from; see lookKey.
	Key  string `json:"key,omitempty"`
	Look *look  `json:"look,omitempty"`
	// Pulls are ours, youngest first.
	Pulls []pull `json:"pulls,omitempty"`

	// Reserved is when a pull request was ordered, and Ticket names the order.
	Reserved time.Time `json:"reserved,omitzero"`
	Ticket   string    `json:"ticket,omitempty"`
	// Lost counts orders in a row that nothing was heard of again.
	Lost int `json:"lost,omitempty"`
	// Refusal is why the last order was not fulfilled.
	Refusal *refusal `json:"refusal,omitempty"`
	// Due names the order of a look that the repository waits for.
	Due string `json:"due,omitempty"`
	// Missed is the pass that did not come to it, the last one.
	Missed string `json:"missed,omitempty"`
	// Reported is the Proposal that the check run of mode report was made for.
	Reported string `json:"reported,omitempty"`
}

type pull struct {
	Number  int       `json:"number"`
	Open    bool      `json:"open,omitempty"`
	Merged  bool      `json:"merged,omitempty"`
	Created time.Time `json:"created"`
	Closed  time.Time `json:"closed,omitzero"`
}

// refusal is why a repository did not get its pull request.
type refusal struct {
	Key      string `json:"key"`      // what was known then
	Proposal string `json:"proposal"` // what would have been proposed
	Declined bool   `json:"declined,omitempty"`
	// Failed tells that it was not GitHub who refused: something went wrong, here
	// or there, and others get their turn.
	Failed bool      `json:"failed,omitempty"`
	Why    string    `json:"why"`
	At     time.Time `json:"at"`
}

// again is after what time a refusal is tried again although nothing has
// changed: rules are changed where we do not see it.
const again = 24 * time.Hour

// respite is for how long a repository in which opening failed is passed by.
// Without it the same few would take all places again and again.
const respite = 3 * time.Hour

// stands tells whether a refusal still holds.
func (r *record) stands(now time.Time) bool {
	f := r.Refusal
	switch {
	case f == nil || r.Look == nil:
		return false
	case f.Declined:
		return r.Look.Reopen != config.Changed || r.Look.Proposal == f.Proposal
	case f.Failed:
		return now.Sub(f.At) < respite
	default:
		return f.Key == r.Key && now.Sub(f.At) < again
	}
}

// unable is why a repository gets no pull request whatever is in it, "" when it
// can get one.
func unable(r githubapi.Repo, head string) string {
	switch {
	case r.Archived:
		return "archived"
	case r.Disabled:
		return "disabled"
	case r.Mirror:
		return "mirror"
	case r.Fork:
		return "fork"
	case head == "":
		return "empty"
	}
	return ""
}

func decode(doc []byte) (*record, error) {
	r := new(record)
	if len(doc) == 0 {
		return r, nil
	}
	if err := json.Unmarshal(doc, r); err != nil {
		return nil, fmt.Errorf("reading what is remembered of a repository: %w", err)
	}
	return r, nil
}

// change changes the record of a repository. f sees it as it is now and may be
// called more than once. Nothing is written when nothing changed.
func (s *Scanner) change(ctx context.Context, installation, repository int64, f func(*record)) error {
	err := s.c.Memory.Change(ctx, installation, repository, func(old []byte) ([]byte, error) {
		r, err := decode(old)
		if err != nil {
			r = new(record) // it is only remembered: the next pass fills it again
		}
		f(r)
		return json.Marshal(r)
	})
	if err != nil {
		return fmt.Errorf("remembering repository %d: %w", repository, err)
	}
	return nil
}

// amend is change for a repository that is known; of others nothing is written.
func (s *Scanner) amend(ctx context.Context, installation, repository int64, f func(*record)) error {
	err := s.c.Memory.Change(ctx, installation, repository, func(old []byte) ([]byte, error) {
		if len(old) == 0 {
			return nil, nil
		}
		r, err := decode(old)
		if err != nil {
			return nil, nil //nolint:nilerr // as above
		}
		f(r)
		return json.Marshal(r)
	})
	if err != nil {
		return fmt.Errorf("remembering repository %d: %w", repository, err)
	}
	return nil
}

// records reads all records of an installation.
func (s *Scanner) records(ctx context.Context, installation int64) (map[int64]*record, error) {
	docs, err := s.c.Memory.Repositories(ctx, installation)
	if err != nil {
		return nil, fmt.Errorf("reading what is remembered of installation %d: %w", installation, err)
	}
	out := make(map[int64]*record, len(docs))
	for id, doc := range docs {
		r, err := decode(doc)
		if err != nil {
			continue // as above
		}
		out[id] = r
	}
	return out, nil
}

// same tells whether two values are remembered alike.
func same[T any](a, b T) bool {
	x, err1 := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && bytes.Equal(x, y)
}
