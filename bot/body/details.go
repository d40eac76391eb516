package body

import (
	"fmt"

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
