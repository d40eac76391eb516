package body

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"dhibot/rewrite"
)

// Limit is how many bytes a body has at most. GitHub refuses more than 65,536
// characters; counting bytes stays below whatever it counts as a character.
const Limit = 65_000

// Title returns the title of the pull request. It holds no foreign text: a
// title is shown in mails, lists and commit messages that escape differently.
func Title(results []*rewrite.Result) string {
	n := len(Changed(results))
	return fmt.Sprintf("Move %s to Docker Hardened Images", count(n, "Dockerfile"))
}

// PlainPath tells whether a path may stand in a title as it is: words that no
// reader of titles takes for a mention, a reference, a commit or an address.
func PlainPath(p string) bool {
	return len(p) <= 80 && plainPath.MatchString(p) && !commitLike.MatchString(p)
}

var (
	// No digit follows a dash: GH-1 would be a reference.
	plainPath  = regexp.MustCompile(`^[A-Za-z0-9]+([/_][A-Za-z0-9]+|-[A-Za-z][A-Za-z0-9]*)*$`)
	commitLike = regexp.MustCompile(`(^|/|_|-)[0-9a-fA-F]{7,}($|/|_|-)`)
)

// Render returns the text of the pull request without a marker. Long lists are
// cut by rows, with the number of rows that are missing; what a reader needs to
// act (checks, commands, boxes) always stays. The result has at most
// Limit - 2*len(marker) bytes, so that Sign can add the marker.
func Render(in Input) string {
	return fit(in, func(w *writer) {
		w.notes()
		w.summary()
		w.checked()
		w.checklist("Before merging", rewrite.BeforeMerge)
		w.checklist("After deploying", rewrite.AfterDeploy)
		if in.Brief {
			w.printf("The reason of every change stands beside its lines.\n\n")
		} else {
			w.details()
		}
		w.unchanged()
		w.controls()
	})
}

// Sign appends the marker as the last line.
func (k Keys) Sign(text string, m Marker) (string, error) {
	return k.append(ofPull, text, m)
}

func (k Keys) append(what kind, text string, m any) (string, error) {
	line, err := k.write(what, m)
	if err != nil {
		return "", err
	}
	return strings.TrimRight(text, "\n") + "\n\n" + line + "\n", nil
}

// newWriter writes lists of at most rows rows; the summary and the checklists,
// which a reader needs most, may be longer.
func newWriter(in Input, rows int) *writer {
	w := &writer{in: in, rows: rows, changed: Changed(in.Results)}
	slices.SortStableFunc(w.changed, func(a, b *rewrite.Result) int { return strings.Compare(a.Path, b.Path) })
	return w
}

type writer struct {
	b       strings.Builder
	in      Input
	rows    int
	changed []*rewrite.Result
}

func (w *writer) printf(format string, args ...any) { fmt.Fprintf(&w.b, format, args...) }

// first returns the first rows of a list and how many are missing.
func first[T any](list []T, rows int) ([]T, int) {
	if len(list) <= rows {
		return list, 0
	}
	return list[:rows], len(list) - rows
}

func (w *writer) notes() {
	notes, more := first(w.in.Notes, w.rows)
	for _, n := range notes {
		w.printf("> %s\n\n", Prose(n, proseLimit))
	}
	if more > 0 {
		w.printf("> … and %s\n\n", count(more, "further remark"))
	}
}

func (w *writer) summary() {
	w.printf("| Dockerfile | Final image before | after | Result |\n|---|---|---|---|\n")
	list, more := first(w.changed, 4*w.rows)
	for _, r := range list {
		before, after, user := finalImages(r)
		to := Code(after, nameLimit)
		if user != "" {
			to += " as " + Code(user, 60)
		}
		w.printf("| %s | %s | %s | %s |\n", Cell(Code(r.Path, pathLimit)), Cell(Code(before, nameLimit)), Cell(to), outcome(r))
	}
	if more > 0 {
		w.printf("| … and %s | | | |\n", count(more, "more Dockerfile"))
	}
	w.printf("\n")
	list, more = first(incomplete(w.changed), w.rows)
	for _, r := range list {
		w.printf("- %s is not finished: %s\n", Code(r.Path, pathLimit), w.reason(r))
	}
	if more > 0 {
		w.printf("- … and %d more that are not finished\n", more)
	}
	if len(list) > 0 {
		w.printf("\n")
	}
}

func (w *writer) reason(r *rewrite.Result) string {
	text := Prose(r.Reason, proseLimit)
	if text == "" {
		text = "no reason was given"
	}
	if r.Line > 0 && !strings.Contains(r.Reason, fmt.Sprintf("line %d", r.Line)) {
		text += " (line " + w.link(r.Path, r.Line, fmt.Sprint(r.Line)) + ")"
	}
	return text
}

func (w *writer) checked() {
	if len(w.in.Checked) > 0 {
		w.printf("Checked: %s. ", strings.Join(w.in.Checked, "; "))
	}
	w.printf("Not checked: no image was built and no container was started")
	unchecked, more := first(w.in.Unchecked, w.rows)
	for _, what := range unchecked {
		w.printf("; %s", Prose(what, proseLimit))
	}
	if more > 0 {
		w.printf("; … and %s", count(more, "more thing"))
	}
	w.printf(".\n\n")
}

func (w *writer) controls() {
	if w.in.Registry != "" && len(w.changed) > 0 {
		w.printf("**Try it:** on this branch, `docker login %s`, then build as you always do", w.in.Registry)
	} else {
		w.printf("**Try it:** build this branch as you always do")
	}
	if list := runLines(w.changed); len(list) > 0 {
		w.printf(", and start it as a smoke test, for example %s", strings.Join(list, " or "))
	} else if line, ok := buildLine(w.changed); ok {
		w.printf(", for example %s", Command(line))
	}
	w.printf(" · **Undo:** revert the merge; only the files listed here change.\n\n")
	if len(w.in.Commands) > 0 {
		var parts []string
		for _, c := range w.in.Commands {
			parts = append(parts, Command(c))
		}
		w.printf("Commands, as a comment here: %s", strings.Join(parts, " · "))
		if w.in.Closing != "" {
			w.printf(" — %s", w.in.Closing)
		}
		w.printf("\n\n")
	}
	for _, box := range w.in.Boxes {
		w.printf("- [ ] %s%s -->%s\n", boxOpen, box.ID, box.Text)
	}
	if len(w.in.Boxes) > 0 {
		w.printf("\n")
	}
	if day := catalogDay(w.in.Results); day != "" {
		w.printf("Catalog of %s.\n", day)
	}
}

// boxOpen starts the hidden name of a box.
const boxOpen = "<!-- dhibot-box:"

// Ticked returns the ids of the boxes that are ticked in a body, in order.
func Ticked(text string) []string {
	var ids []string
	for _, line := range strings.Split(text, "\n") {
		rest, ok := strings.CutPrefix(line, "- [x] "+boxOpen)
		if !ok {
			rest, ok = strings.CutPrefix(line, "- [X] "+boxOpen)
		}
		if id, _, found := strings.Cut(rest, " -->"); ok && found {
			ids = append(ids, id)
		}
	}
	return ids
}
