package body

import (
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"dhibot/rewrite"
)

// Lengths of single strings, in characters. A row of three of them stays far
// below the limit of the whole.
const (
	pathLimit  = 160
	nameLimit  = 120
	lineLimit  = 120
	proseLimit = 600
)

// task is a checklist item of one or more Dockerfiles.
type task struct {
	item  rewrite.Item
	files []string
}

// tasks collects the items of one moment; the same item of several Dockerfiles
// is one task with all the evidence.
func (w *writer) tasks(when rewrite.When) []*task {
	var list []*task
	seen := map[string]*task{}
	for _, r := range w.changed {
		for _, it := range r.Checklist {
			if it.When != when {
				continue
			}
			key := it.Rule + "\x00" + it.Text
			t := seen[key]
			if t == nil {
				t = &task{item: it}
				t.item.Evidence = slices.Clone(it.Evidence)
				seen[key] = t
				list = append(list, t)
			} else {
				for _, e := range it.Evidence {
					if !slices.Contains(t.item.Evidence, e) {
						t.item.Evidence = append(t.item.Evidence, e)
					}
				}
			}
			if !slices.Contains(t.files, r.Path) {
				t.files = append(t.files, r.Path)
			}
		}
	}
	return list
}

func (w *writer) checklist(title string, when rewrite.When) {
	all := w.tasks(when)
	if len(all) == 0 {
		return
	}
	w.printf("### %s\n", title)
	list, more := first(all, 2*w.rows)
	for _, t := range list {
		w.printf("- [ ] %s", strings.TrimSuffix(Prose(t.item.Text, proseLimit), "."))
		if len(w.changed) > 1 && len(t.files) == 1 {
			w.printf(" (for %s)", Code(t.files[0], pathLimit))
		} else if len(t.files) > 1 {
			w.printf(" (for %s)", count(len(t.files), "Dockerfile"))
		}
		evidence, missing := first(t.item.Evidence, min(w.rows, 12))
		for i, e := range evidence {
			if i == 0 {
				w.printf(" — ") // not a colon: after 1000:1000 it would make an emoji of the number
			} else {
				w.printf(", ")
			}
			w.printf("%s", w.place(e))
		}
		if missing > 0 {
			w.printf(" and %s", count(missing, "more place"))
		}
		w.printf("\n")
	}
	if more > 0 {
		// Not a box: nobody could tick it for things that are not shown.
		w.printf("- … and %d more, for which there was no room here\n", more)
	}
	w.printf("\n")
}

// place renders file:line, linked when the address of the files is known.
func (w *writer) place(e rewrite.Evidence) string {
	text := e.Path
	if e.Line > 0 {
		text = fmt.Sprintf("%s:%d", e.Path, e.Line)
	}
	code := Code(text, pathLimit+10)
	if w.in.Files == "" || e.Path == "" || len(e.Path) > 2*pathLimit {
		return code
	}
	return w.link(e.Path, e.Line, code)
}

func (w *writer) link(file string, line int, text string) string {
	if w.in.Files == "" || len(file) > 2*pathLimit {
		return text
	}
	to := w.in.Files + "/" + escapePath(file)
	if line > 0 {
		to += fmt.Sprintf("#L%d", line)
	}
	return "[" + text + "](" + to + ")"
}

// escapePath leaves nothing in a path that could end a link destination.
func escapePath(p string) string {
	var b strings.Builder
	for i := 0; i < len(p); i++ {
		if c := p[i]; word(c) || c == '/' || c == '.' || c == '-' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func (w *writer) details() {
	list, more := first(w.changed, w.rows)
	for _, r := range list {
		head := count(len(r.Changes), "change")
		if n := len(r.LeftAlone); n > 0 {
			head += fmt.Sprintf(", %d left alone", n)
		}
		w.printf("<details><summary><b>%s</b>: %s</summary>\n\n", HTMLCode(r.Path, pathLimit), head)
		w.changes(r.Changes)
		files, missing := first(r.Files, w.rows)
		for _, f := range files {
			w.printf("Together with it changes %s:\n\n", Code(f.Path, pathLimit))
			w.changes(f.Changes)
		}
		if missing > 0 {
			w.printf("… and %s that change together with it.\n\n", count(missing, "more file"))
		}
		w.leftAlone(r.LeftAlone)
		w.printf("</details>\n\n")
	}
	if more > 0 {
		w.printf("… and %s, explained only by the diff: there was no more room here.\n\n", count(more, "more Dockerfile"))
	}
}

func (w *writer) changes(list []rewrite.Change) {
	if len(list) == 0 {
		return
	}
	w.printf("| Lines | What | Why here |\n|---|---|---|\n")
	list, more := first(list, w.rows)
	for _, c := range list {
		w.printf("| %s | %s | %s%s |\n", lines(c), Cell(what(c)), Cell(Prose(c.Why, proseLimit)), rule(c.Rule, c.Docs))
	}
	if more > 0 {
		w.printf("| | … and %s | |\n", count(more, "more change"))
	}
	w.printf("\n")
}

func (w *writer) leftAlone(list []rewrite.LeftAlone) {
	if len(list) == 0 {
		return
	}
	w.printf("Left alone:\n")
	list, more := first(list, w.rows)
	for _, l := range list {
		w.printf("- ")
		if l.What != "" {
			w.printf("%s", Code(firstLine(l.What), lineLimit))
		} else {
			w.printf("something")
		}
		if l.Lines[0] > 0 {
			w.printf(" (%s)", lineWord(l.Lines))
		}
		w.printf(": %s\n", Prose(l.Why, proseLimit))
	}
	w.more(more)
	w.printf("\n")
}

// unchanged lists what stays as it is. What failed or was skipped is a gap that
// a reader should know of and stays in sight; what is on DHI already is folded.
func (w *writer) unchanged() {
	var gaps, done []*rewrite.Result
	for _, r := range w.in.Results {
		switch {
		case r.Changed():
		case r.Outcome == rewrite.Already:
			done = append(done, r)
		default:
			gaps = append(gaps, r)
		}
	}
	if len(gaps)+len(w.in.Passed) > 0 {
		w.printf("### Not changed\n")
		list, more := first(gaps, w.rows)
		for _, r := range list {
			word := "skipped"
			if r.Outcome == rewrite.Failed {
				word = "failed"
			}
			w.printf("- %s: %s; %s\n", Code(r.Path, pathLimit), word, w.reason(r))
		}
		w.more(more)
		passed, more := first(w.in.Passed, w.rows)
		for _, p := range passed {
			w.printf("- %s: not looked at; %s\n", Code(p.Path, pathLimit), Prose(p.Reason, proseLimit))
		}
		w.more(more)
		w.printf("\n")
	}
	if len(done) > 0 {
		w.printf("<details><summary>%s already on hardened images</summary>\n\n", count(len(done), "Dockerfile"))
		list, more := first(done, w.rows)
		for _, r := range list {
			w.printf("- %s: %s\n", Code(r.Path, pathLimit), w.reason(r))
		}
		w.more(more)
		w.printf("\n</details>\n\n")
	}
}

func (w *writer) more(n int) {
	if n > 0 {
		w.printf("- … and %d more\n", n)
	}
}

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
