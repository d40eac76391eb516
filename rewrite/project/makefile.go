package project

import (
	"path"
	"strings"
)

// lines reads files of commands that are no YAML: Makefiles, justfiles,
// Jenkinsfiles and shell scripts. Each logical line is read on its own, so
// that what is not shell around it does not matter.
func (s *search) lines(file, content string) {
	target := ""
	all := strings.Split(content, "\n")
	isMake := !strings.HasSuffix(file, ".sh")
	kind := "make"
	if !isMake {
		kind = "script"
	}
	// Recipes and scripts run from the root more often than not; a Makefile
	// always runs in its own directory.
	dir := path.Dir(file)
	if !isMake {
		dir = "."
	}
	var logins []string
	first := len(s.builds)
	for i := 0; i < len(all); i++ {
		line, start := all[i], i
		for strings.HasSuffix(strings.TrimRight(line, " \t"), "\\") && i+1 < len(all) {
			i++
			line = strings.TrimSuffix(strings.TrimRight(line, " \t"), "\\") + " " + all[i]
		}
		if isMake && line != "" && line[0] != '\t' && line[0] != ' ' && line[0] != '#' {
			if name, _, ok := strings.Cut(line, ":"); ok && !strings.ContainsAny(name, "=$ ") {
				target = name
			}
		}
		if !strings.Contains(line, "build") && !strings.Contains(line, "login") {
			continue
		}
		text := strings.TrimLeft(strings.TrimSpace(line), "@-+ ")
		text = strings.TrimPrefix(text, "sh ") // Jenkins
		if len(text) > 1 && (text[0] == '"' || text[0] == '\'') && text[len(text)-1] == text[0] {
			text = strings.Trim(text, `"'`)
		}
		logins = append(logins, s.shellText(kind, target, file, text, dir, start+1)...)
	}
	for i := first; i < len(s.builds); i++ {
		s.builds[i].Logins = unique(append(s.builds[i].Logins, logins...))
	}
}
