package catalog

import (
	"slices"
	"strings"
)

// grammar reads the tag of an upstream image, word by word. The words of the
// official images are a small language that they share: a version, a
// distribution or its release, and flavors, in nearly any order.
type grammar struct {
	origin *Origin
	image  string // of the catalog, "" when unknown
	flavor []string
}

// nodeCodeNames are the names of Node's LTS lines, which the official image
// has as tags. Source: https://github.com/nodejs/Release.
var nodeCodeNames = map[string]string{
	"argon": "4", "boron": "6", "carbon": "8", "dubnium": "10", "erbium": "12",
	"fermium": "14", "gallium": "16", "hydrogen": "18", "iron": "20", "jod": "22", "krypton": "24",
}

// channels are moving names.
var channels = map[string]bool{
	"latest": true, "lts": true, "stable": true, "mainline": true, "current": true,
	"rolling": true, "edge": true, "testing": true, "oldstable": true, "sid": true, "unstable": true,
}

// prereleases follow or replace a version that is not released.
var prereleases = map[string]bool{
	"rc": true, "beta": true, "alpha": true, "preview": true, "ea": true,
	"nightly": true, "canary": true, "dev": true, "tip": true, "next": true,
}

// noise says nothing that a tag of DHI would have to say.
var noise = map[string]bool{
	"amd64": true, "arm64v8": true, "arm64": true, "x86_64": true, "linux": true, "multiarch": true,
	"nonroot": true, "root": true, "headless": true, "headful": true, "minimal": true, "full": true,
	"uclibc": true, "glibc": true, "musl": true, "hotspot": true,
}

// jdkVendors name the builds of the JDK in the tags of Maven, Gradle and Tomcat.
var jdkVendors = map[string]bool{
	"eclipse": true, "temurin": true, "openjdk": true, "adoptopenjdk": true, "amazoncorretto": true,
	"corretto": true, "sapmachine": true, "ibm": true, "ibmjava": true, "semeru": true,
	"microsoft": true, "azulzulu": true, "zulu": true, "libericaopenjdk": true, "liberica": true,
	"graalvm": true, "graal": true, "oracle": true, "jdk": true, "jre": true,
}

// javaTools are the images of the catalog whose tags carry the version of the
// JDK as a flavor.
var javaTools = map[string]bool{"maven": true, "gradle": true, "tomcat": true}

// javaImages are a JDK or a JRE themselves.
var javaImages = map[string]bool{
	"eclipse-temurin": true, "amazoncorretto": true, "sapmachine": true, "azul": true,
}

// osImages are bare distributions: their version is the release.
var osImages = map[string]Distro{"debian-base": Debian, "alpine-base": Alpine}

// read takes the words of the tag apart.
func (g *grammar) read(words []string) {
	o := g.origin
	g.repositoryName()
	o.Windows = strings.HasPrefix(o.Repository, "mcr.microsoft.com/windows/") ||
		strings.HasPrefix(o.Repository, "mcr.microsoft.com/dotnet/framework/")
	if len(words) == 1 && words[0] == "" {
		words = nil
	}
	for i := 0; i < len(words); i++ {
		w := words[i]
		next := ""
		if i+1 < len(words) {
			next = words[i+1]
		}
		switch {
		case w == "musl" && g.image == "busybox":
			o.Distro = Alpine // that C library, and what is copied beside it
		case w == "" || noise[w] || w[0] == 'r' && isMajor(w[1:]): // r5: a revision of the packaging
		case isWindows(w):
			o.Windows = true
		case w == "slim":
			o.Slim = true
		case g.javaTool(w, next):
			if jdkVendors[w] && isMajor(next) {
				i++
			}
		case (w == "otp" || w == "erlang") && isNumber(next):
			i++ // the Erlang below an Elixir
		case g.distro(w, next):
			if isNumber(next) && (w == "alpine" || w == "debian" || w == "ubuntu") && (o.Version != "" || g.image == "") {
				i++
			}
		case g.version(w, next):
			if strings.HasPrefix(next, "b") && isNumber(next[1:]) { // 8u402-b06
				o.Version += "." + next
				i++
			}
		case strings.HasPrefix(w, "python") && g.image == "uv":
			g.uvWithPython(strings.TrimPrefix(w, "python"))
		case w == "lts" && g.image == "composer":
			o.Version = "2.2" // the long-term line: https://getcomposer.org/download/
		case channels[w]:
			if o.Version == "" {
				o.Channel = w
			}
		case prereleases[w]:
			g.prerelease(w)
		case g.image == "node" && nodeCodeNames[w] != "" && o.Version == "":
			o.Version = nodeCodeNames[w]
		default:
			g.flavor = append(g.flavor, w)
		}
	}
	g.settle()
}

