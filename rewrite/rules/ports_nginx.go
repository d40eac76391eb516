package rules

import (
	"fmt"
	"path"
	"sort"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/project"
	"dhibot/rewrite/strategy"
)

// nginx moves the ports of nginx: in the configuration files that the image
// copies when all of them are at hand, or together with the image's own
// configuration when the file brings none.
func (m *portMover) nginx() {
	configs, known := m.nginxConfigs()
	if !known {
		for _, c := range configs {
			m.check(fmt.Sprintf("The nginx configuration is not at hand here. It must listen on 1025 or higher and keep its pid file in %s.", path.Dir(nginxPlaces(m.finalDefinition()).pid)), c.line)
		}
		return
	}
	if len(configs) == 0 {
		if o := m.finalRoot().Origin; o != nil && strings.HasSuffix(o.Repository, "nginx-unprivileged") {
			return // its own configuration listens on 8080 as well
		}
		m.to[80] = 8080
		m.why = "the configuration that the image brings listens on 8080"
		m.redirects = true
		return
	}
	for _, c := range configs {
		for _, l := range project.ParseNginx(string(c.content)).Listens {
			if l.Port >= 1024 {
				m.taken[l.Port] = true
			}
		}
	}
	// An entry of its own replaces the image's configuration only when it is
	// the main file or the default server; otherwise both are there.
	for _, c := range configs {
		n := project.ParseNginx(string(c.content))
		if n.Broken != "" || n.Template {
			m.check("The nginx configuration could not be read completely. It must listen on 1025 or higher.", c.line)
			m.to = map[int]int{}
			return
		}
		for _, l := range n.Listens {
			if l.Port > 0 && l.Port < 1024 {
				if l.Span.Start == l.Span.End {
					m.check(fmt.Sprintf("%s line %d listens on port %d without saying so. It must listen on 1025 or higher.", c.path, l.Line, l.Port), c.line)
					m.to = map[int]int{}
					return
				}
				m.to[l.Port] = m.instead(l.Port)
			}
		}
		if len(n.Implied) > 0 {
			m.check(fmt.Sprintf("%s line %d has a server without listen: nginx then takes port 8000 for an unprivileged user and 80 for root.", c.path, n.Implied[0]), c.line)
		}
	}
	for _, c := range configs {
		if f, ok := m.nginxFile(c); ok {
			m.files = append(m.files, f)
		}
	}
	m.why = "the nginx configuration that is copied in listens on the new port as well"
}

type nginxConfig struct {
	path    string
	content []byte
	line    int
	main    bool
}

// nginxConfigs are the configuration files that the final image copies; known
// is false when one of them is not at hand.
func (m *portMover) nginxConfigs() (out []nginxConfig, known bool) {
	known = true
	for _, st := range m.Final.ChainSteps() {
		c := st.Copy
		if c == nil {
			continue
		}
		dest := path.Clean(c.Dest)
		if dest != "/etc/nginx" && !strings.HasPrefix(dest, "/etc/nginx/") {
			continue
		}
		for _, f := range nginxFiles(c) {
			if strings.HasSuffix(f, ".types") || strings.Contains(f+"/", "/ssl/") || strings.Contains(f+"/", "/certs/") || strings.HasSuffix(f, ".pem") || strings.HasSuffix(f, ".crt") || strings.HasSuffix(f, ".key") {
				continue
			}
			name, content, ok := m.ContextFile(m.Final.Stage, f)
			if !ok {
				out = append(out, nginxConfig{line: st.Lines[0]})
				known = false
				continue
			}
			out = append(out, nginxConfig{path: name, content: content, line: st.Lines[0], main: f == "/etc/nginx/nginx.conf"})
		}
	}
	return out, known
}

func nginxFiles(c *assess.Copy) []string {
	if c.Inline {
		return []string{path.Clean(c.Dest)}
	}
	return strategy.CopiedFiles(c)
}

