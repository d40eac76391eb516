package snapshot

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"dhibot/rewrite/catalog"
)

// Changes is what two snapshots differ in.
type Changes struct {
	Before, After Size
	ImagesAdded   []string
	ImagesRemoved []string
	// Images are the images of both snapshots that differ, by name.
	Images []ImageChange
}

// Size counts what a catalog has.
type Size struct{ Images, Definitions, Tags int }

// ImageChange is what an image differs in.
type ImageChange struct {
	Name        string
	TagsAdded   []string
	TagsRemoved []string
	// Facts are changes under tags that both have, named once for each variant.
	Facts []FactChange
}

// FactChange is a fact that changed under a tag that stayed. Of lists Before
// has what went and After what came.
type FactChange struct{ Tag, What, Before, After string }

// Compare lists what changed between two catalogs.
func Compare(before, after *catalog.Catalog) *Changes {
	c := &Changes{Before: sizeOf(before), After: sizeOf(after)}
	for _, name := range before.Images() {
		if !after.Has(name) {
			c.ImagesRemoved = append(c.ImagesRemoved, name)
			continue
		}
		if ic := compareImage(before, after, name); ic != nil {
			c.Images = append(c.Images, *ic)
		}
	}
	for _, name := range after.Images() {
		if !before.Has(name) {
			c.ImagesAdded = append(c.ImagesAdded, name)
		}
	}
	return c
}

// Empty tells that the facts are the same.
func (c *Changes) Empty() bool {
	return len(c.ImagesAdded)+len(c.ImagesRemoved)+len(c.Images) == 0
}

func sizeOf(c *catalog.Catalog) Size {
	s := Size{Images: len(c.Images())}
	for _, name := range c.Images() {
		for _, d := range c.Definitions(name) {
			s.Definitions++
			s.Tags += len(d.Tags)
		}
	}
	return s
}

// compareImage gives nil when the image is the same in both.
func compareImage(before, after *catalog.Catalog, name string) *ImageChange {
	ic := &ImageChange{Name: name}
	old, now := tagsOf(before, name), tagsOf(after, name)
	seen := make(map[[2]*catalog.Definition]bool)
	for _, tag := range slices.Sorted(maps.Keys(old)) {
		a, b := old[tag], now[tag]
		if b == nil {
			ic.TagsRemoved = append(ic.TagsRemoved, tag)
			continue
		}
		if pair := [2]*catalog.Definition{a, b}; !seen[pair] {
			seen[pair] = true
			ic.Facts = append(ic.Facts, compareFacts(tag, a, b)...)
		}
	}
	for _, tag := range slices.Sorted(maps.Keys(now)) {
		if old[tag] == nil {
			ic.TagsAdded = append(ic.TagsAdded, tag)
		}
	}
	if len(ic.TagsAdded)+len(ic.TagsRemoved)+len(ic.Facts) == 0 {
		return nil
	}
	return ic
}

func tagsOf(c *catalog.Catalog, name string) map[string]*catalog.Definition {
	m := make(map[string]*catalog.Definition)
	for _, d := range c.Definitions(name) {
		for _, t := range d.Tags {
			m[t] = d
		}
	}
	return m
}

func compareFacts(tag string, a, b *catalog.Definition) []FactChange {
	var list []FactChange
	for _, f := range []struct{ what, before, after string }{
		{"entrypoint", words(a.Entrypoint), words(b.Entrypoint)},
		{"cmd", words(a.Cmd), words(b.Cmd)},
		{"user", userOf(a), userOf(b)},
		{"work dir", cmp.Or(a.WorkDir, "/"), cmp.Or(b.WorkDir, "/")},
		{"shell", cmp.Or(a.Shell(), "none"), cmp.Or(b.Shell(), "none")},
		{"variant", a.Variant, b.Variant},
		{"flavor", cmp.Or(a.Flavor, "none"), cmp.Or(b.Flavor, "none")},
		{"distribution", string(a.Distro) + a.DistroVersion, string(b.Distro) + b.DistroVersion},
		{"end of life", cmp.Or(a.EndOfLife, "none"), cmp.Or(b.EndOfLife, "none")},
		{"release date", cmp.Or(a.Released, "none"), cmp.Or(b.Released, "none")},
		{"stop signal", cmp.Or(a.StopSignal, "none"), cmp.Or(b.StopSignal, "none")},
	} {
		if f.before != f.after {
			list = append(list, FactChange{tag, f.what, f.before, f.after})
		}
	}
	for _, f := range []struct {
		what          string
		before, after []string
	}{
		{"platforms", a.Platforms, b.Platforms},
		{"ports", a.Ports, b.Ports},
		{"accounts", accounts(a), accounts(b)},
		{"directories", directories(a), directories(b)},
		{"environment", environment(a), environment(b)},
		{"packages", a.Packages, b.Packages},
	} {
		went, came := without(f.before, f.after), without(f.after, f.before)
		if len(went)+len(came) > 0 {
			list = append(list, FactChange{tag, f.what, none(went), none(came)})
		}
	}
	return list
}

func without(list, others []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return slices.Contains(others, s) })
}

func none(list []string) string { return cmp.Or(strings.Join(list, " "), "none") }

func accounts(d *catalog.Definition) []string {
	var list []string
	for _, u := range d.Users {
		list = append(list, fmt.Sprintf("%s:%d:%d", u.Name, u.UID, u.GID))
	}
	return list
}

func directories(d *catalog.Definition) []string {
	var list []string
	for _, dir := range d.Directories {
		list = append(list, fmt.Sprintf("%s:%d:%d:%s", dir.Path, dir.UID, dir.GID, dir.Mode))
	}
	return list
}

func environment(d *catalog.Definition) []string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(d.Environment)) {
		list = append(list, name+"="+d.Environment[name])
	}
	return list
}

func words(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return fmt.Sprintf("%q", list)
}

func userOf(d *catalog.Definition) string {
	u := d.RunUser()
	return fmt.Sprintf("%s (%d)", u.Name, u.UID)
}

// LostError tells that a source lost more images than a day's work explains:
// the catalog's own synchronisation has wiped images by mistake before
// (docker-hardened-images/catalog#556).
type LostError struct {
	Before int
	Lost   []string
	Limit  float64 // per cent
}

func (e *LostError) Error() string {
	some := e.Lost
	more := ""
	if len(some) > 10 {
		more = fmt.Sprintf(" and %d more", len(some)-10)
		some = some[:10]
	}
	return fmt.Sprintf("the source lost %d of %d images (%.1f %%, more than %g %%): %s%s",
		len(e.Lost), e.Before, 100*float64(len(e.Lost))/float64(e.Before), e.Limit, strings.Join(some, ", "), more)
}

// Check refuses a source that lost more than limit per cent of its images.
func (c *Changes) Check(limit float64) error {
	if lost := len(c.ImagesRemoved); lost > 0 && 100*float64(lost) > limit*float64(c.Before.Images) {
		return &LostError{Before: c.Before.Images, Lost: c.ImagesRemoved, Limit: limit}
	}
	return nil
}
