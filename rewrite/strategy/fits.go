package strategy

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
)

// fits tells why a stage cannot be built on a dev image although one exists:
// what it does there relies on the old image. Nil when nothing speaks against.
func (in *Input) fits(s *assess.Stage, ch *catalog.Choice, def *catalog.Definition) *Block {
	for _, check := range []func(*Input, *assess.Stage, *catalog.Choice, *catalog.Definition) *Block{
		(*Input).fitsManager, (*Input).fitsPrograms, (*Input).fitsPins, (*Input).fitsPackages, (*Input).fitsGone, (*Input).fitsManagedPython, (*Input).fitsLayout, (*Input).fitsFiles, (*Input).fitsHelpers, (*Input).fitsInstallers, (*Input).fitsTarget, (*Input).fitsGoModules, (*Input).fitsAccounts, (*Input).fitsMade, (*Input).fitsPlaces, (*Input).fitsNames, (*Input).fitsPasswd, (*Input).fitsPlatform,
	} {
		if b := check(in, s, ch, def); b != nil {
			return b
		}
	}
	return nil
}

// fitsManager refuses a stage whose RUN uses a package manager that the new
// image does not have: yum on Debian, apt on the Gradle image.
func (in *Input) fitsManager(s *assess.Stage, _ *catalog.Choice, def *catalog.Definition) *Block {
	for _, st := range s.Steps {
		if st.Run == nil || st.Run.Script == nil {
			continue
		}
		for _, p := range st.Run.Script.Packages() {
			if p.System && p.Manager != def.PackageManager() && !(p.Manager == "dpkg" && def.PackageManager() == "apt") {
				return &Block{Rule: "package-management", Code: "package-manager-missing", Line: st.Lines[0],
					Text: fmt.Sprintf("it calls %s, which dhi %s does not have", p.Manager, def.Image)}
			}
		}
	}
	return nil
}

// fitsPins refuses pinned package versions when the release changes.
func (in *Input) fitsPins(s *assess.Stage, ch *catalog.Choice, def *catalog.Definition) *Block {
	if s.Origin.Explicit && !ch.ReleaseChanged && !ch.DistroChanged {
		return nil
	}
	for _, st := range s.Steps {
		if st.Run == nil || st.Run.Script == nil {
			continue
		}
		for _, p := range st.Run.Script.Packages() {
			if !p.System || p.Verb != "install" || p.Cmd == nil {
				continue
			}
			for _, a := range p.Cmd.Args {
				name, pin, ok := strings.Cut(a.Text, "=")
				if ok && name != "" && !strings.HasPrefix(name, "-") && pin != "" && !strings.HasPrefix(pin, "*") {
					return &Block{Rule: "package-management", Code: "pinned-packages", Line: st.Lines[0],
						Text: fmt.Sprintf("it pins %s, a version of another release than %s %s", a.Text, def.Distro, def.DistroVersion)}
				}
			}
		}
	}
	return nil
}

// fitsPackages refuses package names that another distribution or release may
// not have. Names that end in a letter and are in our table are the same in
// Debian 11 to 13, Ubuntu 20.04 to 24.04 and Alpine.
func (in *Input) fitsPackages(s *assess.Stage, ch *catalog.Choice, def *catalog.Definition) *Block {
	ubuntu := strings.HasSuffix(s.Origin.Repository, "ubuntu") || isUbuntu(s.Origin)
	moved := ch.ReleaseChanged || ch.DistroChanged || ubuntu
	for _, st := range s.Steps {
		if st.Run == nil || st.Run.Script == nil {
			continue
		}
		for _, p := range st.Run.Script.Packages() {
			if !p.System || p.Verb != "install" || !moved {
				continue
			}
			if def.Distro == catalog.Alpine && !ch.DistroChanged {
				// Alpine keeps names between releases, but for versioned ones.
				for _, n := range p.Packages {
					if versionedName.MatchString(n) && !keptByAlpine(n, st) {
						return in.packageBlock(st, n, s, def)
					}
				}
				continue
			}
			for _, n := range append(slices.Clone(p.Packages), p.Files...) {
				if !stableName(n) {
					return in.packageBlock(st, n, s, def)
				}
			}
			if p.Unknown {
				return &Block{Rule: "package-management", Code: "packages-unknown", Line: st.Lines[0],
					Text: fmt.Sprintf("it installs packages whose names cannot be read here, and %s becomes %s %s", s.Origin.Reference, def.Distro, def.DistroVersion)}
			}
		}
		if ubuntu && st.Run.Script.Uses("add-apt-repository") {
			return &Block{Rule: "package-management", Code: "ubuntu-packages", Line: st.Lines[0], Text: "it adds an Ubuntu package archive (PPA), which does not work on Debian"}
		}
	}
	return nil
}

