package strategy

import (
	"fmt"
	"path"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/project"
)

type resolved struct {
	argv   []string
	env    []EnvVar
	reason string
	path   string
	line   int
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

// nodeLibraries are packages of Node that load system libraries or programs which
// the old image may have brought.
func (in *Input) nodeLibraries(s *assess.Stage) []Block {
	n := in.nodePackage(s)
	if n == nil {
		return nil
	}
	var out []Block
	for _, m := range n.Native() {
		out = loads(out, s, m.Name, "system libraries or programs", m.Libraries, m.At)
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
