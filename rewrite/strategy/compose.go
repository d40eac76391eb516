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
	effects map[*assess.Step]effect
	source  string // stage to copy from
	recipe  *recipe
	user    RunUser
	venv    string
	// rollForward asks for a newer .NET to run a program built for an older one.
	rollForward bool

	lines  []Line
	drops  []Drop
	blocks []Block
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
	if c.workDir() == "" {
		return
	}
	c.copies()
	c.metadata()
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
				continue
			}
			c.add("multi-stage", c.source_(st), "ENV does not cross stages: the running program still finds its variables")
		case *instructions.ArgCommand:
			for _, a := range cmd.Args {
				if usesVar(texts, a.Key) {
					c.add("multi-stage", c.source_(st), "a build argument is known only in the stage that declares it")
					break
				}
			}
		}
	}
	if c.rollForward {
		c.add("base-image", "ENV DOTNET_ROLL_FORWARD=Major", "the program was built for an older .NET, which starts on a newer one only when it is told to")
	}
	if c.venv != "" && !c.venvOnPath() {
		c.add("package-management", fmt.Sprintf("ENV PATH=%q", path.Join(c.venv, "bin")+":$PATH"), "the programs and packages of the virtual environment are found first")
	}
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
	for _, l := range c.lines {
		if strings.HasPrefix(strings.ToUpper(l.Text), "ENV ") && strings.Contains(l.Text, path.Join(c.venv, "bin")) {
			return true
		}
	}
	return false
}

// source_ is an instruction as it stands in the file.
func (c *composer) source_(st *assess.Step) string {
	return strings.ReplaceAll(c.in.File.Text(st.Span), "\r\n", "\n")
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
		return c.tail[0].Before
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
	case have != dir && c.final.Origin != nil && c.final.Origin.Config.Known:
		c.add("entry-point", "WORKDIR "+dir, fmt.Sprintf("dhi %s starts in %s; the file relies on %s", c.def.Image, have, dir))
	}
	return dir
}

// copies brings what the program needs from the stage that stays behind.
func (c *composer) copies() {
	rootHome := !c.user.Root && c.user.Spec != "0:0"
	var paths []artifact
	want := func(p string, chown bool, why string, line int) bool {
		p = path.Clean(p)
		switch {
		case strings.ContainsAny(p, "$*?["):
			c.block("writes-unknown", fmt.Sprintf("it writes to %s, which cannot be told here", p), line)
		case systemDir(p):
			c.block("writes-system", fmt.Sprintf("it writes into %s, which belongs to the image and cannot be copied as a whole", p), line)
		case rootHome && (p == "/root" || strings.HasPrefix(p, "/root/")):
			c.block("root-home", fmt.Sprintf("it keeps files below /root (%s), which only root can read", p), line)
		default:
			paths = append(paths, artifact{p, chown, why})
			return true
		}
		return false
	}
	if c.recipe != nil {
		for _, a := range c.recipe.artifacts {
			want(a.path, a.chown, a.why, c.final.From.Lines[0])
		}
	}
	for _, st := range c.steps {
		e, ok := c.effects[st]
		if !ok || e.trivial {
			continue
		}
		for _, f := range e.carried {
			want(f, false, "the start command uses it; it needs nothing but the C library", st.Lines[0])
		}
		if c.recipe != nil {
			c.recipePaths(st, e, want)
			continue
		}
		if e.unknown != "" {
			c.block("writes-unknown", "what it leaves behind cannot be told: "+e.unknown, st.Lines[0])
			continue
		}
		if e.cwd {
			want(st.Before.WorkDir, true, fmt.Sprintf("line %d writes here, and the program runs from here", st.Lines[0]), st.Lines[0])
		}
		for _, p := range e.paths {
			if c.venv != "" && pythonPath(p) {
				continue
			}
			want(p, true, fmt.Sprintf("line %d makes it", st.Lines[0]), st.Lines[0])
		}
	}
	if c.venv != "" {
		want(c.venv, false, "the installed packages, at the same path in both stages because a virtual environment cannot move", c.final.From.Lines[0])
	}
	paths = minimal(paths)
	c.replicate(paths)
	c.removals(paths)
	for _, a := range paths {
		flags := "--from=" + c.source
		if a.chown && !c.user.Root && c.user.Spec != "0:0" {
			flags += " --chown=" + c.chownName()
		}
		c.add("multi-stage", fmt.Sprintf("COPY %s %s %s", flags, quotePath(a.path), quotePath(a.path)), a.why)
	}
}

