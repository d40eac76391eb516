package strategy

import (
	"fmt"
	"path"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
)

// runtimePick is the image that the final stage can run on.
func (d *decider) runtimePick(root *Stage, ch *catalog.Choice, rec *recipe) (*catalog.Pick, string, Block) {
	line := root.From.Lines[0]
	if rec != nil && rec.runtime != "" {
		if p := d.other(rec.runtime, rec.version, rec.flavor, ch); p != nil {
			return p, rec.runtime, Block{}
		}
	}
	if rec == nil {
		if p, image := d.smaller(root, ch); p != nil {
			return p, image, Block{}
		}
		if p := d.withWeb(root, ch); p != nil {
			return p, p.Def.Image, Block{}
		}
	}
	if p := d.phpPick(ch); p != nil {
		return p, ch.Image, Block{}
	}
	if ch.Runtime != nil {
		return ch.Runtime, ch.Image, Block{}
	}
	return nil, "", Block{Rule: "multi-stage", Code: "variant-not-offered", Line: line, Text: fmt.Sprintf("dhi %s has no runtime variant, and what the container runs is not understood well enough to choose another image", ch.Image)}
}

// withWeb is the image with ASP.NET Core for a stage on the SDK image, which has
// it: dhi dotnet starts console programs only.
func (d *decider) withWeb(root *Stage, ch *catalog.Choice) *catalog.Pick {
	if ch.Image != "dotnet" || !strings.HasSuffix(root.Origin.Repository, "sdk") {
		return nil
	}
	ref := ch.Dev
	if ref == nil {
		ref = ch.Runtime
	}
	if ref == nil {
		return nil
	}
	return d.other("aspnetcore", ref.Version, "", ch)
}

// other picks the runtime variant of another image in the distribution of the
// build stage. flavor "libc" asks for the variant with a C library.
func (d *decider) other(image, version, flavor string, ch *catalog.Choice) *catalog.Pick {
	w := catalog.Want{Need: catalog.NeedRuntime}
	ref := ch.Dev
	if ref == nil {
		ref = ch.Runtime
	}
	if ref != nil {
		w.Distro, w.Release = ref.Def.Distro, ref.Def.DistroVersion
	}
	if flavor == "libc" {
		flavor = "glibc"
		if w.Distro == catalog.Alpine {
			flavor = "musl"
		}
	}
	c, err := d.Catalog.ChooseImage(image, version, flavor, w)
	if err != nil || c.Runtime == nil {
		return nil
	}
	return c.Runtime
}

// smaller replaces an operating system image by static when the program that
// starts is a single Go binary from an earlier stage.
func (d *decider) smaller(root *Stage, ch *catalog.Choice) (*catalog.Pick, string) {
	switch ch.Image {
	case "alpine-base", "debian-base", "busybox", "static":
	default:
		return nil, ""
	}
	f := d.Final.Stage
	words := startWords(f)
	if len(words) == 0 {
		return nil, ""
	}
	from := copiedProgram(f, words[0])
	if from == nil || from.Root().Origin == nil {
		return nil, ""
	}
	switch o := from.Root().Origin; {
	case strings.HasSuffix(o.Repository, "golang"):
	case o.Image == "rust" && o.Distro == catalog.Alpine && ch.Image == "alpine-base" && !copiesScript(f):
		// A static program; built by Alpine's own Rust it needs libgcc, which
		// of Alpine's images static-musl has and the base image has not.
		b, _ := d.chooser.choose(from.Root(), catalog.NeedDev)
		if b == nil || b.Dev == nil {
			return nil, ""
		}
		if pick := d.other("static", "", "libc", b); pick != nil {
			return pick, "static"
		}
		return nil, ""
	default:
		return nil, ""
	}
	if ch.Image != "static" && (copiesScript(f) || d.startsOthers()) {
		return nil, "" // they may need the shell that the larger image has
	}
	flavor := "libc"
	like := *ch
	if like.Dev == nil {
		like.Dev = like.Runtime
	}
	if d.cgoOff(from) {
		flavor = ""
	} else {
		if ch.Image == "static" && strings.Contains(root.Origin.Repository, "/static") {
			return nil, ""
		}
		// What was linked in the build stage needs the C library of that stage.
		if b, _ := d.chooser.choose(from.Root(), catalog.NeedDev); b != nil && b.Dev != nil {
			like.Dev = b.Dev
		}
	}
	if pick := d.other("static", "", flavor, &like); pick != nil {
		return pick, "static"
	}
	return nil, ""
}

// copiedProgram is the stage that a COPY takes a program from, nil when none
// does.
func copiedProgram(f *assess.Stage, p string) (from *assess.Stage) {
	if !strings.Contains(p, "/") {
		p = "/usr/local/bin/" + p
	}
	if !path.IsAbs(p) {
		p = path.Join(f.End.WorkDir, p)
	}
	for _, st := range f.ChainSteps() {
		if st.Copy == nil || st.Copy.FromStage == nil {
			continue
		}
		dest := strings.TrimSuffix(st.Copy.Dest, "/")
		if dest == p || under(p, dest) || dest == "" {
			from = st.Copy.FromStage
		}
	}
	return from
}

// copiesScript tells whether a shell script is copied into the image by name.
func copiesScript(f *assess.Stage) bool {
	for _, st := range f.ChainSteps() {
		if st.Copy == nil {
			continue
		}
		for _, src := range st.Copy.Sources {
			if scriptName(src) {
				return true
			}
		}
	}
	return false
}

// startsOthers tells whether the Go sources start other programs.
func (in *Input) startsOthers() bool {
	g := in.goModule()
	if g == nil {
		return false
	}
	calls, _ := g.Execs()
	return len(calls) > 0
}

// overlays finds COPYs that lay another image over this one as a whole: a
// shell, a package manager and other accounts come along. What was put together
// on scratch may be meant for that.
func overlays(f *assess.Stage) []Block {
	var out []Block
	for _, st := range f.ChainSteps() {
		c := st.Copy
		if c == nil || c.From == "" || c.FromStage != nil && c.FromStage.Root().Scratch {
			continue
		}
		for _, src := range c.Sources {
			p := path.Clean("/" + src)
			if path.Clean(c.Dest) != p || p != "/" && p != "/usr" && p != "/etc" {
				continue
			}
			what := p + " of " + c.From
			if p == "/" {
				what = "the whole of " + c.From
			}
			out = append(out, Block{Rule: "multi-stage", Code: "writes-system", Line: st.Lines[0],
				Text: fmt.Sprintf("it copies %s over its own files", what)})
		}
	}
	return out
}
