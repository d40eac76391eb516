package verify

import (
	"errors"
	"strconv"
	"strings"

	"dhibot/rewrite/dockerfile"
)

// listedTags: every tag of a Docker Hardened Image is one that the catalog
// lists.
func listedTags(m *model) []Violation {
	var found []Violation
	for _, r := range m.file.References() {
		if r.Resolved == "" || r.Parent != nil || r.Scratch {
			continue
		}
		if i := m.image(r.Resolved); i.hardened && i.def == nil {
			found = append(found, fault("base-image", m.line(r), "tag", r.Resolved, "the catalog does not list %s", r.Resolved))
		}
	}
	return found
}

func (m *model) line(r *dockerfile.Reference) int { return m.file.Line(r.Word.Span.Start) }

// existingSources: what a COPY --from or a mount names exists, and every FROM
// is one that BuildKit accepts.
func existingSources(m *model) []Violation {
	var found []Violation
	for _, r := range m.file.References() {
		if r.Err == nil {
			continue
		}
		var invalid *dockerfile.InvalidReferenceError
		if errors.As(r.Err, &invalid) {
			found = append(found, fault("multi-stage", m.line(r), "source", r.Word.Text, "BuildKit refuses %v", r.Err))
		}
	}
	return found
}

// knownImages: every image that the result names is a Docker Hardened Image or
// one that the original names. A stage that went away would show here as the
// image of its name.
func knownImages(c *check) []Violation {
	old := map[string]bool{}
	for _, r := range c.before.file.References() {
		if r.Parent == nil {
			old[r.Resolved] = true
			old[r.Word.Text] = true
		}
	}
	var found []Violation
	for _, r := range c.after.file.References() {
		if r.Parent != nil || r.Scratch || r.Err != nil || old[r.Resolved] || old[r.Word.Text] || c.after.image(r.Resolved).hardened {
			continue
		}
		rule, what := "base-image", "an image that the original does not name"
		if r.Kind != dockerfile.RefFrom {
			rule, what = "multi-stage", "neither a stage nor an image of the original"
		}
		found = append(found, fault(rule, c.after.line(r), "image", r.Resolved, "%s is %s", r.Resolved, what))
	}
	return found
}

// keptStages: every stage name stays, because builds name it as their target.
func keptStages(c *check) []Violation {
	var found []Violation
	for _, s := range c.before.stages {
		if s.Name != "" && c.after.file.Stage(s.Name) == nil {
			found = append(found, fault("multi-stage", 0, "stage", s.Name, "the stage %s is gone", s.Name))
		}
	}
	return found
}

// indexedStages: a COPY --from with a number still means the same stage when
// stages were added.
func indexedStages(c *check) []Violation {
	old := map[string]*dockerfile.Stage{}
	for _, r := range c.before.file.References() {
		if r.Parent != nil && number(r.Resolved) {
			old[r.Instruction.Text+"\x00"+r.Resolved] = r.Parent
		}
	}
	var found []Violation
	for _, r := range c.after.file.References() {
		if r.Parent == nil || !number(r.Resolved) {
			continue
		}
		was, ok := old[r.Instruction.Text+"\x00"+r.Resolved]
		if ok && !alike(was, r.Parent) {
			found = append(found, fault("multi-stage", c.after.line(r), "index", r.Instruction.Text,
				"--from=%s meant the stage of line %d of the original and means another one now", r.Resolved, was.From.Lines[0]))
		}
	}
	return found
}

func number(s string) bool {
	_, err := strconv.Atoi(s)
	return err == nil
}

// alike tells whether two stages can be the same one before and after: by name,
// or by an instruction that both have.
func alike(a, b *dockerfile.Stage) bool {
	if a.Name != "" || b.Name != "" {
		return a.Name == b.Name || a.Name == ""
	}
	texts := map[string]bool{}
	for _, ins := range a.Instructions {
		texts[ins.Keyword+" "+ins.Text] = true
	}
	for _, ins := range b.Instructions {
		if texts[ins.Keyword+" "+ins.Text] {
			return true
		}
	}
	return len(a.Instructions) == 0 && len(b.Instructions) == 0
}

// finalClaim: the final stage is on the kind of image that the outcome says.
func finalClaim(c *check) []Violation {
	s := c.after.stages[len(c.after.stages)-1]
	line := s.From.Lines[0]
	switch def := s.base.def; {
	case c.in.Final == AnyFinal:
	case def == nil:
		return []Violation{fault("base-image", line, "final", "", "the final stage is said to be on a Docker Hardened Image and is on %s", s.base.name())}
	case c.in.Final == RuntimeFinal && def.Build():
		return []Violation{fault("base-image", line, "final", "", "the final stage is said to be on a runtime image and is on %s", s.base.name())}
	case c.in.Final == DevFinal && !def.Build():
		return []Violation{fault("base-image", line, "final", "", "the final stage is said to be on a dev image and is on %s", s.base.name())}
	}
	return nil
}

// lostVariables: a variable that only the old image sets, and that the file
// uses outside of RUN, is set by the new image as well.
func lostVariables(c *check) []Violation {
	set := map[string]bool{}
	for _, s := range c.before.stages {
		for name := range s.base.config.Env {
			set[name] = true
		}
	}
	var found []Violation
	if len(set) == 0 {
		return nil
	}
	for _, s := range c.after.stages {
		if s.base.def == nil {
			continue
		}
		for _, ins := range s.Instructions {
			switch ins.Keyword {
			case "COPY", "ADD", "ENV", "EXPOSE", "LABEL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR":
			default:
				continue
			}
			if !strings.Contains(ins.Text, "$") {
				continue
			}
			_, missing, err := c.after.file.Expand(ins.Text, c.after.file.Env(ins, s.base.config.Env))
			if err != nil {
				continue
			}
			for _, name := range missing {
				if set[name] && name != "PATH" && !strings.Contains(ins.Text, "${"+name+":-") {
					found = append(found, fault("base-image", ins.Lines[0], "variable", name,
						"$%s is set by the old image and not by %s", name, s.base.name()))
				}
			}
		}
	}
	return found
}
