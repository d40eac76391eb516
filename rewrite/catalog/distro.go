package catalog

import "strings"

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

// debianReleases are the code names of Debian, ubuntuReleases those of Ubuntu,
// whose images count as Debian: both use apt, and DHI has no Ubuntu.
// Sources: https://www.debian.org/releases/ and https://releases.ubuntu.com/.
var (
	debianReleases = map[string]string{
		"wheezy": "7", "jessie": "8", "stretch": "9", "buster": "10", "bullseye": "11",
		"bookworm": "12", "trixie": "13", "forky": "14",
	}
	ubuntuReleases = map[string]string{
		"trusty": "14.04", "xenial": "16.04", "bionic": "18.04", "focal": "20.04",
		"jammy": "22.04", "kinetic": "22.10", "lunar": "23.04", "mantic": "23.10",
		"noble": "24.04", "oracular": "24.10", "plucky": "25.04", "questing": "25.10",
		"resolute": "26.04",
	}
)

// codeName turns the number of a Debian or Ubuntu release into its code name;
// a number that is not known stays.
func codeName(release string) string {
	table := debianReleases
	if strings.Contains(release, ".") {
		table = ubuntuReleases
	}
	for name, number := range table {
		if number == release {
			return name
		}
	}
	return release
}

// releaseNumber is the inverse: the number as the catalog writes it.
func releaseNumber(release string) string {
	if n := debianReleases[release]; n != "" {
		return n
	}
	if n := ubuntuReleases[release]; n != "" {
		return n
	}
	return release
}
