package body

import (
	"fmt"
	"slices"
	"strings"

	"dhibot/rewrite"
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
