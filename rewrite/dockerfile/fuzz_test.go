package dockerfile

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"

	"dhibot/rewrite/goldentest"
)

// buildkit is the reading that ours must agree with.
func buildkit(content []byte) (err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("panic")
		}
	}()
	ast, err := parser.Parse(bytes.NewReader(content))
	if err != nil {
		return err
	}
	stages, args, err := instructions.Parse(ast.AST, linter.New(&linter.Config{}))
	if err == nil && len(stages) == 0 {
		return errors.New("no stages")
	}
	env := map[string]string{}
	for _, cmd := range args {
		for _, a := range cmd.Args {
			if a.Value == nil || err != nil {
				continue
			}
			env[a.Key], _, err = shell.NewLex(ast.EscapeToken).ProcessWord(string([]rune(*a.Value)), environment(env))
		}
	}
	return err
}

func addSeeds(f *testing.F) {
	for _, content := range goldentest.Hard(f, "../..") {
		if len(content) < 4096 {
			f.Add(content)
		}
	}
	for _, s := range []string{
		"FROM a\nRUN <<A <<-'B'\nx\nA\n\ty\n\tB\n", "\uFEFF# escape=`\r\nFROM a`\r\n:1 AS b\r\nRUN x `\r\n\r\n y", "FROM a\n# check=skip=x\nCMD y",
		"ARG A=\"x:1\" B='y' C=\\\n z\nFROM ${A}\n", "FROM a\nONBUILD COPY --from=\"b\" [\"c\", \"d\"]\n", "FROM a\nENV A b\\ \nLABEL \"a b\"=c\\\n",
	} {
		f.Add([]byte(s))
	}
}

// FuzzParse: any bytes either are refused as BuildKit refuses them, or give a
// document that is all of the file.
func FuzzParse(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, content []byte) {
		if len(content) > 1<<14 {
			return
		}
		file, err := Parse(content)
		var refused *Error
		if err != nil && (!errors.As(err, &refused) || file != nil) {
			t.Fatalf("error %T", err)
		}
		if err != nil && (refused.Code == CodeBinary || refused.Code == CodeTemplate || refused.Code == CodeTooLarge) {
			return
		}
		if want := buildkit(content); (want == nil) != (err == nil) {
			t.Fatalf("BuildKit says %v, we say %v", want, err)
		}
		if err != nil {
			if refused.Code == CodeInternal {
				t.Fatal(err)
			}
			return
		}
		checkFile(t, file)
		for _, r := range file.References() {
			if file.Text(r.Word.Span) != r.Word.Text || (r.Err == nil) != (r.Resolved != "") {
				t.Fatalf("reference %+v", r)
			}
			for _, a := range r.Args {
				if file.Text(a.Value.Span) != a.Value.Text {
					t.Fatalf("argument %+v", a)
				}
			}
		}
		for _, s := range file.Stages {
			for _, ins := range s.Instructions {
				file.Env(ins, map[string]string{"PATH": "/bin"})
			}
			file.Grows(s, nil)
		}
	})
}

