package gql_test

import (
	"context"
	"errors"
	"testing"

	"dhibot/bot/standin/internal/gql"
)

func TestParse(t *testing.T) {
	t.Parallel()
	doc, err := gql.Parse(`
# a comment
query Q($a: [ID!]! = ["x"], $b: Int) @d(x: 1) {
	one: field(s: "a\n\u0041", n: -3, f: 1.5e3, e: OPEN, l: [1, 2], o: {k: null, t: true}, v: $a) @include(if: $b) { x, ...F ... on T { y } ... { z } }
}
fragment F on T { w }
`)
	if err != nil {
		t.Fatal(err)
	}
	f := doc.Operations[0].Select[0]
	if f.Key() != "one" || f.Field != "field" || f.Args["s"] != "a\nA" || f.Args["n"] != int64(-3) || f.Args["f"] != 1500.0 || f.Args["e"] != gql.Enum("OPEN") || f.Args["v"] != gql.Var("a") {
		t.Errorf("field %+v", f)
	}
	if len(f.Select) != 4 || f.Select[1].Spread != "F" || f.Select[2].On != "T" || doc.Fragments["F"].On != "T" {
		t.Errorf("selections %+v", f.Select)
	}
	for _, bad := range []string{"", "{", "{}", "{a(}", "query(", `{a(x: "`, "{a}}", "fragment f {a}", "{a(x: 99999999999999999999)}", "\x00", `{a(x: "\q")}`} {
		_, err := gql.Parse(bad)
		var syntax *gql.SyntaxError
		if !errors.As(err, &syntax) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzRun(f *testing.F) {
	for _, s := range []string{"{a{b}}", "query($x:Int=1){a @skip(if:$x){...f}} fragment f on A{a{b}}", `{a(x:"""block""")}`, "{...f} fragment f on Query{...f}"} {
		f.Add(s)
	}
	one := func(context.Context, any, gql.Args) (any, error) { return 1, nil }
	schema := gql.Schema{
		"Query": {Fields: map[string]gql.Field{"a": {Type: "A", Args: []string{"x"}, Resolve: one}}},
		"A":     {Fields: map[string]gql.Field{"a": {Type: "A", Resolve: one}, "b": {Resolve: one}}},
	}
	f.Fuzz(func(t *testing.T, q string) {
		a := schema.Run(t.Context(), q, "", nil, 1)
		if a.Data == nil && len(a.Errors) == 0 {
			t.Error("neither data nor errors")
		}
	})
}
