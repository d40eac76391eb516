package strategy

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"dhibot/rewrite/assess"
)

// carriedName tells whether a file of a package that is copied alone has the name.
func (t *starter) carriedName(prog string) bool {
	for f := range t.carried {
		if path.Base(f) == prog && !strings.Contains(prog, "/") {
			return true
		}
	}
	return false
}

// provides tells whether a program is made by the files that come along: a
// console script of the virtual environment, a program that a RUN built.
func (t *starter) provides(prog string) bool { return t.providedAt(prog) != "" }

// providedAt is the file of such a program, "" when there is none.
func (t *starter) providedAt(prog string) string {
	best := ""
	for f := range t.made {
		if path.Base(f) != prog || !strings.HasSuffix(path.Dir(f), "bin") {
			continue
		}
		switch here := t.search(path.Dir(f)); {
		case best == "", here && !t.search(path.Dir(best)), here == t.search(path.Dir(best)) && f < best:
			best = f
		}
	}
	return best
}

// named keeps a program's bare name where the new image looks for it; the
// directories that only the old image's PATH held (/go/bin) are written out.
func (t *starter) named(argv []string, file string) ([]string, string, *Block) {
	if t.search(path.Dir(file)) {
		return argv, "", nil
	}
	return append([]string{file}, argv[1:]...), fmt.Sprintf("%s was on the PATH of the old image, and %s is not on that of the new one", argv[0], path.Dir(file)), nil
}

// search tells whether the new image looks for programs in a directory: by its
// own PATH, or by one that the file sets.
func (t *starter) search(dir string) bool {
	have := t.def.Environment["PATH"]
	if have == "" {
		have = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	}
	for d := range strings.SplitSeq(have, ":") {
		if path.Clean(d) == dir {
			return true
		}
	}
	if dir == t.venv {
		return true
	}
	old := ""
	if o := t.final.Root().Origin; o != nil {
		old = o.Config.Env["PATH"]
	}
	for d := range strings.SplitSeq(t.final.End.Env["PATH"], ":") {
		if path.Clean(d) == dir && !slices.Contains(strings.Split(old, ":"), d) {
			return true
		}
	}
	return false
}

// onPath finds a program that a COPY places in a directory of the PATH.
func (t *starter) onPath(prog string) (string, bool) {
	for _, st := range t.final.ChainSteps() {
		if st.Copy == nil {
			continue
		}
		files := copiedFiles(st.Copy)
		if c := st.Copy; c.FromStage != nil && len(c.Sources) == 1 && t.in.builtInto(c.FromStage, path.Clean(c.Sources[0]), prog) {
			files = append(files, path.Join(c.Dest, prog)) // a directory: its files land in the destination
		}
		for _, f := range files {
			if path.Base(f) == prog {
				for dir := range strings.SplitSeq(t.final.End.Env["PATH"]+":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", ":") {
					if path.Dir(f) == path.Clean(dir) {
						return f, true
					}
				}
			}
		}
	}
	return "", false
}

// copiedFiles are the files that a COPY surely places.
func copiedFiles(c *assess.Copy) []string {
	var out []string
	if strings.HasSuffix(c.Dest, "/") || programDir(c.Dest) {
		for _, s := range c.Sources {
			if !strings.ContainsAny(s, "*?[") {
				out = append(out, path.Join(c.Dest, path.Base(s)))
			}
		}
		return out
	}
	return []string{c.Dest}
}

// programDir tells whether a path is a directory of programs in every image.
func programDir(p string) bool {
	switch p {
	case "/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin":
		return true
	}
	return false
}

// copied tells whether a COPY of the image may bring a path.
func (t *starter) copied(abs string) bool {
	for _, st := range t.final.ChainSteps() {
		if st.Copy == nil {
			continue
		}
		d := strings.TrimSuffix(st.Copy.Dest, "/")
		if d == "" && t.in.onlyFiles(st.Copy) {
			if slices.Contains(copiedFiles(st.Copy), abs) {
				return true
			}
			continue
		}
		if abs == d || strings.HasPrefix(abs, d+"/") && (!onlyArchives(st.Copy) || path.Ext(abs) != "") {
			return true
		}
	}
	return false
}

// onlyArchives tells whether a COPY brings nothing but archives of Java, which
// are files: "app.jar" in / is no program in /usr/bin.
func onlyArchives(c *assess.Copy) bool {
	for _, s := range c.Sources {
		if ext := path.Ext(s); ext != ".jar" && ext != ".war" {
			return false
		}
	}
	return len(c.Sources) > 0
}

// onlyFiles tells whether the sources of a COPY are files: a directory copied
// to / may bring anything, a jar brings itself.
func (in *Input) onlyFiles(c *assess.Copy) bool {
	for _, src := range c.Sources {
		if c.From == "" && in.known() {
			if dir, ok := in.Project.Exists(strings.TrimPrefix(path.Clean("/"+src), "/")); ok {
				if dir {
					return false
				}
				continue
			}
		}
		switch path.Ext(src) {
		case ".jar", ".war", ".js", ".py", ".sh", ".sql", ".json", ".yml", ".yaml", ".conf", ".toml", ".xml", ".properties", ".dll":
		default:
			return false
		}
	}
	return !c.Add
}

// copiedJava tells whether a COPY brings a runtime that jlink made, or a JDK's
// own directory, whose bin directory the file puts on the PATH.
func (t *starter) copiedJava() bool {
	for _, st := range t.final.ChainSteps() {
		c := st.Copy
		if c == nil || c.FromStage == nil || len(c.Sources) != 1 {
			continue
		}
		if src := path.Clean("/" + c.Sources[0]); src != "/opt/java/openjdk" && !mentionsRun(c.FromStage, "jlink") {
			continue
		}
		if slices.Contains(strings.Split(t.final.End.Env["PATH"], ":"), path.Join(path.Clean(c.Dest), "bin")) {
			return true
		}
	}
	return false
}

// mentionsRun tells whether a RUN of a stage names a word.
func mentionsRun(s *assess.Stage, word string) bool {
	return slices.ContainsFunc(s.ChainSteps(), func(st *assess.Step) bool { return st.Run != nil && strings.Contains(st.Text, word) })
}

// placed tells whether a COPY places a program by its name.
func (t *starter) placed(prog string) bool {
	if !path.IsAbs(prog) {
		_, ok := t.onPath(prog)
		return ok
	}
	return slices.ContainsFunc(t.final.ChainSteps(), func(st *assess.Step) bool {
		return st.Copy != nil && slices.Contains(copiedFiles(st.Copy), prog)
	})
}
