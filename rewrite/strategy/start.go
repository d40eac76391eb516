package strategy

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
)

// starter works out how the container starts on another image.
type starter struct {
	in    *Input
	final *assess.Stage
	def   *catalog.Definition
	// made are files that RUNs of the image make and that come along, by
	// absolute path; venv is the virtual environment's bin directory.
	made map[string]bool
	venv string
	// builds tells that RUNs build programs (go build, cargo build).
	builds  bool
	carried map[string]bool
	// unprivileged tells that the container does not run as root.
	unprivileged bool
	// env are variables that a resolved script set.
	env []EnvVar
	// globals are programs that npm installed globally, global is the one that
	// starts the container.
	globals map[string]*npmGlobal
	global  *npmGlobal
	// byPython tells that Python fills in the variables of the command.
	byPython bool
}

// start recomputes ENTRYPOINT and CMD for the new image.
func (t *starter) start() (Start, []Block) {
	s, b := t.decide()
	if why := artisan(t.def.Image, s.Argv); len(b) == 0 && why != "" && t.def.Shell() == "" {
		c := t.final.End.Cmd
		if c.Step == nil {
			c = t.final.End.Entrypoint
		}
		return s, []Block{t.block(c, "shell-start", why)}
	}
	s.Env = append(s.Env, t.env...)
	if len(b) == 0 {
		t.listenEverywhere(&s)
	}
	return s, b
}

func (t *starter) decide() (Start, []Block) {
	end := t.final.End
	e, c := end.Entrypoint, end.Cmd
	switch {
	case e.Step != nil && len(e.Argv) > 0:
		return t.written(e, c)
	case c.Step != nil:
		return t.command(e, c)
	}
	return t.inherited(e, c)
}

// written handles an ENTRYPOINT of the file.
func (t *starter) written(e, c assess.Command) (Start, []Block) {
	var s Start
	if !e.Shell && officialScript(e.Argv[0]) && c.Step != nil {
		r := dropScript(t.def.Image, e)
		if r == nil && t.def.Image == "php" && len(e.Argv) == 1 && path.Base(e.Argv[0]) == "docker-php-entrypoint" {
			r = &Rewrite{Step: e.Step, Rule: "entry-point", Why: "docker-php-entrypoint is a script of the old image; it runs the command, and puts php in front of options"}
		}
		if r != nil {
			s, b := t.command(assess.Command{Argv: e.Argv, Set: true}, c)
			s.Entrypoint = r
			return s, b
		}
	}
	argv := e.Argv
	if e.Shell || shellDashC(argv) {
		exec, env, b := t.fromShell(e)
		if b != nil {
			return s, []Block{*b}
		}
		if len(argv) == 2 && shellDashC(argv) {
			return s, []Block{t.block(e, "shell-start", "the ENTRYPOINT hands its CMD to a shell")}
		}
		s.Entrypoint = &Rewrite{Step: e.Step, Text: "ENTRYPOINT " + jsonArray(exec), Rule: "no-shell",
			Why: fmt.Sprintf("the runtime image has no shell to run %q; %s", shellWords(e.Argv), t.directly())}
		s.Env = env
		argv = exec
		_, passes := startScript(e)
		if passes && len(e.Argv) == 3 && len(c.Argv) > 0 {
			return s, []Block{t.block(e, "shell-start", fmt.Sprintf("the shell takes the first word of CMD (%s) for its own name", c.Argv[0]))}
		}
		if c.Step != nil && !passes {
			s.Cmd = &Rewrite{Step: c.Step, Rule: "entry-point", Why: "a shell-form ENTRYPOINT ignored this CMD; with the list it would be taken for arguments"}
			c = assess.Command{}
		}
	}
	full := argv
	if c.Shell {
		exec, env, b := t.fromShell(c)
		if b != nil {
			return s, []Block{*b}
		}
		s.Env = append(s.Env, env...)
		s.Cmd = &Rewrite{Step: c.Step, Text: "CMD " + jsonArray(exec), Rule: "no-shell",
			Why: fmt.Sprintf("the runtime image has no shell to run %q; %s", strings.TrimSpace(c.Argv[0]), t.directly())}
		c = assess.Command{Step: c.Step, Argv: exec, Set: true}
	}
	full = append(append([]string(nil), argv...), c.Argv...)
	fixed, why, b := t.startable(e, full)
	if b != nil {
		return s, []Block{*b}
	}
	switch {
	case why == "":
	case len(fixed) > len(argv) && slices.Equal(fixed[:len(argv)], argv) && len(c.Argv) > 0 && c.Step != nil:
		// The ENTRYPOINT only runs what CMD names (tini --).
		s.Cmd = &Rewrite{Step: c.Step, Text: "CMD " + jsonArray(fixed[len(argv):]), Rule: "entry-point", Why: why}
	default:
		s.Entrypoint = &Rewrite{Step: e.Step, Text: "ENTRYPOINT " + jsonArray(fixed), Rule: "entry-point", Why: why}
		if len(c.Argv) > 0 && c.Step != nil {
			s.Cmd = &Rewrite{Step: c.Step, Rule: "entry-point", Why: "its words are part of the ENTRYPOINT now"}
		}
	}
	s.Argv = fixed
	return s, nil
}

