package shell

import (
	"path"
	"strings"
)

// buildTools are package managers of languages and build tools. Where they
// write is from their documentation; caches are left out (see Effects).
var buildTools = map[string]handler{
	"npm": writesNode, "yarn": writesNode, "pnpm": writesNode, "bun": writesNode,
	"npx": assumes, "bunx": assumes, "pnpx": assumes, "tsc": assumes, "vite": assumes, "webpack": assumes, "next": assumes, "nuxt": assumes,
	"ng": assumes, "nest": assumes, "turbo": assumes, "nx": assumes, "lerna": assumes, "gulp": assumes, "grunt": assumes, "rollup": assumes,
	"esbuild": assumes, "prisma": assumes, "react-scripts": assumes, "vue-cli-service": assumes, "astro": assumes, "gatsby": assumes, "remix": assumes,
	"node-gyp": assumes, "node-prune": assumes, "tailwindcss": assumes, "hugo": assumes, "jekyll": assumes, "mkdocs": assumes, "sphinx-build": assumes,
	"mvn": writesMaven, "mvnw": writesMaven, "gradle": assumesDir("-p --project-dir"), "gradlew": assumesDir("-p --project-dir"),
	"sbt": assumes, "lein": assumes, "ant": assumes, "bazel": assumes, "mix": assumes, "rebar3": assumes, "swift": assumes, "stack": assumes,
	"rake": assumes, "rails": assumes, "bootsnap": assumes, "artisan": assumes, "buf": assumes, "templ": assumes, "sqlc": assumes, "wire": assumes, "swag": assumes,
	"meson": assumes, "ninja": assumes, "configure": writesHere, "Configure": writesHere, "autoconf": writesHere, "autoreconf": writesHere, "automake": writesHere, "aclocal": writesHere, "libtoolize": writesHere,
	"cpanm": writes("/usr/local"), "php": writesPHPProgram, "phpize": writesHere,
	"cmake": writesCMake, "make": writesMake, "gmake": writesMake,
	"go": writesGo, "xcaddy": writesOption("--output"),
	"cargo": writesCargo, "rustup": writes("/usr/local/rustup"), "trunk": assumes, "wasm-pack": assumes,
	"dotnet": writesDotnet,
	"pip":    writesPip, "uv": writesUV, "poetry": writesPoetry, "pipenv": writesPipenv, "pdm": writesHere,
	"python": writesPython, "virtualenv": writesVenv, "django-admin": assumes, "manage.py": assumes, "pybabel": assumes, "cython": assumes,
	"conda": writes("/opt/conda"), "mamba": writes("/opt/conda"),
	"source": writesSource, ".": writesSource,
	"gem": writesGem, "bundle": writesBundle, "bundler": writesBundle,
	"composer":               writesComposer,
	"docker-php-ext-install": writesPHP, "docker-php-ext-enable": writesPHP, "docker-php-ext-configure": nothing, "docker-php-source": nothing,
	"install-php-extensions": writesPHP, "pecl": writesPHP, "phpenmod": writesPHP,
	"a2enmod": writes("/etc/apache2"), "a2dismod": writes("/etc/apache2"), "a2ensite": writes("/etc/apache2"), "a2dissite": writes("/etc/apache2"), "a2enconf": writes("/etc/apache2"),
	"corepack": func(e *effects, c *Command) { e.abs(c, "/usr/local/bin"); e.abs(c, "/usr/local/lib/node_modules") },
	"gcc":      writesCompiler, "g++": writesCompiler, "cc": writesCompiler, "c++": writesCompiler, "clang": writesCompiler, "clang++": writesCompiler, "ld": writesCompiler, "rustc": writesCompiler,
	"javac": writesOutput("-d"), "protoc": writesHere, "jlink": writesOutput("--output"), "jdeps": nothing,
	"jar": writesHere, "java": writesJava,
	"node": writesNodeProgram, "deno": writesDeno, "jest": nothing, "vitest": nothing, "nginx": nothing, "apachectl": nothing,
}

func writesHere(e *effects, c *Command) { e.here(c) }

// assumes: the project says what is done, by convention below the directory.
func assumes(e *effects, c *Command) { e.assume(c) }

func assumesDir(names string) handler {
	return func(e *effects, c *Command) {
		if a, ok := valueOf(c, strings.Fields(names)...); ok {
			e.write(c, a)
		}
		e.assume(c)
	}
}

// writesOutput: the named option says where, otherwise the current directory.
func writesOutput(names string) handler {
	return func(e *effects, c *Command) { e.hereOr(c, strings.Fields(names)...) }
}

func writesCompiler(e *effects, c *Command) { e.hereOr(c, "-o") }

// verbOf is the first operand.
func verbOf(c *Command) string {
	for _, a := range c.Args {
		if !strings.HasPrefix(a.Text, "-") {
			return a.Text
		}
	}
	return ""
}

func (e *effects) below(c *Command, names ...string) {
	if a, ok := valueOf(c, names...); ok {
		e.write(c, a)
		return
	}
	e.here(c)
}

