package strategy

import (
	"fmt"
	"path"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
)

// decider carries the state of one decision.
type decider struct {
	*Plan
	chooser *chooser
	byStage map[*assess.Stage]*Stage
}

// Decide decides what becomes of every stage. It always gives a plan; a plan
// without a pick changes nothing and says why.
func Decide(in Input) *Plan {
	p := &Plan{Input: in, Shape: ShapeNone}
	d := &decider{Plan: p, byStage: map[*assess.Stage]*Stage{}}
	d.chooser = p.chooser()
	for _, s := range in.Stages.All {
		ps := &Stage{Stage: s}
		d.byStage[s] = ps
		p.All = append(p.All, ps)
	}
	p.Final = d.byStage[in.Stages.Final]
	d.origins()
	d.final()
	d.builders()
	if d.inconsistent() {
		d.builders()
	}
	d.stranded()
	d.fill()
	return p
}

// root is the plan of the stage at the start of the chain.
func (d *decider) root(s *assess.Stage) *Stage { return d.byStage[s.Root()] }

// origins marks the roots that cannot move or have moved already.
func (d *decider) origins() {
	for _, s := range d.All {
		if s.Parent != nil {
			continue
		}
		if s.Origin != nil && s.Origin.Hardened {
			s.Already = true
			continue
		}
		if s.Left = d.origin(s.Stage); s.Left == nil {
			s.Left = d.Keep[s.Stage]
		}
	}
}

// final decides the shape of the final stage.
func (d *decider) final() {
	f := d.Final
	root := d.root(f.Stage)
	if root.Left != nil || root.Already {
		return
	}
	ch, left := d.chooser.choose(root.Stage, catalog.NeedBoth)
	if ch == nil {
		ch, left = d.chooser.choose(root.Stage, catalog.NeedRuntime)
	}
	if ch == nil {
		if dev, _ := d.chooser.choose(root.Stage, catalog.NeedDev); dev != nil {
			ch, left = dev, nil
		}
	}
	if ch == nil {
		root.Left = left
		return
	}
	root.Choice = ch
	if !d.runtime(root, ch) {
		d.dev(root, ch)
	}
}

