package config

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// maxFile is the size from which on a file is refused unread.
const maxFile = 256 << 10

// Problem is one thing that is wrong with a file.
type Problem struct {
	File    string
	Line    int // 1-based, 0 when it is about the whole file
	Column  int
	Message string // a sentence that may quote foreign text in backticks
}

func (p Problem) String() string {
	if p.Line == 0 {
		return p.File + ": " + p.Message
	}
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Message)
}

// Problems are all the things that are wrong, in the order of the files.
type Problems []Problem

func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i := range p {
		lines[i] = p[i].String()
	}
	return strings.Join(lines, "\n")
}

// File is the content of a file of settings and what to call it.
type File struct {
	Name    string // ".github/dhi.yml", "acme/.github: .github/dhi.yml"
	Content []byte // nil when there is no such file
	// TooLarge tells that it was too large to be fetched; Content is nil then.
	TooLarge bool
	// Misnamed tells that there is a file at Misnamed, whether there is one at
	// Path or not. No settings are in force then, not even earlier ones: nobody
	// knows which file its author believes in.
	Misnamed bool
}

// MisnamedName is what to call the file at Misnamed.
func (f File) MisnamedName() string { return strings.TrimSuffix(f.Name, Path) + Misnamed }

// misnamed is the mistake that File.Misnamed is.
func (f File) misnamed() Problem {
	p := Problem{File: f.MisnamedName(), Line: 1, Column: 1, Message: "the settings are read from `" + Path + "`; rename this file"}
	if f.Content != nil || f.TooLarge {
		p.Message = "the settings are read from `" + Path + "`, which is there too; remove this file, or that one and rename this one"
	}
	return p
}

// Resolve merges the organisation's file and the repository's, key by key: a
// key of the repository replaces the organisation's as a whole, unless it is
// locked. The Config holds what could be understood; it is only to be used when
// there are no problems.
func Resolve(organisation, repository File) (Config, Problems) {
	c := Default()
	org := &reader{file: organisation.Name, organisation: true}
	org.read(organisation, &c)
	repo := &reader{file: repository.Name, locked: c.Lock, owner: organisation.Name}
	repo.read(repository, &c)
	return c, append(org.problems, repo.problems...)
}

type reader struct {
	file         string
	organisation bool
	locked       []string
	owner        string
	problems     Problems
}

func (r *reader) problem(n *yaml.Node, message string) {
	r.problems = append(r.problems, Problem{File: r.file, Line: n.Line, Column: n.Column, Message: message})
}

// read takes the settings of a file. What stood in a file that cannot be read is
// not known, see lessOpen.
func (r *reader) read(file File, c *Config) {
	content := file.Content
	if file.Misnamed {
		r.problems = append(r.problems, file.misnamed())
		r.lessOpen(c)
	}
	if file.TooLarge {
		r.problems = append(r.problems, Problem{File: r.file, Message: fmt.Sprintf("the file is too large, at most %d bytes are read", maxFile)})
		r.lessOpen(c)
		return
	}
	if len(content) > maxFile {
		r.problems = append(r.problems, Problem{File: r.file, Message: fmt.Sprintf("the file has %d bytes, at most %d are read", len(content), maxFile)})
		r.lessOpen(c)
		return
	}
	if len(strings.TrimSpace(string(content))) == 0 {
		return
	}
	var docs []yaml.Node
	// Duplicates of our own keys are reported with the rest, see below.
	err := yaml.Load(content, &docs, yaml.WithAllDocuments(), yaml.WithUniqueKeys(false))
	if err != nil {
		r.problems = append(r.problems, r.syntax(content, err))
		r.guess(content, c)
		return
	}
	if len(docs) > 1 {
		r.problem(&docs[1], "one document is expected, here begins a second one")
		r.lessOpen(c)
		return
	}
	if len(docs) == 0 || len(docs[0].Content) == 0 {
		return
	}
	root := docs[0].Content[0]
	if root.Kind == yaml.ScalarNode && root.Tag == "!!null" {
		return // only comments
	}
	if root.Kind != yaml.MappingNode {
		r.problem(root, "settings are expected here, `key: value`")
		r.lessOpen(c)
		return
	}
	r.settings(root, c)
}

