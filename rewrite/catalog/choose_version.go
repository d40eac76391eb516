package catalog

import (
	"cmp"
	"slices"
	"strings"
)

// version picks the offer for the wanted version and release. With strict,
// nothing but the wanted version will do.
func (s *selection) version(groups [][]*offer, strict bool) (*offer, error) {
	offers := groups[0]
	if len(groups) > 1 {
		offers = slices.Concat(groups...)
	}
	if _, ok := osImages[s.name]; ok {
		return s.osVersion(offers), nil
	}
	if len(s.jdks) > 0 && (strict || s.want.Missing != NearestVersion) {
		return nil, &NoVersionError{
			Image: s.name, Wanted: strings.TrimSpace(s.text + " with " + s.flavor), Distro: offers[0].distro, Nearest: s.jdks,
		}
	}
	var parts [6]int
	floor, _ := appendVersion(parts[:0], s.want.AtLeast)
	floor = floor.line(max(2, depth(s.name, floor))) // a tag moves along with the patches of its line
	old := func(o *offer) bool { return !o.actual.atLeast(floor) }
	for _, group := range groups {
		fits := without(group, old)
		// A release that is wished for, or that the tag names, comes first
		// when it has the version; the newest otherwise.
		for _, release := range s.preferredReleases() {
			some := without(fits, func(o *offer) bool { return o.release != release })
			if o := s.match(some); o != nil {
				return o, nil
			}
		}
		if o := s.match(fits); o != nil {
			return o, nil
		}
	}
	fits := without(offers, old)
	if len(fits) == 0 {
		return nil, &NoVersionError{
			Image: s.name, Wanted: "at least " + s.want.AtLeast, Distro: offers[0].distro, Nearest: lines(offers, floor, s.name),
		}
	}
	if kind := s.oneKind(offers[0].distro); kind != "" {
		return nil, &NoVariantError{Image: s.name + " " + s.text, Wanted: kind}
	}
	return s.missing(offers, fits, strict)
}

// without gives the offers that are not to be dropped: the list itself when all
// stay.
func without(list []*offer, drop func(*offer) bool) []*offer {
	first := slices.IndexFunc(list, drop)
	if first < 0 {
		return list
	}
	kept := slices.Clone(list[:first])
	for _, o := range list[first+1:] {
		if !drop(o) {
			kept = append(kept, o)
		}
	}
	return kept
}

// oneKind finds out that the wanted version does exist, though not in both
// variants, and names the variant that is missing.
func (s *selection) oneKind(family Distro) string {
	if s.want.Need != NeedBoth || s.text == "" {
		return ""
	}
	names := map[Need]string{NeedDev: "runtime variant", NeedRuntime: "build variant"}
	for _, need := range []Need{NeedDev, NeedRuntime} {
		pairs, _ := flavorsFor(s.name, s.flavor)
		for _, pair := range pairs {
			if s.match(s.image.offers(family, pair, need)) != nil {
				return names[need]
			}
		}
	}
	return ""
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
				return s.bestRelease(offers, o)
			}
		}
		return s.newest(offers)
	}
	for _, o := range offers {
		if o.text == s.text {
			return s.bestRelease(offers, o)
		}
	}
	var parts [6]int
	wanted, ok := appendVersion(parts[:0], s.text)
	if !ok {
		return nil
	}
	for n := len(wanted); n >= depth(s.name, wanted); n-- {
		for _, o := range offers {
			if len(o.number) == n && slices.Equal(o.number, wanted[:n]) {
				return s.bestRelease(offers, o)
			}
		}
	}
	// Less precise than anything listed: ruby 3 on Alpine, where only 3.3 and
	// 3.4 have tags. The newest of them is what the official tag means.
	for _, o := range offers { // newest first
		if len(o.number) > len(wanted) && o.number.hasPrefix(wanted) {
			return s.bestRelease(offers, o)
		}
	}
	return nil
}

// bestRelease gives the offer of a version on the newest release.
func (s *selection) bestRelease(offers []*offer, like *offer) *offer {
	var best *offer
	for _, o := range offers {
		if o.text == like.text && o.flavors == like.flavors && (best == nil || compareReleases(o.release, best.release) > 0) {
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
		kept := without(candidates, func(o *offer) bool { return !f(o) })
		if len(kept) > 0 {
			candidates = kept
		}
	}
	narrow(func(o *offer) bool { return o.complete })
	limit := s.soon()
	narrow(func(o *offer) bool { return cmp.Or(o.lineEnd, "9999") > limit })
	candidates = channelLine(s.name, s.channel, candidates)
	top := candidates[0] // they are sorted, newest first
	want := depth(s.name, top.actual)
	if d := latestDepth[s.name]; d != 0 {
		want = d
	}
	line := top.actual.line(depth(s.name, top.actual))
	for _, o := range candidates { // of that line, the newest release of the distribution
		if o.actual.hasPrefix(line) && compareReleases(o.release, top.release) > 0 {
			top = o
		}
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
func (s *selection) missing(offers, fits []*offer, strict bool) (*offer, error) {
	var parts [6]int
	wanted, ok := appendVersion(parts[:0], s.text)
	if !ok {
		return nil, &NoVersionError{Image: s.name, Wanted: s.text, Distro: offers[0].distro, Nearest: lines(offers, nil, s.name)}
	}
	failure := &NoVersionError{Image: s.name, Wanted: s.text, Distro: offers[0].distro, Nearest: lines(offers, wanted, s.name)}
	if strict {
		return nil, failure
	}
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
		return s.bestReleaseOf(fits, above), nil
	case s.want.Missing == NearestVersion && below != nil:
		s.say("%s %s is not offered and nothing newer is; %s is the newest.", s.name, s.text, below.text)
		return s.bestReleaseOf(fits, below), nil
	case s.want.MoveUp && above != nil && above.actual[0] == wanted[0]:
		s.say("%s %s is not offered; %s is the next version of the same major line, and its toolchain builds older sources.",
			s.name, s.text, above.text)
		return s.bestReleaseOf(fits, above), nil
	}
	return nil, failure
}

// bestReleaseOf prefers the wished release over the newest for a version.
func (s *selection) bestReleaseOf(offers []*offer, like *offer) *offer {
	for _, release := range s.preferredReleases() {
		for _, o := range offers {
			if o.text == like.text && o.flavors == like.flavors && o.release == release {
				return o
			}
		}
	}
	return s.bestRelease(offers, like)
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
