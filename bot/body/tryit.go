package body

import (
	"fmt"
	"path"
	"strings"

	"dhibot/rewrite"
)

// buildLine is how the first Dockerfile is usually built. The context is a
// guess that the text calls an example; a path that a shell would not take as
// one plain word gives none.
func buildLine(changed []*rewrite.Result) (string, bool) {
	if len(changed) == 0 {
		return "", false
	}
	args, ok := buildArgs(changed[0].Path)
	return "docker build " + args, ok
}

// runLines build and start the first Dockerfiles in one command each, with the
// ports that they answer on.
func runLines(changed []*rewrite.Result) []string {
	const most = 2
	var list []string
	for _, r := range changed {
		args, ok := buildArgs(r.Path)
		if !ok || r.Outcome == rewrite.Partial {
			continue
		}
		if len(list) == most {
			break
		}
		ports := ""
		for _, p := range r.Ports[:min(len(r.Ports), 5)] {
			ports += fmt.Sprintf("-p %d:%d ", p, p)
		}
		list = append(list, Command("docker run --rm "+ports+"$(docker build -q "+args+")"))
	}
	return list
}

// buildArgs are the arguments of docker build for a path.
func buildArgs(p string) (string, bool) {
	if len(p) > pathLimit {
		return "", false
	}
	for i := 0; i < len(p); i++ {
		if c := p[i]; !word(c) && c != '/' && c != '.' && c != '-' {
			return "", false
		}
	}
	if strings.HasPrefix(p, "-") {
		return "", false
	}
	return fmt.Sprintf("-f %s %s", p, path.Dir(p)), true
}
