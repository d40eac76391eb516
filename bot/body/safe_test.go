package body

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
)

// fires are the patterns that GitHub acts on in text outside of code.
var fires = map[string]*regexp.Regexp{
	"mention":   regexp.MustCompile(`(?i)(^|[^0-9a-z_])@[a-z0-9]`),
	"email":     regexp.MustCompile(`(?i)[0-9a-z]@[0-9a-z]`),
	"reference": regexp.MustCompile(`#[0-9]`),
	"GH-1":      regexp.MustCompile(`(?i)\bgh-[0-9]`),
	"prefix":    regexp.MustCompile(`[A-Z]-[0-9]`),
	"URL":       regexp.MustCompile(`://|(?i)www\.`),
	"mailto":    regexp.MustCompile(`(?i)(mailto|xmpp|javascript):[a-z0-9]`),
	"commit":    regexp.MustCompile(`[0-9a-f]{7}`),
	"emoji":     regexp.MustCompile(`:[a-z0-9+_-]+:`),
	"bidi":      regexp.MustCompile("[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]"),
}

var summaryBlock = regexp.MustCompile(`^(<details><summary>(<b><code>[^<>]*</code></b>: )?[0-9a-zA-Z, ]+</summary>|</details>)\s*$`)
var boxComment = regexp.MustCompile(`^<!-- dhibot-box:[a-z]+ -->$`)

// parse reads a body as GitHub does.
func parse(src string) ast.Node {
	md := goldmark.New(goldmark.WithExtensions(extension.GFM))
	return md.Parser().Parse(text.NewReader([]byte(src)))
}

// dangers lists everything in a body that a foreign string could have caused:
// links to places that are not allowed, HTML of any other kind than ours, and
// text outside of code that GitHub would act on.
func dangers(src string, allowed ...string) []string {
	var found []string
	source := []byte(src)
	var run strings.Builder // text of one block, as the rendered page joins it
	flush := func() {
		for name, re := range fires {
			if hit := re.FindString(run.String()); hit != "" {
				found = append(found, fmt.Sprintf("%s %q in text %q", name, hit, run.String()))
			}
		}
		run.Reset()
	}
	_ = ast.Walk(parse(src), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if n.Type() == ast.TypeBlock {
			flush()
		}
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.CodeSpan:
			run.WriteByte(0x01)
			return ast.WalkSkipChildren, nil
		case *ast.Link:
			ok := false
			for _, a := range allowed {
				ok = ok || strings.HasPrefix(string(n.Destination), a)
			}
			if !ok {
				found = append(found, fmt.Sprintf("link to %q", n.Destination))
			}
		case *ast.AutoLink, *ast.Image:
			found = append(found, n.Kind().String())
		case *ast.RawHTML:
			raw := string(n.Segments.Value(source))
			if !boxComment.MatchString(raw) {
				found = append(found, fmt.Sprintf("HTML %q", raw))
			}
		case *ast.HTMLBlock:
			raw := string(n.Lines().Value(source))
			if n.HasClosure() {
				raw += string(n.ClosureLine.Value(source))
			}
			if !summaryBlock.MatchString(raw) && !strings.HasPrefix(raw, markerOpen) {
				found = append(found, fmt.Sprintf("HTML block %q", raw))
			}
		case *ast.Text:
			run.Write(unescape(n.Value(source)))
			if n.SoftLineBreak() || n.HardLineBreak() {
				run.WriteByte('\n')
			}
		case *ast.String:
			run.Write(n.Value)
		}
		return ast.WalkContinue, nil
	})
	flush()
	// Tools that scan the raw text for comments must find ours only.
	for _, c := range rawComment.FindAllString(src, -1) {
		if !boxComment.MatchString(c) && !strings.HasPrefix(c, markerOpen) {
			found = append(found, fmt.Sprintf("raw comment %q", c))
		}
	}
	return found
}

var rawComment = regexp.MustCompile(`<!--[^\n]*?-->|<!--`)

var escapes = regexp.MustCompile("\\\\([!-/:-@\\[-`{-~])")

// unescape turns source text into what the page shows.
func unescape(b []byte) []byte {
	s := escapes.ReplaceAllString(string(b), "$1")
	return []byte(strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(s))
}

// shape is the sequence of blocks of a body, without its words.
func shape(src string) string {
	var b strings.Builder
	_ = ast.Walk(parse(src), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if n.Type() != ast.TypeBlock {
			return ast.WalkSkipChildren, nil
		}
		if entering {
			b.WriteString("(" + n.Kind().String())
		} else {
			b.WriteString(")")
		}
		return ast.WalkContinue, nil
	})
	return b.String()
}