// chownName is the owner that copied files get: the name that the image gives
// its user when the file had none of its own, else the number.
func (c *composer) chownName() string { return c.user.Spec }

// recipePaths takes what a RUN makes beside the program: directories for data,
// files outside of the sources.
func (c *composer) recipePaths(st *assess.Step, e effect, want func(string, bool, string, int) bool) {
	for _, p := range e.paths {
		inside := false
		for _, a := range c.recipe.artifacts {
			if p == a.path || strings.HasPrefix(a.path, p+"/") || strings.HasPrefix(p, a.path+"/") {
				inside = true
			}
		}
		if inside || under(p, st.Before.WorkDir) || strings.HasPrefix(p, "/go/") || strings.HasPrefix(p, "/usr/local/cargo") || strings.HasPrefix(p, "/usr/local/go") || systemDir(p) {
			continue
		}
		want(p, true, fmt.Sprintf("line %d makes it", st.Lines[0]), st.Lines[0])
	}
}

// replicate repeats the COPY instructions whose files are not below a copied
// directory.
func (c *composer) replicate(paths []artifact) {
	for _, st := range c.steps {
		if st.Copy == nil {
			continue
		}
		d := strings.TrimSuffix(st.Copy.Dest, "/")
		if d == "" {
			d = "/"
		}
		if coveredBy(d, paths) || c.covered(st) {
			continue
		}
		if c.recipe != nil && st.Copy.From == "" && !st.Copy.Inline && (under(d, st.Before.WorkDir) || d == st.Before.WorkDir || sourceTree(c.steps, d)) {
			// Sources of a compiled program stay behind; files that are placed
			// elsewhere go along.
			continue
		}
		if strings.Contains(d, "$") {
			c.block("writes-unknown", fmt.Sprintf("it copies to %s, which cannot be told here", d), st.Lines[0])
			continue
		}
		text := c.source_(st)
		if to, ok := c.user.Names[st.Copy.Chown]; ok && st.Copy.Chown != "" {
			text = strings.Replace(text, "--chown="+st.Copy.Chown, "--chown="+to, 1)
		}
		if !path.IsAbs(destOf(st)) && st.Before.WorkDir != c.end().WorkDir {
			abs, ok := absoluteDest(text, destOf(st), st.Copy.Dest)
			if !ok {
				c.block("workdir-changes", fmt.Sprintf("line %d copies relative to %s, another directory than the final one", st.Lines[0], st.Before.WorkDir), st.Lines[0])
				continue
			}
			text = abs
		}
		c.add("multi-stage", text, fmt.Sprintf("line %d stays in the build stage; the running image has the same files", st.Lines[0]))
	}
}

// absoluteDest writes the destination of a COPY, its last word, as an absolute
// path.
func absoluteDest(text, dest, abs string) (string, bool) {
	if dest == "" || strings.HasSuffix(strings.TrimSpace(text), "]") || !strings.HasSuffix(text, dest) {
		return "", false
	}
	return strings.TrimSuffix(text, dest) + abs, true
}

func destOf(st *assess.Step) string {
	if n := len(st.Words); n > 0 {
		return strings.Trim(st.Words[n-1].Text, `"'`)
	}
	return ""
}

// sourceTree tells whether a RUN works in d or above: what is copied there is
// material for the build.
func sourceTree(steps []*assess.Step, d string) bool {
	for _, st := range steps {
		if st.Run != nil && (d == st.Before.WorkDir || under(d, st.Before.WorkDir)) {
			return true
		}
	}
	return false
}

// covered tells whether a later COPY of the tail brings the same files: the
// whole context into the same directory.
func (c *composer) covered(st *assess.Step) bool {
	if st.Copy.From != "" || st.Copy.Inline {
		return false
	}
	for _, t := range c.tail {
		if t.Copy == nil || t.Copy.From != "" {
			continue
		}
		whole := slices.Contains(t.Copy.Sources, ".") || slices.Contains(t.Copy.Sources, "./")
		d, td := strings.TrimSuffix(st.Copy.Dest, "/"), strings.TrimSuffix(t.Copy.Dest, "/")
		if whole && (d == td || under(d, td)) && c.samePlace(st, td) {
			return true
		}
	}
	return false
}

