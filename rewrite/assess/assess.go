// Package assess reads a parsed Dockerfile the way a container engine would
// run it: which image every stage comes from, what its configuration is after
// each instruction, as which user and in which directory every RUN works, and
// how the container starts. It judges nothing and changes nothing.
package assess

import (
	"slices"
	"sort"
	"strings"

	"dhibot/rewrite/catalog"
	"dhibot/rewrite/dockerfile"
	"dhibot/rewrite/shell"
)

// Stages is a Dockerfile with what every stage means.
type Stages struct {
	File *dockerfile.File
	All  []*Stage
	// Final is the last stage, the one that a plain build gives.
	Final *Stage
}

// Stage is one stage with its inherited state.
type Stage struct {
	*dockerfile.Stage
	Parent   *Stage
	Children []*Stage
	// Origin is the image at the root of the chain; nil for scratch or when
	// the reference cannot be known.
	Origin  *catalog.Origin
	Scratch bool
	Err     error
	Final   bool
	// Steps are the stage's own instructions with the state they run in.
	Steps []*Step
	// End is the state after the last instruction.
	End State
	// UsedBy are the stages that copy from it or mount it.
	UsedBy []*Stage
	// chain and chainSteps are what Chain and ChainSteps give; every question
	// about a stage asks for them.
	chain      []*Stage
	chainSteps []*Step
}

// Step is an instruction and the state before it.
type Step struct {
	*dockerfile.Instruction
	// Before must not be changed: steps share it.
	Before *State
	// Run is what a RUN executes; nil for other instructions.
	Run *Run
	// Copy is what a COPY or ADD writes; nil for other instructions.
	Copy *Copy
	// Stage is where it stands.
	Stage *Stage
}

// State is the configuration of an image at some point.
type State struct {
	// Env must not be changed: states share it with each other and the catalog.
	Env  map[string]string
	User string // "" is the default of the base image, see BaseUser
	// BaseUser is the user of the external base image, "" for root.
	BaseUser string
	// WorkDir is absolute; WorkDirSet tells that a WORKDIR instruction set it.
	WorkDir    string
	WorkDirSet bool
	Shell      []string
	Entrypoint Command
	Cmd        Command
	Health     *Step
	HealthNone bool
	StopSignal string
	Ports      []Port
	Volumes    []string
	OnBuild    []*Step
}

// Port is an exposed port and where it is written; Step is nil when inherited.
type Port struct {
	Number   int
	Protocol string
	Step     *Step
	Word     string
}

// Command is an ENTRYPOINT or CMD.
type Command struct {
	// Step is where it is written; nil when it comes from the base image.
	Step *Step
	// Argv is the exec form, or the shell form's text in one element.
	Argv []string
	// Shell tells that it is in shell form.
	Shell bool
	Set   bool
	// read keeps what Script gives for a command of the file, which several
	// questions ask for; nil for one that somebody made up.
	read *reading
}

// Run is what a RUN executes.
type Run struct {
	// Script is the shell text, read; nil when it is not shell (SHELL
	// ["python3","-c"], an exec form of a program).
	Script *shell.Script
	// Argv is the exec form.
	Argv []string
	// Opaque says why nothing can be said about it; "" when it was understood.
	Opaque string
	// shell and env are what a text was read with.
	shell []string
	env   map[string]string
}

// Copy is what a COPY or ADD writes.
type Copy struct {
	From string // stage or image as written, "" for the build context
	// FromStage is the stage it copies from.
	FromStage *Stage
	Sources   []string
	// Dest is absolute and clean; a trailing slash is kept when it was written
	// or when several sources make it a directory.
	Dest  string
	Chown string
	Chmod string
	Add   bool
	// Inline tells that the content stands in the Dockerfile (heredoc).
	Inline bool
}

// User is the effective user of a state: what USER said, else the base image's.
func (s State) EffectiveUser() string {
	if s.User != "" {
		return s.User
	}
	return s.BaseUser
}

// Root tells whether the state runs as root.
func (s State) Root() bool {
	u, _, _ := strings.Cut(s.EffectiveUser(), ":")
	return u == "" || u == "root" || u == "0"
}

// Read assesses every stage. extra maps further repositories to upstream ones.
// earlier is how the same file was read in another state, nil for none: images
// and shell texts that are the same there are not read again.
func Read(f *dockerfile.File, c *catalog.Catalog, extra map[string]string, earlier *Stages) *Stages {
	a := &Stages{File: f, All: make([]*Stage, 0, len(f.Stages))}
	stages := make([]Stage, len(f.Stages))
	for i, ds := range f.Stages {
		s := &stages[i]
		s.Stage, s.Final = ds, i == len(f.Stages)-1
		s.start(a.All, func(reference string) *catalog.Origin {
			if o := earlier.Origin(reference); o != nil {
				return o
			}
			return c.Origin(reference, extra)
		})
		s.walk(f, a.All, earlier)
		a.All = append(a.All, s)
		s.chain, s.chainSteps = a.All[i:i+1:i+1], s.Steps
		if s.Parent != nil {
			s.chain = slices.Concat(s.Parent.chain, s.chain)
			s.chainSteps = slices.Concat(s.Parent.chainSteps, s.Steps)
		}
	}
	if n := len(a.All); n > 0 {
		a.Final = a.All[n-1]
	}
	return a
}

// Origin is the image that a FROM of the file names by a reference, variables
// expanded; nil when none does, and for no stages at all.
func (a *Stages) Origin(reference string) *catalog.Origin {
	if a == nil {
		return nil
	}
	for _, s := range a.All {
		if s.Parent == nil && s.Origin != nil && s.Origin.Reference == reference {
			return s.Origin
		}
	}
	return nil
}

// Chain are the stages from the root to s. The list must not be changed.
func (s *Stage) Chain() []*Stage { return s.chain }

// Root is the stage at the start of the chain: the one whose FROM names an image.
func (s *Stage) Root() *Stage {
	for s.Parent != nil {
		s = s.Parent
	}
	return s
}

// Tree are all stages that inherit from the root of s, the root first. The list
// must not be changed.
func (a *Stages) Tree(s *Stage) []*Stage {
	root := s.Root()
	if len(root.Children) == 0 {
		return root.chain
	}
	var out []*Stage
	for _, t := range a.All {
		if t.Root() == root {
			out = append(out, t)
		}
	}
	return out
}

// ChainSteps are the steps of the whole chain, root first. The list must not be
// changed.
func (s *Stage) ChainSteps() []*Step { return s.chainSteps }

// EnvAt is the environment before a step, ARG defaults included.
func (a *Stages) EnvAt(st *Step) map[string]string {
	var base map[string]string
	if st.Stage.Origin != nil {
		base = st.Stage.Origin.Config.Env
	}
	return a.File.Env(st.Instruction, base)
}

// Sorted returns the keys of a set in order.
func Sorted[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}
