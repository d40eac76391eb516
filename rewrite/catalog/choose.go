package catalog

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// nearEnd is how close to its end of life a version is not chosen any more
// when the origin named none.
const nearEnd = 90 * 24 * time.Hour

// halfYear is 183 days.
const halfYear = 183 * 24 * time.Hour

// Choose selects tags for an origin: a selection among listed tags, never
// string building. Errors are *NoVersionError and *NoVariantError. The choice is
// shared and must not be changed.
func (c *Catalog) Choose(o *Origin, w Want) (*Choice, error) {
	if o.Image == "" {
		name := firstOf(o.Repository, o.Reference)
		return nil, &NoVariantError{Image: name, Wanted: "equivalent"}
	}
	if unknown := unknowable(o); unknown != "" && w.Version == "" {
		return nil, &NoVersionError{Image: o.Image, Wanted: unknown}
	}
	return c.chosen(keyOf(o, w))
}

// unknowable names what a reference points at when that is neither a version
// nor a released line, so that choosing one would be a guess: an image by its
// digest alone, or the development branch of a distribution.
func unknowable(o *Origin) string {
	if o.Tag == "" && o.Digest != "" {
		return "for a digest without a tag"
	}
	switch o.Channel {
	case "edge", "testing", "sid", "unstable":
		return o.Channel
	}
	return ""
}

// ChooseImage does the same for an image of the catalog by name, for runtimes
// that the origin does not name: static, debian-base, eclipse-temurin.
// version "" takes the newest that is not near its end of life.
func (c *Catalog) ChooseImage(image, version, flavor string, w Want) (*Choice, error) {
	return c.chosen(choiceKey{image: image, text: version, flavor: flavor, want: w})
}

// selection is the run that answers a question.
func (c *Catalog) selection(k *choiceKey) *selection {
	return &selection{
		catalog: c, want: k.want, image: c.image(k.image), name: k.image,
		text: k.text, channel: k.channel, flavor: k.flavor, family: k.family, foreign: k.foreign,
		release: k.release, explicit: k.explicit, familyFirm: k.familyFirm,
	}
}

// selection is one run of the choice.
type selection struct {
	catalog *Catalog
	want    Want
	image   *image
	name    string

	text     string // the version that the origin names, "" for none
	channel  string
	flavor   string
	family   Distro
	foreign  string
	release  string
	explicit bool
	// familyFirm tells that the family was asked for, by the tag or by the
	// caller, and not only that the upstream image happens to be built on it.
	familyFirm bool
	hinted     bool // text is Want.Version

	why  []string
	lost []string // what of the flavor is not offered
	jdks []string // the JDKs that are offered instead of the wanted one
}

func (s *selection) say(format string, args ...any) {
	s.why = append(s.why, fmt.Sprintf(format, args...))
}

func (s *selection) choose() (*Choice, error) {
	if s.image == nil {
		return nil, &NoVariantError{Image: s.name, Wanted: "image"}
	}
	if s.want.Need == 0 {
		s.want.Need = NeedBoth
	}
	if s.text == "" && isNumber(s.want.Version) { // a hint that is no version says nothing
		s.text, s.hinted = s.want.Version, true
	}
	if s.want.Flavor != "" && flavorIsOpen(s.name, s.flavor) {
		s.flavor = s.want.Flavor
	}
	from := s.text
	families := s.families()
	passes := []bool{false}
	if s.want.OtherDistro { // the wanted version in the other family is better than another version in this one
		passes = []bool{true, false}
	}
	var first error
	for _, strict := range passes {
		for _, family := range families {
			s.why = nil
			groups := s.offers(family)
			if len(groups) == 0 {
				continue
			}
			chosen, err := s.version(groups, strict)
			if err == nil {
				return s.result(chosen, from), nil
			}
			if first == nil {
				first = err
			}
			if !strict {
				return nil, first
			}
		}
	}
	return nil, &NoVariantError{Image: s.name, Wanted: s.wantedVariant()}
}

// flavorIsOpen tells that an origin does not say which flavor it means.
func flavorIsOpen(image, flavor string) bool {
	return flavor == "" || javaImages[image] && flavor == "jdk"
}

