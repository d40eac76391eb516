package event

import (
	"fmt"
	"strings"
)

// Push is a movement of one branch or tag.
type Push struct {
	Head
	Ref     string   `json:"ref"`    // full name, "refs/heads/main"
	Before  string   `json:"before"` // commit id, forty zeros when the ref was created
	After   string   `json:"after"`  // commit id, forty zeros when the ref was deleted
	Created bool     `json:"created"`
	Deleted bool     `json:"deleted"`
	Forced  bool     `json:"forced"`
	Commits []Commit `json:"commits"` // at most 2048 (GitHub's documented limit); older ones are left out
}

// Commit lists the paths one commit of a push touched.
type Commit struct {
	Added    []string `json:"added"`
	Removed  []string `json:"removed"`
	Modified []string `json:"modified"`
}

// Branch is the short name of the pushed branch, "" when the ref is a tag.
func (e *Push) Branch() string {
	name, ok := strings.CutPrefix(e.Ref, "refs/heads/")
	if !ok {
		return ""
	}
	return name
}

// Key holds the commit before as well as the one after: a branch that is
// forced back to where it was yesterday has moved again.
func (e *Push) Key() string {
	return fmt.Sprintf("%s:%d:%s:%s:%s", KindPush, e.Repository.ID, e.Ref, e.Before, e.After)
}

func (e *Push) missing() string {
	if e.Ref == "" {
		return "ref"
	}
	if e.After == "" {
		return "after"
	}
	return firstMissing("repository.id", e.Repository.ID)
}

// PullRequest is a change to a pull request: "opened", "closed", "reopened",
// "synchronize", "labeled" and so on.
type PullRequest struct {
	Head
	Number int64 `json:"number"`
	Pull   Pull  `json:"pull_request"`
}

// Pull is the pull request itself. Body is hostile text.
type Pull struct {
	Number int64  `json:"number"`
	State  string `json:"state"` // "open" or "closed"
	Body   string `json:"body"`
	Head   Side   `json:"head"`
	Base   Side   `json:"base"`
}

// SameRepository tells that the head is a branch of the repository itself, and
// not of a fork.
func (e *PullRequest) SameRepository() bool {
	return e.Pull.Head.Repo != nil && e.Pull.Head.Repo.ID == e.Repository.ID
}

// Side is one end of a pull request. Repo is nil when the fork was deleted.
type Side struct {
	Ref  string      `json:"ref"`
	SHA  string      `json:"sha"`
	Repo *Repository `json:"repo"`
}

// Key is empty: two labels set within one second have the same updated_at.
func (e *PullRequest) Key() string { return "" }

func (e *PullRequest) missing() string {
	return firstMissing("repository.id", e.Repository.ID, "pull_request.number", e.Pull.Number)
}

// CheckRun is a change to a check run; "rerequested" is somebody pressing its
// button.
type CheckRun struct {
	Head
	Run struct {
		ID         int64  `json:"id"`
		HeadSHA    string `json:"head_sha"`
		ExternalID string `json:"external_id"`
		App        App    `json:"app"` // the App that made the check run, not necessarily ours
	} `json:"check_run"`
}

// Key is empty: the same button may be pressed again.
func (e *CheckRun) Key() string { return "" }

func (e *CheckRun) missing() string {
	return firstMissing("repository.id", e.Repository.ID, "check_run.id", e.Run.ID)
}
