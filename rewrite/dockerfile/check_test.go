package dockerfile

import (
	"bytes"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
)

// checkFile holds what is true of every parsed file: spans lie where they
// should, BuildKit's reading is what stands there, and no line that says
// something is outside of all instructions.
func checkFile(t testing.TB, f *File) {
	t.Helper()
	if out, err := f.Apply(nil); err != nil || !bytes.Equal(out, f.Content) {
		t.Fatalf("no edits changed the file: %v", err)
	}
	covered := map[int]bool{}
	at := 0
	f.each(func(ins *Instruction) {
		if ins.FullLines.Start < at || ins.FullLines.End < ins.FullLines.Start || ins.FullLines.End > len(f.Content) {
			t.Fatalf("line %d: full lines %v after %d", ins.Lines[0], ins.FullLines, at)
		}
		if ins.Comments.End != ins.FullLines.Start || ins.Comments.Start < at {
			t.Fatalf("line %d: comments %v", ins.Lines[0], ins.Comments)
		}
		at = ins.FullLines.End
		for n := ins.Lines[0]; n <= ins.Lines[1]; n++ {
			covered[n] = true
		}
		checkInstruction(t, f, ins)
		if ins.OnBuild != nil {
			checkInstruction(t, f, ins.OnBuild)
		}
	})
	for n := 1; n <= f.Lines(); n++ {
		text, _ := f.body(n)
		if !covered[n] && !isComment(text) && len(bytes.TrimSpace(text)) > 0 {
			t.Fatalf("line %d belongs to no instruction: %q", n, text)
		}
		if span := f.LineSpan(n); f.Line(span.Start) != n || f.Line(span.End-1) != n {
			t.Fatalf("line %d has span %v", n, span)
		}
	}
}

func checkInstruction(t testing.TB, f *File, ins *Instruction) {
	t.Helper()
	fail := func(format string, args ...any) {
		t.Helper()
		t.Fatalf("line %d, %s: "+format, append([]any{ins.Lines[0], ins.Keyword}, args...)...)
	}
	if !strings.HasPrefix(strings.ToUpper(ins.Logical(ins.Span)), ins.Keyword) {
		fail("span is %q", f.Text(ins.Span))
	}
	if strings.HasSuffix(f.Text(ins.Span), "\n") || ins.Span.End > ins.FullLines.End {
		fail("span %v in %v", ins.Span, ins.FullLines)
	}
	var words []string
	end := ins.Span.Start
	for _, w := range ins.Words {
		if f.Text(w.Span) != w.Text || w.Span.Start < end {
			fail("word %q at %v is %q", w.Text, w.Span, f.Text(w.Span))
		}
		end = w.Span.End
		words = append(words, string([]rune(ins.Logical(w.Span)))) // BuildKit reads a stray byte as U+FFFD
	}
	if len(words) == 1 && !ins.JSON && string([]rune(ins.Text)) != words[0] {
		fail("text %q, word %q", ins.Text, words[0])
	}
	for _, flag := range ins.Flags {
		if text := ins.Logical(flag.Span); !strings.HasPrefix(text, "--") || f.Text(flag.ValueSpan) != flag.Value {
			fail("flag %+v is %q", flag, text)
		}
	}
	for _, h := range ins.Heredocs {
		if f.Text(h.Body) != h.Content || f.Line(h.Body.Start) != h.Line {
			fail("heredoc %s at line %d: %q is not %q", h.Name, h.Line, f.Text(h.Body), h.Content)
		}
		terminator := strings.TrimLeft(strings.TrimRight(f.Text(f.LineSpan(f.Line(h.Body.End))), "\r\n"), "\t")
		if terminator != h.Name {
			fail("heredoc %s ends with %q", h.Name, terminator)
		}
	}
	same := func(want ...string) {
		t.Helper()
		if string([]rune(strings.Join(want, "\x00"))) != strings.Join(words, "\x00") {
			fail("words %q, BuildKit has %q", words, want)
		}
	}
	switch cmd := ins.Command.(type) {
	case nil:
		if ins.Keyword == "FROM" && len(words) != 1 && len(words) != 3 {
			fail("words %q", words)
		}
	case *instructions.ArgCommand:
		var want []string
		for _, a := range cmd.Args {
			if a.Value == nil {
				want = append(want, a.Key)
			} else {
				want = append(want, a.String())
			}
		}
		same(want...)
	case *instructions.EnvCommand:
		if cmd.Env[0].NoDelim {
			same(cmd.Env[0].Key, strings.TrimSpace(cmd.Env[0].Value))
			return
		}
		var want []string
		for _, kv := range cmd.Env {
			want = append(want, kv.String())
		}
		same(want...)
	case *instructions.RunCommand:
		if !ins.JSON && len(cmd.CmdLine) == 1 && cmd.CmdLine[0] != "" {
			same(cmd.CmdLine[0])
		}
	case *instructions.WorkdirCommand:
		same(cmd.Path)
	case *instructions.UserCommand:
		same(cmd.User)
	case *instructions.CopyCommand:
		if !ins.JSON && len(cmd.SourceContents) == 0 {
			same(append(append([]string{}, cmd.SourcePaths...), cmd.DestPath)...)
		}
	}
}
