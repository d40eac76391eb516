package dockerfile

import (
	"slices"
	"strings"
)

// bounds are the places where the fields of a reference meet:
//
//	prefix / name : version - suffix
//
// Without a prefix, a tag or a suffix the places fall together.
type bounds struct {
	prefixEnd, nameStart, nameEnd, verStart, verEnd, sufStart, end int
}

// boundsOf reads the fields of a reference as it is; a digest lies behind end.
func boundsOf(s string) bounds {
	var b bounds
	s, _, _ = strings.Cut(s, "@")
	b.end = len(s)
	if slash := strings.LastIndexByte(s, '/'); slash >= 0 {
		b.prefixEnd, b.nameStart = slash, slash+1
	}
	b.nameEnd, b.verStart, b.verEnd, b.sufStart = b.end, b.end, b.end, b.end
	if colon := strings.IndexByte(s[b.nameStart:], ':'); colon >= 0 {
		b.nameEnd = b.nameStart + colon
		b.verStart = b.nameEnd + 1
		if dash := strings.IndexByte(s[b.verStart:], '-'); dash >= 0 {
			b.verEnd = b.verStart + dash
			b.sufStart = b.verEnd + 1
		}
	}
	return b
}

// boundsOf is the same for a target, whose fields are known.
func (t Target) bounds() bounds {
	b := boundsOf(t.Repository)
	b.verStart = b.nameEnd + 1
	b.verEnd = b.verStart + len(t.Version)
	b.sufStart, b.end = b.verEnd, b.verEnd
	if t.Suffix != "" {
		b.sufStart = b.verEnd + 1
		b.end = b.sufStart + len(t.Suffix)
	}
	return b
}

// goal is a reference with variables and the text it shall expand to.
type goal struct {
	target Target
	ref    *Reference
	want   string
	atoms  []atom
	old    bounds
	new    bounds
	// choices are, for every atom that is a slot or fixed, the ranges of want
	// it may take, best first.
	choices [][]extent

	ahead string // see Move.Ahead
	move  *Move  // where the answer goes
}

func newGoal(t Target, want string, atoms []atom) *goal {
	g := &goal{target: t, ref: t.Ref, want: want, atoms: atoms, old: boundsOf(t.Ref.Resolved), new: t.bounds()}
	g.choices = make([][]extent, len(atoms))
	at := 0
	for i, a := range atoms {
		if a.kind != gap {
			g.choices[i] = g.choose(a, extent{at, at + len(a.text)})
		}
		at += len(a.text)
	}
	return g
}

// args lists the ARGs whose defaults the goal may edit.
func (g *goal) args() []*globalArg {
	var args []*globalArg
	for _, a := range g.atoms {
		if a.arg != nil && !slices.Contains(args, a.arg) {
			args = append(args, a.arg)
		}
	}
	return args
}

func (g *goal) shares(o *goal) bool {
	return slices.ContainsFunc(g.args(), func(a *globalArg) bool { return slices.Contains(o.args(), a) })
}

