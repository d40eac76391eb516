package project

import (
	"bytes"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"
)

// maxYAMLDepth bounds how deep documents are walked.
const maxYAMLDepth = 60

// yamlDocs parses all documents of a file; err is not nil when one is broken,
// and docs holds those before it.
func yamlDocs(content string) (docs []*yaml.Node, err error) {
	defer func() {
		if r := recover(); r != nil {
			docs, err = nil, fmt.Errorf("reading YAML: %v", r)
		}
	}()
	dec := yaml.NewDecoder(bytes.NewReader([]byte(content)))
	for range 200 {
		var n yaml.Node
		if err := dec.Decode(&n); err != nil {
			if err.Error() == "EOF" {
				return docs, nil
			}
			return docs, err
		}
		if n.Kind == yaml.DocumentNode && len(n.Content) > 0 {
			docs = append(docs, n.Content[0])
		}
	}
	return docs, nil
}

// deref follows an alias once; nil stays nil.
func deref(n *yaml.Node) *yaml.Node {
	if n != nil && n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// field is the value of a key of a mapping, merge keys included; nil when it
// is missing.
func field(n *yaml.Node, keys ...string) *yaml.Node {
	for _, k := range keys {
		if n = fieldOf(n, k, 0); n == nil {
			return nil
		}
	}
	return n
}

func fieldOf(n *yaml.Node, key string, depth int) *yaml.Node {
	n = deref(n)
	if n == nil || n.Kind != yaml.MappingNode || depth > 5 {
		return nil
	}
	var merged *yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		switch n.Content[i].Value {
		case key:
			return deref(n.Content[i+1])
		case "<<":
			m := deref(n.Content[i+1])
			if m != nil && m.Kind == yaml.SequenceNode {
				for _, x := range m.Content {
					if v := fieldOf(x, key, depth+1); v != nil && merged == nil {
						merged = v
					}
				}
			} else if v := fieldOf(m, key, depth+1); v != nil {
				merged = v
			}
		}
	}
	return merged
}

// keyLine is the line of a key in a mapping, 0 when it is missing.
func keyLine(n *yaml.Node, key string) int {
	n = deref(n)
	if n == nil || n.Kind != yaml.MappingNode {
		return 0
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i].Line
		}
	}
	return 0
}

// scalar is the text of a scalar field, "" for anything else.
func scalar(n *yaml.Node, keys ...string) string {
	n = field(n, keys...)
	if n == nil || n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		return ""
	}
	return n.Value
}

type pair struct{ key, value *yaml.Node }

// pairs are the entries of a mapping, in order.
func pairs(n *yaml.Node) []pair {
	n = deref(n)
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	out := make([]pair, 0, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		out = append(out, pair{n.Content[i], deref(n.Content[i+1])})
	}
	return out
}

// items are the elements of a sequence.
func items(n *yaml.Node) []*yaml.Node {
	n = deref(n)
	if n == nil || n.Kind != yaml.SequenceNode {
		return nil
	}
	out := make([]*yaml.Node, 0, len(n.Content))
	for _, c := range n.Content {
		if c = deref(c); c != nil {
			out = append(out, c)
		}
	}
	return out
}

// assignments reads a mapping or a list of NAME=value.
func assignments(n *yaml.Node, file string) []Setting {
	var out []Setting
	for _, p := range pairs(n) {
		s := Setting{Name: p.key.Value, At: Evidence{file, p.key.Line}}
		if p.value != nil && p.value.Kind == yaml.ScalarNode {
			s.Value = p.value.Value
		}
		out = append(out, s)
	}
	for _, i := range items(n) {
		if i.Kind == yaml.ScalarNode {
			k, v, _ := strings.Cut(i.Value, "=")
			out = append(out, Setting{Name: k, Value: v, At: Evidence{file, i.Line}})
		}
	}
	return out
}

// Setting is a name with a value, and where it stands.
type Setting struct {
	Name, Value string
	// Words is the list that Value joins; nil for a text.
	Words []string
	At    Evidence
}

// visit walks all nodes below n without following aliases.
func visit(n *yaml.Node, depth int, f func(*yaml.Node)) {
	if n == nil || depth > maxYAMLDepth {
		return
	}
	f(n)
	for _, c := range n.Content {
		visit(c, depth+1, f)
	}
}