// writesNode: in the directory, or with -g below the prefix of npm, which is
// /usr/local in the official images.
func writesNode(e *effects, c *Command) {
	p, _ := packageCall(c)
	verb := verbOf(c)
	switch {
	case p.Global:
		prefix := e.or(c, "NPM_CONFIG_PREFIX", e.or(c, "npm_config_prefix", "/usr/local"))
		if c.Name == "yarn" {
			prefix = "/usr/local"
			e.abs(c, "/usr/local/share/.config/yarn")
		}
		if c.Name == "pnpm" {
			home, ok := e.lookup(c, "PNPM_HOME")
			if !ok {
				e.unknown("where pnpm installs globally is not known without PNPM_HOME")
				return
			}
			e.abs(c, home)
			return
		}
		e.abs(c, path.Join(prefix, "lib/node_modules"))
		e.abs(c, path.Join(prefix, "bin"))
	case verb == "config" || verb == "cache" || verb == "store" || verb == "set" || verb == "audit" || verb == "version" || verb == "-v" || verb == "view" || verb == "test":
	case verb == "link":
		e.unknown("what %s link writes is not known", c.Name)
	case verb == "deploy" && c.Name == "pnpm":
		ops := operandsOf(c, "FC")
		if len(ops) > 1 {
			e.write(c, ops[len(ops)-1])
		}
		e.here(c)
	case p.Verb == Run:
		e.below(c, "--prefix", "-C", "--cwd", "--dir")
		e.assume(c)
	default:
		e.below(c, "--prefix", "-C", "--cwd", "--dir")
	}
}

func writesMaven(e *effects, c *Command) {
	if a, ok := valueOf(c, "-f", "--file"); ok && strings.HasSuffix(a.Text, ".xml") {
		a.Text = path.Dir(a.Text)
		e.write(c, a)
	} else if ok {
		e.write(c, a)
	}
	e.assume(c)
}

func writesCMake(e *effects, c *Command) {
	for _, a := range c.Args {
		if a.Text == "--install" || a.Text == "install" || a.Text == "-P" {
			if p, ok := valueOf(c, "--prefix"); ok {
				e.write(c, p)
				return
			}
			e.unknown("what cmake installs is not known")
			return
		}
	}
	if a, ok := valueOf(c, "-B", "--build"); ok {
		e.write(c, a)
		return
	}
	e.here(c)
}

// writesMake: a Makefile can do anything; only DESTDIR bounds it.
func writesMake(e *effects, c *Command) {
	for _, a := range c.Args {
		if d, ok := strings.CutPrefix(a.Text, "DESTDIR="); ok && d != "" {
			a.Text = d
			e.write(c, a)
			e.here(c)
			return
		}
	}
	what := "make"
	for _, a := range c.Args {
		if a.Literal && !strings.HasPrefix(a.Text, "-") && !strings.Contains(a.Text, "=") && !path.IsAbs(a.Text) {
			what += " " + short(a.Text)
			break
		}
	}
	e.unknown("what %s writes is not known", what)
}

func writesGo(e *effects, c *Command) {
	switch verbOf(c) {
	case "build", "test":
		if a, ok := valueOf(c, "-o", "--o"); ok {
			e.write(c, a)
			return
		}
		e.here(c)
	case "install":
		gopath := e.or(c, "GOPATH", "/go")
		e.abs(c, e.or(c, "GOBIN", path.Join(gopath, "bin")))
	case "get", "generate", "tool":
		e.here(c)
	case "run":
		e.unknown("what the program of go run writes is not known")
	}
	// mod, clean, env, vet, fmt, list, version: caches or the directory itself.
}

func writesCargo(e *effects, c *Command) {
	switch verbOf(c) {
	case "install", "binstall":
		if a, ok := valueOf(c, "--root"); ok {
			a.Text = path.Join(a.Text, "bin")
			e.write(c, a)
			return
		}
		e.abs(c, path.Join(e.or(c, "CARGO_INSTALL_ROOT", e.or(c, "CARGO_HOME", "/usr/local/cargo")), "bin"))
	case "run":
		e.unknown("what the program of cargo run writes is not known")
	default:
		if a, ok := valueOf(c, "--target-dir", "--out-dir", "--artifact-dir"); ok {
			e.write(c, a)
		}
		if dir, ok := e.lookup(c, "CARGO_TARGET_DIR"); ok {
			e.abs(c, dir)
		}
		if a, ok := valueOf(c, "--manifest-path"); ok {
			a.Text = path.Dir(a.Text)
			e.write(c, a)
		}
		e.here(c)
	}
}

func writesDotnet(e *effects, c *Command) {
	ops := operandsOf(c, "ocrfvpa")
	verb := verbOf(c)
	switch verb {
	case "restore", "build", "publish", "pack", "test", "clean", "msbuild":
		if a, ok := valueOf(c, "-o", "--output"); ok {
			e.write(c, a)
		}
		if len(ops) > 1 && strings.Contains(ops[1].Text, "/") {
			a := ops[1]
			a.Text = path.Dir(a.Text)
			e.write(c, a)
		}
		e.here(c)
	case "tool":
		if a, ok := valueOf(c, "--tool-path"); ok {
			e.write(c, a)
		} else {
			e.underHome(c, "", ".dotnet/tools")
		}
	case "new", "add", "sln", "ef":
		e.here(c)
	case "nuget", "dev-certs", "workload":
		e.unknown("what dotnet %s writes is not known", verb)
	default:
		e.unknown("what the program of dotnet writes is not known")
	}
}
