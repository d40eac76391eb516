package strategy

import (
	"fmt"
	"slices"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
)

// linked finds libraries that a compiled program loads while it starts, that an
// operating system's image has without being asked and the DHI image need not
// have: OpenSSL and the C++ library. Packages that the file installs by name are
// looked at on their own.
func (in *Input) linked(f *assess.Stage, def *catalog.Definition) []Block {
	o := f.Root().Origin
	if o == nil || o.Distro != catalog.Debian || !osImage(o.Image) || !osImage(def.Image) && def.Image != "static" {
		return nil
	}
	words := startWords(f)
	if len(words) == 0 {
		return nil
	}
	from := copiedProgram(f, words[0])
	if from == nil {
		return nil
	}
	if uses(from, "cargo") {
		return in.linkedRust(f, from, def)
	}
	if line := in.compilesCPlusPlus(from); line > 0 && !declares(def, "libstdc++") {
		return []Block{{Rule: "package-management", Code: "runtime-libraries", Line: line,
			Text: fmt.Sprintf("the program is compiled from C++, and %s has the C++ library, which dhi %s does not declare", o.Reference, def.Image)}}
	}
	return nil
}

func (in *Input) linkedRust(f, from *assess.Stage, def *catalog.Definition) []Block {
	l := in.rustLock()
	if l == nil || linksStatically(from) {
		return nil
	}
	for _, lib := range l.SystemLibraries() {
		have, name := false, ""
		switch lib.What {
		case "OpenSSL":
			_, vendored := l.Has("openssl-src")
			have, name = !vendored && hasOpenSSL(f), "libssl3"
		case "the C++ library":
			have, name = true, "libstdc++"
		}
		if have && !declares(def, name) {
			return []Block{{Rule: "package-management", Code: "runtime-libraries", Path: lib.At.Path, Line: lib.At.Line,
				Text: fmt.Sprintf("%s links %s of the system, which the old image has and dhi %s does not declare", lib.Package, lib.What, def.Image)}}
		}
	}
	return nil
}

func declares(def *catalog.Definition, prefix string) bool {
	return slices.ContainsFunc(def.Packages, func(p string) bool { return strings.HasPrefix(p, prefix) })
}

// hasOpenSSL tells whether the image has OpenSSL's libraries: coreutils of
// Ubuntu since 22.04 and of Debian since 13 links them, and ca-certificates
// brings the openssl program. Source: the packages' dependencies.
func hasOpenSSL(f *assess.Stage) bool {
	switch o := f.Root().Origin; o.Release {
	case "jessie", "stretch", "buster", "bullseye", "bookworm", "xenial", "bionic", "focal":
	default:
		return o.Image == "debian-base"
	}
	for _, st := range f.ChainSteps() {
		if st.Run == nil || st.Run.Script == nil {
			continue
		}
		for _, p := range st.Run.Script.Packages() {
			if p.System && p.Verb == "install" && (slices.Contains(p.Packages, "ca-certificates") || slices.Contains(p.Packages, "openssl") || slices.Contains(p.Packages, "curl")) {
				return true
			}
		}
	}
	return false
}

// linksStatically tells whether the text of a build stage asks for programs
// without libraries beside them.
func linksStatically(s *assess.Stage) bool {
	for _, st := range s.ChainSteps() {
		if strings.Contains(st.Text, "-static") || strings.Contains(st.Text, "linux-musl") || strings.Contains(st.Text, "crt-static") {
			return true
		}
	}
	return false
}

// compilesCPlusPlus is the line of the RUN that compiles C++ in a build stage,
// 0 when none is known to, or when the result needs no library.
func (in *Input) compilesCPlusPlus(s *assess.Stage) int {
	if linksStatically(s) {
		return 0
	}
	for _, st := range s.ChainSteps() {
		if st.Run == nil || st.Run.Script == nil {
			continue
		}
		for _, c := range st.Run.Script.Commands {
			switch c.Name {
			case "g++", "clang++", "c++":
				return st.Lines[0]
			case "make", "cmake", "ninja", "meson", "bazel", "qmake", "gcc", "clang", "cc":
				if in.sourcesCPlusPlus() {
					return st.Lines[0]
				}
			}
		}
	}
	return 0
}

// sourcesCPlusPlus tells whether the build context has C++ sources where they
// are expected.
func (in *Input) sourcesCPlusPlus() bool {
	if !in.known() {
		return false
	}
	for _, dir := range []string{"", "src/", "source/", "*/", "src/*/"} {
		for _, ext := range []string{"cpp", "cc", "cxx"} {
			if len(in.Project.Glob(dir+"*."+ext)) > 0 {
				return true
			}
		}
	}
	return false
}

// olderLibc takes the final stage back when it goes from a newer Ubuntu to
// Debian and runs what a build stage on such an Ubuntu makes, which stays: its
// programs may need a newer C library.
func (d *decider) olderLibc(final *Stage) bool {
	if !newerThanDebian(final.Origin) || final.Pick.Def.Distro != catalog.Debian {
		return false
	}
	for r := range d.feeds(d.Final.Stage) {
		if r == final || r.Left == nil || !newerThanDebian(r.Origin) {
			continue
		}
		final.Left = &Block{Rule: "base-image", Code: "build-stage-stays", Line: final.From.Lines[0],
			Text: fmt.Sprintf("it takes programs from %s, which stays because %s; the C library of Debian %s is older", r.Origin.Reference, r.Left.Text, final.Pick.Def.DistroVersion)}
		d.withdraw(final)
		return true
	}
	return false
}

// newerThanDebian tells whether an image is a release of Ubuntu with a newer C
// library than Debian 13 (2.41): 25.10 and later, and what latest means.
func newerThanDebian(o *catalog.Origin) bool {
	if o == nil || o.Repository != "ubuntu" && !strings.HasSuffix(o.Repository, "/ubuntu") {
		return false
	}
	switch o.Version {
	case "":
		switch o.Release {
		case "xenial", "bionic", "focal", "jammy", "noble", "oracular", "plucky":
			return false
		}
		return true
	}
	return o.Version >= "25.10"
}
