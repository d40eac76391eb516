package dockerfile

import (
	"fmt"
	"slices"
	"strings"
)

// Target is the image that a reference shall name: Repository:Version-Suffix,
// or Repository:Version when Suffix is "". For example {dhi.io/node, 22,
// debian13-dev} or {dhi.io/dotnet, 8, sdk-debian13}.
type Target struct {
	Ref                         *Reference
	Repository, Version, Suffix string
	// WriteOut allows to drop the variables of the reference when another one
	// needs a different value of the same ARG.
	WriteOut bool
}

// String is the reference in full.
func (t Target) String() string {
	if t.Suffix == "" {
		return t.Repository + ":" + t.Version
	}
	return t.Repository + ":" + t.Version + "-" + t.Suffix
}

// Retargeted is how references come to name their targets.
type Retargeted struct {
	// Moves says what becomes of each target, in the order of the targets.
	Moves []Move
	// Args are the defaults that change, in file order.
	Args []ArgChange
}

// Move is how one reference comes to name its target.
type Move struct {
	// Edits are none where the target stands already. An edit of an ARG that
	// several references share is in the list of each; Apply merges them.
	Edits []Edit
	// WrittenOut is the ARG that the reference shared with others when it lost
	// its variables, "" otherwise.
	WrittenOut string
	// Ahead is the ARG without a value that stands in front of all of the
	// reference, "" for none: a build that sets it puts a registry or an
	// architecture there, now in front of the target's repository.
	Ahead string
	// Err says why it cannot be moved: a *SharedArgError, *ArgUsedElsewhereError,
	// *RetargetError or the reference's own Err.
	Err error
}

// ArgChange is a default of a global ARG that changes. Before and After are the
// values, variables expanded.
type ArgChange struct {
	Name, Before, After string
	Arg                 *Instruction
	Refs                []*Reference // targets that depend on it
}

// SharedArgError tells that references need different values of one ARG.
type SharedArgError struct {
	Name string
	Refs []*Reference
}

func (e *SharedArgError) Error() string {
	return fmt.Sprintf("%d references share ARG %s and need different values of it", len(e.Refs), e.Name)
}

// ArgUsedElsewhereError tells that the default of an ARG would have to change
// and that something else depends on it.
type ArgUsedElsewhereError struct {
	Name string
	At   *Instruction // an instruction that uses it
}

func (e *ArgUsedElsewhereError) Error() string {
	return fmt.Sprintf("ARG %s is used by %s on line %d as well", e.Name, e.At.Keyword, e.At.Lines[0])
}

// RetargetError tells that a reference cannot be written as its target without
// dropping a variable or changing what one means.
type RetargetError struct {
	Reference string // as written
	Target    string
	Reason    string
}

func (e *RetargetError) Error() string {
	return fmt.Sprintf("%s cannot become %s: %s", e.Reference, e.Target, e.Reason)
}

const maxGoals = 100

// Retarget edits references where their text stands, so that with the defaults
// of the file's ARGs each expands to exactly its target. Variables stay: they
// are how others steer the build. Literal text around them changes first, a
// default in ${NAME:-default} in place, and the default of an ARG when it has
// to. Every outcome with a variable is read back by BuildKit's parser before it
// is returned; what does not come out exactly is an error, never a wrong edit.
//
// At most a hundred references with variables are moved at once.
func (f *File) Retarget(targets []Target) Retargeted {
	out := Retargeted{Moves: make([]Move, len(targets))}
	var open []*goal
	for i, t := range targets {
		move := &out.Moves[i]
		want := t.String()
		g, err := f.newGoal(t, want)
		if g != nil && len(open) == maxGoals {
			g, err = nil, &RetargetError{t.Ref.Word.Text, want, "the file has too many references with variables"}
		}
		switch {
		case err != nil:
			move.Err = err
		case g == nil:
			if t.Ref.Word.Text != want { // else it stands there already
				move.Edits = []Edit{{Span: t.Ref.Word.Span, New: want}}
			}
		default:
			g.move, move.Ahead = move, g.ahead
			open = append(open, g)
		}
	}
	for _, group := range connected(open) {
		f.retargetGroup(group, &out)
	}
	if len(out.Args) > 1 {
		slices.SortFunc(out.Args, func(a, b ArgChange) int { return a.Arg.Span.Start - b.Arg.Span.Start })
	}
	return out
}

