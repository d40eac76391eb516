package verify

import (
	"path"

	"dhibot/rewrite/catalog"
)

// image is what is known of the image that a stage starts from.
type image struct {
	// hardened tells that the reference names an image of the catalog; def is
	// its definition, nil when its tag is not listed.
	hardened bool
	def      *catalog.Definition
	// known tells that config holds facts.
	known  bool
	config *catalog.Config // never nil
	origin *catalog.Origin
}

// lookup understands a reference.
func (in *In) lookup(ref string) *image {
	var o *catalog.Origin
	if in.Origin != nil {
		o = in.Origin(ref)
	}
	if o == nil {
		o = in.Catalog.Origin(ref, in.Extra)
	}
	i := &image{origin: o, config: o.Config, known: o.Config.Known}
	name, ok := in.Naming.Image(o.Repository)
	if !ok || !in.Catalog.Has(name) {
		name, ok = o.Image, o.Hardened
	}
	if !ok {
		return i
	}
	i.hardened = true
	if def, ok := in.Catalog.Lookup(name, o.Tag); ok {
		i.def, i.config, i.known = def, def.Config(), true
	} else {
		i.config, i.known = &catalog.Config{}, false
	}
	return i
}

// runtime tells that it is a DHI image that is not made to build in.
func (i *image) runtime() bool { return i.def != nil && !i.def.Build() }

// name is how messages call it.
func (i *image) name() string {
	if i.origin == nil {
		return "scratch"
	}
	return i.origin.Reference
}

// lacks tells that a program is known to be missing. Of an image without facts
// nothing is known to be missing.
func (i *image) lacks(program string) bool {
	if !i.known {
		return false
	}
	for _, own := range [][]string{i.config.Entrypoint, i.config.Cmd} {
		if len(own) > 0 && path.Base(own[0]) == program {
			return false
		}
	}
	if i.def == nil {
		return !i.config.HasProgram(program)
	}
	if program == "bash" {
		return !i.def.HasPackage("bash")
	}
	return !i.def.HasProgram(program)
}

// lacksShell tells that the shell at a path, or of that name, is missing.
func (i *image) lacksShell(shell string) bool {
	if i.def != nil && path.IsAbs(shell) && path.Base(shell) == "sh" {
		return i.def.Shell() != "/bin/sh"
	}
	return i.lacks(path.Base(shell))
}

// user tells whether an account name is known, and whether that can be said.
func (i *image) user(name string) (there, sure bool) {
	if !i.known {
		return false, false
	}
	if i.def != nil {
		_, there = i.def.User(name)
		return there, true
	}
	for _, u := range i.config.Users {
		if u.Name == name {
			return true, true
		}
	}
	return systemAccount(name), true
}

// group is the same for a group. Groups are named like their accounts; the
// catalog does not list others.
func (i *image) group(name string) (there, sure bool) {
	there, sure = i.user(name)
	if i.def != nil && i.def.Image == "nginx" && name == "www-data" {
		there = true // its group 82, as the image's own definition declares
	}
	return there, sure
}

// systemAccount tells whether Debian's base-passwd or Alpine's baselayout has
// an account or group; upstream images have them without saying so.
func systemAccount(name string) bool {
	switch name {
	case "root", "daemon", "bin", "sys", "sync", "games", "man", "lp", "mail", "news", "uucp", "proxy",
		"www-data", "backup", "list", "irc", "gnats", "nobody", "nogroup", "_apt", "adm", "tty", "disk", "dialout",
		"audio", "video", "staff", "users", "shadow", "operator", "sshd", "ftp", "guest", "wheel", "kmem", "floppy",
		"cdrom", "tape", "input", "halt", "shutdown", "cron", "at", "squid", "xfs", "ntp", "smmsp", "utmp", "ping":
		return true
	}
	return false
}
