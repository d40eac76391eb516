package strategy

import (
	"path"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
)

// owns tells whether every RUN that is not trivial only gives files to the
// user, and COPY can do that instead: the files come by COPY, the directories
// by WORKDIR, and the user is the image's own, who owns those.
func (d *decider) owns(f *assess.Stage, list []effect, def *catalog.Definition) bool {
	own := ProgramUser(def)
	if d.RunUser.Root || d.RunUser.Spec != numbers(own) || def.RunUser().UID == 0 {
		return false
	}
	owned := map[*assess.Step]string{}
	for _, e := range list {
		if e.trivial {
			continue
		}
		if e.owned == nil || e.unknown != "" {
			return false
		}
		for _, p := range e.owned {
			if !d.ownable(f, e.step, p, owned) {
				return false
			}
		}
	}
	d.RunUser.Owned = owned
	return true
}

// ownable notes the COPYs that bring what is at or below p before a step; false
// when something else may have made it.
func (d *decider) ownable(f *assess.Stage, at *assess.Step, p string, owned map[*assess.Step]string) bool {
	found := false
	for _, st := range f.ChainSteps() {
		if st == at {
			break
		}
		if st.Keyword == "WORKDIR" {
			continue
		}
		if st.Copy == nil {
			continue
		}
		dest := path.Clean(st.Copy.Dest)
		switch {
		case dest == p || under(dest, p):
			if st.Copy.Chown == "" {
				owned[st] = p
			}
			found = true
		case under(p, dest):
			return false // only a part of what was copied changes hands
		}
	}
	if systemDir(p) {
		return false
	}
	return found || at.Before.WorkDir == p
}

// dropOwners removes commands of the build stage that only made accounts for
// the image that ships: its files get their owner when they are copied. The one
// that makes a home directory which is copied as well stays; home is nil for none.
func (d *decider) dropOwners(f *assess.Stage, at int, effects effects, home *assess.Step) {
	for i, st := range f.Steps[:at] {
		e, ok := effects.of(st)
		if !ok || e.owned == nil || e.unknown != "" || len(st.Run.Script.Accounts()) == 0 {
			continue
		}
		needed := st == home
		for _, later := range f.Steps[i+1 : at] {
			if later.Run != nil && !later.Before.Root() || later.Copy != nil && later.Copy.Chown != "" && !numeric(userPart(later.Copy.Chown)) || later.Keyword == "USER" {
				needed = true
			}
		}
		if !needed {
			d.Drops = append(d.Drops, Drop{Step: st, Rule: "nonroot-user", Why: "the image that ships brings its own unprivileged user, and its files get their owner when they are copied"})
		}
	}
}

// given are the COPYs of an interpreted program that was root without being
// asked: what it writes (a database, uploads, caches) lies beside its files as
// a rule, and those belong to root unless COPY says otherwise.
func (d *decider) given(f *assess.Stage, def *catalog.Definition, venv string) map[*assess.Step]bool {
	if !d.RunUser.Add || d.RunUser.Root {
		return nil
	}
	switch def.Image {
	case "node", "python", "ruby", "php", "bun", "deno", "perl":
	default:
		return nil
	}
	out := map[*assess.Step]bool{}
	for _, st := range f.ChainSteps() {
		if st.Copy == nil || st.Copy.Chown != "" {
			continue
		}
		dest := path.Clean(st.Copy.Dest)
		switch {
		case !path.IsAbs(dest), strings.Contains(dest, "$"), ofTheSystem(dest), onlyRead(st.Copy.Sources), venv != "" && (dest == venv || under(dest, venv)),
			path.Base(dest) == "venv", path.Base(dest) == ".venv":
			continue
		}
		out[st] = true
	}
	return out
}

// onlyRead tells whether a COPY brings single files of kinds that programs read
// and do not write: sources, settings, pictures. New files beside them need the
// directory, not them.
func onlyRead(sources []string) bool {
	for _, s := range sources {
		name := strings.TrimSuffix(path.Base(s), "*")
		switch path.Ext(name) {
		case ".py", ".js", ".mjs", ".cjs", ".ts", ".tsx", ".rb", ".php", ".pl", ".sh", ".json", ".toml", ".lock", ".txt", ".cfg", ".ini", ".conf", ".yaml", ".yml", ".xml",
			".html", ".css", ".md", ".png", ".jpg", ".svg", ".pem", ".crt", ".key", ".proto", ".ru", ".tar", ".tgz", ".gz", ".whl":
			continue
		}
		switch name {
		case "Gemfile", "Rakefile", "Pipfile", "Procfile", "LICENSE", "Makefile":
			continue
		}
		return false
	}
	return len(sources) > 0
}

// ofTheSystem tells whether a path is one where programs are placed, and where
// none keeps what it writes.
func ofTheSystem(p string) bool {
	if systemDir(p) || path.Dir(p) == "/" && strings.Contains(path.Base(p), ".") {
		return true
	}
	for _, dir := range []string{"/usr/local", "/usr/bin", "/usr/lib", "/usr/sbin", "/usr/share", "/bin", "/sbin", "/lib", "/lib64", "/etc", "/tmp", "/var/lib", "/run", "/root", "/opt/venv"} {
		if p == dir || under(p, dir) {
			return true
		}
	}
	return false
}
