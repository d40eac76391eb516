package project

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func deps(m map[string]Evidence) string {
	return join(slices.Sorted(maps.Keys(m)), func(k string) string { return fmt.Sprintf("%s@%s:%d", k, m[k].Path, m[k].Line) })
}

func TestPython(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, archive, tool, deps, version, needs string }{
		{"requirements", `-- requirements.txt --
# comment
Flask==3.0
gunicorn[gevent]>=20 # trailing
-r base/extra.txt
psycopg2 ; python_version > "3"
git+https://github.com/a/b#egg=My_Pkg
--index-url https://x
./local
-- base/extra.txt --
uvicorn
-- requirements-dev.txt --
pytest
-- .python-version --
3.12.4
`, "pip", "flask@requirements.txt:2 | gunicorn@requirements.txt:3 | my-pkg@requirements.txt:6 | psycopg2@requirements.txt:5 | uvicorn@base/extra.txt:1", "3.12.4 .python-version:1", "psycopg2 [libpq-dev] [libpq5] true"},
		{"pep 621 with uv", `-- pyproject.toml --
[project]
name = "x"
requires-python = ">=3.11"
dependencies = [
  "fastapi[standard]>=0.1",
  "mysqlclient~=2.2",
]
[project.scripts]
serve = "x:main"
[tool.uv]
dev-dependencies = ["pytest"]
`, "uv", "fastapi@pyproject.toml:5 | mysqlclient@pyproject.toml:6", ">=3.11 pyproject.toml:3", "mysqlclient [libmariadb-dev pkg-config] [libmariadb3] true"},
		{"poetry", `-- pyproject.toml --
[tool.poetry]
name = "x"
[tool.poetry.dependencies]
python = "^3.10"
Django = "^5"
celery = {version = "5", extras = ["redis"]}
optional = {version = "1", optional = true}
[tool.poetry.group.dev.dependencies]
pytest = "*"
[build-system]
build-backend = "poetry.core.masonry.api"
`, "poetry", "celery@pyproject.toml:6 | django@pyproject.toml:5", "^3.10 pyproject.toml:4", ""},
		{"pipfile", "-- Pipfile --\n[packages]\nflask = \"*\"\n[dev-packages]\npytest = \"*\"\n[requires]\npython_version = \"3.11\"\n", "pipenv", "flask@Pipfile:2", "3.11 Pipfile:6", ""},
		{"setup.py", "-- setup.py --\nsetup(\n install_requires=[\n  'requests>=2',\n  \"pyodbc\",\n ],\n)\n", "", "pyodbc@setup.py:4 | requests@setup.py:3", " :0", "pyodbc [unixodbc-dev] [unixodbc] false"},
		{"setup.cfg", "-- setup.cfg --\n[options]\ninstall_requires =\n    requests>=2\n    flask\n[x]\ny=1\n", "", "flask@setup.cfg:4 | requests@setup.cfg:3", " :0", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			y := Open(tree(tt.archive), "Dockerfile", nil).Python(".")
			if y == nil {
				t.Fatal("no project")
			}
			equal(t, "tool", y.Tool, tt.tool)
			equal(t, "deps", deps(y.Deps), tt.deps)
			v, at, _ := y.Version()
			equal(t, "version", fmt.Sprint(v, " ", at), tt.version)
			equal(t, "needs", join(y.Needs(), func(n Need) string { return fmt.Sprint(n.Package, " ", n.Build, " ", n.Libraries, " ", n.Compiles) }), tt.needs)
		})
	}
	if Open(tree("-- x --\n"), "Dockerfile", nil).Python(".") != nil {
		t.Error("a project without files")
	}
	y := Open(tree("-- requirements.txt --\ndjango\nfastapi\n-- pyproject.toml --\n[project.scripts]\nown=\"a:b\"\n"), "Dockerfile", nil).Python(".")
	for name, want := range map[string]bool{"django-admin": true, "uvicorn": true, "own": true, "celery": false, "django": false} {
		if _, _, ok := y.Console(name); ok != want {
			t.Errorf("Console(%s) = %v", name, ok)
		}
	}
	for spec, want := range map[string]int{"psycopg[binary,pool]>=3": 0, "psycopg[pool]": 1, "psycopg\npsycopg-binary": 0} {
		if got := len(Open(tree("-- requirements.txt --\n"+spec+"\n"), "Dockerfile", nil).Python(".").Needs()); got != want {
			t.Errorf("%s needs %d, want %d", spec, got, want)
		}
	}
	if y := Open(tree("-- pyproject.toml --\n[broken\n-- requirements.txt --\nx\n"), "Dockerfile", nil).Python("."); !y.Incomplete {
		t.Error("a broken file is not noticed")
	}
}

