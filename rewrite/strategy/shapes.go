package strategy

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
)

// inPlace gives the final stage's root a runtime image.
func (d *decider) inPlace(root *Stage, pick *catalog.Pick, effects effects) {
	d.Shape = ShapeInPlace
	root.Pick = pick
	root.Why = "nothing in it needs a shell, a package manager or root any more"
	if len(effects) == 0 {
		root.Why = "it only runs the program: no command is run in it"
	}
	if root.Choice != nil && pick.Def.Image == "static" && root.Choice.Image != "static" {
		root.Why += "; what it starts is one compiled program, and the static image can run that"
	}
	if root.Choice != nil && pick.Def.Image == "aspnetcore" && root.Choice.Image == "dotnet" {
		root.Why += "; the SDK has ASP.NET Core, which dhi dotnet has not"
	}
	if c := root.Choice; c != nil && c.Runtime != nil && fpm(c.Runtime.Def) && !fpm(pick.Def) {
		root.Why += "; it starts php, which the fpm variant is built without"
	}
	for _, st := range d.Final.ChainSteps() {
		if e, ok := effects.of(st); ok && e.trivial {
			d.Drops = append(d.Drops, Drop{Step: st, Rule: e.rule, Why: e.why})
			if e.instead != nil {
				d.Replaced = append(d.Replaced, *e.instead)
			}
			d.noteDropped(e)
			d.noteHeaders(e)
		}
	}
	d.useVenv(d.site)
	d.restoreWorkDir(root, pick.Def)
	if why := d.zonesOf(root.Choice, pick); why != "" {
		from := d.zonesFrom(root.Choice)
		d.Inserts = append(d.Inserts, Insert{Stage: root.Stage, Line: Line{Rule: "package-management", Text: fmt.Sprintf("COPY --from=%s %s %s", from.Name, zoneInfo, zoneInfo), Why: why}})
	}
	for _, l := range d.imageEnv(pick, root.Choice) {
		d.Inserts = append(d.Inserts, Insert{Stage: root.Stage, Line: l})
	}
}

// imageEnv are variables that stand for what the old image did without them.
func (d *decider) imageEnv(pick *catalog.Pick, ch *catalog.Choice) []Line {
	switch pick.Def.Image {
	case "dotnet", "aspnetcore":
		return d.netEnv(pick, ch)
	case "rabbitmq":
		return d.pluginEnv()
	}
	return nil
}

// pluginEnv switches on the plugins of RabbitMQ that the tag of the old image
// stands for, unless the file names its plugins itself. Sources: the official
// images, rabbit_env of RabbitMQ, DHI's guide.
func (d *decider) pluginEnv() []Line {
	f := d.Final.Stage
	o := f.Root().Origin
	if o == nil || !strings.Contains(o.Tag, "management") || d.madeBefore(f, nil, "/etc/rabbitmq/enabled_plugins") {
		return nil
	}
	for _, st := range f.ChainSteps() {
		if st.Keyword == "ENV" && strings.Contains(st.Text, "RABBITMQ_ENABLED_PLUGINS") {
			return nil
		}
	}
	return []Line{{Rule: "base-image", Text: "ENV RABBITMQ_ENABLED_PLUGINS=rabbitmq_management,rabbitmq_prometheus",
		Why: fmt.Sprintf("%s has these plugins switched on, the DHI image does not", o.Reference)}}
}

// netEnv are variables that keep a .NET program working on a newer image.
func (d *decider) netEnv(pick *catalog.Pick, ch *catalog.Choice) []Line {
	var out []Line
	if ch.Bumped {
		out = append(out, Line{Rule: "base-image", Text: "ENV DOTNET_ROLL_FORWARD=Major",
			Why: fmt.Sprintf("the program was built for .NET %s, which starts on %s only when it is told to", ch.From, ch.To)})
	}
	const invariant = "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT"
	f := d.Final.Stage
	o := f.Root().Origin
	if o.Config.Env[invariant] == "" || pick.Def.Environment[invariant] != "" {
		return out
	}
	for _, st := range f.ChainSteps() {
		if st.Keyword == "ENV" && strings.Contains(st.Text, invariant) {
			return out
		}
	}
	return append(out, Line{Rule: "base-image", Text: fmt.Sprintf("ENV %s=%s", invariant, o.Config.Env[invariant]),
		Why: fmt.Sprintf("%s sets it, the DHI image does not: without it .NET looks for the ICU libraries and works with the rules of every culture", o.Reference)})
}

func (d *decider) noteDropped(e effect) {
	if e.ownZones != "" {
		d.Notes = append(d.Notes, Note{Rule: "package-management", Line: e.step.Lines[0],
			Text: fmt.Sprintf("dhi %s has no tzdata. The JVM and Node bring their own time zones; what else reads /usr/share/zoneinfo finds nothing there.", e.ownZones)})
	}
	if len(e.unlinked) > 0 {
		d.Notes = append(d.Notes, Note{Rule: "package-management", Line: e.step.Lines[0],
			Text: fmt.Sprintf("The final image no longer has %s: by Cargo.lock the program links no such library.", strings.Join(once(e.unlinked), ", "))})
	}
	n := once(append(append([]string(nil), e.tools...), e.build...))
	n = slices.DeleteFunc(n, func(name string) bool {
		at := d.calledByCompose(name)
		if at == "" {
			return false
		}
		d.Notes = append(d.Notes, Note{Rule: "package-management", Line: e.step.Lines[0],
			Text: fmt.Sprintf("The final image no longer has %s, which %s calls.", name, at)})
		return true
	})
	n = slices.DeleteFunc(n, func(name string) bool {
		if !d.checkedWith(name) {
			return false
		}
		d.Notes = append(d.Notes, Note{Rule: "package-management", Line: e.step.Lines[0],
			Text: fmt.Sprintf("The final image no longer has %s. The health check called it and is changed; nothing else in this repository was seen to call it there, so check scripts that run `docker exec`.", name)})
		return true
	})
	if len(n) > 0 {
		d.Notes = append(d.Notes, Note{Rule: "package-management", Line: e.step.Lines[0],
			Text: fmt.Sprintf("The final image no longer has %s. Nothing in this repository was seen to call it there; check scripts that run `docker exec`.", strings.Join(n, ", "))})
	}
}

