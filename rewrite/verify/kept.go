package verify

import (
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
)

// setting is something of the final image's config that the file itself sets.
type setting struct {
	kind, name string
	line       int
}

// settings lists what the stages of the final image set: labels, volumes,
// variables and the stop signal. Ports, users and commands change on purpose
// and have invariants of their own.
func (s *stage) settings() []setting {
	var found []setting
	add := func(kind, name string, line int) { found = append(found, setting{kind, name, line}) }
	for _, st := range s.Chain() {
		for _, ins := range st.Instructions {
			switch cmd := ins.Command.(type) {
			case *instructions.LabelCommand:
				for _, kv := range cmd.Labels {
					add("LABEL", strings.Trim(kv.Key, `"'`), ins.Lines[0])
				}
			case *instructions.VolumeCommand:
				for _, v := range cmd.Volumes {
					add("VOLUME", v, ins.Lines[0])
				}
			case *instructions.EnvCommand:
				for _, kv := range cmd.Env {
					add("ENV", kv.Key, ins.Lines[0])
				}
			case *instructions.StopSignalCommand:
				add("STOPSIGNAL", "", ins.Lines[0])
			}
		}
	}
	return found
}

// keptConfig: what the original sets in its final image, the result sets too. A
// variable that only concerns building may stay behind in a build stage.
func keptConfig(c *check) []Violation {
	now := map[setting]bool{}
	for _, s := range c.after.stages[len(c.after.stages)-1].settings() {
		now[setting{s.kind, s.name, 0}] = true
	}
	var found []Violation
	for _, s := range c.before.stages[len(c.before.stages)-1].settings() {
		if now[setting{s.kind, s.name, 0}] || s.kind == "ENV" && (forBuilding(s.name) || javaOptions(s.name) && now[toolOptions]) {
			continue
		}
		what := strings.TrimSpace(s.kind + " " + s.name)
		found = append(found, fault("multi-stage", 0, "setting", what, "%s of line %d is missing in the final image", what, s.line))
	}
	return slices.CompactFunc(found, func(a, b Violation) bool { return a.key == b.key })
}

// forBuilding tells whether a variable is read by tools that build.
func forBuilding(name string) bool {
	for _, prefix := range []string{"PIP_", "POETRY_", "UV_", "npm_config_", "NPM_CONFIG_", "YARN_", "PNPM_", "CGO_", "GO", "CARGO_", "RUSTUP_", "RUSTFLAGS", "MAVEN_", "GRADLE_", "COMPOSER_", "BUNDLE_", "DEBIAN_", "DEBCONF_", "CFLAGS", "CXXFLAGS", "LDFLAGS"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// toolOptions is the variable that a Java runtime reads by itself.
var toolOptions = setting{kind: "ENV", name: "JAVA_TOOL_OPTIONS"}

// javaOptions tells whether a variable holds options that a shell used to put
// into the start command; without a shell toolOptions takes their place.
func javaOptions(name string) bool {
	return strings.HasPrefix(name, "JAVA_") || strings.HasPrefix(name, "JVM_") || strings.HasSuffix(name, "_OPTS")
}

// workDir is the directory that a stage ends in, "" when it cannot be known.
func (s *stage) workDir() string {
	dir := s.base.config.WorkDir
	for _, st := range s.Chain() {
		for _, ins := range st.Instructions {
			cmd, ok := ins.Command.(*instructions.WorkdirCommand)
			if !ok {
				continue
			}
			text, ok := s.m.stages[st.Index].expand(ins, cmd.Path)
			if !ok {
				return ""
			}
			if path.IsAbs(text) {
				dir = text
			} else {
				dir = path.Join("/", dir, text)
			}
		}
	}
	return path.Join("/", dir)
}

// startsItself tells whether the file says what the stage starts.
func (s *stage) startsItself() bool {
	for _, st := range s.Chain() {
		for _, ins := range st.Instructions {
			if ins.Keyword == "CMD" || ins.Keyword == "ENTRYPOINT" {
				return true
			}
		}
	}
	return false
}

// keptWorkDir: the program starts in the directory it started in before.
func keptWorkDir(c *check) []Violation {
	before, after := c.before.stages[len(c.before.stages)-1], c.after.stages[len(c.after.stages)-1]
	if !before.base.known || !after.base.known || !after.startsItself() {
		return nil // nobody knows what runs there, or where
	}
	was, is := before.workDir(), after.workDir()
	if was == is || was == "" || is == "" {
		return nil
	}
	if root, sure := after.root(after.userAt(nil)); was == "/root" && sure && !root {
		return nil // nobody but root may enter it: the files moved with the program
	}
	return []Violation{fault("multi-stage", 0, "workdir", was, "the final image starts in %s and started in %s", is, was)}
}