// soon is the day up to which an end of life is near, YYYY-MM-DD.
func (s *selection) soon() string {
	if s.want.Today.IsZero() {
		return s.catalog.soon
	}
	return s.want.Today.Add(nearEnd).Format(time.DateOnly)
}

// families lists the families to look at, in order.
func (s *selection) families() []Distro {
	if s.want.Distro != KeepDistro {
		if s.want.OtherDistro {
			return []Distro{s.want.Distro, otherFamily(s.want.Distro)}
		}
		return []Distro{s.want.Distro}
	}
	first := s.family
	if first == KeepDistro {
		return []Distro{Debian, Alpine}
	}
	if s.want.OtherDistro || !s.familyFirm {
		return []Distro{first, otherFamily(first)}
	}
	return []Distro{first}
}

func otherFamily(d Distro) Distro {
	switch d {
	case Debian:
		return Alpine
	case Alpine:
		return Debian
	}
	return ""
}

// offers gives the offers of a family in groups, one for each pair of flavors
// that serves, the best first.
func (s *selection) offers(family Distro) [][]*offer {
	pairs, lost := flavorsFor(s.name, s.flavor)
	s.lost, s.jdks = lost, nil
	groups := make([][]*offer, 0, len(pairs))
	for _, pair := range pairs {
		if offers := s.image.offers(family, pair, s.want.Need); len(offers) > 0 {
			groups = append(groups, offers)
		}
	}
	if len(groups) == 0 {
		groups = s.otherJDK(family)
	}
	return groups
}

// otherJDK gives the offers with the nearest other JDK for a build tool whose
// JDK is not offered, when the nearest version is asked for.
func (s *selection) otherJDK(family Distro) [][]*offer {
	wanted, ok := jdkOf(s.flavor)
	if !ok || !javaTools[s.name] {
		return nil
	}
	var offered []int
	for flavor := range s.image.flavors {
		pair := flavorPair{flavor, flavor}
		if n, ok := jdkOf(flavor); ok && len(s.image.offers(family, pair, s.want.Need)) > 0 {
			offered = append(offered, n)
		}
	}
	if len(offered) == 0 {
		return nil
	}
	slices.SortFunc(offered, func(a, b int) int { return cmp.Compare(distance(a, wanted), distance(b, wanted)) })
	for _, n := range offered {
		s.jdks = append(s.jdks, fmt.Sprintf("jdk%d", n))
	}
	return [][]*offer{s.image.offers(family, flavorPair{s.jdks[0], s.jdks[0]}, s.want.Need)}
}

// distance orders newer versions before older ones, and near before far.
func distance(n, wanted int) int {
	if n >= wanted {
		return n - wanted
	}
	return 1000 + wanted - n
}

// jdkOf reads the number of a jdkN flavor.
func jdkOf(flavor string) (int, bool) {
	rest, ok := strings.CutPrefix(flavor, "jdk")
	if !ok || !isMajor(rest) {
		return 0, false
	}
	n, _ := parseVersion(rest)
	return n[0], true
}

// wantedVariant puts in words what is missing, and no more than that: that
// maven has no runtime variant is not a matter of the family or the JDK.
func (s *selection) wantedVariant() string {
	families := s.families()
	names := map[Need]string{NeedDev: "build variant", NeedRuntime: "runtime variant"}
	for _, need := range []Need{NeedDev, NeedRuntime} {
		if s.want.Need&need != 0 && !s.image.offersAny(need, Debian, Alpine) {
			return names[need]
		}
	}
	for _, need := range []Need{NeedDev, NeedRuntime} {
		if s.want.Need&need != 0 && !s.image.offersAny(need, families...) {
			return familyNames[families[0]] + " " + names[need]
		}
	}
	words := []string{"variant"}
	if s.want.Need != NeedBoth {
		words[0] = names[s.want.Need]
	}
	if s.flavor != "" {
		words = append([]string{s.flavor}, words...)
	}
	if len(families) == 1 {
		words = append([]string{familyNames[families[0]]}, words...)
	}
	return strings.Join(words, " ")
}
