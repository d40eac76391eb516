package project

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"
)

// spans checks that every span is inside of the text and holds the port.
func checkListens(t *testing.T, text string, ls []Listen) {
	t.Helper()
	for _, l := range ls {
		if l.Span.Start < 0 || l.Span.End < l.Span.Start || l.Span.End > len(text) {
			t.Fatalf("span %v of %d bytes", l.Span, len(text))
		}
		if s := text[l.Span.Start:l.Span.End]; s != "" && (!digits(s) || l.Port == 0 || number(s) != l.Port) {
			t.Fatalf("the span of port %d holds %q", l.Port, s)
		}
		if l.Line < 1 || l.Line > strings.Count(text, "\n")+1 {
			t.Fatalf("line %d", l.Line)
		}
	}
}

func FuzzServers(f *testing.F) {
	for _, s := range []string{
		"server { listen 80; listen [::]:80; }", "http { server { } }", "x '", "listen ${A}:80;", "Listen 80\n<VirtualHost *:80>\nServerName a:80", ":80 {\n}", "{\nhttp_port 80\n}\na, b:1 {", "a\\", "${",
		"server { listen \"80\"; }", "a:80 a:80 {",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		checkListens(t, text, ParseNginx(text).Listens)
		checkListens(t, text, ParseHttpd(text).Listens)
		c := ParseCaddyfile(text)
		checkListens(t, text, c.Sites)
		for _, l := range []*Listen{c.HTTPPort, c.HTTPSPort} {
			if l != nil {
				checkListens(t, text, []Listen{*l})
			}
		}
		ReadScript("x.sh", text)
	})
}

// FuzzRepository puts any text into every file that is read.
func FuzzRepository(f *testing.F) {
	files := []string{
		"package.json", "package-lock.json", "requirements.txt", "pyproject.toml", "Pipfile", "setup.py", "setup.cfg", "go.mod", "main.go", "pom.xml", "build.gradle",
		"settings.gradle", "a.csproj", "Gemfile", "Gemfile.lock", "composer.json", "composer.lock", "Cargo.toml", "rust-toolchain", ".tool-versions", ".nvmrc",
		".github/workflows/a.yml", "compose.yaml", ".gitlab-ci.yml", "docker-bake.hcl", "docker-bake.json", "Makefile", "skaffold.yaml", "cloudbuild.yaml", "k8s/a.yaml", "helm/templates/b.yaml",
	}
	for _, a := range []string{deployment, nodePackage} {
		for _, file := range txtar.Parse([]byte(a)).Files {
			f.Add(string(file.Data))
		}
	}
	for _, s := range []string{
		"{\"scripts\":{\"start\":\"npm run start\"}}", "[project]\ndependencies=[\"a\"]", "module x\ngo 1.2", "<project><properties><a>${a}</a></properties></project>",
		"<Project Sdk=\"x\"><TargetFramework>net8.0</TargetFramework></Project>", "GEM\n    a (1)", "a: &a\n  <<: *a\n", "install_requires=['x']", "{{- if }}\n containerPort: 80",
		"target \"a\" {\n inherits = [\"a\"]\n}", "services: {a: {build: {context: ., args: {A: 1}}, ports: [\"1-70000:1-70000\"]}}",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		fsys := fstest.MapFS{"Dockerfile": {}, "src/main.rs": {}}
		for _, n := range files {
			fsys[n] = &fstest.MapFile{Data: []byte(text)}
		}
		p := Open(fsys, "sub/Dockerfile", []string{"a", "*.txt"})
		if n := p.Node("."); n != nil {
			for s := range n.Scripts {
				if r, reason := n.Start(s); (reason == "") != (len(r.Argv) > 0) {
					t.Fatalf("script %q: %q and %q", s, r.Argv, reason)
				}
			}
			n.Native()
			n.Version()
		}
		if y := p.Python("."); y != nil {
			y.Needs()
			y.Version()
		}
		if g := p.Go("."); g != nil {
			g.Cgo()
			g.RuntimeFiles()
		}
		p.Java(".")
		p.GradleModules(".")
		p.Dotnet("a.csproj")
		if r := p.Ruby("."); r != nil {
			r.Needs("gnu")
		}
		p.PHP(".")
		p.Rust(".")
		for _, b := range p.repo.builds {
			if !fs.ValidPath(b.Dockerfile) || !fs.ValidPath(b.Context) {
				t.Fatalf("build of %q in %q", b.Dockerfile, b.Context)
			}
		}
		p.Builds()
		p.Kube()
	})
}