// command handles a CMD without an ENTRYPOINT of the file.
func (t *starter) command(e, c assess.Command) (Start, []Block) {
	var s Start
	argv := c.Argv
	rewrite, rule, why := false, "entry-point", ""
	if c.Shell || shellDashC(argv) {
		exec, env, b := t.fromShell(c)
		if b != nil {
			return s, []Block{*b}
		}
		argv, s.Env, rewrite, rule = exec, env, true, "no-shell"
		why = fmt.Sprintf("the runtime image has no shell to run %q; %s", strings.TrimSpace(c.Argv[len(c.Argv)-1]), t.directly())
	}
	if len(argv) == 0 {
		return t.inherited(e, assess.Command{})
	}
	de := t.def.Entrypoint
	if len(de) == 0 && e.Step == nil && len(e.Argv) > 0 && !officialScript(e.Argv[0]) && path.Base(e.Argv[0]) != "tini" {
		// The old image started a program of its own with these words behind it.
		old := e.Argv
		argv = append(append([]string{path.Base(old[0])}, old[1:]...), argv...)
		rewrite = true
		why = joinWhy(why, fmt.Sprintf("the old image put %s in front of this command; the new one has no entry point", strings.Join(old, " ")))
	}
	switch {
	case len(de) == 0:
		fixed, w, b := t.startable(c, argv)
		if b != nil {
			return s, []Block{*b}
		}
		if w != "" {
			argv, rewrite, rule = fixed, true, "entry-point"
			why = joinWhy(why, w)
		}
		s.Argv = argv
	case (scriptEntrypoint(de) || wrapperEntrypoint(de)) && strings.Contains(argv[0], "/") && t.copied(argv[0]):
		// The entry point of the image runs a file that the Dockerfile brings.
		fixed, w, b := t.startable(c, argv)
		if b != nil {
			return s, []Block{*b}
		}
		if w != "" {
			argv, rewrite = fixed, true
			why = joinWhy(why, w)
		}
		s.Argv = append(append([]string(nil), de...), argv...)
	case scriptEntrypoint(de):
		s.Argv = append(append([]string(nil), de...), argv...)
	case wrapperEntrypoint(de):
		if strings.HasPrefix(argv[0], "-") {
			if len(t.def.Cmd) == 0 {
				return s, []Block{t.block(c, "start-unknown", "CMD has only options, and the image does not say for which program")}
			}
			argv = append([]string{t.def.Cmd[0]}, argv...)
			rewrite, why = true, joinWhy(why, fmt.Sprintf("the old entry point put %s in front of options; the new one (%s) does not", t.def.Cmd[0], strings.Join(de, " ")))
		}
		s.Argv = append(append([]string(nil), de...), argv...)
	case t.def.Image == "deno" && denoCommand(argv[0]):
		// The official entry point put deno in front of these words; so does
		// the new one.
		s.Argv = append(append([]string(nil), de...), argv...)
	case path.Base(argv[0]) == path.Base(de[len(de)-1]):
		why = joinWhy(why, fmt.Sprintf("dhi %s has ENTRYPOINT %s; with the word %q here the container would start %q", t.def.Image, jsonArray(de), argv[0], strings.Join(append(append([]string(nil), de...), argv...), " ")))
		argv = argv[1:]
		rewrite = true
		s.Argv = append(append([]string(nil), de...), argv...)
	case len(e.Argv) > 0 && len(argv) < len(t.def.Cmd) && slices.Equal(argv, t.def.Cmd[:len(argv)]):
		// The script of the old image added what the new one says itself.
		rewrite = true
		why = joinWhy(why, fmt.Sprintf("the script of the old image added options to %q; dhi %s starts with %q by itself", strings.Join(argv, " "), t.def.Image, strings.Join(append(append([]string(nil), de...), t.def.Cmd...), " ")))
		argv = nil
	case strings.HasPrefix(argv[0], "-") || len(e.Argv) > 0 && path.Base(e.Argv[len(e.Argv)-1]) == path.Base(de[len(de)-1]):
		s.Argv = append(append([]string(nil), de...), argv...)
	default:
		fixed, w, b := t.startable(c, argv)
		if b != nil {
			return s, []Block{*b}
		}
		if w != "" {
			argv, rewrite = fixed, true
			why = joinWhy(why, w)
		}
		s.Add = "ENTRYPOINT []"
		s.Why = fmt.Sprintf("dhi %s has ENTRYPOINT %s, which would take this command for arguments", t.def.Image, jsonArray(de))
		s.Argv = argv
	}
	if rewrite {
		s.Cmd = &Rewrite{Step: c.Step, Text: "CMD " + jsonArray(argv), Why: why, Rule: rule}
		if len(argv) == 0 {
			s.Cmd.Text = ""
			s.Cmd.Why = why + "; the image starts the right program by itself"
			s.Argv = append(append([]string(nil), de...), t.def.Cmd...)
		}
	}
	return s, nil
}

