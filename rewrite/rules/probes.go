package rules

import (
	"fmt"
	"slices"

	"dhibot/rewrite/project"
	"dhibot/rewrite/strategy"
)

// probes are the health checks outside of the Dockerfile that run a command in
// the container, by what they lack on the new image and what does the same.
type probes struct {
	kinds []probe
	lists []places
}

// probe is what health checks have in common. Both are empty when nothing is
// known to be missing.
type probe struct{ missing, instead string }

// compose adds the test of a service: a text for a shell, or a list whose first
// word says what the others are.
func (l *probes) compose(p *Pass, service string, test *project.Setting) {
	words, shell := test.Words, false
	switch {
	case words == nil && test.Value != "":
		words, shell = []string{test.Value}, true
	case words == nil:
	case words[0] == "CMD", words[0] == "CMD-SHELL":
		words, shell = words[1:], words[0] == "CMD-SHELL"
	default:
		words = nil
	}
	var kind probe
	kind.missing, kind.instead = strategy.Probe(p.Final.Stage, p.finalDefinition(), words, shell, "CMD")
	if kind.instead != "" {
		kind.instead = "test: " + kind.instead
	}
	l.add(kind, service, test.At)
}

// kube adds an exec probe of a manifest.
func (l *probes) kube(p *Pass, k project.KubeUse) {
	var kind probe
	kind.missing, kind.instead = strategy.Probe(p.Final.Stage, p.finalDefinition(), k.Words, false)
	if kind.instead != "" {
		kind.instead = "command: " + kind.instead
	}
	l.add(kind, "", k.At)
}

func (l *probes) add(kind probe, service string, at project.Evidence) {
	i := slices.Index(l.kinds, kind)
	if i < 0 {
		i = len(l.kinds)
		l.kinds, l.lists = append(l.kinds, kind), append(l.lists, places{})
	}
	l.lists[i].add(service, at)
}

func (l *probes) check(p *Pass) {
	without := "a shell, curl and wget"
	if p.finalDefinition().Shell() != "" {
		without = "curl and wget"
	}
	for i, k := range l.kinds {
		text := "A health check runs a command in the container here%s. It must work without " + without + "."
		if k.missing != "" {
			text = fmt.Sprintf("A health check runs in the container here%%s. It needs %s, which the new image does not have: every container would count as unhealthy. ", k.missing)
			if k.instead != "" {
				text += "The same question for the new image: " + "`" + k.instead + "`."
			} else {
				text += "Have it run a program that the image has, without a shell."
			}
		}
		l.lists[i].check(p, "no-shell", text)
	}
}
