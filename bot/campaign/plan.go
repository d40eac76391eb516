package campaign

import (
	"time"

	"dhibot/rewrite"
)

// State is how things stand with a repository.
type State string

// The states; every repository is in exactly one.
const (
	Open         State = "open"      // a pull request of ours is open
	Waiting      State = "waiting"   // it gets one, now or later
	Done         State = "done"      // ours was merged, and nothing is left
	Declined     State = "declined"  // a person closed ours
	Blocked      State = "blocked"   // GitHub refused, see Row.Why
	ReportOnly   State = "report"    // it would change, and its mode is report
	CommandsOnly State = "commands"  // it would change when somebody asks
	Off          State = "off"       // switched off
	Unable       State = "unable"    // impossible, see Row.Why
	Nothing      State = "unchanged" // there is nothing to change
)

// States are all of them, in the order in which they are shown.
func States() []State {
	return []State{Open, Waiting, Done, Declined, Blocked, ReportOnly, CommandsOnly, Off, Unable, Nothing}
}

// Words say a state after a number of repositories.
func (s State) Words() string {
	switch s {
	case Open:
		return "with an open pull request"
	case Waiting:
		return "waiting for a pull request"
	case Done:
		return "migrated by a merged pull request"
	case Declined:
		return "declined: the pull request was closed without merging"
	case Blocked:
		return "blocked: GitHub refused the pull request"
	case ReportOnly:
		return "would change, and have `mode: report`"
	case CommandsOnly:
		return "would change when somebody asks, `mode: commands`"
	case Off:
		return "switched off, `mode: off`"
	case Unable:
		return "without the possibility of a pull request"
	case Nothing:
		return "with nothing to change"
	}
	return string(s)
}

// Reason is what keeps the next pull request from being opened now.
type Reason string

// The reasons, from the one that lasts longest.
const (
	NotHeld       Reason = ""           // nothing is left to open
	HeldPaused    Reason = "paused"     // until somebody goes on
	HeldOpen      Reason = "org-open"   // until one is merged or closed
	HeldWave      Reason = "first-wave" // until it is merged, or a day is over
	HeldPerHour   Reason = "per-hour"   // until an hour has passed
	HeldInProcess Reason = "max-open"   // until those of the same repository are through
)

// Words say it as the end of "The next pull request …".
func (r Reason) Words() string {
	switch r {
	case NotHeld:
		return "is not needed"
	case HeldPaused:
		return "waits until the campaign goes on"
	case HeldOpen:
		return "waits until one of the open ones is merged or closed"
	case HeldWave:
		return "waits for the first wave"
	case HeldPerHour:
		return "waits until an hour has room for it"
	case HeldInProcess:
		return "waits until those of the same repository are through"
	}
	return string(r)
}

// Stage is which part of the repositories is served.
type Stage string

// The stages.
const (
	NoWave    Stage = ""      // there is no first wave: all are served
	FirstWave Stage = "first" // only those of the first wave
	TheRest   Stage = "rest"  // the first wave is over
)

// Wave is how the first wave stands.
type Wave struct {
	Stage  Stage
	Size   int // repositories
	Opened int // of them, those that got a pull request or are about to
	Merged int // of them, those in which it was merged
	// Ends is when it is over at the latest, a day after the last of it was
	// opened; zero when that is not known yet or when it is over.
	Ends time.Time
}

// Row is a repository of a Plan.
type Row struct {
	ID          int64
	FullName    string // foreign
	Private     bool
	State       State
	Why         string // why it is Blocked or Unable, foreign
	Dockerfiles int    // that would change
	Checklist   int    // things for a person to do
	Hardened    bool   // every Dockerfile that would change becomes hardened
	Left        int    // pull requests still to be opened there
}

// Plan is what is to be done now, and what is to be expected.
type Plan struct {
	Settings Settings
	Paused   bool
	Unread   int

	// Open are the repositories to open a pull request in now, in this order,
	// one in each. Who does it reserves them at Input.Now.
	Open []int64
	// Next is when looking again can change the answer although nothing happened
	// on GitHub; zero when only an event can change it.
	Next time.Time
	// Held is what keeps the next one from being opened now.
	Held Reason
	Wave Wave

	// Rows are all repositories: those that wait come first, in the order in
	// which they are served, the others by name.
	Rows   []Row
	Counts map[State]int
	// Dockerfiles are all those of the repositories, by outcome.
	Dockerfiles map[rewrite.Outcome]int
	// Pulls are the pull requests that are open now.
	Pulls int
	// Left are the pull requests still to be opened, those of Open included;
	// LeftFirst is the part of it that belongs to the first wave.
	Left, LeftFirst int
	// Hours are what Settings.PerHour alone spreads Left over, rounded up.
	Hours int
	// Earliest is when the last one is opened if nothing else holds it up: every
	// pull request is merged at once. Zero when nothing is left or while paused.
	Earliest time.Time
	// Writes and Calls are what opening all that is left takes: calls that write
	// content, and all calls.
	Writes, Calls int
}

// What opening a pull request takes: tree, commit, branch and pull request are
// content. A check run and nine reads come on top for the smallest repository:
// of the repository itself, its head, tree and settings, our branch and pull
// requests; the neighbours of a Dockerfile are usually one call more.
const (
	writesPerPull = 4
	callsPerPull  = 15
)

// HoursFor is how many hours a number of pull requests is spread over.
func (p Plan) HoursFor(pulls int) int { return share(pulls, p.Settings.PerHour) }
