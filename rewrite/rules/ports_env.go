package rules

import (
	"fmt"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/dockerfile"
	"dhibot/rewrite/strategy"
)

// urlVariables hold addresses that ASP.NET Core listens on, portVariables
// nothing but ports. Source: ASP.NET Core's documentation of host settings.
func urlVariable(name string) bool {
	return name == "ASPNETCORE_URLS" || name == "DOTNET_URLS" || name == "URLS"
}

func portVariable(name string) bool {
	return name == "ASPNETCORE_HTTP_PORTS" || name == "ASPNETCORE_HTTPS_PORTS" || name == "HTTP_PORTS" || name == "HTTPS_PORTS"
}

// plainPort tells whether a variable names the one port of a server by
// convention.
func plainPort(name string) bool {
	switch name {
	case "PORT", "HTTP_PORT", "SERVER_PORT", "LISTEN_PORT", "APP_PORT", "ROCKET_PORT", "WEB_PORT":
		return true
	case "FLASK_RUN_PORT", "UVICORN_PORT", "STREAMLIT_SERVER_PORT", "NITRO_PORT": // read by the servers themselves
		return true
	}
	return false
}

// aspnet: from .NET 8 on the images listen on 8080 unless told otherwise.
func (m *portMover) aspnet() {
	if m.environment(func(name string) bool { return urlVariable(name) || portVariable(name) }) {
		return
	}
	if m.listensByArgument() {
		return
	}
	old := m.finalRoot().Origin.Config.Env
	moved := strings.HasSuffix(old["ASPNETCORE_URLS"], ":80")
	for _, p := range m.exposed() {
		if p == 80 {
			m.to[80] = 8080
			m.why = "the image listens on 8080 unless ASPNETCORE_URLS or ASPNETCORE_HTTP_PORTS says otherwise"
		}
	}
	if moved && m.to[80] == 0 {
		m.check("The old image listened on port 80 unless told otherwise; the new one listens on 8080. Port mappings, services and probes that name 80 must change with it.", m.finalRoot().From.Lines[0])
	}
}

// listensByArgument tells whether the start command names the address.
func (m *portMover) listensByArgument() bool {
	for _, c := range []assess.Command{m.Final.End.Entrypoint, m.Final.End.Cmd} {
		for _, a := range c.Argv {
			if strings.Contains(a, "--urls") {
				return true
			}
		}
	}
	return false
}

// environment moves the privileged ports that variables of the file give to the
// server; found tells that the file sets such a variable.
func (m *portMover) environment(wanted func(string) bool) (found bool) {
	m.envs = map[*assess.Step]string{}
	for _, st := range m.Final.ChainSteps() {
		env, ok := st.Command.(*instructions.EnvCommand)
		if !ok {
			continue
		}
		before := m.File.Text(st.Span)
		after := before
		for _, kv := range env.Env {
			if !wanted(kv.Key) {
				continue
			}
			found = true
			value, ports := movePorts(kv.Key, kv.Value, m.instead)
			if len(ports) == 0 || strings.Count(after, kv.Value) != 1 {
				continue
			}
			after = strings.Replace(after, kv.Value, value, 1)
			for _, p := range ports {
				m.to[p] = m.instead(p)
			}
		}
		if after == before {
			continue
		}
		m.envs[st] = after
		m.why = "the variable that the server takes its port from says so as well"
	}
	return found
}

// movePorts replaces the privileged ports in the value of a variable.
func movePorts(name, value string, instead func(int) int) (moved string, ports []int) {
	if !urlVariable(name) {
		quote := value[:len(value)-len(strings.TrimLeft(value, `"'`))]
		parts := strings.Split(strings.Trim(value, `"'`), ";")
		for i, s := range parts {
			if p := privileged(s); p != 0 {
				parts[i] = fmt.Sprint(instead(p))
				ports = append(ports, p)
			}
		}
		return quote + strings.Join(parts, ";") + quote, ports
	}
	urls := strings.Split(value, ";")
	for i, u := range urls {
		j := strings.LastIndexByte(u, ':')
		if j < 0 || strings.HasPrefix(u[j:], "://") {
			continue
		}
		end := j + 1
		for end < len(u) && '0' <= u[end] && u[end] <= '9' {
			end++
		}
		if p := privileged(u[j+1 : end]); p != 0 && (end == len(u) || strings.ContainsRune("/\"'", rune(u[end]))) {
			urls[i] = u[:j+1] + fmt.Sprint(instead(p)) + u[end:]
			ports = append(ports, p)
		}
	}
	return strings.Join(urls, ";"), ports
}

// privileged is the number of a port below 1024, 0 for everything else.
func privileged(s string) int {
	n := 0
	for _, r := range s {
		if r < '0' || r > '9' || n > 1024 {
			return 0
		}
		n = n*10 + int(r-'0')
	}
	if n >= 1024 {
		return 0
	}
	return n
}

// plainPorts moves a port that the file both exposes and gives to the server in
// a variable.
func (m *portMover) plainPorts() {
	exposed := map[int]bool{}
	for _, p := range m.exposed() {
		exposed[p] = m.to[p] == 0
	}
	if len(exposed) == 0 {
		return
	}
	have := m.to
	m.to = map[int]int{}
	m.environment(func(name string) bool {
		return plainPort(name) && exposed[privileged(m.Final.End.Env[name])]
	})
	for p, to := range m.to {
		have[p] = to
	}
	m.to = have
}

// portOfVariable is the privileged port that an ENV gives to the server, as it
// stands in the end.
func (m *portMover) portOfVariable(st *assess.Step) (ports []int) {
	env, ok := st.Command.(*instructions.EnvCommand)
	if !ok || m.envs[st] != "" {
		return nil
	}
	for _, kv := range env.Env {
		if plainPort(kv.Key) && m.Final.End.Env[kv.Key] == kv.Value {
			ports = append(ports, privileged(kv.Value))
		}
	}
	return ports
}

// envEdits writes the variables where they stand.
func (m *portMover) envEdits() {
	for _, st := range m.Final.ChainSteps() {
		after, ok := m.envs[st]
		if !ok {
			continue
		}
		before := m.File.Text(st.Span)
		if m.New != nil {
			for i, l := range m.New.Lines {
				if l.Text == strings.ReplaceAll(before, "\r\n", "\n") {
					m.New.Lines[i] = strategy.Line{Rule: "ports", Text: strings.ReplaceAll(after, "\r\n", "\n"), Why: "an unprivileged user cannot bind a port below 1024 everywhere"}
				}
			}
		}
		if m.movedAway(st) {
			continue
		}
		m.change(Finding{Edits: []dockerfile.Edit{replace(st.Span, after)}, Lines: st.Lines, Before: before, After: after,
			Why: "An unprivileged user cannot bind a port below 1024 everywhere; the server takes its port from this variable."})
	}
}
