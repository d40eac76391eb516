package main

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
	"golang.org/x/mod/modfile"
)

// TestDependencies: docs/dependencies.md has a row, with the version, for each
// module that go.mod asks for directly, and none for what is not in it.
func TestDependencies(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	mod, err := modfile.Parse("go.mod", text, nil)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile("../../docs/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (\\S+) \\| (.+) \\|$").FindAllStringSubmatch(string(doc), -1) {
		rows[m[1]] = m[2]
	}
	for _, r := range mod.Require {
		version, ok := rows[r.Mod.Path]
		delete(rows, r.Mod.Path)
		switch {
		case r.Indirect && !ok:
		case !ok:
			t.Errorf("%s %s has no row", r.Mod.Path, r.Mod.Version)
		case version != r.Mod.Version:
			t.Errorf("%s is at %s in the table and %s in go.mod", r.Mod.Path, version, r.Mod.Version)
		}
	}
	for path := range rows {
		t.Errorf("%s has a row and is not in go.mod", path)
	}
}

// TestLinksInDocs: every relative link of the documentation leads to a file.
func TestLinksInDocs(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	rules, err := filepath.Glob("../../docs/rules/*.md")
	if err != nil {
		t.Fatal(err)
	}
	files = append(append(files, rules...), "../../README.md", "../../CONTRIBUTING.md")
	link := regexp.MustCompile(`\]\(([^)#\s]+)(?:#[^)]*)?\)`)
	found := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			found++
			if _, err := os.Stat(filepath.Join(filepath.Dir(file), m[1])); err != nil {
				t.Errorf("%s links to %s, which is not there", file, m[1])
			}
		}
	}
	if found == 0 {
		t.Error("no links were found: the pattern is wrong")
	}
}

// metricsOfSources are the labels of every metric that the sources define.
func metricsOfSources(t *testing.T) map[string][]string {
	t.Helper()
	defined := map[string][]string{}
	definition := regexp.MustCompile(`(?s)(?:Name: |NewDesc\()"(dhibot_\w+)".*?(nil|\[\]string\{([^}]*)\})`)
	for _, pattern := range []string{"../../webhooks/*.go", "server/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range definition.FindAllStringSubmatch(string(text), -1) {
				labels := []string{}
				for label := range strings.SplitSeq(m[3], ",") {
					labels = append(labels, strings.Trim(label, ` "`))
				}
				defined[m[1]] = labels
			}
		}
	}
	return defined
}

// TestDeployFiles: every file parses, and alerts and dashboard ask for metrics
// and labels that the sources define.
func TestDeployFiles(t *testing.T) {
	t.Parallel()
	defined := metricsOfSources(t)
	selector, group := regexp.MustCompile(`(dhibot_\w+)(?:\{([^}]*)\})?`), regexp.MustCompile(`\bby \(([^)]*)\)`)
	for _, file := range []string{"compose.yaml", "kubernetes/dhibot.yaml", "alerts.yaml", "dashboard.json"} {
		text, err := os.ReadFile(filepath.Join("../../deploy", file))
		if err != nil {
			t.Fatal(err)
		}
		for i, doc := range strings.Split(string(text), "\n---\n") {
			var v map[string]any
			if err := yaml.Unmarshal([]byte(doc), &v); err != nil || len(v) == 0 {
				t.Errorf("%s, document %d: %d keys, %v", file, i+1, len(v), err)
			}
		}
		if file != "alerts.yaml" && file != "dashboard.json" {
			continue
		}
		asked := 0
		for line := range strings.Lines(string(text)) {
			if regexp.MustCompile(`\bsum\b.*dhibot_inbox_`).MatchString(line) {
				t.Errorf("%s adds up what every process says of the one queue that they share: %s", file, strings.TrimSpace(line))
			}
			known := []string{"le"} // of histograms
			for _, m := range selector.FindAllStringSubmatch(line, -1) {
				asked++
				name := strings.TrimSuffix(m[1], "_bucket")
				labels, ok := defined[name]
				if !ok {
					t.Errorf("%s asks for %s, which is defined nowhere", file, name)
				}
				known = append(known, labels...)
				for _, l := range regexp.MustCompile(`(\w+)\s*[=!]`).FindAllStringSubmatch(m[2], -1) {
					if !slices.Contains(labels, l[1]) {
						t.Errorf("%s asks for %s by %s, which has only %v", file, name, l[1], labels)
					}
				}
			}
			for _, m := range group.FindAllStringSubmatch(line, -1) {
				for l := range strings.SplitSeq(m[1], ",") {
					if l = strings.TrimSpace(l); !slices.Contains(known, l) {
						t.Errorf("%s groups by %s, which none of the metrics has: %s", file, l, strings.TrimSpace(line))
					}
				}
			}
		}
		if asked == 0 {
			t.Errorf("%s asks for no metric", file)
		}
	}
}

// TestCompose: the deployment starts the server with settings that it knows.
func TestCompose(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../deploy/compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var compose struct {
		Services map[string]struct {
			Environment map[string]string
			ReadOnly    bool `yaml:"read_only"`
			Volumes     []string
			MemLimit    string `yaml:"mem_limit"`
		}
	}
	if err := yaml.Unmarshal(text, &compose); err != nil {
		t.Fatal(err)
	}
	s, ok := compose.Services["dhibot"]
	if !ok || !s.ReadOnly || len(s.Volumes) == 0 {
		t.Errorf("service dhibot: %+v", s)
	}
	help, err := program(t, "serve", "--help").Output()
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range s.Environment {
		if name == "GOMEMLIMIT" { // of Go's runtime, which has to give memory back before the limit
			soft, err1 := strconv.Atoi(strings.TrimSuffix(value, "MiB"))
			hard, err2 := strconv.Atoi(strings.TrimSuffix(s.MemLimit, "m"))
			if err := errors.Join(err1, err2); err != nil || soft > hard*9/10 || soft < hard/2 {
				t.Errorf("GOMEMLIMIT is %s, and the limit of the container %s: %v", value, s.MemLimit, err)
			}
			continue
		}
		if !strings.Contains(string(help), "$"+name) {
			t.Errorf("dhibot serve does not know %s:\n%s", name, help)
		}
	}
}
