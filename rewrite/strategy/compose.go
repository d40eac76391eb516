package strategy

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
)

// composer writes the instructions of a runtime stage that takes over from
// steps which stay behind in a build stage.
type composer struct {
	in      *Input
	plan    *Plan
	final   *assess.Stage
	def     *catalog.Definition
	steps   []*assess.Step // what stays behind, in order
	tail    []*assess.Step // what follows the new lines
	effects effects
	source  string // stage to copy from
	recipe  *recipe
	user    RunUser
	venv    venv
	// npm is a globally installed program that comes along; nil for none.
	npm *npmGlobal
	// netEnv are variables that a .NET program needs on the new image.
	netEnv []Line
	// volumeDirs makes the directories of a volume.
	volumeDirs func(*assess.Step) string
	// zones says why the time zones come along; "" when they need not.
	zones string

	lines    []Line
	drops    []Drop
	blocks   []Block
	buildEnv []*assess.Step
}

// composer is one for the final stage on an image; what stays behind, what
// follows and where to copy from are for the caller to fill in.
func (d *decider) composer(ch *catalog.Choice, pick *catalog.Pick, effects effects, venv venv) *composer {
	return &composer{in: &d.Input, plan: d.Plan, final: d.Final.Stage, def: pick.Def, effects: effects, user: d.RunUser, venv: venv, npm: d.npm,
		netEnv: d.imageEnv(pick, ch), zones: d.zonesOf(ch, pick), volumeDirs: func(st *assess.Step) string { return d.volumeDirs(st, pick.Def) }}
}

func (c *composer) add(rule, text, why string) {
	c.lines = append(c.lines, Line{Rule: rule, Text: text, Why: why})
}

func (c *composer) block(code, text string, line int) {
	c.blocks = append(c.blocks, Block{Rule: "multi-stage", Code: code, Text: text, Line: line})
}

// compose fills lines, drops and blocks.
func (c *composer) compose() {
	c.environment()
	at := len(c.lines)
	if c.workDir() == "" {
		return
	}
	c.copies()
	c.ownersFirst(at)
	c.mounted(at)
	c.metadata()
}

// ownersFirst puts a COPY that brings the working directory for an account with
// a number of its own in front of WORKDIR, at the place of the line that comes
// first: WORKDIR would make it for the image's user, and COPY does not change
// the owner of a directory that is there.
func (c *composer) ownersFirst(at int) {
	u := c.def.RunUser()
	if c.user.Root || c.user.Spec == fmt.Sprintf("%d:%d", u.UID, u.GID) {
		return
	}
	var first, rest []Line
	for _, l := range c.lines[at:] {
		fields := strings.Fields(l.Text)
		n := len(fields)
		own := n >= 4 && fields[0] == "COPY" && fields[n-1] == fields[n-2] && path.IsAbs(fields[n-1]) && strings.Contains(l.Text, "--chown="+c.user.Spec)
		if dir := c.end().WorkDir; own && (dir == fields[n-1] || under(dir, fields[n-1])) {
			first = append(first, l)
			continue
		}
		rest = append(rest, l)
	}
	c.lines = append(append(c.lines[:at:at], first...), rest...)
}

// environment repeats ENV, and ARG where something uses it.
func (c *composer) environment() {
	var texts []string
	for _, st := range c.steps {
		switch st.Keyword {
		case "ENV", "LABEL", "EXPOSE", "VOLUME", "STOPSIGNAL", "COPY", "ADD", "HEALTHCHECK", "CMD", "ENTRYPOINT":
			texts = append(texts, st.Text)
		}
	}
	for _, st := range c.tail {
		texts = append(texts, st.Text)
		for _, fl := range st.Flags {
			texts = append(texts, fl.Value)
		}
	}
	for _, st := range c.steps {
		switch cmd := st.Command.(type) {
		case *instructions.EnvCommand:
			if c.buildOnly(cmd) {
				c.buildEnv = append(c.buildEnv, st)
				continue
			}
			c.add("multi-stage", c.written(st), "ENV does not cross stages: the running program still finds its variables")
		case *instructions.ArgCommand:
			for _, a := range cmd.Args {
				if usesVar(texts, a.Key) {
					c.add("multi-stage", c.written(st), "a build argument is known only in the stage that declares it")
					break
				}
			}
		}
	}
	for _, l := range c.netEnv {
		c.add(l.Rule, l.Text, l.Why)
	}
	if home := c.home(); home != "" && c.final.End.Env["HOME"] == "" {
		c.add("nonroot-user", "ENV HOME="+home, "without the account nothing else tells the program where its home directory is")
	}
	if c.venv.dir != "" && !c.venv.own && !c.venvOnPath() && (c.venv.before != nil || !onEnvPath(c.final, c.venv.dir)) {
		c.add("package-management", fmt.Sprintf("ENV PATH=%q", path.Join(c.venv.dir, "bin")+":$PATH"), "the programs and packages of the virtual environment are found first")
	}
}

