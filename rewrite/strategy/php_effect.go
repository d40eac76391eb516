package strategy

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
)

// phpEffect corrects what a RUN leaves behind for DHI's PHP: extensions and
// settings stand at other places, and what is built in needs nothing.
func (in *Input) phpEffect(f *assess.Stage, e *effect, def *catalog.Definition) {
	places, ok := placesOfPHP(def)
	if !ok {
		return
	}
	calls, why := phpStep(e.step)
	if why != "" {
		return
	}
	var out []string
	for _, p := range e.paths {
		switch {
		case p == "/usr/local/lib/php", p == phpIni, p == phpIni+"/php.ini" && slices.ContainsFunc(calls, func(c phpCall) bool { return c.kind == phpProduction }):
		case (path.Base(p) == "composer" || path.Base(p) == "composer.phar") && !slices.ContainsFunc(startWords(f), func(w string) bool { return path.Base(w) == path.Base(p) }):
			// An installer of packages, which nothing starts.
		case under(p, phpIni):
			out = append(out, places.ini+strings.TrimPrefix(p, phpIni))
		default:
			out = append(out, p)
		}
	}
	for _, c := range calls {
		if !c.builds() && c.kind != phpEnable {
			continue
		}
		for _, n := range c.names {
			if extension(peclName(n)).Needs(def.Distro) != catalog.PHPBuiltIn {
				out = append(out, places.extensions, places.scan)
			}
		}
	}
	slices.Sort(out)
	e.paths = slices.Compact(out)
	e.removes = slices.DeleteFunc(e.removes, func(p string) bool { return p == phpIni+"/php.ini-production" || p == phpIni+"/php.ini-development" })
}

// ofPHP tells whether a path belongs to PHP and not to the program.
func ofPHP(def *catalog.Definition, p string) bool {
	places, ok := placesOfPHP(def)
	return ok && (p == places.extensions || p == places.scan || under(p, places.ini) || p == places.ini)
}

// phpLinks are extensions that load libraries of the system, which a runtime
// image does not have.
func (in *Input) phpLinks(f *assess.Stage, def *catalog.Definition) []Block {
	var out []Block
	seen := map[*assess.Stage]bool{}
	var visit func(s *assess.Stage)
	visit = func(s *assess.Stage) {
		for _, st := range s.ChainSteps() {
			if c := st.Copy; c != nil && c.FromStage != nil && !seen[c.FromStage] && slices.ContainsFunc(c.Sources, func(src string) bool { return strings.HasPrefix(path.Clean(src), "/usr/local/lib/php") }) {
				seen[c.FromStage] = true
				visit(c.FromStage)
			}
			calls, _ := phpStep(st)
			var linked []string
			for _, c := range calls {
				for _, n := range c.names {
					name := peclName(n)
					needs, libraries := extension(name).Needs(def.Distro), catalog.PHPExtensionNamed(name).Libraries
					switch {
					case c.kind == phpConfigure || needs != catalog.PHPLibraries && needs != "":
					case libraries != "":
						linked = append(linked, fmt.Sprintf("%s (%s)", name, libraries))
					case needs == "":
						linked = append(linked, name+" (what it loads is not known)")
					default:
						linked = append(linked, name)
					}
				}
			}
			slices.Sort(linked)
			if linked = slices.Compact(linked); len(linked) > 0 {
				out = append(out, Block{Rule: "package-management", Code: "runtime-libraries", Line: st.Lines[0],
					Text: "it builds PHP extensions that load system libraries which a runtime image does not have: " + strings.Join(linked, ", ")})
			}
		}
	}
	visit(f)
	return out
}

// phpHeaders tells whether a package only brings headers. What an extension
// loads that is compiled with them is weighed by phpLinks.
func phpHeaders(name string) bool {
	return strings.HasSuffix(name, "-dev") || name == "re2c" || name == "dpkg"
}

// phpEdits collects the pieces of all stages that go to DHI's PHP.
func (d *decider) phpEdits() {
	for _, s := range d.All {
		root := d.root(s.Stage)
		if root.Pick == nil || root.Pick.Def.Image != "php" || root.Left != nil {
			continue
		}
		for _, st := range s.Steps {
			if d.Goes(st) {
				continue
			}
			pieces, _ := d.phpPieces(st, root.Pick.Def, minorOf(root.Pick.Def))
			if idle(st, pieces) {
				d.Drops = append(d.Drops, Drop{Step: st, Rule: "package-management", Why: pieces[0].Why})
				continue
			}
			d.Pieces = append(d.Pieces, pieces...)
		}
	}
}

// idle tells whether nothing is left of a RUN.
func idle(st *assess.Step, pieces []Piece) bool {
	if st.Run == nil || st.Run.Script == nil || len(pieces) == 0 {
		return false
	}
	for _, p := range pieces {
		if p.New != "true" && p.New != "" {
			return false
		}
	}
	return len(st.Run.Script.Commands) == len(pieces)
}

// minorOf is the version of an image to the minor, "8.4".
func minorOf(def *catalog.Definition) string {
	version := def.Version()
	if major, rest, ok := strings.Cut(version, "."); ok {
		minor, _, _ := strings.Cut(rest, ".")
		return version[:len(major)+1+len(minor)]
	}
	return version
}
