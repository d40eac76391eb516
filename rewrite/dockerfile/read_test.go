package dockerfile

import (
	"bytes"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"golang.org/x/tools/txtar"

	"dhibot/rewrite/goldentest"
)

// readPlain has the reader read a file; false when it leaves it to BuildKit.
func readPlain(content []byte, each func(*File, found)) (*File, bool) {
	f := &File{Content: content, source: string(content), BOM: bytes.HasPrefix(content, bom)}
	f.lines = lineStarts(content)
	r := &reader{File: f}
	return f, r.read(func(i found) bool {
		each(f, i)
		return true
	})
}

// sameTree compares what the reader made with what BuildKit's parser makes.
func sameTree(t *testing.T, content []byte) (plain bool) {
	t.Helper()
	want, wantErr := parser.Parse(bytes.NewReader(content))
	n := 0
	var differs error
	f, plain := readPlain(content, func(f *File, i found) {
		n++
		if differs != nil || wantErr != nil || n > len(want.AST.Children) {
			return
		}
		w := want.AST.Children[n-1]
		w.PrevComment = nil
		if !reflect.DeepEqual(i.node, w) {
			differs = fmt.Errorf("line %d: %s\n%#v\nwant %s\n%#v", w.StartLine, i.node.Dump(), i.node, w.Dump(), w)
		} else if !f.joined(i.segs, i.node.Original) {
			differs = fmt.Errorf("line %d: %q was not found in its lines", w.StartLine, w.Original)
		} else if _, last := f.join(nil, w.StartLine); last != i.last {
			differs = fmt.Errorf("line %d: its own lines end at %d, want %d", w.StartLine, i.last, last)
		} else if typed := typedPlain(i.node); typed != nil {
			wanted, err := instructions.ParseInstruction(w)
			if stage, ok := wanted.(*instructions.Stage); ok && err == nil {
				wanted = stageName(stage.Name)
			}
			if err != nil || !sameTyped(reflect.ValueOf(typed), reflect.ValueOf(wanted)) {
				differs = fmt.Errorf("line %d: typed %#v, want %#v (%v)", w.StartLine, typed, wanted, err)
			}
		}
	})
	switch {
	case !plain:
		return false
	case wantErr != nil:
		t.Fatalf("BuildKit refuses what the reader reads: %v", wantErr)
	case differs != nil:
		t.Fatal(differs)
	case want.EscapeToken != f.Escape || n != len(want.AST.Children):
		t.Fatalf("%d instructions with %q, want %d with %q", n, f.Escape, len(want.AST.Children), want.EscapeToken)
	}
	return true
}

// sameTyped compares what typed instructions say: all of their exported fields. An
// empty list is as good as none.
func sameTyped(a, b reflect.Value) bool {
	if a.Type() != b.Type() {
		return false
	}
	switch a.Kind() {
	case reflect.Pointer:
		if a.IsNil() || b.IsNil() {
			return a.IsNil() && b.IsNil()
		}
		return sameTyped(a.Elem(), b.Elem())
	case reflect.Struct:
		for i := range a.NumField() {
			if a.Type().Field(i).IsExported() && !sameTyped(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	case reflect.Slice:
		if a.Len() == 0 && b.Len() == 0 {
			return true
		}
	}
	return reflect.DeepEqual(a.Interface(), b.Interface())
}

// TestReadGoldens compares the trees of all Dockerfiles of the tests, nearly all
// of which must be plain: the reader is there for the common case.
func TestReadGoldens(t *testing.T) {
	plain, all := 0, 0
	check := func(name string, content []byte) {
		t.Run(name, func(t *testing.T) {
			all++
			if sameTree(t, content) {
				plain++
			}
		})
	}
	for name, content := range goldentest.Hard(t, "../..") {
		check(name, content)
	}
	stories, err := filepath.Glob("../../testdata/migrations/*/*.txtar")
	if err != nil || len(stories) == 0 {
		t.Fatalf("%d stories (%v)", len(stories), err)
	}
	for _, path := range stories {
		ar, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range ar.Files {
			if strings.HasSuffix(strings.ToLower(a.Name), "dockerfile") {
				check(filepath.Base(path)+"/"+a.Name, a.Data)
			}
		}
	}
	if 10*plain < 9*all {
		t.Errorf("%d of %d files are plain", plain, all)
	}
}

// TestReadLeaves lists what the reader leaves to BuildKit.
func TestReadLeaves(t *testing.T) {
	for name, content := range map[string]string{
		"open document":     "FROM a\nRUN <<E\nx\n",
		"empty trigger":     "FROM a\nONBUILD\n",
		"double trigger":    "FROM a\nONBUILD ONBUILD RUN x\n",
		"unknown":           "FROM a\nFOO x\n",
		"invalid text":      "FROM a\nRUN \xff\n",
		"nothing":           "# a\n\n",
		"two escapes":       "# escape=`\n# escape=`\nFROM a\n",
		"bad escape":        "# escape=x\nFROM a\n",
		"spaced escape":     "# escape=`\u00a0\nFROM a\n",
		"quoted flag":       "FROM a\nCOPY --from=\"b\" c d\n",
		"end of flags":      "FROM a\nRUN -- x\n",
		"array of numbers":  "FROM a\nCMD [1]\n",
		"name alone":        "FROM a\nENV A\n",
		"pair without sign": "FROM a\nENV A=b C\n",
		"escape at the end": "FROM a\nLABEL A=b\\\\\n",
		"long line":         "FROM a\nRUN " + strings.Repeat("x", plainLine) + "\n",
	} {
		if _, plain := readPlain([]byte(content), func(*File, found) {}); plain {
			t.Errorf("%s: read as plain", name)
		}
	}
}

// FuzzRead: what the reader reads, BuildKit's parser reads the same.
func FuzzRead(f *testing.F) {
	addSeeds(f)
	for _, s := range []string{
		"# syntax=a\n# escape=`\n\n# a\n#\n# b\nfrom a as b\n\n  # c\nCmd [ \"a\" ,\"b\"]\n",
		"FROM a\nHEALTHCHECK --interval=1s CMD [\"a\"]\nHEALTHCHECK NONE\nHEALTHCHECK CMD\u2003[\"x\"]\n",
		"FROM a\nENV A b  c\nENV \"a b\"=c d='e f'\\\n# x\n\n  g\\ h=\nLABEL \"a\\\"b\"=1\n",
		"FROM a\nCOPY --chown=a:b --link [\"a b\",\"c\\n\"] \nADD [a, b] c\nVOLUME [\"/a\"]\nRUN [ -f x ] && y\n",
		"FROM a\nRUN <<A <<-'B'\\\n # c\n x\nx\nA\n\ty\n\tB\nCOPY <<\"C D\" /e\n\nC D\nONBUILD RUN cat <<E\nE\nRUN [\"<<E\"]\nRUN 1 << 2\n",
		"FROM a\nRUN \\\n\\\n # x\n\ty \\ \t\n\\\nUSER\u00a0a\nUSER \u00e0\nEXPOSE 1\f2\v3\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		if len(content) > 1<<14 || bytes.IndexByte(content, 0) >= 0 {
			return
		}
		sameTree(t, content)
	})
}
