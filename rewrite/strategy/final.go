package strategy

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
)

// runtime tries to give the final stage a runtime image; false leaves the
// reasons in Blocks.
func (d *decider) runtime(root *Stage, ch *catalog.Choice) bool {
	f := d.Final.Stage
	var rec *recipe
	if ch.Dev != nil {
		if rec = d.compiled(f, ch); rec != nil && d.leavesNothing(f) {
			rec = nil
		}
	}
	if rec != nil && len(rec.blocks) > 0 {
		d.Blocks = append(d.Blocks, rec.blocks...)
		return false
	}
	pick, image, b := d.runtimePick(root, ch, rec)
	if pick == nil {
		d.Blocks = append(d.Blocks, b)
		return false
	}
	list, trivial := d.effects(f, pick.Def)
	ownTrivial := true
	for _, e := range list {
		if e.step.Stage == f && !e.trivial {
			ownTrivial = false
		}
	}
	d.Blocks = append(d.Blocks, d.imageBlocks(root, pick, image, list)...)
	d.RunUser = d.runUser(f, pick.Def, true)
	if !trivial && rec == nil && d.owns(f, list, pick.Def) {
		trivial, ownTrivial = true, true
		for i, e := range list {
			if e.owned != nil {
				list[i].trivial, list[i].rule = true, "nonroot-user"
				list[i].why = "the image brings its own unprivileged user, and COPY gives the files to it; neither accounts nor owners can be changed without a shell"
			}
		}
	}
	t := d.starter(f, pick.Def, list, rec)
	siblings := d.siblingsRun(f)
	if image == "python" && trivial && !siblings && rec == nil {
		d.site = d.sitePackagesOf(f)
	}
	venv, vb := d.virtualEnv(f, list, image)
	if d.site != nil && venv.dir == "" {
		venv.dir = newVenv
	}
	if vb != nil {
		d.Blocks = append(d.Blocks, *vb)
	}
	if venv.dir != "" {
		t.venv = path.Join(venv.dir, "bin")
	}
	if rec == nil {
		t.globals = npmGlobals(list)
	}
	d.RunUser.Given = d.given(f, pick.Def, venv.dir)
	d.RunUser.Fetched, d.RunUser.Private = d.fetchedByRoot(f), d.private(f)
	start, blocks := t.start()
	d.Start, d.npm = start, t.global
	d.Blocks = append(d.Blocks, blocks...)
	if b := t.logFile(start.Argv); b != nil && len(d.Blocks) == 0 {
		d.Blocks = append(d.Blocks, *b)
	}
	d.Health = t.health()
	d.anew = d.writtenAnew()
	if len(d.Blocks) > 0 {
		return false
	}
	blocks = d.layoutOfFinal(root, image)
	if !d.RunUser.Root {
		blocks = rootHome(f, blocks)
	}
	if onlyRootHome(blocks) && trivial && !siblings && rec == nil {
		if m := d.moveHome(f); m != nil {
			d.moved(m)
			blocks = nil
		}
	}
	d.Blocks = append(d.Blocks, blocks...)
	if len(d.Blocks) > 0 {
		return false
	}
	d.openFetched(f)
	d.noteScripts(f, pick.Def)
	d.noteService(f, pick.Def)
	d.notePHP(f, pick.Def)
	switch {
	case trivial && !siblings && rec == nil:
		d.inPlace(root, pick, list)
		d.makeMounted(pick.Def)
		d.makeVolumes(pick.Def)
		d.makeWorkDir(pick.Def)
		d.keepHome()
		d.keepOwnHost(f, image)
		return true
	case slices.ContainsFunc(list, func(e effect) bool { return e.instead != nil }):
		d.Blocks = append(d.Blocks, Block{Rule: "multi-stage", Code: "removes-files", Line: root.From.Lines[0], Text: fmt.Sprintf("it removes %s, which the runtime image has as well", defaultHost)})
		return false
	case f.Parent != nil && ownTrivial:
		ok := d.rebase(root, ch, pick, image, list, venv)
		if ok && d.New != nil {
			d.makeVolumes(pick.Def)
			d.makeWorkDir(pick.Def)
		}
		if ok {
			d.keepHome()
		}
		return ok
	}
	if ch.Dev == nil {
		d.Blocks = append(d.Blocks, Block{Rule: "multi-stage", Code: "variant-not-offered", Line: root.From.Lines[0], Text: fmt.Sprintf("dhi %s has no dev variant to build in", ch.Image)})
		return false
	}
	ok := d.split(root, ch, pick, image, list, rec, venv)
	if ok && d.New != nil {
		d.makeVolumes(pick.Def)
		d.makeWorkDir(pick.Def)
	}
	return ok
}

