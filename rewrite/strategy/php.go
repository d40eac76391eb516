package strategy

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
	"dhibot/rewrite/dockerfile"
	"dhibot/rewrite/shell"
)

// Piece is a part of an instruction that gets another text.
type Piece struct {
	Step *assess.Step
	Span dockerfile.Span
	New  string
	Rule string
	Why  string
}

// phpPieces are the parts of an instruction that have to read otherwise on
// DHI's PHP: the helpers of the official images, their account www-data, and
// places that DHI keeps elsewhere. A block says why that cannot be done.
func (in *Input) phpPieces(st *assess.Step, def *catalog.Definition, version string) ([]Piece, *Block) {
	places, ok := placesOfPHP(def)
	if !ok || st.Run == nil && st.Copy == nil {
		return nil, nil
	}
	var out []Piece
	text := in.File.Text(st.Span)
	add := func(start, end int, to, rule, why string) {
		for _, p := range out {
			if st.Span.Start+start >= p.Span.Start && st.Span.Start+end <= p.Span.End {
				return // it goes with that
			}
		}
		out = append(out, Piece{Step: st, Span: dockerfile.Span{Start: st.Span.Start + start, End: st.Span.Start + end}, New: to, Rule: rule, Why: why})
	}
	if st.Copy != nil {
		in.phpMovedPaths(st, places, text, add)
		slices.SortStableFunc(out, func(a, b Piece) int { return a.Span.Start - b.Span.Start })
		return out, nil
	}
	calls, why := phpStep(st)
	if why != "" {
		return nil, phpBlock(st, why)
	}
	if loopVariable.MatchString(text) {
		return nil, phpBlock(st, "it has a variable ext of its own")
	}
	find := &finder{text: text, at: len(st.Keyword)}
	for _, c := range calls {
		if c.kind == phpPeclBuild || c.kind == phpProduction && places.linked {
			continue // works in the dev image as it stands
		}
		start, end, ok := find.find(c.cmd)
		if !ok || strings.HasPrefix(strings.TrimLeft(text[end:], " \t"), "|") {
			return nil, phpBlock(st, fmt.Sprintf("how it calls %s is not understood", c.cmd.Name))
		}
		to, why, b := in.phpText(st, &c, def, places, version)
		if b != nil {
			return nil, b
		}
		add(start, end, to, "base-image", why)
	}
	if strings.Contains(text, "docker-php-ext-") && !slices.ContainsFunc(calls, func(c phpCall) bool { return c.kind != phpPeclBuild && c.kind != phpProduction }) {
		return nil, phpBlock(st, "how it uses docker-php-ext-install is not understood")
	}
	closeGaps(out, text, st.Span.Start)
	in.phpOwners(st, text, add)
	if !places.linked {
		in.phpMovedPaths(st, places, text, add)
	}
	for _, m := range phpizeDeps.FindAllStringIndex(text, -1) {
		add(m[0], m[1], "autoconf", "base-image", "only the official images set PHPIZE_DEPS; dhi php's dev variant has what phpize needs")
	}
	slices.SortStableFunc(out, func(a, b Piece) int { return a.Span.Start - b.Span.Start })
	for i := 1; i < len(out); i++ {
		if out[i].Span.Start < out[i-1].Span.End {
			return nil, phpBlock(st, "how its commands are nested is not understood")
		}
	}
	return out, nil
}

// closeGaps takes a command that has nothing to do any more out of the chain
// that it stands in, with the && before or behind it.
func closeGaps(pieces []Piece, text string, base int) {
	const blank = " \t\r\n\\"
	for i, p := range pieces {
		if p.New != "true" {
			continue
		}
		start, end := p.Span.Start-base, p.Span.End-base
		rest := strings.TrimLeft(text[end:], blank)
		before := strings.TrimRight(text[:start], blank)
		switch {
		case strings.HasPrefix(rest, "||"):
		case strings.HasSuffix(before, "&&") && (i == 0 || pieces[i-1].Span.End <= base+len(before)-2):
			start = len(strings.TrimRight(before[:len(before)-2], blank))
			if i > 0 {
				start = max(start, pieces[i-1].Span.End-base)
			}
			pieces[i].Span.Start, pieces[i].New = base+start, ""
		case strings.HasPrefix(rest, "&&"):
			end = len(text) - len(strings.TrimLeft(rest[2:], blank))
			pieces[i].Span.End, pieces[i].New = base+end, ""
		}
	}
}

func phpBlock(st *assess.Step, text string) *Block {
	return &Block{Rule: "base-image", Code: "image-programs", Line: st.Lines[0], Text: text + "; the helpers are in the official images only"}
}

