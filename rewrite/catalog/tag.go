package catalog

import (
	"strings"
)

// tag is a tag of the catalog, taken apart. The grammar, as the catalog uses
// it, is
//
//	version [ "-" package revision ] { "-" flavor } [ "-" distribution ] { "-" flavor } [ "-dev" ]
//
// and every combination that exists is listed: a tag is found, never built.
type tag struct {
	Pick     // Version is "22", "8u502", "bookworm"; "" when the tag starts otherwise
	number   version
	revision string // package revision: "0" in 24.19.0-0, "r0" in 3.9.16-r0
	flavor   string // "jdk", "sfw-ent", "php8.4-fpm"
	distro   Distro
	release  string // "13" in debian13; "" in a tag that leaves it open
	dev      bool   // ends in -dev
}

// parseTag takes a listed tag apart.
func parseTag(text string, def *Definition) *tag {
	t := &tag{Pick: Pick{Tag: text, Def: def}}
	tokens := strings.Split(text, "-")
	if n, ok := parseVersion(tokens[0]); ok {
		t.Version, t.number = tokens[0], n
		tokens = tokens[1:]
		if len(tokens) > 0 && isRevision(tokens[0]) {
			t.revision = tokens[0]
			tokens = tokens[1:]
		}
	} else if def != nil && isRelease(tokens[0]) {
		t.Version = tokens[0]
		tokens = tokens[1:]
	}
	if n := len(tokens); n > 0 && tokens[n-1] == "dev" {
		t.dev = true
		tokens = tokens[:n-1]
	}
	var flavor []string
	for _, token := range tokens {
		if t.distro == "" {
			if family, release, ok := catalogDistro(token); ok {
				t.distro, t.release = family, release
				continue
			}
		}
		flavor = append(flavor, token)
	}
	t.flavor = strings.Join(flavor, "-")
	t.Suffix = strings.TrimPrefix(strings.TrimPrefix(text, t.Version), "-")
	return t
}

// isRelease tells whether a leading word takes the place of a version: the
// code names of debian-base and mysql's lts.
func isRelease(word string) bool {
	return debianReleases[word] != "" || word == "lts"
}

// isRevision matches the package revisions "0" and "r0".
func isRevision(token string) bool {
	digits := strings.TrimPrefix(token, "r")
	if digits == "" {
		return false
	}
	for _, r := range digits {
		if r < '0' || r > '9' {
			return false
		}
	}
	return true
}

// catalogDistro understands debian, debian13, alpine and alpine3.24.
func catalogDistro(token string) (family Distro, release string, ok bool) {
	for _, f := range []Distro{Debian, Alpine} {
		rest, found := strings.CutPrefix(token, string(f))
		if !found {
			continue
		}
		if rest == "" {
			return f, "", true
		}
		if isVersion(rest) {
			return f, rest, true
		}
	}
	return "", "", false
}
