// Package config reads the settings of a repository: .github/dhi.yml there, on
// top of the same file in the organisation's .github repository.
//
// It is strict: every unknown key, wrong type and impossible value is reported,
// all of them at once, with line and column. The list of keys in keys.go is the
// only one: the reader, the JSON schema and docs/configuration.md come from it.
package config

//go:generate go test . -run TestGenerated -update

import (
	"path"
	"strings"

	"dhibot/rewrite"
	"dhibot/rewrite/catalog"

	"github.com/bmatcuk/doublestar/v4"
)

// Path is where the settings are, in a repository and in the organisation's
// OrganisationRepository.
//
// Misnamed is where people put them as well, because many programs take either
// ending. Only one name is read, so that no two files can contradict each other;
// but who has written that file wants something of us, so it is a mistake and
// never passed over, see File.Misnamed.
const (
	Path                   = ".github/dhi.yml"
	Misnamed               = ".github/dhi.yaml"
	OrganisationRepository = ".github"
)

// IsSettings tells whether a change of the file at path can change the settings.
func IsSettings(path string) bool { return path == Path || path == Misnamed }

// Mode is what the App does by itself.
type Mode string

// The modes, from the one that does most.
const (
	Open     Mode = "open"     // opens pull requests by itself, within the organisation's budget; the default
	Report   Mode = "report"   // looks and reports, and opens no pull request for anybody
	Commands Mode = "commands" // only what somebody asks for in a comment
	Off      Mode = "off"      // nothing at all
)

// Reopen is what happens after somebody closed the pull request.
type Reopen string

// The choices.
const (
	Never   Reopen = "never"   // it stays closed until somebody asks again; the default
	Changed Reopen = "changed" // it comes back when the proposal has changed
)

// Explain is where the reasons of changes stand.
type Explain string

// The places.
const (
	InBody Explain = "body"   // in the text of the pull request; the default
	Inline Explain = "inline" // beside the lines, as remarks of a review
	Both   Explain = "both"
)

// Grouping is how many pull requests a repository gets.
type Grouping string

// The choices.
const (
	ByRepository Grouping = "repository" // one for all Dockerfiles; the default
	ByDirectory  Grouping = "directory"  // one for every folder with Dockerfiles
	ByDockerfile Grouping = "dockerfile" // one for every Dockerfile
)

// Guard is what becomes of other people's pull requests that bring in a base
// image which has a hardened equivalent.
type Guard string

// The choices.
const (
	GuardOff  Guard = "off"  // nothing; the default
	GuardWarn Guard = "warn" // a check run that is neutral
	GuardFail Guard = "fail" // a check run that fails
)

// Onboarding is where the App tells an organisation what it does.
type Onboarding string

// The choices.
const (
	OnboardingIssue Onboarding = "issue" // in an issue of OrganisationRepository; the default
	OnboardingNone  Onboarding = "none"
)

// Config are the settings in force for a repository. The zero value is not
// usable; see Default.
type Config struct {
	Mode              Mode              `yaml:"mode"`
	Reopen            Reopen            `yaml:"reopen"`
	Group             Grouping          `yaml:"group"`
	MaxOpen           int               `yaml:"max_open"`
	Explain           Explain           `yaml:"explain"`
	Guard             Guard             `yaml:"guard"`
	Registry          string            `yaml:"registry"`
	Namespace         string            `yaml:"namespace"`
	Prefix            string            `yaml:"prefix"`
	Distro            string            `yaml:"distro"`
	RuntimeNeedsShell string            `yaml:"runtime_needs_shell"`
	MissingVersion    string            `yaml:"missing_version"`
	Images            map[string]string `yaml:"images"`
	Include           []string          `yaml:"include"`
	Ignore            []string          `yaml:"ignore"`
	IgnoreImages      []string          `yaml:"ignore_images"`
	OrgPerHour        int               `yaml:"org_per_hour"`
	OrgOpen           int               `yaml:"org_open"`
	FirstWave         Wave              `yaml:"first_wave"`
	Onboarding        Onboarding        `yaml:"onboarding"`
	Lock              []string          `yaml:"lock"`
}

// Default returns the settings of a repository that has no file.
func Default() Config {
	return Config{
		Mode: Open, Reopen: Never, Group: ByRepository, MaxOpen: 1, Explain: InBody, Guard: GuardOff, Distro: "keep", RuntimeNeedsShell: "dev", MissingVersion: "report",
		OrgPerHour: 10, OrgOpen: 30, FirstWave: Wave{Percent: 10}, Onboarding: OnboardingIssue,
	}
}

