package strategy

import (
	"net/url"
	"path"
	"slices"
	"strings"

	"dhibot/rewrite/assess"
)

// Readable is the flag that lets the program read what ADD fetched.
const Readable = "--chmod=644"

// fetches tells whether an instruction fetches a URL whose file nobody but root
// can read: ADD gives it the mode 600
// (https://docs.docker.com/reference/dockerfile/#add). Git repositories have the
// modes of their files.
func fetches(st *assess.Step) bool {
	c := st.Copy
	return c != nil && c.Add && c.From == "" && c.Chmod == "" && c.Chown == "" && slices.ContainsFunc(c.Sources, fetched)
}

// fetched tells whether a source of ADD is the URL of a file.
func fetched(source string) bool {
	if !strings.HasPrefix(source, "http://") && !strings.HasPrefix(source, "https://") {
		return false
	}
	before, _, _ := strings.Cut(source, "#")
	before, _, _ = strings.Cut(before, "?")
	return !strings.HasSuffix(before, ".git")
}

// fetchedTo is where an ADD puts the file of a URL.
func fetchedTo(c *assess.Copy, source string) string {
	if !strings.HasSuffix(c.Dest, "/") && len(c.Sources) == 1 {
		return path.Clean(c.Dest)
	}
	name := path.Base(source)
	if u, err := url.Parse(source); err == nil {
		name = path.Base(u.Path)
	}
	return path.Join(c.Dest, name)
}

// fetchedByRoot are the instructions of the final image whose files the program
// could only read as root.
func (d *decider) fetchedByRoot(f *assess.Stage) (out map[*assess.Step]bool) {
	if !d.RunUser.Add || d.RunUser.Root {
		return nil
	}
	for _, st := range f.ChainSteps() {
		if fetches(st) {
			if out == nil {
				out = map[*assess.Step]bool{}
			}
			out[st] = true
		}
	}
	return out
}

// openFetched makes what build stages fetch readable where the final image
// copies it.
func (d *decider) openFetched(f *assess.Stage) {
	if !d.RunUser.Add || d.RunUser.Root {
		return
	}
	for _, st := range f.ChainSteps() {
		if c := st.Copy; c != nil && c.FromStage != nil && c.Chown == "" && c.Chmod == "" && !d.RunUser.Given[st] && d.RunUser.Owned[st] == "" && d.RunUser.Private[st] == "" {
			for _, src := range c.Sources {
				d.open(c.FromStage, rooted(src))
			}
		}
	}
}

// open makes what a stage fetches to p, or below it, readable.
func (plan *Plan) open(s *assess.Stage, p string) {
	steps := s.ChainSteps()
	for i, st := range steps {
		if !fetches(st) {
			continue
		}
		for _, src := range st.Copy.Sources {
			to := fetchedTo(st.Copy, src)
			if fetched(src) && (to == p || under(to, p) || matches(p, to)) && !modeChanged(steps[i+1:], to) {
				if plan.Opened == nil {
					plan.Opened = map[*assess.Step]bool{}
				}
				plan.Opened[st] = true
			}
		}
	}
}

// rooted is a source of COPY --from as an absolute path.
func rooted(p string) string { return path.Clean("/" + p) }

// matches tells whether a pattern of COPY takes a file.
func matches(pattern, file string) bool {
	ok, err := path.Match(pattern, file)
	return ok && err == nil
}

// modeChanged tells whether a later RUN says who may read a file.
func modeChanged(steps []*assess.Step, file string) bool {
	for _, st := range steps {
		if st.Run == nil || st.Run.Script == nil {
			continue
		}
		for _, c := range st.Run.Script.Commands {
			if c.Name != "chmod" && c.Name != "chown" && c.Name != "mv" && c.Name != "install" {
				continue
			}
			for _, a := range c.Args {
				p := a.Text
				if !path.IsAbs(p) {
					p = path.Join(st.Before.WorkDir, p)
				}
				if p == file || under(file, p) || matches(p, file) {
					return true
				}
			}
		}
	}
	return false
}
