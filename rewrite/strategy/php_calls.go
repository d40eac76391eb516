package strategy

import (
	"fmt"
	"slices"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/shell"
)

// phpCall is a call of one of the official images' helpers, or what stands for
// one.
type phpCall struct {
	cmd   *shell.Command
	kind  phpKind
	names []string // of extensions
	// flags are those of docker-php-ext-configure, as written.
	flags string
	// jobs tells that make may run several commands at once.
	jobs bool
}

type phpKind int

const (
	phpInstall    phpKind = iota // docker-php-ext-install
	phpConfigure                 // docker-php-ext-configure
	phpEnable                    // docker-php-ext-enable
	phpSource                    // docker-php-source: the sources are there
	phpInstaller                 // install-php-extensions
	phpPeclBuild                 // pecl install, which works in DHI's dev images
	phpProduction                // php.ini-production becomes php.ini
)

// phpCalls reads the calls of a RUN; why is set when one is not understood.
func phpCalls(sc *shell.Script) (calls []phpCall, why string) {
	for _, c := range sc.Commands {
		call := phpCall{cmd: c}
		rest := c.Args
		switch c.Name {
		case "docker-php-ext-install":
			call.kind = phpInstall
			for len(rest) > 0 && strings.HasPrefix(rest[0].Text, "-") {
				if !strings.HasPrefix(rest[0].Text, "-j") {
					return nil, "it calls docker-php-ext-install with " + rest[0].Text
				}
				call.jobs = true
				if rest[0].Text == "-j" && len(rest) > 1 {
					rest = rest[1:]
				}
				rest = rest[1:]
			}
		case "docker-php-ext-configure":
			call.kind = phpConfigure
			var flags []string
			for _, a := range rest[min(1, len(rest)):] {
				flags = append(flags, a.Raw)
			}
			call.flags = strings.Join(flags, " ")
			rest = rest[:min(1, len(rest))]
		case "docker-php-ext-enable":
			call.kind = phpEnable
		case "docker-php-source":
			call.kind = phpSource
			calls = append(calls, call)
			continue
		case "install-php-extensions":
			call.kind = phpInstaller
		case "pecl":
			if len(rest) == 0 || rest[0].Text != "install" {
				continue
			}
			call.kind = phpPeclBuild
			rest = slices.DeleteFunc(slices.Clone(rest[1:]), func(a shell.Arg) bool { return strings.HasPrefix(a.Text, "-") })
		case "mv", "cp":
			if n := len(c.Args); n < 2 || c.Args[n-2].Text != phpIni+"/php.ini-production" || c.Args[n-1].Text != phpIni+"/php.ini" {
				continue
			}
			call.kind = phpProduction
			calls = append(calls, call)
			continue
		default:
			continue
		}
		if call.kind == phpPeclBuild {
			// It works in the dev image whatever it is given; what cannot be read
			// counts as an extension that is not known.
			for _, a := range rest {
				name, _, _ := strings.Cut(a.Text, "-")
				switch {
				case c.Conditional || c.Function:
					name = a.Raw + ", under a condition"
				case strings.Contains(name, "$"):
					name = a.Raw
				}
				call.names = append(call.names, name)
			}
			calls = append(calls, call)
			continue
		}
		for _, a := range rest {
			if !a.Literal || a.Text == "" || strings.ContainsAny(a.Text, "/@*") || strings.HasPrefix(a.Text, "-") {
				return nil, fmt.Sprintf("it calls %s with %s, which cannot be told here", c.Name, a.Raw)
			}
			call.names = append(call.names, a.Text)
		}
		if c.OpenArgs || len(call.names) == 0 {
			return nil, fmt.Sprintf("which extensions %s is given cannot be told", c.Name)
		}
		if c.Conditional || c.Pipe || c.Background || c.Subst || c.Function {
			return nil, fmt.Sprintf("it calls %s under a condition or within another command", c.Name)
		}
		calls = append(calls, call)
	}
	return calls, ""
}

// phpStep reads the calls of an instruction.
func phpStep(st *assess.Step) ([]phpCall, string) {
	if st.Run == nil || st.Run.Script == nil {
		return nil, ""
	}
	return phpCalls(st.Run.Script)
}

// builds tells whether a call compiles the extension.
func (c *phpCall) builds() bool {
	return c.kind == phpInstall || c.kind == phpInstaller || c.kind == phpPeclBuild
}

// peclName is the name of an extension without the version that pecl takes.
func peclName(name string) string {
	n, _, _ := strings.Cut(name, "-")
	return n
}

// finder finds commands in the text of an instruction, one after the other.
type finder struct {
	text string
	at   int
}

// find gives the range of the next call of a command: its name and its words.
func (f *finder) find(c *shell.Command) (start, end int, ok bool) {
	name := c.Word.Raw
	for name != "" {
		i := strings.Index(f.text[f.at:], name)
		if i < 0 {
			return 0, 0, false
		}
		start = f.at + i
		f.at = start + len(name)
		before := strings.TrimRight(f.text[strings.LastIndexByte(f.text[:start], '\n')+1:start], " \t")
		if strings.HasPrefix(strings.TrimLeft(before, " \t"), "#") || start > 0 && isPathByte(f.text[start-1]) || f.at < len(f.text) && isPathByte(f.text[f.at]) {
			continue // in a comment, or a part of another word
		}
		end = f.at
		for _, a := range c.Args {
			p := f.blank(end)
			if !strings.HasPrefix(f.text[p:], a.Raw) {
				return 0, 0, false
			}
			end = p + len(a.Raw)
		}
		f.at = end
		return start, end, true
	}
	return 0, 0, false
}

// blank passes over blanks, continued lines and the comment lines between them.
func (f *finder) blank(p int) int {
	for p < len(f.text) {
		switch {
		case f.text[p] == ' ' || f.text[p] == '\t' || f.text[p] == '\r':
			p++
		case f.text[p] == '\\' && strings.TrimSpace(lineRest(f.text[p+1:])) == "":
			p += 1 + len(lineRest(f.text[p+1:])) + 1
			for p < len(f.text) {
				l := lineRest(f.text[p:])
				if t := strings.TrimSpace(l); t != "" && t[0] != '#' {
					break
				}
				p += len(l) + 1
			}
		default:
			return p
		}
	}
	return len(f.text)
}

// lineRest is a text up to the end of its first line.
func lineRest(s string) string {
	l, _, _ := strings.Cut(s, "\n")
	return l
}