// noteStaying names the programs that people could miss in the image that
// ships because the RUN that installs them stays in the build stage.
func (d *decider) noteStaying(steps []*assess.Step, effects effects) {
	for _, st := range steps {
		e, ok := effects.of(st)
		if !ok {
			continue
		}
		missed := effect{step: st, ownZones: e.ownZones, unlinked: e.unlinked}
		for _, n := range e.tools {
			if classify(n) == pkgTool || n == "bash" { // not those of npm, which come along
				missed.tools = append(missed.tools, n)
			}
		}
		for _, n := range e.build {
			switch n {
			case "curl", "wget", "git", "rsync", "unzip", "zip":
				missed.tools = append(missed.tools, n)
			}
		}
		d.noteDropped(missed)
	}
}

// rebase gives the final stage an image of its own instead of the build stage
// that it inherits from.
func (d *decider) rebase(root *Stage, ch *catalog.Choice, pick *catalog.Pick, image string, effects effects, venv venv) bool {
	f := d.Final.Stage
	var steps []*assess.Step
	for _, s := range f.Chain() {
		if s != f {
			steps = append(steps, s.Steps...)
		}
	}
	if f.Base != nil && strings.Contains(f.Base.Word.Text, "$") {
		d.Blocks = append(d.Blocks, Block{Rule: "base-image", Code: "variable-reference", Line: f.From.Lines[0],
			Text: fmt.Sprintf("%s chooses among the stages of the file: with an image of its own the final stage would not listen to the variable any more", f.Base.Word.Text)})
		return false
	}
	if f.Parent.Name == "" || ch.Dev == nil {
		d.Blocks = append(d.Blocks, Block{Rule: "multi-stage", Code: "variant-not-offered", Line: f.From.Lines[0], Text: "the stage that it inherits from cannot become a build stage"})
		return false
	}
	if b := d.treeFits(root, ch, ch.Dev.Def); b != nil {
		root.Left = b
		return true
	}
	c := d.composer(ch, pick, effects, venv)
	c.steps, c.tail, c.source = steps, f.Steps, f.Parent.Name
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
	d.noteStaying(steps, effects)
	for _, st := range f.Steps {
		if e, ok := effects.of(st); ok && e.trivial {
			d.Drops = append(d.Drops, Drop{Step: st, Rule: e.rule, Why: e.why})
			d.noteDropped(e)
		}
	}
	for _, st := range f.ChainSteps() {
		e, _ := effects.of(st)
		d.noteHeaders(e)
	}
	d.venvInserts(venv)
	d.prefixInserts()
	return true
}

// split turns the final stage into a build stage and adds a runtime stage.
func (d *decider) split(root *Stage, ch *catalog.Choice, pick *catalog.Pick, image string, effects effects, rec *recipe, venv venv) bool {
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
	n := &NewStage{Pick: pick, Image: image, Banner: len(d.All) == 1, Compiled: rec != nil}
	source := d.buildAlias(f, n)
	c := d.composer(ch, pick, effects, venv)
	c.steps, c.tail, c.source, c.recipe = steps, tail, source, rec
	c.compose()
	if len(c.blocks) > 0 {
		d.Blocks = append(d.Blocks, c.blocks...)
		return false
	}
	d.Shape = ShapeSplit
	root.Pick = ch.Dev
	root.Why = d.devWhy(root)
	n.Lines, n.BuildEnv = c.lines, c.buildEnv
	d.noteStaying(steps, effects)
	if at > 0 {
		n.At = f.Steps[at-1]
	}
	n.Why = "commands need a shell and packages need a package manager: they stay in the build stage, and only the result goes into the image that ships"
	d.New = n
	d.Drops = append(d.Drops, c.drops...)
	d.dropOwners(f, at, effects, c.homeMaker())
	if rec != nil {
		d.Notes = append(d.Notes, rec.notes...)
	}
	for _, st := range f.ChainSteps() {
		e, _ := effects.of(st)
		d.noteHeaders(e)
	}
	d.venvInserts(venv)
	d.prefixInserts()
	return true
}

// cut is the number of the final stage's own steps that stay in the build
// stage: up to the last RUN, and the copies into a directory that a RUN writes.
func (d *decider) cut(effects effects, rec *recipe) int {
	f := d.Final.Stage
	at := 0
	var dirs []string
	for i, st := range f.Steps {
		if e, ok := effects.of(st); ok {
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
	taken := func(name string) bool {
		return slices.ContainsFunc(d.All, func(s *Stage) bool { return s.Name == name })
	}
	base := "builder"
	if f.Name != "" {
		base = f.Name + "-builder"
		n.Alias = f.Name
	}
	name := base
	for i := 2; taken(name); i++ {
		name = fmt.Sprintf("%s-%d", base, i)
	}
	n.BuildAlias = name
	return name
}
