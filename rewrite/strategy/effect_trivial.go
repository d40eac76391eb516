package strategy

import (
	"path"
	"slices"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/shell"
)

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