// runtime tries to give the final stage a runtime image; false leaves the
// reasons in Blocks.
func (d *decider) runtime(root *Stage, ch *catalog.Choice) bool {
	f := d.Final.Stage
	var rec *recipe
	if _, trivial := d.effects(f, nil); !trivial && ch.Dev != nil {
		rec = d.compiled(f, ch)
	}
	pick, image, b := d.runtimePick(root, ch, rec)
	if pick == nil {
		d.Blocks = append(d.Blocks, b)
		return false
	}
	list, trivial := d.effects(f, pick.Def)
	effects := map[*assess.Step]effect{}
	ownTrivial := true
	for _, e := range list {
		effects[e.step] = e
		if e.step.Stage == f && !e.trivial {
			ownTrivial = false
		}
	}
	if b := d.fitsPlatform(root.Stage, &catalog.Choice{Image: image}, pick.Def); b != nil {
		d.Blocks = append(d.Blocks, *b)
	}
	d.Blocks = append(d.Blocks, d.packageBlocks(list, pick.Def)...)
	switch image {
	case "python":
		d.Blocks = append(d.Blocks, d.pythonLibraries(f)...)
	case "node":
		d.Blocks = append(d.Blocks, d.nodeLibraries(f)...)
	}
	if b := developmentStage(f, d.Path); b != nil {
		d.Blocks = append(d.Blocks, *b)
	}
	for _, st := range f.End.OnBuild {
		d.Blocks = append(d.Blocks, Block{Rule: "no-shell", Code: "onbuild", Line: st.Lines[0], Text: "it has ONBUILD triggers: images built on it run commands and install packages"})
	}
	d.RunUser = d.runUser(f, pick.Def, true)
	if !trivial && rec == nil && d.owns(f, list, pick.Def) {
		trivial, ownTrivial = true, true
		for i, e := range list {
			if e.owned != nil {
				list[i].trivial, list[i].rule = true, "nonroot-user"
				list[i].why = "the image brings its own unprivileged user, and COPY gives the files to it; neither accounts nor owners can be changed without a shell"
				effects[e.step] = list[i]
			}
		}
	}
	t := &starter{in: &d.Input, final: f, def: pick.Def, made: map[string]bool{}, carried: map[string]bool{}, builds: rec != nil}
	for _, e := range list {
		for _, c := range e.carried {
			t.carried[c] = true
		}
		if e.install || rec != nil || e.unknown == "" {
			for _, p := range e.paths {
				t.made[p] = true
			}
		}
		if e.cwd {
			t.builds = true
		}
	}
	if rec != nil {
		for _, a := range rec.artifacts {
			t.made[a.path] = true
		}
	}
	venv, venvWhy, vb := d.virtualEnv(f, list, image)
	if vb != nil {
		d.Blocks = append(d.Blocks, *vb)
	}
	if venv.dir != "" {
		t.venv = path.Join(venv.dir, "bin")
	}
	start, blocks := t.start()
	d.Start = start
	d.Blocks = append(d.Blocks, blocks...)
	d.Health = t.health()
	if len(d.Blocks) > 0 {
		return false
	}
	for _, b := range d.layoutOfFinal(root, image) {
		d.Blocks = append(d.Blocks, b)
	}
	if len(d.Blocks) > 0 {
		return false
	}
	siblings := d.siblingsRun(f)
	switch {
	case trivial && !siblings && rec == nil:
		d.inPlace(root, pick, effects)
		return true
	case f.Parent != nil && ownTrivial:
		return d.rebase(root, ch, pick, image, effects, venv)
	}
	if ch.Dev == nil {
		d.Blocks = append(d.Blocks, Block{Rule: "multi-stage", Code: "variant-not-offered", Line: root.From.Lines[0], Text: fmt.Sprintf("dhi %s has no dev variant to build in", ch.Image)})
		return false
	}
	return d.split(root, ch, pick, image, effects, rec, venv, venvWhy)
}

// effects reads every RUN of the final image; trivial tells that none leaves
// anything behind.
func (d *decider) effects(f *assess.Stage, def *catalog.Definition) (list []effect, trivial bool) {
	trivial = true
	for _, st := range f.ChainSteps() {
		if st.Run == nil {
			continue
		}
		e := d.effect(f, st, def)
		list = append(list, e)
		trivial = trivial && e.trivial
	}
	return list, trivial
}

// siblingsRun tells whether another stage of the tree runs commands, so that
// the shared image must be a dev image.
func (d *decider) siblingsRun(f *assess.Stage) bool {
	for _, s := range d.Stages.Tree(f) {
		if s == f {
			continue
		}
		for _, st := range s.Steps {
			if st.Run != nil {
				return true
			}
		}
		if len(s.End.OnBuild) > 0 {
			return true
		}
		if s != f && len(s.Children) == 0 && (s.End.Cmd.Step != nil || s.End.Entrypoint.Step != nil) {
			return true // a target of its own: for development or tests
		}
	}
	return false
}

// runtimePick is the image that the final stage can run on.
func (d *decider) runtimePick(root *Stage, ch *catalog.Choice, rec *recipe) (*catalog.Pick, string, Block) {
	line := root.From.Lines[0]
	if rec != nil && rec.runtime != "" {
		if p := d.other(rec.runtime, rec.version, rec.flavor, ch); p != nil {
			return p, rec.runtime, Block{}
		}
	}
	if rec == nil {
		if p, image := d.smaller(root, ch); p != nil {
			return p, image, Block{}
		}
	}
	if ch.Runtime != nil {
		return ch.Runtime, ch.Image, Block{}
	}
	return nil, "", Block{Rule: "multi-stage", Code: "variant-not-offered", Line: line, Text: fmt.Sprintf("dhi %s has no runtime variant, and what the container runs is not understood well enough to choose another image", ch.Image)}
}

