package rules

import (
	"fmt"

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
		URL:    "https://docs.docker.com/dhi/troubleshoot/#privileged-ports",
		Run:    runPorts,
	}
}

func runPorts(p *Pass) {
	root := p.finalRoot()
	if root == nil || root.Pick == nil || p.Shape == strategy.ShapeNone || p.Shape == strategy.ShapeDev || p.RunUser.Root {
		return
	}
	p.portsTogether()
	for _, port := range p.Final.End.Ports {
		if port.Step == nil || port.Number == 0 || port.Number >= 1024 || p.portMoved(port.Number) {
			continue
		}
		p.check(fmt.Sprintf("Port %d needs root in Kubernetes and in Docker Engine before 20.10. Let the program listen on 1025 or higher and change EXPOSE, port mappings and probes with it.", port.Number), port.Step.Lines[0])
	}
	p.notes()
}

// portsTogether moves ports whose server configuration is at hand.
func (p *Pass) portsTogether() {}

func (p *Pass) portMoved(int) bool { return false }
