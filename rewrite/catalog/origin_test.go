package catalog

import (
	"slices"
	"strings"
	"testing"
)

// TestOriginMappings covers the user's own mappings.
func TestOriginMappings(t *testing.T) {
	t.Parallel()
	c := catalogForTest(t)
	extra := map[string]string{
		"internal/python":                     "python",
		"registry.example.com/base/jdk":       "eclipse-temurin:21-jdk",
		"registry.example.com/dockerhub/":     "docker.io/",
		"registry.example.com/dockerhub/x/":   "ghcr.io/astral-sh/",
		"harbor.example.com:8443/proxy/":      "",
		"docker.io/acme/node":                 "node",
		"registry.example.com/dockerhub/null": "",
	}
	for _, tt := range []struct{ reference, repository, tag, image string }{
		{"internal/python:3.12-slim", "python", "3.12-slim", "python"},
		{"docker.io/internal/python:3.12", "python", "3.12", "python"},
		{"registry.example.com/base/jdk", "eclipse-temurin", "21-jdk", "eclipse-temurin"},
		{"registry.example.com/base/jdk:17-jre", "eclipse-temurin", "17-jre", "eclipse-temurin"},
		{"registry.example.com/dockerhub/library/node:22", "node", "22", "node"},
		{"registry.example.com/dockerhub/node:22", "node", "22", "node"},
		{"registry.example.com/dockerhub/x/uv:0.12", "ghcr.io/astral-sh/uv", "0.12", "uv"},
		{"harbor.example.com:8443/proxy/library/golang:1.26", "golang", "1.26", "golang"},
		{"acme/node:22", "node", "22", "node"},
		{"registry.example.com/other/node:22", "registry.example.com/other/node", "22", ""},
		{"internal/pythonic:3", "internal/pythonic", "3", ""},
		{"registry.example.com/dockerhub/null:1", "null", "1", ""}, // an empty mapping is none
	} {
		o := c.Origin(tt.reference, extra)
		if o.Repository != tt.repository || o.Tag != tt.tag || o.Image != tt.image {
			t.Errorf("%s: repository %q tag %q image %q, want %q %q %q", tt.reference, o.Repository, o.Tag, o.Image, tt.repository, tt.tag, tt.image)
		}
		if o.Evidence == "" {
			t.Errorf("%s: no evidence", tt.reference)
		}
	}
}

// TestOriginNeverRewritesHints proves that only high and medium rows of the
// upstream map become targets, and that every row has something to say.
func TestOriginNeverRewritesHints(t *testing.T) {
	t.Parallel()
	c := catalogForTest(t)
	m, err := upstreams()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for repository, u := range m.exact {
		seen[u.confidence]++
		o := c.Origin(repository, nil)
		switch u.confidence {
		case "high", "medium":
			if o.Image != u.image || o.Hint != "" {
				t.Errorf("%s: image %q hint %q, want %s", repository, o.Image, o.Hint, u.image)
			}
			if !c.Has(u.image) {
				t.Errorf("%s maps to %s, which the catalog does not have", repository, u.image)
			}
		case "low", "none":
			if o.Image != "" || o.Hint != u.image && repository != "scratch" {
				t.Errorf("%s: image %q hint %q, want only the hint %q", repository, o.Image, o.Hint, u.image)
			}
		default:
			t.Errorf("%s: unknown confidence %q", repository, u.confidence)
		}
		if o.Evidence == "" {
			t.Errorf("%s: no evidence", repository)
		}
	}
	for _, confidence := range []string{"high", "medium", "low", "none"} {
		if seen[confidence] == 0 {
			t.Errorf("no row with confidence %s was tried", confidence)
		}
	}
	if o := c.Origin("acme/gitleaks:8", nil); o.Image != "" || o.Hint != "gitleaks" || o.Evidence != SameName {
		t.Errorf("a repository that merely shares a name: image %q hint %q", o.Image, o.Hint)
	}
}

