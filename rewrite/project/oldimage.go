package project

import "strings"

// fullImage are Debian packages that the full variants of the official language
// images (node:22, python:3.12, ruby:3.4) bring, besides the development
// packages themselves: they are built on buildpack-deps. Source: the Dockerfiles
// of github.com/docker-library/buildpack-deps (curl, scm and full variant) and
// what apt says that their packages depend on; names as in Debian 13.
var fullImage = map[string]bool{
	"curl": true, "wget": true, "git": true, "mercurial": true, "subversion": true, "openssh-client": true, "procps": true, "ca-certificates": true,
	"gnupg": true, "file": true, "imagemagick": true, "make": true, "gcc": true, "g++": true, "unzip": true, "patch": true, "xz-utils": true, "bzip2": true,
	"libpq5": true, "libmariadb3": true, "libcurl4t64": true, "libssl3t64": true, "libxml2": true, "libxslt1.1": true, "libyaml-0-2": true,
	"libmagic1t64": true, "libglib2.0-0t64": true, "libffi8": true, "libgmp10": true, "libjpeg62-turbo": true, "libwebp7": true, "libpng16-16t64": true,
	"libgssapi-krb5-2": true, "libldap2": true, "libsasl2-2": true, "libgomp1": true, "libsqlite3-0": true, "libmaxminddb0": true, "libevent-2.1-7t64": true,
	"libcairo2": true, "libpango-1.0-0": true, "libpangoft2-1.0-0": true, "libpangocairo-1.0-0": true, "libharfbuzz0b": true, "librsvg2-2": true,
	"libmagickwand-7.q16-10": true, "libicu76": true, "libx11-6": true, "libsystemd0": true, "libdbus-1-3": true, "fonts-dejavu-core": true, "libncurses6": true, "libreadline8t64": true,
}

// OldImageHas tells whether an official language image of the given tag had a
// Debian package (named as in Debian 13) or what Alpine has instead. The slim
// variants and those on Alpine have next to none that a dependency could need,
// so a dependency that needs one worked there only when the Dockerfile
// installed it, or not at all.
func OldImageHas(tag, pkg string) bool {
	if strings.Contains(tag, "alpine") && pkg == "libssl3t64" {
		return true // apk itself needs libssl3
	}
	for _, small := range []string{"slim", "alpine", "distroless", "chiseled"} {
		if strings.Contains(tag, small) {
			return false
		}
	}
	return fullImage[pkg]
}

// FullImageHeaders tells whether the full variants of the official language
// images bring a development package of Debian. Source: the Dockerfile of
// buildpack-deps for Debian 13.
func FullImageHeaders(pkg string) bool {
	switch pkg {
	case "default-libmysqlclient-dev", "libmariadb-dev", "libpq-dev", "libxml2-dev", "libxslt1-dev", "libyaml-dev", "libffi-dev", "libssl-dev", "libcurl4-openssl-dev",
		"libsqlite3-dev", "libjpeg-dev", "libpng-dev", "libwebp-dev", "libglib2.0-dev", "libgmp-dev", "libkrb5-dev", "libmagickwand-dev", "libmagickcore-dev",
		"libevent-dev", "libgdbm-dev", "libmaxminddb-dev", "libbz2-dev", "liblzma-dev", "libncurses5-dev", "libncursesw5-dev", "libreadline-dev", "libdb-dev", "zlib1g-dev",
		"libcairo2-dev", "libicu-dev", "pkg-config":
		return true
	}
	return false
}
