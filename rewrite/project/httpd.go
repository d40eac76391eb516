package project

import (
	"strconv"
	"strings"
)

// Httpd is what an Apache configuration says about ports and users.
type Httpd struct {
	// Listens are the Listen directives and the ports of VirtualHost and
	// ServerName, which have to agree.
	Listens  []Listen
	User     *Directive
	Group    *Directive
	Includes []Directive
	Modules  []Directive // LoadModule
	Roots    []Directive // DocumentRoot
	PID      *Directive
	Template bool // has ${VARIABLES}, which Apache takes from the environment
}

// ParseHttpd reads an Apache configuration file or a part of one.
func ParseHttpd(content string) *Httpd {
	h := &Httpd{}
	offset := 0
	for i, line := range strings.SplitAfter(content, "\n") {
		start := offset
		offset += len(line)
		if i > 200000 {
			break
		}
		text := strings.TrimSpace(line)
		if text == "" || text[0] == '#' {
			continue
		}
		h.Template = h.Template || strings.Contains(text, "${")
		words := strings.Fields(strings.TrimRight(strings.TrimLeft(text, "<"), ">"))
		if len(words) == 0 {
			continue
		}
		d := Directive{Name: words[0], Args: words[1:], Line: i + 1}
		switch strings.ToLower(words[0]) {
		case "listen":
			if len(words) > 1 {
				h.Listens = append(h.Listens, portOf(line, words[1], start, i+1, true))
			}
		case "virtualhost":
			for _, w := range words[1:] {
				if strings.Contains(w, ":") {
					h.Listens = append(h.Listens, portOf(line, w, start, i+1, false))
				}
			}
		case "servername":
			if len(words) > 1 && strings.Contains(strings.TrimPrefix(strings.TrimPrefix(words[1], "http://"), "https://"), ":") {
				h.Listens = append(h.Listens, portOf(line, words[1], start, i+1, false))
			}
		case "user":
			h.User = &d
		case "group":
			h.Group = &d
		case "pidfile":
			h.PID = &d
		case "include", "includeoptional":
			h.Includes = append(h.Includes, d)
		case "loadmodule":
			h.Modules = append(h.Modules, d)
		case "documentroot":
			h.Roots = append(h.Roots, d)
		}
	}
	return h
}

// portOf finds the port of word, which stands in line. bare allows a word that
// is the port alone.
func portOf(line, word string, start, number int, bare bool) Listen {
	l := Listen{Line: number, Text: word}
	port, at := word, start+strings.Index(line, word)
	if i := strings.LastIndexByte(word, ':'); i >= 0 {
		port, at = word[i+1:], at+i+1
	} else if !bare {
		return l
	}
	if p, err := strconv.Atoi(port); err == nil && digits(port) && p > 0 && p < 65536 {
		l.Port, l.Span = p, Span{at, at + len(port)}
	}
	return l
}

// Caddy is what a Caddyfile says about ports.
type Caddy struct {
	// Sites are the addresses of site blocks. Port is 0 for an address without
	// a port, such as a host name, which means 80 and 443.
	Sites []Listen
	// HTTPPort and HTTPSPort are the global options of these names.
	HTTPPort, HTTPSPort *Listen
	// AutoHTTPS is the value of the global option auto_https, for example off.
	AutoHTTPS string
	// Template says that {$VARIABLES} of the environment are used in addresses.
	Template bool
}

// ParseCaddyfile reads the addresses and global options of a Caddyfile.
func ParseCaddyfile(content string) *Caddy {
	c := &Caddy{}
	depth, offset := 0, 0
	global := false
	for i, line := range strings.SplitAfter(content, "\n") {
		start := offset
		offset += len(line)
		text := strings.TrimSpace(line)
		if j := strings.Index(text, " #"); j >= 0 {
			text = strings.TrimSpace(text[:j])
		}
		if text == "" || text[0] == '#' || i > 200000 {
			continue
		}
		opens := strings.HasSuffix(text, "{") && (len(text) == 1 || text[len(text)-2] == ' ' || text[len(text)-2] == '\t')
		switch {
		case text == "}":
			depth = max(0, depth-1)
			global = global && depth > 0
			continue
		case depth == 0:
			names := strings.TrimSpace(strings.TrimSuffix(text, "{"))
			if opens && names == "" {
				global = true
				break
			}
			if strings.HasPrefix(names, "(") || strings.HasPrefix(names, "import ") {
				break
			}
			// Without braces, a file has one site and its first line is the
			// address.
			if !opens && len(c.Sites) > 0 {
				break
			}
			at := start
			for _, w := range strings.FieldsFunc(names, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' }) {
				c.Template = c.Template || strings.Contains(w, "{")
				k := strings.Index(content[at:offset], w)
				if k < 0 {
					continue
				}
				l := portOf(w, w, at+k, i+1, false)
				l.TLS = strings.HasPrefix(w, "https://")
				if strings.HasPrefix(w, "http://") && l.Port == 0 {
					l.Port = 80
				}
				c.Sites = append(c.Sites, l)
				at += k + len(w)
			}
		case depth == 1 && global:
			w := strings.Fields(text)
			if len(w) < 2 {
				break
			}
			switch w[0] {
			case "http_port", "https_port":
				l := portOf(line, w[1], start, i+1, true)
				if w[0] == "http_port" {
					c.HTTPPort = &l
				} else {
					c.HTTPSPort = &l
				}
			case "auto_https":
				c.AutoHTTPS = w[1]
			}
		}
		if opens {
			depth++
		}
	}
	return c
}
