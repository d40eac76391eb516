package catalog

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

func catalogForTest(t testing.TB) *Catalog {
	t.Helper()
	c, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestChooseRules states the rules of choice one by one; the golden file has
// the breadth.
func TestChooseRules(t *testing.T) {
	t.Parallel()
	c := catalogForTest(t)
	day := func(s string) time.Time {
		d, err := time.Parse(time.DateOnly, s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for _, tt := range []struct {
		rule, reference string
		want            Want
		dev, run        string // the tags, "" when not needed
		err             string // part of the error, "" for none
		flags           string // of Bumped, Widened, DistroChanged, ReleaseChanged: their first letters
	}{
		{"precision is kept", "node:22", Want{}, "22-debian13-dev", "22-debian13", "", ""},
		{"precision is kept when listed", "node:22.23.2-alpine", Want{}, "22.23.2-alpine3.24-dev", "22.23.2-alpine3.24", "", ""},
		{"an unlisted patch is widened within its line", "node:22.12.0", Want{}, "22-debian13-dev", "22-debian13", "", "W"},
		{"python widens to the minor version, not further", "python:3.12.4", Want{}, "3.12-debian13-dev", "3.12-debian13", "", "W"},
		{"a line that is not offered is reported", "node:20", Want{}, "", "", "has no node 20 on Debian; it offers 22, 24, 26", ""},
		{"nearest takes the next newer line", "node:21", Want{Missing: NearestVersion}, "22-debian13-dev", "22-debian13", "", "B"},
		{"nearest takes the newest when nothing newer is offered", "node:28", Want{Missing: NearestVersion}, "26-debian13-dev", "26-debian13", "", "B"},
		{"nearest does not touch a version that is offered", "node:24", Want{Missing: NearestVersion}, "24-debian13-dev", "24-debian13", "", ""},
		{"a pre-release is never bumped", "python:3.15-rc", Want{Missing: NearestVersion}, "", "", "has no python 3.15-rc", ""},
		{"go moves up within its major version when allowed", "golang:1.22-alpine", Want{MoveUp: true}, "1.26-alpine3.24-dev", "1.26-alpine3.24", "", "B"},
		{"rust too", "rust:1.75", Want{MoveUp: true}, "1.98-debian13-dev", "1.98-debian13", "", "B"},
		{"moving up never crosses a major version", "ruby:2.7", Want{MoveUp: true}, "", "", "has no ruby 2.7", ""},
		{"at least refuses older versions", "golang", Want{AtLeast: "1.27"}, "", "", "has no golang at least 1.27 on Debian; it offers 1.26", ""},
		{"at least finds newer ones", "golang:alpine", Want{AtLeast: "1.27"}, "1.27-alpine3.24-dev", "1.27-alpine3.24", "", ""},
		{"at least lifts moving up", "golang:1.22-alpine", Want{MoveUp: true, AtLeast: "1.27"}, "1.27-alpine3.24-dev", "1.27-alpine3.24", "", "B"},
		{"at least sees through a major tag", "golang:1", Want{AtLeast: "1.27"}, "", "", "at least 1.27", ""},
		{"patches of at least are the tag's to follow", "golang:1.26", Want{AtLeast: "1.26.9"}, "1.26-debian13-dev", "1.26-debian13", "", ""},
		{"latest of node is the newest long-term line", "node:latest", Want{}, "24-debian13-dev", "24-debian13", "", ""},
		{"current of node is the newest", "node:current", Want{}, "26-debian13-dev", "26-debian13", "", ""},
		{"latest of java avoids a line near its end", "eclipse-temurin", Want{Need: NeedRuntime}, "", "25-debian13", "", ""},
		{"the day decides what is near its end", "eclipse-temurin", Want{Need: NeedRuntime, Today: day("2026-01-01")}, "", "26-debian13", "", ""},
		{"latest of go is the newest of its family", "golang:alpine", Want{}, "1.27-alpine3.24-dev", "1.27-alpine3.24", "", ""},
		{"the project's version outranks latest", "node:latest", Want{Version: "22.14"}, "22-debian13-dev", "22-debian13", "", "W"},
		{"the tag's version outranks the project's", "node:24", Want{Version: "22"}, "24-debian13-dev", "24-debian13", "", ""},
		{"a hint that is no version is ignored", "node:latest", Want{Version: ">=20"}, "24-debian13-dev", "24-debian13", "", ""},
		{"a hint that is not offered is reported", "node:latest", Want{Version: "20"}, "", "", "has no node 20", ""},
		{"stable and mainline of nginx", "nginx:stable-alpine", Want{Need: NeedRuntime}, "", "1.30-alpine3.24", "", ""},
		{"mainline", "nginx:mainline", Want{Need: NeedRuntime}, "", "1.31-debian13", "", ""},
		{"the family is kept", "python:3.12-alpine", Want{}, "3.12-alpine3.24-dev", "3.12-alpine3.24", "", ""},
		{"the Alpine release is kept when listed", "python:3.12-alpine3.22", Want{}, "3.12-alpine3.22-dev", "3.12-alpine3.22", "", ""},
		{"an Alpine release that is not listed becomes the newest", "python:3.12-alpine3.19", Want{}, "3.12-alpine3.24-dev", "3.12-alpine3.24", "", "R"},
		{"bookworm becomes Debian 13", "python:3.12-slim-bookworm", Want{}, "3.12-debian13-dev", "3.12-debian13", "", "R"},
		{"unless the caller wishes for Debian 12", "python:3.12-slim-bookworm", Want{Release: "12"}, "3.12-debian12-dev", "3.12-debian12", "", ""},
		{"a wish by code name is the same", "python:3.12-slim-bookworm", Want{Release: "bookworm"}, "3.12-debian12-dev", "3.12-debian12", "", ""},
		{"a wish that cannot be met is no error", "ruby:3.4-slim-bookworm", Want{Release: "12"}, "3.4-debian13-dev", "3.4-debian13", "", "R"},
		{"an asked-for family is taken", "node:22", Want{Distro: Alpine}, "22-alpine3.24-dev", "22-alpine3.24", "", "D"},
		{"no Alpine variant is an error", "haproxy:2.8-alpine", Want{}, "", "", "has no Alpine build variant of haproxy", ""},
		{"unless the other family is allowed", "haproxy:2.8-alpine", Want{OtherDistro: true}, "2.8-debian13-dev", "2.8-debian13", "", "D"},
		{"the wanted version in the other family wins over a bump", "redis:7-alpine", Want{OtherDistro: true, Missing: NearestVersion}, "7-debian13-dev", "7-debian13", "", "D"},
		{"without leave it is a bump in the family", "redis:7-alpine", Want{Missing: NearestVersion}, "8.6-alpine3.24-dev", "8.6-alpine3.24", "", "B"},
		{"a silent tag may change family where there is only one", "caddy:2", Want{Need: NeedRuntime}, "", "2-debian13", "", "D"},
		{"temurin builds with the JDK and runs on the JRE", "eclipse-temurin:21-jdk", Want{}, "21-jdk-debian13-dev", "21-debian13", "", ""},
		{"a JRE stage that needs a shell keeps the JRE where offered", "eclipse-temurin:21-jre-alpine", Want{Need: NeedDev}, "21-alpine3.24-dev", "", "", ""},
		{"dotnet builds with the sdk", "mcr.microsoft.com/dotnet/sdk:8.0", Want{Need: NeedDev}, "8.0-sdk-debian13", "", "", ""},
		{"dotnet major", "mcr.microsoft.com/dotnet/sdk:8", Want{}, "8-sdk-debian13", "8-debian13", "", ""},
		{"php-fpm builds without fpm", "php:8.4-fpm-alpine", Want{}, "8.4-alpine3.24-dev", "8.4-alpine3.24-fpm", "", ""},
		{"zts has no counterpart", "php:8.4-zts", Want{Need: NeedDev}, "", "", "zts build variant of php", ""},
		{"maven has no runtime", "maven:3.9-eclipse-temurin-21", Want{Need: NeedRuntime}, "", "", "has no runtime variant of maven", ""},
		{"maven keeps its JDK", "maven:3.9-eclipse-temurin-17-alpine", Want{Need: NeedDev}, "3.9-jdk17-alpine3.24-dev", "", "", ""},
		{"a JDK that is not offered is reported", "maven:3-jdk-11", Want{Need: NeedDev}, "", "", "maven 3 with jdk11 on Debian; it offers jdk17, jdk21, jdk25", ""},
		{"nearest takes the nearest newer JDK", "maven:3-jdk-11", Want{Need: NeedDev, Missing: NearestVersion}, "3-jdk17-debian13-dev", "", "", "B"},
		{"the project's JDK fills in", "maven:3", Want{Need: NeedDev, Flavor: "jdk17"}, "3-jdk17-debian13-dev", "", "", ""},
		{"a version without the newest JDK takes the next", "gradle:8", Want{Need: NeedDev}, "8-jdk21-debian13-dev", "", "", ""},
		{"composer names its php", "composer:2", Want{Need: NeedDev, Distro: Debian, Flavor: "php8.3"}, "2-debian13-php8.3-dev", "", "", "D"},
		{"debian is trixie", "debian:bookworm-slim", Want{}, "trixie-debian13-dev", "trixie-debian13", "", "R"},
		{"ubuntu is Debian", "ubuntu:22.04", Want{Need: NeedDev}, "trixie-debian13-dev", "", "", "R"},
		{"alpine keeps a listed release", "alpine:3.23", Want{}, "3.23-alpine3.23-dev", "3.23-alpine3.23", "", ""},
		{"java 8 in its many spellings", "eclipse-temurin:8u402-b06-jre-alpine", Want{Need: NeedRuntime}, "", "8-alpine3.24", "", "W"},
		{"distroless carries its version in its name", "gcr.io/distroless/nodejs22-debian12", Want{Need: NeedRuntime}, "", "22-debian13", "", "R"},
		{"distroless static", "gcr.io/distroless/static:nonroot", Want{Need: NeedRuntime}, "", "20250419-debian13", "", ""},
		{"distroless base has a C library", "gcr.io/distroless/base-debian12", Want{Need: NeedRuntime}, "", "20250419-glibc-debian13", "", "R"},
		{"debug has no counterpart", "gcr.io/distroless/static:debug", Want{Need: NeedRuntime}, "", "", "debug runtime variant of static", ""},
		{"a version in one variant only is not another version", "amazon/aws-cli:2.15.0", Want{Missing: NearestVersion}, "", "", "has no build variant of awscli 2.15.0", ""},
		{"hardened references choose like others", "dhi.io/node:22-debian13-dev", Want{}, "22-debian13-dev", "22-debian13", "", ""},
		{"a digest alone names no version", "node@sha256:0000000000000000000000000000000000000000000000000000000000000000", Want{}, "", "", "no node for a digest without a tag", ""},
		{"unless the project does", "node@sha256:0000000000000000000000000000000000000000000000000000000000000000", Want{Version: "22"}, "22-debian13-dev", "22-debian13", "", ""},
		{"a development branch is no release", "debian:sid", Want{Missing: NearestVersion}, "", "", "no debian-base sid", ""},
		{"what has no equivalent cannot be chosen", "centos:7", Want{}, "", "", "has no equivalent of centos", ""},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			o := c.Origin(tt.reference, nil)
			ch, err := c.Choose(o, tt.want)
			if tt.err != "" {
				if err == nil {
					t.Fatalf("%s became %s, want an error with %q", tt.reference, choiceLine(ch), tt.err)
				}
				if !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("error %q, want %q in it", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			need := tt.want.Need
			if need == 0 {
				need = NeedBoth
			}
			checkChoice(t, c, o, ch, need)
			if got := tagOf(ch.Dev); got != tt.dev {
				t.Errorf("dev = %q, want %q", got, tt.dev)
			}
			if got := tagOf(ch.Runtime); got != tt.run {
				t.Errorf("runtime = %q, want %q", got, tt.run)
			}
			flags := ""
			for _, f := range []struct {
				letter string
				set    bool
			}{{"B", ch.Bumped}, {"W", ch.Widened}, {"D", ch.DistroChanged}, {"R", ch.ReleaseChanged}} {
				if f.set {
					flags += f.letter
				}
			}
			if flags != tt.flags {
				t.Errorf("flags = %q, want %q (%s)", flags, tt.flags, choiceLine(ch))
			}
			if (flags != "" || o.Version == "") && !o.Hardened && len(ch.Why) == 0 {
				t.Error("a choice that differs from what was written needs a reason")
			}
		})
	}
}

func tagOf(p *Pick) string {
	if p == nil {
		return ""
	}
	return p.Tag
}

// TestStatefulBump proves that another version of a database comes with a
// warning about its data.
func TestStatefulBump(t *testing.T) {
	t.Parallel()
	c := catalogForTest(t)
	ch, err := c.Choose(c.Origin("postgres:13-alpine", nil), Want{Missing: NearestVersion})
	if err != nil {
		t.Fatal(err)
	}
	if want := "postgres 14 may not read the data of 13: plan the upgrade of the data with it."; !slices.Contains(ch.Why, want) {
		t.Errorf("why = %q, want %q among it", ch.Why, want)
	}
	if ch, err = c.Choose(c.Origin("postgres:16-alpine", nil), Want{Missing: NearestVersion}); err != nil || len(ch.Why) != 0 {
		t.Errorf("a version that is offered: %v %v", ch, err)
	}
}

// TestChooseImage covers the runtimes that an origin does not name.
func TestChooseImage(t *testing.T) {
	t.Parallel()
	c := catalogForTest(t)
	for _, tt := range []struct {
		image, version, flavor string
		want                   Want
		tag                    string
	}{
		{"static", "", "", Want{Need: NeedRuntime}, "20250419-debian13"},
		{"static", "", "glibc", Want{Need: NeedRuntime}, "20250419-glibc-debian13"},
		{"static", "", "", Want{Need: NeedRuntime, Distro: Alpine}, "20260611-alpine3.24"},
		{"static", "", "musl", Want{Need: NeedRuntime, Distro: Alpine, Release: "3.22"}, "20260611-musl-alpine3.22"},
		{"static", "", "", Want{Need: NeedRuntime, Distro: Debian, Release: "12"}, "20250419-debian12"},
		{"debian-base", "", "", Want{Need: NeedRuntime}, "trixie-debian13"},
		{"alpine-base", "", "", Want{Need: NeedRuntime}, "3.24-alpine3.24"},
		{"eclipse-temurin", "21", "jre", Want{Need: NeedRuntime}, "21-debian13"},
		{"aspnetcore", "8.0", "", Want{Need: NeedRuntime, Distro: Alpine}, "8.0-alpine3.24"},
		{"node", "", "", Want{Need: NeedRuntime}, "24-debian13"},
		{"nginx", "", "", Want{Need: NeedRuntime, Distro: Alpine}, "1.30-alpine3.24"},
	} {
		ch, err := c.ChooseImage(tt.image, tt.version, tt.flavor, tt.want)
		if err != nil {
			t.Errorf("%s %s %s: %v", tt.image, tt.version, tt.flavor, err)
			continue
		}
		checkChoice(t, c, &Origin{Reference: tt.image}, ch, tt.want.Need)
		if ch.Runtime.Tag != tt.tag {
			t.Errorf("%s %s %s: %s, want %s", tt.image, tt.version, tt.flavor, ch.Runtime.Tag, tt.tag)
		}
	}
	var variant *NoVariantError
	if _, err := c.ChooseImage("nosuch", "", "", Want{}); !errors.As(err, &variant) {
		t.Errorf("an unknown image gave %v", err)
	}
	if _, err := c.ChooseImage("static", "", "musl", Want{Need: NeedRuntime, Distro: Debian}); !errors.As(err, &variant) {
		t.Errorf("musl on Debian gave %v", err)
	}
	var version *NoVersionError
	if _, err := c.ChooseImage("node", "19", "", Want{Need: NeedRuntime}); !errors.As(err, &version) {
		t.Errorf("node 19 gave %v", err)
	} else if !slices.Equal(version.Nearest, []string{"22", "24", "26"}) {
		t.Errorf("nearest = %v", version.Nearest)
	}
}

// TestGuideCatalog proves that the examples of the migration guide come out
// with a catalog that describes the images as the guide assumes them.
func TestGuideCatalog(t *testing.T) {
	t.Parallel()
	f, err := os.Open("../../testdata/catalogs/guide.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c, err := Load(f)
	if err != nil {
		t.Fatal(err)
	}
	naming := Naming{Namespace: "<your-namespace>"}
	for reference, want := range map[string][2]string{
		"golang:latest": {"<your-namespace>/dhi-golang:1-alpine3.21-dev", "<your-namespace>/dhi-golang:1-alpine3.21"},
		"node:latest":   {"<your-namespace>/dhi-node:23-alpine3.21-dev", "<your-namespace>/dhi-node:23-alpine3.21"},
		"python:latest": {"<your-namespace>/dhi-python:3.13-alpine3.21-dev", "<your-namespace>/dhi-python:3.13-alpine3.21"},
	} {
		ch, err := c.Choose(c.Origin(reference, nil), Want{Distro: Alpine})
		if err != nil {
			t.Errorf("%s: %v", reference, err)
			continue
		}
		got := [2]string{naming.Repository(ch.Image) + ":" + ch.Dev.Tag, naming.Repository(ch.Image) + ":" + ch.Runtime.Tag}
		if got != want {
			t.Errorf("%s = %v, want %v", reference, got, want)
		}
	}
	def, ok := c.Lookup("node", "23-alpine3.21")
	if !ok || !slices.Equal(def.Entrypoint, []string{"node"}) || def.RunUser().UID != 1000 || def.WorkDir != "/app" {
		t.Errorf("node = %+v", def)
	}
}
