package project

import (
	"path"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Service is what a compose file says about running an image.
type Service struct {
	Ports   []Port
	Volumes []Mount
	User    *Setting
	// Command, Entrypoint and Healthcheck are overrides; the value is the text
	// or the words joined by spaces.
	Command, Entrypoint, Healthcheck *Setting
	Environment                      []Setting
}

// Port is a published port.
type Port struct {
	Host, Container int // 0 when it is not literal
	At              Evidence
}

// Mount is a volume or a directory mounted into the container.
type Mount struct {
	Source, Target string
	At             Evidence
}

func (s *search) compose(name, content string) {
	docs, _ := yamlDocs(content)
	for _, doc := range docs {
		for _, p := range pairs(field(doc, "services")) {
			s.composeService(name, p)
		}
	}
}

func (s *search) composeService(file string, p pair) {
	build := field(p.value, "build")
	if build == nil {
		s.composeUse(file, p)
		return
	}
	b := Build{Kind: "compose", Name: p.key.Value, Evidence: Evidence{file, keyLine(p.value, "build")}}
	if b.Evidence.Line == 0 {
		b.Evidence.Line = p.key.Line
	}
	if build.Kind == yaml.ScalarNode {
		b.Context = expandDefaults(build.Value)
	} else {
		if field(build, "dockerfile_inline") != nil {
			return
		}
		b.Context = expandDefaults(scalar(build, "context"))
		if b.Context == "" {
			b.Context = "."
		}
		b.Dockerfile = expandDefaults(scalar(build, "dockerfile"))
		b.Target = expandDefaults(scalar(build, "target"))
		b.Args = assignments(field(build, "args"), file)
		if l := keyLine(build, "target"); l > 0 && b.Target != "" {
			b.Evidence.Line = l
		}
	}
	if img := imageName(scalar(p.value, "image")); img != "" {
		b.Images = append(b.Images, img)
	}
	b.Service = composeRun(file, p.value)
	s.add(b, path.Dir(file), true)
}

func composeRun(file string, n *yaml.Node) *Service {
	sv := &Service{Environment: assignments(field(n, "environment"), file)}
	for _, i := range items(field(n, "ports")) {
		sv.Ports = append(sv.Ports, composePorts(file, i)...)
	}
	for _, i := range items(field(n, "volumes")) {
		m := Mount{At: Evidence{file, i.Line}}
		if i.Kind == yaml.MappingNode {
			m.Source, m.Target = scalar(i, "source"), scalar(i, "target")
		} else {
			parts := strings.Split(expandDefaults(i.Value), ":")
			m.Target = parts[0]
			if len(parts) > 1 {
				m.Source, m.Target = parts[0], parts[1]
			}
		}
		if m.Target != "" {
			sv.Volumes = append(sv.Volumes, m)
		}
	}
	sv.User = wordsOf(file, n, "user")
	sv.Command = wordsOf(file, n, "command")
	sv.Entrypoint = wordsOf(file, n, "entrypoint")
	if h := field(n, "healthcheck"); h != nil {
		sv.Healthcheck = wordsOf(file, h, "test")
	}
	return sv
}

// wordsOf is a field that is a text or a list of words.
func wordsOf(file string, n *yaml.Node, key string) *Setting {
	v := field(n, key)
	if v == nil {
		return nil
	}
	st := &Setting{Name: key, At: Evidence{file, keyLine(n, key)}}
	if st.At.Line == 0 { // merged in from an anchor
		st.At.Line = v.Line
	}
	if v.Kind == yaml.ScalarNode {
		st.Value = v.Value
		return st
	}
	for _, i := range items(v) {
		st.Words = append(st.Words, i.Value)
	}
	st.Value = strings.Join(st.Words, " ")
	return st
}

// composePorts reads "80", "8080:80", "127.0.0.1:8080:80/tcp",
// "3000-3001:3000-3001" and the long form.
func composePorts(file string, n *yaml.Node) []Port {
	at := Evidence{file, n.Line}
	if n.Kind == yaml.MappingNode {
		return []Port{{Host: number(scalar(n, "published")), Container: number(scalar(n, "target")), At: at}}
	}
	text, _, _ := strings.Cut(expandDefaults(n.Value), "/")
	parts := strings.Split(text, ":")
	container := parts[len(parts)-1]
	host := ""
	if len(parts) > 1 {
		host = parts[len(parts)-2]
	}
	if from, to, ok := strings.Cut(container, "-"); ok {
		a, b := number(from), number(to)
		var out []Port
		for p := a; p > 0 && p <= b && len(out) < 20; p++ {
			out = append(out, Port{Container: p, At: at})
		}
		return out
	}
	return []Port{{Host: number(host), Container: number(container), At: at}}
}

// number is a port number, 0 when the text is none.
func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > 65535 {
		return 0
	}
	return n
}
