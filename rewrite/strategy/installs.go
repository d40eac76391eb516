package strategy

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
	"dhibot/rewrite/project"
	"dhibot/rewrite/shell"
)

// installs finds the programs that a RUN of the stage uses, that the old image
// had and the new one lacks, and the packages that bring them.
func (in *Input) installs(s *assess.Stage, def *catalog.Definition, dropped func(*assess.Step) bool) []Install {
	manager := def.PackageManager()
	if manager == "" {
		return nil
	}
	if !slices.ContainsFunc(s.Steps, func(st *assess.Step) bool { return st.Run != nil && st.Run.Script != nil }) {
		return nil
	}
	have := map[string]bool{}
	// What an ancestor installs is there.
	for _, st := range s.ChainSteps() {
		if st.Stage != s {
			in.provides(st, have)
		}
	}
	var out []Install
	add := func(program string, st *assess.Step, why string) {
		pkg, ok := programPackage(program, manager)
		if !ok || have[program] || have["package "+pkg] || def.HasProgram(program) || def.HasPackage(pkg) {
			return
		}
		have[program], have["package "+pkg] = true, true
		out = append(out, Install{Program: program, Package: pkg, Manager: manager, Before: st, Why: why})
	}
	addPackage := func(pkg string, st *assess.Step, why string) {
		if manager != "apt" || have["package "+pkg] || def.HasPackage(pkg) {
			return
		}
		have["package "+pkg] = true
		out = append(out, Install{Program: pkg, Package: pkg, Manager: manager, Before: st, Why: why})
	}
	for _, st := range s.Steps {
		if dropped(st) {
			continue
		}
		if st.Run == nil || st.Run.Script == nil {
			in.provides(st, have)
			continue
		}
		sc := st.Run.Script
		// Packages that the same RUN installs before using them.
		local := func(name string) bool {
			return slices.ContainsFunc(sc.Packages(), func(p shell.PackageCall) bool {
				return p.System && p.Verb == shell.Install && slices.Contains(p.Packages, name)
			})
		}
		for _, c := range sc.Commands {
			if c.Name == "" || strings.Contains(c.Path, "/") && !strings.HasPrefix(c.Path, "/usr/bin/") && !strings.HasPrefix(c.Path, "/bin/") {
				continue
			}
			if pkg, ok := programPackage(c.Name, manager); ok && (local(pkg) || local(c.Name)) {
				continue
			}
			if !in.oldHad(s, c.Name) || have[c.Name] || def.HasProgram(c.Name) {
				continue
			}
			add(c.Name, st, fmt.Sprintf("line %d calls %s, which %s brings and the DHI image does not", st.Lines[0], c.Name, s.Origin.Reference))
		}
		for _, need := range in.implicit(s, st) {
			if need.pkg != "" {
				addPackage(need.pkg, st, need.why)
				continue
			}
			if !in.oldHad(s, need.program) && !need.always {
				continue
			}
			add(need.program, st, need.why)
		}
		if readsZones(st) && !local("tzdata") {
			add("zoneinfo", st, fmt.Sprintf("line %d reads the time zones, which the DHI image does not declare", st.Lines[0]))
		}
		in.provides(st, have)
	}
	return out
}

// readsZones tells whether a RUN copies or links a file of the time zones.
func readsZones(st *assess.Step) bool {
	for _, c := range st.Run.Script.Commands {
		switch c.Name {
		case "cp", "ln", "cat", "install", "mv":
			for _, a := range c.Args {
				if strings.HasPrefix(a.Text, "/usr/share/zoneinfo/") {
					return true
				}
			}
		}
	}
	return false
}

// fitsPrograms refuses a stage whose RUN uses a program that the old image had,
// where the new one lacks it and has no package manager to install it with.
func (in *Input) fitsPrograms(s *assess.Stage, _ *catalog.Choice, def *catalog.Definition) *Block {
	if def.PackageManager() != "" {
		return nil
	}
	have := map[string]bool{}
	for _, st := range s.ChainSteps() {
		in.provides(st, have)
		if st.Stage != s || st.Run == nil || st.Run.Script == nil {
			continue
		}
		for _, c := range st.Run.Script.Commands {
			switch c.Name {
			case "curl", "wget", "unzip", "tar", "gzip", "gunzip", "grep", "awk", "git", "hg", "svn", "make", "gpg", "ssh", "perl", "xz", "bzip2", "python3", "openssl", "useradd", "groupadd":
			default:
				continue
			}
			if have[c.Name] || def.HasProgram(c.Name) || !in.oldHad(s, c.Name) {
				continue
			}
			return &Block{Rule: "package-management", Code: "package-manager-missing", Line: st.Lines[0],
				Text: fmt.Sprintf("it calls %s, which dhi %s has not, nor a package manager to install it with", c.Name, def.Image)}
		}
	}
	return nil
}

// mavenWrapper are the programs with which mvnw fetches Maven: it does so by
// itself unless the repository has the wrapper's archive.
func (in *Input) mavenWrapper(st *assess.Step) []need {
	if !st.Run.Script.Uses("mvnw") {
		return nil
	}
	if in.known() {
		props, ok := in.Project.Read(".mvn/wrapper/maven-wrapper.properties")
		_, jar := in.Project.Exists(".mvn/wrapper/maven-wrapper.jar")
		if jar || ok && !strings.Contains(string(props), "only-script") && !strings.Contains(string(props), "distributionType") && strings.Contains(string(props), "wrapperUrl") {
			return nil // the archive, or Java, fetches it
		}
	}
	why := "mvnw fetches Maven and unpacks it"
	return []need{{program: "curl", why: why}, {program: "tar", why: why}, {program: "gzip", why: why}}
}

