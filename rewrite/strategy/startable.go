package strategy

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
	"dhibot/rewrite/shell"
)

// startable tells whether a command can start on the new image, and how it has
// to read when the old image did something in between. why is empty when the
// words stay.
func (t *starter) startable(c assess.Command, argv []string) (fixed []string, why string, b *Block) {
	if len(argv) == 0 {
		bl := t.block(c, "no-start-command", "the start command is empty")
		return nil, "", &bl
	}
	prog := argv[0]
	name := path.Base(prog)
	switch {
	case strings.ContainsAny(prog, "$"):
		bl := t.block(c, "start-unknown", fmt.Sprintf("the start command begins with a variable (%s)", prog))
		return nil, "", &bl
	case t.carried[prog] || t.carriedName(prog) || initProgram(name) && t.brings(prog):
		return t.wrapped(c, argv)
	case name == "tini" || name == "dumb-init" || name == "gosu" || name == "su-exec" || name == "catatonit":
		bl := t.block(c, "start-program-missing", fmt.Sprintf("it starts through %s, which the runtime image does not have", name))
		return nil, "", &bl
	case shellName(prog):
		return t.shellStart(c, argv)
	case name == "env" && len(argv) > 1:
		bl := t.block(c, "start-program-missing", "it starts through env, which the runtime image does not surely have")
		return nil, "", &bl
	}
	if path.IsAbs(prog) && slices.Contains(t.def.Entrypoint, prog) {
		return argv, "", nil // the image starts it itself
	}
	if own := ownProgram(t.def, name); path.IsAbs(prog) && own != "" && !t.copied(prog) && !t.made[prog] {
		return append([]string{own}, argv[1:]...), fmt.Sprintf("dhi %s has the program at another place", t.def.Image), nil
	}
	if why := compilesAtStart(argv); why != "" {
		bl := t.block(c, "development-stage", why)
		return nil, "", &bl
	}
	if fixed, why, b := t.nodeStart(c, argv); fixed != nil || b != nil {
		return fixed, why, b
	}
	if fixed, why, b := t.pythonStart(c, argv); fixed != nil || b != nil {
		return fixed, why, b
	}
	if fixed, why := t.rubyStart(argv); fixed != nil {
		return fixed, why, nil
	}
	if !strings.Contains(prog, "/") {
		if file, ok := t.onPath(prog); ok {
			if fixed, why, b := t.file(c, argv, file); b != nil || why != "" {
				return fixed, why, b
			}
			return t.named(argv, file)
		}
		if file := t.providedAt(prog); file != "" {
			return t.named(argv, file)
		}
		if t.def.HasProgram(prog) {
			return t.script(c, argv)
		}
		if prog == "java" && t.copiedJava() {
			return argv, "", nil
		}
		bl := t.block(c, "start-program-missing", fmt.Sprintf("it starts %s, which dhi %s does not surely have", prog, t.def.Image))
		return nil, "", &bl
	}
	abs := prog
	if !path.IsAbs(abs) {
		abs = path.Join(t.final.End.WorkDir, abs)
	}
	if t.made[abs] && !t.copied(abs) && !scriptName(abs) {
		return argv, "", nil
	}
	if path.IsAbs(prog) && t.def.HasProgram(name) && (strings.HasPrefix(prog, "/usr/bin/") || strings.HasPrefix(prog, "/bin/") || strings.HasPrefix(prog, "/usr/local/bin/") || strings.HasPrefix(prog, "/opt/java/")) && !t.copied(abs) {
		out := append([]string{name}, argv[1:]...)
		return out, fmt.Sprintf("%s may stand elsewhere in the DHI image; by name it is found on the PATH", prog), nil
	}
	return t.file(c, argv, abs)
}

// wrapped checks what a copied init program starts.
func (t *starter) wrapped(c assess.Command, argv []string) ([]string, string, *Block) {
	rest := argv[1:]
	for i, a := range rest {
		if a == "--" {
			rest = rest[i+1:]
			break
		}
		if i > 0 && (argv[i] == "-e" || argv[i] == "-p" || argv[i] == "-r" || argv[i] == "--rewrite") {
			continue // the value of an option of tini or dumb-init
		}
		if !strings.HasPrefix(a, "-") {
			rest = rest[i:]
			break
		}
	}
	if len(rest) == 0 {
		return argv, "", nil
	}
	fixed, why, b := t.startable(c, rest)
	if b != nil {
		return nil, "", b
	}
	return append(append([]string(nil), argv[:len(argv)-len(rest)]...), fixed...), why, nil
}