func TestGo(t *testing.T) {
	t.Parallel()
	p := Open(tree(`
-- Dockerfile --
-- go.mod --
module example.com/x

go 1.24.0

toolchain go1.25.1

require (
	github.com/mattn/go-sqlite3 v1.14.0
	github.com/spf13/cobra v1.0.0
)
-- main.go --
package main

import (
	"embed"
	"html/template"
)

//go:embed web
var web embed.FS

func main() {
	template.ParseGlob("templates/*.html")
	open("config/app.yaml")
	open("./static/")
	open("missing.txt")
	open("internal")
	print("README")
	open("/etc/x", "..", "https://a/config")
}
-- main_test.go --
package main
var x = "only-in-test.txt"
-- only-in-test.txt --
-- cmd/tool/main.go --
// a comment first
package main
import "example.com/x/internal/lib"
-- internal/lib/lib.go --
package lib
var x = "locale"
-- locale/de/x.mo --
-- cmd/gen/gen.go --
//go:build ignore

package main
-- internal/a.go --
package internal
import "C"
-- templates/a.html --
-- config/app.yaml --
-- static/x.css --
-- web/index.html --
-- README --
-- vendor/x/x.go --
package main
`), "Dockerfile", nil)
	g := p.Go(".")
	if g == nil {
		t.Fatal("no module")
	}
	equal(t, "versions", fmt.Sprint(g.Module, " ", g.Version, " ", g.VersionAt, " ", g.Toolchain, " ", g.ToolchainAt), "example.com/x 1.24.0 go.mod:3 1.25.1 go.mod:5")
	mains, complete := g.Mains()
	equal(t, "mains", fmt.Sprint(mains, complete), "[. cmd/tool] true")
	signs, _ := g.Cgo()
	equal(t, "cgo", join(signs, func(c Cgo) string { return fmt.Sprint(c.What, " ", c.At) }), `github.com/mattn/go-sqlite3 go.mod:8 | import "C" internal/a.go:2`)
	files, complete := g.RuntimeFiles()
	equal(t, "files", fmt.Sprint(join(files, func(f RuntimeFile) string { return fmt.Sprint(f.Name, " ", f.Dir, " ", f.At) }), " ", complete),
		"config/app.yaml false main.go:13 | locale true internal/lib/lib.go:2 | static true main.go:14 | templates true main.go:12 true")
	files, _ = g.RuntimeFiles("cmd/tool")
	equal(t, "files of another program", fmt.Sprint(files), "[{locale true internal/lib/lib.go:2}]")
	signs, _ = g.Cgo("cmd/tool")
	equal(t, "cgo of another program", fmt.Sprint(len(signs)), "1")
	equal(t, "embeds", fmt.Sprint(g.Embeds()), "[main.go:8]")

	sub := Open(tree("-- api/Dockerfile --\n-- api/go.mod --\nmodule y\n-- api/tpl/a.txt --\n-- api/cmd/a.go --\npackage main\nvar x = \"tpl\"\n"), "api/Dockerfile", []string{"go.mod"}).Go("cmd")
	mains, _ = sub.Mains()
	files, _ = sub.RuntimeFiles()
	equal(t, "below a context", fmt.Sprint(sub.File, mains, files), "api/go.mod[cmd] [{tpl true api/cmd/a.go:2}]")
	if Open(tree("-- go.mod --\nbroken {\n"), "Dockerfile", nil).Go(".") != nil {
		t.Error("a broken go.mod is read")
	}
}

