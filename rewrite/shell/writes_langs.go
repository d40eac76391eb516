package shell

import (
	"path"
	"strings"
)

func writesGem(e *effects, c *Command) {
	switch verbOf(c) {
	case "install", "update", "uninstall":
	default:
		return
	}
	if a, ok := valueOf(c, "-i", "--install-dir"); ok {
		e.write(c, a)
		return
	}
	// The official images set GEM_HOME to /usr/local/bundle.
	e.abs(c, e.or(c, "GEM_HOME", "/usr/local/bundle"))
	if verbOf(c) == "update" {
		e.abs(c, "/usr/local/lib/ruby")
	}
}

func writesBundle(e *effects, c *Command) {
	verb := verbOf(c)
	switch verb {
	case "config":
		for i, a := range c.Args {
			if a.Text == "path" && i+1 < len(c.Args) {
				e.set("BUNDLE_PATH", c.Args[i+1], c.Conditional)
			}
			if a.Text == "deployment" && i+1 < len(c.Args) && c.Args[i+1].Text != "false" {
				e.set("BUNDLE_DEPLOYMENT", Arg{Text: "1", Literal: true}, c.Conditional)
			}
			if bundleSetting(a.Text) {
				rememberBundle(e, c)
			}
		}
		return
	case "exec":
		e.assume(c)
		return
	case "binstubs", "package", "cache", "lock", "clean":
		e.here(c)
	}
	for _, a := range c.Args {
		if name, _, _ := strings.Cut(a.Text, "="); name == "--path" || name == "--without" || name == "--with" || name == "--deployment" {
			rememberBundle(e, c)
		}
	}
	if a, ok := valueOf(c, "--path"); ok {
		e.write(c, a)
		return
	}
	if v, ok := e.lookup(c, "BUNDLE_PATH"); ok && v != "" {
		e.abs(c, v)
		return
	}
	if _, ok := e.lookup(c, "BUNDLE_DEPLOYMENT"); ok {
		e.here(c) // vendor/bundle
	}
	for _, a := range c.Args {
		if a.Text == "--deployment" {
			e.here(c)
			return
		}
	}
	e.abs(c, e.or(c, "GEM_HOME", "/usr/local/bundle"))
}

// bundleSetting tells whether a setting of Bundler matters while the program
// runs: where the gems are, and which of them are.
func bundleSetting(name string) bool {
	switch name {
	case "path", "without", "with", "only", "deployment", "path.system", "specific_platform", "force_ruby_platform":
		return true
	}
	return false
}

// rememberBundle notes the file that Bundler keeps settings and remembered
// options in: the official images set BUNDLE_APP_CONFIG to /usr/local/bundle,
// and what is for all applications is in the home directory.
func rememberBundle(e *effects, c *Command) {
	for _, a := range c.Args {
		if a.Text == "--global" {
			e.underHome(c, "BUNDLE_USER_HOME", ".bundle/config")
			return
		}
	}
	e.abs(c, path.Join(e.or(c, "BUNDLE_APP_CONFIG", "/usr/local/bundle"), "config"))
}

func writesComposer(e *effects, c *Command) {
	if verbOf(c) == "global" {
		e.underHome(c, "COMPOSER_HOME", ".composer")
		return
	}
	e.below(c, "-d", "--working-dir")
}

// writesPHP: the extension directory and configuration of the official images.
func writesPHP(e *effects, c *Command) {
	e.abs(c, "/usr/local/lib/php")
	e.abs(c, e.or(c, "PHP_INI_DIR", "/usr/local/etc/php"))
}

// writesPHPProgram: composer, its installer and the console of a framework are
// known.
func writesPHPProgram(e *effects, c *Command) {
	for i, a := range c.Args {
		switch {
		case a.Text == "-r" && i+1 < len(c.Args) && fetchesComposer(c.Args[i+1].Text):
			e.write(c, Arg{Text: "composer-setup.php", Literal: true})
			return
		case a.Text == "--" && installsComposer(c.Args[i+1:]), base(a.Text) == "composer-setup.php":
			dir, _ := valueOf(c, "--install-dir")
			name, _ := valueOf(c, "--filename")
			if name.Text == "" {
				name = Arg{Text: "composer.phar", Literal: true}
			}
			if dir.Text != "" {
				name = Arg{Text: path.Join(dir.Text, name.Text), Literal: name.Literal && dir.Literal}
			}
			e.write(c, name)
			return
		}
		if strings.HasPrefix(a.Text, "-d") {
			continue
		}
		switch base(a.Text) {
		case "composer", "composer.phar":
			sub := *c
			sub.Args = c.Args[i+1:]
			writesComposer(e, &sub)
			return
		case "artisan", "console":
			e.assume(c)
			return
		case "-m", "-i", "-l", "-v":
			return
		}
		break
	}
	e.unknown("what the program of php writes is not known")
}

// installsComposer tells whether a script on the standard input is Composer's
// installer, by its options (getcomposer.org/doc/faqs).
func installsComposer(args []Arg) bool {
	known := false
	for _, a := range args {
		name, _, _ := strings.Cut(a.Text, "=")
		switch name {
		case "--install-dir", "--filename":
			known = true
		case "--version", "--quiet", "--no-ansi", "--ansi", "--1", "--2", "--2.2", "--stable", "--force":
		default:
			if strings.HasPrefix(name, "-") {
				return false
			}
		}
	}
	return known
}

// fetchesComposer tells whether a line of PHP is one of those that the
// instructions of Composer give: they fetch, check and remove its installer.
func fetchesComposer(code string) bool {
	if !strings.Contains(code, "composer-setup.php") && !strings.Contains(code, "getcomposer.org/installer") {
		return false
	}
	for _, f := range []string{"file_put_contents", "fopen", "exec", "system", "passthru", "popen", "mkdir", "rename", "symlink", "eval", "include", "require"} {
		if strings.Contains(code, f) {
			return false
		}
	}
	return true
}

func writesJava(e *effects, c *Command) {
	for _, a := range c.Args {
		if strings.HasPrefix(a.Text, "-Djarmode=") {
			e.hereOr(c, "--destination")
			return
		}
	}
	e.unknown("what the program of java writes is not known")
}

// writesNodeProgram: a tool of node_modules, or a script of package.json.
func writesNodeProgram(e *effects, c *Command) {
	for _, a := range c.Args {
		if a.Text == "--run" || strings.HasPrefix(a.Text, "node_modules/") || strings.HasPrefix(a.Text, "./node_modules/") {
			e.assume(c)
			return
		}
		if !strings.HasPrefix(a.Text, "-") {
			break
		}
	}
	e.unknown("what the program of node writes is not known")
}

func writesDeno(e *effects, c *Command) {
	switch verb := verbOf(c); verb {
	case "cache", "install":
		e.abs(c, e.or(c, "DENO_DIR", "/deno-dir"))
		e.here(c)
	case "compile", "bundle":
		e.hereOr(c, "-o", "--output")
	case "task":
		e.assume(c)
	case "check", "lint", "fmt", "test":
	default:
		e.unknown("what deno %s writes is not known", short(verb))
	}
}
