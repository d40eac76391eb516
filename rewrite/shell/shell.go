// Package shell reads the shell text of a Dockerfile instruction (RUN, CMD,
// ENTRYPOINT, HEALTHCHECK) and answers the questions the migration rules ask:
// which programs run, which packages are installed, which accounts are made,
// which files are written. It never prints shell.
//
// Every answer is conservative. Where the text depends on something that
// cannot be seen (a variable, a file, the output of a program) the answer says
// so rather than guess, and an unreadable text is an error, never an empty
// script.
package shell

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"mvdan.cc/sh/v3/syntax"
)

// Limits of one text. They bound time and memory for hostile input; the
// longest RUN of the public Dockerfiles looked at is far below them.
const (
	// MaxText is the longest text that is read, in bytes.
	MaxText = 64 << 10
	// maxCommands bounds Script.Commands, loops over literal lists included.
	maxCommands = 2000
	// maxDepth bounds nested scripts (sh -c, eval, substitutions, blocks).
	maxDepth = 60
	// maxNesting bounds open brackets and keywords before parsing, because the
	// parser is recursive.
	maxNesting = 200
)

// Lang is the shell that reads the text.
type Lang int

// The shells. Docker runs /bin/sh unless SHELL or a heredoc says otherwise.
const (
	Sh Lang = iota
	Bash
)

// ErrTooLarge is the error for a text over MaxText, or nested too deeply.
var ErrTooLarge = errors.New("shell text is too large to read")

// Script is a text that was read.
type Script struct {
	// Text is what was parsed: CRLF became LF, and comment and blank lines
	// between continued lines became empty continuations, so that line n of
	// Text is line n of the input.
	Text string
	Lang Lang
	// Commands are all commands in source order, those inside compounds,
	// functions, substitutions and wrappers included. A loop over literal
	// words gives its body once per word.
	Commands []*Command
	// Functions are the names of functions that the text defines.
	Functions []string
	// Truncated says that a limit was hit: Commands is not complete, and every
	// question is answered as if anything could have happened.
	Truncated bool

	file *syntax.File // nil for an exec form that is not a shell
	argv []string     // the exec form, when it is not a shell
	env  map[string]string

	packagesOnce, fileOpsOnce, accountsOnce sync.Once
	packages                                []PackageCall
	fileOps                                 []FileOp
	accounts                                []Account

	// The last answer of Effects: it is asked for each image that a stage may
	// get, always for the same directory.
	effectsMu   sync.Mutex
	effectsRead bool
	effectsCwd  string
	effects     Effects
}

// Command is one simple command.
type Command struct {
	// Name is the base name of the program, "" when it is not literal or when
	// the command only assigns variables.
	Name string
	// Path is the program as written, quotes removed.
	Path string
	// Word is the word that names the program, as it was read.
	Word Arg
	Args []Arg
	// Env are the assignments before the command, or the assignments
	// themselves when there is no command.
	Env map[string]Arg
	// Conditional says that the command may not run: it is in an if, a case, a
	// loop whose count is unknown, a function or behind ||. A command after &&
	// is not conditional unless a || follows: when it does not run, something
	// has failed.
	Conditional bool
	Pipe        bool // part of a pipeline
	Background  bool
	Subst       bool // inside $( ) or ` `
	Function    bool // calls a function of the same text
	// OpenArgs says that there are more arguments than Args (xargs, find -exec).
	OpenArgs bool
	// Found are the directories whose files find puts in the place of {}.
	Found     []Arg
	Redirects []Redirect
	// Line is the 0-based line of the text that the command starts on.
	Line int
	// Wrapped are the wrappers that were taken off, outermost first: "sudo",
	// "env", "sh" and so on.
	Wrapped []string
	// Dir is the directory that `cd` went to before, "" when it is still the
	// one the text started in. It is relative to that one unless absolute.
	// DirUnknown says that it cannot be told.
	Dir        string
	DirUnknown bool
}

// Arg is one word of a command.
type Arg struct {
	// Text is the word without quotes. What is not literal stands in it as
	// written.
	Text string
	// Literal says that Text is exactly what the program gets.
	Literal bool
	// Glob says that the word is literal but for patterns (* ? [ {a,b}).
	Glob bool
	// Raw is the word as written.
	Raw string
	// Vars are the plain variables ($A, ${A}, ${A:-default}) of the word.
	Vars []Var
	// VarsOnly says that nothing but Vars keeps the word from being literal.
	VarsOnly bool
}

