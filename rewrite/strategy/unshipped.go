package strategy

import (
	"slices"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
	"dhibot/rewrite/shell"
)

// unshipped tells whether a path belongs to a program that the official image
// has and the runtime image does not: nobody has to remove it there. Source:
// B.12 of the domain notes; the official Dockerfiles of Node.
func unshipped(def *catalog.Definition, p string) bool {
	if def == nil || def.Image != "node" || def.Build() {
		return false
	}
	p = strings.TrimSuffix(strings.TrimSuffix(p, "*"), "/")
	for _, dir := range []string{"/usr/local/lib/node_modules/npm", "/usr/local/lib/node_modules/corepack", "/opt/yarn"} {
		if p == dir || under(p, dir) || dir == "/opt/yarn" && strings.HasPrefix(p, "/opt/yarn-") {
			return true
		}
	}
	switch p {
	case "/usr/local/lib/node_modules", "/usr/local/bin/npm", "/usr/local/bin/npx", "/usr/local/bin/yarn", "/usr/local/bin/yarnpkg", "/usr/local/bin/corepack":
		return true
	}
	return false
}

// isForce tells whether an argument of rm has the option -f.
func isForce(a shell.Arg) bool {
	return a.Text == "--force" || len(a.Text) > 1 && a.Text[0] == '-' && a.Text[1] != '-' && strings.Contains(a.Text, "f")
}

// onlyForced tells whether a RUN names a path in nothing but rm -f, which does
// not mind when it is missing.
func onlyForced(st *assess.Step, p string) bool {
	if st.Run == nil || st.Run.Script == nil {
		return false
	}
	found := false
	for _, c := range st.Run.Script.Commands {
		forced := c.Name == "rm" && slices.ContainsFunc(c.Args, isForce)
		for _, a := range c.Args {
			if !mentions(a.Text, p) {
				continue
			}
			if !forced {
				return false
			}
			found = true
		}
		for _, r := range c.Redirects {
			if mentions(r.Path, p) {
				return false
			}
		}
	}
	return found
}
