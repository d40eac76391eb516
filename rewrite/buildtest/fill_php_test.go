//go:build build

package buildtest

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// machinePHP is the version of the machine's PHP, 8.2.
func machinePHP(t *testing.T) string {
	t.Helper()
	return runPHP(t, "echo PHP_MAJOR_VERSION, '.', PHP_MINOR_VERSION;")
}

// runPHP is what the machine's PHP prints.
func runPHP(t *testing.T, code string) string {
	t.Helper()
	out, err := exec.Command(need(t, "php"), "-n", "-r", code).Output()
	if err != nil {
		t.Fatalf("php: %v", err)
	}
	return string(out)
}

// phpDirs are the directories of PHP in an image. Sources: the official
// images' Dockerfiles; the catalog's image/php and package/apk/main/php.
type phpDirs struct{ bin, sbin, ini, scan, fpm, extensions, sources string }

func (i *image) php(version, api string) phpDirs {
	api = "/no-debug-non-zts-" + api
	switch prefix := i.config.Env["PHP_PREFIX"]; {
	case i.dhi == nil:
		return phpDirs{"/usr/local/bin", "/usr/local/sbin", "/usr/local/etc/php", "/usr/local/etc/php/conf.d", "/usr/local/etc", "/usr/local/lib/php/extensions" + api, "/usr/src/php"}
	case prefix != "":
		return phpDirs{prefix + "/bin", prefix + "/sbin", prefix + "/etc/php", prefix + "/etc/php/conf.d", prefix + "/etc", prefix + "/lib/php/extensions" + api, i.config.Env["PHP_SRC_DIR"]}
	}
	etc := "/etc/php-" + version
	return phpDirs{"/usr/bin", "/usr/sbin", etc, etc + "/conf.d", etc, "/usr/lib/php/extensions" + api, i.config.Env["PHP_SRC_DIR"]}
}

// fillPHP puts the machine's PHP where the image has it. Debian's looks for its
// settings and extensions in directories of Debian's own: those are links here.
func fillPHP(t *testing.T, i *image) {
	version := machinePHP(t)
	modules := runPHP(t, "echo ini_get('extension_dir');")
	d, r := i.php(version, filepath.Base(modules)), i.root
	for _, dir := range []string{d.ini, d.scan, d.extensions} {
		r.folder(dir, 0o755, 0, 0)
	}
	r.link(modules, d.extensions)
	r.link("/etc/php/"+version+"/cli", d.ini)
	r.link("/etc/php/"+version+"/fpm/php-fpm.conf", d.fpm+"/php-fpm.conf")
	r.link("/etc/php/"+version+"/fpm/php.ini", d.ini+"/php.ini")
	r.link("/etc/php/"+version+"/fpm/conf.d", d.scan)
	for _, name := range []string{"UTC", "zone.tab"} {
		r.copy("/usr/share/zoneinfo/"+name, "/usr/share/zoneinfo/"+name) // Debian's PHP has none of its own
	}
	if i.has("php") {
		r.program(need(t, "php"), d.bin+"/php")
	}
	if i.has("php-fpm") {
		r.program(need(t, "php-fpm"+version), d.sbin+"/php-fpm")
		i.pools(d)
	}
	for _, name := range []string{"php.ini-production", "php.ini-development"} {
		r.file(d.ini+"/"+name, "variables_order = \"GPCS\"\nerror_log = /tmp/php.log\n", 0o644)
	}
	if i.dhi == nil {
		r.file("/usr/local/bin/docker-php-entrypoint", "#!/bin/sh\ncase \"$1\" in -*) set -- php \"$@\" ;; esac\nexec \"$@\"\n", 0o755)
	} else {
		r.file(d.ini+"/php.ini", "variables_order = \"GPCS\"\nerror_log = /tmp/php.log\n", 0o644)
		if d.ini == "/etc/php-"+version {
			r.folder(d.ini+"/php/conf.d", 0o755, 0, 0)
			r.link("/usr/local/etc/php", d.ini+"/php") // where PHP does not look
		} else {
			r.link("/usr/local/etc/php", d.ini)
		}
	}
	if !i.config.Shell {
		return
	}
	// Extensions come from the machine compiled: their sources are a file that
	// phpize looks for, and make install puts the extension into its place.
	for _, name := range []string{"calendar", "exif"} {
		dir := d.sources + "/ext/" + name
		r.file(dir+"/config.m4", "", 0o644)
		r.copy(filepath.Join(modules, name+".so"), dir+"/compiled.so")
	}
	if i.dhi == nil {
		r.file("/usr/local/bin/docker-php-ext-install", strings.NewReplacer("EXTENSIONS", d.extensions, "SOURCES", d.sources).Replace(extInstall), 0o755)
		return
	}
	r.file(d.bin+"/phpize", "#!/bin/sh\n[ -f config.m4 ] || exit 1\necho '#!/bin/sh' >configure\necho 'echo all: >Makefile' >>configure\nchmod +x configure\n", 0o755)
	r.file("/usr/bin/make", "#!/bin/sh\n[ -f Makefile ] || exit 2\ncase \"$*\" in *install*) cp compiled.so \""+d.extensions+"/$(basename \"$PWD\").so\" ;; esac\n", 0o755)
}

// extInstall is docker-php-ext-install without the compiler. What is not among
// its sources is part of PHP, of which it only says so.
const extInstall = `#!/bin/sh -e
for name in "$@"; do
	case "$name" in -*) continue ;; esac
	if [ ! -d "SOURCES/ext/$name" ]; then
		echo "warning: $name is already loaded" >&2
		continue
	fi
	cp "SOURCES/ext/$name/compiled.so" "EXTENSIONS/$name.so"
	echo "extension=$name" >"$PHP_INI_DIR/conf.d/docker-php-ext-$name.ini"
done
`

// pools writes the settings of php-fpm that both images bring.
func (i *image) pools(d phpDirs) {
	user := "user = www-data\ngroup = www-data\n"
	if i.dhi != nil {
		user = "user = nonroot\ngroup = nonroot\n"
	}
	i.root.file(d.fpm+"/php-fpm.conf", "[global]\nerror_log = /tmp/php-fpm.log\ndaemonize = no\ninclude="+d.fpm+"/php-fpm.d/*.conf\n", 0o644)
	i.root.file(d.fpm+"/php-fpm.d/www.conf", "[www]\n"+user+"pm = static\npm.max_children = 1\n", 0o644)
	i.root.file(d.fpm+"/php-fpm.d/docker.conf", "[www]\nclear_env = no\ncatch_workers_output = yes\nlisten = 9000\n", 0o644)
}
