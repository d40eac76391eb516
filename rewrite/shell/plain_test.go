package shell

import (
	"reflect"
	"strings"
	"testing"

	"mvdan.cc/sh/v3/syntax"
)

// FuzzPlain: a text that is read without the parser has the parser's tree, as sh
// and as bash.
func FuzzPlain(f *testing.F) {
	for _, text := range []string{
		"npm ci", " a  b && c 'd e'  && /x/y --z=1,2:3@4%5+6 ", "a&&b", "a &&", "&& a", "a && && b", "a=b c", "export a=b", "time a", "'if' a",
		"if a", "a'b'", "'a''b'", "a 'b'c", "a ''", "1 2", "a @test", "@test a", "a }", ": .", "a \\", "a & b", "a &&b", "", " ", "a '", "function a", "test a", "x=", "a\tb", "rm -rf /x/* ~/?", "*a", "a ~", "~a",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := parsePlain(text)
		if got == nil {
			return
		}
		for _, lang := range []syntax.LangVariant{syntax.LangPOSIX, syntax.LangBash} {
			want, err := syntax.NewParser(syntax.Variant(lang)).Parse(strings.NewReader(text), "")
			if err != nil {
				t.Fatalf("%q, %v: the parser refuses it: %v", text, lang, err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("%q, %v: %#v, want %#v", text, lang, got, want)
			}
		}
	})
}

// TestPlain names texts that are read without the parser.
func TestPlain(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"npm ci --omit=dev && npm cache clean": true, "'node' '/app/a b.js'": true, "go build -o /a ./...": true,
		"CGO_ENABLED=0 go build": false, "a || b": false, "a; b": false, "a $b": false, "a\nb": false, "a \"b\"": false, "a > b": false, "rm -rf ~/x/*": true,
	} {
		if got := parsePlain(text) != nil; got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
