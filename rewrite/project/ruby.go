package project

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// Ruby is a Ruby project of the build context.
type Ruby struct {
	Files []string
	// Version is what .ruby-version, .tool-versions or the Gemfile ask for.
	Version   string
	VersionAt Evidence
	// Pin is what the Gemfile's ruby directive allows, which Bundler insists
	// on; "" when it has none.
	Pin   string
	PinAt Evidence
	// Zones is where tzinfo is named, which reads the time zones of the system,
	// when no gem that brings them is installed on Linux; empty otherwise.
	Zones Evidence
	// Precompiled are the gems that Gemfile.lock has for Linux on x86-64 and on
	// ARM: what they are compiled from and against comes along. The value tells
	// for which C library, "gnu", "musl" or "gnu musl".
	Precompiled map[string]string
	// Locked tells that Gems are those of Gemfile.lock, so all of them.
	Locked bool
	// Gems maps the gems of Gemfile.lock, or of the Gemfile without a lock, to
	// where they stand.
	Gems map[string]Evidence
}

var (
	gemLine   = regexp.MustCompile(`^\s*gem\s*\(?\s*["']([\w.-]+)["']`)
	gemRuby   = regexp.MustCompile(`^\s*ruby\s*\(?\s*["']([^"']+)["']((?:\s*,\s*["'][^"']+["'])*)`)
	gemFile   = regexp.MustCompile(`^\s*ruby\s*\(?\s*file:\s*["'](?:\./)?\.ruby-version["']`)
	lockedGem = regexp.MustCompile(`^    ([\w.-]+) \(([^)]*)\)`)
)

// Ruby reads the Ruby project of a directory below the context; nil when there
// is none.
func (p *Project) Ruby(dir string) *Ruby {
	dir = path.Clean("/" + dir)[1:]
	r := &Ruby{Gems: map[string]Evidence{}, Precompiled: map[string]string{}}
	platforms := map[string][]string{}
	at := func(n string) string { return path.Join(p.at(dir), n) }
	open := func(n string) (string, bool) {
		if !p.repo.exists(at(n)) {
			return "", false
		}
		c, ok := p.repo.text(at(n))
		if ok {
			r.Files = append(r.Files, at(n))
		}
		return c, ok
	}
	if c, ok := open(".ruby-version"); ok {
		if v := strings.TrimPrefix(firstLine(c), "ruby-"); v != "" && len(v) < 30 {
			r.Version, r.VersionAt = v, Evidence{at(".ruby-version"), lineOf(c, v)}
		}
	}
	if r.Version == "" {
		r.Version, r.VersionAt, _ = p.toolVersion(dir, "ruby")
	}
	lock, locked := open("Gemfile.lock")
	if locked {
		for i, l := range strings.Split(lock, "\n") {
			if m := lockedGem.FindStringSubmatch(l); m != nil && len(r.Gems) < 5000 {
				if _, again := r.Gems[m[1]]; !again {
					r.Gems[m[1]] = Evidence{at("Gemfile.lock"), i + 1}
				}
				if _, platform, ok := strings.Cut(m[2], "-"); ok {
					platforms[m[1]] = append(platforms[m[1]], platform)
				}
			}
		}
	}
	r.Locked = locked
	for name, have := range platforms {
		if p := precompiled(have); p != "" {
			r.Precompiled[name] = p
		}
	}
	zones := false
	if c, ok := open("Gemfile"); ok {
		for i, l := range strings.Split(c, "\n") {
			if m := gemLine.FindStringSubmatch(l); m != nil && m[1] == "tzinfo-data" && !strings.Contains(l, "platform") {
				zones = true
			}
			if m := gemLine.FindStringSubmatch(l); m != nil && !locked && len(r.Gems) < 5000 {
				r.Gems[m[1]] = Evidence{at("Gemfile"), i + 1}
			}
			if m := gemRuby.FindStringSubmatch(l); m != nil {
				if r.Version == "" {
					r.Version, r.VersionAt = m[1], Evidence{at("Gemfile"), i + 1}
				}
				r.Pin, r.PinAt = m[1]+strings.NewReplacer(`"`, "", "'", "").Replace(m[2]), Evidence{at("Gemfile"), i + 1}
			}
			if gemFile.MatchString(l) && r.VersionAt.Path == at(".ruby-version") {
				r.Pin, r.PinAt = r.Version, r.VersionAt
			}
		}
	}
	if len(r.Files) == 0 {
		return nil
	}
	if at, ok := r.Gems["tzinfo"]; ok && !zones {
		r.Zones = at
	}
	return r
}