func TestJava(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, archive, want string }{
		{"spring boot", `-- pom.xml --
<project>
  <parent><groupId>g</groupId><artifactId>spring-boot-starter-parent</artifactId><version>3.3.0</version></parent>
  <artifactId>shop</artifactId>
  <version>1.2.0</version>
  <properties>
    <java.version>21</java.version>
  </properties>
  <build><plugins><plugin><artifactId>spring-boot-maven-plugin</artifactId></plugin></plugins></build>
</project>
-- mvnw --
`, "maven 21@pom.xml:6 jar shop-1.2.0.jar boot wrapper"},
		{"final name and war", `-- pom.xml --
<project><artifactId>shop</artifactId><packaging>war</packaging><properties><v>1.8</v><maven.compiler.source>${v}</maven.compiler.source></properties>
<build><finalName>ROOT</finalName></build></project>
`, "maven 8@pom.xml:1 war ROOT.war"},
		{"computed name", "-- pom.xml --\n<project><artifactId>a</artifactId><version>${revision}</version></project>\n", "maven @:0 jar "},
		{"gradle", "-- build.gradle --\nplugins {\n  id 'org.springframework.boot' version '3'\n}\njava { toolchain { languageVersion = JavaLanguageVersion.of(17) } }\nbootJar { archiveFileName = 'app.jar' }\n", "gradle 17@build.gradle:4 jar app.jar boot"},
		{"gradle kotlin", "-- build.gradle.kts --\nplugins { war }\nkotlin { jvmToolchain(21) }\n-- gradlew --\n", "gradle 21@build.gradle.kts:2 jar  wrapper"},
		{"old gradle", "-- build.gradle --\napply plugin: 'java'\nsourceCompatibility = '1.8'\n", "gradle 8@build.gradle:2 jar "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			j := Open(tree(tt.archive), "Dockerfile", nil).Java(".")
			if j == nil {
				t.Fatal("no project")
			}
			got := fmt.Sprintf("%s %s@%s %s %s", j.Tool, j.Version, j.VersionAt, j.Packaging, j.Artifact)
			if j.SpringBoot {
				got += " boot"
			}
			if j.Wrapper {
				got += " wrapper"
			}
			equal(t, "project", got, tt.want)
		})
	}
	p := Open(tree("-- settings.gradle --\ninclude 'app', ':lib:core'\n"), "Dockerfile", nil)
	equal(t, "modules", fmt.Sprint(p.GradleModules(".")), "[app lib/core]")
}

func TestDotnet(t *testing.T) {
	t.Parallel()
	p := Open(tree(`-- src/Shop.Api/Shop.Api.csproj --
<Project Sdk="Microsoft.NET.Sdk.Web">
  <PropertyGroup>
    <TargetFramework>net8.0</TargetFramework>
    <InvariantGlobalization>true</InvariantGlobalization>
  </PropertyGroup>
  <ItemGroup><PackageReference Include="SkiaSharp" Version="2" /></ItemGroup>
</Project>
-- src/Worker.csproj --
<Project Sdk="Microsoft.NET.Sdk.Worker"><PropertyGroup><TargetFrameworks>net9.0;net8.0</TargetFrameworks><AssemblyName>worker</AssemblyName></PropertyGroup></Project>
-- src/Broken.csproj --
not xml
`), "Dockerfile", nil)
	equal(t, "projects", fmt.Sprint(p.DotnetProjects("src")), "[src/Broken.csproj src/Shop.Api/Shop.Api.csproj src/Worker.csproj]")
	d := p.Dotnet("src/Shop.Api/Shop.Api.csproj")
	equal(t, "web", fmt.Sprint(d.Web, d.Version(), d.FrameworksAt, d.Assembly, d.Invariant, deps(d.Packages)), "true8.0src/Shop.Api/Shop.Api.csproj:3Shop.ApitrueSkiaSharp@src/Shop.Api/Shop.Api.csproj:6")
	w := p.Dotnet("src/Worker.csproj")
	equal(t, "worker", fmt.Sprint(w.Web, w.Version(), w.Assembly), "false9.0worker")
	if p.Dotnet("src/Broken.csproj") != nil {
		t.Error("a broken project is read")
	}
}

