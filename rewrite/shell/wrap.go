package shell

import (
	"maps"
	"slices"
	"strings"
)

// wrapper says how a program that runs another one reads its own options.
type wrapper struct {
	// values are the options that take the next word, such as "-u".
	values string
	// skip is how many words stand between the options and the command.
	skip int
	// assigns says that NAME=value words may stand before the command.
	assigns bool
	// open says that the wrapper adds arguments of its own.
	open bool
	// stop are options with which the program does not run the command.
	stop string
}

// wrappers are programs whose last arguments are a command. Sources: their
// manual pages (sudo 1.9, GNU coreutils 9, findutils 4.10, busybox 1.37).
var wrappers = map[string]wrapper{
	"sudo":         {values: "-u -g -C -h -p -r -t -U -D -R -T --user --group --chdir --prompt", assigns: true, stop: "-l -v -k -K -e"},
	"doas":         {values: "-u -C"},
	"env":          {values: "-u -C --unset --chdir", assigns: true, stop: "-S --split-string"},
	"exec":         {values: "-a"},
	"nohup":        {},
	"setsid":       {},
	"time":         {values: "-f -o"},
	"nice":         {values: "-n"},
	"ionice":       {values: "-c -n", stop: "-p"},
	"chrt":         {skip: 1},
	"timeout":      {values: "-s -k --signal --kill-after", skip: 1},
	"stdbuf":       {values: "-i -o -e"},
	"command":      {stop: "-v -V"},
	"builtin":      {},
	"xargs":        {values: "-a -d -E -I -i -L -n -P -s --arg-file --delimiter --max-args --max-procs --max-lines", open: true},
	"gosu":         {skip: 1},
	"su-exec":      {skip: 1},
	"s6-setuidgid": {skip: 1},
	"tini":         {values: "-p -e"},
	"dumb-init":    {values: "-r --rewrite"},
	"fakeroot":     {},
	"catchsegv":    {},
	"busybox":      {stop: "--install --list -i"},
	"unbuffer":     {},
	"ccache":       {stop: "-s -M -C -z --max-size --show-stats"},
}

// shells read a text with -c.
var shells = map[string]bool{"sh": true, "bash": true, "ash": true, "dash": true, "zsh": true, "ksh": true}

// command takes wrappers off and emits what is left. name is the first word.
func (w *walker) command(c *Command, name Arg, f *frame, sc *scope) {
	if w.full(f) {
		return
	}
	c.Word = name
	if name.Literal {
		c.Path, c.Name = name.Text, base(name.Text)
	}
	g := f
	if len(c.Env) > 0 {
		g = f.with(func(g *frame) {
			g.env = maps.Clone(g.env)
			if g.env == nil {
				g.env = map[string]Arg{}
			}
			maps.Copy(g.env, c.Env)
		})
	}
	switch {
	case shells[c.Name] && w.shellText(c, g, sc):
		return
	case (c.Name == "su" || c.Name == "runuser") && w.suText(c, g, sc):
		return
	case c.Name == "eval" && w.evalText(c, g, sc):
		return
	case c.Name == "trap" && len(c.Args) > 1 && c.Args[0].Literal && c.Args[0].Text != "-":
		w.emit(c, f, sc)
		w.nested(c, c.Args[0], Sh, "trap", f.with(func(g *frame) { g.conditional = true }), sc.clone())
		return
	case c.Name == "find":
		w.emit(c, f, sc)
		w.findExec(c, f, sc)
		return
	}
	wr, ok := wrappers[c.Name]
	if !ok {
		w.emit(c, f, sc)
		return
	}
	rest, env, ok := wr.command(c.Args)
	if !ok || len(rest) == 0 {
		w.emit(c, f, sc)
		return
	}
	inner := &Command{Args: rest[1:], Redirects: c.Redirects, Env: env, Line: c.Line}
	w.command(inner, rest[0], g.with(func(g *frame) {
		g.wrapped = append(slices.Clone(g.wrapped), c.Name)
		g.open = g.open || wr.open
	}), sc)
}

// command finds the command among the arguments of a wrapper.
func (wr wrapper) command(args []Arg) (rest []Arg, env map[string]Arg, ok bool) {
	values, stop := strings.Fields(wr.values), strings.Fields(wr.stop)
	i := 0
	for ; i < len(args); i++ {
		t := args[i].Text
		if t == "--" {
			i++
			break
		}
		if !strings.HasPrefix(t, "-") || t == "-" {
			break
		}
		if !args[i].Literal || slices.Contains(stop, t) {
			return nil, nil, false
		}
		if slices.Contains(values, t) {
			i++
		}
	}
	i += wr.skip
	for ; wr.assigns && i < len(args); i++ {
		n, v, is := strings.Cut(args[i].Text, "=")
		if !is || n == "" || strings.ContainsAny(n, "/$\"'` ") {
			break
		}
		a := args[i]
		a.Text = v
		if env == nil {
			env = map[string]Arg{}
		}
		env[n] = a
	}
	if i >= len(args) {
		return nil, nil, false
	}
	return args[i:], env, true
}