// Var is a plain use of a variable.
type Var struct {
	Name       string
	Default    string // of ${NAME:-default}
	HasDefault bool
	Quoted     bool
}

// Redirect is a redirection of a command.
type Redirect struct {
	Op      string // ">", ">>", "<", "2>", ">&", "&>", "<<" ...
	Path    string // target, or the body of a here-document
	Literal bool
}

// Writes tells whether the redirection can create or change a file.
func (r Redirect) Writes() bool {
	op := strings.TrimLeft(r.Op, "0123456789")
	switch op {
	case ">", ">>", ">|", "&>", "&>>", "<>":
		return true
	case ">&":
		return strings.Trim(r.Path, "0123456789-") != ""
	}
	return false
}

// Option changes how a text is read.
type Option func(config) config

type config struct {
	env      map[string]string
	dockerfy bool
}

// WithEnv gives the variables whose value is certain when the text runs, such
// as the ENV of the stage. A word that uses only such variables is literal.
// ARG values may be overridden by whoever builds, so they do not belong here
// unless a wrong value does no harm. The map is not modified.
func WithEnv(env map[string]string) Option {
	return func(c config) config { c.env = env; return c }
}

// Plain says that the text is a file or a here-document, not the lines of an
// instruction: a comment after a continued line then ends the command.
func Plain() Option { return func(c config) config { c.dockerfy = false; return c } }

// Parse reads a text as Docker hands it to the shell, or as it stands in the
// Dockerfile after the name of the instruction and its flags. Errors are
// ErrTooLarge or the parser's, which name line and column.
func Parse(text string, lang Lang, opts ...Option) (s *Script, err error) {
	defer recovered(&s, &err)
	c := config{dockerfy: true}
	for _, o := range opts {
		c = o(c)
	}
	return parse(text, lang, c)
}

// Exec reads an exec form. `["sh","-c","text"]` gives the script of the text;
// everything else one command whose arguments are literal.
func Exec(argv []string, opts ...Option) (s *Script, err error) {
	defer recovered(&s, &err)
	var c config
	for _, o := range opts {
		c = o(c)
	}
	s = &Script{argv: slices.Clone(argv), env: c.env}
	if len(argv) == 0 {
		return s, nil
	}
	n := 0
	args := make([]Arg, len(argv))
	for i, a := range argv {
		n += len(a)
		args[i] = Arg{Text: a, Literal: true, Raw: a}
	}
	if n > MaxText {
		return nil, ErrTooLarge
	}
	w := &walker{script: s}
	sc := newScope(c.env)
	w.command(&Command{Path: argv[0], Args: args[1:]}, args[0], &frame{}, sc)
	if inner := w.inner; inner != nil && shells[base(argv[0])] {
		s.Text, s.file, s.Lang, s.argv = inner.text, inner.file, inner.lang, nil
	}
	return s, nil
}

func recovered(s **Script, err *error) {
	if r := recover(); r != nil {
		*s, *err = nil, fmt.Errorf("reading shell text: %v", r)
	}
}

func parse(text string, lang Lang, c config) (*Script, error) {
	file, clean, lang, err := parseFile(text, lang, c.dockerfy)
	if err != nil {
		return nil, err
	}
	s := &Script{Text: clean, Lang: lang, file: file, env: c.env}
	w := &walker{script: s}
	w.run(file, clean, lang, frame{}, newScope(c.env))
	return s, nil
}

// parseFile parses; a text for sh that only bash can read is read as bash,
// because /bin/sh is bash or busybox in many images.
func parseFile(text string, lang Lang, dockerfy bool) (*syntax.File, string, Lang, error) {
	if len(text) > MaxText {
		return nil, "", lang, ErrTooLarge
	}
	text = strings.ReplaceAll(text, "\r\n", "\n")
	if dockerfy {
		text = joinDocker(text)
	}
	if f := parsePlain(text); f != nil { // nothing in it nests
		return f, text, lang, nil
	}
	if nesting(text) > maxNesting {
		return nil, "", lang, ErrTooLarge
	}
	f, err := parseSyntax(text, lang)
	if err != nil && lang == Sh {
		if f, err := parseSyntax(text, Bash); err == nil {
			return f, text, Bash, nil
		}
	}
	if err != nil {
		return nil, "", lang, fmt.Errorf("not valid shell: %w", err)
	}
	return f, text, lang, nil
}

