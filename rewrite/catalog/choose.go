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

// Choose selects tags for an origin: a selection among listed tags, never
// string building. Errors are *NoVersionError and *NoVariantError.
func (c *Catalog) Choose(o *Origin, w Want) (*Choice, error) {
	if o.Image == "" {
		name := firstOf(o.Repository, o.Reference)
		return nil, &NoVariantError{Image: name, Wanted: "equivalent"}
	}
	s := &selection{
		catalog: c, want: w, image: c.image(o.Image), name: o.Image,
		text: o.Version, channel: o.Channel, flavor: o.Flavor,
		family: o.Distro, foreign: o.Foreign, release: releaseNumber(o.Release), explicit: o.Explicit,
		familyFirm: o.familyKnown,
	}
	return s.choose()
}

// ChooseImage does the same for an image of the catalog by name, for runtimes
// that the origin does not name: static, debian-base, eclipse-temurin.
// version "" takes the newest that is not near its end of life.
func (c *Catalog) ChooseImage(image, version, flavor string, w Want) (*Choice, error) {
	s := &selection{
		catalog: c, want: w, image: c.image(image), name: image, text: version, flavor: flavor,
	}
	return s.choose()
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

	why []string
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
	offers, err := s.familyOffers()
	if err != nil {
		return nil, err
	}
	chosen, err := s.version(offers)
	if err != nil {
		return nil, err
	}
	return s.result(chosen, from), nil
}

// flavorIsOpen tells that an origin does not say which flavor it means.
func flavorIsOpen(image, flavor string) bool {
	return flavor == "" || javaImages[image] && flavor == "jdk"
}

// today is the day that decides about end of life.
func (s *selection) today() time.Time {
	if s.want.Today.IsZero() {
		return s.catalog.date
	}
	return s.want.Today
}

// families lists the families to look at, in order.
func (s *selection) families() []Distro {
	other := map[Distro]Distro{Debian: Alpine, Alpine: Debian}
	if s.want.Distro != KeepDistro {
		if s.want.OtherDistro {
			return []Distro{s.want.Distro, other[s.want.Distro]}
		}
		return []Distro{s.want.Distro}
	}
	first := s.family
	if first == KeepDistro {
		return []Distro{Debian, Alpine}
	}
	if s.want.OtherDistro || !s.familyFirm {
		return []Distro{first, other[first]}
	}
	return []Distro{first}
}

// familyOffers gives the offers of the first family and flavor that has any.
func (s *selection) familyOffers() ([]*offer, error) {
	pairs, lost := flavorsFor(s.name, s.flavor)
	families := s.families()
	for _, family := range families {
		for _, pair := range pairs {
			if offers := s.image.offers(family, pair, s.want.Need); len(offers) > 0 {
				s.why = append(s.why, lost...)
				return offers, nil
			}
		}
	}
	return nil, &NoVariantError{Image: s.name, Wanted: s.wantedVariant(families)}
}