// samePlace tells whether a file of the context keeps its place when the
// whole context is copied to td.
func (c *composer) samePlace(st *assess.Step, td string) bool {
	for _, s := range st.Copy.Sources {
		dest := strings.TrimSuffix(st.Copy.Dest, "/")
		if strings.HasSuffix(st.Copy.Dest, "/") {
			dest = path.Join(dest, path.Base(s))
		}
		if strings.ContainsAny(s, "*?[") {
			if path.Dir(path.Join(td, s)) != strings.TrimSuffix(st.Copy.Dest, "/") {
				return false
			}
			continue
		}
		if path.Join(td, s) != dest && path.Join(td, s) != path.Join(dest, path.Base(s)) {
			return false
		}
	}
	return true
}

// removals refuses deletions that a COPY cannot carry over.
func (c *composer) removals(paths []artifact) {
	for _, st := range c.steps {
		e, ok := c.effects[st]
		if !ok {
			continue
		}
		for _, p := range e.removes {
			if coveredBy(p, paths) || c.recipe != nil || strings.HasPrefix(p, "/root") || strings.HasPrefix(p, "/usr/share") && !strings.HasPrefix(p, "/usr/share/nginx") || c.overwritten(p) {
				continue
			}
			if strings.ContainsAny(p, "$") || inBaseImage(p) {
				c.block("removes-files", fmt.Sprintf("it removes %s, which the runtime image may have as well", p), st.Lines[0])
			}
		}
	}
}

// overwritten tells whether a COPY places a file over a removed one.
func (c *composer) overwritten(p string) bool {
	for _, st := range append(slices.Clone(c.steps), c.tail...) {
		if st.Copy != nil && slices.Contains(copiedFiles(st.Copy), p) {
			return true
		}
	}
	return false
}

// inBaseImage tells whether a path is of a kind that images bring themselves.
func inBaseImage(p string) bool {
	return strings.HasPrefix(p, "/etc/") || strings.HasPrefix(p, "/usr/") || strings.HasPrefix(p, "/bin/") || strings.HasPrefix(p, "/var/www") || strings.HasPrefix(p, "/opt/")
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
		case "LABEL", "EXPOSE", "VOLUME":
		case "HEALTHCHECK", "CMD", "ENTRYPOINT", "STOPSIGNAL":
			if last[st.Keyword] != st {
				if st.Stage == c.final {
					c.drops = append(c.drops, Drop{Step: st, Rule: "multi-stage", Why: "a later one replaces it", Moved: true})
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
			c.drops = append(c.drops, Drop{Step: st, Rule: "multi-stage", Why: "it describes the image that ships, so it moved to the final stage", Moved: true})
		}
		if text != "" {
			c.add("multi-stage", text, fmt.Sprintf("from line %d: it describes the image that ships", st.Lines[0]))
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
			return commented(c.source_(st))
		}
		return healthText(c.in, st, h.Text)
	}
	return c.source_(st)
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

func minimal(in []artifact) []artifact {
	var out []artifact
	for i, a := range in {
		skip := false
		for j, b := range in {
			if i != j && (under(a.path, b.path) || a.path == b.path && j < i) {
				skip = true
			}
		}
		if !skip {
			for _, b := range in {
				if under(b.path, a.path) && b.chown {
					a.chown = true
				}
			}
			out = append(out, a)
		}
	}
	return out
}

func coveredBy(p string, paths []artifact) bool {
	for _, a := range paths {
		if p == a.path || under(p, a.path) {
			return true
		}
	}
	return false
}

func under(p, dir string) bool {
	return strings.HasPrefix(p, strings.TrimSuffix(dir, "/")+"/") && p != dir
}

func pythonPath(p string) bool {
	return strings.Contains(p, "site-packages") || p == "/usr/local/bin" || p == "/usr/local" || strings.HasPrefix(p, "/usr/local/lib/python")
}

func quotePath(p string) string { return p }
