package dockerfile

import (
	"errors"
	"strings"
	"testing"
)

// target reads "repository:version-suffix" with the version up to the first dash.
func target(r *Reference, s string) Target {
	colon := strings.LastIndexByte(s, ':')
	version, suffix, _ := strings.Cut(s[colon+1:], "-")
	return Target{Ref: r, Repository: s[:colon], Version: version, Suffix: suffix}
}

func lines(s ...string) string { return strings.Join(s, "\n") + "\n" }

func TestRetarget(t *testing.T) {
	t.Parallel()
	const node, nodeRun = "dhi.io/node:22-debian13-dev", "dhi.io/node:22-debian13"
	tests := []struct {
		name   string
		in     string
		to     []string // per FROM; "" leaves it
		want   string
		errors int
	}{
		{"literal", "FROM node:22\n", []string{node}, "FROM dhi.io/node:22-debian13-dev\n", 0},
		{"digest goes", "FROM node:22@sha256:" + strings.Repeat("a", 64) + "\n", []string{node}, "FROM dhi.io/node:22-debian13-dev\n", 0},
		{"quoted literal", `FROM "node:22" AS x` + "\n", []string{node}, `FROM "dhi.io/node:22-debian13-dev" AS x` + "\n", 0},
		{"continued", "FROM no\\\nde:22 AS x\n", []string{node}, "FROM dhi.io/node:22-debian13-dev AS x\n", 0},
		{"whole", lines("ARG BASE=node:22", "FROM $BASE"), []string{node}, lines("ARG BASE=dhi.io/node:22-debian13-dev", "FROM $BASE"), 0},
		{"whole, quoted", lines(`ARG BASE="python:3.12-slim-bookworm"`, "FROM ${BASE} AS x"), []string{"dhi.io/python:3.12-debian13"},
			lines(`ARG BASE="dhi.io/python:3.12-debian13"`, "FROM ${BASE} AS x"), 0},
		{"whole, without tag", lines("ARG BASE=golang", "FROM ${BASE}"), []string{"dhi.io/golang:1.26-debian13-dev"},
			lines("ARG BASE=dhi.io/golang:1.26-debian13-dev", "FROM ${BASE}"), 0},
		{"whole, digest", lines("ARG BASE=node:22@sha256:"+strings.Repeat("b", 64), "FROM ${BASE}"), []string{node}, lines("ARG BASE="+node, "FROM ${BASE}"), 0},
		{"pairs on a line", lines("ARG A=1 RUNTIME='python:3.12-slim' B=2", "FROM ${RUNTIME}"), []string{"dhi.io/python:3.12-debian13"},
			lines("ARG A=1 RUNTIME='dhi.io/python:3.12-debian13' B=2", "FROM ${RUNTIME}"), 0},
		{"version and variant", lines("ARG V=22.12.0", "ARG VARIANT=bookworm-slim", "FROM node:${V}-${VARIANT}"), []string{node},
			lines("ARG V=22", "ARG VARIANT=debian13-dev", "FROM dhi.io/node:${V}-${VARIANT}"), 0},
		{"version stays", lines("ARG V=22", "FROM node:${V}-alpine"), []string{node}, lines("ARG V=22", "FROM dhi.io/node:${V}-debian13-dev"), 0},
		{"tag is the version", lines("ARG TAG=22", "FROM node:${TAG}"), []string{node}, lines("ARG TAG=22", "FROM dhi.io/node:${TAG}-debian13-dev"), 0},
		{"tag is all", lines("ARG TAG=22-alpine", "FROM node:$TAG"), []string{node}, lines("ARG TAG=22-debian13-dev", "FROM dhi.io/node:$TAG"), 0},
		{"repository", lines("ARG REPO=node", "FROM ${REPO}:22-slim"), []string{node}, lines("ARG REPO=dhi.io/node", "FROM ${REPO}:22-debian13-dev"), 0},
		{"registry", lines("ARG REGISTRY=docker.io", "FROM ${REGISTRY}/library/node:22"), []string{node},
			lines("ARG REGISTRY=dhi.io", "FROM ${REGISTRY}/node:22-debian13-dev"), 0},
		{"registry with slash", lines("ARG REGISTRY=docker.io/library/", "FROM ${REGISTRY}node:22"), []string{node},
			lines("ARG REGISTRY=dhi.io/", "FROM ${REGISTRY}node:22-debian13-dev"), 0},
		{"empty registry", lines("ARG REGISTRY", "FROM ${REGISTRY}node:22"), []string{node}, lines("ARG REGISTRY", "FROM ${REGISTRY}dhi.io/node:22-debian13-dev"), 0},
		{"namespace", lines("ARG REGISTRY=docker.io/library", "FROM ${REGISTRY}/node:22"), []string{"acme/dhi-node:22-debian13"},
			lines("ARG REGISTRY=acme", "FROM ${REGISTRY}/dhi-node:22-debian13"), 0},
		{"inline defaults", lines("ARG REGISTRY", "ARG TAG", "FROM ${REGISTRY:-docker.io/library}/node:${TAG:-22-alpine} AS build"), []string{node},
			lines("ARG REGISTRY", "ARG TAG", "FROM ${REGISTRY:-dhi.io}/node:${TAG:-22-debian13-dev} AS build"), 0},
		{"hook", lines("ARG REGISTRY", "FROM ${REGISTRY:+$REGISTRY/}nginx:1.30-alpine"), []string{"dhi.io/nginx:1.30-alpine3.22"},
			lines("ARG REGISTRY", "FROM ${REGISTRY:+$REGISTRY/}dhi.io/nginx:1.30-alpine3.22"), 0},
		{"pattern", lines("ARG FLAVOR=3.22.1", "FROM alpine:${FLAVOR%.*} AS t"), []string{"dhi.io/alpine-base:3.22-dev"},
			lines("ARG FLAVOR=3.22.1", "FROM dhi.io/alpine-base:${FLAVOR%.*}-dev AS t"), 0},
		{"pattern that would have to change", lines("ARG FLAVOR=3.19.1", "FROM alpine:${FLAVOR%.*}"), []string{"dhi.io/alpine-base:3.22-dev"}, "", 1},
		{"shared, both fit", lines("ARG DISTRO=bookworm", "FROM node:22-${DISTRO} AS deps", "FROM node:22-${DISTRO}-slim AS prod"), []string{node, nodeRun},
			lines("ARG DISTRO=debian13", "FROM dhi.io/node:22-${DISTRO}-dev AS deps", "FROM dhi.io/node:22-${DISTRO} AS prod"), 0},
		{"shared version", lines("ARG V=22.1", "FROM node:${V} AS a", "FROM node:${V}-slim"), []string{node, nodeRun},
			lines("ARG V=22", "FROM dhi.io/node:${V}-debian13-dev AS a", "FROM dhi.io/node:${V}-debian13"), 0},
		{"shared, conflict", lines("ARG BASE=node:22", "FROM $BASE AS a", "FROM $BASE"), []string{node, nodeRun}, "", 2},
		{"shared, same", lines("ARG BASE=node:22", "FROM $BASE AS a", "FROM $BASE"), []string{node, node}, lines("ARG BASE="+node, "FROM $BASE AS a", "FROM $BASE"), 0},
		{"shared with one left alone", lines("ARG V=22.1", "FROM node:${V} AS a", "FROM acme/node:${V}"), []string{node, ""}, "", 1},
		{"registry of others", lines("ARG R=docker.io", "FROM ${R}/library/node:22 AS a", "FROM ${R}/acme/x:1"), []string{node, ""}, "", 1},
		{"used in a stage", lines("ARG V=22.1", "FROM node:${V}", "ARG V", "RUN echo $V"), []string{node}, "", 1},
		{"used in a child stage", lines("ARG V=22.1", "FROM node:${V} AS a", "ARG V", "FROM a", "ENV NODE=${V}"), []string{node, ""}, "", 1},
		{"unchanged and used", lines("ARG V=22", "FROM node:${V}", "ARG V", "RUN echo $V"), []string{node},
			lines("ARG V=22", "FROM dhi.io/node:${V}-debian13-dev", "ARG V", "RUN echo $V"), 0},
		{"own value in the stage", lines("ARG V=22.1", "FROM node:${V}", "ARG V=x", "RUN echo $V"), []string{node},
			lines("ARG V=22", "FROM dhi.io/node:${V}-debian13-dev", "ARG V=x", "RUN echo $V"), 0},
		{"nested", lines("ARG V=22.1", "ARG BASE=node:${V}-alpine", "FROM ${BASE}"), []string{node},
			lines("ARG V=22", "ARG BASE=dhi.io/node:${V}-debian13-dev", "FROM ${BASE}"), 0},
		{"nested with a prefix", lines("ARG BASE=node:22", "FROM docker.io/library/${BASE}-alpine"), []string{node},
			lines("ARG BASE=node:22", "FROM dhi.io/${BASE}-debian13-dev"), 0},
		{"major and minor", lines("ARG MAJOR=3", "ARG MINOR=11", "FROM python:${MAJOR}.${MINOR}-slim"), []string{"dhi.io/python:3.12-debian13"},
			lines("ARG MAJOR=3", "ARG MINOR=12", "FROM dhi.io/python:${MAJOR}.${MINOR}-debian13"), 0},
		{"number of alpine", lines("ARG ALPINE=3.20", "FROM golang:1.26-alpine${ALPINE}"), []string{"dhi.io/golang:1.26-alpine3.22-dev"},
			lines("ARG ALPINE=3.22", "FROM dhi.io/golang:1.26-alpine${ALPINE}-dev"), 0},
		{"suffix with its dash", lines("ARG SUFFIX=-alpine", "FROM node:22${SUFFIX}"), []string{node}, lines("ARG SUFFIX=-debian13-dev", "FROM dhi.io/node:22${SUFFIX}"), 0},
		{"no place", lines("ARG A=alpine", "FROM node:22-${A}"), []string{"dhi.io/node:22"}, "", 1},
		{"digest in a variable", lines("ARG D=sha256:"+strings.Repeat("c", 64), "FROM node:22@${D}"), []string{node}, "", 1},
		{"no default", lines("ARG BASE", "FROM ${BASE}"), []string{node}, "", 1},
		{"platform", lines("FROM node:22-${TARGETARCH}"), []string{node}, "", 1},
		{"names that begin alike", lines("ARG BASE=node:22", "ARG BASE_IMAGE=debian:12", "FROM $BASE_IMAGE AS a", "FROM $BASE"),
			[]string{"dhi.io/debian-base:12-debian12-dev", node},
			lines("ARG BASE=dhi.io/node:22-debian13-dev", "ARG BASE_IMAGE=dhi.io/debian-base:12-debian12-dev", "FROM $BASE_IMAGE AS a", "FROM $BASE"), 0},
		{"CRLF", "ARG BASE=node:22\r\nFROM $BASE\r\n", []string{node}, "ARG BASE=dhi.io/node:22-debian13-dev\r\nFROM $BASE\r\n", 0},
		{"platform flag uses it", lines("ARG P=linux/amd64", "ARG V=22.1", "FROM --platform=$P node:$V"), []string{node},
			lines("ARG P=linux/amd64", "ARG V=22", "FROM --platform=$P dhi.io/node:$V-debian13-dev"), 0},
		{"image and tag", lines("ARG IMAGE=node", "ARG TAG=22-slim", "FROM ${IMAGE}:${TAG}"), []string{node},
			lines("ARG IMAGE=dhi.io/node", "ARG TAG=22-debian13-dev", "FROM ${IMAGE}:${TAG}"), 0},
		{"two versions in a tag", lines("ARG MAVEN=3.9", "ARG JAVA=17", "FROM maven:${MAVEN}-eclipse-temurin-${JAVA} AS b"), []string{"dhi.io/maven:3.9-jdk21-debian13-dev"},
			lines("ARG MAVEN=3.9", "ARG JAVA=21", "FROM dhi.io/maven:${MAVEN}-jdk${JAVA}-debian13-dev AS b"), 0},
		{"release at the end", lines("ARG V=3.12", "ARG OS=bookworm", "FROM python:${V}-slim-${OS}"), []string{"dhi.io/python:3.12-debian13-dev"},
			lines("ARG V=3.12", "ARG OS=debian13", "FROM dhi.io/python:${V}-${OS}-dev"), 0},
		{"digest behind a variable", lines("ARG V=22", "FROM node:${V}@sha256:"+strings.Repeat("d", 64)), []string{node}, lines("ARG V=22", "FROM dhi.io/node:${V}-debian13-dev"), 0},
		{"a registry with a port", lines("ARG R=docker.io", "FROM ${R}/library/node:22"), []string{"localhost:5000/acme/dhi-node:22-debian13"},
			lines("ARG R=localhost:5000/acme", "FROM ${R}/dhi-node:22-debian13"), 0},
		{"there already", lines("ARG V=22", "FROM dhi.io/node:${V}-debian13"), []string{nodeRun}, lines("ARG V=22", "FROM dhi.io/node:${V}-debian13"), 0},
		{"two declarations", lines("ARG V=20", "ARG V=22.1", "FROM node:$V"), []string{node}, lines("ARG V=20", "ARG V=22", "FROM dhi.io/node:$V-debian13-dev"), 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f, err := Parse([]byte(tt.in))
			if err != nil {
				t.Fatal(err)
			}
			var targets []Target
			for i, s := range f.Stages {
				if tt.to[i] != "" {
					targets = append(targets, target(s.Base, tt.to[i]))
				}
			}
			got := f.Retarget(targets)
			if errs := errorsOf(got); len(errs) != tt.errors {
				t.Fatalf("%d errors, want %d: %v", len(errs), tt.errors, errs)
			}
			out := applied(t, f, got)
			want := tt.want
			if tt.errors > 0 {
				want = tt.in
			}
			if string(out) != want {
				t.Errorf("got\n%s\nwant\n%s", out, want)
			}
		})
	}
}

