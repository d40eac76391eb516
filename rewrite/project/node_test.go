package project

import (
	"fmt"
	"strings"
	"testing"
)

const nodePackage = `
-- Dockerfile --
-- app/package.json --
{
  "name": "shop",
  "type": "module",
  "main": "index.js",
  "engines": { "node": ">=20" },
  "packageManager": "pnpm@9.1.0",
  "scripts": {
    "start": "NODE_ENV=production node --enable-source-maps dist/main.js",
    "serve": "cross-env PORT=80 A='b c' next start -p 3000",
    "chain": "npm run start",
    "migrate": "prisma migrate deploy && node dist/main.js",
    "dev": "nodemon x.js",
    "prehooked": "echo",
    "hooked": "node x.js",
    "nest": "nest start",
    "start:prod": "node dist/src/main",
    "watch": "node --watch x.js",
    "var": "node $FILE",
    "loop": "npm run loop2",
    "loop2": "npm run loop",
    "nextdev": "next dev",
    "ts": "ts-node src/x.ts",
    "unknown": "frobnicate start",
    "bin": "./node_modules/.bin/serve -s build",
    "yarnrun": "yarn serve",
    "empty": "",
    "npmvar": "node x.js --v=$npm_package_version"
  },
  "dependencies": { "next": "^15.0.0", "serve": "14", "bcrypt": "5", "nuxt": "^3.2" },
  "devDependencies": { "ts-node": "1" }
}
-- app/package-lock.json --
{
  "packages": {
    "node_modules/a/node_modules/node-sass": {
      "version": "1"
    },
    "node_modules/canvas": {
      "dev": true
    },
    "node_modules/sharp": {
      "version": "1"
    }
  }
}
-- app/.nvmrc --
v22.3.0
-- plain/package.json --
{"scripts": {"build": "x"}}
-- plain/server.js --
x
`

func TestNodeCommand(t *testing.T) {
	t.Parallel()
	n := Open(tree(nodePackage), "Dockerfile", nil).Node("app")
	if n == nil {
		t.Fatal("no package")
	}
	for _, tt := range []struct{ command, want string }{
		{"npm start", "NODE_ENV=production node --enable-source-maps dist/main.js @8"},
		{"npm run start", "NODE_ENV=production node --enable-source-maps dist/main.js @8"},
		{"npm run start -- --port 1", "NODE_ENV=production node --enable-source-maps dist/main.js --port 1 @8"},
		{"npm run start --port", "! npm takes --port"},
		{"npm --silent start", "NODE_ENV=production node --enable-source-maps dist/main.js @8"},
		{"npm --prefix x start", "! the option --prefix"},
		{"pnpm start", "NODE_ENV=production node --enable-source-maps dist/main.js @8"},
		{"yarn serve", "A=b c PORT=80 node node_modules/next/dist/bin/next start -p 3000 @9"},
		{"yarn run serve", "A=b c PORT=80 node node_modules/next/dist/bin/next start -p 3000 @9"},
		{"npm run yarnrun", "A=b c PORT=80 node node_modules/next/dist/bin/next start -p 3000 @9"},
		{"npm run chain", "NODE_ENV=production node --enable-source-maps dist/main.js @8"},
		{"npm run migrate", "! needs a shell"},
		{"npm run dev", "! for development"},
		{"npm run hooked", `! the script "prehooked" runs around`},
		{"npm run nest", "node dist/src/main @15"},
		{"npm run watch", "! --watch"},
		{"npm run var", "! needs a shell"},
		{"npm run loop", "! call each other"},
		{"npm run nextdev", "! development server"},
		{"npm run ts", "! development dependency"},
		{"npm run unknown", "! not known which file"},
		{"npm run bin", "node node_modules/serve/build/main.js -s build @24"},
		{"npm run missing", `! no script "missing"`},
		{"npm run empty", "! needs a shell"},
		{"npm run npmvar", "! needs a shell"},
		{"npm ci", "! npm ci runs no script"},
		{"npx serve -s build", "node node_modules/serve/build/main.js -s build @29"},
		{"npx -p x y", "! the option -p"},
		{"yarn nuxt start", "node .output/server/index.mjs @29"},
		{"pnpm exec next start", "node node_modules/next/dist/bin/next start @29"},
		{"pnpm dlx x", "! may download"},
		{"yarn", "! names no script"},
		{"node x", "! no package manager"},
	} {
		r, reason := n.Command(strings.Fields(tt.command))
		got := ""
		for _, k := range []string{"A", "NODE_ENV", "PORT"} {
			if v, ok := r.Env[k]; ok && r.Argv != nil {
				got += k + "=" + v + " "
			}
		}
		got += fmt.Sprintf("%s @%d", strings.Join(r.Argv, " "), r.At.Line)
		if want, refuse := strings.CutPrefix(tt.want, "! "); refuse {
			if reason == "" || r.Argv != nil || !strings.Contains(reason, want) {
				t.Errorf("%s: %q %q, want the reason %q", tt.command, got, reason, want)
			}
			continue
		}
		if got != tt.want || reason != "" {
			t.Errorf("%s:\ngot  %s %q\nwant %s", tt.command, got, reason, tt.want)
		}
	}
}

