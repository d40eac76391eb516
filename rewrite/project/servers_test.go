package project

import (
	"fmt"
	"strings"
	"testing"
)

func ports(content string, ls []Listen) string {
	return join(ls, func(l Listen) string {
		return fmt.Sprintf("%d %q :%d", l.Port, content[l.Span.Start:l.Span.End], l.Line)
	})
}

func TestNginx(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, text, ports, rest string }{
		{"default", "server {\n  listen 80;\n  listen [::]:80 default_server;\n  listen 443 ssl;\n}\n", `80 "80" :2 | 80 "80" :3 | 443 "443" :4`, "servers=1"},
		{"address", "server { listen 127.0.0.1:8080; listen *:81; listen localhost; listen [::]; listen unix:/x.sock; }", `8080 "8080" :1 | 81 "81" :1 | 80 "" :1 | 80 "" :1 | 0 "" :1`, "servers=1"},
		{"comment and quotes", "# listen 80;\nserver {\n  listen \"80\"; # listen 81;\n  return 200 'listen 82; }';\n}\n", `80 "80" :3`, "servers=1"},
		{"main file", "user  nginx;\npid /var/run/nginx.pid;\nevents {}\nhttp {\n include /etc/nginx/conf.d/*.conf;\n server { location / {} }\n upstream u { server a:80; server b:81; }\n}\n", "", "servers=1 implied=[6] user=nginx pid=/var/run/nginx.pid include=/etc/nginx/conf.d/*.conf"},
		{"template", "server { listen ${PORT}; listen $x; }", `0 "" :1 | 0 "" :1`, "servers=1 template"},
		{"escaped and variables", `server { listen 80; rewrite ^/a\{2\}$ /${uri}; }`, `80 "80" :1`, "servers=1 template"},
		{"broken", "server { listen 80;", `80 "80" :1`, "broken"},
		{"broken brace", "listen 80; } x", `80 "80" :1`, "broken"},
		{"lua", "http { content_by_lua_block { ngx.say('}') } }", "", "broken"},
		{"quotation", "x 'y", "", "broken"},
		{"not a number", "server { listen 80a; listen 0; listen 99999; }", `80 "" :1 | 0 "" :1 | 0 "" :1`, "servers=1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n := ParseNginx(tt.text)
			equal(t, "ports", ports(tt.text, n.Listens), tt.ports)
			var rest []string
			if n.Servers > 0 {
				rest = append(rest, fmt.Sprintf("servers=%d", n.Servers))
			}
			if len(n.Implied) > 0 {
				rest = append(rest, fmt.Sprintf("implied=%v", n.Implied))
			}
			if n.User != nil {
				rest = append(rest, "user="+n.User.Args[0])
			}
			if n.PID != nil {
				rest = append(rest, "pid="+n.PID.Args[0])
			}
			for _, i := range n.Includes {
				rest = append(rest, "include="+i.Args[0])
			}
			if n.Template {
				rest = append(rest, "template")
			}
			if n.Broken != "" {
				rest = append(rest, "broken")
			}
			equal(t, "rest", strings.Join(rest, " "), tt.rest)
		})
	}
}

func TestHttpd(t *testing.T) {
	t.Parallel()
	text := "# Listen 1\nListen 80\nListen 0.0.0.0:443 https\nUser daemon\nGroup daemon\n<VirtualHost *:80>\n  ServerName example.com:80\n  DocumentRoot \"/x\"\n</VirtualHost>\nLoadModule rewrite_module modules/mod_rewrite.so\nInclude conf/extra/*.conf\nListen ${PORT}\n"
	h := ParseHttpd(text)
	equal(t, "ports", ports(text, h.Listens), `80 "80" :2 | 443 "443" :3 | 80 "80" :6 | 80 "80" :7 | 0 "" :12`)
	if h.User == nil || h.Group == nil || len(h.Modules) != 1 || len(h.Includes) != 1 || len(h.Roots) != 1 || !h.Template {
		t.Errorf("%+v", h)
	}
}

func TestCaddyfile(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, sites, rest string }{
		{":80\nroot * /srv\nfile_server\n", `80 "80" :1`, ""},
		{"{\n  auto_https off\n  http_port 8080\n}\n# c\nexample.com, http://localhost:81 {\n  reverse_proxy api:3000\n}\n:443 {\n}\n", `0 "" :6 | 81 "81" :6 | 443 "443" :9`, "off 8080"},
		{"{$SITE:localhost} {\n}\n", `0 "" :1`, "template"},
		{"(common) {\n  header x\n}\nhttp://a.example {\n  import common\n}\n", `80 "" :4`, ""},
	} {
		c := ParseCaddyfile(tt.text)
		equal(t, "sites", ports(tt.text, c.Sites), tt.sites)
		rest := c.AutoHTTPS
		if c.HTTPPort != nil {
			rest += fmt.Sprintf(" %d", c.HTTPPort.Port)
		}
		if c.Template {
			rest += "template"
		}
		equal(t, "rest", rest, tt.rest)
	}
}

func TestReadScript(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, text, want string }{
		{"entrypoint.sh", "#!/bin/sh\nset -e\nif [ \"$1\" = x ]; then migrate; fi\nexec \"$@\"\n", "/bin/sh passes:4 [migrate]"},
		{"entrypoint.sh", "#!/usr/bin/env bash\nset -e\nexec gosu app \"$@\"\n", "env bash passes:3 [gosu]"},
		{"run", "#!/bin/bash -e\n# comment\nexec java -jar /app.jar\n", "/bin/bash exec=java -jar /app.jar:3 [java]"},
		{"run", "#!/bin/sh\nset -eu\nexec node server.js \"$@\"\n", "/bin/sh exec=node server.js+:3 [node]"},
		{"run", "#!/bin/sh\nexec java $JAVA_OPTS -jar /app.jar\n", "/bin/sh :2 [java]"},
		{"run", "#!/bin/sh\nexport A=1\nexec node x\n", "/bin/sh :3 [node]"},
		{"run", "#!/bin/sh\nnode x\n", "/bin/sh [node]"},
		{"run", "#!/bin/sh\nif x; then exec node y; fi\n", "/bin/sh [x node]"},
		{"manage.py", "#!/usr/bin/env python3\nimport os\n", "env python3 []"},
		{"start.sh", "echo hi\nwget x\n", "guess=sh [wget]"},
		{"start.sh", "#!/bin/sh\r\nexec node x\r\n", "/bin/sh crlf exec=node x:2 [node]"},
		{"x", "\x7fELF\x00", "binary []"},
		{"x", "#!", " []"},
		{"x.sh", "#!/bin/sh\nif\n", "/bin/sh []"},
	} {
		s := ReadScript(tt.name, tt.text)
		got := s.Interpreter
		if s.Env {
			got = "env " + got
		}
		if s.Guess != "" {
			got += "guess=" + s.Guess
		}
		if s.Binary {
			got += "binary"
		}
		if s.CRLF {
			got += " crlf"
		}
		if s.Passes {
			got += " passes"
		}
		if s.Exec != nil {
			got += " exec=" + strings.Join(s.Exec, " ")
			if s.Rest {
				got += "+"
			}
		}
		if s.ExecLine > 0 {
			if !s.Passes && s.Exec == nil {
				got += " "
			}
			got += fmt.Sprintf(":%d", s.ExecLine)
		}
		equal(t, tt.text, fmt.Sprintf("%s %v", got, s.Programs), tt.want)
	}
}
