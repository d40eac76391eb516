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

// namedFiles are the files and directories of the sources that the start command
// names by a path. ok is false when one cannot be looked up: the repository is
// not at hand, or the sources come from elsewhere.
func (in *Input) namedFiles(f *assess.Stage, words []string) (files []artifact, ok bool) {
	for _, w := range words {
		if i := strings.IndexByte(w, '='); i > 0 && w[0] == '-' {
			w = w[i+1:]
		}
		w = strings.TrimPrefix(w, "file:")
		if w == "" || w[0] == '-' || strings.ContainsAny(w, "$*?: ,") || !strings.Contains(w, "/") && !dataFile(path.Base(w)) {
			continue
		}
		p := inStage(f, w)
		if _, found := in.contextEntry(f, p); found {
			if p != path.Clean(f.End.WorkDir) && !under(f.End.WorkDir, p) && !systemDir(p) && !copiedByName(f, p) {
				files = append(files, artifact{path: p, why: fmt.Sprintf("the start command names %s", w)})
			}
			continue
		}
		local := !path.IsAbs(w) && (strings.HasPrefix(w, "./") || strings.HasPrefix(w, "../") || dataFile(path.Base(w)))
		if local && (!in.known() || uses(f, "git", "curl", "wget", "tar", "unzip")) {
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