// initProgram tells whether a program does nothing but start another one and
// pass signals on; both are built to need no other file.
func initProgram(name string) bool { return name == "tini" || name == "dumb-init" }

// brings tells whether a COPY of the file places a program.
func (t *starter) brings(prog string) bool {
	if !strings.Contains(prog, "/") {
		_, ok := t.onPath(prog)
		return ok
	}
	return path.IsAbs(prog) && t.copied(prog)
}

// file checks a program that is a file of the image: it needs no shell unless
// it is a script.
func (t *starter) file(c assess.Command, argv []string, abs string) ([]string, string, *Block) {
	info := t.in.scriptOf(t.final, abs)
	if name := interpreterOf(abs); name != "" && info.interpreter == "" && info.path == "" && t.def.HasProgram(name) {
		info.interpreter = name
	}
	switch {
	case info.interpreter == "" && (scriptName(abs) || info.path == "" && t.entrypointFile(abs)):
		bl := t.block(c, "script-start", fmt.Sprintf("it starts %s, by its name a shell script", argv[0]))
		return nil, "", &bl
	case info.interpreter == "" && info.path == "" && (jvm(t.def.Image) && !t.nativeImage(abs) || launchScript(abs) || t.releaseScript(abs)):
		text := fmt.Sprintf("it starts %s; what starts a program for the Java virtual machine beside java itself is a shell script as a rule (Gradle's installDist and Maven's appassembler write one)", argv[0])
		if strings.Contains(abs, "/rel/") || t.releaseScript(abs) {
			text = fmt.Sprintf("it starts %s; releases of Erlang and Elixir start through a shell script", argv[0])
		}
		bl := t.block(c, "script-start", text)
		return nil, "", &bl
	case info.interpreter == "" && info.guess != "":
		bl := t.block(c, "script-start", fmt.Sprintf("it starts %s, %s", argv[0], info.guess))
		return nil, "", &bl
	case info.interpreter == "":
		if !t.copied(abs) && !t.made[abs] && !t.builds {
			bl := t.block(c, "start-program-missing", fmt.Sprintf("it starts %s, and nothing in the file says where that comes from", argv[0]))
			return nil, "", &bl
		}
		return argv, "", nil
	}
	name := path.Base(info.interpreter)
	if shellName(name) {
		if t.hasShell(info.interpreter) && !info.env {
			if why := t.shellNeeds(info.shell); why != "" {
				bl := t.block(c, "script-start", fmt.Sprintf("it starts %s, %s script that %s", argv[0], article(name), why))
				bl.Path, bl.Line = info.path, 1
				if info.path == "" {
					bl.Line = t.final.From.Lines[0]
				}
				return nil, "", &bl
			}
			return argv, "", nil
		}
		bl := t.block(c, "script-start", fmt.Sprintf("it starts %s, %s script", argv[0], article(name)))
		bl.Path, bl.Line = info.path, 1
		if info.path == "" {
			bl.Line = t.final.From.Lines[0]
		}
		return nil, "", &bl
	}
	if !t.def.HasProgram(name) {
		bl := t.block(c, "start-program-missing", fmt.Sprintf("it starts %s, a script for %s, which dhi %s does not surely have", argv[0], name, t.def.Image))
		return nil, "", &bl
	}
	out := append([]string{name, abs}, argv[1:]...)
	return out, fmt.Sprintf("%s is a script for %s; naming the interpreter needs neither env nor a path that the image may not have", argv[0], name), nil
}

// article puts a or an in front of the name of a shell.
func article(name string) string {
	if name == "ash" {
		return "an " + name
	}
	return "a " + name
}

// interpreterOf is the interpreter of a script by its name.
func interpreterOf(p string) string {
	switch path.Ext(p) {
	case ".php", ".phar":
		return "php"
	case ".rb":
		return "ruby"
	}
	return ""
}

// ownProgram is how an image names the program that it starts by itself, when
// that has the name; "" when it has not.
func ownProgram(def *catalog.Definition, name string) string {
	own := def.Entrypoint
	if len(own) == 0 {
		own = def.Cmd
	}
	if !service(def.Image) || len(own) == 0 || path.Base(own[0]) != name || shellName(name) {
		return ""
	}
	return own[0]
}

