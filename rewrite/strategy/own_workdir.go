package strategy

import (
	"fmt"
	"path"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
)

// makeWorkDir puts a WORKDIR in front of the COPY that would make the working
// directory: COPY makes it for root, who could write to it when the program was
// root, and WORKDIR makes it for the image's user. Source: BuildKit,
// dispatchWorkdir and dispatchCopy.
func (d *decider) makeWorkDir(def *catalog.Definition) {
	f, u := d.Final.Stage, def.RunUser()
	dir := f.End.WorkDir
	if !d.RunUser.Add || d.RunUser.Root || u.UID == 0 || d.RunUser.Spec != fmt.Sprintf("%d:%d", u.UID, u.GID) {
		return
	}
	if !path.IsAbs(dir) || dir == "/" || strings.Contains(dir, "$") || ofTheSystem(dir) || path.Clean(def.WorkDir) == dir || d.newNames(dir) {
		return
	}
	for _, have := range def.Directories {
		if have.Path == dir {
			return
		}
	}
	for i, st := range f.Steps {
		if d.New != nil && d.Shape == ShapeSplit && (d.New.At == nil || st.Lines[0] <= d.New.At.Lines[0]) {
			continue
		}
		if made := st.Before.WorkDir; made == dir || under(made, dir) {
			return
		}
		if st.Copy == nil {
			continue
		}
		if made := madeBy(st.Copy); made != dir && !under(made, dir) && path.Clean(st.Copy.Dest) != dir {
			continue
		}
		if st.Copy.Chown != "" || d.RunUser.Given[st] || d.Goes(st) || !absoluteUntilWorkDir(f.Steps[i:]) {
			return
		}
		line := Line{Rule: "nonroot-user", Text: "WORKDIR " + dir,
			Why: "COPY would make the working directory for root, where the program could write as root; WORKDIR makes it for the user that it runs as now"}
		if d.startsBelowNew(st) {
			d.New.Lines = append(d.New.Lines, line)
			return
		}
		d.Inserts = append(d.Inserts, Insert{Stage: f, Before: st, Line: line})
		return
	}
}

// newNames tells whether a line of the new stage makes a directory.
func (d *decider) newNames(dir string) bool {
	if d.New == nil {
		return false
	}
	for _, l := range d.New.Lines {
		for _, w := range strings.Fields(l.Text) {
			if w = strings.TrimSuffix(w, "/"); w == dir || under(w, dir) {
				return true
			}
		}
	}
	return false
}

// madeBy is the directory that a COPY puts its files into.
func madeBy(c *assess.Copy) string {
	if strings.HasSuffix(c.Dest, "/") || len(c.Sources) == 1 && path.Ext(c.Sources[0]) == "" && path.Ext(c.Dest) == "" && c.From == "" {
		return path.Clean(c.Dest)
	}
	return path.Dir(path.Clean(c.Dest))
}

// absoluteUntilWorkDir tells whether nothing depends on the working directory
// before the next WORKDIR, which is absolute.
func absoluteUntilWorkDir(steps []*assess.Step) bool {
	for _, st := range steps {
		switch st.Keyword {
		case "WORKDIR":
			return path.IsAbs(strings.Trim(strings.TrimSpace(st.Text), `"'`))
		case "RUN":
			return false
		case "COPY", "ADD":
			if !path.IsAbs(destOf(st)) {
				return false
			}
		}
	}
	return false
}
