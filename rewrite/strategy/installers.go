package strategy

import (
	"fmt"
	"slices"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
	"dhibot/rewrite/shell"
)

// fitsInstallers refuses a stage whose RUN adds to a product with a program of
// the old image that the DHI image is not known to have: the package manager of
// a language, or what installs plugins. Images of a language are known well
// enough; it is the images of products whose contents nobody lists.
func (in *Input) fitsInstallers(s *assess.Stage, ch *catalog.Choice, def *catalog.Definition) *Block {
	if s.Origin.Config.Known || osImage(ch.Image) {
		return nil
	}
	var before []*assess.Step
	for _, st := range s.ChainSteps() {
		before = append(before, st)
		if st.Stage != s || st.Run == nil || st.Run.Script == nil {
			continue
		}
		for _, c := range st.Run.Script.Commands {
			if reason, lacks := leftOut(ch.Image, c.Name); lacks {
				return &Block{Rule: "base-image", Code: "image-programs", Line: st.Lines[0],
					Text: fmt.Sprintf("it calls %s, which dhi %s does not have: %s", c.Name, ch.Image, reason)}
			}
			stem := installer(c.Name)
			if stem == "" || c.Path != c.Name || def.HasProgram(c.Name) || in.brought(before, c.Name, stem) {
				continue
			}
			return &Block{Rule: "base-image", Code: "image-programs", Line: st.Lines[0],
				Text: fmt.Sprintf("it calls %s, which dhi %s does not surely have", c.Name, ch.Image)}
		}
	}
	return nil
}

// leftOut tells why an image lacks a program that the upstream image ships.
func leftOut(image, program string) (reason string, lacks bool) {
	if image == "jenkins" && (program == "jenkins-plugin-cli" || program == "install-plugins.sh") {
		// Source: docker-hardened-images/catalog, image/jenkins/guides.md.
		return "its guide asks for another way to install plugins", true
	}
	return "", false
}

// installer is the word that names of packages and downloads have in common
// which bring the package manager of a language; "" for other programs.
func installer(program string) string {
	switch program {
	case "pip", "pip3":
		return "pip"
	case "npm", "npx", "yarn", "pnpm":
		return "node"
	case "gem", "bundle", "bundler":
		return "ruby"
	case "composer":
		return "composer"
	case "conda", "mamba":
		return "conda"
	}
	return ""
}

// brought tells whether the file itself may bring a program: a package of the
// system, a download or a copied file that is named after it.
func (in *Input) brought(steps []*assess.Step, program, stem string) bool {
	named := func(text string) bool {
		text = strings.ToLower(text)
		return strings.Contains(text, stem) || strings.Contains(text, program)
	}
	for _, st := range steps {
		if st.Copy != nil && (slices.ContainsFunc(st.Copy.Sources, named) || named(st.Copy.Dest)) {
			return true
		}
		if st.Run == nil {
			continue
		}
		if st.Run.Script == nil {
			return true
		}
		for _, p := range st.Run.Script.Packages() {
			// pip of the system installs for the Python of the system, which is
			// not the one that the product runs on.
			if p.Verb == shell.Install && (p.System && stem != "pip" || p.Manager == "npm") && slices.ContainsFunc(p.Packages, named) {
				return true
			}
		}
		for _, c := range st.Run.Script.Commands {
			switch c.Name {
			case "curl", "wget", "python", "python3", "corepack":
				if slices.ContainsFunc(c.Args, func(a shell.Arg) bool { return named(a.Text) }) {
					return true
				}
			}
		}
	}
	return false
}
