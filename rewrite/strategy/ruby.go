package strategy

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
	"dhibot/rewrite/project"
)

// rubyProject is the Gemfile that a stage installs.
func (in *Input) rubyProject(s *assess.Stage) *project.Ruby {
	if !in.known() {
		return nil
	}
	for _, st := range s.ChainSteps() {
		if st.Run == nil || st.Run.Script == nil {
			continue
		}
		for _, p := range st.Run.Script.Packages() {
			if p.Manager != "bundle" {
				continue
			}
			if file, ok := in.besideWorkDir(st, "Gemfile"); ok {
				return in.Project.Ruby(path.Dir(file))
			}
		}
	}
	return nil
}

// gemsOf is the Gemfile of a stage, or of the stage that it copies gems from.
func (in *Input) gemsOf(s *assess.Stage) (r *project.Ruby, from *assess.Stage) {
	if r = in.rubyProject(s); r != nil {
		return r, s
	}
	for _, st := range s.ChainSteps() {
		if st.Copy != nil && st.Copy.FromStage != nil {
			if r = in.rubyProject(st.Copy.FromStage); r != nil {
				return r, st.Copy.FromStage
			}
		}
	}
	return nil, nil
}

// libcOf is how Gemfile.lock names the C library that a stage's gems are
// compiled for; "" when precompiled gems are not used.
func libcOf(s *assess.Stage) string {
	for _, st := range s.ChainSteps() {
		if strings.Contains(strings.ToLower(st.Text), "force_ruby_platform") {
			return "none"
		}
	}
	if o := s.Root().Origin; o != nil && o.Distro == catalog.Alpine {
		return "musl"
	}
	return "gnu"
}

// rubyLibraries are gems that load system libraries which the old image may
// have brought; zones tells that they can have the time zones of a build stage.
func (in *Input) rubyLibraries(s *assess.Stage, def *catalog.Definition, zones bool) []Block {
	out := in.leftOutOfRuby(s, def)
	r, from := in.gemsOf(s)
	if r == nil {
		return out
	}
	if r.Zones.Path != "" && !def.TZData() && !zones {
		out = append(out, Block{Rule: "package-management", Code: "runtime-libraries", Path: r.Zones.Path, Line: r.Zones.Line,
			Text: fmt.Sprintf("tzinfo reads the time zones of the system (tzdata), which dhi %s does not declare; the gem tzinfo-data brings them", def.Image)})
	}
	for _, n := range r.Needs(libcOf(from)) {
		n.Libraries = slices.DeleteFunc(brought(s, n.Libraries), def.HasPackage)
		if len(n.Libraries) > 0 {
			out = append(out, Block{Rule: "package-management", Code: "runtime-libraries", Path: n.At.Path, Line: n.At.Line,
				Text: fmt.Sprintf("%s loads system libraries or programs while it runs (%s), which a runtime image does not have", n.Package, strings.Join(n.Libraries, ", "))})
		}
	}
	return out
}

// zonesFrom finds the stage whose time zones the gems of the final stage need:
// a build stage on DHI's ruby has them, the runtime image has not.
func (d *decider) zonesFrom(ch *catalog.Choice) *assess.Stage {
	if ch.Image != "ruby" || ch.Dev == nil || !ch.Dev.Def.TZData() {
		return nil
	}
	r, from := d.gemsOf(d.Final.Stage)
	if r == nil || r.Zones.Path == "" || from.Root().Origin == nil || from.Root().Origin.Image != "ruby" || from != d.Final.Stage && from.Name == "" {
		return nil
	}
	return from
}

const zoneInfo = "/usr/share/zoneinfo"

// zonesOf says why the image that ships needs the time zones of a build stage,
// "" when it does not.
func (d *decider) zonesOf(ch *catalog.Choice, pick *catalog.Pick) string {
	if pick.Def.TZData() || d.zonesFrom(ch) == nil {
		return ""
	}
	r, _ := d.gemsOf(d.Final.Stage)
	return fmt.Sprintf("tzinfo (%s) reads the time zones of the system; dhi ruby has them in its dev variant alone", place(r.Zones))
}

