package strategy

import (
	"slices"

	"dhibot/rewrite/assess"
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
