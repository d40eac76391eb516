package strategy

import (
	"fmt"
	"path"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
)

// fpm tells whether a definition is the variant of PHP that starts php-fpm.
func fpm(def *catalog.Definition) bool { return def.Image == "php" && def.Flavor == "fpm" }

// phpPick exchanges the fpm variant for the one with the command line when the
// container starts php: on Debian fpm is built without it (--disable-cli in the
// catalog's definition of image/php).
func (d *decider) phpPick(ch *catalog.Choice) *catalog.Pick {
	if ch.Runtime == nil || !fpm(ch.Runtime.Def) || ch.Runtime.Def.HasProgram("php") {
		return nil
	}
	words := startWords(d.Final.Stage)
	if len(words) == 0 || words[0] != "php" {
		return nil
	}
	return d.other("php", ch.Runtime.Version, "", ch)
}

// losesFPM refuses a dev image for a stage that starts php-fpm: none has it
// (only the fpm flavor is configured with --enable-fpm on Debian, and only that
// has the package on Alpine). Where a script or a supervisor starts, php-fpm is
// what it is there for.
func losesFPM(s *assess.Stage, def *catalog.Definition) *Block {
	o := s.Root().Origin
	if o == nil || def.Image != "php" || !def.Build() || !strings.Contains(o.Flavor, "fpm") || def.HasProgram("php-fpm") || !startsFPM(s) {
		return nil
	}
	line := s.From.Lines[0]
	for _, c := range []assess.Command{s.End.Entrypoint, s.End.Cmd} {
		if c.Step != nil {
			line = c.Step.Lines[0]
		}
	}
	return &Block{Rule: "entry-point", Code: "start-program-missing", Line: line,
		Text: fmt.Sprintf("the container starts php-fpm, which only the fpm variant of dhi php has; its dev variant on %s has the command line alone", def.Distro)}
}

// startsFPM tells whether a stage on an fpm image starts php-fpm, as far as the
// file shows it.
func startsFPM(s *assess.Stage) bool {
	e, c := s.End.Entrypoint, s.End.Cmd
	if e.Step == nil && c.Step == nil {
		return true
	}
	var words []string
	for _, c := range []assess.Command{e, c} {
		if c.Step == nil {
			continue
		}
		words = append(words, c.Argv...)
		if run := c.Script(); run != nil && run.Script != nil {
			words = append(words, run.Script.Programs()...)
		}
	}
	if len(words) == 0 {
		return true
	}
	for _, w := range words {
		if strings.Contains(path.Base(w), "php-fpm") {
			return true
		}
	}
	switch name := path.Base(strings.Fields(words[0] + " ")[0]); name {
	case "php", "composer", "node", "npm", "yarn", "cron", "crond", "phpunit":
		return false
	case "sh", "bash", "ash", "dash":
		return !shellDashC(words)
	}
	return !strings.HasSuffix(words[0], ".php") && path.Base(words[0]) != "artisan"
}

// fpmTargets refuses to build in a tree of stages whose other ends start
// php-fpm: people build them too, and the dev image has none.
func (in *Input) fpmTargets(root *assess.Stage, def *catalog.Definition) *Block {
	for _, s := range in.Stages.Tree(root) {
		if s == in.Stages.Final || len(s.Children) > 0 || s.Name == "" || in.copiedFrom(s) {
			continue
		}
		if b := losesFPM(s, def); b != nil {
			b.Text = fmt.Sprintf("the stage %s is a target of its own: %s", s.Name, b.Text)
			return b
		}
	}
	return nil
}

// copiedFrom tells whether another stage takes files out of a stage.
func (in *Input) copiedFrom(s *assess.Stage) bool {
	for _, t := range in.Stages.All {
		for _, st := range t.Steps {
			if st.Copy != nil && st.Copy.FromStage == s {
				return true
			}
		}
	}
	return false
}
