package markdown_test

import (
	"strings"
	"testing"

	"dhibot/bot/standin/internal/markdown"
)

func TestComment(t *testing.T) {
	t.Parallel()
	links := markdown.Links{
		User:  func(l string) string { return map[string]string{"alice": "/alice"}[strings.ToLower(l)] },
		Issue: func(n int) string { return map[int]string{7: "/x/7"}[n] },
	}
	for name, c := range map[string]struct{ in, want string }{
		"line ends break":      {"a\nb", "<p>a<br>\nb</p>\n"},
		"task list":            {"- [x] done", "<ul>\n<li><input checked=\"\" type=\"checkbox\" disabled=\"\"> done</li>\n</ul>\n"},
		"table":                {"|a|\n|-|\n|b|", "<table>\n<thead>\n<tr>\n<th>a</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td>b</td>\n</tr>\n</tbody>\n</table>\n"},
		"details":              {"<details open><summary>s</summary>\n\nx\n</details>", "<details open=\"\"><summary>s</summary>\n<p>x</p>\n</details>"},
		"script":               {"a<script>alert(1)</script>b", "<p>ab</p>\n"},
		"handler":              {`<b onclick="x()" style="color:red">b</b>`, "<p><b>b</b></p>\n"},
		"javascript link":      {"[x](javascript:alert(1))", "<p><a rel=\"nofollow\">x</a></p>\n"},
		"javascript image":     {`<img src="javascript:alert(1)" alt="a">`, "<img alt=\"a\">"},
		"data link":            {`<a href="data:text/html,x">x</a>`, "<p><a rel=\"nofollow\">x</a></p>\n"},
		"unclosed element":     {"<div><b>open", "<div><b>open</b></div>"},
		"svg":                  {"<svg><script>x</script></svg>after", "<p>after</p>\n"},
		"form":                 {`<form action="/x"><input name=a><button>b</button></form>t`, ""},
		"style":                {"<style>body{display:none}</style>\n\nt", "\n<p>t</p>\n"},
		"comment":              {"a <!-- hidden --> b", "<p>a  b</p>\n"},
		"mention":              {"hi @alice, @bob", "<p>hi <a class=\"user-mention\" href=\"/alice\">@alice</a>, @bob</p>\n"},
		"mention in code":      {"`@alice`", "<p><code>@alice</code></p>\n"},
		"mail is no mention":   {"me@alice", "<p>me@alice</p>\n"},
		"escaped still counts": {"\\@alice", "<p><a class=\"user-mention\" href=\"/alice\">@alice</a></p>\n"},
		"reference":            {"see #7 and #8", "<p>see <a class=\"issue-link\" href=\"/x/7\">#7</a> and #8</p>\n"},
		"id is prefixed":       {`<p id="pwn">x</p>`, "<p id=\"user-content-pwn\">x</p>"},
		"alert":                {"> [!WARNING]\n> mind", "<div class=\"alert alert-warning\"><p class=\"alert-title\">Warning</p>\n<p>\nmind</p>\n</div>\n"},
		"language":             {"```go\nx\n```", "<pre><code class=\"language-go\">x\n</code></pre>\n"},
		"broken out of title":  {`[x](/a "b\"><script>alert(1)</script>")`, "<p><a href=\"/a\" title=\"b&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;\" rel=\"nofollow\">x</a></p>\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := markdown.New().Comment(c.in, links)
			if name == "form" {
				if strings.Contains(got, "<form") || strings.Contains(got, "<button") || strings.Contains(got, "<input") {
					t.Errorf("form survived: %q", got)
				}
				return
			}
			if got != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

func FuzzComment(f *testing.F) {
	for _, s := range []string{"<a href=java\nscript:x>", "<table><script>", "<!--><img src=x onerror=y>", "a@alice #1"} {
		f.Add(s)
	}
	r := markdown.New()
	f.Fuzz(func(t *testing.T, s string) {
		out := strings.ToLower(r.Comment(s, markdown.Links{}))
		for _, bad := range []string{"<script", "<iframe", "<style", "<form", "<svg", "<object"} {
			if strings.Contains(out, bad) {
				t.Errorf("%q gives %q", s, out)
			}
		}
	})
}
