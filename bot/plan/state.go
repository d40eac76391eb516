// Package plan decides what the App does about a repository. It is pure: the
// state of the repository, its settings and the results of the engine go in,
// and a list of actions with an answer comes out. Package bot executes it;
// /dhi plan and `dhibot plan` print it.
package plan

import (
	"dhibot/bot/body"
	"dhibot/bot/config"
	"dhibot/rewrite"
)

// State is what is known about a group of a repository before anything is
// decided.
type State struct {
	Ask        Ask
	Group      Group
	Repository Repository
	// Base is the head of the default branch.
	Base string
	// Head is the head of the group's branch, "" when there is no such branch.
	Head string
	// HeadWritten tells that the App wrote Head: a marker of ours names it, or
	// the commit carries our signature.
	HeadWritten bool
	// HeadBase and HeadProposal are the commit that Head was made from and the
	// digest of what it proposes, "" when they are not known.
	HeadBase, HeadProposal string
	// Pull is the newest of our pull requests from that branch: written by the App,
	// its head in the same repository, and signed. Nil when there is none.
	Pull *Pull
	// Stranger is an open pull request from that branch that is not ours.
	Stranger *Pull
	// Passed are Dockerfiles that were found and not looked at.
	Passed []body.Passed
	// TooMuch tells that the paths and the ignore list do not fit into a pull
	// request, which is where they are remembered.
	TooMuch bool
	// Unmatched are the paths of the request at which there is no Dockerfile.
	Unmatched []string
}

// Repository are the facts that can stop everything.
type Repository struct {
	DefaultBranch string
	Archived      bool
	Disabled      bool
	Fork          bool
	Empty         bool
}

// Pull is a pull request.
type Pull struct {
	Number int
	URL    string
	// Branch is the branch it comes from.
	Branch string
	Open   bool
	Merged bool
	// Base is the branch it is to be merged into.
	Base string
	// Queued tells that it waits in a merge queue, which a push would throw it
	// out of.
	Queued bool
	// Title and Body are as they are now.
	Title, Body string
	Marker      body.Marker
}

// Kind is what set the App to work.
type Kind string

// The kinds.
const (
	Migrate  Kind = "migrate"  // a person asks for the proposal
	Rebase   Kind = "rebase"   // a person asks to bring it up to date
	Recreate Kind = "recreate" // a person asks to write it anew, whatever is on the branch
	Ignore   Kind = "ignore"   // a person changes what is left alone
	Push     Kind = "push"     // the default branch moved
	Follow   Kind = "follow"   // the same, where only another proposal is a reason to do something
	Turn     Kind = "turn"     // the campaign has come to this repository
	Next     Kind = "next"     // a pull request was closed, and more were asked for than could be opened
)

// Ask is what is wanted.
type Ask struct {
	Kind   Kind
	Paths  []string
	Distro string
	Again  bool
	// Ignored is the new list, with Ignore.
	Ignored []body.Ignored
	// Preview tells that the plan is only shown, so that settings which keep it
	// from being carried out do not matter.
	Preview bool
}

// Person tells that somebody waits for an answer.
func (a Ask) Person() bool { return !a.moved() && a.Kind != Turn && a.Kind != Next }

// moved tells that it is about an open pull request, because the default branch
// moved.
func (a Ask) moved() bool { return a.Kind == Push || a.Kind == Follow }

// Scope is what a proposal covers: the arguments of this request together with
// those that the open pull request was made with.
type Scope struct {
	Paths   []string // empty means all
	Distro  string
	Ignored []body.Ignored
}

// ScopeOf merges the request with the pull request. Naming more paths adds to
// an open pull request, because there is only one: the other paths would vanish
// from it otherwise. Naming none means all.
func ScopeOf(ask Ask, pull *Pull, inherited []body.Ignored) Scope {
	s := Scope{Paths: ask.Paths, Distro: ask.Distro, Ignored: ask.Ignored}
	if pull == nil {
		if ask.Kind != Ignore {
			s.Ignored = inherited
		}
		return s
	}
	if ask.Kind != Ignore {
		s.Ignored = pull.Marker.Ignored
	}
	if !pull.Open {
		return s
	}
	switch {
	case ask.Kind != Migrate:
		s.Paths = pull.Marker.Paths
	case len(ask.Paths) > 0 && len(pull.Marker.Paths) > 0:
		s.Paths = union(pull.Marker.Paths, ask.Paths)
	case len(ask.Paths) > 0:
		s.Paths = nil // it covers everything already
	}
	if s.Distro == "" {
		s.Distro = pull.Marker.Distro
	}
	return s
}

