package dockerfile

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The pitfalls of using BuildKit's parser as a library, one test each.

func keywords(f *File) string {
	var all []string
	f.each(func(i *Instruction) { all = append(all, i.Keyword) })
	return strings.Join(all, " ")
}

func TestDirectives(t *testing.T) {
	t.Parallel()
	f := mustParse(t, "# syntax=docker/dockerfile:1\n# escape=`\n# check=skip=all\n# note\n# syntax=late\nFROM a\n")
	want := []Directive{{"syntax", "docker/dockerfile:1", 1}, {"escape", "`", 2}, {"check", "skip=all", 3}}
	if diff := cmp.Diff(want, f.Directives); diff != "" {
		t.Error(diff)
	}
	if f.Escape != '`' {
		t.Errorf("escape %q", f.Escape)
	}
	// The directives are no comments of FROM: removing it must not take them.
	if got := f.Text(f.Stages[0].From.Comments); got != "# note\n# syntax=late\n" {
		t.Errorf("comments %q", got)
	}
	for _, late := range []string{"# note\n# escape=`\nFROM a\n", "\n# escape=`\nFROM a\n", "# unknown=1\n# escape=`\nFROM a\n"} {
		if f := mustParse(t, late); f.Escape != '\\' || len(f.Directives) != 0 {
			t.Errorf("%q: escape %q, directives %v", late, f.Escape, f.Directives)
		}
	}
}

func TestLineEndings(t *testing.T) {
	t.Parallel()
	f := mustParse(t, "FROM a\r\nRUN b \\\r\n  && c\r\nCOPY <<E /x\r\nbody\r\nE\r\nRUN d")
	if f.NL != "\r\n" {
		t.Errorf("NL %q", f.NL)
	}
	if got := keywords(f); got != "FROM RUN COPY RUN" {
		t.Errorf("instructions %s", got)
	}
	run := f.Stages[0].Instructions[0]
	if run.Text != "b   && c" || f.Text(run.Span) != "RUN b \\\r\n  && c" || run.Words[0].Text != "b \\\r\n  && c" {
		t.Errorf("RUN is %q, span %q, word %q", run.Text, f.Text(run.Span), run.Words[0].Text)
	}
	if got := f.Stages[0].Instructions[1].Heredocs[0].Content; got != "body\r\n" {
		t.Errorf("heredoc %q", got)
	}
	out, err := f.Apply([]Edit{f.InsertBefore(run, "# one\nUSER 1")})
	if err != nil || !strings.HasPrefix(string(out), "FROM a\r\n# one\r\nUSER 1\r\nRUN b") {
		t.Errorf("inserted: %q, %v", out, err)
	}
	if f := mustParse(t, "FROM a\nRUN b\r\nRUN c\n"); f.NL != "\n" {
		t.Errorf("mixed endings: NL %q", f.NL)
	}
}

func TestByteOrderMark(t *testing.T) {
	t.Parallel()
	f := mustParse(t, "\uFEFFFROM a\nRUN b\n")
	from := f.Stages[0].From
	if !f.BOM || f.Text(from.Span) != "FROM a" || from.FullLines.Start != 3 || f.Indent(from) != "" {
		t.Errorf("BOM %v, span %q, full lines %v", f.BOM, f.Text(from.Span), from.FullLines)
	}
	out, err := f.Apply([]Edit{f.InsertBefore(from, "ARG X")})
	if err != nil || string(out) != "\uFEFFARG X\nFROM a\nRUN b\n" {
		t.Errorf("%q, %v", out, err)
	}
	f = mustParse(t, "\uFEFF# escape=`\nFROM a\nRUN b `\n c\n")
	if f.Escape != '`' || len(f.Directives) != 1 {
		t.Errorf("directive behind the BOM: %q %v", f.Escape, f.Directives)
	}
}

func TestContinuations(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, keywords, text string }{
		{"comment within", "FROM a\nRUN b \\\n# no\n  # no\n c\n", "FROM RUN", "b  c"},
		{"blank line swallows the next", "FROM a\nRUN b \\\n\nRUN c\n", "FROM RUN", "b RUN c"},
		{"two escapes continue not", "FROM a\nRUN b \\\\\nRUN c\n", "FROM RUN RUN", `b \\`},
		{"three escapes continue not", "FROM a\nRUN b \\\\\\\nRUN c\n", "FROM RUN RUN", `b \\\`},
		{"blanks behind the mark", "FROM a\nRUN b \\ \t\n c\n", "FROM RUN", "b  c"},
		{"backslash is text under escape=`", "# escape=`\nFROM a\nWORKDIR C:\\x\\\nRUN d\n", "FROM WORKDIR RUN", `C:\x\`},
		{"mark at the end of the file", "FROM a\nRUN b \\", "FROM RUN", "b"},
		{"mark before the keyword", "FROM a\n\\\n  RUN b\n", "FROM RUN", "b"},
		{"keyword over two lines", "FROM a\nR\\\nUN b\n", "FROM RUN", "b"},
		{"lower case", "from a\nrun b\n", "FROM RUN", "b"},
		{"last line without end", "FROM a\nRUN b", "FROM RUN", "b"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := mustParse(t, tt.in)
			if got := keywords(f); got != tt.keywords {
				t.Errorf("instructions %s, want %s", got, tt.keywords)
			}
			if got := f.Stages[0].Instructions[0].Text; got != tt.text {
				t.Errorf("text %q, want %q", got, tt.text)
			}
		})
	}
}

