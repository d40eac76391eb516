package project

import (
	"fmt"
	"strings"
	"testing"
)

const deployment = `
-- services/api/Dockerfile --
FROM node
-- compose.yaml --
x-common: &common
  restart: always
services:
  api:
    <<: *common
    image: acme/api:${TAG:-dev}
    build:
      context: .
      dockerfile: services/api/Dockerfile
      target: prod
      args:
        NODE_VERSION: "22"
    ports:
      - "8080:80"
      - target: 9090
        published: 9091
      - 3000-3001:3000-3001
    volumes:
      - data:/data
      - ./conf:/etc/app:ro
    user: "1000:1000"
    command: ["npm", "start"]
    healthcheck:
      test: ["CMD-SHELL", "curl -f http://localhost || exit 1"]
    environment:
      - JAVA_OPTS=-Xmx1g
  db:
    image: postgres
-- deploy/compose.yml --
services:
  api:
    build:
      context: ${CTX:-../services/api}
-- .github/workflows/ci.yml --
on: push
jobs:
  build:
    strategy:
      matrix:
        include:
          - image: api
            file: services/api/Dockerfile
          - image: web
            file: services/web/Dockerfile
    steps:
      - uses: docker/login-action@v3
        with:
          registry: ghcr.io
      - uses: docker/build-push-action@v6
        with:
          context: .
          file: ${{ matrix.file }}
          build-args: |
            A=1
            B=2
          tags: ghcr.io/acme/${{ matrix.image }}:latest
      - run: |
          echo start
          cd services && docker build -t api:${{ github.sha }} \
            --target dev api
      - uses: docker/build-push-action@v6
        with:
          file: services/other/Dockerfile
-- .gitlab-ci.yml --
image:
  script:
    - docker login -u $U -p $P registry.example
    - docker buildx build -f services/api/Dockerfile --build-arg V=1 .
-- Makefile --
IMG ?= x
build-api: deps
	@docker build \
	  --target prod -t $(REG)/api:$(TAG) \
	  -f services/api/Dockerfile .
-- docker-bake.hcl --
variable "TAG" { default = "x" }
group "default" { targets = ["api"] }
target "_base" {
  context = "."
  args = {
    "V" = "1"
  }
}
target "api" {
  inherits = ["_base"]
  dockerfile = "services/api/Dockerfile"
  target = "prod"
  tags = [
    "docker.io/acme/api:${TAG}",
  ]
}
-- skaffold.yaml --
build:
  artifacts:
    - image: acme/api
      context: services/api
-- cloudbuild.yaml --
steps:
  - name: gcr.io/cloud-builders/docker
    args: [build, -t, gcr.io/x/api, -f, services/api/Dockerfile, .]
-- k8s/api.yaml --
apiVersion: apps/v1
kind: Deployment
spec:
  template:
    spec:
      securityContext:
        runAsNonRoot: true
      imagePullSecrets:
        - name: ghcr
      containers:
        - name: api
          image: ghcr.io/acme/api:1.0
          ports:
            - containerPort: 80
          volumeMounts:
            - mountPath: /data
              name: data
          livenessProbe:
            exec:
              command: [sh, -c, "true"]
        - name: side
          image: envoy:1
          ports:
            - containerPort: 81
---
kind: Service
spec:
  ports:
    - port: 80
      targetPort: 80
-- chart/templates/deploy.yaml --
spec:
  containers:
    - name: {{ .Chart.Name }}
      image: "{{ .Values.image.repository }}:{{ .Values.tag }}"
      ports:
        - containerPort: 80
`

func TestBuilds(t *testing.T) {
	t.Parallel()
	p := Open(tree(deployment), "services/api/Dockerfile", nil)
	got := join(p.Builds(), func(b Build) string {
		s := fmt.Sprintf("%s %s %s ctx=%s", b.Evidence, b.Kind, b.Name, b.Context)
		if b.Target != "" {
			s += " target=" + b.Target
		}
		for _, a := range b.Args {
			s += " " + a.Name + "=" + a.Value
		}
		if len(b.Images) > 0 {
			s += " " + strings.Join(b.Images, ",")
		}
		if len(b.Logins) > 0 {
			s += " login=" + strings.Join(b.Logins, ",")
		}
		return s
	})
	want := strings.Join([]string{
		".github/workflows/ci.yml:15 workflow build ctx=. A=1 B=2 ghcr.io/acme/api login=ghcr.io",
		".github/workflows/ci.yml:25 workflow build ctx=services/api target=dev api login=ghcr.io",
		".gitlab-ci.yml:4 ci  ctx=. V=1 login=registry.example",
		"Makefile:3 make build-api ctx=. target=prod $EXPR/api",
		"cloudbuild.yaml:2 ci  ctx=. gcr.io/x/api",
		"compose.yaml:10 compose api ctx=. target=prod NODE_VERSION=22 acme/api",
		"deploy/compose.yml:3 compose api ctx=services/api",
		"docker-bake.hcl:9 bake api ctx=. target=prod V=1 docker.io/acme/api",
		"skaffold.yaml:3 skaffold acme/api ctx=services/api acme/api",
	}, " | ")
	equal(t, "builds", strings.ReplaceAll(got, " | ", "\n"), strings.ReplaceAll(want, " | ", "\n"))
}

