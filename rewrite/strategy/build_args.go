package strategy

import (
	"fmt"
	"path"
	"strings"

	"dhibot/rewrite/project"
)

// builtWith refuses a base image whose version a build of the repository sets
// to one that DHI does not have: the Dockerfile alone would look right, and the
// build would not find its image.
func (d *decider) builtWith(s *Stage) *Block {
	if s.Base == nil || len(s.Base.Args) == 0 || s.Origin == nil || s.Origin.Image == "" || !d.known() {
		return nil
	}
	names := map[string]bool{}
	for _, a := range s.Base.Args {
		// A variable for another part of the tag says nothing about the version.
		names[a.Name] = !a.Has || a.Default == "" || strings.HasPrefix(s.Origin.Tag, a.Default)
	}
	for _, b := range d.Project.Builds() {
		for _, a := range b.Args {
			if !names[a.Name] {
				continue
			}
			v := strings.TrimPrefix(d.setting(a), "v")
			if !plainVersion(v) || d.offersVersion(s.Origin.Image, v) {
				continue
			}
			return &Block{Rule: "base-image", Code: "version-not-offered", Line: a.At.Line, Path: a.At.Path,
				Text: fmt.Sprintf("a build sets %s to %s, and DHI has no %s %s", a.Name, v, s.Origin.Image, v)}
		}
	}
	return nil
}

// setting is the value of a build argument; what compose takes from its
// environment is looked up in the .env file beside it.
func (d *decider) setting(a project.Setting) string {
	name, ok := strings.CutPrefix(a.Value, "$")
	if !ok {
		return a.Value
	}
	if inner, braced := strings.CutPrefix(name, "{"); braced {
		if name, ok = strings.CutSuffix(inner, "}"); !ok {
			return ""
		}
	}
	fallback := ""
	if i := strings.Index(name, ":-"); i >= 0 {
		name, fallback = name[:i], name[i+2:]
	}
	env, ok := d.Project.ReadRoot(path.Join(path.Dir(a.At.Path), ".env"))
	if !ok {
		return fallback
	}
	for line := range strings.Lines(string(env)) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), name+"="); ok {
			return strings.Trim(strings.TrimSpace(v), `"'`)
		}
	}
	return fallback
}

// plainVersion tells whether a value is a version and nothing else.
func plainVersion(v string) bool {
	return v != "" && v[0] >= '0' && v[0] <= '9' && strings.Trim(v, "0123456789.") == ""
}

// offersVersion tells whether a tag of the image begins with a version.
func (d *decider) offersVersion(image, version string) bool {
	for _, t := range d.Catalog.Tags(image) {
		if t == version || strings.HasPrefix(t, version+"-") {
			return true
		}
	}
	return false
}