// other picks the runtime variant of another image in the distribution of the
// build stage. flavor "libc" asks for the variant with a C library.
func (d *decider) other(image, version, flavor string, ch *catalog.Choice) *catalog.Pick {
	w := catalog.Want{Need: catalog.NeedRuntime}
	ref := ch.Dev
	if ref == nil {
		ref = ch.Runtime
	}
	if ref != nil {
		w.Distro, w.Release = ref.Def.Distro, ref.Def.DistroVersion
	}
	if flavor == "libc" {
		flavor = "glibc"
		if w.Distro == catalog.Alpine {
			flavor = "musl"
		}
	}
	c, err := d.Catalog.ChooseImage(image, version, flavor, w)
	if err != nil || c.Runtime == nil {
		return nil
	}
	return c.Runtime
}

// smaller replaces an operating system image by static when the program that
// starts is a single Go binary from an earlier stage.
func (d *decider) smaller(root *Stage, ch *catalog.Choice) (*catalog.Pick, string) {
	switch ch.Image {
	case "alpine-base", "debian-base", "busybox", "static":
	default:
		return nil, ""
	}
	f := d.Final.Stage
	words := startWords(f)
	if len(words) == 0 {
		return nil, ""
	}
	p := words[0]
	if !strings.Contains(p, "/") {
		p = "/usr/local/bin/" + p
	}
	if !path.IsAbs(p) {
		p = path.Join(f.End.WorkDir, p)
	}
	var from *assess.Stage
	for _, st := range f.ChainSteps() {
		if st.Copy == nil || st.Copy.FromStage == nil {
			continue
		}
		dest := strings.TrimSuffix(st.Copy.Dest, "/")
		if dest == p || under(p, dest) || dest == "" {
			from = st.Copy.FromStage
		}
	}
	if from == nil || from.Origin == nil || !strings.HasSuffix(from.Origin.Repository, "golang") {
		return nil, ""
	}
	flavor := "libc"
	if d.cgoOff(from) {
		flavor = ""
	} else if ch.Image == "static" {
		if strings.Contains(root.Origin.Repository, "/static") {
			return nil, ""
		}
	}
	like := *ch
	if like.Dev == nil {
		like.Dev = like.Runtime
	}
	if pick := d.other("static", "", flavor, &like); pick != nil {
		return pick, "static"
	}
	return nil, ""
}

// inPlace gives the final stage's root a runtime image.
func (d *decider) inPlace(root *Stage, pick *catalog.Pick, effects map[*assess.Step]effect) {
	d.Shape = ShapeInPlace
	root.Pick = pick
	root.Why = "nothing in it needs a shell, a package manager or root any more"
	if len(effects) == 0 {
		root.Why = "it only runs the program: no command is run in it"
	}
	for _, st := range d.Final.ChainSteps() {
		if e, ok := effects[st]; ok && e.trivial {
			d.Drops = append(d.Drops, Drop{Step: st, Rule: e.rule, Why: e.why})
			d.noteDropped(e)
		}
	}
	d.restoreWorkDir(root, pick.Def)
	if dotnet(pick) && root.Choice.Bumped {
		d.Inserts = append(d.Inserts, Insert{Stage: root.Stage, Line: Line{Rule: "base-image", Text: "ENV DOTNET_ROLL_FORWARD=Major",
			Why: fmt.Sprintf("the program was built for .NET %s, which starts on %s only when it is told to", root.Choice.From, root.Choice.To)}})
	}
}

// dotnet tells whether an image runs .NET programs.
func dotnet(p *catalog.Pick) bool { return p.Def.Image == "dotnet" || p.Def.Image == "aspnetcore" }

func (d *decider) noteDropped(e effect) {
	if n := append(append([]string(nil), e.tools...), e.build...); len(n) > 0 {
		d.Notes = append(d.Notes, Note{Rule: "package-management", Line: e.step.Lines[0],
			Text: fmt.Sprintf("The final image no longer has %s. Nothing in this repository was seen to call it there; check scripts that run `docker exec`.", strings.Join(n, ", "))})
	}
}

