package catalog

import (
	"slices"
	"strings"
)

// depths says how many numbers of a version make a compatibility line, where
// it is not the first alone: python 3.12 and 3.13 are two lines, node 22.12
// and 22.23 are one. Widening stays within a line; leaving it is a bump.
// Versions below 1 always have a line per minor version.
var depths = map[string]int{
	"golang": 2, "rust": 2, "python": 2, "php": 2, "ruby": 2, "jruby": 2, "elixir": 2, "perl": 2, "r-base": 2,
	"clojure": 2, "nginx": 2, "httpd": 2, "haproxy": 2, "openresty": 2, "redis": 2, "valkey": 2, "mysql": 2,
	"mariadb": 2, "mongodb": 2, "rabbitmq": 2, "cassandra": 2, "kafka": 2, "spark": 2, "airflow": 2,
	"kubectl": 2, "envoy": 2, "couchdb": 2, "tomcat": 2, "alpine-base": 2, "influxdb": 2, "clickhouse-server": 2,
}

// latestDepth is how many numbers are written for an image that named no
// version, where it differs: uv's documents say uv:0.
var latestDepth = map[string]int{"uv": 1}

// depth gives the compatibility depth for a version of an image.
func depth(image string, v version) int {
	d := depths[image]
	if d == 0 {
		d = 1
	}
	if len(v) > 0 && v[0] == 0 {
		d = max(d, 2)
	}
	return d
}

// stateful are images whose data another version may not read.
var stateful = map[string]bool{
	"postgres": true, "pgvector": true, "mysql": true, "mariadb": true, "mongodb": true, "redis": true, "valkey": true,
	"elasticsearch": true, "opensearch": true, "rabbitmq": true, "kafka": true, "zookeeper": true, "cassandra": true,
	"influxdb": true, "clickhouse-server": true, "couchdb": true, "neo4j": true, "etcd": true, "solr": true,
}

// flavorPair is a flavor for the build variant and one for the runtime.
type flavorPair struct{ dev, runtime string }

// lostFlavors are words of upstream tags that no tag of DHI has and whose
// absence does not make another image: the reason is shown.
var lostFlavors = map[string]string{
	"chiseled":   "",
	"distroless": "",
	"dind":       "",
	"base":       "",
	"runtime":    "",
	"devel":      "",
	"extra":      "The -extra variant's ICU and time zone data are to be checked.",
	"composite":  "The composite build of the framework is not offered; the plain one takes its place.",
	"aot":        "The native toolchain of the -aot variant is not offered.",
	"perl":       "The Perl module of the -perl variant is not offered.",
	"otel":       "The OpenTelemetry module of the -otel variant is not offered.",
	"management": "No tag of DHI has the management plugin switched on, as the -management variant has.",
}

// lostFor tells for which images a lost flavor may be dropped.
func lostFor(image, word string) bool {
	switch word {
	case "distroless":
		return true
	case "chiseled", "extra", "composite", "aot":
		return image == "dotnet" || image == "aspnetcore"
	case "perl", "otel":
		return image == "nginx"
	case "management":
		return image == "rabbitmq"
	case "dind":
		return image == "docker-dind" // its name says so
	case "base", "runtime", "devel":
		return image == "nvidia-cuda" // the variants of DHI take their place
	}
	return false
}

// flavorsFor lists the pairs of flavors that serve an origin's flavor, best
// first, and says what is lost.
func flavorsFor(image, flavor string) (pairs []flavorPair, lost []string) {
	rest := flavor
	if flavor != "" {
		var words []string
		for w := range strings.SplitSeq(flavor, "-") {
			switch {
			case w == "":
			case lostFor(image, w):
				if why := lostFlavors[w]; why != "" {
					lost = append(lost, why)
				}
			default:
				words = append(words, w)
			}
		}
		rest = strings.Join(words, "-")
	}
	switch image {
	case "eclipse-temurin", "sapmachine":
		switch rest {
		case "jre", "jdk-jre":
			return []flavorPair{{"", ""}, {"jdk", ""}}, lost
		case "jdk", "":
			return []flavorPair{{"jdk", ""}, {"", ""}}, lost
		}
	case "amazoncorretto":
		if rest == "jdk" || rest == "jre" {
			return []flavorPair{{"", ""}}, lost
		}
	case "azul":
		switch rest {
		case "", "jdk", "jre":
			return []flavorPair{{"jdk-zulu", "jdk-zulu"}, {"jdk-prime", "jdk-prime"}}, lost
		}
	case "dotnet":
		// The sdk is the image to build in; there is no -dev.
		if rest == "sdk" || rest == "" {
			return []flavorPair{{"sdk", ""}}, lost
		}
	case "php":
		switch rest {
		case "fpm":
			return []flavorPair{{"", "fpm"}}, lost
		case "cli":
			return []flavorPair{{"", ""}}, lost
		}
	case "docker":
		if rest == "" {
			return []flavorPair{{"cli", "cli"}}, lost
		}
	case "maven", "gradle", "tomcat":
		if rest == "" {
			// The newest long-term release that is offered, as for the JDK itself.
			return []flavorPair{{"jdk25", "jdk25"}, {"jdk21", "jdk21"}, {"jdk17", "jdk17"}}, lost
		}
	case "composer":
		if rest == "" {
			return []flavorPair{{"", ""}, {"php8.5", "php8.5"}, {"php8.4", "php8.4"}}, lost
		}
	}
	return []flavorPair{{rest, rest}}, lost
}

// channelLine narrows the versions of an image to those that a moving name
// means. Without a name it is the line that is right for most: for nginx the
// stable one, for node the newest that has a recorded end of life, since only
// long-term lines have one and the catalog has no lts tag.
func channelLine(image, channel string, offers []*offer) []*offer {
	keep := func(f func(*offer) bool) []*offer {
		return slices.DeleteFunc(slices.Clone(offers), func(o *offer) bool { return !f(o) })
	}
	var kept []*offer
	switch image {
	case "nginx":
		// https://nginx.org/en/download.html: stable versions have an even
		// minor number, mainline ones an odd one.
		odd := 0
		if channel == "mainline" {
			odd = 1
		}
		kept = keep(func(o *offer) bool { return len(o.actual) > 1 && o.actual[1]%2 == odd })
	case "node":
		if channel != "current" {
			kept = keep(func(o *offer) bool { return o.actual[0]%2 == 0 && o.lineEnd != "" })
		}
	}
	if len(kept) > 0 {
		return kept
	}
	return offers
}
