package strategy

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
)

// withoutCompiler tells whether Go worked without cgo in a stage because its
// image has no C compiler: the official image on Alpine brings none, and the
// file installs none. Go falls back to its own libraries then.
func (in *Input) withoutCompiler(s *assess.Stage) bool {
	root := s.Root()
	o := root.Origin
	if o == nil || o.Image != "golang" || o.Distro != catalog.Alpine || o.Hardened || !o.Config.Known || slices.Contains(o.Config.Programs, "gcc") {
		return false
	}
	for _, st := range s.ChainSteps() {
		if st.Run == nil {
			continue
		}
		if st.Run.Script == nil || st.Run.Script.Truncated {
			return false
		}
		for _, p := range st.Run.Script.Packages() {
			if p.System && (p.Unknown || slices.ContainsFunc(p.Packages, compiler)) {
				return false
			}
		}
	}
	return true
}

// compiler tells whether a package of Alpine brings a C compiler.
func compiler(name string) bool {
	switch name {
	case "gcc", "g++", "build-base", "alpine-sdk", "clang", "zig", "tcc":
		return true
	}
	return strings.HasPrefix(name, "clang") || strings.HasPrefix(name, "gcc")
}

// setsCgo tells whether a chain says anything about CGO_ENABLED itself.
func setsCgo(s *assess.Stage) bool {
	for _, st := range s.ChainSteps() {
		if strings.Contains(st.Text, "CGO_ENABLED") {
			return true
		}
	}
	return false
}

// keepCgoOff writes CGO_ENABLED=0 into a build stage whose old image had no C
// compiler: the DHI image has one, and Go would begin to link with musl.
func (d *decider) keepCgoOff(root *Stage) {
	if root.Choice == nil || root.Choice.Image != "golang" || !root.Pick.Def.HasPackage("gcc") {
		return
	}
	builds := false
	for _, s := range d.Stages.Tree(root.Stage) {
		if setsCgo(s) || !d.withoutCompiler(s) {
			return
		}
		for _, st := range s.Steps {
			builds = builds || st.Run != nil && (st.Run.Script == nil || slices.ContainsFunc(st.Run.Script.Programs(), compilesGo))
		}
	}
	if !builds {
		return
	}
	d.Inserts = append(d.Inserts, Insert{Stage: root.Stage, Line: Line{Rule: "base-image", Text: "ENV CGO_ENABLED=0",
		Why: fmt.Sprintf("%s has no C compiler, so Go built programs that need no C library; the DHI image has one, and this keeps them so", root.Origin.Reference)}})
}

func compilesGo(name string) bool {
	switch name {
	case "go", "make", "mage", "task", "just", "sh", "bash", "goreleaser":
		return true
	}
	return false
}

// fitsTarget refuses a Rust stage that compiles for another target than the
// image's own: the DHI image has no rustup and one standard library.
func (in *Input) fitsTarget(s *assess.Stage, ch *catalog.Choice, def *catalog.Definition) *Block {
	if ch.Image != "rust" {
		return nil
	}
	for _, st := range s.Steps {
		for name, v := range st.Before.Env {
			if name == "CARGO_BUILD_TARGET" && foreignTarget(v, def) {
				return in.targetBlock(st, v)
			}
		}
		if st.Run == nil || st.Run.Script == nil {
			continue
		}
		for _, c := range st.Run.Script.Commands {
			if c.Name != "cargo" && c.Name != "rustc" && c.Name != "cross" {
				continue
			}
			if len(c.Args) > 0 && strings.HasPrefix(c.Args[0].Text, "+") {
				return &Block{Rule: "base-image", Code: "image-programs", Line: st.Lines[0],
					Text: fmt.Sprintf("it calls %s %s, which needs rustup; dhi rust has one toolchain", c.Name, c.Args[0].Text)}
			}
			if b := in.toolchainFile(s, st); b != nil {
				return b
			}
			for i, a := range c.Args {
				t, ok := strings.CutPrefix(a.Text, "--target=")
				if !ok && a.Text == "--target" && i+1 < len(c.Args) {
					t, ok = c.Args[i+1].Text, true
				}
				if ok && foreignTarget(t, def) {
					return in.targetBlock(st, t)
				}
			}
		}
	}
	return nil
}

