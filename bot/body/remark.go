package body

import (
	"strings"

	"dhibot/rewrite"
)

// remarkChanges bounds the reasons in one remark.
const remarkChanges = 6

// Remark is what stands beside a run of changed lines: the reasons.
func Remark(changes []rewrite.Change) string {
	var b strings.Builder
	list, more := first(changes, remarkChanges)
	for i, c := range list {
		if i > 0 {
			b.WriteString("\n\n")
		}
		b.WriteString(Prose(c.Why, proseLimit) + rule(c.Rule, c.Docs))
	}
	if more > 0 {
		b.WriteString("\n\n… and " + count(more, "more reason"))
	}
	return b.String()
}

// Suggestion is a remark with lines that can be committed from the page in
// place of those it stands at.
func Suggestion(changes []rewrite.Change, lines []string) string {
	text := strings.Join(lines, "\n")
	fence := strings.Repeat("`", max(3, longestRun(text, '`')+1))
	if text != "" {
		text += "\n"
	}
	return Remark(changes) + "\n\n" + fence + "suggestion\n" + text + fence
}
