package dockerfile

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
)

// globalArg is one name of an ARG before the first FROM.
type globalArg struct {
	name    string
	has     bool
	value   Word   // the default as written
	text    string // expanded
	uses    []*globalArg
	unknown []string // built-in arguments that text depends on
	ins     *Instruction
}

// builtin are the arguments that BuildKit sets by itself (dockerfile2llb,
// defaultArgs); their values differ from build to build.
func builtin(name string) bool {
	switch name {
	case "BUILDPLATFORM", "BUILDOS", "BUILDOSVERSION", "BUILDARCH", "BUILDVARIANT",
		"TARGETPLATFORM", "TARGETOS", "TARGETOSVERSION", "TARGETARCH", "TARGETVARIANT", "TARGETSTAGE":
		return true
	}
	return false
}

// globals is the scope of the global ARGs, as FROM sees it, and remembers what
// was asked for.
type globals struct {
	args    map[string]*globalArg
	used    []*globalArg
	missing []string // declared, without a default
	unknown []string // built in
}

// Get implements shell.EnvGetter.
func (g *globals) Get(name string) (string, bool) {
	if a := g.args[name]; a != nil {
		g.use(a)
		if a.has {
			return a.text, true
		}
	}
	if builtin(name) {
		g.unknown = add(g.unknown, name)
	}
	return "", false
}

func (g *globals) use(a *globalArg) {
	if slices.Contains(g.used, a) {
		return
	}
	g.used = append(g.used, a)
	for _, u := range a.uses {
		g.use(u)
	}
	for _, name := range a.unknown {
		g.unknown = add(g.unknown, name)
	}
	if !a.has && !builtin(a.name) {
		g.missing = add(g.missing, a.name)
	}
}

// Keys implements shell.EnvGetter.
func (g *globals) Keys() []string { return slices.Collect(maps.Keys(g.args)) }

