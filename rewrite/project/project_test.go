package project

import (
	"fmt"
	"testing"
)

func TestPathsBelowContext(t *testing.T) {
	t.Parallel()
	p := Open(tree("-- web/Dockerfile --\n-- web/package.json --\n{}\n-- web/conf/a.conf --\nA\n-- web/conf/b.conf --\n-- package.txt --\n"), "web/Dockerfile", []string{"package.json"})
	equal(t, "path", p.Path("conf/a.conf")+" "+p.Path("/conf")+" "+p.Path("../../x"), "web/conf/a.conf web/conf web/x")
	dir, ok := p.Exists("conf")
	equal(t, "directory", fmt.Sprint(dir, ok), "true true")
	dir, ok = p.Exists("conf/a.conf")
	equal(t, "file", fmt.Sprint(dir, ok), "false true")
	_, ok = p.Exists("package.txt")
	equal(t, "outside", fmt.Sprint(ok), "false")
	b, ok := p.Read("conf/a.conf")
	equal(t, "content", fmt.Sprintf("%q %v", b, ok), `"A\n" true`)
	for source, want := range map[string]string{
		"conf/*.conf":   "[conf/a.conf conf/b.conf]",
		"package*":      "[package.json]",
		"./package.js*": "[package.json]",
		"conf":          "[conf]",
		".":             "[]",
		"none*":         "[]",
		"[":             "[]",
		"*/a.conf":      "[conf/a.conf]",
	} {
		got := fmt.Sprint(p.Glob(source))
		if source == "." {
			got = fmt.Sprintf("[%s]", p.Glob(source)[0])
		}
		equal(t, source, got, want)
	}
}

func TestVersionHints(t *testing.T) {
	t.Parallel()
	for archive, want := range map[string]string{
		"-- package.json --\n{}\n-- .tool-versions --\npython 3.12\nnodejs 22.1.0\n": "22.1.0 .tool-versions:2 true",
		"-- package.json --\n{}\n-- .node-version --\n# c\n20\n":                     "20 .node-version:2 true",
		"-- package.json --\n{\n\"engines\": {\"node\": \">=18\"}}\n":                ">=18 package.json:2 true",
		"-- package.json --\n{}\n":                                                   " :0 false",
	} {
		v, at, ok := Open(tree("-- Dockerfile --\n"+archive), "Dockerfile", nil).Node(".").Version()
		equal(t, archive, fmt.Sprint(v, " ", at, " ", ok), want)
	}
	v, at, ok := Open(tree("-- runtime.txt --\npython-3.11.4\n"), "Dockerfile", nil).PythonVersion(".")
	equal(t, "runtime.txt", fmt.Sprint(v, " ", at, " ", ok), "3.11.4 runtime.txt:1 true")
	v, _, ok = Open(tree("-- .tool-versions --\npython 3.12.1\n"), "Dockerfile", nil).PythonVersion(".")
	equal(t, ".tool-versions", fmt.Sprint(v, " ", ok), "3.12.1 true")
	_, _, ok = Open(tree("-- .python-version --\npypy3.9\n"), "Dockerfile", nil).PythonVersion(".")
	equal(t, "another interpreter", fmt.Sprint(ok), "false")
	for content, want := range map[string]string{
		"[toolchain]\nchannel = \"1.78\"\n": "1.78 2",
		"nightly\n":                         "nightly 1",
	} {
		r := Open(tree("-- Cargo.toml --\n[package]\nname=\"x\"\n-- rust-toolchain --\n"+content), "Dockerfile", nil).Rust(".")
		equal(t, content, fmt.Sprint(r.Toolchain, " ", r.ToolchainAt.Line), want)
	}
}

func TestNest(t *testing.T) {
	t.Parallel()
	for archive, want := range map[string]string{
		"": "[node dist/main] ",
		"-- nest-cli.json --\n{\"sourceRoot\": \"src\"}\n": "[node dist/main] ",
		"-- nest-cli.json --\n{\"monorepo\": true}\n":      "[] nest-cli.json changes what nest start runs",
	} {
		n := Open(tree("-- Dockerfile --\n-- package.json --\n{\"scripts\":{\"start\":\"nest start\",\"dev\":\"nest start --watch\"}}\n"+archive), "Dockerfile", nil).Node(".")
		r, reason := n.Start("start")
		equal(t, archive, fmt.Sprint(r.Argv, " ", reason), want)
		if _, reason := n.Start("dev"); reason == "" {
			t.Error("nest start --watch is taken for a program")
		}
	}
}

func TestBakeJSONAndScripts(t *testing.T) {
	t.Parallel()
	p := Open(tree(`-- api/Dockerfile --
-- docker-bake.json --
{
  "target": {
    "api": {"context": "api", "target": "prod", "args": {"B": "2", "A": "1"}, "tags": ["x/api:1"]},
    "remote": {"context": "https://github.com/a/b"}
  }
}
-- scripts/build.sh --
#!/bin/sh
docker build \
  -t x api
docker build -f $FILE .
-- Jenkinsfile --
stage('x') { steps {
  sh "docker build -t y api"
} }
`), "api/Dockerfile", nil)
	equal(t, "builds", join(p.Builds(), func(b Build) string {
		return fmt.Sprint(b.Evidence, " ", b.Kind, " ", b.Target, join(b.Args, func(s Setting) string { return s.Name + s.At.String() }), b.Images)
	}), "Jenkinsfile:2 make [y] | docker-bake.json:3 bake prodAdocker-bake.json:3 | Bdocker-bake.json:3[x/api] | scripts/build.sh:2 script [x]")
}