// toolchainFile refuses a stage whose sources ask for an unstable toolchain:
// rustup of the official image fetches it, the DHI image has neither rustup nor
// that.
func (in *Input) toolchainFile(s *assess.Stage, st *assess.Step) *Block {
	for _, name := range []string{"rust-toolchain.toml", "rust-toolchain"} {
		p, ok := in.contextPath(s, path.Join(st.Before.WorkDir, name))
		if !ok {
			continue
		}
		b, ok := in.Project.Read(p)
		if !ok {
			continue
		}
		r := in.Project.Rust(path.Dir(p))
		channel := strings.TrimSpace(string(b))
		if r != nil && r.Toolchain != "" {
			channel = r.Toolchain
		}
		if strings.HasPrefix(channel, "nightly") || strings.HasPrefix(channel, "beta") {
			return &Block{Rule: "base-image", Code: "image-programs", Path: in.Project.Path(p), Line: 1,
				Text: fmt.Sprintf("it asks for the toolchain %s, which rustup fetches; dhi rust has no rustup and a stable one", channel)}
		}
	}
	return nil
}

func (in *Input) targetBlock(st *assess.Step, target string) *Block {
	return &Block{Rule: "base-image", Code: "image-programs", Line: st.Lines[0],
		Text: fmt.Sprintf("it compiles for %s, and dhi rust has no standard library but that of its own system", target)}
}

// foreignTarget tells whether a target may not be the one of the image: Debian's
// is *-unknown-linux-gnu, Alpine's own Rust has a name of its own.
func foreignTarget(t string, def *catalog.Definition) bool {
	return def.Distro != catalog.Debian || !strings.HasSuffix(t, "-unknown-linux-gnu")
}

// rustOnAlpine refuses to move a Rust build stage on Alpine whose programs go
// to an image without what they need then: the official image links them
// statically, Alpine's own Rust in the DHI image with musl and libgcc.
func (d *decider) rustOnAlpine(s *assess.Stage, ch *catalog.Choice) *Block {
	if ch.Image != "rust" || ch.Dev == nil || ch.Dev.Def.Distro != catalog.Alpine || !d.feedsOthers(s) {
		return nil
	}
	if b := d.rustLinks(s); b != nil {
		b.Rule, b.Text = "base-image", "its programs are static and run on any image; Alpine's own Rust in the DHI image links libraries of the system: "+b.Text
		return b
	}
	for _, t := range d.All {
		fed := false
		for _, st := range t.Steps {
			fed = fed || st.Copy != nil && st.Copy.FromStage != nil && st.Copy.FromStage.Root() == s
		}
		root := d.root(t.Stage)
		if !fed || root.Stage == s {
			continue
		}
		pick := root.Pick
		if t == d.Final && d.New != nil {
			pick = d.New.Pick
		}
		if pick == nil || !pick.Def.HasPackage("libgcc") || !pick.Def.HasPackage("musl") {
			return &Block{Rule: "base-image", Code: "runtime-libraries", Line: s.From.Lines[0],
				Text: fmt.Sprintf("its programs are static and run on any image; Alpine's own Rust in the DHI image links them with musl and libgcc, which the image of line %d does not have", t.From.Lines[0])}
		}
	}
	return nil
}

// feedsOthers tells whether another stage copies from a tree of stages.
func (d *decider) feedsOthers(s *assess.Stage) bool {
	for _, t := range d.All {
		for _, st := range t.Steps {
			if st.Copy != nil && st.Copy.FromStage != nil && st.Copy.FromStage.Root() == s && t.Root() != s {
				return true
			}
		}
	}
	return false
}

// fitsPasswd refuses a stage whose list of accounts is copied into another
// image that runs as an account which the DHI image does not have.
func (in *Input) fitsPasswd(s *assess.Stage, ch *catalog.Choice, def *catalog.Definition) *Block {
	for _, t := range in.Stages.All {
		from := (*assess.Step)(nil)
		for _, st := range t.ChainSteps() {
			if st.Copy != nil && st.Copy.FromStage == s && slices.Contains(st.Copy.Sources, "/etc/passwd") {
				from = st
			}
		}
		if from == nil {
			continue
		}
		known := in.accountsOf(s, def)
		for _, st := range t.ChainSteps() {
			owner := ""
			if st.Keyword == "USER" {
				owner = userOf(st)
			} else if st.Copy != nil {
				owner = st.Copy.Chown
			}
			name, _, _ := strings.Cut(owner, ":")
			if name == "" || numeric(name) || strings.Contains(name, "$") || known[name] {
				continue
			}
			return &Block{Rule: "nonroot-user", Code: "account-missing", Line: from.Lines[0],
				Text: fmt.Sprintf("line %d copies its accounts and line %d uses %s, an account that dhi %s does not have", from.Lines[0], st.Lines[0], name, ch.Image)}
		}
	}
	return nil
}
