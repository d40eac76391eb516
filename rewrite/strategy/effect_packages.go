package strategy

import (
	"fmt"
	"slices"
	"strings"

	"dhibot/rewrite/catalog"
	"dhibot/rewrite/shell"
)

// binaryPackage are packages of one program that needs nothing but libc, and
// the place of the program. Source: Debian's and Alpine's package contents.
func binaryPackage(name, manager string) string {
	switch manager + " " + name {
	case "apt tini", "apt dumb-init":
		return "/usr/bin/" + name
	case "apk tini":
		return "/sbin/tini"
	case "apk dumb-init":
		return "/usr/bin/dumb-init"
	}
	return ""
}

func (e *effect) pkg(n string, p shell.PackageCall, virtualGone map[string]bool) {
	if p.Virtual != "" && virtualGone[p.Virtual] || virtualGone[n] {
		e.build = append(e.build, n)
		return
	}
	if f := binaryPackage(n, p.Manager); f != "" {
		e.carried = append(e.carried, f)
		return
	}
	switch classify(n) {
	case pkgRuntime:
		e.runtime = append(e.runtime, n)
	case pkgBuild:
		e.build = append(e.build, n)
	case pkgTool:
		e.tools = append(e.tools, n)
	case pkgZone:
		e.zone = true
	}
}

// removedVirtual are packages and apk groups that the same text removes again.
func removedVirtual(sc *shell.Script) map[string]bool {
	var gone map[string]bool
	for _, p := range sc.Packages() {
		names := p.Removed
		if p.System && p.Verb == shell.Remove {
			names = slices.Concat(names, p.Packages)
		}
		for _, n := range names {
			if gone == nil {
				gone = map[string]bool{}
			}
			gone[n] = true
		}
	}
	return gone
}

func isPackageCommand(sc *shell.Script, c *shell.Command) bool {
	for _, p := range sc.Packages() {
		if p.Cmd == c {
			return p.System
		}
	}
	return false
}

// globalTools are packages that npm installs beside the program: build tools
// and package managers. The start command is checked on its own, so nothing
// that starts the container is lost.
func globalTools(sc *shell.Script) []string {
	var out []string
	for _, p := range sc.Packages() {
		if p.Global && (p.Manager == "npm" || p.Manager == "yarn" || p.Manager == "pnpm") && p.Verb == shell.Install {
			out = append(out, p.Packages...)
		}
	}
	if slices.ContainsFunc(sc.Commands, func(c *shell.Command) bool { return c.Name == "corepack" }) {
		out = append(out, "corepack")
	}
	return out
}

func npmPrefix(p string) bool {
	return p == "/usr/local" || p == "/usr/local/bin" || p == "/usr/local/lib" || strings.HasPrefix(p, "/usr/local/lib/node_modules") || strings.HasPrefix(p, "/usr/local/share/.config") || strings.HasPrefix(p, "/root/.local/share")
}

// zonesNeeded tells whether a runtime needs the system's time zones: the JVM,
// Node and Go carry their own.
func zonesNeeded(image string) bool {
	switch image {
	case "node", "eclipse-temurin", "amazoncorretto", "azul", "sapmachine":
		return false
	}
	return true
}

// packageBlocks words the packages that a runtime image cannot have.
func (in *Input) packageBlocks(effects []effect, def *catalog.Definition) []Block {
	var out []Block
	for _, e := range effects {
		if len(e.runtime) > 0 {
			out = append(out, Block{Rule: "package-management", Code: "runtime-packages", Line: e.step.Lines[0],
				Text: fmt.Sprintf("it installs %s, which the program may need while it runs and a runtime image cannot install", strings.Join(once(e.runtime), ", "))})
		}
		if e.zone && def != nil && !def.TZData() && zonesNeeded(def.Image) && len(e.carried) == 0 {
			out = append(out, Block{Rule: "package-management", Code: "runtime-packages", Line: e.step.Lines[0],
				Text: fmt.Sprintf("it installs tzdata, which dhi %s does not declare", def.Image)})
		}
	}
	return out
}

// installsGems tells whether a RUN installs packages of Ruby for all programs.
func installsGems(sc *shell.Script) bool {
	return slices.ContainsFunc(sc.Commands, func(c *shell.Command) bool {
		return (c.Name == "gem" || c.Name == "fluent-gem" || c.Name == "td-agent-gem") && len(c.Args) > 0 && c.Args[0].Text == "install"
	})
}