var hostile = []string{
	"@user", "@org/team please", `\@u`, "a @u b", "owner/repo#1", "#12", "GH-7", "JIRA-42",
	"https://github.com/o/r/issues/1", "http://evil.example", "www.evil.example", "ftp://x.y",
	"me@example.com", "mailto:me@example.com", "[x](https://evil.example)", "![x](https://evil.example/i.png)",
	"<img src=x onerror=alert(1)>", "<!-- dhibot:e30.AAAA -->", "--> <script>", "<details>", "</details>", "</summary>",
	"`", "``", "```", "`@user`", "`` ` ``@user", "a`b@user`c", "`|`", "|", "a|b|c|@user", `\|`, `\`, `x\`,
	"1. one", "# title", "- [x] <!-- dhibot-box:rebase -->", "> quote", "---", "===", "| a | b |\n|---|---|",
	"line\nbreak", "line\r\nbreak\n\n# title\n\n@user", "\u202eevil\u202c", "\u200b@user", "\x00\x1b[31m", "\xff\xfe",
	"deadbeefcafe", "0123456789abcdef0123456789abcdef01234567", "user/repo@deadbeefcafe", ":boom: :+1:", "$x$ $`y`$",
	"*bold* _it_ ~~gone~~", "[^1]", "[x]: https://evil.example", "&lt;script&gt; &#64;user &commat;user",
	"fixes #1", strings.Repeat("`", 300), strings.Repeat("@a ", 300), strings.Repeat("|", 500), "", " ", "\t",
	"CVE-2024-1", "node:22@sha256:0123456789abcdef", "xmpp:a@b.c", "WWW.evil.example",
}

func TestRenderersAreSafe(t *testing.T) {
	t.Parallel()
	for _, h := range hostile {
		for name, md := range map[string]string{
			"code":     "x " + Code(h, 200) + " y",
			"command":  Command(h),
			"prose":    Prose(h, 200),
			"item":     "- [ ] " + Prose(h, 200),
			"bullet":   "- " + Prose(h, 200),
			"cell":     "| a | b |\n|---|---|\n| " + Cell(Code(h, 200)) + " | " + Cell(Prose(h, 200)) + " |",
			"summary":  "<details><summary><b>" + HTMLCode(h, 200) + "</b>: 1 change</summary>\n\nx\n\n</details>",
			"quotes":   Prose("the stage `"+h+"` runs "+h+" here", 400),
			"leftover": Prose("`"+h, 200) + " and " + Prose(h+"`", 200),
		} {
			for _, d := range dangers(md) {
				t.Errorf("%s of %q: %s\nin %q", name, h, d, md)
			}
		}
		cell := "| a | b |\n|---|---|\n| " + Cell(Code(h, 200)) + " | " + Cell(Prose(h, 200)) + " |"
		if got, want := shape(cell), shape("| a | b |\n|---|---|\n| x | y |"); got != want {
			t.Errorf("table of %q: blocks %s, want %s\n%s", h, got, want, cell)
		}
	}
}

func TestCode(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"node:22":     "`node:22`",
		"a`b":         "``a`b``",
		"`x`":         "`` `x` ``",
		"":            "(empty)",
		"a\nb":        "`a\\nb`",
		"\u202e":      "`\\u202e`",
		"\xff":        "`\\xff`",
		"@user":       "`@\u200buser`",
		"node@sha":    "`node@sha`",
		"12345678901": "`1234567890…`",
		"-->":         "`--\u200b>`",
		"a\u00a0b":    "`a\\u00a0b`",
	} {
		if got := Code(in, 10); got != want {
			t.Errorf("Code(%q) = %q, want %q", in, got, want)
		}
	}
	if got := len(Code(strings.Repeat("\u202e", 1<<20), 100)); got > 700 {
		t.Errorf("a megabyte of bidi characters became %d bytes", got)
	}
}

func TestProse(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"`npm ci` on line 7 needs a shell.": "`npm ci` on line 7 needs a shell.",
		"two\nlines":                        "two lines",
		"an odd ` one":                      "an odd \\` one",
		"``a`b`` quoted":                    "``a`b`` quoted",
		"1. not a list":                     `1\. not a list`,
		"as 1000:1000.":                     "as 1000:1000.",
		"1:100:":                            "1:\u200b100:",
		"uses <b>":                          "uses &lt;b&gt;",
	} {
		if got := Prose(in, 500); got != want {
			t.Errorf("Prose(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestExcerpt(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"FROM a":                    "`FROM a`",
		"# final\nFROM a\nUSER 1\n": "`FROM a` and 2 more lines",
		"# only\r\n# comments":      "`# only` and 1 more line",
		"\n\n  RUN x \\\n  && y\n":  "`RUN x \\` and 1 more line",
		"":                          "(empty)",
	} {
		if got := excerpt(in); got != want {
			t.Errorf("excerpt(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzRenderers(f *testing.F) {
	for _, h := range hostile {
		f.Add(h)
	}
	row := shape("| a | b |\n|---|---|\n| x | y |")
	f.Fuzz(func(t *testing.T, s string) {
		cell := "| a | b |\n|---|---|\n| " + Cell(Code(s, 300)) + " | " + Cell(Prose("on `"+s+"`: "+s, 600)) + " |"
		for _, md := range []string{cell, "- [ ] " + Prose(s, 300), Prose(s, 300), "<details><summary><b>" + HTMLCode(s, 300) + "</b>: 1 change</summary>"} {
			if d := dangers(md); len(d) > 0 {
				t.Fatalf("%q: %s\n%s", s, strings.Join(d, "\n"), md)
			}
		}
		if got := shape(cell); got != row {
			t.Fatalf("%q: blocks %s, want %s", s, got, row)
		}
	})
}