func (r *reader) settings(root *yaml.Node, c *Config) {
	var seen []string
	for i := 0; i+1 < len(root.Content); i += 2 {
		at, value := root.Content[i], root.Content[i+1]
		name, ok := r.scalar(at)
		if !ok {
			continue
		}
		k, known := find(name)
		switch {
		case !known:
			message := fmt.Sprintf("there is no key `%s`", name)
			if near := nearest(name); near != "" {
				message += "; did you mean `" + near + "`?"
				if near == "mode" {
					r.lessOpen(c)
				}
			}
			r.problem(at, message)
		case slices.Contains(seen, name):
			r.problem(at, fmt.Sprintf("`%s` is there twice", name))
		case k.orgOnly && !r.organisation:
			r.problem(at, fmt.Sprintf("`%s` belongs in the organisation's file", name))
		case slices.Contains(r.locked, name):
			r.problem(at, fmt.Sprintf("`%s` is locked by %s", name, r.owner))
		case value.Kind == yaml.ScalarNode && value.Tag == "!!null":
			r.problem(value, fmt.Sprintf("`%s` has no value", name))
			if name == "mode" {
				r.lessOpen(c)
			}
		default:
			k.set(r, value, c)
		}
		seen = append(seen, name)
	}
}

// scalar reads a string. Numbers, dates and the like are refused: people who
// write 3.10 mean the string, and other readers of YAML make 3.1 of it. Words
// that are booleans to some readers, such as off, stay the words they are.
func (r *reader) scalar(n *yaml.Node) (string, bool) {
	if n.Kind == yaml.AliasNode {
		r.problem(n, "anchors and aliases are not supported; write the value out")
		return "", false
	}
	if n.Kind != yaml.ScalarNode {
		r.problem(n, "a string is expected here")
		return "", false
	}
	if n.Tag != "!!str" && n.Tag != "!!bool" {
		r.problem(n, fmt.Sprintf("a string is expected here; put `%s` in quotes", n.Value))
		return "", false
	}
	if len(n.Value) > maxString {
		r.problem(n, fmt.Sprintf("at most %d bytes are expected here", maxString))
		return "", false
	}
	return n.Value, true
}

// syntax turns an error of the YAML reader into a problem.
func (r *reader) syntax(content []byte, err error) Problem {
	p := Problem{File: r.file, Message: "this is not YAML: " + err.Error()}
	var load *yaml.LoadError
	if errors.As(err, &load) {
		p.Line, p.Column, p.Message = load.Mark.Line, max(load.Mark.Column, 1), "this is not YAML: "+load.Message
	}
	if p.Line == 0 {
		// Errors of the encoding come without a place.
		n := 0
		for n < len(content) {
			r, size := utf8.DecodeRune(content[n:])
			if r == utf8.RuneError && size == 1 {
				break
			}
			n += size
		}
		good := content[:n]
		p.Line = 1 + bytes.Count(good, []byte("\n"))
		p.Column = 1 + len(good[bytes.LastIndexByte(good, '\n')+1:])
	}
	return p
}

// nearest finds the key that a misspelt one was probably meant to be: the same
// letters but for case and separators, or one that it is the beginning of.
func nearest(name string) string {
	flat := func(s string) string {
		return strings.NewReplacer("_", "", "-", "", " ", "").Replace(strings.ToLower(s))
	}
	f := flat(name)
	for _, k := range names() {
		if g := flat(k); f == g || len(f) > 2 && (strings.HasPrefix(g, f) || strings.HasPrefix(f, g)) {
			return k
		}
	}
	return ""
}
