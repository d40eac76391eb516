package strategy

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
	"dhibot/rewrite/shell"
)

// lastInDebian12 are packages that Debian 12 has and Debian 13 has not, neither
// themselves nor as what one other package provides. Source: the Packages
// indexes of bookworm and trixie, main.
const lastInDebian12 = `
clang-13 clang-14 clang-15 clang-16 exa fonts-kacst g++-11 gcc-11 gconf-service imagemagick-6.q16 libaio1 libappindicator1 libatlas-base-dev
libavcodec59 libavformat59 libc-client-dev libcurl3-nss libgconf-2-4 libgdal32 libgdk-pixbuf2.0-0 libgdk-pixbuf2.0-dev libgl1-mesa-glx libgsl27
libhdf5-103 libhiredis0.14 libicu72 libmagickcore-6.q16-6 libmagickcore-6.q16-6-extra libmagickwand-6.q16-6 libmagickwand-6.q16-dev libncurses5
libodbc1 libpango1.0-0 libpcre3 libpcre3-dev libpython3.11 libqt5webkit5 libqt5webkit5-dev libtinfo5 libvpx7 libyaml-cpp0.7 libzip4 llvm-13 llvm-14
llvm-15 mime-support neofetch nodejs-legacy ntp openjdk-17-jdk openjdk-17-jdk-headless openjdk-17-jre openjdk-17-jre-headless php8.2 php8.2-cli
php8.2-fpm policykit-1 postgresql-15 postgresql-client-15 python3-distutils python3-software-properties python3.11 python3.11-dev python3.11-venv
ruby3.1 ruby3.1-dev software-properties-common ttf-wqy-microhei wkhtmltopdf
`

// beforeDebian12 are packages that neither Debian 12 nor Debian 13 has, and that
// older releases had. Source: as above, and https://packages.debian.org/.
const beforeDebian12 = `
cgroup-bin chromium-browser clang-11 g++-10 g++-7 g++-8 g++-9 gcc-10 gcc-6 gcc-7 gcc-8 gcc-9 iproute libavcodec58 libavformat58 libavresample-dev
libavutil56 libcurl3 libdc1394-22-dev libenchant-dev libenchant1c2a libevent-2.1-6 libffi6 libffi7 libgcrypt11-dev libgdal20 libgdal28 libgnutls-dev
libgsl23 libhdf5-100 libicu52 libicu57 libicu60 libicu63 libicu66 libicu67 libicu70 libidn11 libjasper-dev libjasper1 libjemalloc1 libjpeg-turbo8
libjpeg8 libjpeg8-dev libldap-2.4-2 libmariadb-client-lgpl-dev libmariadbclient-dev libmariadbclient18 libmysqlclient-dev libonig2 libonig4 libpng12-0
libpng12-dev libproj19 libprotobuf17 libprotobuf23 libpython3.9 libreadline6 libreadline7 libsodium18 libssl1.0-dev libssl1.0.0 libssl1.0.2 libssl1.1
libswscale5 libtbb2 libtesseract4 libtiff5 libvpx5 libvpx6 libwebkitgtk-1.0-0 libwebp5 libwebp6 libwxgtk3.0-gtk3-dev libx264-155 libyaml-cpp0.6
llvm-11 mongodb mongodb-clients mysql-client mysql-server netcat openjdk-11-jdk openjdk-11-jdk-headless openjdk-11-jre openjdk-11-jre-headless
openjdk-7-jdk openjdk-8-jdk openjdk-8-jdk-headless openjdk-8-jre openjdk-8-jre-headless phantomjs php5-cli php7.0 php7.3 php7.4 php7.4-cli
postgresql-11 postgresql-13 postgresql-client-11 postgresql-client-12 postgresql-client-13 postgresql-client-9.6 python python-dev python-minimal
python-pip python-requests python-setuptools python-software-properties python-virtualenv python-yaml python2 python2-dev python2-minimal python2.7
python2.7-dev python2.7-minimal python3.10 python3.5 python3.6 python3.7 python3.8 python3.9 python3.9-dev qt5-default ruby2.3 ruby2.5 ruby2.7
ttf-dejavu ttf-dejavu-core ttf-freefont ttf-liberation
`

