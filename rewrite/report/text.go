package report

import (
	"strings"

	"dhibot/rewrite"
)

// textFormat is what people read. On a pipe the explanations stand before the
// diff of their file, so that the whole output is still a patch: what stands
// between the files is skipped by patch and by git apply. On a terminal each
// reason stands at its hunk.
type textFormat struct{}

func (t textFormat) result(w *Writer, r *rewrite.Result) {
	p := palette{w.opts.Color && w.opts.Terminal}
	w.out.printf("%s  %s\n", p.outcome(r.Outcome, string(r.Outcome)), p.bold(Escape(r.Path)))
	if why := reason(r); why != "" {
		t.paragraph(w, "  ", why)
	}
	if r.Changed() {
		for _, line := range stageLines(r, w.arrow()) {
			t.paragraph(w, "  ", line)
		}
	}
	shown := links{}
	if w.opts.Terminal {
		for _, f := range files(r) {
			writeAnnotated(w, p, f, shown)
		}
	} else {
		t.section(w, p, section{"Changes", changeItems(r.Changes)}, shown)
		for _, f := range r.Files {
			t.section(w, p, section{"Changes of " + f.Path, changeItems(f.Changes)}, shown)
		}
	}
	for _, s := range todoSections(r) {
		t.section(w, p, s, shown)
	}
	t.section(w, p, leftSection(r), shown)
	if !w.opts.Terminal {
		w.out.WriteString(Unified(r))
	}
	w.out.WriteString("\n")
}

func (textFormat) close(w *Writer) { w.summary.writeText(w) }

// section writes nothing for an empty one.
func (t textFormat) section(w *Writer, p palette, s section, shown links) {
	if len(s.items) == 0 {
		return
	}
	w.out.printf("  %s\n", p.bold(Escape(s.title)))
	for _, it := range s.items {
		mark := "- "
		if it.todo {
			mark = "[ ] "
		}
		t.paragraph(w, "    "+mark, it.label()+": "+it.text)
		if link := shown.first(it.link); link != "" {
			w.out.printf("%s%s\n", strings.Repeat(" ", 4+len(mark)), p.dim(w.safe(link)))
		}
	}
}

// paragraph writes text after a first indent and wraps it below itself; on a
// pipe it stays one line, easier to search.
func (textFormat) paragraph(w *Writer, indent, text string) {
	text = w.safe(text)
	if !w.opts.Terminal {
		w.out.printf("%s%s\n", indent, text)
		return
	}
	for i, line := range wrap(text, w.opts.Width-len(indent)-1) {
		if i == 1 {
			indent = strings.Repeat(" ", len(indent))
		}
		w.out.printf("%s%s\n", indent, line)
	}
}

// links are the addresses that a result has shown already: the same page is
// not named at each change.
type links map[string]bool

// first returns the address the first time, "" afterwards.
func (l links) first(link string) string {
	if l[link] {
		return ""
	}
	l[link] = true
	return link
}

// safe escapes repository text. Off a terminal too: the text may be shown on
// one later (less -R, a CI log), and only the diff has to be exact.
func (w *Writer) safe(s string) string { return Escape(flat(s)) }

// arrow is plain where the reader's encoding is not known.
func (w *Writer) arrow() string {
	if w.opts.Terminal {
		return "→"
	}
	return "->"
}
