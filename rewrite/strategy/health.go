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

// health decides what becomes of the health check on a runtime image.
func (t *starter) health() Health {
	end := t.final.End
	if end.Health == nil || end.HealthNone {
		return Health{}
	}
	h := Health{Step: end.Health}
	test := healthTest(end.Health)
	if test == nil {
		return Health{}
	}
	var argv []string
	if test[0] == "CMD" {
		argv = test[1:]
	}
	run := healthRun(end.Health)
	if argv != nil && !shellDashC(argv) && (!fetcher(path.Base(argv[0])) || t.placed(argv[0])) {
		switch fixed, why, b := t.startable(assess.Command{Step: end.Health}, argv); {
		case b != nil || strings.HasPrefix(why, "the old entry point"): // a check does not pass through it
		case why == "":
			return Health{}
		default:
			h.Text, h.Why = "CMD "+jsonArray(fixed), why
			return h
		}
	}
	url, fetch := fetchedURL(run)
	all := t.def.Shell() != "" && run.Script != nil
	if all {
		for _, p := range run.Script.Programs() {
			all = all && t.def.HasProgram(p)
		}
	}
	if all && (argv != nil || t.hasShell("/bin/sh")) {
		return Health{}
	}
	if run.Script != nil {
		if simple, env, ok := run.Script.SimpleCheck(); ok && len(env) == 0 && len(simple) > 0 && !fetcher(path.Base(simple[0])) && argv == nil {
			if fixed, _, b := t.startable(assess.Command{Step: end.Health}, simple); b == nil {
				h.Text = "CMD " + jsonArray(fixed)
				h.Why = "the runtime image has no shell; as a list the same program runs directly"
				if t.def.Shell() != "" {
					h.Why = "the runtime image has no sh; as a list the same program runs directly"
				}
				return h
			}
		}
	}
	if all && t.def.HasProgram("bash") {
		h.Text = "CMD " + jsonArray([]string{"bash", "-c", test[1]})
		h.Why = "the image has bash, but no sh to run the text of the check"
		return h
	}
	if fetch {
		if probe := probe(t.def, url); probe != nil {
			h.Text = "CMD " + jsonArray(probe)
			h.Why = fmt.Sprintf("the runtime image has neither a shell nor curl or wget; %s asks the same address", probe[0])
			return h
		}
	}
	h.Comment = true
	h.Why = "the runtime image has no shell or program to run it; kept as a comment, because a check that cannot run makes every container unhealthy"
	return h
}

// healthTest is the test of a HEALTHCHECK: CMD or CMD-SHELL and what it
// executes; nil when it has none.
func healthTest(h *assess.Step) []string {
	cmd, ok := h.Command.(*instructions.HealthCheckCommand)
	if !ok || cmd.Health == nil || len(cmd.Health.Test) < 2 {
		return nil
	}
	return cmd.Health.Test
}

// healthRun is what a HEALTHCHECK executes, nil when it has no test.
func healthRun(h *assess.Step) *assess.Run {
	test := healthTest(h)
	if test == nil {
		return nil
	}
	return assess.Command{Set: true, Shell: test[0] != "CMD", Argv: test[1:]}.Script()
}

// checkedWith tells whether the health check of the old image called a program
// and is another one now, or none.
func (d *decider) checkedWith(program string) bool {
	if d.Health.Step == nil {
		return false
	}
	run := healthRun(d.Health.Step)
	return run != nil && run.Script != nil && slices.Contains(run.Script.Programs(), program)
}

func fetcher(n string) bool { return n == "curl" || n == "wget" }

// fetchedURL finds the one address that a check asks: `curl -f URL || exit 1`
// and its like.
func fetchedURL(run *assess.Run) (string, bool) {
	if run == nil || run.Script == nil {
		return "", false
	}
	url := ""
	for _, c := range run.Script.Commands {
		switch {
		case fetcher(c.Name):
			for _, a := range c.Args {
				if strings.HasPrefix(a.Text, "http://") || strings.HasPrefix(a.Text, "localhost") || strings.HasPrefix(a.Text, "127.0.0.1") {
					if url != "" || !a.Literal || strings.ContainsAny(a.Text, "'\\ ") {
						return "", false
					}
					url = a.Text
				}
				switch a.Text {
				case "-X", "--request", "-d", "--data", "-H", "--header", "--post-data", "-u", "-k", "--insecure", "--no-check-certificate", "--unix-socket":
					return "", false
				}
			}
		case c.Name == "exit" || c.Name == "true" || c.Name == "false":
		default:
			return "", false
		}
	}
	if url != "" && !strings.HasPrefix(url, "http") {
		url = "http://" + url
	}
	return url, url != ""
}

// probe is an exec-form check by the image's own interpreter.
func probe(def *catalog.Definition, url string) []string {
	switch {
	case def.Image == "node" && def.HasProgram("node"):
		return []string{"node", "-e", fmt.Sprintf("fetch('%s').then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))", url)}
	case def.Image == "php" && def.HasProgram("php"):
		return []string{"php", "-r", fmt.Sprintf("exit(@file_get_contents('%s') === false ? 1 : 0);", url)}
	case def.Image == "ruby":
		return []string{"ruby", "-rnet/http", "-e", fmt.Sprintf("exit(Net::HTTP.get_response(URI('%s')).code.to_i < 400)", url)}
	case def.Image == "python":
		return []string{"python", "-c", fmt.Sprintf("import urllib.request; urllib.request.urlopen('%s', timeout=3)", url)}
	}
	return nil
}