func TestWordOverLines(t *testing.T) {
	t.Parallel()
	f := mustParse(t, "FROM no\\\n# comment\n\nde:22 \\\n  AS x\nENV A=1 \\\n # c\n B=\"2 3\" \\\n\n C=4\n")
	base := f.Stages[0].Base
	if base.Resolved != "node:22" || base.Word.Text != "no\\\n# comment\n\nde:22" {
		t.Errorf("%q from %q", base.Resolved, base.Word.Text)
	}
	if f.Stages[0].Alias.Text != "x" || f.Line(f.Stages[0].Alias.Span.Start) != 5 {
		t.Errorf("alias %+v", f.Stages[0].Alias)
	}
	var words []string
	for _, w := range f.Stages[0].Instructions[0].Words {
		words = append(words, w.Text)
	}
	if diff := cmp.Diff([]string{"A=1", `B="2 3"`, "C=4"}, words); diff != "" {
		t.Error(diff)
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in   string
		json bool
		want []string
	}{
		{"EXPOSE 80 443/tcp\t8080", false, []string{"80", "443/tcp", "8080"}},
		{"ENV OLD some value  here", false, []string{"OLD", "some value  here"}},
		{`LABEL a="x y" b='z' c=d\ e`, false, []string{`a="x y"`, `b='z'`, `c=d\ e`}},
		{`ARG A B="x y" C=`, false, []string{"A", `B="x y"`, "C="}},
		{`COPY --link ["a b", "c"]`, true, []string{`"a b"`, `"c"`}},
		{`COPY --chown=1:1 a b c/`, false, []string{"a", "b", "c/"}},
		{`COPY [a] /b`, false, []string{"[a]", "/b"}},
		{`VOLUME ["/a", "/b\"c"]`, true, []string{`"/a"`, `"/b\"c"`}},
		{`CMD ["a", "b"]`, true, []string{`["a", "b"]`}},
		{`CMD a  b`, false, []string{"a  b"}},
		{`RUN [ "x", not json ]`, false, []string{`[ "x", not json ]`}},
		{`RUN [ -f /x ] && y`, false, []string{"[ -f /x ] && y"}},
		{`HEALTHCHECK --interval=3s CMD ["a"]`, true, []string{`CMD ["a"]`}},
		{`HEALTHCHECK NONE`, false, []string{"NONE"}},
		{`USER "a b":c`, false, []string{`"a b":c`}},
		{`SHELL ["/bin/bash", "-c"]`, true, []string{`["/bin/bash", "-c"]`}},
		{`WORKDIR /a b`, false, []string{"/a b"}},
		{`STOPSIGNAL SIGQUIT`, false, []string{"SIGQUIT"}},
	}
	for _, tt := range tests {
		f := mustParse(t, "FROM a\n"+tt.in+"\n")
		ins := f.Stages[0].Instructions[0]
		var got []string
		for _, w := range ins.Words {
			got = append(got, w.Text)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" || ins.JSON != tt.json {
			t.Errorf("%s: JSON %v\n%s", tt.in, ins.JSON, diff)
		}
	}
}

func TestFlags(t *testing.T) {
	t.Parallel()
	f := mustParse(t, "FROM a\nRUN --mount=type=cache,target=/c \\\n  --mount=type=bind,from=golang:1.26,target=/g --network=none x --not-a-flag\nCOPY --from=\"x:1\" --link --chown=1:1 -- --y /z\n")
	run, cp := f.Stages[0].Instructions[0], f.Stages[0].Instructions[1]
	var got []string
	for _, ins := range []*Instruction{run, cp} {
		for _, flag := range ins.Flags {
			got = append(got, flag.Name+"="+flag.Value+"|"+f.Text(flag.Span))
		}
	}
	want := []string{
		"mount=type=cache,target=/c|--mount=type=cache,target=/c",
		"mount=type=bind,from=golang:1.26,target=/g|--mount=type=bind,from=golang:1.26,target=/g",
		"network=none|--network=none",
		`from="x:1"|--from="x:1"`, "link=|--link", "chown=1:1|--chown=1:1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if cp.Words[0].Text != "--y" {
		t.Errorf("words behind --: %+v", cp.Words)
	}
	if diff := cmp.Diff([]string{"1 FROM a = a", "3 MOUNT golang:1.26 = golang:1.26", "4 COPY x:1 = x:1"}, describe(f)); diff != "" {
		t.Error(diff)
	}
}