// home is the home directory of the old account that comes along: the one with
// the packages in it, or the one that a RUN makes which stays behind.
func (c *composer) home() string {
	switch {
	case c.venv.home != "":
		return c.venv.home
	case c.homeMaker() != nil:
		return c.user.Home
	}
	return ""
}

// homeMaker is the RUN of the build stage whose home directory comes along, nil
// for none.
func (c *composer) homeMaker() *assess.Step {
	st := c.user.HomeStep
	if st == nil || c.venv.home != "" || c.recipe != nil || !slices.Contains(c.steps, st) || c.plan.isDropped(st) {
		return nil
	}
	return st
}

// buildOnly tells whether an ENV only matters while packages are installed.
func (c *composer) buildOnly(cmd *instructions.EnvCommand) bool {
	if c.recipe == nil {
		return false
	}
	for _, kv := range cmd.Env {
		switch kv.Key {
		case "CGO_ENABLED", "GOOS", "GOARCH", "GO111MODULE", "GOPROXY", "GOFLAGS", "GOPATH", "GOCACHE", "GOPRIVATE", "DEBIAN_FRONTEND", "CARGO_HOME", "RUSTFLAGS", "MAVEN_OPTS", "GRADLE_OPTS":
		default:
			return false
		}
	}
	return true
}

func (c *composer) venvOnPath() bool {
	for _, st := range c.tail {
		if st.Keyword == "ENV" && strings.Contains(st.Text, path.Join(c.venv.dir, "bin")) {
			return true
		}
	}
	for _, l := range c.lines {
		if strings.HasPrefix(strings.ToUpper(l.Text), "ENV ") && strings.Contains(l.Text, path.Join(c.venv.dir, "bin")) {
			return true
		}
	}
	return false
}

// written is an instruction as it stands in the file.
func (c *composer) written(st *assess.Step) string {
	text := c.in.File.Text(st.Span)
	pieces, _ := c.in.phpPieces(st, c.def, minorOf(c.def))
	for i := len(pieces) - 1; i >= 0; i-- {
		p := pieces[i]
		text = text[:p.Span.Start-st.Span.Start] + p.New + text[p.Span.End-st.Span.Start:]
	}
	return strings.ReplaceAll(text, "\r\n", "\n")
}

func usesVar(texts []string, name string) bool {
	for _, t := range texts {
		for i := 0; ; {
			j := strings.Index(t[i:], name)
			if j < 0 {
				break
			}
			at := i + j
			end := at + len(name)
			if at > 0 && (t[at-1] == '$' || t[at-1] == '{' && at > 1 && t[at-2] == '$') && (end == len(t) || !isVarByte(t[end])) {
				return true
			}
			i = end
		}
	}
	return false
}

func isVarByte(b byte) bool {
	return b == '_' || '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
}

// end is the state after the steps that stay behind.
func (c *composer) end() assess.State {
	if len(c.tail) > 0 && c.tail[0].Stage == c.final {
		return *c.tail[0].Before
	}
	if len(c.steps) > 0 {
		last := c.steps[len(c.steps)-1]
		if last.Stage != c.final {
			return last.Stage.End
		}
	}
	return c.final.End
}