// rebase gives the final stage an image of its own instead of the build stage
// that it inherits from.
func (d *decider) rebase(root *Stage, ch *catalog.Choice, pick *catalog.Pick, image string, effects map[*assess.Step]effect, venv venv) bool {
	f := d.Final.Stage
	var steps []*assess.Step
	for _, s := range f.Chain() {
		if s != f {
			steps = append(steps, s.Steps...)
		}
	}
	if f.Parent.Name == "" || ch.Dev == nil {
		d.Blocks = append(d.Blocks, Block{Rule: "multi-stage", Code: "variant-not-offered", Line: f.From.Lines[0], Text: "the stage that it inherits from cannot become a build stage"})
		return false
	}
	if b := d.treeFits(root, ch, ch.Dev.Def); b != nil {
		root.Left = b
		return true
	}
	c := &composer{in: &d.Input, plan: d.Plan, final: f, def: pick.Def, steps: steps, tail: f.Steps, effects: effects, source: f.Parent.Name, user: d.RunUser, venv: venv.dir, rollForward: dotnet(pick) && ch.Bumped}
	c.compose()
	if len(c.blocks) > 0 {
		d.Blocks = append(d.Blocks, c.blocks...)
		return false
	}
	d.Shape = ShapeRebase
	root.Pick = ch.Dev
	root.Why = d.devWhy(root)
	d.New = &NewStage{Pick: pick, Image: image, Alias: f.Name, Lines: c.lines,
		Why: fmt.Sprintf("%s is built in, so it needs the dev image; the image that ships gets the runtime one", f.Parent.Name)}
	for _, st := range f.Steps {
		if e, ok := effects[st]; ok && e.trivial {
			d.Drops = append(d.Drops, Drop{Step: st, Rule: e.rule, Why: e.why})
			d.noteDropped(e)
		}
	}
	d.venvInserts(venv)
	return true
}

// split turns the final stage into a build stage and adds a runtime stage.
func (d *decider) split(root *Stage, ch *catalog.Choice, pick *catalog.Pick, image string, effects map[*assess.Step]effect, rec *recipe, venv venv, _ string) bool {
	f := d.Final.Stage
	if b := d.treeFits(root, ch, ch.Dev.Def); b != nil {
		root.Left = b
		return true
	}
	at := d.cut(effects, rec)
	var steps, tail []*assess.Step
	for _, s := range f.Chain() {
		if s != f {
			steps = append(steps, s.Steps...)
		}
	}
	steps = append(steps, f.Steps[:at]...)
	tail = f.Steps[at:]
	n := &NewStage{Pick: pick, Image: image, Banner: len(d.All) == 1}
	source := d.buildAlias(f, n)
	c := &composer{in: &d.Input, plan: d.Plan, final: f, def: pick.Def, steps: steps, tail: tail, effects: effects, source: source, recipe: rec, user: d.RunUser, venv: venv.dir, rollForward: dotnet(pick) && ch.Bumped}
	c.compose()
	if len(c.blocks) > 0 {
		d.Blocks = append(d.Blocks, c.blocks...)
		return false
	}
	d.Shape = ShapeSplit
	root.Pick = ch.Dev
	root.Why = d.devWhy(root)
	n.Lines = c.lines
	if at > 0 {
		n.At = f.Steps[at-1]
	}
	n.Why = "commands need a shell and packages need a package manager: they stay in the build stage, and only the result goes into the image that ships"
	d.New = n
	d.Drops = append(d.Drops, c.drops...)
	d.dropOwners(f, at, effects)
	if rec != nil {
		d.Notes = append(d.Notes, rec.notes...)
	}
	d.venvInserts(venv)
	return true
}

// dropOwners removes commands of the build stage that only made accounts for
// the image that ships: its files get their owner when they are copied.
func (d *decider) dropOwners(f *assess.Stage, at int, effects map[*assess.Step]effect) {
	for i, st := range f.Steps[:at] {
		e, ok := effects[st]
		if !ok || e.owned == nil || e.unknown != "" || len(st.Run.Script.Accounts()) == 0 {
			continue
		}
		needed := false
		for _, later := range f.Steps[i+1 : at] {
			if later.Run != nil && !later.Before.Root() || later.Copy != nil && later.Copy.Chown != "" && !numeric(strings.Split(later.Copy.Chown, ":")[0]) || later.Keyword == "USER" {
				needed = true
			}
		}
		if !needed {
			d.Drops = append(d.Drops, Drop{Step: st, Rule: "nonroot-user", Why: "the image that ships brings its own unprivileged user, and its files get their owner when they are copied"})
		}
	}
}

