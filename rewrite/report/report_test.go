package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"

	"dhibot/rewrite"
	"dhibot/rewrite/goldentest"
)

func TestGolden(t *testing.T) {
	t.Parallel()
	all := []*rewrite.Result{hardened(), skipped(), hostile()}
	for _, c := range []struct {
		name   string
		format Format
		opts   Options
	}{
		{"text.txt", Text, Options{}},
		{"terminal-80.txt", Text, Options{Terminal: true, Width: 80}},
		{"terminal-140-color.txt", Text, Options{Terminal: true, Color: true, Width: 140}},
		{"diff.patch", Diff, Options{}},
		{"diff-terminal.txt", Diff, Options{Terminal: true, Color: true}},
		{"results.jsonl", JSON, Options{}},
		{"report.md", Markdown, Options{}},
		{"report.sarif", SARIF, Options{Version: "1.2.3"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := render(t, c.format, c.opts, all...)
			goldentest.Check(t, filepath.Join("testdata", c.name), got)
		})
	}
}

func TestNothingToReport(t *testing.T) {
	t.Parallel()
	for format, want := range map[Format]string{
		Text: "0 Dockerfiles\n", Diff: "", JSON: "", Markdown: "0 Dockerfiles.\n",
	} {
		if got := render(t, format, Options{}); got != want {
			t.Errorf("%s of nothing: %q, want %q", format, got, want)
		}
	}
	validSARIF(t, render(t, SARIF, Options{}))
}

func TestPlaceIsSaidOnce(t *testing.T) {
	t.Parallel()
	for _, reason := range []string{"line 2: unknown instruction: FOO", "unknown instruction: FOO"} {
		r := &rewrite.Result{Path: "Dockerfile", Outcome: rewrite.Failed, Code: rewrite.CodeSyntax, Line: 2, Reason: reason}
		got := render(t, Text, Options{}, r)
		if n := strings.Count(got, "line 2: "); n != 1 {
			t.Errorf("%q is told with its place %d times:\n%s", reason, n, got)
		}
	}
}

// TestTerminalIsSafe holds that nothing of a repository reaches a terminal as a
// control or bidi character, whatever the format: only our colours remain.
func TestTerminalIsSafe(t *testing.T) {
	t.Parallel()
	for _, f := range Formats() {
		for _, width := range []int{20, 80, 200} {
			got := render(t, f, Options{Terminal: true, Width: width}, hostile(), hostile())
			for _, r := range got {
				if r != '\n' && hidden(r) && r != '\u200b' {
					t.Fatalf("%s at %d columns lets %U through:\n%q", f, width, r, got)
				}
			}
		}
	}
}

// TestJSONEscapesMeanTheSame: what is escaped for the eye decodes to what it was.
func TestJSONEscapesMeanTheSame(t *testing.T) {
	t.Parallel()
	r := hostile()
	r.Reason = "a\u202eb\x7fc\U000e0041d\u2028e"
	line, err := MarshalJSON(r)
	if err != nil {
		t.Fatal(err)
	}
	var v struct{ Reason, Path, Diff string }
	if err := json.Unmarshal(line, &v); err != nil {
		t.Fatal(err)
	}
	if v.Reason != r.Reason || v.Path != r.Path || v.Diff != Unified(r) {
		t.Errorf("decoded to %q", v)
	}
}

func TestManyFilesAreCounted(t *testing.T) {
	t.Parallel()
	var many []*rewrite.Result
	for i := range summaryRows + 20 {
		r := skipped()
		r.Path = fmt.Sprintf("d%03d/Dockerfile", i)
		r.Code = rewrite.ReasonCode([]string{"no-equivalent", "os-base"}[i%4/3])
		many = append(many, r)
	}
	got := render(t, Text, Options{}, append(many, hardened())...)
	tail := got[strings.LastIndex(got, "+PORT=8080"):]
	want := `+PORT=8080
\ No newline at end of file

     1  hardened
    60  skipped   no-equivalent
    20  skipped   os-base

81 Dockerfiles: 1 hardened, 80 skipped
`
	if diff := cmp.Diff(want, tail); diff != "" {
		t.Errorf("summary (-want +got):\n%s", diff)
	}
}

// TestJSONContract holds the keys that scripts read, with their types.
func TestJSONContract(t *testing.T) {
	t.Parallel()
	got := render(t, JSON, Options{}, hardened(), skipped())
	lines := strings.Split(strings.TrimSuffix(got, "\n"), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d lines for 2 results", len(lines))
	}
	for _, line := range lines {
		var v struct {
			Path, Outcome, Reason *string
			Stages                []struct{ Name, From, To, Role *string }
			Changes               []struct {
				Rule, Before, After, Why, Docs *string
				Lines                          []int
			}
			Checklist []struct {
				Rule, Text *string
				Evidence   []struct {
					Path *string
					Line *int
				}
			}
			Diff *string
		}
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatal(err)
		}
		if v.Path == nil || v.Outcome == nil || v.Reason == nil || v.Diff == nil ||
			v.Stages == nil || v.Changes == nil || v.Checklist == nil {
			t.Errorf("a key of the contract is missing or null in %s", line)
		}
		for _, c := range v.Changes {
			if c.Rule == nil || c.Before == nil || c.After == nil || c.Why == nil || c.Docs == nil || len(c.Lines) != 2 {
				t.Errorf("a change lacks a key in %s", line)
			}
		}
		for _, c := range v.Checklist {
			if c.Rule == nil || c.Text == nil || c.Evidence == nil {
				t.Errorf("a checklist item lacks a key in %s", line)
			}
		}
	}
}

