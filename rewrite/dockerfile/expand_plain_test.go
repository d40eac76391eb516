package dockerfile

import (
	"maps"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/shell"
)

// FuzzExpandPlain: a word that is expanded without BuildKit's lexer comes out as
// the lexer has it.
func FuzzExpandPlain(f *testing.F) {
	for _, word := range []string{
		"$A", "${A}-slim:$B", "a${A}b$Bc$B.${C}", "$", "$$A", "${}", "${A", "$1", "${1}", "$A{", "${A:-x}", "a`b", `a\b`, "'$A'", "<<$A", "$A\t", "é$A", "$@", "$_", "{$A}", `"0.0.0.0"`, `"$A b"`, `""`, `"`, `"a"b"`, `"${A}"$B`, `"<<A"`,
	} {
		f.Add(word, "x y", uint8(0))
		f.Add(word, "", uint8(1))
	}
	f.Fuzz(func(t *testing.T, word, value string, odd uint8) {
		escape := byte('\\')
		if odd%2 == 1 {
			escape = '`'
		}
		plain, ok := plainText(word, escape)
		if !ok {
			return
		}
		env := environment{"A": value, "B": "$A", "_": ""}
		text, missing := expandPlain(plain, env)
		want, wantMissing, err := shell.NewLex(rune(escape)).ProcessWord(word, env)
		if err != nil || text != want || !maps.Equal(missing, wantMissing) {
			t.Fatalf("%q gives %q without %v, want %q without %v, %v", word, text, missing, want, wantMissing, err)
		}
	})
}