// newGoal takes a reference apart; nil when its word is plain text.
func (f *File) newGoal(t Target, want string) (*goal, error) {
	r := t.Ref
	refuse := func(reason string) error { return &RetargetError{r.Word.Text, want, reason} }
	switch {
	case r.Err != nil:
		return nil, r.Err
	case r.Parent != nil || r.Scratch:
		return nil, refuse("it is not an image")
	case t.Repository == "" || t.Version == "":
		return nil, refuse("the target is not complete")
	}
	if _, err := checkImage(want); err != nil {
		return nil, err
	}
	if r.Kind != RefFrom || !strings.ContainsAny(r.Word.Text, `$"'`) && !strings.ContainsRune(r.Word.Text, f.Escape) {
		return nil, nil
	}
	w := flattener{f: f}
	ins := r.Instruction
	lookup := func(name string) *globalArg { return f.scope[name] }
	if err := w.word(ins, ins.locate(r.Word.Span.Start), ins.Logical(r.Word.Span), nil, lookup); err != nil {
		return nil, refuse(err.Error())
	}
	var now strings.Builder
	for _, a := range w.atoms {
		now.WriteString(a.text)
	}
	if now.String() != r.Resolved {
		return nil, refuse(errTooOdd.Error())
	}
	g := newGoal(t, want, w.atoms)
	g.ahead = w.ahead
	return g, nil
}

// connected groups goals that share an ARG.
func connected(goals []*goal) [][]*goal {
	var groups [][]*goal
	for _, g := range goals {
		group := []*goal{g}
		rest := groups[:0]
		for _, other := range groups {
			if slices.ContainsFunc(other, g.shares) {
				group = append(other, group...)
			} else {
				rest = append(rest, other)
			}
		}
		groups = append(rest, group)
	}
	return groups
}

// retargetGroup solves goals that share ARGs. A goal that cannot be reached is
// reported and left as it is, and the others are tried again around it.
func (f *File) retargetGroup(group []*goal, out *Retargeted) {
	var written []*goal
	for len(group) > 0 {
		all := slices.Concat(group, written)
		frozen := f.frozen(all)
		s := solver{frozen: frozen}
		if s.solve(group) {
			if failed := f.finish(group, written, s.texts, out); failed == nil {
				return
			}
			for _, g := range all {
				g.move.Err = &RetargetError{g.ref.Word.Text, g.want, "the edited text does not expand to it"}
			}
			return
		}
		rest := group[:0:0]
		for _, g := range group {
			if (&solver{frozen: frozen}).solve([]*goal{g}) {
				rest = append(rest, g)
				continue
			}
			g.move.Err = g.why(frozen)
		}
		if len(rest) == len(group) { // each alone, but not together
			name, refs := sharedArg(group)
			if i := slices.IndexFunc(group, func(g *goal) bool { return g.target.WriteOut }); i >= 0 {
				group[i].move.WrittenOut = name
				written = append(written, group[i])
				group = slices.Delete(slices.Clone(group), i, i+1)
				continue
			}
			for _, g := range all {
				g.move.Err = &SharedArgError{name, refs}
			}
			return
		}
		group = rest
	}
}

// why explains a goal that cannot be reached alone.
func (g *goal) why(frozen map[*globalArg]*Instruction) error {
	if (&solver{}).solve([]*goal{g}) {
		for _, a := range g.args() {
			if at := frozen[a]; at != nil {
				return &ArgUsedElsewhereError{a.name, at}
			}
		}
	}
	return &RetargetError{g.ref.Word.Text, g.want, "its variables have no place in the new reference"}
}

// sharedArg names an ARG that several goals have in common.
func sharedArg(group []*goal) (string, []*Reference) {
	for _, g := range group {
		for _, a := range g.args() {
			var refs []*Reference
			for _, o := range group {
				if slices.Contains(o.args(), a) {
					refs = append(refs, o.ref)
				}
			}
			if len(refs) > 1 {
				return a.name, refs
			}
		}
	}
	return "", nil
}

// frozen finds the ARGs whose default must not change, with what uses them:
// another reference, a --platform, or a stage that takes the ARG in and names
// it.
func (f *File) frozen(group []*goal) map[*globalArg]*Instruction {
	frozen := map[*globalArg]*Instruction{}
	freeze := func(args []*globalArg, at *Instruction) {
		for _, a := range args {
			if frozen[a] == nil {
				frozen[a] = at
			}
		}
	}
	for _, s := range f.Stages {
		if !slices.ContainsFunc(group, func(g *goal) bool { return g.ref == s.Base }) {
			freeze(f.usedBy(s.From.Logical(s.Base.Word.Span)), s.From)
		}
		for _, flag := range s.From.Flags {
			freeze(f.usedBy(flag.Value), s.From)
		}
		for _, ins := range s.Instructions {
			for _, name := range importedArgs(ins) {
				a := f.scope[name]
				if a == nil {
					continue
				}
				if at := mentioned(s, ins, name); at != nil {
					freeze(append([]*globalArg{a}, f.usedBy("${"+name+"}")...), at)
				}
			}
		}
	}
	return frozen
}

// usedBy lists the global ARGs that a word depends on.
func (f *File) usedBy(word string) []*globalArg {
	g := &globals{args: f.scope}
	if _, _, err := f.expand(word, g); err != nil {
		return nil
	}
	return g.used
}

