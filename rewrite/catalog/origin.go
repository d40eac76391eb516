package catalog

import (
	"strings"
)

// Origin is an image that a Dockerfile comes from, understood.
type Origin struct {
	Reference  string // as given
	Repository string // normalised: "node", "gcr.io/distroless/static-debian12"
	Tag        string
	Digest     string
	// Image is the DHI image it maps to; "" when there is none.
	Image string
	// Hint is a DHI image that has the same name but is not a safe target.
	Hint string
	// Evidence says why it maps, or why it does not.
	Evidence string
	// Hardened tells that it is a DHI reference already.
	Hardened bool
	// Distro and Release are what the tag says: Debian and "bookworm" for
	// -slim-bookworm or debian:12, Alpine and "3.20" for -alpine3.20; Ubuntu
	// tags count as Debian ("jammy" for ubuntu:22.04). A tag that is silent has the family that the
	// upstream image is known to be built on, "" when that is neither (RPM) or
	// not known. Explicit tells that the tag names the release.
	Distro   Distro
	Release  string
	Explicit bool
	// Foreign names a distribution that is neither family, such as
	// "amazonlinux2023" or "ubi9", when the tag or the image's facts say so.
	Foreign string
	// Version is the leading version of the tag, "" for latest or none.
	Version string
	// Channel is a moving name instead of a version: latest, lts, stable,
	// mainline, current; "" otherwise.
	Channel string
	// Flavor is what else the tag says in DHI's words: jdk, jre, jdk21, sdk,
	// fpm, apache, cli, php8.4, chiseled, debug ...
	Flavor string
	Slim   bool
	// Windows tells that it is a Windows image.
	Windows bool
	// Split names the catalog's images that together make up this one when no
	// single one does: python and uv for ghcr.io/astral-sh/uv:python3.12-...
	// Image is the first of them; WithVersion is the version of the second, ""
	// when the tag names none.
	Split       []string
	WithVersion string
	// Config are the facts about the image, never nil; they are shared by all
	// origins of the image and must not be changed.
	Config *Config

	familyKnown bool // the tag itself names the family
}

// Origin understands a reference. extra maps further repositories to upstream
// ones; a key that ends in a slash is a prefix, such as that of a pull-through
// cache. It never fails: what is not known has an empty Image and Evidence.
// The origin is shared and must not be changed.
func (c *Catalog) Origin(reference string, extra map[string]string) *Origin {
	if len(extra) > 0 || len(reference) > maxQuestion {
		return c.origin(reference, extra)
	}
	if o, ok := c.origins.find(reference); ok {
		return o
	}
	reference = strings.Clone(reference)
	o := c.origin(reference, nil)
	c.origins.keep(reference, o)
	return o
}

// origin is Origin, worked out.
func (c *Catalog) origin(reference string, extra map[string]string) *Origin {
	o := &Origin{Reference: reference, Config: &Config{}}
	repository, tagText, digest, ok := splitReference(reference)
	if !ok {
		o.Evidence = "it is not an image reference that can be read"
		return o
	}
	o.Tag, o.Digest = tagText, digest
	repository, key := mapRepository(repository, extra)
	if key == "" {
		repository, _ = mapRepository(trimHub(repository), extra)
	}
	if r, t, _, ok := splitReference(repository); ok {
		repository = r
		if o.Tag == "" && t != "" { // a mapping may name a tag for the tagless form
			o.Tag = t
		}
	}
	o.Repository = trimHub(repository)
	if c.hardened(o) {
		return o
	}
	words := strings.Split(strings.ToLower(o.Tag), "-")
	c.target(o, words)
	g := grammar{origin: o, image: firstOf(o.Image, o.Hint)}
	g.read(words)
	o.Config = upstreamConfig(o, words)
	o.settleFamily()
	if o.Windows {
		o.Image, o.Hint = "", ""
		o.Evidence = "it is a Windows image; Docker Hardened Images are Linux images"
	}
	return o
}