func TestNodeFacts(t *testing.T) {
	t.Parallel()
	p := Open(tree(nodePackage), "Dockerfile", nil)
	n := p.Node("app")
	v, at, ok := n.Version()
	equal(t, "version", fmt.Sprint(v, " ", at, " ", ok), "v22.3.0 app/.nvmrc:1 true")
	kind, lock := n.Lock()
	equal(t, "lock", kind+" "+lock, "npm app/package-lock.json")
	if !n.Module || n.Main != "index.js" || n.PackageManager != "pnpm@9.1.0" {
		t.Errorf("%+v", n)
	}
	equal(t, "native", join(n.Native(), func(m NativeModule) string { return fmt.Sprintf("%s %v %v", m.Name, m.At, m.Compiles) }),
		"bcrypt app/package.json:29 false | node-sass app/package-lock.json:3 true | sharp app/package-lock.json:9 false")
	r, reason := p.Node("plain").Start("start")
	equal(t, "default start", fmt.Sprint(r.Argv, reason), "[node server.js]")
	if p.Node("missing") != nil {
		t.Error("a package without package.json")
	}
}

func TestNodeLocks(t *testing.T) {
	t.Parallel()
	for lock, want := range map[string]string{
		"-- yarn.lock --\n# yarn lockfile v1\n\n\"@x/y@^1\":\n  version \"1\"\n\nbetter-sqlite3@^9.0.0:\n  version \"9\"\n": "better-sqlite3 yarn.lock:6",
		"-- pnpm-lock.yaml --\npackages:\n\n  argon2@0.31.0:\n    resolution: {}\n":                                         "argon2 pnpm-lock.yaml:3",
		"-- pnpm-lock.yaml --\npackages:\n\n  /argon2@0.31.0:\n    resolution: {}\n":                                        "argon2 pnpm-lock.yaml:3",
		"-- yarn.lock --\nnan@^2:\n  version \"2\"\n":                                                                       "nan yarn.lock:1",
		"-- bun.lock --\n{\n  \"packages\": {\n    \"bcrypt\": [\"bcrypt@5.1.0\", \"\", {}]\n":                              "bcrypt bun.lock:3",
		"-- yarn.lock --\n\nnan@^2:\n  version \"2\"\n":                                                                     "nan yarn.lock:2",
		"-- yarn.lock --\n\nsharp-cli@^2:\n":                                                                                "",
	} {
		p := Open(tree("-- Dockerfile --\n-- package.json --\n{}\n"+lock), "Dockerfile", nil)
		got := join(p.Node(".").Native(), func(m NativeModule) string { return fmt.Sprintf("%s %v", m.Name, m.At) })
		equal(t, lock, got, want)
	}
}

// What only tests need does not count; what comes in by the way needs no
// libraries for sure.
func TestNodeNativeOfLock(t *testing.T) {
	t.Parallel()
	native := func(archive string) string {
		n := Open(tree("-- Dockerfile --\n"+archive), "Dockerfile", nil).Node(".")
		return join(n.Native(), func(m NativeModule) string { return fmt.Sprint(m.Name, m.Libraries) })
	}
	equal(t, "package-lock", native(`-- package.json --
{"dependencies": {"pg-native": "1"}}
-- package-lock.json --
{"packages": {
    "node_modules/puppeteer": {
      "dev": true
    },
    "node_modules/playwright": {
      "peer": true
    },
    "node_modules/canvas": {
      "optional": true
    },
    "node_modules/oracledb": {
      "version": "1"
    }
}}
`), "canvas[] | oracledb[libaio1t64] | pg-native[libpq5]")
	equal(t, "yarn", native(`-- package.json --
{"devDependencies": {"puppeteer": "1"}}
-- yarn.lock --
puppeteer@1:
  version "1"

canvas@2:
  version "2"
`), "canvas[]")
}

// TestNodeScriptsSince: a module that has lost its native code is none where
// package.json surely allows no version from before.
func TestNodeScriptsSince(t *testing.T) {
	t.Parallel()
	for version, native := range map[string]bool{
		"^7.1.0": false, "7": false, "7.x": false, "~7.2": false, "=7.0.1": false, ">=7.0.0": false, "^7.0.0 || ^8": false, "10.2.*": false, "v7.1.0": false,
		"^6.19.0": true, "6 || 7": true, "*": true, "latest": true, "": true, ">6": true, ">=6 <8": true, "<8": true, "7.0.0-dev.3": true, "catalog:": true,
		"npm:@prisma/client@7": true, "^7.0.0 ||": true, "workspace:^7": true, "70000000": true,
	} {
		n := Open(tree(fmt.Sprintf("-- Dockerfile --\n-- package.json --\n{\"dependencies\": {\"@prisma/client\": %q}}\n-- yarn.lock --\n\"@prisma/client@x\":\n  version \"7.1.0\"\n", version)), "Dockerfile", nil).Node(".")
		if got := len(n.Native()) > 0; got != native {
			t.Errorf("%q: %t", version, got)
		}
	}
	// One that is only in the lock file is not known to be new enough.
	n := Open(tree("-- Dockerfile --\n-- package.json --\n{}\n-- yarn.lock --\n\"@prisma/client@x\":\n  version \"7.1.0\"\n"), "Dockerfile", nil).Node(".")
	equal(t, "lock", join(n.Native(), func(m NativeModule) string { return m.Name }), "@prisma/client")
}

func TestJSONLines(t *testing.T) {
	t.Parallel()
	lines := jsonLines("{\n\"a\": 1,\n\"b\": {\"c\": [\n{\"x\": 1}, 2],\n\"d\": \"e\"},\n\"f\": \"g\",\n broken")
	got := fmt.Sprintf("%d %d %d %d", lines["a"], lines[jsonKey("b", "c")], lines[jsonKey("b", "d")], lines["f"])
	equal(t, "lines", got, "2 3 5 6")
}