// shellText reads `sh [-opts] -c 'text'` and a here-document given to a shell.
func (w *walker) shellText(c *Command, f *frame, sc *scope) bool {
	lang := Bash
	if c.Name != "bash" {
		lang = Sh
	}
	for i := 0; i < len(c.Args); i++ {
		a := c.Args[i]
		if !a.Literal {
			return false
		}
		switch {
		case a.Text == "-o" || a.Text == "+o" || a.Text == "-O" || a.Text == "--rcfile":
			i++
		case strings.HasPrefix(a.Text, "--"):
		case strings.HasPrefix(a.Text, "-") && strings.Contains(a.Text, "c"):
			i++
			// -eo pipefail -c: the value of o comes before the text.
			if strings.Contains(a.Text, "o") {
				i++
			}
			if i >= len(c.Args) {
				return false
			}
			return w.nested(c, c.Args[i], lang, c.Name, f, sc.clone())
		case strings.HasPrefix(a.Text, "-") && strings.HasSuffix(a.Text, "o") && len(a.Text) > 1:
			i++
		case strings.HasPrefix(a.Text, "-") && a.Text != "-":
		default:
			return false // a script file
		}
	}
	for _, r := range c.Redirects {
		if strings.HasPrefix(r.Op, "<<") && r.Op != "<<<" {
			return w.nested(c, Arg{Text: r.Path, Literal: r.Literal}, lang, c.Name, f, sc.clone())
		}
	}
	return false
}

// suText reads `su [-] [user] [-s shell] -c 'text'`.
func (w *walker) suText(c *Command, f *frame, sc *scope) bool {
	for i, a := range c.Args {
		if (a.Text == "-c" || a.Text == "--command" || a.Text == "-lc") && i+1 < len(c.Args) {
			sub := sc.clone()
			sub.dropAll()
			return w.nested(c, c.Args[i+1], Sh, c.Name, f, sub)
		}
	}
	return false
}

func (w *walker) evalText(c *Command, f *frame, sc *scope) bool {
	var texts []string
	for _, a := range c.Args {
		if !a.Literal {
			return false
		}
		texts = append(texts, a.Text)
	}
	// What eval changes stays changed: no clone.
	return w.nested(c, Arg{Text: strings.Join(texts, " "), Literal: true}, f.lang, "eval", f, sc)
}

// nested walks a text inside the text. It reports whether it could.
//
// A text with variables is read too, with the variables left as they are, as
// long as nothing else was expanded by the outer shell: a variable then only
// changes words, which come out as not literal.
func (w *walker) nested(c *Command, text Arg, lang Lang, by string, f *frame, sc *scope) bool {
	if !text.Literal && (!text.VarsOnly || strings.HasPrefix(text.Text, "$")) {
		return false
	}
	file, clean, lang, err := parseFile(text.Text, lang, false)
	if err != nil {
		return false
	}
	if !text.Literal {
		sc.dropAll()
	}
	g := f.with(func(g *frame) {
		g.line = c.Line
		g.wrapped = append(slices.Clone(g.wrapped), by)
	})
	for _, r := range c.Redirects {
		if r.Writes() {
			w.emit(&Command{Redirects: c.Redirects, Line: c.Line}, f, sc)
			break
		}
	}
	if w.inner == nil {
		w.inner = &frame{text: clean, file: file, lang: lang}
	}
	w.run(file, clean, lang, *g, sc)
	return true
}

// findRoots are the directories that find goes through.
func findRoots(args []Arg) []Arg {
	for len(args) > 0 && (args[0].Text == "-H" || args[0].Text == "-L" || args[0].Text == "-P") {
		args = args[1:]
	}
	i := slices.IndexFunc(args, func(a Arg) bool { return strings.HasPrefix(a.Text, "-") || a.Text == "(" || a.Text == "!" })
	if i == 0 {
		return []Arg{{Text: ".", Raw: ".", Literal: true}}
	}
	return args[:max(i, 0)]
}

// findExec emits the commands of find -exec, -execdir and -ok.
func (w *walker) findExec(c *Command, f *frame, sc *scope) {
	for i := 0; i < len(c.Args); i++ {
		t := c.Args[i].Text
		if t != "-exec" && t != "-execdir" && t != "-ok" && t != "-okdir" {
			continue
		}
		start := i + 1
		for i = start; i < len(c.Args) && c.Args[i].Text != ";" && c.Args[i].Text != "+"; i++ {
		}
		if i == start || start >= len(c.Args) {
			continue
		}
		inner := &Command{Args: c.Args[start+1 : i], Line: c.Line, Found: findRoots(c.Args)}
		w.command(inner, c.Args[start], f.with(func(g *frame) {
			g.wrapped = append(slices.Clone(g.wrapped), "find")
			g.conditional, g.open = true, true
		}), sc.clone())
	}
}