func (in *Input) packageBlock(st *assess.Step, name string, s *assess.Stage, def *catalog.Definition) *Block {
	return &Block{Rule: "package-management", Code: "release-packages", Line: st.Lines[0],
		Text: fmt.Sprintf("it installs %s, which may have another name or version in %s %s than in %s", name, def.Distro, def.DistroVersion, s.Origin.Reference)}
}

// keptByAlpine tells whether a name that ends in a digit is the same in every
// release of Alpine. Python counts where it is for what compiles, node-gyp for
// example: pip would install for another Python, or not at all.
func keptByAlpine(name string, st *assess.Step) bool {
	switch name {
	case "bzip2", "bzip2-dev", "libxml2", "libxml2-dev", "libxml2-utils", "m4":
		return true
	case "python3":
		return !slices.ContainsFunc(st.Stage.ChainSteps(), func(other *assess.Step) bool {
			return other.Run != nil && (other.Run.Script == nil || strings.Contains(other.Text, "pip") || strings.Contains(other.Text, "venv"))
		})
	}
	return false
}

var versionedName = regexp.MustCompile(`[0-9](\.[0-9]+)?(-[a-z-]+)?$|^(llvm|clang|gcc|nodejs|php|python|postgresql)[0-9]`)

// stableName tells whether a Debian package has the same name in Debian 11, 12
// and 13 and in Ubuntu's long-term releases.
func stableName(n string) bool {
	if strings.ContainsAny(n, "/:=*$") {
		return false
	}
	switch n {
	case "netcat", "software-properties-common", "python-dev":
		return false // virtual or gone in Debian 13
	}
	if classify(n) != pkgRuntime {
		return true
	}
	switch n {
	case "libpq-dev", "libpq5", "libssl-dev", "libffi-dev", "zlib1g-dev", "libxml2-dev", "libxslt1-dev", "libjpeg-dev", "libpng-dev", "libcurl4-openssl-dev",
		"libsqlite3-dev", "sqlite3", "libmariadb-dev", "default-libmysqlclient-dev", "python3", "python3-minimal", "bash", "openssl", "tini", "dumb-init", "gosu",
		"locales", "fontconfig", "ffmpeg", "imagemagick", "graphviz", "postgresql-client", "default-mysql-client", "redis-tools", "supervisor", "cron",
		"libfreetype6-dev", "libzip-dev", "libicu-dev", "libyaml-dev", "libgmp-dev", "libmagickwand-dev", "libvips-dev", "libsodium-dev", "librdkafka-dev",
		"libbz2-dev", "liblzma-dev", "libreadline-dev", "libncurses-dev", "libgdbm-dev", "uuid-dev", "libsnappy-dev", "libusb-1.0-0-dev", "libudev-dev",
		"libclang-dev", "libprotobuf-dev", "libkrb5-dev", "libsasl2-dev", "libldap2-dev", "libmagic1", "libxmlsec1-dev", "libmagic-dev", "gettext", "gettext-base",
		"libgcc-s1", "libstdc++6", "libgomp1", "libgl1", "libfontconfig1", "libfreetype6", "libsm6", "libxext6", "libxrender1", "fonts-dejavu", "fonts-dejavu-core",
		"fonts-liberation", "fonts-noto-cjk", "nginx", "apache2", "mariadb-client", "mariadb-server", "libxml2-utils", "xsltproc", "ghostscript", "poppler-utils", "nodejs", "ruby", "perl", "passwd", "adduser":
		return true
	}
	return false
}

