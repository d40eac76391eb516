package strategy

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
)

// mounted are the lines that make the directories which compose files mount
// volumes on by name and which nothing in the image makes: a new volume takes
// its owner from the directory, and without one belongs to root.
func (in *Input) mounted(f *assess.Stage, user RunUser, def *catalog.Definition, have []Line) []Line {
	if !in.known() || user.Root || def.RunUser().UID == 0 || service(def.Image) {
		return nil
	}
	var out []Line
	for _, b := range in.Project.Builds() {
		if b.Service == nil || b.Service.User != nil || b.Target != "" && !strings.EqualFold(b.Target, f.Name) {
			continue
		}
		for _, m := range b.Service.Volumes {
			dir := path.Clean(m.Target)
			if m.Source == "" || strings.ContainsAny(m.Source, "./~$\\") || !path.IsAbs(dir) || strings.ContainsAny(dir, "$ *") || path.Ext(dir) != "" || path.Base(dir) == "node_modules" ||
				ofTheSystem(dir) || in.makesMounted(f, def, dir, slices.Concat(have, out)) {
				continue
			}
			out = append(out, Line{Rule: "nonroot-user", Text: "WORKDIR " + dir,
				Why: fmt.Sprintf("%s mounts a volume here, and nothing else makes the directory; WORKDIR makes it for the user of the image, and a new volume takes its owner from it", place(m.At))})
		}
	}
	return out
}

// makesMounted tells whether a directory is made: by the image, by an
// instruction that names it or something below it, or by a RUN. A COPY of what
// is above it need not hold it.
func (in *Input) makesMounted(f *assess.Stage, def *catalog.Definition, dir string, have []Line) bool {
	within := func(p string) bool { return p == dir || under(p, dir) }
	if within(f.End.WorkDir) || slices.ContainsFunc(def.Directories, func(e catalog.Directory) bool { return e.Path == dir || under(dir, e.Path) }) || slices.Contains(f.End.Volumes, dir) {
		return true
	}
	for _, l := range have {
		if fields := strings.Fields(l.Text); len(fields) > 1 && (fields[0] == "COPY" || fields[0] == "WORKDIR") && within(fields[len(fields)-1]) {
			return true
		}
	}
	for _, st := range f.ChainSteps() {
		switch {
		case st.Copy != nil && within(path.Clean(st.Copy.Dest)), st.Keyword == "WORKDIR" && within(path.Join(st.Before.WorkDir, st.Text)):
			return true
		case st.Run != nil && st.Run.Script != nil:
			e := st.Run.Script.Effects(st.Before.WorkDir)
			if slices.ContainsFunc(slices.Concat(e.Paths, e.Inside), within) {
				return true
			}
		}
	}
	return false
}

// makeMounted puts them in front of the first WORKDIR of a stage that stays as
// it is; without one the list to check speaks of the volumes.
func (d *decider) makeMounted(def *catalog.Definition) {
	f := d.Final.Stage
	i := slices.IndexFunc(f.Steps, func(st *assess.Step) bool { return st.Keyword == "WORKDIR" && path.IsAbs(st.Text) })
	if i < 0 {
		return
	}
	at := f.Steps[i]
	if u := at.Before.User; u != "" && u != f.End.User || u == "" && d.RunUser.Spec != numbers(def.RunUser()) {
		return
	}
	for _, l := range d.mounted(f, d.RunUser, def, nil) {
		d.Inserts = append(d.Inserts, Insert{Stage: f, Before: at, Line: l})
	}
}

// mounted makes the directories in a new stage, in front of the lines from at
// on.
func (c *composer) mounted(at int) {
	if c.user.Spec != numbers(c.def.RunUser()) {
		return
	}
	made := c.in.mounted(c.final, c.user, c.def, c.lines)
	if len(made) == 0 {
		return
	}
	rest := slices.Clone(c.lines[at:])
	c.lines = append(c.lines[:at], made...)
	if !slices.ContainsFunc(rest, func(l Line) bool { return strings.HasPrefix(l.Text, "WORKDIR ") }) && !setsDirectory(c.tail) {
		c.add("nonroot-user", "WORKDIR "+c.end().WorkDir, "the program starts in the same directory as before")
	}
	c.lines = append(c.lines, rest...)
}

// setsDirectory tells whether steps set the working directory before one of
// them relies on it.
func setsDirectory(steps []*assess.Step) bool {
	for _, st := range steps {
		switch {
		case st.Keyword == "WORKDIR":
			return path.IsAbs(st.Text)
		case st.Copy != nil, st.Run != nil:
			return false
		}
	}
	return false
}
