package rules

import (
	"fmt"
	"path"
	"strings"
)

// mountedConfig finds a configuration that compose or Kubernetes mounts over
// the server's own: it decides on which ports the server listens, so nothing in
// the image may move them.
func (m *portMover) mountedConfig(image string) bool {
	for _, b := range m.builds() {
		if b.Service == nil {
			continue
		}
		for _, v := range b.Service.Volumes {
			if configTarget(image, path.Clean(v.Target)) {
				m.check(fmt.Sprintf("%s mounts %s, which says on which ports %s listens. Let it listen on 1025 or higher there, and change EXPOSE, port mappings and probes with it.", path.Base(v.At.Path), v.Target, image))
				last := &m.Checks[len(m.Checks)-1]
				last.Where = append(last.Where, Where{Path: v.At.Path, Line: v.At.Line})
				for _, port := range m.exposed() {
					last.Where = append(last.Where, m.portUses(port)...)
				}
				return true
			}
		}
	}
	return false
}

// configTarget tells whether a mount replaces the configuration of a server or
// its default site.
func configTarget(image, target string) bool {
	switch image {
	case "nginx":
		return target == "/etc/nginx" || target == "/etc/nginx/nginx.conf" || target == "/etc/nginx/conf.d" || target == "/etc/nginx/conf.d/default.conf" ||
			strings.HasPrefix(target, "/etc/nginx/templates")
	case "httpd":
		return target == "/usr/local/apache2/conf" || target == "/usr/local/apache2/conf/httpd.conf"
	case "caddy":
		return target == "/etc/caddy" || target == "/etc/caddy/Caddyfile"
	}
	return false
}
