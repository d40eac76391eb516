package strategy

import (
	"fmt"
	"path"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
)

// phpPools refuses pools of php-fpm that only root can open: log files in
// directories of root, sockets with owners.
func (in *Input) phpPools(f *assess.Stage, def *catalog.Definition) []Block {
	var out []Block
	for _, st := range f.ChainSteps() {
		if st.Copy == nil || !under(path.Clean(st.Copy.Dest)+"/x", "/usr/local/etc/php-fpm.d") {
			continue
		}
		for _, p := range copiedFiles(st.Copy) {
			name, content, ok := in.ContextFile(f, p)
			if !ok {
				continue
			}
			line := 0
			for l := range strings.Lines(string(content)) {
				line++
				if why := rootsPool(l, def); why != "" {
					out = append(out, Block{Rule: "nonroot-user", Code: "image-layout", Path: name, Line: line, Text: why})
				}
			}
		}
	}
	return out
}

// rootsPool tells why a line of a pool's settings needs root.
func rootsPool(line string, def *catalog.Definition) string {
	line, _, _ = strings.Cut(line, ";")
	key, value, _ := strings.Cut(line, "=")
	key, value = strings.TrimSpace(key), strings.Trim(strings.TrimSpace(value), `"'`)
	if !strings.HasPrefix(value, "/") {
		return ""
	}
	switch key {
	case "listen":
		return fmt.Sprintf("php-fpm listens on the socket %s, whose owner and directory belong to the old image", value)
	case "error_log", "slowlog", "access.log", "pid", "chroot":
	default:
		return ""
	}
	if strings.HasPrefix(value, "/proc/self/") || strings.HasPrefix(value, "/dev/") || strings.HasPrefix(value, "/tmp/") {
		return ""
	}
	for _, d := range def.Directories {
		if d.UID == def.RunUser().UID && under(value, d.Path) {
			return ""
		}
	}
	return fmt.Sprintf("php-fpm sets %s to %s, where its unprivileged user cannot write", key, value)
}

// notePHP names what DHI's PHP does otherwise although nothing in the file says
// so. Sources: the catalog's image/php and package/apk/main/php ("install
// php.ini"), php.ini-production of php-src, the Dockerfiles of the official
// images, which leave php.ini out.
func (d *decider) notePHP(f *assess.Stage, def *catalog.Definition) {
	if def.Image != "php" {
		return
	}
	own := false
	for _, st := range f.ChainSteps() {
		own = own || strings.Contains(st.Text, "php.ini")
	}
	line := f.Root().From.Lines[0]
	if !own {
		d.Notes = append(d.Notes, Note{Rule: "package-management", Line: line,
			Text: fmt.Sprintf("dhi php reads php.ini-production; %s read no php.ini. With it $_ENV is empty (variables_order; getenv() and $_SERVER are not), `<?` alone does not begin code, and errors are not shown but logged.", f.Root().Origin.Reference)})
	}
	if def.Distro == catalog.Alpine && !def.Build() {
		d.Notes = append(d.Notes, Note{Rule: "nonroot-user", Line: line,
			Text: "The catalog declares no /tmp for dhi php on Alpine. Uploads and sessions are written there by default: test both, or mount a writable /tmp."})
	}
}

// phpTool refuses a runtime image for an image that brings Composer and nothing
// of a program: people run Composer in it, in a directory that they mount.
func (in *Input) phpTool(f *assess.Stage) []Block {
	line := 0
	for _, st := range f.ChainSteps() {
		switch c := st.Copy; {
		case c != nil && (c.FromStage != nil || c.From == "" && !strings.HasPrefix(path.Clean(c.Dest), "/usr/local")):
			return nil // of the program, as far as that can be told
		case c != nil && strings.HasSuffix(c.From, "composer") || c != nil && strings.Contains(c.From, "composer:"):
			line = st.Lines[0]
		case st.Run != nil && st.Run.Script != nil:
			for _, p := range st.Run.Script.Effects(st.Before.WorkDir).Paths {
				if path.Base(p) == "composer" {
					line = st.Lines[0]
				}
			}
		}
	}
	if line == 0 {
		return nil
	}
	return []Block{{Rule: "entry-point", Code: "no-start-command", Line: line, Text: "it brings Composer and no program, so people run Composer in it"}}
}
