package dockerfile

import (
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/moby/buildkit/frontend/dockerfile/command"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// next gives an empty node.
func (r *reader) next() *parser.Node {
	if len(r.nodes) == cap(r.nodes) {
		r.nodes = make([]parser.Node, 0, max(8, 2*cap(r.nodes)))
	}
	r.nodes = r.nodes[:len(r.nodes)+1]
	return &r.nodes[len(r.nodes)-1]
}

func (r *reader) value(text string) *parser.Node {
	n := r.next()
	n.Value = text
	return n
}

// node reads a joined line (BuildKit's newNodeFromLine); nil gives up.
func (r *reader) node(line string) *parser.Node {
	keyword, rest := scanKeyword(line)
	node := r.value(line[keyword.from:keyword.to])
	node.Original = line
	if rest.from < rest.to {
		ok := false
		if node.Flags, rest, ok = r.flags(line, rest); !ok {
			return nil
		}
	}
	args := line[rest.from:rest.to]
	ok := true
	switch instruction(node.Value) {
	case command.From, command.Expose:
		node.Next = r.list(args)
	case command.Arg:
		node.Next, ok = r.names(args)
	case command.Env, command.Label:
		node.Next, ok = r.pairs(args)
	case command.StopSignal, command.User, command.Workdir, command.Maintainer:
		node.Next = r.text(args)
	case command.Run, command.Cmd, command.Entrypoint, command.Shell:
		node.Next, node.Attributes, ok = r.execOrText(args)
	case command.Healthcheck:
		node.Next, node.Attributes, ok = r.health(args)
	case command.Copy, command.Add, command.Volume:
		var exec bool
		if node.Next, exec, ok = r.array(args); exec {
			node.Attributes = r.exec
		} else {
			node.Next = r.list(args)
		}
	case command.Onbuild:
		node.Next, ok = r.trigger(args)
	default:
		ok = false
	}
	if !ok {
		return nil
	}
	return node
}

// instruction is the name of an instruction as the command package has it, "" for
// none that is known.
func instruction(keyword string) string {
	for _, name := range [...]string{
		command.Run, command.Copy, command.From, command.Env, command.Workdir, command.Cmd, command.Arg, command.Expose,
		command.User, command.Entrypoint, command.Label, command.Add, command.Healthcheck, command.Volume, command.Shell,
		command.StopSignal, command.Onbuild, command.Maintainer,
	} {
		if len(name) == len(keyword) && strings.EqualFold(name, keyword) {
			return name
		}
	}
	return ""
}

// trigger reads the instruction of an ONBUILD; one within another is odd.
func (r *reader) trigger(args string) (*parser.Node, bool) {
	if keyword, _ := scanKeyword(args); args == "" || strings.EqualFold(args[keyword.from:keyword.to], command.Onbuild) {
		return nil, false
	}
	child := r.node(args)
	if child == nil {
		return nil, false
	}
	top := r.next()
	top.Children = []*parser.Node{child}
	return top, true
}

// flags reads the plain --flags at the start of the arguments.
func (r *reader) flags(line string, e extent) (flags []string, rest extent, ok bool) {
	flags = []string{}
	for pos := e.from; ; {
		for pos < e.to && isSpaceByte(line[pos]) {
			pos++
		}
		if pos+1 >= e.to || line[pos] != '-' || line[pos+1] != '-' {
			return flags, trim(line, extent{pos, e.to}), true
		}
		from := pos
		for pos < e.to && !isSpaceByte(line[pos]) {
			if c := line[pos]; c >= utf8.RuneSelf || c == '\'' || c == '"' || c == byte(r.Escape) {
				return nil, e, false
			}
			pos++
		}
		if pos-from == 2 {
			return nil, e, false
		}
		flags = append(flags, line[from:pos])
	}
}

// list reads words between blanks.
func (r *reader) list(args string) *parser.Node {
	var top *parser.Node
	last := &top
	for pos := 0; pos < len(args); {
		from := pos
		for pos < len(args) && !isBlank(args[pos]) {
			pos++
		}
		n := r.value(args[from:pos])
		*last, last = n, &n.Next
		for pos < len(args) && isBlank(args[pos]) {
			pos++
		}
	}
	return top
}

func (r *reader) text(args string) *parser.Node {
	if args == "" {
		return nil
	}
	return r.value(args)
}

// words finds words that may be quoted.
func (r *reader) words(args string) (found []extent, ok bool) {
	if strings.HasSuffix(args, string(r.Escape)) { // dropped, or not
		return nil, false
	}
	var room [16]extent
	return scanQuoted(room[:0], args, extent{0, len(args)}, byte(r.Escape)), true
}

// names reads the words of ARG.
func (r *reader) names(args string) (*parser.Node, bool) {
	words, ok := r.words(args)
	var top *parser.Node
	last := &top
	for _, w := range words {
		n := r.value(args[w.from:w.to])
		*last, last = n, &n.Next
	}
	return top, ok
}

// pairs reads the words of ENV and LABEL: name, value and separator each.
func (r *reader) pairs(args string) (*parser.Node, bool) {
	words, ok := r.words(args)
	if !ok || len(words) == 0 {
		return nil, ok
	}
	var top *parser.Node
	last := &top
	pair := func(name, value, separator string) {
		n, v, s := r.value(name), r.value(value), r.value(separator)
		n.Next, v.Next = v, s
		*last, last = n, &s.Next
	}
	if !strings.Contains(args[words[0].from:words[0].to], "=") {
		name := 0
		for name < len(args) && !isBlank(args[name]) {
			name++
		}
		value := name
		for value < len(args) && isBlank(args[value]) {
			value++
		}
		if value == name {
			return nil, false
		}
		pair(args[:name], args[value:], "")
		return top, true
	}
	for _, w := range words {
		name, value, ok := strings.Cut(args[w.from:w.to], "=")
		if !ok {
			return nil, false
		}
		pair(name, value, "=")
	}
	return top, true
}

// execOrText reads an exec form, or takes all as one text.
func (r *reader) execOrText(args string) (*parser.Node, map[string]bool, bool) {
	top, exec, ok := r.array(args)
	if exec {
		return top, r.exec, ok
	}
	return r.text(args), nil, ok
}

// array reads a JSON array of strings. A text that is no array may be taken as
// it is; ok is false when it is an array of other things.
func (r *reader) array(args string) (top *parser.Node, exec, ok bool) {
	args = strings.TrimLeftFunc(args, unicode.IsSpace)
	if !strings.HasPrefix(args, "[") {
		return nil, false, true
	}
	if r.exec == nil {
		r.exec = map[string]bool{"json": true}
	}
	last := &top
	if list, plain := plainArray(args); plain {
		for _, e := range list {
			n := r.value(args[e.from:e.to])
			*last, last = n, &n.Next
		}
		return top, true, true
	}
	var list []any
	if err := json.Unmarshal([]byte(args), &list); err != nil {
		return nil, false, true
	}
	for _, v := range list {
		s, ok := v.(string)
		if !ok {
			return nil, false, false
		}
		n := r.value(s)
		*last, last = n, &n.Next
	}
	return top, true, true
}

// plainArray finds the strings of a JSON array without escapes, quotes left out.
func plainArray(s string) (list []extent, ok bool) {
	pos := 1 // behind the bracket
	blanks := func() {
		for pos < len(s) && (s[pos] == ' ' || s[pos] == '\t' || s[pos] == '\r') {
			pos++
		}
	}
	for {
		blanks()
		if pos == len(s) || s[pos] != '"' {
			return nil, false
		}
		from := pos + 1
		for pos++; pos < len(s) && s[pos] != '"'; pos++ {
			if s[pos] < ' ' || s[pos] == '\\' {
				return nil, false
			}
		}
		if pos == len(s) {
			return nil, false
		}
		list = append(list, extent{from, pos})
		pos++
		blanks()
		if pos == len(s) || s[pos] != ',' {
			break
		}
		pos++
	}
	if pos == len(s) || s[pos] != ']' {
		return nil, false
	}
	pos++
	blanks()
	return list, pos == len(s)
}

// health reads a type and what follows it.
func (r *reader) health(args string) (*parser.Node, map[string]bool, bool) {
	sep := 0
	for sep < len(args) && !isSpaceByte(args[sep]) {
		sep++
	}
	next := sep
	for next < len(args) && isSpaceByte(args[next]) {
		next++
	}
	if sep == 0 {
		return nil, nil, args == ""
	}
	top := r.value(args[:sep])
	rest, attributes, ok := r.execOrText(args[next:])
	top.Next = rest
	return top, attributes, ok
}
