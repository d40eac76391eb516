package config

import (
	"reflect"
	"strings"
	"testing"

	"dhibot/rewrite"
	"dhibot/rewrite/catalog"

	"github.com/google/go-cmp/cmp"
)

func resolve(org, repo string) (Config, Problems) {
	return Resolve(File{Name: "acme/.github: .github/dhi.yml", Content: []byte(org)}, File{Name: Path, Content: []byte(repo)})
}

func TestResolve(t *testing.T) {
	t.Parallel()
	with := func(change func(*Config)) Config {
		c := Default()
		change(&c)
		return c
	}
	for name, c := range map[string]struct {
		org, repo string
		want      Config
	}{
		"nothing":       {"", "", Default()},
		"only comments": {"# nothing\n", "---\n# nothing\n", Default()},
		"empty map":     {"{}", "{}", Default()},
		"everything": {"", "mode: open\nreopen: changed\ngroup: directory\nmax_open: 3\nexplain: both\nguard: warn\nregistry: r.example.com:5000/x\nnamespace: acme\nprefix: hardened-\n" +
			"distro: alpine\nruntime_needs_shell: skip\nmissing_version: nearest\nimages:\n  r.example.com/base/python: python\n" +
			"include: [a/**]\nignore:\n- b\nignore_images: [node]\n",
			Config{Mode: Open, Reopen: Changed, Group: ByDirectory, MaxOpen: 3, Explain: Both, Guard: GuardWarn, Registry: "r.example.com:5000/x", Namespace: "acme", Prefix: "hardened-", Distro: "alpine",
				RuntimeNeedsShell: "skip", MissingVersion: "nearest", Images: map[string]string{"r.example.com/base/python": "python"},
				Include: []string{"a/**"}, Ignore: []string{"b"}, IgnoreImages: []string{"node"},
				OrgPerHour: 10, OrgOpen: 30, FirstWave: Wave{Percent: 10}, Onboarding: OnboardingIssue}},
		"campaign": {"org_per_hour: 3\norg_open: 7\nfirst_wave: [shop, acme/b-*]\nonboarding: none", "", with(func(c *Config) {
			c.OrgPerHour, c.OrgOpen, c.FirstWave, c.Onboarding = 3, 7, Wave{Names: []string{"shop", "acme/b-*"}}, OnboardingNone
		})},
		"percentage":    {"first_wave: 25%", "", with(func(c *Config) { c.FirstWave = Wave{Percent: 25} })},
		"no first wave": {"first_wave: none", "", with(func(c *Config) { c.FirstWave = Wave{} })},
		"repository over organisation": {"distro: alpine\nmode: off\n", "distro: debian\n",
			with(func(c *Config) { c.Distro, c.Mode = "debian", Off })},
		"lists are replaced": {"ignore: [a, b]", "ignore: []", with(func(c *Config) { c.Ignore = []string{} })},
		"lock":               {"lock: [registry]\nregistry: r.example.com", "distro: alpine", with(func(c *Config) { c.Lock, c.Registry, c.Distro = []string{"registry"}, "r.example.com", "alpine" })},
		"byte order mark":    {"", "\ufeffdistro: alpine\r\n", with(func(c *Config) { c.Distro = "alpine" })},
		"off stays a word":   {"", "mode: off", with(func(c *Config) { c.Mode = Off })},
	} {
		got, problems := resolve(c.org, c.repo)
		if len(problems) > 0 {
			t.Errorf("%s: %v", name, problems)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestProblems(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		org, repo string
		want      string
	}{
		"all at once": {"", "mode: always\nspeed: 3\ndistro: arch\n  \nruntime-needs-shell: dev\nignore: x\nimages: [a]\n", `
.github/dhi.yml:1:7: mode can be open, report, commands, off, not ${BT}always${BT}
.github/dhi.yml:2:1: there is no key ${BT}speed${BT}
.github/dhi.yml:3:9: distro can be keep, debian, alpine, not ${BT}arch${BT}
.github/dhi.yml:5:1: there is no key ${BT}runtime-needs-shell${BT}; did you mean ${BT}runtime_needs_shell${BT}?
.github/dhi.yml:6:9: a list is expected here
.github/dhi.yml:7:9: a map of images is expected here, ${BT}internal/python: python${BT}`},
		"types": {"", "mode: [off]\nregistry: 3\nnamespace:\nignore: [1, {a: b}, '']\ninclude: ['[', '!x']\nprefix: -A\n", `
.github/dhi.yml:1:7: a string is expected here
.github/dhi.yml:2:11: a string is expected here; put ${BT}3${BT} in quotes
.github/dhi.yml:3:11: ${BT}namespace${BT} has no value
.github/dhi.yml:4:10: a string is expected here; put ${BT}1${BT} in quotes
.github/dhi.yml:4:13: a string is expected here
.github/dhi.yml:4:21: a pattern cannot be empty
.github/dhi.yml:5:11: ${BT}[${BT} is not a valid pattern, or has too many braces
.github/dhi.yml:5:16: a pattern cannot be negated; use ${BT}include${BT} and ${BT}ignore${BT} together
.github/dhi.yml:6:9: ${BT}-A${BT} is not lower-case letters, digits, and . _ -`},
		"numbers": {"org_per_hour: many\norg_open: 0\nfirst_wave: 0%\n", "org_open: 3\n", `
acme/.github: .github/dhi.yml:1:15: org_per_hour is a whole number from 1 to 100
acme/.github: .github/dhi.yml:2:11: org_open is a whole number from 1 to 1000
acme/.github: .github/dhi.yml:3:13: first_wave is a percentage from ${BT}1%${BT} to ${BT}100%${BT}, a list of repositories, or ${BT}none${BT}
.github/dhi.yml:1:1: ${BT}org_open${BT} belongs in the organisation's file`},
		"wave": {"first_wave: ['[', '!x']\norg_open: 0x10\norg_per_hour: 010", "", `
acme/.github: .github/dhi.yml:1:14: ${BT}[${BT} is not a valid pattern, or has too many braces
acme/.github: .github/dhi.yml:1:19: a pattern cannot be negated; use ${BT}include${BT} and ${BT}ignore${BT} together
acme/.github: .github/dhi.yml:2:11: org_open is a whole number from 1 to 1000
acme/.github: .github/dhi.yml:3:15: org_per_hour is a whole number from 1 to 100`},
		"no names":    {"first_wave: []", "", "\nacme/.github: .github/dhi.yml:1:13: an empty list names no repository; ${BT}none${BT} is for no first wave"},
		"twice":       {"", "mode: off\nmode: off\n", "\n.github/dhi.yml:2:1: ${BT}mode${BT} is there twice"},
		"both files":  {"x: 1", "y: 1", "\nacme/.github: .github/dhi.yml:1:1: there is no key ${BT}x${BT}\n.github/dhi.yml:1:1: there is no key ${BT}y${BT}"},
		"locked":      {"lock: [registry, mode]", "mode: off\ndistro: alpine", "\n.github/dhi.yml:1:1: ${BT}mode${BT} is locked by acme/.github: .github/dhi.yml"},
		"bad lock":    {"lock: [speed, lock, 1]", "", "\nacme/.github: .github/dhi.yml:1:8: there is no key ${BT}speed${BT} that could be locked\nacme/.github: .github/dhi.yml:1:15: there is no key ${BT}lock${BT} that could be locked\nacme/.github: .github/dhi.yml:1:21: a string is expected here; put ${BT}1${BT} in quotes"},
		"lock below":  {"", "lock: [mode]", "\n.github/dhi.yml:1:1: ${BT}lock${BT} belongs in the organisation's file"},
		"a list":      {"", "- mode", "\n.github/dhi.yml:1:1: settings are expected here, ${BT}key: value${BT}"},
		"two of them": {"", "mode: off\n---\nmode: off\n", "\n.github/dhi.yml:2:1: one document is expected, here begins a second one"},
		"images":      {"", "images:\n  a b: python\n  x: python\n  x: node\n  y: [python]\n", "\n.github/dhi.yml:2:3: ${BT}a b${BT} is not the name of an image\n.github/dhi.yml:4:3: ${BT}x${BT} is there twice\n.github/dhi.yml:5:6: a string is expected here"},
		"aliases":     {"", "include: &a [x]\nignore: *a\n", "\n.github/dhi.yml:2:9: a list is expected here"},
		"too long":    {"", "ignore: [" + strings.Repeat("x", maxString+1) + "]", "\n.github/dhi.yml:1:10: at most 300 bytes are expected here"},
		"huge":        {"", strings.Repeat("#", maxFile+1), "\n.github/dhi.yml: the file has 262145 bytes, at most 262144 are read"},
	} {
		_, problems := resolve(c.org, c.repo)
		if diff := cmp.Diff(strings.TrimPrefix(strings.ReplaceAll(c.want, "${BT}", "`"), "\n"), problems.Error()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestMisnamed: a file with the other ending is a mistake beside those of the
// file that is read, and keeps an organisation's file from being believed.
func TestMisnamed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		org, repo File
		want      string
	}{
		"alone":        {File{}, File{Name: Path, Misnamed: true}, ".github/dhi.yaml:1:1: the settings are read from `.github/dhi.yml`; rename this file"},
		"both":         {File{}, File{Name: Path, Misnamed: true, Content: []byte("x: 1")}, ".github/dhi.yaml:1:1: the settings are read from `.github/dhi.yml`, which is there too; remove this file, or that one and rename this one\n.github/dhi.yml:1:1: there is no key `x`"},
		"too large":    {File{}, File{Name: Path, Misnamed: true, TooLarge: true}, ".github/dhi.yaml:1:1: the settings are read from `.github/dhi.yml`, which is there too; remove this file, or that one and rename this one\n.github/dhi.yml: the file is too large, at most 262144 bytes are read"},
		"organisation": {File{Name: "acme/.github: " + Path, Misnamed: true}, File{Name: Path}, "acme/.github: .github/dhi.yaml:1:1: the settings are read from `.github/dhi.yml`; rename this file"},
	} {
		got, problems := Resolve(c.org, c.repo)
		if diff := cmp.Diff(c.want, problems.Error()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if got.Mode != Commands {
			t.Errorf("%s: mode %s", name, got.Mode)
		}
	}
}

func TestSyntax(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"mode: 'off", "mode: off\n\tdistro: x", "a: b: c", "a: \xff", strings.Repeat("[", 20000), "a: *nowhere", "%"} {
		_, problems := resolve("", text)
		if len(problems) != 1 || problems[0].Line == 0 || !strings.Contains(problems[0].Message, "not YAML") {
			t.Errorf("%.20q: %v", text, problems)
		}
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	if diff := cmp.Diff(rewrite.Options{RuntimeNeedsShell: rewrite.ShellDev}, Default().Options()); diff != "" {
		t.Errorf("the defaults are not the engine's: %s", diff)
	}
	c, problems := resolve("", "namespace: acme\nprefix: x-\nregistry: r.io\ndistro: alpine\nmissing_version: nearest\nruntime_needs_shell: skip\nimages: {a: b}")
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	want := rewrite.Options{Naming: catalog.Naming{Registry: "r.io", Namespace: "acme", Prefix: "x-"}, Distro: catalog.Alpine,
		RuntimeNeedsShell: rewrite.ShellSkip, MissingVersion: catalog.NearestVersion, Images: map[string]string{"a": "b"}}
	if diff := cmp.Diff(want, c.Options()); diff != "" {
		t.Error(diff)
	}
	for repo, want := range map[string]string{"": "dhi.io", "namespace: acme": "docker.io", "registry: r.io:5000/x": "r.io:5000"} {
		c, _ := resolve("", repo)
		if got := c.Login(); got != want {
			t.Errorf("%q: login to %q, want %q", repo, got, want)
		}
	}
}

func TestWants(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		include, ignore []string
		file            string
		want            bool
	}{
		{nil, nil, "Dockerfile", true},
		{nil, []string{"Dockerfile"}, "a/b/Dockerfile", false},
		{nil, []string{"/Dockerfile"}, "a/b/Dockerfile", true},
		{nil, []string{"/Dockerfile"}, "Dockerfile", false},
		{nil, []string{"legacy"}, "x/legacy/y/Dockerfile", false},
		{nil, []string{"legacy/"}, "legacy/Dockerfile", false},
		{nil, []string{"a/legacy/"}, "b/a/legacy/Dockerfile", true},
		{nil, []string{"./a"}, "a/Dockerfile", false},
		{nil, []string{"**/*.dev.Dockerfile"}, "a/x.dev.Dockerfile", false},
		{nil, []string{"."}, "a/Dockerfile", false},
		{[]string{"services/**"}, nil, "Dockerfile", false},
		{[]string{"services/**"}, nil, "services/a/Dockerfile", true},
		{[]string{"services/**"}, []string{"services/a"}, "services/a/Dockerfile", false},
		{[]string{"{a,b}/*"}, nil, "b/Dockerfile", true},
		{[]string{"../x"}, nil, "x/Dockerfile", true},
	} {
		got, why := Config{Include: c.include, Ignore: c.ignore}.Wants(c.file)
		if got != c.want || (why == "") != got {
			t.Errorf("include %q ignore %q: %s is %v (%s), want %v", c.include, c.ignore, c.file, got, why, c.want)
		}
	}
	for image, want := range map[string]bool{
		"internal/node": false, "node": false, "docker.io/library/node": false, "bitnami/node": true, "internal/a/b": true, "python": true,
	} {
		if ok, _ := (Config{IgnoreImages: []string{"internal/*", "docker.io/node"}}).WantsImage(image); ok != want {
			t.Errorf("%s is wanted: %v, want %v", image, ok, want)
		}
	}
}

// TestUsable keeps patterns out that would be matched for ever.
func TestUsable(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]bool{
		"": true, "a/**/b": true, "{a,b}/{c,d}/Dockerfile": true, "{a,b,c,d,e,f,g,h}": true, `\{a,\{b`: true, "[a": false, "{a": false,
		strings.Repeat("{a,b}", 4): true, strings.Repeat("{a,b}", 12): false, strings.Repeat("{?,?}", 60): false,
		strings.Repeat("{a,", 40) + strings.Repeat("}", 40): false, strings.Repeat("{{?,?},{?,?}}", 30): false,
		"{" + strings.Repeat("{?,?}", 30) + ",x}": false, "{a,{b,c}}{d,e}": true, "{" + strings.Repeat("a,", 200) + "a}": true, "{" + strings.Repeat("a,", 300) + "a}": false,
	} {
		if got := Usable(pattern); got != want {
			t.Errorf("Usable(%.40q) = %v, want %v", pattern, got, want)
		}
	}
	if _, ok := Match([]string{strings.Repeat("{?,?}", 60)}, strings.Repeat("a", 60)); ok {
		t.Error("a pattern that is not usable matched")
	}
}

func TestWaveHas(t *testing.T) {
	t.Parallel()
	w := Wave{Names: []string{"shop", "Tools-*", "acme/[", "other/**"}}
	for name, want := range map[string]bool{
		"acme/shop": true, "acme/Shop": true, "ACME/tools-a": true, "acme/shopping": false, "shop/x": false, "other/x": true, "acme/other": false, "acme/[": false,
	} {
		if got := w.Has(name); got != want {
			t.Errorf("Has(%q) = %v", name, got)
		}
	}
	if w.None() || !(Wave{}).None() || (Wave{Percent: 1}).None() {
		t.Error("None is wrong")
	}
}

// TestKeysAreFields holds the list of keys and the struct together.
func TestKeysAreFields(t *testing.T) {
	t.Parallel()
	var fields []string
	for f := range reflect.TypeFor[Config]().Fields() {
		fields = append(fields, f.Tag.Get("yaml"))
	}
	if diff := cmp.Diff(fields, names()); diff != "" {
		t.Errorf("fields of Config and keys differ (-fields +keys):\n%s", diff)
	}
	for _, k := range keys() {
		if _, problems := resolve(k.line(), ""); len(problems) > 0 {
			t.Errorf("the example of %s: %v", k.name, problems)
		}
	}
}

func FuzzResolve(f *testing.F) {
	for _, s := range []string{"mode: off", "images: {a: b}", "lock: [mode]", "ignore:\n- a\n", "a: &x [*x]", "? [a]\n: b", "<<: {mode: off}", "!!binary x: y", "org_per_hour: 5\norg_open: 10\nfirst_wave: 5%", "first_wave: [a]"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, org, repo string) {
		c, problems := resolve(org, repo)
		for _, p := range problems {
			if p.Message == "" || p.File == "" {
				t.Fatalf("empty problem %+v", p)
			}
		}
		if c.Mode == "" || c.Distro == "" {
			t.Fatalf("settings lost their default: %+v", c)
		}
		if c.OrgPerHour < 1 || c.OrgPerHour > 100 || c.OrgOpen < 1 || c.OrgOpen > 1000 || c.FirstWave.Percent < 0 || c.FirstWave.Percent > 100 {
			t.Fatalf("numbers out of bounds: %+v", c)
		}
		c.Wants(repo)
	})
}

// TestCautious: what can be read of broken settings only ever takes away.
func TestCautious(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		good, broken string
		mode         Mode
		ignore       []string
	}{
		"off, and a typo":         {"mode: open", "mode: off\nspeed: 3", Off, nil},
		"off, and no YAML":        {"mode: open", "mode: off # please\n\tx", Off, nil},
		"off in quotes, no YAML":  {"mode: open", "a: [\nmode: 'off'\r\nb", Off, nil},
		"no word of it, no YAML":  {"mode: open", "a: [", Commands, nil},
		"open, and no YAML":       {"mode: open", "mode: open\na: [", Open, nil},
		"open, and a typo":        {"mode: open", "mode: open\nspeed: 3", Open, nil},
		"typo in the mode":        {"mode: open", "mode: opne", Commands, nil},
		"typo in the key":         {"", "Mode: off", Commands, nil},
		"mode without a value":    {"", "mode:", Commands, nil},
		"two documents":           {"", "mode: off\n---\nmode: off", Commands, nil},
		"a list":                  {"", "- mode: off", Commands, nil},
		"too many bytes":          {"", "mode: off\n" + strings.Repeat("#", maxFile), Commands, nil},
		"report, and a typo":      {"mode: commands", "mode: report\nspeed: 3", Report, nil},
		"off stays off":           {"mode: off", "mode: x", Off, nil},
		"more is not taken":       {"mode: off", "mode: open\nspeed: 3", Off, nil},
		"a line of something":     {"mode: open", "images:\n  mode: off\nmode: open\nb: [", Open, nil},
		"more to leave alone":     {"ignore: [a, b]", "ignore: [b, c]\nspeed: 3", Open, []string{"a", "b", "c"}},
		"nothing to leave alone":  {"ignore: [a]", "speed: 3", Open, []string{"a"}},
		"one pattern of them bad": {"", "ignore: [a, '!b']", Open, []string{"a"}},
	} {
		good, problems := resolve("", c.good)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		broken, problems := resolve("", c.broken)
		if len(problems) == 0 {
			t.Errorf("%s: nothing is broken", name)
		}
		got := Cautious(good, broken)
		if diff := cmp.Diff(c.ignore, got.Ignore); got.Mode != c.mode || diff != "" {
			t.Errorf("%s: mode %s, want %s; ignore (-want +got):\n%s", name, got.Mode, c.mode, diff)
		}
	}
	locked, _ := resolve("lock: [mode]\nmode: commands", "mode: off\na: [")
	if locked.Mode != Commands {
		t.Errorf("a locked mode became %s", locked.Mode)
	}
	if locked, _ := resolve("lock: [mode]\nmode: open", "a: ["); locked.Mode != Open {
		t.Errorf("a locked mode became %s", locked.Mode)
	}
	if _, problems := Resolve(File{Name: "a"}, File{Name: "b", TooLarge: true}); problems.Error() != "b: the file is too large, at most 262144 bytes are read" {
		t.Error(problems)
	}
}

