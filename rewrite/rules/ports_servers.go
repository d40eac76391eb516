package rules

import (
	"fmt"
	"path"
	"sort"
	"strconv"
	"strings"

	"dhibot/rewrite/project"
	"dhibot/rewrite/strategy"
)

// httpd moves the ports of Apache: with the configuration files that the image
// copies, or with the image's own, which listens on 8080.
func (m *portMover) httpd() {
	configs, known := m.configsBelow("/usr/local/apache2/conf")
	if !known {
		return
	}
	if len(configs) == 0 {
		m.to[80] = 8080
		m.why = "the configuration that the image brings listens on 8080"
		return
	}
	for _, c := range configs {
		h := project.ParseHttpd(string(c.content))
		if h.Template {
			m.check(fmt.Sprintf("%s takes values from the environment. It must listen on 1025 or higher.", c.path), c.line)
			m.to = map[int]int{}
			return
		}
		m.takePorts(h.Listens)
	}
	for _, c := range configs {
		m.serverFile(c, project.ParseHttpd(string(c.content)).Listens, "Apache")
	}
	m.why = "the Apache configuration that is copied in listens on the new port as well"
}

// caddy moves the ports of a Caddyfile whose sites all name theirs; a host name
// alone stands for 80 and 443, which no edit of the file moves.
func (m *portMover) caddy() {
	configs, known := m.configsBelow("/etc/caddy")
	if !known || len(configs) != 1 || path.Base(configs[0].path) != "Caddyfile" {
		return
	}
	file := project.ParseCaddyfile(string(configs[0].content))
	if file.Template || len(file.Sites) == 0 || file.HTTPPort != nil || file.HTTPSPort != nil {
		return
	}
	for _, l := range file.Sites {
		// Only a bare port: a host name or TLS would want certificates on 443.
		if l.Port == 0 || l.TLS || !strings.HasPrefix(l.Text, ":") || l.Port == 443 {
			return
		}
	}
	m.whole = true
	m.takePorts(file.Sites)
	if len(m.to) == 0 {
		return
	}
	m.serverFile(configs[0], file.Sites, "Caddy")
	m.why = "the Caddyfile that is copied in names the new port as well"
}

// inherited reports the privileged ports that the old image exposes by itself:
// its server listens there unless a configuration says otherwise, and could as
// root. nginx and Apache are known better.
func (m *portMover) inherited(image string, told map[int]bool) {
	if image == "nginx" || image == "httpd" || m.whole || !m.Final.End.Root() {
		return
	}
	var ports []string
	for _, p := range m.Final.End.Ports {
		if p.Step != nil || p.Number == 0 || p.Number >= 1024 || m.to[p.Number] != 0 || told[p.Number] {
			continue
		}
		told[p.Number] = true
		ports = append(ports, fmt.Sprint(p.Number))
	}
	if len(ports) == 0 {
		return
	}
	root := m.finalRoot()
	word, it := "port ", "it"
	if len(ports) > 1 {
		word, it = "ports ", "them"
	}
	m.check(fmt.Sprintf("%s exposes %s%s by itself, and only root can bind %s in Kubernetes and in Docker Engine before 20.10. Unless the configuration names others, let the server listen on 1025 or higher and change port mappings and probes with it.",
		quote(root.Origin.Reference), word, strings.Join(ports, " and "), it), root.From.Lines[0])
	last := &m.Checks[len(m.Checks)-1]
	for _, p := range ports {
		n, _ := strconv.Atoi(p)
		last.Where = append(last.Where, m.portUses(n)...)
	}
}

// configsBelow are the configuration files that the final image copies below a
// directory; known is false when one of them is not at hand.
func (m *portMover) configsBelow(dir string) (out []nginxConfig, known bool) {
	for _, st := range m.Final.ChainSteps() {
		c := st.Copy
		if c == nil {
			continue
		}
		dest := path.Clean(c.Dest)
		if dest != dir && !strings.HasPrefix(dest, dir+"/") {
			continue
		}
		for _, f := range strategy.CopiedFiles(c) {
			switch path.Ext(f) {
			case ".types", ".pem", ".crt", ".key", ".html":
				continue
			}
			name, content, ok := m.ContextFile(m.Final.Stage, f)
			if !ok || c.Inline {
				return nil, false
			}
			out = append(out, nginxConfig{path: name, content: content, line: st.Lines[0]})
		}
	}
	return out, true
}

// takePorts notes privileged ports that stand in a configuration.
func (m *portMover) takePorts(listens []project.Listen) {
	for _, l := range listens {
		if l.Port >= 1024 {
			m.taken[l.Port] = true
		}
	}
	for _, l := range listens {
		if l.Port > 0 && l.Port < 1024 && l.Span.End > l.Span.Start {
			m.to[l.Port] = m.instead(l.Port)
		}
	}
}

// serverFile writes the new ports into a configuration.
func (m *portMover) serverFile(c nginxConfig, listens []project.Listen, server string) {
	sort.Slice(listens, func(i, j int) bool { return listens[i].Span.Start < listens[j].Span.Start })
	var b strings.Builder
	var what []string
	at, line := 0, 0
	for _, l := range listens {
		to := m.to[l.Port]
		if to == 0 || l.Span.End <= l.Span.Start || l.Span.Start < at {
			continue
		}
		b.Write(c.content[at:l.Span.Start])
		fmt.Fprint(&b, to)
		at = l.Span.End
		what = append(what, fmt.Sprintf("%s → %d", l.Text, to))
		if line == 0 {
			line = l.Line
		}
	}
	if len(what) == 0 {
		return
	}
	b.Write(c.content[at:])
	m.files = append(m.files, File{Path: c.path, Before: c.content, After: []byte(b.String()), Line: line, Rule: "ports", New: strings.Join(what, ", "),
		Why: server + " runs as an unprivileged user and cannot bind low ports everywhere."})
}