// phpText is what takes the place of a call of a helper.
func (in *Input) phpText(st *assess.Step, c *phpCall, def *catalog.Definition, places phpPlaces, version string) (text, why string, b *Block) {
	conf := `"$PHP_INI_DIR/conf.d/docker-php-ext-$ext.ini"`
	if !places.linked {
		conf = `"` + places.scan + `/docker-php-ext-$ext.ini"`
	}
	const noHelper = "dhi php has no docker-php-ext-install; its dev variant has PHP's sources and phpize, which the helper used"
	switch c.kind {
	case phpSource, phpProduction:
		if c.kind == phpSource {
			return "true", "dhi php's dev variant has the sources unpacked in $PHP_SRC_DIR", nil
		}
		return "true", "dhi php reads php.ini-production as its php.ini already", nil
	case phpConfigure:
		name := c.names[0]
		if extension(name).Needs(def.Distro) == catalog.PHPBuiltIn {
			return "true", name + " is part of dhi php", nil
		}
		if !catalog.PHPExtensionNamed(name).InSource(version) {
			return "", "", phpBlock(st, fmt.Sprintf("it configures %s, which is not in the sources of PHP %s", name, version))
		}
		return fmt.Sprintf(`(cd "$PHP_SRC_DIR/ext/%s" && phpize && ./configure %s)`, name, c.flags), noHelper, nil
	case phpEnable:
		var names []string
		for _, n := range c.names {
			if extension(n).Needs(def.Distro) != catalog.PHPBuiltIn && !in.installedBefore(st, c, n) {
				names = append(names, n)
			}
		}
		if len(names) == 0 {
			return "true", strings.Join(c.names, ", ") + ": loaded already", nil
		}
		var parts []string
		for _, n := range names {
			parts = append(parts, fmt.Sprintf("echo %q > %s", directive(n), strings.ReplaceAll(conf, "$ext", n)))
		}
		return strings.Join(parts, " && "), "dhi php has no docker-php-ext-enable; it writes these files", nil
	}
	var build, pecl, builtIn []string
	for _, n := range c.names {
		switch {
		case extension(n).Needs(def.Distro) == catalog.PHPBuiltIn:
			builtIn = append(builtIn, n)
		case catalog.PHPExtensionNamed(n).InSource(version):
			build = append(build, n)
		case c.kind == phpInstaller && extension(peclName(n)).Needs(def.Distro) == catalog.PHPPecl:
			pecl = append(pecl, n)
		default:
			return "", "", phpBlock(st, fmt.Sprintf("it installs %s, and how that is built on PHP %s is not known", n, version))
		}
	}
	if c.kind == phpInstaller && slices.ContainsFunc(build, func(n string) bool { return extension(n).Needs(def.Distro) == catalog.PHPLibraries }) {
		return "", "", phpBlock(st, fmt.Sprintf("it has install-php-extensions install %s with the libraries that it needs", strings.Join(build, ", ")))
	}
	var parts []string
	if len(build) > 0 {
		parts = append(parts, compileLoop(build, conf, c.jobs, in.configured(st.Stage)))
	}
	for _, n := range pecl {
		parts = append(parts, fmt.Sprintf("pecl install %s && echo %q > %s", n, directive(peclName(n)), strings.ReplaceAll(conf, "$ext", peclName(n))))
	}
	why = noHelper
	if len(builtIn) > 0 {
		is := " is"
		if len(builtIn) > 1 {
			is = " are"
		}
		why += "; " + strings.Join(builtIn, ", ") + is + " part of it"
	}
	if len(parts) == 0 {
		return "true", strings.Join(builtIn, ", ") + ": part of dhi php", nil
	}
	return strings.Join(parts, " && \\\n    "), why, nil
}

// compileLoop compiles extensions out of PHP's own sources as the guide of DHI's
// PHP says, and as docker-php-ext-install does.
func compileLoop(names []string, conf string, jobs, configured bool) string {
	configure, run := "phpize && ./configure", "make && make install"
	if configured {
		configure = "{ [ -e Makefile ] || { phpize && ./configure; }; }"
	}
	if jobs {
		run = `make -j"$(nproc)" && make install`
	}
	return fmt.Sprintf("for ext in %s; do \\\n      (cd \"$PHP_SRC_DIR/ext/$ext\" && %s && %s && \\\n       echo \"extension=$ext\" > %s) || exit 1; \\\n    done",
		strings.Join(names, " "), configure, run, conf)
}

// directive loads an extension.
func directive(name string) string {
	if name == "xdebug" || name == "opcache" {
		return "zend_extension=" + name
	}
	return "extension=" + name
}

// configured tells whether a stage configures an extension before it is built.
func (in *Input) configured(s *assess.Stage) bool {
	for _, st := range s.ChainSteps() {
		calls, _ := phpStep(st)
		if slices.ContainsFunc(calls, func(c phpCall) bool { return c.kind == phpConfigure }) {
			return true
		}
	}
	return false
}