func TestRubyPHPRust(t *testing.T) {
	t.Parallel()
	p := Open(tree(`-- Gemfile --
ruby "3.3.1"
gem "rails", "~> 8"
-- Gemfile.lock --
GEM
  specs:
    pg (1.5)
      x (1)
    rails (8.0.0)
    sqlite3 (2.1.0-aarch64-linux-gnu)
    sqlite3 (2.1.0-x86_64-linux-gnu)
    mysql2 (0.5.6)
    mysql2 (0.5.6-x86_64-linux)
-- .ruby-version --
ruby-3.4.2
-- composer.json --
{
  "require": {
    "php": ">=8.2",
    "ext-pdo_mysql": "*",
    "laravel/framework": "^11"
  }
}
-- composer.lock --
{"packages": [
 {"name": "a/b",
  "require": {"ext-gd": "*", "ext-pdo_mysql": "*"}}
], "packages-dev": [{"name": "c/d", "require": {"ext-xdebug": "*"}}]}
-- Cargo.toml --
[package]
name = "srv"
edition = "2024"
rust-version = "1.85"
[[bin]]
name = "cli"
path = "src/cli.rs"
[dependencies]
openssl = "0.10"
-- src/main.rs --
-- src/bin/extra.rs --
-- src/bin/multi/main.rs --
-- rust-toolchain.toml --
[toolchain]
channel = "nightly-2025-01-01"
`), "Dockerfile", nil)
	r := p.Ruby(".")
	equal(t, "ruby", fmt.Sprint(r.Version, " ", r.VersionAt, " ", deps(r.Gems)), "3.4.2 .ruby-version:1 mysql2@Gemfile.lock:8 | pg@Gemfile.lock:3 | rails@Gemfile.lock:5 | sqlite3@Gemfile.lock:6")
	equal(t, "precompiled gems", fmt.Sprint(r.Precompiled), "map[sqlite3:gnu]")
	equal(t, "gems", join(r.Needs("gnu"), func(n Need) string { return fmt.Sprint(n.Package, n.Libraries) }), "mysql2[libmariadb3] | pg[libpq5]")
	h := p.PHP(".")
	equal(t, "php", fmt.Sprint(h.Requires, " ", h.RequiresAt), ">=8.2 composer.json:3")
	equal(t, "extensions", join(h.Extensions, func(e Extension) string { return fmt.Sprint(e.Name, " ", e.At, " ", e.By) }), "gd composer.lock:2 a/b | pdo_mysql composer.json:4 ")
	c := p.Rust(".")
	equal(t, "rust", fmt.Sprint(c.Name, c.Edition, c.RustVersion, c.RustVersionAt, c.Bins, c.Toolchain, c.ToolchainAt, deps(c.Deps)),
		"srv20241.85Cargo.toml:4 [cli extra multi srv]nightly-2025-01-01rust-toolchain.toml:2openssl@Cargo.toml:9")
}

func TestHostileRepository(t *testing.T) {
	t.Parallel()
	big := strings.Repeat("x", MaxFile+1)
	fsys := tree("-- Dockerfile --\n-- a/package.json --\n{\"scripts\": []}\n-- b/package.json --\n[1]\n-- c/package.json --\n{\"scripts\": {\"start\": 1, \"x\": \"node y\"}, \"engines\": 3, \"name\": []}\n-- compose.yml --\nservices: [a, {b: c}]\n-- docker-compose.yml --\n\tbroken: [\n-- .github/workflows/a.yml --\na: &a [*a]\njobs: {x: {steps: [{run: 1}, {uses: docker/build-push-action@v1}, null, {run: \"docker build 'x\"}]}}\n-- pom.xml --\n<project><a><b>\n")
	fsys["package.json"] = &fstest.MapFile{Data: []byte(big)}
	for name, want := range map[string]bool{"": false, "a": false, "b": false, "c": true, "../..": false, "/etc": false} {
		if got := Open(fsys, "Dockerfile", nil).Node(name) != nil; got != want {
			t.Errorf("Node(%q) read: %v", name, got)
		}
	}
	p := Open(fsys, "Dockerfile", nil)
	equal(t, "builds", join(p.Builds(), func(b Build) string { return b.Evidence.String() }), ".github/workflows/a.yml:2")
	p.Java(".")

	none := Open(nil, "x/Dockerfile", []string{"a"})
	if none.Known() || none.Node(".") != nil || none.Python(".") != nil || none.Go(".") != nil || len(none.Builds()) > 0 || len(none.Kube()) > 0 || none.Script("x") != nil || len(none.Glob("*")) > 0 {
		t.Error("something is known of nothing")
	}
	if dir, _, known := none.Context(); dir != "x" || known {
		t.Errorf("context %q %v", dir, known)
	}
	if dir, _, _ := Open(fsys, "../../Dockerfile", nil).Context(); dir != "." {
		t.Errorf("context outside of the tree: %q", dir)
	}
}

func TestGoExecs(t *testing.T) {
	t.Parallel()
	p := Open(tree(`-- go.mod --
module x
-- main.go --
package main

import "os/exec"

func main() {
	exec.Command("git", "status")
	exec.CommandContext(ctx, "sh", "-c", line)
	exec.CommandContext(c.Request.Context(), name)
	exec.LookPath("curl")
	command := exec.Command(name)
	x.Command("no")
}
`), "Dockerfile", nil)
	calls, complete := p.Go("").Execs()
	var got []string
	for _, c := range calls {
		got = append(got, fmt.Sprintf("%d %s", c.At.Line, c.Name))
	}
	if want := []string{"6 git", "7 sh", "8 ", "10 "}; !complete || !slices.Equal(got, want) {
		t.Errorf("got %q, complete %v, want %q", got, complete, want)
	}
}