// settle adds what the repository implies and joins the flavor.
func (g *grammar) settle() {
	o := g.origin
	name := o.Repository[strings.LastIndexByte(o.Repository, '/')+1:]
	switch {
	case g.image == "dotnet" && strings.Contains(name, "sdk"):
		g.flavor = append([]string{"sdk"}, g.flavor...)
	case g.image == "eclipse-temurin" || g.image == "sapmachine":
		if strings.Contains(name, "jre") || strings.Contains(o.Repository, "distroless/java") {
			g.flavor = append(g.flavor, "jre")
		}
		if !slices.Contains(g.flavor, "jre") && !slices.Contains(g.flavor, "jdk") {
			g.flavor = append([]string{"jdk"}, g.flavor...) // what these images are without a word
		}
	case g.image == "wordpress" && !slices.Contains(g.flavor, "fpm") && !slices.Contains(g.flavor, "apache") &&
		!slices.Contains(g.flavor, "cli"):
		g.flavor = append(g.flavor, "apache") // what the official image is without a word
	case g.image == "opentelemetry-collector" && strings.HasSuffix(name, "-contrib") && !slices.Contains(g.flavor, "contrib"):
		g.flavor = append(g.flavor, "contrib")
	case g.image == "static" && strings.Contains(name, "base"):
		g.flavor = append(g.flavor, "glibc")
	}
	if osImages[o.Image] != "" {
		g.osRelease()
	}
	if o.Distro != "" {
		o.familyKnown = true
	}
	o.Flavor = strings.Join(g.flavor, "-")
}

// osRelease turns the version of debian, ubuntu and alpine into the release.
func (g *grammar) osRelease() {
	o := g.origin
	o.Distro = osImages[g.image]
	var parts [6]int
	if v, ok := appendVersion(parts[:0], o.Version); ok {
		switch {
		case o.Distro == Alpine:
			if len(v) > 1 { // alpine:3 is whatever 3.x is the newest
				o.Release = v.line(2).String()
			}
		case strings.Contains(o.Repository, "ubuntu"):
			o.Release = codeName(v.line(2).ubuntuRelease())
		default:
			o.Release = codeName(v.line(1).String())
		}
		o.Explicit = o.Release != ""
	}
	o.Version = releaseNumber(o.Release)
}

// ubuntuRelease writes 22.4 as Ubuntu does, 22.04.
func (v version) ubuntuRelease() string {
	if len(v) == 2 && v[1] < 10 {
		return v[:1].String() + ".0" + v[1:].String()
	}
	return v.String()
}

// distro reads a word that names a family or a release.
func (g *grammar) distro(w, next string) bool {
	o := g.origin
	set := func(d Distro, release string) bool {
		o.Distro = d
		if release != "" {
			if d == Debian {
				release = codeName(release)
			}
			o.Release, o.Explicit = release, true
		}
		return true
	}
	if debianReleases[w] != "" || ubuntuReleases[w] != "" {
		return set(Debian, w)
	}
	for _, family := range []string{"alpine", "debian", "ubuntu"} {
		rest, ok := strings.CutPrefix(w, family)
		if !ok {
			continue
		}
		d := Debian
		if family == "alpine" {
			d = Alpine
		}
		if rest == "" && isNumber(next) && o.Version != "" { // debian-12, alpine-3.19.1
			rest = next
		}
		v, numeric := parseVersion(rest)
		switch {
		case rest == "":
			return set(d, "")
		case !numeric || v[0] > 999:
			return rest == next && set(d, "")
		case family == "debian":
			return set(d, v.line(1).String())
		case family == "ubuntu" && len(rest) == 4: // ubuntu2204
			return set(d, rest[:2]+"."+rest[2:])
		case family == "ubuntu":
			return set(d, rest)
		}
		if len(v) < 2 { // alpine3
			return set(d, "")
		}
		return set(d, v.line(2).String())
	}
	for _, rpm := range []string{
		"ubi", "al2", "amazonlinux", "oracle", "ol", "azurelinux", "mariner", "cbl", "centos", "rocky", "fedora", "rhel", "almalinux",
	} {
		rest, ok := strings.CutPrefix(w, rpm)
		if ok && strings.Trim(rest, "0123456789.linux") == "" {
			o.Foreign, o.Explicit = w, rest != ""
			return true
		}
	}
	return false
}

