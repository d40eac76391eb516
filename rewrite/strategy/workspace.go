package strategy

import (
	"path"
	"slices"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/shell"
)

// workspaceRoot is the directory above the working directory where an
// installation of Node packages really puts them: the root of the workspace,
// which node_modules of its members only points to. "" when there is none.
func (in *Input) workspaceRoot(f *assess.Stage, st *assess.Step, sc *shell.Script) string {
	pnpm, other := false, false
	for _, p := range sc.Packages() {
		if p.System || p.Global || p.Verb != shell.Install && p.Verb != shell.Sync {
			continue
		}
		pnpm = pnpm || p.Manager == "pnpm"
		other = other || p.Manager == "npm" || p.Manager == "yarn" || p.Manager == "bun"
	}
	if !pnpm && !other {
		return ""
	}
	for dir := path.Dir(st.Before.WorkDir); dir != "/" && dir != "."; dir = path.Dir(dir) {
		file := path.Join(dir, "pnpm-workspace.yaml")
		if pnpm && (in.brings(f, file) || in.hasFile(f, file)) {
			return dir
		}
		if _, content, ok := in.ContextFile(f, path.Join(dir, "package.json")); other && ok && strings.Contains(string(content), `"workspaces"`) {
			return dir
		}
	}
	return ""
}

// brings tells whether a COPY places a file by its name.
func (in *Input) brings(f *assess.Stage, file string) bool {
	return slices.ContainsFunc(f.ChainSteps(), func(st *assess.Step) bool {
		return st.Copy != nil && slices.Contains(copiedFiles(st.Copy), file)
	})
}

// hasFile tells whether a file of the build context comes to stand at a path.
func (in *Input) hasFile(f *assess.Stage, file string) bool {
	_, ok := in.contextPath(f, file)
	return ok
}
