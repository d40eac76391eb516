package dockerfile

import (
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/command"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// stageName is the instruction of a FROM, as far as the builder wants it: the
// alias in lower case, "" when there is none.
type stageName string

// typedPlain makes the typed instruction that BuildKit's instructions package
// makes of a plain node, without what only its errors need (name, code and
// place); nil gives up at flags but the usual ones of COPY, at here-documents,
// and at everything that is rare or an error. FuzzRead compares the two.
//
// BuildKit sets up tables of flags for every instruction, which takes longer
// than all the rest of its reading.
func typedPlain(node *parser.Node) any {
	if strings.Contains(node.Original, "<<") {
		return nil
	}
	keyword := instruction(node.Value)
	if keyword == command.Copy {
		return plainCopy(node)
	}
	if len(node.Flags) > 0 || node.Next == nil {
		return nil
	}
	switch keyword {
	case command.From:
		return plainFrom(arguments(node))
	case command.Env:
		if pairs := plainPairs(node); pairs != nil {
			return &instructions.EnvCommand{Env: pairs}
		}
	case command.Label:
		if pairs := plainPairs(node); pairs != nil {
			return &instructions.LabelCommand{Labels: pairs}
		}
	case command.Arg:
		return plainArg(node)
	case command.Workdir:
		if node.Next.Next == nil {
			return &instructions.WorkdirCommand{Path: node.Next.Value}
		}
	case command.User:
		if node.Next.Next == nil {
			return &instructions.UserCommand{User: node.Next.Value}
		}
	case command.Run:
		return &instructions.RunCommand{ShellDependantCmdLine: commandLine(node)}
	case command.Cmd:
		return &instructions.CmdCommand{ShellDependantCmdLine: commandLine(node)}
	case command.Entrypoint:
		return &instructions.EntrypointCommand{ShellDependantCmdLine: commandLine(node)}
	case command.Expose:
		ports := arguments(node)
		slices.Sort(ports)
		return &instructions.ExposeCommand{Ports: ports}
	}
	return nil
}

// arguments are the words of a node.
func arguments(node *parser.Node) []string {
	n := 0
	for next := node.Next; next != nil; next = next.Next {
		n++
	}
	words := make([]string, 0, n)
	for next := node.Next; next != nil; next = next.Next {
		words = append(words, next.Value)
	}
	return words
}

func plainFrom(words []string) any {
	switch {
	case len(words) == 1:
		return stageName("")
	case len(words) != 3 || !strings.EqualFold(words[1], "as"):
		return nil
	}
	for i := range len(words[2]) {
		c := words[2][i] | ' ' // a letter in lower case; nothing else becomes one
		if letter := c >= 'a' && c <= 'z'; !letter && (i == 0 || strings.IndexByte("0123456789-_.", words[2][i]) < 0) {
			return nil
		}
	}
	return stageName(strings.ToLower(words[2]))
}

// plainPairs reads the triples of ENV and LABEL; nil when a name is empty.
func plainPairs(node *parser.Node) instructions.KeyValuePairs {
	n := 0
	for next := node.Next; next != nil; next = next.Next {
		n++
	}
	pairs := make(instructions.KeyValuePairs, 0, n/3)
	for name := node.Next; name != nil; name = name.Next.Next.Next {
		if name.Value == "" {
			return nil
		}
		pairs = append(pairs, instructions.KeyValuePair{Key: name.Value, Value: name.Next.Value, NoDelim: name.Next.Next.Value == ""})
	}
	return pairs
}

func plainArg(node *parser.Node) any {
	var pairs []instructions.KeyValuePairOptional
	for word := node.Next; word != nil; word = word.Next {
		pair := instructions.KeyValuePairOptional{Key: word.Value}
		if name, value, ok := strings.Cut(word.Value, "="); ok {
			if name == "" {
				return nil
			}
			pair.Key, pair.Value = name, &value
		}
		pairs = append(pairs, pair)
	}
	return &instructions.ArgCommand{Args: pairs}
}

// commandLine is an exec form, or all of the words as one text.
func commandLine(node *parser.Node) instructions.ShellDependantCmdLine {
	words := arguments(node)
	exec := node.Attributes["json"]
	if !exec && len(words) > 1 {
		words = []string{strings.Join(words, " ")}
	}
	return instructions.ShellDependantCmdLine{CmdLine: words, PrependShell: !exec}
}

func plainCopy(node *parser.Node) any {
	words := arguments(node)
	if len(words) < 2 {
		return nil
	}
	c := &instructions.CopyCommand{}
	for i, flag := range node.Flags {
		name, value, ok := strings.Cut(flag, "=")
		if !ok || slices.ContainsFunc(node.Flags[:i], func(f string) bool { return strings.HasPrefix(f, name+"=") }) {
			return nil
		}
		switch name {
		case "--from":
			c.From = value
		case "--chown":
			c.Chown = value
		case "--chmod":
			c.Chmod = value
		default:
			return nil
		}
	}
	last := len(words) - 1
	c.SourcePaths, c.DestPath = words[:last:last], words[last]
	return c
}