// installedBefore tells whether docker-php-ext-install built an extension
// earlier: it loads it as well.
func (in *Input) installedBefore(at *assess.Step, c *phpCall, name string) bool {
	for _, st := range at.Stage.ChainSteps() {
		calls, _ := phpStep(st)
		for _, o := range calls {
			if o.cmd == c.cmd {
				return false
			}
			if (o.kind == phpInstall || o.kind == phpInstaller) && slices.Contains(o.names, name) {
				return true
			}
		}
	}
	return false
}

// phpOwners writes the number of DHI's account where a RUN gives files to
// www-data, the account of the official images.
func (in *Input) phpOwners(st *assess.Step, text string, add func(int, int, string, string, string)) {
	find := &finder{text: text, at: len(st.Keyword)}
	for _, op := range st.Run.Script.FileOps() {
		if !strings.Contains(op.Owner, "www-data") || op.Cmd == nil {
			continue
		}
		start, end, ok := find.find(op.Cmd)
		if !ok {
			continue // fitsAccounts refuses it
		}
		for _, m := range wwwData.FindAllStringIndex(text[start:end], -1) {
			add(start+m[0], start+m[1], "65532", "nonroot-user", "dhi php has no account www-data; its unprivileged user, who runs the program, has this number")
		}
	}
}

// loopVariable finds the name that compileLoop uses.
var loopVariable = regexp.MustCompile(`\$\{?ext\b`)

var phpizeDeps = regexp.MustCompile(`\$\{PHPIZE_DEPS\}|\$PHPIZE_DEPS\b`)

var wwwData = regexp.MustCompile(`\bwww-data\b`)

// phpOwner tells whether phpOwners takes care of an operation.
func (in *Input) phpOwner(st *assess.Step, op shell.FileOp) bool {
	for _, part := range strings.Split(op.Owner, ":") {
		if part != "" && part != "www-data" && part != "root" && !numeric(part) {
			return false
		}
	}
	find := &finder{text: in.File.Text(st.Span), at: len(st.Keyword)}
	for _, o := range st.Run.Script.FileOps() {
		if !strings.Contains(o.Owner, "www-data") || o.Cmd == nil {
			continue
		}
		if _, _, ok := find.find(o.Cmd); !ok {
			return false
		}
	}
	return true
}

// phpMovedPaths writes DHI's places where an instruction names the official
// images'.
func (in *Input) phpMovedPaths(st *assess.Step, places phpPlaces, text string, add func(int, int, string, string, string)) {
	moves := [][2]string{{"/usr/local/etc/php-fpm.d", places.fpm}}
	if st.Copy != nil && movedPHP(st, phpExtensions) {
		moves = append(moves, [2]string{phpExtensions, places.extensions})
	}
	if places.linked && st.Copy != nil && st.Copy.FromStage != nil {
		moves = append(moves, [2]string{phpIni, places.ini})
	}
	if !places.linked {
		moves = append(moves, [2]string{"${PHP_INI_DIR}", places.ini}, [2]string{"$PHP_INI_DIR", places.ini}, [2]string{phpIni, places.ini})
	}
	for _, m := range moves {
		for at := 0; ; {
			i := strings.Index(text[at:], m[0])
			if i < 0 {
				break
			}
			start, end := at+i, at+i+len(m[0])
			at = end
			if start > 0 && isPathByte(text[start-1]) || end < len(text) && text[end] != '/' && isPathByte(text[end]) {
				continue
			}
			why := fmt.Sprintf("dhi php keeps this in %s", m[1])
			if !places.linked && m[1] == places.ini {
				why = fmt.Sprintf("dhi php on Alpine reads its settings in %s; the directory that $PHP_INI_DIR leads to is not read", m[1])
			}
			add(start, end, m[1], "base-image", why)
		}
	}
}

// movedPHP tells whether phpMovedPaths takes care of a path of the old image.
func movedPHP(st *assess.Step, p string) bool {
	c := st.Copy
	switch {
	case c == nil:
		return false
	case p == "/usr/local/etc/php-fpm":
		return !strings.Contains(st.Text, "/usr/local/etc/php-fpm.conf")
	case strings.HasPrefix(p, "/usr/local/lib/php"):
		// From a stage that goes to the same version of DHI's PHP; the name of a
		// directory below it says which version that is.
		root := c.FromStage
		if root == nil || root.Root().Origin == nil || root.Root().Origin.Image != "php" {
			return false
		}
		for _, p := range append(slices.Clone(c.Sources), c.Dest) {
			if q := path.Clean(p); strings.HasPrefix(q, "/usr/local/lib/php") && q != phpExtensions {
				return false
			}
		}
		return true
	}
	return false
}
