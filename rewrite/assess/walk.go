package assess

import (
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"dhibot/rewrite/catalog"
	"dhibot/rewrite/dockerfile"
)

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