// parsers keeps parsers for reuse: each holds buffers that are larger than most
// texts. It carries no state from one text to the next.
var parsers = [...]sync.Pool{
	Sh:   {New: func() any { return syntax.NewParser(syntax.Variant(syntax.LangPOSIX)) }},
	Bash: {New: func() any { return syntax.NewParser(syntax.Variant(syntax.LangBash)) }},
}

func parseSyntax(text string, lang Lang) (*syntax.File, error) {
	p := parsers[lang].Get().(*syntax.Parser)
	f, err := p.Parse(strings.NewReader(text), "")
	parsers[lang].Put(p) // not after a panic
	return f, err
}

// joinDocker does what Docker does to the lines of an instruction: comment and
// blank lines between continued lines are no part of it.
func joinDocker(text string) string {
	if !strings.Contains(text, "\\\n") {
		return text
	}
	lines := strings.Split(text, "\n")
	continued := false
	for i, l := range lines {
		t := strings.TrimSpace(l)
		if continued && i < len(lines)-1 && (t == "" || t[0] == '#') {
			lines[i] = "\\"
			continue
		}
		// Trailing blanks after the backslash are allowed by Docker, not by
		// the shell.
		if r := strings.TrimRight(l, " \t"); strings.HasSuffix(r, "\\") && i < len(lines)-1 {
			lines[i], continued = r, true
		} else {
			continued = false
		}
	}
	return strings.Join(lines, "\n")
}

// nesting is an upper bound of how deeply brackets and compounds are nested,
// without regard to quotes.
func nesting(text string) int {
	depth, deepest := 0, 0
	word := 0
	for i := 0; i <= len(text); i++ {
		if i < len(text) {
			switch text[i] {
			case '(', '{', '[':
				depth++
				deepest = max(deepest, depth)
				continue
			case ')', '}', ']':
				depth = max(0, depth-1)
				continue
			case ' ', '\t', '\n', ';', '&', '|':
			default:
				continue
			}
		}
		switch text[word:i] {
		case "if", "while", "until", "for", "case", "do", "then", "!", "time":
			depth++
		case "fi", "done", "esac":
			depth = max(0, depth-2)
		case "":
		}
		deepest = max(deepest, depth)
		word = i + 1
	}
	return deepest
}

// Programs are the names of the programs that the text runs, wrappers
// included, without functions of the text, shell builtins and doubles, in
// source order.
func (s *Script) Programs() []string {
	var names []string
	add := func(n string) {
		if n != "" && !builtins[n] && !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	for _, c := range s.Commands {
		for _, w := range c.Wrapped {
			add(w)
		}
		if !c.Function {
			add(c.Name)
		}
	}
	return names
}

// Uses tells whether the text runs the named program.
func (s *Script) Uses(name string) bool {
	if name == "" || builtins[name] {
		return false
	}
	return slices.ContainsFunc(s.Commands, func(c *Command) bool {
		return !c.Function && c.Name == name || slices.Contains(c.Wrapped, name)
	})
}

// builtins are the commands that a POSIX shell has itself. echo, printf, test,
// true, false, pwd and kill exist as programs too; they are listed because a
// shell that reads the text never needs those.
var builtins = map[string]bool{
	":": true, ".": true, "source": true, "alias": true, "bg": true, "break": true,
	"builtin": true, "cd": true, "command": true, "continue": true, "declare": true,
	"dirs": true, "echo": true, "eval": true, "exec": true, "exit": true, "export": true,
	"false": true, "fg": true, "getopts": true, "hash": true, "jobs": true, "kill": true,
	"let": true, "local": true, "popd": true, "printf": true, "pushd": true, "pwd": true,
	"read": true, "readonly": true, "return": true, "set": true, "shift": true,
	"shopt": true, "test": true, "[": true, "[[": true, "((": true, "times": true,
	"trap": true, "true": true, "type": true, "typeset": true, "ulimit": true,
	"umask": true, "unalias": true, "unset": true, "wait": true,
}