// wantedVariant puts in words what is missing, and no more than that: that
// maven has no runtime variant is not a matter of the family or the JDK.
func (s *selection) wantedVariant(families []Distro) string {
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

// version picks the offer for the wanted version and release.
func (s *selection) version(offers []*offer) (*offer, error) {
	if _, ok := osImages[s.name]; ok {
		return s.osVersion(offers), nil
	}
	floor, _ := parseVersion(s.want.AtLeast)
	floor = floor.line(max(2, depth(s.name, floor))) // a tag moves along with the patches of its line
	fits := slices.DeleteFunc(slices.Clone(offers), func(o *offer) bool { return !o.actual.atLeast(floor) })
	if len(fits) == 0 {
		return nil, &NoVersionError{Image: s.name, Wanted: "at least " + s.want.AtLeast, Nearest: lines(offers, floor, s.name)}
	}
	// A release that is wished for, or that the tag names, comes first when it
	// has the version; the newest otherwise.
	for _, release := range s.preferredReleases() {
		some := slices.DeleteFunc(slices.Clone(fits), func(o *offer) bool { return o.release != release })
		if o := s.match(some); o != nil {
			return o, nil
		}
	}
	if o := s.match(fits); o != nil {
		return o, nil
	}
	return s.missing(offers, fits)
}

// preferredReleases are releases of the chosen family that are better than the
// newest. Debian's bookworm is only kept when the caller says so: the newest
// release has the same packages under the same names for nearly every use, and
// Debian 12 leaves support first.
func (s *selection) preferredReleases() []string {
	var list []string
	if s.want.Release != "" {
		list = append(list, releaseNumber(s.want.Release))
	}
	if s.explicit && s.family == Alpine {
		list = append(list, s.release)
	}
	return list
}

// match finds the wanted version among offers, nil when it is not there.
func (s *selection) match(offers []*offer) *offer {
	if len(offers) == 0 {
		return nil
	}
	if s.text == "" {
		for _, o := range offers { // the catalog has some moving names itself: mysql:lts
			if s.channel != "" && o.text == s.channel {
				return s.bestRelease(offers, o.text)
			}
		}
		return s.newest(offers)
	}
	for _, o := range offers {
		if o.text == s.text {
			return s.bestRelease(offers, o.text)
		}
	}
	wanted, ok := parseVersion(s.text)
	if !ok {
		return nil
	}
	for n := len(wanted); n >= depth(s.name, wanted); n-- {
		for _, o := range offers {
			if len(o.number) == n && slices.Equal(o.number, wanted[:n]) {
				return s.bestRelease(offers, o.text)
			}
		}
	}
	// Less precise than anything listed: ruby 3 on Alpine, where only 3.3 and
	// 3.4 have tags. The newest of them is what the official tag means.
	for _, o := range offers { // newest first
		if len(o.number) > len(wanted) && o.number.hasPrefix(wanted) {
			return s.bestRelease(offers, o.text)
		}
	}
	return nil
}

// bestRelease gives the offer of a version on the newest release.
func (s *selection) bestRelease(offers []*offer, text string) *offer {
	var best *offer
	for _, o := range offers {
		if o.text == text && (best == nil || compareReleases(o.release, best.release) > 0) {
			best = o
		}
	}
	return best
}

// newest applies the policy for images without a version: the newest that has
// a build and a runtime variant and is not near its end of life, on the line
// that the channel means.
func (s *selection) newest(offers []*offer) *offer {
	candidates := offers
	narrow := func(f func(*offer) bool) {
		kept := slices.DeleteFunc(slices.Clone(candidates), func(o *offer) bool { return !f(o) })
		if len(kept) > 0 {
			candidates = kept
		}
	}
	narrow(func(o *offer) bool { return o.complete })
	limit := s.today().Add(nearEnd).Format(time.DateOnly)
	narrow(func(o *offer) bool { return cmp.Or(o.lineEnd, "9999") > limit })
	candidates = channelLine(s.name, s.channel, candidates)
	top := candidates[0] // they are sorted, newest first
	want := depth(s.name, top.actual)
	if d := latestDepth[s.name]; d != 0 {
		want = d
	}
	best := top
	for _, o := range candidates {
		same := slices.Equal(o.actual, top.actual) && o.release == top.release
		if same && closer(len(o.number), len(best.number), want) {
			best = o
		}
	}
	return best
}

// closer tells whether a is nearer to want than b, fewer numbers winning a tie.
func closer(a, b, want int) bool {
	abs := func(n int) int { return max(n, -n) }
	return cmp.Or(cmp.Compare(abs(a-want), abs(b-want)), cmp.Compare(a, b)) < 0
}

// missing decides about a version that is not offered.
func (s *selection) missing(offers, fits []*offer) (*offer, error) {
	wanted, ok := parseVersion(s.text)
	if !ok {
		return nil, &NoVersionError{Image: s.name, Wanted: s.text, Nearest: lines(offers, nil, s.name)}
	}
	failure := &NoVersionError{Image: s.name, Wanted: s.text, Nearest: lines(offers, wanted, s.name)}
	var above, below *offer // nearest lines on either side
	for _, o := range fits {
		if len(o.number) != min(depth(s.name, o.actual), len(o.actual)) {
			continue
		}
		if compareVersions(o.number, wanted.line(len(o.number))) >= 0 {
			if above == nil || compareVersions(o.number, above.number) < 0 {
				above = o
			}
		} else if below == nil || compareVersions(o.number, below.number) > 0 {
			below = o
		}
	}
	switch {
	case s.want.Missing == NearestVersion && above != nil:
		s.say("%s %s is not offered; %s is the nearest newer version.", s.name, s.text, above.text)
		return s.bestReleaseOf(fits, above.text), nil
	case s.want.Missing == NearestVersion && below != nil:
		s.say("%s %s is not offered and nothing newer is; %s is the newest.", s.name, s.text, below.text)
		return s.bestReleaseOf(fits, below.text), nil
	case s.want.MoveUp && above != nil && above.actual[0] == wanted[0]:
		s.say("%s %s is not offered; %s is the next version of the same major line, and its toolchain builds older sources.",
			s.name, s.text, above.text)
		return s.bestReleaseOf(fits, above.text), nil
	}
	return nil, failure
}

// bestReleaseOf prefers the wished release over the newest for a version.
func (s *selection) bestReleaseOf(offers []*offer, text string) *offer {
	for _, release := range s.preferredReleases() {
		for _, o := range offers {
			if o.text == text && o.release == release {
				return o
			}
		}
	}
	return s.bestRelease(offers, text)
}

// osVersion picks the release of a bare distribution.
func (s *selection) osVersion(offers []*offer) *offer {
	for _, release := range s.preferredReleases() {
		for _, o := range offers {
			if o.release == release {
				return o
			}
		}
	}
	best := offers[0]
	for _, o := range offers {
		if compareReleases(o.release, best.release) > 0 {
			best = o
		}
	}
	return best
}

// lines lists the versions of the offers, one for each compatibility line,
// nearest to wanted first: newer ones ascending, then older ones descending.
func lines(offers []*offer, wanted version, image string) []string {
	var list []version
	names := make(map[string]string)
	for _, o := range offers {
		line := o.actual.line(depth(image, o.actual))
		name := line.String()
		if len(line) == 0 {
			name = o.text
		}
		if _, seen := names[name]; !seen {
			names[name] = name
			list = append(list, line)
		}
	}
	slices.SortFunc(list, func(a, b version) int {
		wa, wb := compareVersions(a, wanted.line(len(a))) >= 0, compareVersions(b, wanted.line(len(b))) >= 0
		switch {
		case wa && wb:
			return compareVersions(a, b)
		case !wa && !wb:
			return compareVersions(b, a)
		case wa:
			return -1
		}
		return 1
	})
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = v.String()
	}
	return out
}

