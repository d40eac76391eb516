package rules

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
	"dhibot/rewrite/strategy"
)

// makes tells whether something in the image that ships may have made a
// directory for its user: the image itself, WORKDIR, or a COPY or RUN that
// names it or a directory above it.
func (p *Pass) makes(dir string) bool {
	image := p.finalRoot().Pick
	for _, in := range p.Inserts {
		if slices.Contains(strings.Split(in.Text, "\n"), "WORKDIR "+dir) {
			return true
		}
	}
	if p.New != nil {
		image = p.New.Pick
		for _, l := range p.New.Lines {
			if strings.Contains(l.Text, dir) && (strings.HasPrefix(l.Text, "COPY ") || strings.HasPrefix(l.Text, "WORKDIR ")) || p.broughtBelow(l.Text, dir) {
				return true
			}
		}
	}
	if image != nil {
		if strategy.ServerDirectory(image.Def.Image, dir) {
			return true
		}
		for _, d := range image.Def.Directories {
			if d.Path == dir && d.UID != 0 {
				return true
			}
		}
	}
	within := func(parent string) bool {
		parent = strings.TrimSuffix(parent, "/")
		return dir == parent || parent != "" && strings.HasPrefix(dir, parent+"/")
	}
	for _, st := range p.Final.Steps {
		if p.New != nil && p.staysBehind(st) {
			continue
		}
		switch {
		case st.Keyword == "WORKDIR" && (within(st.Before.WorkDir) || strings.Contains(st.Text, dir)),
			st.Copy != nil && within(st.Copy.Dest), mentions(st, dir):
			return true
		}
	}
	return false
}

// broughtBelow tells whether a line of the new stage copies a directory above
// dir as a whole, to the same place, in which a RUN or COPY of the stage that
// stays behind may have made dir.
func (p *Pass) broughtBelow(line, dir string) bool {
	words := strings.Fields(line)
	n := len(words)
	if n < 4 || words[0] != "COPY" || words[n-1] != words[n-2] || !strings.HasPrefix(dir, strings.TrimSuffix(words[n-1], "/")+"/") {
		return false
	}
	for _, st := range p.Final.Steps {
		if p.staysBehind(st) && (mentions(st, dir) || p.copied(st, dir)) {
			return true
		}
	}
	return false
}

// mentions tells whether a RUN names a directory, from the root or from where
// it runs.
func mentions(st *assess.Step, dir string) bool {
	if st.Run == nil {
		return false
	}
	if strings.Contains(st.Text, dir) {
		return true
	}
	below, ok := strings.CutPrefix(dir, path.Clean(st.Before.WorkDir)+"/")
	return ok && strings.Contains(st.Text, below)
}

// copied tells whether a COPY brings a directory from the context.
func (p *Pass) copied(st *assess.Step, dir string) bool {
	c := st.Copy
	if c == nil || c.From != "" || c.Inline || p.Project == nil || !p.Project.Known() {
		return false
	}
	below, ok := strings.CutPrefix(dir, strings.TrimSuffix(c.Dest, "/")+"/")
	if !ok {
		return false
	}
	for _, src := range c.Sources {
		if is, there := p.Project.Exists(strings.TrimPrefix(path.Join("/", src, below), "/")); is && there {
			return true
		}
	}
	return false
}

// homeless reports an account whose home directory does not come along: its
// number has none in the new image. Compiled programs seldom keep files there;
// those of an interpreter have libraries that do.
func (p *Pass) homeless() {
	home := p.RunUser.Home
	if home == "" || p.Shape == strategy.ShapeDev {
		return
	}
	if p.New != nil && slices.ContainsFunc(p.New.Lines, func(l strategy.Line) bool { return strings.HasPrefix(l.Text, "ENV HOME=") }) {
		return
	}
	if slices.ContainsFunc(p.Inserts, func(in strategy.Insert) bool { return strings.HasPrefix(in.Text, "ENV HOME=") }) {
		return
	}
	switch p.finalImage() {
	case "node", "python", "ruby", "php", "perl", "bun", "deno":
		p.check(fmt.Sprintf("The account of %s had the home directory %s. The number has none in the new image, so HOME is / there, where it may not write. If the program keeps files in its home directory (caches, settings), set HOME to a directory that belongs to it.", p.RunUser.Spec, home), p.userLine())
	}
}

// rootsOwn reports a working directory that belongs to root in the image that
// ships, and in which the program could make files when something was so.
func (p *Pass) rootsOwn(pick *catalog.Pick, when string) {
	dir, image := p.rootsDirectory(pick)
	if dir == "" {
		return
	}
	how := "in a build stage, and copy them with --chown=" + p.RunUser.Spec
	if p.Shape == strategy.ShapeSplit {
		how = "in the build stage: they come along with their owner"
	}
	p.check(fmt.Sprintf("%s belongs to root in %s. The program cannot create files directly in it, as it could when %s. Make the directories that it needs there (logs, uploads) %s.", dir, image, when, how), p.userLine())
}

// rootsDirectory is the working directory when it comes with the image that
// ships and belongs to root there: no COPY gives an existing directory another
// owner.
func (p *Pass) rootsDirectory(pick *catalog.Pick) (dir, image string) {
	if p.New != nil {
		pick = p.New.Pick
	}
	dir = p.Final.Stage.End.WorkDir
	if pick == nil || pick.Def.WorkDir == "" || path.Clean(pick.Def.WorkDir) != dir {
		return "", ""
	}
	for _, d := range pick.Def.Directories {
		if path.Clean(d.Path) == dir {
			return "", ""
		}
	}
	return dir, p.Naming.Repository(pick.Def.Image)
}

// owned tells whether a directory surely belonged to the unprivileged user of
// the old image: a RUN gave it to somebody or made it as a home directory, or
// WORKDIR made it after USER.
func (p *Pass) owned(dir string) bool {
	made := false
	for _, st := range p.Final.ChainSteps() {
		if st.Before.WorkDir == dir {
			made = true
		}
		if st.Keyword == "WORKDIR" && !made && strings.Trim(strings.TrimSpace(st.Text), `"'`) == dir {
			if user := st.Before.User; user != "" && !st.Before.Root() {
				return true
			}
			made = true
		}
		if st.Run == nil || st.Run.Script == nil {
			continue
		}
		for _, a := range st.Run.Script.Accounts() {
			if a.CreateHome && !made && a.Home != "" && path.Clean(a.Home) == dir {
				return true
			}
		}
		for _, op := range st.Run.Script.FileOps() {
			if op.Op != "chown" || !op.Literal || strings.HasPrefix(op.Owner, "root") {
				continue
			}
			for _, at := range op.Paths {
				if !path.IsAbs(at) {
					at = path.Join(st.Before.WorkDir, at)
				}
				if at = path.Clean(at); at == dir || op.Recursive && at != "/" && strings.HasPrefix(dir, at+"/") {
					return true
				}
			}
		}
	}
	return false
}
