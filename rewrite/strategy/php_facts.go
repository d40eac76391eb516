package strategy

import (
	"strings"

	"dhibot/rewrite/catalog"
)

// phpIni is where the official images keep PHP's settings ($PHP_INI_DIR).
const phpIni = "/usr/local/etc/php"

// phpExtensions is where they keep the compiled extensions.
const phpExtensions = "/usr/local/lib/php/extensions"

// phpPlaces are the directories of DHI's PHP.
type phpPlaces struct {
	extensions string // the compiled extensions, in a directory per API
	ini        string // php.ini
	scan       string // further settings, *.ini
	fpm        string // php-fpm.d
	// linked tells that $PHP_INI_DIR leads to ini. On Alpine it leads to
	// /etc/php-X.Y/php, and PHP is configured for /etc/php-X.Y.
	linked bool
}

// placesOfPHP reads the directories from a definition. Sources: ./configure in
// the catalog's image/php (everything below PHP_PREFIX) and package/apk/main/php.
func placesOfPHP(def *catalog.Definition) (phpPlaces, bool) {
	if def.Image != "php" {
		return phpPlaces{}, false
	}
	if p := def.Environment["PHP_PREFIX"]; p != "" {
		return phpPlaces{extensions: p + "/lib/php/extensions", ini: p + "/etc/php", scan: p + "/etc/php/conf.d", fpm: p + "/etc/php-fpm.d", linked: true}, true
	}
	for _, v := range []string{"8.2", "8.3", "8.4", "8.5"} {
		if def.HasPackage("php-" + v) {
			etc := "/etc/php-" + v
			return phpPlaces{extensions: "/usr/lib/php/extensions", ini: etc, scan: etc + "/conf.d", fpm: etc + "/php-fpm.d"}, true
		}
	}
	return phpPlaces{}, false
}

// extension is what is known of an extension, however its name is written.
func extension(name string) catalog.PHPExtension {
	return catalog.PHPExtensionNamed(strings.ToLower(name))
}
