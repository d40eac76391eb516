package strategy

import (
	"fmt"
	"path"
	"strings"

	"dhibot/rewrite/assess"
)

// builtProgram is the place of a program that a RUN writes into a directory of
// programs (go build -o /usr/local/bin/app), "" when none does.
func builtProgram(f *assess.Stage, name string) string {
	for _, st := range f.ChainSteps() {
		if st.Run == nil || st.Run.Script == nil {
			continue
		}
		for _, c := range st.Run.Script.Commands {
			if c.Name != "go" {
				continue
			}
			for i, a := range c.Args {
				if a.Text == "-o" && i+1 < len(c.Args) && c.Args[i+1].Literal && path.IsAbs(c.Args[i+1].Text) &&
					path.Base(c.Args[i+1].Text) == name && path.Base(path.Dir(c.Args[i+1].Text)) == "bin" {
					return c.Args[i+1].Text
				}
			}
		}
	}
	return ""
}

// startedPrograms notes programs of the old image that the sources start and
// that no runtime image has.
func (in *Input) startedPrograms(f *assess.Stage, r *recipe) {
	g := in.goModule()
	if g == nil {
		return
	}
	calls, _ := g.Execs()
	for _, c := range calls {
		name := path.Base(c.Name)
		if c.Name == "" || shellName(name) || !in.oldHad(f, name) {
			continue
		}
		r.blocks = append(r.blocks, Block{Rule: "package-management", Code: "runtime-libraries", Path: c.At.Path, Line: c.At.Line,
			Text: fmt.Sprintf("it starts %s, which the runtime image does not have", name)})
	}
}

func (in *Input) goRecipe(f *assess.Stage) *recipe {
	words := startWords(f)
	if len(words) == 0 || path.Base(words[0]) == "go" || !buildsWith(f, "go", "build", "install") && !uses(f, "make", "mage", "just", "task") {
		return nil
	}
	p := words[0]
	switch {
	case strings.Contains(p, "/"):
		p = inStage(f, p)
	case builtProgram(f, p) != "":
		p = builtProgram(f, p)
	case buildsWith(f, "go", "install"):
		p = "/go/bin/" + p
	default:
		return nil
	}
	r := &recipe{name: "Go", runtime: "static"}
	r.artifacts = append(r.artifacts, artifact{path: p, why: "the program is one file; sources and compiler stay behind"})
	named, ok := in.namedFiles(f, words[1:])
	if !ok {
		return nil
	}
	r.addArtifacts(otherPrograms(f, p))
	r.addArtifacts(named)
	if !in.cgoOff(f) {
		r.flavor = "libc"
	}
	if in.startsOthers() {
		// The runtime variant of the toolchain's image has a shell, static none.
		r.runtime, r.flavor = "", ""
	}
	in.runtimeFiles(f, r)
	in.startedPrograms(f, r)
	return r
}