// workDir writes the working directory; "" when that is not possible.
func (c *composer) workDir() string {
	dir := c.end().WorkDir
	if strings.Contains(dir, "$") {
		c.block("workdir-unknown", "its working directory depends on a variable", c.final.From.Lines[0])
		return ""
	}
	have := "/"
	if c.def.WorkDir != "" {
		have = path.Clean(c.def.WorkDir)
	}
	switch {
	case c.end().WorkDirSet:
		c.add("multi-stage", "WORKDIR "+dir, "the program starts in the same directory as before")
	case have != dir && c.final.Origin != nil && c.final.Origin.Config.Known && c.tailRelies():
		c.add("entry-point", "WORKDIR "+dir, fmt.Sprintf("dhi %s starts in %s; the file relies on %s", c.def.Image, have, dir))
	}
	return dir
}

// tailRelies tells whether what follows the new lines does anything in the
// working directory before it says itself which one that is.
func (c *composer) tailRelies() bool {
	for _, st := range c.tail {
		switch st.Keyword {
		case "WORKDIR":
			return !path.IsAbs(strings.Trim(strings.TrimSpace(st.Text), `"'`))
		case "RUN":
			return true
		case "COPY", "ADD":
			if !path.IsAbs(destOf(st)) {
				return true
			}
		}
	}
	return true
}

// metadata moves what describes the image from the steps that stay behind.
func (c *composer) metadata() {
	last := map[string]*assess.Step{}
	for _, st := range c.steps {
		switch st.Keyword {
		case "HEALTHCHECK", "CMD", "ENTRYPOINT", "STOPSIGNAL", "SHELL":
			last[st.Keyword] = st
		}
	}
	for _, st := range c.tail {
		delete(last, st.Keyword)
	}
	for _, st := range c.steps {
		switch st.Keyword {
		case "LABEL", "EXPOSE", "VOLUME", "MAINTAINER":
		case "HEALTHCHECK", "CMD", "ENTRYPOINT", "STOPSIGNAL":
			if last[st.Keyword] != st {
				if st.Stage == c.final {
					c.drops = append(c.drops, Drop{Step: st, Rule: "multi-stage", Why: "a later one replaces it"})
				}
				continue
			}
		case "ONBUILD":
			c.block("onbuild", "it has ONBUILD triggers, which run in images built on it", st.Lines[0])
			continue
		default:
			continue
		}
		text := c.text(st)
		if st.Stage == c.final {
			c.drops = append(c.drops, Drop{Step: st, Rule: "multi-stage", Moved: true, Why: "it describes the image that ships, so it moved to the final stage"})
		}
		if made := c.volumeDirs(st); made != "" {
			c.add("nonroot-user", made, volumeWhy)
		}
		if text != "" {
			c.add("multi-stage", text, fmt.Sprintf("from line %d: it describes the image that ships", st.Lines[0]))
			if st.Stage == c.final {
				c.lines[len(c.lines)-1].Comments = c.comments(st)
			}
		}
	}
}

// text is an instruction for the new stage, with the rewrites of the plan.
func (c *composer) text(st *assess.Step) string {
	s := c.plan.Start
	for _, r := range []*Rewrite{s.Entrypoint, s.Cmd} {
		if r != nil && r.Step == st {
			return r.Text
		}
	}
	if h := c.plan.Health; h.Step == st {
		if h.Comment {
			return commented(c.written(st))
		}
		return healthText(c.in, st, h.Text)
	}
	return c.written(st)
}

// comments are the comment lines above an instruction.
func (c *composer) comments(st *assess.Step) string {
	return strings.ReplaceAll(c.in.File.Text(st.Comments), "\r\n", "\n")
}

// commented turns an instruction into comment lines.
func commented(text string) string {
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		lines[i] = "# " + l
	}
	return strings.Join(lines, "\n")
}

// healthText keeps the options of a HEALTHCHECK and replaces its command.
func healthText(in *Input, st *assess.Step, cmd string) string {
	var b strings.Builder
	b.WriteString("HEALTHCHECK")
	for _, f := range st.Flags {
		b.WriteString(" " + in.File.Text(f.Span))
	}
	return b.String() + " " + cmd
}
