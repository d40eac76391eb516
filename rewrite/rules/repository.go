package rules

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"dhibot/rewrite/project"
	"dhibot/rewrite/strategy"
)

// The checklist items that come from what the repository says about building
// and running the image. They name the file and the line.

// registry tells who must be able to pull the new images.
func (p *Pass) registry() {
	host := "dhi.io"
	repo := p.Naming.Repository("x")
	switch first, _, _ := strings.Cut(repo, "/"); {
	case strings.ContainsAny(first, ".:"):
		host = first
	default:
		host = "Docker Hub"
	}
	c := Check{Rule: "base-image"}
	var missing []Where
	logged := 0
	for _, b := range p.builds() {
		switch b.Kind {
		case "workflow", "ci", "script", "make", "skaffold":
		default:
			continue
		}
		has := false
		for _, l := range b.Logins {
			has = has || l == host || host == "Docker Hub" && (l == "" || l == "docker.io")
		}
		if has {
			logged++
			continue
		}
		if at := (Where{Path: b.Evidence.Path, Line: b.Evidence.Line}); !slices.Contains(missing, at) { // one line can build several targets
			missing = append(missing, at)
		}
	}
	switch {
	case len(missing) > 0:
		c.Text = fmt.Sprintf("Log in to %s before the build, in every place that builds this Dockerfile: pulling needs an account.", host)
		c.Where = missing
	case logged > 0:
		return
	default:
		c.Text = fmt.Sprintf("Log in to %s (`docker login %s`) wherever this image is built: pulling needs an account.", host, hostArgument(host))
	}
	p.Checks = append(p.Checks, c)
}

func hostArgument(host string) string {
	if host == "Docker Hub" {
		return ""
	}
	return host
}

func (p *Pass) builds() []project.Build {
	if p.Project == nil || !p.Project.Known() {
		return nil
	}
	return p.Project.Builds()
}

// buildArguments warns where a build overrides an ARG that images depend on.
func (p *Pass) buildArguments() {
	names := map[string]bool{}
	for _, s := range p.All {
		if s.Parent == nil && s.Pick != nil {
			for _, a := range s.Base.Args {
				names[a.Name] = true
			}
		}
	}
	if len(names) == 0 {
		return
	}
	byName := map[string][]Where{}
	for _, b := range p.builds() {
		for _, a := range b.Args {
			if names[a.Name] {
				byName[a.Name] = append(byName[a.Name], Where{Path: a.At.Path, Line: a.At.Line})
			}
		}
	}
	for _, n := range sortedKeys(byName) {
		p.Checks = append(p.Checks, Check{Rule: "base-image", Text: fmt.Sprintf("A build sets ARG %s, which the base image depends on. Its value must be a version that DHI has.", n), Where: byName[n]})
	}
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

// targets names builds of a stage other than the last one.
func (p *Pass) targetBuilds() {
	for _, b := range p.builds() {
		if b.Target == "" || strings.EqualFold(b.Target, p.Final.Name) {
			continue
		}
		for _, s := range p.All {
			if s.Name == "" || !strings.EqualFold(s.Name, b.Target) || s == p.Final || p.rootOf(s).Pick == nil {
				continue
			}
			p.Checks = append(p.Checks, Check{Rule: "multi-stage",
				Text:  fmt.Sprintf("Stage %s is built on its own here. It is on a dev image now (root, with a shell): fine for development and tests, not for what ships.", s.Name),
				Where: []Where{{Path: b.Evidence.Path, Line: b.Evidence.Line}}})
		}
	}
}

func (p *Pass) rootOf(s *strategy.Stage) *strategy.Stage {
	for _, t := range p.All {
		if t.Stage == s.Root() {
			return t
		}
	}
	return s
}

// portUses are the places outside of the Dockerfile that name a container port.
func (p *Pass) portUses(port int) []Where {
	var out []Where
	for _, b := range p.builds() {
		if b.Service == nil {
			continue
		}
		for _, q := range b.Service.Ports {
			if q.Container == port {
				out = append(out, Where{Path: q.At.Path, Line: q.At.Line})
			}
		}
	}
	for _, k := range p.kube() {
		if (k.What == "container-port" || k.What == "target-port") && k.Value == fmt.Sprint(port) {
			out = append(out, Where{Path: k.At.Path, Line: k.At.Line})
		}
	}
	return out
}

func (p *Pass) kube() []project.KubeUse {
	if p.Project == nil || !p.Project.Known() {
		return nil
	}
	return p.Project.Kube()
}

// mounts are the volumes that are mounted into the container.
func (p *Pass) mounts() []Where {
	var out []Where
	add := func(at project.Evidence) {
		if w := (Where{Path: at.Path, Line: at.Line}); !slices.Contains(out, w) { // an anchor of YAML serves several services
			out = append(out, w)
		}
	}
	for _, b := range p.builds() {
		if b.Service == nil || b.Target != "" && !strings.EqualFold(b.Target, p.Final.Name) {
			continue
		}
		for _, m := range b.Service.Volumes {
			add(m.At)
		}
	}
	for _, k := range p.kube() {
		if k.What == "mount" {
			add(k.At)
		}
	}
	return out
}
