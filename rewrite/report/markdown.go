package report

import (
	"fmt"
	"regexp"
	"strings"

	"dhibot/rewrite"
)

// markdownFormat writes GitHub-flavoured Markdown. Everything that came from a
// repository stands in a code span, in a fence or escaped, so that it cannot
// run as markup, mention a person or close the fence around it.
type markdownFormat struct{}

func (markdownFormat) result(w *Writer, r *rewrite.Result) {
	o := w.out
	o.printf("## %s: %s\n\n", Code(r.Path), r.Outcome)
	if why := reason(r); why != "" {
		o.printf("%s\n\n", Prose(why))
	}
	if r.Changed() && len(r.Stages) > 0 {
		o.WriteString("| Stage | Before | After | Role |\n|---|---|---|---|\n")
		for i, s := range r.Stages {
			name := s.Name
			if name == "" {
				name = fmt.Sprint(i)
			}
			o.printf("| %s | %s | %s | %s |\n", cell(Code(name)), cell(codeOr(s.From, "new")), cell(codeOr(s.To, "")), s.Role)
		}
		o.WriteString("\n")
	}
	markdownChanges(o, "Changes", r.Changes)
	for _, f := range r.Files {
		markdownChanges(o, "Changes of "+Code(f.Path), f.Changes)
	}
	for _, s := range append(todoSections(r), leftSection(r)) {
		if len(s.items) == 0 {
			continue
		}
		o.printf("### %s\n\n", s.title)
		for _, it := range s.items {
			mark := "-"
			if it.todo {
				mark = "- [ ]"
			}
			where := ""
			if it.where != "" {
				where = it.where + ", "
			}
			o.printf("%s %s%s: %s\n", mark, where, Code(it.rule), Prose(it.text))
		}
		o.WriteString("\n")
	}
	if diff := Unified(r); diff != "" {
		fence := strings.Repeat("`", max(3, longestRun(diff, '`')+1))
		o.printf("%sdiff\n%s%s\n\n", fence, visible(diff), fence)
	}
}

func (markdownFormat) close(w *Writer) {
	s := &w.summary
	if s.total > 1 {
		w.out.WriteString("## Summary\n\n| Dockerfile | Final image | Outcome | Changes | To do |\n|---|---|---|---:|---:|\n")
		for _, r := range s.rows {
			image := cell(codeOr(r.before, ""))
			if r.after != "" && r.after != r.before {
				image = strings.TrimSpace(image + " → " + cell(Code(r.after)))
			}
			w.out.printf("| %s | %s | %s | %d | %d |\n", cell(Code(r.path)), image, r.outcome, r.changes, r.due)
		}
		if more := s.total - len(s.rows); more > 0 {
			w.out.printf("\nand %d more.\n", more)
		}
		w.out.WriteString("\n")
	}
	w.out.printf("%s.\n", s.line())
}

func markdownChanges(o *errWriter, title string, changes []rewrite.Change) {
	if len(changes) == 0 {
		return
	}
	o.printf("### %s\n\n| Where | Rule | Why |\n|---|---|---|\n", title)
	for _, c := range changes {
		rule := Code(c.Rule)
		if strings.HasPrefix(c.Docs, "https://") && !strings.ContainsAny(c.Docs, " ()<>|\n") {
			rule = "[" + rule + "](" + c.Docs + ")"
		}
		o.printf("| %s | %s | %s |\n", changeLines(c), cell(rule), cell(Prose(flat(c.Why))))
	}
	o.WriteString("\n")
}

// Code is a code span on one line around any text: the fence is longer than
// every run of backticks inside, and invisible characters are escaped.
func Code(s string) string {
	s = Escape(s)
	if s == "" {
		return ""
	}
	fence := strings.Repeat("`", longestRun(s, '`')+1)
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") {
		s = " " + s + " "
	}
	return fence + s + fence
}

// Prose is a sentence on one line whose Markdown, HTML, mentions and issue
// references do nothing. Code spans are kept: reasons quote with them, and
// nothing acts inside of one. An odd backtick is escaped; a run of them, which
// could pair in another way than we think, becomes an apostrophe.
func Prose(s string) string {
	parts := strings.Split(runs.ReplaceAllString(Escape(flat(s)), "'"), "`")
	var b strings.Builder
	for i, part := range parts {
		inside := i%2 == 1
		if inside && i == len(parts)-1 {
			b.WriteString("\\`")
			inside = false
		} else if i > 0 {
			b.WriteString("`")
		}
		if inside {
			b.WriteString(part)
		} else {
			b.WriteString(neutral(part))
		}
	}
	return b.String()
}

// neutral escapes what Markdown and GitHub act on outside of code.
func neutral(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch r {
		case '\\', '*', '_', '[', ']', '<', '>', '~', '|', '!':
			b.WriteByte('\\')
			b.WriteRune(r)
		case '@', '#':
			// GitHub links @name and #1 after escapes too; a zero-width space
			// in between stops it.
			b.WriteRune(r)
			b.WriteRune('\u200b')
		case '&':
			b.WriteString("&amp;")
		default:
			b.WriteRune(r)
		}
	}
	return noAutolink.Replace(b.String())
}

// noAutolink stops GitHub from turning bare addresses into links.
var noAutolink = strings.NewReplacer("://", ":\u200b//", "www.", "www\u200b.")

var runs = regexp.MustCompile("``+")

// cell makes inline Markdown fit for a table: a bar ends a cell, in code too.
func cell(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, `\|`, "|"), "|", `\|`)
}

func codeOr(s, other string) string {
	if s == "" {
		return other
	}
	return Code(s)
}

// visible escapes the text of a diff line by line.
func visible(diff string) string {
	lines := strings.SplitAfter(diff, "\n")
	for i, l := range lines {
		body, nl := strings.CutSuffix(l, "\n")
		lines[i] = Escape(strings.TrimSuffix(body, "\r"))
		if nl {
			lines[i] += "\n"
		}
	}
	return strings.Join(lines, "")
}

func longestRun(s string, b byte) int {
	longest, n := 0, 0
	for i := 0; i < len(s); i++ {
		if s[i] != b {
			n = 0
			continue
		}
		n++
		longest = max(longest, n)
	}
	return longest
}
