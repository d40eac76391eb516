package dockerfile

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestStages(t *testing.T) {
	t.Parallel()
	f := mustParse(t, "FROM a AS Base\nFROM base AS build\nFROM build\nCOPY --from=BASE /x /y\nRUN --mount=type=bind,from=base,target=/z true\nFROM base AS base\n")
	base, build, third, again := f.Stages[0], f.Stages[1], f.Stages[2], f.Stages[3]
	if base.Name != "base" || base.Alias.Text != "Base" || third.Name != "" || third.Alias != nil {
		t.Errorf("names %q %q", base.Name, third.Name)
	}
	if f.Final() != again || f.Stage("BASE") != again || f.StageBefore("base", 3) != base || f.Stage("nope") != nil || f.Stage("") != nil {
		t.Error("lookup by name")
	}
	if build.Parent() != base || third.Root() != base || again.Parent() != base {
		t.Error("parents")
	}
	if diff := cmp.Diff(3, len(third.Chain())); diff != "" || third.Chain()[0] != base || third.Chain()[2] != third {
		t.Error("chain")
	}
	if got := base.Children(); len(got) != 2 || got[0] != build || got[1] != again {
		t.Errorf("children %v", got)
	}
	// The name is declared again below, so BuildKit means that stage and fails.
	for _, r := range base.UsedBy() {
		var invalid *InvalidReferenceError
		if !errors.As(r.Err, &invalid) {
			t.Errorf("%s: %v", r.Word.Text, r.Err)
		}
	}
	if n := len(base.UsedBy()); n != 2 {
		t.Errorf("%d uses", n)
	}
	if got := f.Text(third.FullLines()); got != "FROM build\nCOPY --from=BASE /x /y\nRUN --mount=type=bind,from=base,target=/z true\n" {
		t.Errorf("full lines %q", got)
	}
}

