// Package rewrite moves one Dockerfile to Docker Hardened Images (DHI).
//
// It is pure: bytes and a read-only view of the repository in, bytes and
// reasons out. It opens no connection, reads no clock and no environment, and
// gives the same result for the same input.
package rewrite

import (
	"io/fs"

	"dhibot/rewrite/catalog"
)

// Input is one Dockerfile and what surrounds it.
type Input struct {
	// Path is the slash-separated path of the Dockerfile below the root of FS.
	Path string
	// Content is the Dockerfile, as stored. It is not modified.
	Content []byte
	// FS is the repository. Nil means that nothing but the Dockerfile is
	// known; then less can be proved and more is left alone.
	FS fs.FS
	// Options steer the migration; the zero value is the default.
	Options Options
}

// Options are the choices a user has. The zero value is the documented default.
type Options struct {
	// Catalog holds the facts about DHI; nil is the embedded catalog.
	Catalog *catalog.Catalog
	// Naming turns an image of the catalog into a reference; the zero value
	// is dhi.io/<image>:<tag>.
	Naming catalog.Naming
	// Distro keeps the distribution family (default) or forces one.
	Distro catalog.Distro
	// RuntimeNeedsShell says what becomes of a final stage that cannot run
	// without a shell, a package manager or root.
	RuntimeNeedsShell ShellPolicy
	// MissingVersion says what becomes of a version that DHI does not offer.
	MissingVersion catalog.MissingVersion
	// Images maps further repositories to upstream ones, for example
	// "internal/python" to "python".
	Images map[string]string
	// SkipVerify leaves out the proof of the result. It is for measuring; a
	// result that was not proved must not reach anybody.
	SkipVerify bool
}

// ShellPolicy is what becomes of a final stage that needs a shell.
type ShellPolicy string

const (
	// ShellDev moves such a final stage to the dev image and flags the
	// migration as incomplete. The default.
	ShellDev ShellPolicy = "dev"
	// ShellSkip leaves such a Dockerfile alone.
	ShellSkip ShellPolicy = "skip"
)

// Outcome says how far a Dockerfile came.
type Outcome string

// The outcomes; the words are part of the JSON contract.
const (
	Hardened Outcome = "hardened" // the final stage is on a DHI runtime image
	Dev      Outcome = "dev"      // the final stage is on a DHI dev image: incomplete, see Reason
	Partial  Outcome = "partial"  // some stage is on DHI, the final one has no equivalent
	Already  Outcome = "already"  // nothing to do: it is on DHI
	Skipped  Outcome = "skipped"  // nothing to do, see Reason
	Failed   Outcome = "failed"   // an error of the file or of ours; the file is untouched
)

// Result is what became of one Dockerfile.
type Result struct {
	Path    string
	Outcome Outcome
	// Code is the reason as a word from the documented list (see ReasonCode),
	// Reason the same as a sentence about this file.
	Code   ReasonCode
	Reason string
	// Line is the line that Reason speaks of, 1-based; 0 when there is none.
	Line int
	// Before and After are the contents; After equals Before when nothing
	// changed.
	Before, After []byte
	Stages        []Stage
	Changes       []Change
	Checklist     []Item
	// Regions are the lines that the changes touch, in order: every other line
	// is the same before and after. Empty when nothing changed.
	Regions []Region
	// LeftAlone names what a reader could expect to change and did not.
	LeftAlone []LeftAlone
	// Files are other files of the repository that change together with the
	// Dockerfile, such as an nginx configuration whose port moves.
	Files []FileChange
	// Ports are those on which the final image is asked to answer: exposed by the
	// Dockerfile as it is now, in its order. They are only set with changes.
	Ports []int
	// Verified tells that the result was proved (package verify): BuildKit
	// parses and resolves it, every tag is in the catalog, users, stages and the
	// start program exist, and every byte outside of the changes is equal.
	Verified bool
	// Catalog is the date of the catalog snapshot, YYYY-MM-DD.
	Catalog string
}

// Changed tells whether applying the result would write anything.
func (r *Result) Changed() bool {
	return string(r.Before) != string(r.After) || len(r.Files) > 0
}

// Stage is a stage of the result.
type Stage struct {
	Name string // alias, or "" when it has none
	From string // reference as it was, variables expanded; "" for a stage that the migration added
	To   string // reference as it is now, variables expanded
	Role Role
	// Line is that of its FROM before the change, 0 for a stage that was added.
	Line int
	// Final marks the last stage.
	Final bool
	// User is who the stage runs as at its end, as written or inherited.
	User string
}

// Role is what a stage is for.
type Role string

// The roles.
const (
	RoleBuild   Role = "build"
	RoleTest    Role = "test"
	RoleBase    Role = "base" // other stages build on it
	RoleRuntime Role = "runtime"
)

// Change is one edit with its reason.
type Change struct {
	Rule string // id of the rule, for example "base-image"
	// Lines are the first and last line of the file before the change, 1-based
	// and inclusive. For an insertion both are the line it stands before.
	Lines [2]int
	// NewLines are the lines of the result that carry the change; both 0 when
	// it only removed something.
	NewLines      [2]int
	Before, After string
	// Why names the evidence in this file.
	Why  string
	Docs string // URL
}

// Region is a run of lines that changed, 1-based and half open: the lines from
// Old up to OldEnd became those from New up to NewEnd. Old equals OldEnd where
// lines were only added.
type Region struct {
	Old, OldEnd int
	New, NewEnd int
}

// Item is something a person has to do or to check.
type Item struct {
	Rule string
	// When tells whether it is due before the change is merged or after it is deployed.
	When     When
	Text     string
	Evidence []Evidence
}

// When an Item is due.
type When string

// The moments of a checklist.
const (
	BeforeMerge When = "before-merge"
	AfterDeploy When = "after-deploy"
)

// Evidence is a place in the repository.
type Evidence struct {
	Path string `json:"path"`
	Line int    `json:"line"` // 1-based, 0 for the whole file
}

// LeftAlone is an instruction that was not changed, and why.
type LeftAlone struct {
	Rule  string
	Lines [2]int
	What  string // for example the reference
	Why   string
}

// FileChange is another file that changes with the Dockerfile.
type FileChange struct {
	Path          string
	Before, After []byte
	Changes       []Change
}
