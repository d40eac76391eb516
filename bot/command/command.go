package command

import (
	"fmt"
	"slices"
	"strings"
)

// Access is who may use a command.
type Access int

// The kinds of access.
const (
	// Anyone who can comment.
	Anyone Access = iota
	// Writer is somebody who may push to the repository.
	Writer
)

// Request is a command with its arguments understood: one of the structs of
// this package, to be told apart by a type switch.
type Request interface {
	// Command is the name of the command.
	Command() string
}

// Command is one row of the table.
type Command struct {
	Name     string
	Usage    string // what follows the name
	Summary  string // a sentence
	Examples []string
	Access   Access
	// OnPull is the example that a pull request of ours shows; "" for none.
	OnPull string
	read   func(*args) Request
}

// Table returns the commands in the order in which help shows them.
func Table() []Command {
	return []Command{
		migrate,
		planCommand,
		rebase,
		recreate,
		ignore,
		unignore,
		explain,
		status,
		help,
	}
}

// UnknownError tells that there is no such command.
type UnknownError struct {
	Verb    string // hostile text
	Nearest string // the command that was probably meant, "" when none is near
}

func (e *UnknownError) Error() string {
	if e.Nearest == "" {
		return fmt.Sprintf("there is no command %q", e.Verb)
	}
	return fmt.Sprintf("there is no command %q; did you mean %s?", e.Verb, e.Nearest)
}

// UsageError tells that the arguments do not fit.
type UsageError struct {
	Command  Command
	Argument string // hostile text, the argument that does not fit; "" when one is missing
	Problem  string // ours
}

func (e *UsageError) Error() string {
	if e.Argument == "" {
		return e.Command.Name + ": " + e.Problem
	}
	return fmt.Sprintf("%s: %q: %s", e.Command.Name, e.Argument, e.Problem)
}

// Read understands an invocation. The errors are *UnknownError and *UsageError.
func Read(inv Invocation) (Command, Request, error) {
	verb := inv.Verb
	if verb == "" {
		verb = help.Name
	}
	for _, c := range Table() {
		if c.Name != verb {
			continue
		}
		a := &args{left: inv.Args}
		req := c.read(a)
		if a.problem == "" && len(a.left) > 0 {
			a.refuse(a.left[0], "one argument too many")
		}
		if a.problem != "" {
			return c, nil, &UsageError{Command: c, Argument: a.argument, Problem: a.problem}
		}
		return c, req, nil
	}
	return Command{}, nil, &UnknownError{Verb: inv.Verb, Nearest: nearest(verb)}
}

// args is what a command reads its arguments from. The first problem wins.
type args struct {
	left              []string
	argument, problem string
}

func (a *args) refuse(argument, problem string) {
	if a.problem == "" {
		a.argument, a.problem = argument, problem
	}
}

// flag takes --name out of the arguments and tells whether it was there.
func (a *args) flag(name string) bool {
	i := slices.Index(a.left, "--"+name)
	if i < 0 {
		return false
	}
	a.left = slices.Delete(slices.Clone(a.left), i, i+1)
	return true
}

// value takes --name VALUE or --name=VALUE out of the arguments; "" when it is
// not there. With choices, the value has to be one of them.
func (a *args) value(name string, choices ...string) string {
	for i, arg := range a.left {
		value, ok := strings.CutPrefix(arg, "--"+name+"=")
		n := 1
		if !ok {
			if arg != "--"+name {
				continue
			}
			if i+1 == len(a.left) || strings.HasPrefix(a.left[i+1], "--") {
				a.refuse(arg, "its value is missing")
				return ""
			}
			value, n = a.left[i+1], 2
		}
		a.left = slices.Delete(slices.Clone(a.left), i, i+n)
		if value == "" || len(choices) > 0 && !slices.Contains(choices, value) {
			problem := "its value is missing"
			if len(choices) > 0 {
				problem = "it can be " + strings.Join(choices, ", ")
			}
			a.refuse("--"+name+" "+value, problem)
			return ""
		}
		return value
	}
	return ""
}

// words takes the arguments that are no flags; whatever looks like a flag and
// was not taken before is refused. Flags first, then words.
func (a *args) words() []string {
	var words []string
	for _, arg := range a.left {
		if strings.HasPrefix(arg, "--") {
			a.refuse(arg, "there is no such option")
			continue
		}
		words = append(words, arg)
	}
	a.left = nil
	return words
}

// one takes the only argument.
func (a *args) one(what string) string {
	words := a.words()
	switch {
	case len(words) == 0 || words[0] == "":
		a.refuse("", what+" is missing")
		return ""
	case len(words) > 1:
		a.refuse(words[1], "one argument too many")
	}
	return words[0]
}

// nearest finds the command that a misspelt one was probably meant to be.
func nearest(verb string) string {
	best, distance := "", 3 // two slips at most
	for _, c := range Table() {
		if verb != "" && len(verb) >= 3 && strings.HasPrefix(c.Name, verb) {
			return c.Name
		}
		if d := edits(verb, c.Name); d < distance && d < len(c.Name) {
			best, distance = c.Name, d
		}
	}
	return best
}

// edits counts insertions, deletions, replacements and swaps of neighbours
// that turn a into b.
func edits(a, b string) int {
	if len(a) > 40 {
		return len(a)
	}
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		d[i][0] = i
	}
	for j := range d[0] {
		d[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}