// scriptName tells whether a file is a shell script by its name.
func scriptName(p string) bool {
	return strings.HasSuffix(p, ".sh") || strings.HasSuffix(p, ".bash")
}

// entrypointFile tells whether a file that is not at hand is called like the
// scripts that containers start with, and comes from the build context: what a
// build stage makes may be a program of that name.
func (t *starter) entrypointFile(abs string) bool {
	switch path.Base(abs) {
	case "entrypoint", "docker-entrypoint", "docker_entrypoint", "container-entrypoint":
	default:
		return false
	}
	for _, st := range t.final.ChainSteps() {
		if c := st.Copy; c != nil && c.From == "" && c.FromStage == nil && (slices.Contains(copiedFiles(c), abs) || under(abs, path.Clean(c.Dest))) {
			return true
		}
	}
	return false
}

// jvm tells whether an image runs programs for the Java virtual machine.
func jvm(image string) bool {
	switch image {
	case "eclipse-temurin", "amazoncorretto", "azul", "sapmachine":
		return true
	}
	return false
}

// nativeImage tells whether a program is copied from a stage that compiles Java
// to machine code.
func (t *starter) nativeImage(abs string) bool {
	from := copiedProgram(t.final, abs)
	if from == nil {
		return false
	}
	for _, st := range from.ChainSteps() {
		if st.Run != nil && (strings.Contains(st.Text, "native-image") || strings.Contains(st.Text, "-Pnative") || strings.Contains(st.Text, "nativeCompile")) {
			return true
		}
	}
	return false
}

// launchScript tells whether a path is one where build tools write a start
// script: Gradle's installDist, Elixir's and Erlang's releases.
func launchScript(p string) bool {
	return strings.Contains(p, "/build/install/") && path.Base(path.Dir(p)) == "bin" || strings.Contains(p, "/rel/") && path.Base(path.Dir(p)) == "bin"
}

// releaseScript tells whether a program is the start script of a release of
// Erlang or Elixir that a COPY brings under another name.
func (t *starter) releaseScript(abs string) bool {
	for _, st := range t.final.ChainSteps() {
		c := st.Copy
		if c == nil || c.FromStage == nil || len(c.Sources) != 1 || path.Dir(abs) != path.Join(path.Clean(c.Dest), "bin") {
			continue
		}
		if src := path.Clean("/" + c.Sources[0]); strings.Contains(src, "/_build/") && strings.Contains(src, "/rel/") {
			return true
		}
	}
	return false
}

// script checks the first argument of an interpreter: nothing to do but to
// accept it.
func (t *starter) script(_ assess.Command, argv []string) ([]string, string, *Block) {
	return argv, "", nil
}

// nodeStart handles what the official node image and the package managers do
// between CMD and node.
func (t *starter) nodeStart(c assess.Command, argv []string) ([]string, string, *Block) {
	if t.def.Image != "node" || len(argv) == 0 { // CMD [] takes the command away
		return nil, "", nil
	}
	name := path.Base(argv[0])
	switch {
	case strings.HasPrefix(argv[0], "-") || strings.HasSuffix(argv[0], ".js") || strings.HasSuffix(argv[0], ".mjs") || strings.HasSuffix(argv[0], ".cjs"):
		return append([]string{"node"}, argv...), "the old entry point ran node for a command that is a file or an option; the DHI image has no entry point", nil
	case name == "npx" && len(argv) > 1 && t.globals[argv[1]] != nil:
		fixed, why, _ := t.globalStart(argv[1], argv[2:])
		return fixed, why, nil
	case name == "npm" || name == "yarn" || name == "pnpm" || name == "npx":
		r := t.in.nodeCommand(t.final, argv)
		if r.argv == nil {
			bl := t.block(c, "package-manager-start", fmt.Sprintf("it starts through %s, which the runtime image does not have: %s", name, r.reason))
			if r.path != "" {
				bl.Path, bl.Line = r.path, r.line
			}
			return nil, "", &bl
		}
		if t.def.HasProgram(r.argv[0]) {
			t.env = append(t.env, r.env...)
			return r.argv, fmt.Sprintf("the runtime image has no %s; %s", name, r.reason), nil
		}
		bl := t.block(c, "package-manager-start", fmt.Sprintf("%s starts %s, which is not surely there", strings.Join(argv, " "), r.argv[0]))
		return nil, "", &bl
	case name != "node" && !strings.Contains(argv[0], "/") && !t.def.HasProgram(name):
		if fixed, why, ok := t.globalStart(name, argv[1:]); ok {
			return fixed, why, nil
		}
		if r := t.in.nodeBin(t.final, name, argv[1:]); r.argv != nil {
			return r.argv, "the runtime image does not surely have env, which the scripts in node_modules/.bin need; " + r.reason, nil
		}
	}
	return nil, "", nil
}

