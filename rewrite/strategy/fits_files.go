package strategy

import (
	"fmt"
	"path"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
)

// fitsFiles refuses a stage that changes files of the old image, or puts a file
// into a directory that only the old image surely has.
func (in *Input) fitsFiles(s *assess.Stage, ch *catalog.Choice, def *catalog.Definition) *Block {
	if b := in.proxyAccount(s, ch, def); b != nil {
		return b
	}
	for _, st := range s.Steps {
		if b := in.scriptVariable(st, ch); b != nil {
			return b
		}
		if b := in.editsOldFile(s, st, ch); b != nil {
			return b
		}
		if b := in.oldDirectory(s, st, ch); b != nil {
			return b
		}
	}
	return nil
}

// scriptVariable refuses variables that only the entry point script of the old
// image reads: accounts and databases would not be made, and a server that was
// protected would be open. Sources: DHI's guide of mysql,
// docker-hardened-images/catalog issue 236 of mongodb, the scripts of the
// official images.
func (in *Input) scriptVariable(st *assess.Step, ch *catalog.Choice) *Block {
	env, ok := st.Command.(*instructions.EnvCommand)
	if !ok {
		return nil
	}
	for _, kv := range env.Env {
		read := false
		switch ch.Image {
		case "mongodb":
			read = strings.HasPrefix(kv.Key, "MONGO_INITDB_")
		case "mysql":
			read = kv.Key == "MYSQL_DATABASE" || kv.Key == "MYSQL_USER" || kv.Key == "MYSQL_PASSWORD"
		case "influxdb":
			read = strings.HasPrefix(kv.Key, "DOCKER_INFLUXDB_INIT_")
		}
		if read {
			return &Block{Rule: "entry-point", Code: "image-programs", Line: st.Lines[0],
				Text: fmt.Sprintf("it sets %s, which only the entry point script of the old image reads", kv.Key)}
		}
	}
	return nil
}

// editsOldFile finds a `sed -i` on a file that the Dockerfile did not bring.
func (in *Input) editsOldFile(s *assess.Stage, at *assess.Step, ch *catalog.Choice) *Block {
	if at.Run == nil || at.Run.Script == nil {
		return nil
	}
	for _, op := range at.Run.Script.FileOps() {
		if op.Op != "sed" || op.Cmd != nil && op.Cmd.Conditional {
			continue
		}
		for _, p := range op.Paths {
			sources := p == "/etc/apt/sources.list"
			if !sources && !(service(ch.Image) && path.IsAbs(p)) || strings.ContainsAny(p, "$*?[") || in.madeBefore(s, at, p) {
				continue
			}
			text := fmt.Sprintf("it edits %s, a file of the old image, which dhi %s need not have", p, ch.Image)
			if sources {
				text = "it edits /etc/apt/sources.list; images of Debian 12 and later keep their sources in /etc/apt/sources.list.d"
			}
			return &Block{Rule: "base-image", Code: "image-layout", Line: at.Lines[0], Text: text}
		}
	}
	return nil
}

// madeBefore tells whether a COPY or a RUN before a step may have made a file.
func (in *Input) madeBefore(s *assess.Stage, at *assess.Step, p string) bool {
	for _, st := range s.ChainSteps() {
		if st == at {
			return false
		}
		if st.Copy != nil {
			d := path.Clean(st.Copy.Dest)
			if d == p || under(p, d) && !in.otherFiles(st.Copy, p) {
				return true
			}
		}
		if st.Run == nil {
			continue
		}
		if st.Run.Script == nil {
			return true
		}
		for _, c := range st.Run.Script.Packages() {
			if c.System && c.Verb == "install" && len(c.Packages) > 0 {
				return true // a package may have brought it
			}
		}
		eff := st.Run.Script.Effects(st.Before.WorkDir)
		for _, w := range eff.Paths {
			if w == p || under(p, w) {
				return true
			}
		}
	}
	return false
}

// otherFiles tells that a COPY surely places nothing but files of other names.
func (in *Input) otherFiles(c *assess.Copy, p string) bool {
	if c.From != "" || c.Inline || !in.known() {
		return false
	}
	for _, src := range c.Sources {
		dir, ok := in.Project.Exists(strings.TrimPrefix(path.Clean("/"+src), "/"))
		if !ok || dir || path.Base(src) == path.Base(p) {
			return false
		}
	}
	return true
}