func TestChanges(t *testing.T) {
	t.Parallel()
	was, _ := resolve("", "mode: commands\nignore: [a]\nimages: {x: node}")
	now, problems := resolve("", "group: directory\nmax_open: 4\nignore: [a, b]\nimages: {y: python, x: node}\nregistry: r.io")
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	want := []Change{{"mode", "commands", "open"}, {"group", "repository", "directory"}, {"max_open", "1", "4"}, {"registry", "", "r.io"},
		{"images", "x: node", "x: node, y: python"}, {"ignore", "a", "a, b"}}
	if diff := cmp.Diff(want, Changes(was, now)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	waves, _ := resolve("first_wave: [shop, tools-*]", "")
	if diff := cmp.Diff([]Change{{"first_wave", "10%", "shop, tools-*"}}, Changes(Default(), waves)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := Changes(now, now); got != nil {
		t.Errorf("nothing changed: %v", got)
	}
	// A key that is forgotten here would be left out of every preview.
	for _, k := range names() {
		found := false
		for i := range reflect.TypeFor[Config]().NumField() {
			found = found || strings.Split(reflect.TypeFor[Config]().Field(i).Tag.Get("yaml"), ",")[0] == k
		}
		if !found {
			t.Errorf("%s is no field of Config", k)
		}
	}
}

func TestImageName(t *testing.T) {
	t.Parallel()
	for reference, want := range map[string]string{
		"node": "node", "node:22": "node", "node:22@sha256:abc": "node", "host:5000/a/b": "host:5000/a/b", "host:5000/a/b:1": "host:5000/a/b", "": "",
	} {
		if got := ImageName(reference); got != want {
			t.Errorf("ImageName(%q) = %q, want %q", reference, got, want)
		}
	}
}
