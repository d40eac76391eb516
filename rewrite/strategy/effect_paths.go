package strategy

import (
	"path"
	"slices"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
	"dhibot/rewrite/shell"
)

// madeForLogs tells whether a RUN makes a directory of the program below
// /var/log or /var/cache, which the program may rely on: those of a service
// itself come with its image.
func madeForLogs(f *assess.Stage, sc *shell.Script, p string) bool {
	if !under(p, "/var/log") && !under(p, "/var/cache") || ownLogs(f.Origin, p) || ephemeral(p) && (under(p, "/var/cache/apt") || p == "/var/cache/apt" || under(p, "/var/cache/apk") || p == "/var/cache/apk") {
		return false
	}
	for _, op := range sc.FileOps() {
		if (op.Op == "mkdir" || op.Op == "install" || op.Op == "touch") && op.Literal && slices.Contains(op.Paths, p) {
			return true
		}
	}
	return false
}

// ownLogs tells whether a directory below /var/log or /var/cache is named after
// the service of the image.
func ownLogs(o *catalog.Origin, p string) bool {
	if o == nil || !service(o.Image) {
		return false
	}
	parts := strings.Split(strings.Trim(p, "/"), "/")
	if len(parts) < 3 {
		return true
	}
	name := parts[2]
	if strings.Contains(name, o.Image) || strings.Contains(o.Image, name) {
		return true
	}
	return o.Image == "httpd" && name == "apache2" || o.Image == "postgres" && name == "postgresql"
}

// ephemeral tells whether a path is scratch space or a cache that no running
// program misses.
func ephemeral(p string) bool {
	for _, prefix := range []string{"/tmp", "/var/tmp", "/var/cache", "/var/lib/apt", "/var/lib/dpkg", "/root/.cache", "/root/.npm", "/root/.yarn", "/root/.config", "/root/.local/share/pnpm",
		"/etc/apk/cache", "/var/log", "/root/.gradle", "/root/.m2", "/usr/share/doc", "/usr/share/man", "/usr/share/locale", "/var/lib/cache", "/root/.bundle/cache", "/root/.composer", "/root/.pki",
		"/go/pkg", "/root/.cargo", "/usr/local/share/.cache", "/home/node/.npm", "/root/.node-gyp", "/root/.electron", "/usr/local/share/man", "/etc/apt", "/etc/apk"} {
		if rest, ok := strings.CutPrefix(p, prefix); ok && (rest == "" || rest[0] == '/' || rest[0] == '*') {
			return true
		}
	}
	return false
}

// systemDir tells whether a directory belongs to the image and cannot be
// copied from one image to another as a whole.
func systemDir(p string) bool {
	switch path.Clean(p) {
	case "/", "/bin", "/sbin", "/lib", "/lib64", "/usr", "/usr/bin", "/usr/sbin", "/usr/lib", "/usr/local", "/usr/local/bin", "/usr/local/sbin", "/usr/local/lib",
		"/usr/share", "/usr/include", "/usr/libexec", "/etc", "/var", "/var/lib", "/var/log", "/root", "/home", "/opt", "/srv/..", "/proc", "/sys", "/dev", "/run", "/tmp", "/usr/src", "/var/www/..":
		return true
	}
	return false
}