// beforeAlpine320 are packages that no supported release of Alpine has. Source:
// https://pkgs.alpinelinux.org/packages; the release notes of Alpine 3.12
// (Python 2, nodejs-npm), 3.16 and 3.17 (PHP 7, PHP 8.0).
const beforeAlpine320 = `
libcrypto1.0 libcrypto1.1 libssl1.0 libssl1.1 nodejs-npm php8 py2-pip python python-dev python2 python2-dev
`

// gonePackages says for every name whether Debian 12 still has it.
var gonePackages = sync.OnceValue(func() map[string]bool {
	m := make(map[string]bool, 256)
	for n := range strings.FieldsSeq(lastInDebian12) {
		m[n] = true
	}
	for n := range strings.FieldsSeq(beforeDebian12) {
		m[n] = false
	}
	return m
})

// gone tells whether a release surely lacks a package.
func gone(distro catalog.Distro, release, name string) bool {
	if distro == catalog.Alpine {
		return strings.HasPrefix(name, "php5") || strings.HasPrefix(name, "php7") || strings.HasPrefix(name, "php8-") || slices.Contains(strings.Fields(beforeAlpine320), name)
	}
	in12, listed := gonePackages()[name]
	return listed && (release == "13" || release == "12" && !in12)
}

// fitsGone refuses a stage that installs what the release of the new image
// surely lacks. It is for tags that name no release: for the others fitsPackages
// asks more.
func (in *Input) fitsGone(s *assess.Stage, _ *catalog.Choice, def *catalog.Definition) *Block {
	if s.Origin.Explicit && s.Origin.Distro == def.Distro && releaseOf(s.Origin.Release) == def.DistroVersion {
		return nil // it builds there already
	}
	for _, st := range s.Steps {
		if name := goneIn(st, def.Distro, def.DistroVersion); name != "" {
			return &Block{Rule: "package-management", Code: "release-packages", Line: st.Lines[0],
				Text: fmt.Sprintf("it %s, which %s %s does not have", name, def.Distro, def.DistroVersion)}
		}
	}
	return nil
}

// releaseOf is the number of a Debian release; other names stay.
func releaseOf(name string) string {
	switch name {
	case "bookworm":
		return "12"
	case "trixie":
		return "13"
	}
	return name
}

// goneIn words what a RUN needs that a release lacks, "" for nothing. Packages
// may come from elsewhere where the stage adds archives of packages.
func goneIn(st *assess.Step, distro catalog.Distro, release string) string {
	if st.Run == nil || st.Run.Script == nil {
		return ""
	}
	if distro == catalog.Debian && release == "13" && st.Run.Script.Uses("apt-key") {
		// Source: apt 2.9.28, changelog: apt-key is removed.
		return "calls apt-key"
	}
	for _, p := range st.Run.Script.Packages() {
		if !p.System || p.Verb != shell.Install || p.Cmd == nil {
			continue
		}
		i := slices.IndexFunc(p.Packages, func(n string) bool { return gone(distro, release, n) })
		if i < 0 || slices.ContainsFunc(p.Cmd.Args, func(a shell.Arg) bool {
			return a.Text == "-X" || strings.HasPrefix(a.Text, "--repository") || a.Text == "-t" || strings.HasPrefix(a.Text, "--target-release")
		}) {
			continue
		}
		if addsArchives(st) {
			return ""
		}
		return "installs " + p.Packages[i]
	}
	return ""
}

// addsArchives tells whether the stage of a step, or one below it, may bring
// packages from other archives than those of the distribution.
func addsArchives(st *assess.Step) bool {
	for _, other := range st.Stage.ChainSteps() {
		switch {
		case other.Copy != nil && (strings.HasPrefix(other.Copy.Dest, "/etc/apt") || strings.HasPrefix(other.Copy.Dest, "/etc/apk")):
			return true
		case other.Run == nil:
		case other.Run.Script == nil:
			return true
		default:
			for _, word := range []string{"/etc/apt/", "/etc/apk/repositories", "add-apt-repository", "apt-add-repository", "nodesource", "extrepo"} {
				if strings.Contains(other.Text, word) {
					return true
				}
			}
		}
	}
	return false
}

// needsDebian12 finds a RUN that installs or calls what Debian 12 has and Debian
// 13 has not, and says what; nil when there is none.
func needsDebian12(stages []*assess.Stage) (*assess.Step, string) {
	for _, s := range stages {
		for _, st := range s.Steps {
			if what := goneIn(st, catalog.Debian, "13"); what != "" && goneIn(st, catalog.Debian, "12") == "" {
				return st, what
			}
		}
	}
	return nil, ""
}
