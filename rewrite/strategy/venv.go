package strategy

import (
	"fmt"
	"path"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
	"dhibot/rewrite/shell"
)

// venv is the virtual environment that the final image runs from.
type venv struct {
	dir string
	// own tells that the program is started by its path in the environment or
	// through an activated one, so that the PATH stays as it is.
	own bool
	// stage and before tell where one has to be made; nil when the file makes
	// it itself.
	before *assess.Step
	why    string
	// home is the home directory that it is made in, because another user than
	// root installs the packages; "" otherwise.
	home string
}

const newVenv = "/opt/venv"

// virtualEnv finds the virtual environment of a Python image, or decides to
// make one: packages in the interpreter's own directory cannot be copied to
// the DHI image, whose interpreter stands elsewhere.
func (in *Input) virtualEnv(f *assess.Stage, list []effect, image string) (venv, *Block) {
	if image != "python" {
		return venv{}, nil
	}
	if d := in.ownVenv(f); d != "" {
		return venv{dir: d}, nil
	}
	if d := projectVenv(f, list); d != "" {
		return venv{dir: d, own: true}, nil
	}
	dir, home := newVenv, in.installerHome(f, list)
	if home != "" {
		dir = path.Join(home, ".venv")
	}
	for _, e := range list {
		for _, p := range e.python {
			if b := in.venvRefuses(e, p); b != nil && (home == "" || e.step.Before.Root() || in.placeRefuses(e, p) != nil) {
				return venv{}, b
			}
		}
	}
	for _, e := range list {
		for _, p := range e.python {
			if onlyTools(p) {
				continue
			}
			why := fmt.Sprintf("line %d installs into the interpreter's own directory, which cannot be copied to the DHI image; a virtual environment at %s can, and the commands stay as they are because it comes first on the PATH", e.step.Lines[0], dir)
			if e.poetry {
				why = fmt.Sprintf("line %d makes a virtual environment in Poetry's cache; Poetry takes the one at %s, which is active, and that can be copied", e.step.Lines[0], dir)
			}
			return venv{dir: dir, before: firstPython(list), why: why, home: home}, nil
		}
	}
	return venv{}, nil
}

// installerHome is the home directory of the account that installs every
// package; "" when root does, when there are several, or when the file does not
// make that directory.
func (in *Input) installerHome(f *assess.Stage, list []effect) string {
	user := ""
	for _, e := range list {
		if len(e.python) == 0 {
			continue
		}
		u := e.step.Before.EffectiveUser()
		if e.step.Before.Root() || user != "" && u != user {
			return ""
		}
		user = u
	}
	for _, st := range f.ChainSteps() {
		if user == "" || st.Run == nil || st.Run.Script == nil {
			continue
		}
		for _, a := range st.Run.Script.Accounts() {
			if a.Kind != "user" || !a.CreateHome || !a.Literal || a.Name != user && a.UID != user {
				continue
			}
			if a.Home != "" {
				return a.Home
			}
			return "/home/" + a.Name
		}
	}
	return ""
}

func firstPython(list []effect) *assess.Step {
	for _, e := range list {
		if len(e.python) > 0 {
			return e.step
		}
	}
	return nil
}

// onlyTools tells whether a call installs nothing but installers.
func onlyTools(p shell.PackageCall) bool {
	if len(p.Packages) == 0 || len(p.Files) > 0 || p.Unknown {
		return false
	}
	for _, n := range p.Packages {
		switch strings.ToLower(n) {
		case "pip", "setuptools", "wheel", "virtualenv", "pipenv", "poetry", "uv", "pip-tools", "build":
		default:
			return false
		}
	}
	return true
}

