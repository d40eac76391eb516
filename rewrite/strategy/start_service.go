package strategy

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
)

// listenEverywhere adds the option that the official script of MongoDB adds:
// without it mongod answers nobody but its own container. Source:
// docker-library/mongo pull request 226.
func (t *starter) listenEverywhere(s *Start) {
	if t.def.Image != "mongodb" || t.final.End.Entrypoint.Step != nil || len(s.Argv) == 0 || path.Base(s.Argv[0]) != "mongod" {
		return
	}
	for _, a := range s.Argv {
		if strings.HasPrefix(a, "--bind_ip") || a == "-f" || strings.HasPrefix(a, "--config") || a == "--fork" {
			return
		}
	}
	s.Argv = append(slices.Clone(s.Argv), "--bind_ip_all")
	text := "CMD " + jsonArray(s.Argv[len(t.def.Entrypoint):])
	why := "the official image's script adds --bind_ip_all; without it mongod answers only inside of its own container"
	if c := t.final.End.Cmd; c.Step != nil {
		if s.Cmd != nil {
			why = joinWhy(s.Cmd.Why, why)
		}
		s.Cmd = &Rewrite{Step: c.Step, Text: text, Why: why, Rule: "entry-point"}
		return
	}
	s.Add, s.Why = text, why
}

// ownConfig lets the image start with the configuration that the file brings,
// when its own command names one of the same name at another place.
func (t *starter) ownConfig(s *Start) {
	for i, a := range t.def.Cmd {
		option, p := "", a
		if k := strings.Index(a, "=/"); k >= 0 && strings.HasPrefix(a, "-") {
			option, p = a[:k+1], a[k+1:]
		}
		if !path.IsAbs(p) || path.Ext(p) == "" || t.copied(p) || s.Add != "" {
			continue
		}
		for _, st := range t.final.ChainSteps() {
			if st.Copy == nil {
				continue
			}
			for _, f := range copiedFiles(st.Copy) {
				if path.Base(f) != path.Base(p) && (path.Ext(f) != path.Ext(p) || path.Base(f) != strings.TrimSuffix(path.Base(p), path.Ext(p))) || f == p {
					continue
				}
				cmd := slices.Clone(t.def.Cmd)
				cmd[i] = option + f
				s.Add = "CMD " + jsonArray(cmd)
				s.Why = fmt.Sprintf("dhi %s reads %s by itself; the file brings its configuration as %s (line %d)", t.def.Image, p, f, st.Lines[0])
				s.Argv = append(slices.Clone(t.def.Entrypoint), cmd...)
			}
		}
	}
}

// ownData keeps the arguments of the old image where those of the new one name
// another place for the data: volumes are mounted at the old one. The place is
// the working directory of the old image, which is kept as well and so belongs
// to the user.
func (t *starter) ownData(s *Start, e, c assess.Command) {
	if s.Add != "" || len(e.Argv) == 0 || len(t.def.Entrypoint) == 0 || path.Base(e.Argv[0]) != path.Base(t.def.Entrypoint[0]) {
		return
	}
	for _, a := range c.Argv {
		option, place, ok := strings.Cut(a, "=")
		if !ok || !path.IsAbs(place) || path.Clean(place) != path.Clean(t.final.End.WorkDir) {
			continue
		}
		for _, b := range t.def.Cmd {
			if other, ok := strings.CutPrefix(b, option+"="); ok && other != place {
				s.Add = "CMD " + jsonArray(c.Argv)
				s.Why = fmt.Sprintf("dhi %s keeps its data in %s; the old image kept it in %s, where volumes are mounted", t.def.Image, other, place)
				s.Argv = append(slices.Clone(t.def.Entrypoint), c.Argv...)
				return
			}
		}
	}
}

// logFile finds a file below /var/log among the words of the start command that
// only root could make: its directory is the image's own or nobody makes it.
func (t *starter) logFile(argv []string) *Block {
	if !t.unprivileged {
		return nil
	}
	for _, a := range argv {
		_, p, ok := strings.Cut(a, "=")
		if !ok {
			p = a
		}
		dir := path.Dir(p)
		if !strings.HasPrefix(p, "/var/log/") || path.Ext(p) == "" || t.made[p] || t.made[dir] || t.copied(p) || t.copied(dir) ||
			slices.ContainsFunc(t.def.Directories, func(d catalog.Directory) bool { return path.Clean(d.Path) == dir }) {
			continue
		}
		c := t.final.End.Cmd
		if c.Step == nil {
			c = t.final.End.Entrypoint
		}
		bl := t.block(c, "writes-system", fmt.Sprintf("it is told to write %s, and only root can make files in %s", p, dir))
		return &bl
	}
	return nil
}
