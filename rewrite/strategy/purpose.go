package strategy

import (
	"fmt"
	"slices"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
)

// exchanged tells whether a package brings a program that builds use and that
// programs call while they run as well: git, archivers, rsync.
func exchanged(pkg string) bool { return len(programsOf(pkg)) > 0 }

// programsOf are the programs of such a package.
func programsOf(pkg string) []string {
	switch pkg {
	case "git", "git-lfs":
		return []string{"git"}
	case "unzip", "zip", "rsync", "patch":
		return []string{pkg}
	case "xz-utils", "xz":
		return []string{"xz", "unxz", "tar"}
	case "bzip2", "gzip":
		return []string{pkg, "gunzip", "bunzip2", "tar"}
	case "gnupg", "gnupg2", "gpg":
		return []string{"gpg", "gpgv", "apt-key"}
	case "openssh-client":
		return []string{"ssh", "ssh-keyscan", "scp", "git"}
	case "protoc", "protobuf-compiler":
		return []string{"protoc"}
	case "maven", "gradle", "ant", "cargo", "rustc":
		return []string{pkg}
	}
	return nil
}

// usedToBuild tells whether something in the final image's own RUNs can be what
// a package is for. When nothing is, the running program is.
func (in *Input) usedToBuild(f *assess.Stage, pkg string) bool {
	programs := programsOf(pkg)
	for _, st := range f.ChainSteps() {
		if st.Run == nil {
			continue
		}
		if st.Run.Script == nil {
			return true
		}
		for _, name := range st.Run.Script.Programs() {
			if slices.Contains(programs, name) || builds(name) {
				return true
			}
		}
		for _, p := range st.Run.Script.Packages() {
			if !p.System {
				return true
			}
		}
	}
	return false
}

// builds tells whether a program is one that fetches or builds sources, and may
// call git, an archiver or ssh for that.
func builds(name string) bool {
	switch name {
	case "go", "cargo", "make", "cmake", "mvn", "mvnw", "gradle", "gradlew", "dotnet", "npm", "npx", "yarn", "pnpm", "bun", "deno", "pip", "pip3", "uv", "poetry", "pipenv",
		"composer", "bundle", "gem", "mix", "rebar3", "curl", "wget", "sh", "bash", "python", "python3", "node", "ruby", "perl", "php":
		return true
	}
	return false
}

// nodeGyp tells whether a package is Python for node-gyp, which compiles native
// modules with it: it is installed together with a compiler or make.
func nodeGyp(image, pkg string, together []string) bool {
	if image != "node" || pkg != "python3" && pkg != "python" && pkg != "python3-minimal" && pkg != "python-is-python3" {
		return false
	}
	return slices.ContainsFunc(together, func(n string) bool {
		return n == "make" || n == "g++" || n == "gcc" || n == "build-essential" || n == "build-base"
	})
}

// headersOnly tells whether a -dev package of a Python image is there for a
// build that does not happen any more: every requirement is known, none is known
// to load that library, and the wheels for Debian carry what they need.
func (in *Input) headersOnly(f *assess.Stage, pkg string) bool {
	users, ok := headerPackage(pkg)
	if !ok || f.Origin == nil || f.Origin.Distro != catalog.Debian {
		return false
	}
	y := in.pythonProject(f)
	if y == nil || len(y.Files) == 0 || y.Incomplete || len(y.Deps) == 0 {
		return false
	}
	for _, st := range f.ChainSteps() {
		if st.Run == nil || st.Run.Script == nil {
			continue
		}
		for _, p := range st.Run.Script.Packages() {
			if p.System || p.Cmd == nil {
				continue
			}
			for _, a := range p.Cmd.Args {
				if strings.HasPrefix(a.Text, "--no-binary") || strings.HasPrefix(a.Text, "--no-build-isolation") {
					return false
				}
			}
		}
	}
	for _, n := range y.Needs() {
		if len(n.Libraries) > 0 && (slices.Contains(n.Build, pkg) || slices.Contains(users, n.Package)) {
			return false
		}
		if n.Compiles && len(n.Build) == 0 {
			return false // compiled against whatever is there (uWSGI)
		}
	}
	return true
}

// headerPackage lists Debian packages of headers whose libraries the wheels of
// the usual Python packages carry, with the packages that load the system's
// library all the same.
func headerPackage(pkg string) (users []string, ok bool) {
	switch pkg {
	case "libpq-dev":
		return []string{"psycopg2", "psycopg", "psycopg-c"}, true
	case "default-libmysqlclient-dev", "libmariadb-dev", "libmariadb-dev-compat", "libmysqlclient-dev":
		return []string{"mysqlclient"}, true
	case "libffi-dev", "libssl-dev", "libxml2-dev", "libxslt1-dev", "libxslt-dev", "zlib1g-dev", "libjpeg-dev", "libjpeg62-turbo-dev", "libpng-dev", "libfreetype6-dev",
		"libyaml-dev", "libbz2-dev", "liblzma-dev", "libopenblas-dev", "liblapack-dev", "libatlas-base-dev":
		return nil, true
	}
	return nil, false
}

// noteHeaders tells what was taken for a build dependency.
func (d *decider) noteHeaders(e effect) {
	if len(e.headers) == 0 {
		return
	}
	d.Notes = append(d.Notes, Note{Rule: "package-management", Line: e.step.Lines[0],
		Text: fmt.Sprintf("%s stays in the build stage: no requirement is known to load that library from the system. If a package is compiled because it has no wheel, its library is missing in the final image: import every package once.", strings.Join(e.headers, ", "))})
}

// startsShell tells whether the container starts nothing but a shell: then the
// tools in it are its purpose.
func startsShell(f *assess.Stage) bool {
	words := startWords(f)
	return len(words) > 0 && shellName(words[0]) && !shellDashC(words)
}
