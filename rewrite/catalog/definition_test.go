package catalog

import (
	"strings"
	"testing"
)

// TestDefinitions checks facts about images of the catalog against the
// documented tables of the catalog research.
func TestDefinitions(t *testing.T) {
	t.Parallel()
	c := catalogForTest(t)
	for _, tt := range []struct {
		image, tag string
		build      bool
		shell, pm  string
		uid        int
		ca, tz     bool
		has, lacks string
	}{
		{"golang", "1.26-debian13-dev", true, "/bin/sh", "apt", 0, true, true, "go git gcc make bash sh tar apt-get", "curl wget unzip"},
		{"golang", "1.26-debian13", false, "/bin/bash", "", 65532, true, true, "go bash", "git gcc apt-get"},
		{"golang", "1.26-alpine3.24-dev", true, "/bin/sh", "apk", 0, true, true, "go git gcc make wget unzip apk", "bash curl"},
		{"node", "24-debian13-dev", true, "/bin/sh", "apt", 0, true, false, "node npm npx yarn corepack git", "make gcc python3 curl tar unzip"},
		{"node", "24-debian13", false, "", "", 1000, true, true, "node", "npm yarn sh env"},
		{"node", "24-alpine3.24", false, "", "", 1000, true, false, "node env", "npm sh ls"},
		{"node", "24-alpine3.24-dev", true, "/bin/sh", "apk", 0, true, false, "node npm corepack git wget", "make gcc bash curl"},
		{"python", "3.12-debian13-dev", true, "/bin/sh", "apt", 0, true, true, "python python3 pip", "gcc make git curl"},
		{"python", "3.12-debian13", false, "", "", 65532, true, true, "python python3", "pip sh gcc"},
		{"python", "3.12-alpine3.24-dev", true, "/bin/sh", "apk", 0, true, true, "pip gcc wget", "make git"},
		{"eclipse-temurin", "21-jdk-debian13-dev", true, "/bin/sh", "apt", 0, true, false, "java javac jar", "curl unzip git"},
		{"eclipse-temurin", "21-debian13", false, "", "", 65532, true, false, "java keytool", "javac jcmd sh"},
		{"maven", "3-jdk21-debian13-dev", true, "/bin/sh", "apt", 0, true, false, "mvn java javac", "git curl"},
		{"gradle", "8-jdk21-debian13-dev", true, "/bin/sh", "", 0, true, false, "gradle git java", "apt-get curl"},
		{"dotnet", "8-sdk-debian13", true, "/bin/sh", "apt", 0, true, true, "dotnet", "git curl"},
		{"dotnet", "8-debian13", false, "", "", 65532, true, true, "dotnet", "sh"},
		{"aspnetcore", "8-alpine3.24", false, "", "", 65532, false, true, "dotnet", "sh"},
		{"php", "8.4-debian13-dev", true, "/bin/sh", "apt", 0, true, false, "php phpize pecl gcc make curl git tar", "php-fpm unzip"},
		{"php", "8.4-debian13-fpm", false, "", "", 65532, true, false, "php-fpm", "php sh phpize"},
		{"php", "8.4-alpine3.24-fpm", false, "", "", 65532, true, false, "php php-fpm", "sh phpize"},
		{"php", "8.4-alpine3.22-fpm", false, "", "", 65532, true, false, "php-fpm", "php sh phpize"},
		{"php", "8.4-alpine3.24-dev", true, "/bin/sh", "apk", 0, true, false, "php phpize pecl", "php-fpm"},
		{"ruby", "3.4-debian13", false, "", "", 65532, true, false, "ruby bundle", "gcc sh"},
		{"ruby", "3.4-alpine3.24", false, "", "", 65532, true, false, "ruby gem", "bundle sh"},
		{"ruby", "3.4-alpine3.24-dev", true, "/bin/sh", "apk", 0, true, true, "ruby bundle", "curl"},
		{"rust", "1-debian13", false, "/bin/bash", "", 65532, true, false, "cargo rustc gcc", "apt-get"},
		{"nginx", "1.30-debian13", false, "", "", 65532, false, false, "nginx ls", "sh envsubst"},
		{"nginx", "1.30-alpine3.24", false, "/bin/sh", "", 65532, false, false, "nginx wget", "envsubst"},
		{"nginx", "1.30-debian13-dev", true, "/bin/sh", "apt", 0, true, false, "nginx envsubst", "curl"},
		{"static", "20250419-debian13", false, "", "", 65532, true, true, "", "sh"},
		{"alpine-base", "3.24-alpine3.24", false, "/bin/sh", "", 65532, true, false, "sh wget", "apk bash"},
		{"debian-base", "trixie-debian13", false, "/bin/bash", "", 65532, true, true, "bash tar", "apt-get sh"},
		{"debian-base", "bookworm-debian12", false, "/bin/sh", "apt", 65532, true, true, "bash apt-get", ""},
		{"postgres", "16-debian13", false, "/bin/bash", "", 70, true, true, "bash docker-entrypoint.sh", "apt-get"},
		{"docker-dind", "29-alpine3.24", false, "", "", 0, true, true, "dockerd-entrypoint.sh git", "apk"},
	} {
		d, ok := c.Lookup(tt.image, tt.tag)
		if !ok {
			t.Errorf("%s:%s is not listed", tt.image, tt.tag)
			continue
		}
		name := tt.image + ":" + tt.tag
		if d.Build() != tt.build || d.Shell() != tt.shell || d.PackageManager() != tt.pm || d.RunUser().UID != tt.uid {
			t.Errorf("%s: build %t shell %q package manager %q uid %d", name, d.Build(), d.Shell(), d.PackageManager(), d.RunUser().UID)
		}
		if d.CABundle() != tt.ca || d.TZData() != tt.tz {
			t.Errorf("%s: CA bundle %t tzdata %t", name, d.CABundle(), d.TZData())
		}
		for p := range strings.FieldsSeq(tt.has) {
			if !d.HasProgram(p) {
				t.Errorf("%s should have %s", name, p)
			}
		}
		for p := range strings.FieldsSeq(tt.lacks) {
			if d.HasProgram(p) {
				t.Errorf("%s should not be sure to have %s", name, p)
			}
		}
	}
}

