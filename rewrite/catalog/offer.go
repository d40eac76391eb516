package catalog

import (
	"cmp"
	"slices"
	"strings"
)

// offer is one way to meet a need: a version as tags spell it, a distribution
// release, and the tags for it.
type offer struct {
	image    string
	flavors  flavorPair
	distro   Distro
	release  string
	text     string // the version as the tags spell it
	number   version
	actual   version // the full version behind it
	dev, run *tag    // nil when not needed
	lineEnd  string  // the end of life recorded for the line anywhere, or ""
	complete bool    // exists in a build and in a runtime variant
}

// end is the earlier end of life of the definitions behind it, "" when none is
// recorded.
func (o *offer) end() string {
	end := ""
	for _, t := range []*tag{o.dev, o.run} {
		if t != nil && t.Def.EndOfLife != "" && (end == "" || t.Def.EndOfLife < end) {
			end = t.Def.EndOfLife
		}
	}
	return end
}

// offerKey names a list of offers.
type offerKey struct {
	family  Distro
	flavors flavorPair
	need    Need
}

// offers lists what an image has for a family, a pair of flavors and a need,
// newest first. The list is kept and must not be modified; the flavors of an
// image bound how many there can be.
func (i *image) offers(family Distro, flavors flavorPair, need Need) []*offer {
	if !i.flavors[flavors.dev] && !i.flavors[flavors.runtime] {
		return nil
	}
	if !i.flavors[flavors.dev] || !i.flavors[flavors.runtime] {
		return i.collect(family, flavors, need)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	key := offerKey{family, flavors, need}
	list, ok := i.lists[key]
	if !ok {
		list = i.collect(family, flavors, need)
		i.lists[key] = list
	}
	return list
}

// collect makes a list of offers. Only tags that name their distribution
// release are considered: the others move to the next release one day.
func (i *image) collect(family Distro, flavors flavorPair, need Need) []*offer {
	type key struct{ release, version string }
	dev, run := make(map[key]*tag), make(map[key]*tag)
	ends := make(map[string]string)
	for _, t := range i.tags {
		if t.Def.EndOfLife != "" {
			ends[t.number.line(depth(i.name, t.number)).String()] = t.Def.EndOfLife
		}
		if t.distro != family || t.release == "" || t.Version == "" || t.revision != "" {
			continue
		}
		k := key{t.release, t.Version}
		if t.Def.Build() {
			if t.flavor == flavors.dev {
				dev[k] = t
			}
		} else if t.flavor == flavors.runtime && !t.dev {
			run[k] = t
		}
	}
	var list []*offer
	add := func(k key) {
		d, r := dev[k], run[k]
		if need&NeedDev != 0 && d == nil || need&NeedRuntime != 0 && r == nil {
			return
		}
		o := &offer{image: i.name, flavors: flavors, distro: family, release: k.release, text: k.version, complete: d != nil && r != nil}
		o.number, _ = parseVersion(k.version)
		if need&NeedDev != 0 {
			o.dev = d
		}
		if need&NeedRuntime != 0 {
			o.run = r
		}
		one := o.run
		if one == nil {
			one = o.dev
		}
		o.actual = fullVersion(one.Def)
		o.lineEnd = ends[o.actual.line(depth(i.name, o.actual)).String()]
		list = append(list, o)
	}
	for k := range dev {
		add(k)
	}
	for k := range run {
		if dev[k] == nil {
			add(k)
		}
	}
	slices.SortFunc(list, func(a, b *offer) int {
		return cmp.Or(
			compareVersions(b.actual, a.actual), compareReleases(b.release, a.release),
			cmp.Compare(len(a.number), len(b.number)), cmp.Compare(a.text, b.text))
	})
	return list
}

// offersAny tells whether an image has any variant of a kind in one of the
// families, whatever its flavor.
func (i *image) offersAny(need Need, families ...Distro) bool {
	return slices.ContainsFunc(i.defs, func(d *Definition) bool {
		return slices.Contains(families, d.Distro) && d.Build() == (need == NeedDev)
	})
}

// fullVersion is the most precise version among the tags of a definition.
func fullVersion(d *Definition) version {
	var full version
	for _, text := range d.Tags {
		first, _, _ := strings.Cut(text, "-")
		if v, ok := parseVersion(first); ok && (len(v) > len(full) || len(v) == len(full) && compareVersions(v, full) > 0) {
			full = v
		}
	}
	return full
}

// compareReleases orders releases of one family: 3.24 after 3.9.
func compareReleases(a, b string) int {
	var pa, pb [6]int
	va, _ := appendVersion(pa[:0], a)
	vb, _ := appendVersion(pb[:0], b)
	return compareVersions(va, vb)
}
