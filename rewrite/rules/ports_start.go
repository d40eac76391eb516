package rules

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/dockerfile"
	"dhibot/rewrite/strategy"
)

// portWord is a word of the start command that names a port. A bare number is
// found again by the option before it: another option may have the same value.
type portWord struct {
	option, old, now string
}

// arguments finds privileged ports in the words of the start command: one that
// the file exposes, or one that a server surely listens on.
func (m *portMover) arguments() {
	for _, p := range m.exposed() {
		m.argument(p, false)
	}
	var words []string
	for _, c := range m.startCommands() {
		words = append(words, argvOf(c)...)
	}
	for i, a := range words {
		if p := listensOn(before(words, i), a); p != 0 && serves(words) {
			m.argument(p, true)
		}
	}
}

// argument moves one port in the start command.
func (m *portMover) argument(p int, sure bool) {
	if m.to[p] != 0 {
		return
	}
	found := false
	for _, c := range m.startCommands() {
		if c.Shell && m.rewriteOf(c.Step) == nil {
			continue
		}
		argv := argvOf(c)
		for i, a := range argv {
			prev := before(argv, i)
			if sure && listensOn(prev, a) != p {
				continue
			}
			now, ok := m.movedWord(prev, a, p)
			if !ok {
				continue
			}
			w := portWord{old: a, now: now}
			if a == fmt.Sprint(p) {
				w.option = prev
			}
			if w.in(m.startText(c.Step)) {
				m.words = append(m.words, w)
				found = true
			}
		}
	}
	if found {
		m.to[p] = m.instead(p)
		m.why = "the start command says on which port the program listens"
	}
}

// startCommands are the instructions of the file that start the container.
func (m *portMover) startCommands() []assess.Command {
	var out []assess.Command
	for _, c := range []assess.Command{m.Final.End.Entrypoint, m.Final.End.Cmd} {
		if c.Step != nil {
			out = append(out, c)
		}
	}
	return out
}

// argvOf are the words of a command; those of a shell are not expanded.
func argvOf(c assess.Command) []string {
	if c.Shell {
		return strings.Fields(c.Argv[0])
	}
	return c.Argv
}

// before is the word in front of word i.
func before(argv []string, i int) string {
	if i == 0 {
		return ""
	}
	return argv[i-1]
}

// anyAddress matches a port on every address of the container.
var anyAddress = regexp.MustCompile(`^(?:0\.0\.0\.0|\[::\]|\*)?:([0-9]+)$`)

// serves tells whether a command starts a server whose options name the port
// that it listens on: a client's name that of somebody else. Sources: the
// manuals of the programs named here; any other one says so by its address.
func serves(argv []string) bool {
	for _, a := range argv {
		switch path.Base(a) {
		case "uvicorn", "gunicorn", "hypercorn", "daphne", "fastapi", "streamlit":
			return true
		}
		_, value, _ := strings.Cut(a, "=")
		for _, v := range []string{a, value} {
			if v == "0.0.0.0" || v == "::" || v == "[::]" || strings.HasPrefix(v, "0.0.0.0:") || strings.HasPrefix(v, "[::]:") {
				return true
			}
		}
	}
	return false
}

// nodeServer tells whether a word is a server of Node whose -p and --port name
// the port that it listens on. Sources: the manuals of these programs.
func nodeServer(word string) bool {
	switch path.Base(word) {
	case "next", "nuxt", "vite", "serve", "http-server", "json-server":
		return true
	}
	return false
}

// listensOn is the privileged port that a word of a server's command surely
// names, 0 for none.
func listensOn(prev, a string) int {
	name, value, inline := strings.Cut(a, "=")
	if !inline {
		name, value = prev, a
	}
	switch name {
	case "--port", "--http-port", "--server.port":
		if p := privileged(value); p != 0 {
			return p
		}
	case "-b", "--bind", "--listen", "--addr", "--address":
		if s := anyAddress.FindStringSubmatch(value); s != nil {
			return privileged(s[1])
		}
	}
	if !strings.Contains(a, ":") || strings.HasPrefix(a, ":") {
		return 0
	}
	if s := anyAddress.FindStringSubmatch(a); s != nil {
		return privileged(s[1])
	}
	return 0
}

// movedWord replaces a port in an argument that surely is one.
func (m *portMover) movedWord(prev, a string, p int) (string, bool) {
	old, now := fmt.Sprint(p), fmt.Sprint(m.instead(p))
	switch {
	case a == old && (prev == "-p" || prev == "--port" || prev == "-P" || prev == "--http-port" || prev == "--server.port"):
		return now, true
	case a == "--port="+old, a == "--http-port="+old, a == "--server.port="+old:
		return strings.TrimSuffix(a, old) + now, true
	case prev == "--urls" || strings.HasPrefix(a, "--urls="):
		moved, ports := movePorts("URLS", strings.TrimPrefix(a, "--urls="), m.instead)
		if slices.Contains(ports, p) {
			return a[:len(a)-len(strings.TrimPrefix(a, "--urls="))] + moved, true
		}
	case strings.HasSuffix(a, ":"+old) && !strings.Contains(a, "://"):
		return strings.TrimSuffix(a, old) + now, true
	}
	return "", false
}

