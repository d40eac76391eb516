// Package assess reads a parsed Dockerfile the way a container engine would
// run it: which image every stage comes from, what its configuration is after
// each instruction, as which user and in which directory every RUN works, and
// how the container starts. It judges nothing and changes nothing.
package assess

import (
	"maps"
	"path"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

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
	for i, ds := range f.Stages {
		s := &Stage{Stage: ds, Final: i == len(f.Stages)-1}
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

// named finds what COPY --from and a mount call by a name: the last of the stages
// before them, without regard to case, or its number; nil for none.
func named(before []*Stage, name string) *Stage {
	if name != "" && name[0] >= '0' && name[0] <= '9' { // no name of a stage begins so
		n, err := strconv.Atoi(name)
		if err == nil && n >= 0 && n < len(before) && strconv.Itoa(n) == name {
			return before[n]
		}
		return nil
	}
	name = strings.ToLower(name)
	for _, s := range slices.Backward(before) {
		if s.Name != "" && s.Name == name {
			return s
		}
	}
	return nil
}

// start sets the state before the first instruction; before are the stages above.
func (s *Stage) start(before []*Stage, origin func(reference string) *catalog.Origin) {
	ref := s.Base
	switch {
	case ref.Parent != nil:
		s.Parent = before[ref.Parent.Index]
		s.Parent.Children = append(s.Parent.Children, s)
		s.Origin, s.Scratch, s.Err = s.Parent.Origin, s.Parent.Scratch, s.Parent.Err
		s.End = s.Parent.End
		return
	case ref.Scratch:
		s.Scratch = true
		s.End = State{WorkDir: "/"}
		return
	case ref.Err != nil || ref.Resolved == "":
		s.Err = ref.Err
		s.End = State{WorkDir: "/"}
		return
	}
	s.Origin = origin(ref.Resolved)
	cfg := s.Origin.Config
	st := State{Env: cfg.Env, BaseUser: cfg.User, WorkDir: "/", StopSignal: cfg.StopSignal, Volumes: cfg.Volumes}
	if cfg.WorkDir != "" {
		st.WorkDir = path.Clean(cfg.WorkDir)
	}
	if len(cfg.Entrypoint) > 0 {
		st.Entrypoint = Command{Argv: cfg.Entrypoint, Set: true}
	}
	if len(cfg.Cmd) > 0 {
		st.Cmd = Command{Argv: cfg.Cmd, Set: true}
	}
	st.Ports = slices.Grow(st.Ports, len(cfg.Ports))
	for _, p := range cfg.Ports {
		st.Ports = append(st.Ports, parsePort(p))
	}
	s.End = st
}

// own are the variables that the file sets, without those of the base image,
// and HOME when it is not root's.
func (s State) own(base map[string]string) map[string]string {
	var env map[string]string
	for k, v := range s.Env {
		if b, ok := base[k]; !ok || b != v || k == "PHP_INI_DIR" || k == "PHPIZE_DEPS" {
			if env == nil {
				env = make(map[string]string, len(s.Env))
			}
			env[k] = v
		}
	}
	if _, said := env["HOME"]; !said && !s.Root() {
		if env == nil {
			env = map[string]string{}
		}
		// Where the home of another user is depends on how it was made; that of
		// node is known, and empty stands for not known.
		env["HOME"] = ""
		if u, _, _ := strings.Cut(s.EffectiveUser(), ":"); u == "node" {
			env["HOME"] = "/home/node"
		}
	}
	return env
}

// walk runs through the instructions; before are the stages above.
func (s *Stage) walk(f *dockerfile.File, above []*Stage, earlier *Stages) {
	st := s.End
	var base map[string]string
	if s.Origin != nil {
		base = s.Origin.Config.Env
	}
	// What the steps share until the state changes: a copy of it, and the
	// variables of the file.
	var before *State
	var own map[string]string
	// The state is copied only where it changes, and Env is read lazily by the
	// words that need it: most instructions have no variable.
	var at *dockerfile.Instruction
	expand := func(w string) string {
		if !strings.ContainsAny(w, "$\\\"'`") {
			return w
		}
		out, _, err := f.Expand(w, f.Env(at, base))
		if err != nil {
			return w
		}
		return out
	}
	steps := make([]Step, len(s.Instructions))
	s.Steps = make([]*Step, len(steps))
	for i, in := range s.Instructions {
		at = in
		if before == nil {
			shared := st
			before, own = &shared, nil
		}
		step := &steps[i]
		*step = Step{Instruction: in, Stage: s, Before: before}
		s.Steps[i] = step
		switch c := in.Command.(type) {
		case *instructions.EnvCommand:
			env := make(map[string]string, len(st.Env)+len(c.Env))
			maps.Copy(env, st.Env)
			var visible map[string]string // read by the words that need it, as expand does
			for _, kv := range c.Env {
				v := kv.Value
				if strings.ContainsAny(v, "$\\\"'`<") {
					if visible == nil {
						visible = f.Env(in, base)
					}
					if out, _, err := f.Expand(v, visible); err == nil {
						v = out
					}
				}
				env[kv.Key] = v
			}
			st.Env = env
		case *instructions.WorkdirCommand:
			p := expand(c.Path)
			if !path.IsAbs(p) {
				p = path.Join(st.WorkDir, p)
			}
			st.WorkDir, st.WorkDirSet = path.Clean(p), true
		case *instructions.UserCommand:
			st.User = expand(c.User)
			if st.User == "" {
				st.User = c.User
			}
		case *instructions.ShellCommand:
			st.Shell = c.Shell
		case *instructions.CmdCommand:
			st.Cmd = Command{Step: step, Argv: c.CmdLine, Shell: c.PrependShell, Set: true, read: &reading{}}
		case *instructions.EntrypointCommand:
			st.Entrypoint = Command{Step: step, Argv: c.CmdLine, Shell: c.PrependShell, Set: len(c.CmdLine) > 0, read: &reading{}}
			if st.Cmd.Step == nil || st.Cmd.Step.Stage != s {
				// An ENTRYPOINT clears the inherited CMD (BuildKit, dispatchEntrypoint).
				st.Cmd = Command{}
			}
		case *instructions.HealthCheckCommand:
			st.Health, st.HealthNone = step, c.Health != nil && len(c.Health.Test) > 0 && c.Health.Test[0] == "NONE"
		case *instructions.ExposeCommand:
			st.Ports = slices.Concat(st.Ports, make([]Port, 0, len(c.Ports)))
			for _, p := range c.Ports {
				q := parsePort(expand(p))
				q.Step, q.Word = step, p
				st.Ports = append(st.Ports, q)
			}
		case *instructions.VolumeCommand:
			st.Volumes = append([]string(nil), st.Volumes...)
			for _, v := range c.Volumes {
				st.Volumes = append(st.Volumes, expand(v))
			}
		case *instructions.StopSignalCommand:
			st.StopSignal = expand(c.Signal)
		case *instructions.OnbuildCommand:
			st.OnBuild = append(append([]*Step(nil), st.OnBuild...), step)
		case *instructions.RunCommand:
			if own == nil {
				own = st.own(base)
			}
			if step.Run = earlier.run(in, st.Shell, own); step.Run == nil {
				step.Run = readRun(in, c, st.Shell, own)
			}
			s.mounts(in, above)
		case *instructions.CopyCommand:
			step.Copy = s.copy(above, &c.SourcesAndDest, c.From, c.Chown, c.Chmod, false, expand, st.WorkDir)
		case *instructions.AddCommand:
			step.Copy = s.copy(above, &c.SourcesAndDest, "", c.Chown, c.Chmod, true, expand, st.WorkDir)
		}
		switch in.Keyword {
		case "RUN", "COPY", "ADD", "ARG", "LABEL", "MAINTAINER":
		default:
			before = nil
		}
	}
	s.End = st
}

// mounts notes the stages that a RUN mounts.
func (s *Stage) mounts(in *dockerfile.Instruction, above []*Stage) {
	for _, fl := range in.Flags {
		if fl.Name != "mount" {
			continue
		}
		for part := range strings.SplitSeq(fl.Value, ",") {
			if name, ok := strings.CutPrefix(part, "from="); ok {
				s.uses(name, above)
			}
		}
	}
}

// uses notes that s reads from the stage of that name or index and returns it.
func (s *Stage) uses(name string, above []*Stage) *Stage {
	t := named(above, name)
	if t != nil {
		t.UsedBy = append(t.UsedBy, s)
	}
	return t
}

func (s *Stage) copy(above []*Stage, sd *instructions.SourcesAndDest, from, chown, chmod string, add bool, expand func(string) string, cwd string) *Copy {
	c := &Copy{From: from, Chown: expand(chown), Chmod: chmod, Add: add, Inline: len(sd.SourceContents) > 0}
	c.Sources = make([]string, 0, len(sd.SourcePaths)+len(sd.SourceContents))
	for _, p := range sd.SourcePaths {
		c.Sources = append(c.Sources, expand(p))
	}
	for _, p := range sd.SourceContents {
		c.Sources = append(c.Sources, p.Path)
	}
	dest := expand(sd.DestPath)
	dir := strings.HasSuffix(dest, "/") || dest == "." || dest == ".." || strings.HasSuffix(dest, "/.") || len(c.Sources) > 1
	if !path.IsAbs(dest) {
		dest = path.Join(cwd, dest)
	}
	c.Dest = path.Clean(dest)
	if dir && c.Dest != "/" {
		c.Dest += "/"
	}
	if from != "" {
		c.FromStage = s.uses(from, above)
	}
	return c
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

func parsePort(s string) Port {
	num, proto, _ := strings.Cut(s, "/")
	if proto == "" {
		proto = "tcp"
	}
	n := 0
	for _, r := range num {
		if r < '0' || r > '9' || n > 65535 {
			return Port{Word: s, Protocol: proto}
		}
		n = n*10 + int(r-'0')
	}
	return Port{Number: n, Protocol: strings.ToLower(proto), Word: s}
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
