package project

import (
	"encoding/json"
	"path"
	"slices"
	"strings"
)

// PHP is a Composer project of the build context.
type PHP struct {
	File string
	// Requires is the constraint on PHP, as written.
	Requires   string
	RequiresAt Evidence
	// Extensions are the required PHP extensions (ext-*), of composer.json and
	// of what composer.lock installs for production, sorted.
	Extensions []Extension
	Packages   map[string]Evidence
}

// Extension is a PHP extension that is required.
type Extension struct {
	Name string // without ext-
	At   Evidence
	By   string // the package that requires it; "" for the project
}

// PHP reads composer.json and composer.lock of a directory below the context;
// nil when there is none that can be read.
func (p *Project) PHP(dir string) *PHP {
	file := path.Join(p.at(dir), "composer.json")
	c, ok := p.repo.text(file)
	if !ok {
		return nil
	}
	var doc struct{ Require map[string]any }
	if json.Unmarshal([]byte(c), &doc) != nil {
		return nil
	}
	lines := jsonLines(c)
	h := &PHP{File: file, Packages: map[string]Evidence{}}
	seen := map[string]bool{}
	for name, v := range stringsOf(doc.Require) {
		at := Evidence{file, lines[jsonKey("require", name)]}
		switch ext, isExt := strings.CutPrefix(name, "ext-"); {
		case isExt:
			seen[ext] = true
			h.Extensions = append(h.Extensions, Extension{Name: ext, At: at})
		case name == "php":
			h.Requires, h.RequiresAt = v, at
		default:
			h.Packages[name] = at
		}
	}
	h.lock(p, path.Join(p.at(dir), "composer.lock"), seen)
	slices.SortFunc(h.Extensions, func(a, b Extension) int { return strings.Compare(a.Name, b.Name) })
	return h
}

func (h *PHP) lock(p *Project, file string, seen map[string]bool) {
	c, ok := p.repo.text(file)
	if !ok {
		return
	}
	var doc struct {
		Packages []struct {
			Name    string
			Require map[string]any
		}
	}
	if json.Unmarshal([]byte(c), &doc) != nil {
		return
	}
	lines := map[string]int{}
	for i, l := range strings.Split(c, "\n") {
		_, rest, ok := strings.Cut(l, `"name": "`)
		if name, _, end := strings.Cut(rest, `"`); ok && end && lines[name] == 0 {
			lines[name] = i + 1
		}
	}
	for _, pkg := range doc.Packages {
		at := Evidence{file, lines[pkg.Name]}
		if _, ok := h.Packages[pkg.Name]; !ok && len(h.Packages) < 5000 {
			h.Packages[pkg.Name] = at
		}
		for name := range pkg.Require {
			if ext, ok := strings.CutPrefix(name, "ext-"); ok && !seen[ext] {
				seen[ext] = true
				h.Extensions = append(h.Extensions, Extension{Name: ext, At: at, By: pkg.Name})
			}
		}
	}
}