// isDropped tells whether a step goes away.
func (p *Plan) isDropped(st *assess.Step) bool {
	for _, d := range p.Drops {
		if d.Step == st {
			return true
		}
	}
	return false
}

// cut is the number of the final stage's own steps that stay in the build
// stage: up to the last RUN, and the copies into a directory that a RUN writes.
func (d *decider) cut(effects map[*assess.Step]effect, rec *recipe) int {
	f := d.Final.Stage
	at := 0
	var dirs []string
	for i, st := range f.Steps {
		if e, ok := effects[st]; ok {
			at = i + 1
			if !e.trivial && (e.cwd || rec != nil) {
				dirs = append(dirs, st.Before.WorkDir)
			}
		}
	}
	for i, st := range f.Steps {
		if i < at || st.Copy == nil {
			continue
		}
		dest := path.Clean(st.Copy.Dest)
		for _, dir := range dirs {
			if (dest == dir || under(dest, dir)) && rec == nil {
				at = i + 1
			}
		}
	}
	return at
}

// buildAlias names the build stage that a split leaves and keeps the old name
// for the stage that ships.
func (d *decider) buildAlias(f *assess.Stage, n *NewStage) string {
	taken := map[string]bool{}
	for _, s := range d.All {
		taken[s.Name] = true
	}
	base := "builder"
	if f.Name != "" {
		base = f.Name + "-builder"
		n.Alias = f.Name
	}
	name := base
	for i := 2; taken[name]; i++ {
		name = fmt.Sprintf("%s-%d", base, i)
	}
	n.BuildAlias = name
	return name
}

// dev gives the final stage a dev image, with the reasons in Blocks.
func (d *decider) dev(root *Stage, ch *catalog.Choice) {
	f := d.Final.Stage
	d.Start, d.Health = Start{}, Health{}
	if d.SkipWhenDev {
		b := d.Blocks[0]
		root.Left = &Block{Rule: b.Rule, Code: b.Code, Line: b.Line, Path: b.Path, Text: b.Text + "; runtime-needs-shell is skip"}
		return
	}
	if isUbuntu(root.Origin) {
		b := d.Blocks[0]
		root.Left = &Block{Rule: b.Rule, Code: "distribution-changes", Line: b.Line, Path: b.Path, Text: b.Text + "; a dev image would only exchange Ubuntu for Debian"}
		return
	}
	if ch.Dev == nil {
		b := d.Blocks[0]
		root.Left = &Block{Rule: b.Rule, Code: b.Code, Line: b.Line, Path: b.Path, Text: b.Text + fmt.Sprintf("; dhi %s has no dev variant either", ch.Image)}
		return
	}
	if b := d.treeFits(root, ch, ch.Dev.Def); b != nil {
		root.Left = b
		return
	}
	d.RunUser = d.runUser(f, ch.Dev.Def, false)
	start, b := d.devStart(f, ch.Dev.Def)
	if b != nil {
		root.Left = b
		return
	}
	d.Start = start
	d.Shape = ShapeDev
	root.Pick = ch.Dev
	root.Why = "the final stage cannot run without what only the dev image has: " + d.Blocks[0].Text
}