// FuzzEdits: only the planned bytes differ, and Verify sees any other change.
func FuzzEdits(f *testing.F) {
	for _, content := range goldentest.Hard(f, "../..") {
		if len(content) < 4096 {
			f.Add(content, uint64(len(content)), "dhi.io/x:1\n")
		}
	}
	f.Fuzz(func(t *testing.T, content []byte, seed uint64, text string) {
		if len(content) > 1<<14 {
			return
		}
		file, err := Parse(content)
		if err != nil {
			return
		}
		random := rand.New(rand.NewPCG(seed, 1))
		var edits []Edit
		file.each(func(ins *Instruction) {
			switch random.IntN(8) {
			case 0:
				edits = append(edits, file.Remove(ins))
			case 1:
				edits = append(edits, file.InsertBefore(ins, text))
			case 2:
				edits = append(edits, file.InsertAfter(ins, text))
			case 3, 4:
				if len(ins.Words) > 0 {
					edits = append(edits, Edit{Span: ins.Words[random.IntN(len(ins.Words))].Span, New: text})
				}
			case 5:
				edits = append(edits, Edit{Span: ins.Span, New: text})
			}
		})
		after, err := file.Apply(edits)
		if err != nil {
			var conflict *ConflictError
			if !errors.As(err, &conflict) {
				t.Fatal(err)
			}
			return
		}
		if err := file.Verify(after, edits); err != nil {
			t.Fatal(err)
		}
		size := len(content)
		for _, e := range file.native(edits) {
			size += len(e.New) - (e.Span.End - e.Span.Start)
		}
		if size != len(after) {
			t.Fatalf("%d bytes, want %d", len(after), size)
		}
		if len(after) > 0 {
			broken := bytes.Clone(after)
			broken[random.IntN(len(broken))] ^= 1
			if file.Verify(broken, edits) == nil {
				t.Fatal("a changed byte was not seen")
			}
		}
	})
}

// FuzzRetarget: every reference that was moved reads exactly as its target, and
// every other one as before.
func FuzzRetarget(f *testing.F) {
	for _, content := range goldentest.Hard(f, "../..") {
		if len(content) < 4096 {
			f.Add(content, "22", "debian13-dev", uint8(3))
		}
	}
	for _, s := range []string{
		"ARG DISTRO=bookworm\nFROM node:22-${DISTRO} AS deps\nFROM node:22-${DISTRO}-slim\n",
		"ARG V=22\nARG BASE=\"node:${V}-alpine\"\nFROM ${BASE} AS a\nFROM ${BASE}\n",
		"ARG A=3 B=11\nFROM \"python:${A}.${B}\"-slim\nFROM ${C:-${D:-x}/y}:${A:+1}${B%1}\n",
	} {
		f.Add([]byte(s), "3.12", "alpine3.22", uint8(255))
	}
	f.Fuzz(func(t *testing.T, content []byte, version, suffix string, which uint8) {
		if len(content) > 1<<12 {
			return
		}
		file, err := Parse(content)
		if err != nil || len(file.References()) > 50 {
			return
		}
		wanted := map[*Reference]string{}
		var targets []Target
		for i, r := range file.References() {
			if which>>(i%8)&1 == 0 {
				continue
			}
			tg := Target{Ref: r, Repository: "dhi.io/x", Version: version, Suffix: suffix}
			if i%3 == 1 {
				tg.Suffix = ""
			}
			targets = append(targets, tg)
			wanted[r] = tg.String()
		}
		refused := map[*Reference]bool{}
		var edits []Edit
		for i, m := range file.Retarget(targets).Moves {
			r := targets[i].Ref
			edits = append(edits, m.Edits...)
			refused[r] = m.Err != nil
			if (m.Err == nil) == (m.Edits == nil && r.Resolved != wanted[r]) {
				t.Fatalf("%s: edits %v, error %v", r.Word.Text, m.Edits, m.Err)
			}
		}
		out, err := file.Apply(edits)
		if err != nil {
			t.Fatal(err)
		}
		if err := file.Verify(out, edits); err != nil {
			t.Fatal(err)
		}
		after, err := Parse(out)
		if err != nil {
			t.Fatalf("%v in\n%s", err, out)
		}
		if len(after.References()) != len(file.References()) || strings.Count(string(out), "\n") > strings.Count(string(content), "\n") {
			t.Fatalf("the shape changed:\n%s", out)
		}
		for i, r := range file.References() {
			want := r.Resolved
			if !refused[r] && wanted[r] != "" {
				want = wanted[r]
			}
			if now := after.References()[i].Resolved; now != want {
				t.Fatalf("reference %s is %q, want %q in\n%s", r.Word.Text, now, want, out)
			}
		}
	})
}