func TestHeredocs(t *testing.T) {
	t.Parallel()
	f := mustParse(t, "FROM a\nRUN <<A cat && <<-'B' cat\nFROM x\n\nA\n\t# y\n\tB\nCOPY << E /f\n$x\nE\nONBUILD RUN <<C\nz\nC\nRUN echo \"<<no\"\n")
	if got := keywords(f); got != "FROM RUN COPY ONBUILD RUN" {
		t.Fatal(got)
	}
	ins := f.Stages[0].Instructions
	a, b := ins[0].Heredocs[0], ins[0].Heredocs[1]
	if a.Content != "FROM x\n\n" || !a.Expand || a.Line != 3 || b.Content != "\t# y\n" || b.Expand || b.Line != 6 {
		t.Errorf("A %+v, B %+v", a, b)
	}
	if e := ins[1].Heredocs[0]; e.Content != "$x\n" || ins[1].Lines != [2]int{8, 10} {
		t.Errorf("E %+v in %v", e, ins[1].Lines)
	}
	child := ins[2].OnBuild
	if child == nil || len(child.Heredocs) != 1 || child.Lines != [2]int{11, 13} || child.Command == nil {
		t.Errorf("ONBUILD %+v", child)
	}
	if _, err := Parse([]byte("FROM a\nRUN <<- EOF\n\tx\n\tEOF\n")); err == nil {
		t.Error("a blank behind <<- makes no heredoc for BuildKit")
	}
}

func TestOnBuild(t *testing.T) {
	t.Parallel()
	f := mustParse(t, "FROM a AS s\nRUN x\nONBUILD  COPY --from=b:1 \\\n  /x /y\nonbuild run --mount=from=c:2,target=/m z\nONBUILD COPY --from=s /q /r\nONBUILD BOGUS x\n")
	ins := f.Stages[0].Instructions
	child := ins[1].OnBuild
	if child.Keyword != "COPY" || child.Lines != [2]int{3, 4} || f.Text(child.Span) != "COPY --from=b:1 \\\n  /x /y" || child.Stage != f.Stages[0] {
		t.Errorf("%+v %q", child, f.Text(child.Span))
	}
	if child.Words[1].Text != "/y" || f.Line(child.Words[1].Span.Start) != 4 {
		t.Errorf("words %+v", child.Words)
	}
	if bogus := ins[4].OnBuild; bogus == nil || bogus.Command != nil || bogus.Keyword != "BOGUS" {
		t.Errorf("a trigger nobody knows: %+v", bogus)
	}
	want := []string{"1 FROM a = a", "3 COPY b:1 = b:1", "5 MOUNT c:2 = c:2", "6 COPY s = stage 0"}
	if diff := cmp.Diff(want, describe(f)); diff != "" {
		t.Error(diff)
	}
	for _, r := range f.References()[1:] {
		if !slices.ContainsFunc(ins, func(i *Instruction) bool { return i.OnBuild == r.Instruction }) {
			t.Errorf("%s is not of a trigger", r.Word.Text)
		}
	}
}

func TestCheckPragma(t *testing.T) {
	t.Parallel()
	// BuildKit's instructions package panics on these without a linter.
	mustParse(t, "FROM a\n# check=skip=JSONArgsRecommended\nCMD x\n")
}

func TestCommentsAbove(t *testing.T) {
	t.Parallel()
	f := mustParse(t, "# syntax=x\n# top\n\n#\n  # indented\nFROM a\nRUN b\n# c\n# d\nRUN <<E\n# e\nE\n# f\nUSER g\n# trailing\n")
	var got []string
	f.each(func(i *Instruction) { got = append(got, f.Text(i.Comments)) })
	want := []string{"#\n  # indented\n", "", "# c\n# d\n", "# f\n"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	run := f.Stages[0].Instructions[1]
	if got := f.Text(run.Block()); got != "# c\n# d\nRUN <<E\n# e\nE\n" {
		t.Errorf("block %q", got)
	}
}

func TestStray(t *testing.T) {
	t.Parallel()
	f := mustParse(t, "# caf\xe9\nFROM a\nLABEL x=\"\xe9$Y\" y=\u00e9\nRUN echo \xff\n")
	if got := f.Stages[0].Instructions[0].Words[1].Text; got != "y=é" {
		t.Errorf("%q", got)
	}
}