func TestSARIF(t *testing.T) {
	t.Parallel()
	validSARIF(t, render(t, SARIF, Options{Version: "1"}, hardened(), skipped(), hostile()))
}

// validSARIF checks a log against the required properties, types and enums that
// SARIF 2.1.0 demands of the objects we write (testdata/sarif-subset.json).
func validSARIF(t *testing.T, log string) {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile("testdata/sarif-subset.json")
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(log))
	if err != nil {
		t.Fatalf("%v in\n%s", err, log)
	}
	if err := schema.Validate(v); err != nil {
		t.Errorf("not a SARIF log: %v\n%s", err, log)
	}
	// What a schema cannot say: each ruleIndex points at its rule.
	var doc struct {
		Runs []struct {
			Results []struct {
				RuleID    string
				RuleIndex int
			}
			Tool struct {
				Driver struct{ Rules []struct{ ID string } }
			}
		}
	}
	if err := json.Unmarshal([]byte(log), &doc); err != nil {
		t.Fatal(err)
	}
	for _, r := range doc.Runs[0].Results {
		if rules := doc.Runs[0].Tool.Driver.Rules; r.RuleIndex >= len(rules) || rules[r.RuleIndex].ID != r.RuleID {
			t.Errorf("ruleIndex %d is not %s", r.RuleIndex, r.RuleID)
		}
	}
}

// TestMarkdownIsInert renders the report of a hostile repository: none of its
// text may become an element, a link or a mention.
func TestMarkdownIsInert(t *testing.T) {
	t.Parallel()
	md := goldmark.New(goldmark.WithExtensions(extension.GFM))
	var html strings.Builder
	if err := md.Convert([]byte(render(t, Markdown, Options{}, hostile())), &html); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"<img", "raw HTML omitted", "javascript:b\"", "<a href", "@everyone #"} {
		text := html.String()
		if i := strings.Index(text, bad); i >= 0 && !insideCode(text, i) {
			t.Errorf("%q acts outside of code in:\n%s", bad, text)
		}
	}
}

// insideCode tells whether the offset is within a code element.
func insideCode(html string, at int) bool {
	return strings.LastIndex(html[:at], "<code") > strings.LastIndex(html[:at], "</code>")
}

func TestParseFormat(t *testing.T) {
	t.Parallel()
	for _, f := range Formats() {
		if got, err := ParseFormat(string(f)); got != f || err != nil {
			t.Errorf("ParseFormat(%q) = %q, %v", f, got, err)
		}
	}
	if _, err := ParseFormat("yaml"); err == nil || !strings.Contains(err.Error(), "text, diff, json, markdown, sarif") {
		t.Errorf("the error does not name the formats: %v", err)
	}
	if _, err := New(&strings.Builder{}, "yaml", Options{}); err == nil {
		t.Error("New took an unknown format")
	}
}

type brokenPipe struct{}

var errPipe = errors.New("broken pipe")

func (brokenPipe) Write([]byte) (int, error) { return 0, errPipe }

func TestWriteErrorIsReported(t *testing.T) {
	t.Parallel()
	for _, f := range Formats() {
		w, err := New(brokenPipe{}, f, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Add(hardened()); !errors.Is(err, errPipe) {
			t.Errorf("%s: Add = %v", f, err)
		}
		if err := w.Close(); !errors.Is(err, errPipe) {
			t.Errorf("%s: Close = %v", f, err)
		}
	}
}

func FuzzEscape(f *testing.F) {
	for _, s := range []string{"", "plain", "\x1b[31m", "a\xffb", "\u202e", "\u200d", "\ufffd", "tab\t", "\r\n", "\U000e0041"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Escape(s)
		if !utf8.ValidString(got) {
			t.Fatalf("Escape(%q) = %q is not UTF-8", s, got)
		}
		for _, r := range got {
			if hidden(r) {
				t.Fatalf("Escape(%q) = %q keeps %U", s, got, r)
			}
		}
		if again := Escape(got); again != got {
			t.Fatalf("Escape is not stable: %q, then %q", got, again)
		}
		for _, line := range wrap(got, 10) {
			if width(line) > 11 { // a wide rune may stick out by one
				t.Fatalf("wrap(%q) has the line %q", got, line)
			}
		}
	})
}

func FuzzMarkdown(f *testing.F) {
	for _, s := range []string{"a", "`", "``a`", "@you", "<b>", "a\n\n# b", "\\`", "|", "&lt;", "https://x.y", "`<b>``` y", "`` `<b>` x", "wWw.x.y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var html strings.Builder
		if err := goldmark.Convert([]byte("- x "+Code(s)+" "+Prose(s)), &html); err != nil {
			t.Fatal(err)
		}
		rest := strings.NewReplacer("<ul>", "", "</ul>", "", "<li>", "", "</li>", "",
			"<code>", "", "</code>", "").Replace(html.String())
		if strings.ContainsAny(rest, "<>") {
			t.Fatalf("%q becomes markup:\n%s", s, html.String())
		}
	})
}
