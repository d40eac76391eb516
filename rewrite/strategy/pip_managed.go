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

// fitsManagedPython refuses a stage that installs with pip into the Python of
// an old release, where the new one marks that Python as managed by the
// distribution: pip stops there with an error. Sources: PEP 668; the release
// notes of Debian 12, 5.2.6, and of Alpine 3.19.
func (in *Input) fitsManagedPython(s *assess.Stage, ch *catalog.Choice, def *catalog.Definition) *Block {
	if def.PackageManager() == "" || def.HasProgram("pip") || !unmanaged(s.Origin, ch) {
		return nil
	}
	since := "Debian 12 and later"
	if def.Distro == catalog.Alpine {
		since = "Alpine 3.19 and later"
	}
	packaged := false
	for _, st := range s.ChainSteps() {
		if st.Run == nil || st.Run.Script == nil {
			continue
		}
		if st.Run.Script.Uses("venv") || strings.Contains(st.Text, "venv") || strings.Contains(st.Text, "virtualenv") || strings.Contains(st.Text, "conda") {
			return nil // what pip installs into cannot be told from its name
		}
		for _, p := range st.Run.Script.Packages() {
			switch {
			case p.System && p.Verb == shell.Install:
				packaged = packaged || slices.ContainsFunc(p.Packages, func(n string) bool { return n == "python3-pip" || n == "python-pip" || n == "py3-pip" })
			case packaged && st.Stage == s && refused(st, p):
				return &Block{Rule: "package-management", Code: "python-managed", Line: st.Lines[0],
					Text: fmt.Sprintf("it installs with pip into the Python of %s; pip refuses that on %s (PEP 668)", s.Origin.Reference, since)}
			}
		}
	}
	return nil
}

// unmanaged tells whether the old image may be of a release whose Python pip
// installs into. A silent tag of an older version may be of any release.
func unmanaged(o *catalog.Origin, ch *catalog.Choice) bool {
	if !o.Explicit {
		return ch.Bumped
	}
	switch o.Release {
	case "wheezy", "jessie", "stretch", "buster", "bullseye", "trusty", "xenial", "bionic", "focal", "jammy", "kinetic":
		return true
	}
	return false
}

// refused tells whether pip looks for the mark of PEP 668 in a call: it does
// where it installs into its own environment and is not told to override.
// Source: pip, commands/install.py.
func refused(st *assess.Step, p shell.PackageCall) bool {
	if p.Manager != "pip" || p.Verb != shell.Install || p.Cmd == nil || st.Before.Env["PIP_BREAK_SYSTEM_PACKAGES"] != "" || st.Before.Env["VIRTUAL_ENV"] != "" {
		return false
	}
	if dir := path.Dir(p.Cmd.Path); dir != "." && dir != "/usr/bin" && dir != "/bin" {
		return false
	}
	return !slices.ContainsFunc(p.Cmd.Args, func(a shell.Arg) bool {
		name, _, _ := strings.Cut(a.Text, "=")
		switch name {
		case "--break-system-packages", "--root", "--prefix", "-t", "--target", "--python":
			return true
		}
		return false
	})
}
