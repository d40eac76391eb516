package shell

import (
	"path"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// walker collects the commands of a script.
type walker struct {
	script *Script
	// inner is the first nested text that was read, for Exec.
	inner *frame
}

// frame is where the walk stands.
type frame struct {
	text string
	lang Lang
	file *syntax.File
	line int // of the first line of text in the whole script

	conditional, pipe, background, subst bool
	wrapped                              []string
	depth                                int
	env                                  map[string]Arg // set by wrappers
	open                                 bool           // OpenArgs
	subs                                 bool           // the text may have substitutions
	tested                               bool           // a failure is looked at, the text goes on
}

func (f *frame) with(change func(*frame)) *frame {
	g := *f
	g.depth++
	change(&g)
	return &g
}

func (w *walker) full(f *frame) bool {
	if f.depth > maxDepth || len(w.script.Commands) >= maxCommands {
		w.script.Truncated = true
		return true
	}
	return false
}

// run walks a text that was parsed; g is where it stands.
func (w *walker) run(file *syntax.File, text string, lang Lang, g frame, sc *scope) {
	g.depth++
	g.file, g.text, g.lang = file, text, lang
	g.subs = strings.ContainsAny(text, "`") || strings.Contains(text, "$(") || strings.Contains(text, "<(") || strings.Contains(text, ">(")
	// A function may be called before or after the place that defines it.
	if strings.Contains(text, ")") || strings.Contains(text, "function") {
		w.functions(file)
	}
	if w.script.Commands == nil {
		w.script.Commands = make([]*Command, 0, min(64, 1+strings.Count(text, "&&")+strings.Count(text, ";")))
	}
	w.stmts(file.Stmts, &g, sc)
}

// functions notes the functions that a text defines.
func (w *walker) functions(file *syntax.File) {
	syntax.Walk(file, func(n syntax.Node) bool {
		if d, ok := n.(*syntax.FuncDecl); ok && d.Name != nil && !slices.Contains(w.script.Functions, d.Name.Value) {
			w.script.Functions = append(w.script.Functions, d.Name.Value)
		}
		return true
	})
}

func (w *walker) stmts(list []*syntax.Stmt, f *frame, sc *scope) {
	for _, s := range list {
		w.stmt(s, f, sc)
	}
}

func (w *walker) stmt(s *syntax.Stmt, f *frame, sc *scope) {
	if s == nil || w.full(f) {
		return
	}
	if s.Background {
		f = f.with(func(g *frame) { g.background = true })
		sc = sc.clone()
	}
	var redirs []Redirect
	for _, r := range s.Redirs {
		redirs = append(redirs, w.redirect(r, f, sc))
	}
	switch c := s.Cmd.(type) {
	case *syntax.CallExpr:
		w.call(c, redirs, f, sc)
	case *syntax.DeclClause:
		w.decl(c, redirs, f, sc)
	default:
		if len(redirs) > 0 || s.Cmd == nil {
			// The redirections of a compound, or of nothing, stand in a
			// command of their own.
			w.emit(&Command{Redirects: redirs, Line: f.lineOf(s)}, f, sc)
		}
		w.compound(s.Cmd, f, sc)
	}
	if f.subs {
		w.substitutions(s, f, sc)
	}
}

func (f *frame) lineOf(n syntax.Node) int { return f.line + max(0, int(n.Pos().Line())-1) }

func (w *walker) compound(cmd syntax.Command, f *frame, sc *scope) {
	maybe := func(g *frame) { g.conditional = true }
	switch c := cmd.(type) {
	case nil:
	case *syntax.BinaryCmd:
		w.binary(c, f, sc)
	case *syntax.Block:
		w.stmts(c.Stmts, f.with(func(*frame) {}), sc)
	case *syntax.Subshell:
		w.stmts(c.Stmts, f.with(func(*frame) {}), sc.clone())
	case *syntax.IfClause:
		w.stmts(c.Cond, f.with(func(g *frame) { g.tested = true }), sc)
		for b := c; b != nil; b = b.Else {
			g := f.with(maybe)
			if b != c {
				w.stmts(b.Cond, g, sc.clone())
			}
			w.stmts(b.Then, g, sc.clone())
		}
		sc.forget(c)
	case *syntax.WhileClause:
		sc.forget(c)
		w.stmts(c.Cond, f.with(func(g *frame) { g.tested = true }), sc.clone())
		w.stmts(c.Do, f.with(maybe), sc.clone())
	case *syntax.ForClause:
		w.loop(c, f, sc)
	case *syntax.CaseClause:
		for _, it := range c.Items {
			w.stmts(it.Stmts, f.with(maybe), sc.clone())
		}
		sc.forget(c)
	case *syntax.FuncDecl:
		body := sc.clone()
		body.dropAll()
		body.dirUnknown = true
		if c.Body != nil {
			w.stmt(c.Body, f.with(maybe), body)
			sc.forget(c.Body)
		}
	case *syntax.TimeClause:
		w.stmt(c.Stmt, f.with(func(g *frame) { g.wrapped = append(slices.Clone(g.wrapped), "time") }), sc)
	case *syntax.CoprocClause:
		w.stmt(c.Stmt, f.with(func(g *frame) { g.background = true }), sc.clone())
	case *syntax.TestClause:
		w.emit(&Command{Name: "[[", Path: "[[", Line: f.lineOf(c)}, f, sc)
	case *syntax.ArithmCmd, *syntax.LetClause:
		w.emit(&Command{Name: "((", Path: "((", Line: f.lineOf(c)}, f, sc)
		sc.forget(c)
		sc.dropAll() // arithmetic may assign any variable
	default:
		// A kind of command that this package does not know.
		w.emit(&Command{Env: map[string]Arg{}, Line: f.lineOf(c), OpenArgs: true}, f, sc)
		w.script.Truncated = true
	}
}

func (w *walker) binary(c *syntax.BinaryCmd, f *frame, sc *scope) {
	switch c.Op {
	case syntax.AndStmt:
		// Long && chains nest to the left: they are walked without deepening.
		w.stmt(c.X, f, sc)
		if f.tested { // a && b || c: b may be skipped
			f = f.with(func(g *frame) { g.conditional = true })
		}
		w.stmt(c.Y, f, sc)
	case syntax.OrStmt:
		w.stmt(c.X, f.with(func(g *frame) { g.tested = true }), sc)
		w.stmt(c.Y, f.with(func(g *frame) { g.conditional = true }), sc.clone())
		sc.forget(c.Y)
	default: // pipes: every part runs in a shell of its own
		g := f.with(func(g *frame) { g.pipe = true })
		w.stmt(c.X, g, sc.clone())
		w.stmt(c.Y, g, sc.clone())
	}
}

// loop walks a for loop: once per word when all words are literal.
func (w *walker) loop(c *syntax.ForClause, f *frame, sc *scope) {
	it, ok := c.Loop.(*syntax.WordIter)
	var words []Arg
	if ok && !c.Select && it.InPos.IsValid() {
		for _, x := range it.Items {
			words = f.appendArgs(words, x, sc)
		}
	}
	sc.forget(c)
	for _, a := range words {
		ok = ok && a.Literal
	}
	if !ok || len(words) == 0 || len(words) > 64 {
		if !ok || len(words) > 64 {
			sc.dropAll() // a C-style loop may assign any variable
		}
		w.stmts(c.Do, f.with(func(g *frame) { g.conditional = true }), sc.clone())
		return
	}
	for _, a := range words {
		body := sc.clone()
		body.set(it.Name.Value, a.Text)
		w.stmts(c.Do, f.with(func(*frame) {}), body)
	}
}

// substitutions walks the commands in $( ), ` ` and <( ) of one statement, but
// not those inside its nested statements, which are walked on their own.
func (w *walker) substitutions(s *syntax.Stmt, f *frame, sc *scope) {
	syntax.Walk(s, func(n syntax.Node) bool {
		var inner []*syntax.Stmt
		switch n := n.(type) {
		case *syntax.Stmt:
			return n == s
		case *syntax.CmdSubst:
			inner = n.Stmts
		case *syntax.ProcSubst:
			inner = n.Stmts
		default:
			return true
		}
		w.stmts(inner, f.with(func(g *frame) { g.subst = true; g.wrapped = nil }), sc.clone())
		return false
	})
}

func (w *walker) redirect(r *syntax.Redirect, f *frame, sc *scope) Redirect {
	out := Redirect{Op: r.Op.String()}
	if r.N != nil {
		out.Op = r.N.Value + out.Op
	}
	a := f.value(r.Word, sc)
	if r.Hdoc != nil {
		a = f.value(r.Hdoc, sc)
		// Inside a here-document ~ and * mean nothing.
		if !a.Literal && len(a.Vars) == 0 && a.Glob {
			a.Literal = true
		}
	}
	out.Path, out.Literal = a.Text, a.Literal
	return out
}

func (w *walker) call(c *syntax.CallExpr, redirs []Redirect, f *frame, sc *scope) {
	cmd := &Command{Redirects: redirs, Line: f.lineOf(c)}
	for _, a := range c.Assigns {
		if a.Name == nil {
			continue
		}
		v := f.value(a.Value, sc)
		if a.Array != nil || a.Index != nil || a.Append {
			v = Arg{Raw: f.raw(a)}
		}
		cmd.setEnv(a.Name.Value, v)
		if len(c.Args) == 0 {
			sc.assign(a.Name.Value, v)
		}
	}
	words := make([]Arg, 0, len(c.Args))
	for _, x := range c.Args {
		words = f.appendArgs(words, x, sc)
	}
	if len(words) == 0 {
		if len(c.Args) > 0 {
			cmd.OpenArgs = true // the command is an empty expansion
		}
		w.emit(cmd, f, sc)
		return
	}
	cmd.Args = words[1:]
	w.command(cmd, words[0], f, sc)
	sc.forgetCall(c.Args)
	switch cmd.Name {
	case "cd", "pushd", "popd":
		// forgetCall has dropped the directory; follow it when it is literal.
		sc.dir, sc.dirUnknown = cmd.Dir, cmd.DirUnknown
		sc.cd(cmd)
	case "export", "readonly", "local", "declare", "typeset":
		for _, a := range cmd.Args {
			if n, v, ok := strings.Cut(a.Text, "="); ok && a.Literal {
				sc.set(n, v)
			}
		}
	}
}

func (w *walker) decl(c *syntax.DeclClause, redirs []Redirect, f *frame, sc *scope) {
	cmd := &Command{Name: c.Variant.Value, Path: c.Variant.Value, Redirects: redirs, Line: f.lineOf(c)}
	for _, a := range c.Args {
		v := Arg{Raw: f.raw(a), Text: f.raw(a)}
		switch {
		case a.Name == nil && a.Value != nil:
			v = f.value(a.Value, sc)
		case a.Name != nil && a.Naked:
			v.Literal = true
		case a.Name != nil && a.Array == nil && a.Index == nil && !a.Append:
			x := f.value(a.Value, sc)
			sc.assign(a.Name.Value, x)
			v = x
			v.Text, v.Raw = a.Name.Value+"="+x.Text, f.raw(a)
		case a.Name != nil:
			sc.drop(a.Name.Value)
		}
		cmd.Args = append(cmd.Args, v)
	}
	w.emit(cmd, f, sc)
}

// emit adds a command with what the frame knows about it.
func (w *walker) emit(c *Command, f *frame, sc *scope) {
	if w.full(f) {
		return
	}
	c.Conditional = f.conditional
	c.Pipe = f.pipe
	c.Background = f.background
	c.Subst = f.subst
	c.OpenArgs = c.OpenArgs || f.open
	c.Wrapped = slices.Clone(f.wrapped)
	c.Dir, c.DirUnknown = sc.dir, sc.dirUnknown
	c.Function = slices.Contains(w.script.Functions, c.Name)
	for k, v := range f.env {
		if _, ok := c.Env[k]; !ok {
			c.setEnv(k, v)
		}
	}
	w.script.Commands = append(w.script.Commands, c)
}

func (c *Command) setEnv(name string, v Arg) {
	if c.Env == nil {
		c.Env = map[string]Arg{}
	}
	c.Env[name] = v
}

func base(p string) string {
	if p == "" {
		return ""
	}
	return path.Base(p)
}