// pythonStart handles console scripts and the names of the interpreter.
func (t *starter) pythonStart(c assess.Command, argv []string) ([]string, string, *Block) {
	if t.def.Image != "python" {
		return nil, "", nil
	}
	name := argv[0]
	if strings.Contains(name, "/") {
		dir := path.Dir(name)
		if t.venv != "" && dir == t.venv {
			return argv, "", nil
		}
		if dir == "/usr/local/bin" && !t.copied(name) {
			if strings.HasPrefix(path.Base(name), "python") {
				return append([]string{"python"}, argv[1:]...), "the interpreter stands elsewhere in the DHI image; by name it is found on the PATH", nil
			}
			if t.venv != "" {
				return append([]string{path.Base(name)}, argv[1:]...), "the packages are in a virtual environment now; by name the program is found on the PATH", nil
			}
		}
		return nil, "", nil
	}
	if name == "uv" && t.venv != "" && len(argv) > 2 && argv[1] == "run" {
		return t.uvRun(c, argv)
	}
	if len(argv) > 2 && argv[1] == "run" && (name == "poetry" || name == "pipenv" || name == "pdm") {
		return t.managerRun(c, argv)
	}
	if t.def.HasProgram(name) || strings.HasPrefix(name, "python3.") {
		return argv, "", nil
	}
	if t.venv != "" && t.in.consoleScript(t.final, name) {
		return argv, "", nil
	}
	return nil, "", nil
}

// uvRun starts what `uv run` would start, out of the virtual environment that
// uv made: uv itself would first compare and complete the packages, which needs
// the network and a place to write.
func (t *starter) uvRun(c assess.Command, argv []string) ([]string, string, *Block) {
	rest := argv[2:]
	for len(rest) > 0 && strings.HasPrefix(rest[0], "-") {
		switch rest[0] {
		case "--frozen", "--locked", "--no-sync", "--no-dev", "--offline", "--no-cache", "--exact", "--":
			rest = rest[1:]
		default:
			bl := t.block(c, "start-unknown", fmt.Sprintf("it starts through uv run with %s", rest[0]))
			return nil, "", &bl
		}
	}
	if len(rest) > 0 && t.plainScript(rest[0]) {
		rest = append([]string{"python"}, rest...)
	}
	if len(rest) == 0 || strings.ContainsAny(rest[0], "/$") ||
		!strings.HasPrefix(rest[0], "python") && !t.in.consoleScript(t.final, rest[0]) {
		bl := t.block(c, "start-unknown", fmt.Sprintf("it starts through %s, and which program that is cannot be told", strings.Join(argv, " ")))
		return nil, "", &bl
	}
	out := append([]string{path.Join(t.venv, rest[0])}, rest[1:]...)
	return out, fmt.Sprintf("uv run would look for missing packages before it starts %s; the virtual environment has it, and starting it needs neither uv nor the network", rest[0]), nil
}

// javaOpts turns `java $JAVA_OPTS ... -jar app.jar` into a list without the
// variable.
func javaOpts(sc *shell.Script) ([]string, bool) {
	args, vars, ok := sc.SimpleVars()
	if !ok || len(args) == 0 || path.Base(args[0].Text) != "java" || len(vars) == 0 {
		return nil, false
	}
	var out []string
	for _, a := range args {
		if a.Literal {
			out = append(out, a.Text)
			continue
		}
		// Only a word that is nothing but the variable can go: its value was
		// split into options of the virtual machine.
		if len(a.Vars) != 1 || a.Vars[0].HasDefault && a.Vars[0].Default != "" || !javaVar(a.Vars[0].Name) || strings.Trim(a.Raw, `"${}`) != a.Vars[0].Name {
			return nil, false
		}
	}
	return out, true
}

// javaVar tells whether a variable holds options of the virtual machine by
// convention: JAVA_TOOL_OPTIONS can take its place.
func javaVar(n string) bool {
	switch n {
	case "JAVA_OPTS", "JAVA_OPTIONS", "JVM_OPTS", "JAVA_ARGS", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS":
		return true
	}
	return false
}
