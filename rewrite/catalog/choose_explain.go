package catalog

import (
	"strings"
	"time"
)

// result puts the choice together and explains it.
func (s *selection) result(o *offer, from string) *Choice {
	c := &Choice{Image: s.name, From: from, To: o.text}
	if o.dev != nil {
		c.Dev = &o.dev.Pick
	}
	if o.run != nil {
		c.Runtime = &o.run.Pick
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
	if o.text == c.From {
		return
	}
	var parts [6]int
	wanted, ok := appendVersion(parts[:0], c.From)
	if !ok {
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
	s.why = append(s.why, s.lost...)
	if len(s.jdks) > 0 {
		c.Bumped, c.JDKFrom, c.JDKTo = true, s.flavor, s.jdks[0]
		s.say("%s with %s is not offered; %s is the nearest.", s.name, s.flavor, s.jdks[0])
	}
	switch {
	case c.From == "" && s.text == "":
		s.say("No version was named; %s %s is %s.", s.name, o.text, s.policy(o))
	case s.hinted && !c.Bumped:
		s.say("No version was named; the project asks for %s %s.", s.name, s.text)
	}
	if c.OldData = c.Bumped && stateful[s.name]; c.OldData {
		s.say("%s %s may not read the data of %s: plan the upgrade of the data with it.", s.name, o.text, c.From)
	}
	var parts [6]int
	if floor, ok := appendVersion(parts[:0], s.want.AtLeast); ok && !o.actual.atLeast(floor) {
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
	if end := o.end(); end != "" && end <= s.soon() {
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
