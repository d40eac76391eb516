package strategy

import (
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
