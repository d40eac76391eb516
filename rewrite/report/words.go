package report

import (
	"fmt"
	"strings"

	"dhibot/rewrite"
)

// section is a titled list of explanations.
type section struct {
	title string
	items []item
}

// item is one explanation. Label and text are plain text that may hold hostile
// characters: every format escapes them in its own way.
type item struct {
	where string // lines, or "" for a checklist item
	rule  string
	text  string
	link  string // URL or ""
	todo  bool   // a box to tick
}

// label is the item's place and rule in plain words.
func (it item) label() string { return strings.TrimSpace(it.where + " " + it.rule) }

// changeItem explains a change.
func changeItem(c rewrite.Change) item {
	return item{where: changeLines(c), rule: c.Rule, text: flat(c.Why), link: c.Docs}
}

func changeItems(changes []rewrite.Change) []item {
	var out []item
	for _, c := range changes {
		out = append(out, changeItem(c))
	}
	return out
}

// todoSections are the checklist, split by when its items are due.
func todoSections(r *rewrite.Result) []section {
	due := map[rewrite.When][]item{}
	for _, it := range r.Checklist {
		when := it.When
		if when != rewrite.AfterDeploy {
			when = rewrite.BeforeMerge
		}
		text := flat(it.Text)
		if places := evidence(it.Evidence); places != "" {
			text += " (" + places + ")"
		}
		due[when] = append(due[when], item{rule: it.Rule, text: text, todo: true})
	}
	return []section{
		{"Before merging", due[rewrite.BeforeMerge]},
		{"After deploying", due[rewrite.AfterDeploy]},
	}
}

// leftSection names what was not changed.
func leftSection(r *rewrite.Result) section {
	s := section{title: "Left alone"}
	for _, l := range r.LeftAlone {
		text := flat(l.Why)
		if what := flat(l.What); what != "" {
			text = what + ": " + text
		}
		s.items = append(s.items, item{where: lineRange(l.Lines), rule: l.Rule, text: text})
	}
	return s
}

// stageLines say where each stage went, one line each.
func stageLines(r *rewrite.Result, arrow string) []string {
	var out []string
	for i, s := range r.Stages {
		name := s.Name
		if name == "" {
			name = fmt.Sprintf("stage %d", i)
		}
		from := s.From
		if from == "" {
			from = "(new stage)"
		}
		role := string(s.Role)
		if s.Final {
			role = strings.TrimPrefix(role+", final", ", ")
		}
		line := fmt.Sprintf("%s: %s %s %s", name, from, arrow, s.To)
		if s.From == s.To || s.To == "" {
			line = fmt.Sprintf("%s: %s, as it was", name, from)
		}
		if role != "" {
			line += " (" + role + ")"
		}
		out = append(out, flat(line))
	}
	return out
}

// reason is the sentence about the outcome with its place, "" when there is none.
func reason(r *rewrite.Result) string {
	text := flat(r.Reason)
	if text == "" {
		text = string(r.Code)
	}
	// An error of the parser begins with its place already.
	if place := fmt.Sprintf("line %d: ", r.Line); text != "" && r.Line > 0 && !strings.HasPrefix(text, place) {
		text = place + text
	}
	return text
}

// changeLines says where a change is: in the old file when it replaces or
// removes something, in the new one when it is new.
func changeLines(c rewrite.Change) string {
	if c.Before == "" && c.NewLines[0] > 0 {
		return "new " + lineRange(c.NewLines)
	}
	return lineRange(c.Lines)
}

func lineRange(l [2]int) string {
	switch {
	case l[0] <= 0:
		return "file"
	case l[1] <= l[0]:
		return fmt.Sprintf("line %d", l[0])
	}
	return fmt.Sprintf("lines %d-%d", l[0], l[1])
}

func evidence(list []rewrite.Evidence) string {
	var out []string
	for _, e := range list {
		if e.Line > 0 {
			out = append(out, fmt.Sprintf("%s:%d", e.Path, e.Line))
		} else {
			out = append(out, e.Path)
		}
	}
	return strings.Join(out, ", ")
}

// finalImages are the images of the final stage before and after. When the
// migration split it off, the one before is that of the last stage there was.
func finalImages(r *rewrite.Result) (before, after string) {
	for _, s := range r.Stages {
		if s.From != "" {
			before = s.From
		}
		if s.Final {
			return before, s.To
		}
	}
	return before, ""
}

// count writes a number with its noun.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
