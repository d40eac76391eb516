package strategy

import (
	"path"
	"slices"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
	"dhibot/rewrite/project"
)

// scriptCalls tells whether a script that the file copies into the image by
// name, or with a directory of scripts that an entry point runs, calls the
// program of a package: somebody runs it beside the start command. An image
// without a shell runs no scripts, so there the package is no further loss.
func (in *Input) scriptCalls(f *assess.Stage, pkg string, def *catalog.Definition) bool {
	if def == nil || def.Shell() == "" || !in.known() {
		return false
	}
	switch classify(pkg) {
	case pkgBuild, pkgTool:
	default:
		return false
	}
	names := toolsOf(pkg)
	for _, st := range f.ChainSteps() {
		c := st.Copy
		if c == nil || c.From != "" || c.FromStage != nil || c.Inline {
			continue
		}
		for _, src := range c.Sources {
			for _, file := range in.scriptFiles(src, c.Dest) {
				sc := in.Project.Script(in.Project.Path(file))
				if sc != nil && slices.ContainsFunc(names, func(n string) bool { return slices.Contains(sc.Programs, n) }) {
					return true
				}
			}
		}
	}
	return false
}

// scriptFiles are the files that a source of a COPY names and that may be
// scripts to run: the file itself, the matches of a pattern, and what lies in
// a directory from which entry points run scripts.
func (in *Input) scriptFiles(src, dest string) []string {
	src = strings.TrimPrefix(path.Clean("/"+src), "/")
	var out []string
	for _, p := range in.Project.Glob(src) {
		dir, ok := in.Project.Exists(p)
		switch {
		case !ok:
		case !dir:
			out = append(out, p)
		case strings.HasPrefix(dest, "/docker-entrypoint") || path.Base(path.Clean(dest)) == "bin":
			out = append(out, in.Project.Glob(path.Join(p, "*"))...)
		}
	}
	return out
}

// toolsOf are the programs for which somebody installs a package.
func toolsOf(pkg string) []string {
	switch pkg {
	case "procps":
		return []string{"ps", "pgrep", "pkill", "top", "free"}
	case "netcat", "netcat-openbsd", "netcat-traditional":
		return []string{"nc", "netcat"}
	case "iputils-ping":
		return []string{"ping"}
	case "dnsutils", "bind9-dnsutils", "bind-tools":
		return []string{"dig", "nslookup", "host"}
	case "iproute2":
		return []string{"ip", "ss"}
	case "net-tools":
		return []string{"netstat", "ifconfig"}
	case "openssh-client":
		return []string{"ssh", "scp", "ssh-keyscan", "ssh-keygen"}
	case "gnupg", "gnupg2":
		return []string{"gpg"}
	case "xz-utils":
		return []string{"xz"}
	}
	return []string{pkg}
}

// calledByCompose is the place of a command or health check of compose that
// names a program, "" when there is none.
func (in *Input) calledByCompose(program string) string {
	if !in.known() {
		return ""
	}
	for _, r := range in.Project.Runs() {
		for _, s := range []*project.Setting{r.Service.Healthcheck, r.Service.Command, r.Service.Entrypoint} {
			if s == nil {
				continue
			}
			words := strings.FieldsFunc(s.Value, func(r rune) bool { return strings.ContainsRune(" \t\n\"'[],;|&()`", r) })
			if slices.ContainsFunc(words, func(w string) bool { return path.Base(w) == program }) {
				return place(s.At)
			}
		}
	}
	return ""
}
