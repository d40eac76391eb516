// Package campaign decides which repositories of an organisation get a pull
// request now, which wait, and for what. It is pure: what GitHub says about the
// repositories goes in together with the organisation's settings and the time,
// and a Plan comes out. Nothing is stored: a Plan follows from what is on GitHub
// and from the openings that were asked for and have not been seen there yet.
//
// The bot executes a Plan, the status issue and `dhibot scan --plan` print it.
package campaign

import (
	"time"

	"dhibot/bot/config"
	"dhibot/rewrite"
)

// Times of the rules.
const (
	// hour is what PerHour counts in. GitHub's times are cut to whole seconds, so
	// a pull request may be a second younger than it says.
	hour = time.Hour + time.Second
	// day is how long the rest waits for a first wave that nobody merges.
	day = 24 * time.Hour
	// Reservation is how long an opening counts that was asked for and not seen
	// on GitHub. Who opens pull requests has to give up before.
	Reservation = 30 * time.Minute
)

// Settings are the organisation's.
type Settings struct {
	PerHour    int         // pull requests in any hour; less than 1 is 1
	Open       int         // pull requests open at once; less than 1 is 1
	FirstWave  config.Wave // who is first
	Onboarding bool        // whether there is a status issue
}

// SettingsOf takes them from the organisation's file.
func SettingsOf(c config.Config) Settings {
	return Settings{PerHour: c.OrgPerHour, Open: c.OrgOpen, FirstWave: c.FirstWave, Onboarding: c.Onboarding == config.OnboardingIssue}
}

// Pull is a pull request of ours.
type Pull struct {
	Number          int
	Open, Merged    bool
	Created, Closed time.Time // Closed is zero while it is open
}

// Words for Repository.Unable that matter here: nobody can close a pull request
// there, so an open one takes nobody's place. Any other word may be used.
const (
	Archived = "archived"
	Disabled = "disabled"
)

// Repository is what is known of one repository of the organisation.
type Repository struct {
	ID       int64
	FullName string // owner/name
	Private  bool
	// Mode and MaxOpen are in force there. MaxOpen is how many pull requests of
	// ours may be open in it at once; less than 1 is 1.
	Mode    config.Mode
	MaxOpen int
	// Unable says in a word or two why no pull request is possible: archived,
	// fork, empty, settings with mistakes; "" when one is.
	Unable string
	// Dockerfiles are counted by what a migration makes of them.
	Dockerfiles map[rewrite.Outcome]int
	// Changes is how many Dockerfiles a proposal would change, on the default
	// branch as it is now. An opening that turns out to have nothing to propose
	// has to come back as 0, or as Blocked: it is asked for again otherwise.
	Changes int
	// Groups is how many pull requests that proposal is split into; less than 1
	// is 1.
	Groups int
	// Checklist is how many things a person has to do.
	Checklist int
	// Declined tells that a person closed ours without merging and that nothing
	// has happened since that would make us ask again.
	Declined bool
	// Blocked is why GitHub refused the last attempt, a sentence that may be
	// foreign; "" when it did not.
	Blocked string
	// Pulls are all of ours, whoever asked for them and in whatever state.
	Pulls []Pull
	// Reserved is when an opening was asked for of which nothing is known yet;
	// zero when there is none. It counts for Reservation, or until there is a
	// pull request that is younger.
	Reserved time.Time
}

// Input is everything that a decision rests on. It is not changed.
type Input struct {
	Now      time.Time
	Settings Settings
	// Paused tells that somebody has stopped the campaign.
	Paused       bool
	Repositories []Repository
	// Unread is how many repositories are not among them because nobody has
	// looked into them yet. It is carried into the Plan and decides nothing.
	Unread int
}
