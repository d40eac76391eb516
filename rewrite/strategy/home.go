package strategy

import (
	"fmt"
	"path"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/dockerfile"
)

// Move is a directory of the final image that gets another name, with the
// places that name it.
type Move struct {
	From, To string
	Edits    []dockerfile.Edit
	Line     int
}

// moveHome takes the program out of root's home directory, which no other user
// may enter: every instruction of the final stage that names it gets another
// directory. Nil when something else may rely on the name.
func (d *decider) moveHome(f *assess.Stage) *Move {
	if f.Parent != nil || d.RunUser.Root || d.RunUser.Spec == "0:0" || path.Clean(f.End.WorkDir) != "/root" {
		return nil
	}
	for _, r := range []*Rewrite{d.Start.Entrypoint, d.Start.Cmd} {
		if r != nil && strings.Contains(r.Text, "/root") {
			return nil
		}
	}
	m := &Move{From: "/root", To: "/app"}
	for _, st := range f.Steps {
		if strings.Contains(st.Text, "/app") {
			m.To = "/srv/app"
		}
	}
	for _, st := range f.Steps {
		text := d.File.Text(st.Span)
		if !strings.Contains(text, "/root") {
			continue
		}
		if d.isRewritten(st) {
			continue
		}
		switch st.Keyword {
		case "RUN":
			continue // it goes away in this shape
		case "WORKDIR", "CMD", "ENTRYPOINT":
		case "COPY", "ADD":
			for _, src := range st.Copy.Sources {
				if strings.Contains(src, "/root") {
					return nil
				}
			}
		default:
			return nil
		}
		edits, ok := renamed(text, st.Span.Start, m.From, m.To)
		if !ok {
			return nil
		}
		if st.Keyword == "WORKDIR" && m.Line == 0 {
			m.Line = st.Lines[0]
		}
		m.Edits = append(m.Edits, edits...)
	}
	if m.Line == 0 {
		return nil
	}
	return m
}

// isRewritten tells whether the plan replaces an instruction as a whole.
func (d *decider) isRewritten(st *assess.Step) bool {
	for _, r := range []*Rewrite{d.Start.Entrypoint, d.Start.Cmd} {
		if r != nil && r.Step == st {
			return true
		}
	}
	return false
}

// writtenAnew is how the start and the health check read that the plan writes
// anew; what they named before is gone.
func (d *decider) writtenAnew() map[*assess.Step]string {
	var out map[*assess.Step]string
	write := func(st *assess.Step, text string) {
		if out == nil {
			out = map[*assess.Step]string{}
		}
		out[st] = text
	}
	for _, r := range []*Rewrite{d.Start.Entrypoint, d.Start.Cmd} {
		if r != nil && r.Step != nil {
			write(r.Step, r.Text)
		}
	}
	if h := d.Health; h.Step != nil && (h.Text != "" || h.Comment) {
		write(h.Step, h.Text)
	}
	return out
}

// renamed replaces a directory in a text that starts at an offset of the file;
// false when the name is a part of a longer one.
func renamed(text string, at int, from, to string) ([]dockerfile.Edit, bool) {
	var out []dockerfile.Edit
	for i := 0; ; {
		j := strings.Index(text[i:], from)
		if j < 0 {
			return out, true
		}
		start := i + j
		end := start + len(from)
		if start > 0 && !strings.ContainsRune(" \t\"',=", rune(text[start-1])) {
			return nil, false
		}
		if end < len(text) && !strings.ContainsRune(" \t\"',/\r\n", rune(text[end])) {
			return nil, false
		}
		out = append(out, dockerfile.Edit{Span: dockerfile.Span{Start: at + start, End: at + end}, New: to})
		i = end
	}
}

// rootHome words why the program cannot run in root's home directory.
func rootHome(f *assess.Stage, blocks []Block) []Block {
	if path.Clean(f.End.WorkDir) == "/root" && len(blocks) == 0 {
		return []Block{{Rule: "nonroot-user", Code: "root-home", Line: f.From.Lines[0], Text: "it runs in /root, which only root can enter"}}
	}
	return blocks
}

// onlyRootHome tells whether nothing but root's home directory stands in the way.
func onlyRootHome(blocks []Block) bool {
	for _, b := range blocks {
		if b.Code != "root-home" {
			return false
		}
	}
	return len(blocks) > 0
}

// moved notes the new name for the reader.
func (d *decider) moved(m *Move) {
	d.Move = m
	d.Notes = append(d.Notes, Note{Rule: "nonroot-user", Line: m.Line,
		Text: fmt.Sprintf("The program runs in %s instead of %s. Mounts and commands outside of the Dockerfile that name %s must change with it.", m.To, m.From, m.From)})
}
