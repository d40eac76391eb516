package strategy

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
)

// compilesAtStart words why a start command needs what only the dev image has:
// it compiles, tests or watches sources. "" when it does none of that.
func compilesAtStart(argv []string) string {
	name := path.Base(argv[0])
	switch name {
	case "air", "reflex", "CompileDaemon", "fresh", "realize", "modd", "wgo", "gow", "gin-dev", "cargo-watch", "watchexec", "bacon", "entr", "dlv", "skaffold", "tilt":
		return fmt.Sprintf("it starts %s, which builds or debugs the program from its sources", name)
	}
	if len(argv) < 2 {
		return ""
	}
	verb := argv[1]
	switch name {
	case "go":
		switch verb {
		case "run", "test", "build", "install", "generate", "vet":
			return fmt.Sprintf("it starts through go %s, which compiles when the container starts", verb)
		}
	case "cargo":
		return fmt.Sprintf("it starts through cargo %s, which compiles when the container starts", verb)
	case "dotnet":
		switch verb {
		case "run", "watch", "test", "build":
			return fmt.Sprintf("it starts through dotnet %s, which compiles when the container starts", verb)
		}
	}
	return ""
}

// noteScripts names shell scripts that come into an image without a shell and
// that nothing in the file starts.
func (d *decider) noteScripts(f *assess.Stage, def *catalog.Definition) {
	if def.Shell() != "" {
		return
	}
	for _, st := range f.ChainSteps() {
		if st.Copy == nil {
			continue
		}
		for _, src := range st.Copy.Sources {
			if !strings.HasSuffix(src, ".sh") && !strings.HasSuffix(src, ".bash") || strings.ContainsAny(src, "*?[$") {
				continue
			}
			d.Notes = append(d.Notes, Note{Rule: "no-shell", Line: st.Lines[0],
				Text: fmt.Sprintf("%s is a shell script, and the final image has no shell. Nothing in the Dockerfile starts it; see whether something else does (a compose command, a hook, the program).", path.Base(src))})
		}
	}
}

// noteService tells what the official image of a service sees to and the DHI
// image may not.
func (d *decider) noteService(f *assess.Stage, def *catalog.Definition) {
	switch def.Image {
	case "eclipse-temurin", "amazoncorretto":
		if !hasTmp(def) && !slices.Contains(f.End.Volumes, "/tmp") {
			d.Notes = append(d.Notes, Note{Rule: "nonroot-user", Line: f.From.Lines[0],
				Text: fmt.Sprintf("The catalog declares no /tmp for dhi %s on Alpine. See that a program with temporary files starts (Spring Boot's Tomcat has some); if it does not, mount a tmpfs there.", def.Image)})
		}
	case "redis", "valkey":
		for _, w := range append(slices.Clone(d.Start.Argv), f.End.Cmd.Argv...) {
			if strings.Contains(w, "protected-mode") || strings.Contains(w, "requirepass") || strings.HasSuffix(w, ".conf") && w != "/etc/redis/redis.conf" {
				return
			}
		}
		d.Notes = append(d.Notes, Note{Rule: "entry-point", Line: f.From.Lines[0],
			Text: "The official image is built with protected mode off. Test that other containers can connect; if they cannot, set a password or protected-mode no in the configuration."})
	}
}
