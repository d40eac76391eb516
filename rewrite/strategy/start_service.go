package strategy

import (
	"fmt"
	"path"
	"slices"
	"strings"
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
