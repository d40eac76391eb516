package shell

import (
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// notPrograms are builtins without a program of the same name: a text that
// starts with one cannot become an exec form.
func isBuiltinOnly(name string) bool {
	switch name {
	case "echo", "printf", "test", "[", "true", "false", "pwd", "kill":
		return false
	}
	return builtins[name]
}

// Simple tells whether the whole text is one simple command without
// expansions, patterns, redirections or other work for a shell, so that it can
// become an exec form. A leading exec is dropped; assignments before the
// command come back as env, which an exec form cannot hold.
func (s *Script) Simple() (argv []string, env map[string]string, ok bool) {
	return literal(s.single())
}

// SimpleCheck is Simple for a text of which only success or failure counts: a
// trailing `|| exit 1` may stand behind the command, because a check that fails
// fails with any code.
func (s *Script) SimpleCheck() (argv []string, env map[string]string, ok bool) {
	if s.file == nil || s.Truncated || len(s.file.Stmts) != 1 {
		return s.Simple()
	}
	st := s.file.Stmts[0]
	or, isOr := st.Cmd.(*syntax.BinaryCmd)
	if !isOr || or.Op != syntax.OrStmt || st.Negated || st.Background || len(st.Redirs) > 0 || !s.fails(or.Y) {
		return s.Simple()
	}
	return literal(s.statement(or.X))
}

// fails tells whether a statement is `exit 1`, or exit with another number than
// 0, or false.
func (s *Script) fails(st *syntax.Stmt) bool {
	args, env, ok := s.words(st)
	switch {
	case !ok || len(env) > 0 || len(st.Redirs) > 0 || !args[0].Literal:
		return false
	case args[0].Text == "false":
		return true
	case args[0].Text != "exit" || len(args) != 2 || !args[1].Literal:
		return false
	}
	n, err := strconv.Atoi(args[1].Text)
	return err == nil && n > 0
}

func literal(args []Arg, assigns map[string]Arg, ok bool) ([]string, map[string]string, bool) {
	if !ok {
		return nil, nil, false
	}
	argv := make([]string, 0, len(args))
	for _, a := range args {
		if !a.Literal {
			return nil, nil, false
		}
		argv = append(argv, a.Text)
	}
	var env map[string]string
	for n, a := range assigns {
		if !a.Literal {
			return nil, nil, false
		}
		if env == nil {
			env = make(map[string]string, len(assigns))
		}
		env[n] = a.Text
	}
	return argv, env, true
}

// SimpleVars is Simple for a command that uses variables: ok says that nothing
// but plain variables ($A, ${A}, ${A:-x}) needs the shell, and vars are their
// uses in order. The arguments keep the variables as written.
func (s *Script) SimpleVars() (args []Arg, vars []Var, ok bool) {
	args, assigns, ok := s.single()
	if !ok {
		return nil, nil, false
	}
	for i, a := range args {
		if !a.Literal && (!a.VarsOnly || i == 0) {
			return nil, nil, false
		}
		vars = append(vars, a.Vars...)
	}
	for _, a := range assigns {
		if !a.Literal {
			return nil, nil, false
		}
	}
	return args, vars, true
}

// single is the only command of the text, read without known variables: an
// exec form cannot know them.
func (s *Script) single() (args []Arg, env map[string]Arg, ok bool) {
	if s.file == nil {
		for _, a := range s.argv {
			args = append(args, Arg{Text: a, Literal: true, Raw: a})
		}
		return args, nil, len(args) > 0
	}
	if s.Truncated || len(s.file.Stmts) != 1 {
		return nil, nil, false
	}
	return s.statement(s.file.Stmts[0])
}

// statement is a simple command that starts a program.
func (s *Script) statement(st *syntax.Stmt) (args []Arg, env map[string]Arg, ok bool) {
	if args, env, ok = s.words(st); !ok {
		return nil, nil, false
	}
	if args[0].Literal && args[0].Text == "exec" {
		args = args[1:]
	}
	if len(args) == 0 || !args[0].Literal || args[0].Text == "" || isBuiltinOnly(args[0].Text) ||
		strings.HasPrefix(args[0].Text, "-") || args[0].Text == "exec" {
		return nil, nil, false
	}
	return args, env, true
}

// words are the words of a simple command.
func (s *Script) words(st *syntax.Stmt) (args []Arg, env map[string]Arg, ok bool) {
	call, isCall := st.Cmd.(*syntax.CallExpr)
	if !isCall || st.Negated || st.Background || st.Coprocess || len(st.Redirs) > 0 || len(call.Args) == 0 {
		return nil, nil, false
	}
	f := &frame{text: s.Text, lang: s.Lang}
	sc := newScope(nil)
	if len(call.Assigns) > 0 {
		env = make(map[string]Arg, len(call.Assigns))
	}
	args = make([]Arg, 0, len(call.Args))
	for _, a := range call.Assigns {
		if a.Name == nil || a.Append || a.Array != nil || a.Index != nil {
			return nil, nil, false
		}
		env[a.Name.Value] = f.value(a.Value, sc)
	}
	for _, x := range call.Args {
		args = f.appendArgs(args, x, sc)
	}
	return args, env, len(args) > 0
}
