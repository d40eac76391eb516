package catalog

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
)

// fresh is the embedded catalog, which nothing was asked of.
func fresh(t testing.TB) *Catalog {
	t.Helper()
	c, err := decode(bytes.NewReader(embeddedSnapshot))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAnswersAreRemembered(t *testing.T) {
	t.Parallel()
	c := fresh(t)
	o := c.Origin("node:22-alpine", nil)
	if again := c.Origin("node:22-alpine", nil); again != o {
		t.Error("the same reference was understood twice")
	}
	if mapped := c.Origin("node:22-alpine", map[string]string{"node": "python"}); mapped.Image != "python" {
		t.Errorf("with a mapping it is %q", mapped.Image)
	}
	if again := c.Origin("node:22-alpine", nil); again.Image != "node" {
		t.Errorf("after a mapping it is %q", again.Image)
	}
	first, err := c.Choose(o, Want{})
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := c.Choose(o, Want{}); again != first {
		t.Error("the same choice was made twice")
	}
	long := "node:" + strings.Repeat("2", maxQuestion)
	c.Origin(long, nil)
	if _, ok := c.origins.find(long); ok {
		t.Error("a question of any length is kept")
	}
	if _, err := c.Choose(o, Want{AtLeast: strings.Repeat("2.", maxQuestion)}); err != nil {
		t.Error(err)
	}
	if n := len(c.choices.kept); n != 1 {
		t.Errorf("%d choices are kept", n)
	}
}

// A part of an origin or of a wish that is missing in the question would give the
// answer to another question.
func TestQuestionsDiffer(t *testing.T) {
	t.Parallel()
	c := fresh(t)
	for _, ref := range []string{
		"node", "node:22", "node:22-alpine", "node:22-bookworm", "node:22.1.0-alpine3.19", "node:lts", "python:3.12-slim", "python:3.12-alpine",
		"maven:3.9", "maven:3.9-eclipse-temurin-21", "eclipse-temurin:21-jre", "golang:1.26", "golang:1.18", "nginx:mainline", "nginx:stable",
		"debian:12", "ubuntu:22.04", "alpine:3.22", "haproxy:3-alpine", "composer:lts", "mcr.microsoft.com/dotnet/sdk:10.0", "amazoncorretto:21-al2023",
	} {
		for _, w := range []Want{
			{}, {Need: NeedDev}, {Need: NeedRuntime}, {Need: NeedBoth}, {Distro: Debian}, {Distro: Alpine}, {Missing: NearestVersion},
			{Release: "12"}, {Version: "20"}, {Flavor: "jdk17"}, {AtLeast: "1.25"}, {AtLeast: "1.25", MoveUp: true}, {Distro: Debian, OtherDistro: true},
		} {
			question := keyOf(c.origin(ref, nil), w)
			want, wantErr := c.selection(&question).choose()
			for range 2 {
				got, err := c.Choose(c.Origin(ref, nil), w)
				if fmt.Sprint(err) != fmt.Sprint(wantErr) || (got == nil) != (want == nil) || got != nil && fmt.Sprint(got.Image, got.Why, got.From, got.To, tags(got)) != fmt.Sprint(want.Image, want.Why, want.From, want.To, tags(want)) {
					t.Errorf("%s %+v: %v, %v instead of %v, %v", ref, w, got, err, want, wantErr)
				}
			}
		}
	}
}

func tags(c *Choice) (out []string) {
	for _, p := range []*Pick{c.Dev, c.Runtime} {
		if p != nil {
			out = append(out, p.Tag)
		}
	}
	return out
}

func TestRememberedIsBounded(t *testing.T) {
	t.Parallel()
	var r remembered[int, int]
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for i := range 2 * maxRemembered {
				r.keep(i, i)
				if v, ok := r.find(i); ok && v != i {
					t.Errorf("%d became %d", i, v)
				}
			}
		})
	}
	wait.Wait()
	if n := len(r.kept); n == 0 || n > maxRemembered {
		t.Errorf("%d are kept", n)
	}
}
