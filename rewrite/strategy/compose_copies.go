package strategy

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"dhibot/rewrite/assess"
)

// copies brings what the program needs from the stage that stays behind.
func (c *composer) copies() {
	rootHome := !c.user.Root && c.user.Spec != "0:0"
	var paths []artifact
	want := func(p string, chown bool, why string, line int) bool {
		p = path.Clean(p)
		switch {
		case strings.ContainsAny(p, "$*?["):
			c.block("writes-unknown", fmt.Sprintf("it writes to %s, which cannot be told here", p), line)
		case systemDir(p):
			c.block("writes-system", fmt.Sprintf("it writes into %s, which belongs to the image and cannot be copied as a whole", p), line)
		case rootHome && (p == "/root" || strings.HasPrefix(p, "/root/")):
			c.block("root-home", fmt.Sprintf("it keeps files below /root (%s), which only root can read", p), line)
		default:
			paths = append(paths, artifact{path: p, chown: chown, why: why, line: line})
			return true
		}
		return false
	}
	if c.recipe != nil {
		for _, a := range c.recipe.artifacts {
			want(a.path, a.chown, a.why, c.final.From.Lines[0])
		}
	}
	for _, st := range c.steps {
		e, ok := c.effects.of(st)
		if !ok || e.trivial {
			continue
		}
		for _, f := range e.carried {
			why := "the start command uses it; it needs nothing but the C library"
			if f == zoneInfo {
				why = fmt.Sprintf("dhi %s does not declare the time zones that line %d installs", c.def.Image, st.Lines[0])
			}
			want(f, false, why, st.Lines[0])
		}
		if c.recipe != nil {
			c.recipePaths(st, e, want)
			continue
		}
		if e.unknown != "" {
			c.block("writes-unknown", "what it leaves behind cannot be told: "+e.unknown, st.Lines[0])
			continue
		}
		if e.cwd {
			want(st.Before.WorkDir, true, fmt.Sprintf("line %d writes here, and the program runs from here", st.Lines[0]), st.Lines[0])
		}
		for _, p := range e.paths {
			if c.venv.dir != "" && pythonPath(p) {
				continue
			}
			if want(p, !ofPHP(c.def, p), fmt.Sprintf("line %d makes it", st.Lines[0]), st.Lines[0]) {
				paths[len(paths)-1].maybe = e.maybe[p]
			}
		}
	}
	if c.venv.home != "" {
		want(c.venv.home, true, "the home directory of the account that installs the packages, with the virtual environment in it", c.final.From.Lines[0])
	}
	if home := c.home(); home != "" && home != c.venv.home {
		want(home, true, "the home directory of the account whose number the program runs as", c.final.From.Lines[0])
	}
	if c.venv.dir != "" && !c.broughtLater(c.venv.dir) {
		want(c.venv.dir, false, "the installed packages, at the same path in both stages because a virtual environment cannot move", c.final.From.Lines[0])
	}
	if c.npm != nil {
		want(newPrefix, false, fmt.Sprintf("%s and what it needs: line %d installs it", c.npm.program, c.npm.line), c.npm.line)
	}
	if c.zones != "" {
		want(zoneInfo, false, c.zones, c.final.From.Lines[0])
	}
	paths = minimal(paths)
	c.conditional(paths)
	c.replicate(paths)
	c.removals(paths)
	for _, a := range paths {
		flags := "--from=" + c.source
		if a.chown && !c.user.Root && c.user.Spec != "0:0" {
			flags += " --chown=" + c.chownName()
		}
		c.add("multi-stage", fmt.Sprintf("COPY %s %s %s", flags, quotePath(a.path), quotePath(a.path)), a.why)
	}
}

// broughtLater tells whether a COPY that stays in the stage brings a directory
// from another one, so that the stage that stays behind need not have it.
func (c *composer) broughtLater(dir string) bool {
	for _, st := range c.tail {
		if st.Copy == nil || st.Copy.FromStage == nil {
			continue
		}
		if d := path.Clean(st.Copy.Dest); d == dir || under(dir, d) {
			return true
		}
	}
	return false
}

// conditional refuses to copy what is there only when a condition holds: COPY
// fails when its source is missing.
func (c *composer) conditional(paths []artifact) {
	for _, a := range paths {
		if a.maybe && !c.there(a.path) {
			c.block("writes-unknown", fmt.Sprintf("it makes %s under a condition, and what is not there cannot be copied", a.path), a.line)
		}
	}
}

// there tells whether a path exists in the build stage whatever its RUNs do.
func (c *composer) there(p string) bool {
	for _, st := range c.steps {
		if st.Copy != nil && slices.Contains(copiedFiles(st.Copy), p) || under(st.Before.WorkDir, p) || st.Before.WorkDir == p {
			return true
		}
	}
	for _, d := range c.def.Directories {
		if d.Path == p || under(d.Path, p) {
			return true
		}
	}
	return false
}