// oldDirectory finds a COPY of one file to a path without a slash at its end
// that reads like a directory: where the directory is missing, COPY makes a file
// of that name. Only services bring directories of their own.
func (in *Input) oldDirectory(s *assess.Stage, st *assess.Step, ch *catalog.Choice) *Block {
	c := st.Copy
	if c == nil || c.Inline || len(c.Sources) != 1 || !service(ch.Image) || strings.HasSuffix(destOf(st), "/") {
		return nil
	}
	src, dest := path.Base(c.Sources[0]), path.Clean(c.Dest)
	if path.Ext(src) == "" || strings.ContainsAny(src, "*?[$") || strings.Contains(dest, "$") || path.Ext(path.Base(dest)) != "" && !strings.HasSuffix(dest, ".d") || path.Base(dest) == strings.TrimSuffix(src, path.Ext(src)) {
		return nil
	}
	if dest == "/" || dest == st.Before.WorkDir || commonDirectory(ch.Image, dest) || in.madeBefore(s, st, dest) {
		return nil
	}
	if c.FromStage == nil && c.From == "" && in.known() {
		if dir, ok := in.Project.Exists(strings.TrimPrefix(path.Clean("/"+c.Sources[0]), "/")); ok && dir {
			return nil
		}
	}
	return &Block{Rule: "base-image", Code: "image-layout", Line: st.Lines[0],
		Text: fmt.Sprintf("it copies %s into %s, a directory of the old image, which dhi %s need not have", src, dest, ch.Image)}
}

// commonDirectory tells whether a directory is in every image, or surely in the
// DHI image of a service.
func commonDirectory(image, dir string) bool {
	if systemDir(dir) {
		return true
	}
	switch image {
	case "nginx":
		return dir == "/etc/nginx" || dir == "/etc/nginx/conf.d" || dir == "/usr/share/nginx/html" || dir == "/usr/share/nginx"
	case "postgres", "mariadb":
		return dir == "/docker-entrypoint-initdb.d"
	case "caddy":
		return dir == "/etc/caddy" || dir == "/srv"
	case "tomcat":
		return dir == "/usr/local/tomcat" || strings.HasPrefix(dir, "/usr/local/tomcat/webapps") || dir == "/usr/local/tomcat/conf" || dir == "/usr/local/tomcat/lib"
	case "httpd":
		return dir == "/usr/local/apache2/conf" || dir == "/usr/local/apache2/htdocs"
	}
	return false
}

// sourceOfFiles refuses a stage that other stages only copy the image's own
// files from: the DHI image keeps them elsewhere, or does not have them.
func (in *Input) sourceOfFiles(s *assess.Stage, ch *catalog.Choice) *Block {
	for _, t := range in.Stages.Tree(s) {
		for _, st := range t.Steps {
			if st.Run != nil && !service(ch.Image) {
				return nil // what it makes is not known well enough to say so
			}
		}
	}
	for _, t := range in.Stages.All {
		for _, st := range t.Steps {
			if st.Copy == nil || st.Copy.FromStage == nil || st.Copy.FromStage.Root() != s {
				continue
			}
			for _, src := range st.Copy.Sources {
				p := path.Clean("/" + src)
				if strings.ContainsAny(p, "$*?[") || everywhere(p) || under(p, st.Copy.FromStage.End.WorkDir) && st.Copy.FromStage.End.WorkDirSet || in.madeBefore(st.Copy.FromStage, nil, p) {
					continue
				}
				if ch.Dev != nil && len(ch.Dev.Def.Entrypoint) > 0 && under(ch.Dev.Def.Entrypoint[0], p) {
					continue // the image's own program is there
				}
				return &Block{Rule: "base-image", Code: "image-layout", Line: s.From.Lines[0],
					Text: fmt.Sprintf("line %d copies %s out of it, and dhi %s may keep that elsewhere", st.Lines[0], p, ch.Image)}
			}
		}
	}
	return nil
}

// everywhere tells whether every dev image has a path.
func everywhere(p string) bool {
	switch p {
	case "/", "/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/tmp":
		return true
	}
	return p == "/etc/ssl" || strings.HasPrefix(p, "/etc/ssl/")
}
