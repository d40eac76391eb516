package strategy

import (
	"fmt"
	"slices"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/shell"
)

// expanded turns a command that needs a shell for nothing but its variables
// into one of Python, which puts the variables in and then becomes the program:
// same process, same signals. ok is false when that is not possible; b says why
// the program behind it cannot start.
func (t *starter) expanded(c assess.Command, sc *shell.Script) (argv []string, env []EnvVar, b *Block, ok bool) {
	if t.def.Image != "python" || !t.def.HasProgram("python") {
		return nil, nil, nil, false
	}
	words, vars, ok := sc.Template()
	if !ok {
		return nil, nil, nil, false
	}
	raw := make([]string, len(words))
	byRaw := map[string]shell.TemplateWord{}
	for i, w := range words {
		raw[i] = w.Raw
		if text, literal := w.Literal(); literal {
			raw[i] = text
		} else {
			byRaw[w.Raw] = w
		}
	}
	fixed, _, b := t.startable(c, raw)
	if b != nil {
		return nil, nil, b, true
	}
	for raw := range byRaw {
		if !slices.Contains(fixed, raw) {
			return nil, nil, nil, false
		}
	}
	list := make([]string, len(fixed))
	for i, f := range fixed {
		if w, ok := byRaw[f]; ok {
			list[i] = pythonWord(w)
			continue
		}
		list[i] = pythonText(f)
	}
	for _, k := range assess.Sorted(vars) {
		env = append(env, EnvVar{k, vars[k]})
	}
	code := fmt.Sprintf("import os; v = os.environ.get; os.execvp(%s, [%s])", list[0], strings.Join(list, ", "))
	return []string{"python", "-c", code}, env, nil, true
}

// pythonWord is the Python for a word with variables. What stands outside of
// quotes is parted at blanks, as the shell does.
func pythonWord(w shell.TemplateWord) string {
	var parts []string
	for _, p := range w.Pieces {
		switch {
		case p.Var == "":
			if p.Text != "" {
				parts = append(parts, pythonText(p.Text))
			}
		case p.HasDefault && p.EmptyToo && p.Default != "":
			parts = append(parts, fmt.Sprintf("(v(%s) or %s)", pythonText(p.Var), pythonText(p.Default)))
		default:
			parts = append(parts, fmt.Sprintf("v(%s, %s)", pythonText(p.Var), pythonText(p.Default)))
		}
	}
	word := strings.Join(parts, " + ")
	if !w.Splits {
		return word
	}
	if len(parts) > 1 {
		word = "(" + word + ")"
	}
	return "*" + word + ".split()"
}

// pythonEscapes are those of a string literal in single quotes.
var pythonEscapes = strings.NewReplacer(`\`, `\\`, "'", `\'`, "\n", `\n`, "\r", `\r`, "\t", `\t`)

// pythonText is a string literal in single quotes.
func pythonText(s string) string {
	return "'" + pythonEscapes.Replace(s) + "'"
}

// directly says what is gained by a list instead of a shell.
func (t *starter) directly() string {
	if t.byPython {
		return "the interpreter puts the variables in as the shell did and then becomes the program, which receives signals"
	}
	return "as a list the program starts directly and receives signals"
}

// rawStartWords are the words of the start command; those with variables stand
// as written. Nil when it needs a shell for more than variables.
func rawStartWords(f *assess.Stage) []string {
	if words := startWords(f); words != nil {
		return words
	}
	var out []string
	for _, c := range []assess.Command{f.End.Entrypoint, f.End.Cmd} {
		if c.Step == nil || len(c.Argv) == 0 {
			continue
		}
		run, _ := startScript(c)
		if !c.Shell && !shellDashC(c.Argv) || run.Script == nil {
			return nil
		}
		words, _, ok := run.Script.Template()
		if !ok {
			return nil
		}
		for _, w := range words {
			out = append(out, w.Raw)
		}
	}
	return out
}
