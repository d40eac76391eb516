package dockerfile

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/distribution/reference"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
)

// UnknownArgError tells that a reference depends on what only a build knows: a
// built-in argument, or an ARG without a default.
type UnknownArgError struct {
	Names   []string
	Builtin bool
}

func (e *UnknownArgError) Error() string {
	if e.Builtin {
		return "depends on the platform of the build: " + strings.Join(e.Names, ", ")
	}
	return "depends on a build argument without a default: " + strings.Join(e.Names, ", ")
}

// InvalidReferenceError tells that BuildKit refuses a reference, whatever the
// build arguments.
type InvalidReferenceError struct {
	Text string // expanded
	Err  error
}

func (e *InvalidReferenceError) Error() string { return fmt.Sprintf("%q: %v", e.Text, e.Err) }

// Unwrap returns BuildKit's reason.
func (e *InvalidReferenceError) Unwrap() error { return e.Err }

var errBlank = errors.New("base name should not be blank")

// resolveReferences finds every reference and links the stages.
func (f *File) resolveReferences() {
	for _, stage := range f.Stages {
		stage.Base = f.fromReference(stage)
		f.refs = append(f.refs, stage.Base)
		for _, ins := range stage.Instructions {
			f.innerReferences(ins, stage)
		}
	}
}

// named is the last of the first n stages that has a name, in lower case; nil
// when none has it.
func (f *File) named(name string, n int) *Stage {
	for i := n - 1; i >= 0 && name != ""; i-- {
		if f.Stages[i].Name == name {
			return f.Stages[i]
		}
	}
	return nil
}

// fromReference resolves a FROM. A stage is looked up by the expanded word, in
// the very case that is written, although names are stored in lower case: FROM
// Build never finds AS Build (dockerfile2llb, addState).
func (f *File) fromReference(stage *Stage) *Reference {
	r := &Reference{Kind: RefFrom, Instruction: stage.From}
	for _, flag := range stage.From.Flags {
		if flag.Name == "platform" {
			r.Platform = flag.Value
		}
	}
	if len(stage.From.Words) == 0 {
		r.Err = &InvalidReferenceError{"", errBlank}
		return r
	}
	r.Word = stage.From.Words[0]
	g := &globals{args: f.scope}
	text, _, err := f.expand(stage.From.Logical(r.Word.Span), g)
	for _, a := range g.used {
		r.Args = append(r.Args, ArgUse{Name: a.name, Default: a.text, Has: a.has, Arg: a.ins, Value: a.value})
	}
	parent := f.named(text, stage.Index)
	switch {
	case err != nil:
		r.Err = &InvalidReferenceError{r.Word.Text, err}
	case len(g.unknown) > 0:
		r.Err = &UnknownArgError{Names: g.unknown, Builtin: true}
	case parent != nil:
		r.Resolved, r.Parent = text, parent
	case text == "scratch":
		r.Resolved, r.Scratch = text, true
	default:
		r.Resolved, r.Err = checkImage(text)
		if r.Err != nil && len(g.missing) > 0 {
			r.Err = &UnknownArgError{Names: g.missing}
		}
	}
	return r
}

// checkImage applies BuildKit's test of an image name.
func checkImage(text string) (string, error) {
	if text == "" {
		return "", &InvalidReferenceError{text, errBlank}
	}
	if plainImage(text) {
		return text, nil
	}
	if _, err := reference.ParseNormalizedNamed(text); err != nil {
		return "", &InvalidReferenceError{text, err}
	}
	return text, nil
}

// plainImage tells whether a text is an image name beyond doubt: lower-case
// words joined by slashes, dots and dashes, and a tag. BuildKit's test accepts
// all of these and more; it runs regular expressions, which take as long as
// reading a line, for names that are nearly always of this kind.
func plainImage(text string) bool {
	if len(text) > 200 || len(text) == 64 { // 64 letters may be an image ID
		return false
	}
	name, tag, tagged := strings.Cut(text, ":")
	for i := range len(name) {
		c := name[i]
		if c >= 'a' && c <= 'z' || isDigit(c) {
			continue
		}
		// A separator stands between two letters or digits.
		if c != '/' && c != '.' && c != '-' || i == 0 || i == len(name)-1 || strings.IndexByte("/.-", name[i-1]) >= 0 {
			return false
		}
	}
	if name == "" || !tagged {
		return name != ""
	}
	for i := range len(tag) {
		c := tag[i]
		if nameByte(c) || i > 0 && (c == '.' || c == '-') {
			continue
		}
		return false
	}
	return tag != "" && len(tag) <= 128
}

