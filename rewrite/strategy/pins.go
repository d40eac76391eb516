package strategy

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
	"dhibot/rewrite/project"
	"dhibot/rewrite/shell"
)

// pinned tells why the version of a language that was chosen cannot install the
// dependencies: the project allows only others, and its package manager insists
// on that. Nil when nothing is known to speak against it.
func (in *Input) pinned(s *assess.Stage, ch *catalog.Choice) *Block {
	if ch.Image == "python" && ch.Bumped && strings.HasPrefix(ch.From, "2") && strings.HasPrefix(ch.To, "3") {
		return &Block{Rule: "base-image", Code: "version-not-offered", Line: s.From.Lines[0],
			Text: fmt.Sprintf("programs for Python %s do not run on Python %s, and DHI offers nothing older", ch.From, ch.To)}
	}
	if !in.known() {
		return nil
	}
	version := choiceVersion(ch)
	if version == "" {
		return nil
	}
	for _, t := range in.Stages.Tree(s) {
		for _, st := range t.Steps {
			if st.Run == nil || st.Run.Script == nil {
				continue
			}
			for _, p := range st.Run.Script.Packages() {
				if p.Verb != shell.Install && p.Verb != shell.Sync {
					continue
				}
				var b *Block
				switch {
				case ch.Image == "ruby" && p.Manager == "bundle":
					b = in.rubyPin(st, version)
				case ch.Image == "python":
					b = in.pythonPin(st, p, version)
				case ch.Image == "node":
					b = in.nodePin(st, p, version)
				}
				if b != nil {
					return b
				}
			}
		}
	}
	return nil
}

// choiceVersion is the whole version behind a choice: tags such as 3.4 move
// with their line, and its definition lists the version they mean now.
func choiceVersion(ch *catalog.Choice) string {
	pick := ch.Dev
	if pick == nil {
		pick = ch.Runtime
	}
	if pick == nil {
		return ""
	}
	best := pick.Version
	for _, t := range pick.Def.Tags {
		v, _, _ := strings.Cut(t, "-")
		if strings.HasPrefix(v, pick.Version+".") && strings.Count(v, ".") > strings.Count(best, ".") && strings.Trim(v, "0123456789.") == "" {
			best = v
		}
	}
	return best
}

// besideWorkDir is the file of the repository that stands in the working
// directory of a step under a name.
func (in *Input) besideWorkDir(st *assess.Step, name string) (string, bool) {
	return in.contextPath(st.Stage, path.Join(st.Before.WorkDir, name))
}

func (in *Input) rubyPin(st *assess.Step, version string) *Block {
	file, ok := in.besideWorkDir(st, "Gemfile")
	if !ok {
		return nil
	}
	r := in.Project.Ruby(path.Dir(file))
	if r == nil || r.Pin == "" {
		return nil
	}
	if allowed, known := project.Allows(project.Gem, r.Pin, version); allowed || !known {
		return nil
	}
	return pinBlock(r.PinAt, "Ruby", r.Pin, version, "Bundler refuses any other")
}

func (in *Input) pythonPin(st *assess.Step, p shell.PackageCall, version string) *Block {
	own := slices.ContainsFunc(p.Files, func(f string) bool { return f == "." || strings.HasPrefix(f, ".[") }) ||
		slices.ContainsFunc(p.Packages, func(f string) bool { return f == "." || strings.HasPrefix(f, ".[") })
	uv := p.Manager == "uv" && p.Verb == shell.Sync
	if uv {
		if b := in.uvPin(st, version); b != nil {
			return b
		}
	}
	name := "pyproject.toml"
	switch {
	case uv, p.Manager == "poetry", p.Manager == "pdm", own && (p.Manager == "pip" || p.Manager == "uv"):
	case p.Manager == "pipenv" && p.Cmd != nil && slices.ContainsFunc(p.Cmd.Args, func(a shell.Arg) bool { return a.Text == "--deploy" }):
		name = "Pipfile"
	default:
		return nil
	}
	file, ok := in.besideWorkDir(st, name)
	if !ok {
		return nil
	}
	y := in.Project.Python(path.Dir(file))
	if y == nil || y.Requires == "" || y.RequiresAt().Path != in.Project.Path(file) {
		return nil
	}
	if allowed, known := project.Allows(project.PEP440, y.Requires, version); allowed || !known {
		return nil
	}
	return pinBlock(y.RequiresAt(), "Python", y.Requires, version, p.Manager+" refuses any other")
}

// uvPin: uv follows .python-version and fetches an interpreter of its own when
// the image has another; the virtual environment then points to a place that
// does not come along.
func (in *Input) uvPin(st *assess.Step, version string) *Block {
	file, ok := in.besideWorkDir(st, ".python-version")
	if !ok || st.Before.Env["UV_PYTHON"] != "" {
		return nil
	}
	b, ok := in.Project.Read(file)
	if !ok {
		return nil
	}
	want := strings.TrimSpace(strings.SplitN(string(b), "\n", 2)[0])
	if want == "" || strings.Trim(want, "0123456789.") != "" || version == want || strings.HasPrefix(version, want+".") {
		return nil
	}
	return &Block{Rule: "base-image", Code: "python-layout", Path: in.Project.Path(file), Line: 1,
		Text: fmt.Sprintf("uv fetches Python %s, which this file asks for, because the image has %s; the virtual environment then points to an interpreter that does not come along", want, version)}
}

func (in *Input) nodePin(st *assess.Step, p shell.PackageCall, version string) *Block {
	if p.Global || p.Manager != "yarn" && p.Manager != "pnpm" {
		return nil
	}
	if p.Cmd != nil && slices.ContainsFunc(p.Cmd.Args, func(a shell.Arg) bool { return a.Text == "--ignore-engines" }) {
		return nil
	}
	file, ok := in.besideWorkDir(st, "package.json")
	if !ok {
		return nil
	}
	n := in.Project.Node(path.Dir(file))
	if n == nil || n.Engines == "" || p.Manager == "yarn" && berry(n.PackageManager) {
		return nil
	}
	if _, ok := in.besideWorkDir(st, ".yarnrc.yml"); ok && p.Manager == "yarn" {
		return nil
	}
	if allowed, known := project.Allows(project.NPM, n.Engines, version); allowed || !known {
		return nil
	}
	return pinBlock(n.Line("engines", "node"), "Node.js", n.Engines, version, p.Manager+" refuses any other")
}

// berry tells whether a packageManager field names a Yarn that does not look at
// engines: every one but Yarn 1.
func berry(field string) bool {
	v, ok := strings.CutPrefix(field, "yarn@")
	if !ok {
		return false
	}
	major, _, _ := strings.Cut(v, ".")
	n, err := strconv.Atoi(major)
	return err == nil && n > 1
}

func pinBlock(at project.Evidence, language, pin, version, who string) *Block {
	return &Block{Rule: "base-image", Code: "version-not-offered", Path: at.Path, Line: at.Line,
		Text: fmt.Sprintf("it asks for %s %s and %s; DHI has %s", language, pin, who, version)}
}