// version reads the first version of the tag.
func (g *grammar) version(w, next string) bool {
	o := g.origin
	if o.Version != "" && len(w) > 1 && len(w) < 4 && (w[0] == 'p' || w[0] == 'r') && strings.Trim(w[1:], "0123456789") == "" {
		return true // the package's own revision: v1.25.1-p0
	}
	if w[0] < '0' || w[0] > '9' {
		if w[0] != 'v' || len(w) < 2 || w[1] < '0' || w[1] > '9' {
			return false
		}
	}
	var parts [6]int
	v, ok := appendVersion(parts[:0], w)
	if o.Version != "" {
		// A date, a revision or a second version: 20240211, the r5 of others.
		return ok || g.image == ""
	}
	if ok && len(v) == 1 && v[0] >= 10000000 && osImages[g.image] != "" {
		if osImages[g.image] == Alpine {
			o.Channel = "edge" // alpine:20240807 is a day of it
		}
		return true // debian:bookworm-20240211 is a day of bookworm
	}
	o.Version = strings.TrimSuffix(strings.TrimPrefix(w, "v"), ".x")
	return true
}

// prerelease marks the version as one that no released tag can match.
func (g *grammar) prerelease(w string) {
	o := g.origin
	switch {
	case w == "dev" && (o.Channel != "" || strings.HasPrefix(o.Repository, "cgr.dev/")):
		// Chainguard's latest-dev is the variant with a shell, not a version.
	case o.Version == "":
		o.Version = w
	default:
		o.Version += "-" + w
	}
}

// javaTool reads the JDK of a Maven, Gradle or Tomcat tag: eclipse-temurin-21,
// jdk21, jre17.
func (g *grammar) javaTool(w, next string) bool {
	if !javaTools[g.image] {
		return false
	}
	if jdkVendors[w] {
		if isMajor(next) {
			g.flavor = append(g.flavor, "jdk"+next)
		}
		return true
	}
	for _, p := range []string{"jdk", "jre", "openjdk"} {
		if n, ok := strings.CutPrefix(w, p); ok && isMajor(n) {
			g.flavor = append(g.flavor, "jdk"+n)
			return true
		}
	}
	return false
}

// uvWithPython reads ghcr.io/astral-sh/uv:python3.12-bookworm: a Python image
// that has uv as well. In DHI these are two images; it is Python that is built
// on.
func (g *grammar) uvWithPython(python string) {
	o := g.origin
	o.Split = []string{"python", "uv"}
	o.WithVersion = o.Version
	o.Image, o.Hint = "python", ""
	o.Version, o.Channel = python, ""
	o.Evidence = "it is Python with uv in it; in DHI these are two images"
	g.image = "python"
}

// repositoryName reads what the name of the repository says: Google's
// distroless images carry their version there.
func (g *grammar) repositoryName() {
	o := g.origin
	name, ok := strings.CutPrefix(o.Repository, "gcr.io/distroless/")
	if !ok {
		if n, found := strings.CutPrefix(o.Repository, "adoptopenjdk/openjdk"); found && isMajor(n) {
			o.Version = n
		}
		return
	}
	base, release, _ := strings.Cut(name, "-debian")
	o.Distro = Debian
	if isMajor(release) {
		o.Release, o.Explicit = codeName(release), true
	}
	for _, p := range []string{"nodejs", "java"} {
		if n, found := strings.CutPrefix(base, p); found && isMajor(n) {
			o.Version = n
		}
	}
	if base == "python3" {
		// The Python of the Debian release: https://packages.debian.org/python3.
		o.Version = map[string]string{"11": "3.9", "12": "3.11", "13": "3.13"}[release]
	}
}

func isWindows(w string) bool {
	return w == "windows" || strings.HasPrefix(w, "nanoserver") || strings.HasPrefix(w, "windowsservercore") ||
		w == "servercore" || strings.HasPrefix(w, "ltsc20")
}

// isNumber tells whether a word is a version.
func isNumber(w string) bool { return isVersion(w) }

// isMajor tells whether a word is a plain small number.
func isMajor(w string) bool {
	var parts [6]int
	v, ok := appendVersion(parts[:0], w)
	return ok && len(v) == 1 && v[0] < 1000 && w[0] != 'v'
}
