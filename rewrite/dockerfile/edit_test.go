package dockerfile

import (
	"errors"
	"testing"
)

func TestApply(t *testing.T) {
	t.Parallel()
	at := func(from, to int, s string) Edit { return Edit{Span: Span{from, to}, New: s} }
	tests := []struct {
		name  string
		edits []Edit
		want  string
	}{
		{"none", nil, "abcdef"},
		{"replace", []Edit{at(1, 3, "X")}, "aXdef"},
		{"in any order", []Edit{at(4, 5, "Y"), at(1, 3, "X")}, "aXdYf"},
		{"insertions keep their order", []Edit{at(2, 2, "1"), at(2, 2, "2"), at(2, 2, "1")}, "ab121cdef"},
		{"identical replacements merge", []Edit{at(1, 3, "X"), at(1, 3, "X")}, "aXdef"},
		{"insertion before a replacement", []Edit{at(1, 3, "X"), at(1, 1, "i")}, "aiXdef"},
		{"insertion behind a replacement", []Edit{at(3, 3, "i"), at(1, 3, "X")}, "aXidef"},
		{"touching", []Edit{at(1, 3, "X"), at(3, 4, "Y")}, "aXYef"},
		{"ends", []Edit{at(0, 0, "<"), at(6, 6, ">")}, "<abcdef>"},
		{"all", []Edit{at(0, 6, "")}, ""},
	}
	for _, tt := range tests {
		in := []byte("abcdef")
		got, err := Apply(in, tt.edits)
		if err != nil || string(got) != tt.want {
			t.Errorf("%s: %q, %v; want %q", tt.name, got, err, tt.want)
		}
		if string(in) != "abcdef" {
			t.Errorf("%s: the input was changed", tt.name)
		}
	}
	for _, edits := range [][]Edit{
		{at(1, 3, "X"), at(1, 3, "Y")},
		{at(1, 3, "X"), at(2, 4, "X")},
		{at(1, 3, "X"), at(2, 2, "i")},
		{at(0, 6, ""), at(3, 4, "")},
		{at(1, 3, "X"), at(1, 4, "X")},
	} {
		var conflict *ConflictError
		if _, err := Apply([]byte("abcdef"), edits); !errors.As(err, &conflict) {
			t.Errorf("%v: %v", edits, err)
		}
	}
	for _, e := range []Edit{at(-1, 0, ""), at(3, 2, ""), at(0, 7, ""), at(7, 7, "x")} {
		var outside *RangeError
		if _, err := Apply([]byte("abcdef"), []Edit{e}); !errors.As(err, &outside) {
			t.Errorf("%v: %v", e, err)
		}
	}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	f := mustParse(t, "FROM a\nRUN b\nRUN c\n")
	edits := []Edit{{Span: f.Stages[0].Base.Word.Span, New: "x:1"}, f.Remove(f.Stages[0].Instructions[0])}
	after, err := f.Apply(edits)
	if err != nil || string(after) != "FROM x:1\nRUN c\n" {
		t.Fatalf("%q, %v", after, err)
	}
	if err := f.Verify(after, edits); err != nil {
		t.Error(err)
	}
	for _, wrong := range []string{"", "FROM x:1\nRUN c", "FROM x:1\nRUN c\n\n", "FROM x:1\nRUN d\n", "FROM x:2\nRUN c\n", "FROM a\nRUN b\nRUN c\n"} {
		if err := f.Verify([]byte(wrong), edits); err == nil {
			t.Errorf("%q passed", wrong)
		}
	}
	if err := f.Verify(after, edits[:1]); err == nil {
		t.Error("an edit that was not planned passed")
	}
}

func TestHelperEdits(t *testing.T) {
	t.Parallel()
	const in = "FROM a\n\n# why\nRUN b\n\nUSER c"
	f := mustParse(t, in)
	run, user := f.Stages[0].Instructions[0], f.Stages[0].Instructions[1]
	tests := []struct {
		name string
		edit Edit
		want string
	}{
		{"remove, and the comment stays", f.Remove(run), "FROM a\n\n# why\n\nUSER c"},
		{"remove with its comment and one blank line", f.RemoveBlock(run), "FROM a\n\nUSER c"},
		{"remove the last", f.Remove(user), "FROM a\n\n# why\nRUN b\n\n"},
		{"before", f.InsertBefore(run, "RUN 0\n"), "FROM a\n\nRUN 0\n# why\nRUN b\n\nUSER c"},
		{"after", f.InsertAfter(run, "RUN 1"), "FROM a\n\n# why\nRUN b\nRUN 1\n\nUSER c"},
		{"after the last", f.InsertAfter(user, "CMD d"), "FROM a\n\n# why\nRUN b\n\nUSER c\nCMD d"},
	}
	for _, tt := range tests {
		got, err := f.Apply([]Edit{tt.edit})
		if err != nil || string(got) != tt.want {
			t.Errorf("%s: %q, %v; want %q", tt.name, got, err, tt.want)
		}
	}
	orders := mustParse(t, "FROM a\n# why\n# hadolint ignore=DL3018\nRUN b\nUSER c\n")
	if got, err := orders.Apply([]Edit{orders.Remove(orders.Stages[0].Instructions[0])}); err != nil || string(got) != "FROM a\n# why\nUSER c\n" {
		t.Errorf("an order to a linter stayed behind: %q, %v", got, err)
	}
	if got := mustParse(t, "FROM a\n \tRUN b\n"); got.Indent(got.Stages[0].Instructions[0]) != " \t" {
		t.Error("indentation")
	}
}
