package demo

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"dhibot/bot/standin"
)

// watcher turns what the App does at the stand-in into happenings. The
// stand-in calls it in the middle of its work, so it only takes notes.
type watcher struct {
	more chan struct{} // something can be taken

	mu    sync.Mutex
	notes []happening
}

// happening is something worth a line.
type happening struct {
	kind       kind
	repository string // owner/name
	text       string
	url        string // of a pull request
}

type kind int

const (
	somethingElse kind = iota
	pullOpened
	answerWritten
	commandFinished // the reaction that ends a command
)

func newWatcher() *watcher { return &watcher{more: make(chan struct{}, 1)} }

func (w *watcher) note(h happening) {
	w.mu.Lock()
	w.notes = append(w.notes, h)
	w.mu.Unlock()
	select {
	case w.more <- struct{}{}:
	default: // somebody has been told already
	}
}

func (w *watcher) take() []happening {
	w.mu.Lock()
	defer w.mu.Unlock()
	notes := w.notes
	w.notes = nil
	return notes
}

// exchange looks at a finished API call.
func (w *watcher) exchange(e standin.Exchange) {
	if e.Status >= 300 || e.Method == http.MethodGet {
		return
	}
	parts := strings.Split(strings.TrimPrefix(e.Path, "/"), "/")
	if len(parts) < 3 || parts[0] != "repos" {
		return
	}
	h := happening{repository: parts[1] + "/" + parts[2]}
	var answer struct {
		SHA, Content, Body, Ref string
		Number                  int
		URL                     string `json:"html_url"`
	}
	if json.Unmarshal(e.ResponseBody, &answer) != nil {
		return // not an object: a list of labels, for example
	}
	switch e.Method + " " + strings.TrimPrefix(e.Route, "/repos/{owner}/{repo}") {
	case "POST /git/commits":
		h.text = fmt.Sprintf("committed %.10s", answer.SHA)
	case "POST /pulls":
		h.kind, h.url = pullOpened, answer.URL
		h.text = fmt.Sprintf("opened %s", answer.URL)
	case "PATCH /pulls/{number}":
		h.text = fmt.Sprintf("updated %s", answer.URL)
	case "POST /issues/{number}/comments":
		first, _, _ := strings.Cut(answer.Body, "\n")
		h.kind, h.text = answerWritten, "answered: "+first
	case "POST /issues/comments/{id}/reactions":
		h.text = "reacted with " + emoji(answer.Content)
		if answer.Content != "eyes" {
			h.kind = commandFinished
		}
	default:
		return
	}
	w.note(h)
}

// delivery looks at a webhook.
func (w *watcher) delivery(d standin.Delivery) {
	var payload struct {
		Repository struct {
			FullName string `json:"full_name"`
		}
		Sender struct{ Type string }
	}
	if json.Unmarshal(d.Body, &payload) != nil || payload.Sender.Type != "User" || d.Event != "issue_comment" || d.Action != "created" {
		return
	}
	w.note(happening{repository: payload.Repository.FullName, text: fmt.Sprintf("webhook %s: answered %d", d.Event, d.Status)})
}

func emoji(content string) string {
	switch content {
	case "eyes":
		return "👀"
	case "rocket":
		return "🚀"
	case "confused":
		return "😕"
	}
	return content
}
