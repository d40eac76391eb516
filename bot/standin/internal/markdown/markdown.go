// Package markdown renders the text of issues, pull requests and files the way
// GitHub shows it: GitHub Flavored Markdown, then a sanitiser that keeps an
// allow-list of elements and attributes, then mentions and references.
package markdown

import (
	"bytes"
	"fmt"
	"html"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer"
	ghtml "github.com/yuin/goldmark/renderer/html"
	nethtml "golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Links tells where mentions and references lead; a func that returns "" leaves
// the text alone. Both may be nil.
type Links struct {
	User  func(login string) string // "@alice"
	Issue func(number int) string   // "#12"
}

// Renderer renders Markdown. It is safe for concurrent use.
type Renderer struct {
	comment, file goldmark.Markdown
}

// New makes a Renderer.
func New() *Renderer {
	// Raw HTML passes goldmark because the sanitiser below decides about it.
	build := func(opts ...renderer.Option) goldmark.Markdown {
		return goldmark.New(goldmark.WithExtensions(extension.GFM, extension.Footnote), goldmark.WithRendererOptions(opts...))
	}
	return &Renderer{comment: build(ghtml.WithUnsafe(), ghtml.WithHardWraps()), file: build(ghtml.WithUnsafe())}
}

// Comment renders a body: line ends are line breaks.
func (r *Renderer) Comment(text string, links Links) string { return render(r.comment, text, links) }

// File renders a file such as README.md.
func (r *Renderer) File(text string, links Links) string { return render(r.file, text, links) }

func render(md goldmark.Markdown, text string, links Links) string {
	var b bytes.Buffer
	if err := md.Convert([]byte(text), &b); err != nil {
		return "<pre>" + html.EscapeString(text) + "</pre>"
	}
	clean, err := sanitise(b.Bytes(), links)
	if err != nil {
		return "<pre>" + html.EscapeString(text) + "</pre>"
	}
	return clean
}

// sanitise parses HTML as a browser would and writes what is allowed.
func sanitise(raw []byte, links Links) (string, error) {
	body := &nethtml.Node{Type: nethtml.ElementNode, Data: "body", DataAtom: atom.Body}
	nodes, err := nethtml.ParseFragment(bytes.NewReader(raw), body)
	if err != nil {
		return "", fmt.Errorf("parse rendered Markdown: %w", err)
	}
	w := &writer{links: links}
	for _, n := range nodes {
		w.node(n, false)
	}
	return w.b.String(), nil
}

type writer struct {
	b     strings.Builder
	links Links
}

// node writes a node; literal is set inside links and code, where mentions
// stay text.
func (w *writer) node(n *nethtml.Node, literal bool) {
	switch n.Type {
	case nethtml.TextNode:
		w.text(n.Data, literal)
	case nethtml.ElementNode:
		w.element(n, literal)
	default: // comments and doctypes vanish
	}
}

func (w *writer) children(n *nethtml.Node, literal bool) {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		w.node(c, literal)
	}
}

func (w *writer) element(n *nethtml.Node, literal bool) {
	if n.Namespace != "" || dropped(n.Data) {
		return // with its content
	}
	if kind, ok := alertOf(n); ok {
		fmt.Fprintf(&w.b, `<div class="alert alert-%s"><p class="alert-title">%s</p>`, kind, strings.ToUpper(kind[:1])+kind[1:])
		w.children(n, literal)
		w.b.WriteString("</div>")
		return
	}
	if !allowed(n.Data) {
		w.children(n, literal)
		return
	}
	if n.Data == "input" && attr(n, "type") != "checkbox" {
		return
	}
	w.b.WriteString("<" + n.Data)
	for _, a := range n.Attr {
		if value, ok := attribute(n.Data, a); ok {
			fmt.Fprintf(&w.b, ` %s="%s"`, a.Key, html.EscapeString(value))
		}
	}
	switch n.Data {
	case "input":
		w.b.WriteString(` disabled=""`)
	case "a":
		w.b.WriteString(` rel="nofollow"`)
	}
	w.b.WriteString(">")
	if void(n.Data) {
		return
	}
	w.children(n, literal || n.Data == "a" || n.Data == "code" || n.Data == "pre")
	w.b.WriteString("</" + n.Data + ">")
}

func attr(n *nethtml.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// alertOf recognises "> [!NOTE]" and its four sisters, and takes the marker
// off. https://docs.github.com/get-started/writing-on-github/getting-started-with-writing-and-formatting-on-github/basic-writing-and-formatting-syntax#alerts
func alertOf(n *nethtml.Node) (string, bool) {
	if n.Data != "blockquote" {
		return "", false
	}
	p := n.FirstChild
	for p != nil && p.Type == nethtml.TextNode && strings.TrimSpace(p.Data) == "" {
		p = p.NextSibling
	}
	if p == nil || p.Data != "p" || p.FirstChild == nil || p.FirstChild.Type != nethtml.TextNode {
		return "", false
	}
	first := p.FirstChild
	for _, kind := range []string{"note", "tip", "important", "warning", "caution"} {
		marker := "[!" + strings.ToUpper(kind) + "]"
		if rest, ok := strings.CutPrefix(first.Data, marker); ok && strings.TrimSpace(rest) == "" {
			p.RemoveChild(first)
			if br := p.FirstChild; br != nil && br.Data == "br" {
				p.RemoveChild(br)
			}
			return kind, true
		}
	}
	return "", false
}

// text writes text with its mentions and references as links.
func (w *writer) text(s string, literal bool) {
	if literal {
		w.b.WriteString(html.EscapeString(s))
		return
	}
	for s != "" {
		i := strings.IndexAny(s, "@#")
		if i < 0 {
			break
		}
		before, after := s[:i], s[i+1:]
		n := 0
		for n < len(after) && wordByte(after[n], s[i] == '@') {
			n++
		}
		word := strings.TrimRight(after[:n], "-")
		href := ""
		if word != "" && (before == "" || !joins(before[len(before)-1])) {
			href = w.link(s[i], word)
		}
		if href == "" {
			w.b.WriteString(html.EscapeString(s[:i+1]))
			s = after
			continue
		}
		class := "user-mention"
		if s[i] == '#' {
			class = "issue-link"
		}
		fmt.Fprintf(&w.b, `%s<a class="%s" href="%s">%c%s</a>`, html.EscapeString(before), class, html.EscapeString(href), s[i], html.EscapeString(word))
		s = after[len(word):]
	}
	w.b.WriteString(html.EscapeString(s))
}

func (w *writer) link(kind byte, word string) string {
	if kind == '@' {
		if w.links.User == nil {
			return ""
		}
		return w.links.User(word)
	}
	n := 0
	for _, c := range []byte(word) {
		n = n*10 + int(c-'0')
		if n > 1<<30 {
			return ""
		}
	}
	if w.links.Issue == nil {
		return ""
	}
	return w.links.Issue(n)
}

// wordByte: logins are letters, digits and hyphens, numbers are digits.
func wordByte(c byte, login bool) bool {
	digit := c >= '0' && c <= '9'
	return digit || login && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-')
}

// joins: after such a character "@x" is part of an address or a word.
func joins(c byte) bool { return wordByte(c, true) || c == '_' || c == '/' || c == '`' || c >= 0x80 }
