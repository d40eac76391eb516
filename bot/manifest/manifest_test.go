package manifest

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"
)

// TestAppManifest holds the lists to the manifest that people install.
func TestAppManifest(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../app.yml")
	if err != nil {
		t.Fatal(err)
	}
	var app struct {
		Permissions map[string]string `yaml:"default_permissions"`
		Events      []string          `yaml:"default_events"`
	}
	if err := yaml.Unmarshal(text, &app); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Permissions(), app.Permissions); diff != "" {
		t.Errorf("permissions (-here +app.yml):\n%s", diff)
	}
	if diff := cmp.Diff(Events(), app.Events); diff != "" {
		t.Errorf("events (-here +app.yml):\n%s", diff)
	}
}
