package discover

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"go.yaml.in/yaml/v4"
)

// parseCompose reads services.*.build of a compose file: a folder, whose
// Dockerfile has its usual name, or a mapping with context and dockerfile
// (compose-spec, build.md).
func parseCompose(content []byte) ([]build, error) {
	var file struct {
		Services map[string]struct {
			Build composeBuild `yaml:"build"`
		} `yaml:"services"`
	}
	if err := yaml.Unmarshal(content, &file); err != nil {
		return nil, fmt.Errorf("not a compose file: %w", err)
	}
	var out []build
	for _, name := range slices.Sorted(maps.Keys(file.Services)) {
		out = append(out, file.Services[name].Build.build)
	}
	return out, nil
}

// composeBuild takes the mapping and minds no other value: one that compose
// would refuse names no Dockerfile, and the services beside it still do.
type composeBuild struct{ build }

// UnmarshalYAML implements yaml.Unmarshaler.
func (b *composeBuild) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		value := n.Content[i+1]
		if value.Kind == yaml.AliasNode {
			value = value.Alias
		}
		if value.Kind != yaml.ScalarNode {
			continue
		}
		switch n.Content[i].Value {
		case "context":
			b.context = value.Value
		case "dockerfile":
			b.dockerfile = value.Value
		}
	}
	return nil
}

// parseBakeJSON reads target.*.{context,dockerfile} of a bake file.
func parseBakeJSON(content []byte) ([]build, error) {
	var file struct {
		Target map[string]struct {
			Context    any `json:"context"`
			Dockerfile any `json:"dockerfile"`
		} `json:"target"`
	}
	if err := json.Unmarshal(content, &file); err != nil {
		return nil, fmt.Errorf("not a bake file: %w", err)
	}
	var out []build
	for _, name := range slices.Sorted(maps.Keys(file.Target)) {
		t := file.Target[name]
		dockerfile, _ := t.Dockerfile.(string)
		context, _ := t.Context.(string)
		out = append(out, build{context, dockerfile})
	}
	return out, nil
}
