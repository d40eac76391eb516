package strategy

import (
	"path"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/shell"
)

// builtInto tells whether a stage builds a Go program of that name into a
// directory: `go build -o DIR/ ./cmd/...` makes a program of every command that
// the pattern finds, called as its directory. Source: go help build.
func (in *Input) builtInto(s *assess.Stage, dir, prog string) bool {
	for _, st := range s.ChainSteps() {
		if st.Run == nil || st.Run.Script == nil {
			continue
		}
		for _, c := range st.Run.Script.Commands {
			if c.Name != "go" || len(c.Args) < 2 || c.Args[0].Text != "build" || c.Conditional || c.DirUnknown || c.Dir != "" {
				continue
			}
			if out, packages := goBuild(c); out != "" && inDirectory(st.Before.WorkDir, out) == dir {
				for _, p := range packages {
					if in.packageMakes(s, inDirectory(st.Before.WorkDir, p), prog) {
						return true
					}
				}
			}
		}
	}
	return false
}

// goBuild takes the directory that go build writes to, "" when it is a file or
// not known, and the packages of its command line apart.
func goBuild(c *shell.Command) (out string, packages []string) {
	for i := 1; i < len(c.Args); i++ {
		a := c.Args[i]
		switch {
		case a.Text == "-o" && i+1 < len(c.Args):
			if i++; c.Args[i].Literal && strings.HasSuffix(c.Args[i].Text, "/") {
				out = c.Args[i].Text
			}
		case a.Literal && (a.Text == "." || strings.HasPrefix(a.Text, "./")):
			packages = append(packages, a.Text)
		}
	}
	return out, packages
}

func inDirectory(dir, p string) string {
	if path.IsAbs(p) {
		return path.Clean(p)
	}
	return path.Join(dir, p)
}

// packageMakes tells whether a package pattern names or finds the directory of a
// command.
func (in *Input) packageMakes(s *assess.Stage, pattern, prog string) bool {
	root, many := strings.CutSuffix(pattern, "/...")
	if !many {
		return path.Base(pattern) == prog
	}
	for _, dir := range []string{path.Join(root, prog), path.Join(root, "cmd", prog)} {
		if _, found := in.contextEntry(s, path.Join(dir, "main.go")); found {
			return true
		}
	}
	return false
}