// choose lists the ranges of the target that a variable's value may become: it
// keeps its place among the fields.
func (g *goal) choose(a atom, was extent) []extent {
	var found []extent
	for _, to := range g.ends(was) {
		for _, from := range g.starts(was.from) {
			if from < to && !slices.Contains(found, extent{from, to}) {
				found = append(found, extent{from, to})
			}
		}
	}
	inSuffix := was.from >= g.old.sufStart && was.from > g.old.verEnd
	if inSuffix {
		// A number stays a number, and that of a release stays one: the 17 of
		// eclipse-temurin-17 is not the 13 of debian13.
		digit, release := isDigit(a.text[0]), isRelease(lettersBefore(g.ref.Resolved, was.from))
		found = slices.DeleteFunc(found, func(e extent) bool {
			return isDigit(g.want[e.from]) != digit || digit && isRelease(lettersBefore(g.want, e.from)) != release
		})
	}
	rank := func(e extent) int {
		text := g.want[e.from:e.to]
		switch {
		case text == a.text && (inSuffix || a.kind == fixed):
			return 0
		case inSuffix && isDigit(a.text[0]) && !strings.Contains(text, "-"):
			return 1
		case inSuffix && isRelease(a.text) && isRelease(text):
			return 1
		}
		return 2
	}
	slices.SortStableFunc(found, func(x, y extent) int { return rank(x) - rank(y) })
	return found
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// lettersBefore are the letters right in front of a place.
func lettersBefore(s string, at int) string {
	from := at
	for from > 0 && s[from-1] >= 'a' && s[from-1] <= 'z' {
		from--
	}
	return s[from:at]
}

// isRelease tells whether a word of a tag names a distribution or its release.
func isRelease(word string) bool {
	switch strings.TrimRight(word, "0123456789.") {
	case "debian", "alpine", "trixie", "bookworm", "bullseye", "buster", "stretch", "noble", "jammy", "focal":
		return true
	}
	return false
}

// starts lists where in the target a value may begin that begins at pos now.
func (g *goal) starts(pos int) []int {
	o, n := g.old, g.new
	switch {
	case pos == 0:
		return []int{0}
	case pos <= o.nameStart && pos > o.prefixEnd, pos < o.prefixEnd:
		return []int{n.nameStart}
	case pos == o.prefixEnd && o.nameStart > 0:
		return []int{n.prefixEnd}
	case pos < o.nameEnd:
		return nil
	case pos == o.nameEnd:
		return []int{n.nameEnd}
	case pos == o.verStart:
		return []int{n.verStart}
	case pos < o.verEnd:
		return g.component(pos)
	case pos == o.verEnd:
		return []int{n.verEnd}
	case pos >= o.end && o.sufStart >= o.end:
		return nil
	}
	return g.suffixStarts()
}

// ends lists where in the target a value may end that has the range was now.
func (g *goal) ends(was extent) []int {
	o, n, pos := g.old, g.new, was.to
	switch {
	case pos >= o.end && (was.from < o.verStart || pos > o.end):
		// It reaches over several fields to the very end, or into the digest.
		return []int{n.end}
	case pos <= o.prefixEnd:
		return []int{n.prefixEnd}
	case pos == o.nameStart:
		return []int{n.nameStart}
	case pos < o.nameEnd:
		return nil
	case pos == o.nameEnd:
		return []int{n.nameEnd}
	case pos == o.verStart:
		return []int{n.verStart}
	case pos < o.verEnd:
		return append(g.component(pos), n.verEnd)
	case pos == o.verEnd && pos == o.end:
		return []int{n.verEnd, n.end}
	case pos == o.verEnd:
		return []int{n.verEnd}
	case pos == o.sufStart:
		return []int{n.sufStart}
	}
	return append([]int{n.end}, g.suffixEnds()...)
}

// component finds the same dot of the version in the target: the boundary
// before or behind it.
func (g *goal) component(pos int) []int {
	old := g.ref.Resolved[g.old.verStart:pos]
	dots := strings.Count(old, ".")
	version := g.want[g.new.verStart:g.new.verEnd]
	behind := strings.HasSuffix(old, ".")
	if !behind {
		if g.ref.Resolved[pos] != '.' {
			return nil
		}
		dots++
	}
	at := 0
	for range dots {
		i := strings.IndexByte(version[at:], '.')
		if i < 0 {
			return nil
		}
		at += i + 1
	}
	if !behind {
		at--
	}
	return []int{g.new.verStart + at}
}

// suffixStarts are the beginnings of words in the target's suffix, and of the
// number in words like alpine3.22.
func (g *goal) suffixStarts() []int {
	var at []int
	for i := g.new.sufStart; i < g.new.end; i++ {
		first := i == g.new.sufStart || g.want[i-1] == '-'
		if first || isDigit(g.want[i]) && !isDigit(g.want[i-1]) && g.want[i-1] != '.' {
			at = append(at, i)
		}
	}
	return at
}

// suffixEnds are the ends of words in the target's suffix, the last first.
func (g *goal) suffixEnds() []int {
	var at []int
	for i := g.new.end - 1; i > g.new.sufStart; i-- {
		if g.want[i] == '-' {
			at = append(at, i)
		}
	}
	return at
}

// solver looks for texts of all places such that every goal comes out.
type solver struct {
	frozen map[*globalArg]*Instruction
	texts  map[Span]string // the new text of every atom's place
	steps  int
}

// maxSteps bounds the search; real files need fewer than a hundred.
const maxSteps = 20000

func (s *solver) solve(goals []*goal) bool {
	s.texts, s.steps = map[Span]string{}, 0
	return s.goal(goals)
}

func (s *solver) goal(goals []*goal) bool {
	if len(goals) == 0 {
		return true
	}
	return s.place(goals, 0, 0, 0)
}

// place gives the atoms from index i on the text of want from at on. first is
// the first gap atom since the last one that was placed.
func (s *solver) place(goals []*goal, i, first, at int) bool {
	g := goals[0]
	if s.steps++; s.steps > maxSteps {
		return false
	}
	for i < len(g.atoms) && g.atoms[i].kind == gap {
		i++
	}
	if i == len(g.atoms) {
		undo, ok := s.fill(g, first, i, extent{at, len(g.want)})
		if ok && s.goal(goals[1:]) {
			return true
		}
		undo()
		return false
	}
	a := g.atoms[i]
	for _, e := range g.choices[i] {
		text := g.want[e.from:e.to]
		if e.from < at || text != a.text && (a.kind == fixed || a.arg != nil && s.frozen[a.arg] != nil) {
			continue
		}
		undoSlot, ok := s.set(a.loc, text)
		if !ok {
			continue
		}
		undoGap, ok := s.fill(g, first, i, extent{at, e.from})
		if ok && s.place(goals, i+1, i+1, e.to) {
			return true
		}
		undoGap()
		undoSlot()
	}
	return false
}

// set notes a place's new text; it fails when it has another one already.
func (s *solver) set(loc Span, text string) (undo func(), ok bool) {
	if old, there := s.texts[loc]; there {
		return func() {}, old == text
	}
	s.texts[loc] = text
	return func() { delete(s.texts, loc) }, true
}

// fill shares a range of want among the gap atoms from..to. A cut between two
// of them that lies between fields stays between the same fields; otherwise the
// first atom with a text takes all.
func (s *solver) fill(g *goal, from, to int, e extent) (undo func(), ok bool) {
	var undos []func()
	undo = func() {
		for _, u := range undos {
			u()
		}
	}
	if from == to {
		return undo, e.from == e.to
	}
	texts := make([]string, to-from)
	old := 0
	for _, a := range g.atoms[:from] {
		old += len(a.text)
	}
	taker, rest := -1, e
	for k := from; k < to; k++ {
		a := g.atoms[k]
		old += len(a.text)
		if a.text == "" {
			continue
		}
		if taker < 0 {
			taker = k - from
		}
		if cut := g.starts(old); k < to-1 && len(cut) > 0 && cut[0] > rest.from && cut[0] < rest.to {
			texts[k-from] = g.want[rest.from:cut[0]]
			rest.from = cut[0]
			taker = -1
		}
	}
	if taker < 0 {
		taker = len(texts) - 1
		for k := from; k < to; k++ {
			if g.atoms[k].text != "" {
				taker = k - from
			}
		}
	}
	texts[taker] += g.want[rest.from:rest.to]
	for k, text := range texts {
		a := g.atoms[from+k]
		if a.arg != nil && s.frozen[a.arg] != nil && text != a.text {
			return undo, false
		}
		u, ok := s.set(a.loc, text)
		if !ok {
			return undo, false
		}
		undos = append(undos, u)
	}
	return undo, true
}