// TestUpstreamConfigs checks facts that migrations lean on.
func TestUpstreamConfigs(t *testing.T) {
	t.Parallel()
	c := catalogForTest(t)
	rows, err := configs()
	if err != nil {
		t.Fatal(err)
	}
	for repository, list := range rows {
		always := false
		for _, r := range list {
			always = always || len(r.When) == 0
			if r.Source == "" {
				t.Errorf("a row of %s has no source", repository)
			}
			for name, value := range r.Env {
				if strings.ContainsAny(value, "${}") || name == "PATH" && !strings.Contains(value, "/usr/bin") {
					t.Errorf("%s %v: %s=%s", repository, r.When, name, value)
				}
			}
		}
		if always && c.Origin(repository, nil).Config.Known != true {
			t.Errorf("%s without a tag has no facts", repository)
		}
	}
	for _, tt := range []struct {
		reference  string
		entrypoint []string
		cmd        []string
		user       string
		workDir    string
		pm         string
		has, lacks []string
	}{
		{"node:20-alpine", []string{"docker-entrypoint.sh"}, []string{"node"}, "", "", "apk", []string{"npm", "wget", "sh"}, []string{"curl", "git", "bash", "python3"}},
		{"node:22", []string{"docker-entrypoint.sh"}, []string{"node"}, "", "", "apt", []string{"git", "python3", "make", "g++", "curl", "unzip", "bash"}, []string{"jq"}},
		{"node:22-bookworm-slim", []string{"docker-entrypoint.sh"}, []string{"node"}, "", "", "apt", []string{"yarn"}, []string{"git", "curl", "wget", "make"}},
		{"python:3.12-slim", nil, []string{"python3"}, "", "", "apt", []string{"pip"}, []string{"gcc", "curl"}},
		{"golang:1.22", nil, nil, "", "/go", "apt", []string{"git", "gcc", "make", "curl"}, []string{"jq"}},
		{"golang:1.22-alpine", nil, nil, "", "/go", "apk", []string{"go"}, []string{"git", "gcc"}},
		{"nginx:1.27-alpine", []string{"/docker-entrypoint.sh"}, []string{"nginx", "-g", "daemon off;"}, "", "", "apk", []string{"envsubst", "curl"}, nil},
		{"nginxinc/nginx-unprivileged:alpine-slim", []string{"/docker-entrypoint.sh"}, []string{"nginx", "-g", "daemon off;"}, "101", "", "apk", nil, []string{"curl"}},
		{"php:8.3-fpm-alpine", []string{"docker-php-entrypoint"}, []string{"php-fpm"}, "", "/var/www/html", "apk", []string{"docker-php-ext-install"}, []string{"git"}},
		{"php:8.3-apache", []string{"docker-php-entrypoint"}, []string{"apache2-foreground"}, "", "/var/www/html", "apt", []string{"a2enmod"}, nil},
		{"eclipse-temurin:21-jre", []string{"/__cacert_entrypoint.sh"}, nil, "", "", "apt", []string{"java", "curl"}, []string{"javac"}},
		{"eclipse-temurin:21-jdk-alpine", []string{"/__cacert_entrypoint.sh"}, []string{"jshell"}, "", "", "apk", []string{"javac"}, []string{"curl"}},
		{"maven:3.9-eclipse-temurin-21", []string{"/usr/local/bin/mvn-entrypoint.sh"}, []string{"mvn"}, "", "", "apt", []string{"mvn", "git"}, nil},
		{"gradle:8-jdk21", []string{"/__cacert_entrypoint.sh"}, []string{"gradle"}, "root", "/home/gradle", "apt", []string{"unzip", "git"}, nil},
		{"mcr.microsoft.com/dotnet/aspnet:8.0", nil, nil, "", "", "apt", []string{"dotnet"}, []string{"curl"}},
		{"mcr.microsoft.com/dotnet/aspnet:8.0-noble-chiseled", []string{"/usr/bin/dotnet"}, []string{"--info"}, "1654", "", "", nil, []string{"sh", "bash"}},
		{"gcr.io/distroless/static:nonroot", nil, nil, "65532", "/home/nonroot", "", nil, []string{"sh"}},
		{"gcr.io/distroless/static-debian12:debug", []string{"/busybox/sh"}, nil, "0", "/", "", []string{"sh"}, nil},
		{"gcr.io/distroless/nodejs22-debian12", []string{"/nodejs/bin/node"}, nil, "0", "/", "", nil, []string{"sh"}},
		{"gcr.io/distroless/java17-debian12:nonroot", []string{"/usr/bin/java", "-jar"}, nil, "65532", "/home/nonroot", "", nil, nil},
		{"redis:7-alpine", []string{"docker-entrypoint.sh"}, []string{"redis-server"}, "", "/data", "apk", nil, []string{"bash"}},
		{"alpine:3.20", nil, []string{"/bin/sh"}, "", "", "apk", []string{"wget", "sh"}, []string{"bash", "curl"}},
		{"debian:bookworm-slim", nil, []string{"bash"}, "", "", "apt", []string{"useradd"}, []string{"curl", "wget"}},
		{"haproxy:2.8", []string{"docker-entrypoint.sh"}, []string{"haproxy", "-f", "/usr/local/etc/haproxy/haproxy.cfg"}, "haproxy", "/var/lib/haproxy", "apt", nil, nil},
		{"oven/bun:1", []string{"/usr/local/bin/docker-entrypoint.sh"}, []string{"/usr/local/bin/bun"}, "", "/home/bun/app", "apt", nil, nil},
	} {
		cfg := c.Origin(tt.reference, nil).Config
		if !cfg.Known {
			t.Errorf("%s: no facts", tt.reference)
			continue
		}
		if !slices.Equal(cfg.Entrypoint, tt.entrypoint) || !slices.Equal(cfg.Cmd, tt.cmd) || cfg.User != tt.user ||
			cfg.WorkDir != tt.workDir || cfg.PackageManager != tt.pm {
			t.Errorf("%s: entrypoint %q cmd %q user %q workdir %q package manager %q", tt.reference,
				cfg.Entrypoint, cfg.Cmd, cfg.User, cfg.WorkDir, cfg.PackageManager)
		}
		for _, p := range tt.has {
			if !cfg.HasProgram(p) {
				t.Errorf("%s should have %s", tt.reference, p)
			}
		}
		for _, p := range tt.lacks {
			if cfg.HasProgram(p) {
				t.Errorf("%s should not have %s", tt.reference, p)
			}
		}
	}
	if got := c.Origin("mcr.microsoft.com/dotnet/aspnet:6.0", nil).Config.Env["ASPNETCORE_URLS"]; got != "http://+:80" {
		t.Errorf("aspnet 6 listens on %q", got)
	}
	if got := c.Origin("mcr.microsoft.com/dotnet/aspnet:8.0", nil).Config.Env["APP_UID"]; got != "1654" {
		t.Errorf("APP_UID of aspnet 8 = %q", got)
	}
	if got := c.Origin("postgres:18", nil).Config.Env["PGDATA"]; got != "/var/lib/postgresql/18/docker" {
		t.Errorf("PGDATA of postgres 18 = %q", got)
	}
}