// hardened recognises references to DHI itself: dhi.io/x, the mirrored form
// <namespace>/dhi-x, and dhi/x, the name inside Docker's own charts.
func (c *Catalog) hardened(o *Origin) bool {
	name, ok := strings.CutPrefix(o.Repository, hardenedRegistry+"/")
	if !ok {
		name, ok = strings.CutPrefix(o.Repository, "dhi/")
	}
	if !ok {
		slash := strings.LastIndexByte(o.Repository, '/')
		if slash < 0 {
			return false
		}
		name, ok = strings.CutPrefix(o.Repository[slash+1:], "dhi-")
		ok = ok && c.Has(name)
	}
	if !ok || !validName(name) && !strings.HasPrefix(o.Repository, hardenedRegistry+"/") {
		return false
	}
	o.Hardened = true
	o.Evidence = "it is a Docker Hardened Image already"
	if !c.Has(name) {
		o.Evidence = "it is a Docker Hardened Images reference, but the catalog has no image " + name
		return true
	}
	o.Image = name
	if o.Tag == "" {
		return true
	}
	t := c.image(name).byTag[o.Tag]
	if t != nil {
		o.Distro, o.Release, o.Explicit = t.Def.Distro, codeName(t.Def.DistroVersion), t.release != ""
		o.Config = t.Def.Config()
	} else {
		t = parseTag(o.Tag, nil)
		o.Distro, o.Release, o.Explicit = t.distro, codeName(t.release), t.release != ""
		o.Evidence = "it is a Docker Hardened Images reference, but the catalog does not list the tag " + o.Tag
	}
	o.Version, o.Flavor, o.familyKnown = t.Version, t.flavor, t.distro != ""
	return true
}

// Evidence of images that nothing takes the place of, for which there is no more
// to say.
const (
	NoneKnown  = "none is known"
	NoneListed = "the catalog has none"
	// SameName is that of an image that is known by its name alone.
	SameName = "an image of that name exists, but nothing says that it is the same software"
)

// target looks the repository up in the upstream map.
func (c *Catalog) target(o *Origin, words []string) {
	if o.Repository == "scratch" {
		o.Hint, o.Evidence = "static", "scratch is empty already; static adds certificates, time zones and a user"
		return
	}
	m, err := upstreams()
	if err != nil { // the embedded map is tested; there is nothing to rewrite without it
		o.Evidence = err.Error()
		return
	}
	repository := o.Repository
	u := m.find(repository, words)
	if u == nil || u.confidence == "low" {
		if official, ok := trimArchitecture(repository); ok {
			if v := m.find(official, words); v != nil && (u == nil || v.target()) {
				u = v
			}
		}
	}
	name := repository[strings.LastIndexByte(repository, '/')+1:]
	switch {
	case u == nil && c.Has(name):
		o.Hint, o.Evidence = name, SameName
	case u == nil:
		o.Evidence = NoneKnown
	case u.confidence == "none":
		if o.Evidence = u.evidence; o.Evidence == "no image" || o.Evidence == "no equivalent" {
			o.Evidence = NoneListed
		}
	case !c.Has(u.image): // another snapshot may lack it
		o.Evidence = "the catalog has no image " + u.image
	case u.target():
		o.Image, o.Evidence = u.image, u.evidence
	default:
		o.Hint, o.Evidence = u.image, u.evidence
		if strings.HasPrefix(u.repository, "*/") {
			o.Evidence = SameName
		}
	}
}

// trimArchitecture turns amd64/node into node. DHI has no 32-bit images.
func trimArchitecture(repository string) (string, bool) {
	for _, arch := range []string{"amd64/", "arm64v8/"} {
		if rest, ok := strings.CutPrefix(repository, arch); ok {
			return rest, true
		}
	}
	return repository, false
}

// trimEvidence drops the home page at the end of an evidence.
func trimEvidence(s string) string {
	if i := strings.LastIndex(s, " [home-url"); i >= 0 {
		s = s[:i]
	}
	return strings.TrimSpace(s)
}

// settleFamily fills in what the tag left open from the facts about the image.
func (o *Origin) settleFamily() {
	if o.Distro == "" && o.Foreign == "" && strings.HasSuffix(o.Repository, "-alpine") {
		o.Distro, o.familyKnown = Alpine, true
	}
	if o.Distro == "" && o.Foreign == "" {
		o.Distro, o.Foreign = o.Config.distro, o.Config.foreign
	}
	if o.Distro == "" && o.Foreign == "" && strings.HasPrefix(o.Repository, "cgr.dev/chainguard/") {
		// The migration documents of DHI name Alpine for Wolfi.
		o.Distro = Alpine
	}
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