// nginxFile rewrites ports, the pid file and the places of temporary files of
// one configuration. Log files stay: DHI links them to the output as well.
func (m *portMover) nginxFile(c nginxConfig) (File, bool) {
	n := project.ParseNginx(string(c.content))
	type edit struct {
		start, end int
		text       string
	}
	var edits []edit
	var what []string
	var moves, pid bool
	quiet := map[int]bool{} // servers whose redirects name no port
	line := 0
	for _, l := range n.Listens {
		if to := m.to[l.Port]; to != 0 && l.Span.End > l.Span.Start {
			edits = append(edits, edit{l.Span.Start, l.Span.End, fmt.Sprint(to)})
			what = append(what, fmt.Sprintf("listen %d → %d", l.Port, to))
			moves = true
			if !quiet[l.Server] && namesNoPort(n, l.Server) {
				quiet[l.Server] = true
				at, text := besides(c.content, l.End, "port_in_redirect off;")
				edits = append(edits, edit{at, at, text})
			}
			if line == 0 {
				line = l.Line
			}
		}
	}
	lineStart := func(no int) int {
		at := 0
		for i := 1; i < no; i++ {
			j := strings.IndexByte(string(c.content[at:]), '\n')
			if j < 0 {
				return at
			}
			at += j + 1
		}
		return at
	}
	word := func(d project.Directive, old, now string) bool {
		at := lineStart(d.Line)
		i := strings.Index(string(c.content[at:]), old)
		if i < 0 || strings.Contains(string(c.content[at:at+i]), "\n") {
			return false
		}
		edits = append(edits, edit{at + i, at + i + len(old), now})
		what = append(what, fmt.Sprintf("%s %s → %s", d.Name, old, now))
		if line == 0 {
			line = d.Line
		}
		return true
	}
	places := nginxPlaces(m.finalDefinition())
	if n.PID != nil && len(n.PID.Args) == 1 && (n.PID.Args[0] == "/var/run/nginx.pid" || n.PID.Args[0] == "/run/nginx.pid") && places.pid != "/run/nginx.pid" {
		pid = word(*n.PID, n.PID.Args[0], places.pid)
	}
	if n.PID == nil && c.main && places.say && n.Broken == "" && !m.startNames("pid") {
		edits = append(edits, edit{0, 0, "pid " + places.pid + ";" + newline(c.content)})
		what = append(what, "pid "+places.pid)
		line, pid = 1, true
	}
	caches := false
	for _, d := range n.Temps {
		if old, now := places.temporary(d); old != "" {
			caches = word(d, old, now) || caches
		}
	}
	if len(edits) == 0 {
		return File{}, false
	}
	sort.Slice(edits, func(i, j int) bool { return edits[i].start < edits[j].start })
	var b strings.Builder
	at := 0
	for _, e := range edits {
		if e.start < at {
			continue
		}
		b.Write(c.content[at:e.start])
		b.WriteString(e.text)
		at = e.end
	}
	b.Write(c.content[at:])
	return File{Path: c.path, Before: c.content, After: []byte(b.String()), Line: line, Rule: "ports", New: strings.Join(what, ", "),
		Why: nginxFileWhy(moves, len(quiet) > 0, pid, caches)}, true
}

// namesNoPort tells whether redirects of a server leave the port out because
// it is the default one everywhere, and nothing was said about that.
func namesNoPort(n *project.Nginx, server int) bool {
	if server == 0 || len(n.Redirects) > 0 {
		return false
	}
	for _, l := range n.Listens {
		if l.Server == server && l.Port != 0 && !(l.Port == 80 && !l.TLS) && !(l.Port == 443 && l.TLS) {
			return false
		}
	}
	return true
}

// besides is where a directive goes that follows another one, which ends at an
// offset: on a line of its own unless something else stands on the same one.
func besides(content []byte, end int, directive string) (at int, text string) {
	before := string(content[:end])
	before = before[strings.LastIndexByte(before, '\n')+1:]
	rest, _, _ := strings.Cut(string(content[end:]), "\n")
	if r := strings.TrimSpace(rest); r != "" && r[0] != '#' || strings.Contains(before, "{") {
		return end, " " + directive
	}
	line := strings.TrimSuffix(rest, "\r")
	ending := "\n"
	if line != rest {
		ending = "\r\n"
	}
	indent := before[:len(before)-len(strings.TrimLeft(before, " \t"))]
	return end + len(line), ending + indent + directive
}

// nginxFileWhy explains what was changed in a configuration, and nothing else.
func nginxFileWhy(moves, quiet, pid, caches bool) string {
	var limits, why []string
	if moves {
		limits = append(limits, "it cannot bind low ports everywhere")
	}
	if pid {
		limits = append(limits, "it may write its pid file only to /run/nginx")
	}
	if caches {
		limits = append(limits, "it may write temporary files and caches only below /var/lib/nginx")
	}
	if len(limits) > 0 {
		why = append(why, "nginx runs as an unprivileged user: "+strings.Join(limits, ", and ")+".")
	}
	if quiet {
		why = append(why, "Redirects for directories (/docs to /docs/) named no port, because it was the default one; port_in_redirect off keeps that.")
	}
	return strings.Join(why, " ")
}
