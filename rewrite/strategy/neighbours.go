package strategy

import (
	"fmt"
	"path"
	"sort"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/project"
	"dhibot/rewrite/shell"
)

// The questions that are put to the repository around the Dockerfile. Without
// one every answer is "not known".

type scriptInfo struct {
	interpreter string // "" when it is no script or not known
	env         bool   // through /usr/bin/env
	guess       string
	path        string        // in the repository
	shell       *shell.Script // the text, when a shell runs it and it could be read
}

type resolved struct {
	argv   []string
	env    []EnvVar
	reason string
	path   string
	line   int
}

func (in *Input) known() bool { return in.Project != nil && in.Project.Known() }

// contextPath is the file of the build context that becomes abs in the image
// of a stage, by its COPY instructions and those of the stages it copies from.
func (in *Input) contextPath(s *assess.Stage, abs string) (string, bool) {
	return in.contextPathDepth(s, path.Clean(abs), false, 0)
}

// contextEntry is contextPath for directories as well.
func (in *Input) contextEntry(s *assess.Stage, abs string) (string, bool) {
	return in.contextPathDepth(s, path.Clean(abs), true, 0)
}

func (in *Input) contextPathDepth(s *assess.Stage, abs string, dirs bool, depth int) (string, bool) {
	if !in.known() || depth > 8 {
		return "", false
	}
	steps := s.ChainSteps()
	for i := len(steps) - 1; i >= 0; i-- {
		c := steps[i].Copy
		if c == nil || c.Inline {
			continue
		}
		for _, src := range c.Sources {
			cand, ok := sourceOf(c, src, abs)
			if !ok {
				continue
			}
			if c.FromStage != nil {
				if cand, ok = oneOfPattern(cand, abs); !ok {
					continue
				}
				if p, ok := in.contextPathDepth(c.FromStage, cand, dirs, depth+1); ok {
					return p, true
				}
				continue
			}
			if c.From != "" {
				continue
			}
			cand = strings.TrimPrefix(path.Clean("/"+cand), "/")
			if strings.ContainsAny(src, "*?[") {
				for _, g := range in.Project.Glob(src) {
					if path.Base(g) == path.Base(abs) && path.Join(c.Dest, path.Base(g)) == abs {
						return g, true
					}
				}
				continue
			}
			if dir, ok := in.Project.Exists(cand); ok && (dirs || !dir) {
				return cand, true
			}
		}
	}
	return "", false
}

// oneOfPattern is the file of a stage that a pattern (/app/package*.json) takes
// for a file of the same name; a source that is no pattern is itself.
func oneOfPattern(src, abs string) (string, bool) {
	if !strings.ContainsAny(src, "*?[") {
		return src, true
	}
	dir, pattern := path.Split(src)
	if ok, err := path.Match(pattern, path.Base(abs)); !ok || err != nil || strings.ContainsAny(dir, "*?[") {
		return "", false
	}
	return path.Join("/", dir, path.Base(abs)), true
}

// sourceOf is the path that a COPY would take for abs from src.
func sourceOf(c *assess.Copy, src, abs string) (string, bool) {
	dest := path.Clean(c.Dest)
	if strings.ContainsAny(src, "*?[") {
		return src, path.Dir(abs) == dest
	}
	if abs == dest {
		return src, true
	}
	if abs == path.Join(dest, path.Base(src)) && src != "." && src != "./" {
		// A file into a directory; a directory's own name is dropped by COPY.
		return src, true
	}
	if under(abs, dest) {
		return path.Join(src, strings.TrimPrefix(strings.TrimPrefix(abs, dest), "/")), true
	}
	return "", false
}

// goModule is the module of the sources that a stage builds.
func (in *Input) goModule() *project.Go {
	if !in.known() {
		return nil
	}
	return in.Project.Go(".")
}

func (in *Input) goVersion() (string, bool) {
	g := in.goModule()
	if g == nil || g.Version == "" {
		return "", false
	}
	return g.Version, true
}

func (in *Input) nodeVersion() string {
	n := in.nodePackage(nil)
	if n == nil {
		return ""
	}
	v, _, ok := n.Version()
	v = strings.TrimPrefix(v, "v")
	if !ok || v == "" || strings.Trim(v, "0123456789.") != "" {
		return ""
	}
	return v
}

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

// nodePackage is the package that a stage works in: the package.json that lands
// in its working directory.
func (in *Input) nodePackage(s *assess.Stage) *project.Node {
	if !in.known() {
		return nil
	}
	dirs := []string{"."}
	if s != nil {
		if p, ok := in.contextPath(s, path.Join(s.End.WorkDir, "package.json")); ok {
			dirs = []string{path.Dir(p)}
		} else {
			return nil
		}
	}
	return in.Project.Node(dirs[0])
}

// nodeNative names a dependency with native code and where it stands.
func (in *Input) nodeNative(s *assess.Stage) (name, where string) {
	n := in.nodePackage(s)
	if n == nil {
		return "", ""
	}
	for _, m := range n.Native() {
		if m.Compiles {
			return m.Name, place(m.At)
		}
	}
	return "", ""
}