func errorsOf(r Retargeted) []error {
	var errs []error
	for _, m := range r.Moves {
		if m.Err != nil {
			errs = append(errs, m.Err)
		}
	}
	return errs
}

func applied(t testing.TB, f *File, r Retargeted) []byte {
	t.Helper()
	var all []Edit
	for _, m := range r.Moves {
		all = append(all, m.Edits...)
	}
	out, err := f.Apply(all)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Verify(out, all); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestRetargetErrors(t *testing.T) {
	t.Parallel()
	parse := func(s string) *File {
		f, err := Parse([]byte(s))
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	f := parse("ARG BASE=node:22\nFROM $BASE AS a\nFROM $BASE\n")
	got := f.Retarget([]Target{target(f.Stages[0].Base, "dhi.io/node:22-debian13-dev"), target(f.Stages[1].Base, "dhi.io/node:22-debian13")})
	var shared *SharedArgError
	if !errors.As(got.Moves[0].Err, &shared) || shared.Name != "BASE" || len(shared.Refs) != 2 {
		t.Errorf("shared: %v", errorsOf(got))
	}
	f = parse("ARG V=22.1\nFROM node:$V\nARG V\nLABEL v=$V\n")
	got = f.Retarget([]Target{target(f.Stages[0].Base, "dhi.io/node:22-debian13")})
	var used *ArgUsedElsewhereError
	if !errors.As(got.Moves[0].Err, &used) || used.Name != "V" || used.At.Lines[0] != 4 {
		t.Errorf("used elsewhere: %v", errorsOf(got))
	}
	f = parse("ARG V=22.1\nFROM node:$V\n")
	got = f.Retarget([]Target{target(f.Stages[0].Base, "dhi.io/node:22-debian13")})
	if len(got.Args) != 1 || got.Args[0].Before != "22.1" || got.Args[0].After != "22" || got.Args[0].Name != "V" || got.Args[0].Arg.Lines[0] != 1 {
		t.Errorf("change: %+v", got.Args)
	}
}
