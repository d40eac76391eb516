package strategy

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
)

// chooser picks the line of an image for every root stage, the same one for
// the same origin, so that stages that exchange files stay compatible.
type chooser struct {
	in      *Input
	release string // wished Debian release, "12" or ""
	held    string // why that release, for stages that name none
	alpine  string // wished Alpine release of stages that name none, or ""
}

func (in *Input) chooser() *chooser {
	c := &chooser{in: in}
	if o := in.Stages.Final.Root().Origin; o != nil && o.Distro == catalog.Alpine && o.Explicit {
		// What is built for the image that ships needs its C library, not a newer one.
		if _, ok := in.Catalog.Lookup("alpine-base", o.Release); ok {
			c.alpine = o.Release
		}
	}
	for _, s := range in.Stages.All {
		if o := s.Origin; o != nil && s.Parent == nil && o.Distro == catalog.Debian && !o.Explicit && o.Image != "debian-base" {
			if st, what := needsDebian12(in.Stages.Tree(s)); st != nil {
				c.hold(fmt.Sprintf("On Debian 12, because line %d %s, which Debian 13 does not have", st.Lines[0], what))
			}
		}
		if o := s.Origin; o != nil && s.Parent == nil && o.Distro == catalog.Debian && o.Explicit && o.Release == "bookworm" {
			if o.Image == "debian-base" {
				// The release is the version of the image; what is built for it
				// must not need a newer C library.
				c.hold(fmt.Sprintf("On Debian 12, like the image of line %d", s.From.Lines[0]))
			}
			for _, t := range in.Stages.Tree(s) {
				if name := releaseBound(t); name != "" {
					c.hold(fmt.Sprintf("On Debian 12, like the image of line %d, whose packages are of that release", s.From.Lines[0]))
				}
			}
		}
	}
	return c
}

// hold keeps stages that name no release on Debian 12; the first reason is told.
func (c *chooser) hold(why string) {
	c.release = "12"
	if c.held == "" {
		c.held = why
	}
}

// runsNothing tells whether no stage of a tree runs a command.
func runsNothing(s *assess.Stage) bool {
	for _, st := range s.Steps {
		if st.Run != nil {
			return false
		}
	}
	for _, c := range s.Children {
		if !runsNothing(c) {
			return false
		}
	}
	return true
}

// newerDebian tells whether a tag names a release that is newer than the one
// other stages are held to: what is built on the older one runs there as well.
func newerDebian(o *catalog.Origin) bool {
	return o.Explicit && (o.Release == "trixie" || o.Release == "13")
}

// want is the wish for a root stage.
func (c *chooser) want(s *assess.Stage, need catalog.Need) catalog.Want {
	w := catalog.Want{Need: need, Distro: c.in.Distro, Missing: c.in.Missing}
	if s.Origin.Distro == catalog.Debian && c.in.Distro != catalog.Alpine && !newerDebian(s.Origin) {
		w.Release = c.release
	}
	if c.in.Distro == catalog.KeepDistro && s.Origin.Distro == catalog.Alpine {
		w.Release = c.alpine
		if s.Origin.Explicit {
			w.Release = s.Origin.Release
		}
	}
	// A service is configured, not built on: no package and no library of the
	// file depends on its distribution.
	w.OtherDistro = service(s.Origin.Image) && s == c.in.Stages.Final.Root() && runsNothing(s)
	c.in.hints(s.Origin, &w)
	w.Flavor, _ = c.in.buildJDK(s.Origin)
	return w
}

// choose selects for a root stage. Both variants are asked for first, so that
// build and runtime stage are of one line.
func (c *chooser) choose(s *assess.Stage, need catalog.Need) (*catalog.Choice, *Block) {
	ch, b := c.line(s, need)
	if ch == nil {
		return nil, b
	}
	if b := c.in.pinned(s, ch); b != nil {
		return nil, b
	}
	return ch, nil
}

// line selects without a look at what the project pins.
func (c *chooser) line(s *assess.Stage, need catalog.Need) (*catalog.Choice, *Block) {
	ch, err := c.in.Catalog.Choose(s.Origin, c.want(s, catalog.NeedBoth))
	if err == nil {
		return ch, nil
	}
	if w := c.want(s, need); w.Flavor != "" {
		// Maven and Gradle have no runtime variant, and not every JDK.
		if ch, err = c.in.Catalog.Choose(s.Origin, w); err == nil {
			_, why := c.in.buildJDK(s.Origin)
			own := *ch
			own.Why = append(slices.Clone(ch.Why), why)
			return &own, nil
		}
		w.Flavor = ""
		if ch, err = c.in.Catalog.Choose(s.Origin, w); err == nil {
			return ch, nil
		}
	}
	var variant *catalog.NoVariantError
	if errors.As(err, &variant) && need != catalog.NeedBoth {
		ch, err = c.in.Catalog.Choose(s.Origin, c.want(s, need))
	}
	if err != nil {
		return nil, c.refusal(s, err)
	}
	return ch, nil
}

// refusal words why an image has no target.
func (c *chooser) refusal(s *assess.Stage, err error) *Block {
	line := s.From.Lines[0]
	var version *catalog.NoVersionError
	var variant *catalog.NoVariantError
	switch {
	case errors.As(err, &version):
		text := fmt.Sprintf("DHI does not offer %s %s", version.Image, version.Wanted)
		if len(version.Nearest) > 0 {
			n := version.Nearest
			if len(n) > 4 {
				n = n[:4]
			}
			text += "; it has " + strings.Join(n, ", ")
		}
		return &Block{Rule: "base-image", Code: "version-not-offered", Text: text, Line: line}
	case errors.As(err, &variant):
		return &Block{Rule: "base-image", Code: "variant-not-offered", Text: err.Error(), Line: line}
	}
	return &Block{Rule: "base-image", Code: "no-equivalent", Text: err.Error(), Line: line}
}

