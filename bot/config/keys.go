package config

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// key is one setting: what it is called, what the documentation says, and how
// its value gets into a Config.
type key struct {
	name    string
	doc     string
	byHand  string // what the default is, in words; "" when it is shown
	example string // YAML of the value
	choices []string
	bounds  [2]int // of a number, both included
	orgOnly bool
	set     func(*reader, *yaml.Node, *Config)
}

// keys returns all settings in the order of the documentation.
func keys() []key {
	return []key{
		{
			name: "mode", choices: []string{string(Open), string(Report), string(Commands), string(Off)}, example: "report",
			doc: "What the App does by itself. `open`: it opens pull requests, no more of them than `org_per_hour`, `org_open` and `first_wave` of the organisation allow, and keeps them up to date. `report`: it looks and says what it would do, in check runs and in the organisation's status issue; no pull request is opened or changed, not even when somebody asks. `commands`: only what somebody asks for in a comment. `off`: nothing, and commands are refused.",
			set: func(r *reader, n *yaml.Node, c *Config) {
				before := len(r.problems)
				c.Mode = Mode(r.choice(n, string(c.Mode), "mode"))
				if len(r.problems) > before {
					r.lessOpen(c)
				}
			},
		},
		{
			name: "reopen", choices: []string{string(Never), string(Changed)}, example: "changed",
			doc: "What happens after somebody closed the pull request without merging it. `never`: it stays closed until somebody writes `/dhi migrate --again`. `changed`: it also comes back when the proposal has become another one.",
			set: func(r *reader, n *yaml.Node, c *Config) { c.Reopen = Reopen(r.choice(n, string(c.Reopen), "reopen")) },
		},
		{
			name: "group", choices: []string{string(ByRepository), string(ByDirectory), string(ByDockerfile)}, example: "directory",
			doc: "How many pull requests a repository gets. `repository`: one for all Dockerfiles. `directory`: one for every folder with Dockerfiles in it. `dockerfile`: one for every Dockerfile. When it changes, pull requests of the old kind are closed and proposed anew; those with commits of somebody else stay, and keep their Dockerfiles.",
			set: func(r *reader, n *yaml.Node, c *Config) { c.Group = Grouping(r.choice(n, string(c.Group), "group")) },
		},
		{
			name: "max_open", bounds: [2]int{1, 100}, example: "3",
			doc: "How many pull requests of the App may be open at once in a repository; matters with `group: directory` and `group: dockerfile`. When there are as many, the next one is opened when one is merged or closed.",
			set: func(r *reader, n *yaml.Node, c *Config) { c.MaxOpen = r.number(n, c.MaxOpen, "max_open") },
		},
		{
			name: "explain", choices: []string{string(InBody), string(Inline), string(Both)}, example: "both",
			doc: "Where the reasons of single changes stand. `body`: in the text of the pull request. `inline`: beside the changed lines, as remarks of a review. `both`: in both places.",
			set: func(r *reader, n *yaml.Node, c *Config) {
				c.Explain = Explain(r.choice(n, string(c.Explain), "explain"))
			},
		},
		{
			name: "guard", choices: []string{string(GuardOff), string(GuardWarn), string(GuardFail)}, example: "warn",
			doc: "What becomes of other people's pull requests that bring in a base image although there is a hardened one. `off`: nothing. `warn`: a check run named `DHI base images` marks the lines and is neutral. `fail`: it fails.",
			set: func(r *reader, n *yaml.Node, c *Config) { c.Guard = Guard(r.choice(n, string(c.Guard), "guard")) },
		},
		{
			name: "registry", example: "registry.example.com", byHand: "`dhi.io`, or Docker Hub when `namespace` is set",
			doc: "Where the hardened images come from.",
			set: func(r *reader, n *yaml.Node, c *Config) {
				c.Registry = r.text(n, c.Registry, registryForm, "a host, with a port or a path if need be")
			},
		},
		{
			name: "namespace", example: "acme", byHand: "none",
			doc: "The namespace that the images are mirrored to. With `acme` the references are `acme/dhi-node:…`.",
			set: func(r *reader, n *yaml.Node, c *Config) {
				c.Namespace = r.text(n, c.Namespace, pathForm, "lower-case letters, digits, and . _ - / between them")
			},
		},
		{
			name: "prefix", example: "hardened-", byHand: "`dhi-` when `namespace` is set, otherwise none",
			doc: "What the names of mirrored images start with.",
			set: func(r *reader, n *yaml.Node, c *Config) {
				c.Prefix = r.text(n, c.Prefix, prefixForm, "lower-case letters, digits, and . _ -")
			},
		},
		{
			name: "distro", choices: []string{"keep", "debian", "alpine"}, example: "alpine",
			doc: "The distribution of the hardened images. `keep` stays with the family that the Dockerfile uses.",
			set: func(r *reader, n *yaml.Node, c *Config) { c.Distro = r.choice(n, c.Distro, "distro") },
		},
		{
			name: "runtime_needs_shell", choices: []string{"dev", "skip"}, example: "skip",
			doc: "What becomes of a final stage that cannot run without a shell, a package manager or root. `dev`: it moves to the dev image and the pull request says that it is not finished. `skip`: the Dockerfile is left alone.",
			set: func(r *reader, n *yaml.Node, c *Config) {
				c.RuntimeNeedsShell = r.choice(n, c.RuntimeNeedsShell, "runtime_needs_shell")
			},
		},
		{
			name: "missing_version", choices: []string{"report", "nearest"}, example: "nearest",
			doc: "What becomes of a version that is not offered as a hardened image. `report`: it is named and left alone. `nearest`: the nearest version is taken.",
			set: func(r *reader, n *yaml.Node, c *Config) {
				c.MissingVersion = r.choice(n, c.MissingVersion, "missing_version")
			},
		},
		{
			name: "images", example: "{registry.example.com/base/python: python}", byHand: "none",
			doc: "Images of your own and the upstream image that they are built on, so that they can be migrated too.",
			set: func(r *reader, n *yaml.Node, c *Config) { c.Images = r.images(n, c.Images) },
		},
		{
			name: "include", example: "[services/**, Dockerfile]", byHand: "everything",
			doc: "Only Dockerfiles that match one of these: paths, folders, or globs with `*`, `**`, `?`, `[]` and `{}`. A pattern without a slash matches in every folder.",
			set: func(r *reader, n *yaml.Node, c *Config) { c.Include = r.globs(n, c.Include) },
		},
		{
			name: "ignore", example: "[legacy/, \"**/*.dev.Dockerfile\"]", byHand: "nothing",
			doc: "Dockerfiles to leave alone, written like `include`; it wins over `include`.",
			set: func(r *reader, n *yaml.Node, c *Config) { c.Ignore = r.globs(n, c.Ignore) },
		},
		{
			name: "ignore_images", example: "[internal/*]", byHand: "nothing",
			doc: "Images to stay on. A Dockerfile with a stage on one of them is left alone. Names without tag, or globs over the whole name.",
			set: func(r *reader, n *yaml.Node, c *Config) { c.IgnoreImages = r.globs(n, c.IgnoreImages) },
		},
		{
			name: "org_per_hour", bounds: [2]int{1, 100}, example: "5", orgOnly: true,
			doc: "How many pull requests the App opens in an hour, in all repositories together. Those that somebody asks for in a comment count, and are never held back.",
			set: func(r *reader, n *yaml.Node, c *Config) { c.OrgPerHour = r.number(n, c.OrgPerHour, "org_per_hour") },
		},
		{
			name: "org_open", bounds: [2]int{1, 1000}, example: "50", orgOnly: true,
			doc: "How many pull requests of the App may be open at once, in all repositories together. When there are as many, the next one waits until one is merged or closed.",
			set: func(r *reader, n *yaml.Node, c *Config) { c.OrgOpen = r.number(n, c.OrgOpen, "org_open") },
		},
		{
			name: "first_wave", example: "[shop, acme/tools-*]", orgOnly: true,
			doc: "Which repositories get a pull request first. A percentage such as `10%` takes that share of the repositories that would change, at least one, the simplest ones first. A list names repositories, by name or `owner/name`, globs included. `none`: all at once. The others wait until the pull requests of the first wave are merged, or until a day has passed since the last of them was opened.",
			set: func(r *reader, n *yaml.Node, c *Config) { c.FirstWave = r.wave(n, c.FirstWave) },
		},
		{
			name: "onboarding", choices: []string{string(OnboardingIssue), string(OnboardingNone)}, example: "none", orgOnly: true,
			doc: "Where the App says what it found and what it does when. `issue`: in an issue of the organisation's `.github` repository; closing it pauses the campaign. `none`: nowhere.",
			set: func(r *reader, n *yaml.Node, c *Config) {
				c.Onboarding = Onboarding(r.choice(n, string(c.Onboarding), "onboarding"))
			},
		},
		{
			name: "lock", example: "[registry, namespace]", byHand: "nothing", orgOnly: true,
			doc: "Keys that repositories cannot set themselves. Only in the organisation's file.",
			set: func(r *reader, n *yaml.Node, c *Config) { c.Lock = r.lock(n) },
		},
	}
}

