package strategy

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
	"dhibot/rewrite/shell"
)

// effect is what a RUN of the final image leaves behind, as far as the running
// container is concerned.
type effect struct {
	step *assess.Step
	// trivial tells that nothing is lost when the RUN goes away; rule and why
	// say why.
	trivial   bool
	rule, why string
	// runtime are packages that the program may need while it runs.
	runtime []string
	// carried are files of packages that can be copied alone.
	carried []string
	// tools and build are packages that are left out.
	tools, build []string
	// headers are the libraries for building among them.
	headers []string
	// unlinked are packages of libraries that the program does not link.
	unlinked []string
	zone     bool // it installs time zones
	// ownZones names the image that does without them, "" when they are there.
	ownZones string
	// cwd tells that it may write into its working directory; paths are
	// further absolute paths it writes.
	cwd   bool
	paths []string
	// maybe are those of paths that are made under a condition.
	maybe map[string]bool
	// removes are paths that it deletes: a COPY cannot carry that.
	removes []string
	// unknown says why it cannot be told what the RUN writes.
	unknown string
	python  []shell.PackageCall
	// owned are the paths of a RUN that does nothing but make accounts and give
	// files to them.
	owned   []string
	install bool // a language's packages are installed
	// poetry tells that Poetry makes a virtual environment in its cache.
	poetry bool
	// ownCerts tells that the file adds certificates to those of the image.
	ownCerts bool
	// instead is the instruction that takes the place of what the RUN did.
	instead *Rewrite
}

// effects are those of the RUNs of the final image, in order.
type effects []effect

// of is what a RUN leaves behind; false for any other step.
func (l effects) of(st *assess.Step) (effect, bool) {
	for i := range l {
		if l[i].step == st {
			return l[i], true
		}
	}
	return effect{}, false
}

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

