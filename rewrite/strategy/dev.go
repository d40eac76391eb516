package strategy

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
)

// dev gives the final stage a dev image, with the reasons in Blocks.
func (d *decider) dev(root *Stage, ch *catalog.Choice) {
	f := d.Final.Stage
	d.Start, d.Health, d.site, d.anew = Start{}, Health{}, nil, nil
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
		root.Left = d.eitherWay(b)
		return
	}
	d.RunUser = d.runUser(f, ch.Dev.Def, false)
	start, b := d.devStart(f, ch.Dev.Def)
	if b == nil {
		b = d.devStarts(f, ch.Dev.Def, start)
	}
	if b != nil {
		root.Left = d.eitherWay(b)
		return
	}
	d.Start = start
	d.Shape = ShapeDev
	d.notePHP(f, ch.Dev.Def)
	root.Pick = ch.Dev
	root.Why = "the final stage cannot run without what only the dev image has: " + d.Blocks[0].Text
}

// eitherWay words why a final stage can go to no image at all: what speaks
// against the dev image, and what spoke against the runtime image before.
func (d *decider) eitherWay(b *Block) *Block {
	first := d.Blocks[0]
	if first.Code == b.Code {
		return b
	}
	at := ""
	if first.Line != 0 {
		at = fmt.Sprintf(" (line %d)", first.Line)
		if first.Path != "" {
			at = fmt.Sprintf(" (%s:%d)", first.Path, first.Line)
		}
	}
	out := *b
	out.Text += fmt.Sprintf("; that speaks against the dev image, and against the runtime image that %s%s", first.Text, at)
	return &out
}

// devStarts refuses a start program that only the old image can have brought:
// no COPY and no RUN of the file makes it, and the dev image lacks it.
func (d *decider) devStarts(f *assess.Stage, def *catalog.Definition, start Start) *Block {
	e, c := f.End.Entrypoint, f.End.Cmd
	cmd := e
	alone := start.Add == "ENTRYPOINT []" // CMD starts by itself then
	switch {
	case e.Step == nil && (c.Step == nil || !alone && (len(e.Argv) > 0 || len(def.Entrypoint) > 0) || c.Shell):
		return nil
	case e.Step == nil:
		cmd = c
	case e.Shell:
		return nil
	}
	if len(cmd.Argv) == 0 || shellDashC(cmd.Argv) {
		return nil
	}
	prog := cmd.Argv[0]
	t := &starter{in: &d.Input, final: f, def: def}
	elsewhere := path.IsAbs(prog) && ownProgram(def, path.Base(prog)) != "" && ownProgram(def, path.Base(prog)) != prog
	if strings.Contains(prog, "$") || !elsewhere && def.HasProgram(path.Base(prog)) || t.copied(prog) || !path.IsAbs(prog) && strings.Contains(prog, "/") {
		return nil
	}
	if _, ok := t.onPath(prog); ok || shellName(prog) && t.hasShell(prog) {
		return nil
	}
	if _, ok := programPackage(path.Base(prog), def.PackageManager()); ok && !shellName(prog) {
		return nil // it is installed when the old image had it
	}
	if shellName(prog) && !installsPackage(f, path.Base(prog)) {
		return &Block{Rule: "no-shell", Code: "start-program-missing", Line: cmd.Step.Lines[0],
			Text: fmt.Sprintf("the container starts %s, which dhi %s does not have on %s", path.Base(prog), def.Image, def.Distro)}
	}
	for dir := range strings.SplitSeq(f.End.Env["PATH"], ":") {
		if path.IsAbs(dir) && !strings.Contains(prog, "/") && t.copied(path.Join(dir, prog)) {
			return nil
		}
	}
	for _, st := range f.ChainSteps() {
		if st.Copy != nil && !strings.Contains(prog, "/") && strings.HasSuffix(strings.TrimSuffix(st.Copy.Dest, "/"), "bin") {
			return nil
		}
		if st.Run == nil {
			continue
		}
		if st.Run.Script == nil || len(st.Run.Script.Packages()) > 0 || st.Run.Script.Uses(path.Base(prog)) {
			return nil
		}
		if eff := st.Run.Script.Effects(st.Before.WorkDir); len(eff.Unknown) > 0 {
			return nil
		}
	}
	return &Block{Rule: "entry-point", Code: "start-program-missing", Line: cmd.Step.Lines[0],
		Text: fmt.Sprintf("it starts %s, which neither the file makes nor dhi %s has", prog, def.Image)}
}

// shellName tells whether a program is a shell by its name.
func shellName(prog string) bool {
	switch path.Base(prog) {
	case "sh", "bash", "ash", "dash":
		return true
	}
	return false
}

// devStart keeps the start command working on a dev image, which has a shell
// but may have another entry point.
func (d *decider) devStart(f *assess.Stage, def *catalog.Definition) (Start, *Block) {
	if b := losesFPM(f, def); b != nil {
		return Start{}, b
	}
	e, c := f.End.Entrypoint, f.End.Cmd
	if e.Step != nil {
		return d.devEntrypoint(f, def, e)
	}
	t := &starter{in: &d.Input, final: f, def: def, builds: true}
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
		if len(e.Argv) > 0 && len(c.Argv) == 0 {
			return Start{}, &Block{Rule: "entry-point", Code: "no-start-command", Line: c.Step.Lines[0],
				Text: fmt.Sprintf("CMD [] leaves nothing to run but %s of the old image, which dhi %s does not have", e.Argv[0], def.Image)}
		}
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
	if len(e.Argv) > 0 && len(c.Argv) > 0 && len(c.Argv) < len(def.Cmd) && slices.Equal(c.Argv, def.Cmd[:len(c.Argv)]) {
		return Start{Cmd: &Rewrite{Step: c.Step, Rule: "entry-point", Why: fmt.Sprintf("the script of the old image added options to %q; dhi %s adds them itself", strings.Join(c.Argv, " "), def.Image)}}, nil
	}
	if len(c.Argv) > 0 && path.Base(c.Argv[0]) == path.Base(de[len(de)-1]) {
		text := "CMD " + jsonArray(c.Argv[1:])
		if len(c.Argv) == 1 {
			text = ""
		}
		return Start{Cmd: &Rewrite{Step: c.Step, Text: text, Rule: "entry-point",
			Why: fmt.Sprintf("dhi %s has ENTRYPOINT %s; with the word %q here the container would start it twice", def.Image, jsonArray(de), c.Argv[0])}}, nil
	}
	if len(c.Argv) > 0 && (strings.HasPrefix(c.Argv[0], "-") || def.Image == "deno" && denoCommand(c.Argv[0])) {
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

// installsPackage tells whether a RUN of a stage installs a package.
func installsPackage(f *assess.Stage, name string) bool {
	for _, st := range f.ChainSteps() {
		if st.Run == nil || st.Run.Script == nil {
			continue
		}
		for _, p := range st.Run.Script.Packages() {
			if p.System && slices.Contains(p.Packages, name) {
				return true
			}
		}
	}
	return false
}
