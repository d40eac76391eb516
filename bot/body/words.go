package body

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"dhibot/rewrite"
)

// finalImages returns the reference of the final stage before and after, and
// its user afterwards. A final stage that the migration added has no before of
// its own: the last stage that was there is what used to ship.
func finalImages(r *rewrite.Result) (before, after, user string) {
	for _, s := range r.Stages {
		if s.From != "" {
			before = s.From
		}
		if s.Final {
			after, user = s.To, s.User
		}
	}
	return before, after, user
}

func incomplete(results []*rewrite.Result) []*rewrite.Result {
	var out []*rewrite.Result
	for _, r := range results {
		if r.Outcome != rewrite.Hardened {
			out = append(out, r)
		}
	}
	return out
}

func outcome(r *rewrite.Result) string {
	var text string
	switch r.Outcome {
	case rewrite.Hardened:
		text = "hardened"
	case rewrite.Dev:
		text = "on a dev image, not finished"
	case rewrite.Partial:
		text = "partly moved"
	default:
		text = plain(string(r.Outcome), true)
	}
	if n := len(r.Checklist); n > 0 {
		text += ", " + count(n, "thing") + " to check"
	}
	return text
}

func lines(c rewrite.Change) string {
	switch {
	case c.NewLines[0] == 0:
		return lineRange(c.Lines) + " removed"
	case c.Before == "":
		return "new " + lineRange(c.NewLines)
	case c.Lines == c.NewLines:
		return lineRange(c.Lines)
	default:
		return lineRange(c.Lines) + " → " + lineRange(c.NewLines)
	}
}

func lineRange(l [2]int) string {
	if l[1] <= l[0] {
		return fmt.Sprint(l[0])
	}
	return fmt.Sprintf("%d–%d", l[0], l[1])
}

func lineWord(l [2]int) string {
	if l[1] <= l[0] {
		return "line " + lineRange(l)
	}
	return "lines " + lineRange(l)
}

// what shows a change by its first lines; the diff has the rest.
func what(c rewrite.Change) string {
	switch {
	case c.Before == "" && c.After == "":
		return "formatting"
	case c.Before == "":
		return excerpt(c.After)
	case c.After == "":
		return "~~" + excerpt(c.Before) + "~~"
	default:
		return excerpt(c.Before) + " → " + excerpt(c.After)
	}
}

func excerpt(s string) string {
	text := Code(firstLine(s), lineLimit)
	if n := strings.Count(strings.TrimSpace(s), "\n"); n > 0 {
		text += " and " + count(n, "more line")
	}
	return text
}

// firstLine is the first line that says something: not a comment, when there is
// more than comments.
func firstLine(s string) string {
	s = strings.TrimSpace(s)
	for rest := s; rest != ""; {
		var line string
		line, rest, _ = strings.Cut(rest, "\n")
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			return line
		}
	}
	line, _, _ := strings.Cut(s, "\n")
	return strings.TrimSpace(line)
}

// rule names the rule, linked to its page.
func rule(id, docs string) string {
	if id == "" {
		return ""
	}
	text := plain(cut(id, 40), false)
	u, err := url.Parse(docs)
	if err != nil || u.Scheme != "https" || u.Host == "" || len(docs) > 200 || strings.ContainsAny(docs, " ()<>[]|\\\"'`\t\r\n") {
		return " (" + text + ")"
	}
	return " [" + text + "](" + docs + ")"
}

// catalogDay is the newest date of the catalogs used, "" when none is known.
func catalogDay(results []*rewrite.Result) string {
	day := ""
	for _, r := range results {
		if _, err := time.Parse(time.DateOnly, r.Catalog); err == nil {
			day = max(day, r.Catalog)
		}
	}
	return day
}

// count writes a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