func (m *portMover) rewriteOf(st *assess.Step) *strategy.Rewrite {
	for _, r := range []*strategy.Rewrite{m.Start.Entrypoint, m.Start.Cmd} {
		if r != nil && r.Step == st {
			return r
		}
	}
	return nil
}

// startText is the instruction as it will stand, but for its ports.
func (m *portMover) startText(st *assess.Step) string {
	if r := m.rewriteOf(st); r != nil {
		return r.Text
	}
	return m.File.Text(st.Span)
}

func (m *portMover) startWords() {
	for _, c := range m.startCommands() {
		if r := m.rewriteOf(c.Step); r != nil {
			r.Text = m.replaceWords(r.Text)
			continue
		}
		before := m.File.Text(c.Step.Span)
		after := m.replaceWords(before)
		if after != before && !m.movedAway(c.Step) {
			m.change(Finding{Edits: []dockerfile.Edit{replace(c.Step.Span, after)}, Lines: c.Step.Lines, Before: before, After: after, Why: "An unprivileged user cannot bind a port below 1024 everywhere; the program listens on a higher one."})
		}
	}
	if m.New != nil {
		for i, l := range m.New.Lines {
			if strings.HasPrefix(strings.ToUpper(l.Text), "CMD") || strings.HasPrefix(strings.ToUpper(l.Text), "ENTRYPOINT") {
				m.New.Lines[i].Text = m.replaceWords(l.Text)
			}
		}
	}
}

func (m *portMover) replaceWords(text string) string {
	for _, w := range m.words {
		text = w.replace(text)
	}
	return text
}

// in tells whether the text of an instruction has the word.
func (w portWord) in(text string) bool { return w.replace(text) != text }

// replace puts the new word in the place of the old one, in a list or in a
// program of the interpreter that starts the command.
func (w portWord) replace(text string) string {
	for _, quote := range []string{`"`, "'"} {
		if w.option == "" {
			text = strings.ReplaceAll(text, quote+w.old+quote, quote+w.now+quote)
			continue
		}
		// Between two words of a list stand spaces and ends of lines.
		list := regexp.MustCompile("(" + regexp.QuoteMeta(quote+w.option+quote) + "[\\s,\\\\`]*)" + regexp.QuoteMeta(quote+w.old+quote))
		text = list.ReplaceAllString(text, "${1}"+quote+w.now+quote)
	}
	return text
}

// startLine is where the file says what the container starts.
func (m *portMover) startLine() int {
	if c := m.startCommands(); len(c) > 0 {
		return c[len(c)-1].Step.Lines[0]
	}
	return m.Final.From.Lines[0]
}

// defaultPort finds the default of a variable that names a port.
var defaultPort = regexp.MustCompile(`\$\{[A-Z_]*PORT:?-([0-9]+)\}`)

// silent reports the privileged ports that nothing exposes and nothing moved:
// in a variable of the server, or in the default of one.
func (m *portMover) silent(told map[int]bool) {
	for _, st := range m.Final.ChainSteps() {
		for _, p := range m.portOfVariable(st) {
			m.privilegedPort(p, st.Lines[0], told)
		}
	}
	m.portOfProgram(told)
	if argv := m.Start.Argv; slices.ContainsFunc(argv, nodeServer) || serves(argv) {
		for i, a := range argv {
			p := listensOn(before(argv, i), a)
			if before(argv, i) == "-p" {
				p = privileged(a)
			}
			m.privilegedPort(p, m.startLine(), told)
		}
	}
	for _, c := range m.startCommands() {
		if !c.Shell && len(c.Argv) < 3 {
			continue
		}
		for _, s := range defaultPort.FindAllStringSubmatch(strings.Join(c.Argv, " "), -1) {
			m.privilegedPort(privileged(s[1]), c.Step.Lines[0], told)
		}
	}
}

// privilegedPort reports a port that the user may not be able to bind.
func (m *portMover) privilegedPort(p, line int, told map[int]bool) {
	if p == 0 || m.to[p] != 0 || told[p] {
		return
	}
	told[p] = true
	m.check(fmt.Sprintf("Port %d needs root in Kubernetes and in Docker Engine before 20.10. Let the program listen on 1025 or higher and change port mappings and probes with it.", p), line)
	last := &m.Checks[len(m.Checks)-1]
	last.Where = append(last.Where, m.portUses(p)...)
}
