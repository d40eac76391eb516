package markdown

import (
	"net/url"
	"strings"

	nethtml "golang.org/x/net/html"
)

// The lists follow GitHub's public sanitisation filter
// (github.com/gjtorikian/html-pipeline, SanitizationFilter::DEFAULT_CONFIG).

// allowed elements are written; other tags are taken off and their text stays.
func allowed(element string) bool {
	switch element {
	case "h1", "h2", "h3", "h4", "h5", "h6", "br", "b", "i", "strong", "em", "a", "pre", "code", "img", "tt", "div", "ins", "del",
		"sup", "sub", "p", "picture", "ol", "ul", "table", "thead", "tbody", "tfoot", "blockquote", "dl", "dt", "dd", "kbd", "q", "samp",
		"var", "hr", "ruby", "rt", "rp", "li", "tr", "td", "th", "s", "strike", "summary", "details", "caption", "figure", "figcaption",
		"abbr", "bdo", "cite", "dfn", "mark", "small", "span", "time", "wbr", "input", "section":
		return true
	}
	return false
}

// dropped elements go together with their content.
func dropped(element string) bool {
	switch element {
	case "script", "style", "iframe", "object", "embed", "noscript", "noembed", "noframes", "template", "textarea", "title", "xmp", "plaintext",
		"select", "math", "svg", "head", "frameset", "form", "button", "video", "audio", "canvas", "meta", "link", "base":
		return true
	}
	return false
}

func void(element string) bool {
	switch element {
	case "br", "hr", "img", "input", "wbr":
		return true
	}
	return false
}

// attribute returns the value to write for an attribute, or false.
func attribute(element string, a nethtml.Attribute) (string, bool) {
	if a.Namespace != "" {
		return "", false
	}
	key := element + " " + a.Key
	switch a.Key {
	case "abbr", "align", "alt", "aria-label", "aria-hidden", "border", "cellpadding", "cellspacing", "colspan", "rowspan", "datetime", "dir",
		"height", "width", "hspace", "vspace", "lang", "open", "role", "scope", "span", "start", "summary", "title", "valign", "char", "reversed":
		return a.Val, true
	case "id", "name":
		// Prefixed, so that no text can take the place of a page's own anchor.
		return "user-content-" + strings.TrimPrefix(a.Val, "user-content-"), true
	case "class":
		ok := element == "code" && strings.HasPrefix(a.Val, "language-") && !strings.ContainsAny(a.Val, " \t\n")
		return a.Val, ok
	}
	switch key {
	case "a href", "blockquote cite", "q cite", "del cite", "ins cite":
		return anchor(a.Val), safeURL(a.Val, "http", "https", "mailto")
	case "img src":
		return a.Val, safeURL(a.Val, "http", "https")
	case "input type", "input checked":
		return a.Val, true
	}
	return "", false
}

// anchor keeps links inside the text working, whose targets are prefixed.
func anchor(href string) string {
	if id, ok := strings.CutPrefix(href, "#"); ok {
		return "#user-content-" + strings.TrimPrefix(id, "user-content-")
	}
	return href
}

// safeURL allows the schemes and relative addresses.
func safeURL(s string, schemes ...string) bool {
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil {
		return false
	}
	if u.Scheme == "" {
		return true
	}
	for _, ok := range schemes {
		if strings.EqualFold(u.Scheme, ok) {
			return true
		}
	}
	return false
}
