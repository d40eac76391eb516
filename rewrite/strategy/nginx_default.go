package strategy

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/project"
	"dhibot/rewrite/shell"
)

const (
	virtualHosts = "/etc/nginx/conf.d"
	// defaultHost is the virtual host that the images of nginx bring: on port 80
	// in the official one, on 8080 in that of DHI.
	defaultHost = virtualHosts + "/default.conf"
)

// ownHost is the COPY of the only virtual host that the final image gets, when
// it could as well bring it under the name of the image's own one and so take
// its place; nil otherwise. The file is named as the image has it.
func (in *Input) ownHost(f *assess.Stage) (st *assess.Step, file string) {
	if f.Origin == nil || f.Origin.Image != "nginx" {
		return nil, ""
	}
	for _, s := range f.ChainSteps() {
		c := s.Copy
		if c == nil {
			continue
		}
		dest := path.Clean(c.Dest)
		if dest == "/etc/nginx" || dest == "/etc" || dest == "/" || dest == "/etc/nginx/nginx.conf" {
			return nil, "" // it may bring everything
		}
		if dest != virtualHosts && !under(dest, virtualHosts) {
			continue
		}
		if st != nil || s.Stage != f || c.Inline || len(c.Sources) != 1 || c.Chown != "" || strings.HasPrefix(strings.TrimSpace(s.Text), "[") {
			return nil, ""
		}
		src := c.Sources[0]
		if strings.ContainsAny(src, "*?[$") || path.Ext(src) != ".conf" {
			return nil, ""
		}
		if c.From == "" && in.known() {
			if dir, there := in.Project.Exists(strings.TrimPrefix(path.Clean("/"+src), "/")); dir || !there {
				return nil, ""
			}
		}
		st, file = s, dest
		if dest == virtualHosts {
			file = path.Join(dest, path.Base(src))
		}
		if path.Dir(file) != virtualHosts || path.Ext(file) != ".conf" || file == defaultHost {
			return nil, ""
		}
	}
	if st == nil || len(st.Words) < 2 {
		return nil, ""
	}
	for _, c := range []assess.Command{f.End.Entrypoint, f.End.Cmd} {
		if c.Step != nil && strings.Contains(c.Step.Text, path.Base(file)) {
			return nil, ""
		}
	}
	return st, file
}

// asDefaultHost writes the COPY of a virtual host so that it takes the place of
// the image's own one.
func (in *Input) asDefaultHost(st *assess.Step, why string) Rewrite {
	text := in.File.Text(st.Span)
	dest := st.Words[len(st.Words)-1].Span
	at := dest.Start - st.Span.Start
	return Rewrite{Step: st, Rule: "no-shell", Text: text[:at] + defaultHost + text[at+dest.End-dest.Start:], Why: why}
}

// removesDefaultHost is the COPY that can take the place of the image's virtual
// host, when a RUN does nothing but remove that one and files that a later COPY
// replaces; nil otherwise.
func (in *Input) removesDefaultHost(f *assess.Stage, st *assess.Step, sc *shell.Script) *Rewrite {
	host, _ := in.ownHost(f)
	if host == nil || st.Stage != f {
		return nil
	}
	found := false
	for _, p := range removed(st, sc) {
		switch {
		case p == defaultHost, p == virtualHosts+"/*":
			found = true
		case !replacedLater(f, st, p):
			return nil
		}
	}
	if !found || slices.Index(f.Steps, host) < slices.Index(f.Steps, st) && slices.Contains(removed(st, sc), virtualHosts+"/*") {
		return nil
	}
	r := in.asDefaultHost(host, "the image's own default.conf cannot be removed without a shell; under its name this file takes its place")
	return &r
}

// removed are the paths that a RUN removes when it does nothing else; nil
// otherwise.
func removed(st *assess.Step, sc *shell.Script) []string {
	var out []string
	for _, c := range sc.Commands {
		if c.Name != "rm" || c.Conditional {
			return nil
		}
		for _, a := range c.Args {
			if strings.HasPrefix(a.Text, "-") {
				continue
			}
			p := a.Text
			if !path.IsAbs(p) {
				p = path.Join(st.Before.WorkDir, p)
			}
			out = append(out, path.Clean(p))
		}
	}
	return out
}

// keepOwnHost lets a virtual host on 8080 take the place of the image's own
// one: the official image had that on 80, and with both on one port the wrong
// one would answer.
func (d *decider) keepOwnHost(f *assess.Stage, image string) {
	if image != "nginx" || strings.HasSuffix(f.Origin.Repository, "nginx-unprivileged") {
		return
	}
	for _, r := range d.Replaced {
		if r.Rule == "no-shell" {
			return
		}
	}
	st, file := d.ownHost(f)
	if st == nil {
		return
	}
	_, content, ok := d.ContextFile(f, file)
	if !ok || !slices.ContainsFunc(project.ParseNginx(string(content)).Listens, func(l project.Listen) bool { return l.Port == 8080 }) {
		return
	}
	d.Replaced = append(d.Replaced, d.asDefaultHost(st, fmt.Sprintf("dhi nginx has a server of its own on port 8080 in %s, the official image had it on 80; under its name this file takes its place", defaultHost)))
}