// innerReferences finds COPY --from and RUN --mount=from of an instruction, or
// of its ONBUILD trigger.
func (f *File) innerReferences(ins *Instruction, stage *Stage) {
	trigger := false
	if ins.OnBuild != nil {
		ins, trigger = ins.OnBuild, true
	}
	var found []*Reference
	switch cmd := ins.Command.(type) {
	case *instructions.CopyCommand:
		if cmd.From == "" {
			return
		}
		for _, flag := range ins.Flags {
			if flag.Name == "from" {
				found = append(found, f.inner(RefCopyFrom, ins, flag.ValueSpan, cmd.From))
			}
		}
	case *instructions.RunCommand:
		if len(ins.Flags) == 0 {
			return
		}
		mounts := instructions.GetMounts(cmd)
		for _, flag := range ins.Flags {
			if flag.Name != "mount" || len(mounts) == 0 {
				continue
			}
			if m := mounts[0]; m.From != "" {
				found = append(found, f.inner(RefMount, ins, mountFrom(flag), m.From))
			}
			mounts = mounts[1:]
		}
	}
	for _, r := range found {
		r.trigger = trigger
		if r.Err == nil {
			f.resolveInner(r, stage)
		}
		f.refs = append(f.refs, r)
	}
}

// inner makes a reference of a flag's value whose text BuildKit read as want.
func (f *File) inner(kind RefKind, ins *Instruction, span Span, want string) *Reference {
	if t := f.Text(span); len(t) > 1 && (t[0] == '"' || t[0] == '\'') && t[len(t)-1] == t[0] {
		span = Span{span.Start + 1, span.End - 1}
	}
	r := &Reference{Kind: kind, Instruction: ins, Word: Word{Text: f.Text(span), Span: span}}
	if ins.Logical(span) != want {
		r.Err = &InvalidReferenceError{r.Word.Text, errors.New("quoted in a way that is not followed here")}
		return r
	}
	r.Resolved = want
	return r
}

// mountFrom is the span of the from= (or the span of the whole value when it is
// quoted as CSV) within a --mount flag.
func mountFrom(flag Flag) Span {
	at := flag.ValueSpan.Start
	for _, field := range strings.Split(flag.Value, ",") {
		key, _, ok := strings.Cut(field, "=")
		if ok && strings.EqualFold(key, "from") {
			return Span{at + len(key) + 1, at + len(field)}
		}
		at += len(field) + 1
	}
	return flag.ValueSpan
}

// resolveInner decides what a COPY --from or a mount means. Case is ignored
// here, and BuildKit looks among all stages of the file: a name that is declared
// again below means that later stage, which then is an error.
func (f *File) resolveInner(r *Reference, stage *Stage) {
	name := strings.ToLower(r.Resolved)
	if index, err := strconv.Atoi(r.Resolved); err == nil && r.Kind == RefCopyFrom {
		if index < 0 || index >= len(f.Stages) || index >= stage.Index && !r.trigger {
			r.Resolved, r.Err = "", &InvalidReferenceError{r.Resolved, errors.New("invalid stage index")}
		} else {
			r.Parent = f.Stages[index]
		}
		return
	}
	earlier, later := f.named(name, stage.Index), f.named(name, len(f.Stages))
	switch {
	case earlier != nil && later == earlier, later != nil && r.trigger:
		r.Parent = later
	case later != nil:
		r.Parent = earlier
		r.Err = &InvalidReferenceError{r.Resolved, fmt.Errorf("stage %q needs to be defined before current stage", later.Name)}
		r.Resolved = ""
	case r.Resolved == "scratch":
		r.Scratch = true
	case r.Kind == RefCopyFrom && f.changes(r.Resolved):
		r.Err = &InvalidReferenceError{r.Resolved, errors.New("variable expansion is not supported for --from")}
		r.Resolved = ""
	default:
		r.Resolved, r.Err = checkImage(r.Resolved)
	}
}

// changes tells whether word processing would alter a text.
func (f *File) changes(text string) bool {
	out, _, err := f.expand(text, environment(nil))
	return err != nil || out != text
}

// References returns every place where an image or a stage is named: FROM,
// COPY --from and RUN --mount from=, those of ONBUILD triggers included, in
// file order.
func (f *File) References() []*Reference { return f.refs }

// Broken returns the first reference that BuildKit refuses whatever the build
// arguments are, as an *Error; nil when there is none. ONBUILD triggers do not
// count: BuildKit reads them when a child is built.
func (f *File) Broken() *Error {
	for _, r := range f.refs {
		if r.trigger || r.Err == nil {
			continue
		}
		if invalid := new(InvalidReferenceError); errors.As(r.Err, &invalid) {
			line := f.Line(r.Word.Span.Start)
			if looksTemplated(f.Content) {
				return &Error{line, CodeTemplate, "it is a template; a Dockerfile is made from it first: " + r.Err.Error()}
			}
			return &Error{line, CodeSyntax, r.Err.Error()}
		}
	}
	return nil
}