// ownVenv is the virtual environment that the file makes or copies itself.
func (in *Input) ownVenv(f *assess.Stage) string {
	for _, st := range f.ChainSteps() {
		if st.Run == nil || st.Run.Script == nil {
			continue
		}
		for _, c := range st.Run.Script.Commands {
			dir := ""
			switch {
			case (strings.HasPrefix(c.Name, "python")) && len(c.Args) >= 3 && c.Args[0].Text == "-m" && (c.Args[1].Text == "venv" || c.Args[1].Text == "virtualenv"):
				dir = lastOperand(c.Args[2:])
			case c.Name == "virtualenv" && len(c.Args) > 0:
				dir = lastOperand(c.Args)
			case c.Name == "uv" && len(c.Args) > 0 && c.Args[0].Text == "venv":
				if dir = lastOperand(c.Args[1:]); dir == "" {
					dir = ".venv"
				}
			case c.Name == "uv" && len(c.Args) > 0 && c.Args[0].Text == "sync":
				if dir = st.Before.Env["UV_PROJECT_ENVIRONMENT"]; dir == "" {
					dir = ".venv"
				}
			}
			if dir == "" || strings.ContainsAny(dir, "$*") {
				continue
			}
			if !path.IsAbs(dir) {
				dir = path.Join(st.Before.WorkDir, dir)
			}
			if onEnvPath(f, dir) {
				return path.Clean(dir)
			}
		}
	}
	// Copied from an earlier stage, and on the PATH.
	for dir := range strings.SplitSeq(f.End.Env["PATH"], ":") {
		if path.Base(dir) != "bin" {
			continue
		}
		root := path.Dir(path.Clean(dir))
		for _, st := range f.ChainSteps() {
			if st.Copy == nil || st.Copy.FromStage == nil {
				continue
			}
			d := strings.TrimSuffix(st.Copy.Dest, "/")
			if d == root || under(root, d) {
				return root
			}
		}
	}
	return ""
}

// projectVenv is the virtual environment that a RUN of the image makes and that
// the start command uses without the PATH: by its path (.venv/bin/uvicorn) or
// through uv run, which looks for the one of the project.
func projectVenv(f *assess.Stage, list []effect) string {
	words := rawStartWords(f)
	if len(words) == 0 {
		return ""
	}
	uv := path.Base(words[0]) == "uv" && len(words) > 2 && words[1] == "run"
	if !uv && path.Base(path.Dir(words[0])) != "bin" {
		return ""
	}
	bin := path.Dir(words[0])
	if !path.IsAbs(bin) {
		bin = path.Join(f.End.WorkDir, bin)
	}
	dir := path.Dir(bin)
	if uv {
		dir = path.Join(f.End.WorkDir, ".venv")
		if e := f.End.Env["UV_PROJECT_ENVIRONMENT"]; e != "" {
			dir = e
		}
	}
	for _, e := range list {
		if e.step.Run.Script == nil {
			continue
		}
		for _, c := range e.step.Run.Script.Commands {
			made := ""
			switch {
			case c.Name == "uv" && len(c.Args) > 0 && c.Args[0].Text == "sync":
				if made = e.step.Before.Env["UV_PROJECT_ENVIRONMENT"]; made == "" {
					made = ".venv"
				}
			case c.Name == "uv" && len(c.Args) > 0 && c.Args[0].Text == "venv":
				if made = lastOperand(c.Args[1:]); made == "" {
					made = ".venv"
				}
			case strings.HasPrefix(c.Name, "python") && len(c.Args) >= 3 && c.Args[0].Text == "-m" && c.Args[1].Text == "venv":
				made = lastOperand(c.Args[2:])
			}
			if made == "" || strings.ContainsAny(made, "$*") {
				continue
			}
			if !path.IsAbs(made) {
				made = path.Join(e.step.Before.WorkDir, made)
			}
			if path.Clean(made) == dir {
				return dir
			}
		}
	}
	return ""
}

func onEnvPath(f *assess.Stage, dir string) bool {
	for p := range strings.SplitSeq(f.End.Env["PATH"], ":") {
		if path.Clean(p) == path.Join(dir, "bin") {
			return true
		}
	}
	return false
}

