package catalog

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Config is what an upstream image brings along: what a Dockerfile relies on
// without saying it. The facts are those of the image's own public Dockerfile;
// each row of data/upstream-config.json names it with its commit. It must not
// be modified.
type Config struct {
	Known      bool
	Entrypoint []string
	Cmd        []string
	User       string
	WorkDir    string
	// Env has an empty value where the value depends on the exact version:
	// the variable is defined, but nothing may be concluded from its value.
	Env            map[string]string
	Ports          []string
	Volumes        []string
	StopSignal     string
	PackageManager string   // apt, apk, dnf, microdnf, yum, tdnf or ""
	Shell          bool     // has /bin/sh
	Bash           bool     // has bash
	Programs       []string // notable programs: curl, wget, git, make, gcc, unzip, python3, npm ...
	Users          []User   // accounts beyond the usual system ones: node 1000, www-data 33, nginx 101, app 1654
	Source         string

	distro  Distro
	foreign string
}

// HasProgram tells whether the image is known to have the program.
func (c *Config) HasProgram(name string) bool {
	switch name {
	case "sh":
		return c.Shell || slices.Contains(c.Programs, name)
	case "bash":
		return c.Bash
	}
	return slices.Contains(c.Programs, name)
}

//go:embed data/upstream-config.json
var embeddedConfigs []byte

// configRow is a row of upstream-config.json. Rows are tried in their order.
type configRow struct {
	Repositories   []string          `json:"repositories"`
	When           []string          `json:"when"` // see matches
	Family         Distro            `json:"family"`
	Foreign        string            `json:"foreign"` // a distribution that is neither family
	Entrypoint     []string          `json:"entrypoint"`
	Cmd            []string          `json:"cmd"`
	User           string            `json:"user"`
	WorkDir        string            `json:"work_dir"`
	Env            map[string]string `json:"env"`
	Ports          []string          `json:"ports"`
	Volumes        []string          `json:"volumes"`
	StopSignal     string            `json:"stop_signal"`
	PackageManager string            `json:"package_manager"`
	Shell          bool              `json:"shell"`
	Bash           bool              `json:"bash"`
	Programs       []string          `json:"programs"`
	Users          []User            `json:"users"`
	Source         string            `json:"source"`

	config *Config // what every origin of the row shares
}

// configs holds the rows by repository.
var configs = sync.OnceValues(func() (map[string][]*configRow, error) {
	var rows []*configRow
	if err := json.Unmarshal(embeddedConfigs, &rows); err != nil {
		return nil, fmt.Errorf("decode upstream-config.json: %w", err)
	}
	index := make(map[string][]*configRow)
	for _, r := range rows {
		r.config = r.facts()
		for _, repository := range r.Repositories {
			index[repository] = append(index[repository], r)
		}
	}
	return index, nil
})

// upstreamConfig finds the facts for an origin; Known is false when there are
// none. What it returns is shared and must not be changed.
func upstreamConfig(o *Origin, words []string) *Config {
	index, err := configs()
	if err != nil { // the embedded rows are tested
		return &Config{}
	}
	rows, ok := index[o.Repository]
	if !ok {
		if official, trimmed := trimArchitecture(o.Repository); trimmed {
			rows = index[official]
		}
	}
	var parts [6]int
	version, _ := appendVersion(parts[:0], o.Version)
	for _, r := range rows {
		if r.matches(words, version) {
			return r.config
		}
	}
	return &Config{}
}

// matches tells whether all conditions hold: a word of the tag, with * for
// anything at its ends ("alpine*", "*chiseled*"), or a bound of the version
// ("<8", ">=18"). A tag without a version is the newest.
func (r *configRow) matches(words []string, v version) bool {
	var parts [6]int
	for _, condition := range r.When {
		if bound, ok := strings.CutPrefix(condition, ">="); ok {
			limit, _ := appendVersion(parts[:0], bound)
			if len(v) > 0 && !v.atLeast(limit) {
				return false
			}
			continue
		}
		if bound, ok := strings.CutPrefix(condition, "<"); ok {
			limit, _ := appendVersion(parts[:0], bound)
			if len(v) == 0 || v.atLeast(limit) {
				return false
			}
			continue
		}
		if !slices.ContainsFunc(words, func(w string) bool { return wordMatches(condition, w) }) {
			return false
		}
	}
	return true
}

func wordMatches(pattern, word string) bool {
	left, any := strings.CutPrefix(pattern, "*")
	core, more := strings.CutSuffix(left, "*")
	switch {
	case any && more:
		return strings.Contains(word, core)
	case any:
		return strings.HasSuffix(word, core)
	case more:
		return strings.HasPrefix(word, core)
	}
	return word == core
}

func (r *configRow) facts() *Config {
	return &Config{
		Known: true, Entrypoint: r.Entrypoint, Cmd: r.Cmd, User: r.User, WorkDir: r.WorkDir, Env: r.Env,
		Ports: r.Ports, Volumes: r.Volumes, StopSignal: r.StopSignal, PackageManager: r.PackageManager,
		Shell: r.Shell, Bash: r.Bash, Programs: r.Programs, Users: r.Users, Source: r.Source,
		distro: r.Family, foreign: r.Foreign,
	}
}