// releaseBound returns a package or program of the stage that hangs on the
// Debian release, "" when there is none.
func releaseBound(s *assess.Stage) string {
	for _, st := range s.Steps {
		if st.Run == nil || st.Run.Script == nil {
			continue
		}
		if st.Run.Script.Uses("apt-key") {
			return "apt-key"
		}
		for _, p := range st.Run.Script.Packages() {
			if p.Manager != "apt" || p.Verb != "install" {
				continue
			}
			for _, n := range p.Packages {
				if !stableName(n) {
					return n
				}
			}
			for _, a := range p.Cmd.Args {
				if strings.Contains(a.Text, "=") && !strings.HasPrefix(a.Text, "-") {
					return a.Text
				}
			}
			if p.Unknown {
				return "(unknown)"
			}
		}
	}
	return ""
}

func isUbuntu(o *catalog.Origin) bool {
	switch o.Release {
	case "xenial", "bionic", "focal", "jammy", "noble":
		return true
	}
	return strings.Contains(o.Repository, "ubuntu")
}

// layouts are paths that the old image has and the DHI image does not, by DHI
// image. Sources: B.11 of the domain notes, from the images' definitions.
func layouts(image string) []string {
	switch image {
	case "python":
		return []string{"/usr/local/lib/python", "/usr/local/include/python", "/usr/local/bin/python", "/usr/local/bin/pip"}
	case "node":
		return []string{"/usr/local/lib/node_modules", "/usr/local/include/node", "/usr/local/bin/node", "/usr/local/bin/npm", "/usr/local/bin/npx", "/usr/local/bin/yarn", "/opt/yarn", "/usr/local/bin/corepack", "/usr/local/bin/docker-entrypoint.sh"}
	case "eclipse-temurin", "amazoncorretto":
		return []string{"/opt/java/openjdk", "/usr/lib/jvm", "/usr/local/openjdk"}
	case "maven":
		return []string{"/usr/share/maven", "/usr/local/bin/mvn-entrypoint.sh", "/opt/java/openjdk"}
	case "gradle":
		return []string{"/opt/java/openjdk"}
	case "dotnet", "aspnetcore":
		return []string{"/usr/share/dotnet", "/usr/lib/dotnet"}
	case "rust":
		return []string{"/usr/local/rustup"} // keepCargoHome sees to the other one
	case "php":
		return []string{"/usr/local/lib/php", "/usr/local/bin/php", "/usr/local/sbin/php-fpm", "/usr/local/bin/docker-php-", "/usr/src/php", "/usr/local/etc/php-fpm"}
	case "tomcat", "ruby", "golang":
		return nil
	case "mysql", "mongodb":
		// Their entry points run no scripts. Source: DHI's guide of mysql,
		// docker-hardened-images/catalog issue 236 of mongodb.
		return []string{"/docker-entrypoint-initdb.d"}
	case "postgres":
		return []string{"/usr/lib/postgresql", "/usr/share/postgresql"}
	case "httpd":
		return []string{"/usr/lib/apache2", "/etc/apache2"}
	}
	return nil
}

