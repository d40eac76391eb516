package project

import (
	"strconv"
	"strings"
)

// Span is a half-open range of bytes of the content that was parsed.
type Span struct{ Start, End int }

// Listen is a place where a server is told which port to listen on.
type Listen struct {
	// Port is the port; 0 when it is a socket, a variable or not literal.
	Port int
	// Span is the port number in the content; empty when Port is 0 or implied
	// (`listen 127.0.0.1;` listens on 80).
	Span Span
	Line int
	Text string // the argument as written
	TLS  bool
	// Server is the number of the HTTP server that listens, 0 when it is none
	// (stream, mail), and End is where the directive ends.
	Server, End int
}

// Directive is a simple directive of a configuration.
type Directive struct {
	Name string
	Args []string
	Line int
}

// Nginx is what an nginx configuration says about ports, users and files.
type Nginx struct {
	Listens  []Listen
	User     *Directive
	PID      *Directive
	Includes []Directive
	// Logs, Roots and Temps are error_log and access_log, root and alias, and
	// the *_temp_path directives.
	Logs, Roots, Temps []Directive
	// Redirects are absolute_redirect and port_in_redirect, which say whether
	// redirects of nginx name the port that it listens on.
	Redirects []Directive
	// Daemon is the daemon directive.
	Daemon *Directive
	// Template says that the text has ${VARIABLES}, which nginx does not
	// expand in most places: it is filled in by envsubst.
	Template bool
	// Servers is the number of server blocks; without a listen each of them
	// listens on 80 (8000 when not root).
	Servers int
	// Implied are the lines of server blocks without a listen.
	Implied []int
	// Broken is why the text is no complete configuration; "" when it is.
	Broken string
}

type nginxToken struct {
	text   string
	start  int
	end    int
	line   int
	quoted bool
}

// ParseNginx reads a configuration file of nginx, or a part of one that is
// included. It never fails: see Nginx.Broken.
func ParseNginx(content string) *Nginx {
	n := &Nginx{}
	if len(content) > MaxFile {
		n.Broken = "the file is too large"
		return n
	}
	toks, broken := nginxTokens(content)
	n.Broken = broken
	type block struct {
		name   string
		line   int
		number int
		listen bool
	}
	var stack []block
	blocks := 0
	var words []nginxToken
	for _, t := range toks {
		switch {
		case !t.quoted && t.text == "{":
			blocks++
			b := block{line: t.line, number: blocks}
			if len(words) > 0 {
				b.name, b.line = words[0].text, words[0].line
			}
			if strings.HasSuffix(b.name, "_by_lua_block") {
				n.Broken = "the file has Lua code"
				return n
			}
			stack = append(stack, b)
			words = nil
		case !t.quoted && t.text == "}":
			if len(words) > 0 || len(stack) == 0 {
				n.Broken = "line " + strconv.Itoa(t.line) + ": unexpected }"
				return n
			}
			if b := stack[len(stack)-1]; b.name == "server" && (len(stack) < 2 || stack[len(stack)-2].name != "upstream") {
				n.Servers++
				if !b.listen {
					n.Implied = append(n.Implied, b.line)
				}
			}
			stack = stack[:len(stack)-1]
		case !t.quoted && t.text == ";":
			if len(words) > 0 {
				listens := len(n.Listens)
				n.directive(words)
				if words[0].text == "listen" && len(stack) > 0 {
					b := &stack[len(stack)-1]
					b.listen = true
					for i := listens; i < len(n.Listens); i++ {
						n.Listens[i].End = t.end
						if b.name == "server" && stack[0].name != "stream" && stack[0].name != "mail" {
							n.Listens[i].Server = b.number
						}
					}
				}
			}
			words = nil
		default:
			words = append(words, t)
			n.Template = n.Template || strings.Contains(t.text, "${")
		}
	}
	if n.Broken == "" && (len(words) > 0 || len(stack) > 0) {
		n.Broken = "the file ends within a directive or block"
	}
	return n
}

func nginxTokens(c string) (out []nginxToken, broken string) {
	line := 1
	for i := 0; i < len(c); {
		ch := c[i]
		switch {
		case ch == '\n':
			line++
			i++
		case ch == ' ' || ch == '\t' || ch == '\r':
			i++
		case ch == '#':
			for i < len(c) && c[i] != '\n' {
				i++
			}
		case ch == ';' || ch == '{' || ch == '}':
			out = append(out, nginxToken{text: c[i : i+1], start: i, end: i + 1, line: line})
			i++
		case ch == '"' || ch == '\'':
			start, first := i, line
			i++
			for i < len(c) && c[i] != ch {
				if c[i] == '\\' {
					i++
				}
				if i < len(c) && c[i] == '\n' {
					line++
				}
				i++
			}
			if i >= len(c) {
				return out, "line " + strconv.Itoa(first) + ": the quotation does not end"
			}
			i++
			out = append(out, nginxToken{text: c[start+1 : i-1], start: start + 1, end: i - 1, line: first, quoted: true})
		default:
			start := i
			for i < len(c) && !strings.ContainsRune(" \t\r\n;{}", rune(c[i])) {
				if c[i] == '$' && i+1 < len(c) && c[i+1] == '{' { // ${var}
					for i < len(c) && c[i] != '}' && c[i] != '\n' {
						i++
					}
					if i >= len(c) || c[i] == '\n' {
						break
					}
				} else if c[i] == '\\' && i+1 < len(c) && c[i+1] != '\n' {
					i++
				}
				i++
			}
			out = append(out, nginxToken{text: c[start:i], start: start, end: i, line: line})
		}
	}
	return out, ""
}

func (n *Nginx) directive(w []nginxToken) {
	d := Directive{Name: w[0].text, Line: w[0].line}
	for _, t := range w[1:] {
		d.Args = append(d.Args, t.text)
	}
	switch name := d.Name; {
	case name == "listen" && len(w) > 1:
		n.Listens = append(n.Listens, nginxListen(w))
	case name == "user":
		n.User = &d
	case name == "pid":
		n.PID = &d
	case name == "daemon":
		n.Daemon = &d
	case name == "include":
		n.Includes = append(n.Includes, d)
	case name == "error_log" || name == "access_log":
		n.Logs = append(n.Logs, d)
	case name == "absolute_redirect" || name == "port_in_redirect":
		n.Redirects = append(n.Redirects, d)
	case name == "root" || name == "alias":
		n.Roots = append(n.Roots, d)
	case strings.HasSuffix(name, "_temp_path") || name == "proxy_cache_path":
		n.Temps = append(n.Temps, d)
	}
}

func nginxListen(w []nginxToken) Listen {
	a := w[1]
	l := Listen{Line: a.line, Text: a.text}
	for _, t := range w[2:] {
		l.TLS = l.TLS || t.text == "ssl" || t.text == "quic"
	}
	if strings.HasPrefix(a.text, "unix:") || strings.Contains(a.text, "$") {
		return l
	}
	port := a.text
	at := a.start
	switch i := strings.LastIndexByte(a.text, ':'); {
	case strings.HasSuffix(a.text, "]"): // [::]
		l.Port = 80
		return l
	case i >= 0:
		port, at = a.text[i+1:], a.start+i+1
	case !digits(a.text):
		l.Port = 80 // a host name or address
		return l
	}
	p, err := strconv.Atoi(port)
	if err != nil || p < 1 || p > 65535 || !digits(port) {
		return l
	}
	l.Port, l.Span = p, Span{at, at + len(port)}
	return l
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