// finish turns the new texts into edits, reads the result back and reports. The
// references of written become text of their own.
func (f *File) finish(group, written []*goal, texts map[Span]string, out *Retargeted) error {
	edits := map[*Reference][]Edit{}
	changed := map[*globalArg][]*Reference{}
	var order []*globalArg
	for _, g := range group {
		whole := []*globalArg{nil}
		for _, a := range g.atoms {
			if !slices.Contains(whole, a.arg) {
				whole = append(whole, a.arg)
			}
		}
		for _, owner := range whole {
			span := g.ref.Word.Span
			if owner != nil {
				span = owner.value.Span
			}
			now := f.Text(span)
			var parts []Edit
			for _, a := range g.atoms {
				if text, ok := texts[a.loc]; ok && a.arg == owner && text != a.text {
					loc := Span{a.loc.Start - span.Start, a.loc.End - span.Start}
					parts = append(parts, Edit{Span: loc, New: text})
				}
			}
			text, err := Apply([]byte(now), parts)
			if err != nil {
				return err
			}
			if string(text) == now {
				continue
			}
			edits[g.ref] = append(edits[g.ref], Edit{Span: span, New: string(text)})
			if owner != nil {
				if changed[owner] == nil {
					order = append(order, owner)
				}
				changed[owner] = append(changed[owner], g.ref)
			}
		}
	}
	after, err := f.writeOut(group, written, edits)
	if err != nil {
		return err
	}
	for _, a := range order {
		now := after.args[slices.Index(f.args, a)]
		out.Args = append(out.Args, ArgChange{a.name, a.text, now.text, a.ins, changed[a]})
	}
	for _, g := range slices.Concat(group, written) {
		g.move.Edits = edits[g.ref]
	}
	return nil
}

// writeOut adds the edits of the references that lose the ARG they share, and
// reads everything back. Such a reference keeps the variables of its version,
// when the ARG takes that from others.
func (f *File) writeOut(group, written []*goal, edits map[*Reference][]Edit) (*File, error) {
	all, kept := slices.Concat(group, written), false
	for _, g := range written {
		text := f.like(g, group, edits)
		if kept = kept || text != ""; text == "" {
			text = g.want
		}
		edits[g.ref] = []Edit{{Span: g.ref.Word.Span, New: text}}
	}
	after, err := f.readBack(all, edits)
	if err == nil || !kept {
		return after, err
	}
	for _, g := range written {
		edits[g.ref][0].New = g.want
	}
	return f.readBack(all, edits)
}

// like writes a reference as another one of the same image and version comes to
// be written, through the ARG that holds it whole; "" when that has no variable.
func (f *File) like(g *goal, group []*goal, edits map[*Reference][]Edit) string {
	for _, o := range group {
		a := o.atoms[0].arg
		if a == nil || o.target.Suffix == "" || o.target.Repository != g.target.Repository || o.target.Version != g.target.Version {
			continue
		}
		for _, e := range edits[o.ref] {
			stem, ok := strings.CutSuffix(e.New, "-"+o.target.Suffix)
			if e.Span != a.value.Span || !ok || !strings.Contains(stem, "$") || !strings.HasPrefix(stem, o.target.Repository+":") {
				continue
			}
			if g.target.Suffix != "" {
				stem += "-" + g.target.Suffix
			}
			return stem
		}
	}
	return ""
}

// readBack parses the edited file and compares every FROM. The instructions of
// the stages are left out: the edits do not reach them, no FROM depends on them,
// and parsing them again would take as long as the first time.
func (f *File) readBack(group []*goal, edits map[*Reference][]Edit) (*File, error) {
	var all []Edit
	for _, list := range edits {
		all = append(all, list...)
	}
	for i, s := range f.Stages {
		end := len(f.Content)
		if i+1 < len(f.Stages) {
			end = f.Stages[i+1].From.FullLines.Start
		}
		all = append(all, Edit{Span: Span{s.From.FullLines.End, end}})
	}
	content, err := f.Apply(all)
	if err != nil {
		return nil, err
	}
	after, err := Parse(content)
	if err != nil {
		return nil, err
	}
	if len(after.Stages) != len(f.Stages) || len(after.args) != len(f.args) {
		return nil, fmt.Errorf("the edited file has %d stages instead of %d", len(after.Stages), len(f.Stages))
	}
	for i, s := range f.Stages {
		r := s.Base
		want := r.Resolved
		for _, g := range group {
			if g.ref == r {
				want = g.want
			}
		}
		if got := after.Stages[i].Base; got.Resolved != want || (got.Err == nil) != (r.Err == nil) || (got.Parent == nil) != (r.Parent == nil) {
			return nil, fmt.Errorf("%s expands to %q instead of %q", got.Word.Text, got.Resolved, want)
		}
	}
	return after, nil
}