// inherited handles an image that starts as its base does.
func (t *starter) inherited(e, c assess.Command) (Start, []Block) {
	var s Start
	de, dc := t.def.Entrypoint, t.def.Cmd
	s.Argv = append(append([]string(nil), de...), dc...)
	if !service(t.def.Image) && !fpm(t.def) {
		return s, []Block{{Rule: "entry-point", Code: "no-start-command", Line: t.final.From.Lines[0],
			Text: "it has no start command of its own, so what is run in it cannot be known"}}
	}
	old := append(append([]string(nil), e.Argv...), c.Argv...)
	if len(dc) == 0 && len(c.Argv) > 1 && len(de) > 0 && path.Base(c.Argv[0]) == path.Base(de[len(de)-1]) {
		s.Add = "CMD " + jsonArray(c.Argv[1:])
		s.Why = fmt.Sprintf("the old image started %q by itself; dhi %s starts %q without these arguments", strings.Join(old, " "), t.def.Image, strings.Join(de, " "))
		s.Argv = append(append([]string(nil), de...), c.Argv[1:]...)
	}
	t.ownConfig(&s)
	t.ownData(&s, e, c)
	if len(s.Argv) == 0 {
		return s, []Block{{Rule: "entry-point", Code: "no-start-command", Line: t.final.From.Lines[0], Text: "neither the file nor the image says what to start"}}
	}
	return s, nil
}

// fromShell turns a shell-form command into a list, when it is one program
// without work for a shell.
func (t *starter) fromShell(c assess.Command) (argv []string, env []EnvVar, b *Block) {
	run, passes := startScript(c)
	if run.Script == nil {
		bl := t.block(c, "shell-start", "the start command cannot be read: "+run.Opaque)
		return nil, nil, &bl
	}
	if argv, vars, ok := run.Script.Simple(); ok && len(argv) > 0 {
		for _, k := range assess.Sorted(vars) {
			env = append(env, EnvVar{k, vars[k]})
		}
		return argv, env, nil
	}
	if argv, ok := javaOpts(run.Script); ok {
		return argv, nil, nil
	}
	if argv, env, b, ok := t.expanded(c, run.Script); ok && !passes {
		t.byPython = b == nil
		return argv, env, b
	}
	bl := t.block(c, "shell-start", fmt.Sprintf("the start command %q needs a shell", shorten(shellWords(c.Argv))))
	return nil, nil, &bl
}