// origin says why a root stage cannot move at all; nil when it can be tried.
func (in *Input) origin(s *assess.Stage) *Block {
	line := s.From.Lines[0]
	switch o := s.Origin; {
	case s.Scratch:
		return &Block{Rule: "base-image", Code: "scratch", Text: "scratch is empty already", Line: line}
	case s.Err != nil:
		return &Block{Rule: "base-image", Code: "unresolved-reference", Text: "the image cannot be known: " + s.Err.Error(), Line: line}
	case o == nil:
		return &Block{Rule: "base-image", Code: "unresolved-reference", Text: "the image cannot be known from the Dockerfile", Line: line}
	case o.Windows:
		return &Block{Rule: "base-image", Code: "windows", Text: "a Windows image; DHI is Linux only", Line: line}
	case strings.HasPrefix(o.Repository, "cgr.dev/") || strings.HasPrefix(o.Repository, "registry.access.redhat.com/hi/"):
		return &Block{Rule: "base-image", Code: "other-hardened", Text: "hardened by another vendor already; exchanging one for the other is a decision for people", Line: line}
	case o.Tag == "" && o.Digest != "":
		return &Block{Rule: "base-image", Code: "digest-only", Text: "pinned by digest without a tag: the version cannot be known", Line: line}
	case unreleased(o.Tag):
		return &Block{Rule: "base-image", Code: "unreleased-version", Text: fmt.Sprintf("the tag %s names something unreleased, which DHI does not build", o.Tag), Line: line}
	case o.Image == "":
		return &Block{Rule: "base-image", Code: "no-equivalent", Text: noEquivalent(o), Line: line}
	case strings.HasPrefix(o.Repository, "gcr.io/distroless/") && debugTag(o.Tag):
		return &Block{Rule: "base-image", Code: "variant-not-offered", Text: fmt.Sprintf("the tag %s brings a shell to look around with, which dhi %s does not have", o.Tag, o.Image), Line: line}
	}
	return nil
}

// noEquivalent says what is known of an image that nothing takes the place of.
func noEquivalent(o *catalog.Origin) string {
	text := "DHI has no equivalent of " + o.Repository
	switch {
	case o.Evidence == catalog.NoneListed, o.Evidence == "":
		return text
	case o.Evidence == catalog.NoneKnown:
		return text + " that is known"
	case o.Evidence == catalog.SameName:
		return fmt.Sprintf("%s that is known; it has an image named %s, but nothing says that it is the same software", text, o.Hint)
	case o.Hint != "":
		text += fmt.Sprintf("; its %s comes nearest and is another image", o.Hint)
	}
	return text + ": " + o.Evidence
}

// debugTag tells whether a tag of a distroless image is one with a shell.
func debugTag(tag string) bool { return tag == "debug" || strings.HasPrefix(tag, "debug-") }

// hints adds what the repository says about versions.
func (in *Input) hints(o *catalog.Origin, w *catalog.Want) {
	if in.Project == nil {
		return
	}
	switch o.Image {
	case "golang":
		if v, ok := in.goVersion(); ok {
			w.AtLeast = v
			w.MoveUp = true
		}
	case "node":
		if o.Version == "" {
			w.Version = in.nodeVersion()
		}
	case "python":
		if o.Version == "" {
			w.Version = in.pythonVersion()
		}
	}
}

// buildJDK is the JDK for a Maven or Gradle image whose tag names none: the one
// of the image that runs the result, else the version that the build file
// compiles for. Older ones than any that is offered compile on the oldest.
func (in *Input) buildJDK(o *catalog.Origin) (flavor, why string) {
	if o.Image != "maven" && o.Image != "gradle" || o.Flavor != "" {
		return "", ""
	}
	version := ""
	if root := in.Stages.Final.Root(); root.Origin != nil && jvm(root.Origin.Image) {
		version = root.Origin.Version
		why = fmt.Sprintf("The tag names no JDK; the result runs on %s", root.Origin.Reference)
	}
	if version == "" && in.known() {
		if j := in.Project.Java("."); j != nil && j.Version != "" {
			version = j.Version
			why = fmt.Sprintf("The tag names no JDK; %s compiles for Java %s", place(j.VersionAt), j.Version)
		}
	}
	major, _, _ := strings.Cut(version, ".")
	n, err := strconv.Atoi(strings.TrimFunc(major, func(r rune) bool { return r < '0' || r > '9' }))
	switch {
	case err != nil || n <= 0:
		return "", ""
	case n <= 17:
		return "jdk17", why
	case n <= 21:
		return "jdk21", why
	}
	return "jdk25", why
}

// unreleased tells whether a tag names a pre-release or a rolling development
// version.
func unreleased(tag string) bool {
	for part := range strings.FieldsFuncSeq(tag, func(r rune) bool { return r == '-' || r == '.' || r == '_' }) {
		switch part {
		case "testing", "sid", "unstable", "experimental", "edge", "rolling", "nightly", "canary", "next", "beta", "alpha", "preview", "rc", "devel", "forky":
			return true
		}
	}
	return false
}
