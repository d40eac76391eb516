package verify

import (
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"dhibot/rewrite/catalog"
	"dhibot/rewrite/dockerfile"
)

// model is a file with what is known of its images and stages.
type model struct {
	in     *In
	file   *dockerfile.File
	stages []*stage

	mu     sync.Mutex // the converter asks while invariants do
	images map[string]*image
}

// stage is a stage with the image its chain starts from.
type stage struct {
	*dockerfile.Stage
	m      *model
	base   *image
	parent *stage
}

// newModel looks the images of all stages up. A stage whose base cannot be
// known has an image without facts.
func newModel(in *In, f *dockerfile.File) *model {
	m := &model{in: in, file: f, images: map[string]*image{}}
	for _, s := range f.Stages {
		st := &stage{Stage: s, m: m}
		switch {
		case s.Base.Parent != nil:
			st.parent = m.stages[s.Base.Parent.Index]
			st.base = st.parent.base
		case s.Base.Scratch || s.Base.Resolved == "":
			st.base = &image{config: &catalog.Config{}}
		default:
			st.base = m.image(s.Base.Resolved)
		}
		m.stages = append(m.stages, st)
	}
	return m
}

func (m *model) image(ref string) *image {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := m.images[ref]
	if i == nil {
		i = m.in.lookup(ref)
		m.images[ref] = i
	}
	return i
}

// shipped tells whether somebody may run the stage: the last one, and every
// other one that nothing in the file is made of.
func (s *stage) shipped() bool {
	return s.Stage == s.m.file.Final() || len(s.Children()) == 0 && len(s.UsedBy()) == 0
}

// earlier calls fn for the instructions of the stages that s is based on and
// its own ones before at, or all of them when at is nil; fn returns false to
// stop.
func (s *stage) earlier(at *dockerfile.Instruction, fn func(*dockerfile.Instruction) bool) {
	for _, st := range s.Chain() {
		for _, ins := range st.Instructions {
			if at != nil && st == s.Stage && ins.Span.Start >= at.Span.Start || !fn(ins) {
				return
			}
		}
	}
}

// expand gives a word as BuildKit reads it at an instruction. ok is false when
// a variable in it has no value here.
func (s *stage) expand(at *dockerfile.Instruction, word string) (text string, ok bool) {
	if !strings.ContainsAny(word, "$'\"\\`") {
		return word, true
	}
	text, _, err := s.m.file.Expand(word, s.m.file.Env(at, s.base.config.Env))
	return text, err == nil && text != "" && !strings.HasPrefix(text, ":")
}

// shellAt is the shell of the shell form at an instruction; at nil is the end.
func (s *stage) shellAt(at *dockerfile.Instruction) []string {
	shell := []string{"/bin/sh", "-c"}
	s.earlier(at, func(ins *dockerfile.Instruction) bool {
		if cmd, ok := ins.Command.(*instructions.ShellCommand); ok {
			shell = cmd.Shell
		}
		return true
	})
	return shell
}

// provided tells whether something before at (nil: anything in the stage) may
// have put a program into the image: a COPY or ADD of that name or into a
// directory of programs, or a RUN that names it.
func (s *stage) provided(at *dockerfile.Instruction, program string) bool {
	found := false
	s.earlier(at, func(ins *dockerfile.Instruction) bool {
		switch cmd := ins.Command.(type) {
		case *instructions.CopyCommand:
			found = places(cmd.SourcesAndDest, program)
		case *instructions.AddCommand:
			found = places(cmd.SourcesAndDest, program)
		case *instructions.RunCommand:
			found = !s.base.runtime() && (mentions(ins, program) && installs(runText(ins)) || byCorepack(ins, program))
		}
		return !found
	})
	return found
}

// byCorepack tells whether a RUN lets Corepack put its shims of yarn and pnpm on
// the PATH.
func byCorepack(ins *dockerfile.Instruction, program string) bool {
	switch program {
	case "yarn", "yarnpkg", "pnpm", "pnpx":
		return called(runText(ins))["corepack"] && hasWord(runText(ins), "enable")
	}
	return false
}

// places tells whether a copy may give the image a program.
func places(c instructions.SourcesAndDest, program string) bool {
	dest := path.Clean(c.DestPath)
	if path.Base(dest) == program {
		return true
	}
	switch dest {
	case "/", "/bin", "/sbin", "/usr", "/usr/bin", "/usr/sbin", "/usr/local", "/usr/local/bin", "/usr/local/sbin":
	default:
		return false
	}
	for _, src := range c.SourcePaths {
		base := path.Base(path.Clean(src))
		// A file of another name does not bring the program; a directory may.
		if base == program || strings.ContainsAny(base, "*?[$") || directoryName(base) {
			return true
		}
	}
	for _, src := range c.SourceContents {
		if path.Base(src.Path) == program {
			return true
		}
	}
	return false
}