func lastOperand(args []shell.Arg) string {
	out := ""
	for _, a := range args {
		if !strings.HasPrefix(a.Text, "-") {
			out = a.Text
		}
	}
	return out
}

// venvRefuses tells why a call cannot work in a virtual environment.
func (in *Input) venvRefuses(e effect, p shell.PackageCall) *Block {
	line := e.step.Lines[0]
	block := func(text string) *Block {
		return &Block{Rule: "package-management", Code: "python-layout", Line: line, Text: text}
	}
	if !e.step.Before.Root() {
		return block("packages are installed as " + e.step.Before.EffectiveUser() + ", who may not write to a virtual environment that root makes")
	}
	return in.placeRefuses(e, p)
}

// placeRefuses tells why a call does not install into the virtual environment
// that is first on the PATH.
func (in *Input) placeRefuses(e effect, p shell.PackageCall) *Block {
	line := e.step.Lines[0]
	block := func(text string) *Block {
		return &Block{Rule: "package-management", Code: "python-layout", Line: line, Text: text}
	}
	if p.Manager == "conda" {
		return block("packages are installed with conda, which the DHI image does not have")
	}
	if strings.HasPrefix(p.Cmd.Path, "/") {
		return block(fmt.Sprintf("it calls %s, the old image's own installer", p.Cmd.Path))
	}
	for _, a := range p.Cmd.Args {
		switch flag, _, _ := strings.Cut(a.Text, "="); flag {
		case "--system":
			if _, ok := in.systemPieces(e.step); ok && p.Manager == "uv" {
				continue
			}
			return block("it installs with --system, into a place of the old interpreter")
		case "--user", "--target", "-t", "--prefix", "--root", "--python":
			return block(fmt.Sprintf("it installs with %s, into a place of the old interpreter", flag))
		}
	}
	for _, name := range []string{"PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT"} {
		if v := e.step.Before.Env[name]; v != "" && v != "0" && p.Manager == "pip" {
			return block(fmt.Sprintf("%s sends packages to a place of the old interpreter", name))
		}
	}
	if _, inCommand := systemByVariable(e.step, p); inCommand {
		return block("uv is told to install into the old interpreter (UV_SYSTEM_PYTHON)")
	}
	return nil
}

// venvInserts puts the virtual environment in front of the first installation.
func (d *decider) venvInserts(v venv) {
	if v.before == nil {
		return
	}
	add := func(text, why string) {
		d.Inserts = append(d.Inserts, Insert{Stage: v.before.Stage, Before: v.before, Line: Line{Rule: "package-management", Text: text, Why: why}})
	}
	add("RUN python3 -m venv "+v.dir, v.why)
	more := d.uvIntoVenv(v.before.Stage.ChainSteps())
	add(fmt.Sprintf("ENV VIRTUAL_ENV=%s PATH=%q%s", v.dir, v.dir+"/bin:$PATH", more), "pip and the tools built on it find the virtual environment first")
}

// layoutOfFinal refuses files of the final stage that are placed where only
// the old image looks for them, or where the new user cannot read them.
func (d *decider) layoutOfFinal(root *Stage, image string) []Block {
	var out []Block
	f := d.Final.Stage
	paths := append(layouts(image), runtimeLayouts(image)...)
	for _, st := range f.ChainSteps() {
		if st.Copy == nil || d.site.replaces(st) {
			continue
		}
		dest := strings.TrimSuffix(st.Copy.Dest, "/")
		switch {
		case !d.RunUser.Root && d.RunUser.Spec != "0:0" && (dest == "/root" || strings.HasPrefix(dest, "/root/")):
			out = append(out, Block{Rule: "nonroot-user", Code: "root-home", Line: st.Lines[0], Text: fmt.Sprintf("it copies files to %s, which only root can read", dest)})
		case image == "python" && st.Copy.From != "" && (dest == "/usr/local" || dest == "/usr/local/lib" || dest == "/usr"):
			out = append(out, Block{Rule: "base-image", Code: "python-layout", Line: st.Lines[0], Text: fmt.Sprintf("it copies packages to %s, where the interpreter of the DHI image does not look", dest)})
		}
		for _, p := range paths {
			if image == "php" && movedPHP(st, p) {
				continue
			}
			if dest == strings.TrimSuffix(p, "/") || strings.HasPrefix(dest, p) {
				out = append(out, Block{Rule: "base-image", Code: "image-layout", Line: st.Lines[0], Text: fmt.Sprintf("it copies to %s, which dhi %s does not use", dest, image)})
				break
			}
		}
	}
	return out
}