// startScript reads a start command for a shell. A "$@" at the end of what
// follows -c is left out, passes tells that: as a list the program gets those
// words by itself. The word behind the text is the name of the shell.
func startScript(c assess.Command) (run *assess.Run, passes bool) {
	if c.Shell || !shellDashC(c.Argv) || len(c.Argv) != 3 && len(c.Argv) != 4 {
		return c.Script(), false
	}
	text, ok := strings.CutSuffix(strings.TrimRight(c.Argv[2], " \t\n"), ` "$@"`)
	if !ok || strings.Contains(text, "$@") || strings.Contains(text, "$0") {
		return c.Script(), false
	}
	c.Argv = []string{c.Argv[0], c.Argv[1], text}
	return c.Script(), true
}

func (t *starter) block(c assess.Command, code, text string) Block {
	line := t.final.From.Lines[0]
	if c.Step != nil {
		line = c.Step.Lines[0]
	}
	rule := "entry-point"
	if code == "shell-start" {
		rule = "no-shell"
	}
	return Block{Rule: rule, Code: code, Text: text, Line: line}
}

// service tells whether an image of the catalog is a program that starts by
// itself rather than something to build on.
func service(image string) bool {
	switch image {
	case "golang", "node", "python", "ruby", "php", "rust", "eclipse-temurin", "amazoncorretto", "azul", "sapmachine", "dotnet", "aspnetcore", "maven", "gradle",
		"composer", "elixir", "erlang-otp", "perl", "r-base", "dart", "clojure", "jruby", "bun", "deno", "uv", "static", "alpine-base", "debian-base", "busybox", "bash",
		"git", "curl", "kubectl", "helm", "terraform", "awscli", "azure-cli", "cloud-sdk", "miniconda3", "pytorch", "nvidia-cuda", "playwright", "docker", "docker-dind", "bats":
		return false
	}
	return true
}

// scriptEntrypoint tells whether an entry point is a script that takes a
// command, wrapperEntrypoint whether it only runs what follows.
func scriptEntrypoint(de []string) bool {
	b := path.Base(de[len(de)-1])
	return strings.HasSuffix(b, ".sh") || strings.HasSuffix(b, "-entrypoint")
}

func wrapperEntrypoint(de []string) bool { return de[len(de)-1] == "--" }

func shellDashC(argv []string) bool {
	if len(argv) < 2 {
		return false
	}
	switch path.Base(argv[0]) {
	case "sh", "bash", "ash", "dash":
		return strings.HasPrefix(argv[1], "-") && strings.HasSuffix(argv[1], "c")
	}
	return false
}

// jsonArray writes the exec form.
func jsonArray(argv []string) string {
	size := 2
	for _, a := range argv {
		size += len(a) + len(`"", `)
	}
	var b strings.Builder
	b.Grow(size)
	b.WriteByte('[')
	for i, a := range argv {
		if i > 0 {
			b.WriteString(", ")
		}
		if plainJSON(a) {
			b.WriteByte('"')
			b.WriteString(a)
			b.WriteByte('"')
			continue
		}
		var quoted strings.Builder
		enc := json.NewEncoder(&quoted)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(a); err != nil {
			return "[]"
		}
		b.WriteString(strings.TrimSuffix(quoted.String(), "\n"))
	}
	b.WriteByte(']')
	return b.String()
}

// plainJSON tells whether a text stands for itself in a JSON string.
func plainJSON(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' || s[i] == '"' || s[i] == '\\' {
			return false
		}
	}
	return true
}

func joinWhy(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}

// denoCommand tells whether a word is a subcommand of deno. Source: deno's
// command line reference.
func denoCommand(w string) bool {
	switch w {
	case "run", "serve", "task", "eval", "repl", "test", "bench", "cache", "install", "compile", "fmt", "lint", "check", "info", "jupyter", "doc", "help":
		return true
	}
	return false
}

// shellWords is what a shell is asked to do: the word behind -c, else the whole
// shell form.
func shellWords(argv []string) string {
	if shellDashC(argv) && len(argv) > 2 {
		return argv[2]
	}
	return argv[len(argv)-1]
}

func shorten(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > 100 {
		s = strings.ToValidUTF8(s[:97], "") + "..."
	}
	return s
}
