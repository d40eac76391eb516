package body

import (
	"regexp"
	"strings"

	"dhibot/rewrite"
)

// Preview is what a pull request would say about the Dockerfiles, without what
// is only for its reader: boxes to tick, commands, a way back.
func Preview(in Input) string {
	return fit(in, func(w *writer) {
		w.notes()
		if len(w.changed) > 0 {
			w.summary()
		}
		w.details()
		w.unchanged()
	})
}

// Explain says what would change in one Dockerfile and why. With a line, before
// or after the change, it says only what concerns that line; found tells whether
// anything does.
func Explain(in Input, r *rewrite.Result, line int) (text string, found bool) {
	one := *r
	if line > 0 {
		one.Changes, one.LeftAlone, one.Files = nil, nil, nil
		for _, c := range r.Changes {
			if within(c.NewLines, line) || within(c.Lines, line) && (c.Before != "" || c.NewLines[0] == 0) {
				one.Changes = append(one.Changes, c)
			}
		}
		for _, l := range r.LeftAlone {
			if within(l.Lines, line) {
				one.LeftAlone = append(one.LeftAlone, l)
			}
		}
	}
	in.Results = []*rewrite.Result{&one}
	text = fit(in, func(w *writer) {
		w.changes(one.Changes)
		for _, f := range one.Files {
			w.printf("Together with it changes %s:\n\n", Code(f.Path, pathLimit))
			w.changes(f.Changes)
		}
		w.leftAlone(one.LeftAlone)
		if line == 0 && r.Outcome != rewrite.Hardened {
			w.printf("%s: %s\n", outcomeWord(r.Outcome), w.reason(r))
		}
	})
	return text, line == 0 || len(one.Changes)+len(one.LeftAlone) > 0
}

func within(lines [2]int, line int) bool { return lines[0] > 0 && lines[0] <= line && line <= lines[1] }

func outcomeWord(o rewrite.Outcome) string {
	switch o {
	case rewrite.Dev:
		return "It stays on a dev image and is not finished"
	case rewrite.Partial:
		return "It is moved in part"
	case rewrite.Already:
		return "It is on hardened images already"
	case rewrite.Failed:
		return "It failed"
	default:
		return "It is left alone"
	}
}

// destination is where a link leads: it names a commit, which changes with every
// update, while the item is the same.
var destination = regexp.MustCompile(`\]\([^()]*\)`)

// same is what two items have in common that ask for the same: not where their
// links lead, and not for which Dockerfile, which is only said when there are
// several.
func same(item string) string {
	return forOne.ReplaceAllString(destination.ReplaceAllString(item, "]"), "$1")
}

var forOne = regexp.MustCompile(" \\(for `[^`]+`\\)( — |$)")

// KeepTicks carries over what people have ticked: an item of the new text that
// stands in the old one word by word and is ticked there is ticked. The boxes
// that are tasks for the App are not: those were done or refused.
func KeepTicks(old, text string) string {
	ticked := map[string]bool{}
	for _, line := range strings.Split(strings.ReplaceAll(old, "\r\n", "\n"), "\n") {
		for _, mark := range []string{"- [x] ", "- [X] "} {
			if item, ok := strings.CutPrefix(line, mark); ok && !strings.HasPrefix(item, boxOpen) {
				ticked[same(item)] = true
			}
		}
	}
	if len(ticked) == 0 {
		return text
	}
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	for i, line := range lines {
		if item, ok := strings.CutPrefix(line, "- [ ] "); ok && ticked[same(item)] {
			lines[i] = "- [x] " + item
		}
	}
	return strings.Join(lines, "\n")
}

// Untick takes the ticks from the boxes that are tasks for the App.
func Untick(text string) string {
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	for i, line := range lines {
		for _, mark := range []string{"- [x] ", "- [X] "} {
			if item, ok := strings.CutPrefix(line, mark); ok && strings.HasPrefix(item, boxOpen) {
				lines[i] = "- [ ] " + item
			}
		}
	}
	return strings.Join(lines, "\n")
}

// fit renders with lists as long as the limit allows. One row of each list
// always fits, because every string in it is capped.
func fit(in Input, f func(*writer)) string {
	return fitRows(func(rows int) string {
		w := newWriter(in, rows)
		f(w)
		return w.b.String()
	})
}

// fitRows calls render with fewer and fewer rows until a marker has room behind
// the result.
func fitRows(render func(rows int) string) string {
	const room = Limit - maxMarker
	for _, rows := range []int{1000, 512, 384, 256, 192, 128, 96, 64, 48, 32, 24, 16, 12, 8, 6, 4, 3, 2} {
		if text := render(rows); len(text) <= room {
			return text
		}
	}
	return render(1)
}
