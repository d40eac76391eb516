package strategy

import (
	"fmt"
	"path"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/project"
	"dhibot/rewrite/shell"
)

func (in *Input) pythonVersion() string {
	if !in.known() {
		return ""
	}
	v, _, ok := in.Project.PythonVersion(".")
	if !ok || strings.Trim(v, "0123456789.") != "" {
		return ""
	}
	return v
}

// pythonProject is the Python project that a stage installs.
func (in *Input) pythonProject(s *assess.Stage) *project.Python {
	if !in.known() {
		return nil
	}
	var files []string
	for _, st := range s.ChainSteps() {
		if st.Run == nil || st.Run.Script == nil {
			continue
		}
		for _, p := range st.Run.Script.Packages() {
			if p.Manager != "pip" && p.Manager != "uv" {
				continue
			}
			for _, f := range p.Files {
				abs := f
				if !path.IsAbs(abs) {
					abs = path.Join(st.Before.WorkDir, abs)
				}
				if c, ok := in.contextPath(s, abs); ok {
					files = append(files, c)
				}
			}
		}
	}
	return in.Project.Python(".", files...)
}

// pythonCompiles names a dependency that is compiled, or says that this is not
// known; "" when every dependency is known to need no compiler.
func (in *Input) pythonCompiles(s *assess.Stage) string {
	y := in.pythonProject(s)
	if y == nil || len(y.Files) == 0 || y.Incomplete {
		return "its packages are not known"
	}
	for _, n := range y.Needs() {
		if n.Compiles {
			return n.Package
		}
	}
	return ""
}

// pythonLibraries are dependencies that load system libraries which the old
// image may have brought.
func (in *Input) pythonLibraries(s *assess.Stage) []Block {
	y := in.pythonProject(s)
	if y == nil {
		return nil
	}
	var out []Block
	for _, n := range y.Needs() {
		out = loads(out, s, n.Package, "system libraries", n.Libraries, n.At)
	}
	return out
}

// loads adds a block for a dependency that loads some of the libraries which the
// old image brought.
func loads(out []Block, s *assess.Stage, dependency, what string, libraries []string, at project.Evidence) []Block {
	libraries = brought(s, libraries)
	if len(libraries) == 0 {
		return out
	}
	return append(out, Block{Rule: "package-management", Code: "runtime-libraries", Path: at.Path, Line: at.Line,
		Text: fmt.Sprintf("%s loads %s while it runs (%s), which a runtime image does not have", dependency, what, strings.Join(libraries, ", "))})
}

// brought are the libraries that the old base image had: what it had not, and
// no RUN installed, nothing can have used. Packages that a RUN installs are
// weighed with that RUN.
func brought(s *assess.Stage, libraries []string) []string {
	if s.Origin == nil {
		return libraries
	}
	var out []string
	for _, l := range libraries {
		if project.OldImageHas(s.Origin.Tag, l) {
			out = append(out, l)
		}
	}
	return out
}

// consoleScript tells whether a program surely comes with a Python package
// that is installed: a known one, one that the project requires or defines, or
// one that a RUN installs under the program's own name, where nothing else could
// have brought a program of that name.
func (in *Input) consoleScript(s *assess.Stage, name string) bool {
	if project.IsConsoleScript(name) || in.installedByName(s, name) {
		return true
	}
	if y := in.pythonProject(s); y != nil {
		if _, _, ok := y.Console(name); ok {
			return true
		}
	}
	return false
}

// installedByName tells whether a RUN has pip install a package that is named like
// a program, which the old image did not have and no package of the system, COPY
// or download brings.
func (in *Input) installedByName(s *assess.Stage, name string) bool {
	found := false
	for _, st := range s.ChainSteps() {
		if c := st.Copy; c != nil && (path.Base(path.Clean(c.Dest)) == name || path.Base(path.Clean(c.Dest)) == "bin") {
			return false
		}
		if st.Run == nil {
			continue
		}
		if st.Run.Script == nil {
			return false
		}
		for _, p := range st.Run.Script.Packages() {
			if p.Verb != shell.Install {
				continue
			}
			for _, n := range p.Packages {
				switch {
				case (p.Manager == "pip" || p.Manager == "uv") && project.PackageName(requirementName(n)) == project.PackageName(name):
					found = true
				case p.Manager != "pip" && p.Manager != "uv" && n == name:
					return false
				}
			}
		}
	}
	return found && !in.oldHad(s, name)
}

// requirementName is the name in a requirement such as feast[gcp]~=0.30.
func requirementName(requirement string) string {
	if i := strings.IndexAny(requirement, "[=<>~!;@ "); i >= 0 {
		return requirement[:i]
	}
	return requirement
}
