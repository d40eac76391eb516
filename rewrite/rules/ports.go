package rules

import (
	"fmt"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
	"dhibot/rewrite/dockerfile"
	"dhibot/rewrite/strategy"
)

func ports() *Rule {
	return &Rule{
		ID:    "ports",
		Title: "Ports",
		Note: "The unprivileged user cannot bind ports below 1024 in Kubernetes and in Docker Engine before 20.10. Where the port of a server is in the repository and unambiguous, " +
			"it moves together with EXPOSE; otherwise it is reported, because EXPOSE alone changes nothing.",
		Before: "EXPOSE 80",
		After:  "EXPOSE 8080",
		URL:    "https://docs.docker.com/dhi/how-to/troubleshoot/#privileged-ports",
		Run:    runPorts,
	}
}

func runPorts(p *Pass) {
	root := p.finalRoot()
	if root == nil || root.Pick == nil || p.Shape == strategy.ShapeNone || p.Shape == strategy.ShapeDev || p.RunUser.Root {
		return
	}
	m := &portMover{Pass: p, to: map[int]int{}, taken: map[int]bool{}}
	image, mounted := p.finalImage(), false
	switch {
	case m.mountedConfig(image):
		mounted = true
	case image == "nginx":
		m.nginx()
	case image == "httpd":
		m.httpd()
	case image == "caddy":
		m.caddy()
		m.arguments()
	case image == "aspnetcore":
		m.takeExposed()
		m.aspnet()
		m.arguments()
	default:
		m.takeExposed()
		m.plainPorts()
		m.arguments()
	}
	m.apply()
	p.MovedPorts = m.to
	seen := map[int]bool{}
	for _, port := range p.Final.End.Ports {
		if mounted || port.Step == nil || port.Number == 0 || port.Number >= 1024 || m.to[port.Number] != 0 || seen[port.Number] {
			continue
		}
		seen[port.Number] = true
		p.check(fmt.Sprintf("Port %d needs root in Kubernetes and in Docker Engine before 20.10. Let the program listen on 1025 or higher and change EXPOSE, port mappings and probes with it.", port.Number), port.Step.Lines[0])
		last := &p.Checks[len(p.Checks)-1]
		last.Where = append(last.Where, p.portUses(port.Number)...)
	}
	if !mounted {
		m.silent(seen)
		m.inherited(image, seen)
	}
	p.notes()
}

// finalImage is the catalog's name of the image that ships.
func (p *Pass) finalImage() string {
	return p.finalDefinition().Image
}

// finalDefinition is the image that ships.
func (p *Pass) finalDefinition() *catalog.Definition {
	if p.New != nil {
		return p.New.Pick.Def
	}
	return p.finalRoot().Pick.Def
}

// portMover moves privileged ports everywhere at once.
type portMover struct {
	*Pass
	to  map[int]int
	why string
	// taken are ports that something else listens on, and those given away.
	taken map[int]bool
	given map[int]int
	// redirects tells that the server names its port in redirects.
	redirects bool
	// whole tells that the configuration names every port of the server.
	whole bool
	// words are arguments of the start command to replace.
	words []portWord
	files []File
	// envs are ENV instructions with their new text.
	envs map[*assess.Step]string
}

// takeExposed keeps ports free that the file exposes besides.
func (m *portMover) takeExposed() {
	for _, port := range m.Final.End.Ports {
		if port.Step != nil {
			m.taken[port.Number] = true
		}
	}
}

// instead is the port that takes the place of a privileged one: one that
// nothing else listens on, the same for every question.
func (m *portMover) instead(p int) int {
	if to, ok := m.given[p]; ok {
		return to
	}
	to := unprivileged(p)
	for m.taken[to] && to < 65535 {
		to++
	}
	if m.given == nil {
		m.given = map[int]int{}
	}
	m.given[p], m.taken[to] = to, true
	return to
}

// unprivileged is the port that people expect instead of a privileged one.
func unprivileged(p int) int {
	switch p {
	case 80:
		return 8080
	case 443:
		return 8443
	}
	return p + 8000
}

// exposed are the privileged ports that the file exposes.
func (m *portMover) exposed() []int {
	var out []int
	for _, p := range m.Final.End.Ports {
		if p.Step != nil && p.Number > 0 && p.Number < 1024 {
			out = append(out, p.Number)
		}
	}
	return out
}

// apply edits the start command, EXPOSE and the health check.
func (m *portMover) apply() {
	if len(m.to)+len(m.files) == 0 {
		return
	}
	m.startWords()
	m.envEdits()
	m.expose()
	m.healthPort()
	m.Pass.Files = append(m.Pass.Files, m.files...)
	for _, f := range m.files {
		use := "this file"
		if len(m.to) > 0 {
			use += " with the old ports"
		}
		m.Pass.Checks = append(m.Pass.Checks, Check{Rule: "ports", Text: fmt.Sprintf("%s changes with the Dockerfile. Does anything else use %s?", f.Path, use), Where: []Where{{Path: f.Path, Line: f.Line}}})
	}
	for _, old := range sortedPorts(m.to) {
		line := m.startLine()
		for _, p := range m.Final.End.Ports {
			if p.Step != nil && p.Number == old {
				line = p.Step.Lines[0]
			}
		}
		c := Check{Rule: "ports", Text: fmt.Sprintf("The container listens on %d instead of %d. Port mappings, services and probes that name %d must change with it.", m.to[old], old, old)}
		if m.redirects {
			c.Text += fmt.Sprintf(" Redirects that nginx makes for directories (/docs to /docs/) name %d then; a configuration of your own with `port_in_redirect off` keeps them without a port.", m.to[old])
		}
		c.Where = m.portUses(old)
		if len(c.Where) == 0 {
			c.Where = []Where{{Line: line}}
		}
		m.Pass.Checks = append(m.Pass.Checks, c)
	}
}

