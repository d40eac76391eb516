package shell

import (
	"maps"
	"path"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// scope is what is known about the shell at one point of the text.
type scope struct {
	vars       map[string]string // changed by set, drop and dropAll alone
	own        bool              // nobody else has vars
	dir        string
	dirUnknown bool
}

// newScope starts with variables that stay as they are.
func newScope(env map[string]string) *scope {
	return &scope{vars: env}
}

// clone is for a part of the text that does not change what comes after it. Most
// texts set no variable: the map is copied when one does.
func (sc *scope) clone() *scope {
	sc.own = false
	c := *sc
	return &c
}

// set gives a variable a value.
func (sc *scope) set(name, value string) {
	sc.change()
	sc.vars[name] = value
}

// drop forgets a variable.
func (sc *scope) drop(name string) {
	if _, ok := sc.vars[name]; ok {
		sc.change()
		delete(sc.vars, name)
	}
}

// dropAll forgets all of them.
func (sc *scope) dropAll() { sc.vars, sc.own = nil, false }

// change makes vars its own.
func (sc *scope) change() {
	if sc.own {
		return
	}
	if sc.vars = maps.Clone(sc.vars); sc.vars == nil {
		sc.vars = map[string]string{}
	}
	sc.own = true
}

// plain is the value of a plain use of a known variable.
func (sc *scope) plain(p *syntax.ParamExp) (string, bool) {
	v, ok := plainVar(p)
	if !ok {
		return "", false
	}
	val, ok := sc.vars[v.Name]
	if ok && val == "" && v.HasDefault && p.Exp.Op == syntax.DefaultUnsetOrNull {
		return v.Default, true
	}
	return val, ok
}

func (sc *scope) assign(name string, a Arg) {
	if a.Literal {
		sc.set(name, a.Text)
		return
	}
	sc.drop(name)
}

// cd follows a cd, pushd or popd.
func (sc *scope) cd(c *Command) {
	var args []Arg
	for _, a := range c.Args {
		if a.Literal && len(a.Text) > 1 && strings.HasPrefix(a.Text, "-") {
			continue
		}
		args = append(args, a)
	}
	if c.Name != "cd" || len(args) != 1 || !args[0].Literal || args[0].Text == "-" {
		sc.dir, sc.dirUnknown = "", true
		return
	}
	to := args[0].Text
	switch {
	case path.IsAbs(to):
		sc.dir, sc.dirUnknown = path.Clean(to), false
	case !sc.dirUnknown:
		sc.dir = path.Join(sc.dir, to)
	}
}

// forget drops what the nodes may change: a branch or a loop body that may or
// may not run.
func (sc *scope) forget(nodes ...syntax.Node) {
	for _, n := range nodes {
		syntax.Walk(n, func(n syntax.Node) bool {
			switch n := n.(type) {
			case *syntax.Assign:
				if n.Name != nil {
					sc.drop(n.Name.Value)
				}
			case *syntax.WordIter:
				sc.drop(n.Name.Value)
			case *syntax.ParamExp:
				if n.Exp != nil && n.Param != nil && (n.Exp.Op == syntax.AssignUnset || n.Exp.Op == syntax.AssignUnsetOrNull) {
					sc.drop(n.Param.Value)
				}
			case *syntax.CallExpr:
				if len(n.Args) > 0 {
					sc.forgetCall(n.Args)
				}
			}
			return true
		})
	}
}

// forgetCall drops what a command of the shell itself may change.
func (sc *scope) forgetCall(args []*syntax.Word) {
	switch name := args[0].Lit(); name {
	case "cd", "pushd", "popd":
		sc.dir, sc.dirUnknown = "", true
	case "eval", ".", "source":
		// A file that is sourced sets variables; that it also changes the
		// directory is possible, but what it writes is unknown anyway.
		sc.dropAll()
	case "read", "unset", "export", "readonly", "local", "getopts", "mapfile", "readarray", "printf", "declare", "typeset":
		for _, a := range args[1:] {
			n, _, _ := strings.Cut(a.Lit(), "=")
			sc.drop(n)
		}
	}
}
