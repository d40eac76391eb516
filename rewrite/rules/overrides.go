package rules

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"dhibot/rewrite/project"
)

// overrides are the places that start the container otherwise than the image
// says: they run on the new image as well, which may have no shell.
func (p *Pass) overrides() {
	var shells, commands places
	var checks probes
	bare := p.finalDefinition().Shell() == ""
	for _, r := range p.runs() {
		if r.Target != "" && !strings.EqualFold(r.Target, p.Final.Name) {
			continue
		}
		e, c := r.Service.Entrypoint, r.Service.Command
		switch {
		case bare && e != nil && startsShell(e.Value):
			shells.add(r.Name, e.At)
			e = nil
			if c != nil {
				c = nil // what that shell is given
			}
		case bare && e == nil && c != nil && startsShell(c.Value) && p.Final.End.Entrypoint.Step == nil:
			shells.add(r.Name, c.At)
			c = nil
		}
		for _, s := range []*project.Setting{c, e} {
			if s != nil {
				commands.add(r.Name, s.At)
			}
		}
		if h := r.Service.Healthcheck; h != nil && h.Value != "NONE" {
			checks.compose(p, r.Name, h)
		}
	}
	for _, k := range p.kube() {
		switch k.What {
		case "command":
			commands.add("", k.At)
		case "exec-probe":
			checks.kube(p, k)
		}
	}
	shells.check(p, "no-shell", "The container is started with a shell here%s, and the new image has none: it would not start. Give the program and its arguments instead.")
	without := "a shell and without a package manager"
	if !bare {
		without = "a package manager"
	}
	commands.check(p, "entry-point", "The container is started with another command here%s. It must work without "+without+".")
	checks.check(p)
}

func (p *Pass) runs() []project.Run {
	if p.Project == nil || !p.Project.Known() {
		return nil
	}
	return p.Project.Runs()
}

// startsShell tells whether a command or entrypoint of compose, whose words are
// not given to a shell by compose itself, begins with one.
func startsShell(words string) bool {
	first, _, _ := strings.Cut(strings.TrimSpace(words), " ")
	switch path.Base(first) {
	case "sh", "bash", "dash", "ash", "zsh":
		return true
	}
	return false
}

// places are lines with the services that they are about.
type places struct {
	where    []Where
	services []string
}

func (l *places) add(service string, at project.Evidence) {
	l.where = append(l.where, Where{Path: at.Path, Line: at.Line})
	if serviceName.MatchString(service) && !slices.Contains(l.services, service) {
		l.services = append(l.services, service)
	}
}

// serviceName are the names that compose allows.
var serviceName = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,63}$`)

// check says text, with the services in the place of its %s, unless there are no
// places.
func (l *places) check(p *Pass, rule, text string) {
	if len(l.where) == 0 {
		return
	}
	slices.SortStableFunc(l.where, func(a, b Where) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line))
	})
	l.where = slices.Compact(l.where)
	const most = 6
	names, who := l.services, ""
	if more := len(names) - most; more > 0 {
		names = append(slices.Clone(names[:most]), fmt.Sprintf("%d more", more))
	}
	for i, n := range names {
		switch {
		case i == 0 && len(names) == 1:
			who = ", for the service "
		case i == 0:
			who = ", for the services "
		case i == len(names)-1:
			who += " and "
		default:
			who += ", "
		}
		who += n
	}
	p.Checks = append(p.Checks, Check{Rule: rule, Text: fmt.Sprintf(text, who), Where: l.where})
}
