// Package catalog knows what Docker Hardened Images offers and what people
// come from. Facts are data: embedded snapshots, decoded once.
package catalog

import "time"

// Naming turns an image of the catalog into the repository part of a
// reference. The zero value gives dhi.io/<image>. With Namespace "acme" it is
// acme/dhi-<image>, the form of mirrored repositories; Registry is put in front
// when it is set as well.
type Naming struct {
	Registry  string // default dhi.io, or Docker Hub when Namespace is set
	Namespace string
	Prefix    string // default "dhi-" when Namespace is set, else ""
}

// Repository returns the repository part for an image of the catalog.
func (n Naming) Repository(image string) string { panic("todo") }

// Image is the inverse of Repository; dhi.io is always understood.
func (n Naming) Image(repository string) (image string, ok bool) { panic("todo") }

// Distro is a distribution family, or the wish to keep the one that is there.
type Distro string

// The families.
const (
	KeepDistro Distro = "" // the zero value
	Debian     Distro = "debian"
	Alpine     Distro = "alpine"
)

// MissingVersion says what becomes of a version that DHI does not offer.
type MissingVersion string

// The policies.
const (
	ReportMissing  MissingVersion = "" // report, never bump (default); "report" on the command line
	NearestVersion MissingVersion = "nearest"
)

// Catalog is a snapshot. It is read-only and safe for concurrent use.
type Catalog struct{}

// Default returns the embedded snapshot, decoded once.
func Default() (*Catalog, error) { panic("todo") }

// Date is the day of the snapshot.
func (c *Catalog) Date() time.Time { panic("todo") }

// User is an account of an image.
type User struct {
	Name     string `json:"name"`
	UID, GID int
}

// Definition is one variant of an image: what its config says and what is in it.
type Definition struct {
	Image         string
	Distro        Distro
	DistroVersion string
	Variant       string // as declared; do not trust it alone, see Build
	Flavor        string
	Tags          []string
	Platforms     []string
	Released      string
	EndOfLife     string // YYYY-MM-DD or ""
	RunAs         string
	Users         []User
	WorkDir       string
	Environment   map[string]string
	Entrypoint    []string
	Cmd           []string
	Ports         []string
	StopSignal    string
	Directories   []Directory
	Packages      []string
}

// Directory is a directory that somebody other than root owns.
type Directory struct {
	Path     string
	UID, GID int
	Mode     string
}

// Build tells whether it is an image to build in (dev or sdk): root, a shell
// and a package manager, whatever its variant says.
func (d *Definition) Build() bool { panic("todo") }

// Shell is the path of the shell it surely has, "" when none is declared.
func (d *Definition) Shell() string { panic("todo") }

// PackageManager is "apt", "apk" or "".
func (d *Definition) PackageManager() string { panic("todo") }

// HasPackage tells whether the package is declared.
func (d *Definition) HasPackage(name string) bool { panic("todo") }

// HasProgram tells whether the image surely has the program on its PATH, by
// its declared packages and the documented contents of the image family
// (node, npm, yarn, corepack in node -dev; pip in python; go; java, javac ...).
func (d *Definition) HasProgram(name string) bool { panic("todo") }

// CABundle tells whether a CA bundle is declared; TZData the same for time zones.
func (d *Definition) CABundle() bool { panic("todo") }
func (d *Definition) TZData() bool   { panic("todo") }

// User resolves a user by name or number; RunUser is the one it runs as.
func (d *Definition) User(name string) (User, bool) { panic("todo") }
func (d *Definition) RunUser() User                 { panic("todo") }

// Config is what an upstream image brings along: what a Dockerfile relies on
// without saying it. Facts with their source, see upstream-config.csv.
type Config struct {
	Known          bool
	Entrypoint     []string
	Cmd            []string
	User           string
	WorkDir        string
	Env            map[string]string
	Ports          []string
	Volumes        []string
	StopSignal     string
	PackageManager string   // apt, apk, dnf, microdnf, yum, tdnf or ""
	Shell          bool     // has /bin/sh
	Bash           bool     // has bash
	Programs       []string // notable programs: curl, wget, git, make, gcc, unzip, python3, npm ...
	Users          []User   // accounts beyond the usual system ones: node 1000, www-data 33, nginx 101, app 1654
	Source         string
}

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
	// -slim-bookworm, Alpine and "3.20" for -alpine3.20, Ubuntu tags count as
	// Debian. Explicit tells that the tag names the release.
	Distro   Distro
	Release  string
	Explicit bool
	// Version is the leading version of the tag, "" for latest or none.
	Version string
	// Flavor is what else the tag says in DHI's words: jdk, jre, jdk21, sdk,
	// fpm, apache, cli, php8.4, chiseled, debug ...
	Flavor string
	Slim   bool
	// Windows tells that it is a Windows image.
	Windows bool
	Config  Config
}

// Origin understands a reference. extra maps further repositories to upstream
// ones. It never fails: what is not known has an empty Image and Evidence.
func (c *Catalog) Origin(reference string, extra map[string]string) *Origin { panic("todo") }

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
	// AtLeast refuses older versions: the go line of go.mod.
	AtLeast string
	// Today decides about end of life; the zero value is the catalog's date.
	Today time.Time
}

// Choice is the line of an image that was chosen: one version, one distribution.
type Choice struct {
	Image        string
	Dev, Runtime *Pick // nil when not needed
	// Why explains the choice in a sentence each.
	Why []string
	// Bumped tells that the version is another one than the origin's (not just
	// less precise); From and To are the versions.
	Bumped   bool
	Widened  bool // 22.12.0 became 22.12 or 22
	From, To string
	// DistroChanged tells that the family changed.
	DistroChanged bool
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
	Nearest       []string // versions it offers, nearest first
}

func (e *NoVersionError) Error() string { panic("todo") }

// NoVariantError tells that there is no tag of the wanted kind (no Alpine
// variant, no runtime variant such as maven's).
type NoVariantError struct{ Image, Wanted string }

func (e *NoVariantError) Error() string { panic("todo") }

// Choose selects tags for an origin: a selection among listed tags, never
// string building. Errors are *NoVersionError and *NoVariantError.
func (c *Catalog) Choose(o *Origin, w Want) (*Choice, error) { panic("todo") }

// ChooseImage does the same for an image of the catalog by name, for runtimes
// that the origin does not name: static, debian-base, eclipse-temurin.
// version "" takes the newest that is not near its end of life.
func (c *Catalog) ChooseImage(image, version, flavor string, w Want) (*Choice, error) {
	panic("todo")
}

// Lookup finds the definition of an image's tag.
func (c *Catalog) Lookup(image, tag string) (*Definition, bool) { panic("todo") }