// oldHad tells whether the old image surely or usually had a program.
func (in *Input) oldHad(s *assess.Stage, program string) bool {
	cfg := s.Origin.Config
	if slices.Contains(cfg.Programs, program) {
		return true
	}
	if !cfg.Known {
		// Of an image without facts the file itself is the evidence: it builds,
		// so what fetches and unpacks for it was there, and what makes accounts.
		switch program {
		case "curl", "wget", "git", "unzip", "xz", "bzip2", "jq", "gpg", "openssl":
			return true
		}
		if accountTool(program) {
			return true
		}
	}
	if accountTool(program) {
		return s.Origin.Distro == catalog.Debian
	}
	switch program {
	case "ssh-keyscan", "ssh-keygen", "scp":
		return in.oldHad(s, "ssh")
	case "tar", "gzip", "gunzip", "hostname", "which":
		return s.Origin.Distro == catalog.Debian
	}
	return false
}

// accountTool tells whether a program makes or changes accounts. Debian has them
// in passwd and adduser, which every image of its own brings.
func accountTool(program string) bool {
	switch program {
	case "useradd", "userdel", "usermod", "groupadd", "groupdel", "groupmod", "gpasswd", "chage", "chpasswd", "adduser", "addgroup", "deluser", "delgroup":
		return true
	}
	return false
}

// provides notes what a step puts into the image: packages of a RUN, programs
// that a COPY places in a directory of the PATH.
func (in *Input) provides(st *assess.Step, have map[string]bool) {
	if st.Run != nil && st.Run.Script != nil {
		for _, p := range st.Run.Script.Packages() {
			if p.Verb != "install" && p.Verb != "sync" {
				continue
			}
			for _, n := range p.Packages {
				have[n], have["package "+n] = true, true
			}
			if have["build-essential"] || have["build-base"] {
				have["gcc"], have["make"], have["g++"], have["cc"] = true, true, true, true
			}
		}
	}
	if c := st.Copy; c != nil {
		if strings.HasSuffix(c.Dest, "bin/") || strings.HasSuffix(c.Dest, "bin") {
			for _, src := range c.Sources {
				have[path.Base(src)] = true
			}
		}
		have[path.Base(c.Dest)] = true
	}
}

type need struct {
	program, why string
	// pkg is a Debian package that is not known by a program, "" for none.
	pkg    string
	always bool
}

// headers are the needs for libraries that dependencies are compiled against
// and that the full variant of the old image had.
func headers(s *assess.Stage, needs []project.Need) []need {
	var out []need
	for _, n := range needs {
		for _, pkg := range n.Build {
			if project.FullImageHeaders(pkg) {
				out = append(out, need{pkg: pkg, why: fmt.Sprintf("%s (%s) is compiled against it, and %s has it", n.Package, place(n.At), s.Origin.Reference)})
			}
		}
	}
	return out
}

// implicit are programs that a RUN needs without naming them: a package
// manager that compiles, or that fetches by git.
func (in *Input) implicit(s *assess.Stage, st *assess.Step) []need {
	out := append(in.rustHeaders(s, st), in.mavenWrapper(st)...)
	if st.Run.Script.Uses("apt-key") {
		out = append(out, need{program: "gpg", why: "apt-key calls gpg"})
	}
	for _, p := range st.Run.Script.Packages() {
		switch p.Manager {
		case "npm", "yarn", "pnpm":
			if p.Verb != "install" && p.Verb != "sync" {
				continue
			}
			if name, where := in.nodeNative(s); name != "" {
				why := fmt.Sprintf("%s (%s) is compiled when no prebuilt binary fits", name, where)
				out = append(out, need{program: "gcc", why: why}, need{program: "make", why: why}, need{program: "python3", why: why})
			}
		case "pip", "poetry", "pipenv", "uv":
			if p.Verb != "install" && p.Verb != "sync" || s.Origin.Slim || s.Origin.Distro == catalog.Alpine {
				continue
			}
			if s.Origin.Image == "python" && in.pythonCompiles(s) != "" {
				out = append(out, need{program: "gcc", why: fmt.Sprintf("%s has a compiler, which packages without a wheel need", s.Origin.Reference)})
			}
			if y := in.pythonProject(s); y != nil && s.Origin.Image == "python" {
				out = append(out, headers(s, y.Needs())...)
			}
		case "bundle":
			if s.Origin.Image != "ruby" || s.Origin.Slim || s.Origin.Distro == catalog.Alpine {
				continue
			}
			if r := in.rubyProject(s); r != nil {
				out = append(out, headers(s, r.Needs(libcOf(s)))...)
			}
		case "cargo", "go":
		}
		if p.Manager == "pip" || p.Manager == "npm" || p.Manager == "yarn" {
			for _, f := range append(slices.Clone(p.Packages), p.Files...) {
				if strings.HasPrefix(f, "git+") || strings.HasPrefix(f, "git://") {
					out = append(out, need{program: "git", why: "it installs " + f + " by git"})
				}
			}
		}
	}
	return out
}