// result puts the choice together and explains it.
func (s *selection) result(o *offer, from string) *Choice {
	c := &Choice{Image: s.name, From: from, To: o.text}
	if o.dev != nil {
		c.Dev = o.dev.pick()
	}
	if o.run != nil {
		c.Runtime = o.run.pick()
	}
	c.DistroChanged = s.family != "" && s.family != o.distro || s.foreign != ""
	c.ReleaseChanged = s.explicit && s.family == o.distro && s.release != o.release
	if _, ok := osImages[s.name]; ok {
		c.From = s.release
	} else {
		s.compare(c, o)
	}
	s.explain(c, o)
	c.Why = s.why
	return c
}

// compare tells a widened version from another one.
func (s *selection) compare(c *Choice, o *offer) {
	wanted, ok := parseVersion(c.From)
	if !ok || o.text == c.From {
		return
	}
	d := depth(s.name, wanted)
	line := wanted.line(d)
	switch {
	case !o.actual.hasPrefix(line):
		c.Bumped = true
	case len(o.number) < len(wanted):
		c.Widened = true
		s.say("%s %s has no tag of its own; %s is the tag of its line, %s in this catalog.", s.name, c.From, o.text, o.actual)
		if !o.actual.atLeast(wanted) {
			s.say("%s is older than %s: the tag moves on with its line, so compare before you merge.", o.actual, c.From)
		}
	}
}

func (s *selection) explain(c *Choice, o *offer) {
	switch {
	case c.From == "" && s.text == "":
		s.say("No version was named; %s %s is %s.", s.name, o.text, s.policy(o))
	case s.hinted && !c.Bumped:
		s.say("No version was named; the project asks for %s %s.", s.name, s.text)
	}
	if floor, ok := parseVersion(s.want.AtLeast); ok && !o.actual.atLeast(floor) {
		s.say("At least %s is asked for; the catalog of %s has %s under this tag, which moves with its line.",
			s.want.AtLeast, s.catalog.date.Format(time.DateOnly), o.actual)
	}
	switch {
	case c.DistroChanged && s.foreign != "":
		s.say("%s is not offered on %s; this is %s %s.", s.name, s.foreign, familyNames[o.distro], o.release)
	case c.DistroChanged:
		s.say("%s is not offered on %s; this is %s %s.", s.name, familyNames[s.family], familyNames[o.distro], o.release)
	case c.ReleaseChanged:
		s.say("%s %s takes the place of %s.", familyNames[o.distro], o.release, releaseName(s.family, s.release))
	}
	if end := o.end(); end != "" && end <= s.today().Add(nearEnd).Format(time.DateOnly) {
		s.say("%s %s reaches its end of life on %s.", s.name, o.text, end)
	}
}

// policy says why a version was chosen for an image that named none.
func (s *selection) policy(o *offer) string {
	family := familyNames[o.distro]
	switch {
	case s.name == "nginx" && s.channel != "mainline":
		return "the stable line on " + family
	case s.name == "node" && s.channel != "current" && o.lineEnd != "":
		return "the newest long-term line on " + family
	}
	return "the newest that is offered on " + family + " and not near its end of life"
}

// familyNames are the names of the families in sentences.
var familyNames = map[Distro]string{Debian: "Debian", Alpine: "Alpine"}

// releaseName names a release in a sentence: Ubuntu's have a dot, Debian's none.
func releaseName(family Distro, release string) string {
	if family == Debian && strings.Contains(release, ".") {
		return "Ubuntu " + release
	}
	return familyNames[family] + " " + release
}