// leftOutOfRuby refuses what DHI's ruby on Alpine has in its dev variant alone:
// Bundler and the gems that come with Ruby, which are not installed once more
// beside the others. Source: package/apk/main/ruby of the catalog, where each is
// a package of its own and ruby-X.Y-full, which the dev variant has, needs all.
func (in *Input) leftOutOfRuby(s *assess.Stage, def *catalog.Definition) []Block {
	apart := slices.ContainsFunc(def.Packages, func(p string) bool { return strings.HasPrefix(p, "ruby-") })
	if def.Distro != catalog.Alpine || !apart || slices.ContainsFunc(def.Packages, func(p string) bool { return strings.HasPrefix(p, "ruby-") && strings.HasSuffix(p, "-full") }) {
		return nil
	}
	stages := []*assess.Stage{s}
	for _, st := range s.ChainSteps() {
		if st.Copy != nil && st.Copy.FromStage != nil {
			stages = append(stages, st.Copy.FromStage)
		}
	}
	for _, f := range stages {
		for _, st := range f.ChainSteps() {
			if st.Run == nil || st.Run.Script == nil {
				continue
			}
			for _, p := range st.Run.Script.Packages() {
				if p.Manager == "bundle" || p.Manager == "gem" && p.Verb == "install" {
					return []Block{{Rule: "package-management", Code: "runtime-libraries", Line: st.Lines[0],
						Text: "it installs gems, and dhi ruby on Alpine has Bundler and the gems that come with Ruby (bigdecimal, csv, rexml and others) in its dev variant alone"}}
				}
			}
		}
	}
	for _, w := range startWords(s) {
		if path.Ext(w) != ".rb" {
			continue
		}
		if !path.IsAbs(w) {
			w = path.Join(s.End.WorkDir, w)
		}
		name, content, _ := in.ContextFile(s, w)
		for i, l := range strings.Split(string(content), "\n") {
			if m := requiresGem.FindStringSubmatch(l); m != nil && comesWithRuby(m[1]) {
				return []Block{{Rule: "package-management", Code: "runtime-libraries", Path: name, Line: i + 1,
					Text: fmt.Sprintf("it requires %s, which comes with Ruby, and which dhi ruby on Alpine has in its dev variant alone", m[1])}}
			}
		}
	}
	return nil
}

var requiresGem = regexp.MustCompile(`^\s*require\s*\(?\s*["']([\w-]+)`)

// comesWithRuby tells whether a gem is one of those packages.
func comesWithRuby(name string) bool {
	switch name {
	case "abbrev", "bigdecimal", "bundler", "csv", "debug", "drb", "getoptlong", "matrix", "minitest", "mutex_m", "nkf", "observer", "power_assert", "prime", "racc", "rake",
		"rbs", "resolv-replace", "rexml", "rinda", "rss", "syslog", "test-unit", "typeprof":
		return true
	}
	return false
}

// rubyStart starts the program of a gem through ruby: the script that RubyGems
// or Bundler writes for it begins with env or with a path of the old image.
func (t *starter) rubyStart(argv []string) (fixed []string, why string) {
	name := argv[0]
	gem := gemOf(name)
	if t.def.Image != "ruby" || gem == "" {
		return nil, ""
	}
	installed := false
	if r, _ := t.in.gemsOf(t.final); r != nil {
		_, installed = r.Gems[gem]
	}
	for _, st := range t.final.ChainSteps() {
		if st.Run == nil || st.Run.Script == nil {
			continue
		}
		for _, p := range st.Run.Script.Packages() {
			installed = installed || p.Manager == "gem" && p.Verb == "install" && slices.Contains(p.Packages, gem)
		}
	}
	if !installed {
		return nil, ""
	}
	return append([]string{"ruby", "-S"}, argv...), fmt.Sprintf("the script that starts the gem %s begins with env or with a path of the old image; ruby finds it on the PATH and runs it", gem)
}

// gemOf is the gem of a program that starts no other one.
func gemOf(program string) string {
	switch program {
	case "puma", "rackup", "sidekiq", "unicorn", "thin", "falcon", "jekyll", "rake":
		return program
	case "rails":
		return "railties"
	}
	return ""
}

// rubyHeaders tells whether a package of headers is there for gems that are not
// compiled against it: Gemfile.lock names all gems, and none of those that would
// be is among them, or it comes compiled.
func (in *Input) rubyHeaders(f *assess.Stage, pkg string) bool {
	r, from := in.gemsOf(f)
	if r == nil || !r.Locked || from == nil {
		return false
	}
	var users []string
	switch pkg {
	case "libpq-dev", "postgresql-dev":
		users = []string{"pg"}
	case "libmariadb-dev", "default-libmysqlclient-dev", "libmysqlclient-dev", "mariadb-dev", "mysql-dev":
		users = []string{"mysql2", "trilogy"}
	case "libsqlite3-dev", "sqlite-dev":
		users = []string{"sqlite3"}
	case "libxml2-dev", "libxslt1-dev", "libxslt-dev":
		users = []string{"nokogiri", "libxml-ruby", "ruby-xslt"}
	default:
		return false
	}
	libc := libcOf(from)
	for _, u := range users {
		if _, ok := r.Gems[u]; ok && !strings.Contains(r.Precompiled[u], libc) {
			return false
		}
	}
	return true
}