// effect reads a RUN of the final image. def is the image that it shall run
// on, nil while that is not chosen: packages that it declares are no loss.
func (in *Input) effect(f *assess.Stage, st *assess.Step, def *catalog.Definition) effect {
	e := effect{step: st}
	r := st.Run
	if r.Opaque != "" || r.Script == nil {
		e.unknown = r.Opaque
		if e.unknown == "" {
			e.unknown = "it cannot be read"
		}
		return e
	}
	sc := r.Script
	virtualGone := removedVirtual(sc)
	for _, p := range sc.Packages() {
		switch {
		case p.System && p.Verb == shell.Install:
			if p.Unknown || len(p.Files) > 0 {
				e.runtime = append(e.runtime, "packages that are named elsewhere")
			}
			for _, n := range p.Packages {
				if def != nil && (def.HasPackage(n) || n == "bash" && def.Shell() == "/bin/bash" || n == "musl" && def.Distro == catalog.Alpine && def.Shell() != "") {
					continue
				}
				if n == "bash" && def != nil && !osImage(def.Image) && !service(def.Image) && !startsShell(f) && !copiesScript(f) {
					e.tools = append(e.tools, n) // the program is no script, and none is copied
					continue
				}
				if def != nil && def.Image == "php" && phpHeaders(n) {
					e.build = append(e.build, n)
					continue
				}
				if def != nil && def.Image == "ruby" && in.rubyHeaders(f, n) {
					e.build = append(e.build, n)
					continue
				}
				if def != nil && (nodeGyp(def.Image, n, p.Packages) || def.Image == "python" && in.headersOnly(f, n)) {
					e.build = append(e.build, n)
					if strings.HasPrefix(n, "lib") {
						e.headers = append(e.headers, n)
					}
					continue
				}
				if in.unlinked(f, n) {
					e.unlinked = append(e.unlinked, n)
					continue
				}
				if startsShell(f) && classify(n) != pkgImplied && classify(n) != pkgZone {
					e.runtime = append(e.runtime, n) // for what people do in that shell
					continue
				}
				if in.scriptCalls(f, n, def) || exchanged(n) && !in.usedToBuild(f, n) {
					e.runtime = append(e.runtime, n)
					continue
				}
				e.pkg(n, p, virtualGone)
			}
			if e.zone && def != nil && !def.TZData() && zonesNeeded(def.Image) && p.Manager == "apk" {
				// Only BusyBox systems: Debian's dev images may have the package
				// marked as installed without its files.
				e.carried = append(e.carried, zoneInfo)
			}
		case p.System && p.Verb == shell.Other && p.Manager == "dpkg":
			e.runtime = append(e.runtime, "a local .deb package")
		case !p.System && (p.Verb == shell.Install || p.Verb == shell.Sync):
			e.install = true
			switch p.Manager {
			case "pip", "poetry", "pipenv", "uv", "conda", "pdm":
				e.python = append(e.python, p)
			}
		}
	}
	if e.zone && def != nil && !def.TZData() && len(e.carried) == 0 {
		e.ownZones = def.Image
	}
	e.ownCerts = ownCertificates(f)
	if e.ownCerts && !updatesCertificates(f) && slices.ContainsFunc(sc.Packages(), func(p shell.PackageCall) bool {
		return p.System && p.Verb == shell.Install && slices.Contains(p.Packages, "ca-certificates")
	}) {
		e.unknown = "installing ca-certificates adds the certificates of the file only where the package is not there yet; call update-ca-certificates"
		return e
	}
	if e.trivially(sc) {
		return e
	}
	if onlyRemoves(f, st, sc) {
		e.trivial, e.rule = true, "no-shell"
		e.why = "it removes files that a later COPY replaces anyway; nothing can be removed without a shell"
		return e
	}
	if r := in.removesDefaultHost(f, st, sc); r != nil {
		e.trivial, e.rule, e.instead = true, "no-shell", r
		e.why = "the configuration that is copied in takes the place of the one that it removes; nothing can be removed without a shell"
		return e
	}
	e.owned = onlyOwns(st, sc)
	eff := sc.Effects(st.Before.WorkDir)
	e.unknown = strings.Join(eff.Unknown, "; ")
	e.poetry = e.unknown == shell.PoetryVenv && def != nil && def.Image == "python" && in.ownVenv(f) == ""
	if e.poetry {
		e.unknown = "" // it takes the virtual environment that is made for it
	}
	if o := f.Root().Origin; e.unknown == "" && o != nil && o.Image != "ruby" && f.End.Env["GEM_HOME"] == "" && installsGems(sc) {
		e.unknown = "where gem installs in this image is not known"
	}
	e.cwd = len(eff.Inside) > 0 || e.poetry
	if root := in.workspaceRoot(f, st, sc); root != "" {
		e.paths = append(e.paths, root)
	}
	e.removes = append(e.removes, eff.Removed...)
	for _, op := range sc.FileOps() {
		if op.Op != "rm" {
			continue
		}
		for _, p := range op.Paths {
			if strings.ContainsAny(p, "*?[") {
				if !path.IsAbs(p) {
					p = path.Join(st.Before.WorkDir, p)
				}
				dir := path.Dir(p)
				e.removes = slices.DeleteFunc(e.removes, func(r string) bool { return r == dir || r == dir+"/*" })
				if !ephemeral(dir) && !unshipped(def, p) {
					e.removes = append(e.removes, dir+"/*")
				}
			}
		}
	}
	removes := len(e.removes)
	e.removes = slices.DeleteFunc(e.removes, func(p string) bool { return unshipped(def, strings.TrimSuffix(p, "/*")) })
	for _, p := range eff.Maybe {
		if e.maybe == nil {
			e.maybe = map[string]bool{}
		}
		e.maybe[p] = true
	}
	globals := globalTools(sc)
	e.tools = append(e.tools, globals...)
	for _, p := range eff.Paths {
		if ephemeral(p) && !madeForLogs(f, sc, p) || len(globals) > 0 && npmPrefix(p) {
			continue
		}
		e.paths = append(e.paths, p)
	}
	if def != nil {
		in.phpEffect(f, &e, def)
	}
	if e.empty() {
		e.trivial, e.rule = true, "no-shell"
		e.why = "it leaves nothing behind that the running image uses, and the runtime image has no shell to run it"
		if removes > 0 {
			e.why = "what it removes is not in the runtime image, which has no shell to run it either"
		}
	}
	return e
}

// empty tells whether a RUN leaves nothing that would come along.
func (e *effect) empty() bool {
	return e.unknown == "" && !e.cwd && !e.install && len(e.paths)+len(e.removes)+len(e.runtime)+len(e.carried)+len(e.owned)+len(e.python)+len(e.tools) == 0
}

// madeForLogs tells whether a RUN makes a directory of the program below
// /var/log or /var/cache, which the program may rely on: those of a service
// itself come with its image.
func madeForLogs(f *assess.Stage, sc *shell.Script, p string) bool {
	if !under(p, "/var/log") && !under(p, "/var/cache") || ownLogs(f.Origin, p) || ephemeral(p) && (under(p, "/var/cache/apt") || p == "/var/cache/apt" || under(p, "/var/cache/apk") || p == "/var/cache/apk") {
		return false
	}
	for _, op := range sc.FileOps() {
		if (op.Op == "mkdir" || op.Op == "install" || op.Op == "touch") && op.Literal && slices.Contains(op.Paths, p) {
			return true
		}
	}
	return false
}

