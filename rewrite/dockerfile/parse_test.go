package dockerfile

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dhibot/rewrite/goldentest"
)

func mustParse(t testing.TB, s string) *File {
	t.Helper()
	f, err := Parse([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	checkFile(t, f)
	return f
}

// describe writes what a file refers to, one line each.
func describe(f *File) []string {
	var out []string
	for _, r := range f.References() {
		where := [...]string{"FROM", "COPY", "MOUNT"}[r.Kind]
		what := r.Resolved
		switch {
		case r.Parent != nil:
			what = fmt.Sprintf("stage %d", r.Parent.Index)
		case r.Scratch:
			what = "scratch"
		case r.Err != nil:
			what = "error"
		}
		if r.Err != nil && r.Parent != nil {
			what += " error"
		}
		out = append(out, fmt.Sprintf("%d %s %s = %s", f.Line(r.Word.Span.Start), where, f.Text(r.Word.Span), what))
	}
	return out
}

func TestNasty(t *testing.T) {
	t.Parallel()
	tests := map[string][]string{
		"01-arg-in-from": {"6 FROM node:${NODE_VERSION}-${VARIANT} = node:22.12.0-bookworm-slim", "11 FROM ${BASE} = python:3.12-slim-bookworm", "12 COPY web = stage 0"},
		"02-arg-default-expansion": {"4 FROM ${REGISTRY:-docker.io/library}/node:${TAG:-22-alpine} = docker.io/library/node:22-alpine",
			"6 FROM alpine:${FLAVOR%.*} = alpine:3.22", "8 FROM ${REGISTRY:+$REGISTRY/}nginx:1.30-alpine = nginx:1.30-alpine", "9 COPY build = stage 0"},
		"03-heredoc-run":              {"2 FROM debian:bookworm-slim = debian:bookworm-slim"},
		"04-heredoc-copy":             {"1 FROM node:22 = node:22"},
		"05-crlf":                     {"2 FROM python:3.12-slim = python:3.12-slim", "8 FROM python:3.12-slim = python:3.12-slim", "9 COPY build = stage 0"},
		"06-bom":                      {"1 FROM node:22-alpine = node:22-alpine"},
		"07-escape-backtick":          {"3 FROM mcr.microsoft.com/windows/servercore:ltsc2022 = mcr.microsoft.com/windows/servercore:ltsc2022", "8 FROM golang:1.26 = golang:1.26"},
		"08-comments-in-continuation": {"1 FROM ubuntu:22.04 = ubuntu:22.04"},
		"09-multiplatform": {"2 FROM tonistiigi/xx:1.5.0 = tonistiigi/xx:1.5.0", "3 FROM golang:1.26-alpine = golang:1.26-alpine", "4 COPY xx = stage 0",
			"10 FROM gcr.io/distroless/static-debian12:nonroot = gcr.io/distroless/static-debian12:nonroot", "11 COPY build = stage 1"},
		"11-onbuild": {"1 FROM node:22-alpine = node:22-alpine"},
		"13-alias-reuse": {"1 FROM golang:1.26 = golang:1.26", "3 FROM golang = stage 0", "5 FROM node:22 = node:22", "7 FROM node = stage 2",
			"9 FROM debian:12 = debian:12", "10 FROM debian = stage 4", "11 COPY golang = stage 0", "12 COPY node = stage 2", "13 COPY 1 = stage 1"},
		"14-copy-from-image": {"1 FROM python:3.12-slim = python:3.12-slim", "2 COPY ghcr.io/astral-sh/uv:0.4.30 = ghcr.io/astral-sh/uv:0.4.30",
			"3 COPY nginx:1.30 = nginx:1.30", "4 COPY composer:2 = composer:2", "5 COPY node:22 = node:22"},
		"15-run-mount":       {"2 FROM ubuntu:24.04 = ubuntu:24.04", "6 MOUNT golang:1.26 = golang:1.26", "10 FROM scratch = scratch", "11 COPY build = stage 0"},
		"16-directives":      {"7 FROM alpine:3.22 = alpine:3.22"},
		"17-final-stage-apt": {"1 FROM maven:3.9-eclipse-temurin-21 = maven:3.9-eclipse-temurin-21", "6 FROM eclipse-temurin:21-jre = eclipse-temurin:21-jre", "9 COPY build = stage 0"},
		"18-adduser":         {"1 FROM debian:bookworm = debian:bookworm"},
		"19-healthcheck":     {"1 FROM node:22-slim = node:22-slim"},
		"20-shell":           {"1 FROM python:3.12-bookworm = python:3.12-bookworm"},
		"21-expose-80":       {"1 FROM node:22 = node:22", "6 FROM nginx:1.30-alpine = nginx:1.30-alpine", "7 COPY build = stage 0"},
		"22-user-root-after": {"1 FROM node:22 = node:22"},
		"23-scratch":         {"1 FROM golang:1.26-bookworm = golang:1.26-bookworm", "6 FROM scratch = scratch", "7 COPY build = stage 0", "9 FROM scratch = scratch", "10 COPY rootfs = stage 1", "11 COPY build = stage 0"},
		"24-overlapping-args": {"5 FROM $BASE_IMAGE = debian:bookworm-slim", "7 FROM $BASE = node:22", "8 FROM ${RUNTIME} = python:3.12-slim",
			"11 FROM ${QUOTED} = golang:1.26", "13 FROM $BASE = node:22", "14 COPY one = stage 0"},
		"25-concatenated": {"2 FROM node:22 = node:22", "4 FROM nginx:1.30 = nginx:1.30", "5 COPY build = stage 0 error",
			"9 FROM python:${V}-slim = error", "11 FROM python:${V}-slim = error", "12 COPY build = stage 2"},
		"26-dup-stage-case": {"1 FROM node:22 = node:22", "3 FROM python:3.12 = python:3.12", "5 FROM Build = error", "7 FROM debian:12-slim = debian:12-slim",
			"8 COPY BUILD = stage 1", "9 COPY Build = stage 1"},
		"27-odd-from-layout": {"2 FROM node:22-bookworm = node:22-bookworm", "5 FROM python:3.12-slim = python:3.12-slim", "6 COPY Builder = stage 0",
			"7 FROM alpine:3.22 = alpine:3.22", "9 FROM busybox:1.37 = busybox:1.37"},
		"28-shell-control-flow": {"1 FROM debian:bookworm-slim = debian:bookworm-slim"},
		"29-apt-variants":       {"1 FROM debian:bookworm = debian:bookworm"},
		"30-exec-form":          {"1 FROM ubuntu:24.04 = ubuntu:24.04"},
		"31-no-final-newline":   {"4 FROM node:22-alpine = node:22-alpine"},
		"32-very-long-line":     {"2 line-too-long"},
		"33-hash-in-words":      {"1 FROM debian:bookworm-slim = debian:bookworm-slim"},
		"34-redirections":       {"1 FROM debian:bookworm-slim = debian:bookworm-slim"},
		"35-real-django":        {"2 FROM python:3.12-slim-bookworm = python:3.12-slim-bookworm", "6 FROM base = stage 0", "13 FROM base = stage 0", "16 COPY builder = stage 1"},
		"36-unicode-and-tabs":   {"2 FROM node:22-alpine = node:22-alpine", "8 FROM nginx:alpine = nginx:alpine", "9 COPY bau = stage 0"},
		"37-invalid-add-from":   {"2 syntax"},
		"38-invalid-stage-name": {"1 invalid-stage-name"},
		"39-named-context-and-target": {"3 FROM node:22-${DISTRO} = node:22-bookworm", "5 FROM deps = stage 0", "7 FROM node:22-${DISTRO}-slim = node:22-bookworm-slim",
			"8 COPY deps = stage 0", "9 COPY shared-assets = shared-assets", "13 FROM prod = stage 2"},
	}
	for name, content := range goldentest.Hard(t, "../..") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, err := Parse(content)
			var got []string
			var refused *Error
			switch {
			case errors.As(err, &refused):
				got = []string{fmt.Sprintf("%d %s", refused.Line, refused.Code)}
			case err != nil:
				t.Fatal(err)
			default:
				checkFile(t, f)
				got = describe(f)
			}
			want, listed := tests[name]
			if !listed { // one image per line, all of them as written
				for _, line := range got {
					_, rest, _ := strings.Cut(line, " FROM ")
					if ref, image, ok := strings.Cut(rest, " = "); ok && ref != image {
						t.Errorf("%s", line)
					}
				}
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBroken(t *testing.T) {
	t.Parallel()
	lines := map[string]int{"25-concatenated": 5, "26-dup-stage-case": 5}
	for name, content := range goldentest.Hard(t, "../..") {
		f, err := Parse(content)
		if err != nil {
			continue
		}
		got := 0
		if broken := f.Broken(); broken != nil {
			got = broken.Line
		}
		if got != lines[name] {
			t.Errorf("%s: broken at line %d, want %d", name, got, lines[name])
		}
	}
}

func TestTriggersAreNotBroken(t *testing.T) {
	t.Parallel()
	f := mustParse(t, "FROM a\nONBUILD COPY --from=7 /x /y\nONBUILD COPY --from=No /x /y\n")
	if broken := f.Broken(); broken != nil {
		t.Error(broken)
	}
	if n := len(f.References()); n != 3 || f.References()[1].Err == nil {
		t.Errorf("%v", describe(f))
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, in, code string
		line           int
	}{
		{"empty", "", CodeNoFrom, 0},
		{"only comments", "# a\n\n# b\n", CodeNoFrom, 0},
		{"only ARG", "ARG A=1\n", CodeNoFrom, 0},
		{"RUN before FROM", "ARG A\nRUN x\nFROM y\n", CodeNoFrom, 2},
		{"too large", "FROM a\n" + strings.Repeat("# x\n", MaxSize/4), CodeTooLarge, 0},
		{"line too long", "FROM a\nRUN " + strings.Repeat("x", MaxLine-3) + "\n", CodeLineTooLong, 2},
		{"binary", "FROM a\nRUN \x00\n", CodeBinary, 2},
		{"UTF-16", "F\x00R\x00O\x00M\x00", CodeBinary, 1},
		{"unknown", "FROM a\nNOTDOCKER hello\n", CodeSyntax, 2},
		{"one word of garbage", "hello\n", CodeSyntax, 1},
		{"CR only", "FROM a\rRUN b\r", CodeSyntax, 1},
		{"NBSP", "FROM\u00a0a\n", CodeSyntax, 1},
		{"FROM with a comment", "FROM a # b\n", CodeSyntax, 1},
		{"--platform with a space", "FROM --platform linux/amd64 a\n", CodeSyntax, 1},
		{"directive twice", "# escape=`\n# escape=`\nFROM a\n", CodeSyntax, 1},
		{"open heredoc", "FROM a\nRUN <<EOF\nx\n", CodeSyntax, 2},
		{"COPY without destination", "FROM a\nCOPY x\n", CodeSyntax, 2},
		{"stage name", "FROM a AS 1x\n", CodeStageName, 1},
		{"SHELL not JSON", "FROM a\nSHELL bash -c\n", CodeSyntax, 2},
		{"variable in a mount", "FROM a\nRUN --mount=from=$X,target=/x true\n", CodeSyntax, 2},
		{"ARG that cannot be expanded", "ARG A=${\nFROM a\n", CodeSyntax, 1},
		{"Jinja block", "{% if x %}\nFROM a\n{% endif %}\n", CodeTemplate, 1},
		{"Jinja FROM", "FROM {{ base }}:1\n", CodeTemplate, 1},
		{"Go template FROM", "FROM {{.Base}}\n", CodeTemplate, 1},
		{"template within RUN", "FROM a\nRUN x \\\n{{- if .Y }} \\\n y\n", CodeTemplate, 2},
		{"template in ENV", "FROM a\nENV V={{version}}\n", CodeTemplate, 2},
		{"placeholder", "FROM alpine:%%TAG%%\n", CodeTemplate, 1},
		{"option", "FROM alpine:3.20\nARG ZSH=\"${templateOption:zsh}\"\n", CodeTemplate, 2},
		{"m4", "include(`common.m4')\nFROM a\n", CodeTemplate, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f, err := Parse([]byte(tt.in))
			var e *Error
			if !errors.As(err, &e) || f != nil {
				t.Fatalf("error %v", err)
			}
			if e.Code != tt.code || e.Line != tt.line || e.Msg == "" {
				t.Errorf("%s at line %d (%s), want %s at %d", e.Code, e.Line, e.Msg, tt.code, tt.line)
			}
		})
	}
	for _, fine := range []string{
		"FROM a\nRUN docker inspect --format '{{json .}}' x\n",
		"ARG V=1%%2\nFROM a:${V%%2*}\n",
		"FROM a\nHEALTHCHECK CMD echo {{x}}\n",
		"FROM a\nCOPY <<E /x\n{{template}}\nE\n",
		"FROM a\nRUN " + strings.Repeat("x", MaxLine-4) + "\n",
	} {
		if _, err := Parse([]byte(fine)); err != nil {
			t.Errorf("%.60q: %v", fine, err)
		}
	}
}