// movedAway tells whether an instruction stays behind in a build stage.
func (m *portMover) movedAway(st *assess.Step) bool {
	return m.Shape == strategy.ShapeSplit && m.staysBehind(st) || m.Shape == strategy.ShapeRebase && st.Stage != m.Final.Stage
}

// expose edits the words of EXPOSE.
func (m *portMover) expose() {
	done := map[*assess.Step]bool{}
	for _, p := range m.Final.End.Ports {
		if p.Step == nil || m.to[p.Number] == 0 || done[p.Step] {
			continue
		}
		done[p.Step] = true
		if m.movedAway(p.Step) {
			m.exposeNew()
			continue
		}
		var edits []dockerfile.Edit
		var before, after strings.Builder
		for _, w := range p.Step.Words {
			now, ok := m.exposeWord(w.Text)
			if ok {
				edits = append(edits, replace(w.Span, now))
			} else {
				now = w.Text
			}
			before.WriteString(" " + w.Text)
			after.WriteString(" " + now)
		}
		if len(p.Step.Words) == 1 && m.exposedElsewhere(p.Step, after.String()) {
			m.change(Finding{Edits: []dockerfile.Edit{m.File.Remove(p.Step.Instruction)}, Lines: p.Step.Lines, Before: m.File.Text(p.Step.Span),
				Why: sentence(fmt.Sprintf("an unprivileged user cannot bind a port below 1024 everywhere; %s, which is exposed already", m.why))})
			continue
		}
		m.change(Finding{Edits: edits, Lines: p.Step.Lines, Before: "EXPOSE" + before.String(), After: "EXPOSE" + after.String(), Why: sentence("An unprivileged user cannot bind a port below 1024 everywhere; " + m.why)})
	}
}

// exposedElsewhere tells whether another EXPOSE that stays names the same port.
func (m *portMover) exposedElsewhere(st *assess.Step, word string) bool {
	for _, p := range m.Final.End.Ports {
		if p.Step != nil && p.Step != st && !m.movedAway(p.Step) && p.Word == strings.TrimSpace(word) {
			return true
		}
	}
	return false
}

// exposeNew edits EXPOSE lines that moved to the new stage.
func (m *portMover) exposeNew() {
	if m.New == nil {
		return
	}
	for i, l := range m.New.Lines {
		fields := strings.Fields(l.Text)
		if len(fields) == 0 || !strings.EqualFold(fields[0], "EXPOSE") {
			continue
		}
		for j := 1; j < len(fields); j++ {
			if now, ok := m.exposeWord(fields[j]); ok {
				fields[j] = now
				m.New.Lines[i] = strategy.Line{Rule: "ports", Comments: l.Comments, Why: "an unprivileged user cannot bind a port below 1024 everywhere; " + m.why}
			}
		}
		m.New.Lines[i].Text = strings.Join(fields, " ")
		if m.New.Lines[i].Rule == "" {
			m.New.Lines[i].Rule = l.Rule
		}
	}
}

func (m *portMover) exposeWord(w string) (string, bool) {
	num, proto, has := strings.Cut(w, "/")
	for old, now := range m.to {
		if num == fmt.Sprint(old) {
			if has {
				return fmt.Sprintf("%d/%s", now, proto), true
			}
			return fmt.Sprint(now), true
		}
	}
	return "", false
}

// healthPort follows the port in a health check that stays as it is.
func (m *portMover) healthPort() {
	h := m.Final.End.Health
	if h == nil || m.Final.End.HealthNone {
		return
	}
	if p := &m.Health; p.Step == h && !p.Comment {
		p.Text = m.hostPorts(p.Text)
		return
	}
	if m.Health.Step == h || m.movedAway(h) {
		return
	}
	before := m.File.Text(h.Span)
	after := m.hostPorts(before)
	if after != before {
		m.change(Finding{Edits: []dockerfile.Edit{replace(h.Span, after)}, Lines: h.Lines, Before: before, After: after, Why: "The check asks the port that the server listens on now."})
	}
}

// hostPorts moves the port of addresses of the container itself.
func (m *portMover) hostPorts(text string) string {
	for old, now := range m.to {
		for _, host := range []string{"localhost", "127.0.0.1", "0.0.0.0", "[::1]"} {
			text = replaceHost(text, host, old, now)
		}
	}
	return text
}

func replaceHost(text, host string, old, now int) string {
	var b strings.Builder
	for {
		i := strings.Index(text, host)
		if i < 0 {
			b.WriteString(text)
			return b.String()
		}
		end := i + len(host)
		b.WriteString(text[:end])
		rest := text[end:]
		http := strings.HasSuffix(text[:i], "http://") || old == 443 && strings.HasSuffix(text[:i], "https://")
		switch explicit := fmt.Sprintf(":%d", old); {
		case strings.HasPrefix(rest, explicit) && (len(rest) == len(explicit) || rest[len(explicit)] < '0' || rest[len(explicit)] > '9'):
			fmt.Fprintf(&b, ":%d", now)
			rest = rest[len(explicit):]
		case http && (old == 80 || old == 443) && (rest == "" || strings.ContainsRune("/ \"'?#\n\t\r)", rune(rest[0]))):
			fmt.Fprintf(&b, ":%d", now)
		}
		text = rest
	}
}

func sortedPorts(m map[int]int) []int {
	var out []int
	for p := 1; p < 1024; p++ {
		if m[p] != 0 {
			out = append(out, p)
		}
	}
	return out
}
