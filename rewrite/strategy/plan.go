// Package strategy decides what becomes of every stage: which image it gets,
// whether the final stage can be a runtime image, and what has to move for
// that. It decides and gives reasons; the rules turn its plan into edits.
package strategy

import (
	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
	"dhibot/rewrite/dockerfile"
	"dhibot/rewrite/project"
)

// Input is what a decision is made from.
type Input struct {
	File    *dockerfile.File
	Stages  *assess.Stages
	Catalog *catalog.Catalog
	Project *project.Project
	Naming  catalog.Naming
	Distro  catalog.Distro
	Missing catalog.MissingVersion
	// SkipWhenDev leaves a Dockerfile alone whose final stage could only go to
	// a dev image.
	SkipWhenDev bool
	Images      map[string]string
	// Path is the name of the Dockerfile in the repository.
	Path string
	// site is the way of copying Python packages that goes away.
	site *sitePackages
	// anew is how instructions of the final stage read that the plan writes
	// anew, "" for those that go.
	anew map[*assess.Step]string
	// Keep are root stages that must stay, with the reason.
	Keep map[*assess.Stage]*Block
}

// Shape is how the final stage is treated.
type Shape string

// The shapes.
const (
	ShapeNone    Shape = "none"     // the final stage stays as it is
	ShapeInPlace Shape = "in-place" // its base becomes a runtime image
	ShapeRebase  Shape = "rebase"   // it stops inheriting from a build stage and gets a runtime image of its own
	ShapeSplit   Shape = "split"    // it becomes a build stage, a runtime stage is added
	ShapeDev     Shape = "dev"      // its base becomes a dev image
)

// Plan is the decision for one Dockerfile.
type Plan struct {
	Input
	All   []*Stage
	Final *Stage
	Shape Shape
	// Held says why images whose tag names no release are of Debian 12; "" when
	// nothing holds them there.
	Held string
	// New is the runtime stage that is added (split) or the head that replaces
	// the inheritance (rebase); nil otherwise.
	New *NewStage
	// Start is how the container starts afterwards.
	Start Start
	// Health says what becomes of the health check of the final image.
	Health Health
	// RunUser is the user of the final stage afterwards.
	RunUser RunUser
	// Blocks are the reasons why the final stage cannot be a runtime image.
	Blocks []Block
	// Drops are instructions of the final image that go away.
	Drops []Drop
	// Inserts are instructions to put into existing stages: programs that a
	// build stage lacks, a virtual environment, a restored working directory.
	Inserts []Insert
	// Replaced are other instructions of the final image that get another text.
	Replaced []Rewrite
	// Pieces are parts of instructions that get another text.
	Pieces []Piece
	// Taken are the COPYs that take programs out of an image of DHI now.
	Taken []Taken
	// Renamed are USER and COPY instructions of build stages with the account
	// that they name instead.
	Renamed map[*assess.Step]string
	// Opened are ADD instructions of build stages whose files the final image
	// copies: they become readable for others than root.
	Opened map[*assess.Step]bool
	// Move is a directory of the final image that gets another name; nil when
	// all keep theirs.
	Move *Move
	// Notes become checklist items.
	Notes []Note
}

// Insert is an instruction to put before a step of an existing stage; with a
// nil step it stands directly after FROM.
type Insert struct {
	Stage  *assess.Stage
	Before *assess.Step
	Line
}

// Stage is the decision for one stage.
type Stage struct {
	*assess.Stage
	// Pick is the image that its FROM gets; nil when FROM stays.
	Pick   *catalog.Pick
	Choice *catalog.Choice
	Why    string // why this variant
	// Left says why the image stays; nil when it moves or is a stage.
	Left *Block
	// Already tells that it is a DHI image.
	Already bool
	// Installs are programs that the old image had, a RUN uses and the new one
	// lacks.
	Installs []Install
	// Start keeps the start command of a stage other than the final one
	// working: it may be a target of its own.
	Start Start
}

// Variant tells which kind of image the stage gets.
func (s *Stage) Variant() string {
	switch {
	case s.Pick == nil:
		return ""
	case s.Pick.Def.Build():
		return "dev"
	}
	return "runtime"
}

// Install is a package that a build stage needs first.
type Install struct {
	Program, Package string
	Manager          string
	Before           *assess.Step
	Why              string
}

// Block is a reason, with the word that names it and where it stands.
type Block struct {
	Rule string
	Code string
	Text string
	Line int
	Path string // when it is not the Dockerfile
}

// Drop is an instruction, or some commands of it, that go away.
type Drop struct {
	Step *assess.Step
	Rule string
	// Moved tells that a new stage repeats it; the comments above it go along.
	Moved bool
	Why   string
}

// Note is something a person should know or check.
type Note struct {
	Rule  string
	After bool // due after the deployment
	Text  string
	Line  int
	Path  string
}

// NewStage is a stage that is written.
type NewStage struct {
	// Pick is its image.
	Pick  *catalog.Pick
	Image string
	Alias string // "" when it needs none
	// BuildAlias is the new alias of the stage that it copies from, "" when
	// that keeps its own.
	BuildAlias string
	// At is the step it is written after; nil writes it after FROM.
	At *assess.Step
	// Lines are its instructions in order.
	Lines []Line
	// Banner asks for comment banners: the file had a single stage.
	Banner bool
	// Compiled tells that only a compiled program is copied into it.
	Compiled bool
	// BuildEnv are the ENV of the old final image that it does without, because
	// only the tools of the build read them.
	BuildEnv []*assess.Step
	Why      string
}

// Line is an instruction of a new stage.
type Line struct {
	Rule, Text, Why string
	// Comments are comment lines that stand above it, each with its line ending.
	Comments string
}

// Start is the command of the final stage.
type Start struct {
	// Entrypoint and Cmd are what the instructions become; nil keeps them.
	Entrypoint, Cmd *Rewrite
	// Env are variables that the old command set.
	Env []EnvVar
	// AddCmd is a CMD to add because the base image does not bring one that works.
	Add  string
	Why  string
	Argv []string // the effective command afterwards, for the report
}

// Rewrite replaces an instruction by another text; "" removes it.
type Rewrite struct {
	Step *assess.Step
	Text string
	Why  string
	Rule string
}

// EnvVar is a variable and its value.
type EnvVar struct{ Name, Value string }

// Health is what becomes of a HEALTHCHECK.
type Health struct {
	Step *assess.Step
	// Text replaces the instruction; "" comments it out.
	Text    string
	Why     string
	Comment bool
}

// RunUser is who the final stage runs as.
type RunUser struct {
	// Spec is the numeric user, "1000:1000".
	Spec string
	// Add asks for a USER instruction.
	Add   bool
	Names map[string]string // old name -> numeric spec, for --chown
	Why   string
	Root  bool // the file says root on purpose
	// Argument is the build argument that gave the old account the number that
	// is in Spec now, "" for none.
	Argument string
	// Home is the home directory that the file makes for the account whose
	// number is in Spec, and that the new image has not; "" for none. HomeStep is
	// the RUN that makes it.
	Home     string
	HomeStep *assess.Step
	// Owned are the COPY instructions whose files a RUN gave to the user: the
	// owner is written to them instead.
	Owned map[*assess.Step]string
	// Given are the COPY instructions whose files the program may write beside
	// or into, as it could when it was root: they get it as their owner.
	Given map[*assess.Step]bool
	// Private are the COPY instructions whose files only their owner can read,
	// with the path of one: they get the user as their owner.
	Private map[*assess.Step]string
	// Fetched are the ADD instructions of URLs, whose files only root can read.
	Fetched map[*assess.Step]bool
}