// Options are the settings in the engine's words.
func (c Config) Options() rewrite.Options {
	o := rewrite.Options{
		Naming:            catalog.Naming{Registry: c.Registry, Namespace: c.Namespace, Prefix: c.Prefix},
		RuntimeNeedsShell: rewrite.ShellPolicy(c.RuntimeNeedsShell),
		Images:            c.Images,
	}
	if c.Distro != "keep" {
		o.Distro = catalog.Distro(c.Distro)
	}
	if c.MissingVersion == "nearest" {
		o.MissingVersion = catalog.NearestVersion
	}
	return o
}

// Login is the registry that a build has to log in to: the first part of every
// reference that the migration writes. Docker Hub is "docker.io".
func (c Config) Login() string {
	switch {
	case c.Registry != "":
		host, _, _ := strings.Cut(c.Registry, "/")
		return host
	case c.Namespace != "":
		return "docker.io"
	default:
		return "dhi.io"
	}
}

// Wants tells whether a Dockerfile is to be looked at. Otherwise why says which
// setting leaves it out, as a sentence with the pattern in backticks.
func (c Config) Wants(file string) (ok bool, why string) {
	if p, hit := Match(c.Ignore, file); hit {
		return false, "`ignore` in the settings has `" + p + "`"
	}
	if len(c.Include) > 0 {
		if _, hit := Match(c.Include, file); !hit {
			return false, "no pattern of `include` in the settings matches it"
		}
	}
	return true, ""
}

// WantsImage is the same for the repository of an image that a stage is built
// on.
func (c Config) WantsImage(repository string) (ok bool, why string) {
	if p, hit := MatchImage(c.IgnoreImages, repository); hit {
		return false, "`ignore_images` in the settings has `" + p + "`"
	}
	return true, ""
}

// ImageName is the reference of an image without tag and digest. A colon before
// the last slash is that of a port.
func ImageName(reference string) string {
	name, _, _ := strings.Cut(reference, "@")
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		name = name[:i]
	}
	return name
}

// maxAlternatives bounds what the braces of a pattern multiply to. Matching
// tries them all: twenty pairs would take a second for every path, forty for
// ever, and patterns come from pull requests of strangers too.
const maxAlternatives = 256

// Usable tells whether a pattern is one: well-formed, and not too complicated.
func Usable(pattern string) bool {
	if !doublestar.ValidatePattern(pattern) {
		return false
	}
	n, _ := alternatives(pattern, 0)
	return n <= maxAlternatives
}

// alternatives counts what the braces of a pattern multiply to, up to a little
// over the bound: groups next to each other multiply, the parts of a group add
// up. It returns where it stopped: the end, or the comma or brace that ends the
// part of a group.
func alternatives(pattern string, depth int) (n, end int) {
	const tooMany = maxAlternatives + 1
	if depth > 10 {
		return tooMany, len(pattern)
	}
	n = 1
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '\\':
			i++
		case depth > 0 && (c == ',' || c == '}'):
			return n, i
		case c == '{':
			sum := 0
			for i < len(pattern) && pattern[i] != '}' {
				part, stop := alternatives(pattern[i+1:], depth+1)
				sum = min(sum+part, tooMany)
				i += 1 + stop
			}
			n = min(n*sum, tooMany)
		}
	}
	return n, len(pattern)
}

// MatchImage returns the first pattern that matches the repository of an image,
// without tag: its name, or a glob over the whole name. Images of Docker Hub
// match however they are written, node or docker.io/library/node.
func MatchImage(patterns []string, repository string) (pattern string, ok bool) {
	name := familiar(repository)
	for _, p := range patterns {
		if !Usable(p) {
			continue
		}
		if hit, err := doublestar.Match(familiar(p), name); err == nil && hit {
			return p, true
		}
	}
	return "", false
}

// familiar is the short form of a name on Docker Hub.
func familiar(name string) string {
	for _, prefix := range []string{"docker.io/", "index.docker.io/", "registry-1.docker.io/"} {
		if short, ok := strings.CutPrefix(name, prefix); ok {
			name = short
			break
		}
	}
	return strings.TrimPrefix(name, "library/")
}

// Match returns the first pattern that matches a path. A pattern is a path, a
// folder with everything below it, or a glob with *, **, ?, [] and {}. Without
// a slash it is looked for in every folder, as in .gitignore. One that is not
// Usable matches nothing.
func Match(patterns []string, file string) (pattern string, ok bool) {
	for _, p := range patterns {
		if !Usable(p) {
			continue
		}
		clean := strings.Trim(path.Clean("/"+p), "/")
		if clean == "" {
			return p, true // the root, written "." or "/"
		}
		globs := []string{clean, clean + "/**"}
		if !strings.Contains(strings.TrimSuffix(p, "/"), "/") {
			globs = append(globs, "**/"+clean, "**/"+clean+"/**")
		}
		for _, g := range globs {
			if hit, err := doublestar.Match(g, file); err == nil && hit {
				return p, true
			}
		}
	}
	return "", false
}