// devStart keeps the start command working on a dev image, which has a shell
// but may have another entry point.
func (d *decider) devStart(f *assess.Stage, def *catalog.Definition) (Start, *Block) {
	e, c := f.End.Entrypoint, f.End.Cmd
	if e.Step != nil {
		return d.devEntrypoint(f, def, e)
	}
	t := &starter{in: &d.Input, final: f, def: def, made: map[string]bool{}, carried: map[string]bool{}, builds: true}
	if c.Step == nil {
		if service(def.Image) && len(def.Entrypoint)+len(def.Cmd) > 0 {
			return Start{}, nil
		}
		if len(def.Entrypoint) > 0 && f.Origin != nil && f.Origin.Config.Known && len(e.Argv) == 0 && len(def.Cmd) > 0 {
			return Start{Add: "ENTRYPOINT []", Why: fmt.Sprintf("dhi %s has ENTRYPOINT %s, which the old image had not", def.Image, jsonArray(def.Entrypoint))}, nil
		}
		return Start{}, nil
	}
	de := def.Entrypoint
	if len(de) == 0 {
		if len(e.Argv) > 0 && !c.Shell && def.Image == "node" {
			if fixed, why, b := t.nodeStart(c, c.Argv); fixed != nil && b == nil && path.Base(c.Argv[0]) != "npm" && strings.HasPrefix(why, "the old entry point") {
				return Start{Cmd: &Rewrite{Step: c.Step, Text: "CMD " + jsonArray(fixed), Why: why, Rule: "entry-point"}}, nil
			}
		}
		return Start{}, nil
	}
	if c.Shell {
		return Start{Add: "ENTRYPOINT []", Why: fmt.Sprintf("dhi %s has ENTRYPOINT %s, which would take this command for arguments", def.Image, jsonArray(de))}, nil
	}
	if scriptEntrypoint(de) || wrapperEntrypoint(de) {
		return Start{}, nil
	}
	if len(c.Argv) > 0 && path.Base(c.Argv[0]) == path.Base(de[len(de)-1]) {
		text := "CMD " + jsonArray(c.Argv[1:])
		if len(c.Argv) == 1 {
			text = ""
		}
		return Start{Cmd: &Rewrite{Step: c.Step, Text: text, Rule: "entry-point",
			Why: fmt.Sprintf("dhi %s has ENTRYPOINT %s; with the word %q here the container would start it twice", def.Image, jsonArray(de), c.Argv[0])}}, nil
	}
	if len(c.Argv) > 0 && strings.HasPrefix(c.Argv[0], "-") {
		return Start{}, nil
	}
	return Start{Add: "ENTRYPOINT []", Why: fmt.Sprintf("dhi %s has ENTRYPOINT %s, which would take this command for arguments", def.Image, jsonArray(de))}, nil
}

// devEntrypoint checks an ENTRYPOINT of the file on a dev image: the script of
// the old image is not there.
func (d *decider) devEntrypoint(f *assess.Stage, def *catalog.Definition, e assess.Command) (Start, *Block) {
	if e.Shell || len(e.Argv) == 0 || !officialScript(e.Argv[0]) {
		return Start{}, nil
	}
	t := &starter{in: &d.Input, final: f, def: def}
	abs := e.Argv[0]
	if !strings.Contains(abs, "/") {
		abs = "/usr/local/bin/" + abs
	}
	if t.copied(abs) || len(def.Entrypoint) > 0 && path.Base(def.Entrypoint[len(def.Entrypoint)-1]) == path.Base(abs) {
		return Start{}, nil
	}
	if r := dropScript(def.Image, e); r != nil {
		return Start{Entrypoint: r}, nil
	}
	return Start{}, &Block{Rule: "entry-point", Code: "start-program-missing", Line: e.Step.Lines[0], Text: fmt.Sprintf("it starts through %s of the old image, which dhi %s does not have", e.Argv[0], def.Image)}
}

// officialScript tells whether a program is the entry point script that the
// official images ship.
func officialScript(p string) bool {
	switch path.Base(p) {
	case "docker-entrypoint.sh", "docker-php-entrypoint", "__cacert_entrypoint.sh", "mvn-entrypoint.sh":
		return !strings.Contains(p, "/") || path.Dir(p) == "/usr/local/bin" || path.Dir(p) == "/"
	}
	return false
}

// dropScript removes an ENTRYPOINT that only names the old image's script, when
// that script does nothing but run the command.
func dropScript(image string, e assess.Command) *Rewrite {
	if len(e.Argv) != 1 || image != "node" && image != "eclipse-temurin" {
		return nil
	}
	return &Rewrite{Step: e.Step, Rule: "entry-point", Why: fmt.Sprintf("%s is a script of the old image and does nothing but run the command", e.Argv[0])}
}

