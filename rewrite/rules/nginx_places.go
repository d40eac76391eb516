package rules

import (
	"path"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
	"dhibot/rewrite/project"
)

// nginxPlace says where an nginx of DHI may write.
type nginxPlace struct {
	// pid is its pid file. say tells that a configuration should name it,
	// because the place that was compiled in is not known.
	pid string
	say bool
	// noCache tells that there is no /var/cache/nginx: what it writes for a
	// while is below /var/lib/nginx.
	noCache bool
}

// nginxPlaces are those of an image, by the definitions of image/nginx: with
// the package of nginx.org the user has /run and /var/cache/nginx. With DHI's
// own packages it has /run/nginx, on Alpine /var/lib/nginx instead of the
// cache, and there the pid file is compiled in.
func nginxPlaces(def *catalog.Definition) nginxPlace {
	if def.HasPackage("nginx") {
		return nginxPlace{pid: "/run/nginx.pid"}
	}
	return nginxPlace{pid: "/run/nginx/nginx.pid", say: def.Distro == catalog.Debian, noCache: def.Distro == catalog.Alpine}
}

// temporary is the path of a directive that has to move, and its new place;
// "" when it may stay. nginx makes one directory, not those above it.
func (p nginxPlace) temporary(d project.Directive) (old, now string) {
	if !p.noCache || len(d.Args) == 0 {
		return "", ""
	}
	const cache = "/var/cache/nginx"
	switch rest, ok := strings.CutPrefix(path.Clean(d.Args[0]), cache); {
	case !ok, strings.Contains(d.Args[0], "$"):
		return "", ""
	case rest == "":
		return d.Args[0], "/var/lib/nginx/cache"
	case strings.Count(rest, "/") == 1 && rest[0] == '/':
		return d.Args[0], "/var/lib/nginx" + rest
	}
	return "", ""
}

// startNames tells whether the start command has a word in it.
func (m *portMover) startNames(word string) bool {
	for _, c := range []assess.Command{m.Final.End.Entrypoint, m.Final.End.Cmd} {
		if c.Step != nil && strings.Contains(c.Step.Text, word) {
			return true
		}
	}
	return false
}

// newline is the line ending of a file.
func newline(content []byte) string {
	if strings.Contains(string(content), "\r\n") {
		return "\r\n"
	}
	return "\n"
}
