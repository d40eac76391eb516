package catalog

import (
	"fmt"
	"strings"
	"time"
)

// Need is which variants a choice must have.
type Need int

// The needs. NeedBoth asks for the same version and distribution in both.
const (
	NeedDev Need = 1 << iota
	NeedRuntime
	NeedBoth = NeedDev | NeedRuntime
)

// Want is a wish.
type Want struct {
	Need    Need
	Distro  Distro // KeepDistro keeps the origin's
	Missing MissingVersion
	// Release prefers a release of the distribution, "12" or "3.22".
	Release string
	// Version outranks the origin's when the tag has none: from go.mod, .nvmrc ...
	Version string
	// Flavor outranks the origin's when the tag has none: jdk17 from a pom.xml.
	Flavor string
	// AtLeast refuses older versions: the go line of go.mod.
	AtLeast string
	// MoveUp allows a version that is not offered to become the next newer one
	// of the same major version. It is for toolchains that promise to build
	// older sources (Go, Rust) and only when the module files say what they
	// need.
	MoveUp bool
	// OtherDistro allows the other family when the image does not exist in the
	// wanted one: an Alpine haproxy becomes a Debian one.
	OtherDistro bool
	// Today decides about end of life; the zero value is the catalog's date.
	Today time.Time
}

// Choice is the line of an image that was chosen: one version, one distribution.
type Choice struct {
	Image string
	// Dev and Runtime are nil when not needed; they are the catalog's and must not
	// be changed.
	Dev, Runtime *Pick
	// Why explains the choice in a sentence each.
	Why []string
	// Bumped tells that the version is another one than the origin's (not just
	// less precise); From and To are the versions.
	Bumped bool
	// OldData tells that it is one of a service whose new version may not read the
	// data of the old one.
	OldData  bool
	Widened  bool // 22.12.0 became 22.12 or 22
	From, To string
	// JDKFrom and JDKTo are "jdk11" and "jdk17" when a build tool could only be
	// had with another JDK, which counts as Bumped; "" otherwise.
	JDKFrom, JDKTo string
	// DistroChanged tells that the family changed.
	DistroChanged bool
	// ReleaseChanged tells that the tag named a release of the family and that
	// the choice has another one: alpine3.19 became alpine3.24.
	ReleaseChanged bool
}

// Pick is a tag that the catalog lists.
type Pick struct {
	Tag     string
	Version string // leading part of Tag: "22", "8", "20250419"
	Suffix  string // the rest without its dash: "debian13-dev", "sdk-debian13", ""
	Def     *Definition
}

// NoVersionError tells that DHI does not offer the version.
type NoVersionError struct {
	Image, Wanted string
	Distro        Distro   // the family that was looked at
	Nearest       []string // versions it offers there, nearest first
}

func (e *NoVersionError) Error() string {
	text := fmt.Sprintf("Docker Hardened Images has no %s %s", e.Image, e.Wanted)
	if name := familyNames[e.Distro]; name != "" {
		text += " on " + name
	}
	if len(e.Nearest) > 0 {
		text += "; it offers " + strings.Join(e.Nearest, ", ")
	}
	return text
}

// NoVariantError tells that there is no tag of the wanted kind (no Alpine
// variant, no runtime variant such as maven's).
type NoVariantError struct{ Image, Wanted string }

func (e *NoVariantError) Error() string {
	return fmt.Sprintf("Docker Hardened Images has no %s of %s", e.Wanted, e.Image)
}