func find(name string) (key, bool) {
	for _, k := range keys() {
		if k.name == name {
			return k, true
		}
	}
	return key{}, false
}

func names() []string {
	var list []string
	for _, k := range keys() {
		list = append(list, k.name)
	}
	return list
}

var (
	registryForm = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?(:[0-9]{1,5})?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*$`)
	pathForm     = regexp.MustCompile(`^[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*$`)
	prefixForm   = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]*$`)
	imageForm    = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._:/-]*$`)
)

// Bounds of lists and strings.
const (
	maxItems  = 500
	maxString = 300
)

// choice reads one of the choices of a key.
func (r *reader) choice(n *yaml.Node, old, name string) string {
	k, _ := find(name)
	s, ok := r.scalar(n)
	if !ok {
		return old
	}
	if !slices.Contains(k.choices, s) {
		r.problem(n, fmt.Sprintf("%s can be %s, not `%s`", name, strings.Join(k.choices, ", "), s))
		return old
	}
	return s
}

// number reads a whole number within the bounds of a key.
func (r *reader) number(n *yaml.Node, old int, name string) int {
	k, _ := find(name)
	v, err := strconv.Atoi(n.Value)
	if n.Kind != yaml.ScalarNode || n.Tag != "!!int" || err != nil || strconv.Itoa(v) != n.Value || v < k.bounds[0] || v > k.bounds[1] {
		r.problem(n, fmt.Sprintf("%s is a whole number from %d to %d", name, k.bounds[0], k.bounds[1]))
		return old
	}
	return v
}

// text reads a string of a form.
func (r *reader) text(n *yaml.Node, old string, form *regexp.Regexp, words string) string {
	s, ok := r.scalar(n)
	if !ok {
		return old
	}
	if !form.MatchString(s) {
		r.problem(n, fmt.Sprintf("`%s` is not %s", s, words))
		return old
	}
	return s
}

// globs reads a list of patterns.
func (r *reader) globs(n *yaml.Node, old []string) []string {
	if n.Kind != yaml.SequenceNode {
		r.problem(n, "a list is expected here")
		return old
	}
	list := []string{}
	for i, item := range n.Content {
		if i == maxItems {
			r.problem(item, fmt.Sprintf("at most %d patterns", maxItems))
			break
		}
		s, ok := r.scalar(item)
		switch {
		case !ok:
		case s == "":
			r.problem(item, "a pattern cannot be empty")
		case strings.HasPrefix(s, "!"):
			r.problem(item, "a pattern cannot be negated; use `include` and `ignore` together")
		case !Usable(s):
			r.problem(item, fmt.Sprintf("`%s` is not a valid pattern, or has too many braces", s))
		default:
			list = append(list, s)
		}
	}
	return list
}

// images reads the map of further images.
func (r *reader) images(n *yaml.Node, old map[string]string) map[string]string {
	if n.Kind != yaml.MappingNode {
		r.problem(n, "a map of images is expected here, `internal/python: python`")
		return old
	}
	m := map[string]string{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if i/2 == maxItems {
			r.problem(n.Content[i], fmt.Sprintf("at most %d images", maxItems))
			break
		}
		from, ok1 := r.scalar(n.Content[i])
		to, ok2 := r.scalar(n.Content[i+1])
		if !ok1 || !ok2 {
			continue
		}
		if _, twice := m[from]; twice {
			r.problem(n.Content[i], fmt.Sprintf("`%s` is there twice", from))
			continue
		}
		good := true
		for j, s := range []string{from, to} {
			if !imageForm.MatchString(s) {
				r.problem(n.Content[i+j], fmt.Sprintf("`%s` is not the name of an image", s))
				good = false
			}
		}
		if good {
			m[from] = to
		}
	}
	return m
}

// lock reads the list of locked keys.
func (r *reader) lock(n *yaml.Node) []string {
	if n.Kind != yaml.SequenceNode {
		r.problem(n, "a list of keys is expected here")
		return nil
	}
	var list []string
	for _, item := range n.Content {
		s, ok := r.scalar(item)
		if !ok {
			continue
		}
		if k, known := find(s); !known || k.orgOnly {
			r.problem(item, fmt.Sprintf("there is no key `%s` that could be locked", s))
			continue
		}
		list = append(list, s)
	}
	return list
}
