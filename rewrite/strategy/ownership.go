package strategy

import (
	"fmt"
	"path"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
)

// owns tells whether every RUN that is not trivial only gives files to the
// user, and COPY can do that instead: the files come by COPY, the directories
// by WORKDIR, and the user is the image's own, who owns those.
func (d *decider) owns(f *assess.Stage, list []effect, def *catalog.Definition) bool {
	own := programUser(def)
	if d.RunUser.Root || d.RunUser.Spec != fmt.Sprintf("%d:%d", own.UID, own.GID) || def.RunUser().UID == 0 {
		return false
	}
	owned := map[*assess.Step]string{}
	for _, e := range list {
		if e.trivial {
			continue
		}
		if e.owned == nil || e.unknown != "" {
			return false
		}
		for _, p := range e.owned {
			if !d.ownable(f, e.step, p, owned) {
				return false
			}
		}
	}
	d.RunUser.Owned = owned
	return true
}

// ownable notes the COPYs that bring what is at or below p before a step; false
// when something else may have made it.
func (d *decider) ownable(f *assess.Stage, at *assess.Step, p string, owned map[*assess.Step]string) bool {
	found := false
	for _, st := range f.ChainSteps() {
		if st == at {
			break
		}
		if st.Keyword == "WORKDIR" {
			continue
		}
		if st.Copy == nil {
			continue
		}
		dest := path.Clean(st.Copy.Dest)
		switch {
		case dest == p || under(dest, p):
			if st.Copy.Chown == "" {
				owned[st] = p
			}
			found = true
		case under(p, dest):
			return false // only a part of what was copied changes hands
		}
	}
	if systemDir(p) {
		return false
	}
	return found || at.Before.WorkDir == p
}

// dropOwners removes commands of the build stage that only made accounts for
// the image that ships: its files get their owner when they are copied.
func (d *decider) dropOwners(f *assess.Stage, at int, effects map[*assess.Step]effect) {
	for i, st := range f.Steps[:at] {
		e, ok := effects[st]
		if !ok || e.owned == nil || e.unknown != "" || len(st.Run.Script.Accounts()) == 0 {
			continue
		}
		needed := false
		for _, later := range f.Steps[i+1 : at] {
			if later.Run != nil && !later.Before.Root() || later.Copy != nil && later.Copy.Chown != "" && !numeric(strings.Split(later.Copy.Chown, ":")[0]) || later.Keyword == "USER" {
				needed = true
			}
		}
		if !needed {
			d.Drops = append(d.Drops, Drop{Step: st, Rule: "nonroot-user", Why: "the image that ships brings its own unprivileged user, and its files get their owner when they are copied"})
		}
	}
}