func TestComposeService(t *testing.T) {
	t.Parallel()
	p := Open(tree(deployment), "services/api/Dockerfile", nil)
	var sv *Service
	for _, b := range p.Builds() {
		if b.Evidence.Path == "compose.yaml" {
			sv = b.Service
		}
	}
	if sv == nil {
		t.Fatal("no service")
	}
	equal(t, "ports", join(sv.Ports, func(p Port) string { return fmt.Sprintf("%d:%d@%d", p.Host, p.Container, p.At.Line) }), "8080:80@14 | 9091:9090@15 | 0:3000@17 | 0:3001@17")
	equal(t, "volumes", join(sv.Volumes, func(m Mount) string { return fmt.Sprintf("%s>%s@%d", m.Source, m.Target, m.At.Line) }), "data>/data@19 | ./conf>/etc/app@20")
	for what, s := range map[string]*Setting{"1000:1000@21": sv.User, "npm start@22": sv.Command, "CMD-SHELL curl -f http://localhost || exit 1@24": sv.Healthcheck} {
		if s == nil || fmt.Sprintf("%s@%d", s.Value, s.At.Line) != what {
			t.Errorf("got %+v, want %s", s, what)
		}
	}
	equal(t, "environment", join(sv.Environment, func(s Setting) string { return s.Name + "=" + s.Value }), "JAVA_OPTS=-Xmx1g")
}

func TestKube(t *testing.T) {
	t.Parallel()
	p := Open(tree(deployment), "services/api/Dockerfile", nil)
	got := join(p.Kube(), func(u KubeUse) string { return fmt.Sprintf("%s %s %s", u.At, u.What, u.Value) })
	equal(t, "uses", strings.ReplaceAll(got, " | ", "\n"), strings.Join([]string{
		"chart/templates/deploy.yaml:6 container-port 80",
		"k8s/api.yaml:7 run-as-non-root true",
		"k8s/api.yaml:9 pull-secret ghcr",
		"k8s/api.yaml:14 container-port 80",
		"k8s/api.yaml:16 mount /data",
		"k8s/api.yaml:20 exec-probe sh -c true",
		"k8s/api.yaml:30 target-port 80",
	}, "\n"))
}

func TestContext(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, archive, file string
		sources             []string
		dir                 string
		known               bool
		why                 string
	}{
		{"root", "-- Dockerfile --\n-- a --\n", "Dockerfile", []string{"a"}, ".", true, "at the root"},
		{"only in the own directory", "-- web/Dockerfile --\n-- web/package.json --\n", "web/Dockerfile", []string{"package.json", "."}, "web", true, "only in web"},
		{"only at the root", "-- docker/Dockerfile --\n-- package.json --\n-- docker/run.sh --\n", "docker/Dockerfile", []string{"package*.json", "docker/run.sh"}, ".", true, "only in the root"},
		{"in both, compose decides", "-- api/Dockerfile --\n-- api/go.mod --\n-- go.mod --\n-- compose.yml --\nservices: {a: {build: {context: ., dockerfile: api/Dockerfile}}}\n", "api/Dockerfile", []string{"go.mod"}, ".", true, "compose.yml builds it from the root"},
		{"in both, nobody decides", "-- api/Dockerfile --\n-- api/go.mod --\n-- go.mod --\n", "api/Dockerfile", []string{"go.mod"}, "api", true, "directory of the Dockerfile"},
		{"nothing to go by", "-- api/Dockerfile --\n", "api/Dockerfile", []string{"."}, "api", false, "directory of the Dockerfile"},
		{"nowhere", "-- api/Dockerfile --\n", "api/Dockerfile", []string{"missing"}, "api", false, "directory of the Dockerfile"},
		{"builds disagree", "-- api/Dockerfile --\n-- compose.yml --\nservices: {a: {build: {context: ., dockerfile: api/Dockerfile}}, b: {build: api}}\n", "api/Dockerfile", []string{"."}, "api", false, "directory of the Dockerfile"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir, why, known := Open(tree(tt.archive), tt.file, tt.sources).Context()
			if dir != tt.dir || known != tt.known || !strings.Contains(why, tt.why) {
				t.Errorf("Context() = %q %q %v, want %q %q %v", dir, why, known, tt.dir, tt.why, tt.known)
			}
		})
	}
}
