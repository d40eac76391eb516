package strategy

import (
	"fmt"
	"slices"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
)

// uvImage is DHI's uv of a version, for a stage on an image of the catalog;
// "" when it is not offered or cannot run there: it is linked against Debian's C
// and C++ libraries. dir is where the programs stand in it.
func (in *Input) uvImage(def *catalog.Definition, version string) (reference, dir string) {
	if def.Distro != catalog.Debian || !def.HasPackage("libstdc++6") && !def.HasPackage("libgcc-s1") {
		return "", ""
	}
	ch, err := in.Catalog.ChooseImage("uv", version, "", catalog.Want{Need: catalog.NeedRuntime, Distro: catalog.Debian, Release: def.DistroVersion})
	if err != nil || ch.Runtime == nil || ch.Runtime.Def.DistroVersion != def.DistroVersion || ch.Bumped {
		return "", ""
	}
	return in.Naming.Repository("uv") + ":" + ch.Runtime.Tag, "/usr/local/bin"
}

// bringUV copies uv into a build stage whose old image had it beside Python:
// out of DHI's image where that can be, else out of the old image itself, which
// has it for sure: it is made with the programs, which need no library, in
// /usr/local/bin (.github/workflows/build-docker.yml of astral-sh/uv).
func (d *decider) bringUV(root *Stage) {
	if root.Origin == nil || !slices.Contains(root.Origin.Split, "uv") || !d.callsUV(root.Stage) {
		return
	}
	ref, dir := d.uvImage(root.Pick.Def, root.Origin.WithVersion)
	if ref == "" {
		ref, dir = root.Origin.Reference, "/usr/local/bin"
	}
	d.Inserts = append(d.Inserts, Insert{Stage: root.Stage, Line: Line{Rule: "base-image",
		Text: fmt.Sprintf("COPY --from=%s %s/uv %s/uvx /usr/local/bin/", ref, dir, dir),
		Why:  fmt.Sprintf("%s is Python with uv in it; in DHI these are two images", root.Origin.Reference)}})
}

// callsUV tells whether something in a tree of stages runs uv.
func (d *decider) callsUV(s *assess.Stage) bool {
	for _, t := range d.Stages.Tree(s) {
		for _, st := range t.Steps {
			if st.Run != nil && (st.Run.Script == nil || st.Run.Script.Uses("uv") || st.Run.Script.Uses("uvx")) {
				return true
			}
		}
		for _, c := range []assess.Command{t.End.Entrypoint, t.End.Cmd} {
			for _, w := range c.Argv {
				if w == "uv" || w == "uvx" || c.Shell || shellDashC(c.Argv) {
					return true
				}
			}
		}
	}
	return false
}

// Taken is a COPY that takes uv out of the image of its makers, and what its
// words become.
type Taken struct {
	Step      *assess.Step
	Reference string // the new value of --from
	Words     map[int]string
	Why       string
}

// takeUV lets the COPYs of a build stage take uv out of DHI's image, where that
// has the version and the stage can run it.
func (d *decider) takeUV(s *Stage, def *catalog.Definition) {
	for _, st := range s.Steps {
		if st.Copy == nil || st.Copy.From == "" || st.Copy.FromStage != nil || d.Goes(st) || strings.Contains(st.Copy.From, "$") {
			continue
		}
		o := d.Catalog.Origin(st.Copy.From, d.Images)
		if o.Image != "uv" || o.Hardened || o.Flavor != "" || o.Digest != "" || len(st.Words) != len(st.Copy.Sources)+1 {
			continue
		}
		ref, dir := d.uvImage(def, o.Version)
		if dir == "" {
			continue
		}
		t := Taken{Step: st, Reference: ref, Words: map[int]string{},
			Why: fmt.Sprintf("dhi uv has the same programs, in %s; it is linked against the libraries of Debian %s, which this stage has", dir, def.DistroVersion)}
		for i, src := range st.Copy.Sources {
			switch src {
			case "/uv", "/uvx":
				t.Words[i] = dir + src
			default:
				t.Words = nil
			}
			if t.Words == nil {
				break
			}
		}
		if t.Words != nil {
			d.Taken = append(d.Taken, t)
		}
	}
}
