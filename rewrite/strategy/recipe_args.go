package strategy

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"dhibot/rewrite/assess"
)

// otherPrograms are further programs that the final stage builds with go build
// -o: people and compose files start them in the same image.
func otherPrograms(f *assess.Stage, started string) []artifact {
	var out []artifact
	for _, st := range f.ChainSteps() {
		if st.Run == nil || st.Run.Script == nil {
			continue
		}
		for _, c := range st.Run.Script.Commands {
			if c.Name != "go" || len(c.Args) == 0 || c.Args[0].Text != "build" || c.Conditional || c.DirUnknown || c.Dir != "" {
				continue
			}
			for i, a := range c.Args {
				if a.Text != "-o" || i+1 == len(c.Args) || !c.Args[i+1].Literal || strings.HasSuffix(c.Args[i+1].Text, "/") {
					continue
				}
				p := c.Args[i+1].Text
				if !path.IsAbs(p) {
					p = path.Join(st.Before.WorkDir, p)
				}
				if p = path.Clean(p); p != started && !ephemeral(p) && !systemDir(p) && !touched(f.ChainSteps(), path.Base(p)) {
					out = append(out, artifact{path: p, why: fmt.Sprintf("line %d builds it beside the program that starts", st.Lines[0])})
				}
			}
		}
	}
	return out
}

// namedFiles are the files of the sources that the start command names: words
// that are paths relative to the working directory. ok is false when one is not
// in the repository and the sources come from elsewhere.
func (in *Input) namedFiles(f *assess.Stage, words []string) (files []artifact, ok bool) {
	for _, w := range words {
		if i := strings.IndexByte(w, '='); i > 0 && w[0] == '-' {
			w = w[i+1:]
		}
		if w == "" || w[0] == '-' || path.IsAbs(w) || strings.ContainsAny(w, "$*?: ,") || !strings.HasPrefix(w, "./") && !strings.HasPrefix(w, "../") && !dataFile(path.Base(w)) {
			continue
		}
		p := path.Join(f.End.WorkDir, w)
		if _, found := in.contextPath(f, p); found {
			files = append(files, artifact{path: p, why: fmt.Sprintf("the start command names %s", w)})
		} else if uses(f, "git", "curl", "wget", "tar", "unzip") {
			return nil, false
		}
	}
	return files, true
}

// addArtifacts adds what is not there yet.
func (r *recipe) addArtifacts(list []artifact) {
	for _, a := range list {
		if !slices.ContainsFunc(r.artifacts, func(have artifact) bool { return have.path == a.path || under(a.path, have.path) }) {
			r.artifacts = append(r.artifacts, a)
		}
	}
}