func TestReferences(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, in string
		want     []string
	}{
		{"index of a later stage", "FROM a\nCOPY --from=1 x y\nFROM b\n", []string{"1 FROM a = a", "2 COPY 1 = error", "3 FROM b = b"}},
		{"index of itself", "FROM a\nCOPY --from=0 x y\n", []string{"1 FROM a = a", "2 COPY 0 = error"}},
		{"a mount has no index", "FROM a\nFROM b\nRUN --mount=from=0,target=/x y\n", []string{"1 FROM a = a", "2 FROM b = b", "3 MOUNT 0 = 0"}},
		{"variable in --from", "FROM a\nCOPY --from=$X x y\n", []string{"1 FROM a = a", "2 COPY $X = error"}},
		{"scratch", "FROM scratch\nCOPY --from=scratch x y\n", []string{"1 FROM scratch = scratch", "2 COPY scratch = scratch"}},
		{"a stage named scratch", "FROM a AS scratch\nFROM scratch\n", []string{"1 FROM a = a", "2 FROM scratch = stage 0"}},
		{"stage through a variable", "ARG S=one\nFROM a AS one\nFROM ${S}\n", []string{"2 FROM a = a", "3 FROM ${S} = stage 0"}},
		{"platform in the name", "FROM a AS base-amd64\nFROM base-${TARGETARCH}\n", []string{"1 FROM a = a", "2 FROM base-${TARGETARCH} = error"}},
		{"built-in overridden", "ARG TARGETARCH=amd64\nFROM a AS base-amd64\nFROM base-${TARGETARCH}\n", []string{"2 FROM a = a", "3 FROM base-${TARGETARCH} = stage 0"}},
		{"through another ARG", "ARG A=$TARGETARCH\nFROM x:$A\n", []string{"2 FROM x:$A = error"}},
		{"ARG without default", "ARG A\nFROM $A\n", []string{"2 FROM $A = error"}},
		{"unset in the middle", "ARG R\nFROM ${R}x:1\n", []string{"2 FROM ${R}x:1 = x:1"}},
		{"default at its place", "ARG V=1\nARG B=x:$V\nARG V=2\nFROM $B AS b\nFROM x:$V\n", []string{"4 FROM $B = x:1", "5 FROM x:$V = x:2"}},
		{"declared again without default", "ARG V=1\nARG V\nFROM x:$V\n", []string{"3 FROM x:$V = x:1"}},
		{"required", "ARG V\nFROM x:${V:?set}\n", []string{"2 FROM x:${V:?set} = error"}},
		{"upper case", "FROM Node:22\n", []string{"1 FROM Node:22 = error"}},
		{"mount in quotes", "FROM a\nRUN --mount=\"type=bind,from=b:1,target=/x\" y\n", []string{"1 FROM a = a", "2 MOUNT b:1 = b:1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, describe(mustParse(t, tt.in))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestUnknownArg(t *testing.T) {
	t.Parallel()
	f := mustParse(t, "ARG A\nARG B=x-$A\nFROM ${A}:1 AS a\nFROM x:$TARGETARCH\n")
	var unknown *UnknownArgError
	if !errors.As(f.Stages[0].Base.Err, &unknown) || unknown.Builtin || unknown.Names[0] != "A" {
		t.Errorf("%v", f.Stages[0].Base.Err)
	}
	if !errors.As(f.Stages[1].Base.Err, &unknown) || !unknown.Builtin || unknown.Names[0] != "TARGETARCH" {
		t.Errorf("%v", f.Stages[1].Base.Err)
	}
	if f.Broken() != nil {
		t.Error("both build with the right arguments")
	}
}

func TestArgUse(t *testing.T) {
	t.Parallel()
	f := mustParse(t, "ARG V='22'\nARG O\nARG B=node:${V}\nFROM ${B}${O}\n")
	var got []string
	for _, a := range f.Stages[0].Base.Args {
		got = append(got, a.Name+"="+a.Default+" "+f.Text(a.Value.Span))
	}
	if diff := cmp.Diff([]string{"B=node:22 node:${V}", "V=22 '22'", "O= "}, got); diff != "" {
		t.Error(diff)
	}
}

func TestEnv(t *testing.T) {
	t.Parallel()
	f := mustParse(t, `ARG G=global
ARG NONE
FROM x AS base
ARG G
ARG NONE=own
ENV A=1 B=$A PATH=/b:$PATH
ARG A=2
RUN here
FROM base
RUN child
ARG TARGETARCH
ENV ARCH=$TARGETARCH FIX=f
ENV C=${G}-$A
ENV D "x  $C"
RUN end
`)
	base := map[string]string{"PATH": "/bin"}
	tests := []struct {
		at   *Instruction
		want map[string]string
	}{
		{f.Stages[0].Instructions[4], map[string]string{"PATH": "/b:/bin", "G": "global", "NONE": "own", "A": "2", "B": ""}},
		{f.Stages[1].Instructions[0], map[string]string{"PATH": "/b:/bin", "G": "global", "NONE": "own", "A": "1", "B": ""}},
		{f.Stages[1].Instructions[5], map[string]string{
			"PATH": "/b:/bin", "G": "global", "NONE": "own", "A": "1", "B": "",
			"FIX": "f", "C": "global-1", "D": "x  global-1",
		}},
		{f.GlobalArgs[0], base}, {nil, base},
	}
	backwards := slices.Clone(tests)
	slices.Reverse(backwards)
	for i, tt := range append(tests, backwards...) {
		if diff := cmp.Diff(tt.want, f.Env(tt.at, base)); diff != "" {
			t.Errorf("%d: %s", i, diff)
		}
	}
	if len(base) != 1 {
		t.Error("the base environment was changed")
	}
}

func TestExpand(t *testing.T) {
	t.Parallel()
	f := mustParse(t, "FROM a\n")
	env := map[string]string{"A": "x y", "E": ""}
	tests := []struct {
		word, want string
		missing    []string
		err        bool
	}{
		{"plain", "plain", nil, false},
		{`"$A"/'$A'`, "x y/$A", nil, false},
		{"${N:-d}${E:-e}${A:+s}", "des", []string{"N"}, false},
		{`\$A`, "$A", nil, false},
		{"$M$K", "", []string{"K", "M"}, false},
		{"${A", "", nil, true},
		{"${A:0:1}", "", nil, true},
	}
	for _, tt := range tests {
		got, missing, err := f.Expand(tt.word, env)
		if got != tt.want || (err != nil) != tt.err {
			t.Errorf("%s = %q, %v", tt.word, got, err)
		}
		if diff := cmp.Diff(tt.missing, missing); diff != "" {
			t.Errorf("%s: %s", tt.word, diff)
		}
	}
}