// rubyNeeds are gems with native code: Debian packages for compiling them and
// for running. Source: their installation instructions. Gems that publish
// precompiled variants for Linux (nokogiri, sqlite3, ffi) are not listed.
var rubyNeeds = map[string]Need{
	"pg":               {Compiles: true, Build: []string{"libpq-dev"}, Libraries: []string{"libpq5"}},
	"mysql2":           {Compiles: true, Build: []string{"libmariadb-dev"}, Libraries: []string{"libmariadb3"}},
	"trilogy":          {Compiles: true, Build: []string{"libssl-dev"}},
	"rmagick":          {Compiles: true, Build: []string{"libmagickwand-dev", "pkg-config"}, Libraries: []string{"libmagickwand-7.q16-10"}},
	"mini_magick":      {Libraries: []string{"imagemagick"}},
	"ruby-vips":        {Libraries: []string{"libvips42t64"}},
	"charlock_holmes":  {Compiles: true, Build: []string{"libicu-dev"}, Libraries: []string{"libicu76"}},
	"curb":             {Compiles: true, Build: []string{"libcurl4-openssl-dev"}, Libraries: []string{"libcurl4t64"}},
	"psych":            {Compiles: true, Build: []string{"libyaml-dev"}, Libraries: []string{"libyaml-0-2"}},
	"tiny_tds":         {Build: []string{"freetds-dev"}, Libraries: []string{"libsybdb5"}},
	"rugged":           {Compiles: true, Build: []string{"cmake", "pkg-config", "libssl-dev"}},
	"bootsnap":         {Compiles: true},
	"bcrypt":           {Compiles: true},
	"puma":             {Compiles: true},
	"msgpack":          {Compiles: true},
	"nio4r":            {Compiles: true},
	"websocket-driver": {Compiles: true},
	"racc":             {Compiles: true},
	"bigdecimal":       {Compiles: true},
	"json":             {Compiles: true},
	"date":             {Compiles: true},
	"io-console":       {Compiles: true},
	"snappy":           {Compiles: true, Build: []string{"libsnappy-dev"}, Libraries: []string{"libsnappy1v5"}},
	"wicked_pdf":       {Libraries: []string{"wkhtmltopdf"}},
	"pdfkit":           {Libraries: []string{"wkhtmltopdf"}},
	"grover":           {Libraries: []string{"chromium"}},
	"streamio-ffmpeg":  {Libraries: []string{"ffmpeg"}},
	"image_processing": {Libraries: []string{"libvips42t64"}},
	"execjs":           {Libraries: []string{"nodejs"}},
	"idn-ruby":         {Compiles: true, Build: []string{"libidn-dev"}, Libraries: []string{"libidn12"}},
}

// precompiled tells for which C libraries a gem is there on both architectures
// that DHI's images are built for.
func precompiled(platforms []string) string {
	var out []string
	for _, libc := range []string{"gnu", "musl"} {
		both := true
		for _, arch := range []string{"x86_64-linux", "aarch64-linux"} {
			both = both && (slices.Contains(platforms, arch+"-"+libc) || libc == "gnu" && slices.Contains(platforms, arch))
		}
		if both {
			out = append(out, libc)
		}
	}
	return strings.Join(out, " ")
}

// Needs are the gems with native code that is compiled for libc, "gnu" or
// "musl", or that load libraries, sorted by name.
func (r *Ruby) Needs(libc string) []Need {
	var out []Need
	for name, at := range r.Gems {
		if n, ok := rubyNeeds[name]; ok && !strings.Contains(r.Precompiled[name], libc) {
			n.Package, n.At = name, at
			out = append(out, n)
		}
	}
	slices.SortFunc(out, func(a, b Need) int { return strings.Compare(a.Package, b.Package) })
	return out
}