// ownLogs tells whether a directory below /var/log or /var/cache is named after
// the service of the image.
func ownLogs(o *catalog.Origin, p string) bool {
	if o == nil || !service(o.Image) {
		return false
	}
	parts := strings.Split(strings.Trim(p, "/"), "/")
	if len(parts) < 3 {
		return true
	}
	name := parts[2]
	if strings.Contains(name, o.Image) || strings.Contains(o.Image, name) {
		return true
	}
	return o.Image == "httpd" && name == "apache2" || o.Image == "postgres" && name == "postgresql"
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

// trivially tells whether the RUN leaves nothing that the container needs:
// packages that are there anyway or only for building, cleaning, accounts.
func (e *effect) trivially(sc *shell.Script) bool {
	if len(e.runtime) > 0 || len(e.carried) > 0 || len(sc.Commands) == 0 {
		return false
	}
	packages, accounts, installs := false, false, false
	certificates := slices.Contains(sc.Programs(), "update-ca-certificates")
	for _, p := range sc.Packages() {
		installs = installs || p.System && len(p.Packages) > 0
		certificates = certificates || p.System && len(e.tools)+len(e.build)+len(e.unlinked) == 0 && slices.Contains(p.Packages, "ca-certificates")
	}
	for _, c := range sc.Commands {
		switch {
		case isAccount(c.Name):
			accounts = true
		case isPackageCommand(sc, c):
			packages = true
		case c.Name == "rm":
			for _, a := range c.Args {
				if !strings.HasPrefix(a.Text, "-") && !ephemeral(a.Text) {
					return false
				}
			}
		case c.Name == "set", c.Name == "true", c.Name == ":", c.Name == "echo" && len(c.Redirects) == 0, c.Name == "update-ca-certificates" && !e.install && !e.ownCerts, c.Name == "exit":
		case c.Name == "" && len(c.Env) > 0:
		default:
			return false
		}
	}
	e.trivial = true
	switch {
	case !accounts && !packages:
		e.rule, e.why = "no-shell", "it leaves nothing behind, and the runtime image has no shell to run it"
	case accounts && packages:
		e.rule, e.why = "nonroot-user", "the image brings its own user and needs no packages; neither could be added without a shell"
	case accounts:
		e.rule, e.why = "nonroot-user", "the image brings its own unprivileged user; accounts cannot be made without a shell"
	case !installs && !certificates:
		e.rule, e.why = "package-management", "the runtime image has no package manager; its packages are renewed with the image"
	case !e.zone && !certificates && len(e.tools)+len(e.build)+len(e.unlinked) == 0:
		e.rule, e.why = "package-management", "the image has that already and no package manager"
	case e.zone || certificates:
		e.rule, e.why = "tls-certificates", "the image has a CA bundle already and no package manager"
		if e.zone {
			e.why = "the image has a CA bundle and time zones already, and no package manager"
		}
		if e.ownZones != "" {
			e.why = "the image has no package manager, and what it runs brings its own time zones"
		}
	default:
		e.rule = "package-management"
		e.why = "the runtime image has no package manager; nothing that starts the container uses " + strings.Join(once(slices.Concat(e.build, e.unlinked, e.tools)), ", ")
	}
	return true
}

// ownCertificates tells whether the file puts certificates where
// update-ca-certificates takes them from.
func ownCertificates(f *assess.Stage) bool {
	const local, shared = "/usr/local/share/ca-certificates", "/usr/share/ca-certificates"
	for _, st := range f.ChainSteps() {
		if c := st.Copy; c != nil {
			if d := path.Clean(c.Dest); d == local || under(d, local) || d == shared || under(d, shared) {
				return true
			}
		}
		if st.Run != nil && (strings.Contains(st.Text, local) || strings.Contains(st.Text, shared)) {
			return true
		}
	}
	return false
}

// updatesCertificates tells whether a RUN of the file calls
// update-ca-certificates.
func updatesCertificates(f *assess.Stage) bool {
	return slices.ContainsFunc(f.ChainSteps(), func(st *assess.Step) bool {
		return st.Run != nil && strings.Contains(st.Text, "update-ca-certificates")
	})
}

func isAccount(name string) bool {
	switch name {
	case "useradd", "adduser", "groupadd", "addgroup", "usermod", "groupmod":
		return true
	}
	return false
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

// ephemeral tells whether a path is scratch space or a cache that no running
// program misses.
func ephemeral(p string) bool {
	for _, prefix := range []string{"/tmp", "/var/tmp", "/var/cache", "/var/lib/apt", "/var/lib/dpkg", "/root/.cache", "/root/.npm", "/root/.yarn", "/root/.config", "/root/.local/share/pnpm",
		"/etc/apk/cache", "/var/log", "/root/.gradle", "/root/.m2", "/usr/share/doc", "/usr/share/man", "/usr/share/locale", "/var/lib/cache", "/root/.bundle/cache", "/root/.composer", "/root/.pki",
		"/go/pkg", "/root/.cargo", "/usr/local/share/.cache", "/home/node/.npm", "/root/.node-gyp", "/root/.electron", "/usr/local/share/man", "/etc/apt", "/etc/apk"} {
		if rest, ok := strings.CutPrefix(p, prefix); ok && (rest == "" || rest[0] == '/' || rest[0] == '*') {
			return true
		}
	}
	return false
}

// systemDir tells whether a directory belongs to the image and cannot be
// copied from one image to another as a whole.
func systemDir(p string) bool {
	switch path.Clean(p) {
	case "/", "/bin", "/sbin", "/lib", "/lib64", "/usr", "/usr/bin", "/usr/sbin", "/usr/lib", "/usr/local", "/usr/local/bin", "/usr/local/sbin", "/usr/local/lib",
		"/usr/share", "/usr/include", "/usr/libexec", "/etc", "/var", "/var/lib", "/var/log", "/root", "/home", "/opt", "/srv/..", "/proc", "/sys", "/dev", "/run", "/tmp", "/usr/src", "/var/www/..":
		return true
	}
	return false
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

// once is a list without what it names again.
func once(in []string) []string {
	var out []string
	for _, s := range in {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// onlyRemoves tells whether a RUN does nothing but remove files which a later
// COPY of the stage puts there again, or the content of a directory that a
// later COPY fills.
func onlyRemoves(f *assess.Stage, st *assess.Step, sc *shell.Script) bool {
	paths := removed(st, sc)
	for _, p := range paths {
		if !replacedLater(f, st, p) {
			return false
		}
	}
	return len(paths) > 0
}

// onlyOwns returns the paths that a RUN gives to somebody, when it does nothing
// else but make accounts; nil otherwise.
func onlyOwns(st *assess.Step, sc *shell.Script) []string {
	for _, c := range sc.Commands {
		if c.Name != "chown" && !isAccount(c.Name) && c.Name != "set" && c.Name != "true" && c.Name != ":" && !isPackageCommand(sc, c) {
			return nil
		}
	}
	var out []string
	ops := map[*shell.Command]shell.FileOp{}
	for _, op := range sc.FileOps() {
		ops[op.Cmd] = op
	}
	for _, c := range sc.Commands {
		op, isOp := ops[c]
		switch {
		case isAccount(c.Name), c.Name == "set", c.Name == "true", c.Name == ":", isPackageCommand(sc, c):
		case isOp && op.Op == "chown" && op.Literal && !c.Conditional:
			for _, p := range op.Paths {
				if !path.IsAbs(p) {
					p = path.Join(st.Before.WorkDir, p)
				}
				out = append(out, path.Clean(p))
			}
		default:
			return nil
		}
	}
	return out
}

// replacedLater tells whether a COPY after st brings p, or fills the directory
// whose content p names (dir/*).
func replacedLater(f *assess.Stage, st *assess.Step, p string) bool {
	dir, all := strings.CutSuffix(p, "/*")
	after := false
	for _, t := range f.ChainSteps() {
		if t == st {
			after = true
			continue
		}
		if !after || t.Copy == nil {
			continue
		}
		if all {
			d := path.Clean(t.Copy.Dest)
			if d == dir && strings.HasPrefix(dir, "/usr/share/nginx") || dir == "/usr/local/tomcat/webapps" && (d == dir || under(d, dir)) {
				return true
			}
			continue
		}
		if slices.Contains(copiedFiles(t.Copy), p) {
			return true
		}
		if webapps := "/usr/local/tomcat/webapps"; under(p, webapps) && (path.Clean(t.Copy.Dest) == webapps || under(path.Clean(t.Copy.Dest), webapps)) {
			return true // the official images have held no applications since Tomcat 9.0.30
		}
	}
	return false
}

// installsGems tells whether a RUN installs packages of Ruby for all programs.
func installsGems(sc *shell.Script) bool {
	return slices.ContainsFunc(sc.Commands, func(c *shell.Command) bool {
		return (c.Name == "gem" || c.Name == "fluent-gem" || c.Name == "td-agent-gem") && len(c.Args) > 0 && c.Args[0].Text == "install"
	})
}