// Covers tells whether a path is part of it.
func (s Scope) Covers(path string) bool {
	if len(s.Paths) == 0 {
		return true
	}
	_, ok := config.Match(s.Paths, path)
	return ok
}

// Plan is what is to be done, in this order, and what is said about it.
type Plan struct {
	Actions []Action
	// Reply answers the person who asked, in Markdown; "" when nobody did, and
	// for Opens, where ReplyOpened answers once there is a number.
	Reply string
	// Refused tells that the request was not fulfilled.
	Refused bool
	// Reason says the same as a word, for logs and metrics.
	Reason Reason
}

// Reason is the case that was met.
type Reason string

// The reasons.
const (
	Opens         Reason = "opens"
	Updates       Reason = "updates"
	UpToDate      Reason = "up-to-date"
	SwitchedOff   Reason = "switched-off"
	ReportOnly    Reason = "report-only"
	Archived      Reason = "archived"
	Empty         Reason = "empty"
	NoDockerfile  Reason = "no-dockerfile"
	AllFailed     Reason = "all-failed"
	NothingToDo   Reason = "nothing-to-do"
	Obsolete      Reason = "obsolete"
	HumanCommits  Reason = "human-commits"
	ClosedByHuman Reason = "closed-by-human"
	BranchTaken   Reason = "branch-taken"
	InMergeQueue  Reason = "in-merge-queue"
	NoPull        Reason = "no-pull-request"
	NotAutomatic  Reason = "not-automatic"
	NotYet        Reason = "not-yet"
	Remembers     Reason = "remembers"
	TooMuch       Reason = "too-much"
	Refused       Reason = "refused"       // by GitHub: a rule, a permission
	Misconfigured Reason = "misconfigured" // the settings have mistakes
	Waits         Reason = "waits"         // there are as many pull requests as there may be
	Regrouped     Reason = "regrouped"     // the settings do not make such a group any more
)

// Action is one step: one of WriteBranch, OpenPull, EditPull, ClosePull,
// Remember and Tell. Every one of them can be repeated after a crash.
type Action interface{ action() }

// WriteBranch makes one commit on top of Base and points the branch to it.
type WriteBranch struct {
	Base string
	// Old is the commit that the branch is on now and may be taken from; "" when
	// the branch is to be created.
	Old   string
	Files []File
}

// File is one file of the commit.
type File struct {
	Path    string
	Content []byte
}

// OpenPull opens the pull request.
type OpenPull struct{}

// EditPull brings title and text of the pull request up to date.
type EditPull struct{ Number int }

// ClosePull closes our own pull request and removes its branch.
type ClosePull struct {
	Number int
	Why    string // Markdown
}

// Remember writes the new list of what is left alone into the marker of a pull
// request and changes nothing else.
type Remember struct{ Number int }

// Tell says something in the pull request, once per topic.
type Tell struct {
	Number int
	Topic  string
	Text   string // Markdown
}

func (WriteBranch) action() {}
func (OpenPull) action()    {}
func (EditPull) action()    {}
func (ClosePull) action()   {}
func (Remember) action()    {}
func (Tell) action()        {}

// Files are the files that the results change, each once, in order.
func Files(results []*rewrite.Result) []File {
	var files []File
	seen := map[string]bool{}
	add := func(f File) {
		if !seen[f.Path] {
			seen[f.Path] = true
			files = append(files, f)
		}
	}
	for _, r := range results {
		if !r.Changed() {
			continue
		}
		if string(r.Before) != string(r.After) {
			add(File{Path: r.Path, Content: r.After})
		}
		for _, f := range r.Files {
			add(File{Path: f.Path, Content: f.After})
		}
	}
	return files
}