// fitsLayout refuses a stage that names a path of the old image, in its own
// instructions or where another stage copies from it.
func (in *Input) fitsLayout(s *assess.Stage, ch *catalog.Choice, _ *catalog.Definition) *Block {
	paths := layouts(ch.Image)
	if len(paths) == 0 {
		return nil
	}
	for _, st := range s.Steps {
		switch st.Keyword {
		case "LABEL", "EXPOSE", "FROM":
			continue
		}
		text := st.Text
		for _, h := range st.Heredocs {
			text += "\n" + h.Content
		}
		if now, ok := in.anew[st]; ok {
			text = now
		}
		if st.Copy != nil && st.Copy.From != "" && st.Copy.FromStage == nil {
			// Files of another image copied to such a path bring their own.
			continue
		}
		if b := in.ontoPython(st, ch.Image); b != nil {
			return b
		}
		for _, p := range paths {
			if cacheMountOnly(st, p) || onlyForced(st, p) || ch.Image == "php" && movedPHP(st, p) {
				continue
			}
			if mentions(text, p) {
				return in.layoutBlock(st, p, ch.Image)
			}
		}
	}
	for _, t := range in.Stages.All {
		for _, st := range t.Steps {
			if st.Copy == nil || st.Copy.FromStage != s || in.site.replaces(st) {
				continue
			}
			for _, src := range st.Copy.Sources {
				for _, p := range paths {
					if ch.Image == "php" && movedPHP(st, p) {
						continue
					}
					if mentions(src, p) || (src == "/usr/local" || src == "/usr/local/" || src == "/usr/local/bin" || src == "/usr/local/bin/" || src == "/usr/local/lib" || src == "/usr/local/lib/") && strings.HasPrefix(p, "/usr/local/") {
						return in.layoutBlock(st, src, ch.Image)
					}
				}
			}
		}
	}
	return nil
}

// ontoPython refuses packages that a stage with Python installed below a
// directory of their own and that are copied to where the old interpreter looks.
func (in *Input) ontoPython(st *assess.Step, image string) *Block {
	if image != "python" || st.Copy == nil || st.Copy.FromStage == nil || in.site.replaces(st) {
		return nil
	}
	if o := st.Copy.FromStage.Root().Origin; o == nil || o.Image != "python" {
		return nil
	}
	switch dest := strings.TrimSuffix(st.Copy.Dest, "/"); dest {
	case "/usr", "/usr/local", "/usr/local/lib":
		return &Block{Rule: "base-image", Code: "python-layout", Line: st.Lines[0],
			Text: fmt.Sprintf("it copies packages to %s, where the interpreter of the DHI image does not look", dest)}
	}
	return nil
}

func (in *Input) layoutBlock(st *assess.Step, p, image string) *Block {
	return &Block{Rule: "base-image", Code: "image-layout", Line: st.Lines[0],
		Text: fmt.Sprintf("it uses %s, a place that dhi %s does not use", p, image)}
}

// cacheMountOnly: a cache mount on a path is created where it is missing.
func cacheMountOnly(st *assess.Step, p string) bool {
	if st.Keyword != "RUN" {
		return false
	}
	return !mentions(st.Text, p)
}

func mentions(text, p string) bool {
	for i := 0; ; {
		j := strings.Index(text[i:], p)
		if j < 0 {
			return false
		}
		at := i + j
		if at == 0 || !isPathByte(text[at-1]) {
			return true
		}
		i = at + 1
	}
}

func isPathByte(b byte) bool {
	return b == '/' || b == '-' || b == '_' || b == '.' || '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
}

