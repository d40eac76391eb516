package project

import (
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// KubeUse is something that a Kubernetes manifest or a Helm chart says about a
// container, and that depends on the image.
type KubeUse struct {
	// What is container-port, target-port, mount, run-as-user, run-as-non-root,
	// exec-probe, command or pull-secret.
	What  string
	Value string
	// Words are those of an exec-probe.
	Words []string
	At    Evidence
	// Image is the image of the container, "" when it is not literal or when
	// the use is no container's (a Service).
	Image string
}

// Kube are the uses in manifests that concern the image of this Dockerfile:
// those whose image has the name that a build gives it, and, when the
// repository has no other Dockerfile, all. Best effort, by path and line.
func (p *Project) Kube() []KubeUse {
	names := map[string]bool{}
	for _, b := range p.Builds() {
		for _, i := range b.Images {
			names[path.Base(i)] = true
		}
	}
	only := len(p.repo.dockerfiles) == 1 && p.repo.dockerfiles[0] == p.dockerfile
	var out []KubeUse
	files := map[string]bool{}
	for _, u := range p.repo.kube {
		if u.Image != "" && names[path.Base(u.Image)] {
			files[u.At.Path] = true
		}
	}
	for _, u := range p.repo.kube {
		own := u.Image != "" && names[path.Base(u.Image)]
		// A Service beside the container, in the same file, speaks of it.
		beside := u.Image == "" && files[u.At.Path]
		if own || beside || only && u.Image == "" || only && len(names) == 0 {
			out = append(out, u)
		}
	}
	slices.SortStableFunc(out, func(a, b KubeUse) int {
		if c := strings.Compare(a.At.Path, b.At.Path); c != 0 {
			return c
		}
		return a.At.Line - b.At.Line
	})
	return out
}

var (
	kubeLine  = regexp.MustCompile(`^\s*(?:-\s*)?(containerPort|targetPort|mountPath|runAsUser|runAsNonRoot|image):\s*["']?([^"'#{}\s][^"'#{}]*?)["']?\s*(?:#.*)?$`)
	kubeWords = map[string]string{"containerPort": "container-port", "targetPort": "target-port", "mountPath": "mount", "runAsUser": "run-as-user", "runAsNonRoot": "run-as-non-root"}
)

func (s *search) manifest(file, content string) {
	if !strings.Contains(content, "ontainer") && !strings.Contains(content, "targetPort") && !strings.Contains(content, "kind:") && !strings.Contains(content, "image") {
		return
	}
	docs, err := yamlDocs(content)
	if err != nil || strings.Contains(content, "{{") {
		s.manifestLines(file, content)
		return
	}
	for _, doc := range docs {
		if scalar(doc, "kind") == "Service" {
			for _, p := range items(field(doc, "spec", "ports")) {
				if v := scalar(p, "targetPort"); v != "" {
					s.use("target-port", v, file, keyLine(p, "targetPort"), "")
				}
			}
		}
		visit(doc, 0, func(n *yaml.Node) {
			if n.Kind != yaml.MappingNode {
				return
			}
			for _, key := range []string{"containers", "initContainers"} {
				for _, c := range items(field(n, key)) {
					s.container(file, c, n)
				}
			}
		})
	}
}

func (s *search) use(what, value, file string, line int, image string) {
	s.keep(KubeUse{What: what, Value: value, At: Evidence{file, line}, Image: image})
}

func (s *search) keep(u KubeUse) {
	if len(s.kube) < 2000 && u.Value != "" {
		u.Value = shorten(u.Value)
		s.kube = append(s.kube, u)
	}
}

func (s *search) container(file string, c, pod *yaml.Node) {
	image := imageName(scalar(c, "image"))
	for _, p := range items(field(c, "ports")) {
		s.use("container-port", scalar(p, "containerPort"), file, keyLine(p, "containerPort"), image)
	}
	for _, m := range items(field(c, "volumeMounts")) {
		s.use("mount", scalar(m, "mountPath"), file, keyLine(m, "mountPath"), image)
	}
	for _, sc := range []*yaml.Node{field(c, "securityContext"), field(pod, "securityContext")} {
		s.use("run-as-user", scalar(sc, "runAsUser"), file, keyLine(sc, "runAsUser"), image)
		s.use("run-as-non-root", scalar(sc, "runAsNonRoot"), file, keyLine(sc, "runAsNonRoot"), image)
	}
	for _, probe := range []string{"livenessProbe", "readinessProbe", "startupProbe"} {
		if e := field(c, probe, "exec"); e != nil {
			if w := wordsOf(file, e, "command"); w != nil {
				s.keep(KubeUse{What: "exec-probe", Value: w.Value, Words: w.Words, At: w.At, Image: image})
			}
		}
	}
	for _, key := range []string{"command", "args"} {
		if w := wordsOf(file, c, key); w != nil {
			s.use("command", w.Value, file, w.At.Line, image)
		}
	}
	for _, i := range items(field(pod, "imagePullSecrets")) {
		s.use("pull-secret", scalar(i, "name"), file, i.Line, image)
	}
}

// manifestLines reads a template, which is no YAML, line by line. A literal
// image above a line is taken for its container's.
func (s *search) manifestLines(file, content string) {
	image := ""
	for i, l := range strings.Split(content, "\n") {
		if strings.Contains(l, "containers:") || strings.TrimSpace(l) == "---" {
			image = ""
		}
		m := kubeLine.FindStringSubmatch(l)
		if m == nil {
			continue
		}
		switch m[1] {
		case "image":
			image = imageName(m[2])
		case "containerPort", "targetPort":
			if _, err := strconv.Atoi(m[2]); err == nil {
				s.use(kubeWords[m[1]], m[2], file, i+1, image)
			}
		default:
			s.use(kubeWords[m[1]], m[2], file, i+1, image)
		}
	}
}