func add(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// resolveArgs reads the defaults of the global ARGs in their order, each with
// what stands above it.
func (f *File) resolveArgs() error {
	scope := map[string]*globalArg{}
	for _, ins := range f.GlobalArgs {
		cmd, ok := ins.Command.(*instructions.ArgCommand)
		if !ok || len(cmd.Args) != len(ins.Words) {
			return &Error{ins.Lines[0], CodeInternal, "the names of ARG were not found in their line"}
		}
		for i, pair := range cmd.Args {
			a := &globalArg{name: pair.Key, has: pair.Value != nil, ins: ins}
			if a.has {
				a.value = valueWord(f, ins.Words[i])
				g := &globals{args: scope}
				text, _, err := f.expand(*pair.Value, g)
				if errors.Is(err, errTooMuch) {
					return &Error{ins.Lines[0], CodeTooLarge, fmt.Sprintf("ARG %s: %v", a.name, err)}
				}
				if err != nil {
					return &Error{ins.Lines[0], CodeSyntax, err.Error()}
				}
				a.text, a.uses, a.unknown = text, g.used, g.unknown
			} else if old := scope[a.name]; old != nil {
				continue // ARG NAME again keeps the default from above
			}
			scope[a.name] = a
			f.args = append(f.args, a)
		}
	}
	f.scope = scope
	return nil
}

// valueWord is the part of NAME=value behind the first equals sign.
func valueWord(f *File, w Word) Word {
	eq := strings.IndexByte(w.Text, '=')
	if eq < 0 {
		return Word{Span: Span{w.Span.End, w.Span.End}}
	}
	span := Span{w.Span.Start + eq + 1, w.Span.End}
	return Word{Text: f.Text(span), Span: span}
}

// expand runs BuildKit's word processing. It skips it for a word that has
// nothing to process, which is nearly every one.
func (f *File) expand(word string, env shell.EnvGetter) (string, map[string]struct{}, error) {
	if !strings.ContainsAny(word, "$'\"<") && strings.IndexByte(word, byte(f.Escape)) < 0 {
		return word, nil, nil
	}
	if plain, ok := plainText(word, byte(f.Escape)); ok {
		b := budget{EnvGetter: env, left: allowance(word)}
		text, missing := expandPlain(plain, &b)
		if b.left < 0 {
			return "", nil, errTooMuch
		}
		return text, missing, nil
	}
	if !utf8.ValidString(word) {
		// text/scanner below reads a stray byte as U+FFFD too, but prints to
		// standard error for each.
		word = string([]rune(word))
	}
	b := &budget{EnvGetter: env, left: allowance(word)}
	text, missing, err := shell.NewLex(f.Escape).ProcessWord(word, b)
	if b.left < 0 {
		return "", nil, errTooMuch
	}
	return text, missing, err
}

var errTooMuch = errors.New("its variables hold more than is read")

// budget bounds the bytes that one word takes from its variables. Without it
// forty lines of ARG A=$A$A ask for more memory than there is.
type budget struct {
	shell.EnvGetter
	left int
}

// Get implements shell.EnvGetter.
func (b *budget) Get(name string) (string, bool) {
	v, ok := b.EnvGetter.Get(name)
	if b.left -= len(v); b.left < 0 {
		return "", false
	}
	return v, ok
}

// allowance is the budget of a word, in bytes: 8 KiB, many times what a long
// PATH needs. A pattern takes the product of both lengths in time, and a
// replacement in memory, so that a long word with one has less.
func allowance(word string) int {
	const most, product = 8 << 10, 1 << 20
	if hasPattern(word) {
		return min(most, product/len(word))
	}
	return most
}

// hasPattern tells whether a word holds ${name#...}, ${name%...} or
// ${name/...}.
func hasPattern(word string) bool {
	for {
		_, rest, ok := strings.Cut(word, "${")
		if !ok {
			return false
		}
		end := 0
		for end < len(rest) && (nameByte(rest[end]) || rest[end] >= 0x80) {
			end++
		}
		if end < len(rest) && strings.IndexByte("#%/", rest[end]) >= 0 {
			return true
		}
		word = rest
	}
}

// environment is a plain map as the lexer wants it.
type environment map[string]string

// Get implements shell.EnvGetter.
func (e environment) Get(name string) (string, bool) { v, ok := e[name]; return v, ok }

// Keys implements shell.EnvGetter.
func (e environment) Keys() []string { return slices.Collect(maps.Keys(e)) }

// Expand gives a word of an instruction the way BuildKit reads it: quotes and
// escapes removed, variables replaced by env. A variable that env lacks becomes
// nothing, and its name is in unresolved, sorted; so are names that only stand
// in ${NAME:-default}. A word may take 8 KiB from its variables, less when it is
// long and has a pattern; more is an error.
func (f *File) Expand(word string, env map[string]string) (result string, unresolved []string, err error) {
	result, missing, err := f.expand(word, environment(env))
	if err != nil {
		return "", nil, fmt.Errorf("expanding %q: %w", word, err)
	}
	if len(missing) == 0 {
		return result, nil, nil
	}
	return result, slices.Sorted(maps.Keys(missing)), nil
}

// Env returns the environment that BuildKit expands the words of instruction at
// with: the ENV and ARG of its stage above it and of the stages it is based on,
// on top of base, the environment of the external base image. An ARG has its
// default here, no build argument. A variable that depends on a built-in
// argument (TARGETARCH, BUILDPLATFORM ...) is absent, because nobody knows it.
// A nil at, or one of the global ARGs, gives base. The map is the caller's.
func (f *File) Env(at *Instruction, base map[string]string) map[string]string {
	if at == nil || at.Stage == nil {
		env := map[string]string{}
		maps.Copy(env, base)
		return env
	}
	f.walk.Lock()
	defer f.walk.Unlock()
	w := &f.walk
	if w.stage != at.Stage || w.next > 0 && w.stage.Instructions[w.next-1].Span.Start >= at.Span.Start || !maps.Equal(w.base, base) {
		w.restart(f, at.Stage, base)
	}
	for list := w.stage.Instructions; w.next < len(list) && list[w.next].Span.Start < at.Span.Start; w.next++ {
		f.apply(list[w.next], w.env, w.image)
	}
	return maps.Clone(w.env)
}

// envWalk remembers where Env stopped, because callers ask for one instruction
// after the other.
type envWalk struct {
	sync.Mutex
	stage *Stage
	base  map[string]string
	next  int               // the first instruction that is not in env
	env   map[string]string // what words see
	image map[string]string // what is in the image: base and ENV, without ARG
}

// restart goes to the beginning of a stage.
func (w *envWalk) restart(f *File, stage *Stage, base map[string]string) {
	w.stage, w.next, w.base = stage, 0, maps.Clone(base)
	w.env, w.image = map[string]string{}, map[string]string{}
	maps.Copy(w.env, base)
	maps.Copy(w.image, base)
	chain := stage.Chain()
	for _, s := range chain[:len(chain)-1] {
		for _, ins := range s.Instructions {
			f.apply(ins, w.env, w.image)
		}
		maps.Copy(w.env, w.image) // the image's own value wins over an ARG at FROM
	}
}

// apply adds what an instruction does to the environment.
func (f *File) apply(ins *Instruction, env, image map[string]string) {
	switch cmd := ins.Command.(type) {
	case *instructions.EnvCommand:
		// All words of one ENV see the environment before it.
		before := environment(maps.Clone(env))
		for _, pair := range cmd.Env {
			f.set(before, pair.Key, pair.Value, env, image)
		}
	case *instructions.ArgCommand:
		for _, pair := range cmd.Args {
			switch global := f.scope[pair.Key]; {
			case pair.Value != nil:
				f.set(environment(env), pair.Key, *pair.Value, env)
			case global != nil && global.has && len(global.unknown) == 0:
				env[pair.Key] = global.text
			case builtin(pair.Key):
				delete(env, pair.Key)
			}
		}
	}
}

// Grows returns the first instruction of a stage whose words or here-documents
// take more from variables than is read (see Expand), nil when there is none.
// BuildKit's own converter has no such bound: ask before running it. base is the
// environment of the external base image.
func (f *File) Grows(s *Stage, base map[string]string) *Instruction {
	env := f.Env(s.From, base)
	image := maps.Clone(env)
	for _, ins := range s.Instructions {
		if strings.Contains(ins.logical, "$") && ins.Keyword != "ONBUILD" {
			if !shellText(ins.Keyword) {
				if _, _, err := f.expand(ins.Text, environment(env)); errors.Is(err, errTooMuch) {
					return ins
				}
			}
			for _, flag := range ins.Flags {
				if _, _, err := f.expand(flag.Value, environment(env)); errors.Is(err, errTooMuch) {
					return ins
				}
			}
		}
		for _, h := range ins.Heredocs {
			if !h.Expand || shellText(ins.Keyword) {
				continue
			}
			if _, _, err := f.expand(h.Content, environment(env)); errors.Is(err, errTooMuch) {
				return ins
			}
		}
		f.apply(ins, env, image)
	}
	return nil
}

// shellText tells whether BuildKit hands the words of an instruction to a shell
// as they are; it only expands their flags.
func shellText(keyword string) bool {
	switch keyword {
	case "RUN", "CMD", "ENTRYPOINT", "HEALTHCHECK", "SHELL", "MAINTAINER":
		return true
	}
	return false
}

// set gives a variable its expanded value in every target.
func (f *File) set(env environment, key, value string, targets ...map[string]string) {
	key, _, keyErr := f.expand(key, env)
	text, missing, err := f.expand(value, env)
	known := err == nil && keyErr == nil
	for name := range missing {
		if builtin(name) {
			known = false
		}
	}
	for _, t := range targets {
		if known {
			t[key] = text
		} else {
			delete(t, key)
		}
	}
}