// treeFits checks every stage of the tree against the dev image.
func (d *decider) treeFits(root *Stage, ch *catalog.Choice, def *catalog.Definition) *Block {
	for _, s := range d.Stages.Tree(root.Stage) {
		if b := d.fits(s, ch, def); b != nil {
			return b
		}
		if startsItself(s) && s != d.Final.Stage {
			if _, b := d.devStart(s, def); b != nil {
				return b
			}
		}
	}
	return nil
}

// startsItself tells whether a stage has a start command of its own: it may be
// a target that people build and run.
func startsItself(s *assess.Stage) bool {
	return s.End.Cmd.Step != nil && s.End.Cmd.Step.Stage == s || s.End.Entrypoint.Step != nil && s.End.Entrypoint.Step.Stage == s
}

func (d *decider) devWhy(root *Stage) string {
	for _, s := range d.Stages.Tree(root.Stage) {
		for _, st := range s.Steps {
			if st.Run != nil {
				what := "a command"
				if st.Run.Script != nil && len(st.Run.Script.Programs()) > 0 {
					what = st.Run.Script.Programs()[0]
				}
				return fmt.Sprintf("line %d runs %s: that needs a shell, and only the dev image has one", st.Lines[0], what)
			}
		}
	}
	return "it is built in: only the dev image has a shell and a package manager"
}

// developmentStage tells that the final stage is for people who work on the
// program: they need a shell.
func developmentStage(f *assess.Stage, file string) *Block {
	if w := developmentWord(f.Name); w != "" {
		return &Block{Rule: "no-shell", Code: "development-stage", Line: f.From.Lines[0],
			Text: fmt.Sprintf("the last stage is named %s: people work and test in it, which needs a shell", f.Name)}
	}
	if w := developmentWord(strings.ToLower(path.Base(file))); w != "" {
		return &Block{Rule: "no-shell", Code: "development-stage", Line: f.From.Lines[0],
			Text: fmt.Sprintf("the file is named %s: people work and test in this image, which needs a shell", path.Base(file))}
	}
	return nil
}

func developmentWord(name string) string {
	for part := range strings.FieldsFuncSeq(name, func(r rune) bool { return r == '-' || r == '_' || r == '.' }) {
		switch part {
		case "dev", "devel", "develop", "development", "debug", "test", "tests", "testing", "lint", "ci", "devcontainer":
			return part
		}
	}
	return ""
}

// owns tells whether every RUN that is not trivial only gives files to the
// user, and COPY can do that instead: the files come by COPY, the directories
// by WORKDIR, and the user is the image's own, who owns those.
func (d *decider) owns(f *assess.Stage, list []effect, def *catalog.Definition) bool {
	own := programUser(def)
	if d.RunUser.Root || d.RunUser.Spec != fmt.Sprintf("%d:%d", own.UID, own.GID) || def.RunUser().UID == 0 {
		return false
	}
	owned := map[*assess.Step]string{}
	for _, e := range list {
		if e.trivial {
			continue
		}
		if e.owned == nil || e.unknown != "" {
			return false
		}
		for _, p := range e.owned {
			if !d.ownable(f, e.step, p, owned) {
				return false
			}
		}
	}
	d.RunUser.Owned = owned
	return true
}

// ownable notes the COPYs that bring what is at or below p before a step; false
// when something else may have made it.
func (d *decider) ownable(f *assess.Stage, at *assess.Step, p string, owned map[*assess.Step]string) bool {
	found := false
	for _, st := range f.ChainSteps() {
		if st == at {
			break
		}
		if st.Keyword == "WORKDIR" {
			continue
		}
		if st.Copy == nil {
			continue
		}
		dest := path.Clean(st.Copy.Dest)
		switch {
		case dest == p || under(dest, p):
			if st.Copy.Chown == "" {
				owned[st] = p
			}
			found = true
		case under(p, dest):
			return false // only a part of what was copied changes hands
		}
	}
	if systemDir(p) {
		return false
	}
	return found || at.Before.WorkDir == p
}