// runtimeLayouts are places that only the dev variant still looks at.
func runtimeLayouts(image string) []string {
	if image == "nginx" {
		return []string{"/docker-entrypoint.d", "/docker-entrypoint.sh", "/etc/nginx/templates", "/usr/lib/nginx/modules"}
	}
	return nil
}

// restoreWorkDir keeps relative paths working where the new image starts in
// another directory than the old one.
func (d *decider) restoreWorkDir(root *Stage, def *catalog.Definition) {
	old, now := "/", "/"
	if root.Origin.Config.WorkDir != "" {
		old = path.Clean(root.Origin.Config.WorkDir)
	}
	if def.WorkDir != "" {
		now = path.Clean(def.WorkDir)
	}
	if old == now || !root.Origin.Config.Known || !d.reliesOnWorkDir(root.Stage) {
		return
	}
	why := fmt.Sprintf("dhi %s starts in %s; the instructions below rely on %s", def.Image, now, old)
	if root == d.Final {
		why = fmt.Sprintf("dhi %s starts in %s; this image started in %s, and relative paths keep their meaning", def.Image, now, old)
	}
	d.Inserts = append(d.Inserts, Insert{Stage: root.Stage, Line: Line{Rule: "base-image", Text: "WORKDIR " + old, Why: why}})
}

// anywhere tells whether a RUN does the same in every directory: it handles
// packages, accounts and absolute paths only.
func anywhere(sc *shell.Script) bool {
	system := map[*shell.Command]bool{}
	for _, p := range sc.Packages() {
		if p.System {
			system[p.Cmd] = true
		}
	}
	for _, c := range sc.Commands {
		switch {
		case system[c], isAccount(c.Name), c.Name == "set", c.Name == "true", c.Name == "corepack", c.Name == "" && len(c.Redirects) == 0:
			continue
		case c.Name == "mkdir", c.Name == "rm", c.Name == "chmod", c.Name == "chown", c.Name == "touch":
		default:
			return false
		}
		mode := c.Name == "chmod" || c.Name == "chown" // the first word that is no option
		for _, a := range c.Args {
			if strings.HasPrefix(a.Text, "-") {
				continue
			}
			if !mode && !strings.HasPrefix(a.Text, "/") {
				return false
			}
			mode = false
		}
	}
	return true
}

// reliesOnWorkDir tells whether something happens in a stage before it says
// where.
func (d *decider) reliesOnWorkDir(s *assess.Stage) bool {
	for _, st := range s.Steps {
		switch st.Keyword {
		case "WORKDIR":
			return !path.IsAbs(strings.Trim(strings.TrimSpace(st.Text), `"'`))
		case "RUN":
			if st.Run == nil || st.Run.Script == nil || !anywhere(st.Run.Script) {
				return true
			}
		case "COPY", "ADD":
			if !path.IsAbs(destOf(st)) {
				return true
			}
		}
	}
	if s == d.Final.Stage {
		// Without a command of its own nobody knows what runs there, or where.
		return s.End.Cmd.Step != nil || s.End.Entrypoint.Step != nil || service(d.root(s).Choice.Image)
	}
	for _, c := range s.Children {
		if d.reliesOnWorkDir(c) {
			return true
		}
	}
	return false
}