// imageBlocks are the reasons that lie in the image, in packages and in what
// the stage is for; how it starts is looked at on its own.
func (d *decider) imageBlocks(root *Stage, pick *catalog.Pick, image string, list effects) []Block {
	f := d.Final.Stage
	var out []Block
	if b := d.fitsPlatform(root.Stage, &catalog.Choice{Image: image}, pick.Def); b != nil {
		out = append(out, *b)
	}
	for _, s := range f.Chain() {
		if b := d.fitsFiles(s, &catalog.Choice{Image: image}, pick.Def); b != nil {
			out = append(out, *b)
		}
	}
	out = append(out, d.packageBlocks(list, pick.Def)...)
	out = append(out, overlays(f)...)
	out = append(out, d.linked(f, pick.Def)...)
	switch image {
	case "python":
		out = append(out, d.pythonLibraries(f)...)
	case "node":
		out = append(out, d.nodeLibraries(f)...)
	case "ruby":
		out = append(out, d.rubyLibraries(f, pick.Def, d.zonesFrom(root.Choice) != nil)...)
	case "php":
		out = append(out, d.phpLinks(f, pick.Def)...)
		out = append(out, d.phpPools(f, pick.Def)...)
		out = append(out, d.phpTool(f)...)
	}
	if b := developmentStage(f, d.Path); b != nil {
		out = append(out, *b)
	}
	for _, st := range f.End.OnBuild {
		out = append(out, Block{Rule: "no-shell", Code: "onbuild", Line: st.Lines[0], Text: "it has ONBUILD triggers: images built on it run commands and install packages"})
	}
	return out
}

// starter knows the files that RUNs of the final image make and that come
// along.
func (d *decider) starter(f *assess.Stage, def *catalog.Definition, list effects, rec *recipe) *starter {
	t := &starter{in: &d.Input, final: f, def: def, builds: rec != nil, unprivileged: !d.RunUser.Root}
	for _, e := range list {
		for _, c := range e.carried {
			mark(&t.carried, c)
		}
		if e.install || rec != nil || e.unknown == "" {
			for _, p := range e.paths {
				mark(&t.made, p)
			}
		}
		if e.cwd {
			t.builds = true
		}
	}
	if rec != nil {
		for _, a := range rec.artifacts {
			mark(&t.made, a.path)
		}
	}
	return t
}

// mark adds to a set. Most sets stay empty, and are not made.
func mark(set *map[string]bool, s string) {
	if *set == nil {
		*set = map[string]bool{}
	}
	(*set)[s] = true
}

// effects reads every RUN of the final image; trivial tells that none leaves
// anything behind.
func (d *decider) effects(f *assess.Stage, def *catalog.Definition) (list effects, trivial bool) {
	runs := 0
	for _, st := range f.ChainSteps() {
		if st.Run != nil {
			runs++
		}
	}
	if list, trivial = make(effects, 0, runs), true; runs == 0 {
		return nil, true
	}
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

// leavesNothing tells whether no RUN of the final image leaves anything behind,
// on whatever image.
func (d *decider) leavesNothing(f *assess.Stage) bool {
	for _, st := range f.ChainSteps() {
		if st.Run != nil && !d.effect(f, st, nil).trivial {
			return false
		}
	}
	return true
}

// siblingsRun tells whether another stage of the tree runs commands, so that
// the shared image must be a dev image.
func (d *decider) siblingsRun(f *assess.Stage) bool {
	for _, s := range d.Stages.Tree(f) {
		if s == f {
			continue
		}
		inherited := slices.Contains(f.Chain(), s)
		for _, st := range s.Steps {
			if st.Run != nil || !inherited && namesAccount(st) {
				return true
			}
		}
		if len(s.End.OnBuild) > 0 {
			return true
		}
		if len(s.Children) == 0 && (s.End.Cmd.Step != nil || s.End.Entrypoint.Step != nil) && (s.End.Cmd.Step != f.End.Cmd.Step || s.End.Entrypoint.Step != f.End.Entrypoint.Step) {
			return true // a target of its own: for development or tests
		}
	}
	return false
}

// namesAccount tells whether an instruction names an account, which the new
// image may not have.
func namesAccount(st *assess.Step) bool {
	who := ""
	switch {
	case st.Keyword == "USER":
		who = userOf(st)
	case st.Copy != nil:
		who = st.Copy.Chown
	}
	for part := range strings.SplitSeq(who, ":") {
		if part != "" && part != "root" && !numeric(part) {
			return true
		}
	}
	return false
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
		case "dev", "devel", "develop", "development", "debug", "test", "tests", "testing", "unittest", "unittests", "lint", "devcontainer":
			return part
		}
	}
	return ""
}