// chownName is the owner that copied files get: the name that the image gives
// its user when the file had none of its own, else the number.
func (c *composer) chownName() string { return c.user.Spec }

// recipePaths takes what a RUN makes beside the program: directories for data,
// files outside of the sources.
func (c *composer) recipePaths(st *assess.Step, e effect, want func(string, bool, string, int) bool) {
	for _, p := range e.paths {
		inside := false
		for _, a := range c.recipe.artifacts {
			if p == a.path || strings.HasPrefix(a.path, p+"/") || strings.HasPrefix(p, a.path+"/") {
				inside = true
			}
		}
		if inside || under(p, st.Before.WorkDir) || strings.HasPrefix(p, "/go/") || strings.HasPrefix(p, "/usr/local/cargo") || strings.HasPrefix(p, "/usr/local/go") || systemDir(p) {
			continue
		}
		if want(p, true, fmt.Sprintf("line %d makes it", st.Lines[0]), st.Lines[0]) && e.maybe[p] && !c.there(p) {
			c.block("writes-unknown", fmt.Sprintf("it makes %s under a condition, and what is not there cannot be copied", p), st.Lines[0])
		}
	}
}

// replicate repeats the COPY instructions whose files are not below a copied
// directory.
func (c *composer) replicate(paths []artifact) {
	for _, st := range c.steps {
		if st.Copy == nil {
			continue
		}
		d := strings.TrimSuffix(st.Copy.Dest, "/")
		if d == "" {
			d = "/"
		}
		if coveredBy(d, paths) || c.covered(st) || c.removedAgain(st) {
			if c.user.Fetched[st] {
				for _, a := range paths {
					if !a.chown {
						c.plan.open(c.final, a.path)
					}
				}
			}
			continue
		}
		if c.recipe != nil && st.Copy.From == "" && !st.Copy.Inline && (under(d, st.Before.WorkDir) || d == st.Before.WorkDir || sourceTree(c.steps, d)) {
			// Sources of a compiled program stay behind; files that are placed
			// elsewhere go along.
			continue
		}
		if c.buildTool(st) {
			continue
		}
		if strings.Contains(d, "$") {
			c.block("writes-unknown", fmt.Sprintf("it copies to %s, which cannot be told here", d), st.Lines[0])
			continue
		}
		text := c.written(st)
		if to, ok := c.user.Names[st.Copy.Chown]; ok && st.Copy.Chown != "" {
			text = strings.Replace(text, "--chown="+st.Copy.Chown, "--chown="+to, 1)
		}
		if c.user.Given[st] || c.user.Private[st] != "" {
			text = text[:len(st.Keyword)] + " --chown=" + c.user.Spec + text[len(st.Keyword):]
		} else if c.user.Fetched[st] {
			text = text[:len(st.Keyword)] + " " + Readable + text[len(st.Keyword):]
		}
		if !path.IsAbs(destOf(st)) && st.Before.WorkDir != c.end().WorkDir {
			abs, ok := absoluteDest(text, destOf(st), st.Copy.Dest)
			if !ok {
				c.block("workdir-changes", fmt.Sprintf("line %d copies relative to %s, another directory than the final one", st.Lines[0], st.Before.WorkDir), st.Lines[0])
				continue
			}
			text = abs
		}
		c.add("multi-stage", text, fmt.Sprintf("line %d stays in the build stage; the running image has the same files", st.Lines[0]))
	}
}

// buildTool tells whether a COPY brings an installer out of its own image that
// nothing starts: uv, composer.
func (c *composer) buildTool(st *assess.Step) bool {
	remote := len(st.Copy.Sources) == 1 && path.Base(st.Copy.Sources[0]) == "install-php-extensions"
	if !remote && st.Copy.From == "" || st.Copy.FromStage != nil {
		return false
	}
	for _, src := range st.Copy.Sources {
		switch path.Base(src) {
		case "uv", "uvx", "composer", "install-php-extensions":
		default:
			return false
		}
		for _, w := range c.plan.Start.Argv {
			if path.Base(w) == path.Base(src) {
				return false
			}
		}
	}
	return true
}

// absoluteDest writes the destination of a COPY, its last word, as an absolute
// path.
func absoluteDest(text, dest, abs string) (string, bool) {
	if dest == "" || strings.HasSuffix(strings.TrimSpace(text), "]") || !strings.HasSuffix(text, dest) {
		return "", false
	}
	return strings.TrimSuffix(text, dest) + abs, true
}

func destOf(st *assess.Step) string {
	if n := len(st.Words); n > 0 {
		return strings.Trim(st.Words[n-1].Text, `"'`)
	}
	return ""
}

// sourceTree tells whether a RUN works in d or above: what is copied there is
// material for the build.
func sourceTree(steps []*assess.Step, d string) bool {
	for _, st := range steps {
		if st.Run != nil && (d == st.Before.WorkDir || under(d, st.Before.WorkDir)) {
			return true
		}
	}
	return false
}