func place(e project.Evidence) string {
	if e.Line == 0 {
		return e.Path
	}
	return fmt.Sprintf("%s:%d", e.Path, e.Line)
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
		n.Libraries = brought(s, n.Libraries)
		if len(n.Libraries) > 0 {
			out = append(out, Block{Rule: "package-management", Code: "runtime-libraries", Path: n.At.Path, Line: n.At.Line,
				Text: fmt.Sprintf("%s loads system libraries while it runs (%s), which a runtime image does not have", n.Package, strings.Join(n.Libraries, ", "))})
		}
	}
	return out
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

// nodeLibraries is the same as pythonLibraries for Node packages.
func (in *Input) nodeLibraries(s *assess.Stage) []Block {
	n := in.nodePackage(s)
	if n == nil {
		return nil
	}
	var out []Block
	for _, m := range n.Native() {
		m.Libraries = brought(s, m.Libraries)
		if len(m.Libraries) > 0 {
			out = append(out, Block{Rule: "package-management", Code: "runtime-libraries", Path: m.At.Path, Line: m.At.Line,
				Text: fmt.Sprintf("%s loads system libraries or programs while it runs (%s), which a runtime image does not have", m.Name, strings.Join(m.Libraries, ", "))})
		}
	}
	return out
}

// nodeCommand resolves `npm start` and its like to the program they start.
func (in *Input) nodeCommand(s *assess.Stage, argv []string) resolved {
	if !in.known() {
		return resolved{reason: "package.json is not at hand"}
	}
	n := in.nodePackage(s)
	if n == nil {
		return resolved{reason: "no package.json that can be read is copied to the working directory"}
	}
	r, reason := n.Command(argv)
	out := resolved{reason: reason, path: r.At.Path, line: r.At.Line}
	if r.Argv == nil {
		return out
	}
	if r.Dir != "" && r.Dir != "." {
		out.reason = fmt.Sprintf("the script runs in %s, another directory than the container", r.Dir)
		return out
	}
	out.argv = r.Argv
	for _, k := range assess.Sorted(r.Env) {
		out.env = append(out.env, EnvVar{k, r.Env[k]})
	}
	if out.reason == "" {
		out.reason = fmt.Sprintf("%s says that it is `%s`", place(r.At), strings.Join(r.Argv, " "))
	}
	return out
}

// nodeBin resolves a program of node_modules/.bin.
func (in *Input) nodeBin(s *assess.Stage, name string, args []string) resolved {
	n := in.nodePackage(s)
	if n == nil {
		return resolved{}
	}
	r, reason := n.Bin(name, args)
	if r.Argv == nil || r.Dir != "" && r.Dir != "." {
		return resolved{reason: reason}
	}
	return resolved{argv: r.Argv, reason: fmt.Sprintf("%s is a program of a dependency in %s", name, n.File)}
}

// consoleScript tells whether a program surely comes with a Python package
// that is installed: a known one, or one that the project requires or defines.
func (in *Input) consoleScript(s *assess.Stage, name string) bool {
	if project.IsConsoleScript(name) {
		return true
	}
	if y := in.pythonProject(s); y != nil {
		if _, _, ok := y.Console(name); ok {
			return true
		}
	}
	return false
}

// scriptOf looks at the file that becomes abs in the image.
func (in *Input) scriptOf(s *assess.Stage, abs string) scriptInfo {
	for _, st := range s.ChainSteps() {
		if st.Copy == nil || !st.Copy.Inline || strings.TrimSuffix(st.Copy.Dest, "/") != abs {
			continue
		}
		for _, h := range st.Heredocs {
			return infoOf(project.ReadScript("", h.Content), "")
		}
	}
	p, ok := in.contextPath(s, abs)
	if !ok {
		return scriptInfo{}
	}
	full := in.Project.Path(p)
	sc := in.Project.Script(full)
	if sc == nil {
		return scriptInfo{}
	}
	return infoOf(sc, full)
}

func infoOf(sc *project.Script, file string) scriptInfo {
	if sc.Binary {
		return scriptInfo{}
	}
	i := scriptInfo{interpreter: sc.Interpreter, env: sc.Env, path: file, shell: sc.Shell}
	if i.interpreter == "" && sc.Guess != "" {
		i.guess = "by its content a script for " + sc.Guess
	}
	return i
}

// sourceFilesRead finds files and directories of the build context that the
// sources name; known tells whether the sources were at hand.
func (in *Input) sourceFilesRead(f *assess.Stage) (files []readFile, known bool) {
	g := in.goModule()
	if g == nil {
		return nil, false
	}
	list, complete := g.RuntimeFiles()
	seen := map[string]bool{}
	for _, r := range list {
		if seen[r.Name] || r.Name == "." || strings.HasSuffix(r.Name, ".go") {
			continue
		}
		seen[r.Name] = true
		files = append(files, readFile{path: r.Name, source: r.At.Path, line: r.At.Line})
	}
	sort.Slice(files, func(i, j int) bool { return files[i].path < files[j].path })
	return files, complete
}

// ContextFile is the file of the repository that becomes abs in the final
// image: its path from the root of the repository, and its content.
func (in *Input) ContextFile(s *assess.Stage, abs string) (name string, content []byte, ok bool) {
	p, ok := in.contextPath(s, abs)
	if !ok {
		return "", nil, false
	}
	b, ok := in.Project.Read(p)
	return in.Project.Path(p), b, ok
}

// CopiedFiles are the files that a COPY surely places in the image.
func CopiedFiles(c *assess.Copy) []string { return copiedFiles(c) }
