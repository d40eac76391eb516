package strategy

import (
	"fmt"
	"path"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/project"
	"dhibot/rewrite/shell"
)

// newPrefix is where packages go that npm installs globally and that start the
// container: the prefix of the image itself cannot be copied.
const newPrefix = "/opt/npm"

// npmGlobal is a program that npm installs globally and that starts the
// container: serve, http-server.
type npmGlobal struct {
	program string
	first   *assess.Step // the first global installation of the image
	line    int          // where the program comes from
}

// npmGlobals are the programs that RUNs of the final image install globally, by
// name. Only programs that are known to be scripts for Node.js are listed.
func npmGlobals(list []effect) map[string]*npmGlobal {
	out := map[string]*npmGlobal{}
	var first *assess.Step
	for _, e := range list {
		if e.step.Run == nil || e.step.Run.Script == nil {
			continue
		}
		for _, p := range e.step.Run.Script.Packages() {
			if p.Manager != "npm" || !p.Global || p.Verb != shell.Install {
				continue
			}
			if first == nil {
				first = e.step
			}
			env := e.step.Before.Env
			if !e.step.Before.Root() || env["NPM_CONFIG_PREFIX"] != "" || env["npm_config_prefix"] != "" || p.Cmd != nil && hasPrefixOption(p.Cmd) {
				return nil
			}
			for _, n := range p.Packages {
				for _, bin := range project.NodeBinsOf(n) {
					out[bin] = &npmGlobal{program: bin, first: first, line: e.step.Lines[0]}
				}
			}
		}
	}
	return out
}

func hasPrefixOption(c *shell.Command) bool {
	if _, ok := c.Env["NPM_CONFIG_PREFIX"]; ok {
		return true
	}
	for _, a := range c.Args {
		if a.Text == "--prefix" || len(a.Text) > 9 && a.Text[:9] == "--prefix=" {
			return true
		}
	}
	return false
}

// globalStart starts a globally installed program by the interpreter: its link
// in the bin directory leads to the script.
func (t *starter) globalStart(name string, args []string) ([]string, string, bool) {
	g := t.globals[name]
	if g == nil {
		return nil, "", false
	}
	t.global = g
	return append([]string{"node", path.Join(newPrefix, "bin", name)}, args...),
		fmt.Sprintf("line %d installs %s globally, which goes to %s now; naming the interpreter needs no env in the image", g.line, name, newPrefix), true
}

// prefixInserts lets npm install globally where it can be copied from.
func (d *decider) prefixInserts() {
	if d.npm == nil {
		return
	}
	d.Inserts = append(d.Inserts, Insert{Stage: d.npm.first.Stage, Before: d.npm.first, Line: Line{Rule: "multi-stage",
		Text: fmt.Sprintf("ENV NPM_CONFIG_PREFIX=%s PATH=%q", newPrefix, newPrefix+"/bin:$PATH"),
		Why:  fmt.Sprintf("%s starts the container: from a directory of its own it can be copied, from that of the image's own npm it cannot", d.npm.program)}})
}