// fitsHelpers refuses programs that only the old image ships.
func (in *Input) fitsHelpers(s *assess.Stage, ch *catalog.Choice, def *catalog.Definition) *Block {
	for _, st := range s.Steps {
		if _, b := in.phpPieces(st, def, minorOf(def)); b != nil {
			return b
		}
		if st.Run == nil || st.Run.Script == nil {
			continue
		}
		for _, c := range st.Run.Script.Commands {
			helper := false
			if ch.Image == "php" && (strings.HasPrefix(c.Name, "docker-php-") || c.Name == "install-php-extensions") {
				continue // phpPieces
			}
			if c.Name == "install_packages" && c.Path == c.Name {
				return &Block{Rule: "base-image", Code: "image-programs", Line: st.Lines[0],
					Text: fmt.Sprintf("it calls %s, a script of %s; apt-get install does the same", c.Name, s.Origin.Repository)}
			}
			if osImage(ch.Image) {
				break // what an operating system's file calls, it has installed itself
			}
			name := c.Name
			if name == "" && strings.HasSuffix(strings.Trim(c.Word.Raw, `"`), "/jlink") {
				name = "jlink" // $JAVA_HOME/bin/jlink
			}
			switch name {
			case "docker-php-ext-install", "docker-php-ext-configure", "docker-php-ext-enable", "docker-php-source", "install-php-extensions",
				"rustup", "a2enmod", "a2ensite", "a2dismod", "a2dissite", "a2enconf", "mvn-entrypoint.sh", "docker-entrypoint.sh", "nginx-debug":
				helper = true
			case "jar", "javac", "jdeps":
				helper = ch.Image == "eclipse-temurin" && !def.HasProgram(c.Name)
			case "jlink":
				if ch.Image == "eclipse-temurin" {
					return &Block{Rule: "base-image", Code: "image-layout", Line: st.Lines[0],
						Text: fmt.Sprintf("it makes a runtime with jlink, which needs the C library that the JDK of %s was built against", def.Image)}
				}
			}
			if helper {
				return &Block{Rule: "base-image", Code: "image-programs", Line: st.Lines[0],
					Text: fmt.Sprintf("it calls %s, which only %s ships", c.Name, s.Origin.Repository)}
			}
		}
	}
	return nil
}

// osImage tells whether an image of the catalog is an operating system and
// nothing else.
func osImage(image string) bool {
	return image == "alpine-base" || image == "debian-base" || image == "busybox"
}

// fitsAccounts refuses accounts that the DHI image does not have where a RUN
// names them; USER and --chown are rewritten instead.
func (in *Input) fitsAccounts(s *assess.Stage, ch *catalog.Choice, def *catalog.Definition) *Block {
	var known map[string]bool // made when it is asked for
	for _, st := range s.Steps {
		if st.Run == nil || st.Run.Script == nil {
			continue
		}
		for _, op := range st.Run.Script.FileOps() {
			if op.Owner == "" || strings.Contains(op.Owner, "$") || ch.Image == "php" && in.phpOwner(st, op) {
				continue
			}
			if known == nil {
				known = in.accountsOf(s, def)
			}
			for i, name := range strings.SplitN(op.Owner, ":", 2) {
				if name == "" || numeric(name) || known[name] || i == 1 && known["group "+name] {
					continue
				}
				return &Block{Rule: "nonroot-user", Code: "account-missing", Line: st.Lines[0],
					Text: fmt.Sprintf("it gives files to %s, an account that dhi %s does not have", name, ch.Image)}
			}
		}
	}
	return nil
}

// accountsOf are the account names that exist at the end of the chain on def:
// root, those of the image and those that a RUN makes.
func (in *Input) accountsOf(s *assess.Stage, def *catalog.Definition) map[string]bool {
	known := map[string]bool{"root": true, "group root": true}
	if def != nil {
		for _, u := range def.Users {
			known[u.Name], known["group "+u.Name] = true, true
		}
	}
	for _, st := range s.ChainSteps() {
		for _, a := range in.accounts(st) {
			if a.Kind == "user" {
				known[a.Name] = true
			}
			known["group "+a.Name] = true
		}
	}
	return known
}

// fitsPlatform refuses a platform that the image is not built for.
func (in *Input) fitsPlatform(s *assess.Stage, ch *catalog.Choice, def *catalog.Definition) *Block {
	p := strings.Trim(s.Base.Platform, `"'`)
	if p == "" || strings.Contains(p, "$") {
		return nil
	}
	for _, have := range def.Platforms {
		if have == p || have+"/v8" == p {
			return nil
		}
	}
	return &Block{Rule: "base-image", Code: "platform-not-offered", Line: s.From.Lines[0],
		Text: fmt.Sprintf("dhi %s is not built for %s", ch.Image, p)}
}

func numeric(s string) bool {
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return s != ""
}