// TestBuildIsNotTheVariant pins the definitions that are images to build in
// though they are declared as runtime: the sdk of dotnet, and virt-launcher,
// which runs as root with a shell and a package manager.
func TestBuildIsNotTheVariant(t *testing.T) {
	t.Parallel()
	c := catalogForTest(t)
	var odd []string
	for _, image := range c.Images() {
		for _, d := range c.Definitions(image) {
			if d.Build() && d.Variant != "dev" && d.Distro == Debian {
				odd = append(odd, image+":"+d.Tags[0])
			}
		}
	}
	want := "dotnet:10-sdk dotnet:8-sdk dotnet:9-sdk virt-launcher:1.6 virt-launcher:1.7 virt-launcher:1.8 virt-launcher:1"
	if got := strings.Join(odd, " "); got != want {
		t.Errorf("runtime definitions to build in: %s, want %s", got, want)
	}
}

func TestUsers(t *testing.T) {
	t.Parallel()
	c := catalogForTest(t)
	d, _ := c.Lookup("node", "24-debian13")
	for name, want := range map[string]User{
		"node": {"node", 1000, 1000}, "1000": {"node", 1000, 1000}, "root": {"root", 0, 0}, "0": {"root", 0, 0},
	} {
		if got, ok := d.User(name); !ok || got != want {
			t.Errorf("user %s = %v %t", name, got, ok)
		}
	}
	if _, ok := d.User("www-data"); ok {
		t.Error("node has no www-data")
	}
	for _, image := range c.Images() {
		for _, d := range c.Definitions(image) {
			if u := d.RunUser(); u.UID < 0 {
				t.Errorf("%s:%s runs as %q, who is not among its accounts", image, d.Tags[0], d.RunAs)
			}
		}
	}
}
