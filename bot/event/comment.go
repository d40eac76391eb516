package event

import (
	"fmt"
	"time"
)

// IssueComment is a comment on an issue or a pull request. Action is
// "created", "edited" or "deleted"; only "created" can carry a command,
// because on the others the sender need not be the author.
type IssueComment struct {
	Head
	Issue   Issue   `json:"issue"`
	Comment Comment `json:"comment"`
}

// Comment is what somebody wrote. Body is hostile text.
type Comment struct {
	ID        int64     `json:"id"`
	User      Account   `json:"user"`
	Body      string    `json:"body"`
	UpdatedAt time.Time `json:"updated_at"`
	Via       *App      `json:"performed_via_github_app"` // the App that wrote it on someone's behalf, nil for people
}

// App is a GitHub App, as named by things it made.
type App struct {
	ID int64 `json:"id"`
}

// Key is exact: GitHub changes updated_at with every edit.
func (e *IssueComment) Key() string {
	if e.Comment.UpdatedAt.IsZero() {
		return ""
	}
	return fmt.Sprintf("%s:%s:%d:%d", KindIssueComment, e.Action, e.Comment.ID, e.Comment.UpdatedAt.UnixNano())
}

// FromMachine reports whether the comment comes from a bot, or from an App
// acting for a user, the App with id self among them. Such comments are
// neither acknowledged nor obeyed.
func (e *IssueComment) FromMachine(self int64) bool {
	if e.Comment.User.Bot() || e.Sender.Bot() {
		return true
	}
	return self != 0 && e.Comment.Via != nil && e.Comment.Via.ID == self
}

func (e *IssueComment) missing() string {
	return firstMissing("repository.id", e.Repository.ID, "comment.id", e.Comment.ID, "issue.number", e.Issue.Number)
}

// Issues is a change to an issue: "opened", "edited", "closed", "reopened",
// "labeled" and so on. The App reads it because who closes its status issue
// pauses the campaign.
type Issues struct {
	Head
	Issue Issue `json:"issue"`
}

// Issue is an issue, or a pull request seen as one.
type Issue struct {
	Number      int64     `json:"number"`
	PullRequest *struct{} `json:"pull_request"` // nil unless the issue is a pull request
}

// IsPullRequest reports whether the issue is a pull request.
func (i Issue) IsPullRequest() bool { return i.PullRequest != nil }

// Key is empty: two edits within one second have the same updated_at.
func (e *Issues) Key() string { return "" }

func (e *Issues) missing() string {
	return firstMissing("repository.id", e.Repository.ID, "issue.number", e.Issue.Number)
}