// directoryName tells whether the last word of a source is one that stands for
// a directory with programs in it.
func directoryName(base string) bool {
	switch base {
	case ".", "/", "bin", "sbin", "usr", "local", "rootfs", "root", "out", "dist", "output", "busybox":
		return true
	}
	return false
}

// effective is what runs when a stage is started.
type effective struct {
	entrypoint, cmd []string
	// own tells that an ENTRYPOINT of the file set entrypoint, not the image.
	ownEntrypoint bool
	// at are the instructions that set the words, nil for the image's.
	entrypointAt, cmdAt, userAt, healthAt *dockerfile.Instruction
	user                                  string
	health                                []string
}

// effective follows ENTRYPOINT, CMD, USER and HEALTHCHECK the way BuildKit's
// converter does: an ENTRYPOINT resets the CMD of what the stage is based on.
func (s *stage) effective() effective {
	e := effective{entrypoint: s.base.config.Entrypoint, cmd: s.base.config.Cmd, user: s.base.config.User}
	var in *dockerfile.Stage
	cmdSet := false
	shell := []string{"/bin/sh", "-c"}
	line := func(c instructions.ShellDependantCmdLine) []string {
		if c.PrependShell {
			return append(slices.Clone(shell), strings.Join(c.CmdLine, " "))
		}
		return c.CmdLine
	}
	s.earlier(nil, func(ins *dockerfile.Instruction) bool {
		if ins.Stage != in {
			in, cmdSet = ins.Stage, false
		}
		switch cmd := ins.Command.(type) {
		case *instructions.ShellCommand:
			shell = cmd.Shell
		case *instructions.CmdCommand:
			e.cmd, e.cmdAt, cmdSet = line(cmd.ShellDependantCmdLine), ins, true
		case *instructions.EntrypointCommand:
			e.entrypoint, e.entrypointAt, e.ownEntrypoint = line(cmd.ShellDependantCmdLine), ins, true
			if !cmdSet {
				e.cmd, e.cmdAt = nil, nil
			}
		case *instructions.UserCommand:
			e.user, e.userAt = cmd.User, ins
			if text, ok := s.expand(ins, cmd.User); ok {
				e.user = text
			}
		case *instructions.HealthCheckCommand:
			e.health, e.healthAt = cmd.Health.Test, ins
			if len(e.health) == 2 && e.health[0] == "CMD-SHELL" {
				e.health = append(slices.Clone(shell), e.health[1])
			} else if len(e.health) > 0 {
				e.health = e.health[1:]
			}
		}
		return true
	})
	return e
}

// userAt is the user that an instruction runs as.
func (s *stage) userAt(at *dockerfile.Instruction) string {
	user := s.base.config.User
	s.earlier(at, func(ins *dockerfile.Instruction) bool {
		if cmd, ok := ins.Command.(*instructions.UserCommand); ok {
			user = cmd.User
			if text, ok := s.expand(ins, user); ok {
				user = text
			}
		}
		return true
	})
	return user
}

// argv is the whole command.
func (e effective) argv() []string { return append(slices.Clone(e.entrypoint), e.cmd...) }

// commandAt is the instruction that chose the program, nil for the image.
func (e effective) commandAt() *dockerfile.Instruction {
	if len(e.entrypoint) > 0 && e.entrypointAt != nil {
		return e.entrypointAt
	}
	if e.cmdAt != nil {
		return e.cmdAt
	}
	return e.entrypointAt
}

// root tells whether the stage runs as root; sure is false for a name that
// nothing is known of.
func (s *stage) root(user string) (root, sure bool) {
	name, _, _ := strings.Cut(user, ":")
	if name == "" || name == "root" {
		return true, true
	}
	if n, err := strconv.Atoi(name); err == nil {
		return n == 0, true
	}
	if strings.Contains(name, "$") {
		return false, false
	}
	if s.base.def != nil {
		if u, ok := s.base.def.User(name); ok {
			return u.UID == 0, true
		}
	}
	return false, true
}

// lineOf is the line of an instruction, or of the stage's FROM.
func (s *stage) lineOf(ins *dockerfile.Instruction) int {
	if ins == nil {
		return s.From.Lines[0]
	}
	return ins.Lines[0]
}
