package strategy

import (
	"fmt"
	"path"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
)

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