// covered tells whether a later COPY of the tail brings the same files: the
// whole context into the same directory.
func (c *composer) covered(st *assess.Step) bool {
	if st.Copy.From != "" || st.Copy.Inline {
		return false
	}
	for _, t := range c.tail {
		if t.Copy == nil || t.Copy.From != "" {
			continue
		}
		whole := slices.Contains(t.Copy.Sources, ".") || slices.Contains(t.Copy.Sources, "./")
		d, td := strings.TrimSuffix(st.Copy.Dest, "/"), strings.TrimSuffix(t.Copy.Dest, "/")
		if whole && (d == td || under(d, td)) && c.samePlace(st, td) {
			return true
		}
	}
	return false
}

// removedAgain tells whether a later RUN removes every file that a COPY brings:
// what was installed from is not needed any more.
func (c *composer) removedAgain(st *assess.Step) bool {
	files := copiedFiles(st.Copy)
	if len(files) == 0 || len(files) < len(st.Copy.Sources) {
		return false // patterns
	}
	after := false
	for _, t := range c.steps {
		if t == st {
			after = true
			continue
		}
		if !after || t.Run == nil || t.Run.Script == nil {
			continue
		}
		for _, op := range t.Run.Script.FileOps() {
			if op.Op != "rm" || op.Cmd != nil && op.Cmd.Conditional {
				continue
			}
			for _, p := range op.Paths {
				if !path.IsAbs(p) {
					p = path.Join(t.Before.WorkDir, p)
				}
				files = slices.DeleteFunc(files, func(f string) bool { return path.Clean(f) == path.Clean(p) })
			}
		}
	}
	return len(files) == 0
}

// samePlace tells whether a file of the context keeps its place when the
// whole context is copied to td.
func (c *composer) samePlace(st *assess.Step, td string) bool {
	for _, s := range st.Copy.Sources {
		dest := strings.TrimSuffix(st.Copy.Dest, "/")
		if strings.HasSuffix(st.Copy.Dest, "/") {
			dest = path.Join(dest, path.Base(s))
		}
		if strings.ContainsAny(s, "*?[") {
			if path.Dir(path.Join(td, s)) != strings.TrimSuffix(st.Copy.Dest, "/") {
				return false
			}
			continue
		}
		if path.Join(td, s) != dest && path.Join(td, s) != path.Join(dest, path.Base(s)) {
			return false
		}
	}
	return true
}

// removals refuses deletions that a COPY cannot carry over.
func (c *composer) removals(paths []artifact) {
	for _, st := range c.steps {
		e, ok := c.effects.of(st)
		if !ok {
			continue
		}
		for _, p := range e.removes {
			if dir, many := strings.CutSuffix(p, "/*"); many && (coveredBy(dir, paths) || replacedLater(c.final, st, p)) {
				continue
			}
			if coveredBy(p, paths) || c.recipe != nil || ephemeral(p) || strings.HasPrefix(p, "/root") || strings.HasPrefix(p, "/usr/share") && !strings.HasPrefix(p, "/usr/share/nginx") || c.overwritten(p) {
				continue
			}
			if strings.ContainsAny(p, "$") || inBaseImage(p) {
				c.block("removes-files", fmt.Sprintf("it removes %s, which the runtime image may have as well", p), st.Lines[0])
			}
		}
	}
}

// overwritten tells whether a COPY places a file over a removed one.
func (c *composer) overwritten(p string) bool {
	for _, st := range append(slices.Clone(c.steps), c.tail...) {
		if st.Copy != nil && slices.Contains(copiedFiles(st.Copy), p) {
			return true
		}
	}
	return false
}

// inBaseImage tells whether a path is of a kind that images bring themselves.
func inBaseImage(p string) bool {
	return strings.HasPrefix(p, "/etc/") || strings.HasPrefix(p, "/usr/") || strings.HasPrefix(p, "/bin/") || strings.HasPrefix(p, "/var/www") || strings.HasPrefix(p, "/opt/")
}

func minimal(in []artifact) []artifact {
	var out []artifact
	for i, a := range in {
		skip := false
		for j, b := range in {
			if i != j && (under(a.path, b.path) || a.path == b.path && j < i) {
				skip = true
			}
		}
		if !skip {
			for _, b := range in {
				if under(b.path, a.path) && b.chown {
					a.chown = true
				}
				if (b.path == a.path || under(b.path, a.path)) && !b.maybe {
					a.maybe = false
				}
			}
			out = append(out, a)
		}
	}
	return out
}

func coveredBy(p string, paths []artifact) bool {
	for _, a := range paths {
		if p == a.path || under(p, a.path) {
			return true
		}
	}
	return false
}

func under(p, dir string) bool {
	return strings.HasPrefix(p, strings.TrimSuffix(dir, "/")+"/") && p != dir
}

func pythonPath(p string) bool {
	return strings.Contains(p, "site-packages") || p == "/usr/local/bin" || p == "/usr/local" || strings.HasPrefix(p, "/usr/local/lib/python")
}

func quotePath(p string) string { return p }
